//! The `download_folder` verb: a share as a tree of the transfer engine.

use std::sync::Arc;

use pan123_core::{BoxFuture, Error, FileId, Result};
use pan123_transfer::{FolderDownload, Tree, TreeEntry};

use crate::{Client, Entry, download::Origin, ops::downloads::DownloadInfo, walk::ends_everything};

impl Client {
    /// Downloads all that is in a folder of the share, and in the folders in it, one file beside a few others.
    ///
    /// `folder` is an [`Entry`] of a list or an id; [`FileId::ROOT`] is all of the share. Nothing happens before
    /// [`to_path`](FolderDownload::to_path). Files that are there already, with the size and MD5 that the share lists, are
    /// not downloaded again. What fails is reported, and the rest goes on, unless the next file is bound to meet it too: a
    /// login that is wanted, traffic that is used up, a share that is gone.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_share::{Client, FileId};
    /// # async fn run(share: Client) -> pan123_share::Result<()> {
    /// let done = share.download_folder(FileId::ROOT).to_path("films").await?;
    /// for missing in &done.failed {
    ///     println!("{}: {:?}", missing.remote, missing.error());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn download_folder(&self, folder: impl Into<FileId>) -> FolderDownload {
        let runtime = Arc::clone(self.pipeline().runtime());
        FolderDownload::new(Share(self.clone()), folder.into(), runtime).retry(*self.pipeline().retry())
    }
}

struct Share(Client);

impl Tree for Share {
    fn list(&self, folder: FileId) -> BoxFuture<'_, Result<Vec<TreeEntry>>> {
        Box::pin(async move {
            let entries = self.0.list(folder).collect().await?;
            Ok(entries.into_iter().map(|entry| tree_entry(&self.0, entry)).collect())
        })
    }

    fn ends_everything(&self, error: &Error) -> bool {
        ends_everything(error)
    }
}

fn tree_entry(client: &Client, entry: Entry) -> TreeEntry {
    if entry.is_folder() {
        return TreeEntry::folder(entry.id, entry.name);
    }
    let refusal = DownloadInfo::of(client.key(), &entry).err();
    let (id, name, size, md5) = (entry.id, entry.name.clone(), entry.size, entry.md5);
    let file = TreeEntry::file(id, name, size, md5, Origin { client: client.clone(), file: entry });
    match refusal {
        Some(error) => file.withheld(error),
        None => file,
    }
}
