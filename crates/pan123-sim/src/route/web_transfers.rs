//! The web API: downloads, and uploads with the storage behind them.

use http::Method;
use serde_json::Value;

use super::{Apart, Auth, Route, Run, call, is_number, json, web};
use crate::args::{Kind, Param};
use crate::face::Face;
use crate::ops::storage::Action;
use crate::ops::{web_downloads, web_files, web_uploads};

const ONE_FILE: &[Param] = &[
    json("driveId", Kind::Int).lax(),
    json("etag", Kind::Text),
    json("fileId", Kind::Int).lax(),
    json("fileName", Kind::Text).lax(),
    json("s3keyFlag", Kind::Text),
    json("size", Kind::Int),
    json("type", Kind::Int).lax(),
];
const SEVERAL: &[Param] = &[json("fileIdList", Kind::Any)];

pub(super) const DOWNLOADS: &[Route] = &[
    web(
        "web/download.traffic_check",
        "POST",
        "/api/file/download/traffic/check",
        &[json("fids", Kind::Ints)],
        web_downloads::traffic_check,
    ),
    web("web/download.info", "POST", "/api/file/download_info", ONE_FILE, web_downloads::info),
    web("web/download.info_v2", "POST", "/api/v2/file/download_info", ONE_FILE, web_downloads::info_v2),
    web("web/download.batch_info", "POST", "/api/file/batch_download_info", SEVERAL, web_downloads::batch_info),
    web("web/download.batch_info", "POST", "/api/v2/file/batch_download_info", SEVERAL, web_downloads::batch_info_v2),
];

const REQUEST: &str = "/api/file/upload_request";
const REQUEST_PARAMS: &[Param] = &[
    json("driveId", Kind::Int).lax(),
    json("etag", Kind::Text),
    json("fileName", Kind::Text),
    json("parentFileId", Kind::Int),
    json("size", Kind::Int),
    json("type", Kind::Int).lax(),
    json("duplicate", Kind::Int).optional(),
    json("NotReuse", Kind::Bool).optional(),
    json("event", Kind::Text).optional(),
    json("operateType", Kind::Int).optional(),
    // Null on the current site.
    json("RequestSource", Kind::Any).optional(),
];

/// The reference has both `StorageNode` and `storageNode`.
const NODE: Param = json("StorageNode", Kind::Text).any_case();
const STORED: &[Param] = &[NODE, json("bucket", Kind::Text), json("key", Kind::Text), json("uploadId", Kind::Text)];
const PRESIGN: &[Param] = &[
    NODE,
    json("bucket", Kind::Text),
    json("key", Kind::Text),
    // One working client leaves them out where there is but one part.
    json("partNumberStart", Kind::Int).lax(),
    json("partNumberEnd", Kind::Int).lax(),
    json("uploadId", Kind::Text),
];

pub(super) const UPLOADS: &[Route] = &[
    web("web/upload.request", "POST", REQUEST, REQUEST_PARAMS, web_uploads::request).apart(Apart::Body(folder)),
    web("web/upload.auth_single", "POST", "/api/file/s3_upload_object/auth", PRESIGN, web_uploads::auth_single),
    web(
        "web/upload.presign_parts",
        "POST",
        "/api/file/s3_repare_upload_parts_batch",
        PRESIGN,
        web_uploads::presign_parts,
    ),
    web("web/upload.list_parts", "POST", "/api/file/s3_list_upload_parts", STORED, web_uploads::list_parts),
    call(
        "web/upload.complete_v2",
        "POST",
        "/api/file/upload_complete/v2",
        &[
            NODE.lax(),
            json("bucket", Kind::Text).lax(),
            json("fileId", Kind::Int),
            json("fileSize", Kind::Int).lax(),
            json("isMultipart", Kind::Bool).lax(),
            json("key", Kind::Text).lax(),
            json("uploadId", Kind::Text).lax(),
        ],
        Run::CompleteWeb,
    )
    .on(Face::Web)
    .auth(Auth::Web),
    call("web/upload.complete", "POST", "/api/file/upload_complete", &[json("fileId", Kind::Int)], Run::CompleteStored)
        .on(Face::Web)
        .auth(Auth::Web),
    web(
        "web/upload.s3_complete_multipart",
        "POST",
        "/api/file/s3_complete_multipart_upload",
        &[
            NODE,
            json("bucket", Kind::Text),
            json("key", Kind::Text),
            json("uploadId", Kind::Text),
            json("parts", Kind::Objects).optional(),
        ],
        web_uploads::s3_complete,
    ),
    web("web/upload.s3_abort_multipart", "POST", "/api/file/s3_abort_multipart_upload", STORED, web_uploads::s3_abort),
];

/// On the path of the announcement, told apart by `type`.
pub(super) const FOLDER: &[Route] = &[web("web/file.mkdir", "POST", REQUEST, REQUEST_PARAMS, web_files::mkdir)];

fn folder(fields: &Value) -> Option<&'static Route> {
    is_number(fields, "type", 1).then_some(&FOLDER[0])
}

const fn stored(id: &'static str, method: &'static str, action: Action, auth: Auth) -> Route {
    let run = if matches!(action, Action::Put) { Run::PutStored } else { Run::Storage(action) };
    call(id, method, "", &[], run).on(Face::Storage).auth(auth)
}

/// The storage: the first is the reference's, the others are those of S3.
pub(super) const STORAGE: &[Route] = &[
    stored("web/upload.put_part", "PUT", Action::Put, Auth::Nothing),
    stored("storage/put_object", "PUT", Action::Put, Auth::Anything),
    stored("storage/upload_part", "PUT", Action::Put, Auth::Anything),
    stored("storage/create_multipart_upload", "POST", Action::Create, Auth::Anything),
    stored("storage/complete_multipart_upload", "POST", Action::Complete, Auth::Anything),
    stored("storage/abort_multipart_upload", "DELETE", Action::Abort, Auth::Anything),
    stored("storage/list_parts", "GET", Action::ListParts, Auth::Anything),
];

/// Which of the storage's calls a request to the web API's bucket is.
pub(super) fn on_storage(method: &Method, query: &str) -> Option<&'static Route> {
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let index = match *method {
        Method::PUT if has("X-Amz-Signature") => 0,
        Method::PUT if has("uploadId") => 2,
        Method::PUT => 1,
        Method::POST if has("uploads") => 3,
        Method::POST => 4,
        Method::DELETE => 5,
        Method::GET => 6,
        _ => return None,
    };
    Some(&STORAGE[index])
}
