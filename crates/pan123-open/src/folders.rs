//! The verbs for whole folders: the drive as a tree of the transfer engine.

use std::{path::PathBuf, sync::Arc};

use pan123_core::{BoxFuture, Error, ErrorKind, FileId, OnConflict, Result};
use pan123_transfer::{FolderDownload, FolderUpload, Tree, TreeEntry, TreeTarget, TreeUpload};

use crate::{Client, Entry, FileRef, download::Origin, link::withheld};

impl Client {
    /// Downloads all that is in a folder, and in the folders in it, a few files side by side.
    ///
    /// Files that are there already, with the same size and MD5, are not downloaded again; files that differ are replaced
    /// unless told otherwise. Nothing happens before [`to_path`](FolderDownload::to_path) or [`plan`](FolderDownload::plan).
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_open::{Client, Entry};
    /// # async fn run(client: Client, photos: Entry) -> pan123_open::Result<()> {
    /// let report = client.download_folder(&photos).to_path("photos").await?;
    /// for item in &report.failed {
    ///     println!("{}: {:?}", item.remote, item.error());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn download_folder(&self, folder: impl Into<FileId>) -> FolderDownload {
        let runtime = Arc::clone(self.pipeline().runtime());
        FolderDownload::new(Drive(self.clone()), folder.into(), runtime).retry(*self.pipeline().retry())
    }

    /// Uploads all that is in a local folder, and in the folders in it, a few files side by side.
    ///
    /// It goes into the client's [`root`](Self::root) unless [`into_folder`](FolderUpload::into_folder) says otherwise; no folder
    /// is made for `local` itself. Files that are there already, with the same size and MD5, are not sent; files that differ
    /// are left as they are, and reported, unless told otherwise. Nothing happens before [`send`](FolderUpload::send) or
    /// [`plan`](FolderUpload::plan).
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_open::{Client, FileId};
    /// # async fn run(client: Client) -> pan123_open::Result<()> {
    /// let photos = client.mkdir_all(FileId::ROOT, "backup/photos").await?;
    /// let report = client.upload_folder("photos").into_folder(photos).replace_existing().send().await?;
    /// println!("{} sent, {} were there, {} failed", report.files, report.same, report.failed.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload_folder(&self, local: impl Into<PathBuf>) -> FolderUpload {
        let (retry, runtime) = (*self.pipeline().retry(), Arc::clone(self.pipeline().runtime()));
        FolderUpload::new(Drive(self.clone()), local, self.root()).runtime(runtime).retry(retry)
    }
}

struct Drive(Client);

impl Tree for Drive {
    fn list(&self, folder: FileId) -> BoxFuture<'_, Result<Vec<TreeEntry>>> {
        Box::pin(async move {
            let entries = self.0.list(folder).collect().await?;
            Ok(entries.into_iter().map(|entry| tree_entry(&self.0, entry)).collect())
        })
    }

    fn ends_everything(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::QuotaExceeded || error.concerns_everything()
    }
}

impl TreeTarget for Drive {
    fn make_folder(&self, parent: FileId, name: String) -> BoxFuture<'_, Result<FileId>> {
        Box::pin(self.0.mkdir(parent, name))
    }

    fn upload(&self, file: TreeUpload) -> BoxFuture<'_, Result<FileId>> {
        Box::pin(async move {
            let on_conflict = if file.replace { OnConflict::Overwrite } else { OnConflict::Fail };
            let upload = self.0.upload(file.source.clone()).name(file.name.as_str()).into_folder(file.parent);
            let upload = upload.on_conflict(on_conflict).engine(|engine| file.apply(engine));
            upload.send().await.map(|file| file.id)
        })
    }
}

fn tree_entry(client: &Client, entry: Entry) -> TreeEntry {
    let (id, is_blocked) = (entry.id, entry.is_blocked());
    if entry.is_folder() {
        return TreeEntry::folder(id, entry.name);
    }
    let origin = Origin { client: client.clone(), file: FileRef::from(&entry) };
    let file = TreeEntry::file(id, entry.name, entry.size, entry.md5, origin);
    if is_blocked { file.withheld(withheld()) } else { file }
}
