//! Saving a file: as many connections as the host puts up with, a sparse file, a checkpoint, a comparison.

use std::{
    fs::File,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use pan123_core::{Error, ErrorKind, Md5, Result};
use tokio::{sync::Notify, task::JoinSet};

use super::{
    Downloaded, Expected,
    fetching::{Crowd, Fetching, Known, Remote, Wanted},
    place::{Left, Place, Saved},
    plan::Plan,
    reader::compare,
    sink::{Section, Sink},
    stage::Stage,
};
use crate::{
    Notice,
    blocking::{blocking, joined},
    progress::{Phase, Reporter},
    read::BUFFER,
};

/// How much may come until a checkpoint is written. Half a piece where that is less.
const BETWEEN_CHECKPOINTS: u64 = 8 << 20;

/// How much time may pass until a checkpoint is written, on a slow line.
const LONGEST_BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(2);

/// How many bytes all connections together gather before they are written. Twice as many may be in memory.
const ROOM: usize = 1 << 20;

/// How many pieces must have come before another connection is tried.
const PIECES_BEFORE_GROWTH: u64 = 2;

/// The download of one file to one place.
pub(super) struct Saving {
    pub(super) remote: Arc<Remote>,
    pub(super) expected: Expected,
    /// What is wanted of the file; `None` for all of it.
    pub(super) wanted: Option<Wanted>,
    /// Whether the MD5 is computed, and compared where it is known.
    pub(super) verify: bool,
    pub(super) connections: usize,
    pub(super) piece: u64,
    pub(super) reporter: Arc<Reporter>,
    pub(super) notice: Mutex<Option<Notice>>,
}

/// A temporary file that is being filled.
struct Filling {
    shared: Arc<Shared>,
    tasks: JoinSet<Result<End>>,
    /// How many connections there should be.
    target: usize,
    /// The host does not want more.
    is_at_most: bool,
    grown_at: u64,
}

/// What the connections of a download share.
struct Shared {
    remote: Arc<Remote>,
    reporter: Arc<Reporter>,
    sink: Arc<Sink>,
    crowd: Arc<Crowd>,
    /// Where in the remote file the sink begins.
    base: u64,
    received: AtomicU64,
    /// When there is something to be decided: by bytes, and by time in milliseconds.
    next_bytes: AtomicU64,
    next_time: AtomicU64,
    step: u64,
    due: Notify,
}

/// How a connection's work ended.
enum End {
    NothingLeft,
    GaveWay,
}

impl Saving {
    /// Downloads, from what an earlier run has left if that can be used.
    pub(super) async fn run(self, mut place: Place, left: Left) -> Result<Downloaded> {
        let saved = match left {
            Left::Nothing => None,
            Left::Checkpoint(saved, file) if self.fits(&saved) => Some((saved, file)),
            Left::Checkpoint(..) => {
                self.tell(Notice::SourceChanged);
                None
            }
            Left::Unusable => {
                self.tell(Notice::CheckpointUnreadable);
                None
            }
        };
        let outcome = match saved {
            Some((saved, file)) if !saved.done.is_empty() => match self.resume(&mut place, saved, file).await {
                Err(error) if is_in_doubt(&error) => {
                    let is_same = error.kind() == ErrorKind::DigestMismatch;
                    self.tell(if is_same { Notice::CheckpointUnreadable } else { Notice::SourceChanged });
                    self.begin(&mut place).await
                }
                outcome => outcome,
            },
            _ => self.begin(&mut place).await,
        };
        match outcome {
            Ok(downloaded) => {
                let notice = *self.notice.lock().unwrap_or_else(PoisonError::into_inner);
                place.fill().await.map(|()| Downloaded { notice, ..downloaded })
            }
            Err(error) if error.kind() != ErrorKind::DigestMismatch && place.is_kept() => Err(error),
            Err(error) => {
                place.discard().await;
                Err(error)
            }
        }
    }

    /// Downloads from the beginning. What is there is left alone until the host has answered well.
    async fn begin(&self, place: &mut Place) -> Result<Downloaded> {
        self.remote.forget(Known { total: self.expected.size, ..Known::default() });
        let mut fetching = Fetching::new(Arc::clone(&self.remote), self.wanted)?;
        fetching.connect().await?;
        if place.is_kept() && fetching.may_be_page(self.expected.size) {
            let text = "what may be a page came in place of the file; what has come before is kept";
            return Err(Error::new(ErrorKind::WrongContent, text));
        }
        let (base, size) = (self.wanted.unwrap_or_default().start, fetching.size());
        let file = place.begin(size).await?;
        let plan = Plan::new(0..size.unwrap_or(u64::MAX - base), &[], self.piece);
        self.fill(place, file, plan, base, Some(fetching)).await
    }

    /// Downloads what is missing.
    async fn resume(&self, place: &mut Place, saved: Saved, file: File) -> Result<Downloaded> {
        self.remote.forget(Known { total: Some(saved.size), etag: saved.etag, is_answered: true });
        let base = saved.window.start;
        let plan = Plan::new(0..saved.window.end - base, &saved.done, self.piece);
        let fetching = match plan.first_free() {
            Some(gap) => {
                let wanted = (base + gap.start..base + gap.end).into();
                let mut fetching = Fetching::new(Arc::clone(&self.remote), Some(wanted))?;
                fetching.connect().await?;
                Some(fetching)
            }
            None => None,
        };
        self.fill(place, file, plan, base, fetching).await
    }

    async fn fill(
        &self,
        place: &mut Place,
        file: File,
        plan: Plan,
        base: u64,
        first: Option<Fetching>,
    ) -> Result<Downloaded> {
        let wanted = self.wanted.unwrap_or_default();
        let size = wanted.end.or(self.remote.known().total).map(|end| end - wanted.start);
        let resumed = plan.done_bytes();
        self.reporter.enter_at(Phase::Receiving, size, resumed, 0, 0);
        let sink = Arc::new(Sink::new(file, plan, self.verify && self.wanted.is_none()));
        let shared = Arc::new(Shared {
            remote: Arc::clone(&self.remote),
            reporter: Arc::clone(&self.reporter),
            sink: Arc::clone(&sink),
            crowd: Arc::default(),
            base,
            received: AtomicU64::new(0),
            next_bytes: AtomicU64::new(0),
            next_time: AtomicU64::new(0),
            step: BETWEEN_CHECKPOINTS.min(self.piece / 2).max(1),
            due: Notify::new(),
        });
        shared.set_next();
        let mut filling = Filling { shared, tasks: JoinSet::new(), target: 1, is_at_most: size.is_none(), grown_at: 0 };
        if let Some(fetching) = first {
            filling.start(Some(fetching));
        }
        let filled = self.watch(place, &mut filling).await;
        let is_worth_it = place.is_kept() || sink.plan().done_bytes() >= filling.shared.step;
        drop(filling);
        if let Err(error) = filled {
            if is_worth_it {
                self.keep(place, Arc::clone(&sink)).await;
            }
            return Err(error);
        }
        self.reporter.leave();
        let received = sink.plan().done_bytes();
        self.reporter.enter_full(Phase::Verifying, received, 0);
        // The bytes are on the disk before the name is: after a power failure a file that has it is whole.
        let md5 = blocking(move || sink.finish().and_then(|md5| sink.sync().map(|()| md5))).await?;
        let md5 = md5.map_err(|cause| Error::io("the downloaded file could not be written to the disk", cause))?;
        compare(self.want_md5(), md5)?;
        Ok(Downloaded { size: received, md5, resumed, notice: None })
    }

    /// Waits for the connections, adds some, and writes checkpoints beside them.
    async fn watch(&self, place: &mut Place, filling: &mut Filling) -> Result<()> {
        let shared = Arc::clone(&filling.shared);
        let (checkpoint, is_over) = (Notify::new(), AtomicBool::new(false));
        let mut keeping = std::pin::pin!(async {
            loop {
                checkpoint.notified().await;
                if is_over.load(Ordering::Acquire) {
                    return;
                }
                self.keep(place, Arc::clone(&shared.sink)).await;
            }
        });
        let ended = loop {
            tokio::select! {
                biased;
                ended = filling.tasks.join_next() => match ended.map(joined) {
                    Some(Ok(Ok(End::NothingLeft))) => {}
                    Some(Ok(Ok(End::GaveWay))) => filling.is_at_most = true,
                    Some(Ok(Err(error)) | Err(error)) => break Err(error),
                    None if shared.sink.plan().is_over() => break Ok(()),
                    // Whoever was left had nothing to do when another one gave way.
                    None => {
                        filling.target = 1;
                        filling.start(None);
                    }
                },
                () = shared.due.notified() => {
                    self.grow(filling);
                    shared.set_next();
                    checkpoint.notify_one();
                }
                () = &mut keeping => unreachable!("it goes on until it is over"),
            }
        };
        // A checkpoint that is being written is not left behind half way: it may be removed next.
        is_over.store(true, Ordering::Release);
        checkpoint.notify_one();
        keeping.await;
        ended
    }

    fn grow(&self, filling: &mut Filling) {
        let received = filling.shared.received.load(Ordering::Relaxed);
        let running = filling.shared.crowd.size();
        let is_due = received - filling.grown_at >= self.piece.saturating_mul(PIECES_BEFORE_GROWTH);
        if is_due && !filling.is_at_most && running == filling.target && running < self.connections {
            filling.grown_at = received;
            filling.target += 1;
            filling.start(None);
        }
    }

    /// Writes a checkpoint, if the file can be told from another one the next time.
    async fn keep(&self, place: &mut Place, sink: Arc<Sink>) {
        let Some(mut saved) = self.saved() else {
            return;
        };
        saved.done = sink.plan().done().to_vec();
        if saved.done.is_empty() || place.has_kept(&saved) {
            return;
        }
        // Nothing will notice a byte that a power failure takes, where no MD5 is compared in the end.
        let synced = match self.want_md5() {
            Some(_) => Ok(()),
            None => blocking(move || sink.sync()).await.map_err(std::io::Error::from).flatten(),
        };
        let kept = match synced {
            Ok(()) => place.keep(saved).await,
            Err(cause) => Err(cause),
        };
        if kept.is_err() {
            self.tell(Notice::CheckpointNotKept);
        }
    }

    /// Returns a checkpoint without bytes; none where nothing would tell another file from this one.
    fn saved(&self) -> Option<Saved> {
        let Known { total, etag, .. } = self.remote.known();
        let size = total.filter(|_| self.expected.md5.is_some() || etag.is_some())?;
        let window = self.wanted.unwrap_or_default().within(size);
        let identity = self.remote.links.origin().identity();
        Some(Saved { identity, size, md5: self.expected.md5, etag, window, done: Vec::new() })
    }

    /// Says whether a checkpoint is of this file, as far as is known before the host answers.
    fn fits(&self, saved: &Saved) -> bool {
        saved.identity == self.remote.links.origin().identity()
            && saved.md5 == self.expected.md5
            && self.expected.size.is_none_or(|size| size == saved.size)
            && saved.window == self.wanted.unwrap_or_default().within(saved.size)
    }

    /// Says what there is to know about the checkpoint; of several the last counts.
    fn tell(&self, notice: Notice) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = Some(notice);
        self.reporter.notice(notice);
    }

    fn want_md5(&self) -> Option<Md5> {
        self.expected.md5.filter(|_| self.verify && self.wanted.is_none())
    }
}

/// Says whether a resumed download failed because what was there does not belong to what comes.
fn is_in_doubt(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::DigestMismatch | ErrorKind::SizeMismatch | ErrorKind::WrongContent)
}

impl Filling {
    /// Starts another connection.
    fn start(&mut self, fetching: Option<Fetching>) {
        self.shared.crowd.join();
        self.tasks.spawn(Arc::clone(&self.shared).work(fetching));
    }
}

impl Shared {
    /// Fetches one section after the other until nothing is left, or others are left to do it.
    async fn work(self: Arc<Self>, mut first: Option<Fetching>) -> Result<End> {
        loop {
            let taken = self.sink.plan().take(self.crowd.size() == 1);
            let Some((id, range)) = taken else {
                self.crowd.leave();
                return Ok(End::NothingLeft);
            };
            let fetching = match first.take() {
                Some(first) => first,
                None => {
                    let wanted = (self.base + range.start..self.base + range.end).into();
                    Fetching::new(Arc::clone(&self.remote), Some(wanted))?
                }
            };
            let mut fetching = fetching.among(&self.crowd);
            let section = Section { sink: Arc::clone(&self.sink), at: range.start };
            let mut stage = Stage::new(Some(section)).with_room((ROOM / self.crowd.size().max(1)).max(BUFFER));
            let received = self.receive(&mut fetching, id, &mut stage).await;
            // What has come is written whatever the error was.
            let written = stage.finish().await;
            self.sink.plan().release(id);
            written?;
            match received {
                Ok(()) => {}
                Err(_) if fetching.gave_way() => return Ok(End::GaveWay),
                Err(error) => return Err(error),
            }
        }
    }

    async fn receive(&self, fetching: &mut Fetching, id: u64, stage: &mut Stage<Section>) -> Result<()> {
        loop {
            stage.ready().await?;
            if self.is_served(fetching, id) {
                return Ok(());
            }
            let Some(mut chunk) = fetching.next().await? else {
                self.sink.plan().close(id);
                return Ok(());
            };
            let taken = self.sink.plan().advance(id, chunk.len() as u64);
            fetching.give_back(chunk.split_off(usize::try_from(taken).expect("it is part of a chunk")));
            self.reporter.add(taken);
            self.count(taken);
            stage.put(chunk);
        }
    }

    /// Says whether a connection has all that it took, and what its answer still holds is for others to fetch.
    fn is_served(&self, fetching: &Fetching, id: u64) -> bool {
        let alone = self.crowd.size() == 1;
        let mut plan = self.sink.plan();
        if !plan.is_at_end(id) || fetching.is_complete() {
            return false;
        }
        let end = fetching.end().map_or(u64::MAX, |end| end - self.base);
        !plan.extend(id, end, alone)
    }

    fn count(&self, bytes: u64) {
        let received = self.received.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if received >= self.next_bytes.load(Ordering::Relaxed) || self.now() >= self.next_time.load(Ordering::Relaxed) {
            self.due.notify_one();
        }
    }

    /// Sets when to look again.
    fn set_next(&self) {
        let time = self.now().saturating_add(LONGEST_BETWEEN_CHECKPOINTS.as_millis() as u64);
        self.next_time.store(time, Ordering::Relaxed);
        self.next_bytes.store(self.received.load(Ordering::Relaxed) + self.step, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.remote.runtime.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
