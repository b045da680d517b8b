//! What the engine asks of an API: where parts go, and where bytes come from.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use pan123_core::{BodySource, BoxFuture, Error, ErrorKind, Fetched, Link, Md5, Result, Sha1};
use serde::{Serialize, de::DeserializeOwned};

/// One API's way of storing one file: the name and the folder are the target's own business.
///
/// The engine hashes, plans, sends in parallel, repeats and waits; the target makes one request for each
/// call. A call that fails is repeated by the engine only where [`Error::is_retryable`] says that it may
/// help and [`Error::may_have_happened`] does not forbid it.
pub trait UploadTarget: Send + Sync + 'static {
    /// What the API needs to go on with an upload that it began. It is kept in checkpoints.
    type Session: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// What is known of the file once it is stored, such as its id.
    type Stored: fmt::Debug + Send + 'static;

    /// Returns what is known before the first request.
    fn limits(&self) -> UploadLimits;

    /// Announces the file. The answer may be that its content is already there (instant upload, 秒传).
    fn begin<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Begun<Self::Session, Self::Stored>>>;

    /// Sends the whole file in one request. Called only for files within [`UploadLimits::single_step`].
    fn send_whole<'a>(
        &'a self,
        file: &'a Fingerprint,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<Self::Stored>> {
        let _ = (file, body);
        Box::pin(async { Err(Error::new(ErrorKind::Config, "this API has no upload in a single step")) })
    }

    /// Sends one part. Sending the same part again replaces it.
    fn send_part<'a>(
        &'a self,
        session: &'a Self::Session,
        part: &'a Part,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Asks the service to put the parts together, or whether it has. Called until it is no longer pending.
    fn complete<'a>(
        &'a self,
        session: &'a Self::Session,
        parts: &'a [Part],
    ) -> BoxFuture<'a, Result<Completion<Self::Stored>>>;

    /// Looks for the file after an answer was lost: by name, size and MD5, in the folder it was meant for.
    ///
    /// `None` means that it is certainly not there; an error, that nobody can tell.
    fn find<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Option<Self::Stored>>>;
}

/// What an API allows, as far as it is known before the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// The largest file.
    pub max_size: u64,
    /// The largest file that may go in one request; `None` when the API has no such call.
    pub single_step: Option<u64>,
    /// The part size that the service is known to use: part MD5s are computed for it while the file's is. The service's own word wins.
    pub part_size: u64,
}

/// Size and digests of a file, by which the service knows its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The size in bytes.
    pub size: u64,
    /// The MD5 of all bytes.
    pub md5: Md5,
    /// The SHA-1 of all bytes, where the caller asked for it.
    pub sha1: Option<Sha1>,
}

/// How the service answered the announcement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun<S, D> {
    /// The content was already there; the file is stored and no bytes are sent.
    Stored(D),
    /// The bytes are wanted, in parts.
    Parts {
        /// To go on with.
        session: S,
        /// The size of every part but the last, in bytes.
        part_size: u64,
    },
}

/// One part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: u32,
    /// Where it begins in the file.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
    /// The MD5 of its bytes.
    pub md5: Md5,
}

/// How far the service is with putting a file together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion<D> {
    /// It is stored.
    Stored(D),
    /// It is still being verified.
    Pending {
        /// How long the service wants to be left alone; the engine's own interval when `None`.
        wait: Option<Duration>,
    },
}

/// Where the bytes of one file come from.
pub trait DownloadOrigin: Send + Sync + 'static {
    /// Gets a fresh address. Called before the first byte, and again when an address is refused or expired.
    fn resolve(&self) -> BoxFuture<'_, Result<Link>>;

    /// Begins to fetch a range of the file, or all of it, in one request that is not repeated.
    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>>;
}
