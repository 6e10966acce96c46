//! `openapi`: the document, as `/openapi.json` serves it.

use crate::failure::Failure;
use crate::output;

pub(super) fn run() -> Result<(), Failure> {
    output::json(&rr_http::openapi());
    Ok(())
}
