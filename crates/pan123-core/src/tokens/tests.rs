//! The keeper under many callers, broken stores and clocks that are wrong.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{LOCK_TIMEOUT, LOGIN_COOL_DOWN, MOST_RENEWALS_A_MINUTE, Tokens};
use crate::{
    BoxFuture, Error, ErrorKind, MemoryTokenStore, Result, Runtime, Timestamp, Token, TokenLock, TokenSource,
    TokenStore, testing::VirtualRuntime,
};

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
