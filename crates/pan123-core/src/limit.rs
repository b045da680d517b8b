//! Rate limits as data, and the limiter that keeps them, which clients of one account can share.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::Runtime;

/// How often one endpoint may be called: one request in every interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Duration);

impl Rate {
    /// No limit.
    pub const UNLIMITED: Self = Self(Duration::ZERO);

    /// One request in every `interval`.
    pub const fn one_every(interval: Duration) -> Self {
        Self(interval)
    }

    /// `requests` in a second; 0 counts as 1.
    pub const fn per_second(requests: u32) -> Self {
        let requests = if requests == 0 { 1 } else { requests };
        Self(Duration::from_nanos(1_000_000_000 / requests as u64))
    }

    /// Returns the time between two requests.
    pub const fn interval(self) -> Duration {
        self.0
    }
}

/// The limits of an account: a rate for each path, and one that all other paths share.
///
/// The API crates have the tables of the protocol reference; a caller may replace any of it.
///
/// # Example
///
/// ```
/// use pan123_core::{Rate, RateLimits};
///
/// let limits = RateLimits::new(Rate::per_second(2)).with("/api/v1/user/info", Rate::per_second(10));
/// assert_eq!(limits.rate("/api/v1/user/info"), Rate::per_second(10));
/// assert_eq!(limits.rate("/api/v1/other"), Rate::per_second(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    others: Rate,
    paths: HashMap<Cow<'static, str>, Rate>,
}

impl RateLimits {
    /// Makes a table in which every path shares `others`.
    pub fn new(others: Rate) -> Self {
        Self { others, paths: HashMap::new() }
    }

    /// Makes a table without limits, for a service that has none.
    pub fn unlimited() -> Self {
        Self::new(Rate::UNLIMITED)
    }

    /// Sets the rate of one path.
    #[must_use]
    pub fn with(mut self, path: impl Into<Cow<'static, str>>, rate: Rate) -> Self {
        self.paths.insert(path.into(), rate);
        self
    }

    /// Makes the share of one of `processes` programs that use the account side by side: each calls that much more rarely.
    /// 0 counts as 1.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_core::{Rate, RateLimits};
    ///
    /// let a_quarter = RateLimits::new(Rate::per_second(4)).shared_by(4);
    /// assert_eq!(a_quarter.rate("/api/v1/user/info"), Rate::per_second(1));
    /// ```
    #[must_use]
    pub fn shared_by(mut self, processes: u32) -> Self {
        for rate in self.paths.values_mut().chain([&mut self.others]) {
            rate.0 = rate.0.saturating_mul(processes.max(1));
        }
        self
    }

    /// Returns the rate that holds for `path`.
    pub fn rate(&self, path: &str) -> Rate {
        self.paths.get(path).copied().unwrap_or(self.others)
    }
}

/// Keeps [`RateLimits`]. Clones share the count: give one to every client of the same account.
///
/// Requests leave evenly spaced, without bursts, one part in [`RATE_MARGIN`] slower than allowed: the network moves
/// requests closer together, and the service counts them when they arrive. Nothing is held while a caller waits: it takes its
/// place in the row and sleeps until that time comes.
#[derive(Clone, Debug)]
pub struct RateLimiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: RateLimits,
    /// The empty path stands for all that have no rate of their own.
    rows: Mutex<HashMap<String, Row>>,
}

/// Those who wait for one class of requests.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// When the next request may leave.
    next: Duration,
    /// Until when the service wants none at all.
    held: Duration,
}

/// The share of every interval that is added to it.
pub const RATE_MARGIN: u32 = 100;

impl RateLimiter {
    /// Makes a limiter in which nothing was sent yet.
    pub fn new(limits: RateLimits) -> Self {
        Self(Arc::new(Shared { limits, rows: Mutex::default() }))
    }

    /// Waits until a request to `path` may leave.
    pub async fn acquire(&self, path: &str, runtime: &dyn Runtime) {
        let interval = self.0.limits.rate(path).interval();
        let interval = interval.saturating_add(interval / RATE_MARGIN);
        loop {
            let now = runtime.elapsed();
            let place = self.row(path, |row| {
                let place = now.max(row.next).max(row.held);
                row.next = place.saturating_add(interval);
                place
            });
            if place <= now {
                return;
            }
            runtime.sleep(place - now).await;
            // Whoever was in the row when the service asked for a pause takes another place behind it.
            if self.row(path, |row| row.held) <= runtime.elapsed() {
                return;
            }
        }
    }

    /// Keeps every request to `path` back for `delay`, those that wait already included, after the service said that there
    /// were too many.
    pub fn penalise(&self, path: &str, delay: Duration, runtime: &dyn Runtime) {
        let until = runtime.elapsed().saturating_add(delay);
        self.row(path, |row| row.held = until.max(row.held));
    }

    fn row<T>(&self, path: &str, work: impl FnOnce(&mut Row) -> T) -> T {
        let class = if self.0.limits.paths.contains_key(path) { path } else { "" };
        let mut rows = self.0.rows.lock().unwrap_or_else(PoisonError::into_inner);
        match rows.get_mut(class) {
            Some(row) => work(row),
            None => work(rows.entry(class.to_owned()).or_default()),
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::VirtualRuntime;

    #[tokio::test]
    async fn requests_leave_evenly_and_paths_do_not_wait_for_each_other() {
        let runtime = VirtualRuntime::new(0, 1);
        let limiter = RateLimiter::new(RateLimits::new(Rate::per_second(1)).with("/a", Rate::per_second(5)));
        for _ in 0..11 {
            limiter.acquire("/a", &runtime).await;
        }
        assert_eq!(runtime.elapsed(), Duration::from_millis(2020));
        limiter.acquire("/b", &runtime).await;
        assert_eq!(runtime.elapsed(), Duration::from_millis(2020));
        limiter.acquire("/c", &runtime).await;
        assert_eq!(runtime.elapsed(), Duration::from_millis(3030), "paths without a rate share one");
    }

    #[tokio::test]
    async fn a_penalty_holds_for_every_clone() {
        let runtime = VirtualRuntime::new(0, 1);
        let limiter = RateLimiter::new(RateLimits::unlimited());
        limiter.clone().penalise("/a", Duration::from_secs(4), &runtime);
        limiter.acquire("/a", &runtime).await;
        assert_eq!(runtime.elapsed(), Duration::from_secs(4));
    }

    #[tokio::test]
    async fn a_penalty_holds_those_who_wait_already() {
        let runtime = VirtualRuntime::new(0, 1);
        let limiter = RateLimiter::new(RateLimits::new(Rate::per_second(1)));
        limiter.acquire("/a", &runtime).await;
        let left = Mutex::new(Vec::new());
        let one = || async {
            limiter.acquire("/a", &runtime).await;
            left.lock().unwrap_or_else(PoisonError::into_inner).push(runtime.elapsed());
        };
        let punish = async { limiter.penalise("/a", Duration::from_secs(10), &runtime) };
        tokio::join!(one(), one(), one(), punish);
        let left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The clock jumps over all sleeps at once, so only the first and the last place can be told.
        assert!(left[0] >= Duration::from_secs(10) && left[2] >= Duration::from_secs(12), "{left:?}");
    }

    #[tokio::test]
    async fn an_interval_without_an_end_is_one() {
        let runtime = VirtualRuntime::new(0, 1);
        let limiter = RateLimiter::new(RateLimits::new(Rate::one_every(Duration::MAX)).shared_by(2));
        limiter.acquire("/a", &runtime).await;
        assert_eq!(runtime.elapsed(), Duration::ZERO);
    }
}
