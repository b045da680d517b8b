//! A simulator, a client that talks to it, and a clock that skips every wait.

use std::path::PathBuf;

use pan123_core::testing::VirtualRuntime;
use pan123_sim::{Face, Simulator};
use pan123_web::{Client, ClientBuilder, Hosts, RateLimits, Token};

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

    /// A world for tests that wait for long: the clock of the simulator stands still, and signatures would be of another time.
    pub(crate) async fn unsigned() -> Self {
        Self::with(|sim| sim.lenient(), |client| client.signing(false)).await
    }

    pub(crate) async fn with(
        sim: impl FnOnce(pan123_sim::Builder) -> pan123_sim::Builder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let sim = sim(Simulator::builder()).start().await.unwrap();
        sim.set_clock(NOW);
        let runtime = VirtualRuntime::new(NOW, 7);
        let builder = builder(&sim, &runtime).token(Token::new(sim.web_token()));
        let client = client(builder).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { client, sim, runtime, folder }
    }

    /// A client builder as that of this world's client.
    pub(crate) fn builder(&self) -> ClientBuilder {
        builder(&self.sim, &self.runtime).token(Token::new(self.sim.web_token()))
    }

    /// A path in a folder that is removed with the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A client builder for `sim` without rate limits, on the virtual clock.
pub(crate) fn builder(sim: &Simulator, runtime: &VirtualRuntime) -> ClientBuilder {
    let urls = sim.urls();
    let hosts = Hosts::default().with_web(&urls.web).unwrap().with_login(&urls.login).unwrap();
    Client::builder().hosts(hosts).rate_limits(RateLimits::unlimited()).runtime(runtime.clone())
}

/// Fails when a request with a token, or with anything else that credentials come with, left for a host of storage or CDN.
pub(crate) fn check_hosts(sim: &Simulator, token: &str) {
    let requests = sim.requests();
    assert!(requests.iter().any(|request| request.header("authorization").is_some()), "the check can fail");
    for request in requests {
        let is_control = matches!(request.face, Face::Web | Face::Login);
        let shown = format!("{:?} {:?} {:?}", request.path, request.query, request.headers);
        assert!(is_control || !shown.contains(token), "{shown}");
        for name in ["authorization", "cookie", "platform", "app-version", "loginuuid"] {
            assert!(is_control || request.header(name).is_none(), "{name} in {shown}");
        }
    }
}
