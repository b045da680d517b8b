//! The `offline_download` verb: the service fetches a link or torrent into the drive, and is waited for.

use std::{fmt, time::Duration};

use pan123_core::{Error, ErrorKind, FileId, Meta, Operation, Result, SharedBody, Wait};

use crate::{
    Client,
    ops::offline::{
        DeleteTasks, ListTasks, OfflineSource, OfflineState, OfflineTask, Resolve, Resource, ResourceFile, Selection,
        Submit, Task, UploadSeed,
    },
};

/// How long an offline download may take before [`OfflineDownload::finish`] stops waiting, unless told.
pub const OFFLINE_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// How often the service is asked how far a download is.
const INTERVAL: Duration = Duration::from_secs(3);

impl Client {
    /// Has the service fetch a link (`http`, `https`, `ftp`, `magnet`) or a torrent into the drive.
    ///
    /// Free accounts may do this a few times only. Nothing happens before [`begin`](OfflineDownload::begin) or
    /// [`finish`](OfflineDownload::finish).
    ///
    /// Protocol: `web.yaml`, flow `offline_download`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_web::{Client, FileId};
    /// # async fn run(client: Client, folder: FileId) -> pan123_web::Result<()> {
    /// let task = client
    ///     .offline_download("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567")
    ///     .into_folder(folder)
    ///     .choose(|file| file.name.ends_with(".mkv"))
    ///     .on_progress(|task| println!("{}% of {}", task.percent, task.name))
    ///     .finish()
    ///     .await?;
    /// println!("{} is in the drive", task.name);
    /// # Ok(())
    /// # }
    /// ```
    pub fn offline_download(&self, source: impl Into<OfflineSource>) -> OfflineDownload {
        OfflineDownload {
            client: self.clone(),
            source: source.into(),
            folder: None,
            timeout: OFFLINE_TIMEOUT,
            chosen: Box::new(|_| true),
            callback: Box::new(|_| ()),
        }
    }

    /// Uploads a torrent file and returns what [`offline_download`](Self::offline_download) takes for it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the service's answer has no info hash in it.
    pub async fn torrent(&self, file: impl Into<SharedBody>) -> Result<OfflineSource> {
        let seed = self.send(UploadSeed::new(file)).await?;
        let hash = seed.info_hash.ok_or_else(|| {
            Error::new(ErrorKind::Decode, "the answer has no info hash of the torrent")
                .with_endpoint(UploadSeed::META.id)
        })?;
        Ok(OfflineSource::info_hash(hash))
    }

    /// Waits for an offline download that was begun, for at most `timeout`.
    ///
    /// Dropping the future stops the waiting and not the download; [`AbortTasks`](crate::ops::offline::AbortTasks) stops it.
    ///
    /// # Errors
    ///
    /// As [`OfflineDownload::finish`].
    pub async fn wait_for_offline(&self, task: OfflineTask, timeout: Duration) -> Result<Task> {
        self.watch_offline(task, timeout, &|_| ()).await
    }

    /// Takes offline downloads off the list. Files that were fetched stay.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn forget_offline(&self, tasks: impl IntoIterator<Item = OfflineTask>) -> Result<()> {
        let tasks: Vec<OfflineTask> = tasks.into_iter().collect();
        if tasks.is_empty() {
            return Ok(());
        }
        self.send(DeleteTasks::new(tasks)).await
    }

    async fn watch_offline(&self, task: OfflineTask, timeout: Duration, callback: &Callback) -> Result<Task> {
        let wait = Wait {
            pause: INTERVAL,
            timeout,
            late: "the offline download is still running; wait for its task again",
            endpoint: ListTasks::META.id,
        };
        let judge = |found: Option<Task>| {
            // A task that was only just begun may not be listed yet.
            let Some(found) = found else { return Ok(None) };
            callback(&found);
            match found.state {
                OfflineState::Done => Ok(Some(found)),
                OfflineState::Failed => {
                    Err(failed(ErrorKind::Api, ListTasks::META, "the service could not fetch the link"))
                }
                _ => Ok(None),
            }
        };
        wait.until(&**self.pipeline().runtime(), || self.find_offline(task), judge).await
    }

    async fn find_offline(&self, task: OfflineTask) -> Result<Option<Task>> {
        let mut tasks = self.items(ListTasks::new());
        while let Some(found) = tasks.next().await? {
            if found.id == task {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn failed(kind: ErrorKind, meta: Meta, text: &'static str) -> Error {
    Error::new(kind, text).with_endpoint(meta.id)
}

/// An offline download that was not begun yet; see [`Client::offline_download`].
#[must_use = "nothing is downloaded before begin or finish"]
pub struct OfflineDownload {
    client: Client,
    source: OfflineSource,
    folder: Option<FileId>,
    timeout: Duration,
    chosen: Box<Choice>,
    callback: Box<Callback>,
}

type Choice = dyn Fn(&ResourceFile) -> bool + Send + Sync;
type Callback = dyn Fn(&Task) + Send + Sync;

impl OfflineDownload {
    /// Sets the folder; the service has one of its own unless told.
    pub fn into_folder(mut self, folder: impl Into<FileId>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Chooses which files of a torrent are fetched; all of them unless told.
    pub fn choose(mut self, chosen: impl Fn(&ResourceFile) -> bool + Send + Sync + 'static) -> Self {
        self.chosen = Box::new(chosen);
        self
    }

    /// Calls `callback` with what the service tells of the task while [`finish`](Self::finish) waits.
    pub fn on_progress(mut self, callback: impl Fn(&Task) + Send + Sync + 'static) -> Self {
        self.callback = Box::new(callback);
        self
    }

    /// Sets how long [`finish`](Self::finish) waits; [`OFFLINE_TIMEOUT`] unless told.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks what the link holds, without fetching it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] before any request for what is no link; [`ErrorKind::Api`] with the service's reason when it
    /// could not look at it.
    pub async fn resolve(&self) -> Result<Resource> {
        let resources = self.client.send(Resolve::new(&self.source)).await?;
        let none = || failed(ErrorKind::Api, Resolve::META, "the service found nothing behind the link");
        let resource = resources.into_iter().next().ok_or_else(none)?;
        if resource.is_fine() {
            return Ok(resource);
        }
        let error = failed(ErrorKind::Api, Resolve::META, "the service could not look at the link");
        Err(error.with_message(&resource.error))
    }

    /// Begins the download and returns its task, for [`Client::wait_for_offline`].
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve); [`ErrorKind::InvalidInput`] when no file was chosen; [`ErrorKind::Api`] when the service
    /// did not accept it; [`Error::may_have_happened`] when the answer was lost, and with it the task: look through
    /// [`ListTasks`].
    pub async fn begin(&self) -> Result<OfflineTask> {
        let resource = self.resolve().await?;
        let files: Vec<i64> = resource.files.iter().filter(|file| (self.chosen)(file)).map(|file| file.id).collect();
        let mut submit = Submit::new([Selection::new(resource.id, files)]);
        if let Some(folder) = self.folder {
            submit = submit.folder(folder);
        }
        let tasks = self.client.send(submit).await?;
        let task = tasks.into_iter().find(|task| task.result == 0).and_then(|task| task.task);
        task.ok_or_else(|| failed(ErrorKind::Api, Submit::META, "the service did not accept the offline download"))
    }

    /// Begins the download and waits until its files are in the drive. Their ids are not told: look for the name in the folder.
    ///
    /// Dropping the future stops the waiting and not the download.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin); [`ErrorKind::Api`] when the download fails, of which the service gives no reason;
    /// [`ErrorKind::CompletionTimeout`] when it is still running.
    pub async fn finish(self) -> Result<Task> {
        let task = self.begin().await?;
        self.client.watch_offline(task, self.timeout, &*self.callback).await
    }
}

impl fmt::Debug for OfflineDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineDownload")
            .field("source", &self.source)
            .field("folder", &self.folder)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
