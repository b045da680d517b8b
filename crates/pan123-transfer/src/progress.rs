//! Progress as values: what is being done, how much of it, and how often the caller hears of it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pan123_core::Runtime;

use crate::checkpoint::Notice;

/// The shortest time between two calls of a progress callback within one phase: 20 a second at most.
///
/// The first and the last of each phase are told at any time.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// How far a transfer is.
///
/// Within one phase `bytes` never goes back, also when bytes have to be sent or fetched again, and never
/// exceeds `total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// How many bytes of this phase are done.
    pub bytes: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
    /// How many parts are done; 0 where there are none.
    pub parts: u32,
    /// How many parts there are; 0 where there are none.
    pub total_parts: u32,
    /// How many of the bytes of this phase were done by an earlier run, whose checkpoint this one goes on from.
    pub resumed: u64,
    /// What there is to know about the checkpoint, from the moment that it is known to the end.
    pub notice: Option<Notice>,
}

/// What a transfer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The source is read for its digests.
    Hashing,
    /// The source is read once more, for the digests of the parts.
    ///
    /// It happens when the service wants parts of an unusual size, or when the file's digest came from the caller.
    HashingParts,
    /// Bytes go to the service.
    Sending,
    /// The service puts the parts together and verifies them.
    Completing,
    /// Bytes come from the service.
    Receiving,
    /// Everything has come; the last bytes are written, compared, and made to last.
    Verifying,
}

/// What a caller gives to hear of progress.
pub(crate) type Callback<P = Progress> = Box<dyn Fn(P) + Send + Sync>;

/// Counts, and tells the caller as often as is useful.
pub(crate) struct Reporter<P = Progress> {
    runtime: Arc<dyn Runtime>,
    callback: Option<Callback<P>>,
    state: Mutex<State<P>>,
}

struct State<P> {
    now: P,
    told: Option<P>,
    told_at: Duration,
}

impl Reporter {
    pub(crate) fn new(runtime: Arc<dyn Runtime>, callback: Option<Callback>) -> Arc<Self> {
        let now = Progress {
            phase: Phase::Hashing,
            bytes: 0,
            total: None,
            parts: 0,
            total_parts: 0,
            resumed: 0,
            notice: None,
        };
        Self::starting(runtime, callback, now)
    }

    /// Begins a phase.
    pub(crate) fn enter(&self, phase: Phase, total: Option<u64>, total_parts: u32) {
        self.enter_at(phase, total, 0, 0, total_parts);
    }

    /// Begins a phase that has all its bytes from the start.
    pub(crate) fn enter_full(&self, phase: Phase, total: u64, total_parts: u32) {
        self.change(true, |now| {
            let (bytes, parts, notice) = (total, total_parts, now.notice);
            *now = Progress { phase, bytes, total: Some(total), parts, total_parts, resumed: 0, notice };
        });
    }

    /// Begins a phase of which an earlier run has done `resumed` bytes in `parts` parts.
    pub(crate) fn enter_at(&self, phase: Phase, total: Option<u64>, resumed: u64, parts: u32, total_parts: u32) {
        self.change(true, |now| {
            *now = Progress { phase, bytes: resumed, total, parts, total_parts, resumed, notice: now.notice };
        });
    }

    /// Says what there is to know about the checkpoint; of several the last counts.
    pub(crate) fn notice(&self, notice: Notice) {
        self.change(true, |now| now.notice = Some(notice));
    }

    /// Counts bytes.
    pub(crate) fn add(&self, bytes: u64) {
        self.change(false, |now| {
            now.bytes = now.bytes.saturating_add(bytes).min(now.total.unwrap_or(u64::MAX));
        });
    }

    /// Counts a part.
    pub(crate) fn part_done(&self) {
        self.change(false, |now| now.parts = now.parts.saturating_add(1).min(now.total_parts));
    }
}

impl<P: Copy + PartialEq> Reporter<P> {
    /// Begins with `now`, which is not told yet.
    pub(crate) fn starting(runtime: Arc<dyn Runtime>, callback: Option<Callback<P>>, now: P) -> Arc<Self> {
        let state = Mutex::new(State { now, told: None, told_at: Duration::ZERO });
        Arc::new(Self { runtime, callback, state })
    }

    /// Says whether somebody hears of it.
    pub(crate) fn is_heard(&self) -> bool {
        self.callback.is_some()
    }

    /// Ends a phase that went well, so that its last value is told.
    pub(crate) fn leave(&self) {
        self.change(true, |_| {});
    }

    /// Changes the value, and tells it where that is due, or `always`.
    pub(crate) fn change(&self, always: bool, change: impl FnOnce(&mut P)) {
        let Some(callback) = &self.callback else {
            return;
        };
        // The lock is held during the call, or two threads could tell their values in the wrong order.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state.now);
        let elapsed = self.runtime.elapsed();
        let due = always || elapsed.saturating_sub(state.told_at) >= PROGRESS_INTERVAL;
        if due && state.told != Some(state.now) {
            state.told = Some(state.now);
            state.told_at = elapsed;
            callback(state.now);
        }
    }
}

impl<P> fmt::Debug for Reporter<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("callback", &self.callback.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pan123_core::testing::VirtualRuntime;

    #[test]
    fn the_first_and_the_last_are_told_and_twenty_a_second_between() {
        let runtime = VirtualRuntime::new(0, 1);
        let told = Arc::new(Mutex::new(Vec::new()));
        let callback = {
            let told = Arc::clone(&told);
            Box::new(move |progress: Progress| told.lock().unwrap().push(progress.bytes))
        };
        let reporter = Reporter::new(Arc::new(runtime.clone()), Some(callback));
        reporter.enter(Phase::Sending, Some(995), 0);
        for _ in 0..100 {
            runtime.advance(Duration::from_millis(10));
            reporter.add(10);
        }
        reporter.leave();
        reporter.leave();
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 21);
        assert_eq!((told[0], told[1], told[20]), (0, 50, 995));
    }
}
