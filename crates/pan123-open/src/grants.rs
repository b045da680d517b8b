//! Tokens that a user granted: OAuth with a refresh token that works once, and brokers who refresh for others.

use std::sync::{Mutex, PoisonError};

use pan123_core::{BoxFuture, Error, ErrorKind, Pipeline, Result, Secret, Token, TokenSource};
use url::Url;

use crate::{
    ClientBuilder,
    client::Credentials,
    ops::{
        broker::Renew,
        oauth::{RefreshToken, TokenByCode},
    },
};

impl ClientBuilder {
    /// Uses an app's id and secret, and a refresh token of a user who granted the app access.
    ///
    /// Each refresh gives a new pair of tokens and voids the old one at once, so give the client a
    /// [`token_store`](Self::token_store) that lasts: the pair is saved there before it is used, and the refresh token in
    /// the store comes before the one given here, which is then needed only when the store's is refused. Programs that
    /// share the store refresh one at a time.
    ///
    /// A refresh whose answer is lost is never sent again by this client, because the token may be used up:
    /// calls then fail with [`ErrorKind::Unauthorized`] until the program is started again or given a new grant. An access
    /// token that still lasts is used to its end.
    ///
    /// Protocol: `open-files.yaml`, `flow.token_oauth`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use pan123_open::{Client, FileTokenStore, Tier};
    ///
    /// # fn run() -> pan123_open::Result<()> {
    /// let client = Client::builder()
    ///     .oauth("app id", "app secret", "refresh token")
    ///     .token_store(FileTokenStore::new("/var/lib/app/123pan-token.json"))
    ///     .tier(Tier::OAuth)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn oauth(
        self,
        app_id: impl Into<String>,
        app_secret: impl Into<Secret>,
        refresh_token: impl Into<Secret>,
    ) -> Self {
        let app = App { id: app_id.into(), secret: app_secret.into() };
        self.granted(Grant::App(app, First::RefreshToken(refresh_token.into())))
    }

    /// Uses an app's id and secret, and the code that a user's grant has just given; see
    /// [`Granted`](crate::ops::oauth::Granted).
    ///
    /// The first call exchanges the code, which works once and for minutes only; from then on it is as with
    /// [`oauth`](Self::oauth). A program that starts again with its store needs no code any more: it can give
    /// [`oauth`](Self::oauth) the token that the store has.
    ///
    /// - `redirect`: the redirect address, the same as on the grant page.
    pub fn oauth_code(
        self,
        app_id: impl Into<String>,
        app_secret: impl Into<Secret>,
        code: impl Into<Secret>,
        redirect: impl Into<String>,
    ) -> Self {
        let app = App { id: app_id.into(), secret: app_secret.into() };
        self.granted(Grant::App(app, First::Code { code: code.into(), redirect: redirect.into() }))
    }

    /// Lets a broker refresh the tokens: for users who have no app of their own.
    ///
    /// A broker is a third party that sees every token. Its address is never assumed, so give the whole of it,
    /// such as `https://broker.example/123cloud/renewapi`. The first refresh token comes from the broker's page, see
    /// [`BrokerGrant`](crate::ops::broker::BrokerGrant). What [`oauth`](Self::oauth) says of the store and of lost answers
    /// holds here too.
    ///
    /// Protocol: `open-files.yaml`, `flow.token_renewapi`.
    pub fn broker(self, address: impl Into<String>, refresh_token: impl Into<Secret>) -> Self {
        self.granted(Grant::Broker { address: address.into(), refresh_token: refresh_token.into() })
    }

    fn granted(self, grant: Grant) -> Self {
        self.credentials(Credentials::Granted(grant))
    }
}

/// What the caller was granted, and by whom it is refreshed.
#[derive(Debug)]
pub(crate) enum Grant {
    App(App, First),
    Broker { address: String, refresh_token: Secret },
}

#[derive(Debug)]
pub(crate) struct App {
    id: String,
    secret: Secret,
}

/// What the first pair of tokens is got with.
#[derive(Debug)]
pub(crate) enum First {
    RefreshToken(Secret),
    Code { code: Secret, redirect: String },
}

impl Grant {
    /// Makes the source, whose `pipeline` has no token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when something is empty, or the broker's address is none.
    pub(crate) fn source(self, pipeline: Pipeline) -> Result<GrantedTokens> {
        let bad = |text: &'static str| Err(Error::new(ErrorKind::Config, text));
        let refresher = match &self {
            Self::App(app, _) if is_blank(&app.id) || is_blank(app.secret.expose()) => {
                return bad("the app id and the app secret may not be empty");
            }
            Self::App(_, First::Code { code, redirect }) if is_blank(code.expose()) || is_blank(redirect) => {
                return bad("the code of the grant and the redirect address may not be empty");
            }
            Self::App(_, First::RefreshToken(token)) | Self::Broker { refresh_token: token, .. }
                if is_blank(token.expose()) =>
            {
                return bad("the refresh token may not be empty");
            }
            Self::App(..) => None,
            Self::Broker { address, .. } => match Url::parse(address.trim()) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
                _ => return bad("the broker's address must begin with http:// or https://"),
            },
        };
        Ok(GrantedTokens { grant: self, broker: refresher, pipeline, spent: Mutex::default() })
    }

    fn first(&self) -> &Secret {
        match self {
            Self::App(_, First::RefreshToken(secret) | First::Code { code: secret, .. })
            | Self::Broker { refresh_token: secret, .. } => secret,
        }
    }
}

/// Refreshes a pair of tokens, each refresh token once.
#[derive(Debug)]
pub(crate) struct GrantedTokens {
    grant: Grant,
    broker: Option<Url>,
    pipeline: Pipeline,
    /// What was used up, or may have been, and what to say to those who would use it again.
    spent: Mutex<Vec<(Secret, Error)>>,
}

impl TokenSource for GrantedTokens {
    fn fetch<'a>(&'a self, previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let Some(newest) = previous.and_then(Token::refresh) else {
                return self.once(self.grant.first(), true).await;
            };
            let refused = match self.once(newest, newest == self.grant.first()).await {
                Err(error) if error.kind() == ErrorKind::Unauthorized && !error.may_have_happened() => error,
                result => return result,
            };
            // The caller's own may be newer than the store's: a user whose tokens were void has granted access again.
            let error = match self.once(self.grant.first(), true).await {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            Err(if error.attempts() == 0 { refused } else { error })
        })
    }
}

impl GrantedTokens {
    /// Uses `secret` for a new pair, unless it was used before.
    async fn once(&self, secret: &Secret, is_first: bool) -> Result<Token> {
        if let Some(error) = self.after(secret) {
            return Err(error);
        }
        let result = self.ask(secret, is_first).await;
        let after = match &result {
            Ok(token) if token.refresh() == Some(secret) => return result,
            Ok(_) => Error::new(ErrorKind::Unauthorized, "the grant was used already, and works once"),
            Err(error) if is_untouched(error) => return result,
            Err(error) if error.may_have_happened() => error.clone().with_kind(
                ErrorKind::Unauthorized,
                "the answer to a refresh was lost, and perhaps the refresh token with it: have the user grant access again",
            ),
            Err(error) => error.clone(),
        };
        let told = result.map_err(|_| after.clone());
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.push((secret.clone(), after));
        // A program that runs for years spends a token every two hours: the caller's own and the latest are enough.
        if spent.len() > MOST_REMEMBERED
            && let Some(oldest) = spent.iter().position(|(spent, _)| spent != self.grant.first())
        {
            spent.remove(oldest);
        }
        told
    }

    /// What to say to those who would use `secret` again, where it is spent.
    fn after(&self, secret: &Secret) -> Option<Error> {
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.iter().find(|(spent, _)| spent == secret).map(|(_, error)| error.clone())
    }

    async fn ask(&self, secret: &Secret, is_first: bool) -> Result<Token> {
        // The pair lasts from some moment behind this one.
        let asked = self.pipeline.runtime().now();
        let issued = match (&self.grant, &self.broker) {
            (Grant::App(app, First::Code { code, redirect }), _) if is_first => {
                let exchange = TokenByCode::new(&*app.id, app.secret.clone(), code.clone(), redirect.as_str());
                return Ok(self.pipeline.send(&exchange).await?.into_token(asked, None));
            }
            (Grant::App(app, _), _) => {
                let refresh = RefreshToken::new(&*app.id, app.secret.clone(), secret.clone());
                self.pipeline.send(&refresh).await?
            }
            (Grant::Broker { .. }, Some(address)) => {
                self.pipeline.send(&Renew::new(address.clone(), secret.clone())).await?
            }
            (Grant::Broker { .. }, None) => unreachable!("a broker's address is read when the source is made"),
        };
        Ok(issued.into_token(asked, Some(secret)))
    }
}

/// Says whether a failed refresh has certainly not used up its token, and another try may help.
fn is_untouched(error: &Error) -> bool {
    let can_pass = matches!(
        error.kind(),
        ErrorKind::Connect
            | ErrorKind::RateLimited
            | ErrorKind::Blocked
            | ErrorKind::LoginChallenge
            | ErrorKind::InvalidInput
            | ErrorKind::Config
    );
    can_pass && !error.may_have_happened()
}

/// How many spent tokens are remembered.
const MOST_REMEMBERED: usize = 8;

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
