//! The `download` and `link` verbs: where the transfer engine gets the bytes of a file from.

use std::{fmt, io::Write, ops::Range, path::Path, sync::Arc};

use bytes::Bytes;
use pan123_core::{BoxFuture, Error, ErrorKind, Fetch, Fetched, FileId, Link, Result, RetryPolicy};
use pan123_transfer::{Bandwidth, Checkpoints, DownloadOrigin, Downloaded, Expected, Progress, Reader};
use url::Url;

use crate::{
    Client, Entry, Uploaded,
    ops::downloads::{BatchItem, DownloadBatch, DownloadInfo, Traffic, TrafficCheck},
};

impl Client {
    /// Downloads a file: resumed after a cut, and checked for size and MD5.
    ///
    /// `file` is an [`Entry`] of a list, an [`Uploaded`] file, or an id; for the latter two the entry is asked for first. Nothing
    /// happens before one of [`to_path`](Download::to_path), [`bytes`](Download::bytes) or [`open`](Download::open). An address is asked for
    /// before the first byte, and again when it is refused; a file of 0 bytes needs none.
    ///
    /// Protocol: `web.yaml`, flow `download`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_web::{Client, Entry};
    /// # async fn run(client: Client, file: Entry) -> pan123_web::Result<()> {
    /// client.download(&file).to_path("copy.tar").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn download(&self, file: impl Into<FileRef>) -> Download {
        Download { client: self.clone(), file: file.into(), adjust: Vec::new() }
    }

    /// Returns an address from which a file can be downloaded, with the headers to send along and, where it says so, its end.
    /// It works for a day at most: use it soon, and ask again when it is refused.
    ///
    /// Two requests are made, and one more for an id: one for an address, with the token, and one without any credential for
    /// what that address leads to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a folder, see [`zip_link`](Self::zip_link), and for an empty file, which may have no
    /// address; [`ErrorKind::ContentRejected`] for a file that the service's review has withheld;
    /// [`ErrorKind::QuotaExceeded`] when the day's traffic is used up; otherwise as [`pan123_core::Pipeline::resolve`].
    pub async fn link(&self, file: impl Into<FileRef>) -> Result<Link> {
        let entry = self.entry(file.into()).await?;
        check(&entry)?;
        if entry.size == 0 {
            return Err(Error::invalid("an empty file has no address: there is nothing to download"));
        }
        self.address(&entry).await
    }

    /// Returns an address from which several files and folders come as one zip archive.
    ///
    /// The archive's size and MD5 are not known before it has come, so a download of it cannot be verified; and the traffic
    /// of a limited account is better spent on [single files](Self::download).
    ///
    /// Protocol: `web.yaml`, `download.batch_info`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when nothing is given; otherwise as [`link`](Self::link).
    pub async fn zip_link<I: Into<FileId>>(&self, entries: impl IntoIterator<Item = I>) -> Result<Link> {
        let items: Vec<BatchItem> = entries.into_iter().map(|entry| BatchItem::from(entry.into())).collect();
        let address = self.send(DownloadBatch::new(items)).await?;
        self.pipeline().resolve(&address, &page()).await
    }

    /// Asks how much traffic is left for downloads today, and whether these files would go beyond it.
    ///
    /// It is advice. A download that goes beyond is refused with [`ErrorKind::QuotaExceeded`], whether it was asked or not.
    ///
    /// Protocol: `web.yaml`, `download.traffic_check`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when no file is given.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_web::{Client, Entry};
    /// # async fn run(client: Client, file: Entry) -> pan123_web::Result<()> {
    /// let traffic = client.check_traffic([&file]).await?;
    /// if traffic.is_exceeded {
    ///     println!("only {} bytes are left today", traffic.remaining);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_traffic<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<Traffic> {
        let ids: Vec<FileId> = files.into_iter().map(Into::into).collect();
        self.send(TrafficCheck::new(ids)).await
    }

    async fn address(&self, entry: &Entry) -> Result<Link> {
        let info = DownloadInfo::of(entry)?;
        let page = page();
        let address = self.send(&info).await?;
        match self.pipeline().resolve(&address, &page).await {
            // It may have expired on the way: one more is asked for (`web.yaml`, flow `download`).
            Err(error) if matches!(error.kind(), ErrorKind::LinkRejected | ErrorKind::NotFound) => {
                let address = self.send(&info).await?;
                self.pipeline().resolve(&address, &page).await
            }
            resolved => resolved,
        }
    }

    /// Makes the engine's download of a file of which everything is known.
    fn fetching(&self, entry: Entry) -> Result<Engine> {
        check(&entry)?;
        let expected = Expected::new(Some(entry.size), entry.md5);
        let (retry, runtime) = (*self.pipeline().retry(), Arc::clone(self.pipeline().runtime()));
        Ok(Engine::new(Origin { client: self.clone(), entry }, expected, runtime).retry(retry))
    }

    async fn entry(&self, file: FileRef) -> Result<Entry> {
        match file.0 {
            Known::Entry(entry) => Ok(*entry),
            Known::Id(id) => self.stat(id).await,
        }
    }
}

/// The page that downloads are said to come from (`web.yaml`, flow `download`).
fn page() -> Url {
    Url::parse("https://yun.123pan.cn/").expect("the address is a constant")
}

/// Refuses what has no bytes of its own, and what the service would not give.
pub(crate) fn check(entry: &Entry) -> Result<()> {
    if entry.is_folder() {
        return Err(Error::invalid("a folder has no bytes: download_folder downloads its files"));
    }
    if entry.is_blocked() {
        return Err(Error::new(ErrorKind::ContentRejected, "the service's review has withheld this file"));
    }
    Ok(())
}

/// Which file, and what is already known of it.
#[derive(Clone, Debug)]
pub struct FileRef(Known);

#[derive(Clone, Debug)]
enum Known {
    Id(FileId),
    Entry(Box<Entry>),
}

impl From<FileId> for FileRef {
    fn from(id: FileId) -> Self {
        Self(Known::Id(id))
    }
}

impl From<Entry> for FileRef {
    fn from(entry: Entry) -> Self {
        Self(Known::Entry(Box::new(entry)))
    }
}

impl From<&Entry> for FileRef {
    fn from(entry: &Entry) -> Self {
        Self::from(entry.clone())
    }
}

impl From<&Uploaded> for FileRef {
    fn from(file: &Uploaded) -> Self {
        Self::from(file.id)
    }
}

/// A download that was not begun yet; see [`Client::download`].
#[must_use = "nothing is downloaded before to_path, bytes or open"]
pub struct Download {
    client: Client,
    file: FileRef,
    adjust: Vec<Box<dyn FnOnce(Engine) -> Engine + Send>>,
}

type Engine = pan123_transfer::Download;

impl Download {
    /// Takes the bytes from `range.start` up to, not including, `range.end`, and nothing else. Without the whole file no MD5 can be checked.
    pub fn range(self, range: Range<u64>) -> Self {
        self.adjusted(|engine| engine.range(range))
    }

    /// Leaves the MD5 unchecked. The size is still checked.
    pub fn without_verification(self) -> Self {
        self.adjusted(Engine::without_verification)
    }

    /// Calls `callback` as the download goes on, at most 20 times a second.
    pub fn on_progress(self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.adjusted(|engine| engine.on_progress(callback))
    }

    /// Sets how many connections a download to a file may have; see [`pan123_transfer::Download::connections`].
    pub fn connections(self, most: usize) -> Self {
        self.adjusted(move |engine| engine.connections(most))
    }

    /// Says where the checkpoint of a download to a file is kept; see [`pan123_transfer::Download::checkpoints`].
    pub fn checkpoints(self, place: Checkpoints) -> Self {
        self.adjusted(|engine| engine.checkpoints(place))
    }

    /// Keeps to a limit of speed; see [`pan123_transfer::Download::bandwidth`].
    pub fn bandwidth(self, limit: Bandwidth) -> Self {
        self.adjusted(|engine| engine.bandwidth(limit))
    }

    fn adjusted(mut self, change: impl FnOnce(Engine) -> Engine + Send + 'static) -> Self {
        self.adjust.push(Box::new(change));
        self
    }

    /// Downloads into the file `path`, from where an earlier download of the file to it has stopped; see
    /// [`pan123_transfer::Download::to_path`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a folder, [`ErrorKind::ContentRejected`] for a file that the service's review has withheld,
    /// both before an address is asked for; [`ErrorKind::QuotaExceeded`] when the day's traffic is used up; otherwise as the
    /// engine's method. Whatever the error, `path` is as it was.
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<Downloaded> {
        let path = path.as_ref().to_owned();
        self.prepare().await?.to_path(path).await
    }

    /// Downloads into `writer`, which is given back; see [`pan123_transfer::Download::to_writer`].
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path), but that what was written before an error is the writer's business.
    pub async fn to_writer<W: Write + Send + 'static>(self, writer: W) -> Result<(W, Downloaded)> {
        self.prepare().await?.to_writer(writer).await
    }

    /// Downloads into memory, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path), and [`ErrorKind::InvalidInput`] when there is more than `limit`.
    pub async fn bytes(self, limit: usize) -> Result<Bytes> {
        self.prepare().await?.bytes(limit).await
    }

    /// Begins to download, for a caller who takes the bytes as they come. The end of the bytes is an error unless size and MD5 agree.
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path).
    pub async fn open(self) -> Result<Reader> {
        self.prepare().await?.open().await
    }

    async fn prepare(self) -> Result<Engine> {
        let entry = self.client.entry(self.file).await?;
        let engine = self.client.fetching(entry)?;
        Ok(self.adjust.into_iter().fold(engine, |engine, change| change(engine)))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("file", &self.file).finish_non_exhaustive()
    }
}

/// One file of the drive as a source of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) client: Client,
    pub(crate) entry: Entry,
}

impl DownloadOrigin for Origin {
    fn identity(&self) -> String {
        format!("web {}", self.entry.id)
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(self.client.address(&self.entry))
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(async move {
            let fetch = Fetch::new(link.clone());
            let fetch = match range {
                Some(range) => fetch.range(range),
                None => fetch,
            };
            // The engine repeats: it knows how far it has come.
            let fetched = self.client.pipeline().send_with(&fetch, &RetryPolicy::none()).await;
            fetched.map_err(|error| match error.kind() {
                // The file was there when its address was asked for, so it is the address that is gone.
                ErrorKind::NotFound => {
                    error.with_kind(ErrorKind::LinkRejected, "there is nothing at the download address")
                }
                _ => error,
            })
        })
    }
}
