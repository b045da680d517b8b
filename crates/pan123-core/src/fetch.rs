//! Fetching bytes from a link: the one data request that every download is made of.

use std::ops::Range;

use http::{HeaderValue, StatusCode, header};

use crate::{Body, Effect, Error, ErrorKind, Link, Meta, Operation, Reply, Request, Result, Role, Shape, Target};

/// Fetches the bytes behind a [`Link`], all of them or a range.
///
/// It goes through the data channel: no token and no platform header can be part of it.
/// The answer is checked for being the range that was asked for, and not for being the right file:
/// whoever knows size and MD5 compares them.
///
/// Protocol: `open-files.yaml`, `file.download_content`.
#[derive(Clone, Debug)]
pub struct Fetch {
    link: Link,
    range: Option<Range<u64>>,
}

/// Bytes on their way, and what the host said about them.
#[derive(Debug)]
pub struct Fetched {
    /// Where in the file the first byte belongs.
    pub start: u64,
    /// The size of the whole file, where the host said it.
    pub total: Option<u64>,
    /// How many bytes the host announced for this answer.
    pub length: Option<u64>,
    /// The `Content-Type`, without parameters.
    pub content_type: Option<String>,
    /// The strong `ETag`, by which two answers are known to be of the same content.
    pub etag: Option<String>,
    /// The bytes.
    pub body: Body,
}

impl Fetch {
    /// Asks for everything.
    pub fn new(link: Link) -> Self {
        Self { link, range: None }
    }

    /// Asks for the bytes from `range.start` up to, not including, `range.end`; `None` is everything.
    #[must_use]
    pub fn range(mut self, range: impl Into<Option<Range<u64>>>) -> Self {
        self.range = range.into();
        self
    }
}

impl Operation for Fetch {
    type Output = Fetched;
    const META: Meta = Meta::get("open/file.download_content", "")
        .role(Role::Data)
        .anonymous()
        .effect(Effect::None)
        .shape(Shape::Stream);

    fn validate(&self) -> Result<()> {
        match &self.range {
            Some(range) if range.is_empty() => Err(Error::invalid("the range to download is empty")),
            _ => Ok(()),
        }
    }

    fn target(&self) -> Target {
        Target::Url(self.link.url().clone())
    }

    fn encode(&self, request: &mut Request) {
        for (name, value) in self.link.headers() {
            request.header(name.clone(), value.clone());
        }
        if let Some(range) = &self.range {
            let value = HeaderValue::try_from(format!("bytes={}-{}", range.start, range.end - 1));
            request.header(header::RANGE, value.expect("digits make a header value"));
        }
    }

    fn decode(&self, reply: Reply) -> Result<Fetched> {
        let text = |name| reply.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = text(header::CONTENT_TYPE).and_then(|value| value.split(';').next());
        let content_type = content_type.map(|value| value.trim().to_ascii_lowercase());
        let length = text(header::CONTENT_LENGTH).and_then(|value| value.trim().parse().ok());
        // A weak one does not promise the same bytes.
        let etag = text(header::ETAG).map(str::trim).filter(|tag| tag.starts_with('"')).map(str::to_owned);
        let wrong = |text| Err(reply.error(ErrorKind::WrongContent, text));
        // Nobody asked for another form of the bytes, and nobody would decode it.
        if text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
            return wrong("the host sent the data in a coding that was not asked for");
        }
        let (start, total) = match (&self.range, reply.status()) {
            (None, StatusCode::OK) => (0, length),
            (Some(range), StatusCode::PARTIAL_CONTENT) => {
                match text(header::CONTENT_RANGE).and_then(read_content_range) {
                    Some((start, end, total)) if start == range.start && end <= range.end => (start, total),
                    Some(_) => return wrong("the host sent another range than was asked for"),
                    None => return wrong("the host sent a part of the file and did not say which"),
                }
            }
            // A host that ignores ranges still sends the right bytes first when the range begins at 0.
            (Some(range), StatusCode::OK) if range.start == 0 => (0, length),
            (Some(_), StatusCode::OK) => return wrong("the host ignored the range and sent the whole file"),
            _ => return wrong("the host did not answer with the data"),
        };
        Ok(Fetched { start, total, length, content_type, etag, body: reply.into_body() })
    }
}

/// Reads `bytes 0-1023/4096`; the end is made exclusive, and `*` leaves the total unknown.
fn read_content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (start, last) = range.split_once('-')?;
    let (start, last): (u64, u64) = (start.trim().parse().ok()?, last.trim().parse().ok()?);
    let end = last.checked_add(1).filter(|end| *end > start)?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((start, end, total))
}

#[cfg(test)]
mod tests {
    use super::read_content_range;

    #[test]
    fn content_ranges_are_read_or_refused() {
        for (text, want) in [
            ("bytes 0-1023/4096", Some((0, 1024, Some(4096)))),
            ("bytes 5-5/*", Some((5, 6, None))),
            ("bytes 5-4/10", None),
            ("bytes */10", None),
            ("bytes 0-18446744073709551615/1", None),
            ("items 0-1/2", None),
            ("", None),
        ] {
            assert_eq!(read_content_range(text), want, "{text}");
        }
    }
}
