//! The client of one share: how it is built, and how it sends operations.

use std::{fmt, sync::Arc};

use pan123_core::{
    FileId, Hosts, Items, Operation, Paged, Pages, Pipeline, Result, Secret, Setup, Token, TokenSource, Tokens,
    WebPageSetup,
};
use url::Url;

use crate::{
    ShareKey, ShareLink, SharePassword,
    profile::{ORIGIN, ShareProfile},
    rates,
};

/// A client of somebody's share.
///
/// Without a token it describes and lists; downloads and saving into one's own drive want one, and say so. Clones are cheap and share
/// the connections, the token and the rate limits.
///
/// # Example
///
/// ```no_run
/// use pan123_share::{Client, FileId};
///
/// # async fn run() -> pan123_share::Result<()> {
/// let share = Client::open("https://www.123pan.com/s/5LF8Vv-a1Bc?提取码:aB12")?;
/// let mut entries = share.list(FileId::ROOT);
/// while let Some(entry) = entries.next().await? {
///     println!("{:>12}  {}", entry.size, entry.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    pipeline: Pipeline,
    link: ShareLink,
    root: FileId,
    page: Url,
}

impl Client {
    /// Opens the share whose link is in `text`, as somebody pasted it; see [`ShareLink::find`]. No request is made.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the reason when there is no share link in it; otherwise as [`ClientBuilder::build`].
    pub fn open(text: &str) -> Result<Self> {
        Self::builder(ShareLink::find(text)?).build()
    }

    /// Begins to build a client of a share, given by its [`ShareLink`] or its [`ShareKey`].
    pub fn builder(link: impl Into<ShareLink>) -> ClientBuilder {
        ClientBuilder {
            link: link.into(),
            root: FileId::ROOT,
            credentials: Credentials::None,
            setup: Setup::default(),
            page: WebPageSetup::default(),
        }
    }

    /// Runs one operation: validated, rate limited, signed, sent, decoded, and repeated where that is safe and helps.
    ///
    /// An operation names its share itself; it may be another than the client's.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) before any request when a value is refused; otherwise what the operation's own page says.
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

    /// Lets calls with the token be made again after a login challenge, when a person has dealt with it. Until then they
    /// all fail with [`LoginChallenge`](crate::ErrorKind::LoginChallenge), without a request.
    pub fn reset_challenge(&self) {
        if let Some(tokens) = self.0.pipeline.tokens() {
            tokens.reset_challenge();
        }
    }

    /// Returns the link of the share.
    pub fn share(&self) -> &ShareLink {
        &self.0.link
    }

    /// Returns the folder that this client takes for the root; see [`ClientBuilder::root`].
    pub fn root(&self) -> FileId {
        self.0.root
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(crate) fn key(&self) -> &ShareKey {
        self.0.link.key()
    }

    /// Returns the password as operations take it: empty where there is none.
    pub(crate) fn password(&self) -> Secret {
        self.0.link.password().map_or_else(|| Secret::from(""), Secret::from)
    }

    /// Returns the page that requests are said to come from.
    pub(crate) fn page(&self) -> &Url {
        &self.0.page
    }

    /// Puts the folder that the caller chose in the place of the share's own root.
    pub(crate) fn rooted(&self, folder: FileId) -> FileId {
        if folder.is_root() { self.0.root } else { folder }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("share", &self.0.link)
            .field("root", &self.0.root)
            .field("pipeline", &self.0.pipeline)
            .finish()
    }
}

/// What a [`Client`] is made of; see [`Client::builder`].
///
/// # Example
///
/// ```no_run
/// use pan123_share::{Client, Hosts, ShareLink, Token};
///
/// # fn run() -> pan123_share::Result<()> {
/// let share = Client::builder(ShareLink::parse("5LF8Vv-a1Bc")?)
///     .password("aB12".parse()?)
///     .token(Token::new("eyJ…"))
///     .hosts(Hosts::from_env()?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    link: ShareLink,
    root: FileId,
    credentials: Credentials,
    setup: Setup,
    page: WebPageSetup,
}

#[derive(Debug)]
enum Credentials {
    None,
    Token(Token),
    Tokens(Tokens),
    Source(Box<dyn TokenSource>),
}

impl ClientBuilder {
    /// Sets the password, in the place of the one in the link.
    pub fn password(mut self, password: SharePassword) -> Self {
        self.link = self.link.with_password(password);
        self
    }

    /// Takes a folder of the share for its root: lists, walks and downloads of [`FileId::ROOT`] begin there.
    pub fn root(mut self, folder: impl Into<FileId>) -> Self {
        self.root = folder.into();
        self
    }

    /// Uses a token of the web API that the caller holds. It is not renewed.
    pub fn token(mut self, token: Token) -> Self {
        self.credentials = Credentials::Token(token);
        self
    }

    /// Shares the token of another client of the same account, such as one of the web API.
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.credentials = Credentials::Tokens(tokens);
        self
    }

    /// Uses a source of tokens, such as a login to the web API.
    pub fn token_source(mut self, source: impl TokenSource) -> Self {
        self.credentials = Credentials::Source(Box::new(source));
        self
    }

    pan123_core::setup_methods!();

    pan123_core::page_methods!();

    /// Puts the client together. No request is made.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when the token is empty, the device id, the version or the platform cannot be a header, or no HTTP transport is there (build
    /// with the feature `rustls` or `native-tls`, or give one); [`InvalidInput`](crate::ErrorKind::InvalidInput) when the root cannot be a folder.
    pub fn build(self) -> Result<Client> {
        self.root.check_folder()?;
        let key = self.link.key();
        let parts = self.setup.fill(|| default_hosts(key), rates::limits, Hosts::share)?;
        let profile = ShareProfile::new(key).with_page(self.page.page(ORIGIN)?);
        let tokens = match self.credentials {
            Credentials::None => None,
            Credentials::Token(token) => Some(parts.held(token)?),
            Credentials::Tokens(tokens) => Some(tokens),
            Credentials::Source(source) => Some(parts.tokens(source)),
        };
        let pipeline = parts.pipeline(profile, tokens);
        let page = Url::parse(ORIGIN).expect("the address is a constant");
        Ok(Client(Arc::new(Inner { pipeline, link: self.link, root: self.root, page })))
    }
}

/// The public hosts, and behind them the owner's own, which the key tells.
fn default_hosts(key: &ShareKey) -> Result<Hosts> {
    match key.owner_host() {
        Some(host) => Hosts::default().with_share_alternative(&format!("https://{host}/b")),
        None => Ok(Hosts::default()),
    }
}
