//! How far a folder is, as a value: counted by files and by bytes, and told as often as is useful.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use pan123_core::Runtime;

use crate::progress::{Callback, Phase, Progress, Reporter};

/// How far the transfer of a folder is.
///
/// How much there is in all is not known before the last folder has been listed, which [`total`](Self::total) waits for; until then
/// what was found grows. Nothing goes back: bytes that have to be sent or fetched again count once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderProgress {
    /// How many files are done with: transferred, the same, or failed.
    pub files: u64,
    /// How many bytes are: all those of such files, and of those on their way what was sent or has come.
    pub bytes: u64,
    /// How many files have been found so far. What is left out is none.
    pub found_files: u64,
    /// How many bytes they have.
    pub found_bytes: u64,
    /// How many folders have been found that are not listed yet.
    pub unlisted: u64,
    /// How many bytes of local files have been read for digests, to compare them and before they are sent.
    pub hashed: u64,
}

impl FolderProgress {
    /// Returns how many bytes there are in all, once every folder has been listed.
    pub fn total(&self) -> Option<u64> {
        (self.unlisted == 0).then_some(self.found_bytes)
    }
}

/// Counts for a whole folder.
#[derive(Clone, Debug)]
pub(super) struct Counter(Arc<Reporter<FolderProgress>>);

impl Counter {
    /// Begins to count; the folder itself is not listed yet.
    pub(super) fn new(runtime: Arc<dyn Runtime>, callback: Option<Callback<FolderProgress>>) -> Self {
        Self(Reporter::starting(runtime, callback, FolderProgress { unlisted: 1, ..FolderProgress::default() }))
    }

    /// Counts what is in a folder that was listed: the size of each file, and `None` for each folder.
    pub(super) fn listed(&self, entries: impl Iterator<Item = Option<u64>>) {
        self.0.change(false, |now| {
            now.unlisted -= 1;
            for entry in entries {
                match entry {
                    Some(size) => {
                        now.found_files += 1;
                        now.found_bytes = now.found_bytes.saturating_add(size);
                    }
                    None => now.unlisted += 1,
                }
            }
        });
    }

    /// Begins with a file.
    pub(super) fn file(&self, size: u64) -> Meter {
        Meter(Arc::new(File { all: self.clone(), size, moved: AtomicU64::new(0), hashed: AtomicU64::new(0) }))
    }

    /// Tells the last value.
    pub(super) fn finish(&self) {
        self.0.leave();
    }
}

/// Counts for one file of it. Clones count for the same one.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<File>);

#[derive(Debug)]
struct File {
    all: Counter,
    size: u64,
    /// How many of its bytes were counted as sent or come.
    moved: AtomicU64,
    /// How many the engine has hashed in its phase.
    hashed: AtomicU64,
}

impl Meter {
    /// Returns what the engine is to tell of this file, if somebody hears of it.
    pub(super) fn callback(&self) -> Option<impl Fn(Progress) + Send + Sync + 'static> {
        let meter = self.clone();
        self.0.all.0.is_heard().then_some(move |progress: Progress| match progress.phase {
            Phase::Hashing | Phase::HashingParts => {
                let before = meter.0.hashed.swap(progress.bytes, Ordering::Relaxed);
                meter.hashed(progress.bytes.saturating_sub(before));
            }
            _ => meter.moved(progress.bytes, false),
        })
    }

    /// Counts bytes that were read for a digest.
    pub(super) fn hashed(&self, bytes: u64) {
        self.0.all.0.change(false, |now| now.hashed += bytes);
    }

    /// Counts the file as done with, whatever became of it.
    pub(super) fn done(&self) {
        self.moved(self.0.size, true);
    }

    fn moved(&self, bytes: u64, is_done: bool) {
        let bytes = bytes.min(self.0.size);
        let before = self.0.moved.fetch_max(bytes, Ordering::Relaxed);
        self.0.all.0.change(false, |now| {
            now.bytes = now.bytes.saturating_add(bytes.saturating_sub(before));
            now.files += u64::from(is_done);
        });
    }
}
