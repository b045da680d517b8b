//! One file on its way into one folder: which requests the engine's steps are.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use pan123_core::{
    BodySource, BoxFuture, Error, ErrorKind, FileId, Md5, OnConflict, Operation, Result, RetryPolicy, SharedBody,
};
use pan123_transfer::{Begun, Completion, Fingerprint, Part, UploadLimits, UploadTarget};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::links::PartLinks;
use crate::{
    Client, Entry,
    ops::{
        parts::{ListParts, PutPart, StoredPart},
        uploads::{Complete, CompleteById, Create, Created, Session},
    },
    storage::{self, Object},
};

/// One file on its way into one folder. Clones are the same upload.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) client: Client,
    pub(crate) folder: FileId,
    pub(crate) name: String,
    pub(crate) on_conflict: OnConflict,
    pub(super) state: Arc<State>,
}

/// How far an upload is, as far as the service has said or may have done it.
#[derive(Debug, Default)]
pub(super) struct State {
    links: PartLinks,
    held: OnceCell<Vec<StoredPart>>,
    /// The session was opened by this very upload and not taken over from an earlier one.
    is_fresh: AtomicBool,
    /// An announcement has got no answer.
    announced: AtomicBool,
    /// The completion was asked for and not refused.
    asked: AtomicBool,
    /// An answer to it was lost.
    lost: AtomicBool,
    /// A look for the file came to nothing.
    unread: AtomicBool,
    /// How often the file was looked for since then, or the service said that it was merging.
    looks: AtomicU32,
    /// The storage has put the parts together, or its answer was lost.
    merged: AtomicBool,
    merge_lost: AtomicBool,
    /// The id of the session, once there is one.
    session: Mutex<Option<FileId>>,
    /// The new file under its temporary name, from when it is stored until it is removed.
    pub(super) staged: Mutex<Option<FileId>>,
    /// The temporary name, and what is stored under it.
    pub(super) staging: OnceLock<(String, Fingerprint)>,
}

/// What goes on with an upload that was announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ongoing {
    session: Session,
    file: Fingerprint,
    part_size: u64,
    /// The name under which the file is stored first.
    name: String,
    way: Way,
}

/// How the bytes go to the storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// To one presigned address.
    Single,
    /// To one for each part.
    Multi,
    /// By keys, whole.
    Object,
    /// By keys, in parts of an upload that the storage calls so.
    ObjectParts(String),
}

/// What is known of a stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: FileId,
    pub(crate) name: String,
    pub(crate) left_behind: Option<FileId>,
}

impl From<Entry> for Stored {
    fn from(entry: Entry) -> Self {
        Self { id: entry.id, name: entry.name, left_behind: None }
    }
}

/// The part size that the service has used for files of up to 48 MiB at least; part MD5s are computed for it before the
/// service says its own.
const USUAL_PART_SIZE: u64 = 16 << 20;

/// How often a part is sent when the storage refuses its address (`web.yaml`, flow `upload_presigned_single`).
const MOST_ADDRESSES: u32 = 3;

/// The service's code for a session that was completed or thrown away (`web.yaml`, `codes`).
const SESSION_GONE: i64 = -1;

/// How often the file is looked for after a lost answer before the completion is asked for again.
const LOOKS: u32 = 4;

/// How often a completion that the service refuses while the storage may still merge is asked for again.
const MERGING: u32 = 5;

impl Target {
    pub(crate) fn new(client: Client, folder: FileId, name: &str, on_conflict: OnConflict) -> Self {
        Self { client, folder, name: name.to_owned(), on_conflict, state: Arc::default() }
    }

    async fn announce(&self, file: &Fingerprint) -> Result<Begun<Ongoing, Stored>> {
        let overwrites = self.on_conflict == OnConflict::Overwrite;
        if let Some(staged) = self.state.staged() {
            return self.replace(staged, file).await.map(Begun::Stored);
        }
        if self.on_conflict == OnConflict::KeepBoth && self.state.announced.load(Ordering::Acquire) {
            self.refute(file).await?;
        }
        let name = if overwrites { self.staging_name(file) } else { self.name.clone() };
        let create = Create::new(self.folder, name.as_str(), file.md5, file.size);
        let create = if overwrites { create } else { create.on_conflict(self.on_conflict) };
        // The engine repeats: it looks whether the file is there before it does.
        let entry = match self.client.pipeline().send_with(&create, &RetryPolicy::none()).await {
            Ok(Created::Wanted(session)) => return self.wanted(*session, file, name).await,
            Ok(Created::Stored(entry)) => checked(*entry, file, Create::META.id)?,
            Ok(Created::Unconfirmed) => self.reused(&name, file).await?,
            Err(error) => {
                let was_lost = self.state.announced.fetch_or(error.may_have_happened(), Ordering::AcqRel);
                // The announcement whose answer was lost may be the one that took the name.
                let is_ours = was_lost && error.kind() == ErrorKind::AlreadyExists;
                let found = if is_ours || (overwrites && error.may_have_happened()) {
                    self.look(&name, file).await?
                } else {
                    None
                };
                found.ok_or_else(|| error.clone().with_may_have_happened(is_ours || error.may_have_happened()))?
            }
        };
        self.placed(entry, file).await.map(Begun::Stored)
    }

    /// Ends an upload whose file is stored under the name that it was announced with.
    async fn placed(&self, entry: Entry, file: &Fingerprint) -> Result<Stored> {
        match self.on_conflict {
            OnConflict::Overwrite => self.replace(entry.id, file).await,
            _ => Ok(entry.into()),
        }
    }

    async fn wanted(&self, session: Session, file: &Fingerprint, name: String) -> Result<Begun<Ongoing, Stored>> {
        let is_object = session.keys.is_some();
        let part_size = if is_object { storage::part_size(&session, file.size) } else { session.part_size };
        let way = match (Object::of(&session), file.size > part_size) {
            (None, false) => Way::Single,
            (None, true) => Way::Multi,
            (Some(_), false) => Way::Object,
            (Some(object), true) => Way::ObjectParts(object.begin(self.client.pipeline()).await?),
        };
        self.state.is_fresh.store(true, Ordering::Release);
        // A file of one part is one part, however small: it may be empty.
        let part_size = part_size.max(1);
        Ok(Begun::Parts { session: Ongoing { session, file: *file, part_size, name, way }, part_size })
    }

    async fn send_part(&self, ongoing: &Ongoing, part: &Part, body: Arc<dyn BodySource>) -> Result<()> {
        let (pipeline, once) = (self.client.pipeline(), RetryPolicy::none());
        let (session, body) = (&ongoing.session, SharedBody::from(body));
        let is_multi = match &ongoing.way {
            Way::Single => false,
            Way::Multi => {
                if self.holds(session, part).await? {
                    return Ok(());
                }
                true
            }
            Way::Object | Way::ObjectParts(_) => {
                let upload = match &ongoing.way {
                    Way::ObjectParts(upload) => Some((upload.as_str(), part.number)),
                    _ => None,
                };
                let link = object(session)?.put(pipeline, upload)?;
                return prove(pipeline.send_with(&PutPart::new(link, &body), &once).await?, part);
            }
        };
        let place = (part.number, ongoing.count());
        let mut refused = None;
        for attempt in 1.. {
            let given = self.state.links.get(pipeline, session, place, is_multi, refused.as_ref()).await?;
            match pipeline.send_with(&PutPart::new(given.link.clone(), &body), &once).await {
                // Addresses expire; this one may have been given out, or have waited, for too long.
                Err(error) if error.kind() == ErrorKind::LinkRejected && attempt < MOST_ADDRESSES => {
                    refused = Some(given);
                }
                sent => return prove(sent?, part),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Says whether the storage has the part already. It is asked once, as the service's page does before parts are sent.
    async fn holds(&self, session: &Session, part: &Part) -> Result<bool> {
        let ask = || async {
            let list = ListParts::of(session);
            match self.client.pipeline().send_with(&list, &RetryPolicy::none()).await {
                // What was just opened holds nothing, whatever is said of it.
                Err(error) if self.state.is_fresh.load(Ordering::Acquire) && !error.is_retryable() => Ok(Vec::new()),
                held => held,
            }
        };
        let held = self.state.held.get_or_try_init(ask).await?;
        let same =
            |held: &&StoredPart| held.number == part.number && held.size == part.length && held.md5 == Some(part.md5);
        Ok(held.iter().any(|held| same(&held)))
    }

    async fn complete(&self, ongoing: &Ongoing, parts: &[Part]) -> Result<Completion<Stored>> {
        let file = &ongoing.file;
        *lock(&self.state.session) = Some(ongoing.session.file_id);
        if let Some(staged) = self.state.staged() {
            return self.replace(staged, file).await.map(Completion::Stored);
        }
        let done = match &ongoing.way {
            Way::Single | Way::Multi => self.complete_parts(ongoing).await?,
            Way::Object => self.complete_object(ongoing).await?,
            Way::ObjectParts(upload) => {
                self.merge(&ongoing.session, upload, parts).await?;
                self.complete_object(ongoing).await?
            }
        };
        match done {
            Some(entry) => self.placed(entry, file).await.map(Completion::Stored),
            None => Ok(Completion::Pending { wait: None }),
        }
    }

    /// Completes once. After a lost answer the file is looked for, and only when it is not there it is asked for again.
    async fn complete_parts(&self, ongoing: &Ongoing) -> Result<Option<Entry>> {
        if self.state.asked.swap(true, Ordering::AcqRel) {
            return self.looked(ongoing).await;
        }
        let is_multipart = ongoing.way == Way::Multi;
        let complete = Complete::of(&ongoing.session, ongoing.file.size, is_multipart);
        match self.client.pipeline().send_with(&complete, &RetryPolicy::none()).await {
            Ok(done) if done.is_async && done.file.is_none() => Ok(None),
            Ok(done) => match done.file {
                Some(entry) => checked(entry, &ongoing.file, Complete::META.id).map(Some),
                None => self.proof(&ongoing.name, &ongoing.file).await?.map(Some).ok_or_else(|| {
                    Error::new(ErrorKind::UploadFailed, "the service called the upload complete and stored nothing")
                        .with_endpoint(Complete::META.id)
                        .with_may_have_happened(true)
                }),
            },
            Err(error) => self.not_completed(ongoing, error).await,
        }
    }

    /// Completes by the id alone; the answer does not tell the file, so it is looked for.
    async fn complete_object(&self, ongoing: &Ongoing) -> Result<Option<Entry>> {
        if !self.state.asked.swap(true, Ordering::AcqRel) {
            let complete = CompleteById::new(ongoing.session.file_id);
            if let Err(error) = self.client.pipeline().send_with(&complete, &RetryPolicy::none()).await {
                let merging = error.kind() == ErrorKind::Api && error.code() != Some(SESSION_GONE);
                if merging && self.state.looks.fetch_add(1, Ordering::AcqRel) < MERGING {
                    self.state.asked.store(false, Ordering::Release);
                    return Err(error.with_kind(ErrorKind::Busy, "the storage may still be merging the parts"));
                }
                return self.not_completed(ongoing, error).await;
            }
        }
        self.looked(ongoing).await
    }

    async fn not_completed(&self, ongoing: &Ongoing, error: Error) -> Result<Option<Entry>> {
        if error.may_have_happened() {
            let again = self.state.lost.swap(true, Ordering::AcqRel);
            // An answer that cannot be read is a lost one, once.
            return if error.is_retryable() || again { Err(error) } else { Ok(None) };
        }
        // An earlier request, of this program or of one that was killed, may have completed it.
        if error.code() == Some(SESSION_GONE) {
            if let Some(entry) = self.proof(&ongoing.name, &ongoing.file).await? {
                return Ok(Some(entry));
            }
            let lost = self.state.lost.load(Ordering::Acquire);
            let error =
                error.with_kind(ErrorKind::UploadFailed, "the service knows the upload no longer: start it again");
            return Err(error.with_may_have_happened(lost));
        }
        self.state.asked.store(false, Ordering::Release);
        Err(match error.kind() {
            ErrorKind::Api => {
                error.with_kind(ErrorKind::UploadFailed, "the service could not store the upload; start it again")
            }
            _ => error,
        })
    }

    async fn looked(&self, ongoing: &Ongoing) -> Result<Option<Entry>> {
        let found = match self.proof(&ongoing.name, &ongoing.file).await {
            Ok(found) => found,
            // One answer that cannot be read is not worth an upload.
            Err(error) if !error.is_retryable() && !self.state.unread.swap(true, Ordering::AcqRel) => return Ok(None),
            Err(error) => return Err(error.with_may_have_happened(true)),
        };
        let lost = self.state.lost.load(Ordering::Acquire);
        if found.is_none() && lost && self.state.looks.fetch_add(1, Ordering::AcqRel) + 1 >= LOOKS {
            // A session is completed once: where it was, the service says that it is gone.
            self.state.looks.store(0, Ordering::Release);
            self.state.asked.store(false, Ordering::Release);
        }
        Ok(found)
    }

    /// Has the storage put the parts together, if it has not.
    async fn merge(&self, session: &Session, upload: &str, parts: &[Part]) -> Result<()> {
        if self.state.merged.load(Ordering::Acquire) {
            return Ok(());
        }
        match object(session)?.finish(self.client.pipeline(), upload, parts).await {
            // The storage forgets an upload that is done.
            Err(error) if error.kind() == ErrorKind::NotFound && self.state.merge_lost.load(Ordering::Acquire) => {}
            Err(error) => {
                self.state.merge_lost.fetch_or(error.may_have_happened(), Ordering::AcqRel);
                // Without a completion there is no file.
                return Err(error.with_may_have_happened(false));
            }
            Ok(()) => {}
        }
        self.state.merged.store(true, Ordering::Release);
        Ok(())
    }

    /// Ends an upload that failed: removes what must not stay, and says where to look for what may be there.
    pub(super) async fn failed(&self, error: Error) -> Error {
        if let Some(staged) = self.left_over(&error).await {
            self.discard(staged).await;
        }
        let error = match error.kind() {
            // What was looked for and not found may be listed later still.
            ErrorKind::OutcomeUnknown => error.with_may_have_happened(true),
            _ if !error.may_have_happened() => return error,
            _ => error,
        };
        let upload = match *lock(&self.state.session) {
            Some(id) => format!(", or for file {id}"),
            None => String::new(),
        };
        let text = format!("the file may be stored: look for it in folder {}{upload}", self.folder);
        error.clone().with_kind(error.kind(), text).with_source(error)
    }
}

impl State {
    /// Says whether the file may be stored under the name that it was announced with.
    pub(super) fn is_uncertain(&self) -> bool {
        self.announced.load(Ordering::Acquire) || self.asked.load(Ordering::Acquire)
    }

    pub(super) fn staged(&self) -> Option<FileId> {
        *lock(&self.staged)
    }

    /// Returns the id by which the file of this upload may be known.
    pub(super) fn session(&self) -> Option<FileId> {
        *lock(&self.session)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ongoing {
    fn count(&self) -> u32 {
        u32::try_from(self.file.size.div_ceil(self.part_size).max(1)).unwrap_or(u32::MAX)
    }
}

fn object(session: &Session) -> Result<Object<'_>> {
    Object::of(session).ok_or_else(|| {
        Error::new(ErrorKind::UploadFailed, "the keys of the storage were not kept: start the upload again")
    })
}

/// Accepts what the service has stored only when it is what was announced.
pub(super) fn checked(entry: Entry, file: &Fingerprint, endpoint: &'static str) -> Result<Entry> {
    if entry.size == file.size && entry.md5 == Some(file.md5) {
        return Ok(entry);
    }
    Err(Error::new(ErrorKind::UploadFailed, format!("the service stored something else, as file {}", entry.id))
        .with_endpoint(endpoint)
        .with_may_have_happened(true))
}

/// Compares what the storage holds with what was hashed: the service itself never does.
fn prove(etag: Option<Md5>, part: &Part) -> Result<()> {
    let text = match etag {
        Some(md5) if md5 == part.md5 => return Ok(()),
        Some(_) => "the storage holds other bytes than those that were hashed",
        None => "the storage did not say what it stored",
    };
    Err(Error::new(ErrorKind::DigestMismatch, format!("{text}, of part {}", part.number))
        .with_endpoint(PutPart::META.id))
}

impl UploadTarget for Target {
    type Session = Ongoing;
    type Stored = Stored;

    fn limits(&self) -> UploadLimits {
        // No source knows a limit of size.
        UploadLimits::new(u64::MAX, USUAL_PART_SIZE)
    }

    fn destination(&self) -> BoxFuture<'_, Result<String>> {
        let Self { folder, on_conflict, name, .. } = self;
        let destination = format!("web, folder {folder}, {on_conflict:?}, {name:?}");
        Box::pin(async { Ok(destination) })
    }

    fn proves_parts(&self) -> bool {
        true
    }

    fn begin<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Begun<Ongoing, Stored>>> {
        Box::pin(self.announce(file))
    }

    fn send_part<'a>(
        &'a self,
        ongoing: &'a Ongoing,
        part: &'a Part,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.send_part(ongoing, part, body))
    }

    fn complete<'a>(&'a self, ongoing: &'a Ongoing, parts: &'a [Part]) -> BoxFuture<'a, Result<Completion<Stored>>> {
        Box::pin(self.complete(ongoing, parts))
    }

    fn find<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Option<Stored>>> {
        Box::pin(self.find_again(file))
    }
}
