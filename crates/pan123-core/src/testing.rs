//! A virtual clock and seeded chance, for tests that must not wait (feature `testing`).

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::{BoxFuture, Runtime, Timestamp};

/// A clock that jumps over every sleep and lets no timer run out on its own.
///
/// A sleep ends at once and moves the clock to its end. A timer (an idle timeout) ends only when
/// [`fire_timers`](Self::fire_timers) is called. Random bytes follow from the seed. Clones share everything.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use pan123_core::{Runtime, testing::VirtualRuntime};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let runtime = VirtualRuntime::new(1_700_000_000, 7);
/// runtime.sleep(Duration::from_secs(3600)).await;
/// assert_eq!(runtime.now().unix(), 1_700_003_600);
/// assert_eq!(runtime.sleeps(), [Duration::from_secs(3600)]);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct VirtualRuntime(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    start: i64,
    elapsed: Mutex<Duration>,
    sleeps: Mutex<Vec<Duration>>,
    timers: watch::Sender<u64>,
    random: AtomicU64,
}

impl VirtualRuntime {
    /// Makes a clock that shows `unix` seconds, and chance that follows from `seed`.
    pub fn new(unix: i64, seed: u64) -> Self {
        Self(Arc::new(Shared {
            start: unix,
            elapsed: Mutex::default(),
            sleeps: Mutex::default(),
            timers: watch::Sender::new(0),
            random: AtomicU64::new(seed),
        }))
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        *lock(&self.0.elapsed) += duration;
    }

    /// Lets every timer that runs now run out.
    pub fn fire_timers(&self) {
        self.0.timers.send_modify(|round| *round += 1);
    }

    /// Returns how many timers are waiting.
    pub fn timers(&self) -> usize {
        self.0.timers.receiver_count()
    }

    /// Returns every sleep there was, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        lock(&self.0.sleeps).clone()
    }
}

impl Runtime for VirtualRuntime {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.start).plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        *lock(&self.0.elapsed)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let shared = Arc::clone(&self.0);
        lock(&shared.sleeps).push(duration);
        let end = self.elapsed().saturating_add(duration);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut elapsed = lock(&shared.elapsed);
            *elapsed = end.max(*elapsed);
        })
    }

    fn timer(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut round = self.0.timers.subscribe();
        let runtime = self.clone();
        Box::pin(async move {
            if round.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            runtime.advance(duration);
        })
    }

    fn random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: a step of the counter, then a mix of it.
            let step = 0x9e37_79b9_7f4a_7c15_u64;
            let mut z = self.0.random.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
