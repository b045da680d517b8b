//! What every client is built from, whichever way in it is for: one set of parts, one set of setters.

use std::sync::Arc;

use url::Url;

use crate::{
    Error, ErrorKind, Hosts, MemoryTokenStore, Pipeline, PipelineConfig, Profile, RateLimiter, RateLimits, Result,
    RetryPolicy, Runtime, Timeouts, Token, TokenSource, TokenStore, Tokens, TokioRuntime, Transport, default_transport,
};

/// The part of a client builder that is the same for every API, before its gaps are filled.
///
/// A builder keeps one in its field `setup`; [`setup_methods!`](crate::setup_methods) writes the setters.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Setup {
    pub hosts: Option<Hosts>,
    pub limiter: Option<RateLimiter>,
    pub retry: RetryPolicy,
    pub timeouts: Timeouts,
    pub transport: Option<Arc<dyn Transport>>,
    pub runtime: Option<Arc<dyn Runtime>>,
    pub store: Option<Arc<dyn TokenStore>>,
}

/// A [`Setup`] whose gaps are filled.
#[derive(Debug)]
#[doc(hidden)]
pub struct Parts {
    hosts: Hosts,
    limiter: RateLimiter,
    retry: RetryPolicy,
    timeouts: Timeouts,
    transport: Arc<dyn Transport>,
    runtime: Arc<dyn Runtime>,
    store: Arc<dyn TokenStore>,
}

impl Setup {
    /// Fills the gaps. `base` says which of the addresses decides whether a proxy may be used.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when this build has no HTTP transport, and what `hosts` gives.
    pub fn fill(
        self,
        hosts: impl FnOnce() -> Result<Hosts>,
        limits: impl FnOnce() -> RateLimits,
        base: fn(&Hosts) -> &Url,
    ) -> Result<Parts> {
        let hosts = self.hosts.map_or_else(hosts, Ok)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport(base(&hosts), self.timeouts)?,
        };
        Ok(Parts {
            hosts,
            limiter: self.limiter.unwrap_or_else(|| RateLimiter::new(limits())),
            retry: self.retry,
            timeouts: self.timeouts,
            transport,
            runtime: self.runtime.unwrap_or_else(|| Arc::new(TokioRuntime)),
            store: self.store.unwrap_or_else(|| Arc::new(MemoryTokenStore::default())),
        })
    }
}

impl Parts {
    /// Makes a pipeline of them; all pipelines share the connections and the rate limits.
    pub fn pipeline(&self, profile: impl Profile, tokens: Option<Tokens>) -> Pipeline {
        Pipeline::new(PipelineConfig {
            profile: Arc::new(profile),
            hosts: self.hosts.clone(),
            transport: Arc::clone(&self.transport),
            runtime: Arc::clone(&self.runtime),
            limiter: self.limiter.clone(),
            retry: self.retry,
            timeouts: self.timeouts,
            tokens,
        })
    }

    /// Makes the keeper of tokens from `source`, in the store of the setup.
    pub fn tokens(&self, source: impl TokenSource) -> Tokens {
        Tokens::new(source, Arc::clone(&self.store), Arc::clone(&self.runtime))
    }

    /// Makes the keeper of a token that the caller holds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is empty, or an address: an older token page printed one in the box for the
    /// token, and people paste it.
    pub fn held(&self, token: Token) -> Result<Tokens> {
        let text = token.access().expose().trim();
        if text.is_empty() {
            return Err(Error::new(ErrorKind::Config, "the access token may not be empty"));
        }
        if text.starts_with("http") {
            return Err(Error::new(ErrorKind::Config, "the access token is an address and not a token"));
        }
        Ok(Tokens::held(token, Arc::clone(&self.runtime)))
    }
}

/// Writes the setters that every client builder has, over its field `setup`.
#[doc(hidden)]
#[macro_export]
macro_rules! setup_methods {
    () => {
        /// Keeps the token in `store`, so that a restart or another process does not need a new one.
        ///
        /// In memory unless told otherwise. A token that the caller holds is not stored.
        pub fn token_store(mut self, store: impl $crate::TokenStore) -> Self {
            self.setup.store = Some(::std::sync::Arc::new(store));
            self
        }

        /// Sets the addresses. The public ones unless told otherwise.
        pub fn hosts(mut self, hosts: $crate::Hosts) -> Self {
            self.setup.hosts = Some(hosts);
            self
        }

        /// Keeps these rate limits, in the place of the lowest that the service is known to set.
        pub fn rate_limits(self, limits: $crate::RateLimits) -> Self {
            self.rate_limiter($crate::RateLimiter::new(limits))
        }

        /// Shares a limiter with other clients of the same account.
        pub fn rate_limiter(mut self, limiter: $crate::RateLimiter) -> Self {
            self.setup.limiter = Some(limiter);
            self
        }

        /// Sets when requests are sent again.
        pub fn retry(mut self, retry: $crate::RetryPolicy) -> Self {
            self.setup.retry = retry;
            self
        }

        /// Sets how long a connection may be silent.
        pub fn timeouts(mut self, timeouts: $crate::Timeouts) -> Self {
            self.setup.timeouts = timeouts;
            self
        }

        /// Sends by another HTTP stack.
        pub fn transport(mut self, transport: impl $crate::Transport) -> Self {
            self.setup.transport = Some(::std::sync::Arc::new(transport));
            self
        }

        /// Uses another clock, sleep and source of randomness.
        pub fn runtime(mut self, runtime: impl $crate::Runtime) -> Self {
            self.setup.runtime = Some(::std::sync::Arc::new(runtime));
            self
        }
    };
}
