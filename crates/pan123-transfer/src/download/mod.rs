//! Downloads: what the caller says about one, and where its bytes end up.

mod fetching;
mod place;
mod reader;
mod stage;

use std::{
    fmt,
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use pan123_core::{Error, Md5, Result, RetryPolicy, Runtime};

pub use self::reader::Reader;
#[cfg(feature = "stream")]
pub use self::reader::ReaderStream;
use self::{fetching::Fetching, place::Place, reader::Receiver, stage::Stage};
use crate::{
    DownloadOrigin,
    progress::{Callback, Progress, Reporter},
};

/// Downloads one file, or a range of it, over one connection at a time.
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
pub struct Download {
    origin: Arc<dyn DownloadOrigin>,
    expected: Expected,
    runtime: Arc<dyn Runtime>,
    range: Option<Range<u64>>,
    retry: RetryPolicy,
    verify: bool,
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
}

impl Download {
    /// Makes a download of the whole file; `origin` may be an [`Arc`] of one.
    ///
    /// A file that is expected to be empty is not asked for at all: the service has no address for it.
    pub fn new(origin: impl DownloadOrigin, expected: Expected, runtime: Arc<dyn Runtime>) -> Self {
        Self {
            origin: Arc::new(origin),
            expected,
            runtime,
            range: None,
            retry: RetryPolicy::default(),
            verify: true,
            progress: None,
        }
    }

    /// Takes only the bytes from `range.start` up to, not including, `range.end`. Their MD5 is not checked.
    ///
    /// An empty range gives no bytes and makes no request.
    #[must_use]
    pub fn range(mut self, range: Range<u64>) -> Self {
        self.range = Some(range);
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
    /// that is there is replaced at that moment and not before. After an error, and when the future is dropped,
    /// the temporary file is removed and `path` is as it was.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](pan123_core::ErrorKind::InvalidInput): `path` has no file name or is a folder, or the
    ///   range is not within the file.
    /// - [`Io`](pan123_core::ErrorKind::Io): the folder is missing, the disk is full.
    /// - [`SizeMismatch`](pan123_core::ErrorKind::SizeMismatch),
    ///   [`DigestMismatch`](pan123_core::ErrorKind::DigestMismatch),
    ///   [`WrongContent`](pan123_core::ErrorKind::WrongContent): what came is not the file.
    /// - [`LinkRejected`](pan123_core::ErrorKind::LinkRejected): a fresh address was refused too.
    /// - Whatever the origin gave, when it is final or the retries are used up.
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<Downloaded> {
        Box::pin(self.save(path.as_ref().to_owned())).await
    }

    async fn save(self, path: PathBuf) -> Result<Downloaded> {
        let (place, file) = Place::prepare(path).await?;
        let received = match self.receiver(Some(file), true) {
            Ok(mut receiver) => receiver.all(drop).await,
            Err(error) => Err(error),
        };
        match received {
            Ok((Some(file), downloaded)) => place.fill(file).await.map(|()| downloaded),
            Ok((None, _)) => unreachable!("the receiver was given a file"),
            Err(error) => {
                place.discard().await;
                Err(error)
            }
        }
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
        let mut receiver = self.receiver(Some(writer), true)?;
        let (writer, downloaded) = Box::pin(receiver.all(drop)).await?;
        Ok((writer.expect("the receiver was given a writer"), downloaded))
    }

    /// Downloads into memory, unless it is more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`to_path`](Self::to_path), and [`InvalidInput`](pan123_core::ErrorKind::InvalidInput) when there is more
    /// than `limit`; where the size is known, before the first byte is taken.
    pub async fn bytes(self, limit: usize) -> Result<Bytes> {
        let mut receiver = self.receiver(None::<std::io::Sink>, false)?;
        Box::pin(async move {
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
        let mut receiver = self.receiver(None::<std::io::Sink>, false)?;
        Box::pin(async move {
            receiver.connect().await?;
            Ok(Reader::new(receiver))
        })
        .await
    }

    /// Puts together what fetches, writes, hashes and counts.
    ///
    /// The MD5 is computed where it can be compared, and, with `tell_md5`, where the caller is told of it.
    fn receiver<W: Write + Send + 'static>(self, writer: Option<W>, tell_md5: bool) -> Result<Receiver<W>> {
        let can_verify = self.verify && self.range.is_none();
        let want_md5 = self.expected.md5.filter(|_| can_verify);
        let hash = can_verify && (tell_md5 || want_md5.is_some());
        let fetching = Fetching::new(self.origin, &self.runtime, self.retry, self.expected.size, self.range)?;
        let reporter = Reporter::new(self.runtime, self.progress);
        Ok(Receiver::new(fetching, Stage::new(writer, hash), want_md5, reporter))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("expected", &self.expected)
            .field("range", &self.range)
            .field("retry", &self.retry)
            .field("verify", &self.verify)
            .finish_non_exhaustive()
    }
}
