//! The client of the web API: how it is built, and how it sends operations.

use std::{fmt, sync::Arc};

use http::HeaderValue;
use pan123_core::{
    Error, ErrorKind, FileId, Hosts, Items, Operation, Paged, Pages, Pipeline, Result, Setup, Token, TokenSource,
    Tokens,
};

use crate::{profile::WebProfile, rates};

/// A client of the web API, for the drive of one account.
///
/// Clones are cheap and share the token, the connections and the rate limits: make one and clone it. Dropping one never
/// logs out. Everything a drive is used for every day is a method; every other call is a value in [`ops`](crate::ops) for
/// [`send`](Self::send).
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    pipeline: Pipeline,
    root: FileId,
}

impl Client {
    /// Begins to build a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Runs one operation: validated, rate limited, authorised, signed, sent, decoded, and repeated where that is safe and
    /// helps.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] before any request when a value is refused; otherwise what the operation's own page says.
    pub async fn send<O: Operation>(&self, operation: O) -> Result<O::Output> {
        self.pipeline().send(&operation).await
    }

    /// Walks a paged operation page by page, from the page that `first` asks for.
    pub fn pages<O: Paged>(&self, first: O) -> Pages<O> {
        Pages::new(self.pipeline().clone(), first)
    }

    /// Walks a paged operation item by item, from the page that `first` asks for.
    pub fn items<O: Paged>(&self, first: O) -> Items<O> {
        Items::new(self.pipeline().clone(), first)
    }

    /// Returns the keeper of the token, for a client of a share to use too.
    pub fn tokens(&self) -> &Tokens {
        self.pipeline().tokens().expect("a client is built with a token")
    }

    /// Returns the folder that this program works in: the drive's root unless [`root`](ClientBuilder::root) said otherwise.
    pub fn root(&self) -> FileId {
        self.0.root
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

/// What a [`Client`] is made of. Only credentials are required.
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    credentials: Credentials,
    setup: Setup,
    root: Option<FileId>,
    login_uuid: Option<String>,
    version: Option<String>,
    unsigned: bool,
}

#[derive(Debug, Default)]
enum Credentials {
    #[default]
    None,
    Token(Token),
    Tokens(Tokens),
    Source(Box<dyn TokenSource>),
}

impl ClientBuilder {
    /// Uses a token that the caller holds, such as the one that the service's page keeps. It is not renewed.
    pub fn token(mut self, token: Token) -> Self {
        self.credentials = Credentials::Token(token);
        self
    }

    /// Shares the token of another client of the same account.
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.credentials = Credentials::Tokens(tokens);
        self
    }

    /// Uses a source of the caller's own.
    pub fn token_source(mut self, source: impl TokenSource) -> Self {
        self.credentials = Credentials::Source(Box::new(source));
        self
    }

    pan123_core::setup_methods!();

    /// Sets the folder that stands for the drive's root; see [`Client::root`].
    pub fn root(mut self, folder: impl Into<FileId>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Sends this device id, which stays the same for an installation.
    pub fn login_uuid(mut self, uuid: impl Into<String>) -> Self {
        self.login_uuid = Some(uuid.into());
        self
    }

    /// Says which version of the service's page requests are said to come from; 3, as clients that work say, unless told.
    pub fn app_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Says whether requests are signed as the service's page does; they are unless told otherwise.
    pub fn signing(mut self, is_signed: bool) -> Self {
        self.unsigned = !is_signed;
        self
    }

    /// Puts the client together. No request is made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there are no credentials or one of them is empty, the device id or the version cannot be a
    /// header, or no HTTP transport is there (build with the feature `rustls` or `native-tls`, or give one);
    /// [`ErrorKind::InvalidInput`] for a negative root folder.
    pub fn build(self) -> Result<Client> {
        let root = self.root.unwrap_or(FileId::ROOT);
        root.check_folder()?;
        let parts = self.setup.fill(|| Ok(Hosts::default()), rates::limits, Hosts::web)?;
        let mut profile = WebProfile::new();
        if let Some(version) = self.version {
            profile = profile.with_version(version)?;
        }
        if self.unsigned {
            profile = profile.without_signature();
        }
        if let Some(uuid) = self.login_uuid {
            let uuid = HeaderValue::try_from(uuid);
            profile = profile.with_login_uuid(uuid.map_err(|_| bad("the device id holds what no header can carry"))?);
        }
        let tokens = match self.credentials {
            Credentials::None => return Err(bad("the client has no credentials")),
            Credentials::Token(token) => parts.held(token)?,
            Credentials::Tokens(tokens) => tokens,
            Credentials::Source(source) => parts.tokens(source),
        };
        Ok(Client(Arc::new(Inner { pipeline: parts.pipeline(profile, Some(tokens)), root })))
    }
}

fn bad(text: &'static str) -> Error {
    Error::new(ErrorKind::Config, text)
}
