//! What an upload keeps, so that another one goes on after its process was killed.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use pan123_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Checkpoints, Fingerprint, Notice,
    checkpoint::{Found, Keeper, Kind, SavedStamp},
    hash::Digests,
    progress::Reporter,
};

/// What is in the checkpoint of an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Saved<S> {
    /// The source as it was when it was hashed; `None` where equal stamps would prove nothing.
    pub(super) stamp: Option<SavedStamp>,
    /// By what the file was, or will be, announced.
    pub(super) file: Fingerprint,
    /// What was computed; `None` while digests of the caller's are used.
    pub(super) digests: Option<Digests>,
    pub(super) step: Step<S>,
}

/// How far an upload is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step<S> {
    /// The file is hashed, and the service does not know of it.
    Hashed,
    /// The service was asked to store it, at once or by its digests, and no answer is known.
    Announced,
    /// The service wants it in parts.
    Sending(Sent<S>),
    /// All parts are there, and no answer to the completion is known.
    Completing(Sent<S>),
}

/// Which parts the service has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sent<S> {
    pub(super) session: S,
    pub(super) part_size: u64,
    /// The numbers of the parts that have arrived.
    pub(super) done: BTreeSet<u32>,
}

/// The checkpoint of one upload, if it has one.
#[derive(Debug)]
pub(super) struct Checkpoint<S> {
    keeper: Option<Keeper<Saved<S>>>,
    reporter: Arc<Reporter>,
    notice: Mutex<Option<Notice>>,
}

impl<S: Serialize + DeserializeOwned + Send + 'static> Checkpoint<S> {
    /// Takes the checkpoint for the source at `path`, if it is to have one, and reads what an earlier upload kept.
    pub(super) async fn open(
        checkpoints: Option<Checkpoints>,
        path: Option<&Path>,
        destination: String,
        reporter: &Arc<Reporter>,
    ) -> Result<(Self, Option<Saved<S>>)> {
        let mut this = Self { keeper: None, reporter: Arc::clone(reporter), notice: Mutex::default() };
        let Some(checkpoints) = checkpoints else {
            return Ok((this, None));
        };
        let place = checkpoints.path(Kind::Upload, path, &destination)?;
        let (keeper, found) = Keeper::open(place, Kind::Upload, destination).await?;
        this.keeper = Some(keeper);
        let earlier = match found {
            Found::Nothing => None,
            Found::Unusable => {
                this.tell(Notice::CheckpointUnreadable);
                None
            }
            Found::Content(saved) => Some(saved),
        };
        Ok((this, earlier))
    }

    /// Tells the caller, now and at the end.
    pub(super) fn tell(&self, notice: Notice) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = Some(notice);
        self.reporter.notice(notice);
    }

    /// Returns what the caller was told last.
    pub(super) fn notice(&self) -> Option<Notice> {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps all of it anew.
    pub(super) async fn set(&self, saved: Saved<S>) {
        if let Some(keeper) = &self.keeper {
            self.note(keeper.set(saved).await);
        }
    }

    /// Keeps how far the upload is.
    pub(super) async fn step(&self, step: Step<S>) {
        self.change(|saved| saved.step = step).await;
    }

    /// Keeps what was computed.
    pub(super) async fn digests(&self, digests: &Digests) {
        self.change(|saved| saved.digests = Some(digests.clone())).await;
    }

    /// Keeps that a part has arrived.
    pub(super) async fn arrived(&self, part: u32) {
        self.change(|saved| {
            if let Step::Sending(sent) = &mut saved.step {
                sent.done.insert(part);
            }
        })
        .await;
    }

    async fn change(&self, change: impl FnOnce(&mut Saved<S>)) {
        if let Some(keeper) = &self.keeper {
            self.note(keeper.change(change).await);
        }
    }

    /// An upload does not end because its checkpoint cannot be written.
    fn note(&self, written: io::Result<()>) {
        if written.is_err() {
            self.tell(Notice::CheckpointNotKept);
        }
    }

    /// Removes it, because nothing is left to go on with.
    pub(super) async fn remove(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            // Left behind, it leads the next upload to look for the file first, and to find it.
            let _ = keeper.remove().await;
        }
    }
}

/// Says whether an error of sending or completing speaks against the session itself.
///
/// What is temporary, concerns the credentials, or this machine, says nothing about it.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::Api
            | ErrorKind::UploadFailed
            | ErrorKind::LinkRejected
            | ErrorKind::DigestMismatch
    )
}
