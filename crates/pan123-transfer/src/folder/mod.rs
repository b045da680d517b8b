//! Folders with all that is in them, up and down: what they ask of an API, and what is told of each item.

mod download;
mod local;
mod names;
mod progress;
mod upload;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use pan123_core::{BoxFuture, Error, ErrorKind, FileId, Md5, Result, RetryPolicy};
use tokio::task::JoinSet;

use self::progress::{Counter, Meter};
pub use self::{download::FolderDownload, progress::FolderProgress, upload::FolderUpload};
use crate::{Bandwidth, Checkpoints, DownloadOrigin, Source, Upload, UploadTarget, blocking::joined};

/// How many files of a folder are transferred side by side, unless [`FolderDownload::concurrency`] or
/// [`FolderUpload::concurrency`] says otherwise.
pub const DEFAULT_FILES: usize = 3;

/// The most files that may be transferred side by side: more have got addresses banned.
pub const MOST_FILES: usize = 16;

/// The folders and files of one API, as far as downloading them needs it.
///
/// The engine walks, compares, makes names safe, and bounds what is on its way; the tree makes the calls.
pub trait Tree: Send + Sync + 'static {
    /// Lists everything in a folder that is not in the trash.
    fn list(&self, folder: FileId) -> BoxFuture<'_, Result<Vec<TreeEntry>>>;

    /// Says whether the next file is bound to meet `error` as well. Nothing is begun after it.
    fn ends_everything(&self, error: &Error) -> bool {
        error.concerns_everything()
    }
}

/// A [`Tree`] into which files can be put.
pub trait TreeTarget: Tree {
    /// Makes a folder whose name is free.
    fn make_folder(&self, parent: FileId, name: String) -> BoxFuture<'_, Result<FileId>>;

    /// Uploads one file, such as the API's everyday verb does.
    fn upload(&self, file: TreeUpload) -> BoxFuture<'_, Result<FileId>>;
}

/// One file or folder of a [`Tree`].
#[derive(Clone)]
pub struct TreeEntry {
    id: FileId,
    name: String,
    size: u64,
    md5: Option<Md5>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Folder,
    File(Arc<dyn DownloadOrigin>),
    Withheld(Error),
}

impl TreeEntry {
    /// Makes the entry of a folder.
    pub fn folder(id: FileId, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), size: 0, md5: None, content: Content::Folder }
    }

    /// Makes the entry of a file whose bytes come from `origin`.
    pub fn file(id: FileId, name: impl Into<String>, size: u64, md5: Option<Md5>, origin: impl DownloadOrigin) -> Self {
        Self { id, name: name.into(), size, md5, content: Content::File(Arc::new(origin)) }
    }

    /// Says that a file cannot be downloaded, and why.
    #[must_use]
    pub fn withheld(self, error: Error) -> Self {
        Self { content: Content::Withheld(error), ..self }
    }

    fn is_folder(&self) -> bool {
        matches!(self.content, Content::Folder)
    }
}

/// A file that is to be uploaded as a part of a folder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TreeUpload {
    /// The folder it goes into.
    pub parent: FileId,
    /// Its name there.
    pub name: String,
    /// Its bytes.
    pub source: Source,
    /// Whether it takes the place of the file that has its name; if not, a taken name is an error.
    pub replace: bool,
    /// Where it keeps a checkpoint, if it is to keep one.
    pub checkpoints: Option<Checkpoints>,
    /// The limit of speed that it shares with the others.
    pub bandwidth: Option<Bandwidth>,
    /// How it is repeated, if that was said.
    pub retry: Option<RetryPolicy>,
    meter: Meter,
}

impl TreeUpload {
    /// Gives `upload`, which is to be of this file, what was said for all files of the folder: where checkpoints are kept, the
    /// limit of speed, and how it is repeated. What it tells of its progress goes to
    /// [`FolderUpload::on_progress`], in place of any callback that it has.
    #[must_use]
    pub fn apply<T: UploadTarget>(&self, mut upload: Upload<T>) -> Upload<T> {
        if let Some(place) = &self.checkpoints {
            upload = upload.checkpoints(place.clone());
        }
        if let Some(limit) = &self.bandwidth {
            upload = upload.bandwidth(limit.clone());
        }
        if let Some(policy) = self.retry {
            upload = upload.retry(policy);
        }
        match self.meter.callback() {
            Some(callback) => upload.on_progress(callback),
            None => upload,
        }
    }
}

/// One item of a folder, and what became of it; in a dry run, what would.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FolderItem {
    /// Its path in the drive, below the folder that was asked for. In a download it comes from outside.
    pub remote: String,
    /// Its local path.
    pub local: PathBuf,
    /// Its size in bytes; 0 for a folder.
    pub size: u64,
    /// What became of it.
    pub outcome: FolderOutcome,
}

/// What became of an item of a folder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FolderOutcome {
    /// The file was transferred.
    Transferred,
    /// The file was there, with the same size and MD5.
    Same,
    /// The folder was made.
    FolderMade,
    /// The folder was there.
    FolderThere,
    /// It was left out: a symbolic link or a device, or a checkpoint or temporary file of a transfer that was not done.
    LeftOut,
    /// It failed.
    Failed(Error),
}

/// What came of a whole folder.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FolderReport {
    /// How many files were transferred.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many files were there and the same.
    pub same: u64,
    /// How many folders were made.
    pub folders: u64,
    /// How many symbolic links, devices, and files that transfers keep for themselves were left out.
    pub left_out: u64,
    /// The files and folders that failed; of a folder that failed nothing else is told.
    pub failed: Vec<FolderItem>,
    /// The error at which everything ended, because the next file would have met it too.
    pub stopped: Option<Error>,
}

impl FolderReport {
    /// Says whether everything is there now.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.stopped.is_none()
    }
}

impl FolderItem {
    /// Returns why it failed, if it did.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            FolderOutcome::Failed(error) => Some(error),
            _ => None,
        }
    }
}

type Callback = Box<dyn FnMut(&FolderItem) + Send>;

/// The items that were told, in their order.
#[derive(Clone, Default)]
struct Items(Arc<Mutex<Vec<FolderItem>>>);

impl Items {
    /// Returns a callback that collects, and tells `each` too.
    fn collector(&self, mut each: Option<Callback>) -> Callback {
        let items = self.clone();
        Box::new(move |item| {
            if let Some(each) = &mut each {
                each(item);
            }
            items.0.lock().unwrap_or_else(PoisonError::into_inner).push(item.clone());
        })
    }

    fn take(&self) -> Vec<FolderItem> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A folder on its way: what runs, and what was told.
struct Run<T: ?Sized> {
    tree: Arc<T>,
    concurrency: usize,
    each: Option<Callback>,
    counter: Counter,
    running: JoinSet<FolderItem>,
    report: FolderReport,
}

impl<T: Tree + ?Sized> Run<T> {
    fn new(tree: Arc<T>, concurrency: usize, each: Option<Callback>, counter: Counter) -> Self {
        Self { tree, concurrency, each, counter, running: JoinSet::new(), report: FolderReport::default() }
    }

    /// Says whether nothing new may be begun.
    fn is_stopped(&self) -> bool {
        self.report.stopped.is_some()
    }

    /// Begins with a file once there is room, unless what was waited for ended everything.
    async fn begin(
        &mut self,
        item: FolderItem,
        meter: Meter,
        file: impl Future<Output = Result<FolderOutcome>> + Send + 'static,
    ) -> Result<()> {
        while self.running.len() >= self.concurrency {
            self.wait().await?;
        }
        if !self.is_stopped() {
            self.running.spawn(async move {
                let outcome = file.await.unwrap_or_else(FolderOutcome::Failed);
                meter.done();
                FolderItem { outcome, ..item }
            });
        }
        Ok(())
    }

    /// Waits for all that runs.
    async fn finish(mut self) -> Result<FolderReport> {
        while !self.running.is_empty() {
            self.wait().await?;
        }
        self.counter.finish();
        Ok(self.report)
    }

    async fn wait(&mut self) -> Result<()> {
        if let Some(ended) = self.running.join_next().await {
            self.note(joined(ended)?);
        }
        Ok(())
    }

    fn note(&mut self, item: FolderItem) {
        if let Some(each) = &mut self.each {
            each(&item);
        }
        match &item.outcome {
            FolderOutcome::Transferred => {
                self.report.files += 1;
                self.report.bytes += item.size;
            }
            FolderOutcome::Same => self.report.same += 1,
            FolderOutcome::FolderMade => self.report.folders += 1,
            FolderOutcome::FolderThere => {}
            FolderOutcome::LeftOut => self.report.left_out += 1,
            FolderOutcome::Failed(error) => {
                if self.report.stopped.is_none() && (is_local_end(error) || self.tree.ends_everything(error)) {
                    self.report.stopped = Some(error.clone());
                }
                self.report.failed.push(item);
            }
        }
    }
}

/// Says whether the local disk takes nothing more.
fn is_local_end(error: &Error) -> bool {
    use std::io::{Error as IoError, ErrorKind as IoKind};
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<IoError>());
    error.kind() == ErrorKind::Io
        && cause.is_some_and(|cause| {
            matches!(cause.kind(), IoKind::StorageFull | IoKind::QuotaExceeded | IoKind::ReadOnlyFilesystem)
        })
}

/// Joins the path of a folder and a name in it.
fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn taken(what: &'static str) -> Error {
    Error::new(ErrorKind::AlreadyExists, what)
}

impl fmt::Debug for TreeEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeEntry")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("size", &self.size)
            .field("md5", &self.md5)
            .field("is_folder", &self.is_folder())
            .finish_non_exhaustive()
    }
}
