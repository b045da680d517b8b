//! Counts attempts against a policy.

use std::time::Duration;

use pan123_core::{Error, RetryPolicy, Runtime};

/// The attempts at one thing.
///
/// `RetryPolicy::max_elapsed` is held against the time spent waiting between attempts. An attempt that moves a
/// large body may well take longer than that and still deserves another.
#[derive(Debug)]
pub(crate) struct Retries {
    policy: RetryPolicy,
    attempts: u32,
    waited: Duration,
}

impl Retries {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, attempts: 0, waited: Duration::ZERO }
    }

    /// Counts a failed attempt, and returns how long to wait before another; the error when there is none.
    pub(crate) fn next(&mut self, error: Error, repeatable: bool, runtime: &dyn Runtime) -> Result<Duration, Error> {
        self.attempts += 1;
        match self.policy.next(&error, self.attempts, self.waited, repeatable, runtime) {
            Some(delay) => {
                self.waited += delay;
                Ok(delay)
            }
            None => Err(self.count(error)),
        }
    }

    /// Forgets the failures, because there was progress.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.policy);
    }

    /// Says in the error how many attempts there were, unless it knows of more itself.
    fn count(&self, error: Error) -> Error {
        let attempts = self.attempts.max(error.attempts());
        error.with_attempts(attempts)
    }
}
