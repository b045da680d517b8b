//! The CDN: bytes behind download addresses and direct links, whole or in ranges.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use super::Call;
use crate::body::Source;
use crate::clock::http_date;
use crate::content::{Content, md5_hex};
use crate::drive::{Drive, Kind};
use crate::form::pairs;
use crate::gallery::Gallery;
use crate::reply::{PAGE_SHELL, Payload, Reply};
use crate::simulator::{LINK_KEY, UID};
use crate::state::{Shared, State};
use crate::token::from_base64;
use crate::traffic::Traffic;
use crate::video::outputs;

/// A request to the CDN.
#[derive(Debug)]
pub(crate) struct Fetch<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) ignore_range: bool,
}

/// Makes a download address that is good for a while.
pub(crate) fn download_url(call: &mut Call<'_>, md5: &str, size: u64, name: &str) -> String {
    let lifetime = i64::try_from(call.shared.config.download_lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires = call.now.saturating_add(lifetime);
    let path = format!("/123-61/{}/{UID}-0/{md5}", &md5[..8]);
    let nonce = crate::seed::word(&mut call.state.random, 8);
    let signature = signature(call.shared, &path, expires, size, &nonce);
    let cdn = &call.shared.urls.cdn;
    let name = utf8_percent_encode(name, ESCAPED);
    format!("{cdn}{path}?v=5&t={expires}&s={signature}&r={nonce}&bzs={size}&filename={name}")
}

pub(crate) fn direct_url(call: &Call<'_>, id: i64) -> String {
    format!("{}/{UID}{}", call.shared.urls.cdn, escaped(&call.state.drive.path(id)))
}

/// The public address of an image.
pub(crate) fn image_url(shared: &Shared, gallery: &Gallery, id: i64) -> String {
    format!("{}/{UID}/{IMAGES}{}", shared.urls.cdn, escaped(&gallery.tree.path(id)))
}

fn escaped(path: &str) -> String {
    path.split('/').map(|name| utf8_percent_encode(name, ESCAPED).to_string()).collect::<Vec<_>>().join("/")
}

/// Whether a folder above the entry is a direct-link space.
pub(crate) fn is_in_direct_link_space(drive: &Drive, id: i64) -> bool {
    drive.ancestry(id).skip(1).any(|node| matches!(node.kind, Kind::Folder { direct_link: true }))
}

pub(crate) fn download(shared: &Arc<Shared>, fetch: &Fetch<'_>) -> Reply {
    let query = pairs(fetch.query);
    let get =
        |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let (expires, size) = (get("t").parse().unwrap_or_default(), get("bzs").parse().unwrap_or_default());
    if get("s") != signature(shared, fetch.path, expires, size, get("r")) {
        return forbidden("the download address is not valid");
    }
    let md5 = fetch.path.rsplit('/').next().unwrap_or_default();
    let content = {
        let state = shared.state();
        if expires <= state.clock.now() {
            return forbidden("the download address has expired");
        }
        state.served(md5, size)
    };
    match content {
        // An address of the web API leads to another one before it leads to the file.
        Some(_) if !get(HOP).is_empty() => further(shared, fetch, get(HOP)),
        Some(_) if is_leech(shared, fetch, get("from")) => Reply::other(200, HTML, LEECH),
        Some(content) => serve(shared, fetch, content, md5, get("filename"), get("s")),
        None => nothing(),
    }
}

fn further(shared: &Shared, fetch: &Fetch<'_>, how: &str) -> Reply {
    let last = without_hop(&format!("{}{}?{}", shared.urls.cdn, fetch.path, fetch.query));
    let told = |status| {
        let body = json!({"code": 0, "message": "ok", "data": {"redirect_url": last}});
        Reply::other(status, "application/json; charset=utf-8", body.to_string())
    };
    match how {
        "1" => Reply::other(302, HTML, "").header("location", last),
        "2" => told(200),
        "3" => {
            let link = last.replace('&', "&amp;");
            Reply::other(200, HTML, format!("<!DOCTYPE html><html><body><a href=\"{link}\">download</a></body></html>"))
        }
        _ => told(210),
    }
}

/// The relay's own page: it has no link, since its script reads the next address out of the query. Lenient mode does
/// for plain clients what the script does: it leads on to the file, by the header and by a link as of older pages.
pub(crate) fn relay(shared: &Shared, query: &str) -> Reply {
    let next = pairs(query).into_iter().find(|(name, _)| name == "params");
    // In a query a plus sign of base64 looks like a space.
    let next = next.and_then(|(_, text)| from_base64(&text.replace(' ', "+")));
    match next.filter(|next| shared.config.lenient && next.starts_with(&shared.urls.cdn)) {
        Some(next) => {
            let last = without_hop(&next);
            Reply::other(302, HTML, format!("<a href='{last}'>Found</a>")).header("location", last)
        }
        None => Reply::other(200, HTML, PAGE_SHELL),
    }
}

/// The address that serves the file itself.
fn without_hop(next: &str) -> String {
    let (place, query) = next.split_once('?').unwrap_or((next, ""));
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(&format!("{HOP}="))).collect();
    format!("{place}?{}", kept.join("&"))
}

/// A small picture: always the same, whatever the size that its address asks for.
pub(crate) fn thumbnail(shared: &Shared, path: &str) -> Reply {
    let name = path.rsplit('/').next().unwrap_or_default();
    let sized = |size: &str| size.bytes().all(|byte| byte.is_ascii_digit());
    let md5 = match *name.split('_').collect::<Vec<_>>() {
        [md5, width, height] if sized(width) && sized(height) => md5,
        _ => return nothing(),
    };
    let known = shared.state().contents.keys().any(|(held, _)| held == md5);
    if known { Reply::other(200, "image/gif", DOT) } else { nothing() }
}

/// Whether an address of the web page is fetched without saying which page it was on.
fn is_leech(shared: &Shared, fetch: &Fetch<'_>, from: &str) -> bool {
    let wanted = !shared.config.lenient || shared.config.quirks;
    from == "page" && wanted && !fetch.headers.contains_key(http::header::REFERER)
}

pub(crate) fn direct_link(shared: &Arc<Shared>, fetch: &Fetch<'_>) -> Reply {
    let Ok(path) = percent_decode_str(fetch.path).decode_utf8() else { return nothing() };
    let inside = path.strip_prefix(&format!("/{UID}")).unwrap_or_default();
    let found = {
        let state = shared.state();
        if state.blacklist.forbids(fetch.peer) {
            return forbidden("the address is on the blacklist");
        }
        // Who does not sign has an account where authentication is off; lenient mode serves both kinds.
        let has_key = pairs(fetch.query).iter().any(|(name, _)| name == "auth_key");
        let checked = shared.config.link_authentication && (has_key || !shared.config.lenient);
        if checked && !is_signed(&path, fetch.query, state.clock.now()) {
            return forbidden("the link is not signed, or its signature is wrong or has expired");
        }
        let node = state.drive.find(inside).filter(|node| is_in_direct_link_space(&state.drive, node.id));
        let file = node.and_then(|node| Some((node.name.clone(), node.content()?)));
        let file = file.and_then(|(name, (md5, size))| Some((name, state.served(&md5, size)?, md5)));
        file.or_else(|| direct_playlist(&state, inside))
    };
    let Some((name, content, md5)) = found else { return nothing() };
    let size = content.size();
    let reply = serve(shared, fetch, content, &md5, &name, fetch.path);
    note_traffic(shared, fetch, &reply, Traffic { name, size, path: inside.to_owned(), source: 1, ..traffic(shared) });
    reply
}

/// A playlist or segment of a video in direct-link space: `/hls/{id}/{resolution}/{file}`.
fn direct_playlist(state: &State, inside: &str) -> Option<(String, Content, String)> {
    let [PLAYLISTS, id, resolution, name] = *inside.split('/').skip(1).collect::<Vec<_>>() else { return None };
    let id = id.parse().ok().filter(|id| state.transcoder.direct.contains(id))?;
    let node = state.drive.node(id).filter(|_| is_in_direct_link_space(&state.drive, id))?;
    let made = outputs(node.md5(), resolution).into_iter().find(|output| output.name == name)?;
    let md5 = made.content.md5();
    Some((made.name, made.content, md5))
}

/// A playlist or segment of the transcoding space: `/hls/{uid}/{id}/{resolution}/{file}`.
pub(crate) fn playlist(shared: &Arc<Shared>, fetch: &Fetch<'_>) -> Reply {
    let found = {
        let state = shared.state();
        let names: Vec<&str> = fetch.path.split('/').skip(1).collect();
        let [_, _, id, resolution, name] = *names else { return nothing() };
        let id = id.parse().unwrap_or_default();
        let in_space = state.transcoder.videos.get(&id).and_then(|runs| {
            runs.iter().find(|run| run.resolution.eq_ignore_ascii_case(resolution)).map(|run| run.source.clone())
        });
        let source = in_space.or_else(|| Some(state.drive.node(id)?.md5().to_owned()));
        source.and_then(|md5| outputs(&md5, resolution).into_iter().find(|output| output.name == name))
    };
    let Some(output) = found else { return nothing() };
    let md5 = output.content.md5();
    serve(shared, fetch, output.content, &md5, &output.name, fetch.path)
}

/// An image at its public address.
pub(crate) fn image(shared: &Arc<Shared>, fetch: &Fetch<'_>) -> Reply {
    let Ok(path) = percent_decode_str(fetch.path).decode_utf8() else { return nothing() };
    let inside = path.strip_prefix(&format!("/{UID}/{IMAGES}")).unwrap_or_default();
    let found = {
        let state = shared.state();
        let node = state.gallery.tree.find(inside);
        node.filter(|node| !state.gallery.rejected.contains(&node.id)).and_then(|node| {
            let (md5, size) = node.content()?;
            Some((node.id, node.name.clone(), state.content(&md5, size)?, md5))
        })
    };
    let Some((id, name, content, md5)) = found else { return nothing() };
    let size = content.size();
    let reply = serve(shared, fetch, content, &md5, &name, fetch.path);
    if fetch.method == Method::GET {
        shared.state().gallery.count_served(id, sent(&reply));
    }
    note_traffic(shared, fetch, &reply, Traffic { name, size, path: inside.to_owned(), source: 2, ..traffic(shared) });
    reply
}

fn traffic(shared: &Shared) -> Traffic {
    let (unix, text) = (shared.state().clock.now(), String::new);
    Traffic { unix, name: text(), size: 0, path: text(), url: text(), source: 0, bytes: 0 }
}

fn note_traffic(shared: &Shared, fetch: &Fetch<'_>, reply: &Reply, traffic: Traffic) {
    let bytes = sent(reply);
    if bytes > 0 && fetch.method == Method::GET {
        let url = format!("{}{}", shared.urls.cdn, fetch.path);
        shared.state().traffic.add(Traffic { url, bytes, ..traffic });
    }
}

/// How many bytes of a file an answer carries.
fn sent(reply: &Reply) -> u64 {
    match &reply.payload {
        Payload::Other { source: source @ Source::Content { .. }, .. } => source.length(),
        _ => 0,
    }
}

fn nothing() -> Reply {
    Reply::other(404, TEXT, "no such file")
}

/// Checks `auth_key = ts - rand - uid - hash`, where the hash is the MD5 of `path - ts - rand - uid - key`.
fn is_signed(decoded_path: &str, query: &str, now: i64) -> bool {
    let keys: Vec<String> =
        pairs(query).into_iter().filter(|(name, _)| name == "auth_key").map(|(_, value)| value).collect();
    let [key] = keys.as_slice() else { return false };
    let parts: Vec<&str> = key.split('-').collect();
    let [ts, rand, uid, hash] = parts.as_slice() else { return false };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let expected = md5_hex(format!("{decoded_path}-{ts}-{rand}-{uid}-{LINK_KEY}").as_bytes());
    plain(ts)
        && plain(uid)
        && ts.parse::<i64>().is_ok_and(|ts| ts > now)
        && uid.parse() == Ok(UID)
        && hash.eq_ignore_ascii_case(&expected)
}

fn signature(shared: &Shared, path: &str, expires: i64, size: u64, nonce: &str) -> String {
    md5_hex(format!("{path}|{expires}|{size}|{nonce}|{}|cdn", shared.config.seed).as_bytes())
}

fn serve(shared: &Arc<Shared>, fetch: &Fetch<'_>, content: Content, md5: &str, name: &str, link: &str) -> Reply {
    let place = match Place::take(shared, link) {
        Ok(place) => place,
        Err(TooMany) => return Reply::other(429, TEXT, "too many connections for this link"),
    };
    let size = content.size();
    let tag = format!("\"{md5}\"");
    let wanted = fetch.headers.get(http::header::RANGE).and_then(|value| value.to_str().ok());
    let same = fetch.headers.get(http::header::IF_RANGE).is_none_or(|value| value.as_bytes() == tag.as_bytes());
    let range = match wanted {
        Some(wanted) if same && !fetch.ignore_range => Range::parse(wanted, size),
        _ => Range::Whole,
    };
    let (status, offset, end) = match range {
        Range::Whole => (200, 0, size),
        Range::Part(offset, end) => (206, offset, end),
        Range::Outside => {
            return Reply::other(416, TEXT, "the range lies outside the file")
                .header("content-range", format!("bytes */{size}"));
        }
    };
    let content_type = if shared.config.quirks { labelled(name) } else { "application/octet-stream" }.to_owned();
    let now = shared.state().clock.now();
    let headers = vec![
        ("accept-ranges".to_owned(), "bytes".to_owned()),
        ("etag".to_owned(), tag),
        ("last-modified".to_owned(), http_date(now.min(LAST_MODIFIED))),
        (
            "content-disposition".to_owned(),
            format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(name, ESCAPED)),
        ),
    ];
    let payload = Payload::Other { content_type, source: Source::Content { content, offset, end } };
    let reply = Reply {
        status,
        headers,
        payload,
        held: (fetch.method == Method::GET).then(|| Box::new(place) as _),
        note: None,
    };
    if status == 206 { reply.header("content-range", format!("bytes {offset}-{}/{size}", end - 1)) } else { reply }
}

/// What a host says that goes by the extension: a user's own file can look like an answer of the service.
fn labelled(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).as_deref() {
        Some("json") => "application/json",
        Some("html" | "htm") => "text/html",
        _ => "application/octet-stream",
    }
}

fn forbidden(why: &'static str) -> Reply {
    Reply::other(403, TEXT, why)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part(u64, u64),
    Outside,
}

impl Range {
    /// Reads a `Range` header; what is no single range of bytes asks for the whole file.
    fn parse(header: &str, size: u64) -> Self {
        let spec = header.trim().split_once('=').filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"));
        let Some((first, last)) = spec.and_then(|(_, range)| range.split_once('-')) else { return Self::Whole };
        match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
            (Ok(first), _) if first >= size => Self::Outside,
            (Ok(first), Ok(last)) if last >= first => Self::Part(first, size.min(last.saturating_add(1))),
            (Ok(first), Err(_)) if last.trim().is_empty() => Self::Part(first, size),
            (Err(_), Ok(0)) if first.trim().is_empty() => Self::Outside,
            (Err(_), Ok(_)) if first.trim().is_empty() && size == 0 => Self::Outside,
            (Err(_), Ok(tail)) if first.trim().is_empty() => Self::Part(size.saturating_sub(tail), size),
            _ => Self::Whole,
        }
    }
}

/// A transfer's place among those that a link may have.
struct Place {
    shared: Arc<Shared>,
    link: String,
}

struct TooMany;

impl Place {
    fn take(shared: &Arc<Shared>, link: &str) -> Result<Self, TooMany> {
        let mut state = shared.state();
        let running = state.links.entry(link.to_owned()).or_default();
        if shared.config.cdn_connections.is_some_and(|most| *running >= most) {
            return Err(TooMany);
        }
        *running += 1;
        Ok(Self { shared: Arc::clone(shared), link: link.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if let Some(running) = state.links.get_mut(&self.link) {
            *running = running.saturating_sub(1);
            if *running == 0 {
                state.links.remove(&self.link);
            }
        }
    }
}

/// The first name in the path of images, below the account.
pub(crate) const IMAGES: &str = crate::gallery::ROOT_NAME;
/// The first name in the path of playlists.
pub(crate) const PLAYLISTS: &str = "hls";
/// The first name in the path of the page that leads to a download.
pub(crate) const RELAY: &str = "download-v2";
/// The parameter that says how an address leads on.
pub(crate) const HOP: &str = "auto_redirect";
/// What marks an address that the web API told.
pub(crate) const FROM_PAGE: &str = "from=page";
const HTML: &str = "text/html; charset=utf-8";
const LEECH: &str = "<!DOCTYPE html><html><body><h1>anti-leech</h1></body></html>";
/// A picture of one dot.
const DOT: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
const TEXT: &str = "text/plain; charset=utf-8";
/// Contents never change under their address, so any moment in the past will do.
const LAST_MODIFIED: i64 = 1_700_000_000;
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (header, expected) in [
            ("bytes=0-0", Range::Part(0, 1)),
            ("bytes=5-", Range::Part(5, 10)),
            ("bytes=5-99", Range::Part(5, 10)),
            ("bytes=-3", Range::Part(7, 10)),
            ("bytes=-30", Range::Part(0, 10)),
            ("Bytes=9-9", Range::Part(9, 10)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=5-4", Range::Whole),
            ("bytes=0-1,4-5", Range::Whole),
            ("lines=0-1", Range::Whole),
        ] {
            assert_eq!(Range::parse(header, 10), expected, "{header}");
        }
        assert_eq!(Range::parse("bytes=-5", 0), Range::Outside);
    }

    #[test]
    fn signatures_hash_the_decoded_path() {
        let hash = md5_hex(format!("/{UID}/资料/a b.txt-2000-r-{UID}-{LINK_KEY}").as_bytes());
        let path = format!("/{UID}/资料/a b.txt");
        let query = format!("auth_key=2000-r-{UID}-{hash}");
        assert!(is_signed(&path, &query, 1999));
        assert!(is_signed(&path, &format!("b=1&{query}"), 1999));
        assert!(!is_signed(&path, &query, 2000));
        assert!(!is_signed(&path, &format!("{query}&{query}"), 1999));
        assert!(!is_signed(&format!("{path}x"), &query, 1999));
        assert!(!is_signed(&path, "", 1999));
    }
}
