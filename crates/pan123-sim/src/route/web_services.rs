//! The web API: what is not everyday work on files. Lists, stars, the safe box, archives, offline downloads, links, the site.

use super::{Auth, Route, call, json, plain, query, web};
use crate::args::{Kind, Param};
use crate::face::Face;
use crate::ops::{dlink, web_archive, web_lists, web_offline, web_services, web_tree};
use crate::route::Run;

const BY_TYPE: &[Param] = &[
    query("driveId", Kind::Int).optional(),
    query("limit", Kind::Int).optional(),
    query("next", Kind::Text).optional(),
    query("category", Kind::Int),
    query("dateGranularity", Kind::Int).optional(),
    query("orderBy", Kind::Text).optional(),
    query("orderDirection", Kind::Text).optional(),
    query("Page", Kind::Int),
    query("parentFileId", Kind::Int).optional(),
    query("trashed", Kind::Bool).optional(),
    query("inDirectSpace", Kind::Bool).optional(),
    query("event", Kind::Text).optional(),
    query("SearchData", Kind::Text).optional(),
    query("isSearchOrder", Kind::Bool).optional(),
    query("OnlyLookAbnormalFile", Kind::Int).optional(),
];

const STARRED: &[Param] = &[
    query("driveId", Kind::Int).optional(),
    query("next", Kind::Text).optional(),
    query("orderBy", Kind::Text).optional(),
    query("orderDirection", Kind::Text).optional(),
    query("Page", Kind::Int),
    query("pageSize", Kind::Int),
    query("parentFileId", Kind::Int).optional(),
    query("trashed", Kind::Bool).optional(),
    query("inDirectSpace", Kind::Bool).optional(),
    query("fileCategory", Kind::Int).optional(),
    query("event", Kind::Text).optional(),
    query("OnlyLookAbnormalFile", Kind::Int).optional(),
];

pub(super) const FILES: &[Route] = &[
    web(
        "web/file.list_by_type",
        "GET",
        "/api/restful/goapi/v1/file/category/list-by-type",
        BY_TYPE,
        web_lists::list_by_type,
    ),
    web(
        "web/file.star",
        "POST",
        "/api/restful/goapi/v1/file/starred",
        &[json("fileIdList", Kind::Ints), json("starredStatus", Kind::Int)],
        web_lists::star,
    ),
    web("web/file.star_list", "GET", "/api/restful/goapi/v1/file/starred/list", STARRED, web_lists::star_list),
    web("web/file.get_path", "POST", "/api/file/get_path", &[json("fileId", Kind::Int)], web_lists::get_path),
    web(
        "web/file.get_path_history",
        "POST",
        "/api/file/get_path_history",
        &[json("fileIdList", Kind::Ints)],
        web_lists::get_path_history,
    ),
    web("web/file.abnormal_count", "GET", "/api/file/abnormal/count", &[], web_services::abnormal_count),
    web(
        "web/file.sync_log",
        "GET",
        "/api/restful/goapi/v1/sync-disk/file/log",
        &[query("page", Kind::Int), query("pageSize", Kind::Int), query("searchData", Kind::Text).optional()],
        web_services::sync_log,
    ),
    web(
        "web/file.safe_box_unlock",
        "POST",
        "/api/restful/goapi/v1/file/safe_box/auth/unlockbox",
        &[json("password", Kind::Text), query("fileId", Kind::Int).optional()],
        web_services::safe_box_unlock,
    ),
    web(
        "web/file.safe_box_lock",
        "POST",
        "/api/restful/goapi/v1/file/safe_box/auth/lock",
        &[],
        web_services::safe_box_lock,
    ),
    web(
        "web/file.export_tree",
        "POST",
        "/api/restful/goapi/v1/file/export-tree",
        &[
            json("fileIds", Kind::Ints),
            json("exportLayer", Kind::Int).optional(),
            json("exportName", Kind::Text).optional(),
            json("exportParentId", Kind::Int).optional(),
            json("exportStyle", Kind::Int).optional(),
            json("exportType", Kind::Int).optional(),
            json("treeRootType", Kind::Int).optional(),
        ],
        web_tree::export_tree,
    ),
    web(
        "web/file.video_play_list",
        "GET",
        "/api/file/video/play/list",
        &[
            query("page", Kind::Int).optional(),
            query("page_size", Kind::Int).optional(),
            query("parent_file_id", Kind::Int).optional(),
        ],
        web_lists::video_play_list,
    ),
    open_to_all("web/file.video_play_conf", "/api/video/play/conf", web_services::nothing),
];

pub(super) const ARCHIVES: &[Route] = &[
    web(
        "web/file.archive_list",
        "GET",
        "/api/restful/goapi/v1/archive/file/list",
        &[query("fileId", Kind::Int), query("password", Kind::Text).optional()],
        web_archive::list,
    ),
    web(
        "web/file.archive_status",
        "GET",
        "/api/restful/goapi/v1/archive/file/status",
        &[query("fileId", Kind::Int), query("taskId", Kind::Int), query("taskType", Kind::Int).optional()],
        web_archive::status,
    ),
    web(
        "web/file.archive_uncompress",
        "POST",
        "/api/restful/goapi/v1/archive/file/uncompress",
        &[
            json("fileId", Kind::Int),
            json("password", Kind::Text).optional(),
            json("targetFileId", Kind::Int),
            json("taskId", Kind::Int),
            json("list", Kind::Objects),
        ],
        web_archive::uncompress,
    ),
];

pub(super) const OFFLINE: &[Route] = &[
    web(
        "web/offline.resolve",
        "POST",
        "/api/v2/offline_download/task/resolve",
        &[json("urls", Kind::Text).optional(), json("info_hash", Kind::Text).optional()],
        web_offline::resolve,
    ),
    web(
        "web/offline.submit",
        "POST",
        "/api/v2/offline_download/task/submit",
        &[json("resource_list", Kind::Objects), json("upload_dir", Kind::Int).optional()],
        web_offline::submit,
    ),
    web(
        "web/offline.list",
        "POST",
        "/api/offline_download/task/list",
        &[json("current_page", Kind::Int), json("page_size", Kind::Int), json("status_arr", Kind::Ints)],
        web_offline::list,
    ),
    web(
        "web/offline.delete",
        "POST",
        "/api/offline_download/task/delete",
        &[json("task_ids", Kind::Ints), json("status_arr", Kind::Ints).optional()],
        web_offline::delete,
    ),
    web(
        "web/offline.abort",
        "POST",
        "/api/offline_download/task/abort",
        &[json("task_ids", Kind::Ints), json("is_abort", Kind::Bool), json("all", Kind::Bool).optional()],
        web_offline::abort,
    ),
    web("web/offline.status", "POST", "/api/offline_download/task/status", &[], web_offline::status),
    call(
        "web/offline.upload_seed",
        "POST",
        "/api/offline_download/upload/seed",
        &[],
        Run::WithFile("upload-torrent", web_offline::upload_seed),
    )
    .on(Face::Web)
    .auth(Auth::Web),
];

pub(super) const LINKS: &[Route] = &[
    web("web/dlink.enable", "POST", "/api/cdn-link/enable", &[json("fileID", Kind::Int)], web_services::link_enable),
    web("web/dlink.disable", "POST", "/api/cdn-link/disable", &[json("fileID", Kind::Int)], web_services::link_disable),
    web("web/dlink.url", "GET", "/api/cdn-link/url", &[query("fileID", Kind::Int)], dlink::url),
    web(
        "web/dlink.cache_refresh",
        "POST",
        "/api/restful/goapi/v1/cdnLink/cache/refresh",
        &[],
        web_services::link_cache_refresh,
    ),
    web(
        "web/webdav.account_create",
        "POST",
        "/api/restful/goapi/v1/webdav/account/create",
        &[json("app", Kind::Text)],
        web_services::webdav_create,
    ),
    web("web/webdav.account_list", "GET", "/api/restful/goapi/v1/webdav/account/list", &[], web_services::webdav_list),
    web(
        "web/webdav.account_delete",
        "GET",
        "/api/restful/goapi/v1/webdav/account/del",
        &[query("id", Kind::Int)],
        web_services::webdav_delete,
    ),
];

pub(super) const SITE: &[Route] = &[
    open_to_all("web/app.dydomain", "/api/dydomain", web_services::dydomain),
    open_to_all("web/app.dydomain", "/api/dydomain", web_services::dydomain).on(Face::Login),
    open_to_all("web/app.dydomain", "/api/dydomain", web_services::dydomain).on(Face::Share),
    open_to_all("web/app.server_time", "/api/get/server/time", web_services::server_time),
    web("web/app.config", "POST", "/api/config/get", &[json("business_key", Kind::Text)], web_services::config),
    open_to_all("web/app.third_party_app_id", "/api/v3/3rd/app-id", web_services::nothing),
    open_to_all("web/app.transfer_metrics", "/api/transfer/metrics/whether/report", web_services::nothing),
    web(
        "web/app.permission_list",
        "GET",
        "/api/restful/goapi/v1/oauth2/app_permission/list",
        &[query("page", Kind::Int), query("pageSize", Kind::Int)],
        web_services::permission_list,
    ),
    web(
        "web/app.permission_delete",
        "DELETE",
        "/api/restful/goapi/v1/oauth2/app_permission",
        &[query("appId", Kind::Text)],
        web_services::permission_delete,
    ),
    web("web/app.notice_new", "GET", "/api/notice/new", &[], web_services::notices),
    web("web/app.announcement", "GET", "/api/notice/announcement", &[], web_services::notices),
];

/// A call that needs neither a login nor a signature.
const fn open_to_all(
    id: &'static str,
    path: &'static str,
    run: fn(&mut crate::ops::Call<'_>) -> Result<crate::reply::Reply, crate::reply::Refusal>,
) -> Route {
    plain(id, "GET", path, &[], run).on(Face::Web).auth(Auth::WebNothing)
}
