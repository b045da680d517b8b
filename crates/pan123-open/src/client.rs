//! The client of the Open Platform: how it is built, and how it sends operations.

use std::{fmt, sync::Arc};

use pan123_core::{
    AccountId, Error, ErrorKind, FileId, Hosts, Items, Operation, Paged, Pages, Pipeline, Result, Secret, Setup, Token,
    TokenSource,
};
use tokio::sync::OnceCell;

use crate::{credentials::AppCredentials, grants::Grant, profile::OpenProfile, rates::Tier};

/// A client of the 123Pan Open Platform, for the drive of whoever owns the app.
///
/// Clones are cheap and share the token, the connections and the rate limits: make one and clone it.
/// Everything a drive is used for every day is a method; every other call of the platform is a value in
/// [`ops`](crate::ops) for [`send`](Self::send).
///
/// # Example
///
/// ```no_run
/// use pan123_open::{Client, FileId, ops};
///
/// # async fn run() -> pan123_open::Result<()> {
/// let client = Client::builder().app("client id", "client secret").build()?;
/// let mut entries = client.list(FileId::ROOT);
/// while let Some(entry) = entries.next().await? {
///     println!("{:>12}  {}", entry.size, entry.name);
/// }
/// let info = client.send(ops::user::UserInfo::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pipeline: Pipeline,
    pub(crate) account: OnceCell<AccountId>,
    root: FileId,
    #[cfg(feature = "link")]
    pub(crate) link_key: Option<Secret>,
    #[cfg(feature = "link")]
    pub(crate) link_validity: std::time::Duration,
    #[cfg(feature = "transfer")]
    pub(crate) upload_servers: tokio::sync::Mutex<Vec<url::Url>>,
}

impl Client {
    /// Begins to build a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Runs one operation: validated, rate limited, authorised, sent, decoded, and repeated where that is safe and helps.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] before any request when a value is refused; otherwise what the operation's own page says.
    pub async fn send<O: Operation>(&self, operation: O) -> Result<O::Output> {
        self.0.pipeline.send(&operation).await
    }

    /// Walks a paged operation page by page, from the page that `first` asks for.
    pub fn pages<O: Paged>(&self, first: O) -> Pages<O> {
        Pages::new(self.0.pipeline.clone(), first)
    }

    /// Walks a paged operation item by item, from the page that `first` asks for.
    pub fn items<O: Paged>(&self, first: O) -> Items<O> {
        Items::new(self.0.pipeline.clone(), first)
    }

    /// Returns the token in use, getting one first if there is none: for a program that keeps or shares it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] when the credentials are refused, and whatever the network gives.
    pub async fn token(&self) -> Result<Token> {
        self.0.pipeline.tokens().expect("a client is built with a token").get().await
    }

    /// Lets calls be made again after a login challenge, when a person has dealt with it. Until then they all fail with
    /// [`ErrorKind::LoginChallenge`], without a request.
    pub fn reset_challenge(&self) {
        self.0.pipeline.tokens().expect("a client is built with a token").reset_challenge();
    }

    /// Returns the folder that this program works in: where [`upload`](Self::upload) puts files unless told, and what to
    /// [`list`](Self::list) first. The drive's root unless [`root`](ClientBuilder::root) said otherwise.
    pub fn root(&self) -> FileId {
        self.0.root
    }

    /// Runs one operation without repeating it, for the transfer engine, which repeats on its own.
    #[cfg(feature = "transfer")]
    pub(crate) async fn once<O: Operation>(&self, operation: &O) -> Result<O::Output> {
        self.0.pipeline.send_with(operation, &pan123_core::RetryPolicy::none()).await
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("pipeline", &self.0.pipeline).finish_non_exhaustive()
    }
}

/// What a [`Client`] is made of. Only credentials are required: [`app`](Self::app), [`oauth`](Self::oauth),
/// [`broker`](Self::broker), [`token`](Self::token) or [`token_source`](Self::token_source).
///
/// # Example
///
/// ```no_run
/// use pan123_open::{Client, FileTokenStore, Hosts, Tier};
///
/// # fn run() -> pan123_open::Result<()> {
/// let client = Client::builder()
///     .app("client id", "client secret")
///     .token_store(FileTokenStore::new("/var/lib/backup/123pan-token.json"))
///     .tier(Tier::Member)
///     .hosts(Hosts::from_env()?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    credentials: Credentials,
    setup: Setup,
    account: Option<AccountId>,
    root: Option<FileId>,
    #[cfg(feature = "link")]
    link_key: Option<Secret>,
    #[cfg(feature = "link")]
    link_validity: Option<std::time::Duration>,
}

#[derive(Debug, Default)]
pub(crate) enum Credentials {
    #[default]
    None,
    App(String, Secret),
    Granted(Grant),
    Token(Token),
    Source(Box<dyn TokenSource>),
}

impl ClientBuilder {
    /// Uses the client id and secret of an app, applied for on the service's developer page.
    pub fn app(mut self, client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        self.credentials = Credentials::App(client_id.into(), client_secret.into());
        self
    }

    /// Uses an access token that the caller holds. It is not renewed: when it ends, calls fail with
    /// [`ErrorKind::Unauthorized`].
    pub fn token(mut self, token: Token) -> Self {
        self.credentials = Credentials::Token(token);
        self
    }

    /// Uses a source of the caller's own.
    pub fn token_source(mut self, source: impl TokenSource) -> Self {
        self.credentials = Credentials::Source(Box::new(source));
        self
    }

    /// Keeps the rate limits of this kind of account. [`Tier::Free`], the lowest, unless told otherwise.
    pub fn tier(self, tier: Tier) -> Self {
        self.rate_limits(tier.limits())
    }

    pan123_core::setup_methods!();

    /// Sets the folder that stands for the drive's root; see [`Client::root`]. Direct links need one that is not the
    /// drive's own root (id 0). Ids reach everywhere: this is a convenience and no lock.
    pub fn root(mut self, folder: impl Into<FileId>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Names the account, for signing direct links. Asked from the service, once, unless told.
    pub fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Signs direct links with the private key that the owner set on the service's direct-link page.
    #[cfg(feature = "link")]
    pub fn link_key(mut self, key: impl Into<Secret>) -> Self {
        self.link_key = Some(key.into());
        self
    }

    /// Sets how long a signed direct link works. 30 minutes unless told otherwise; at least 3 are advised.
    #[cfg(feature = "link")]
    pub fn link_validity(mut self, validity: std::time::Duration) -> Self {
        self.link_validity = Some(validity);
        self
    }

    pub(crate) fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Puts the client together. No request is made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there are no credentials, one of them is empty or is an address, a direct-link key or validity is empty, or no
    /// HTTP transport is there (build with the feature `rustls` or `native-tls`, or give one); [`ErrorKind::InvalidInput`]
    /// for a negative root folder.
    pub fn build(self) -> Result<Client> {
        let root = self.root.unwrap_or(FileId::ROOT);
        root.check_folder()?;
        let parts = self.setup.fill(|| Ok(Hosts::default()), || Tier::Free.limits(), Hosts::open)?;
        let tokens = match self.credentials {
            Credentials::None => {
                return Err(bad("the client has no credentials: call app, oauth, token or token_source before build"));
            }
            Credentials::App(id, secret) if id.trim().is_empty() || secret.expose().trim().is_empty() => {
                return Err(bad("the client id and the client secret may not be empty"));
            }
            Credentials::App(id, secret) => {
                parts.tokens(AppCredentials::new(id, secret, parts.pipeline(OpenProfile, None)))
            }
            Credentials::Granted(grant) => parts.tokens(grant.source(parts.pipeline(OpenProfile, None))?),
            Credentials::Token(token) => parts.held(token)?,
            Credentials::Source(source) => parts.tokens(source),
        };
        #[cfg(feature = "link")]
        if self.link_validity.is_some_and(|validity| validity.is_zero()) {
            return Err(bad("a direct link that is valid for no time at all is of no use"));
        }
        #[cfg(feature = "link")]
        if self.link_key.as_ref().is_some_and(Secret::is_empty) {
            return Err(bad("the direct-link key is empty; leave it out to get unsigned links"));
        }
        Ok(Client(Arc::new(Inner {
            pipeline: parts.pipeline(OpenProfile, Some(tokens)),
            root,
            account: self.account.map_or_else(OnceCell::new, |account| OnceCell::new_with(Some(account))),
            #[cfg(feature = "link")]
            link_key: self.link_key,
            #[cfg(feature = "link")]
            link_validity: self.link_validity.unwrap_or(std::time::Duration::from_secs(30 * 60)),
            #[cfg(feature = "transfer")]
            upload_servers: tokio::sync::Mutex::default(),
        })))
    }
}

fn bad(text: &'static str) -> Error {
    Error::new(ErrorKind::Config, text)
}
