//! The client of the web API: how it is built, and how it sends operations.

use std::{fmt, sync::Arc};

use pan123_core::{
    Error, ErrorKind, FileId, Hosts, Items, Operation, Paged, Pages, Parts, Pipeline, Result, Runtime, Secret, Setup,
    Token, TokenSource, Tokens, TokioRuntime, WebPageSetup,
};

use crate::{
    QrLogin, claims,
    login::{Kept, PasswordLogin},
    ops::auth::Passport,
    profile::{ORIGIN, WebProfile},
    rates,
};

/// A client of the web API, for the drive of one account.
///
/// Clones are cheap and share the token, the connections and the rate limits: make one and clone it. Dropping one never
/// logs out. Everything a drive is used for every day is a method; every other call is a value in [`ops`](crate::ops) for
/// [`send`](Self::send).
///
/// When the service wants a person to prove who they are, the call fails with [`ErrorKind::LoginChallenge`], and so does every
/// later one, without a request, until [`reset_challenge`](Self::reset_challenge) or
/// [`Tokens::put`](pan123_core::Tokens::put).
///
/// # Example
///
/// ```no_run
/// use pan123_web::{Client, ErrorKind, FileTokenStore};
///
/// # async fn run() -> pan123_web::Result<()> {
/// let client = Client::builder()
///     .password("13800000000", "password")
///     .token_store(FileTokenStore::new("123pan-login.json"))
///     .build()?;
/// match client.user_info().await {
///     Ok(account) => println!("{} bytes are taken", account.space_used),
///     Err(error) if error.kind() == ErrorKind::LoginChallenge => println!("log in with a QR code: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    pipeline: Pipeline,
    root: FileId,
    login_uuid: Option<Secret>,
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

    /// Returns the device id that goes along, if any: a program that logged in by a QR code keeps it for
    /// [`ClientBuilder::login_uuid`].
    pub fn login_uuid(&self) -> Option<&str> {
        self.0.login_uuid.as_ref().map(Secret::expose)
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

/// What a [`Client`] is made of. Credentials are required: [`password`](Self::password), [`token`](Self::token),
/// [`token_source`](Self::token_source), [`tokens`](Self::tokens), or a [`token_store`](Self::token_store) that holds a token from
/// an earlier login; [`qr_login`](Self::qr_login) gets one by a QR code.
///
/// # Example
///
/// ```no_run
/// use pan123_web::{Client, FileTokenStore, Hosts};
///
/// # fn run() -> pan123_web::Result<()> {
/// let client = Client::builder()
///     .password("13800000000", "password")
///     .token_store(FileTokenStore::new("/var/lib/backup/123pan-login.json"))
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
    page: WebPageSetup,
    root: Option<FileId>,
}

#[derive(Debug, Default)]
enum Credentials {
    #[default]
    None,
    Password(Passport, Secret),
    Token(Token),
    Tokens(Tokens),
    Source(Box<dyn TokenSource>),
}

impl ClientBuilder {
    /// Logs in with a phone number or a mail address, and a password, which is sent as it is: the service is said to look
    /// at the first 16 characters only.
    ///
    /// The login happens with the first call that needs it, and again when the token is about to end or is refused. Each
    /// login may push out another device, so give it a [`token_store`](Self::token_store).
    pub fn password(mut self, passport: impl Into<Passport>, password: impl Into<Secret>) -> Self {
        self.credentials = Credentials::Password(passport.into(), password.into());
        self
    }

    /// Uses a token that the caller holds, such as the `authorToken` that the service's page keeps; a `Bearer` in front is
    /// dropped. It is not renewed: when it ends, calls fail with [`ErrorKind::Unauthorized`].
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

    pan123_core::page_methods!();

    /// Sets the folder that stands for the drive's root; see [`Client::root`].
    pub fn root(mut self, folder: impl Into<FileId>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Begins to log in by a QR code, in the place of all other credentials: gets the code. The client that comes of it has
    /// everything that was set here.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and what the network gives.
    pub async fn qr_login(mut self) -> Result<QrLogin> {
        let uuid = self.page.login_uuid.take();
        let runtime = self.setup.runtime.get_or_insert_with(|| Arc::new(TokioRuntime));
        // One id for the whole login, and for the client that comes of it.
        self.page.login_uuid = Some(uuid.unwrap_or_else(|| random_uuid(&**runtime)));
        QrLogin::begin(self.draft()?).await
    }

    /// Puts the client together. No request is made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there are no credentials or one of them is empty, the device id, the version or the platform cannot be a
    /// header, or no HTTP transport is there (build with the feature `rustls` or `native-tls`, or give one);
    /// [`ErrorKind::InvalidInput`] for a negative root folder.
    pub fn build(mut self) -> Result<Client> {
        let credentials = std::mem::take(&mut self.credentials);
        let has_store = self.setup.store.is_some();
        let draft = self.draft()?;
        let tokens = match credentials {
            Credentials::None if has_store => draft.parts.tokens(Kept),
            Credentials::None => {
                return Err(bad(
                    "the client has no credentials: call password, token, token_source or token_store before build, or qr_login",
                ));
            }
            Credentials::Password(passport, password) if passport.is_empty() || password.is_empty() => {
                return Err(bad("the phone number or mail address and the password may not be empty"));
            }
            Credentials::Password(passport, password) => {
                draft.parts.tokens(PasswordLogin::new(passport, password, draft.pipeline.clone()))
            }
            Credentials::Token(token) => draft.parts.held(claims::completed(token))?,
            Credentials::Tokens(tokens) => tokens,
            Credentials::Source(source) => draft.parts.tokens(source),
        };
        Ok(draft.client(tokens))
    }

    fn draft(self) -> Result<Draft> {
        let root = self.root.unwrap_or(FileId::ROOT);
        root.check_folder()?;
        let page = self.page.page(ORIGIN)?;
        let parts = self.setup.fill(|| Ok(Hosts::default()), rates::limits, Hosts::web)?;
        let login_uuid = self.page.login_uuid;
        let pipeline = parts.pipeline(WebProfile::of(page), None);
        Ok(Draft { parts, pipeline, root, login_uuid })
    }
}

/// A client that has everything but a token; its pipeline is the one that logs in, which must never ask for a token itself.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) parts: Parts,
    pub(crate) pipeline: Pipeline,
    root: FileId,
    login_uuid: Option<Secret>,
}

impl Draft {
    pub(crate) fn client(self, tokens: Tokens) -> Client {
        let Self { pipeline, root, login_uuid, .. } = self;
        Client(Arc::new(Inner { pipeline: pipeline.with_tokens(Some(tokens)), root, login_uuid }))
    }
}

/// Makes a device id of 32 hexadecimal digits.
fn random_uuid(runtime: &dyn Runtime) -> Secret {
    let mut bytes = [0; 16];
    runtime.random(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn bad(text: &'static str) -> Error {
    Error::new(ErrorKind::Config, text)
}
