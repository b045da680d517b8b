//! The `link` verb: an address from which a file's bytes can be had.

use pan123_core::{Error, ErrorKind, FileId, Link, Md5, Result};

#[cfg(feature = "transfer")]
use crate::Uploaded;
use crate::{Client, Entry, ops::files};

impl Client {
    /// Returns a download address for one file, with its end where it says so: use it soon, and ask again when it is refused.
    ///
    /// How long it lasts is not documented. It needs no header, and must not be given the client's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a folder and [`ErrorKind::ContentRejected`] for a file that the service's review has
    /// withheld, without a request where an [`Entry`] is given; [`ErrorKind::NotFound`] when the file is gone,
    /// [`ErrorKind::QuotaExceeded`] when the day's download traffic is used up, [`ErrorKind::Busy`] while an upload of it is
    /// still being verified.
    pub async fn link(&self, file: impl Into<FileRef>) -> Result<Link> {
        let file = file.into();
        if let Some(known) = file.known {
            known.check()?;
        }
        let link = self.send(files::DownloadInfo::new(file.id)).await?;
        Ok(link.with_own_expiry(self.pipeline().runtime().now()))
    }
}

/// Which file, and what is already known of it.
#[derive(Clone, Debug)]
pub struct FileRef {
    pub(crate) id: FileId,
    pub(crate) known: Option<Known>,
}

#[cfg_attr(not(feature = "transfer"), expect(dead_code, reason = "only downloads compare size and MD5"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) size: u64,
    pub(crate) md5: Option<Md5>,
    is_folder: bool,
    is_blocked: bool,
}

impl Known {
    /// Refuses what has no bytes of its own, and what the service would not give.
    pub(crate) fn check(self) -> Result<()> {
        if self.is_folder {
            return Err(Error::invalid("a folder has no bytes: download_folder downloads its files"));
        }
        if self.is_blocked { Err(withheld()) } else { Ok(()) }
    }
}

/// What is said of a file that nobody may download.
pub(crate) fn withheld() -> Error {
    Error::new(ErrorKind::ContentRejected, "the service's review has withheld this file")
}

impl From<&Entry> for Known {
    fn from(entry: &Entry) -> Self {
        Self { size: entry.size, md5: entry.md5, is_folder: entry.is_folder(), is_blocked: entry.is_blocked() }
    }
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

#[cfg(feature = "transfer")]
impl From<&Uploaded> for FileRef {
    fn from(file: &Uploaded) -> Self {
        let known = Known { size: file.size, md5: Some(file.md5), is_folder: false, is_blocked: false };
        Self { id: file.id, known: Some(known) }
    }
}
