//! The place of a downloaded file: a temporary file beside the final name, and a checkpoint of what is in it.

use std::{
    fs::{self, File, OpenOptions},
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use pan123_core::{Error, Md5, Result};
use serde::{Deserialize, Serialize};

use crate::{
    Checkpoints,
    blocking::blocking,
    checkpoint::{Found, Keeper, Kind},
    own,
};

/// What a checkpoint of a download says. It is believed only as far as the temporary file bears it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// What tells the file from others of its origin.
    pub(super) identity: String,
    /// The size of the whole file.
    pub(super) size: u64,
    pub(super) md5: Option<Md5>,
    pub(super) etag: Option<String>,
    /// The bytes that are wanted.
    pub(super) window: Range<u64>,
    /// The bytes of the temporary file that are there.
    pub(super) done: Vec<Range<u64>>,
}

/// What an earlier run has left.
pub(super) enum Left {
    Nothing,
    /// A checkpoint or a temporary file that cannot be used.
    Unusable,
    Checkpoint(Saved, File),
}

/// The final name, and the temporary file beside it. Nobody else uses either while this lives.
///
/// Dropping it removes the temporary file, unless a checkpoint says what is in it.
pub(super) struct Place {
    path: PathBuf,
    temporary: PathBuf,
    checkpoint: PathBuf,
    keeper: Option<Keeper<Saved>>,
    /// A checkpoint that is on the disk.
    written: Option<Saved>,
    /// Whether it says what is in the temporary file.
    is_kept: bool,
}

impl Place {
    /// Makes sure that the place can be, locks it, and looks for what an earlier run has left.
    pub(super) async fn prepare(path: PathBuf, checkpoints: &Checkpoints) -> Result<(Self, Left)> {
        let checkpoint = {
            let (path, checkpoints) = (path.clone(), checkpoints.clone());
            blocking(move || {
                if path.file_name().is_none() {
                    return Err(Error::invalid("the path to download to has no file name"));
                }
                if path.is_dir() {
                    return Err(Error::invalid(format!("a folder is in the file's place: {}", path.display())));
                }
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                fs::metadata(folder).map_err(|cause| failed(&path, "made", cause))?;
                checkpoints.path(Kind::Download, Some(&path), "")
            })
            .await??
        };
        // Downloads that keep their checkpoints elsewhere do not meet at its lock, and have another temporary file.
        let mark = Md5::of(checkpoint.as_os_str().as_encoded_bytes());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(own::temporary(&name, mark));
        let (keeper, found) = Keeper::open(checkpoint.clone(), Kind::Download, String::new()).await?;
        let mut place = Self { path, temporary, checkpoint, keeper: Some(keeper), written: None, is_kept: false };
        let saved = match found {
            Found::Nothing => return Ok((place, Left::Nothing)),
            Found::Unusable => return Ok((place, Left::Unusable)),
            Found::Content(saved) => saved,
        };
        let (temporary, window) = (place.temporary.clone(), saved.window.clone());
        let left = match blocking(move || reopen(&temporary, window.end.saturating_sub(window.start))).await? {
            Ok(Some(file)) if saved.is_sound() => Left::Checkpoint(saved.clone(), file),
            Ok(_) => Left::Unusable,
            // The process was killed between the end of the download and the end of its checkpoint.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Left::Nothing,
            Err(cause) => return Err(failed(&place.path, "opened again", cause)),
        };
        place.is_kept = matches!(left, Left::Checkpoint(..));
        place.written = Some(saved);
        Ok((place, left))
    }

    /// Makes a new temporary file, in place of any that is there, with room for `size` bytes that take no space yet.
    pub(super) async fn begin(&mut self, size: Option<u64>) -> Result<File> {
        self.is_kept = false;
        if let (Some(keeper), Some(old)) = (&self.keeper, self.written.take()) {
            // It must not be taken for one of the new file.
            let text = "the checkpoint could not be replaced";
            keeper.set(Saved { done: Vec::new(), ..old }).await.map_err(|cause| Error::io(text, cause))?;
        }
        let (path, temporary) = (self.path.clone(), self.temporary.clone());
        blocking(move || {
            let make = || {
                remove_if_there(&temporary)?;
                let file = OpenOptions::new().read(true).write(true).create_new(true).open(&temporary)?;
                size.map_or(Ok(()), |size| file.set_len(size))?;
                Ok(file)
            };
            make().map_err(|cause| failed(&path, "made", cause))
        })
        .await?
    }

    /// Writes what is in the temporary file, so that it is used the next time.
    pub(super) async fn keep(&mut self, saved: Saved) -> io::Result<()> {
        if let Some(keeper) = &self.keeper {
            keeper.set(saved.clone()).await?;
            self.written = Some(saved);
            self.is_kept = true;
        }
        Ok(())
    }

    /// Says whether just this is on the disk.
    pub(super) fn has_kept(&self, saved: &Saved) -> bool {
        self.is_kept && self.written.as_ref() == Some(saved)
    }

    /// Says whether a checkpoint was written.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Gives the temporary file its final name; its bytes are on the disk already.
    pub(super) async fn fill(mut self) -> Result<()> {
        let (path, temporary) = (self.path.clone(), self.temporary.clone());
        blocking(move || fs::rename(&temporary, &path).map_err(|cause| failed(&path, "put in its place", cause)))
            .await??;
        // The file is there, and what is left of the checkpoint does no harm.
        self.is_kept = true;
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.remove().await;
        }
        Ok(())
    }

    /// Removes the temporary file and the checkpoint.
    pub(super) async fn discard(mut self) {
        let temporary = self.temporary.clone();
        let _ = blocking(move || remove_if_there(&temporary)).await;
        self.is_kept = true;
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.remove().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = remove_if_there(&self.temporary);
            // One without bytes may be there; the lock is held until this is over.
            let _ = remove_if_there(&self.checkpoint);
        }
    }
}

impl Saved {
    /// Says whether the numbers can be.
    fn is_sound(&self) -> bool {
        let Some(length) = self.window.end.checked_sub(self.window.start) else {
            return false;
        };
        self.window.end <= self.size && self.done.iter().all(|range| range.start < range.end && range.end <= length)
    }
}

/// Opens the temporary file of an earlier run; `None` when it is not what was left there.
fn reopen(temporary: &Path, size: u64) -> io::Result<Option<File>> {
    // Nothing is read or written through a link that somebody has put there.
    let there = fs::symlink_metadata(temporary)?;
    if !there.is_file() {
        return Ok(None);
    }
    let file = OpenOptions::new().read(true).write(true).open(temporary)?;
    let opened = file.metadata()?;
    #[cfg(unix)]
    let is_same = {
        use std::os::unix::fs::MetadataExt;
        (there.dev(), there.ino()) == (opened.dev(), opened.ino())
    };
    #[cfg(not(unix))]
    let is_same = true;
    Ok((is_same && opened.len() == size).then_some(file))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn failed(path: &Path, what: &str, cause: io::Error) -> Error {
    Error::io(format!("the downloaded file could not be {what}: {}", path.display()), cause)
}
