//! Checkpoints: where they are kept, and what a caller hears of them.

mod keeper;
mod stamp;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use pan123_core::{Error, Md5, Result};

pub(crate) use self::{
    keeper::{Found, Keeper},
    stamp::SavedStamp,
};
use crate::own;

/// Where checkpoints are kept: what a transfer needs to go on after its process was killed.
///
/// A checkpoint is a small JSON file that only its owner can read. It is replaced whole, so that a kill at any moment
/// leaves the one before or the one after; when the transfer is done it is removed, and after a failure or a drop it is
/// kept. It holds ids, digests and addresses, but no token and no password. One that is damaged, of another
/// version of this crate, or of another file is not used, and [`Progress::notice`](crate::Progress::notice) says so.
///
/// The same transfer finds its checkpoint again by the path of the local file and by where it goes to or comes from. Two
/// transfers at the same time cannot share one: the second fails with [`InUse`](pan123_core::ErrorKind::InUse).
///
/// It survives the death of the process at any moment. After a power failure it may be a little older, or missing.
///
/// # Example
///
/// ```
/// use pan123_transfer::Checkpoints;
///
/// let beside: Checkpoints = Checkpoints::beside_file();
/// let elsewhere: Checkpoints = "/var/lib/backup/transfers".into();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Beside,
    Folder(PathBuf),
}

impl Checkpoints {
    /// Keeps each one beside the local file, under a name that begins with a dot.
    ///
    /// What is no file, such as bytes in memory, has no such place.
    pub const fn beside_file() -> Self {
        Self(Place::Beside)
    }

    /// Keeps them in `folder`, which must exist and should be writable by its owner alone.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(Place::Folder(folder.into()))
    }

    /// Returns the path of the checkpoint for `file`, which `key` tells from others of the same file.
    pub(crate) fn path(&self, kind: Kind, file: Option<&Path>, key: &str) -> Result<PathBuf> {
        let absolute = match file {
            Some(file) => {
                let text = "the path of the local file could not be made absolute";
                Some(std::path::absolute(file).map_err(|cause| Error::io(text, cause))?)
            }
            None => None,
        };
        let bytes = absolute.as_ref().map_or(&b""[..], |path| path.as_os_str().as_encoded_bytes());
        let digest = Md5::of(&[kind.extension().as_bytes(), bytes, key.as_bytes()].join(&0));
        let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy()).unwrap_or_default();
        let name = own::checkpoint(&name, digest, kind);
        match (&self.0, &absolute) {
            (Place::Folder(folder), _) => Ok(folder.join(name)),
            (Place::Beside, Some(path)) => Ok(path.with_file_name(format!(".{name}"))),
            (Place::Beside, None) => {
                Err(Error::invalid("what is not a file has no place beside it for a checkpoint: give a folder"))
            }
        }
    }
}

impl<P: Into<PathBuf>> From<P> for Checkpoints {
    fn from(folder: P) -> Self {
        Self::in_folder(folder)
    }
}

/// What a checkpoint is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Upload,
    Download,
}

impl Kind {
    /// The end of the checkpoint's name, and the word for it inside.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Upload => "pan123-upload",
            Self::Download => "pan123-download",
        }
    }
}

/// What a caller should know about going on from a checkpoint.
///
/// Its `Display` is one line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// What is transferred is not what it was when the checkpoint was made, so the transfer started over.
    SourceChanged,
    /// The service does not know the session of the checkpoint any more, so the transfer started over.
    SessionGone,
    /// The checkpoint is damaged, of another version, of another file, or not this user's, so the transfer started over.
    CheckpointUnreadable,
    /// The checkpoint could not be written. The transfer goes on; killed now, it would start from an earlier point.
    CheckpointNotKept,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceChanged => "the source has changed since the checkpoint was made; the transfer starts over",
            Self::SessionGone => "the service does not know the session any more; the transfer starts over",
            Self::CheckpointUnreadable => "the checkpoint cannot be used; the transfer starts over",
            Self::CheckpointNotKept => "the checkpoint could not be written; the transfer goes on without it",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_one_place_for_each_file_and_destination() {
        let folder = Checkpoints::in_folder("/c");
        let path = |file: Option<&str>, key| folder.path(Kind::Upload, file.map(Path::new), key).unwrap();
        let one = path(Some("/a/file.tar"), "x");
        assert_eq!(one, path(Some("/a/file.tar"), "x"));
        assert!(one.starts_with("/c") && one.to_string_lossy().ends_with(".pan123-upload"), "{one:?}");
        assert_ne!(one, path(Some("/b/file.tar"), "x"));
        assert_ne!(one, path(Some("/a/file.tar"), "y"));
        assert_ne!(one, path(None, "x"));
        assert_ne!(one, folder.path(Kind::Download, Some(Path::new("/a/file.tar")), "x").unwrap());
        let long = path(Some(&format!("/a/{}", "长".repeat(80))), "x");
        assert!(long.file_name().unwrap().len() < 200);
        let beside = Checkpoints::beside_file();
        let path = beside.path(Kind::Upload, Some(Path::new("/a/file.tar")), "x").unwrap();
        assert_eq!(path.parent(), Some(Path::new("/a")));
        assert!(path.file_name().unwrap().to_string_lossy().starts_with(".file.tar."));
        assert!(beside.path(Kind::Upload, None, "x").is_err());
    }
}
