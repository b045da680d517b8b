//! Tokens: where they come from, where they are kept, and one renewal at a time.

use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{BoxFuture, Error, ErrorKind, Result, Runtime, Secret, Timestamp};

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
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now.plus(RENEWAL_MARGIN))
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// How long before its end a token is renewed.
pub const RENEWAL_MARGIN: Duration = Duration::from_secs(5 * 60);

/// How long a refused login is not tried again: every caller gets the same error without a request.
pub const LOGIN_COOL_DOWN: Duration = Duration::from_secs(60);

/// How many refused tokens are replaced within a minute before something else must be wrong.
const MOST_RENEWALS_A_MINUTE: usize = 3;

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

    /// Keeps other processes from renewing, until the returned lock is dropped.
    fn lock(&self) -> BoxFuture<'_, Result<TokenLock>> {
        Box::pin(async { Ok(TokenLock::none()) })
    }
}

/// Held while a token is renewed; see [`TokenStore::lock`].
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
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move { Ok(token) })
    }

    fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Box::pin(async { Ok(()) })
    }
}

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
/// Clones share everything.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: Box<dyn TokenSource>,
    store: Arc<dyn TokenStore>,
    runtime: Arc<dyn Runtime>,
    current: Mutex<Option<Token>>,
    /// Counts the renewals that have ended; a caller who waited sees whether one ended meanwhile.
    rounds: AtomicU64,
    renewal: tokio::sync::Mutex<Renewal>,
}

#[derive(Debug, Default)]
struct Renewal {
    /// How the last round failed, and when.
    failure: Option<(Error, Duration)>,
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
            rounds: AtomicU64::new(0),
            renewal: tokio::sync::Mutex::default(),
        }))
    }

    /// Makes the keeper of a token that cannot be renewed.
    pub fn held(token: Token, runtime: Arc<dyn Runtime>) -> Self {
        let tokens = Self::new(Held, Arc::new(MemoryTokenStore::default()), runtime);
        tokens.0.publish(token);
        tokens
    }

    /// Returns a token that lasts, renewing it when it is about to end. One that cannot be renewed is used until it ends.
    ///
    /// # Errors
    ///
    /// What the source or the store gave.
    pub async fn get(&self) -> Result<Token> {
        let current = self.0.current();
        match current {
            Some(token) if token.is_fresh(self.0.runtime.now()) => Ok(token),
            // A token that ought to be renewed still works until it ends.
            Some(token) => self.renew(None).await.or_else(|error| match token.has_ended(self.0.runtime.now()) {
                true => Err(error),
                false => Ok(token),
            }),
            None => self.renew(None).await,
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

    async fn renew(&self, refused: Option<Token>) -> Result<Token> {
        let seen = self.0.rounds.load(Ordering::Acquire);
        let shared = Arc::clone(&self.0);
        // A task of its own: a caller who is dropped in the middle must not lose a refresh token that works once.
        let renewal = tokio::spawn(async move { shared.renew(refused, seen).await });
        renewal.await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Unauthorized, "the renewal of the token was interrupted").with_source(cause))
        })
    }
}

impl Shared {
    fn current(&self) -> Option<Token> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, token: Token) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    async fn renew(&self, refused: Option<Token>, seen: u64) -> Result<Token> {
        let mut renewal = self.renewal.lock().await;
        let good = |token: &Token| {
            refused.as_ref().is_none_or(|refused| refused.access != token.access) && token.is_fresh(self.runtime.now())
        };
        if let Some(token) = self.current().filter(good) {
            return Ok(token);
        }
        if let Some((failure, at)) = &renewal.failure {
            let cooling = matches!(failure.kind(), ErrorKind::Unauthorized | ErrorKind::LoginChallenge)
                && self.runtime.elapsed() < *at + LOGIN_COOL_DOWN;
            if cooling || self.rounds.load(Ordering::Acquire) != seen {
                return Err(failure.clone());
            }
        }
        let outcome = self.round(&mut renewal, refused.is_some(), good).await;
        renewal.failure = outcome.as_ref().err().map(|error| (error.clone(), self.runtime.elapsed()));
        self.rounds.fetch_add(1, Ordering::Release);
        outcome
    }

    /// One renewal: under the store's lock, what another process saved comes first.
    async fn round(&self, renewal: &mut Renewal, was_refused: bool, good: impl Fn(&Token) -> bool) -> Result<Token> {
        let _lock = self.store.lock().await?;
        let token = match renewal.unsaved.take() {
            Some(token) => token,
            None => {
                let stored = self.store.load().await?;
                if let Some(token) = stored.clone().filter(good) {
                    self.publish(token.clone());
                    return Ok(token);
                }
                if was_refused {
                    self.count_replacement(&mut renewal.replaced)?;
                }
                // The store is what survives: its refresh token is the newest, whoever put it there.
                self.source.fetch(stored.or_else(|| self.current()).as_ref()).await?
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

    fn count_replacement(&self, replaced: &mut VecDeque<Duration>) -> Result<()> {
        let now = self.runtime.elapsed();
        replaced.retain(|at| now.saturating_sub(*at) < Duration::from_secs(60));
        if replaced.len() >= MOST_RENEWALS_A_MINUTE {
            return Err(Error::new(
                ErrorKind::Unauthorized,
                "the service keeps refusing tokens that it has just issued; other programs may be using up the live tokens of this client id",
            ));
        }
        replaced.push_back(now);
        Ok(())
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::testing::VirtualRuntime;

    /// Issues numbered tokens, or fails.
    #[derive(Debug, Default)]
    struct Counter {
        issued: Arc<AtomicUsize>,
        failure: Option<ErrorKind>,
    }

    impl TokenSource for Counter {
        fn fetch<'a>(&'a self, _previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
            let number = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
            Box::pin(async move {
                tokio::task::yield_now().await;
                match self.failure {
                    Some(kind) => Err(Error::new(kind, "no")),
                    None => Ok(Token::new(format!("token-{number}")).with_expiry(Timestamp::from_unix(10_000))),
                }
            })
        }
    }

    fn tokens(failure: Option<ErrorKind>) -> (Tokens, Arc<AtomicUsize>, VirtualRuntime) {
        let issued = Arc::new(AtomicUsize::new(0));
        let runtime = VirtualRuntime::new(0, 1);
        let source = Counter { issued: Arc::clone(&issued), failure };
        (Tokens::new(source, Arc::new(MemoryTokenStore::default()), Arc::new(runtime.clone())), issued, runtime)
    }

    async fn all(tokens: &Tokens, refused: Option<Token>) -> Vec<Result<Token>> {
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let (tokens, refused) = (tokens.clone(), refused.clone());
                tokio::spawn(async move {
                    match refused {
                        Some(token) => tokens.replace(&token).await,
                        None => tokens.get().await,
                    }
                })
            })
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.expect("the task does not panic"));
        }
        results
    }

    #[tokio::test]
    async fn sixty_four_callers_cause_one_fetch() {
        let (tokens, issued, _) = tokens(None);
        assert!(all(&tokens, None).await.iter().all(Result::is_ok));
        assert_eq!(issued.load(Ordering::Relaxed), 1);
        let first = tokens.get().await.unwrap();
        assert!(all(&tokens, Some(first)).await.iter().all(Result::is_ok));
        assert_eq!(issued.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn sixty_four_callers_share_one_failure_and_a_refused_login_cools_down() {
        let (refusing, issued, runtime) = tokens(Some(ErrorKind::Unauthorized));
        assert!(all(&refusing, None).await.iter().all(Result::is_err));
        assert_eq!(issued.load(Ordering::Relaxed), 1);
        refusing.get().await.unwrap_err();
        assert_eq!(issued.load(Ordering::Relaxed), 1);
        runtime.advance(LOGIN_COOL_DOWN);
        refusing.get().await.unwrap_err();
        assert_eq!(issued.load(Ordering::Relaxed), 2);

        let (broken, issued, _) = tokens(Some(ErrorKind::Connect));
        assert!(all(&broken, None).await.iter().all(Result::is_err));
        assert_eq!(issued.load(Ordering::Relaxed), 1);
        broken.get().await.unwrap_err();
        assert_eq!(issued.load(Ordering::Relaxed), 2, "a network failure is tried again at once");
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_it_ends() {
        let (tokens, issued, runtime) = tokens(None);
        tokens.get().await.unwrap();
        runtime.advance(Duration::from_secs(10_000 - 301));
        tokens.get().await.unwrap();
        assert_eq!(issued.load(Ordering::Relaxed), 1);
        runtime.advance(Duration::from_secs(1));
        tokens.get().await.unwrap();
        assert_eq!(issued.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn tokens_that_are_refused_again_and_again_are_not_replaced_for_ever() {
        let (tokens, issued, runtime) = tokens(None);
        let mut token = tokens.get().await.unwrap();
        for _ in 0..MOST_RENEWALS_A_MINUTE {
            token = tokens.replace(&token).await.unwrap();
        }
        assert_eq!(tokens.replace(&token).await.unwrap_err().kind(), ErrorKind::Unauthorized);
        assert_eq!(issued.load(Ordering::Relaxed), 4);
        runtime.advance(Duration::from_secs(120));
        tokens.replace(&token).await.unwrap();
    }

    #[tokio::test]
    async fn a_held_token_that_is_refused_is_an_error() {
        let runtime = Arc::new(VirtualRuntime::new(0, 1));
        let tokens = Tokens::held(Token::new("abc"), runtime);
        let token = tokens.get().await.unwrap();
        assert_eq!(tokens.replace(&token).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    }

    /// Fails to save as often as it is told to.
    #[derive(Debug, Default)]
    struct Full(AtomicUsize, MemoryTokenStore);

    impl TokenStore for Full {
        fn load(&self) -> BoxFuture<'_, Result<Option<Token>>> {
            self.1.load()
        }

        fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>> {
            if self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                return Box::pin(async { Err(Error::new(ErrorKind::Io, "disk full")) });
            }
            self.1.save(token)
        }
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_saved_is_not_used_and_not_lost() {
        let issued = Arc::new(AtomicUsize::new(0));
        let source = Counter { issued: Arc::clone(&issued), failure: None };
        let store = Arc::new(Full(AtomicUsize::new(2), MemoryTokenStore::default()));
        let tokens = Tokens::new(source, store, Arc::new(VirtualRuntime::new(0, 1)));
        assert_eq!(tokens.get().await.unwrap_err().kind(), ErrorKind::TokenStore);
        assert_eq!(tokens.get().await.unwrap_err().kind(), ErrorKind::TokenStore);
        assert_eq!(tokens.get().await.unwrap().access().expose(), "token-1");
        assert_eq!(issued.load(Ordering::Relaxed), 1);
    }
}
