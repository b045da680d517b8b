//! The `upload` verb: the web API's upload as a target of the transfer engine.

mod links;
mod looking;
mod replacing;
mod target;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use pan123_core::{Error, FileId, Md5, OnConflict, Result};
use pan123_transfer::{Bandwidth, Checkpoints, Fingerprint, How, Notice, Progress, Source};

pub(crate) use self::target::Target;
use crate::Client;

impl Client {
    /// Uploads a file: instantly where the service has its content, else in parts to its storage.
    ///
    /// `source` is a path, bytes, or anything else that makes a [`Source`]. The file goes into the client's [`root`](Client::root) under
    /// the name of the path unless told otherwise; bytes need a [`name`](Upload::name). A taken name is an error unless
    /// [`on_conflict`](Upload::on_conflict) says otherwise. Nothing happens before [`send`](Upload::send).
    ///
    /// The service believes whatever MD5 it is told; so every part is compared with the ETag that the storage answers, and
    /// success is only what the service shows with the right size and MD5. Beside the parts themselves it takes three requests,
    /// and one more for every ten parts where there are several; at the usual pace of two calls a second a small file takes
    /// one and a half seconds. An instant upload is one request. No token goes to the storage.
    ///
    /// Protocol: `web.yaml`, flows `instant_upload`, `upload_presigned_single`, `upload_presigned_multipart`, `upload_sts`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_web::{Client, FileId, OnConflict};
    /// # async fn run(client: Client, folder: FileId) -> pan123_web::Result<()> {
    /// let file = client
    ///     .upload("backup.tar")
    ///     .into_folder(folder)
    ///     .on_conflict(OnConflict::Overwrite)
    ///     .on_progress(|progress| println!("{progress:?}"))
    ///     .send()
    ///     .await?;
    /// println!("{} is stored, {:?}", file.id, file.how);
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload(&self, source: impl Into<Source>) -> Upload {
        let source = source.into();
        let name = source.local_path().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let (retry, runtime) = (*self.pipeline().retry(), Arc::clone(self.pipeline().runtime()));
        let target = Target::new(self.clone(), self.root(), "", OnConflict::Fail);
        Upload { engine: Engine::new(target, source, runtime).retry(retry), name }
    }
}

/// An upload that was not begun yet; see [`Client::upload`].
#[must_use = "nothing is uploaded before send"]
pub struct Upload {
    engine: Engine,
    name: Option<String>,
}

type Engine = pan123_transfer::Upload<Target>;

/// A file that has been stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// Its id.
    pub id: FileId,
    /// The name it has; with [`OnConflict::KeepBoth`] the service may have added a suffix.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: Md5,
    /// Which way it went.
    pub how: How,
    /// How many of its bytes an earlier upload had sent, so that they were not sent again; see [`Upload::checkpoints`].
    pub resumed: u64,
    /// What there was to know about the checkpoint.
    pub notice: Option<Notice>,
    /// The temporary file of an [overwriting](OnConflict::Overwrite) upload, where it could not be removed: trash it.
    pub left_behind: Option<FileId>,
}

impl From<&Uploaded> for FileId {
    fn from(file: &Uploaded) -> Self {
        file.id
    }
}

impl Upload {
    /// Sets the folder it goes into; the client's [`root`](Client::root) unless told otherwise.
    pub fn into_folder(mut self, folder: impl Into<FileId>) -> Self {
        self.engine.target_mut().folder = folder.into();
        self
    }

    /// Sets the name it gets in the drive.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Says what happens when the name is taken; [`OnConflict::Fail`] unless told otherwise.
    ///
    /// [`OnConflict::Overwrite`] never touches the old file before the new one is stored and verified: it is uploaded under
    /// a temporary name, which begins with `.pan123-`, takes the place of the old file in one request, and keeps that one's
    /// id. The temporary file is then deleted for ever. This takes three requests more; a program that is killed between
    /// them leaves the temporary file behind.
    pub fn on_conflict(mut self, choice: OnConflict) -> Self {
        self.engine.target_mut().on_conflict = choice;
        self
    }

    /// Calls `callback` as the upload goes on; see [`pan123_transfer::Upload::on_progress`].
    pub fn on_progress(self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.engine(|engine| engine.on_progress(callback))
    }

    /// Sets how many parts are sent at a time; see [`pan123_transfer::Upload::concurrency`].
    pub fn concurrency(self, parts: usize) -> Self {
        self.engine(|engine| engine.concurrency(parts))
    }

    /// Sets how long the service may take to store what was sent; see [`pan123_transfer::Upload::completion_timeout`].
    pub fn completion_timeout(self, timeout: Duration) -> Self {
        self.engine(|engine| engine.completion_timeout(timeout))
    }

    /// Announces the file by digests that the caller already has; see [`pan123_transfer::Upload::trust`].
    pub fn trust(self, fingerprint: Fingerprint) -> Self {
        self.engine(|engine| engine.trust(fingerprint))
    }

    /// Keeps a checkpoint, and goes on from the one that an earlier upload has left; see
    /// [`pan123_transfer::Upload::checkpoints`].
    ///
    /// Parts that the storage holds are not sent again, also those of which an earlier upload was never told. Keys that the
    /// storage lends are not kept: such an upload starts over.
    pub fn checkpoints(self, place: impl Into<Checkpoints>) -> Self {
        self.engine(|engine| engine.checkpoints(place))
    }

    /// Sends no faster than `bandwidth`; see [`pan123_transfer::Upload::bandwidth`].
    pub fn bandwidth(self, bandwidth: Bandwidth) -> Self {
        self.engine(|engine| engine.bandwidth(bandwidth))
    }

    /// Sets the folder of the temporary file for a source that can be read only once; see
    /// [`pan123_transfer::Upload::spool_in`].
    pub fn spool_in(self, folder: impl Into<PathBuf>) -> Self {
        self.engine(|engine| engine.spool_in(folder))
    }

    pub(crate) fn engine(self, change: impl FnOnce(Engine) -> Engine) -> Self {
        Self { engine: change(self.engine), ..self }
    }

    /// Uploads the file.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](pan123_core::ErrorKind::InvalidInput) before any request for bytes without a name, a name that the
    /// service would refuse, or a folder in place of a file; [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is
    /// taken; otherwise as [`pan123_transfer::Upload::send`]. An error that
    /// [may have happened](Error::may_have_happened) names the folder, and the id by which to look.
    pub async fn send(mut self) -> Result<Uploaded> {
        let name = self
            .name
            .ok_or_else(|| Error::invalid("bytes have no name of their own: give the upload one with name()"))?;
        pan123_core::name::check(&name)?;
        let target = self.engine.target_mut();
        target.folder.check_folder()?;
        target.name = name;
        let target = target.clone();
        let done = match self.engine.send().await {
            Ok(done) => done,
            Err(error) => return Err(target.failed(error).await),
        };
        Ok(Uploaded {
            id: done.stored.id,
            name: done.stored.name,
            size: done.fingerprint.size,
            md5: done.fingerprint.md5,
            how: done.how,
            resumed: done.resumed,
            notice: done.notice,
            left_behind: done.stored.left_behind,
        })
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("source", self.engine.source())
            .field("name", &self.name)
            .field("folder", &self.engine.target().folder)
            .field("on_conflict", &self.engine.target().on_conflict)
            .finish_non_exhaustive()
    }
}
