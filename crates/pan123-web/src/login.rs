//! Where the web API's tokens come from: a password, or an earlier login that is kept.

use pan123_core::{BoxFuture, Error, ErrorKind, Pipeline, Result, RetryPolicy, Secret, Token, TokenSource};

use crate::ops::auth::{Passport, SignInPassword};

/// Logs in with a phone number or a mail address, and a password.
///
/// A free account is logged in on three devices at once, and a fourth login ends the oldest; too many logins get an
/// account blocked. So one login is one request, which is sent again only where no connection was made.
///
/// Protocol: `web.yaml`, `password_login`.
#[derive(Debug)]
pub(crate) struct PasswordLogin {
    passport: Passport,
    password: Secret,
    /// A pipeline without a token: the login must never ask for one itself.
    pipeline: Pipeline,
}

impl PasswordLogin {
    pub(crate) fn new(passport: Passport, password: Secret, pipeline: Pipeline) -> Self {
        Self { passport, password, pipeline }
    }

    async fn log_in(&self) -> Result<Token> {
        let sign_in = SignInPassword::new(self.passport.clone(), self.password.clone());
        let (retry, runtime) = (self.pipeline.retry(), self.pipeline.runtime());
        let begun = runtime.elapsed();
        let mut attempts = 0;
        loop {
            let error = match self.pipeline.send_with(&sign_in, &RetryPolicy::none()).await {
                Err(error) if error.kind() == ErrorKind::Connect => error,
                // Whoever waits for the token asked for something else, which has not been sent.
                outcome => return outcome.map_err(|error| error.with_may_have_happened(false)),
            };
            attempts += 1;
            let elapsed = runtime.elapsed().saturating_sub(begun);
            match retry.next(&error, attempts, elapsed, false, &**runtime) {
                Some(delay) => runtime.sleep(delay).await,
                None => return Err(error.with_attempts(attempts)),
            }
        }
    }
}

impl TokenSource for PasswordLogin {
    fn fetch<'a>(&'a self, _previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
        Box::pin(self.log_in())
    }
}

/// The source of a client that has nothing but a store with the token of an earlier login.
#[derive(Debug)]
pub(crate) struct Kept;

impl TokenSource for Kept {
    fn fetch<'a>(&'a self, previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
        let text = match previous {
            Some(_) => "the login that is kept has ended or was refused: log in again, such as with a QR code",
            None => "no login is kept in the store: log in first, such as with a QR code",
        };
        Box::pin(async move { Err(Error::new(ErrorKind::Unauthorized, text)) })
    }
}
