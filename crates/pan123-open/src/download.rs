//! The `download` verb: where the transfer engine gets an Open Platform file's bytes from.

use std::{ops::Range, sync::Arc};

use pan123_core::{BoxFuture, Error, ErrorKind, Fetch, Fetched, FileId, Link, Md5, Result, RetryPolicy};
use pan123_transfer::{Download, DownloadOrigin, Expected};

use crate::{Client, Entry, Uploaded, ops::files};

impl Client {
    /// Downloads a file: resumed after a cut, and checked for size and MD5.
    ///
    /// `file` is an [`Entry`] of a listing, an [`Uploaded`] file, or an id, for which size and MD5 are asked first.
    /// Nothing happens before one of the endings of [`Download`]: [`to_path`](Download::to_path),
    /// [`to_writer`](Download::to_writer), [`bytes`](Download::bytes), [`open`](Download::open).
    ///
    /// Protocol: `open-files.yaml`, `flow.download`.
    ///
    /// # Errors
    ///
    /// The endings give [`ErrorKind::InvalidInput`] for a folder, [`ErrorKind::ContentRejected`] for a file that the service's
    /// review has withheld, [`ErrorKind::NotFound`] when it is gone, [`ErrorKind::QuotaExceeded`] when the day's traffic is used
    /// up; otherwise what the engine gives.
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
        let (retry, runtime) = (*self.pipeline().retry(), Arc::clone(self.pipeline().runtime()));
        Download::new(Origin { client: self.clone(), file: file.into() }, runtime).retry(retry)
    }

    /// Fetches bytes once. The engine repeats: it knows how far it has come.
    pub(crate) async fn fetch(&self, link: &Link, range: Option<Range<u64>>) -> Result<Fetched> {
        self.pipeline().send_with(&Fetch::new(link.clone()).range(range), &RetryPolicy::none()).await
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

impl Known {
    /// Says what a download will bring, unless there is nothing to download.
    fn expected(self) -> Result<Expected> {
        if self.is_folder {
            return Err(Error::invalid("a folder has no bytes: download_folder downloads its files"));
        }
        if self.is_blocked {
            return Err(withheld());
        }
        Ok(Expected::new(Some(self.size), self.md5))
    }
}

impl From<&Entry> for Known {
    fn from(entry: &Entry) -> Self {
        Self { size: entry.size, md5: entry.md5, is_folder: entry.is_folder(), is_blocked: entry.is_blocked() }
    }
}

/// What is said of a file that nobody may download.
pub(crate) fn withheld() -> Error {
    Error::new(ErrorKind::ContentRejected, "the service's review has withheld this file")
}

impl From<FileId> for FileRef {
    fn from(id: FileId) -> Self {
        Self { id, known: None }
    }
}

impl From<&Entry> for FileRef {
    fn from(entry: &Entry) -> Self {
        Self { id: entry.id, known: Some(entry.into()) }
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

/// One file of the drive as a source of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) client: Client,
    pub(crate) file: FileRef,
}

impl DownloadOrigin for Origin {
    fn identity(&self) -> String {
        format!("open {}", self.file.id)
    }

    fn expected(&self) -> BoxFuture<'_, Result<Expected>> {
        Box::pin(async {
            match self.file.known {
                Some(known) => known.expected(),
                None => Known::from(&self.client.stat(self.file.id).await?).expected(),
            }
        })
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async { self.client.send(files::DownloadInfo::new(self.file.id)).await })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(self.client.fetch(link, range))
    }
}
