//! The one way every operation takes: validate, wait, authorise, send, read, classify, and perhaps again.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use url::Url;

use crate::{
    Body, Error, ErrorKind, Hosts, Operation, RateLimiter, Reply, Request, Result, RetryPolicy, Runtime, Timeouts,
    Timestamp, Token, Tokens, Transport,
    challenge::is_login_challenge,
    envelope,
    operation::{Auth, Effect, Meta, Role, Shape, Target},
    redact,
    reply::ReplyContent,
    runtime::random_u64,
    sign::SIGNATURE_REFUSED,
    status::{by_status, refusal, retry_after},
    transport::{ControlChannel, Credentials, DataChannel, DataRequest, UploadChannel, Wire, uri},
};

/// What one API adds to the pipeline.
pub trait Profile: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the headers that every request with credentials carries, such as `Platform`.
    fn headers(&self) -> HeaderMap;

    /// Says what a refusal means. 401, 429 and firewall bans are already dealt with.
    fn classify(&self, endpoint: &'static str, code: i64, message: &str) -> (ErrorKind, Cow<'static, str>);

    /// Returns the headers for one operation's request to `url`, where they depend on either:
    /// [`headers`](Self::headers) unless told.
    fn headers_for(&self, operation: &Meta, url: &Url) -> HeaderMap {
        let _ = (operation, url);
        self.headers()
    }

    /// Signs an operation's request for `path`, prefix included, with a query pair; an API that wants none leaves it out.
    ///
    /// `now` is the service's time as far as it is known; chance comes from `runtime`. See [`RequestSigner`](crate::RequestSigner).
    fn sign(&self, operation: &Meta, path: &str, now: Timestamp, runtime: &dyn Runtime) -> Option<(String, String)> {
        let _ = (operation, path, now, runtime);
        None
    }
}

/// Everything a [`Pipeline`] is made of.
#[derive(Debug)]
pub struct PipelineConfig {
    /// What the API adds.
    pub profile: Arc<dyn Profile>,
    /// The addresses.
    pub hosts: Hosts,
    /// What sends.
    pub transport: Arc<dyn Transport>,
    /// Clock, sleep and chance.
    pub runtime: Arc<dyn Runtime>,
    /// The rate limits.
    pub limiter: RateLimiter,
    /// When to send again.
    pub retry: RetryPolicy,
    /// How long silence may last.
    pub timeouts: Timeouts,
    /// The token, for operations that need one.
    pub tokens: Option<Tokens>,
}

/// Sends operations. Clones share everything.
#[derive(Clone, Debug)]
pub struct Pipeline {
    inner: Arc<Inner>,
    tokens: Option<Tokens>,
}

#[derive(Debug)]
struct Inner {
    profile: Arc<dyn Profile>,
    hosts: Hosts,
    runtime: Arc<dyn Runtime>,
    limiter: RateLimiter,
    retry: RetryPolicy,
    /// Which of the bases to ask first. A pipeline serves one API, and no API but the share and the web API has several.
    base: AtomicUsize,
    /// How many seconds the service's clock is ahead of ours, once a signature was refused for it.
    skew: AtomicI64,
    control: ControlChannel,
    upload: UploadChannel,
    data: DataChannel,
}

/// An encoded operation, free of its type so that the code below exists once.
struct Call {
    meta: Meta,
    request: Request,
    target: Target,
    repeatable: bool,
}

/// Why an attempt failed.
struct Failure {
    error: Error,
    /// The signature was refused, and the clock that it was made with has been set right since.
    clock_was_wrong: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, clock_was_wrong: false }
    }
}

/// How a host shows that it is none, or no longer one, of the API.
enum Misfit {
    /// It answers with a page, or with anything else that is not the API's.
    Page,
    /// It does not know the path, or takes the page for too old: the service's word that nothing was done.
    Refusal,
}

impl Misfit {
    fn of(error: &Error) -> Option<Self> {
        let is_old = || error.message().is_some_and(|message| message.contains(VERSION_REFUSED));
        let is_refusal = || error.http_status() == Some(404) || is_old();
        match (error.kind(), error.code()) {
            (ErrorKind::ProtocolChanged, None) => Some(Self::Page),
            (ErrorKind::ProtocolChanged, Some(_)) if is_refusal() => Some(Self::Refusal),
            _ => None,
        }
    }
}

/// What the service says to a page that it takes for too old.
const VERSION_REFUSED: &str = "版本过低";

/// One of the bases that a call may be sent to, and how many are left.
struct Base {
    place: usize,
    count: usize,
    left: usize,
}

impl Base {
    fn first(count: usize, place: usize) -> Self {
        let count = count.max(1);
        Self { place: place % count, count, left: count - 1 }
    }

    /// Keeps the place for the next call; of no use where there is no choice.
    fn remember(&self, place: &AtomicUsize) {
        if self.count > 1 {
            place.store(self.place, Ordering::Relaxed);
        }
    }

    /// Goes on to the next base, unless all have been tried.
    fn next(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(1) else {
            return false;
        };
        self.left = left;
        self.place = (self.place + 1) % self.count;
        true
    }
}

/// The most bytes of an answer that are read into memory: a page of 100 entries is some 50 kB.
const MOST_REPLY: usize = 16 << 20;

impl Pipeline {
    /// Puts a pipeline together.
    pub fn new(config: PipelineConfig) -> Self {
        let wire =
            Wire { transport: config.transport, runtime: Arc::clone(&config.runtime), timeouts: config.timeouts };
        let inner = Inner {
            profile: config.profile,
            hosts: config.hosts,
            runtime: config.runtime,
            limiter: config.limiter,
            retry: config.retry,
            base: AtomicUsize::new(0),
            skew: AtomicI64::new(0),
            control: ControlChannel(wire.clone()),
            upload: UploadChannel(wire.clone()),
            data: DataChannel(wire),
        };
        Self { inner: Arc::new(inner), tokens: config.tokens }
    }

    /// Returns a pipeline with another token or none that shares everything else.
    #[must_use]
    pub fn with_tokens(&self, tokens: Option<Tokens>) -> Self {
        Self { inner: Arc::clone(&self.inner), tokens }
    }

    /// Sends `operation`, again where that is safe and may help.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] but those of transfers; `validate` errors come without a request.
    pub async fn send<O: Operation>(&self, operation: &O) -> Result<O::Output> {
        self.send_with(operation, &self.inner.retry).await
    }

    /// Sends `operation` under another policy. A refused token is still replaced once.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with<O: Operation>(&self, operation: &O, retry: &RetryPolicy) -> Result<O::Output> {
        let meta = O::META;
        let mut request = Request::new();
        operation.validate().map_err(|error| error.with_endpoint(meta.id))?;
        operation.encode(&mut request);
        request.check().map_err(|error| error.with_endpoint(meta.id))?;
        let call = Call { meta, request, target: operation.target(), repeatable: operation.is_repeatable() };
        // One allocation keeps the futures of two hundred operations small.
        let reply = Box::pin(self.inner.run(&call, self.tokens.as_ref(), retry)).await.map_err(|error| match error
            .endpoint()
        {
            // The call for a token failed, and this one was never sent.
            Some(_) => error,
            None => operation.refine(error.with_endpoint(meta.id)),
        })?;
        // The service has said that it did it; only what it said about it cannot be read.
        operation
            .decode(reply)
            .map_err(|error| error.with_endpoint(meta.id).with_may_have_happened(meta.effect != Effect::None))
    }

    /// Returns the clock, sleep and chance that this pipeline uses.
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.inner.runtime
    }

    /// Returns the policy of [`send`](Self::send).
    pub fn retry(&self) -> &RetryPolicy {
        &self.inner.retry
    }

    /// Returns the addresses.
    pub fn hosts(&self) -> &Hosts {
        &self.inner.hosts
    }

    /// Returns the token's keeper, if there is one.
    pub fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }
}

impl Inner {
    async fn run(&self, call: &Call, tokens: Option<&Tokens>, retry: &RetryPolicy) -> Result<Reply> {
        let tokens = match (call.meta.auth, tokens) {
            (Auth::Bearer, None) => {
                return Err(Error::new(ErrorKind::Config, "this call needs a token and the client has none"));
            }
            (Auth::None, _) => None,
            (_, tokens) => tokens,
        };
        // The time in the row of the rate limiter is nobody's failure and does not count.
        let mut begun = None;
        let mut attempts = 0;
        let mut maybe = false;
        let mut replaced = false;
        let mut corrected = false;
        let mut base = Base::first(self.hosts.bases(call.meta.role).len(), self.base.load(Ordering::Relaxed));
        loop {
            // Whoever stands in the row while somebody else meets a challenge need not come to its head.
            let token = async || match tokens {
                Some(tokens) => tokens.get().await.map(Some).map_err(|error| error.or_may_have_happened(maybe)),
                None => Ok(None),
            };
            let token = if call.meta.role.is_control() {
                // Before the row: those who wait for one renewal would all leave it at once, with their places gone by. And
                // behind it: whoever stands there while somebody else meets a challenge need not come to its head.
                token().await?;
                self.limiter.acquire(call.meta.path, &*self.runtime).await;
                token().await?
            } else {
                token().await?
            };
            attempts += 1;
            let begun = *begun.get_or_insert_with(|| self.runtime.elapsed());
            let failure = match self.attempt(call, base.place, token.as_ref(), attempts).await {
                Ok(reply) => {
                    base.remember(&self.base);
                    trace(call.meta.id, attempts, None);
                    return Ok(reply);
                }
                Err(failure) => failure,
            };
            let error = failure.error;
            trace(call.meta.id, attempts, Some(&error));
            maybe |= call.meta.effect != Effect::None
                && match error.kind() {
                    ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Server | ErrorKind::Decode => true,
                    // A refusal with a code is the service's word that it did nothing.
                    ErrorKind::ProtocolChanged => error.code().is_none(),
                    _ => false,
                };
            let error = error.with_attempts(attempts).with_may_have_happened(maybe);
            if failure.clock_was_wrong && !corrected {
                corrected = true;
                continue;
            }
            // What is wrong with this host need not be wrong with the next.
            match Misfit::of(&error) {
                Some(Misfit::Page) if base.next() => {
                    if call.repeatable {
                        continue;
                    }
                    // Nobody knows what was done, so this call is not sent again; the next one asks elsewhere.
                    base.remember(&self.base);
                }
                Some(Misfit::Refusal) if base.next() => continue,
                _ => {}
            }
            if let (Some(used), Some(tokens)) = (&token, tokens) {
                match error.kind() {
                    ErrorKind::LoginChallenge => tokens.challenged(used, error.clone().with_endpoint(call.meta.id)),
                    ErrorKind::Unauthorized if !replaced => {
                        // Where the renewal asked nobody, the refusal is the only word of the service there is.
                        tokens.replace(used).await.map_err(|renewal| match renewal.endpoint() {
                            Some(_) => renewal.or_may_have_happened(maybe),
                            None => renewal.with_answer_of(&error).with_attempts(attempts).or_may_have_happened(maybe),
                        })?;
                        replaced = true;
                        continue;
                    }
                    _ => {}
                }
            }
            let elapsed = self.runtime.elapsed().saturating_sub(begun);
            let Some(delay) = retry.next(&error, attempts, elapsed, call.repeatable, &*self.runtime) else {
                return Err(error);
            };
            if error.kind() == ErrorKind::RateLimited && call.meta.role.is_control() {
                self.limiter.penalise(call.meta.path, delay, &*self.runtime);
            } else {
                self.runtime.sleep(delay).await;
            }
        }
    }

    async fn attempt(&self, call: &Call, base: usize, token: Option<&Token>, attempts: u32) -> Result<Reply, Failure> {
        let mut secrets: Vec<&str> = call.request.secrets().collect();
        secrets.extend(token.map(|token| token.access().expose()));
        let (answer, is_signed) = self.exchange(call, base, token).await.map_err(|error| error.without(&secrets))?;
        let (head, body) = answer.into_parts();
        let reply = |content| Reply {
            endpoint: call.meta.id,
            attempts,
            status: head.status,
            headers: head.headers.clone(),
            content,
        };
        let content = match call.meta.shape {
            Shape::Hop if head.status.is_redirection() => Ok(ReplyContent::Stream(body)),
            Shape::Hop if call.meta.role.is_control() => {
                self.read(call, &secrets, token.is_some(), head.status, body).await.map(ReplyContent::Envelope)
            }
            Shape::Envelope | Shape::Flat => {
                self.read(call, &secrets, token.is_some(), head.status, body).await.map(ReplyContent::Envelope)
            }
            Shape::Stream | Shape::Hop if head.status.is_success() => Ok(ReplyContent::Stream(body)),
            Shape::Stream | Shape::Hop => Err(refusal(head.status, body).await),
        };
        content.map(reply).map_err(|error| {
            let clock_was_wrong = is_signed
                && error.message().is_some_and(|message| message.contains(SIGNATURE_REFUSED))
                && self.correct_clock(&head.headers);
            let error = error
                .with_http_status(head.status.as_u16())
                .with_retry_after(retry_after(&head.headers, self.runtime.now()))
                .without(&secrets);
            Failure { error, clock_was_wrong }
        })
    }

    /// Takes over the service's time of day. Says whether that makes a difference to a signature.
    fn correct_clock(&self, headers: &HeaderMap) -> bool {
        let date = headers.get(header::DATE).and_then(|date| Timestamp::parse_http(date.to_str().ok()?));
        let Some(date) = date else {
            return false;
        };
        let skew = date.unix().saturating_sub(self.runtime.now().unix());
        self.skew.swap(skew, Ordering::Relaxed).abs_diff(skew) > 1
    }

    /// Makes one request. Returns the answer, and whether the request was signed.
    async fn exchange(&self, call: &Call, base: usize, token: Option<&Token>) -> Result<(Response<Body>, bool)> {
        let mut url = self.address(call, base)?;
        let (headers, body) = call.request.open(random_u64(&*self.runtime))?;
        if call.meta.role == Role::Data {
            let request = DataRequest::new(call.meta.method.into(), url, headers, body)?;
            // A flat answer is the API's own: whoever redirects in its place must not be followed.
            let stays = matches!(call.meta.shape, Shape::Hop | Shape::Flat);
            let request = if stays { request.without_redirects() } else { request };
            return self.data.send(request).await.map(|answer| (answer, false));
        }
        let now = Timestamp::from_unix(self.runtime.now().unix().saturating_add(self.skew.load(Ordering::Relaxed)));
        let signature = self.profile.sign(&call.meta, url.path(), now, &*self.runtime);
        if let Some((name, value)) = &signature {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = http::Request::new(body);
        *request.method_mut() = call.meta.method.into();
        *request.uri_mut() = uri(&url)?;
        *request.headers_mut() = headers;
        let mut credentials = Credentials::new(self.profile.headers_for(&call.meta, &url));
        if let Some(token) = token {
            credentials.bearer(token.access().expose())?;
        }
        let answer = match call.meta.role {
            Role::Upload => self.upload.send(&self.hosts, request, credentials).await,
            _ => self.control.send(request, credentials).await,
        };
        answer.map(|answer| (answer, signature.is_some()))
    }

    fn address(&self, call: &Call, base: usize) -> Result<Url> {
        let mut url = match (&call.target, call.meta.role, self.hosts.bases(call.meta.role).get(base)) {
            (Target::Base, _, Some(base)) => join(base, call.meta.path),
            (Target::Server(server), Role::Upload, _) => join(server, call.meta.path),
            (Target::Url(url), Role::Data, _) => url.clone(),
            (target, role, _) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("an operation for {role:?} hosts cannot go to {}", target.kind()),
                ));
            }
        };
        call.request.append_query(&mut url);
        Ok(url)
    }

    /// Reads an enveloped answer, and fails unless its code means success.
    ///
    /// What it says is rid of `secrets` while it is whole: a secret of several words is one only then.
    async fn read(
        &self,
        call: &Call,
        secrets: &[&str],
        with_token: bool,
        status: StatusCode,
        body: Body,
    ) -> Result<Bytes> {
        let bytes = body.collect(MOST_REPLY).await.map_err(|cause| match cause.kind() {
            std::io::ErrorKind::FileTooLarge => {
                Error::new(ErrorKind::Decode, "the answer is larger than any answer of the service")
            }
            _ => Error::io("the answer could not be read", cause),
        })?;
        if call.meta.shape == Shape::Flat {
            return self.read_flat(call, secrets, status, &bytes).map(|()| bytes);
        }
        let envelope = match envelope::parse(&bytes) {
            Ok(envelope) => envelope,
            Err(error) => return Err(by_status(status).map_or(error, |(kind, text)| Error::new(kind, text))),
        };
        let code = envelope.code;
        if call.meta.success.contains(&code.number) {
            if status.is_server_error() {
                return Err(Error::new(ErrorKind::Server, "the server failed"));
            }
            return Ok(bytes);
        }
        let (kind, text) = match code.number {
            // A challenge under another's code must not cost a token, nor be asked about again: the text decides.
            number if is_login_challenge(number, &envelope.message) => {
                self.profile.classify(call.meta.id, number, &envelope.message)
            }
            // The firewall's own answer, which is not the API's: `{"code":"403", …}`.
            403 if code.is_text => (ErrorKind::Blocked, "the service refuses this address or account for now".into()),
            // Which of the two it is depends on the endpoint (`web.yaml`, `codes`).
            401 | 20101 if with_token => (ErrorKind::Unauthorized, "the token was refused".into()),
            429 => (ErrorKind::RateLimited, "too many requests".into()),
            number => self.profile.classify(call.meta.id, number, &envelope.message),
        };
        // Where the code says nothing the status may.
        let told = |_: &(ErrorKind, &str)| kind == ErrorKind::Api && !matches!(status.as_u16(), 401 | 403);
        let error = match by_status(status).filter(told) {
            Some((kind, text)) => Error::new(kind, text),
            None => Error::new(kind, text),
        };
        Err(error
            .with_answer(code.number, &redact::exact(&envelope.message, secrets))
            .with_data(envelope.data)
            .with_trace_id(envelope.trace_id.as_deref()))
    }

    /// Fails when an answer without an envelope is a refusal.
    fn read_flat(&self, call: &Call, secrets: &[&str], status: StatusCode, bytes: &[u8]) -> Result<()> {
        let by_status = || by_status(status).map(|(kind, text)| Error::new(kind, text));
        let flat = envelope::parse_flat(bytes).map_err(|error| by_status().unwrap_or(error))?;
        let code = flat.code.filter(|code| !call.meta.success.contains(&code.number));
        if code.is_none() && !flat.is_error && status.is_success() {
            return Ok(());
        }
        let (kind, text) = match code {
            Some(code) if code.number == 403 && code.is_text => {
                (ErrorKind::Blocked, "the service refuses this address or account for now".into())
            }
            Some(code) if code.number == 429 => (ErrorKind::RateLimited, "too many requests".into()),
            None if flat.message.is_empty() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(by_status().unwrap_or_else(|| Error::new(ErrorKind::Api, "the service refused")));
            }
            _ => self.profile.classify(call.meta.id, code.map_or(0, |code| code.number), &flat.message),
        };
        let error = Error::new(kind, text).with_trace_id(flat.trace_id.as_deref());
        let message = redact::exact(&flat.message, secrets);
        Err(match code {
            Some(code) => error.with_answer(code.number, &message),
            None => error.with_message(&message),
        })
    }
}

impl Target {
    fn kind(&self) -> &'static str {
        match self {
            Self::Base => "a base address",
            Self::Server(_) => "a named server",
            Self::Url(_) => "a whole address",
        }
    }
}

/// Puts `path` behind the path of `base`, which may end in a slash or have a prefix.
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

/// Tells `tracing` how an attempt ended, where the feature is on.
#[cfg(feature = "tracing")]
fn trace(endpoint: &'static str, attempt: u32, error: Option<&Error>) {
    match error {
        None => tracing::debug!(endpoint, attempt, "succeeded"),
        Some(error) => {
            tracing::debug!(endpoint, attempt, kind = ?error.kind(), code = error.code(), status = error.http_status(), trace_id = error.trace_id(), "failed")
        }
    }
}

#[cfg(not(feature = "tracing"))]
fn trace(_endpoint: &'static str, _attempt: u32, _error: Option<&Error>) {}
