//! Keeping a drive in order: names, places, stars, the recycle bin.

use std::ops::ControlFlow;

use pan123_core::{Error, FileId, Result, batch};

use crate::{
    Client,
    ops::{
        MOST_IDS,
        details::Infos,
        manage::{ExportTree, Move, Rename},
        stars::{Star, Starred},
        trash::{Delete, Restore, RestoreTo, Trash},
    },
};

impl Client {
    /// Renames one file or folder.
    ///
    /// When the answer is lost, the entry is looked at before anything is sent again.
    ///
    /// Protocol: `web.yaml`, `file.rename`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is taken,
    /// [`ErrorKind::NotFound`](pan123_core::ErrorKind::NotFound) when the entry is gone,
    /// [`ErrorKind::InvalidInput`](pan123_core::ErrorKind::InvalidInput) for a name that the service would refuse.
    /// [`Error::may_have_happened`] says that a look at the entry is needed.
    pub async fn rename(&self, file: impl Into<FileId>, name: impl Into<String>) -> Result<()> {
        let (id, name) = (file.into(), name.into());
        let name = name.as_str();
        let send = |()| async move { self.send(Rename::new(id, name)).await };
        let look = |()| async move {
            let is_done = self.row(id, self.pipeline().retry()).await?.is_some_and(|entry| entry.name == name);
            Ok(if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        self.settle((), send, look).await.map_err(|(error, ())| error)
    }

    /// Moves files and folders into `folder`. More than 100 are moved by several calls.
    ///
    /// When an answer is lost, the entries are looked at, and only those that were not moved are sent again.
    ///
    /// Protocol: `web.yaml`, `file.move`.
    ///
    /// # Errors
    ///
    /// When a call fails the others are still made; [`Error::failed_items`] names the entries that were not moved, or of
    /// which it is not known.
    pub async fn move_to<I: Into<FileId>>(
        &self,
        files: impl IntoIterator<Item = I>,
        folder: impl Into<FileId>,
    ) -> Result<()> {
        let folder = folder.into();
        let is_there = |entry: Option<&crate::Entry>| entry.is_some_and(|entry| entry.parent_id == folder);
        self.change(&ids(files), |ids| Move::new(ids, folder), is_there).await
    }

    /// Moves files and folders to the recycle bin. More than 100 are moved by several calls.
    ///
    /// Protocol: `web.yaml`, `file.trash`.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn trash<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        self.change(&ids(files), Trash::new, |entry| entry.is_some_and(|entry| entry.trashed)).await
    }

    /// Puts files and folders in the recycle bin back to where they were. More than 100 are restored by several calls.
    ///
    /// Protocol: `web.yaml`, `file.restore`.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to). What the service says when that folder is gone is not documented;
    /// [`restore_to`](Self::restore_to) gives entries a new place.
    pub async fn restore<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        self.change(&ids(files), Restore::new, |entry| entry.is_some_and(|entry| !entry.trashed)).await
    }

    /// Puts files and folders in the recycle bin into `folder`. More than 100 are restored by several calls.
    ///
    /// Protocol: `web.yaml`, `file.restore_to`.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn restore_to<I: Into<FileId>>(
        &self,
        files: impl IntoIterator<Item = I>,
        folder: impl Into<FileId>,
    ) -> Result<()> {
        let folder = folder.into();
        let is_there =
            |entry: Option<&crate::Entry>| entry.is_some_and(|entry| !entry.trashed && entry.parent_id == folder);
        self.change(&ids(files), |ids| RestoreTo::new(ids, folder), is_there).await
    }

    /// Deletes files and folders for good. The service deletes only what is in the recycle bin, so those that are not are moved there first.
    ///
    /// Three requests for every 100 entries.
    ///
    /// Protocol: `web.yaml`, `file.delete`.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to). An entry that failed may have got as far as the recycle bin.
    pub async fn delete<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        let ids = ids(files);
        let mut outside = Vec::new();
        let ask = |ids| self.send(Infos::new(ids));
        let asked = batch::run(&ids, MOST_IDS, ask, |rows| {
            outside.extend(rows.into_iter().filter(|row| !row.trashed).map(|row| row.id));
        });
        let mut failed = batch::failures(asked.await);
        failed.extend(batch::failures(self.trash(outside).await));
        let trashed: Vec<FileId> = ids.iter().copied().filter(|id| failed.iter().all(|(kept, _)| kept != id)).collect();
        failed.extend(batch::failures(self.change(&trashed, Delete::new, |entry| entry.is_none()).await));
        Error::of_batch(failed, ids.len())
    }

    /// Gives files and folders a star. More than 100 get theirs by several calls.
    ///
    /// Protocol: `web.yaml`, `file.star`.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn star<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        self.set_stars(&ids(files), Starred::Yes).await
    }

    /// Takes the stars of files and folders away. More than 100 lose theirs by several calls.
    ///
    /// Protocol: `web.yaml`, `file.star`.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn unstar<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        self.set_stars(&ids(files), Starred::No).await
    }

    async fn set_stars(&self, ids: &[FileId], to: Starred) -> Result<()> {
        batch::run(ids, MOST_IDS, |ids| self.send(Star::new(ids, to)), drop).await
    }

    /// Writes what is below `folder` into the text file `name`, which the service puts into the folder `into`.
    ///
    /// [`ExportTree`] has more choices: several folders, how deep, what, and how it is written.
    ///
    /// Protocol: `web.yaml`, `file.export_tree`.
    ///
    /// # Errors
    ///
    /// [`Error::may_have_happened`] says that the answer was lost: look for the file before the call is repeated.
    pub async fn export_tree(
        &self,
        folder: impl Into<FileId>,
        into: impl Into<FileId>,
        name: impl Into<String>,
    ) -> Result<()> {
        self.send(ExportTree::new([folder.into()], name, into)).await
    }
}

fn ids<I: Into<FileId>>(files: impl IntoIterator<Item = I>) -> Vec<FileId> {
    files.into_iter().map(Into::into).collect()
}
