//! What is uploaded: a file that is read while it is sent, bytes in memory, or what can be read once.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use pan123_core::{Body, BodySource, Error, ErrorKind, Md5, Result};

use crate::{
    blocking::blocking,
    hash::Digests,
    read::{Buffers, Memory, Proof, Section},
    spool::{Input, Spooling},
};

/// What is uploaded.
///
/// A path is opened when the upload begins, and is read while it is hashed and sent: a part is never in memory.
/// That the file changes meanwhile is noticed by its size, its time of change and its inode.
///
/// # Example
///
/// ```
/// use pan123_transfer::Source;
///
/// let file: Source = "backup.tar".into();              // text is a path
/// let bytes: Source = Source::bytes("hello");          // unless it is said to be bytes
/// let bytes: Source = vec![0; 1024].into();
/// let input: Source = Source::reader(std::io::stdin());
/// ```
#[derive(Clone)]
pub struct Source(Kind);

#[derive(Clone)]
enum Kind {
    Path(PathBuf),
    Bytes(Bytes),
    ReadAt(Arc<dyn ReadAt>),
    /// Gone once it was read.
    Once(Arc<Mutex<Option<Input>>>),
}

impl Source {
    /// Takes the file at `path`. Symbolic links are followed.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Path(path.into()))
    }

    /// Takes bytes that are in memory; they are not copied.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }

    /// Takes anything that can be read at any place, such as an image inside an archive.
    pub fn read_at(reader: impl ReadAt) -> Self {
        Self(Kind::ReadAt(Arc::new(reader)))
    }

    /// Takes a reader to its end, whatever its size: standard input, an archive that is being made.
    ///
    /// It is read once, on a thread that may block, and kept until it is sent: up to [`MOST_IN_MEMORY`](crate::MOST_IN_MEMORY)
    /// bytes in memory, more in a temporary file. The digests are computed on the way. Clones share the
    /// reader: whoever is uploaded first reads it.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Self(Kind::Once(Arc::new(Mutex::new(Some(Input::Reader(Box::new(reader)))))))
    }

    /// Takes a body to its end, such as one that is being received; otherwise as [`reader`](Self::reader).
    pub fn body(body: Body) -> Self {
        Self(Kind::Once(Arc::new(Mutex::new(Some(Input::Body(body))))))
    }

    /// Takes a stream to its end; otherwise as [`reader`](Self::reader).
    #[cfg(feature = "stream")]
    #[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
    pub fn stream(stream: impl futures_core::Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        struct Chunked<S>(std::pin::Pin<Box<S>>);

        impl<S: futures_core::Stream<Item = io::Result<Bytes>> + Send> pan123_core::Chunks for Chunked<S> {
            fn poll_chunk(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<io::Result<Bytes>>> {
                self.0.as_mut().poll_next(cx)
            }
        }
        Self::body(Body::from_chunks(None, Chunked(Box::pin(stream))))
    }

    /// Returns the path, when it is one; its last component is the usual name for the uploaded file.
    pub fn local_path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Opens it and notes its size and stamp. What can be read only once is spooled, which gives its digests.
    pub(crate) async fn open(self, spooling: Spooling) -> Result<(Opened, Option<Digests>)> {
        let opened = match self.0 {
            Kind::Bytes(bytes) => Opened::Bytes(bytes),
            Kind::Path(path) => blocking(|| LocalFile::open(path)).await??,
            Kind::ReadAt(reader) => {
                blocking(|| {
                    let stamp = reader.stamp().map_err(|cause| Error::io("the source could not be opened", cause))?;
                    Ok::<_, Error>(Opened::read_at(reader, stamp))
                })
                .await??
            }
            Kind::Once(input) => {
                let input = input.lock().unwrap_or_else(PoisonError::into_inner).take();
                let input = input.ok_or_else(|| {
                    Error::invalid("the source can be read only once, and was: make another for another upload")
                })?;
                let (opened, digests) = spooling.run(input).await?;
                return Ok((opened, Some(digests)));
            }
        };
        Ok((opened, None))
    }
}

/// Something of a known size that can be read at any place, by several threads at once.
///
/// Files are read through it; implement it for a source of another kind. Its methods run on threads that may
/// block. An [`Arc`] of one is one too.
pub trait ReadAt: fmt::Debug + Send + Sync + 'static {
    /// Returns what would differ had the content been changed.
    ///
    /// It is asked for at the beginning, after hashing, after a failure, and before completion. A stamp that
    /// differs from the first ends the upload with [`ErrorKind::SourceChanged`].
    ///
    /// # Errors
    ///
    /// Any; during an upload it counts as a change.
    fn stamp(&self) -> io::Result<Stamp>;

    /// Reads some bytes from `offset` on into `buffer` and returns how many; 0 only at the end.
    ///
    /// # Errors
    ///
    /// Any; it ends the upload.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl<R: ReadAt + ?Sized> ReadAt for Arc<R> {
    fn stamp(&self) -> io::Result<Stamp> {
        (**self).stamp()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buffer)
    }
}

/// By what a change of a source is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stamp {
    /// The size in bytes.
    pub size: u64,
    /// When it was last written, as far as the file system remembers.
    pub modified: Option<SystemTime>,
    /// Which file it is among those that have had this name: its inode, where there are inodes.
    pub identity: Option<u64>,
}

impl Stamp {
    /// Makes a stamp of a size alone.
    pub const fn new(size: u64) -> Self {
        Self { size, modified: None, identity: None }
    }

    /// Adds the time of the last change.
    #[must_use]
    pub fn with_modified(self, modified: SystemTime) -> Self {
        Self { modified: Some(modified), ..self }
    }

    /// Adds a number that another file under the same name would not have.
    #[must_use]
    pub const fn with_identity(self, identity: u64) -> Self {
        Self { identity: Some(identity), ..self }
    }

    fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let identity = Some(std::os::unix::fs::MetadataExt::ino(metadata));
        #[cfg(not(unix))]
        let identity = None;
        Self { size: metadata.len(), modified: metadata.modified().ok(), identity }
    }
}

/// A source that has been opened. Clones read the same bytes.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    Bytes(Bytes),
    ReadAt { reader: Arc<dyn ReadAt>, stamp: Stamp, buffers: Arc<Buffers> },
}

impl Opened {
    pub(crate) fn read_at(reader: Arc<dyn ReadAt>, stamp: Stamp) -> Self {
        Self::ReadAt { reader, stamp, buffers: Arc::default() }
    }

    /// Returns by what a change would be noticed; nothing where none can happen.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Bytes(_) => None,
            Self::ReadAt { stamp, .. } => Some(*stamp),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::ReadAt { stamp, .. } => stamp.size,
        }
    }

    /// Returns a body of `length` bytes from `offset` on, which is read while it is sent.
    pub(crate) fn range(&self, offset: u64, length: u64) -> Arc<dyn BodySource> {
        match self {
            Self::Bytes(bytes) => {
                let at = |position: u64| usize::try_from(position).expect("what is in memory has a size that fits");
                Arc::new(Memory(bytes.slice(at(offset)..at(offset + length))))
            }
            Self::ReadAt { reader, buffers, .. } => {
                Arc::new(Section::new(Arc::clone(reader), Arc::clone(buffers), offset, length))
            }
        }
    }

    /// Does the same, with a proof that what is sent has the MD5 `want`; bytes in memory need none.
    pub(crate) fn proven_range(
        &self,
        offset: u64,
        length: u64,
        want: Md5,
    ) -> (Arc<dyn BodySource>, Option<Arc<Proof>>) {
        match self {
            Self::Bytes(_) => (self.range(offset, length), None),
            Self::ReadAt { reader, buffers, .. } => {
                let proof = Arc::new(Proof::new(want));
                let section = Section::new(Arc::clone(reader), Arc::clone(buffers), offset, length);
                (Arc::new(section.proven(Arc::clone(&proof))), Some(proof))
            }
        }
    }

    /// Fails with [`ErrorKind::SourceChanged`] when the source is not what it was.
    pub(crate) async fn check(&self) -> Result<()> {
        let Self::ReadAt { reader, stamp, .. } = self else {
            return Ok(());
        };
        let reader = Arc::clone(reader);
        match blocking(move || reader.stamp()).await? {
            Ok(now) if now == *stamp => Ok(()),
            Ok(_) => Err(changed("the source changed while it was uploaded")),
            Err(cause) => Err(changed("the source went away while it was uploaded").with_source(cause)),
        }
    }
}

pub(crate) fn changed(text: &'static str) -> Error {
    Error::new(ErrorKind::SourceChanged, text)
}

/// A file of the local file system. It is asked for its stamp by name, so that a file put in its place is noticed.
#[derive(Debug)]
struct LocalFile {
    path: PathBuf,
    file: File,
}

impl LocalFile {
    fn open(path: PathBuf) -> Result<Opened> {
        let failed = |cause| Error::io(format!("the file to upload could not be opened: {}", path.display()), cause);
        // Asked before it is opened, because opening a named pipe would wait for its other end.
        let kind = fs::metadata(&path).map_err(failed)?.file_type();
        if kind.is_dir() {
            return Err(Error::invalid(format!("a folder cannot be uploaded as a file: {}", path.display())));
        }
        if !kind.is_file() {
            return Err(Error::invalid(format!("only a regular file can be uploaded: {}", path.display())));
        }
        let file = File::open(&path).map_err(failed)?;
        let stamp = Stamp::of(&file.metadata().map_err(failed)?);
        Ok(Opened::read_at(Arc::new(Self { path, file }), stamp))
    }
}

impl ReadAt for LocalFile {
    fn stamp(&self) -> io::Result<Stamp> {
        Ok(Stamp::of(&fs::metadata(&self.path)?))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_at(&self.file, offset, buffer)
    }
}

#[cfg(unix)]
pub(crate) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

impl fmt::Debug for Source {
    /// Shows where the bytes come from, never the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Kind::Bytes(bytes) => f.debug_struct("Bytes").field("length", &bytes.len()).finish(),
            Kind::ReadAt(reader) => f.debug_tuple("ReadAt").field(reader).finish(),
            Kind::Once(_) => f.write_str("Once"),
        }
    }
}

/// Writes the conversions that are one constructor each.
macro_rules! from {
    ($constructor:ident: $($type:ty),+) => {$(
        impl From<$type> for Source {
            fn from(value: $type) -> Self {
                Self::$constructor(value)
            }
        }
    )+};
}

from!(path: &Path, PathBuf, &PathBuf, &str, String, &String);
from!(bytes: Bytes, Vec<u8>, &'static [u8]);

impl<const N: usize> From<&'static [u8; N]> for Source {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self::bytes(&bytes[..])
    }
}
