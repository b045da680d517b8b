//! The `offline_download` verb: the service fetches an address into the drive, and is waited for.

use std::{fmt, time::Duration};

use pan123_core::{Error, ErrorKind, FileId, Result, Wait};

use crate::{
    Client,
    ops::offline::{self, Address, OfflineState, OfflineTask, Progress},
};

/// How long an offline download may take before [`OfflineDownload::finish`] stops waiting, unless told.
pub const OFFLINE_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// How often the service is asked how far a download is.
const INTERVAL: Duration = Duration::from_secs(3);

impl Client {
    /// Has the service fetch an `http` or `https` address into the drive.
    ///
    /// Without a folder the file goes into one that the service makes, 来自:离线下载. Nothing happens before
    /// [`begin`](OfflineDownload::begin) or [`finish`](OfflineDownload::finish).
    ///
    /// Protocol: `open-files.yaml`, `offline.download`, `offline.process`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_open::{Client, FileId};
    /// # async fn run(client: Client, folder: FileId) -> pan123_open::Result<()> {
    /// client
    ///     .offline_download("https://example.org/film.mp4")
    ///     .into_folder(folder)
    ///     .on_progress(|progress| println!("{}% {:?}", progress.percent, progress.state))
    ///     .finish()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn offline_download(&self, address: impl Into<Address>) -> OfflineDownload {
        OfflineDownload {
            client: self.clone(),
            request: offline::Download::new(address),
            timeout: OFFLINE_TIMEOUT,
            callback: Box::new(|_| ()),
        }
    }

    /// Waits for an offline download that was begun, for at most `timeout`.
    ///
    /// Dropping the future stops the waiting and not the download, which no call can stop.
    ///
    /// # Errors
    ///
    /// As [`OfflineDownload::finish`].
    pub async fn wait_for_offline(&self, task: OfflineTask, timeout: Duration) -> Result<()> {
        self.watch_offline(task, timeout, &|_| ()).await
    }

    async fn watch_offline(&self, task: OfflineTask, timeout: Duration, callback: &Callback) -> Result<()> {
        let wait = Wait {
            pause: INTERVAL,
            timeout,
            late: "the offline download is still running; wait for its task again",
            endpoint: "open/offline.process",
        };
        let judge = |progress: Progress| {
            callback(progress);
            match progress.state {
                OfflineState::Done => Ok(Some(())),
                OfflineState::Failed => Err(Error::new(
                    ErrorKind::Api,
                    "the service could not fetch the address; it tells the reason only to an address to call back",
                )
                .with_endpoint("open/offline.process")),
                _ => Ok(None),
            }
        };
        wait.until(&**self.pipeline().runtime(), || self.send(offline::Process::new(task)), judge).await
    }
}

/// An offline download that was not begun yet; see [`Client::offline_download`].
#[must_use = "nothing is downloaded before begin or finish"]
pub struct OfflineDownload {
    client: Client,
    request: offline::Download,
    timeout: Duration,
    callback: Box<Callback>,
}

type Callback = dyn Fn(Progress) + Send + Sync;

impl OfflineDownload {
    /// Sets the folder; not the root, which the service does not allow.
    pub fn into_folder(mut self, folder: impl Into<FileId>) -> Self {
        self.request = self.request.folder(folder);
        self
    }

    /// Names the file, ending included; the service takes the name from the address unless told.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.request = self.request.name(name);
        self
    }

    /// Has the service tell this address how it ended; see [`Callback`](offline::Callback) for what it sends.
    pub fn call_back(mut self, address: impl Into<Address>) -> Self {
        self.request = self.request.call_back(address);
        self
    }

    /// Calls `callback` with each answer of the service while [`finish`](Self::finish) waits.
    pub fn on_progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.callback = Box::new(callback);
        self
    }

    /// Sets how long [`finish`](Self::finish) waits; [`OFFLINE_TIMEOUT`] unless told.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Begins the download and returns its task, for [`Client::wait_for_offline`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] before any request for the root, a name that the service would refuse, and an address that is
    /// neither `http` nor `https`; [`Error::may_have_happened`] when the answer was lost, and with it the task.
    pub async fn begin(self) -> Result<OfflineTask> {
        self.client.send(self.request).await.map(|begun| begun.task)
    }

    /// Begins the download and waits until the file is in the drive. Which file it is the service does not tell.
    ///
    /// Dropping the future stops the waiting and not the download, which no call can stop.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin); [`ErrorKind::Api`] when the download fails, of which the service gives no reason;
    /// [`ErrorKind::CompletionTimeout`] when it is still running.
    pub async fn finish(self) -> Result<()> {
        let task = self.client.send(self.request).await?.task;
        self.client.watch_offline(task, self.timeout, &*self.callback).await
    }
}

impl fmt::Debug for OfflineDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineDownload")
            .field("request", &self.request)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
