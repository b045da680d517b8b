//! The Open Platform's files: lists, folders, moving and copying, the trash, offline downloads.

use http::Method;

use super::{Apart, Route, json, plain, query, services};
use crate::args::{Kind, Param};
use crate::form::pairs;
use crate::ops::{files, offline, organise};

pub(super) const FILES: &[Route] = &[
    plain(
        "open/file.list_v1",
        "GET",
        "/api/v1/file/list",
        &[
            query("parentFileId", Kind::Int).lax(),
            query("page", Kind::Int).lax(),
            query("limit", Kind::Int).lax(),
            query("orderBy", Kind::Text).lax(),
            query("orderDirection", Kind::Text).lax(),
            query("trashed", Kind::Bool).optional(),
            query("searchData", Kind::Text).optional(),
        ],
        files::list_v1,
    ),
    plain("open/safebox.id", "GET", "/api/v1/safebox/id", &[query("password", Kind::Text)], files::safebox),
    plain("open/file.list_v2", "GET", "/api/v2/file/list", services::LIST_V2, files::list_v2)
        .apart(Apart::Query(list_of_videos)),
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

pub(super) const ORGANISE: &[Route] = &[
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

pub(super) const OFFLINE: &[Route] = &[
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

/// Two lists of videos have the path of the list of files.
fn list_of_videos(_: &Method, query: &str) -> Option<&'static Route> {
    let has = |name: &str| pairs(query).iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && value == "2");
    match (has("businessType"), has("category")) {
        (true, _) => Some(&services::VIDEO_LISTS[1]),
        (_, true) => Some(&services::VIDEO_LISTS[0]),
        _ => None,
    }
}
