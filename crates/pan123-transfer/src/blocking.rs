//! File and hash work, which never runs on the threads that drive the network.

use pan123_core::{Error, ErrorKind, Result};
use tokio::task::JoinError;

/// Runs `work` on a thread that may block.
///
/// Dropping the future does not stop work that has begun; it is kept short, or looks for a sign to stop.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    joined(tokio::task::spawn_blocking(work).await)
}

/// Hands on what blocking work gave; a panic in it is the caller's panic.
pub(crate) fn joined<T>(outcome: Result<T, JoinError>) -> Result<T> {
    outcome.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Error::new(ErrorKind::Io, "the program is shutting down"),
    })
}
