//! Which operation answers which path, and what the reference says about its parameters.

mod account;
mod files;
mod places;
mod services;
mod share;
mod uploads;
mod web_files;
mod web_login;
mod web_services;
mod web_shares;
mod web_transfers;

use http::{Method, Uri};
use serde_json::Value;

use crate::args::{Kind, Param, Place};
use crate::face::Face;
use crate::form::{FilePart, pairs};
use crate::ops::storage::Action;
use crate::ops::{Call, cdn, web_row};
use crate::reply::{Refusal, Reply};
use crate::simulator::UID;

/// One operation of the service.
#[derive(Debug)]
pub(crate) struct Route {
    /// `<api>/<id of the reference>`.
    pub(crate) id: &'static str,
    /// The operation whose path this one shares, which its calls count for too.
    pub(crate) also: Option<&'static str>,
    method: &'static str,
    path: &'static str,
    pub(crate) face: Face,
    pub(crate) auth: Auth,
    pub(crate) params: &'static [Param],
    pub(crate) run: Run,
    apart: Apart,
}

/// What tells apart the operations of one path; where it finds none, it is the operation whose path it is.
#[derive(Clone, Copy, Debug)]
enum Apart {
    Nothing,
    /// By the method and the query.
    Query(fn(&Method, &str) -> Option<&'static Route>),
    /// By the body's fields.
    Body(fn(&Value) -> Option<&'static Route>),
}

/// What a call must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// The platform header and an access token.
    Bearer,
    /// The platform header alone.
    Platform,
    /// The headers of the web page, its signature, and the token of a login.
    Web,
    /// The same, but the token may be left out or empty.
    WebGuest,
    /// The headers of the web page and the token of a login; a signature may be there.
    WebToken,
    /// The headers of the web page; a signature may be there.
    WebNothing,
    /// Nothing; in strict mode it must not show any credential.
    Nothing,
    /// Whatever it likes.
    Anything,
}

/// How an operation is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// All at once, when its parameters are read.
    Plain(fn(&mut Call<'_>) -> Result<Reply, Refusal>),
    /// All at once, with a small file in the part of a form that has this name.
    WithFile(&'static str, fn(&mut Call<'_>, Option<FilePart>) -> Result<Reply, Refusal>),
    /// One slice of an upload, from a form that is read as it arrives.
    Slice,
    /// A whole file, from a form that is read as it arrives.
    SingleCreate,
    /// Hashes a whole file.
    Complete,
    /// Hashes a whole file of one slice; a longer one is put off.
    CompleteV1,
    /// Hashes a whole file that was put off.
    AsyncResult,
    /// As [`CompleteV1`](Self::CompleteV1), of an image.
    CompleteImage,
    /// As [`AsyncResult`](Self::AsyncResult), of an image.
    AsyncImageResult,
    /// One slice at a presigned address.
    PutSlice,
    /// The bytes behind a download address.
    Download,
    /// The bytes behind a direct link.
    DirectLink,
    /// The bytes behind an image's public address.
    Image,
    /// The bytes behind the address of a playlist or segment.
    Playlist,
    /// The page that leads to a download.
    Relay,
    /// A small picture of a picture.
    Thumbnail,
    /// One part, or a whole object, for the web API's storage.
    PutStored,
    /// A call of the storage without bytes of a file.
    Storage(Action),
    /// Ends an upload of the web API.
    CompleteWeb,
    /// Ends one whose bytes the storage has put together already.
    CompleteStored,
}

impl Run {
    /// Whether the request's body is a file, which a fault can cut in the middle.
    pub(crate) fn is_upload(self) -> bool {
        matches!(self, Self::Slice | Self::SingleCreate | Self::PutSlice | Self::PutStored)
    }
}

/// Why no operation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    Path,
    Method,
}

/// The operations that the simulator carries out, as `<api>/<id of the reference>`.
///
/// `open/offline.callback` is the one that it sends to others. Those of `cdn` and
/// `storage` are no calls of the reference: they are the fetching of direct links, images and playlists, and what S3 calls
/// by these names.
pub fn operations() -> impl Iterator<Item = &'static str> {
    let ids = || TABLES.iter().flat_map(|table| table.iter()).map(|route| route.id).chain(["open/offline.callback"]);
    // An operation can have several paths.
    ids().enumerate().filter(move |(index, id)| ids().take(*index).all(|before| before != *id)).map(|(_, id)| id)
}

pub(crate) fn find(face: Face, method: &Method, uri: &Uri, lenient: bool) -> Result<&'static Route, NoRoute> {
    let path = uri.path();
    match face {
        Face::Cdn => return find_on_cdn(method, path, lenient),
        Face::Storage if path.starts_with("/123-100/") => {
            let found = web_transfers::on_storage(method, uri.query().unwrap_or_default());
            return found.ok_or(NoRoute::Method);
        }
        Face::Storage if path.starts_with("/123-") => {
            let route = &uploads::STORAGE[usize::from(path.starts_with("/123-oss/"))];
            return if method == Method::PUT { Ok(route) } else { Err(NoRoute::Method) };
        }
        _ => {}
    }
    let tidied;
    let path = if lenient {
        tidied = tidy(path);
        tidied.as_str()
    } else if matches!(face, Face::Web | Face::Share) {
        let inner = path.strip_prefix("/a").or_else(|| path.strip_prefix("/b"));
        inner.filter(|inner| inner.starts_with("/api/")).unwrap_or(path)
    } else {
        path
    };
    // The web hosts answer for logins and shares, too.
    let shown_on =
        |route: &Route| route.face == face || (face == Face::Web && matches!(route.face, Face::Share | Face::Login));
    let answers = |route: &&Route| shown_on(route) || (lenient && route.face.is_api() && face.is_api());
    let all = || TABLES.iter().flat_map(|table| table.iter());
    let mut same_path: Vec<&Route> = all().filter(answers).filter(|route| route.path == path).collect();
    if same_path.is_empty() {
        same_path = all().filter(answers).filter(|route| route.in_path(path).is_some()).collect();
    }
    if same_path.is_empty() {
        return Err(NoRoute::Path);
    }
    let by_method = |method: &str| same_path.iter().copied().filter(|route| route.method == method).collect();
    let mut same_method: Vec<&Route> = by_method(method.as_str());
    if same_method.is_empty() && lenient {
        // Clients differ on whether some calls are fetched or posted.
        same_method = match method.as_str() {
            "GET" => by_method("POST"),
            "POST" => by_method("GET"),
            _ => Vec::new(),
        };
    }
    let own = same_method.iter().find(|route| route.face == face);
    let found = own.or_else(|| same_method.first()).copied().ok_or(NoRoute::Method)?;
    Ok(match found.apart {
        Apart::Query(told) => told(method, uri.query().unwrap_or_default()).unwrap_or(found),
        _ => found,
    })
}

/// The operation that a body is for, of those that have the path of `found`.
pub(crate) fn by_body(found: &'static Route, body: &[u8]) -> &'static Route {
    let Apart::Body(told) = found.apart else { return found };
    let fields = serde_json::from_slice(body).unwrap_or_else(|_| {
        // Some clients send forms.
        let pairs = pairs(&String::from_utf8_lossy(body)).into_iter();
        Value::Object(pairs.map(|(name, value)| (name, Value::from(value))).collect())
    });
    told(&fields).unwrap_or(found)
}

/// Whether a parameter that is a whole number has this value, written as a number or as a text.
fn is_number(fields: &Value, name: &str, number: i64) -> bool {
    let value = fields.as_object().into_iter().flatten().find(|(key, _)| key.eq_ignore_ascii_case(name));
    value.and_then(|(_, value)| value.as_i64().or_else(|| value.as_str()?.parse().ok())) == Some(number)
}

fn find_on_cdn(method: &Method, path: &str, lenient: bool) -> Result<&'static Route, NoRoute> {
    if method != Method::GET && !(lenient && method == Method::HEAD) {
        return Err(NoRoute::Method);
    }
    let mut names = path.split('/').skip(1);
    let first = names.next().unwrap_or_default();
    if first == UID.to_string() {
        Ok(if names.next() == Some(cdn::IMAGES) { &places::IMAGE[0] } else { &places::DIRECT_LINK[0] })
    } else if first == cdn::PLAYLISTS {
        Ok(&places::PLAYLIST[0])
    } else if first == cdn::RELAY {
        Ok(&places::RELAY[0])
    } else if first == web_row::THUMBNAILS {
        Ok(&places::THUMBNAIL[0])
    } else if first.starts_with("123-") {
        Ok(&places::DOWNLOAD[0])
    } else {
        Err(NoRoute::Path)
    }
}

/// Lenient mode: doubled and trailing slashes go, and so do the prefixes that the web host has before `/api`.
fn tidy(path: &str) -> String {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let names = match names.as_slice() {
        ["a" | "b", rest @ ..] => rest,
        all => all,
    };
    format!("/{}", names.join("/"))
}

const fn call(id: &'static str, method: &'static str, path: &'static str, params: &'static [Param], run: Run) -> Route {
    Route { id, also: None, method, path, face: Face::Open, auth: Auth::Bearer, params, run, apart: Apart::Nothing }
}

const fn plain(
    id: &'static str,
    method: &'static str,
    path: &'static str,
    params: &'static [Param],
    run: fn(&mut Call<'_>) -> Result<Reply, Refusal>,
) -> Route {
    call(id, method, path, params, Run::Plain(run))
}

/// A call of the web API, under the prefix `/b`: signed, and with the token of a login.
const fn web(
    id: &'static str,
    method: &'static str,
    path: &'static str,
    params: &'static [Param],
    run: fn(&mut Call<'_>) -> Result<Reply, Refusal>,
) -> Route {
    plain(id, method, path, params, run).on(Face::Web).auth(Auth::Web)
}

impl Route {
    const fn on(mut self, face: Face) -> Self {
        self.face = face;
        self
    }

    const fn also(mut self, id: &'static str) -> Self {
        self.also = Some(id);
        self
    }

    /// The parameter that is the last name of the path: its name and its value.
    pub(crate) fn in_path<'a>(&self, path: &'a str) -> Option<(&'static str, &'a str)> {
        let (start, name) = self.path.strip_suffix('}')?.split_once('{')?;
        let value = path.trim_end_matches('/').strip_prefix(start)?;
        (!value.is_empty() && !value.contains('/')).then_some((name, value))
    }

    /// Whether the body says which operation it is.
    pub(crate) fn needs_body(&self) -> bool {
        matches!(self.apart, Apart::Body(_))
    }

    /// Whether it belongs to the web API, with its headers and codes.
    pub(crate) fn is_web(&self) -> bool {
        matches!(self.face, Face::Web | Face::Login | Face::Share) && !matches!(self.auth, Auth::Anything)
    }

    /// Whether it is one of the lists that have a code of their own for guests.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.id, "web/file.list" | "web/file.search" | "web/file.list_trash" | "web/file.list_old")
    }

    const fn apart(mut self, apart: Apart) -> Self {
        self.apart = apart;
        self
    }

    const fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }
}

const fn json(name: &'static str, kind: Kind) -> Param {
    Param::new(name, Place::Json, kind)
}

const fn query(name: &'static str, kind: Kind) -> Param {
    Param::new(name, Place::Query, kind)
}

const fn form(name: &'static str, kind: Kind) -> Param {
    Param::new(name, Place::Form, kind)
}

/// Where two tables have a path on one face, the first of them counts.
const TABLES: &[&[Route]] = &[
    account::ACCOUNT,
    account::OAUTH,
    account::OAUTH_REFRESH,
    files::FILES,
    files::ORGANISE,
    files::OFFLINE,
    uploads::UPLOAD_V1,
    uploads::UPLOAD_V2,
    uploads::STORAGE,
    services::SHARES,
    services::DIRECT_LINKS,
    services::DEVELOPER,
    services::IMAGES,
    services::VIDEO_LISTS,
    services::TRANSCODING,
    services::SEGMENT,
    share::SHARE,
    web_login::LOGIN,
    web_login::OTHER_WAYS,
    web_login::USER,
    web_files::LISTS,
    web_files::OTHER_LISTS,
    web_files::FILES,
    web_transfers::DOWNLOADS,
    web_transfers::UPLOADS,
    web_transfers::FOLDER,
    web_transfers::STORAGE,
    web_services::FILES,
    web_services::ARCHIVES,
    web_services::OFFLINE,
    web_services::LINKS,
    web_services::SITE,
    web_shares::SHARES,
    places::DOWNLOAD,
    places::DIRECT_LINK,
    places::IMAGE,
    places::PLAYLIST,
    places::RELAY,
    places::THUMBNAIL,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lenient_paths_lose_what_does_not_matter() {
        for path in ["/api/v1/user/info", "//api/v1/user/info/", "/b/api/v1/user/info", "/a/api//v1/user/info"] {
            assert_eq!(tidy(path), "/api/v1/user/info", "{path}");
        }
    }

    #[test]
    fn strict_faces_answer_only_their_own_paths() {
        let found = |face, lenient| {
            find(face, &Method::POST, &Uri::from_static("/upload/v2/file/slice"), lenient).map(|route| route.id)
        };
        assert_eq!(found(Face::Upload, false), Ok("open/upload_v2.slice"));
        assert_eq!(found(Face::Open, false), Err(NoRoute::Path));
        assert_eq!(found(Face::Open, true), Ok("open/upload_v2.slice"));
        assert_eq!(found(Face::Storage, true), Err(NoRoute::Path));
        assert_eq!(
            find(Face::Open, &Method::GET, &Uri::from_static("/api/v1/file/trash"), false).map(|_| ()),
            Err(NoRoute::Method)
        );
    }
}
