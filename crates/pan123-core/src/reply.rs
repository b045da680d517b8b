//! What an operation reads its answer from.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::{
    Body, Error, ErrorKind, Result,
    envelope::{self, Envelope},
    wire,
};

/// What the service answered, with success already established.
#[derive(Debug)]
pub struct Reply {
    pub(crate) endpoint: &'static str,
    pub(crate) attempts: u32,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: ReplyContent,
}

#[derive(Debug)]
pub(crate) enum ReplyContent {
    Envelope(Bytes),
    Stream(Body),
}

impl Reply {
    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the envelope's code, where an operation has several that mean success.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when there is no envelope.
    pub fn code(&self) -> Result<i64> {
        self.envelope().map(|envelope| envelope.code.number)
    }

    /// Reads the envelope's `data`; null or absent counts as JSON null.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when it is not of the shape of `T`, with what was expected where.
    pub fn data<T: DeserializeOwned>(self) -> Result<T> {
        let envelope = self.envelope()?;
        let json = envelope.data.map_or("null", |data| data.get());
        serde_json::from_str(json).map_err(|cause| {
            self.annotate(Error::new(ErrorKind::Decode, "the data in the answer is not of the documented shape"))
                .with_trace_id(envelope.trace_id.as_deref())
                .with_json_cause(&cause)
        })
    }

    /// Reads a [`Shape::Flat`](crate::Shape::Flat) answer, or its `data` where it came in an envelope all the same.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when it is not of the shape of `T`, with what was expected where.
    pub fn flat<T: DeserializeOwned>(self) -> Result<T> {
        let ReplyContent::Envelope(bytes) = &self.content else {
            return Err(self.error(ErrorKind::Decode, "a stream has no members"));
        };
        envelope::parse_flat(bytes)
            .and_then(|flat| {
                let json = flat.enveloped.map_or(&bytes[..], |data| data.get().as_bytes());
                serde_json::from_slice(json).map_err(|cause| {
                    Error::new(ErrorKind::Decode, "the answer is not of the documented shape").with_json_cause(&cause)
                })
            })
            .map_err(|error| self.annotate(error))
    }

    /// Reads the envelope's `data` for a type whose field names are in lower case, whatever their case on the wire.
    ///
    /// # Errors
    ///
    /// As [`data`](Self::data).
    pub fn data_in_any_case<T: DeserializeOwned>(self) -> Result<T> {
        self.data::<wire::AnyCase<T>>().map(|wire::AnyCase(data)| data)
    }

    /// Reads the envelope's `data` where null or absent means that there is nothing to tell.
    ///
    /// # Errors
    ///
    /// As [`data`](Self::data).
    pub fn data_or_default<T: DeserializeOwned + Default>(self) -> Result<T> {
        self.data::<Option<T>>().map(Option::unwrap_or_default)
    }

    /// Expects nothing; whatever `data` holds is passed over.
    ///
    /// # Errors
    ///
    /// None at present; it returns a result so that every decoder reads alike.
    pub fn nothing(self) -> Result<()> {
        Ok(())
    }

    /// Returns the body of a [`Shape::Stream`](crate::Shape::Stream) or [`Shape::Hop`](crate::Shape::Hop) answer, and an empty one for any other.
    pub fn into_body(self) -> Body {
        match self.content {
            ReplyContent::Stream(body) => body,
            ReplyContent::Envelope(_) => Body::empty(),
        }
    }

    /// Makes an error about this answer.
    pub fn error(&self, kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Error {
        self.annotate(Error::new(kind, text))
    }

    fn annotate(&self, error: Error) -> Error {
        error.with_endpoint(self.endpoint).with_http_status(self.status.as_u16()).with_attempts(self.attempts)
    }

    fn envelope(&self) -> Result<Envelope<'_>> {
        match &self.content {
            ReplyContent::Envelope(bytes) => envelope::parse(bytes).map_err(|error| self.annotate(error)),
            ReplyContent::Stream(_) => Err(self.error(ErrorKind::Decode, "a stream has no envelope")),
        }
    }
}
