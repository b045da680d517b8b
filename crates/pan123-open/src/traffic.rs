//! What direct links are used for: the log of their traffic, and the CDN's cache.

use pan123_core::{Items, Result, Timestamp};

use crate::{
    Client,
    ops::link_logs::{OfflineLogs, RefreshDirectLinkCache, TrafficLog},
};

impl Client {
    /// Purges what the CDN keeps of all direct links, so that replaced files are fetched anew.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) when the account lacks a benefit that the service wants for it.
    pub async fn refresh_direct_link_cache(&self) -> Result<()> {
        self.send(RefreshDirectLinkCache).await
    }

    /// Walks what was fetched by direct links between two moments of the last 3 days.
    ///
    /// One request for every 100 entries, and one more. It needs the developer benefit.
    ///
    /// # Errors
    ///
    /// Each step of the walk can fail; asking again goes on where it stopped.
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `to` lies before `from`,
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) without the benefit.
    pub fn direct_link_traffic(&self, from: Timestamp, to: Timestamp) -> Items<TrafficLog> {
        self.items(TrafficLog::new(from, to))
    }

    /// Walks the archives of the direct-link log, one for an hour, between two moments of the last 30 days.
    ///
    /// One request for every 100 archives, and one more. It needs the developer benefit.
    ///
    /// # Errors
    ///
    /// As those of [`direct_link_traffic`](Self::direct_link_traffic).
    pub fn direct_link_archives(&self, from: Timestamp, to: Timestamp) -> Items<OfflineLogs> {
        self.items(OfflineLogs::new(from, to))
    }
}
