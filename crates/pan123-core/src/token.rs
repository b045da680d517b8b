//! Tokens: what they are, where they come from, and where they are kept.

use std::{
    any::Any,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{BoxFuture, Result, Secret, Timestamp};

/// An access token, when it ends, and the refresh token that came with it.
///
/// # Example
///
/// ```
/// use pan123_core::{Timestamp, Token};
///
/// let token = Token::new("eyJ…").with_expiry(Timestamp::from_unix(1_800_000_000));
/// assert!(format!("{token:?}").contains("redacted"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    access: Secret,
    expires_at: Option<Timestamp>,
    refresh: Option<Secret>,
}

impl Token {
    /// Makes a token of which nothing else is known.
    pub fn new(access: impl Into<Secret>) -> Self {
        Self { access: access.into(), expires_at: None, refresh: None }
    }

    /// Says when it ends.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Adds the refresh token.
    #[must_use]
    pub fn with_refresh(mut self, refresh: impl Into<Secret>) -> Self {
        self.refresh = Some(refresh.into());
        self
    }

    /// Returns the access token.
    pub fn access(&self) -> &Secret {
        &self.access
    }

    /// Returns the refresh token.
    pub fn refresh(&self) -> Option<&Secret> {
        self.refresh.as_ref()
    }

    /// Returns when it ends, where that is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Says whether it lasts for [`RENEWAL_MARGIN`] more. A token of unknown end is taken at its word until it is refused.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now.plus(RENEWAL_MARGIN))
    }

    /// Takes a token as the service gave it out. One that is about to end as it is given out shows that our clock is wrong:
    /// it is used until it is refused, or every call would ask for another.
    pub(crate) fn issued(self, now: Timestamp) -> Self {
        if self.is_fresh(now) { self } else { Self { expires_at: None, ..self } }
    }

    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// How long before its end a token is renewed.
pub const RENEWAL_MARGIN: Duration = Duration::from_secs(5 * 60);

/// Where new tokens come from: client credentials, a refresh token, a login.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Gets a new token. `previous` is the last one known, with its refresh token.
    ///
    /// Called for one caller at a time. Its own requests carry no token and are not renewed.
    fn fetch<'a>(&'a self, previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>>;
}

impl TokenSource for Box<dyn TokenSource> {
    fn fetch<'a>(&'a self, previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
        (**self).fetch(previous)
    }
}

/// Where a token is kept, so that a restart or a second process does not need a new one.
///
/// The service allows a few live tokens for each account or client id and kicks out the oldest.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the token last saved.
    fn load(&self) -> BoxFuture<'_, Result<Option<Token>>>;

    /// Keeps `token`. It is not used before this has ended well.
    fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>>;

    /// Forgets the token, after a logout. A store that does nothing keeps one that the service refuses.
    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Keeps other processes from renewing, until the returned lock is dropped; `None` while another one does that to this.
    ///
    /// It returns at once: whoever wants the lock asks again, for [`LOCK_TIMEOUT`](crate::LOCK_TIMEOUT) at most.
    fn try_lock(&self) -> BoxFuture<'_, Result<Option<TokenLock>>> {
        Box::pin(async { Ok(Some(TokenLock::none())) })
    }
}

/// Held while a token is renewed; see [`TokenStore::try_lock`].
pub struct TokenLock(#[expect(dead_code, reason = "it is held for its drop")] Option<Box<dyn Any + Send>>);

impl TokenLock {
    /// No lock, for a store that no other process sees.
    pub fn none() -> Self {
        Self(None)
    }

    /// A lock that ends when `held` is dropped.
    pub fn holding(held: impl Any + Send) -> Self {
        Self(Some(Box::new(held)))
    }
}

impl fmt::Debug for TokenLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenLock")
    }
}

/// Keeps the token for as long as the program runs.
#[derive(Debug, Default)]
pub struct MemoryTokenStore(Mutex<Option<Token>>);

impl TokenStore for MemoryTokenStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<Token>>> {
        let token = lock(&self.0).clone();
        Box::pin(async move { Ok(token) })
    }

    fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>> {
        *lock(&self.0) = Some(token.clone());
        Box::pin(async { Ok(()) })
    }

    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        *lock(&self.0) = None;
        Box::pin(async { Ok(()) })
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
