//! Keeping a drive in order: renaming, moving, copying, the trash.

use pan123_core::{FileId, Result};

use crate::{Client, ops::manage};

impl Client {
    /// Renames one file or folder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when the name is taken, [`ErrorKind::NotFound`] when the entry is gone,
    /// [`ErrorKind::InvalidInput`] for a name that the service would refuse.
    pub async fn rename(&self, file: impl Into<FileId>, name: impl Into<String>) -> Result<()> {
        self.send(manage::Rename::new(file, name)).await
    }

    /// Moves files and folders into `folder`. More than 100 are moved by several calls.
    ///
    /// # Errors
    ///
    /// When a call fails the others are still made; [`Error::failed_items`] names the entries that were not moved.
    pub async fn move_to<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>, folder: impl Into<FileId>) -> Result<()> {
        let folder = folder.into();
        self.batch(files, |ids| manage::Move::new(ids, folder)).await
    }

    /// Copies one file into `folder` and returns the id of the copy. The name is kept.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the file is gone; [`Error::may_have_happened`] when the answer was lost.
    pub async fn copy(&self, file: impl Into<FileId>, folder: impl Into<FileId>) -> Result<FileId> {
        self.send(manage::Copy::new(file, folder)).await.map(|copied| copied.target)
    }

    /// Puts files and folders in the trash back to where they were. More than 100 are restored by several calls.
    ///
    /// Returns those whose folder is gone: they stay in the trash, and [`restore_to`](Self::restore_to) gives them a new place.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn restore<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<Vec<FileId>> {
        let mut homeless = Vec::new();
        self.batch_with(files, manage::Recover::new, |recovered| homeless.extend(recovered.abnormal)).await?;
        Ok(homeless)
    }

    /// Puts files and folders in the trash into `folder`. More than 100 are restored by several calls.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn restore_to<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>, folder: impl Into<FileId>) -> Result<()> {
        let folder = folder.into();
        self.batch(files, |ids| manage::RecoverTo::new(ids, folder)).await
    }

    /// Deletes files and folders for good: they are moved to the trash first, which the service demands.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn delete<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        let ids: Vec<FileId> = files.into_iter().map(Into::into).collect();
        self.trash(ids.iter().copied()).await?;
        self.batch(ids, manage::Delete::new).await
    }
}
