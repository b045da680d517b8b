//! Digests of a source: the file's and the parts', in one read on a blocking thread.
//!
//! [`Job::run`] is the one way in, so that a faster way to compute the same can take its place.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use md5::Digest;
use pan123_core::{Md5, Result, Sha1};

use crate::{
    Fingerprint,
    blocking::blocking,
    progress::Reporter,
    read::{BUFFER, fill},
    source::Opened,
};

/// What is to be computed of a source, all of it in one read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// The MD5 of every piece of this size, and of what is left behind the last; none when `None`.
    pub(crate) part_size: Option<u64>,
    /// The SHA-1 of the whole.
    pub(crate) sha1: bool,
}

/// What was computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) file: Fingerprint,
    part_size: u64,
    parts: Vec<Md5>,
}

impl Digests {
    /// Returns the MD5s of parts of `part_size` bytes, if this read has computed them.
    pub(crate) fn parts(&self, part_size: u64) -> Option<Vec<Md5>> {
        if self.file.size <= part_size {
            return Some(vec![self.file.md5]);
        }
        (part_size == self.part_size).then(|| self.parts.clone())
    }
}

impl Job {
    /// Reads `source` from its beginning to its end and tells `reporter` of every buffer.
    ///
    /// When the future is dropped, the thread stops at the next buffer.
    pub(crate) async fn run(self, source: Opened, reporter: Arc<Reporter>) -> Result<Digests> {
        let stop = StopOnDrop(Arc::default());
        let stopped = Arc::clone(&stop.0);
        let digests = blocking(move || {
            self.compute(&source, |bytes| {
                reporter.add(bytes as u64);
                if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })
        .await?;
        drop(stop);
        digests
    }

    /// Computes the digests; `progress` hears of every buffer and may break it off.
    fn compute(self, source: &Opened, mut progress: impl FnMut(usize) -> ControlFlow<()>) -> Result<Digests> {
        // One part is the whole file, whose MD5 is computed in any case.
        let part_size = self.part_size.filter(|size| *size > 0 && *size < source.size());
        let mut file = md5::Md5::new();
        let mut sha1 = self.sha1.then(sha1::Sha1::new);
        let mut parts = Parts::new(part_size);
        each_buffer(source, |buffer| {
            file.update(buffer);
            if let Some(sha1) = &mut sha1 {
                sha1.update(buffer);
            }
            parts.update(buffer);
            progress(buffer.len())
        })?;
        let md5 = Md5::from(<[u8; 16]>::from(file.finalize()));
        let sha1 = sha1.map(|sha1| Sha1::from(<[u8; 20]>::from(sha1.finalize())));
        let mut fingerprint = Fingerprint::new(source.size(), md5);
        fingerprint.sha1 = sha1;
        Ok(Digests { file: fingerprint, part_size: part_size.unwrap_or(0), parts: parts.finish() })
    }
}

/// The MD5s of equal pieces of what is fed to it.
struct Parts {
    size: Option<u64>,
    /// How many bytes the present part still wants.
    left: u64,
    part: md5::Md5,
    done: Vec<Md5>,
}

impl Parts {
    fn new(size: Option<u64>) -> Self {
        Self { size, left: size.unwrap_or(0), part: md5::Md5::new(), done: Vec::new() }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        let Some(size) = self.size else {
            return;
        };
        while !bytes.is_empty() {
            let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(take);
            self.part.update(now);
            self.left -= take as u64;
            bytes = later;
            if self.left == 0 {
                self.done.push(<[u8; 16]>::from(self.part.finalize_reset()).into());
                self.left = size;
            }
        }
    }

    fn finish(mut self) -> Vec<Md5> {
        if self.size.is_some_and(|size| self.left < size) {
            self.done.push(<[u8; 16]>::from(self.part.finalize()).into());
        }
        self.done
    }
}

fn each_buffer(source: &Opened, mut each: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<()> {
    match source {
        Opened::Bytes(bytes) => {
            let _ = bytes.chunks(BUFFER).try_for_each(each);
        }
        Opened::ReadAt { reader, stamp } => {
            let mut buffer = vec![0; BUFFER];
            let mut offset = 0;
            while offset < stamp.size {
                let size = usize::try_from(stamp.size - offset).unwrap_or(usize::MAX).min(BUFFER);
                let buffer = &mut buffer[..size];
                fill(&**reader, offset, buffer)?;
                offset += size as u64;
                if each(buffer).is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Tells the hashing thread that nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn digests_are_those_of_the_reference_whatever_the_part_size() {
        for size in [0, 1, 63, 64, 65, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER + 7] {
            let bytes: Bytes = (0..size).map(|i| (i * 31 % 251) as u8).collect();
            for part_size in [0, 1000, BUFFER - 1, BUFFER, BUFFER + 1, 10 * BUFFER] {
                let job = Job { part_size: Some(part_size as u64), sha1: true };
                let digests = job.compute(&Opened::Bytes(bytes.clone()), |_| ControlFlow::Continue(())).unwrap();
                let file = Fingerprint::new(size as u64, Md5::of(&bytes)).with_sha1(Sha1::of(&bytes));
                assert_eq!(digests.file, file);
                if part_size > 0 {
                    let mut want: Vec<Md5> = bytes.chunks(part_size).map(Md5::of).collect();
                    if want.is_empty() {
                        want.push(Md5::of(b""));
                    }
                    assert_eq!(digests.parts(part_size as u64), Some(want), "{size} in parts of {part_size}");
                }
                assert_eq!(digests.parts(7).is_some(), size <= 7);
            }
        }
    }
}
