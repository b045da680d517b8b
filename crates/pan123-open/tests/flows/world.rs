//! A simulator, a client that talks to it, and a clock that skips every wait.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use pan123_core::testing::VirtualRuntime;
use pan123_open::{Client, ClientBuilder, FileId, Hosts, RateLimits};
use pan123_sim::Simulator;

/// The size of a part: small, so that many parts are few bytes.
pub(crate) const PART: usize = 64 * 1024;

/// The moment at which every test begins.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) struct World {
    pub(crate) sim: Simulator,
    pub(crate) client: Client,
    pub(crate) runtime: VirtualRuntime,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|sim| sim, |client| client).await
    }

    pub(crate) async fn with(
        sim: impl FnOnce(pan123_sim::Builder) -> pan123_sim::Builder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let sim = sim(Simulator::builder().slice_size(PART as u64)).start().await.unwrap();
        sim.set_clock(NOW);
        let runtime = VirtualRuntime::new(NOW, 7);
        let builder = client(builder(&sim, &runtime));
        let folder = tempfile::tempdir().unwrap();
        Self { client: builder.build().unwrap(), sim, runtime, folder }
    }

    /// A path in a folder that is removed with the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names in that folder.
    pub(crate) fn local_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .folder
            .path()
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Writes a local file and returns its path.
    pub(crate) fn local(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The files in the drive that are not in the trash, as path and bytes.
    pub(crate) fn stored(&self) -> Vec<(String, Bytes)> {
        let live = self.sim.files().into_iter().filter(|file| !file.trashed);
        live.map(|file| (file.path.clone(), self.sim.read(&file.path).unwrap())).collect()
    }
}

/// A client builder for `sim` without rate limits, on the virtual clock.
pub(crate) fn builder(sim: &Simulator, runtime: &VirtualRuntime) -> ClientBuilder {
    Client::builder()
        .app(sim.client_id(), sim.client_secret())
        .hosts(Hosts::default().with_open(&sim.urls().open).unwrap())
        .rate_limits(RateLimits::unlimited())
        .runtime(runtime.clone())
        .link_key(sim.link_key())
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

pub(crate) fn id(id: i64) -> FileId {
    FileId::new(id)
}

pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
