//! The engine against services in memory: no network, no waiting, nothing left to chance.

#![expect(clippy::unwrap_used, reason = "clippy knows test functions, and not the fakes and helpers beside them")]

mod cdn;
mod download;
mod download_faults;
mod download_ranges;
mod download_resume;
mod drive;
mod folder;
mod folder_names;
mod folder_progress;
mod progress;
mod properties;
mod sources;
mod tree;
mod upload;
mod upload_faults;
mod upload_proof;
mod upload_resume;

use std::sync::Arc;

use bytes::Bytes;
use md5::Digest;
use pan123_core::{Error, ErrorKind, Sha1, testing::VirtualRuntime};

/// Makes a clock that jumps, as every test here uses it.
fn clock() -> Arc<VirtualRuntime> {
    Arc::new(VirtualRuntime::new(1_700_000_000, 7))
}

/// Makes content in which every place differs from its neighbourhood.
fn content(size: usize) -> Bytes {
    let mut state = 1_u32;
    (0..size)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

/// Returns a SHA-1 that the engine has not computed.
fn sha1_of(bytes: &[u8]) -> Sha1 {
    Sha1::from(<[u8; 20]>::from(sha1::Sha1::digest(bytes)))
}

/// Makes an error as the pipeline would.
fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "as scripted").with_attempts(1)
}

/// Makes the error of a request that may have taken effect.
fn lost() -> Error {
    error(ErrorKind::Connection).with_may_have_happened(true)
}
