//! Keeping a drive in order: renaming, moving, copying, the trash.

use std::time::Duration;

use pan123_core::{Error, ErrorKind, FileId, Operation, Profile, Result, Wait, batch};

use crate::{
    Client, OpenProfile,
    ops::{
        files,
        manage::{self, CopyState, CopyTask},
    },
};

/// How long a copy of many entries may take before [`Client::copy_all`] stops waiting.
pub const COPY_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How often the service is asked how far a copy is.
const COPY_INTERVAL: Duration = Duration::from_secs(1);

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
    /// When a call fails the others are still made, unless they would fail as well, as after a ban; [`Error::failed_items`]
    /// names the entries that were not moved.
    pub async fn move_to<I: Into<FileId>>(
        &self,
        files: impl IntoIterator<Item = I>,
        folder: impl Into<FileId>,
    ) -> Result<()> {
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
    pub async fn restore_to<I: Into<FileId>>(
        &self,
        files: impl IntoIterator<Item = I>,
        folder: impl Into<FileId>,
    ) -> Result<()> {
        let folder = folder.into();
        self.batch(files, |ids| manage::RecoverTo::new(ids, folder)).await
    }

    /// Deletes files and folders for good. The service deletes only what is in the trash, so those that are not are moved
    /// there first.
    ///
    /// Three requests for every 100 entries.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to). An entry that failed may have got as far as the trash.
    pub async fn delete<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        let ids: Vec<FileId> = files.into_iter().map(Into::into).collect();
        let mut outside = Vec::new();
        let asked = self
            .batch_with(ids.iter().copied(), files::Infos::new, |entries| {
                outside.extend(entries.into_iter().filter(|entry| !entry.trashed).map(|entry| entry.id));
            })
            .await;
        let mut failed = batch::failures(asked);
        failed.extend(batch::failures(self.trash(outside).await));
        let trashed: Vec<FileId> = ids.iter().copied().filter(|id| failed.iter().all(|(kept, _)| kept != id)).collect();
        failed.extend(batch::failures(self.batch(trashed, manage::Delete::new).await));
        Error::of_batch(failed, ids.len())
    }

    /// Renames many files and folders, 30 by each call.
    ///
    /// # Errors
    ///
    /// [`Error::failed_items`] names the entries that were not renamed, each with the service's own reason.
    pub async fn rename_all<I: Into<FileId>, N: Into<String>>(
        &self,
        names: impl IntoIterator<Item = (I, N)>,
    ) -> Result<()> {
        let renames: Vec<_> = names.into_iter().map(|(id, name)| (id.into(), name.into())).collect();
        let mut failed = Vec::new();
        let mut stopped: Option<Error> = None;
        for chunk in renames.chunks(manage::MOST_RENAMES) {
            let renamings = chunk.iter().map(|(id, name): &(FileId, String)| manage::Renaming::new(*id, name.as_str()));
            let sent = match &stopped {
                Some(error) => Err(error.clone()),
                None => self.send(manage::RenameBatch::new(renamings.collect::<Vec<_>>())).await,
            };
            match sent {
                Ok(report) => failed.extend(report.failed.into_iter().map(|failure| {
                    let endpoint = manage::RenameBatch::META.id;
                    // An entry is refused without a code; 1 is the one of which the text alone says what it means.
                    let (kind, text) = OpenProfile.classify(endpoint, 1, &failure.message);
                    (failure.id, Error::new(kind, text).with_endpoint(endpoint).with_answer(0, &failure.message))
                })),
                Err(error) => {
                    failed.extend(chunk.iter().map(|(id, _)| (*id, error.clone())));
                    stopped = Some(error).filter(Error::concerns_everything);
                }
            }
        }
        Error::of_batch(failed, renames.len())
    }

    /// Copies many files and folders into `folder`, as a task of the service's that is waited for, up to [`COPY_TIMEOUT`].
    ///
    /// More than [`MOST_COPIES`](manage::MOST_COPIES) are copied by several tasks, one after the other. Dropping the future stops
    /// the waiting, and not the copy that is running.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to), and of the kinds of [`wait_for_copy`](Self::wait_for_copy). Of the entries that are named
    /// some may have been copied: all of a task count as failed.
    pub async fn copy_all<I: Into<FileId>>(
        &self,
        files: impl IntoIterator<Item = I>,
        folder: impl Into<FileId>,
    ) -> Result<()> {
        let (ids, folder): (Vec<FileId>, FileId) = (files.into_iter().map(Into::into).collect(), folder.into());
        let copy = |ids: Vec<FileId>| async move {
            let task = self.send(manage::CopyAsync::new(ids, folder)).await?;
            self.wait_for_copy(task, COPY_TIMEOUT).await
        };
        batch::run(&ids, manage::MOST_COPIES, copy, drop).await
    }

    /// Waits for a copy that [`CopyAsync`](manage::CopyAsync) began, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] when the task fails, of which the service gives no reason; [`ErrorKind::CompletionTimeout`] when it
    /// is still running.
    pub async fn wait_for_copy(&self, task: CopyTask, timeout: Duration) -> Result<()> {
        let endpoint = manage::CopyProcess::META.id;
        let late = "the copy is still running; wait for its task again";
        let wait = Wait { pause: COPY_INTERVAL, timeout, late, endpoint };
        let ask = || self.send(manage::CopyProcess::new(task));
        wait.until(&**self.pipeline().runtime(), ask, |status| match status.state {
            CopyState::Done => Ok(Some(())),
            CopyState::Failed => {
                let text = "the service could not copy everything; it gives no reason";
                Err(Error::new(ErrorKind::Api, text).with_endpoint(endpoint))
            }
            _ => Ok(None),
        })
        .await
    }
}
