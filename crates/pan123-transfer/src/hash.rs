//! Digests of a source: the file's and the parts', in one read on a blocking thread.
//!
//! [`Job::run`] is the one way in, so that a faster way to compute the same can take its place.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use md5::Digest;
use pan123_core::{Md5, Result, Sha1};
use serde::{Deserialize, Serialize};

use crate::{
    Fingerprint,
    blocking::blocking,
    md5_pair::Md5Pair,
    progress::Reporter,
    read::{BUFFER, Buffer},
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        // They may come from a checkpoint, so their number is not taken for granted.
        let is_whole = part_size == self.part_size && self.parts.len() as u64 == self.file.size.div_ceil(part_size);
        is_whole.then(|| self.parts.clone())
    }
}

impl Job {
    /// Reads `source` from its beginning to its end and tells `reporter` of every buffer.
    ///
    /// When the future is dropped, the thread stops at the next buffer.
    pub(crate) async fn run(self, source: Opened, reporter: Arc<Reporter>) -> Result<Digests> {
        let stop = StopOnDrop::default();
        let is_stopped = stop.sign();
        let digests = blocking(move || {
            self.compute(&source, |bytes| {
                reporter.add(bytes as u64);
                if is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })
        .await?;
        drop(stop);
        digests
    }

    /// Computes the digests; `progress` hears of every buffer and may break it off.
    fn compute(self, source: &Opened, mut progress: impl FnMut(usize) -> ControlFlow<()>) -> Result<Digests> {
        // One part is the whole file, whose MD5 is computed in any case.
        let part_size = self.part_size.filter(|size| *size < source.size());
        let mut hasher = Self { part_size, ..self }.hasher();
        each_buffer(source, |buffer| {
            hasher.update(buffer);
            progress(buffer.len())
        })?;
        Ok(hasher.finish())
    }

    /// Begins with nothing.
    pub(crate) fn hasher(self) -> Hasher {
        let part_size = self.part_size.filter(|size| *size > 0);
        let md5s = part_size.map_or_else(|| Md5s::File(md5::Md5::new()), |size| Md5s::Parts(Md5Pair::new(size)));
        Hasher { md5s, sha1: self.sha1.then(sha1::Sha1::new), part_size: part_size.unwrap_or(0), size: 0 }
    }
}

/// Computes what a [`Job`] says of the bytes that it is given.
pub(crate) struct Hasher {
    md5s: Md5s,
    sha1: Option<sha1::Sha1>,
    part_size: u64,
    size: u64,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5s.update(bytes);
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
    }

    /// Returns how many bytes there were.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn finish(self) -> Digests {
        let (md5, parts) = self.md5s.finish();
        let mut file = Fingerprint::new(self.size, md5);
        file.sha1 = self.sha1.map(|sha1| Sha1::from(<[u8; 20]>::from(sha1.finalize())));
        Digests { file, part_size: self.part_size, parts }
    }
}

/// The MD5 of the file, with those of its parts if they are wanted.
enum Md5s {
    File(md5::Md5),
    Parts(Md5Pair),
}

impl Md5s {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::File(file) => file.update(bytes),
            Self::Parts(pair) => pair.update(bytes),
        }
    }

    fn finish(self) -> (Md5, Vec<Md5>) {
        match self {
            Self::File(file) => (<[u8; 16]>::from(file.finalize()).into(), Vec::new()),
            Self::Parts(pair) => {
                let (file, parts) = pair.finish();
                (file.into(), parts.into_iter().map(Md5::from).collect())
            }
        }
    }
}

fn each_buffer(source: &Opened, each: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<()> {
    match source {
        Opened::Bytes(bytes) => {
            let _ = bytes.chunks(BUFFER).try_for_each(each);
            Ok(())
        }
        Opened::ReadAt { reader, stamp, buffers } => {
            let read = |offset: u64| {
                let size = usize::try_from(stamp.size - offset).unwrap_or(BUFFER).min(BUFFER);
                buffers.take().fill(&**reader, offset, size)
            };
            let reads = (0..stamp.size).step_by(BUFFER).map(read);
            if stamp.size <= WORTH_A_THREAD {
                all_of(reads, each)
            } else {
                read_ahead(thread::Builder::new(), reads, each)
            }
        }
    }
}

fn all_of(
    mut reads: impl Iterator<Item = Result<Buffer>>,
    mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<()> {
    let flow = reads.try_for_each(|buffer| match buffer {
        Ok(buffer) => each(buffer.as_ref()).map_break(Ok),
        Err(error) => ControlFlow::Break(Err(error)),
    });
    flow.break_value().unwrap_or(Ok(()))
}

/// Reads on a thread of its own while `each` is busy; on this one, where no more threads can be had.
fn read_ahead(
    thread: thread::Builder,
    reads: impl Iterator<Item = Result<Buffer>> + Clone + Send,
    each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(READ_AHEAD);
        let ahead = reads.clone();
        let started = thread.spawn_scoped(scope, move || {
            for buffer in ahead {
                let is_last = buffer.is_err();
                // Nobody takes it when the hashing was broken off.
                if sender.send(buffer).is_err() || is_last {
                    break;
                }
            }
        });
        match started {
            Ok(_) => all_of(receiver.into_iter(), each),
            Err(_) => all_of(reads, each),
        }
    })
}

/// The largest file that is read and hashed by one thread: a second costs more than it saves.
const WORTH_A_THREAD: u64 = 4 * BUFFER as u64;

/// How many buffers are read before they are hashed, beside one that is being filled and one that waits for its place.
const READ_AHEAD: usize = 2;

/// Tells a thread that nobody waits for it any more.
#[derive(Default)]
pub(crate) struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    /// Returns what the thread asks.
    pub(crate) fn sign(&self) -> impl Fn() -> bool + Send + 'static {
        let sign = Arc::clone(&self.0);
        move || sign.load(Ordering::Relaxed)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::*;
    use crate::read::Buffers;

    /// Feeds `bytes` in pieces of the given sizes, again and again, and then the rest.
    fn interleaved(bytes: &[u8], part_size: u64, reads: &[usize]) -> ([u8; 16], Vec<[u8; 16]>) {
        let mut pair = Md5Pair::new(part_size);
        let mut left = bytes;
        for &read in reads.iter().cycle().take(bytes.len()) {
            let (now, later) = left.split_at(read.min(left.len()));
            pair.update(now);
            left = later;
        }
        pair.update(left);
        pair.finish()
    }

    /// The same by the `md-5` crate.
    fn reference(bytes: &[u8], part_size: usize) -> ([u8; 16], Vec<[u8; 16]>) {
        let md5 = |bytes| md5::Md5::digest(bytes).into();
        (md5(bytes), bytes.chunks(part_size).map(md5).collect())
    }

    #[test]
    fn interleaved_digests_are_those_of_rfc_1321() {
        let vectors = [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
            (&"1234567890".repeat(8), "57edf4a22be3c955ac49da2e2107b67a"),
        ];
        for (text, digest) in vectors {
            let (file, parts) = interleaved(text.as_bytes(), 80, &[80]);
            assert_eq!(Md5::from(file).to_string(), digest, "{text}");
            assert_eq!(parts, if text.is_empty() { vec![] } else { vec![file] });
            // The text as the second part, which begins in the middle of the file's block.
            let (_, parts) = interleaved(format!("{:.<81}{text}", "").as_bytes(), 81, &[7]);
            let second = parts.get(1).map_or(digest.to_owned(), |part| Md5::from(*part).to_string());
            assert_eq!((second.as_str(), parts.len()), (digest, 1 + usize::from(!text.is_empty())));
        }
    }

    #[test]
    fn interleaved_digests_are_those_of_the_reference_at_every_edge_of_a_block() {
        let bytes: Vec<u8> = (0..420_u32).map(|i| (i * 31 % 251) as u8).collect();
        for size in 0..=bytes.len() {
            for part_size in [1, 55, 56, 63, 64, 65, 119, 120, 128, 200] {
                let want = reference(&bytes[..size], part_size);
                assert_eq!(interleaved(&bytes[..size], part_size as u64, &[50, 64, 130]), want, "{size}, {part_size}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn interleaved_digests_are_those_of_the_reference(
            content in proptest::collection::vec(any::<u8>(), 0..5000),
            part_size in 1_usize..1500,
            blocks in 1_usize..20,
            is_aligned in any::<bool>(),
            reads in proptest::collection::vec(0_usize..600, 0..6),
        ) {
            let part_size = if is_aligned { blocks * 64 } else { part_size };
            prop_assert_eq!(interleaved(&content, part_size as u64, &reads), reference(&content, part_size));
        }
    }

    #[test]
    fn digests_are_those_of_the_reference_whatever_the_part_size() {
        for size in [0, 1, 63, 64, 65, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER + 7] {
            let bytes: Bytes = (0..size).map(|i| (i * 31 % 251) as u8).collect();
            for part_size in [0, 1000, BUFFER - 1, BUFFER, BUFFER + 1, 10 * BUFFER] {
                let job = Job { part_size: Some(part_size as u64), sha1: true };
                let digests = job.compute(&Opened::Bytes(bytes.clone()), |_| ControlFlow::Continue(())).unwrap();
                let file = Fingerprint::new(size as u64, Md5::of(&bytes))
                    .with_sha1(Sha1::from(<[u8; 20]>::from(sha1::Sha1::digest(&bytes))));
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

    #[test]
    fn without_another_thread_it_is_read_on_this_one() {
        // More than any address space has.
        let endless = thread::Builder::new().stack_size(usize::MAX / 4);
        let here = thread::current().id();
        let buffers = Arc::new(Buffers::default());
        let reads = (0..5_u64).map(|_| {
            assert_eq!(thread::current().id(), here);
            Ok(buffers.take())
        });
        let mut count = 0;
        let done = read_ahead(endless, reads, |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        assert!(done.is_ok() && count == 5);
    }
}
