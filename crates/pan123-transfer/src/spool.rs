//! Sources that can be read only once: kept in memory or in a temporary file, and hashed on the way in.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use pan123_core::{Body, Error, Result};

use crate::{
    ReadAt, Stamp,
    blocking::{blocking, joined},
    hash::{Digests, Hasher, Job, StopOnDrop},
    progress::{Phase, Reporter},
    read::BUFFER,
    source::{Opened, read_at},
};

/// The largest source of unknown size that is kept in memory until it is sent: 4 MiB. A larger one goes to a temporary file.
pub const MOST_IN_MEMORY: usize = 4 << 20;

/// Something that can be read once.
pub(crate) enum Input {
    Reader(Box<dyn Read + Send>),
    Body(Body),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reader(_) => "Reader",
            Self::Body(_) => "Body",
        })
    }
}

/// How a source is spooled.
#[derive(Debug)]
pub(crate) struct Spooling {
    pub(crate) job: Job,
    /// Where the temporary file is made; the system's place when `None`.
    pub(crate) folder: Option<PathBuf>,
    /// The largest source that the service takes.
    pub(crate) max_size: u64,
    pub(crate) reporter: Arc<Reporter>,
}

impl Spooling {
    /// Reads all of `input`. Nothing is left behind when the future is dropped; a reader is left at its next buffer.
    pub(crate) async fn run(self, input: Input) -> Result<(Opened, Digests)> {
        let reporter = Arc::clone(&self.reporter);
        reporter.enter(Phase::Hashing, None, 0);
        let spool = Spool::new(self);
        let spool = match input {
            Input::Reader(reader) => spool.read(reader).await?,
            Input::Body(body) => spool.receive(body).await?,
        };
        reporter.leave();
        Ok(spool.finish())
    }
}

/// What has come so far.
struct Spool {
    how: Spooling,
    hasher: Hasher,
    kept: Kept,
}

enum Kept {
    Memory(Vec<u8>),
    File(File),
}

impl Spool {
    fn new(how: Spooling) -> Self {
        Self { hasher: how.job.hasher(), how, kept: Kept::Memory(Vec::new()) }
    }

    async fn read(mut self, mut reader: Box<dyn Read + Send>) -> Result<Self> {
        let stop = StopOnDrop::default();
        let is_stopped = stop.sign();
        let spool = blocking(move || {
            let mut buffer = vec![0; BUFFER];
            while !is_stopped() {
                match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(size) => self.take(&buffer[..size])?,
                    Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                    Err(cause) => return Err(unreadable(cause)),
                }
            }
            Ok(self)
        })
        .await?;
        drop(stop);
        spool
    }

    /// Takes in one batch of chunks while the next one comes.
    async fn receive(self, mut body: Body) -> Result<Self> {
        let mut work = tokio::task::spawn_blocking(move || Ok(self));
        loop {
            let batch = batch(&mut body).await?;
            let mut spool = joined(work.await)??;
            if batch.is_empty() {
                return Ok(spool);
            }
            work = tokio::task::spawn_blocking(move || {
                batch.iter().try_for_each(|chunk| spool.take(chunk))?;
                Ok(spool)
            });
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let size = self.hasher.size() + bytes.len() as u64;
        if size > self.how.max_size {
            let limit = self.how.max_size;
            return Err(Error::invalid(format!("the source has more than the {limit} bytes that the service takes")));
        }
        self.hasher.update(bytes);
        self.keep(bytes).map_err(|cause| {
            let place = self.folder();
            let what = if cause.kind() == io::ErrorKind::StorageFull { "the disk is full" } else { "a write failed" };
            let place = place.display();
            Error::io(format!("the source could not be copied to a temporary file in {place}: {what}"), cause)
        })?;
        self.how.reporter.add(bytes.len() as u64);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.kept {
            Kept::Memory(kept) if kept.len() + bytes.len() <= MOST_IN_MEMORY => kept.extend_from_slice(bytes),
            Kept::Memory(kept) => {
                let kept = std::mem::take(kept);
                // It has no name where the system can do so, and is gone with the process in any case.
                let mut file = tempfile::tempfile_in(self.folder())?;
                file.write_all(&kept)?;
                file.write_all(bytes)?;
                self.kept = Kept::File(file);
            }
            Kept::File(file) => file.write_all(bytes)?,
        }
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        self.how.folder.clone().unwrap_or_else(std::env::temp_dir)
    }

    fn finish(self) -> (Opened, Digests) {
        let digests = self.hasher.finish();
        let opened = match self.kept {
            Kept::Memory(bytes) => Opened::Bytes(bytes.into()),
            Kept::File(file) => Opened::read_at(Arc::new(Copy(file)), Stamp::new(digests.file.size)),
        };
        (opened, digests)
    }
}

/// Gathers chunks until they are worth a thread's turn; none are left at the end.
async fn batch(body: &mut Body) -> Result<Vec<Bytes>> {
    let (mut batch, mut size) = (Vec::new(), 0);
    while size < BUFFER && batch.len() < MOST_CHUNKS {
        let Some(chunk) = body.chunk().await else {
            break;
        };
        let chunk = chunk.map_err(unreadable)?;
        size += chunk.len();
        batch.push(chunk);
    }
    Ok(batch)
}

/// The most chunks in one batch: tiny ones may each hold a large buffer in memory.
const MOST_CHUNKS: usize = 128;

fn unreadable(cause: io::Error) -> Error {
    Error::io("the source could not be read", cause)
}

/// The temporary file, which nobody else can change.
#[derive(Debug)]
struct Copy(File);

impl ReadAt for Copy {
    fn stamp(&self) -> io::Result<Stamp> {
        Ok(Stamp::new(self.0.metadata()?.len()))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_at(&self.0, offset, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pan123_core::{BodySource, ErrorKind, Md5, testing::VirtualRuntime};

    use super::*;
    use crate::{Fingerprint, read::Memory};

    fn spooling(folder: &Path) -> Spooling {
        Spooling {
            job: Job { part_size: Some(1000), sha1: false },
            folder: Some(folder.to_owned()),
            max_size: 1 << 30,
            reporter: Reporter::new(Arc::new(VirtualRuntime::new(0, 1)), None),
        }
    }

    fn content(size: usize) -> Bytes {
        (0..size).map(|i| (i * 31 % 251) as u8).collect()
    }

    #[tokio::test]
    async fn small_ones_stay_in_memory_and_larger_ones_go_to_a_file_without_a_name() {
        for size in [0, 1, MOST_IN_MEMORY - 1, MOST_IN_MEMORY, MOST_IN_MEMORY + 1, 2 * MOST_IN_MEMORY + 77] {
            let bytes = content(size);
            let body = Memory(bytes.clone()).open();
            for input in [Input::Reader(Box::new(io::Cursor::new(bytes.clone()))), Input::Body(body)] {
                let folder = tempfile::tempdir().unwrap();
                let (opened, digests) = spooling(folder.path()).run(input).await.unwrap();
                assert_eq!(matches!(opened, Opened::Bytes(_)), size <= MOST_IN_MEMORY, "{size}");
                assert_eq!(digests.file, Fingerprint::new(size as u64, Md5::of(&bytes)));
                let parts: Vec<Md5> = bytes.chunks(1000).map(Md5::of).collect();
                assert_eq!(digests.parts(1000), Some(if size == 0 { vec![Md5::of(b"")] } else { parts }));
                let body = opened.range(0, size as u64).open().collect(size).await.unwrap();
                assert!(body == bytes, "{size}");
                opened.check().await.unwrap();
                if cfg!(unix) {
                    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is left after a kill either");
                }
            }
        }
    }

    #[tokio::test]
    async fn more_than_the_service_takes_is_refused_on_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let endless = Input::Reader(Box::new(io::repeat(7)));
        let error = Spooling { max_size: 10_000_000, ..spooling(folder.path()) }.run(endless).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("10000000"), "{error}");
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_and_a_broken_source_are_errors_that_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let large = || Input::Reader(Box::new(io::Cursor::new(content(MOST_IN_MEMORY + 1))));
        let error = spooling(&missing).run(large()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("missing: a write failed"), "{error}");

        let broken = || io::Error::other("torn");
        let reader = io::Cursor::new(content(10)).chain(Torn);
        let body = Body::from_chunks(None, Torn);
        for input in [Input::Reader(Box::new(reader)), Input::Body(body)] {
            let error = spooling(folder.path()).run(input).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io);
            assert_eq!(std::error::Error::source(&error).unwrap().to_string(), broken().to_string());
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_full_disk_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(spooling(folder.path()));
        spool.kept = Kept::File(File::options().write(true).open("/dev/full").unwrap());
        let error = spool.take(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().ends_with("the disk is full"), "{error}");
    }

    /// Fails at once.
    struct Torn;

    impl Read for Torn {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("torn"))
        }
    }

    impl pan123_core::Chunks for Torn {
        fn poll_chunk(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<io::Result<Bytes>>> {
            std::task::Poll::Ready(Some(Err(io::Error::other("torn"))))
        }
    }
}
