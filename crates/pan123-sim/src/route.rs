//! Which operation answers which path, and what the reference says about its parameters.

mod account;
mod services;
mod share;

use http::{Method, Uri};
use serde_json::Value;

use crate::args::{Kind, Param, Place};
use crate::face::Face;
use crate::form::pairs;
use crate::ops::{Call, cdn, files, oauth, offline, organise, upload_v1, upload_v2};
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
}

impl Run {
    /// Whether the request's body is a file, which a fault can cut in the middle.
    pub(crate) fn is_upload(self) -> bool {
        matches!(self, Self::Slice | Self::SingleCreate | Self::PutSlice)
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
/// `open/offline.callback` is the one that it sends to others. Those of `cdn` are no calls of the reference: they are the
/// fetching of direct links, images and playlists.
pub fn operations() -> impl Iterator<Item = &'static str> {
    let ids = || TABLES.iter().flat_map(|table| table.iter()).map(|route| route.id).chain(["open/offline.callback"]);
    // An operation can have several paths.
    ids().enumerate().filter(move |(index, id)| ids().take(*index).all(|before| before != *id)).map(|(_, id)| id)
}

pub(crate) fn find(face: Face, method: &Method, uri: &Uri, lenient: bool) -> Result<&'static Route, NoRoute> {
    let path = uri.path();
    match face {
        Face::Cdn => return find_on_cdn(method, path, lenient),
        Face::Storage if path.starts_with("/123-") => {
            let route = &STORAGE[usize::from(path.starts_with("/123-oss/"))];
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
    let shown_on = |route: &Route| route.face == face || (route.face == Face::Share && face == Face::Web);
    let answers = |route: &&Route| shown_on(route) || (lenient && route.face.is_api() && face.is_api());
    let mut same_path =
        TABLES.iter().flat_map(|table| table.iter()).filter(answers).filter(|route| route.path == path).peekable();
    if same_path.peek().is_none() {
        return Err(NoRoute::Path);
    }
    let found = same_path.find(|route| route.method == method.as_str()).ok_or(NoRoute::Method)?;
    Ok(by_query(found, method, uri.query().unwrap_or_default()))
}

/// Some paths have several operations, which are told apart by the query.
fn by_query(found: &'static Route, method: &Method, query: &str) -> &'static Route {
    let has = |name: &str| pairs(query).iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && value == "2");
    match found.id {
        "open/oauth.token_by_code" if oauth::is_refresh(method, query) => &account::OAUTH_REFRESH[0],
        "open/file.list_v2" if has("businessType") => &services::VIDEO_LISTS[1],
        "open/file.list_v2" if has("category") => &services::VIDEO_LISTS[0],
        _ => found,
    }
}

/// And one path has two, which are told apart by the body.
pub(crate) fn by_body(found: &'static Route, body: &[u8]) -> &'static Route {
    let fields: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_segment = fields.get("type").is_some_and(|kind| *kind == 2 || *kind == "2");
    if found.needs_body() && is_segment { &services::SEGMENT[0] } else { found }
}

fn find_on_cdn(method: &Method, path: &str, lenient: bool) -> Result<&'static Route, NoRoute> {
    if method != Method::GET && !(lenient && method == Method::HEAD) {
        return Err(NoRoute::Method);
    }
    let mut names = path.split('/').skip(1);
    let first = names.next().unwrap_or_default();
    if first == UID.to_string() {
        Ok(if names.next() == Some(cdn::IMAGES) { &IMAGE[0] } else { &DIRECT_LINK[0] })
    } else if first == cdn::PLAYLISTS {
        Ok(&PLAYLIST[0])
    } else if first.starts_with("123-") {
        Ok(&DOWNLOAD[0])
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
    Route { id, also: None, method, path, face: Face::Open, auth: Auth::Bearer, params, run }
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

impl Route {
    const fn on(mut self, face: Face) -> Self {
        self.face = face;
        self
    }

    const fn also(mut self, id: &'static str) -> Self {
        self.also = Some(id);
        self
    }

    /// Whether the body says which operation it is.
    pub(crate) fn needs_body(&self) -> bool {
        self.id == "open/transcode.download_m3u8"
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

const TABLES: [&[Route]; 21] = [
    account::ACCOUNT,
    account::OAUTH,
    account::OAUTH_REFRESH,
    FILES,
    ORGANISE,
    UPLOAD_V1,
    STORAGE,
    UPLOAD_V2,
    OFFLINE,
    services::SHARES,
    services::DIRECT_LINKS,
    services::DEVELOPER,
    services::IMAGES,
    services::VIDEO_LISTS,
    services::TRANSCODING,
    services::SEGMENT,
    share::SHARE,
    DOWNLOAD,
    DIRECT_LINK,
    IMAGE,
    PLAYLIST,
];

const FILES: &[Route] = &[
    plain(
        "open/file.list_v1",
        "GET",
        "/api/v1/file/list",
        &[
            query("parentFileId", Kind::Int),
            query("page", Kind::Int),
            query("limit", Kind::Int),
            query("orderBy", Kind::Text),
            query("orderDirection", Kind::Text),
            query("trashed", Kind::Bool).optional(),
            query("searchData", Kind::Text).optional(),
        ],
        files::list_v1,
    ),
    plain("open/safebox.id", "GET", "/api/v1/safebox/id", &[query("password", Kind::Text)], files::safebox),
    plain("open/file.list_v2", "GET", "/api/v2/file/list", services::LIST_V2, files::list_v2),
    plain("open/file.detail", "GET", "/api/v1/file/detail", &[query("fileID", Kind::Int)], files::detail),
    plain("open/file.infos", "POST", "/api/v1/file/infos", &[json("fileIds", Kind::Ints)], files::infos),
    plain(
        "open/file.mkdir",
        "POST",
        "/upload/v1/file/mkdir",
        &[json("name", Kind::Text), json("parentID", Kind::Int)],
        files::mkdir,
    ),
    plain("open/file.trash", "POST", "/api/v1/file/trash", &[json("fileIDs", Kind::Ints)], files::trash),
    plain(
        "open/file.download_info",
        "GET",
        "/api/v1/file/download_info",
        &[query("fileId", Kind::Int)],
        files::download_info,
    ),
];

/// The reference advises to send the target of a copy in both spellings.
const TARGET: Param = json("targetDirId", Kind::Int);
const TARGET_AGAIN: Param = json("targetDirID", Kind::Int).repeats("targetDirId");

const ORGANISE: &[Route] = &[
    plain(
        "open/file.rename",
        "PUT",
        "/api/v1/file/name",
        &[json("fileId", Kind::Int), json("fileName", Kind::Text)],
        organise::rename,
    ),
    plain(
        "open/file.rename_batch",
        "POST",
        "/api/v1/file/rename",
        &[json("renameList", Kind::Texts)],
        organise::rename_batch,
    ),
    plain(
        "open/file.move",
        "POST",
        "/api/v1/file/move",
        &[json("fileIDs", Kind::Ints), json("toParentFileID", Kind::Int)],
        organise::move_to,
    ),
    plain(
        "open/file.copy",
        "POST",
        "/api/v1/file/copy",
        &[json("fileId", Kind::Int), TARGET, TARGET_AGAIN],
        organise::copy,
    ),
    plain(
        "open/file.copy_async",
        "POST",
        "/api/v1/file/async/copy",
        &[json("fileIds", Kind::Ints), TARGET, TARGET_AGAIN],
        organise::copy_async,
    ),
    plain(
        "open/file.copy_async_process",
        "GET",
        "/api/v1/file/async/copy/process",
        &[query("taskId", Kind::Int), json("taskId", Kind::Int).repeats("taskId")],
        organise::copy_async_process,
    ),
    plain("open/file.recover", "POST", "/api/v1/file/recover", &[json("fileIDs", Kind::Ints)], organise::recover),
    plain(
        "open/file.recover_by_path",
        "POST",
        "/api/v1/file/recover/by_path",
        &[json("fileIDs", Kind::Ints), json("parentFileID", Kind::Int).alias("toParentFileID")],
        organise::recover_by_path,
    ),
    plain("open/file.delete", "POST", "/api/v1/file/delete", &[json("fileIDs", Kind::Ints)], organise::delete),
];

const ANNOUNCED: &[Param] = &[
    json("parentFileID", Kind::Int),
    json("filename", Kind::Text),
    json("etag", Kind::Text),
    json("size", Kind::Int),
    json("duplicate", Kind::Int).optional(),
    json("containDir", Kind::Bool).optional(),
];

const TICKET: &[Param] = &[json("preuploadID", Kind::Text)];

const UPLOAD_V1: &[Route] = &[
    plain("open/upload_v1.create", "POST", "/upload/v1/file/create", ANNOUNCED, upload_v1::create),
    plain(
        "open/upload_v1.get_upload_url",
        "POST",
        "/upload/v1/file/get_upload_url",
        &[json("preuploadID", Kind::Text), json("sliceNo", Kind::Int)],
        upload_v1::get_upload_url,
    ),
    plain(
        "open/upload_v1.list_upload_parts",
        "POST",
        "/upload/v1/file/list_upload_parts",
        TICKET,
        upload_v1::list_upload_parts,
    ),
    call("open/upload_v1.upload_complete", "POST", "/upload/v1/file/upload_complete", TICKET, Run::CompleteV1),
    call("open/upload_v1.upload_async_result", "POST", "/upload/v1/file/upload_async_result", TICKET, Run::AsyncResult),
];

const STORAGE: &[Route] = &[
    call("open/upload_v1.put_slice", "PUT", "", &[], Run::PutSlice).on(Face::Storage).auth(Auth::Nothing),
    call("open/oss.put_slice", "PUT", "", &[], Run::PutSlice).on(Face::Storage).auth(Auth::Nothing),
];

const OFFLINE: &[Route] = &[
    plain(
        "open/offline.download",
        "POST",
        "/api/v1/offline/download",
        &[
            json("url", Kind::Text),
            json("fileName", Kind::Text).optional(),
            json("dirID", Kind::Int).optional(),
            json("callBackUrl", Kind::Text).optional(),
        ],
        offline::download,
    ),
    plain(
        "open/offline.process",
        "GET",
        "/api/v1/offline/download/process",
        &[query("taskID", Kind::Int)],
        offline::process,
    ),
];

const UPLOAD_V2: &[Route] = &[
    plain("open/upload_v2.create", "POST", "/upload/v2/file/create", ANNOUNCED, upload_v2::create),
    call(
        "open/upload_v2.slice",
        "POST",
        "/upload/v2/file/slice",
        &[form("preuploadID", Kind::Text), form("sliceNo", Kind::Int), form("sliceMD5", Kind::Text)],
        Run::Slice,
    )
    .on(Face::Upload),
    call("open/upload_v2.upload_complete", "POST", "/upload/v2/file/upload_complete", TICKET, Run::Complete),
    plain("open/upload_v2.domain", "GET", "/upload/v2/file/domain", &[], upload_v2::domain),
    call(
        "open/upload_v2.single_create",
        "POST",
        "/upload/v2/file/single/create",
        &[
            form("parentFileID", Kind::Int),
            form("filename", Kind::Text),
            form("etag", Kind::Text),
            form("size", Kind::Int),
            form("duplicate", Kind::Int).optional(),
            form("containDir", Kind::Bool).optional(),
        ],
        Run::SingleCreate,
    )
    .on(Face::Upload),
    plain(
        "open/upload_v2.sha1_reuse",
        "POST",
        "/upload/v2/file/sha1_reuse",
        &[
            json("parentFileID", Kind::Int),
            json("filename", Kind::Text),
            json("sha1", Kind::Text),
            json("size", Kind::Int),
            json("duplicate", Kind::Int).optional(),
        ],
        upload_v2::sha1_reuse,
    ),
];

const DOWNLOAD: &[Route] =
    &[call("open/file.download_content", "GET", "", &[], Run::Download).on(Face::Cdn).auth(Auth::Nothing)];

const DIRECT_LINK: &[Route] =
    &[call("cdn/direct_link", "GET", "", &[], Run::DirectLink).on(Face::Cdn).auth(Auth::Nothing)];

const IMAGE: &[Route] = &[call("cdn/image", "GET", "", &[], Run::Image).on(Face::Cdn).auth(Auth::Nothing)];

const PLAYLIST: &[Route] = &[call("cdn/playlist", "GET", "", &[], Run::Playlist).on(Face::Cdn).auth(Auth::Nothing)];

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
