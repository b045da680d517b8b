//! What HTTP itself says of a refusal: the status, and when to come back.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use crate::{Body, Error, ErrorKind, Timestamp, envelope};

/// The most bytes of a refusal by a storage or CDN host that are looked at.
const MOST_REFUSAL: usize = 64 << 10;

/// What an HTTP status alone says, where the body says nothing.
pub(crate) fn by_status(status: StatusCode) -> Option<(ErrorKind, &'static str)> {
    match status.as_u16() {
        401 => Some((ErrorKind::Unauthorized, "the token or the credentials were refused")),
        403 => Some((ErrorKind::Blocked, "the service refuses this address or account for now")),
        404 => Some((
            ErrorKind::ProtocolChanged,
            "the service does not know this path: check the address, or update the SDK",
        )),
        408 => Some((ErrorKind::Timeout, "the service gave up waiting for the request")),
        429 => Some((ErrorKind::RateLimited, "too many requests")),
        500.. => Some((ErrorKind::Server, "the server failed")),
        _ => None,
    }
}

/// Makes an error of what a storage or CDN host answered in place of data.
pub(crate) async fn refusal(status: StatusCode, body: Body) -> Error {
    let (kind, text) = match status.as_u16() {
        401 | 403 => (
            ErrorKind::LinkRejected,
            "the download or upload address was refused: it may have expired, or be bound to another place",
        ),
        404 | 410 => (ErrorKind::NotFound, "there is nothing at the address"),
        429 => (ErrorKind::RateLimited, "the host wants fewer requests or connections"),
        500.. => (ErrorKind::Server, "the storage or CDN host failed"),
        _ => (ErrorKind::WrongContent, "the host did not answer with the data"),
    };
    let error = Error::new(kind, text);
    let Ok(bytes) = body.collect(MOST_REFUSAL).await else {
        return error;
    };
    match envelope::parse(&bytes) {
        Ok(envelope) => {
            error.with_answer(envelope.code.number, &envelope.message).with_trace_id(envelope.trace_id.as_deref())
        }
        Err(_) => error,
    }
}

/// Reads `Retry-After`: seconds, or the time of day. A day is all that anybody is believed.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Timestamp::parse_http(text)?.since(now),
    };
    Some(wait.min(Duration::from_secs(24 * 60 * 60)))
}
