//! Answers: the envelope, and what goes without one.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::body::Source;

/// A refusal in the service's envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) status: u16,
    pub(crate) data: Value,
}

impl Refusal {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 200, data: Value::Null }
    }

    /// A rule that is ours, or whose real answer nobody has seen.
    pub(crate) fn rule(message: impl AsRef<str>) -> Self {
        Self::new(1, format!("sim: {}", message.as_ref()))
    }

    pub(crate) fn with_code(mut self, code: i64) -> Self {
        self.code = code;
        self
    }

    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn gone() -> Self {
        Self::new(5066, "文件不存在")
    }

    pub(crate) fn name_taken() -> Self {
        Self::new(5060, "该目录下文件已存在")
    }

    pub(crate) fn bad_name() -> Self {
        Self::new(1, r#"文件名要小于256个字符且不能包含以下任何字符："\/:*?|><"#)
    }

    pub(crate) fn upload_failed() -> Self {
        Self::new(1, "文件上传失败")
    }

    pub(crate) fn verifying() -> Self {
        Self::new(20103, "文件正在校验中,请间隔1秒后再试")
    }

    pub(crate) fn too_fast() -> Self {
        Self::new(429, "操作频繁,请稍后再试")
    }
}

impl From<crate::drive::Denied> for Refusal {
    fn from(denied: crate::drive::Denied) -> Self {
        match denied {
            crate::drive::Denied::Gone => Self::gone(),
            crate::drive::Denied::NameTaken => Self::name_taken(),
            crate::drive::Denied::BadName => Self::bad_name(),
        }
    }
}

/// An answer before any fault touches it.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Payload,
    /// Held until the answer is sent.
    pub(crate) held: Option<Box<dyn Send + Sync>>,
    /// What the log is to say of it.
    pub(crate) note: Option<String>,
}

pub(crate) enum Payload {
    Envelope { code: Value, message: String, data: Value },
    Other { content_type: String, source: Source },
}

impl Reply {
    pub(crate) fn data(data: Value) -> Self {
        Self::envelope(200, json!(0), "ok", data)
    }

    pub(crate) fn envelope(status: u16, code: Value, message: impl Into<String>, data: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            payload: Payload::Envelope { code, message: message.into(), data },
            held: None,
            note: None,
        }
    }

    pub(crate) fn other(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let payload = Payload::Other { content_type: content_type.to_owned(), source: Source::Bytes(body.into()) };
        Self { status, headers: Vec::new(), payload, held: None, note: None }
    }

    /// What a gateway in front of the service shows.
    pub(crate) fn gateway(status: u16) -> Self {
        let reason =
            http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
        let title = format!("{status} {reason}");
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self::other(status, "text/html; charset=utf-8", page)
    }

    /// The envelope as the one member of an object, as the pages of the site have it.
    pub(crate) fn wrapped(self, member: &str) -> Self {
        match self.payload {
            Payload::Envelope { code, message, data } => {
                let body = json!({member: {"code": code, "message": message, "data": data}});
                let payload =
                    Payload::Other { content_type: JSON.to_owned(), source: Source::Bytes(body.to_string().into()) };
                Self { payload, ..self }
            }
            Payload::Other { .. } => self,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }

    pub(crate) fn code(&self) -> Option<i64> {
        match &self.payload {
            Payload::Envelope { code, .. } => code.as_i64().or_else(|| code.as_str()?.parse().ok()),
            Payload::Other { .. } => None,
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::envelope(refusal.status, json!(refusal.code), refusal.message, refusal.data)
    }
}

impl Payload {
    /// The content type and the bytes; `trace` goes into the envelope.
    pub(crate) fn encode(self, trace: &str) -> (String, Source) {
        match self {
            Self::Envelope { code, message, data } => {
                let envelope = json!({"code": code, "message": message, "data": data, "x-traceID": trace});
                (JSON.to_owned(), Source::Bytes(Bytes::from(envelope.to_string())))
            }
            Self::Other { content_type, source } => (content_type, source),
        }
    }
}

const JSON: &str = "application/json; charset=utf-8";
/// What a host shows that serves a web page and not the API.
pub(crate) const PAGE_SHELL: &str =
    "<!DOCTYPE html><html><head><title>123云盘</title></head><body><div id=\"app\"></div></body></html>";
