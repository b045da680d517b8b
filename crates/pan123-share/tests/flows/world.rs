//! A simulator with something to share, clients that open it, and a clock that skips every wait.

use std::path::{Path, PathBuf};

use pan123_core::testing::VirtualRuntime;
use pan123_share::{Client, ClientBuilder, Hosts, RateLimits, ShareKey, Token};
use pan123_sim::{ShareOptions, Simulator};

/// The moment at which every test begins.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) struct World {
    pub(crate) sim: Simulator,
    pub(crate) runtime: VirtualRuntime,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|sim| sim).await
    }

    pub(crate) async fn with(sim: impl FnOnce(pan123_sim::Builder) -> pan123_sim::Builder) -> Self {
        let sim = sim(Simulator::builder()).start().await.unwrap();
        sim.set_clock(NOW);
        Self { sim, runtime: VirtualRuntime::new(NOW, 7), folder: tempfile::tempdir().unwrap() }
    }

    /// Shares what is at `paths`.
    pub(crate) fn share(&self, paths: &[&str], options: ShareOptions) -> ShareKey {
        self.sim.share(paths, options).parse().unwrap()
    }

    /// Begins a client of a share, without a token.
    pub(crate) fn builder(&self, key: &ShareKey) -> ClientBuilder {
        let share = format!("{}/b", self.sim.urls().share);
        Client::builder(key.clone())
            .hosts(Hosts::default().with_share(&share).unwrap())
            .rate_limits(RateLimits::unlimited())
            .runtime(self.runtime.clone())
    }

    /// A client without a token.
    pub(crate) fn guest(&self, key: &ShareKey) -> Client {
        self.builder(key).build().unwrap()
    }

    /// A client of somebody who is logged in.
    pub(crate) fn user(&self, key: &ShareKey) -> Client {
        self.builder(key).token(Token::new(self.sim.web_token())).build().unwrap()
    }

    /// A path in a folder that is removed with the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The files below that folder, by their path in it, in order.
    pub(crate) fn local(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        read_folder(self.folder.path(), "", &mut files);
        files.sort();
        files
    }
}

fn read_folder(folder: &Path, path: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in folder.read_dir().unwrap() {
        let entry = entry.unwrap();
        let name = format!("{path}{}", entry.file_name().into_string().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => read_folder(&entry.path(), &format!("{name}/"), files),
            false => files.push((name, std::fs::read(entry.path()).unwrap())),
        }
    }
}

/// The paths of what was found, in order.
pub(crate) async fn paths(mut walk: pan123_share::Walk) -> Vec<String> {
    let mut paths = Vec::new();
    while let Some(found) = walk.next().await.unwrap() {
        paths.push(found.path().to_owned());
    }
    paths
}
