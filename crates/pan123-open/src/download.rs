//! The `download` verb: where the transfer engine gets an Open Platform file's bytes from.

use std::{ops::Range, sync::Arc};

use pan123_core::{BoxFuture, Fetch, Fetched, Link, Result};
use pan123_transfer::{Download, DownloadOrigin, Expected};

use crate::{Client, FileRef, link::Known, ops::files};

impl Client {
    /// Downloads a file: resumed after a cut, and checked for size and MD5.
    ///
    /// `file` is an [`Entry`](crate::Entry) of a listing, an [`Uploaded`](crate::Uploaded) file, or an id, for which size and MD5
    /// are asked first. Nothing happens before one of the endings of [`Download`]: [`to_path`](Download::to_path),
    /// [`to_writer`](Download::to_writer), [`bytes`](Download::bytes), [`open`](Download::open).
    ///
    /// Protocol: `open-files.yaml`, `flow.download`.
    ///
    /// # Errors
    ///
    /// The endings give those of [`link`](Self::link), also where only an id is given; otherwise what the engine gives.
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
        self.once(&Fetch::new(link.clone()).range(range)).await
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
            let known = match self.file.known {
                Some(known) => known,
                None => Known::from(&self.client.stat(self.file.id).await?),
            };
            known.check()?;
            Ok(Expected::new(Some(known.size), known.md5))
        })
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async { self.client.once(&files::DownloadInfo::new(self.file.id)).await })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(self.client.fetch(link, range))
    }
}
