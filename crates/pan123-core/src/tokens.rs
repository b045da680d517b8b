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
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::{Timestamp, testing::VirtualRuntime};

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
    async fn a_challenged_login_is_not_tried_again_until_somebody_says_so() {
        let (tokens, issued, runtime) = tokens(Some(ErrorKind::LoginChallenge));
        assert!(all(&tokens, None).await.iter().all(Result::is_err));
        runtime.advance(LOGIN_COOL_DOWN * 1000);
        assert_eq!(tokens.get().await.unwrap_err().kind(), ErrorKind::LoginChallenge);
        assert_eq!(issued.load(Ordering::Relaxed), 1);
        tokens.reset_challenge();
        tokens.get().await.unwrap_err();
        assert_eq!(issued.load(Ordering::Relaxed), 2);
        // What another process got is taken over all the same.
        tokens.0.store.save(&Token::new("elsewhere")).await.unwrap();
        assert_eq!(tokens.get().await.unwrap(), Token::new("elsewhere"));
        assert_eq!(issued.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_challenge_stops_every_call_until_a_reset_or_another_token() {
        let (tokens, issued, _) = tokens(None);
        let token = tokens.get().await.unwrap();
        let challenge = || Error::new(ErrorKind::LoginChallenge, "who are you");
        tokens.challenged(&Token::new("an older one"), challenge());
        tokens.get().await.unwrap();

        tokens.challenged(&token, challenge());
        assert!(all(&tokens, None).await.iter().all(Result::is_err));
        tokens.reset_challenge();
        assert_eq!(tokens.get().await.unwrap(), token);

        tokens.challenged(&token, challenge());
        tokens.put(Token::new("by a code")).await.unwrap();
        assert_eq!(tokens.get().await.unwrap(), Token::new("by a code"));
        assert_eq!(tokens.0.store.load().await.unwrap(), Some(Token::new("by a code")));
        assert_eq!(issued.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_token_is_forgotten_unless_another_has_taken_its_place() {
        let (tokens, issued, _) = tokens(None);
        assert_eq!(tokens.kept().await.unwrap(), None);
        let token = tokens.get().await.unwrap();
        tokens.forget(&Token::new("another")).await.unwrap();
        assert_eq!(tokens.kept().await.unwrap(), Some(token.clone()));
        tokens.0.store.save(&Token::new("elsewhere")).await.unwrap();
        tokens.forget(&token).await.unwrap();
        assert_eq!(tokens.kept().await.unwrap(), Some(Token::new("elsewhere")), "that of another process stays");
        tokens.forget(&Token::new("elsewhere")).await.unwrap();
        assert_eq!(tokens.kept().await.unwrap(), None);
        assert_eq!(issued.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_clock_that_is_ahead_does_not_cost_a_login_for_every_call() {
        let (tokens, issued, runtime) = tokens(None);
        runtime.advance(Duration::from_secs(1_000_000));
        for _ in 0..3 {
            tokens.get().await.unwrap();
        }
        assert_eq!(issued.load(Ordering::Relaxed), 1, "it is used until it is refused");
        let held = Tokens::held(Token::new("abc").with_expiry(Timestamp::from_unix(1)), Arc::new(runtime));
        held.get().await.unwrap();
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

    /// A store that another program has locked, or that nobody can lock.
    #[derive(Debug)]
    struct Locked(MemoryTokenStore, Option<ErrorKind>);

    impl TokenStore for Locked {
        fn load(&self) -> BoxFuture<'_, Result<Option<Token>>> {
            self.0.load()
        }

        fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>> {
            self.0.save(token)
        }

        fn try_lock(&self) -> BoxFuture<'_, Result<Option<TokenLock>>> {
            let outcome = self.1.map_or(Ok(None), |kind| Err(Error::new(kind, "read-only")));
            Box::pin(async { outcome })
        }
    }

    #[tokio::test]
    async fn a_lock_that_is_never_given_back_is_an_error_after_its_time() {
        let runtime = VirtualRuntime::new(0, 1);
        let source = Counter::default();
        let issued = Arc::clone(&source.issued);
        let store = Arc::new(Locked(MemoryTokenStore::default(), None));
        let tokens = Tokens::new(source, store, Arc::new(runtime.clone()));
        assert_eq!(tokens.get().await.unwrap_err().kind(), ErrorKind::TokenStore);
        assert!(runtime.elapsed() >= LOCK_TIMEOUT && runtime.elapsed() < LOCK_TIMEOUT + Duration::from_secs(1));
        assert_eq!(issued.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_good_token_in_a_store_that_cannot_be_locked_is_used() {
        let store = Arc::new(Locked(MemoryTokenStore::default(), Some(ErrorKind::TokenStore)));
        store.save(&Token::new("kept")).await.unwrap();
        let tokens = Tokens::new(Counter::default(), store, Arc::new(VirtualRuntime::new(0, 1)));
        let token = tokens.get().await.unwrap();
        assert_eq!(token.access().expose(), "kept");
        assert_eq!(tokens.replace(&token).await.unwrap_err().kind(), ErrorKind::TokenStore);
    }

    #[test]
    fn a_single_thread_for_files_is_enough_for_all_who_wait() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.json");
        runtime.block_on(async {
            let clock = Arc::new(VirtualRuntime::new(0, 1));
            let source = Counter::default();
            let issued = Arc::clone(&source.issued);
            let first = crate::FileTokenStore::new(&path);
            let held = first.try_lock().await.unwrap();
            let waiting = Tokens::new(source, Arc::new(crate::FileTokenStore::new(&path)), clock);
            let waiting = tokio::spawn(async move { waiting.get().await });
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            first.save(&Token::new("from the other")).await.unwrap();
            drop(held);
            assert_eq!(waiting.await.unwrap().unwrap().access().expose(), "from the other");
            assert_eq!(issued.load(Ordering::Relaxed), 0);
        });
    }
}
