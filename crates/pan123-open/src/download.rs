//! The `download` verb: where the transfer engine gets an Open Platform file's bytes from.

use std::{fmt, io::Write, ops::Range, path::Path, sync::Arc};

use bytes::Bytes;
use pan123_core::{BoxFuture, Error, ErrorKind, Fetch, Fetched, FileId, Link, Md5, Result, RetryPolicy};
use pan123_transfer::{Bandwidth, Checkpoints, DownloadOrigin, Downloaded, Expected, Progress, Reader};

use crate::{Client, Entry, Uploaded, ops::files};

impl Client {
    /// Downloads a file: resumed after a cut, and checked for size and MD5.
    ///
    /// `file` is an [`Entry`] of a listing, an [`Uploaded`] file, or an id, for which size and MD5 are asked first.
    /// Nothing happens before one of [`to_path`](Download::to_path), [`bytes`](Download::bytes) or [`open`](Download::open).
    ///
    /// Protocol: `open-files.yaml`, `flow.download`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_open::{Client, Entry};
    /// # async fn run(client: Client, file: Entry) -> pan123_open::Result<()> {
    /// client.download(&file).to_path("copy.tar").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn download(&self, file: impl Into<FileRef>) -> Download {
        Download { client: self.clone(), file: file.into(), adjust: Vec::new() }
    }

    /// Fetches bytes once. The engine repeats: it knows how far it has come.
    pub(crate) async fn fetch(&self, link: &Link, range: Option<Range<u64>>) -> Result<Fetched> {
        let fetch = Fetch::new(link.clone());
        let fetch = match range {
            Some(range) => fetch.range(range),
            None => fetch,
        };
        self.pipeline().send_with(&fetch, &RetryPolicy::none()).await
    }
}

/// Which file, and what is already known of it.
#[derive(Clone, Debug)]
pub struct FileRef {
    id: FileId,
    known: Option<Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    size: u64,
    md5: Option<Md5>,
    is_folder: bool,
    is_blocked: bool,
}

impl From<FileId> for FileRef {
    fn from(id: FileId) -> Self {
        Self { id, known: None }
    }
}

impl From<&Entry> for FileRef {
    fn from(entry: &Entry) -> Self {
        let known =
            Known { size: entry.size, md5: entry.md5, is_folder: entry.is_folder(), is_blocked: entry.is_blocked() };
        Self { id: entry.id, known: Some(known) }
    }
}

impl From<Entry> for FileRef {
    fn from(entry: Entry) -> Self {
        Self::from(&entry)
    }
}

impl From<&Uploaded> for FileRef {
    fn from(file: &Uploaded) -> Self {
        let known = Known { size: file.size, md5: Some(file.md5), is_folder: false, is_blocked: false };
        Self { id: file.id, known: Some(known) }
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

    /// Leaves the MD5 unchecked, as for a file of which the service knows none. The size is still checked.
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
    pub fn checkpoints(self, place: impl Into<Checkpoints>) -> Self {
        let place = place.into();
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
    /// [`ErrorKind::NotFound`] when it is gone, [`ErrorKind::QuotaExceeded`] when the day's traffic is used up; otherwise as the
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
        let file = match self.file.known {
            Some(_) => self.file,
            None => FileRef::from(self.client.stat(self.file.id).await?),
        };
        let engine = file.engine(&self.client)?;
        Ok(self.adjust.into_iter().fold(engine, |engine, change| change(engine)))
    }
}

impl FileRef {
    /// Makes the engine's download of a file of which everything is known.
    fn engine(&self, client: &Client) -> Result<Engine> {
        let known = self.known.expect("an entry is known");
        if known.is_folder {
            return Err(Error::invalid("a folder has no bytes: download_folder downloads its files"));
        }
        if known.is_blocked {
            return Err(Error::new(ErrorKind::ContentRejected, "the service's review has withheld this file"));
        }
        let (retry, runtime) = (*client.pipeline().retry(), Arc::clone(client.pipeline().runtime()));
        let origin = Origin { client: client.clone(), id: self.id };
        Ok(Engine::new(origin, Expected::new(Some(known.size), known.md5), runtime).retry(retry))
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
    pub(crate) id: FileId,
}

impl DownloadOrigin for Origin {
    fn identity(&self) -> String {
        format!("open {}", self.id)
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async move { self.client.send(files::DownloadInfo::new(self.id)).await })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(self.client.fetch(link, range))
    }
}
