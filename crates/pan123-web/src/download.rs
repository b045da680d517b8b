//! The `download` verb: where the transfer engine gets the bytes of a file from.

use std::{ops::Range, sync::Arc};

use pan123_core::{BoxFuture, ErrorKind, Fetch, Fetched, FileId, Link, Result, RetryPolicy};
use pan123_transfer::{Download, DownloadOrigin, Expected};
use tokio::sync::OnceCell;

use crate::{
    Client, Entry, FileRef,
    link::{Known, check},
};

impl Client {
    /// Downloads a file: resumed after a cut, and checked for size and MD5.
    ///
    /// `file` is an [`Entry`] of a list, an [`Uploaded`](crate::Uploaded) file, or an id; for the latter two the entry is asked for first. Nothing
    /// happens before one of the endings of [`Download`]: [`to_path`](Download::to_path), [`to_writer`](Download::to_writer),
    /// [`bytes`](Download::bytes), [`open`](Download::open). An address is asked for before the first byte, and again when it is
    /// refused; a file of 0 bytes needs none.
    ///
    /// Protocol: `web.yaml`, flow `download`.
    ///
    /// # Errors
    ///
    /// The endings give [`ErrorKind::InvalidInput`] for a folder and [`ErrorKind::ContentRejected`] for a file that the service's
    /// review has withheld, both before an address is asked for; [`ErrorKind::QuotaExceeded`] when the day's traffic is used up;
    /// otherwise what the engine gives.
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
        let (retry, runtime) = (*self.pipeline().retry(), Arc::clone(self.pipeline().runtime()));
        Download::new(Origin::new(self, file), runtime).retry(retry)
    }
}

/// One file of the drive as a source of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    client: Client,
    id: FileId,
    entry: OnceCell<Entry>,
}

impl Origin {
    pub(crate) fn new(client: &Client, file: impl Into<FileRef>) -> Self {
        let (id, entry) = match file.into().0 {
            Known::Id(id) => (id, OnceCell::new()),
            Known::Entry(entry) => (entry.id, OnceCell::new_with(Some(*entry))),
        };
        Self { client: client.clone(), id, entry }
    }

    /// The service wants all that it says of a file back, for an address.
    async fn entry(&self, retry: &RetryPolicy) -> Result<&Entry> {
        self.entry.get_or_try_init(|| self.client.stat_with(self.id, retry)).await
    }
}

// No address and no range is asked for again here: the engine repeats, and knows how far it has come.
impl DownloadOrigin for Origin {
    fn identity(&self) -> String {
        format!("web {}", self.id)
    }

    fn expected(&self) -> BoxFuture<'_, Result<Expected>> {
        Box::pin(async {
            let entry = self.entry(self.client.pipeline().retry()).await?;
            check(entry)?;
            Ok(Expected::new(Some(entry.size), entry.md5))
        })
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async {
            let once = RetryPolicy::none();
            self.client.address(self.entry(&once).await?, &once).await
        })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(async move {
            let fetch = Fetch::new(link.clone()).range(range);
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
