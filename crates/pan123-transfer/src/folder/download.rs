//! Downloading a folder: a walk, a few files side by side, and nothing that leads out of the target.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    vec,
};

use pan123_core::{Error, ErrorKind, FileId, Result, RetryPolicy, Runtime};

use super::{
    Callback, Content, Counter, DEFAULT_FILES, FolderItem, FolderOutcome, FolderProgress, FolderReport, Items,
    MOST_FILES, Meter, Run, Tree, TreeEntry, join,
    local::{self, There},
    names::{LOCAL, distinct},
    taken,
};
use crate::{Bandwidth, Checkpoints, Download, Expected, MOST_DOWNLOAD_CONNECTIONS, progress};

/// The download of a folder with all that is in it.
///
/// Nothing happens before [`to_path`](Self::to_path) or [`plan`](Self::plan). Dropping their future stops everything; files that
/// were on their way go on from their checkpoints the next time.
///
/// # Names
///
/// A name of the drive becomes one part of a local path, whatever it holds: `/`, control characters and, on Windows, all that
/// it does not take are written as look-alikes behind a `‛` (U+201B), and [`FolderUpload`](super::FolderUpload) reads them
/// back; so are names such as only checkpoints and temporary files of this engine have. Of names that would be the same, in any
/// case of letters, all but the oldest get a number; names that are too long are cut.
#[must_use = "nothing is downloaded before to_path"]
pub struct FolderDownload {
    tree: Arc<dyn Tree>,
    folder: FileId,
    runtime: Arc<dyn Runtime>,
    concurrency: usize,
    keep: bool,
    settings: Settings,
    each: Option<Callback>,
    progress: Option<progress::Callback<FolderProgress>>,
}

/// What every file's download is given.
#[derive(Clone, Debug)]
struct Settings {
    retry: RetryPolicy,
    checkpoints: Checkpoints,
    bandwidth: Option<Bandwidth>,
    connections: usize,
    verify: bool,
}

/// A folder that is being walked through.
struct Level {
    remote: String,
    local: PathBuf,
    entries: vec::IntoIter<(TreeEntry, String)>,
}

impl Level {
    /// Returns what is to be counted: the size of each file, and `None` for each folder.
    fn found(&self) -> impl Iterator<Item = Option<u64>> {
        self.entries.as_slice().iter().map(|(entry, _)| (!entry.is_folder()).then_some(entry.size))
    }
}

impl FolderDownload {
    /// Makes the download of `folder` of `tree`.
    pub fn new(tree: impl Tree, folder: FileId, runtime: Arc<dyn Runtime>) -> Self {
        let settings = Settings {
            retry: RetryPolicy::default(),
            checkpoints: Checkpoints::beside_file(),
            bandwidth: None,
            // There are several files at a time already.
            connections: 1,
            verify: true,
        };
        let (tree, concurrency) = (Arc::new(tree), DEFAULT_FILES);
        Self { tree, folder, runtime, concurrency, keep: false, settings, each: None, progress: None }
    }

    /// Sets how many files are downloaded side by side, 1 to [`MOST_FILES`]; [`DEFAULT_FILES`] unless told otherwise.
    pub fn concurrency(mut self, files: usize) -> Self {
        self.concurrency = files.clamp(1, MOST_FILES);
        self
    }

    /// Leaves local files as they are that differ from those of the drive; they count as failed. Otherwise they are replaced.
    pub fn keep_existing(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Sets how each file's download is repeated; see [`Download::retry`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Says where checkpoints are kept; see [`Download::checkpoints`].
    pub fn checkpoints(mut self, place: impl Into<Checkpoints>) -> Self {
        self.settings.checkpoints = place.into();
        self
    }

    /// Keeps all files together to a limit of speed.
    pub fn bandwidth(mut self, limit: Bandwidth) -> Self {
        self.settings.bandwidth = Some(limit);
        self
    }

    /// Sets how many connections each file may have, 1 to [`MOST_DOWNLOAD_CONNECTIONS`]; one unless told otherwise, as there are
    /// several files at a time already.
    pub fn connections(mut self, most: usize) -> Self {
        self.settings.connections = most.clamp(1, MOST_DOWNLOAD_CONNECTIONS);
        self
    }

    /// Computes no MD5 of what comes and compares none; see [`Download::without_verification`]. Files that are there are
    /// still compared by theirs.
    pub fn without_verification(mut self) -> Self {
        self.settings.verify = false;
        self
    }

    /// Calls `callback` for each item that is done, was there, or failed, in the order in which that becomes known.
    pub fn on_each(mut self, callback: impl FnMut(&FolderItem) + Send + 'static) -> Self {
        self.each = Some(Box::new(callback));
        self
    }

    /// Calls `callback` as the download goes on, at most every [`PROGRESS_INTERVAL`](crate::PROGRESS_INTERVAL) and at its end. It
    /// may be called from any thread and should return at once.
    pub fn on_progress(mut self, callback: impl Fn(FolderProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Downloads into the folder `target`, which is made if it is missing, all that is in the folder of the drive.
    ///
    /// A file that is there with the same size and MD5 is left as it is. What the service tells no MD5 of is downloaded again.
    /// A file or folder that fails is reported, and the rest goes on; after an error that the next file is bound to meet as
    /// well, nothing new is begun. Symbolic links in `target` are not followed. Empty folders are made.
    ///
    /// # Errors
    ///
    /// When the folder itself cannot be listed, or `target` cannot be made. What concerns single items is in
    /// [`FolderReport::failed`].
    pub async fn to_path(self, target: impl AsRef<Path>) -> Result<FolderReport> {
        let target = target.as_ref().to_owned();
        local::make_top(target.clone()).await?;
        Box::pin(self.run(target, false)).await
    }

    /// Returns what [`to_path`](Self::to_path) would do with each item, without changing anything.
    ///
    /// Folders are listed, and local files read where their size is the same.
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path).
    pub async fn plan(mut self, target: impl AsRef<Path>) -> Result<Vec<FolderItem>> {
        let items = Items::default();
        self.each = Some(items.collector(self.each.take()));
        Box::pin(self.run(target.as_ref().to_owned(), true)).await?;
        Ok(items.take())
    }

    async fn run(self, target: PathBuf, is_dry: bool) -> Result<FolderReport> {
        let counter = Counter::new(Arc::clone(&self.runtime), self.progress);
        let mut run = Run::new(self.tree, self.concurrency, self.each, counter);
        let entries = named(run.tree.list(self.folder).await?);
        let top = Level { remote: String::new(), local: target, entries };
        run.counter.listed(top.found());
        let mut open = vec![top];
        // A listing may hold a folder within itself.
        let mut entered = HashSet::from([self.folder]);
        while let Some(level) = open.last_mut().filter(|_| !run.is_stopped()) {
            let Some((entry, name)) = level.entries.next() else {
                open.pop();
                continue;
            };
            let (remote, local) = (join(&level.remote, &entry.name), level.local.join(name));
            if !entry.is_folder() {
                let meter = run.counter.file(entry.size);
                let item =
                    FolderItem { remote, local: local.clone(), size: entry.size, outcome: FolderOutcome::Transferred };
                let file = File {
                    local,
                    entry,
                    is_dry,
                    keep: self.keep,
                    runtime: Arc::clone(&self.runtime),
                    settings: self.settings.clone(),
                    meter: meter.clone(),
                };
                run.begin(item, meter, file.fetch()).await?;
                continue;
            }
            let listed = if entered.insert(entry.id) {
                run.tree.list(entry.id).await
            } else {
                Err(Error::new(ErrorKind::Decode, "the service lists the folder more than once"))
            };
            let made = match &listed {
                Ok(_) => local::make_folder(local.clone(), is_dry).await,
                Err(error) => Err(error.clone()),
            };
            let outcome = match made {
                Ok(true) => FolderOutcome::FolderMade,
                Ok(false) => FolderOutcome::FolderThere,
                Err(error) => FolderOutcome::Failed(error),
            };
            match (listed, &outcome) {
                (Ok(entries), FolderOutcome::FolderMade | FolderOutcome::FolderThere) => {
                    let below = Level { remote: remote.clone(), local: local.clone(), entries: named(entries) };
                    run.counter.listed(below.found());
                    open.push(below);
                }
                _ => run.counter.listed(std::iter::empty()),
            }
            run.note(FolderItem { remote, local, size: 0, outcome });
        }
        run.finish().await
    }
}

/// Gives every entry of a folder a local name of its own. The oldest come first, so that they keep theirs.
fn named(mut entries: Vec<TreeEntry>) -> vec::IntoIter<(TreeEntry, String)> {
    entries.sort_by_key(|entry| entry.id);
    let names = distinct(entries.iter().map(|entry| LOCAL.translate(&entry.name)).collect(), true);
    entries.into_iter().zip(names).collect::<Vec<_>>().into_iter()
}

/// One file on its way.
struct File {
    local: PathBuf,
    entry: TreeEntry,
    is_dry: bool,
    keep: bool,
    runtime: Arc<dyn Runtime>,
    settings: Settings,
    meter: Meter,
}

impl File {
    async fn fetch(self) -> Result<FolderOutcome> {
        let TreeEntry { size, md5, content, .. } = self.entry;
        match local::compare(self.local.clone(), size, md5, self.meter.clone()).await? {
            There::Same => return Ok(FolderOutcome::Same),
            There::Other if self.keep => return Err(taken("another file has its name here")),
            There::Other | There::Nothing => {}
        }
        let origin = match content {
            Content::File(origin) => origin,
            Content::Withheld(error) => return Err(error),
            Content::Folder => return Err(Error::invalid("a folder is no file")),
        };
        if self.is_dry {
            return Ok(FolderOutcome::Transferred);
        }
        let Settings { retry, checkpoints, bandwidth, connections, verify } = self.settings;
        let download = Download::new(origin, self.runtime).expecting(Expected::new(Some(size), md5));
        let mut download = download.retry(retry).checkpoints(checkpoints).connections(connections);
        if let Some(limit) = bandwidth {
            download = download.bandwidth(limit);
        }
        if !verify {
            download = download.without_verification();
        }
        if let Some(callback) = self.meter.callback() {
            download = download.on_progress(callback);
        }
        download.to_path(self.local).await.map(|_| FolderOutcome::Transferred)
    }
}

impl fmt::Debug for FolderDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderDownload")
            .field("folder", &self.folder)
            .field("concurrency", &self.concurrency)
            .field("keep", &self.keep)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
