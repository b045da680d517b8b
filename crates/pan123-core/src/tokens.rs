//! The keeper of one token: used by many, renewed by one, and silent after a login challenge.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    BoxFuture, Error, ErrorKind, MemoryTokenStore, Result, Runtime, Token, TokenLock, TokenSource, TokenStore,
    token::lock,
};

/// How long a refused login is not tried again: every caller gets the same error without a request.
pub const LOGIN_COOL_DOWN: Duration = Duration::from_secs(60);

/// How many refused tokens are replaced within a minute before something else must be wrong.
const MOST_RENEWALS_A_MINUTE: usize = 3;

/// How long another program may hold the lock of a [`TokenStore`] before waiting for it is an error: longer than a login takes.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// How long after a vain attempt the lock is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The source of a caller who holds a token and nothing to renew it with.
#[derive(Debug)]
struct Held;

impl TokenSource for Held {
    fn fetch<'a>(&'a self, _previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async {
            Err(Error::new(
                ErrorKind::Unauthorized,
                "the token given to the client has ended or was refused; give it a new one",
            ))
        })
    }
}

/// The token of one client: kept, and renewed by one caller for all.
///
/// After a login challenge nothing more is asked of the service: every call that wants the token fails with the same error,
/// without a request, until [`reset_challenge`](Self::reset_challenge) or [`put`](Self::put). A challenge at the login
/// itself leaves a token that still works in use.
///
/// Clones share everything.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use pan123_core::{TokioRuntime, Token, Tokens};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let tokens = Tokens::held(Token::new("eyJ…"), Arc::new(TokioRuntime));
/// tokens.put(Token::new("another")).await?;          // such as after a login elsewhere
/// assert_eq!(tokens.get().await?.access().expose(), "another");
/// # Ok::<(), pan123_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: Box<dyn TokenSource>,
    store: Arc<dyn TokenStore>,
    runtime: Arc<dyn Runtime>,
    current: Mutex<Option<Token>>,
    stops: Mutex<Stops>,
    /// Counts the renewals that have ended; a caller who waited sees whether one ended meanwhile.
    rounds: AtomicU64,
    renewal: tokio::sync::Mutex<Renewal>,
}

/// What keeps requests from being made.
#[derive(Debug, Default)]
struct Stops {
    /// The challenge that a call with the token met.
    challenge: Option<Error>,
    /// How the last renewal failed, and when.
    failure: Option<(Error, Duration)>,
}

#[derive(Debug, Default)]
struct Renewal {
    /// A token that was issued but could not be saved: it must not be lost.
    unsaved: Option<Token>,
    /// When refused tokens were last replaced.
    replaced: VecDeque<Duration>,
}

impl Tokens {
    /// Makes the keeper of a token that comes from `source` and is kept in `store`.
    pub fn new(source: impl TokenSource, store: Arc<dyn TokenStore>, runtime: Arc<dyn Runtime>) -> Self {
        Self(Arc::new(Shared {
            source: Box::new(source),
            store,
            runtime,
            current: Mutex::default(),
            stops: Mutex::default(),
            rounds: AtomicU64::new(0),
            renewal: tokio::sync::Mutex::default(),
        }))
    }

    /// Makes the keeper of a token that cannot be renewed.
    pub fn held(token: Token, runtime: Arc<dyn Runtime>) -> Self {
        let token = token.issued(runtime.now());
        let tokens = Self::new(Held, Arc::new(MemoryTokenStore::default()), runtime);
        tokens.0.publish(token);
        tokens
    }

    /// Returns a token that lasts, renewing it when it is about to end. One that cannot be renewed is used until it ends.
    ///
    /// # Errors
    ///
    /// What the source or the store gave, and the login challenge that a call has met.
    pub async fn get(&self) -> Result<Token> {
        self.check_challenge()?;
        match self.0.current() {
            Some(token) if token.is_fresh(self.0.runtime.now()) => Ok(token),
            // A token that ought to be renewed still works until it ends.
            Some(token) => self.renew(None).await.or_else(|error| match token.has_ended(self.0.runtime.now()) {
                true => Err(error),
                false => Ok(token),
            }),
            None => self.renew(None).await,
        }
    }

    /// Returns the token at hand or in the store, whether it still works or not; no new one is asked for.
    ///
    /// # Errors
    ///
    /// What the store gave.
    pub async fn kept(&self) -> Result<Option<Token>> {
        match self.0.current() {
            Some(token) => Ok(Some(token)),
            None => self.0.store.load().await,
        }
    }

    /// Replaces a token that the service refused, unless somebody already did.
    ///
    /// # Errors
    ///
    /// What the source or the store gave.
    pub async fn replace(&self, refused: &Token) -> Result<Token> {
        self.renew(Some(refused.clone())).await
    }

    /// Saves and then uses a token that the caller got elsewhere, such as by a QR code after a login challenge, which is
    /// over with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenStore`] when it could not be saved; it is not used then.
    pub async fn put(&self, token: Token) -> Result<()> {
        let token = token.issued(self.0.runtime.now());
        let mut renewal = self.0.renewal.lock().await;
        let _lock = self.0.lock_store().await?;
        let saved = self.0.store.save(&token).await;
        saved
            .map_err(|error| error.with_kind(ErrorKind::TokenStore, "the token could not be saved and is not used"))?;
        renewal.unsaved = None;
        self.0.publish(token);
        self.reset_challenge();
        Ok(())
    }

    /// Forgets `token`, also in the store, unless another has taken its place.
    ///
    /// # Errors
    ///
    /// What the store gave; the token at hand is forgotten all the same.
    pub async fn forget(&self, token: &Token) -> Result<()> {
        let same = |kept: &Token| kept.access() == token.access();
        let mut renewal = self.0.renewal.lock().await;
        renewal.unsaved.take_if(|kept| same(kept));
        lock(&self.0.current).take_if(|kept| same(kept));
        let _lock = self.0.lock_store().await?;
        match self.0.store.load().await?.filter(same) {
            Some(_) => self.0.store.remove().await,
            None => Ok(()),
        }
    }

    /// Lets requests be made again after a login challenge, and a login that was refused be tried again at once: call it
    /// when a person has dealt with the reason.
    pub fn reset_challenge(&self) {
        *lock(&self.0.stops) = Stops::default();
    }

    /// Fails with the login challenge that a call has met, if any.
    pub(crate) fn check_challenge(&self) -> Result<()> {
        lock(&self.0.stops).challenge.clone().map_or(Ok(()), Err)
    }

    /// Takes down that a call with `token` met a login challenge, unless another token has taken its place.
    pub(crate) fn challenged(&self, token: &Token, error: Error) {
        if self.0.current().is_some_and(|current| current.access() == token.access()) {
            lock(&self.0.stops).challenge = Some(error);
        }
    }

    async fn renew(&self, refused: Option<Token>) -> Result<Token> {
        let seen = self.0.rounds.load(Ordering::Acquire);
        let shared = Arc::clone(&self.0);
        // A task of its own: a caller who is dropped in the middle must not lose a refresh token that works once.
        let renewal = tokio::spawn(async move { shared.renew(refused, seen).await });
        renewal.await.unwrap_or_else(|cause| {
            // Such as when the runtime ends: nobody was refused.
            Err(Error::new(ErrorKind::TokenStore, "the renewal of the token was interrupted").with_source(cause))
        })
    }
}

impl Shared {
    fn current(&self) -> Option<Token> {
        lock(&self.current).clone()
    }

    fn publish(&self, token: Token) {
        *lock(&self.current) = Some(token);
    }

    async fn renew(&self, refused: Option<Token>, seen: u64) -> Result<Token> {
        let mut renewal = self.renewal.lock().await;
        if let Some(challenge) = lock(&self.stops).challenge.clone() {
            return Err(challenge);
        }
        let good = |token: &Token| {
            refused.as_ref().is_none_or(|refused| refused.access() != token.access())
                && token.is_fresh(self.runtime.now())
        };
        if let Some(token) = self.current().filter(good) {
            return Ok(token);
        }
        let failure = lock(&self.stops).failure.clone();
        if let Some((failure, at)) = failure {
            let cools_until = match failure.kind() {
                // Only a person can help, and says so.
                ErrorKind::LoginChallenge => Duration::MAX,
                ErrorKind::Unauthorized | ErrorKind::RateLimited | ErrorKind::Blocked => {
                    at.saturating_add(LOGIN_COOL_DOWN)
                }
                _ => Duration::ZERO,
            };
            if self.rounds.load(Ordering::Acquire) != seen {
                return Err(failure);
            }
            if self.runtime.elapsed() < cools_until {
                // Another process may have got what this one was refused.
                return self.stored(good).await?.ok_or(failure);
            }
        }
        let outcome = self.round(&mut renewal, refused.is_some(), good).await;
        lock(&self.stops).failure = outcome.as_ref().err().map(|error| (error.clone(), self.runtime.elapsed()));
        self.rounds.fetch_add(1, Ordering::Release);
        outcome
    }

    /// One renewal: under the store's lock, what another process saved comes first.
    async fn round(&self, renewal: &mut Renewal, was_refused: bool, good: impl Fn(&Token) -> bool) -> Result<Token> {
        // What is good needs no lock, which a store that cannot be written to has not.
        if renewal.unsaved.is_none()
            && let Some(token) = self.stored(&good).await?
        {
            return Ok(token);
        }
        let _lock = self.lock_store().await?;
        let token = match renewal.unsaved.take() {
            Some(token) => token,
            None => {
                if let Some(token) = self.stored(good).await? {
                    return Ok(token);
                }
                if was_refused {
                    self.count_replacement(&mut renewal.replaced)?;
                }
                // The store is what survives: its refresh token is the newest, whoever put it there.
                let previous = self.store.load().await?.or_else(|| self.current());
                self.source.fetch(previous.as_ref()).await?.issued(self.runtime.now())
            }
        };
        if let Err(error) = self.store.save(&token).await {
            renewal.unsaved = Some(token);
            return Err(error.with_kind(
                ErrorKind::TokenStore,
                "the new token could not be saved and was not used; it is kept until it can be",
            ));
        }
        self.publish(token.clone());
        Ok(token)
    }

    /// Waits for the store's lock, in pauses that hold no thread: the one who has it needs one to go on.
    async fn lock_store(&self) -> Result<TokenLock> {
        let end = self.runtime.elapsed().saturating_add(LOCK_TIMEOUT);
        loop {
            if let Some(lock) = self.store.try_lock().await? {
                return Ok(lock);
            }
            if self.runtime.elapsed() >= end {
                return Err(Error::new(
                    ErrorKind::TokenStore,
                    "another program keeps the lock of the token's store: end it, or give this one a store of its own",
                ));
            }
            self.runtime.sleep(LOCK_PAUSE).await;
        }
    }

    /// Takes over the token in the store, if it is any good.
    async fn stored(&self, good: impl Fn(&Token) -> bool) -> Result<Option<Token>> {
        let token = self.store.load().await?.filter(good);
        if let Some(token) = &token {
            self.publish(token.clone());
        }
        Ok(token)
    }

    fn count_replacement(&self, replaced: &mut VecDeque<Duration>) -> Result<()> {
        let now = self.runtime.elapsed();
        replaced.retain(|at| now.saturating_sub(*at) < Duration::from_secs(60));
        if replaced.len() >= MOST_RENEWALS_A_MINUTE {
            return Err(Error::new(
                ErrorKind::Unauthorized,
                "the service keeps refusing tokens that it has just issued; other programs may be using up the live tokens of this account or client id",
            ));
        }
        replaced.push_back(now);
        Ok(())
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
