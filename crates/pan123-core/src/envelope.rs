//! The envelope around every answer, read as loosely as the service writes it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result, wire};

/// `{"code", "message", "data", "x-traceID"}`.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) code: Code,
    pub(crate) message: Cow<'a, str>,
    pub(crate) data: Option<&'a RawValue>,
    pub(crate) trace_id: Option<Cow<'a, str>>,
}

/// A code, and whether it came as text: the firewall's bans do, and the API's own codes sometimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) number: i64,
    pub(crate) is_text: bool,
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let number = wire::integer(raw).map_err(serde::de::Error::custom)?;
        Ok(Self { number, is_text: raw.get().starts_with('"') })
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(alias = "Code")]
    code: Option<Code>,
    #[serde(borrow, default, alias = "Message", alias = "msg")]
    message: Option<Loose<'a>>,
    #[serde(borrow, default, alias = "Data")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "x-traceID", alias = "x-traceId", alias = "x_traceID", alias = "traceId")]
    trace_id: Option<Loose<'a>>,
}

/// What an answer without an envelope says about itself.
#[derive(Debug)]
pub(crate) struct Flat<'a> {
    pub(crate) code: Option<Code>,
    /// Whether it names an error.
    pub(crate) is_error: bool,
    pub(crate) message: Cow<'a, str>,
    pub(crate) trace_id: Option<Cow<'a, str>>,
    /// What it holds, where it came in an envelope all the same.
    pub(crate) enveloped: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawFlat<'a> {
    code: Option<Code>,
    #[serde(borrow, default)]
    error_description: Option<Loose<'a>>,
    #[serde(borrow, default)]
    text: Option<Loose<'a>>,
    #[serde(borrow, default)]
    message: Option<Loose<'a>>,
    #[serde(borrow, default)]
    error: Option<Loose<'a>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "x-traceID")]
    trace_id: Option<Loose<'a>>,
}

/// Text, or anything else, which then counts as no text.
struct Loose<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        // A text without escapes is borrowed, one with escapes is unescaped into its own.
        let text = serde_json::from_str::<&str>(raw.get()).map(Cow::Borrowed);
        Ok(Self(text.or_else(|_| serde_json::from_str::<String>(raw.get()).map(Cow::Owned)).ok()))
    }
}

/// Reads an envelope.
///
/// # Errors
///
/// [`ErrorKind::ProtocolChanged`] for what is not JSON (an HTML page, an empty body), [`ErrorKind::Decode`] for JSON that is cut off or
/// has no code.
pub(crate) fn parse(bytes: &[u8]) -> Result<Envelope<'_>> {
    check_object(bytes)?;
    let raw: Raw<'_> = serde_json::from_slice(bytes).map_err(broken)?;
    let code = raw.code.ok_or_else(|| Error::new(ErrorKind::Decode, "the answer has no code"))?;
    Ok(Envelope {
        code,
        message: raw.message.and_then(|text| text.0).unwrap_or_default(),
        data: raw.data,
        trace_id: raw.trace_id.and_then(|text| text.0),
    })
}

/// Reads an answer without an envelope.
///
/// # Errors
///
/// As [`parse`], but that a code may be missing.
pub(crate) fn parse_flat(bytes: &[u8]) -> Result<Flat<'_>> {
    check_object(bytes)?;
    let raw: RawFlat<'_> = serde_json::from_slice(bytes).map_err(broken)?;
    fn full(text: Option<Loose<'_>>) -> Option<Cow<'_, str>> {
        text.and_then(|text| text.0).filter(|text| !text.is_empty())
    }
    let (description, error) = (full(raw.error_description), full(raw.error));
    Ok(Flat {
        code: raw.code,
        is_error: description.is_some() || error.is_some(),
        message: description.or(full(raw.text)).or(full(raw.message)).or(error).unwrap_or_default(),
        trace_id: full(raw.trace_id),
        enveloped: raw.data.filter(|data| raw.code.is_some() && data.get().starts_with('{')),
    })
}

/// Fails for what is no JSON object: a page, an empty body.
fn check_object(bytes: &[u8]) -> Result<()> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
    match start.map(|start| bytes[start]) {
        Some(b'{') => Ok(()),
        Some(b'<') => Err(Error::new(
            ErrorKind::ProtocolChanged,
            "the service answered with an HTML page in place of JSON: check the address, or update the SDK",
        )),
        Some(_) => Err(Error::new(ErrorKind::ProtocolChanged, "the service answered with something that is not JSON")),
        None => Err(Error::new(ErrorKind::ProtocolChanged, "the service answered with an empty body")),
    }
}

fn broken(cause: serde_json::Error) -> Error {
    let text = if cause.is_eof() { "the answer is cut off" } else { "the answer is not a well-formed envelope" };
    Error::new(ErrorKind::Decode, text).with_json_cause(&cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, want: Result<(i64, bool, &str, Option<&str>), ErrorKind>) {
        match (parse(body.as_bytes()), want) {
            (Ok(envelope), Ok((number, is_text, message, data))) => {
                assert_eq!(envelope.code, Code { number, is_text }, "{body}");
                assert_eq!(envelope.message, message, "{body}");
                assert_eq!(envelope.data.map(RawValue::get), data, "{body}");
            }
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{body}"),
            (got, want) => panic!("{body}: {got:?} is not {want:?}"),
        }
    }

    #[test]
    fn every_shape_of_envelope_is_read_or_named() {
        check(r#"{"code":0,"message":"ok","data":{"a":1},"x-traceID":"t"}"#, Ok((0, false, "ok", Some(r#"{"a":1}"#))));
        check(r#"{"code":"0","message":"ok"}"#, Ok((0, true, "ok", None)));
        check(r#"{"code":"403","message":"forbidden client ip"}"#, Ok((403, true, "forbidden client ip", None)));
        check(r#"{"code":0,"message":null,"data":null}"#, Ok((0, false, "", None)));
        check(r#"{"code":0,"message":{"odd":1},"data":[]}"#, Ok((0, false, "", Some("[]"))));
        check(r#"{"code":1,"message":"\u6587\"x"}"#, Ok((1, false, "文\"x", None)));
        check("\u{20}\r\n{\"code\":0}", Ok((0, false, "", None)));
        check("", Err(ErrorKind::ProtocolChanged));
        check("<!doctype html>", Err(ErrorKind::ProtocolChanged));
        check("ok", Err(ErrorKind::ProtocolChanged));
        check(r#"{"code":0,"da"#, Err(ErrorKind::Decode));
        check(r#"{"message":"ok"}"#, Err(ErrorKind::Decode));
        check(r#"{"code":"none"}"#, Err(ErrorKind::Decode));
    }

    #[test]
    fn an_answer_without_an_envelope_says_whether_it_is_an_error() {
        for (body, code, is_error, message, enveloped) in [
            (r#"{"access_token":"a"}"#, None, false, "", None),
            (r#"{"error":"invalid_grant"}"#, None, true, "invalid_grant", None),
            (r#"{"error":null,"error_description":""}"#, None, false, "", None),
            (r#"{"code":401,"error":"a","error_description":"b","message":"c"}"#, Some(401), true, "b", None),
            (r#"{"text":"t","message":"c"}"#, None, false, "t", None),
            (r#"{"code":0,"message":"ok","data":{"a":1}}"#, Some(0), false, "ok", Some(r#"{"a":1}"#)),
            (r#"{"code":0,"data":null}"#, Some(0), false, "", None),
            (r#"{"data":{}}"#, None, false, "", None),
        ] {
            let flat = parse_flat(body.as_bytes()).unwrap();
            assert_eq!(flat.code.map(|code| code.number), code, "{body}");
            assert_eq!((flat.is_error, &*flat.message), (is_error, message), "{body}");
            assert_eq!(flat.enveloped.map(RawValue::get), enveloped, "{body}");
        }
        assert_eq!(parse_flat(b"<html>").unwrap_err().kind(), ErrorKind::ProtocolChanged);
        assert_eq!(parse_flat(b"{\"a\":").unwrap_err().kind(), ErrorKind::Decode);
    }

    #[test]
    fn a_trace_id_is_found() {
        assert_eq!(parse(br#"{"code":0,"x-traceID":"abc_kong"}"#).unwrap().trace_id.as_deref(), Some("abc_kong"));
    }
}
