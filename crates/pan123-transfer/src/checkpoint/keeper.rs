//! One checkpoint on the disk: locked while it is used, replaced whole, never trusted blindly.

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pan123_core::{Error, ErrorKind, Md5, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};

use super::Kind;
use crate::{blocking::blocking, own};

/// The version of the form. Another one is not read.
const VERSION: u32 = 1;

/// The largest checkpoint that is believed: ten thousand parts take a twentieth of it.
const LARGEST: u64 = 8 << 20;

/// How often a lock is tried that somebody else has removed meanwhile. Where more are in vain, the file system does not say the
/// same of a file that is open and of its name.
const MOST_LOCKS: usize = 100;

/// A checkpoint that nobody else uses for as long as this lives.
///
/// Dropping it waits for a write that is under way, gives the lock back, and leaves the checkpoint.
#[derive(Debug)]
pub(crate) struct Keeper<C>(Arc<Inner<C>>);

/// What was there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<C> {
    /// No checkpoint.
    Nothing,
    /// Something that cannot be used. It is left until the first write replaces it.
    Unusable,
    /// The content of a checkpoint.
    Content(C),
}

#[derive(Debug)]
struct Inner<C> {
    path: PathBuf,
    kind: Kind,
    key: String,
    content: Mutex<Content<C>>,
    disk: Mutex<Disk>,
}

#[derive(Debug)]
struct Content<C> {
    now: Option<C>,
    /// Counts the changes.
    version: u64,
}

/// Held while the file is written.
#[derive(Debug)]
struct Disk {
    /// `None` when the keeper is gone: nothing is written any more.
    lock: Option<File>,
    /// The last change that is on the disk.
    written: u64,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Saved<K> {
    checkpoint: K,
    version: u32,
    key: K,
    content: Box<RawValue>,
    /// The MD5 of the content as it is written, because what is damaged may still be JSON.
    md5: Md5,
}

impl<C: Serialize + DeserializeOwned + Send + 'static> Keeper<C> {
    /// Locks the checkpoint at `path` and reads what is there.
    ///
    /// Fails with [`ErrorKind::InUse`] while another keeper has it, and with [`ErrorKind::Io`] when the folder cannot be
    /// written to.
    pub(crate) async fn open(path: PathBuf, kind: Kind, key: String) -> Result<(Self, Found<C>)> {
        blocking(move || {
            let lock = lock(&path, is_at)?;
            let found = read(&path, kind, &key);
            let disk = Mutex::new(Disk { lock: Some(lock), written: 0 });
            let content = Mutex::new(Content { now: None, version: 0 });
            Ok((Self(Arc::new(Inner { path, kind, key, content, disk })), found))
        })
        .await?
    }

    /// Replaces the content and writes it.
    pub(crate) async fn set(&self, content: C) -> io::Result<()> {
        self.write(|now| *now = Some(content)).await
    }

    /// Changes the content, if there is one, and writes it. Changes at the same time are written together.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut C)) -> io::Result<()> {
        self.write(|now| now.as_mut().map_or((), change)).await
    }

    async fn write(&self, change: impl FnOnce(&mut Option<C>)) -> io::Result<()> {
        let version = {
            let mut content = locked(&self.0.content);
            change(&mut content.now);
            content.version += 1;
            content.version
        };
        let inner = Arc::clone(&self.0);
        blocking(move || inner.write(version)).await.map_err(io::Error::from)?
    }

    /// Removes the checkpoint, because nothing is left to go on with.
    pub(crate) async fn remove(self) -> io::Result<()> {
        blocking(move || {
            let _disk = locked(&self.0.disk);
            remove_if_there(&self.0.path)
        })
        .await
        .map_err(io::Error::from)?
    }
}

impl<C: Serialize> Inner<C> {
    fn write(&self, version: u64) -> io::Result<()> {
        let mut disk = locked(&self.disk);
        if disk.lock.is_none() || disk.written >= version {
            return Ok(());
        }
        let (json, version) = {
            let content = locked(&self.content);
            let Some(now) = &content.now else {
                return Ok(());
            };
            let (version, now) = (content.version, to_raw_value(now)?);
            drop(content);
            let saved = Saved {
                checkpoint: self.kind.extension(),
                version: VERSION,
                key: self.key.as_str(),
                md5: Md5::of(now.get().as_bytes()),
                content: now,
            };
            (serde_json::to_vec(&saved)?, version)
        };
        let new = beside(&self.path, own::NEW);
        let mut file = create_new(&new)?;
        file.write_all(&json)?;
        drop(file);
        fs::rename(&new, &self.path)?;
        disk.written = version;
        Ok(())
    }
}

impl<C> Drop for Keeper<C> {
    fn drop(&mut self) {
        let mut disk = locked(&self.0.disk);
        // Where files have no identity, one that another process may be about to lock cannot be removed.
        #[cfg(unix)]
        if disk.lock.is_some() {
            let _ = fs::remove_file(beside(&self.0.path, own::LOCK));
        }
        disk.lock = None;
    }
}

/// Locks the file beside `path` that is there for nothing else: `path` itself is replaced again and again.
fn lock(path: &Path, is_at: fn(&File, &Path) -> bool) -> Result<File> {
    let path = beside(path, own::LOCK);
    let failed = |cause| Error::io(format!("the checkpoint could not be locked: {}", path.display()), cause);
    for _ in 0..MOST_LOCKS {
        let file = owner_only().read(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::InUse, "another transfer is using the same checkpoint"));
            }
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        // Whoever had it before may have removed it between our opening and our locking.
        if is_at(&file, &path) {
            return Ok(file);
        }
    }
    Err(failed(io::Error::other("its lock is another file each time")))
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(ours), Ok(there)) if id(&ours) == id(&there))
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

fn read<C: DeserializeOwned>(path: &Path, kind: Kind, key: &str) -> Found<C> {
    let mut text = Vec::new();
    let mut read = || -> io::Result<()> {
        // A link, or a pipe that nobody fills, is none of ours.
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let file = File::open(path)?;
        if !is_ours(&file.metadata()?, path)? {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        file.take(LARGEST).read_to_end(&mut text).map(drop)
    };
    match read() {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(_) => return Found::Unusable,
    }
    let saved = serde_json::from_slice::<Saved<String>>(&text).ok().filter(|saved| {
        let is_it = (saved.checkpoint.as_str(), saved.version, saved.key.as_str()) == (kind.extension(), VERSION, key);
        is_it && saved.md5 == Md5::of(saved.content.get().as_bytes())
    });
    let content = saved.and_then(|saved| serde_json::from_str(saved.content.get()).ok());
    content.map_or(Found::Unusable, Found::Content)
}

/// Says whether the file belongs to this user and is nobody else's to read or write, as a checkpoint is made.
///
/// A checkpoint says where bytes are sent to, and with which session; in a folder that others can write to, somebody could
/// have left one for us, and what was downloaded or unpacked is no checkpoint. Where the file system keeps no modes, those that
/// it shows for any file of ours must do, as long as nobody else may write.
#[cfg(unix)]
fn is_ours(metadata: &Metadata, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let new = beside(path, own::NEW);
    let ours = create_new(&new)?.metadata()?;
    fs::remove_file(&new)?;
    let for_others = metadata.mode() & 0o077;
    Ok(metadata.uid() == ours.uid() && for_others & 0o022 == 0 && for_others & !ours.mode() == 0)
}

#[cfg(not(unix))]
fn is_ours(_: &Metadata, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Makes a file that was not there, in place of one that was left behind; nothing is written through a link.
fn create_new(path: &Path) -> io::Result<File> {
    remove_if_there(path)?;
    owner_only().create_new(true).open(path)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(path: &Path) -> Result<(Keeper<Vec<u32>>, Found<Vec<u32>>)> {
        Keeper::open(path.to_owned(), Kind::Upload, "key".to_owned()).await
    }

    async fn found(path: &Path) -> Found<Vec<u32>> {
        open(path).await.unwrap().1
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn what_was_kept_is_found_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let (keeper, nothing) = open(&path).await.unwrap();
        assert_eq!(nothing, Found::Nothing);
        keeper.change(|list| list.push(7)).await.unwrap();
        assert_eq!(names(folder.path()), ["c.lock"], "there was nothing to change");
        keeper.set(vec![1]).await.unwrap();
        keeper.change(|list| list.push(2)).await.unwrap();
        drop(keeper);
        assert_eq!(names(folder.path()), ["c"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let (keeper, content) = open(&path).await.unwrap();
        assert_eq!(content, Found::Content(vec![1, 2]));
        keeper.remove().await.unwrap();
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[tokio::test]
    async fn two_cannot_use_it_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let (keeper, _) = open(&path).await.unwrap();
        assert_eq!(open(&path).await.unwrap_err().kind(), ErrorKind::InUse);
        drop(keeper);
        // What a killed process leaves behind.
        fs::write(beside(&path, own::LOCK), "").unwrap();
        fs::write(beside(&path, own::NEW), "half").unwrap();
        let (keeper, _) = open(&path).await.unwrap();
        keeper.set(vec![3]).await.unwrap();
        drop(keeper);
        assert_eq!(found(&path).await, Found::Content(vec![3]));
        assert_eq!(names(folder.path()), ["c"]);
    }

    #[tokio::test]
    async fn nothing_is_written_after_the_keeper_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let (keeper, _) = open(&path).await.unwrap();
        let inner = Arc::clone(&keeper.0);
        locked(&inner.content).now = Some(vec![1]);
        drop(keeper);
        inner.write(1).unwrap();
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[tokio::test]
    async fn what_is_no_checkpoint_of_ours_is_not_used_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let (keeper, _) = open(&path).await.unwrap();
        keeper.set(vec![1, 2, 3]).await.unwrap();
        drop(keeper);
        let good = fs::read_to_string(&path).unwrap();
        let mut bad: Vec<String> = (0..good.len()).map(|end| good[..end].to_owned()).collect();
        for (one, other) in [
            ("\"version\":1", "\"version\":2"),
            ("\"key\":\"key\"", "\"key\":\"other\""),
            ("pan123-upload", "pan123-download"),
            ("[1,2,3]", "[1,2,4]"),
            ("[1,2,3]", "[1,2,-3]"),
            ("[1,2,3]", "\"x\""),
        ] {
            assert!(good.contains(one), "{good}");
            bad.push(good.replace(one, other));
        }
        bad.push(format!("{good}x"));
        bad.push("\0".repeat(good.len()));
        for text in bad {
            fs::write(&path, &text).unwrap();
            let (keeper, content) = open(&path).await.unwrap();
            assert_eq!(content, Found::Unusable, "{text}");
            keeper.set(vec![4]).await.unwrap();
            drop(keeper);
            assert_eq!(found(&path).await, Found::Content(vec![4]));
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_others_could_have_written_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let (keeper, _) = open(&path).await.unwrap();
        keeper.set(vec![1]).await.unwrap();
        drop(keeper);
        // The last is what a download leaves.
        for mode in [0o620, 0o602, 0o640, 0o604, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(found(&path).await, Found::Unusable, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(found(&link).await, Found::Unusable);
        assert_eq!(found(&path).await, Found::Content(vec![1]));
    }

    #[test]
    fn a_lock_that_is_never_where_it_was_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let error = lock(&folder.path().join("c"), |_, _| false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("c.lock"), "{error}");
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(&folder.path().join("no/c")).await.unwrap_err().kind(), ErrorKind::Io);
    }
}
