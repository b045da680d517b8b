//! Uploads: what the caller says about one, and what comes of it.

mod complete;
mod pace;
mod parts;
mod resume;
mod run;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use pan123_core::{Error, Result, RetryPolicy, Runtime};

use self::{pace::Pace, resume::Checkpoint, run::Run};
use crate::{
    Bandwidth, Checkpoints, Fingerprint, Notice, Source, UploadTarget,
    hash::Job,
    progress::{Callback, Progress, Reporter},
    spool::Spooling,
};

/// How many parts are sent at a time at the most, unless told otherwise.
pub const DEFAULT_CONCURRENCY: usize = 3;

/// The most parts that are sent at a time. The service's firewall bans addresses that open many more connections.
pub const MOST_CONCURRENCY: usize = 32;

/// The largest file that goes in one request, unless told otherwise: 1 MiB.
pub const DEFAULT_SINGLE_STEP: u64 = 1 << 20;

/// Uploads one file: instantly where the service has its content, in one request where it is small, else in parts.
///
/// Nothing happens before [`send`](Self::send). Dropping the future of `send` cancels the upload: no part goes
/// on, and nothing is stored unless the service was already putting the parts together.
///
/// # Memory
///
/// Two buffers of 256 KiB for each part in flight, whatever the size of parts and file.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use pan123_core::{BodySource, BoxFuture, Result, TokioRuntime};
/// use pan123_transfer::{Begun, Completion, Fingerprint, How, Part, Upload, UploadLimits, UploadTarget};
///
/// /// A service that has every content already.
/// struct KnowsAll;
///
/// impl UploadTarget for KnowsAll {
///     type Session = ();
///     type Stored = String;
///
///     fn limits(&self) -> UploadLimits {
///         UploadLimits::new(10 << 30, 16 << 20)           // 10 GiB in parts of 16 MiB
///     }
///
///     fn begin<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Begun<(), String>>> {
///         Box::pin(async move { Ok(Begun::Stored(file.md5.to_string())) })
///     }
///
/// #   fn send_part<'a>(&'a self, _: &'a (), _: &'a Part, _: Arc<dyn BodySource>) -> BoxFuture<'a, Result<()>> {
/// #       Box::pin(async { Ok(()) })
/// #   }
/// #   fn complete<'a>(&'a self, _: &'a (), _: &'a [Part]) -> BoxFuture<'a, Result<Completion<String>>> {
/// #       Box::pin(async { Ok(Completion::Pending { wait: None }) })
/// #   }
/// #   fn find<'a>(&'a self, _: &'a Fingerprint) -> BoxFuture<'a, Result<Option<String>>> {
/// #       Box::pin(async { Ok(None) })
/// #   }
///     // fn send_part, fn complete, fn find: not called here, for this service wants no bytes.
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let uploaded = Upload::new(KnowsAll, b"hello", Arc::new(TokioRuntime))
///     .on_progress(|progress| println!("{:?}: {} bytes", progress.phase, progress.bytes))
///     .send()
///     .await?;
/// assert_eq!(uploaded.how, How::Instant);
/// assert_eq!(uploaded.stored, "5d41402abc4b2a76b9719d911017c592");
/// # Ok::<(), pan123_core::Error>(())
/// # }).unwrap();
/// ```
pub struct Upload<T> {
    target: T,
    source: Source,
    runtime: Arc<dyn Runtime>,
    concurrency: usize,
    retry: RetryPolicy,
    single_step_up_to: u64,
    completion_timeout: Option<Duration>,
    sha1: bool,
    trusted: Option<Fingerprint>,
    progress: Option<Callback>,
    checkpoints: Option<Checkpoints>,
    bandwidth: Option<Bandwidth>,
    spool: Option<PathBuf>,
}

/// A file that has been stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded<S> {
    /// What the API says of it, such as its id.
    pub stored: S,
    /// Its size and digests.
    pub fingerprint: Fingerprint,
    /// Which way it went.
    pub how: How,
    /// How many of its bytes an earlier upload had sent, so that they were not sent again.
    pub resumed: u64,
    /// What there was to know about the checkpoint.
    pub notice: Option<Notice>,
}

/// The ways a file can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum How {
    /// The service had the content already; no bytes were sent (秒传).
    Instant,
    /// In one request.
    SingleStep,
    /// In parts.
    Parts,
}

impl<T: UploadTarget> Upload<T> {
    /// Makes an upload of `source` to `target`; `target` may be an [`Arc`] of one.
    pub fn new(target: T, source: impl Into<Source>, runtime: Arc<dyn Runtime>) -> Self {
        Self {
            target,
            source: source.into(),
            runtime,
            concurrency: DEFAULT_CONCURRENCY,
            retry: RetryPolicy::default(),
            single_step_up_to: DEFAULT_SINGLE_STEP,
            completion_timeout: None,
            sha1: false,
            trusted: None,
            progress: None,
            checkpoints: None,
            bandwidth: None,
            spool: None,
        }
    }

    /// Returns where the file goes.
    pub fn target(&self) -> &T {
        &self.target
    }

    /// Returns where the file goes, for a caller who says so after what is uploaded.
    pub fn target_mut(&mut self) -> &mut T {
        &mut self.target
    }

    /// Returns what is uploaded.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Sets how many parts are sent at a time at the most: [`DEFAULT_CONCURRENCY`] unless told otherwise, at least 1 and
    /// at most [`MOST_CONCURRENCY`], to which other values are brought.
    ///
    /// An upload begins with two. It grows while that makes it faster, and shrinks when the service answers that it has too
    /// much, or not in time.
    #[must_use]
    pub fn concurrency(mut self, parts: usize) -> Self {
        self.concurrency = parts.clamp(1, MOST_CONCURRENCY);
        self
    }

    /// Sets when a request is sent again; each part has a count of its own.
    ///
    /// `max_elapsed` is held against the time spent waiting between attempts, not against the time that sending takes.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sends files of 1 to `bytes` bytes in one request; [`DEFAULT_SINGLE_STEP`] unless told otherwise.
    ///
    /// Such a file is not tried for an instant upload first, because its bytes cost less than the question.
    /// 0 switches this off. It is never more than the API's own [limit](crate::UploadLimits::single_step).
    #[must_use]
    pub fn single_step_up_to(mut self, bytes: u64) -> Self {
        self.single_step_up_to = bytes;
        self
    }

    /// Sets how long the service may take to put the parts together and to verify them.
    ///
    /// Unless told otherwise it is two minutes, and one second more for every 10 MiB of the file.
    #[must_use]
    pub fn completion_timeout(mut self, timeout: Duration) -> Self {
        self.completion_timeout = Some(timeout);
        self
    }

    /// Computes the SHA-1 too, in the same read.
    #[must_use]
    pub fn with_sha1(mut self) -> Self {
        self.sha1 = true;
        self
    }

    /// Announces the file by digests that the caller already has, so that an instant upload reads nothing.
    ///
    /// When the bytes are wanted after all they are hashed before they are sent, and a digest that turns out
    /// wrong is an error. An instant upload by a wrong digest stores whatever content the service knows by it.
    #[must_use]
    pub fn trust(mut self, fingerprint: Fingerprint) -> Self {
        self.trusted = Some(fingerprint);
        self
    }

    /// Keeps a checkpoint, and goes on from the one that an earlier upload of the same source to the same destination has
    /// left: parts that have arrived are not sent again, and what is known to be unchanged is not hashed again.
    ///
    /// `place` is [`Checkpoints::beside_file`] or a folder. A file counts as unchanged by its size, its time of change
    /// and its inode; anything else is hashed again and recognised by its MD5. Where an earlier upload cannot be gone on
    /// with, this one starts over and says why in [`Progress::notice`] and [`Uploaded::notice`].
    #[must_use]
    pub fn checkpoints(mut self, place: impl Into<Checkpoints>) -> Self {
        self.checkpoints = Some(place.into());
        self
    }

    /// Sends no faster than `bandwidth`, which other transfers may share.
    #[must_use]
    pub fn bandwidth(mut self, bandwidth: Bandwidth) -> Self {
        self.bandwidth = Some(bandwidth);
        self
    }

    /// Sets the folder of the temporary file for a source that can be read only once; the system's own unless told
    /// otherwise, which is in memory on some.
    #[must_use]
    pub fn spool_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spool = Some(folder.into());
        self
    }

    /// Calls `callback` as the upload goes on, at most every [`PROGRESS_INTERVAL`](crate::PROGRESS_INTERVAL) and at
    /// the beginning and the end of each phase. It may be called from any thread and should return at once.
    #[must_use]
    pub fn on_progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Uploads the file.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](pan123_core::ErrorKind::InvalidInput): the source is a folder, is larger than the API
    ///   allows, or has not the size that was trusted. Nothing was sent.
    /// - [`Io`](pan123_core::ErrorKind::Io): the source cannot be read, the disk is too full to spool it, or checkpoints cannot
    ///   be kept where they should be.
    /// - [`InUse`](pan123_core::ErrorKind::InUse): another upload is using the same checkpoint. Nothing was sent.
    /// - [`SourceChanged`](pan123_core::ErrorKind::SourceChanged): it is not what it was; nothing was stored. Upload it again.
    /// - [`DigestMismatch`](pan123_core::ErrorKind::DigestMismatch): the trusted digests are not those of the source, or a part
    ///   arrived with other bytes twice.
    /// - [`Decode`](pan123_core::ErrorKind::Decode): the service wants parts of an impossible size.
    /// - [`CompletionTimeout`](pan123_core::ErrorKind::CompletionTimeout): everything was sent and the service was
    ///   still verifying; it may be stored later. Holds the last code that the service gave.
    /// - [`OutcomeUnknown`](pan123_core::ErrorKind::OutcomeUnknown): an answer was lost, and whether the file is stored
    ///   could not be found out. Look for it before uploading it again.
    /// - Whatever the target gave, when it is final or the retries are used up.
    pub async fn send(self) -> Result<Uploaded<T::Stored>> {
        // One allocation keeps the caller's future small.
        Box::pin(self.run()).await
    }

    async fn run(self) -> Result<Uploaded<T::Stored>> {
        let limits = self.target.limits();
        let reporter = Reporter::new(Arc::clone(&self.runtime), self.progress);
        let path = self.source.local_path().map(Path::to_owned);
        let destination = match &self.checkpoints {
            Some(_) => self.target.destination().await?,
            None => String::new(),
        };
        let (checkpoint, earlier) = Checkpoint::open(self.checkpoints, path.as_deref(), destination, &reporter).await?;
        let (source, spooled) = self
            .source
            .open(Spooling {
                job: Job {
                    part_size: Some(limits.part_size),
                    sha1: self.sha1 || self.trusted.is_some_and(|trusted| trusted.sha1.is_some()),
                },
                folder: self.spool,
                max_size: limits.max_size,
                reporter: Arc::clone(&reporter),
            })
            .await?;
        let size = source.size();
        if size > limits.max_size {
            let limit = limits.max_size;
            return Err(Error::invalid(format!("the file has {size} bytes and the service takes at most {limit}")));
        }
        if self.trusted.is_some_and(|trusted| trusted.size != size) {
            return Err(Error::invalid(format!("the trusted size is not that of the source, which has {size} bytes")));
        }
        let single_step = limits.single_step.map_or(0, |most| most.min(self.single_step_up_to));
        let run = Run {
            target: self.target,
            source,
            reporter,
            pace: Arc::new(Pace::new(self.concurrency, Arc::clone(&self.runtime))),
            runtime: self.runtime,
            retry: self.retry,
            completion_timeout: self.completion_timeout.unwrap_or_else(|| default_completion_timeout(size)),
            bandwidth: self.bandwidth,
            in_one_request: (1..=single_step).contains(&size),
            part_size: limits.part_size,
            sha1: self.sha1,
            trusted: self.trusted,
            spooled,
            checkpoint,
        };
        run.upload(earlier).await
    }
}

/// Two minutes, and a second for every 10 MiB: the service reads everything once more, and may have a queue.
fn default_completion_timeout(size: u64) -> Duration {
    Duration::from_secs(120 + size / (10 << 20))
}

impl<T> fmt::Debug for Upload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("source", &self.source)
            .field("concurrency", &self.concurrency)
            .field("retry", &self.retry)
            .field("single_step_up_to", &self.single_step_up_to)
            .field("completion_timeout", &self.completion_timeout)
            .field("sha1", &self.sha1)
            .field("trusted", &self.trusted)
            .field("checkpoints", &self.checkpoints)
            .field("bandwidth", &self.bandwidth)
            .finish_non_exhaustive()
    }
}
