//! Downloading a whole folder of a share: a walk, a few downloads side by side, and a report of what was not done.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
};

use pan123_core::{Error, ErrorKind, FileId, Result};
use pan123_transfer::Downloaded;
use tokio::task::JoinSet;

use crate::{Client, Entry, Found, local_name::LocalNames, walk::ends_everything};

/// The download of a folder that was not begun yet; see [`Client::download_folder`].
#[must_use = "nothing is downloaded before to_path"]
pub struct FolderDownload {
    client: Client,
    folder: FileId,
    concurrency: usize,
    each: Option<Callback>,
}

type Callback = Box<dyn FnMut(&Result<DownloadedFile, NotDownloaded>) + Send>;

/// How many files are downloaded side by side unless told otherwise.
const CONCURRENCY: usize = 3;

/// The most files that may be downloaded side by side: more have got addresses banned.
const MOST_CONCURRENCY: usize = 16;

/// What came of the download of a folder.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DownloadedFolder {
    /// The files that are there, in the order in which they were done.
    pub files: Vec<DownloadedFile>,
    /// The files and folders that are not, each with its reason.
    pub failed: Vec<NotDownloaded>,
}

/// A file of a folder that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadedFile {
    /// Its path in the share, below the folder that was asked for. It comes from a stranger.
    pub remote: String,
    /// Where it is now.
    pub local: PathBuf,
    /// What came.
    pub downloaded: Downloaded,
}

/// A file or folder that is not there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NotDownloaded {
    /// Its path in the share, below the folder that was asked for.
    pub remote: String,
    /// Why not.
    pub error: Error,
}

impl DownloadedFolder {
    /// Says whether everything is there.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }
}

impl FolderDownload {
    pub(crate) fn new(client: Client, folder: FileId) -> Self {
        Self { client, folder, concurrency: CONCURRENCY, each: None }
    }

    /// Sets how many files are downloaded side by side: 1 to 16, 3 unless told otherwise.
    pub fn concurrency(mut self, files: usize) -> Self {
        self.concurrency = files.clamp(1, MOST_CONCURRENCY);
        self
    }

    /// Calls `callback` for each file that is done, and for each file or folder that failed.
    pub fn on_each(mut self, callback: impl FnMut(&Result<DownloadedFile, NotDownloaded>) + Send + 'static) -> Self {
        self.each = Some(Box::new(callback));
        self
    }

    /// Downloads into the folder `target`, which is made if it is missing, with the folders of the share in it.
    ///
    /// Each file is checked for size and MD5 and replaces a file of its name that is there. Names are made safe: what no
    /// system takes in a name becomes `_`, and of names that would then be the same all but the first get a number. No
    /// name leads out of `target`.
    ///
    /// A file or folder that fails is reported, and the rest goes on. After an error that the next file is bound to meet as
    /// well, such as a login that is wanted or traffic that is used up, no new file is begun; those that are left unlisted
    /// then are not reported one by one. Dropping the future stops all downloads and leaves nothing half done but folders.
    ///
    /// # Errors
    ///
    /// When the folder itself cannot be listed, or `target` cannot be made. What concerns single files is in
    /// [`DownloadedFolder::failed`].
    pub async fn to_path(self, target: impl AsRef<Path>) -> Result<DownloadedFolder> {
        let target = target.as_ref().to_owned();
        make_folder(target.clone()).await?;
        Box::pin(Work::new(self, target).run()).await
    }
}

impl fmt::Debug for FolderDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderDownload")
            .field("client", &self.client)
            .field("folder", &self.folder)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// A folder download on its way.
struct Work {
    client: Client,
    folder: FileId,
    concurrency: usize,
    each: Option<Callback>,
    names: LocalNames,
    /// Where the remote folders are put, by their names, or why they are not there.
    folders: HashMap<Vec<String>, Result<PathBuf>>,
    running: JoinSet<Result<DownloadedFile, NotDownloaded>>,
    done: DownloadedFolder,
    /// What the next file is bound to meet as well.
    stopped: Option<Error>,
}

impl Work {
    fn new(asked: FolderDownload, target: PathBuf) -> Self {
        Self {
            client: asked.client,
            folder: asked.folder,
            concurrency: asked.concurrency,
            each: asked.each,
            names: LocalNames::default(),
            folders: HashMap::from([(Vec::new(), Ok(target))]),
            running: JoinSet::new(),
            done: DownloadedFolder::default(),
            stopped: None,
        }
    }

    async fn run(mut self) -> Result<DownloadedFolder> {
        let mut walk = self.client.walk(self.folder);
        let mut paths: HashMap<FileId, String> = HashMap::new();
        let top = self.client.rooted(self.folder);
        while self.stopped.is_none() {
            match walk.next().await {
                Ok(Some(found)) => {
                    if found.entry.is_folder() {
                        paths.insert(found.entry.id, found.path());
                    }
                    self.take(found).await;
                }
                Ok(None) => break,
                Err(error) => {
                    let folder = error.failed_items().first().map(|(folder, _)| *folder);
                    let is_untouched = self.done.files.is_empty() && self.running.is_empty();
                    if folder == Some(top) && is_untouched {
                        return Err(error);
                    }
                    let remote = folder.and_then(|folder| paths.get(&folder).cloned()).unwrap_or_default();
                    self.note(Err(NotDownloaded { remote, error }));
                }
            }
        }
        while let Some(result) = self.running.join_next().await {
            self.finish(result);
        }
        Ok(self.done)
    }

    /// Makes a folder, or begins to download a file once there is room.
    async fn take(&mut self, found: Found) {
        let remote = found.path();
        let Found { mut folders, entry } = found;
        let parent = match self.folders.get(&folders) {
            Some(Ok(parent)) => parent.clone(),
            // Its folder was reported.
            Some(Err(_)) | None => {
                let error = Error::new(ErrorKind::Io, "the folder that it belongs into could not be made");
                return self.note(Err(NotDownloaded { remote, error }));
            }
        };
        let local = self.names.place(&parent, &entry.name);
        if entry.is_folder() {
            let made = make_folder(local.clone()).await.map(|()| local);
            if let Err(error) = &made {
                self.note(Err(NotDownloaded { remote, error: error.clone() }));
            }
            folders.push(entry.name);
            self.folders.insert(folders, made);
            return;
        }
        while self.running.len() >= self.concurrency {
            match self.running.join_next().await {
                Some(result) => self.finish(result),
                None => break,
            }
        }
        if let Some(error) = self.stopped.clone() {
            return self.note(Err(NotDownloaded { remote, error }));
        }
        self.running.spawn(fetch(self.client.clone(), entry, remote, local));
    }

    fn finish(&mut self, result: Result<Result<DownloadedFile, NotDownloaded>, tokio::task::JoinError>) {
        match result {
            Ok(result) => self.note(result),
            Err(cause) => {
                let error = Error::new(ErrorKind::Io, "a download was interrupted").with_source(cause);
                self.note(Err(NotDownloaded { remote: String::new(), error }));
            }
        }
    }

    fn note(&mut self, result: Result<DownloadedFile, NotDownloaded>) {
        if let Some(each) = &mut self.each {
            each(&result);
        }
        match result {
            Ok(file) => self.done.files.push(file),
            Err(failed) => {
                if ends_everything(&failed.error) {
                    self.stopped.get_or_insert_with(|| failed.error.clone());
                }
                self.done.failed.push(failed);
            }
        }
    }
}

async fn fetch(client: Client, entry: Entry, remote: String, local: PathBuf) -> Result<DownloadedFile, NotDownloaded> {
    match client.download(&entry).to_path(&local).await {
        Ok(downloaded) => Ok(DownloadedFile { remote, local, downloaded }),
        Err(error) => Err(NotDownloaded { remote, error }),
    }
}

async fn make_folder(path: PathBuf) -> Result<()> {
    let shown = path.display().to_string();
    let made = tokio::task::spawn_blocking(move || std::fs::create_dir_all(path)).await;
    let made = made.unwrap_or_else(|cause| Err(std::io::Error::other(cause)));
    made.map_err(|cause| Error::io(format!("the folder could not be made: {shown}"), cause))
}
