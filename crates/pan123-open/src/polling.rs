//! Waiting for tasks of the service: asking at a pace until there is an answer or the time is over.

use std::time::Duration;

use pan123_core::{Error, ErrorKind, Result};

use crate::Client;

/// How often to ask, for how long, and what is said at the end of it.
pub(crate) struct Wait {
    /// The pause between two questions.
    pub(crate) pause: Duration,
    /// How long to ask in all; the first question is always asked.
    pub(crate) timeout: Duration,
    /// What is still going on when the time is over.
    pub(crate) late: &'static str,
    /// The operation that asks.
    pub(crate) endpoint: &'static str,
}

impl Wait {
    /// Asks until `judge` makes an answer of what was asked.
    ///
    /// # Errors
    ///
    /// What asking and judging give, and [`ErrorKind::CompletionTimeout`] when the time is over.
    pub(crate) async fn until<S, T, A>(
        &self,
        client: &Client,
        mut ask: impl FnMut() -> A,
        mut judge: impl FnMut(S) -> Result<Option<T>>,
    ) -> Result<T>
    where
        A: Future<Output = Result<S>>,
    {
        let runtime = client.pipeline().runtime();
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
