//! What a share is opened for, as methods of the client, each built on operations.

use pan123_core::{
    Error, FileId, Link, Result, RetryPolicy,
    rapid::{RapidFile, RapidLink},
};

use crate::{
    Client, Entry,
    listing::Entries,
    ops::{
        downloads::{BatchItem, DownloadBatch, DownloadInfo},
        shares::{Info, List, ShareInfo},
    },
    walk::Walk,
};

impl Client {
    /// Describes the share: its name, whether it has a password, whether its time has passed.
    ///
    /// # Errors
    ///
    /// As [`Info`]. A wrong password is not noticed: list the share to see.
    pub async fn info(&self) -> Result<ShareInfo> {
        self.send(Info::new(self.key())).await
    }

    /// Lists the entries of a folder of the share, [`FileId::ROOT`] for its root.
    ///
    /// One request for every 100 entries, made when its first entry is asked for, at most one in 700 milliseconds unless the
    /// [limits](crate::ClientBuilder::rate_limits) say otherwise. No token is sent.
    ///
    /// # Errors
    ///
    /// Each step of the walk can fail; asking again goes on where it stopped.
    pub fn list(&self, folder: impl Into<FileId>) -> Entries {
        let folder = self.rooted(folder.into());
        Entries::new(self.pages(List::new(self.key(), folder).password(self.password())))
    }

    /// Walks through all that is in a folder of the share, and in the folders in it.
    pub fn walk(&self, folder: impl Into<FileId>) -> Walk {
        Walk::new(self.clone(), self.rooted(folder.into()))
    }

    /// Returns an address from which a file can be downloaded, with the headers to send along and, where it says so,
    /// its end. Use it soon, and ask again when it is refused.
    ///
    /// Two requests are made: one for an address, with the token if the client has one, and one without any credential
    /// for what that address leads to.
    ///
    /// # Errors
    ///
    /// As [`DownloadInfo`] and [`DownloadInfo::of`]; without a token [`LoginRequired`](pan123_core::ErrorKind::LoginRequired) is to be
    /// expected, and [`Error::message`] says what the service demands. Otherwise as [`pan123_core::Pipeline::resolve`].
    pub async fn link(&self, file: &Entry) -> Result<Link> {
        self.address(file, self.pipeline().retry()).await
    }

    pub(crate) async fn address(&self, file: &Entry, retry: &RetryPolicy) -> Result<Link> {
        let info = DownloadInfo::of(self.key(), file)?.password(self.password());
        let address = self.pipeline().send_with(&info, retry).await?;
        self.pipeline().resolve_with(&address, self.page(), Some(file.size), retry).await
    }

    /// Returns an address from which several files and folders come as one zip archive.
    ///
    /// # Errors
    ///
    /// As [`DownloadBatch`]; otherwise as [`link`](Self::link).
    pub async fn zip_link<I: Into<FileId>>(&self, entries: impl IntoIterator<Item = I>) -> Result<Link> {
        let ids: Vec<BatchItem> = entries.into_iter().map(|entry| BatchItem::from(entry.into())).collect();
        let address = self.send(DownloadBatch::new(self.key(), ids).password(self.password())).await?;
        self.pipeline().resolve(&address, self.page()).await
    }

    /// Makes a rapid-upload link (秒传链接) of all files in a folder of the share, by walking it.
    ///
    /// Files without an MD5 cannot be part of it and are left out. Nothing is downloaded.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list): a link that silently lacks a folder would be worse than none.
    pub async fn rapid_link(&self, folder: impl Into<FileId>) -> Result<RapidLink> {
        let mut walk = self.walk(folder);
        let mut files = Vec::new();
        while let Some(found) = walk.next().await? {
            let Some(md5) = found.entry.md5.filter(|_| found.entry.is_file()) else {
                continue;
            };
            // A stranger may have put into a name what no path may hold.
            if found.folders.iter().chain([&found.entry.name]).any(|name| name.contains('/')) {
                return Err(Error::invalid("a name in the share holds a '/', which no rapid-upload link can carry"));
            }
            let file = RapidFile::new(md5, found.entry.size, found.path())?;
            files.push(file.with_s3_key_flag(found.entry.s3_key_flag));
        }
        Ok(files.into_iter().collect())
    }
}
