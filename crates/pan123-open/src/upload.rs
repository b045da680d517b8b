//! The `upload` verb: the Open Platform's upload as a target of the transfer engine, version 2 unless told.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use pan123_core::{BodySource, BoxFuture, Error, ErrorKind, FileId, Md5, Operation, Result, Runtime};
use pan123_transfer::{
    Bandwidth, Begun, Checkpoints, Completion, Fingerprint, How, Notice, Part, Progress, Source, UploadLimits,
    UploadTarget,
};
use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, serde_as};
use url::Url;

use crate::{
    Client, Entry, OnConflict,
    ops::uploads::{self, Created, Ticket},
};

impl Client {
    /// Uploads a file: instantly where the service has its content, in one request where it is small, else in parts.
    ///
    /// `source` is a path, bytes, or anything else that makes a [`Source`]. The file goes into the client's [`root`](Client::root) under
    /// the name of the path unless told otherwise; bytes need a [`name`](Upload::name). A taken name is an error unless
    /// [`on_conflict`](Upload::on_conflict) says otherwise. Nothing happens before [`send`](Upload::send).
    ///
    /// Protocol: `open-files.yaml`, `flow.upload_v2_chunked` and `flow.upload_v2_single`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_open::{Client, FileId, OnConflict};
    /// # async fn run(client: Client, folder: FileId) -> pan123_open::Result<()> {
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
        let target = Target::new(self.clone(), self.root(), "");
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
    /// The name that was asked for; with [`OnConflict::KeepBoth`] the service may have added a suffix.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: Md5,
    /// Which way it went.
    pub how: How,
    /// How many of its bytes an earlier upload had sent.
    pub resumed: u64,
    /// What there was to know about the checkpoint, such as why the upload started over.
    pub notice: Option<Notice>,
}

impl From<&Uploaded> for FileId {
    fn from(file: &Uploaded) -> Self {
        file.id
    }
}

impl Upload {
    /// Sets the folder it goes into; the client's [`root`](Client::root) unless told otherwise. Files in the drive's own
    /// root have no direct links.
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
    pub fn on_conflict(mut self, choice: OnConflict) -> Self {
        self.engine.target_mut().on_conflict = choice;
        self
    }

    /// Takes version 1 of the service's upload, whose parts go to presigned addresses of its storage.
    ///
    /// The service advises version 2, which is taken unless told otherwise. This one knows no upload in one request, and
    /// asks for the address of each part: two requests a part. Use it where version 2 does not work; what is stored is the same.
    ///
    /// Protocol: `open-files.yaml`, `flow.upload_v1`.
    pub fn version_1(mut self) -> Self {
        self.engine.target_mut().is_v1 = true;
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

    /// Sends files of up to `bytes` bytes in one request; see [`pan123_transfer::Upload::single_step_up_to`].
    pub fn single_step_up_to(self, bytes: u64) -> Self {
        self.engine(|engine| engine.single_step_up_to(bytes))
    }

    /// Sets how long the service may verify; see [`pan123_transfer::Upload::completion_timeout`].
    pub fn completion_timeout(self, timeout: Duration) -> Self {
        self.engine(|engine| engine.completion_timeout(timeout))
    }

    /// Keeps a checkpoint, and goes on from the one that an earlier upload has left, also after its process was killed; see
    /// [`pan123_transfer::Upload::checkpoints`].
    ///
    /// `place` is [`Checkpoints::beside_file`] or a folder. The account's id is asked for once, unless the client was given it:
    /// uploads to different accounts do not share a checkpoint.
    pub fn checkpoints(self, place: impl Into<Checkpoints>) -> Self {
        self.engine(|engine| engine.checkpoints(place))
    }

    /// Keeps to a limit of speed, which other transfers may share; see [`pan123_transfer::Upload::bandwidth`].
    pub fn bandwidth(self, limit: Bandwidth) -> Self {
        self.engine(|engine| engine.bandwidth(limit))
    }

    /// Sets where a source that can be read only once is kept meanwhile; see [`pan123_transfer::Upload::spool_in`].
    pub fn spool_in(self, folder: impl Into<PathBuf>) -> Self {
        self.engine(|engine| engine.spool_in(folder))
    }

    /// Announces the file by digests that the caller already has; see [`pan123_transfer::Upload::trust`].
    pub fn trust(self, fingerprint: Fingerprint) -> Self {
        self.engine(|engine| engine.trust(fingerprint))
    }

    pub(crate) fn engine(self, change: impl FnOnce(Engine) -> Engine) -> Self {
        Self { engine: change(self.engine), ..self }
    }

    /// Uploads the file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] before any request for bytes without a name, a name that the service would refuse, a folder
    /// in place of a file, or a file of more than 10 GB; [`ErrorKind::AlreadyExists`] when the name is taken;
    /// otherwise as [`pan123_transfer::Upload::send`].
    pub async fn send(mut self) -> Result<Uploaded> {
        let name = self
            .name
            .ok_or_else(|| Error::invalid("bytes have no name of their own: give the upload one with name()"))?;
        pan123_core::name::check(&name)?;
        let target = self.engine.target_mut();
        target.folder.check_folder()?;
        target.name.clone_from(&name);
        let done = self.engine.send().await?;
        Ok(Uploaded {
            id: done.stored,
            name,
            size: done.fingerprint.size,
            md5: done.fingerprint.md5,
            how: done.how,
            resumed: done.resumed,
            notice: done.notice,
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

/// One file on its way into one folder.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) client: Client,
    pub(crate) folder: FileId,
    pub(crate) name: String,
    pub(crate) on_conflict: OnConflict,
    is_v1: bool,
    /// In version 1, whether the service has said that it puts the parts together.
    pub(crate) merging: Arc<AtomicBool>,
}

/// What goes on with an upload that was announced.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) upload: String,
    /// Where parts go; in version 1 each has an address of its own.
    #[serde_as(as = "Option<DisplayFromStr>")]
    pub(crate) server: Option<Url>,
}

/// The slice size in every answer known; part MD5s are computed for it before the service says its own.
const USUAL_SLICE_SIZE: u64 = 16 << 20;

/// The pauses between looks for a file that the service says it has, in seconds: it may be listed minutes later.
pub(crate) const PATIENT: [u64; 10] = [1, 2, 4, 8, 15, 30, 30, 30, 30, 30];

/// The same where the file can be sent instead.
const BRIEF: [u64; 4] = [1, 2, 4, 8];

impl Target {
    pub(crate) fn new(client: Client, folder: FileId, name: &str) -> Self {
        let (on_conflict, merging) = (OnConflict::Fail, Arc::default());
        Self { client, folder, name: name.to_owned(), on_conflict, is_v1: false, merging }
    }

    async fn announce(&self, file: &Fingerprint) -> Result<Begun<Session, FileId>> {
        if self.is_v1 {
            return self.announce_v1(file).await;
        }
        let create =
            uploads::Create::new(self.folder, self.name.as_str(), file.md5, file.size).on_conflict(self.on_conflict);
        // The engine repeats: it alone looks whether the file is there before it does.
        let created = self.client.once(&create).await?;
        let ticket = match self.confirm(created, file, uploads::Create::META.id).await? {
            Ok(id) => return Ok(Begun::Stored(id)),
            Err(ticket) => ticket,
        };
        let server = match self.allowed(ticket.servers)?.into_iter().next() {
            Some(server) => server,
            None => self.upload_server().await?,
        };
        Ok(Begun::Parts {
            session: Session { upload: ticket.id.as_str().to_owned(), server: Some(server) },
            part_size: ticket.slice_size,
        })
    }

    /// Makes certain what an answer says: the file is stored, or its bytes are to be sent with a ticket.
    ///
    /// `reuse` without an id speaks of a file that is listed a little later, or of none at all.
    pub(crate) async fn confirm(
        &self,
        created: Created,
        file: &Fingerprint,
        endpoint: &'static str,
    ) -> Result<Result<FileId, Ticket>> {
        let ticket = match created {
            Created::Stored(id) => return Ok(Ok(id)),
            Created::Wanted(ticket) => return Ok(Err(ticket)),
            Created::Unconfirmed(ticket) => ticket,
        };
        let unknown = |error: Error| error.with_endpoint(endpoint).with_may_have_happened(true);
        if self.on_conflict == OnConflict::KeepBoth {
            return Err(unknown(not_told_apart()));
        }
        let pauses: &[u64] = if ticket.is_some() { &BRIEF } else { &PATIENT };
        let look = || self.look(file);
        match patiently(&**self.client.pipeline().runtime(), pauses, look).await {
            Ok(Some(id)) => Ok(Ok(id)),
            Ok(None) => ticket.map(Err).ok_or_else(|| {
                let text = "the service said that it had the file and does not list it";
                unknown(Error::new(ErrorKind::OutcomeUnknown, text))
            }),
            Err(error) => Err(error.with_may_have_happened(true)),
        }
    }

    /// Looks for a file of this name, size and MD5 in the folder.
    async fn look(&self, file: &Fingerprint) -> Result<Option<FileId>> {
        let mut entries = self.client.list(self.folder);
        let mut found: Option<Entry> = None;
        while let Some(entry) = entries.next().await? {
            let same = entry.name == self.name && entry.size == file.size && entry.md5 == Some(file.md5);
            // Of several the newest is the one just stored.
            if same && found.as_ref().is_none_or(|found| found.id < entry.id) {
                found = Some(entry);
            }
        }
        Ok(found.map(|entry| entry.id))
    }

    /// A server for uploads that the service did not name one for. Servers are asked for once for each client, and again when
    /// none is left.
    async fn upload_server(&self) -> Result<Url> {
        let mut servers = self.client.inner().upload_servers.lock().await;
        if servers.is_empty() {
            *servers = self.allowed(self.client.once(&uploads::Domain::new()).await?)?;
        }
        servers.first().cloned().ok_or_else(|| {
            Error::new(ErrorKind::Decode, "the service named no upload server").with_endpoint(uploads::Domain::META.id)
        })
    }

    /// Strikes off a server that turned out to be none, so that the next attempt takes another.
    async fn strike(&self, server: &Url, error: &Error) {
        if matches!(error.kind(), ErrorKind::Connect | ErrorKind::ProtocolChanged | ErrorKind::Config) {
            self.client.inner().upload_servers.lock().await.retain(|known| known != server);
        }
    }

    /// Leaves out the servers that may not be given the token, unless that is all of them.
    fn allowed(&self, servers: Vec<Url>) -> Result<Vec<Url>> {
        let hosts = self.client.pipeline().hosts();
        let (allowed, others): (Vec<_>, Vec<_>) =
            servers.into_iter().partition(|server| hosts.upload_server(server).is_ok());
        match others.first() {
            Some(server) if allowed.is_empty() => hosts.upload_server(server).map(|server| vec![server]),
            _ => Ok(allowed),
        }
    }
}

/// Looks for what the service says it has until it is listed.
pub(crate) async fn patiently<T, A: Future<Output = Result<Option<T>>>>(
    runtime: &dyn Runtime,
    pauses: &[u64],
    look: impl Fn() -> A,
) -> Result<Option<T>> {
    for pause in pauses {
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        runtime.sleep(Duration::from_secs(*pause)).await;
    }
    look().await
}

/// The service may have added a suffix to the name, and an equal file may have been there before.
fn not_told_apart() -> Error {
    Error::new(ErrorKind::OutcomeUnknown, "among files of equal content the new one cannot be told")
}

impl UploadTarget for Target {
    type Session = Session;
    type Stored = FileId;

    fn limits(&self) -> UploadLimits {
        let limits = UploadLimits::new(uploads::LARGEST_FILE, USUAL_SLICE_SIZE);
        if self.is_v1 { limits } else { limits.with_single_step(uploads::LARGEST_SINGLE) }
    }

    fn destination(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async {
            let Self { client, folder, on_conflict, is_v1, name, .. } = self;
            let (version, account) = (if *is_v1 { 1 } else { 2 }, client.account_id().await?);
            Ok(format!("open {version}, account {account}, folder {folder}, {on_conflict:?}, {name}"))
        })
    }

    /// In version 2 the service compares each part with its MD5, and a file in one request with its own.
    fn proves_parts(&self) -> bool {
        !self.is_v1
    }

    fn begin<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Begun<Session, FileId>>> {
        Box::pin(self.announce(file))
    }

    fn send_whole<'a>(&'a self, file: &'a Fingerprint, body: Arc<dyn BodySource>) -> BoxFuture<'a, Result<FileId>> {
        Box::pin(async move {
            let server = self.upload_server().await?;
            let create = uploads::SingleCreate::new(server.clone(), self.folder, self.name.as_str(), file.md5, body)
                .on_conflict(self.on_conflict);
            match self.client.once(&create).await {
                Ok(created) => created.stored().ok_or_else(|| {
                    // No ticket is returned, so there is nothing to poll.
                    Error::new(ErrorKind::UploadFailed, "the service took the file and did not store it")
                        .with_endpoint(uploads::SingleCreate::META.id)
                        .with_may_have_happened(true)
                }),
                Err(error) => {
                    self.strike(&server, &error).await;
                    Err(error)
                }
            }
        })
    }

    fn send_part<'a>(
        &'a self,
        session: &'a Session,
        part: &'a Part,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(server) = session.server.clone() else {
                return self.send_part_v1(session, part, body).await;
            };
            let slice = uploads::Slice::new(server.clone(), session.upload.as_str(), part.number, part.md5, body);
            let sent = self.client.once(&slice).await;
            if let Err(error) = &sent {
                self.strike(&server, error).await;
            }
            sent
        })
    }

    fn complete<'a>(&'a self, session: &'a Session, _parts: &'a [Part]) -> BoxFuture<'a, Result<Completion<FileId>>> {
        Box::pin(async move {
            let done = if session.server.is_none() {
                self.complete_v1(session).await
            } else {
                let complete = uploads::UploadComplete::new(session.upload.as_str());
                let done = self.client.once(&complete).await;
                done.map(|done| done.stored().map_or(Completion::Pending { wait: None }, Completion::Stored))
            };
            // 20103, the file is being verified, is `Busy`: the engine asks again, and keeps the code for when it gives up.
            match done {
                Err(error) if error.kind() == ErrorKind::Api => {
                    Err(error
                        .with_kind(ErrorKind::UploadFailed, "the service could not store the upload; start it again"))
                }
                done => done,
            }
        })
    }

    fn find<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Option<FileId>>> {
        Box::pin(async move {
            match self.on_conflict {
                OnConflict::KeepBoth => Err(not_told_apart()),
                _ => self.look(file).await,
            }
        })
    }
}
