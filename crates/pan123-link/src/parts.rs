//! Takes a URL apart for signing: checked, dot segments resolved, escaped only where it must be.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::Error;

/// The parts of a URL in the spelling in which they are sent.
#[derive(Clone, Debug)]
pub(crate) struct Parts<'a> {
    /// Scheme, host and port as written; empty if only a request target was given.
    pub(crate) origin: &'a str,
    /// The path from its first `/`: what an HTTP client sends for this URL.
    pub(crate) path: Cow<'a, str>,
    /// The query as written, escaped only where an HTTP client would have to.
    pub(crate) query: Option<Cow<'a, str>>,
    /// The fragment, likewise.
    pub(crate) fragment: Option<Cow<'a, str>>,
}

impl<'a> Parts<'a> {
    /// Takes an absolute `http` or `https` URL apart.
    pub(crate) fn of_url(url: &'a str) -> Result<Parts<'a>, Error> {
        check_characters(url)?;
        let (origin, rest) = split_origin(url).ok_or_else(|| Error::url("it must begin with http:// or https://"))?;
        check_host(&origin[scheme_length(origin)..])?;
        Parts::of_target(origin, rest)
    }

    /// Takes apart what a server received: an absolute URL, or a request target that begins with `/`.
    pub(crate) fn of_request(url: &'a str) -> Result<Parts<'a>, Error> {
        if !url.starts_with('/') {
            return Parts::of_url(url);
        }
        check_characters(url)?;
        Parts::of_target("", url)
    }

    fn of_target(origin: &'a str, target: &'a str) -> Result<Parts<'a>, Error> {
        let (target, fragment) = split_once_before(target, '#');
        let (path, query) = split_once_before(target, '?');
        if path.is_empty() {
            return Err(Error::url("no path"));
        }
        if !has_whole_escapes(path) {
            return Err(Error::url("bad percent escape"));
        }
        let escape = |text: &'a str| Cow::from(utf8_percent_encode(text, &QUERY));
        Ok(Parts {
            origin,
            path: resolve_dots(utf8_percent_encode(path, &PATH).into()),
            query: query.map(escape),
            fragment: fragment.map(escape),
        })
    }

    /// Returns the values of all `auth_key` pairs, as they stand in the query.
    pub(crate) fn signatures(&self) -> impl Iterator<Item = &str> {
        let pairs = self.query.as_deref().unwrap_or_default().split('&');
        pairs.filter(|pair| is_signature(pair)).map(|pair| pair.split_once('=').map_or("", |(_, value)| value))
    }

    /// Returns the query without any `auth_key`, every other byte as it was.
    pub(crate) fn query_without_signatures(&self) -> String {
        let Some(query) = self.query.as_deref() else {
            return String::new();
        };
        let kept: Vec<&str> = query.split('&').filter(|pair| !is_signature(pair)).collect();
        kept.join("&")
    }
}

/// Splits an absolute URL in front of its path, or returns `None` if it does not begin with a known scheme.
pub(crate) fn split_origin(url: &str) -> Option<(&str, &str)> {
    let scheme = scheme_length(url);
    let end = url[scheme..].find(['/', '?', '#']).map_or(url.len(), |end| scheme + end);
    (scheme > 0).then(|| url.split_at(end))
}

/// Returns the length of the `http://` or `https://` that `text` begins with, in any case, or 0.
pub(crate) fn scheme_length(text: &str) -> usize {
    let begins = |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    ["http://", "https://"].iter().find(|s| begins(s)).map_or(0, |s| s.len())
}

/// Returns `url` for people to read: without query, fragment and user name, where secrets are.
pub(crate) fn redacted(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (shown, hidden) = url.split_at(end);
    let hidden = if hidden.is_empty() { "" } else { "?<redacted>" };
    match split_origin(shown) {
        Some((origin, path)) => match origin.rsplit_once('@') {
            Some((_, host)) => format!("{}<redacted>@{host}{path}{hidden}", &url[..scheme_length(url)]),
            None => format!("{origin}{path}{hidden}"),
        },
        None => format!("{shown}{hidden}"),
    }
}

/// Says whether each `%` in `text` is followed by two hexadecimal digits.
pub(crate) fn has_whole_escapes(text: &str) -> bool {
    let is_digit = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    text.split('%').skip(1).all(|rest| {
        let mut bytes = rest.as_bytes().iter();
        is_digit(bytes.next()) && is_digit(bytes.next())
    })
}

/// Refuses what no link has and what tools between here and the service read in different ways.
fn check_characters(url: &str) -> Result<(), Error> {
    if url.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(Error::url("control character"));
    }
    // HTTP clients cut such white space off, so that the signed path would not be the one that is sent.
    if url.trim() != url {
        return Err(Error::url("white space at the beginning or the end"));
    }
    Ok(())
}

fn check_host(authority: &str) -> Result<(), Error> {
    // An HTTP client turns these into an `Authorization` header, for whoever the link is handed to.
    if authority.contains('@') {
        return Err(Error::url("user name or password in front of the host"));
    }
    let (host, port) = match authority.split_once(']') {
        Some((host, port)) => (host, port),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err(Error::url("no host"));
    }
    let is_host = match host.strip_prefix('[') {
        Some(address) => !address.is_empty() && address.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c)),
        // A domain of the user's own may be in any script; looking it up is the HTTP client's part.
        None => host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') || is_foreign_letter(c)),
    };
    let is_closed = host.starts_with('[') == authority.contains(']');
    if !is_host || !is_closed {
        return Err(Error::url("bad host"));
    }
    let is_port = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.is_empty() || digits.parse::<u16>().is_ok())
        }
        None => port.is_empty(),
    };
    if is_port { Ok(()) } else { Err(Error::url("bad port")) }
}

fn is_foreign_letter(c: char) -> bool {
    !(c.is_ascii() || c.is_whitespace() || c.is_control())
}

/// Resolves `.` and `..` in a path that begins with `/`, escaped dots too, as HTTP clients do before they send.
fn resolve_dots(path: Cow<'_, str>) -> Cow<'_, str> {
    // A segment of dots begins with one, escaped or not; most paths have none.
    if !path.as_bytes().windows(2).any(|pair| matches!(pair, b"/." | b"/%")) {
        return path;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let dots = dots(segment);
        if dots == Some(2) {
            kept.pop();
        }
        if dots.is_none() {
            kept.push(segment);
        } else if segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/")).into()
}

/// Returns how many dots a segment is made of, if it is one or two and nothing else.
fn dots(segment: &str) -> Option<usize> {
    let mut rest = segment;
    let mut count = 0;
    while !rest.is_empty() {
        rest = match rest.strip_prefix('.') {
            Some(rest) => rest,
            None => rest.strip_prefix("%2e").or_else(|| rest.strip_prefix("%2E"))?,
        };
        count += 1;
    }
    (count == 1 || count == 2).then_some(count)
}

/// Splits `text` at the first `mark`, which belongs to neither side.
fn split_once_before(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Says whether a `name=value` pair is an `auth_key`, also if its name is escaped, as a server would read it.
fn is_signature(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    percent_decode_str(name).eq("auth_key".bytes())
}

/// What RFC 3986 does not allow in a path. `\` is the one that matters: HTTP clients read it as `/`.
const PATH: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What HTTP clients escape in a query and what would break a line or a quoted string; the rest stays byte for byte.
const QUERY: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn path(url: &str, expected: &str) {
        let parts = Parts::of_url(url).expect("the url is valid");
        assert_eq!(parts.path, expected);
    }

    #[track_caller]
    fn refused(url: &str, reason: &str) {
        let error = Parts::of_url(url).expect_err("the url is invalid");
        assert_eq!(error.to_string(), format!("invalid url: {reason}"));
    }

    #[test]
    fn dot_segments_are_resolved_also_when_escaped() {
        path("https://h/a/./b/../c", "/a/c");
        path("https://h/a/%2e/b/.%2E/c", "/a/c");
        path("https://h/a/%2e%2e", "/");
        path("https://h/..", "/");
        path("https://h/../../a", "/a");
        path("https://h/a/.", "/a/");
        path("https://h/a/b/..", "/a/");
        path("https://h/a//../b", "/a/b");
        path("https://h//", "//");
    }

    #[test]
    fn names_that_only_look_like_dot_segments_stay() {
        path("https://h/a/.../b", "/a/.../b");
        path("https://h/a/.b", "/a/.b");
        path("https://h/a/%252e/b", "/a/%252e/b");
        path(r"https://h/a\..\b", "/a%5C..%5Cb");
    }

    #[test]
    fn only_what_must_be_escaped_is_escaped() {
        path("https://h/!$&'()*+,-.:;=@_~%41", "/!$&'()*+,-.:;=@_~%41");
        path("https://h/a b资\"<>[\\]^`{|}c", "/a%20b%E8%B5%84%22%3C%3E%5B%5C%5D%5E%60%7B%7C%7Dc");
    }

    #[test]
    fn a_url_needs_scheme_host_and_path() {
        refused("", "it must begin with http:// or https://");
        refused("ftp://h/a", "it must begin with http:// or https://");
        refused("/a", "it must begin with http:// or https://");
        refused("https:/h/a", "it must begin with http:// or https://");
        refused("https:///a", "no host");
        refused("https://:80/a", "no host");
        refused("https://h", "no path");
        refused("https://h?x=/a", "no path");
        refused("https://h#/a", "no path");
    }

    #[test]
    fn hosts_that_tools_read_differently_are_refused() {
        refused(r"https://h\@g/a", "user name or password in front of the host");
        refused("https://me:pass@h/a", "user name or password in front of the host");
        refused(r"https://h\g/a", "bad host");
        refused("https://h g/a", "bad host");
        refused("https://%68/a", "bad host");
        refused("https://[::1/a", "bad host");
        refused("https://::1]/a", "bad host");
        refused("https://[]/a", "bad host");
        refused("https://h:8x/a", "bad port");
        refused("https://h:65536/a", "bad port");
        refused("https://h:1:2/a", "bad port");
        refused("https://[::1]80/a", "bad port");
        path("https://[::1]:8080/a", "/a");
        path("https://例子.测试:443/a", "/a");
        path("HTTPS://H:/a", "/a");
    }

    #[test]
    fn line_breaks_never_pass() {
        refused("https://h/a\r\nSet-Cookie: x", "control character");
        refused("https://h/a?b=\n", "control character");
        refused("https://h/a#\r", "control character");
        refused("https://h\t/a", "control character");
        refused("https://h/a\u{7f}", "control character");
        refused(" https://h/a", "white space at the beginning or the end");
        refused("https://h/a\u{3000}", "white space at the beginning or the end");
    }

    #[test]
    fn escapes_must_be_whole() {
        for url in ["https://h/%", "https://h/%4", "https://h/%4g", "https://h/%%41", "https://h/%é"] {
            refused(url, "bad percent escape");
        }
    }

    #[test]
    fn a_shown_url_has_no_secrets() {
        assert_eq!(redacted("https://h/a?auth_key=1"), "https://h/a?<redacted>");
        assert_eq!(redacted("https://me:pass@h/a@b#x"), "https://<redacted>@h/a@b?<redacted>");
        assert_eq!(redacted("https://h/a"), "https://h/a");
        assert_eq!(redacted("pass?x"), "pass?<redacted>");
    }
}
