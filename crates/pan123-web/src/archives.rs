//! Archives in the drive: looking into one, and unpacking it in the drive.

use std::{fmt, ops::ControlFlow, time::Duration};

use pan123_core::{Error, ErrorKind, FileId, Operation, Result, Secret, Wait};

use crate::{
    Client,
    ops::archives::{
        ArchiveMember, ArchiveProgress, ArchiveState, ArchiveStatus, ArchiveTask, ArchiveWork, Extract, ReadArchive,
    },
};

/// How long reading or unpacking an archive may take before it is not waited for any longer.
pub const ARCHIVE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How often the service is asked how far it is.
const INTERVAL: Duration = Duration::from_secs(1);

/// An archive that the service has looked into; see [`Client::read_archive`].
#[derive(Clone)]
pub struct Archive {
    client: Client,
    id: FileId,
    task: ArchiveTask,
    password: Option<Secret>,
    members: Vec<ArchiveMember>,
}

impl Client {
    /// Has the service look into an archive in the drive, and waits for it, up to [`ARCHIVE_TIMEOUT`]. Nothing is downloaded.
    ///
    /// Protocol: `web.yaml`, `file.archive_list`, `file.archive_status`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`], as far as is known, when the password is wrong or missing, or the service cannot read the archive;
    /// [`ErrorKind::CompletionTimeout`] when it is still at it.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_web::{Client, FileId};
    /// # async fn run(client: Client, zip: FileId, folder: FileId) -> pan123_web::Result<()> {
    /// let archive = client.read_archive(zip, None).await?;
    /// let wanted = archive.members().iter().filter(|member| member.name.ends_with(".pdf"));
    /// archive.extract(wanted, folder).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_archive(&self, file: impl Into<FileId>, password: Option<Secret>) -> Result<Archive> {
        let id = file.into();
        let read = ReadArchive::new(id);
        let read = match &password {
            Some(password) => read.password(password.clone()),
            None => read,
        };
        let task = self.send(read).await?;
        let status = self.wait_for_archive(id, task, ArchiveWork::Reading).await?;
        Ok(Archive { client: self.clone(), id, task, password, members: status.members })
    }

    async fn wait_for_archive(&self, id: FileId, task: ArchiveTask, work: ArchiveWork) -> Result<ArchiveStatus> {
        let late = "the service still works on the archive";
        let wait = Wait { pause: INTERVAL, timeout: ARCHIVE_TIMEOUT, late, endpoint: ArchiveProgress::META.id };
        let judge = |status: ArchiveStatus| match status.state {
            ArchiveState::Done => Ok(Some(status)),
            ArchiveState::Waiting | ArchiveState::Running => Ok(None),
            _ => {
                Err(Error::new(ErrorKind::Api, "the service could not read or unpack the archive; it gives no reason")
                    .with_endpoint(ArchiveProgress::META.id))
            }
        };
        let ask = || self.send(ArchiveProgress::new(id, task, work));
        wait.until(&**self.pipeline().runtime(), ask, judge).await
    }
}

impl Archive {
    /// Returns what is at the top of the archive; folders have what they hold in [`children`](ArchiveMember::children).
    pub fn members(&self) -> &[ArchiveMember] {
        &self.members
    }

    /// Unpacks members of the archive into a folder of the drive, and waits for it, up to [`ARCHIVE_TIMEOUT`].
    ///
    /// Dropping the future stops the waiting and not the unpacking. When the answer is lost, the service is asked whether it
    /// has begun before anything is sent again.
    ///
    /// Protocol: `web.yaml`, `file.archive_uncompress`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for no members; otherwise as [`Client::read_archive`]. [`Error::may_have_happened`] says that some of it
    /// may be in the folder.
    pub async fn extract<'a>(
        &self,
        members: impl IntoIterator<Item = &'a ArchiveMember>,
        folder: impl Into<FileId>,
    ) -> Result<()> {
        let members: Vec<ArchiveMember> = members.into_iter().cloned().collect();
        let extract = Extract::new(self.id, self.task, members, folder);
        let extract = &match &self.password {
            Some(password) => extract.password(password.clone()),
            None => extract,
        };
        let send = |()| self.client.send(extract);
        let look = |()| async {
            let ask = ArchiveProgress::new(self.id, self.task, ArchiveWork::Unpacking);
            Ok(match self.client.send(ask).await?.state {
                ArchiveState::Waiting => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            })
        };
        self.client.settle((), send, look).await.map_err(|(error, ())| error)?;
        let unpacked = self.client.wait_for_archive(self.id, self.task, ArchiveWork::Unpacking).await;
        unpacked.map(drop).map_err(|error| error.with_may_have_happened(true))
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("id", &self.id).field("members", &self.members).finish_non_exhaustive()
    }
}
