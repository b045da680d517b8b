//! When to send a request again: "is it temporary?" and "was it sent?" are two questions.

use std::time::Duration;

use crate::{Error, ErrorKind, Runtime, runtime::random_u64};

/// How often and for how long a request is sent again.
///
/// Both bounds always hold. The delay doubles from [`initial_delay`](Self::initial_delay) to [`max_delay`](Self::max_delay), with
/// up to half of it taken off by chance; a `Retry-After` of the service is respected.
///
/// # Example
///
/// ```
/// use pan123_core::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(10);
/// assert_eq!(patient.max_attempts, 10);
/// assert_eq!(RetryPolicy::none().max_attempts, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a request is sent at most. 5 unless told otherwise.
    pub max_attempts: u32,
    /// How long after the first attempt another may begin. 60 seconds unless told otherwise.
    pub max_elapsed: Duration,
    /// The delay before the second attempt. 500 milliseconds unless told otherwise.
    pub initial_delay: Duration,
    /// The longest delay. 10 seconds unless told otherwise.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            max_elapsed: Duration::from_secs(60),
            initial_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// Sends everything once.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Sets how often a request is sent at most; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: attempts.max(1), ..self }
    }

    /// Sets how long after the first attempt another may begin. [`Duration::MAX`] is no limit.
    #[must_use]
    pub fn max_elapsed(self, elapsed: Duration) -> Self {
        Self { max_elapsed: elapsed, ..self }
    }

    /// Sets the delay before the second attempt, from which the others follow, and the longest one.
    #[must_use]
    pub fn delays(self, initial: Duration, max: Duration) -> Self {
        Self { initial_delay: initial, max_delay: max, ..self }
    }

    /// Decides whether `error` is followed by another attempt, and after which delay.
    ///
    /// `attempts` have been made, `elapsed` has passed since the first. `repeatable` says whether the
    /// request may be sent again although it may have taken effect.
    pub fn next(
        &self,
        error: &Error,
        attempts: u32,
        elapsed: Duration,
        repeatable: bool,
        runtime: &dyn Runtime,
    ) -> Option<Duration> {
        let again = match error.kind() {
            // The service says that it did nothing, or nothing reached it.
            ErrorKind::RateLimited | ErrorKind::Connect => true,
            // Temporary, but it may have been done.
            ErrorKind::Busy | ErrorKind::Server | ErrorKind::Connection | ErrorKind::Timeout => repeatable,
            _ => false,
        };
        if !again || attempts >= self.max_attempts {
            return None;
        }
        let delay = self.delay(attempts, runtime).max(error.retry_after().unwrap_or_default());
        (elapsed.saturating_add(delay) <= self.max_elapsed).then_some(delay)
    }

    /// Returns the delay after `attempts` attempts, chance included.
    pub fn delay(&self, attempts: u32, runtime: &dyn Runtime) -> Duration {
        let doublings = attempts.saturating_sub(1).min(20);
        let full = self.initial_delay.saturating_mul(1 << doublings).min(self.max_delay);
        let share = (random_u64(runtime) >> 32) as f64 / f64::from(u32::MAX);
        full.mul_f64(1.0 - share / 2.0)
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::VirtualRuntime;

    #[test]
    fn only_what_can_help_is_sent_again() {
        let policy = RetryPolicy::default();
        let runtime = VirtualRuntime::new(0, 1);
        let next =
            |kind, repeatable| policy.next(&Error::new(kind, "x"), 1, Duration::ZERO, repeatable, &runtime).is_some();
        for kind in [ErrorKind::RateLimited, ErrorKind::Connect] {
            assert!(next(kind, false) && next(kind, true), "{kind:?}");
        }
        for kind in [ErrorKind::Busy, ErrorKind::Server, ErrorKind::Connection, ErrorKind::Timeout] {
            assert!(!next(kind, false) && next(kind, true), "{kind:?}");
        }
        for kind in [
            ErrorKind::Unauthorized,
            ErrorKind::LoginChallenge,
            ErrorKind::Blocked,
            ErrorKind::Api,
            ErrorKind::ProtocolChanged,
        ] {
            assert!(!next(kind, true), "{kind:?}");
        }
    }

    #[test]
    fn delays_double_within_bounds_and_both_bounds_end_it() {
        let policy = RetryPolicy::default();
        let runtime = VirtualRuntime::new(0, 1);
        for (attempts, full) in [(1, 500), (2, 1000), (3, 2000), (6, 10_000), (u32::MAX, 10_000)] {
            let delay = policy.delay(attempts, &runtime).as_millis();
            assert!(delay >= full / 2 && delay <= full, "{attempts}: {delay}");
        }
        let error = Error::new(ErrorKind::RateLimited, "x");
        assert_eq!(policy.next(&error, 5, Duration::ZERO, true, &runtime), None);
        assert_eq!(policy.next(&error, 1, Duration::from_secs(60), true, &runtime), None);
        let told = |wait| Error::new(ErrorKind::RateLimited, "x").with_retry_after(Some(wait));
        let seven = Duration::from_secs(7);
        assert_eq!(policy.next(&told(seven), 1, Duration::ZERO, true, &runtime), Some(seven));
        assert_eq!(policy.next(&told(Duration::MAX), 1, Duration::from_secs(2), true, &runtime), None);
        let for_ever = policy.max_elapsed(Duration::MAX);
        assert_eq!(for_ever.next(&told(Duration::MAX), 1, seven, true, &runtime), Some(Duration::MAX));
    }
}
