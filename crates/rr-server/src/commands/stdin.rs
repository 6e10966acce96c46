//! What a command is told where nobody else can see it.

use std::io::{self, BufRead as _};

use crate::config::secret::Secret;
use crate::failure::Failure;

/// The first line of standard input, without its end.
pub(super) fn first_line() -> Result<Secret, Failure> {
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text).map_err(|error| {
        Failure::Trouble(anyhow::Error::new(error).context("standard input cannot be read"))
    })?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}
