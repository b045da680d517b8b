//! The `download` verb: where the transfer engine gets the bytes of a share's file from.

use std::{ops::Range, sync::Arc};

use pan123_core::{BoxFuture, Fetch, Fetched, Link, Result, RetryPolicy};
use pan123_transfer::{Download, DownloadOrigin, Expected};

use crate::{Client, Entry, ops::downloads::DownloadInfo};

impl Client {
    /// Downloads a file: resumed after a cut, and checked for size and MD5.
    ///
    /// Nothing happens before one of the endings of [`Download`]: [`to_path`](Download::to_path), [`bytes`](Download::bytes),
    /// [`open`](Download::open). The address is asked for before the first byte, and again when it is refused.
    ///
    /// # Errors
    ///
    /// The endings give what [`link`](Self::link) and the engine give; a folder is an error there.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_share::{Client, Entry};
    /// # async fn run(share: Client, file: Entry) -> pan123_share::Result<()> {
    /// share.download(&file).to_path("copy.mp4").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn download(&self, file: &Entry) -> Download {
        let origin = Origin { client: self.clone(), file: file.clone() };
        Download::new(origin, Arc::clone(self.pipeline().runtime())).retry(*self.pipeline().retry())
    }
}

/// One file of a share as a source of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) client: Client,
    pub(crate) file: Entry,
}

// Nothing is repeated here: the engine repeats, and knows how far it has come.
impl DownloadOrigin for Origin {
    fn identity(&self) -> String {
        format!("share {} {}", self.client.key(), self.file.id)
    }

    fn expected(&self) -> BoxFuture<'_, Result<Expected>> {
        Box::pin(async {
            DownloadInfo::of(self.client.key(), &self.file)?;
            Ok(Expected::new(Some(self.file.size), self.file.md5))
        })
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async { self.client.address(&self.file, &RetryPolicy::none()).await })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        let fetch = Fetch::new(link.clone()).range(range);
        Box::pin(async move { self.client.pipeline().send_with(&fetch, &RetryPolicy::none()).await })
    }
}
