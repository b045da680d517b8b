//! Uploading a folder: a walk, a few files side by side, and nothing twice.

use std::{collections::HashMap, fmt, path::PathBuf, sync::Arc, vec};

use pan123_core::{Error, FileId, Md5, Result, RetryPolicy, Runtime, TokioRuntime, name};

use super::{
    Callback, Counter, DEFAULT_FILES, FolderItem, FolderOutcome, FolderProgress, FolderReport, Items, MOST_FILES,
    Meter, Run, TreeEntry, TreeTarget, TreeUpload, join,
    local::{self, LocalEntry, LocalKind},
    names::{REMOTE, distinct},
    taken,
};
use crate::{Bandwidth, Checkpoints, Source, progress};

/// The upload of a local folder with all that is in it.
///
/// Nothing happens before [`send`](Self::send) or [`plan`](Self::plan). Dropping their future stops everything; what is done
/// is found to be the same the next time.
///
/// # Names
///
/// A character that the service does not take is written as a look-alike behind a `‛` (U+201B), and
/// [`FolderDownload`](super::FolderDownload) reads it back. A name that is no text, or too long for the service, fails. Checkpoints
/// and temporary files, which transfers that were not done have left, are known by their names and left out.
#[must_use = "nothing is uploaded before send"]
pub struct FolderUpload {
    tree: Arc<dyn TreeTarget>,
    local: PathBuf,
    folder: FileId,
    runtime: Arc<dyn Runtime>,
    concurrency: usize,
    replace: bool,
    settings: Settings,
    each: Option<Callback>,
    progress: Option<progress::Callback<FolderProgress>>,
}

/// What every file's upload is given.
#[derive(Clone, Debug, Default)]
struct Settings {
    retry: Option<RetryPolicy>,
    checkpoints: Option<Checkpoints>,
    bandwidth: Option<Bandwidth>,
}

/// A folder that is being walked through.
struct Level {
    remote: String,
    local: PathBuf,
    /// `None` for one that only would be there.
    folder: Option<FileId>,
    /// What is in the drive's folder, by name; the service allows several of the same.
    there: HashMap<String, Vec<TreeEntry>>,
    entries: vec::IntoIter<(LocalEntry, Result<String>)>,
}

impl Level {
    /// Returns what is to be counted: the size of each file, and `None` for each folder.
    fn found(&self) -> impl Iterator<Item = Option<u64>> {
        self.entries.as_slice().iter().filter_map(|(entry, _)| match entry.kind {
            LocalKind::File(size) => Some(Some(size)),
            LocalKind::Folder => Some(None),
            LocalKind::Other => None,
        })
    }
}

impl FolderUpload {
    /// Makes the upload of what is in the folder `local` into `folder` of `tree`.
    pub fn new(tree: impl TreeTarget, local: impl Into<PathBuf>, folder: FileId) -> Self {
        let (tree, local, runtime) = (Arc::new(tree), local.into(), Arc::new(TokioRuntime));
        let (concurrency, settings) = (DEFAULT_FILES, Settings::default());
        Self { tree, local, folder, runtime, concurrency, replace: false, settings, each: None, progress: None }
    }

    /// Sets the clock by which progress is told; tokio's unless told otherwise.
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtime = runtime;
        self
    }

    /// Sets the folder of the drive that everything goes into.
    pub fn into_folder(mut self, folder: impl Into<FileId>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Sets how many files are uploaded side by side, 1 to [`MOST_FILES`]; [`DEFAULT_FILES`] unless told otherwise.
    pub fn concurrency(mut self, files: usize) -> Self {
        self.concurrency = files.clamp(1, MOST_FILES);
        self
    }

    /// Replaces files of the drive that have another content. Otherwise they stay, and count as failed.
    pub fn replace_existing(mut self) -> Self {
        self.replace = true;
        self
    }

    /// Sets how each file's upload is repeated; see [`Upload::retry`](crate::Upload::retry). As the drive's own verb does unless
    /// told otherwise.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = Some(policy);
        self
    }

    /// Lets each file keep a checkpoint, so that a large one goes on where a killed upload stopped; see
    /// [`Upload::checkpoints`](crate::Upload::checkpoints). Without it, files that were not done begin again.
    pub fn checkpoints(mut self, place: impl Into<Checkpoints>) -> Self {
        self.settings.checkpoints = Some(place.into());
        self
    }

    /// Keeps all files together to a limit of speed.
    pub fn bandwidth(mut self, limit: Bandwidth) -> Self {
        self.settings.bandwidth = Some(limit);
        self
    }

    /// Calls `callback` for each item that is done, was there, or failed, in the order in which that becomes known.
    pub fn on_each(mut self, callback: impl FnMut(&FolderItem) + Send + 'static) -> Self {
        self.each = Some(Box::new(callback));
        self
    }

    /// Calls `callback` as the upload goes on, at most every [`PROGRESS_INTERVAL`](crate::PROGRESS_INTERVAL) and at its end. It may
    /// be called from any thread and should return at once.
    pub fn on_progress(mut self, callback: impl Fn(FolderProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Uploads all that is in the local folder.
    ///
    /// A file that is there under its name with the same size and MD5 is not sent; the MD5 is computed only where the size is
    /// the same. A file or folder that fails is reported, and the rest goes on; after an error that the next file is bound
    /// to meet as well, nothing new is begun. Symbolic links are not followed, but for the local folder itself. Empty folders
    /// are made.
    ///
    /// # Errors
    ///
    /// When the local folder cannot be read, or the drive's cannot be listed. What concerns single items is in
    /// [`FolderReport::failed`].
    pub async fn send(self) -> Result<FolderReport> {
        Box::pin(self.run(false)).await
    }

    /// Returns what [`send`](Self::send) would do with each item, without changing anything.
    ///
    /// Folders are listed, and local files read where their size is the same.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn plan(mut self) -> Result<Vec<FolderItem>> {
        let items = Items::default();
        self.each = Some(items.collector(self.each.take()));
        Box::pin(self.run(true)).await?;
        Ok(items.take())
    }

    async fn run(self, is_dry: bool) -> Result<FolderReport> {
        let counter = Counter::new(self.runtime, self.progress);
        let mut run = Run::new(self.tree, self.concurrency, self.each, counter);
        let entries = named(local::read_folder(self.local.clone(), true).await?);
        let there = by_name(run.tree.list(self.folder).await?);
        let top = Level { remote: String::new(), local: self.local, folder: Some(self.folder), there, entries };
        run.counter.listed(top.found());
        let mut open = vec![top];
        while let Some(level) = open.last_mut().filter(|_| !run.is_stopped()) {
            let Some((LocalEntry { name, kind }, remote_name)) = level.entries.next() else {
                open.pop();
                continue;
            };
            let local = level.local.join(&name);
            let size = if let LocalKind::File(size) = kind { size } else { 0 };
            let shown = remote_name.as_ref().map_or_else(|_| name.to_string_lossy(), |name| name.into());
            let mut item =
                FolderItem { remote: join(&level.remote, &shown), local, size, outcome: FolderOutcome::LeftOut };
            let remote_name = match remote_name {
                _ if kind == LocalKind::Other => {
                    run.note(item);
                    continue;
                }
                Ok(name) => name,
                Err(error) => {
                    match kind {
                        LocalKind::Folder => run.counter.listed(std::iter::empty()),
                        _ => run.counter.file(size).done(),
                    }
                    item.outcome = FolderOutcome::Failed(error);
                    run.note(item);
                    continue;
                }
            };
            let there = level.there.remove(&remote_name).unwrap_or_default();
            if kind == LocalKind::Folder {
                let below = descend(&*run.tree, level.folder, remote_name, there, &item, is_dry).await;
                item.outcome = match below {
                    Ok((below, made)) => {
                        run.counter.listed(below.found());
                        open.push(below);
                        if made { FolderOutcome::FolderMade } else { FolderOutcome::FolderThere }
                    }
                    Err(error) => {
                        run.counter.listed(std::iter::empty());
                        FolderOutcome::Failed(error)
                    }
                };
                run.note(item);
                continue;
            }
            let meter = run.counter.file(size);
            let upload = level.folder.filter(|_| !is_dry).map(|parent| TreeUpload {
                parent,
                name: remote_name,
                source: Source::path(&item.local),
                replace: !there.is_empty(),
                checkpoints: self.settings.checkpoints.clone(),
                bandwidth: self.settings.bandwidth.clone(),
                retry: self.settings.retry,
                meter: meter.clone(),
            });
            let (tree, replace) = (Arc::clone(&run.tree), self.replace);
            let file = File { tree, local: item.local.clone(), size, upload, there, replace, meter: meter.clone() };
            run.begin(item, meter, file.send()).await?;
        }
        run.finish().await
    }
}

/// Goes into a folder, and makes it in the drive if it is missing. Returns whether it was.
async fn descend(
    tree: &dyn TreeTarget,
    parent: Option<FileId>,
    name: String,
    there: Vec<TreeEntry>,
    item: &FolderItem,
    is_dry: bool,
) -> Result<(Level, bool)> {
    let entries = named(local::read_folder(item.local.clone(), false).await?);
    let found = there.iter().find(|entry| entry.is_folder()).map(|entry| entry.id);
    let (folder, there, made) = match (found, parent) {
        (Some(id), _) => (Some(id), by_name(tree.list(id).await?), false),
        (None, _) if !there.is_empty() => return Err(taken("a file of the drive has the folder's name")),
        (None, Some(parent)) if !is_dry => (Some(tree.make_folder(parent, name).await?), HashMap::new(), true),
        (None, _) => (None, HashMap::new(), true),
    };
    Ok((Level { remote: item.remote.clone(), local: item.local.clone(), folder, there, entries }, made))
}

fn by_name(entries: Vec<TreeEntry>) -> HashMap<String, Vec<TreeEntry>> {
    let mut there: HashMap<String, Vec<TreeEntry>> = HashMap::new();
    for entry in entries {
        there.entry(entry.name.clone()).or_default().push(entry);
    }
    there
}

/// Gives every entry of a local folder a name of its own in the drive, which tells capitals apart. What is left out takes none.
fn named(entries: Vec<LocalEntry>) -> vec::IntoIter<(LocalEntry, Result<String>)> {
    let (left_out, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.kind == LocalKind::Other);
    let names = entries.iter().map(|entry| REMOTE.translate(&entry.name.to_string_lossy())).collect();
    let checked = |(entry, remote): (LocalEntry, String)| {
        let is_text = entry.name.to_str().is_some();
        let name = match name::check(&remote) {
            _ if !is_text => Err(Error::invalid("the name is no text, and the service takes no other")),
            Ok(()) => Ok(remote),
            Err(error) => Err(error),
        };
        (entry, name)
    };
    let left_out = left_out.into_iter().map(|entry| {
        let shown = entry.name.to_string_lossy().into_owned();
        (entry, Ok(shown))
    });
    entries.into_iter().zip(distinct(names, false)).map(checked).chain(left_out).collect::<Vec<_>>().into_iter()
}

/// One file on its way.
struct File {
    tree: Arc<dyn TreeTarget>,
    local: PathBuf,
    size: u64,
    /// `None` where nothing is to be sent.
    upload: Option<TreeUpload>,
    there: Vec<TreeEntry>,
    replace: bool,
    meter: Meter,
}

impl File {
    async fn send(self) -> Result<FolderOutcome> {
        if self.there.iter().any(TreeEntry::is_folder) {
            return Err(taken("a folder of the drive has the file's name"));
        }
        let same_size = self.there.iter().filter(|entry| entry.size == self.size);
        let digests: Vec<Md5> = same_size.filter_map(|entry| entry.md5).collect();
        if !digests.is_empty() && digests.contains(&local::md5(self.local, self.meter).await?) {
            return Ok(FolderOutcome::Same);
        }
        if !self.there.is_empty() && !self.replace {
            return Err(taken("a file of the drive has the name and another content"));
        }
        if let Some(upload) = self.upload {
            self.tree.upload(upload).await?;
        }
        Ok(FolderOutcome::Transferred)
    }
}

impl fmt::Debug for FolderUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderUpload")
            .field("local", &self.local)
            .field("folder", &self.folder)
            .field("concurrency", &self.concurrency)
            .field("replace", &self.replace)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
