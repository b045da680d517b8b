//! What is uploaded: a file that is read while it is sent, or bytes in memory.

use std::{
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use pan123_core::{BodySource, Error, ErrorKind, Result};

use crate::{
    blocking::blocking,
    read::{Memory, Section},
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
/// ```
#[derive(Clone)]
pub struct Source(Kind);

#[derive(Clone)]
enum Kind {
    Path(PathBuf),
    Bytes(Bytes),
    ReadAt(Arc<dyn ReadAt>),
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

    /// Returns the path, when it is one; its last component is the usual name for the uploaded file.
    pub fn local_path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Opens it and notes its size and stamp.
    pub(crate) async fn open(self) -> Result<Opened> {
        match self.0 {
            Kind::Bytes(bytes) => Ok(Opened::Bytes(bytes)),
            Kind::Path(path) => blocking(|| LocalFile::open(path)).await?,
            Kind::ReadAt(reader) => {
                blocking(|| {
                    let stamp = reader.stamp().map_err(|cause| Error::io("the source could not be opened", cause))?;
                    Ok(Opened::ReadAt { reader, stamp })
                })
                .await?
            }
        }
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
    ReadAt { reader: Arc<dyn ReadAt>, stamp: Stamp },
}

impl Opened {
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
            Self::ReadAt { reader, .. } => Arc::new(Section::new(Arc::clone(reader), offset, length)),
        }
    }

    /// Fails with [`ErrorKind::SourceChanged`] when the source is not what it was.
    pub(crate) async fn check(&self) -> Result<()> {
        let Self::ReadAt { reader, stamp } = self else {
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
        Ok(Opened::ReadAt { reader: Arc::new(Self { path, file }), stamp })
    }
}

impl ReadAt for LocalFile {
    fn stamp(&self) -> io::Result<Stamp> {
        Ok(Stamp::of(&fs::metadata(&self.path)?))
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }
}

impl fmt::Debug for Source {
    /// Shows where the bytes come from, never the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Kind::Bytes(bytes) => f.debug_struct("Bytes").field("length", &bytes.len()).finish(),
            Kind::ReadAt(reader) => f.debug_tuple("ReadAt").field(reader).finish(),
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
