//! What the engine asks of an API: where parts go, and where bytes come from.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use pan123_core::{BodySource, BoxFuture, Error, ErrorKind, Fetched, Link, Md5, Result, Sha1};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Expected;

/// One API's way of storing one file: the name and the folder are the target's own business.
///
/// The engine hashes, plans, sends in parallel, repeats and waits; the target makes one request for each
/// call and does not repeat it on its own. A call that fails is repeated by the engine only where
/// [`Error::is_retryable`] says that it may help and [`Error::may_have_happened`] does not forbid it.
///
/// An [`Arc`] of a target is a target too.
pub trait UploadTarget: Send + Sync + 'static {
    /// What the API needs to go on with an upload that it began. It is kept in checkpoints.
    type Session: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// What is known of the file once it is stored, such as its id.
    type Stored: fmt::Debug + Send + 'static;

    /// Returns what is known before the first request.
    fn limits(&self) -> UploadLimits;

    /// Returns what tells this destination from others: the account as far as it is known, the folder, the name, and what
    /// happens when that is taken.
    ///
    /// Asked for only where a checkpoint is kept: only an upload to the same destination goes on from it. The text is kept in
    /// there, so it holds no secret. Nothing unless told otherwise; two uploads of the same file then share one checkpoint,
    /// whatever they go to.
    fn destination(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok(String::new()) })
    }

    /// Says whether it is certain without the engine that the bytes which arrived are those that were declared.
    ///
    /// It is where the service compares them with the MD5 of the part or of the file and refuses others, and where
    /// [`send_part`](Self::send_part) compares the part's MD5 with the ETag of the answer and fails with
    /// [`ErrorKind::DigestMismatch`]; such a part is sent once more. Otherwise the engine computes the MD5 of each part again
    /// while it is sent, which costs about as much as hashing the file did. It is not certain unless told otherwise.
    fn proves_parts(&self) -> bool {
        false
    }

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

    /// Sends one part. Sending the same part again replaces it, so it is sent again after a lost answer too.
    ///
    /// Where parts go to presigned addresses, the target renews those that are refused.
    fn send_part<'a>(
        &'a self,
        session: &'a Self::Session,
        part: &'a Part,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Asks the service to put the parts together, or whether it has. Called until it is no longer pending.
    ///
    /// An error for which [`Error::is_retryable`] holds counts as pending as well, and its code is kept for
    /// [`ErrorKind::CompletionTimeout`]; so a code that means "still verifying" may come as
    /// [`ErrorKind::Busy`]. Any other error ends the upload at once.
    fn complete<'a>(
        &'a self,
        session: &'a Self::Session,
        parts: &'a [Part],
    ) -> BoxFuture<'a, Result<Completion<Self::Stored>>>;

    /// Looks for the file after an answer was lost: by name, size and MD5, in the folder it was meant for.
    ///
    /// `None` means that it is certainly not there; an error, that nobody can tell. Where instant uploads
    /// show up late, it is for the target to wait for them.
    fn find<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Option<Self::Stored>>>;
}

/// What an API allows, as far as it is known before the first request.
///
/// # Example
///
/// ```
/// use pan123_transfer::UploadLimits;
///
/// let limits = UploadLimits::new(10 << 30, 16 << 20).with_single_step(1 << 30);
/// assert_eq!(limits.single_step, Some(1 << 30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadLimits {
    /// The largest file, in bytes.
    pub max_size: u64,
    /// The largest file that may go in one request, in bytes; `None` when the API has no such call.
    pub single_step: Option<u64>,
    /// The part size that the service is known to use, in bytes: part MD5s are computed for it while the
    /// file's is. The service's own word wins. 0 when it is not known.
    pub part_size: u64,
}

impl UploadLimits {
    /// Makes the limits of an API that has no upload in a single step.
    pub const fn new(max_size: u64, part_size: u64) -> Self {
        Self { max_size, single_step: None, part_size }
    }

    /// Says that files of up to `bytes` may go in one request.
    #[must_use]
    pub const fn with_single_step(self, bytes: u64) -> Self {
        Self { single_step: Some(bytes), ..self }
    }
}

/// Size and digests of a file, by which the service knows its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fingerprint {
    /// The size in bytes.
    pub size: u64,
    /// The MD5 of all bytes.
    pub md5: Md5,
    /// The SHA-1 of all bytes, where the caller asked for it.
    pub sha1: Option<Sha1>,
}

impl Fingerprint {
    /// Makes a fingerprint without a SHA-1.
    pub const fn new(size: u64, md5: Md5) -> Self {
        Self { size, md5, sha1: None }
    }

    /// Adds the SHA-1.
    #[must_use]
    pub const fn with_sha1(self, sha1: Sha1) -> Self {
        Self { sha1: Some(sha1), ..self }
    }
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
        /// The size of every part but the last, in bytes, as the service said it.
        part_size: u64,
    },
}

/// One part of a file. An empty file has one part, which is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

impl Part {
    /// Makes a part; the engine does, and the tests of a target.
    pub const fn new(number: u32, offset: u64, length: u64, md5: Md5) -> Self {
        Self { number, offset, length, md5 }
    }
}

/// How far the service is with putting a file together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion<D> {
    /// It is stored.
    Stored(D),
    /// It is still being verified.
    Pending {
        /// How long the service wants to be left alone; the engine's own interval (1 second, growing to 5)
        /// when `None`.
        wait: Option<Duration>,
    },
}

/// Where the bytes of one file come from.
///
/// [`resolve`](Self::resolve) and [`fetch`](Self::fetch) are not repeated by the origin on its own; the engine does. An [`Arc`] of
/// an origin is an origin too.
pub trait DownloadOrigin: Send + Sync + 'static {
    /// Returns what tells this file from others of its origin, such as its id.
    ///
    /// Only a download of the same file goes on from a checkpoint, where this text is kept: it holds no secret. Nothing
    /// unless told otherwise; size and MD5 are compared in any case.
    fn identity(&self) -> String {
        String::new()
    }

    /// Says what is known of the file, asking the service where it must; an error where it has no bytes to give, as a folder.
    ///
    /// Called once, before anything else, unless [`Download::expecting`](crate::Download::expecting) has said it already.
    /// Nothing is known unless told otherwise.
    fn expected(&self) -> BoxFuture<'_, Result<Expected>> {
        Box::pin(async { Ok(Expected::default()) })
    }

    /// Gets a fresh address. Called before the first byte, and again when an address is refused or expired.
    fn resolve(&self) -> BoxFuture<'_, Result<Link>>;

    /// Begins to fetch a range of the file, or all of it, in one request. [`Fetch`](pan123_core::Fetch) does it.
    ///
    /// A range whose end nobody knows yet ends at [`i64::MAX`]; hosts take that for the end of the file.
    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>>;
}

impl<T: UploadTarget + ?Sized> UploadTarget for Arc<T> {
    type Session = T::Session;
    type Stored = T::Stored;

    fn limits(&self) -> UploadLimits {
        (**self).limits()
    }

    fn destination(&self) -> BoxFuture<'_, Result<String>> {
        (**self).destination()
    }

    fn proves_parts(&self) -> bool {
        (**self).proves_parts()
    }

    fn begin<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Begun<Self::Session, Self::Stored>>> {
        (**self).begin(file)
    }

    fn send_whole<'a>(
        &'a self,
        file: &'a Fingerprint,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<Self::Stored>> {
        (**self).send_whole(file, body)
    }

    fn send_part<'a>(
        &'a self,
        session: &'a Self::Session,
        part: &'a Part,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<()>> {
        (**self).send_part(session, part, body)
    }

    fn complete<'a>(
        &'a self,
        session: &'a Self::Session,
        parts: &'a [Part],
    ) -> BoxFuture<'a, Result<Completion<Self::Stored>>> {
        (**self).complete(session, parts)
    }

    fn find<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Option<Self::Stored>>> {
        (**self).find(file)
    }
}

impl<O: DownloadOrigin + ?Sized> DownloadOrigin for Arc<O> {
    fn identity(&self) -> String {
        (**self).identity()
    }

    fn expected(&self) -> BoxFuture<'_, Result<Expected>> {
        (**self).expected()
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        (**self).resolve()
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        (**self).fetch(link, range)
    }
}
