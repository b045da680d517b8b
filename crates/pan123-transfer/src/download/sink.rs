//! Where the bytes of a file are put as they come, in any order: written, noted, and hashed as far as they are in order.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use md5::Digest;
use pan123_core::Md5;

use super::{plan::Plan, stage::Job};
use crate::read::BUFFER;

/// A file that is filled from several places at once.
pub(super) struct Sink {
    file: File,
    plan: Mutex<Plan>,
    hash: Option<Mutex<Hash>>,
}

/// The hash of the bytes from the beginning on.
struct Hash {
    md5: md5::Md5,
    /// Where the next byte to be hashed is.
    at: u64,
    /// For what was written by others, and is read again. It is in the memory of the system, as a rule.
    buffer: Vec<u8>,
}

/// How much of what others have written is hashed at a time, while a connection waits for it.
const CATCH_UP: u64 = 4 << 20;

impl Sink {
    /// Makes a sink; with `md5` all is hashed, what an earlier run has written included.
    pub(super) fn new(file: File, plan: Plan, md5: bool) -> Self {
        let hash = md5.then(|| Mutex::new(Hash { md5: md5::Md5::new(), at: 0, buffer: Vec::new() }));
        Self { file, plan: Mutex::new(plan), hash }
    }

    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the bytes that are written last.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Hashes what is left, and returns the MD5 if it was wanted.
    pub(super) fn finish(&self) -> io::Result<Option<Md5>> {
        let Some(hash) = &self.hash else {
            return Ok(None);
        };
        let mut hash = hash.lock().unwrap_or_else(PoisonError::into_inner);
        self.catch_up(&mut hash, u64::MAX)?;
        Ok(Some(<[u8; 16]>::from(hash.md5.finalize_reset()).into()))
    }

    /// Hashes `batch`, which was written at `offset`, if it comes next, and some of what others have written.
    fn hash(&self, offset: u64, batch: &[Bytes]) -> io::Result<()> {
        // Who finds it taken need not wait: its bytes are read again when it is their turn.
        let Some(Ok(mut hash)) = self.hash.as_ref().map(Mutex::try_lock) else {
            return Ok(());
        };
        if hash.at == offset {
            for chunk in batch {
                hash.md5.update(chunk);
                hash.at += chunk.len() as u64;
            }
        }
        self.catch_up(&mut hash, CATCH_UP)
    }

    /// Hashes up to `most` bytes of what is there and comes next.
    fn catch_up(&self, hash: &mut Hash, most: u64) -> io::Result<()> {
        let limit = hash.at.saturating_add(most);
        loop {
            let end = self.plan().prefix_end().min(limit);
            if hash.at >= end {
                return Ok(());
            }
            hash.buffer.resize(BUFFER, 0);
            let wanted = usize::try_from(end - hash.at).unwrap_or(BUFFER).min(BUFFER);
            let read = read_at(&self.file, &mut hash.buffer[..wanted], hash.at)?;
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the temporary file became shorter"));
            }
            hash.md5.update(&hash.buffer[..read]);
            hash.at += read as u64;
        }
    }
}

/// A place in the sink at which the bytes of one connection go on.
pub(super) struct Section {
    pub(super) sink: Arc<Sink>,
    pub(super) at: u64,
}

impl Job for Section {
    fn run(&mut self, batch: &[Bytes]) -> io::Result<()> {
        let offset = self.at;
        for chunk in batch {
            write_all_at(&self.sink.file, chunk, self.at)?;
            self.at += chunk.len() as u64;
        }
        self.sink.plan().written(offset..self.at);
        self.sink.hash(offset, batch)
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, buffer, offset);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset);
        match read {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
