//! How many parts are sent at a time: more while that makes it faster, fewer when the service has too much.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use pan123_core::{Error, ErrorKind, Runtime};

/// How many parts are sent at a time in the beginning.
const START: usize = 2;

/// By how much a round must be faster than the best before for the next to be larger.
const GAIN: f64 = 1.1;

/// How many rounds pass before a larger number is tried again that did not help, or was too much.
const ROUNDS_OF_REST: u32 = 4;

/// The number of parts in flight, and what it follows from.
///
/// A round is as many parts as are in flight. After each, its speed decides: twice as many parts while each round is
/// faster than all before, one step back as soon as one is not, and one more after a while, in case the line has changed.
#[derive(Debug)]
pub(super) struct Pace {
    runtime: Arc<dyn Runtime>,
    most: usize,
    /// Every byte that was sent.
    bytes: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    level: usize,
    /// To which level a round that was no faster goes back.
    before: usize,
    in_flight: usize,
    waiting: Vec<Waker>,
    /// How many parts of this round are not done, and when and with how many bytes it began.
    left: usize,
    began: Duration,
    had: u64,
    /// The speed of the best round, in bytes a second.
    best: f64,
    /// Whether the level grows by doubling: until the first round that was no faster.
    doubles: bool,
    /// How many rounds are left before a larger level is tried.
    rest: u32,
    /// Counts the times that it was too much.
    shrunk: u64,
}

impl Pace {
    pub(super) fn new(most: usize, runtime: Arc<dyn Runtime>) -> Self {
        let level = START.min(most);
        let state = State {
            level,
            before: level,
            in_flight: 0,
            waiting: Vec::new(),
            left: level,
            began: runtime.elapsed(),
            had: 0,
            best: 0.0,
            doubles: true,
            rest: 0,
            shrunk: 0,
        };
        Self { runtime, most, bytes: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// Returns how many parts can be in flight at the most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Waits until one more part may be in flight.
    pub(super) async fn slot(&self) -> Slot<'_> {
        std::future::poll_fn(|cx| {
            let mut state = self.state();
            if state.in_flight >= state.level {
                // Parts of one upload wait in one task, which is polled for many other reasons.
                if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    state.waiting.push(cx.waker().clone());
                }
                return Poll::Pending;
            }
            state.in_flight += 1;
            Poll::Ready(Slot { pace: self, shrunk: state.shrunk })
        })
        .await
    }

    /// Counts bytes that go out.
    pub(super) fn count(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self) {
        let (now, bytes) = (self.runtime.elapsed(), self.bytes.load(Ordering::Relaxed));
        let mut state = self.state();
        state.left = state.left.saturating_sub(1);
        if state.left > 0 {
            return;
        }
        let speed = (bytes - state.had) as f64 / now.saturating_sub(state.began).as_secs_f64();
        if state.rest > 0 {
            state.rest -= 1;
            if state.rest == 0 {
                // Measured anew: what was best a while ago may have been another line.
                state.best = speed;
                state.grow(self.most);
            }
        } else if speed.is_infinite() || speed >= state.best * GAIN {
            state.best = speed;
            state.grow(self.most);
        } else {
            state.level = state.before;
            state.doubles = false;
            state.rest = ROUNDS_OF_REST;
        }
        state.begin_round(now, bytes);
    }

    fn too_much(&self, shrunk: u64) {
        let (now, bytes) = (self.runtime.elapsed(), self.bytes.load(Ordering::Relaxed));
        let mut state = self.state();
        // Parts that were in flight together are refused together; that is one sign and not several.
        if state.shrunk != shrunk {
            return;
        }
        state.shrunk += 1;
        state.level = (state.level / 2).max(1);
        state.before = state.level;
        state.doubles = false;
        state.rest = ROUNDS_OF_REST;
        state.begin_round(now, bytes);
    }
}

impl State {
    fn grow(&mut self, most: usize) {
        self.before = self.level;
        self.level = if self.doubles { self.level * 2 } else { self.level + 1 }.min(most);
    }

    fn begin_round(&mut self, now: Duration, bytes: u64) {
        (self.left, self.began, self.had) = (self.level, now, bytes);
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

/// The right to have one part in flight.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pace: &'a Pace,
    /// How often it had been too much when the part left.
    shrunk: u64,
}

impl Slot<'_> {
    /// Says that the part has arrived.
    pub(super) fn done(self) {
        self.pace.done();
    }

    /// Says that the part failed; what tells of too many requests makes them fewer.
    pub(super) fn failed(&self, error: &Error) {
        let is_too_much = matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Busy | ErrorKind::Timeout)
            || matches!(error.http_status(), Some(429 | 503));
        if is_too_much {
            self.pace.too_much(self.shrunk);
        }
    }

    /// Waits, where there are too many by now, before the part goes again.
    pub(super) async fn again(mut self) -> Self {
        let pace = self.pace;
        let (is_too_many, shrunk) = {
            let state = pace.state();
            (state.in_flight > state.level, state.shrunk)
        };
        if is_too_many {
            drop(self);
            return pace.slot().await;
        }
        self.shrunk = shrunk;
        self
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.in_flight -= 1;
        state.waiting.drain(..).for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::testing::VirtualRuntime;

    use super::*;

    const PART: u64 = 1_000_000;

    /// Sends `rounds` rounds over a line that carries one part a second for each of up to `connections`, and returns the levels.
    async fn levels(pace: &Pace, clock: &VirtualRuntime, connections: usize, rounds: usize) -> Vec<usize> {
        let mut levels = Vec::new();
        for _ in 0..rounds {
            let level = pace.state().level;
            levels.push(level);
            let mut slots = Vec::new();
            for _ in 0..level {
                slots.push(pace.slot().await);
            }
            assert!(std::pin::pin!(pace.slot()).as_mut().now_or_never().is_none(), "one more than {level}");
            clock.advance(Duration::from_secs_f64(level as f64 / level.min(connections) as f64));
            pace.count(PART * level as u64);
            slots.into_iter().for_each(Slot::done);
        }
        levels
    }

    /// Polls once.
    trait NowOrNever: Future + Sized {
        fn now_or_never(self) -> Option<Self::Output> {
            match std::pin::pin!(self).poll(&mut std::task::Context::from_waker(Waker::noop())) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            }
        }
    }
    impl<F: Future> NowOrNever for F {}

    fn pace(most: usize) -> (Pace, VirtualRuntime) {
        let clock = VirtualRuntime::new(0, 1);
        (Pace::new(most, Arc::new(clock.clone())), clock)
    }

    #[tokio::test]
    async fn it_grows_while_the_line_gives_more_and_stays_where_it_does_not() {
        let (pace, clock) = pace(32);
        let levels = levels(&pace, &clock, 8, 20).await;
        assert_eq!(levels[..5], [2, 4, 8, 16, 8], "doubled until it did not help");
        assert!(levels[5..].iter().all(|level| (8..=9).contains(level)), "{levels:?}");
        assert!(levels[5..].contains(&9), "more is tried again: {levels:?}");
    }

    #[tokio::test]
    async fn it_never_exceeds_its_bound() {
        for (most, want) in [(1, [1, 1, 1, 1]), (2, [2, 2, 2, 2]), (3, [2, 3, 3, 3]), (5, [2, 4, 5, 5])] {
            let (pace, clock) = pace(most);
            assert_eq!(levels(&pace, &clock, 100, 4).await, want, "at most {most}");
            assert!(levels(&pace, &clock, 100, 40).await.iter().all(|level| *level <= most));
        }
    }

    #[tokio::test]
    async fn it_shrinks_once_for_parts_that_were_refused_together_and_recovers() {
        let too_much = [
            Error::new(ErrorKind::RateLimited, "x"),
            Error::new(ErrorKind::Busy, "x"),
            Error::new(ErrorKind::Timeout, "x"),
            Error::new(ErrorKind::Server, "x").with_http_status(503),
        ];
        for error in too_much {
            let (pace, clock) = pace(32);
            levels(&pace, &clock, 100, 3).await;
            let mut slots = Vec::new();
            for _ in 0..16 {
                slots.push(pace.slot().await);
            }
            for slot in slots {
                slot.failed(&error);
            }
            assert_eq!(levels(&pace, &clock, 100, 5).await, [8, 8, 8, 8, 9], "{error}");
            for _ in 0..5 {
                pace.slot().await.failed(&error);
            }
            assert_eq!(pace.state().level, 1, "each later refusal counts");
        }
    }

    #[tokio::test]
    async fn who_waits_is_noted_once_and_woken() {
        let (pace, _) = pace(1);
        let held = pace.slot().await;
        let mut waiting = [std::pin::pin!(pace.slot()), std::pin::pin!(pace.slot())];
        let mut cx = std::task::Context::from_waker(Waker::noop());
        for _ in 0..100 {
            assert!(waiting.iter_mut().all(|slot| slot.as_mut().poll(&mut cx).is_pending()));
        }
        assert_eq!(pace.state().waiting.len(), 1);
        drop(held);
        assert_eq!(pace.state().waiting.len(), 0);
        assert!(waiting[1].as_mut().poll(&mut cx).is_ready());
    }

    #[tokio::test]
    async fn other_failures_change_nothing() {
        let (pace, _) = pace(32);
        for kind in [ErrorKind::Connection, ErrorKind::Api, ErrorKind::Server, ErrorKind::DigestMismatch] {
            pace.slot().await.failed(&Error::new(kind, "x"));
            let state = pace.state();
            assert_eq!((state.level, state.in_flight), (2, 0));
        }
    }
}
