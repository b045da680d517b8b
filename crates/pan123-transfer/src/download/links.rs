//! The address of a file: fetched once for all connections that need it, and once again when it is refused.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use pan123_core::{Error, Link, Result, Runtime};
use tokio::sync::Mutex;

use crate::DownloadOrigin;

/// The address in use. One is fetched at a time; whoever waits for it gets the same one, or the same error.
pub(super) struct Links {
    origin: Arc<dyn DownloadOrigin>,
    runtime: Arc<dyn Runtime>,
    /// How often an address was asked for.
    asked: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the address, from 1.
    number: u64,
    link: Option<Link>,
    failure: Option<Error>,
}

impl Links {
    pub(super) fn new(origin: Arc<dyn DownloadOrigin>, runtime: Arc<dyn Runtime>) -> Self {
        Self { origin, runtime, asked: AtomicU64::new(0), state: Mutex::default() }
    }

    pub(super) fn origin(&self) -> &dyn DownloadOrigin {
        &*self.origin
    }

    /// Returns an address with its number, a newer one than `refused`, which has not expired.
    pub(super) async fn get(&self, refused: u64) -> Result<(u64, Link)> {
        let asked = self.asked.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = self.runtime.now();
        if let Some(link) = &state.link
            && state.number > refused
            && link.expires_at().is_none_or(|end| end > now)
        {
            return Ok((state.number, link.clone()));
        }
        if let Some(error) = &state.failure
            && asked != self.asked.load(Ordering::Acquire)
        {
            return Err(error.clone());
        }
        self.asked.fetch_add(1, Ordering::AcqRel);
        state.link = None;
        match self.origin.resolve().await {
            Ok(link) => {
                *state = State { number: state.number + 1, link: Some(link.clone()), failure: None };
                Ok((state.number, link))
            }
            Err(error) => {
                state.failure = Some(error.clone());
                Err(error)
            }
        }
    }
}
