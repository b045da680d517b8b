//! An operation as a value: what to send, where to, and how to read the answer.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

use crate::{Body, Error, Reply, Result, Secret, SharedBody, body::Chain};

/// One call of the service, with everything it sends and nothing else.
///
/// An operation can be logged, stored, compared and tested without a network; a client's `send` runs
/// it. The [`operation!`](crate::operation) macro writes the usual ones. A call that the SDK does not know is
/// implemented in the caller's own crate and sent through the same pipeline.
///
/// # Example
///
/// ```
/// use pan123_core::{Meta, Operation, Reply, Request, Result};
///
/// #[derive(Debug)]
/// struct Greeting {
///     name: String,
/// }
///
/// impl Operation for Greeting {
///     type Output = String;
///     const META: Meta = Meta::get("mine/greeting", "/api/v1/greeting");
///
///     fn encode(&self, request: &mut Request) {
///         request.query("name", &self.name);
///     }
///
///     fn decode(&self, reply: Reply) -> Result<String> {
///         reply.data()
///     }
/// }
/// ```
pub trait Operation: fmt::Debug + Send + Sync {
    /// What the answer holds.
    type Output: Send;

    /// The fixed facts.
    const META: Meta;

    /// Refuses what the service would refuse, before a request is made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with the limit in the text.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Returns where the request goes, when that depends on the value.
    fn target(&self) -> Target {
        Target::Base
    }

    /// Says whether the request may be sent again when its answer was lost.
    fn is_repeatable(&self) -> bool {
        Self::META.effect != Effect::Once
    }

    /// Writes query, body and headers.
    fn encode(&self, request: &mut Request);

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when it is not of the documented shape.
    fn decode(&self, reply: Reply) -> Result<Self::Output>;

    /// Says of a refusal what only the request tells, such as whether a password was given.
    fn refine(&self, error: Error) -> Error {
        error
    }
}

/// A borrowed operation is one too, so that it can be sent again.
impl<O: Operation> Operation for &O {
    type Output = O::Output;
    const META: Meta = O::META;

    fn validate(&self) -> Result<()> {
        O::validate(self)
    }

    fn target(&self) -> Target {
        O::target(self)
    }

    fn is_repeatable(&self) -> bool {
        O::is_repeatable(self)
    }

    fn encode(&self, request: &mut Request) {
        O::encode(self, request);
    }

    fn decode(&self, reply: Reply) -> Result<Self::Output> {
        O::decode(self, reply)
    }

    fn refine(&self, error: Error) -> Error {
        O::refine(self, error)
    }
}

/// The fixed facts of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// `<api>/<id of the protocol reference>`, such as `open/file.rename`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Verb,
    /// The path, without the prefix that belongs to the host.
    pub path: &'static str,
    /// Which kind of host.
    pub role: Role,
    /// Whether a token goes along.
    pub auth: Auth,
    /// What sending it twice does.
    pub effect: Effect,
    /// The envelope codes that mean success.
    pub success: &'static [i64],
    /// How the answer is wrapped.
    pub shape: Shape,
}

impl Meta {
    /// A GET of the Open Platform with a token; harmless to repeat.
    pub const fn get(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Verb::Get, path, Effect::None)
    }

    /// A POST of the Open Platform with a token; not to be sent twice unless [`effect`](Self::effect) says so.
    pub const fn post(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Verb::Post, path, Effect::Once)
    }

    /// A DELETE of the Open Platform with a token; ends the same when sent twice.
    pub const fn delete(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Verb::Delete, path, Effect::Same)
    }

    /// A PUT of the Open Platform with a token; ends the same when sent twice.
    pub const fn put(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Verb::Put, path, Effect::Same)
    }

    const fn new(id: &'static str, method: Verb, path: &'static str, effect: Effect) -> Self {
        Self { id, method, path, role: Role::Open, auth: Auth::Bearer, effect, success: &[0], shape: Shape::Envelope }
    }

    /// Sets the kind of host.
    #[must_use]
    pub const fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// Sends a token where the client has one.
    #[must_use]
    pub const fn token_optional(self) -> Self {
        Self { auth: Auth::Optional, ..self }
    }

    /// Sends no token.
    #[must_use]
    pub const fn anonymous(self) -> Self {
        Self { auth: Auth::None, ..self }
    }

    /// Says what sending it twice does.
    #[must_use]
    pub const fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// Sets how the answer is wrapped.
    #[must_use]
    pub const fn shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// Sets the envelope codes that mean success.
    #[must_use]
    pub const fn success(self, codes: &'static [i64]) -> Self {
        Self { success: codes, ..self }
    }
}

/// The HTTP methods the service uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
}

impl From<Verb> for Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Get => Self::GET,
            Verb::Post => Self::POST,
            Verb::Put => Self::PUT,
            Verb::Delete => Self::DELETE,
        }
    }
}

/// The kinds of hosts; each has one channel, and only some channels carry credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The Open Platform; control channel.
    Open,
    /// The share API; control channel.
    Share,
    /// The web API; control channel.
    Web,
    /// The login host of the web API; control channel.
    Login,
    /// The newer login portal of the web API; control channel.
    Portal,
    /// A server that the service named for uploads; upload channel.
    Upload,
    /// Presigned storage and CDN hosts; data channel, never a credential.
    Data,
}

impl Role {
    /// Says whether it is an API with paths, rates and perhaps credentials, and no storage.
    pub(crate) const fn is_control(self) -> bool {
        matches!(self, Self::Open | Self::Share | Self::Web | Self::Login | Self::Portal)
    }
}

/// Whether a token goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The access token, as `Authorization: Bearer`.
    Bearer,
    /// The access token where the client has one, else none.
    Optional,
    /// None.
    None,
}

/// What sending an operation twice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing.
    None,
    /// The second time changes nothing more.
    Same,
    /// The second time does it again, or fails because of the first.
    Once,
}

/// How an answer is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// `{"code", "message", "data", "x-traceID"}`.
    Envelope,
    /// A JSON object with the members themselves, as of OAuth. A refusal has a code, an `error`, or a bad HTTP status.
    Flat,
    /// Whatever comes with a status of success, not read by the pipeline.
    Stream,
    /// As [`Stream`](Self::Stream), and a redirect is an answer that is not followed. What an API answers in place of a
    /// redirect is read as an envelope.
    Hop,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The base of the role, and the path of the [`Meta`].
    Base,
    /// A server that the service named, and the path of the [`Meta`].
    Server(Url),
    /// A whole address that the service gave.
    Url(Url),
}

/// What an operation writes.
///
/// A value that cannot be written (there is none in the SDK) fails when the request is sent.
#[derive(Default)]
pub struct Request {
    query: Vec<(Cow<'static, str>, String)>,
    headers: HeaderMap,
    content: Content,
    secrets: Vec<Secret>,
    failure: Option<Error>,
}

#[derive(Default)]
enum Content {
    #[default]
    None,
    Json(Map<String, Value>),
    Form(Form),
    Raw(&'static str, SharedBody),
}

#[derive(Default)]
struct Form {
    fields: Vec<(Cow<'static, str>, String)>,
    file: Option<(Cow<'static, str>, SharedBody)>,
}

impl Request {
    /// Makes an empty request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a query pair; null is left out.
    pub fn query(&mut self, name: impl Into<Cow<'static, str>>, value: impl Serialize) {
        if let Some(text) = self.text(&value) {
            self.query.push((name.into(), text));
        }
    }

    /// Adds a query pair that must not show up in any error.
    pub fn query_secret(&mut self, name: impl Into<Cow<'static, str>>, value: &Secret) {
        self.query(name, value.expose());
        self.secrets.push(value.clone());
    }

    /// Adds a member to the JSON body that must not show up in any error.
    pub fn json_secret(&mut self, name: &str, value: &Secret) {
        self.json(name, value.expose());
        self.secrets.push(value.clone());
    }

    /// Adds a member to the JSON body; null is left out, and the body is an object all the same.
    pub fn json(&mut self, name: &str, value: impl Serialize) {
        let value = match serde_json::to_value(value) {
            Ok(value) => value,
            Err(cause) => return self.fail(cause),
        };
        if !matches!(self.content, Content::Json(_)) {
            self.content = Content::Json(Map::new());
        }
        if let (Content::Json(members), false) = (&mut self.content, value.is_null()) {
            members.insert(name.to_owned(), value);
        }
    }

    /// Adds a text field to a `multipart/form-data` body; null is left out.
    pub fn form(&mut self, name: impl Into<Cow<'static, str>>, value: impl Serialize) {
        if let Some(text) = self.text(&value) {
            self.form_body().fields.push((name.into(), text));
        }
    }

    /// Adds the file to a `multipart/form-data` body; it is written behind the text fields.
    pub fn form_file(&mut self, name: impl Into<Cow<'static, str>>, file: impl Into<SharedBody>) {
        self.form_body().file = Some((name.into(), file.into()));
    }

    /// Sets a body of bytes.
    pub fn raw(&mut self, content_type: &'static str, body: impl Into<SharedBody>) {
        self.content = Content::Raw(content_type, body.into());
    }

    /// Adds a header. Credentials are not an operation's business and are refused on the data channel.
    pub fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    fn form_body(&mut self) -> &mut Form {
        if !matches!(self.content, Content::Form(_)) {
            self.content = Content::Form(Form::default());
        }
        match &mut self.content {
            Content::Form(form) => form,
            _ => unreachable!("it was made a form just above"),
        }
    }

    /// Writes a value as the plain text that queries and forms hold.
    fn text(&mut self, value: &impl Serialize) -> Option<String> {
        match serde_json::to_value(value) {
            Ok(Value::String(text)) => Some(text),
            Ok(Value::Null) => None,
            Ok(other) => Some(other.to_string()),
            Err(cause) => {
                self.fail(cause);
                None
            }
        }
    }

    fn fail(&mut self, cause: serde_json::Error) {
        self.failure = Some(Error::invalid("a value of the request cannot be written").with_source(cause));
    }

    /// Returns what must be struck out of anything the service says about this request.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(Secret::expose)
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    pub(crate) fn append_query(&self, url: &mut Url) {
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
            // A blank may only be written as %20 where a time is asked for (`dlink.traffic_log`); a plus sign that is
            // meant as such is %2B here already.
            let query = url.query().unwrap_or_default().replace('+', "%20");
            url.set_query(Some(&query));
        }
    }

    /// Opens the body, with the headers that describe it. Called once for every attempt.
    pub(crate) fn open(&self, boundary: u64) -> Result<(HeaderMap, Body)> {
        let mut headers = self.headers.clone();
        let mut describe = |content_type: &str| {
            let value = HeaderValue::from_str(content_type).expect("content types here are plain ASCII");
            headers.insert(http::header::CONTENT_TYPE, value);
        };
        let body = match &self.content {
            Content::None => Body::empty(),
            Content::Json(members) => {
                describe("application/json");
                Body::from(
                    serde_json::to_vec(members)
                        .map_err(|cause| Error::invalid("the body cannot be written").with_source(cause))?,
                )
            }
            Content::Form(form) => {
                let boundary = format!("pan123-{boundary:016x}");
                describe(&format!("multipart/form-data; boundary={boundary}"));
                form.open(&boundary)
            }
            Content::Raw(content_type, source) => {
                describe(content_type);
                source.open()
            }
        };
        Ok((headers, body))
    }
}

impl fmt::Debug for Request {
    /// Shows which fields are there, and no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            |pairs: &[(Cow<'static, str>, String)]| pairs.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        let body = match &self.content {
            Content::None => Vec::new(),
            Content::Json(members) => members.keys().cloned().collect(),
            Content::Form(form) => names(&form.fields),
            Content::Raw(content_type, _) => vec![(*content_type).to_owned()],
        };
        f.debug_struct("Request").field("query", &names(&self.query)).field("body", &body).finish_non_exhaustive()
    }
}

impl Form {
    fn open(&self, boundary: &str) -> Body {
        let mut head = String::new();
        for (name, value) in &self.fields {
            head.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        let Some((name, file)) = &self.file else {
            return Body::from(format!("{head}--{boundary}--\r\n"));
        };
        head.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        ));
        let tail = format!("\r\n--{boundary}--\r\n");
        let length = head.len() as u64 + file.length() + tail.len() as u64;
        Body::from_chunks(Some(length), Chain([Body::from(head), file.open(), Body::from(tail)].into()))
    }
}
