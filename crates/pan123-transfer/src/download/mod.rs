//! Downloads: what the caller says about one, and where its bytes end up.

mod fetching;
mod links;
mod place;
mod plan;
mod reader;
mod saving;
mod sink;
mod stage;

use std::{
    fmt,
    io::Write,
    ops::RangeBounds,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::{Bytes, BytesMut};
use pan123_core::{Error, Md5, Result, RetryPolicy, Runtime};

pub use self::reader::Reader;
#[cfg(feature = "stream")]
pub use self::reader::ReaderStream;
use self::{
    fetching::{Fetching, Known, Remote, Wanted},
    links::Links,
    place::Place,
    reader::Receiver,
    saving::Saving,
    stage::InOrder,
};
use crate::{
    Bandwidth, Checkpoints, DownloadOrigin, Notice,
    progress::{Callback, Progress, Reporter},
};

/// How many connections a download to a file has at most, unless [`Download::connections`] says otherwise.
pub const DEFAULT_DOWNLOAD_CONNECTIONS: usize = 4;

/// The most connections that a download may have: more have got addresses banned.
pub const MOST_DOWNLOAD_CONNECTIONS: usize = 16;

/// How much one request asks for where there are several connections, unless [`Download::piece_size`] says otherwise.
///
/// Requests for small ranges have been answered with HTTP 403.
pub const DEFAULT_PIECE_SIZE: u64 = 16 << 20;

/// Downloads one file, or a range of it.
///
/// Nothing happens before one of the endings: [`to_path`](Self::to_path), [`to_writer`](Self::to_writer),
/// [`bytes`](Self::bytes) or [`open`](Self::open). Dropping an ending's future cancels the download.
///
/// # What is checked
///
/// - The size: bytes that are too few or too many are an error, and so is a host that announces another size
///   than was expected, before its first byte is taken.
/// - The MD5 of the whole file, where it is known. A range has none; only its size is checked.
/// - That it is the file: where an HTML page or a JSON text of another size comes in its place, that is
///   [`WrongContent`](pan123_core::ErrorKind::WrongContent). Where neither size nor MD5 is expected nobody can tell.
///
/// # What is repaired
///
/// A connection that breaks or falls silent is replaced by one that goes on at the next byte, as often as the
/// retry policy allows since the last byte that came. An address that is refused is fetched anew, once before
/// the first byte and once after each progress. A host that ignores the range when it is asked to go on is an
/// error; the download does not begin again by itself.
///
/// # How many connections
///
/// A download begins with one. To a file, [`to_path`](Self::to_path) tries another one after every 32 MiB, up to
/// [`connections`](Self::connections); once the host refuses one (it has answered 429 and 403 to several) it tries no more,
/// and what the refused one should have fetched is left to the others. The other endings take the bytes in their order,
/// over one connection.
///
/// # What survives
///
/// [`to_path`](Self::to_path) writes a checkpoint after every 8 MiB, or every two seconds. When the process is killed, the
/// future is dropped, or the network is gone, the next download of the same file to the same path goes on from there.
pub struct Download {
    origin: Arc<dyn DownloadOrigin>,
    expected: Option<Expected>,
    runtime: Arc<dyn Runtime>,
    wanted: Option<Wanted>,
    retry: RetryPolicy,
    verify: bool,
    connections: usize,
    piece_size: u64,
    checkpoints: Checkpoints,
    bandwidth: Option<Bandwidth>,
    progress: Option<Callback>,
}

/// What is known of a file before it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Expected {
    /// The size of the whole file, in bytes.
    pub size: Option<u64>,
    /// The MD5 of the whole file.
    pub md5: Option<Md5>,
}

impl Expected {
    /// Says what is known.
    pub const fn new(size: Option<u64>, md5: Option<Md5>) -> Self {
        Self { size, md5 }
    }
}

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// How many bytes.
    pub size: u64,
    /// Their MD5, computed from what came; `None` for a range, and when verification was switched off.
    pub md5: Option<Md5>,
    /// How many of the bytes an earlier run had fetched; [`Download::to_path`] goes on from its checkpoint.
    pub resumed: u64,
    /// What there was to know about the checkpoint, such as why the download started over.
    pub notice: Option<Notice>,
}

impl Download {
    /// Makes a download of the whole file; `origin` may be an [`Arc`] of one.
    ///
    /// The origin [tells](DownloadOrigin::expected) size and MD5. A file that is expected to be empty is not asked for at all: the
    /// service has no address for it.
    pub fn new(origin: impl DownloadOrigin, runtime: Arc<dyn Runtime>) -> Self {
        Self {
            origin: Arc::new(origin),
            expected: None,
            runtime,
            wanted: None,
            retry: RetryPolicy::default(),
            verify: true,
            connections: DEFAULT_DOWNLOAD_CONNECTIONS,
            piece_size: DEFAULT_PIECE_SIZE,
            checkpoints: Checkpoints::beside_file(),
            bandwidth: None,
            progress: None,
        }
    }

    /// Says what is known of the file, so that the origin is not asked.
    #[must_use]
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = Some(expected);
        self
    }

    /// Takes only some of the bytes, such as `500..1000`, `500..=999`, or `500..` to the end of the file. Their MD5 is not checked.
    ///
    /// `..` and `0..` are the whole file. An empty range gives no bytes and makes no request. Where nobody knows the size, a
    /// host is asked for all that it has behind an open range's beginning, and says in its answer where that ends; if nothing is
    /// there it refuses (HTTP 416), and the download fails.
    #[must_use]
    pub fn range(mut self, range: impl RangeBounds<u64>) -> Self {
        self.wanted = Wanted::new(&range);
        self
    }

    /// Sets how often and for how long the download tries to go on since the last byte that came.
    ///
    /// `max_elapsed` is held against the time spent waiting between attempts.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Computes no MD5 and compares none. The size is still checked.
    #[must_use]
    pub fn without_verification(mut self) -> Self {
        self.verify = false;
        self
    }

    /// Sets how many connections a download to a file may have, 1 to [`MOST_DOWNLOAD_CONNECTIONS`];
    /// [`DEFAULT_DOWNLOAD_CONNECTIONS`] unless told otherwise.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.clamp(1, MOST_DOWNLOAD_CONNECTIONS);
        self
    }

    /// Sets how many bytes one request asks for where there are several connections; [`DEFAULT_PIECE_SIZE`] unless told
    /// otherwise. Another connection is tried after every two pieces, and a checkpoint is written at least twice in each.
    #[must_use]
    pub fn piece_size(mut self, bytes: u64) -> Self {
        self.piece_size = bytes.max(1);
        self
    }

    /// Says where the checkpoint of a download to a file is kept; beside the file unless told otherwise. What has come is
    /// beside the file in any case.
    #[must_use]
    pub fn checkpoints(mut self, place: impl Into<Checkpoints>) -> Self {
        self.checkpoints = place.into();
        self
    }

    /// Keeps to a limit of speed, which other transfers may share.
    #[must_use]
    pub fn bandwidth(mut self, limit: Bandwidth) -> Self {
        self.bandwidth = Some(limit);
        self
    }

    /// Calls `callback` as the download goes on, at most every [`PROGRESS_INTERVAL`](crate::PROGRESS_INTERVAL) and at
    /// the beginning and the end of each phase. It may be called from any thread and should return at once.
    #[must_use]
    pub fn on_progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Downloads to a file.
    ///
    /// The bytes go to a temporary file in the same folder, whose name begins with a dot and ends in `.pan123-part`.
    /// Only when size and MD5 agree and the bytes are on the disk is it renamed to `path`; a file or symbolic link
    /// that is there is replaced at that moment and not before.
    ///
    /// Where an earlier download of the same file to `path` has left a checkpoint, this one goes on from there: the same
    /// size and MD5, or where no MD5 is compared the same `ETag`, and the same [identity](DownloadOrigin::identity). The bytes that are
    /// there are read again for the MD5. If in the end it is wrong, or the host has another file by now, the download starts over
    /// by itself, and [`Downloaded::notice`] says why. After an error, and when the future is dropped, the temporary file is kept
    /// as far as a checkpoint tells what is in it, and removed otherwise; small files have none. Removing both is always safe.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](pan123_core::ErrorKind::InvalidInput): `path` has no file name or is a folder, or the
    ///   range is not within the file.
    /// - [`Io`](pan123_core::ErrorKind::Io): the folder is missing, the disk is full.
    /// - [`InUse`](pan123_core::ErrorKind::InUse): another download to `path` is under way, maybe in another process.
    /// - [`SizeMismatch`](pan123_core::ErrorKind::SizeMismatch),
    ///   [`DigestMismatch`](pan123_core::ErrorKind::DigestMismatch),
    ///   [`WrongContent`](pan123_core::ErrorKind::WrongContent): what came is not the file.
    /// - [`LinkRejected`](pan123_core::ErrorKind::LinkRejected): a fresh address was refused too.
    /// - Whatever the origin gave, when it is final or the retries are used up.
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<Downloaded> {
        Box::pin(self.save(path.as_ref().to_owned())).await
    }

    async fn save(self, path: PathBuf) -> Result<Downloaded> {
        let expected = self.told().await?;
        let Self { wanted, verify, connections, piece_size: piece, .. } = self;
        let (place, left) = Place::prepare(path, &self.checkpoints).await?;
        let (remote, reporter) = self.remote(expected);
        let notice = Mutex::default();
        Saving { remote, expected, wanted, verify, connections, piece, reporter, notice }.run(place, left).await
    }

    /// Downloads into `writer`, which is written to and flushed on threads that may block, and returns it.
    ///
    /// The bytes are written as they come: after an error the writer has had some of them, and after
    /// [`DigestMismatch`](pan123_core::ErrorKind::DigestMismatch) all.
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path); [`Io`](pan123_core::ErrorKind::Io) is what the writer gave.
    pub async fn to_writer<W: Write + Send + 'static>(self, writer: W) -> Result<(W, Downloaded)> {
        Box::pin(async move {
            let (writer, downloaded) = self.receiver(Some(writer), true).await?.all(drop).await?;
            Ok((writer.expect("the receiver was given a writer"), downloaded))
        })
        .await
    }

    /// Downloads into memory, unless it is more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path), and [`InvalidInput`](pan123_core::ErrorKind::InvalidInput) when there is more
    /// than `limit`; where the size is known, before the first byte is taken.
    pub async fn bytes(self, limit: usize) -> Result<Bytes> {
        Box::pin(async move {
            let mut receiver = self.receiver(None::<std::io::Sink>, false).await?;
            let too_large = || Error::invalid(format!("the file is larger than the {limit} bytes that were allowed"));
            receiver.connect().await?;
            if receiver.size().is_some_and(|size| size > limit as u64) {
                return Err(too_large());
            }
            let mut all = BytesMut::new();
            while let Some(chunk) = receiver.next().await? {
                if chunk.len() > limit - all.len() {
                    return Err(too_large());
                }
                all.extend_from_slice(&chunk);
            }
            Ok(all.freeze())
        })
        .await
    }

    /// Opens the file for reading chunk by chunk; the first answer has come when it returns.
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path), as far as it shows before the first byte.
    pub async fn open(self) -> Result<Reader> {
        Box::pin(async move {
            let mut receiver = self.receiver(None::<std::io::Sink>, false).await?;
            receiver.connect().await?;
            Ok(Reader::new(receiver))
        })
        .await
    }

    /// Puts together what fetches, writes, hashes and counts.
    ///
    /// The MD5 is computed where it can be compared, and, with `tell_md5`, where the caller is told of it.
    async fn receiver<W: Write + Send + 'static>(self, writer: Option<W>, tell_md5: bool) -> Result<Receiver<W>> {
        let expected = self.told().await?;
        let can_verify = self.verify && self.wanted.is_none();
        let want_md5 = expected.md5.filter(|_| can_verify);
        let hash = can_verify && (tell_md5 || want_md5.is_some());
        let wanted = self.wanted;
        let (remote, reporter) = self.remote(expected);
        Ok(Receiver::new(Fetching::new(remote, wanted)?, InOrder::new(writer, hash), want_md5, reporter))
    }

    /// Says what is known of the file, by the caller or else by the origin.
    async fn told(&self) -> Result<Expected> {
        match self.expected {
            Some(expected) => Ok(expected),
            None => self.origin.expected().await,
        }
    }

    fn remote(self, expected: Expected) -> (Arc<Remote>, Arc<Reporter>) {
        let remote = Remote {
            links: Links::new(self.origin, Arc::clone(&self.runtime)),
            runtime: Arc::clone(&self.runtime),
            retry: self.retry,
            bandwidth: self.bandwidth,
            compare_tags: expected.md5.is_none() || !self.verify || self.wanted.is_some(),
            known: Mutex::new(Known { total: expected.size, ..Known::default() }),
        };
        (Arc::new(remote), Reporter::new(self.runtime, self.progress))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("expected", &self.expected)
            .field("range", &self.wanted)
            .field("retry", &self.retry)
            .field("verify", &self.verify)
            .field("connections", &self.connections)
            .field("checkpoints", &self.checkpoints)
            .field("bandwidth", &self.bandwidth)
            .finish_non_exhaustive()
    }
}
