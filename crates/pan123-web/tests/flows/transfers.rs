//! What the tests of uploads and downloads share: small parts, content to send, and what is stored.

use std::collections::BTreeSet;

use bytes::Bytes;
use pan123_sim::{RecordedRequest, Simulator, StoredFile};
use pan123_web::{Client, FileId};

use crate::world::{World, check_hosts};

/// The size of a part: small, so that many parts are few bytes.
pub(crate) const PART: usize = 64 * 1024;

/// A world whose storage takes small parts.
pub(crate) async fn small_parts() -> World {
    World::with(|sim| sim.slice_size(PART as u64), |client| client).await
}

/// Bytes that do not repeat within any part.
pub(crate) fn content(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ length as u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The files in the drive that are not in the recycle bin.
pub(crate) fn visible(sim: &Simulator) -> Vec<StoredFile> {
    sim.files().into_iter().filter(|file| !file.trashed).collect()
}

/// Their paths and bytes.
pub(crate) fn stored(sim: &Simulator) -> Vec<(String, Bytes)> {
    visible(sim).into_iter().map(|file| (file.path.clone(), sim.read(&file.path).unwrap())).collect()
}

/// Reads a file back by the client.
pub(crate) async fn read_back(client: &Client, id: FileId) -> Bytes {
    client.download(id).bytes(1 << 24).await.unwrap()
}

/// Fails when a request to a host that is no control host carried anything that tells who is asking.
pub(crate) fn assert_nothing_told(sim: &Simulator) {
    let token_of =
        |request: RecordedRequest| request.header("authorization")?.strip_prefix("Bearer ").map(str::to_owned);
    let tokens: BTreeSet<String> = sim.requests().into_iter().filter_map(token_of).collect();
    assert!(!tokens.is_empty(), "no request had a token: there is nothing to look for");
    tokens.iter().for_each(|token| check_hosts(sim, token));
}
