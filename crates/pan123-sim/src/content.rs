//! The bytes of files: kept, generated from a seed, or only counted.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use sha1::Sha1;

use crate::seed;

/// What the service stores once, however many entries show it: the key is MD5 and size.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Bytes in memory, in pieces of `piece` bytes each, the last one shorter.
    Kept { pieces: Arc<[Bytes]>, piece: u64, size: u64 },
    /// Bytes made up while they are read.
    Seeded { base: Bytes, seed: u64, size: u64 },
    /// Bytes in a file of the folder that the simulator was given.
    Disk { path: PathBuf, size: u64 },
}

impl Content {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        let size = bytes.len() as u64;
        Self::Kept { pieces: Arc::from([bytes]), piece: size.max(1), size }
    }

    /// Joins pieces that all have `piece` bytes, save for the last.
    pub(crate) fn pieces(pieces: Vec<Bytes>, piece: u64) -> Self {
        let size = pieces.iter().map(|bytes| bytes.len() as u64).sum();
        Self::Kept { pieces: Arc::from(pieces), piece: piece.max(1), size }
    }

    pub(crate) fn seeded(size: u64, seed: u64) -> Self {
        Self::Seeded { base: base(seed), seed, size }
    }

    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Kept { size, .. } | Self::Seeded { size, .. } | Self::Disk { size, .. } => *size,
        }
    }

    /// Reads some bytes at `offset`, at most `limit`; none only at the end, or if a file of the folder is gone.
    pub(crate) fn read(&self, offset: u64, limit: u64) -> Bytes {
        let limit = limit.min(self.size().saturating_sub(offset)).min(CHUNK);
        if limit == 0 {
            return Bytes::new();
        }
        match self {
            Self::Kept { pieces, piece, .. } => {
                let index = usize::try_from(offset / piece).unwrap_or(usize::MAX);
                let Some(bytes) = pieces.get(index) else { return Bytes::new() };
                let start = (offset % piece) as usize;
                let end = bytes.len().min(start + limit as usize);
                bytes.slice(start.min(end)..end)
            }
            Self::Seeded { base, seed, .. } => generate(base, *seed, offset, limit as usize),
            Self::Disk { path, .. } => read_file(path, offset, limit as usize).unwrap_or_default(),
        }
    }

    pub(crate) fn md5(&self) -> String {
        self.hash(Md5::new())
    }

    pub(crate) fn sha1(&self) -> String {
        self.hash(Sha1::new())
    }

    fn hash(&self, mut hash: impl Digest) -> String {
        let mut offset = 0;
        loop {
            let chunk = self.read(offset, CHUNK);
            if chunk.is_empty() {
                return hex(&hash.finalize());
            }
            hash.update(&chunk);
            offset += chunk.len() as u64;
        }
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        if let Self::Kept { pieces, .. } = self
            && let [only] = pieces.as_ref()
        {
            return only.clone();
        }
        let mut all = BytesMut::new();
        while let chunk = self.read(all.len() as u64, CHUNK)
            && !chunk.is_empty()
        {
            all.extend_from_slice(&chunk);
        }
        all.freeze()
    }
}

/// The MD5, in lower-case hex, of the file that [`Simulator::put_seeded`](crate::Simulator::put_seeded) makes.
///
/// The first call for a size and seed hashes the whole file; later ones remember the answer.
#[must_use]
pub fn seeded_md5(size: u64, seed: u64) -> String {
    static KNOWN: LazyLock<Mutex<HashMap<(u64, u64), String>>> = LazyLock::new(Mutex::default);
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&(size, seed)) {
        return known.clone();
    }
    let md5 = Content::seeded(size, seed).md5();
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert((size, seed), md5.clone());
    md5
}

/// The bytes of the file that [`Simulator::put_seeded`](crate::Simulator::put_seeded) makes, for tests that compare.
#[must_use]
pub fn seeded_bytes(size: u64, seed: u64) -> Bytes {
    Content::seeded(size, seed).to_bytes()
}

pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One block of noise, repeated through the file with the block's number mixed into its first eight bytes: copying is
/// much faster than making noise, and no two blocks are equal.
fn base(seed: u64) -> Bytes {
    let mut state = seed;
    let mut block = BytesMut::with_capacity(BLOCK);
    while block.len() < BLOCK {
        block.extend_from_slice(&seed::next(&mut state).to_le_bytes());
    }
    block.freeze()
}

fn generate(base: &Bytes, seed: u64, offset: u64, length: usize) -> Bytes {
    let mut out = BytesMut::with_capacity(length);
    let mut position = offset;
    while out.len() < length {
        let (block, start) = (position / BLOCK as u64, (position % BLOCK as u64) as usize);
        let mut state = seed ^ block.wrapping_mul(0xA24B_AED4_963E_E407);
        let head = seed::next(&mut state).to_le_bytes();
        let end = BLOCK.min(start + length - out.len());
        if start < head.len() {
            out.extend_from_slice(&head[start..end.min(head.len())]);
        }
        if end > head.len() {
            out.extend_from_slice(&base[start.max(head.len())..end]);
        }
        position += (end - start) as u64;
    }
    out.freeze()
}

fn read_file(path: &PathBuf, offset: u64, length: usize) -> std::io::Result<Bytes> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut buffer = Vec::with_capacity(length);
    file.take(length as u64).read_to_end(&mut buffer)?;
    Ok(Bytes::from(buffer))
}

/// The most that one read gives.
pub(crate) const CHUNK: u64 = 256 * 1024;
const BLOCK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeded_file_reads_the_same_from_any_offset() {
        let content = Content::seeded(200_001, 7);
        let whole = content.to_bytes();
        assert_eq!(whole.len(), 200_001);
        for offset in [0, 1, 7, 8, 9, 65_535, 65_536, 65_540, 131_072, 200_000] {
            let part = content.read(offset, 70_000);
            let end = (offset as usize + 70_000).min(whole.len());
            assert_eq!(part, whole.slice(offset as usize..end), "offset {offset}");
        }
        assert_eq!(seeded_md5(200_001, 7), md5_hex(&whole));
        assert_ne!(seeded_md5(200_001, 8), md5_hex(&whole));
    }

    #[test]
    fn kept_pieces_read_as_one() {
        let content = Content::pieces(vec![Bytes::from("abcd"), Bytes::from("efgh"), Bytes::from("i")], 4);
        assert_eq!(content.to_bytes(), "abcdefghi");
        assert_eq!(content.read(3, 10), "d");
        assert_eq!(content.read(8, 10), "i");
        assert_eq!(content.read(9, 10), "");
        assert_eq!(content.md5(), md5_hex(b"abcdefghi"));
    }
}
