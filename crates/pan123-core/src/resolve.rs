//! Link resolution: from the download address that the web and share APIs give to the one that serves the bytes.

use std::{fmt, time::Duration};

use http::{HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

use crate::{
    Effect, Error, ErrorKind, Link, Meta, Operation, Pipeline, Reply, Request, Result, RetryPolicy, Role, Shape,
    Target, Timestamp, base64, envelope, redact, transport, wire,
};

/// The answer to a request for a download: an address that must be [resolved](Pipeline::resolve) first, or one that
/// serves the bytes already.
///
/// It is read from `DownloadUrl` or from `dispatchList` and `downloadPath`, in any case of letters. `Debug` shows it
/// without its query.
///
/// Protocol: `web.yaml`, `download.info` and `download.info_v2`; `share.yaml`, `share.download_info`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "wire::AnyCase<Row>")]
pub struct DownloadAddress {
    url: Url,
    is_mirror: bool,
}

#[derive(Deserialize)]
#[serde(expecting = "a download address")]
struct Row {
    #[serde(default, rename = "downloadurl")]
    url: Option<String>,
    #[serde(default, rename = "dispatchlist", deserialize_with = "wire::or_default")]
    mirrors: Vec<Mirror>,
    #[serde(default, rename = "downloadpath")]
    path: Option<String>,
}

#[derive(Deserialize)]
struct Mirror {
    prefix: String,
}

impl TryFrom<wire::AnyCase<Row>> for DownloadAddress {
    type Error = &'static str;

    fn try_from(wire::AnyCase(row): wire::AnyCase<Row>) -> Result<Self, &'static str> {
        if let Some(url) = row.url.filter(|url| !url.is_empty()) {
            let url = usable(&url).ok_or("the download address is no http or https URL")?;
            return Ok(Self { url, is_mirror: false });
        }
        let path = row.path.filter(|path| !path.is_empty()).ok_or("there is no download address")?;
        // Any mirror will do (`share.yaml`, share.download_info).
        let mirror = row.mirrors.iter().find_map(|mirror| usable(&format!("{}{path}", mirror.prefix)));
        Ok(Self { url: mirror.ok_or("there is no mirror with an http or https address")?, is_mirror: true })
    }
}

impl fmt::Debug for DownloadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadAddress")
            .field("url", &redact::url(&self.url))
            .field("is_mirror", &self.is_mirror)
            .finish()
    }
}

/// How long the address of a mirror works: about five minutes (`share.yaml`, share.download_info).
const MIRROR_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The most hops from the address that the service gives to the one that serves the bytes (`web.yaml`, flow `download`).
const MOST_HOPS: usize = 5;

/// The most bytes of an answer that may be a further address and not the file.
const MOST_ANSWER: usize = 64 << 10;

impl Pipeline {
    /// Finds out from where the bytes behind `address` are served, with the headers to send there, for a file or archive of
    /// unknown size; see [`resolve_with`](Self::resolve_with).
    ///
    /// # Errors
    ///
    /// As [`resolve_with`](Self::resolve_with).
    pub async fn resolve(&self, address: &DownloadAddress, page: &Url) -> Result<Link> {
        self.resolve_with(address, page, None, self.retry()).await
    }

    /// Finds out from where the bytes of a file of `size` bytes are served, with the headers to send there; each request is
    /// sent again under `retry`.
    ///
    /// `page` is the page that the requests are said to come from, such as `https://yun.123pan.com/`. A relay address
    /// (`params=` in base64) is read without a request; then the address is asked for once without following
    /// redirects, on the channel that never carries a credential. Every shape that has been seen is understood: a
    /// redirect, JSON with `redirect_url` under status 200 or 210, a page with a link, and the bytes themselves: an answer of
    /// `size` bytes is the file, whatever a file says that somebody has uploaded.
    ///
    /// Protocol: `share.yaml`, `share.download_info`, `resolution`; `web.yaml`, flow `download`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the relay's text is no address, [`ErrorKind::WrongContent`] when the addresses lead in
    /// circles or to a page without a link, [`ErrorKind::LinkRejected`] when the host refuses, and whatever the network gives.
    pub async fn resolve_with(
        &self,
        address: &DownloadAddress,
        page: &Url,
        size: Option<u64>,
        retry: &RetryPolicy,
    ) -> Result<Link> {
        let now = self.runtime().now();
        // Hosts want to be told that the request comes from the host that the service named.
        let referer = page_of(&address.url);
        if address.is_mirror {
            return Ok(finished(&address.url, referer, now)?.with_expiry(now.plus(MIRROR_LIFETIME)));
        }
        let mut url = unrelayed(&address.url)?;
        for _ in 0..MOST_HOPS {
            let hop = Hop { url: url.clone(), page: page.clone() };
            let next = match self.send_with(&hop, retry).await?.next(&url, size).await? {
                Some(next) => next,
                None => return finished(&url, referer, now),
            };
            if !is_relay(&next) {
                return finished(&next, referer, now);
            }
            url = unrelayed(&next)?;
        }
        Err(Error::new(ErrorKind::WrongContent, "the download addresses lead from one to the next without an end")
            .with_endpoint(Hop::META.id))
    }
}

/// Makes the link that a program downloads from.
fn finished(url: &Url, referer: HeaderValue, now: Timestamp) -> Result<Link> {
    Ok(Link::parse(url.as_str())?.with_header(header::REFERER, referer).with_own_expiry(now))
}

/// One request for an address, whose redirect is an answer.
#[derive(Clone)]
struct Hop {
    url: Url,
    page: Url,
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop").field("url", &redact::url(&self.url)).finish_non_exhaustive()
    }
}

impl Operation for Hop {
    type Output = Landed;
    const META: Meta =
        Meta::get("web/flow.download", "").role(Role::Data).anonymous().effect(Effect::None).shape(Shape::Hop);

    fn target(&self) -> Target {
        Target::Url(self.url.clone())
    }

    fn encode(&self, request: &mut Request) {
        request.header(header::REFERER, header_of(self.page.as_str()));
    }

    fn decode(&self, reply: Reply) -> Result<Landed> {
        Ok(Landed(reply))
    }
}

/// What came of a hop, not read yet.
#[derive(Debug)]
struct Landed(Reply);

#[derive(Deserialize)]
struct Redirected {
    #[serde(default, rename = "redirect_url", alias = "redirecturl")]
    url: Option<String>,
}

impl Landed {
    /// Returns the next address, or `None` when the one that was asked for serves the bytes.
    async fn next(self, from: &Url, size: Option<u64>) -> Result<Option<Url>> {
        let Self(reply) = self;
        let status = reply.status();
        if let Some(next) = transport::redirect(status, reply.headers(), from) {
            return next.map(Some).map_err(|error| error.with_endpoint(Hop::META.id));
        }
        if status.is_redirection() {
            return Err(reply.error(ErrorKind::WrongContent, "the host did not answer with the data"));
        }
        let kind = reply.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
        let is =
            |word: &str| kind.as_ref().is_some_and(|kind| kind.windows(word.len()).any(|part| part == word.as_bytes()));
        // 210 is this service's own status for an address in JSON.
        let is_told = status == StatusCode::from_u16(210).expect("210 is a status");
        let (is_json, is_page) = (is("json") || is_told, is("text/html"));
        if !is_json && !is_page {
            return Ok(None);
        }
        let refused = reply.error(ErrorKind::LinkRejected, "the host did not give the download address");
        let is_whole = |length: u64| !is_told && size == Some(length);
        let body = reply.into_body();
        if body.length().is_some_and(is_whole) {
            return Ok(None);
        }
        let bytes = match body.collect(MOST_ANSWER).await {
            Ok(bytes) if !is_whole(bytes.len() as u64) => bytes,
            _ => return Ok(None),
        };
        if is_page {
            return match first_link(&bytes) {
                Some(next) => Ok(Some(next)),
                // Of an archive nobody knows the size, but it is no page.
                None => Err(refused.with_kind(ErrorKind::WrongContent, "a page came in place of the download address")),
            };
        }
        let Ok(envelope) = envelope::parse(&bytes) else {
            return Ok(None);
        };
        let data = envelope.data.map_or("null", |data| data.get());
        match serde_json::from_str::<Option<wire::AnyCase<Redirected>>>(data) {
            Ok(Some(wire::AnyCase(Redirected { url: Some(url) }))) if envelope.code.number == 0 => {
                usable(&url).map(Some).ok_or_else(|| {
                    Error::new(ErrorKind::Decode, "the service gave no usable download address")
                        .with_endpoint(Hop::META.id)
                })
            }
            _ if envelope.code.number == 0 => Ok(None),
            _ => Err(refused
                .with_answer(envelope.code.number, &envelope.message)
                .with_trace_id(envelope.trace_id.as_deref())),
        }
    }
}

fn usable(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Returns the first address that a page links to, which is where older relays lead (`web.yaml`, flow `download`).
fn first_link(page: &[u8]) -> Option<Url> {
    let page = String::from_utf8_lossy(page);
    let rest = &page[page.to_ascii_lowercase().find("href=")? + "href=".len()..];
    let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let (address, _) = rest[1..].split_once(quote)?;
    usable(&address.replace("&amp;", "&"))
}

/// Says whether an address is a relay, which holds the real one.
fn is_relay(url: &Url) -> bool {
    relayed(url).is_some()
}

/// Returns the base64 text of a relay, from the raw query: a form decoder would turn its plus signs into spaces.
fn relayed(url: &Url) -> Option<&str> {
    url.query()?.split('&').find_map(|pair| pair.strip_prefix("params="))
}

/// Returns the address that a relay holds; any other address as it is.
fn unrelayed(url: &Url) -> Result<Url> {
    let mut url = url.clone();
    for _ in 0..MOST_HOPS {
        let Some(text) = relayed(&url) else {
            return Ok(url);
        };
        let text = percent_decode_str(text).decode_utf8_lossy();
        let inner = base64::decode(&text).and_then(|bytes| String::from_utf8(bytes).ok());
        url = inner.and_then(|inner| usable(inner.trim())).ok_or_else(|| {
            Error::new(ErrorKind::Decode, "the download address holds another that cannot be read")
                .with_endpoint(Hop::META.id)
        })?;
    }
    Err(Error::new(ErrorKind::WrongContent, "the download addresses hold one another without an end")
        .with_endpoint(Hop::META.id))
}

/// Returns `scheme://host/` of an address. Clients disagree on whose it should be: this is what OpenList sends.
fn page_of(url: &Url) -> HeaderValue {
    header_of(&format!("{}/", url.origin().ascii_serialization()))
}

fn header_of(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).expect("a URL is plain ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<(String, bool)> {
        let address: Option<DownloadAddress> = serde_json::from_str(json).ok();
        address.map(|address| (address.url.into(), address.is_mirror))
    }

    #[test]
    fn an_address_is_read_from_either_form_in_any_spelling() {
        let relay = Some(("https://h/d?params=x".to_owned(), false));
        for name in ["DownloadUrl", "DownloadURL", "downloadUrl"] {
            assert_eq!(read(&format!(r#"{{"{name}":"https://h/d?params=x"}}"#)), relay, "{name}");
        }
        let mirror = Some(("https://b/p?x=1".to_owned(), true));
        let list =
            r#""dispatchList":[{"prefix":"","isp":"0"},{"prefix":"https://b","isp":"1"}],"downloadPath":"/p?x=1""#;
        assert_eq!(read(&format!("{{{list}}}")), mirror);
        assert_eq!(read(&format!(r#"{{"DownloadUrl":"",{list}}}"#)), mirror);
        for json in
            ["{}", "null", r#"{"DownloadUrl":""}"#, r#"{"DownloadUrl":"ftp://h"}"#, r#"{"downloadPath":"/p"}"#, "[]"]
        {
            assert_eq!(read(json), None, "{json}");
        }
        let shown =
            format!("{:?}", serde_json::from_str::<DownloadAddress>(r#"{"DownloadUrl":"https://h/d?s=planted"}"#));
        assert!(!shown.contains("planted"), "{shown}");
    }

    #[test]
    fn a_relay_gives_up_its_address_however_it_is_written() {
        for (query, want) in [
            ("params=aHR0cHM6Ly9jZG4uZXhhbXBsZS5jb20vZi9hYmM/eD0x&is_s3=0", Some("https://cdn.example.com/f/abc?x=1")),
            ("params=aHR0cHM6Ly9jZG4uZXhhbXBsZS5jb20vZi9hYmM_eD0x", Some("https://cdn.example.com/f/abc?x=1")),
            ("x=1&params=aHR0cHM6Ly9jZG4uZXhhbXBsZS5jb20vZi9hYmM%2FeD0x", Some("https://cdn.example.com/f/abc?x=1")),
            ("params=aHR0cHM6Ly9oL2E%3D", Some("https://h/a")),
            ("params=aHR0cHM6Ly9oL2E", Some("https://h/a")),
            ("x=params", Some("https://relay.example/d?x=params")),
            ("params=", None),
            ("params=!!", None),
            ("params=ZnRwOi8vaC8", None),
            ("params=L2V0Yy9wYXNzd2Q", None),
        ] {
            let url = Url::parse(&format!("https://relay.example/d?{query}")).unwrap();
            assert_eq!(unrelayed(&url).ok().map(String::from).as_deref(), want, "{query}");
        }
    }
}
