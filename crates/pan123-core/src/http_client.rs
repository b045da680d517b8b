//! The default transport, over reqwest. No other file names it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::{Body, BoxFuture, Error, ErrorKind, Result, Timeouts, Transport, TransportError, body::Chunks};

/// Sends requests with a pool of connections; HTTP/1.1, TLS as the features say.
///
/// A part that is sent or fetched has a connection of its own, which is what hosts count.
///
/// It follows no redirect and keeps no cookie. [`new`](Self::new) respects the environment's proxy settings
/// (`HTTPS_PROXY` and the like); [`direct`](Self::direct) does not.
///
/// # Example
///
/// ```
/// let transport = pan123_core::HttpClient::new(pan123_core::Timeouts::default())?;
/// # Ok::<(), pan123_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// Makes a client with an empty pool.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when TLS cannot be set up, such as for want of root certificates.
    pub fn new(timeouts: Timeouts) -> Result<Self> {
        Self::build(reqwest::Client::builder(), timeouts)
    }

    /// Makes a client that never uses a proxy, as for a service on loopback.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn direct(timeouts: Timeouts) -> Result<Self> {
        Self::build(reqwest::Client::builder().no_proxy(), timeouts)
    }

    fn build(builder: reqwest::ClientBuilder, timeouts: Timeouts) -> Result<Self> {
        let builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            // Another crate of the same program may have switched these on, for all: a part of a file that is decoded is no part.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("pan123/", env!("CARGO_PKG_VERSION")));
        #[cfg(feature = "rustls")]
        let builder = builder.tls_backend_preconfigured(tls()?);
        builder
            .build()
            .map(Self)
            .map_err(|cause| Error::new(ErrorKind::Config, "the HTTP client could not be set up").with_source(cause))
    }
}

/// Makes a TLS configuration with ring and the system's root certificates.
#[cfg(feature = "rustls")]
fn tls() -> Result<rustls::ClientConfig> {
    use rustls_platform_verifier::BuilderVerifierExt;

    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map(|config| config.with_no_client_auth())
        .map_err(|cause| Error::new(ErrorKind::Config, "TLS could not be set up").with_source(cause))
}

impl Transport for HttpClient {
    fn send(&self, mut request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        // The HTTP library leaves the length of an empty body out, and storage hosts refuse a PUT that has none.
        if request.body().length() == Some(0) && matches!(*request.method(), Method::PUT | Method::POST) {
            request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let request = request.map(|body| reqwest::Body::wrap(Outgoing(body)));
        Box::pin(async move {
            let request =
                reqwest::Request::try_from(request).map_err(|cause| TransportError::not_sent(cause.without_url()))?;
            let response = self.0.execute(request).await.map_err(|cause| {
                // The URL may be a signed one, and an error's text ends up in logs.
                let cause = cause.without_url();
                if cause.is_connect() || cause.is_builder() {
                    TransportError::not_sent(cause)
                } else {
                    TransportError::lost(cause)
                }
            })?;
            Ok(Response::from(response).map(|body: reqwest::Body| {
                let length = body.size_hint().exact();
                Body::from_chunks(length, Incoming(body))
            }))
        })
    }
}

/// Our body as the HTTP library wants it.
struct Outgoing(Body);

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.0.poll_chunk(cx).map_ok(Frame::data)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }

    fn is_end_stream(&self) -> bool {
        self.0.length() == Some(0)
    }
}

/// The HTTP library's body as ours.
struct Incoming(reqwest::Body);

impl Chunks for Incoming {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Poll::Ready(Some(Ok(data))),
                    // Trailers carry nothing that anybody asked for.
                    Err(_) => {}
                },
                Some(Err(cause)) => return Poll::Ready(Some(Err(std::io::Error::other(cause.without_url())))),
                None => return Poll::Ready(None),
            }
        }
    }
}
