//! A limit of speed that transfers share: bytes wait until those before them are paid for.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use pan123_core::{Body, BodySource, BoxFuture, Chunks, Runtime};

use crate::read::BUFFER;

/// How much time may be made up for when bytes left later than they could have.
///
/// Timers are no more exact than a millisecond; without this the speed would stay below the limit, and the faster it
/// is the more so.
const CATCH_UP: Duration = Duration::from_millis(50);

/// A slow body is cut into pieces of an eighth of a second, so that it never looks like silence.
const PIECES_PER_SECOND: u64 = 8;

/// A limit of speed in bytes per second. Clones share it: give one to every transfer that is to share the line.
///
/// It counts the bytes of files, up and down together, not those of requests around them. Whoever comes first goes first,
/// so transfers at the same time get equal shares. Give each direction a limit of its own where that is meant.
///
/// # Example
///
/// ```
/// use pan123_transfer::Bandwidth;
///
/// let limit = Bandwidth::per_second(2 << 20);                 // 2 MiB/s for all who have a clone
/// assert_eq!(limit.clone().bytes_per_second(), 2 << 20);
/// ```
#[derive(Clone)]
pub struct Bandwidth(Arc<Shared>);

struct Shared {
    rate: u64,
    /// When everything that was let through is paid for, by [`Runtime::elapsed`].
    paid: Mutex<Duration>,
}

impl Bandwidth {
    /// Makes a limit of `bytes` per second; 0 counts as 1.
    pub fn per_second(bytes: u64) -> Self {
        Self(Arc::new(Shared { rate: bytes.max(1), paid: Mutex::default() }))
    }

    /// Returns the limit.
    pub fn bytes_per_second(&self) -> u64 {
        self.0.rate
    }

    /// Makes a body whose chunks come no faster than is allowed. It is also cut smaller where that is slow.
    pub(crate) fn throttle(&self, body: Body, runtime: &Arc<dyn Runtime>) -> Body {
        let length = body.length();
        let (bandwidth, runtime) = (self.clone(), Arc::clone(runtime));
        Body::from_chunks(length, Throttled { body, bandwidth, runtime, rest: Bytes::new(), due: None })
    }

    /// Makes a source whose bodies come no faster than is allowed.
    pub(crate) fn throttle_source(
        &self,
        source: Arc<dyn BodySource>,
        runtime: &Arc<dyn Runtime>,
    ) -> Arc<dyn BodySource> {
        Arc::new(ThrottledSource { source, bandwidth: self.clone(), runtime: Arc::clone(runtime) })
    }

    /// Takes a place in the row for `bytes` and returns how long it is until then.
    fn reserve(&self, bytes: usize, runtime: &dyn Runtime) -> Duration {
        let price = (bytes as u128 * 1_000_000_000).div_ceil(u128::from(self.0.rate));
        let price = Duration::from_nanos(u64::try_from(price).unwrap_or(u64::MAX));
        let now = runtime.elapsed();
        let mut paid = self.0.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let place = now.saturating_sub(CATCH_UP).max(*paid);
        *paid = place.saturating_add(price);
        place.saturating_sub(now)
    }

    /// How many bytes go at a time.
    fn piece(&self) -> usize {
        usize::try_from(self.0.rate / PIECES_PER_SECOND).unwrap_or(BUFFER).clamp(1, BUFFER)
    }
}

impl fmt::Debug for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bandwidth").field("bytes_per_second", &self.0.rate).finish()
    }
}

#[derive(Debug)]
struct ThrottledSource {
    source: Arc<dyn BodySource>,
    bandwidth: Bandwidth,
    runtime: Arc<dyn Runtime>,
}

impl BodySource for ThrottledSource {
    fn length(&self) -> u64 {
        self.source.length()
    }

    fn open(&self) -> Body {
        self.bandwidth.throttle(self.source.open(), &self.runtime)
    }
}

struct Throttled {
    body: Body,
    bandwidth: Bandwidth,
    runtime: Arc<dyn Runtime>,
    /// What has come and was not let through yet.
    rest: Bytes,
    /// How many bytes of it have a place in the row, and the wait until then.
    due: Option<(usize, BoxFuture<'static, ()>)>,
}

impl Chunks for Throttled {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if let Some((size, wait)) = &mut self.due {
                ready!(wait.as_mut().poll(cx));
                let size = *size;
                self.due = None;
                return Poll::Ready(Some(Ok(self.rest.split_to(size))));
            }
            while self.rest.is_empty() {
                match ready!(self.body.poll_chunk(cx)) {
                    Some(Ok(chunk)) => self.rest = chunk,
                    end => return Poll::Ready(end),
                }
            }
            let size = self.rest.len().min(self.bandwidth.piece());
            let wait = self.bandwidth.reserve(size, &*self.runtime);
            if wait.is_zero() {
                return Poll::Ready(Some(Ok(self.rest.split_to(size))));
            }
            self.due = Some((size, self.runtime.sleep(wait)));
        }
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::testing::VirtualRuntime;

    use super::*;
    use crate::read::Memory;

    async fn read(mut body: Body) -> (usize, usize) {
        let (mut bytes, mut largest) = (0, 0);
        while let Some(chunk) = body.chunk().await {
            let size = chunk.unwrap().len();
            bytes += size;
            largest = largest.max(size);
        }
        (bytes, largest)
    }

    #[tokio::test]
    async fn bytes_come_at_the_rate_and_in_pieces_of_an_eighth_of_a_second() {
        for (rate, size, largest) in [(1_000_000, 10_000_000, 125_000), (100, 1000, 12), (1, 10, 1), (0, 3, 1)] {
            let clock = VirtualRuntime::new(0, 1);
            let runtime = Arc::new(clock.clone()) as Arc<dyn Runtime>;
            let bandwidth = Bandwidth::per_second(rate);
            let body = bandwidth.throttle(Memory(Bytes::from(vec![0; size])).open(), &runtime);
            assert_eq!(body.length(), Some(size as u64));
            assert_eq!(read(body).await, (size, largest), "{rate} a second");
            // The last piece is not waited for.
            let (least, most) = ((size - largest) as f64, size as f64);
            let got = clock.elapsed().as_secs_f64() * rate.max(1) as f64;
            assert!(got >= least * 0.999 && got <= most * 1.001, "{rate} a second: {got}");
        }
    }

    #[tokio::test]
    async fn clones_share_the_rate_equally() {
        let clock = VirtualRuntime::new(0, 1);
        let runtime = Arc::new(clock.clone()) as Arc<dyn Runtime>;
        let bandwidth = Bandwidth::per_second(1000);
        let body = || bandwidth.clone().throttle(Memory(Bytes::from(vec![0; 5000])).open(), &runtime);
        let (one, two) = tokio::join!(read(body()), read(body()));
        assert_eq!((one.0, two.0), (5000, 5000));
        let seconds = clock.elapsed().as_secs_f64();
        assert!((9.8..=10.0).contains(&seconds), "{seconds}");
    }

    #[tokio::test]
    async fn a_pause_is_not_made_up_for_beyond_a_moment() {
        let clock = VirtualRuntime::new(0, 1);
        let bandwidth = Bandwidth::per_second(1000);
        assert_eq!(bandwidth.reserve(1000, &clock), Duration::ZERO);
        clock.advance(Duration::from_secs(100));
        assert_eq!(bandwidth.reserve(1000, &clock), Duration::ZERO);
        assert_eq!(bandwidth.reserve(1, &clock), Duration::from_millis(950));
    }

    #[tokio::test]
    async fn without_a_need_to_wait_there_is_none() {
        let clock = VirtualRuntime::new(0, 1);
        let runtime = Arc::new(clock.clone()) as Arc<dyn Runtime>;
        let body = Bandwidth::per_second(u64::MAX).throttle(Body::from(vec![0; 3 * BUFFER]), &runtime);
        assert_eq!(read(body).await, (3 * BUFFER, BUFFER));
        assert!(clock.elapsed() < Duration::from_micros(1));
    }
}
