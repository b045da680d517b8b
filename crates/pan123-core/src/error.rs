//! The one error of the SDK: opaque, one pointer wide, with a kind to branch on.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{FileId, redact};

/// A result with the SDK's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with everything the service said about it.
///
/// Branch on [`kind`](Self::kind); show the error itself, which is one line that names the
/// operation. The cause, when there is one, is in [`source`](StdError::source) and is not
/// repeated in the line. No URL query, header value, token or body is ever part of it.
///
/// Cloning is cheap: tasks that waited for the same token share the same error.
///
/// # Example
///
/// ```
/// use pan123_core::{Error, ErrorKind};
///
/// fn what_next(error: &Error) -> &'static str {
///     match error.kind() {
///         ErrorKind::LoginChallenge => "log in with a QR code",
///         ErrorKind::NotFound => "it is gone",
///         _ if error.is_retryable() => "try again later",
///         _ => "give up",
///     }
/// }
///
/// let error = Error::new(ErrorKind::RateLimited, "too many requests").with_endpoint("open/user.info");
/// assert_eq!(error.to_string(), "open/user.info: too many requests");
/// assert_eq!(what_next(&error), "try again later");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    text: Cow<'static, str>,
    endpoint: Option<&'static str>,
    code: Option<i64>,
    http_status: Option<u16>,
    message: Option<String>,
    trace_id: Option<String>,
    attempts: u32,
    retry_after: Option<Duration>,
    may_have_happened: bool,
    failed_items: Vec<(FileId, Error)>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    /// What came as `data` with a refusal: JSON that is never printed.
    data: Option<Box<RawValue>>,
}

/// The most bytes of a refusal's `data` that are kept.
const MOST_DATA: usize = 4096;

/// The kinds of failure a program can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value was refused, mostly before any request was made: correct it and call again.
    InvalidInput,
    /// The client was put together wrongly: a bad address, an empty credential.
    Config,
    /// The service does not accept the token or the credentials, also after one renewal.
    Unauthorized,
    /// The service wants a person to prove who they are. Never retried, and every later call with the same token fails
    /// alike, without a request, until [`Tokens::reset_challenge`](crate::Tokens::reset_challenge).
    LoginChallenge,
    /// The service does this only for callers who are logged in, or who pay; its own text says which.
    LoginRequired,
    /// The token could not be kept or read; it was not used.
    TokenStore,
    /// The service refuses this address or account for now. Never retried.
    Blocked,
    /// Too many requests, and the retries are used up.
    RateLimited,
    /// The service is busy and asks to come back.
    Busy,
    /// A traffic, space or count allowance is used up.
    QuotaExceeded,
    /// The file, folder, link or task does not exist, or no longer.
    NotFound,
    /// The name is taken in that folder.
    AlreadyExists,
    /// The service's content review has withheld the file; it can be neither downloaded nor shared.
    ContentRejected,
    /// The share has a password and none was given.
    SharePasswordRequired,
    /// The password of the share is not this one.
    WrongSharePassword,
    /// The share does not exist, or its owner has cancelled it.
    ShareGone,
    /// The share was open for a time that has passed.
    ShareExpired,
    /// The folder is not direct-link space, so its files have no direct link.
    DirectLinkDisabled,
    /// The service refused with a code that has no kind of its own; see [`Error::code`].
    Api,
    /// The server or a gateway before it failed (HTTP 5xx).
    Server,
    /// No connection could be made; nothing was sent.
    Connect,
    /// The connection broke before the answer was complete.
    Connection,
    /// Nothing moved for longer than the idle timeout.
    Timeout,
    /// The answer is not the API's: an HTML page, an unknown path. An update may be needed.
    ProtocolChanged,
    /// The answer is JSON, but not of the documented shape.
    Decode,
    /// The storage or CDN host refused the address (HTTP 403): expired, bound or wrongly signed.
    LinkRejected,
    /// What came is not the file: a page or an error text in its place, or another range.
    WrongContent,
    /// Fewer or more bytes came than were announced.
    SizeMismatch,
    /// The bytes are not those of the announced MD5.
    DigestMismatch,
    /// The source changed while it was read.
    SourceChanged,
    /// The service ended the upload with a failure that cannot be waited out.
    UploadFailed,
    /// The service was still verifying the upload when the deadline passed.
    CompletionTimeout,
    /// The answer was lost and what happened could not be found out.
    OutcomeUnknown,
    /// A local file could not be read or written.
    Io,
    /// Another transfer, maybe of another process, is at work on the same thing: wait for it, or stop it.
    InUse,
}

impl Error {
    /// Makes an error of `kind` whose line says `text`: lower case, no full stop, no secret.
    pub fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            text: text.into(),
            endpoint: None,
            code: None,
            http_status: None,
            message: None,
            trace_id: None,
            attempts: 0,
            retry_after: None,
            may_have_happened: false,
            failed_items: Vec::new(),
            source: None,
            data: None,
        }))
    }

    /// Makes an [`ErrorKind::InvalidInput`] error.
    pub fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidInput, text)
    }

    /// Makes an [`ErrorKind::Io`] error, or hands back the [`Error`] that travelled inside `cause`.
    pub fn io(text: impl Into<Cow<'static, str>>, cause: std::io::Error) -> Self {
        match cause.downcast::<Self>() {
            Ok(error) => error,
            Err(cause) => Self::new(ErrorKind::Io, text).with_source(cause),
        }
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Names the operation, as `<api>/<id>`.
    #[must_use]
    pub fn with_endpoint(self, endpoint: &'static str) -> Self {
        self.edit(|inner| inner.endpoint = Some(endpoint))
    }

    /// Adds the service's own code and text; secrets in the text are struck out.
    #[must_use]
    pub fn with_answer(self, code: i64, message: &str) -> Self {
        self.edit(|inner| {
            inner.code = Some(code);
            inner.message = (!message.is_empty()).then(|| redact::text(message));
        })
    }

    /// Adds the service's own text where it gives no code; secrets in it are struck out.
    #[must_use]
    pub fn with_message(self, message: &str) -> Self {
        self.edit(|inner| inner.message = (!message.is_empty()).then(|| redact::text(message)))
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn with_http_status(self, status: u16) -> Self {
        self.edit(|inner| inner.http_status = Some(status))
    }

    /// Adds the service's trace id, which its support asks for.
    #[must_use]
    pub fn with_trace_id(self, trace_id: Option<&str>) -> Self {
        self.edit(|inner| inner.trace_id = trace_id.filter(|id| !id.is_empty()).map(redact::text))
    }

    /// Keeps what came as `data` with a refusal, unless it is uncommonly long.
    pub(crate) fn with_data(self, data: Option<&RawValue>) -> Self {
        let data = data.filter(|data| data.get().len() <= MOST_DATA && data.get() != "null");
        self.edit(|inner| inner.data = data.map(RawValue::to_owned))
    }

    /// Says how often the request was sent.
    #[must_use]
    pub fn with_attempts(self, attempts: u32) -> Self {
        self.edit(|inner| inner.attempts = attempts)
    }

    /// Says how long the service wants to be left alone.
    #[must_use]
    pub fn with_retry_after(self, delay: Option<Duration>) -> Self {
        self.edit(|inner| inner.retry_after = delay)
    }

    /// Says that the request may have taken effect although no answer tells so.
    #[must_use]
    pub fn with_may_have_happened(self, yes: bool) -> Self {
        self.edit(|inner| inner.may_have_happened = yes)
    }

    /// Says that an earlier attempt may have taken effect, beside what the error says itself.
    pub(crate) fn or_may_have_happened(self, yes: bool) -> Self {
        if yes { self.with_may_have_happened(true) } else { self }
    }

    /// Says which entries of a batch failed, and how.
    #[must_use]
    pub fn with_failed_items(self, items: Vec<(FileId, Self)>) -> Self {
        self.edit(|inner| inner.failed_items = items)
    }

    /// Sums up a batch of `total` entries of which `failed` were not done: nothing to say when that is none.
    ///
    /// # Errors
    ///
    /// An error of the first failure's kind that names all of them.
    pub fn of_batch(failed: Vec<(FileId, Self)>, total: usize) -> Result<()> {
        let Some((_, first)) = failed.first() else {
            return Ok(());
        };
        let error = if total == 1 {
            first.clone()
        } else {
            let text = format!("{} of {total} entries failed, the first because: {first}", failed.len());
            Self::new(first.kind(), text)
                .with_may_have_happened(failed.iter().any(|(_, error)| error.may_have_happened()))
                .with_source(first.clone())
        };
        Err(error.with_failed_items(failed))
    }

    /// Changes the kind and the text and keeps everything else.
    #[must_use]
    pub fn with_kind(self, kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        self.edit(|inner| {
            inner.kind = kind;
            inner.text = text.into();
        })
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.edit(|inner| inner.source = Some(Arc::from(cause.into())))
    }

    /// Takes over what the service said in `other`.
    pub(crate) fn with_answer_of(self, other: &Self) -> Self {
        self.edit(|inner| {
            inner.code = other.code();
            inner.message = other.message().map(str::to_owned);
            inner.trace_id = other.trace_id().map(str::to_owned);
            inner.http_status = other.http_status();
            inner.data.clone_from(&other.0.data);
        })
    }

    /// Adds what a JSON parser said, without the text that it quotes: the document may hold a token or a signed address.
    #[must_use]
    pub fn with_json_cause(self, cause: &serde_json::Error) -> Self {
        self.with_source(redact::json_error(cause))
    }

    /// Strikes `secrets` out of the service's text.
    pub(crate) fn without(self, secrets: &[&str]) -> Self {
        if self.0.message.is_none() {
            return self;
        }
        self.edit(|inner| {
            if let Some(message) = &mut inner.message {
                *message = redact::exact(message, secrets);
            }
        })
    }

    /// Returns what to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the code in the service's envelope.
    pub fn code(&self) -> Option<i64> {
        self.0.code
    }

    /// Returns the service's own text, as it was given, secrets struck out.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the HTTP status, when an answer came.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// Reads what the service gave beside code and text, such as what stands in the way of a new name; `None` when there
    /// was nothing, or nothing of that shape.
    ///
    /// It is no part of anything that is printed.
    pub fn data<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.0.data.as_ref()?.get()).ok()
    }

    /// Returns the service's trace id, which its support asks for.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// Returns the operation, as `<api>/<id of the protocol reference>`.
    pub fn endpoint(&self) -> Option<&'static str> {
        self.0.endpoint
    }

    /// Returns how often the request was sent; 0 when it was refused before.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns how long the service wants to be left alone, when it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the entries of a batch that failed, each with its own error; all others were done.
    ///
    /// Empty unless the error is that of a verb over many entries.
    pub fn failed_items(&self) -> &[(FileId, Self)] {
        &self.0.failed_items
    }

    /// Says whether the same call may succeed later without any change.
    ///
    /// It does not say that repeating is harmless: see [`may_have_happened`](Self::may_have_happened).
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::RateLimited
                | ErrorKind::Busy
                | ErrorKind::Server
                | ErrorKind::Connect
                | ErrorKind::Connection
                | ErrorKind::Timeout
                | ErrorKind::CompletionTimeout
        )
    }

    /// Says whether the next call of the same client is bound to fail for the same reason, whatever it is about.
    ///
    /// Work on many entries ends at such an error in place of meeting it again for each.
    pub fn concerns_everything(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unauthorized
                | ErrorKind::LoginChallenge
                | ErrorKind::TokenStore
                | ErrorKind::Blocked
                | ErrorKind::RateLimited
                | ErrorKind::Connect
        )
    }

    /// Says whether the request may have taken effect although the call failed.
    pub fn may_have_happened(&self) -> bool {
        self.0.may_have_happened
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(endpoint) = inner.endpoint {
            write!(f, "{endpoint}: ")?;
        }
        f.write_str(&inner.text)?;
        if let Some(message) = &inner.message {
            write!(f, ": {message}")?;
        }
        let code = inner.code.filter(|code| *code != 0).map(|code| format!("code {code}"));
        let status = inner.http_status.filter(|status| *status != 200).map(|status| format!("HTTP {status}"));
        let attempts = (inner.attempts > 1).then(|| format!("{} attempts", inner.attempts));
        let trace = inner.trace_id.as_ref().map(|id| format!("trace {id}"));
        let details: Vec<String> = [code, status, attempts, trace].into_iter().flatten().collect();
        if !details.is_empty() {
            write!(f, " ({})", details.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("text", &inner.text)
            .field("endpoint", &inner.endpoint)
            .field("code", &inner.code)
            .field("http_status", &inner.http_status)
            .field("message", &inner.message)
            .field("trace_id", &inner.trace_id)
            .field("attempts", &inner.attempts)
            .field("retry_after", &inner.retry_after)
            .field("may_have_happened", &inner.may_have_happened)
            .field("failed_items", &inner.failed_items)
            .field("source", &inner.source.as_ref().map(|source| redact::text(&source.to_string())))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<Error> for std::io::Error {
    /// Wraps the error so that it survives a trip through a reader; [`Error::io`] takes it out again.
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Option<Error>>(), size_of::<usize>());
    }

    #[test]
    fn the_line_holds_the_answer_and_not_the_cause() {
        let error = Error::new(ErrorKind::AlreadyExists, "the name is taken")
            .with_endpoint("open/file.mkdir")
            .with_answer(1, "该目录下文件夹重名")
            .with_http_status(200)
            .with_trace_id(Some("t-1"))
            .with_attempts(2)
            .with_source(std::io::Error::other("inner"));
        assert_eq!(
            error.to_string(),
            "open/file.mkdir: the name is taken: 该目录下文件夹重名 (code 1, 2 attempts, trace t-1)"
        );
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("inner"));
    }

    #[test]
    fn what_came_with_a_refusal_is_kept_and_never_shown() {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        let error = Error::new(ErrorKind::AlreadyExists, "taken").with_data(Some(&raw(r#"["planted"]"#)));
        assert_eq!(error.data::<Vec<String>>(), Some(vec!["planted".to_owned()]));
        assert_eq!(error.data::<u64>(), None);
        assert!(!format!("{error} {error:?}").contains("planted"));
        for json in ["null".to_owned(), format!("\"{}\"", "x".repeat(MOST_DATA))] {
            assert_eq!(error.clone().with_data(Some(&raw(&json))).data::<serde_json::Value>(), None);
        }
    }

    #[test]
    fn an_error_survives_a_trip_through_io() {
        let io: std::io::Error = Error::new(ErrorKind::SourceChanged, "it changed").into();
        assert_eq!(Error::io("reading", io).kind(), ErrorKind::SourceChanged);
        assert_eq!(Error::io("reading", std::io::Error::other("x")).kind(), ErrorKind::Io);
    }
}
