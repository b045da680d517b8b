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
        let end = runtime.elapsed().saturating_add(self.timeout);
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

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::testing::VirtualRuntime;

    async fn third(timeout: Duration) -> Result<u32> {
        let runtime = VirtualRuntime::new(0, 1);
        runtime.advance(Duration::from_secs(1));
        let wait = Wait { pause: Duration::from_secs(5), timeout, late: "still counting", endpoint: "open/x" };
        let asked = AtomicU32::new(0);
        let ask = || async { Ok(asked.fetch_add(1, Ordering::Relaxed) + 1) };
        wait.until(&runtime, ask, |count: u32| Ok((count == 3).then_some(count))).await
    }

    #[tokio::test]
    async fn waiting_ends_with_the_answer_or_the_time_and_a_time_without_an_end_is_one() {
        assert_eq!(third(Duration::MAX).await.unwrap(), 3);
        assert_eq!(third(Duration::from_secs(10)).await.unwrap(), 3);
        assert_eq!(third(Duration::from_secs(4)).await.unwrap_err().kind(), ErrorKind::CompletionTimeout);
    }
}
