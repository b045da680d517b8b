//! Rapid-upload links (秒传链接): a drive that files are put into by their digest, and a link made of its own files.

use pan123_core::{
    BoxFuture, FileId, Md5, Operation, Result, name,
    rapid::{InstantUpload, RapidFile, RapidLink},
};
use pan123_transfer::Fingerprint;

use crate::{Client, ops::uploads::Create, upload::Target};

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
            let created = self.send(Create::new(folder, name, md5, size)).await?;
            let target = Target::new(self.clone(), folder, name);
            let confirmed = target.confirm(created, &Fingerprint::new(size, md5), Create::META.id).await?;
            // Where the bytes are wanted, a link has none. The ticket runs out by itself.
            Ok(confirmed.ok())
        })
    }
}

impl Client {
    /// Makes a rapid-upload link (秒传链接) of all files in `folder` and in the folders in it.
    ///
    /// Paths begin below `folder`. Files without an MD5 and what is in the trash are left out. One list is made for each
    /// folder.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list): a link that silently lacks a folder would be worse than none.
    pub async fn rapid_link(&self, folder: impl Into<FileId>) -> Result<RapidLink> {
        let mut files = Vec::new();
        let mut folders = vec![(folder.into(), String::new())];
        while let Some((folder, path)) = folders.pop() {
            let mut entries = self.list(folder);
            while let Some(entry) = entries.next().await? {
                let path = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
                if entry.is_folder() {
                    folders.push((entry.id, path));
                } else if let Some(md5) = entry.md5 {
                    files.push(RapidFile::new(md5, entry.size, path)?);
                }
            }
        }
        Ok(files.into_iter().collect())
    }
}
