//! The wire: one small trait to send a request, and three channels over it that cannot be confused.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use url::Url;

#[cfg(feature = "http-client")]
use crate::hosts::is_loopback;
use crate::{Body, BoxFuture, Error, ErrorKind, Hosts, Result, Runtime, redact, watch};

/// Sends one HTTP request and returns the answer as it came.
///
/// The default is [`HttpClient`](crate::HttpClient) over reqwest; a program that has its own HTTP stack implements this trait.
/// An implementation adds no header of its own that identifies anybody, keeps no cookies, follows
/// no redirect, has no timeout that covers a whole body, and does not buffer bodies.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request`; the body of the answer is read while it comes.
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>>;
}

/// Returns the transport of a client that was given none: [`HttpClient`](crate::HttpClient), past any proxy where `base` is on
/// this machine.
///
/// # Errors
///
/// [`ErrorKind::Config`] when this build has no HTTP client (feature `rustls` or `native-tls`), or TLS cannot be set up.
pub fn default_transport(base: &Url, timeouts: Timeouts) -> Result<Arc<dyn Transport>> {
    #[cfg(feature = "http-client")]
    {
        let client =
            if is_loopback(base) { crate::HttpClient::direct(timeouts) } else { crate::HttpClient::new(timeouts) };
        Ok(Arc::new(client?))
    }
    #[cfg(not(feature = "http-client"))]
    {
        let _ = (base, timeouts);
        Err(Error::new(
            ErrorKind::Config,
            "no HTTP transport: build with the feature rustls or native-tls, or give one with transport()",
        ))
    }
}

/// Why a [`Transport`] has no answer.
#[derive(Debug)]
pub struct TransportError {
    sent: bool,
    cause: Box<dyn StdError + Send + Sync>,
}

impl TransportError {
    /// No connection was made: the server has certainly not seen the request.
    pub fn not_sent(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { sent: false, cause: cause.into() }
    }

    /// The connection broke: the server may have seen the request.
    pub fn lost(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { sent: true, cause: cause.into() }
    }
}

/// How long a connection may be silent. There is no limit on how long a transfer takes.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use pan123_core::Timeouts;
///
/// let timeouts = Timeouts::default().idle(Duration::from_secs(10));
/// assert_eq!(timeouts.idle, Duration::from_secs(10));
/// assert_eq!(timeouts.connect, Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// To make a connection, TLS included. 10 seconds unless told otherwise.
    pub connect: Duration,
    /// Between two pieces of a body, sent or received. 30 seconds unless told otherwise.
    pub idle: Duration,
    /// From the last piece sent to the first of the answer: the server may be storing. 60 seconds unless told otherwise.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), idle: Duration::from_secs(30), answer: Duration::from_secs(60) }
    }
}

impl Timeouts {
    /// Sets how long making a connection may take.
    #[must_use]
    pub fn connect(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// Sets how long may pass between two pieces of a body.
    #[must_use]
    pub fn idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Sets how long the server may take from the last piece sent to the first of its answer.
    #[must_use]
    pub fn answer(self, answer: Duration) -> Self {
        Self { answer, ..self }
    }
}

/// Headers that prove or tell who is asking. Only the control and the upload channel take them.
#[derive(Clone, Default)]
pub(crate) struct Credentials(HeaderMap);

impl Credentials {
    pub(crate) fn new(headers: HeaderMap) -> Self {
        Self(headers)
    }

    pub(crate) fn bearer(&mut self, token: &str) -> Result<()> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Error::new(ErrorKind::Config, "the access token holds characters that no header can carry"))?;
        value.set_sensitive(true);
        self.0.insert(header::AUTHORIZATION, value);
        Ok(())
    }
}

/// What the three channels share: the transport and the watch over it.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) timeouts: Timeouts,
}

/// Calls with credentials, to the addresses in [`Hosts`].
#[derive(Clone, Debug)]
pub(crate) struct ControlChannel(pub(crate) Wire);

impl ControlChannel {
    pub(crate) async fn send(&self, mut request: Request<Body>, credentials: Credentials) -> Result<Response<Body>> {
        request.headers_mut().extend(credentials.0);
        watch::exchange(&self.0, request).await
    }
}

/// Bodies with credentials, to servers that the service named and [`Hosts`] allows.
#[derive(Clone, Debug)]
pub(crate) struct UploadChannel(pub(crate) Wire);

impl UploadChannel {
    pub(crate) async fn send(
        &self,
        hosts: &Hosts,
        mut request: Request<Body>,
        credentials: Credentials,
    ) -> Result<Response<Body>> {
        let named = Url::parse(&request.uri().to_string())
            .map_err(|_| Error::new(ErrorKind::Decode, "the upload server's address is not a URL"))?;
        *request.uri_mut() = uri(&hosts.upload_server(&named)?)?;
        request.headers_mut().extend(credentials.0);
        watch::exchange(&self.0, request).await
    }
}

/// Bytes to and from storage and CDN hosts, never with a credential.
///
/// Its one way in takes a [`DataRequest`], which has no place for a credential.
#[derive(Clone, Debug)]
pub(crate) struct DataChannel(pub(crate) Wire);

/// A request to a host that must learn nothing of the account.
#[derive(Debug)]
pub(crate) struct DataRequest {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    follow: bool,
}

/// The headers a data request may carry. A list of what is let through cannot forget a new credential.
const DATA_HEADERS: [HeaderName; 9] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::REFERER,
    header::USER_AGENT,
    header::ORIGIN,
];

impl DataRequest {
    pub(crate) fn new(method: Method, url: Url, headers: HeaderMap, body: Body) -> Result<Self> {
        if let Some(name) = headers.keys().find(|name| !DATA_HEADERS.contains(name)) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the header {name} may not go to a storage or CDN host"),
            ));
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::new(ErrorKind::Decode, "the address of the data is neither http nor https"));
        }
        let follow = method == Method::GET || method == Method::HEAD;
        Ok(Self { method, url, headers, body, follow })
    }

    /// Hands redirects out as answers.
    pub(crate) fn without_redirects(self) -> Self {
        Self { follow: false, ..self }
    }
}

/// The most redirects followed from one data address.
const MOST_REDIRECTS: usize = 5;

impl DataChannel {
    pub(crate) async fn send(&self, request: DataRequest) -> Result<Response<Body>> {
        let DataRequest { method, mut url, headers, body, follow } = request;
        let mut body = Some(body);
        for _ in 0..=MOST_REDIRECTS {
            let mut wire = Request::new(body.take().unwrap_or_else(Body::empty));
            *wire.method_mut() = method.clone();
            *wire.uri_mut() = uri(&url)?;
            wire.headers_mut().clone_from(&headers);
            let response = watch::exchange(&self.0, wire).await?;
            let Some(next) = redirect(response.status(), response.headers(), &url).filter(|_| follow) else {
                return Ok(response);
            };
            url = next?;
        }
        Err(Error::new(ErrorKind::WrongContent, "the data address redirects in circles"))
    }
}

/// Returns where an answer to a request for `from` points, if it is a redirect.
pub(crate) fn redirect(status: StatusCode, headers: &HeaderMap, from: &Url) -> Option<Result<Url>> {
    let moved = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !moved.contains(&status) {
        return None;
    }
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let target =
        location.and_then(|location| from.join(location).ok()).filter(|url| matches!(url.scheme(), "http" | "https"));
    Some(target.ok_or_else(|| Error::new(ErrorKind::WrongContent, "the data address redirects to no usable address")))
}

/// Converts an address for the wire.
pub(crate) fn uri(url: &Url) -> Result<http::Uri> {
    url.as_str().parse().map_err(|_| {
        Error::new(ErrorKind::InvalidInput, format!("the address cannot be requested: {}", redact::url(url)))
    })
}

/// Turns a transport's failure into an error; whether it was sent decides about sending it again.
pub(crate) fn failed(error: TransportError) -> Error {
    if error.sent {
        Error::new(ErrorKind::Connection, "the connection broke before the answer was complete")
            .with_source(error.cause)
    } else {
        Error::new(ErrorKind::Connect, "no connection could be made").with_source(error.cause)
    }
}
