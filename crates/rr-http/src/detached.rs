//! Work that goes on when its caller hangs up.

use std::future::Future;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// Runs `work` to its end even if the connection, and with it the handler, is dropped meanwhile.
/// For changes of two steps: a key that is revoked in the store must also be forgotten here.
pub(crate) async fn detached<T: 'static>(
    work: impl Future<Output = Outcome<T>> + 'static,
) -> Outcome<T> {
    let task = actix_web::rt::spawn(work);
    task.await.unwrap_or_else(|_| Err(Problem::new(Code::Internal)))
}
