//! The local side of folders: what is there, without following a link, and whether it is the same.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use md5::Digest;
use pan123_core::{Error, Md5, Result};

use super::progress::Meter;
use crate::{blocking::blocking, own, read::BUFFER};

/// An entry of a local folder.
#[derive(Debug)]
pub(super) struct LocalEntry {
    pub(super) name: OsString,
    pub(super) kind: LocalKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LocalKind {
    Folder,
    File(u64),
    /// A symbolic link, a pipe, a device; or a file that transfers keep for themselves.
    Other,
}

/// What is at a local path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    Nothing,
    /// The same file.
    Same,
    /// Anything else.
    Other,
}

/// Lists a folder in the order of its names. A link in its place is an error, unless it is the top one.
pub(super) async fn read_folder(path: PathBuf, is_top: bool) -> Result<Vec<LocalEntry>> {
    let shown = path.display().to_string();
    let read = blocking(move || {
        if !is_top && !fs::symlink_metadata(&path)?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            let found = entry.metadata()?;
            let name = entry.file_name();
            let is_own = name.to_str().and_then(own::ending).is_some();
            let kind = match found.file_type() {
                kind if kind.is_dir() => LocalKind::Folder,
                kind if kind.is_file() && !is_own => LocalKind::File(found.len()),
                _ => LocalKind::Other,
            };
            entries.push(LocalEntry { name, kind });
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    });
    read.await?.map_err(|cause| Error::io(format!("the folder could not be read: {shown}"), cause))
}

/// Makes the folder that everything goes into, and those above it.
pub(super) async fn make_top(path: PathBuf) -> Result<()> {
    blocking(move || fs::create_dir_all(&path).map_err(|cause| not_made(&path, cause))).await?
}

/// Makes a folder, unless it is there; returns whether it was made. With `is_dry`, says what would be.
pub(super) async fn make_folder(path: PathBuf, is_dry: bool) -> Result<bool> {
    blocking(move || match fs::symlink_metadata(&path) {
        Ok(there) if there.is_dir() => Ok(false),
        // A link might lead out of the folder that everything is to stay in.
        Ok(_) => Err(not_made(&path, io::ErrorKind::AlreadyExists.into())),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && is_dry => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            fs::create_dir(&path).map(|()| true).map_err(|cause| not_made(&path, cause))
        }
        Err(cause) => Err(not_made(&path, cause)),
    })
    .await?
}

fn not_made(path: &Path, cause: io::Error) -> Error {
    Error::io(format!("the folder could not be made: {}", path.display()), cause)
}

/// Compares what is at `path` with a file of this size and MD5. The bytes are read only where the size is the same.
pub(super) async fn compare(path: PathBuf, size: u64, md5: Option<Md5>, meter: Meter) -> Result<There> {
    blocking(move || {
        let there = match fs::symlink_metadata(&path) {
            Ok(there) => there,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
            Err(cause) => return Err(not_read(&path, cause)),
        };
        let Some(md5) = md5.filter(|_| there.is_file() && there.len() == size) else {
            return Ok(There::Other);
        };
        let is_same = digest(&path, &meter).map_err(|cause| not_read(&path, cause))? == md5;
        Ok(if is_same { There::Same } else { There::Other })
    })
    .await?
}

/// Returns the MD5 of a file.
pub(super) async fn md5(path: PathBuf, meter: Meter) -> Result<Md5> {
    blocking(move || digest(&path, &meter).map_err(|cause| not_read(&path, cause))).await?
}

fn not_read(path: &Path, cause: io::Error) -> Error {
    Error::io(format!("the file could not be read: {}", path.display()), cause)
}

fn digest(path: &Path, meter: &Meter) -> io::Result<Md5> {
    let mut file = File::open(path)?;
    let (mut md5, mut buffer) = (md5::Md5::new(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(<[u8; 16]>::from(md5.finalize()).into()),
            Ok(read) => {
                md5.update(&buffer[..read]);
                meter.hashed(read as u64);
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
}
