//! The `link` verb and its like: addresses from which bytes can be had, and what they would cost.

use pan123_core::{Error, ErrorKind, FileId, Link, Result, RetryPolicy};
use url::Url;

#[cfg(feature = "transfer")]
use crate::Uploaded;
use crate::{
    Client, Entry,
    ops::downloads::{BatchItem, DownloadBatch, DownloadInfo, Traffic, TrafficCheck},
};

impl Client {
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
        let entry = match file.into().0 {
            Known::Entry(entry) => *entry,
            Known::Id(id) => self.stat(id).await?,
        };
        check(&entry)?;
        if entry.size == 0 {
            return Err(Error::invalid("an empty file has no address: there is nothing to download"));
        }
        self.address(&entry, self.pipeline().retry()).await
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

    /// Asks for the address of a file of which everything is known, and follows it to where the bytes are.
    pub(crate) async fn address(&self, entry: &Entry, retry: &RetryPolicy) -> Result<Link> {
        let info = DownloadInfo::of(entry)?;
        let (pipeline, page) = (self.pipeline(), page());
        let address = pipeline.send_with(&info, retry).await?;
        match pipeline.resolve_with(&address, &page, Some(entry.size), retry).await {
            // It may have expired on the way: one more is asked for (`web.yaml`, flow `download`).
            Err(error) if matches!(error.kind(), ErrorKind::LinkRejected | ErrorKind::NotFound) => {
                let address = pipeline.send_with(&info, retry).await?;
                pipeline.resolve_with(&address, &page, Some(entry.size), retry).await
            }
            resolved => resolved,
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
pub struct FileRef(pub(crate) Known);

#[derive(Clone, Debug)]
pub(crate) enum Known {
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

#[cfg(feature = "transfer")]
impl From<&Uploaded> for FileRef {
    fn from(file: &Uploaded) -> Self {
        Self::from(file.id)
    }
}
