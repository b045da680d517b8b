//! Rapid-upload links (秒传链接): a drive that files are put into by their digest, and a link made of its own files.

use pan123_core::{
    BoxFuture, FileId, Md5, OnConflict, Result, name,
    rapid::{InstantUpload, RapidFile, RapidLink},
};
use pan123_transfer::Fingerprint;

use crate::{
    Client,
    ops::uploads::{Create, Created},
    upload::Target,
};

impl InstantUpload for Client {
    fn make_folder<'a>(&'a self, parent: FileId, name: &'a str) -> BoxFuture<'a, Result<FileId>> {
        Box::pin(self.mkdir_all(parent, name))
    }

    fn instant_upload<'a>(
        &'a self,
        folder: FileId,
        name: &'a str,
        md5: Md5,
        size: u64,
    ) -> BoxFuture<'a, Result<Option<FileId>>> {
        Box::pin(async move {
            name::check(name)?;
            match self.send(Create::new(folder, name, md5, size)).await? {
                Created::Stored(entry) => Ok(Some(entry.id)),
                Created::Unconfirmed => {
                    let target = Target::new(self.clone(), folder, name, OnConflict::Fail);
                    target.reused(name, &Fingerprint::new(size, md5)).await.map(|entry| Some(entry.id))
                }
                // The bytes are wanted, and a link has none. The session is left behind, as clients do.
                Created::Wanted(_) => Ok(None),
            }
        })
    }
}

impl Client {
    /// Makes a rapid-upload link (秒传链接) of all files in `folder` and in the folders in it.
    ///
    /// Paths begin below `folder`. Files without an MD5 are left out. One list is made for each folder.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list): a link that silently lacks a folder would be worse than none.
    pub async fn rapid_link(&self, folder: impl Into<FileId>) -> Result<RapidLink> {
        let mut walk = self.walk(folder);
        let mut files = Vec::new();
        while let Some(found) = walk.next().await? {
            if let Some(md5) = found.entry.md5.filter(|_| found.entry.is_file()) {
                let file = RapidFile::new(md5, found.entry.size, found.path())?;
                files.push(file.with_s3_key_flag(found.entry.s3_key_flag));
            }
        }
        Ok(files.into_iter().collect())
    }
}
