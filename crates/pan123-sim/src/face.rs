//! The faces of the service: one listening port for each kind of host.

use std::fmt;

/// A kind of host that the service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Face {
    /// The Open Platform.
    Open,
    /// The web API.
    Web,
    /// The login host of the web API.
    Login,
    /// The host of public shares.
    Share,
    /// The upload hosts of the Open Platform.
    Upload,
    /// Object storage behind presigned addresses.
    Storage,
    /// Downloads and direct links.
    Cdn,
    /// The simulator's own controls.
    Admin,
}

impl Face {
    /// All faces, in the order in which the binary prints them.
    pub const ALL: [Self; 8] =
        [Self::Open, Self::Web, Self::Login, Self::Share, Self::Upload, Self::Storage, Self::Cdn, Self::Admin];

    /// The name in the binary's JSON line and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Web => "web",
            Self::Login => "login",
            Self::Share => "share",
            Self::Upload => "upload",
            Self::Storage => "storage",
            Self::Cdn => "cdn",
            Self::Admin => "admin",
        }
    }

    /// Whether it answers API calls with envelopes; in lenient mode these faces answer each other's paths.
    pub(crate) fn is_api(self) -> bool {
        matches!(self, Self::Open | Self::Web | Self::Login | Self::Share | Self::Upload)
    }
}

impl fmt::Display for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
