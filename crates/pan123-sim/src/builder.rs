//! How a simulator is set up, and where its faces listen.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::face::Face;
use crate::simulator::Simulator;
use crate::state::Shared;
use crate::{disk, server};

/// What a simulator is to be like.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) lenient: bool,
    pub(crate) seed: u64,
    pub(crate) slice_size: u64,
    pub(crate) quirks: bool,
    pub(crate) rate_limits: bool,
    pub(crate) verify: bool,
    pub(crate) token_lifetime: Duration,
    pub(crate) download_lifetime: Duration,
    pub(crate) cdn_connections: Option<usize>,
    pub(crate) link_authentication: bool,
    pub(crate) task_polls: u32,
    pub(crate) offline_time: Duration,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) listen: SocketAddr,
}

impl Config {
    /// The size of parts that the web API asks for: it grows with the file, unless the simulator was told another.
    pub(crate) fn web_slice_size(&self, size: u64) -> u64 {
        match size {
            _ if self.slice_size != SLICE_SIZE => self.slice_size,
            size if size <= 160 << 20 => 16 << 20,
            size if size <= 1 << 30 => 32 << 20,
            size if size <= 8 << 30 => 64 << 20,
            _ => 128 << 20,
        }
    }
}

/// The address of every face: a base without trailing slash, which stops before `/api`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Urls {
    /// The Open Platform.
    pub open: String,
    /// The web API; ends in `/b`.
    pub web: String,
    /// The login host.
    pub login: String,
    /// The share host.
    pub share: String,
    /// The upload host.
    pub upload: String,
    /// The object storage.
    pub storage: String,
    /// Downloads and direct links.
    pub cdn: String,
    /// The simulator's controls.
    pub admin: String,
}

impl Urls {
    /// The address of one face.
    #[must_use]
    pub fn of(&self, face: Face) -> &str {
        match face {
            Face::Open => &self.open,
            Face::Web => &self.web,
            Face::Login => &self.login,
            Face::Share => &self.share,
            Face::Upload => &self.upload,
            Face::Storage => &self.storage,
            Face::Cdn => &self.cdn,
            Face::Admin => &self.admin,
        }
    }

    fn put(&mut self, face: Face, address: SocketAddr) {
        let host = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
        let base = format!("http://{}", SocketAddr::new(host, address.port()));
        match face {
            Face::Open => self.open = base,
            Face::Web => self.web = format!("{base}/b"),
            Face::Login => self.login = base,
            Face::Share => self.share = base,
            Face::Upload => self.upload = base,
            Face::Storage => self.storage = base,
            Face::Cdn => self.cdn = base,
            Face::Admin => self.admin = base,
        }
    }
}

/// Settings of a [`Simulator`]; [`start`](Self::start) runs it.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    config: Config,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            config: Config {
                lenient: false,
                seed: 0,
                slice_size: SLICE_SIZE,
                quirks: false,
                rate_limits: false,
                verify: true,
                token_lifetime: Duration::from_secs(30 * 24 * 3600),
                download_lifetime: Duration::from_secs(24 * 3600),
                cdn_connections: None,
                link_authentication: true,
                task_polls: 0,
                offline_time: Duration::ZERO,
                dir: None,
                listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            },
        }
    }
}

impl Builder {
    /// Refuses whatever the protocol reference does not name (the default of the library).
    pub fn strict(mut self) -> Self {
        self.config.lenient = false;
        self
    }

    /// Accepts what working clients show the service to accept (the default of the binary).
    pub fn lenient(mut self) -> Self {
        self.config.lenient = true;
        self
    }

    /// Chooses ids, tickets and chances; the same seed gives the same ones. 0 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The size of slices that uploads are told to use, 16 MiB by default; the web API then tells more for files of more
    /// than 160 MiB, up to 128 MiB.
    pub fn slice_size(mut self, bytes: u64) -> Self {
        self.config.slice_size = bytes.max(1);
        self
    }

    /// Shows the oddities of the service that delay or deny, now and then. Off by default.
    pub fn quirks(mut self, on: bool) -> Self {
        self.config.quirks = on;
        self
    }

    /// Answers code 429 to calls over the limits of a free account. Off by default.
    pub fn rate_limits(mut self, on: bool) -> Self {
        self.config.rate_limits = on;
        self
    }

    /// With `false`, uploads are counted but neither hashed nor kept, for benchmarks: a download of such a file gives
    /// bytes of the right number, but not those that were sent.
    pub fn verify(mut self, on: bool) -> Self {
        self.config.verify = on;
        self
    }

    /// How long access tokens live, 30 days by default.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.token_lifetime = lifetime;
        self
    }

    /// How long download addresses and presigned addresses live, one day by default (the service's own figure is not known).
    pub fn download_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.download_lifetime = lifetime;
        self
    }

    /// How many transfers of one link may run at a time; more are answered with status 429. Unlimited by default.
    pub fn cdn_connections(mut self, count: usize) -> Self {
        self.config.cdn_connections = Some(count);
        self
    }

    /// Whether direct links must be signed; lenient mode also serves those without any key. On by default.
    pub fn link_authentication(mut self, on: bool) -> Self {
        self.config.link_authentication = on;
        self
    }

    /// How often a task (a copy, an import, an offline download, a transcode, a save) answers that it is still running
    /// before it is done. 0 by default: it is done when it is first asked for.
    pub fn task_polls(mut self, polls: u32) -> Self {
        self.config.task_polls = polls;
        self
    }

    /// How long an offline download of the web API takes by the simulator's clock; none by default.
    pub fn offline_time(mut self, time: Duration) -> Self {
        self.config.offline_time = time;
        self
    }

    /// Keeps the drive in a folder, and takes it over from there when it starts. In memory by default.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.config.dir = Some(dir.into());
        self
    }

    /// Where the Open Platform face listens; the others take free ports of the same host. `127.0.0.1:0` by default.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.config.listen = address;
        self
    }

    /// Starts the simulator on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When an address is taken, or the folder of [`dir`](Self::dir) cannot be used.
    pub async fn start(self) -> io::Result<Simulator> {
        let config = self.config;
        let mut urls = Urls::default();
        let mut listeners = Vec::new();
        for face in Face::ALL {
            let port = if face == Face::Open { config.listen.port() } else { 0 };
            let listener = TcpListener::bind(SocketAddr::new(config.listen.ip(), port)).await?;
            urls.put(face, listener.local_addr()?);
            listeners.push((face, listener));
        }
        let shared = Arc::new(Shared::new(config, urls));
        disk::load(&shared)?;
        let tasks = listeners
            .into_iter()
            .map(|(face, listener)| tokio::spawn(server::serve(Arc::clone(&shared), face, listener)))
            .collect();
        Ok(Simulator::new(shared, tasks))
    }
}

/// The size of slices unless another one is asked for.
pub(crate) const SLICE_SIZE: u64 = 16 << 20;
