//! Time and chance as one parameter, so that nothing reads a clock behind the caller's back.

use std::{
    fmt,
    pin::Pin,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use crate::Timestamp;

/// A boxed future, so that traits with asynchronous methods can be objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clock, the sleep and the source of randomness of a client.
///
/// Rate limiter, retries, timeouts, pollers and tokens all use the one given to the client.
/// The default is [`TokioRuntime`]; tests use a virtual one (feature `testing`).
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// Returns the time of day.
    fn now(&self) -> Timestamp;

    /// Returns a reading that only grows, from an origin of its own.
    fn elapsed(&self) -> Duration;

    /// Waits because the SDK wants to: before a retry, between two polls, for a rate limit.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Waits beside something that should end sooner: the watch of an idle timeout.
    ///
    /// A virtual clock may skip every [`sleep`](Self::sleep) and still never let a timer run out.
    fn timer(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }

    /// Fills `bytes` from a secure source.
    fn random(&self, bytes: &mut [u8]);
}

/// The real clock, tokio's timer and the operating system's randomness.
///
/// # Example
///
/// ```
/// use pan123_core::{Runtime, TokioRuntime};
///
/// assert!(TokioRuntime.now().unix() > 1_700_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioRuntime;

impl Runtime for TokioRuntime {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn elapsed(&self) -> Duration {
        static ORIGIN: OnceLock<tokio::time::Instant> = OnceLock::new();
        ORIGIN.get_or_init(tokio::time::Instant::now).elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system provides randomness");
    }
}

/// Returns a random 64-bit number.
pub(crate) fn random_u64(runtime: &dyn Runtime) -> u64 {
    let mut bytes = [0; 8];
    runtime.random(&mut bytes);
    u64::from_le_bytes(bytes)
}
