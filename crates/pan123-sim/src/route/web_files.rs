//! The web API: lists, looking up, folders, renaming, moving, copying, the trash.

use http::Method;
use serde_json::Value;

use super::{Apart, Route, json, query, web};
use crate::args::{Kind, Param};
use crate::form::pairs;
use crate::ops::{web_files, web_folders};

const LIST: &str = "/api/file/list/new";
const LIST_PARAMS: &[Param] = &[
    query("driveId", Kind::Int).lax(),
    query("limit", Kind::Int).lax(),
    query("next", Kind::Text).lax(),
    query("orderBy", Kind::Text).lax(),
    query("orderDirection", Kind::Text).lax(),
    query("parentFileId", Kind::Int).lax(),
    query("trashed", Kind::Bool).lax(),
    query("SearchData", Kind::Text).optional(),
    query("Page", Kind::Int).lax(),
    query("OnlyLookAbnormalFile", Kind::Int).optional(),
    query("event", Kind::Text).optional(),
    query("operateType", Kind::Text).optional(),
    query("inDirectSpace", Kind::Bool).optional(),
    query("fileCategory", Kind::Int).optional(),
    query("FileType", Kind::Int).optional(),
    query("parentFileName", Kind::Text).optional(),
    query("isSearchOrder", Kind::Bool).optional(),
    query("RequestSource", Kind::Int).optional(),
];

pub(super) const LISTS: &[Route] = &[
    web("web/file.list", "GET", LIST, LIST_PARAMS, web_folders::list).apart(Apart::Query(other_list)),
    web(
        "web/file.list_old",
        "GET",
        "/api/file/list",
        &[
            query("driveId", Kind::Int).lax(),
            query("limit", Kind::Int).lax(),
            query("next", Kind::Text).lax(),
            query("orderBy", Kind::Text).optional(),
            query("orderDirection", Kind::Text).optional(),
            query("parentFileId", Kind::Int).lax(),
            query("trashed", Kind::Bool).optional(),
            query("inDirectSpace", Kind::Bool).optional(),
            query("event", Kind::Text).optional(),
            query("operateType", Kind::Text).optional(),
            query("SearchData", Kind::Text).optional(),
            query("OnlyLookAbnormalFile", Kind::Int).optional(),
            query("Page", Kind::Int).optional(),
        ],
        web_folders::list_old,
    ),
];

/// On the path of the list, told apart by what is asked for.
pub(super) const OTHER_LISTS: &[Route] = &[
    web("web/file.search", "GET", LIST, LIST_PARAMS, web_folders::search),
    web("web/file.list_trash", "GET", LIST, LIST_PARAMS, web_folders::list_trash),
];

fn other_list(_: &Method, query: &str) -> Option<&'static Route> {
    let query = pairs(query);
    let has = |name: &str, wanted: fn(&str) -> bool| {
        query.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && wanted(value))
    };
    let trash = has("trashed", |value| value.eq_ignore_ascii_case("true") || value == "1")
        || has("event", |value| value == "recycleListFile");
    match () {
        () if trash => Some(&OTHER_LISTS[1]),
        () if has("SearchData", |value| !value.is_empty()) => Some(&OTHER_LISTS[0]),
        () => None,
    }
}

const EVENT: Param = json("event", Kind::Text).optional();
/// Null on the current site.
const SOURCE: Param = json("RequestSource", Kind::Any).optional();
const PLACE: Param = json("operatePlace", Kind::Any).optional();
const FILE_ID_LIST: Param = json("fileIdList", Kind::Any);
const TRASH: &str = "/api/file/trash";
const TRASH_PARAMS: &[Param] = &[
    json("driveId", Kind::Int).optional(),
    json("fileTrashInfoList", Kind::Any),
    json("operation", Kind::Bool).optional(),
    EVENT,
    PLACE,
    SOURCE,
    json("safeBox", Kind::Bool).optional(),
];

pub(super) const FILES: &[Route] = &[
    web("web/file.info", "POST", "/api/file/info", &[FILE_ID_LIST], web_files::info),
    web("web/file.detail", "GET", "/api/file/detail", &[query("fileID", Kind::Int)], web_files::detail),
    web(
        "web/file.details",
        "POST",
        "/api/restful/goapi/v1/file/details",
        &[json("file_ids", Kind::Ints)],
        web_files::details,
    ),
    web(
        "web/file.rename",
        "POST",
        "/api/file/rename",
        &[
            json("driveId", Kind::Int).lax(),
            json("fileId", Kind::Int),
            json("fileName", Kind::Text),
            json("duplicate", Kind::Int).optional(),
            EVENT,
            SOURCE,
        ],
        web_files::rename,
    ),
    web(
        "web/file.move",
        "POST",
        "/api/file/mod_pid",
        &[FILE_ID_LIST, json("parentFileId", Kind::Int), EVENT, PLACE, SOURCE],
        web_files::move_to,
    ),
    web("web/file.trash", "POST", TRASH, TRASH_PARAMS, web_files::trash).apart(Apart::Body(restore)),
    web("web/file.restore", "POST", TRASH, TRASH_PARAMS, web_files::restore),
    web(
        "web/file.restore_to",
        "POST",
        "/api/file/recover/by_path",
        &[json("fileIds", Kind::Ints), json("parentFileId", Kind::Int)],
        web_files::restore_to,
    ),
    web("web/file.delete", "POST", "/api/file/delete", &[FILE_ID_LIST, EVENT], web_files::delete),
    web("web/file.trash_clear", "POST", "/api/file/trash_delete_all", &[EVENT], web_files::trash_clear),
    web(
        "web/file.copy",
        "POST",
        "/api/restful/goapi/v1/file/copy/async",
        &[json("fileList", Kind::Objects), json("targetFileId", Kind::Int)],
        web_files::copy,
    ),
    web(
        "web/file.copy_task",
        "GET",
        "/api/restful/goapi/v1/file/copy/task",
        &[query("taskId", Kind::Int)],
        web_files::copy_task,
    ),
];

/// Without `operation` the event says whether entries go into the trash or out of it.
fn restore(fields: &Value) -> Option<&'static Route> {
    let field = |name: &str| {
        let fields = fields.as_object()?;
        fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let out = match field("operation").filter(|value| !value.is_null()) {
        Some(operation) => *operation == false || *operation == 0 || *operation == "false",
        None => field("event").is_some_and(|event| event == "recycleRestore"),
    };
    out.then(|| FILES.iter().find(|route| route.id == "web/file.restore")).flatten()
}
