//! Waiting for tasks of the service: asking at a pace until there is an answer or the time is over.

use std::time::Duration;

use crate::{Error, ErrorKind, Result, Runtime};

/// How often to ask, for how long, and what is said at the end of it; for the verbs of clients.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Wait {
    /// The pause between two questions.
    pub pause: Duration,
    /// How long to ask in all; the first question is always asked.
    pub timeout: Duration,
    /// What is still going on when the time is over.
    pub late: &'static str,
    /// The operation that asks.
    pub endpoint: &'static str,
}

impl Wait {
    /// Asks until `judge` makes an answer of what was asked.
    ///
    /// # Errors
    ///
    /// What asking and judging give, and [`ErrorKind::CompletionTimeout`] when the time is over.
    pub async fn until<S, T, A>(
        &self,
        runtime: &dyn Runtime,
        mut ask: impl FnMut() -> A,
        mut judge: impl FnMut(S) -> Result<Option<T>>,
    ) -> Result<T>
    where
        A: Future<Output = Result<S>>,
    {
        let end = runtime.elapsed() + self.timeout;
        loop {
            if let Some(answer) = judge(ask().await?)? {
                return Ok(answer);
            }
            let now = runtime.elapsed();
            if now >= end {
                return Err(Error::new(ErrorKind::CompletionTimeout, self.late)
                    .with_endpoint(self.endpoint)
                    .with_may_have_happened(true));
            }
            runtime.sleep(self.pause.min(end - now)).await;
        }
    }
}
