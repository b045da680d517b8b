//! The share face: reading somebody's share and saving it. The web face answers these paths too.

use super::{Auth, Route, json, plain, query};
use crate::args::{Kind, Param};
use crate::face::Face;
use crate::ops::{public_share, save_share};

const ONE_FILE: &[Param] = &[
    json("ShareKey", Kind::Text).any_case(),
    json("SharePwd", Kind::Text).optional().any_case(),
    json("FileID", Kind::Int).any_case(),
    json("Etag", Kind::Text).any_case(),
    json("S3KeyFlag", Kind::Text).any_case(),
    json("Size", Kind::Int).any_case(),
    json("FileName", Kind::Text).optional().any_case(),
];

const ONE_FILE_V2: &[Param] = &[
    json("ShareKey", Kind::Text).any_case(),
    json("SharePwd", Kind::Text).optional().any_case(),
    json("fileId", Kind::Int).any_case(),
    json("S3KeyFlag", Kind::Text).any_case(),
    json("Etag", Kind::Text).any_case(),
    json("FileName", Kind::Text).any_case(),
    json("Size", Kind::Int).any_case(),
];

const SEVERAL: &[Param] = &[
    json("ShareKey", Kind::Text).any_case(),
    json("SharePwd", Kind::Text).optional().any_case(),
    json("fileIdList", Kind::Any).any_case(),
];

const PAGE_LIST: &[Param] =
    &[query("shareKey", Kind::Text), query("SharePwd", Kind::Text).optional(), query("OrderId", Kind::Text).optional()];

pub(super) const SHARE: &[Route] = &[
    plain("share/share.info", "GET", "/api/share/info", &[query("shareKey", Kind::Text)], public_share::info)
        .on(Face::Share)
        .auth(Auth::WebGuest),
    plain(
        "share/share.list",
        "GET",
        "/api/share/get",
        &[
            query("shareKey", Kind::Text),
            query("SharePwd", Kind::Text).optional(),
            query("parentFileId", Kind::Int).lax(),
            query("Page", Kind::Int).lax(),
            query("limit", Kind::Int).lax(),
            query("next", Kind::Text).lax(),
            query("orderBy", Kind::Text).lax(),
            query("orderDirection", Kind::Text).lax(),
            query("event", Kind::Text).optional(),
            query("operateType", Kind::Int).optional(),
        ],
        public_share::list,
    )
    .on(Face::Share)
    .auth(Auth::WebGuest),
    plain("share/share.list", "GET", "/gsb/s/share-list", PAGE_LIST, public_share::page_list)
        .on(Face::Share)
        .auth(Auth::WebGuest),
    plain("share/share.info", "GET", "/gsb/s/{shareKey}", &[query("shareKey", Kind::Text)], public_share::page_info)
        .on(Face::Share)
        .auth(Auth::WebGuest),
    plain("share/share.download_info", "POST", "/api/share/download/info", ONE_FILE, public_share::download_info)
        .on(Face::Share)
        .auth(Auth::WebGuest),
    plain("share/share.download_info", "POST", "/api/v2/share/download/info", ONE_FILE_V2, public_share::download_info)
        .on(Face::Share)
        .auth(Auth::WebGuest),
    plain(
        "share/share.download_info_batch",
        "POST",
        "/api/file/batch_download_share_info",
        SEVERAL,
        public_share::download_info_batch,
    )
    .on(Face::Share)
    .auth(Auth::WebGuest),
    plain(
        "share/share.download_info_batch",
        "POST",
        "/api/v2/file/batch_download_share_info",
        SEVERAL,
        public_share::download_info_batch,
    )
    .on(Face::Share)
    .auth(Auth::WebGuest),
    plain(
        "share/share.save",
        "POST",
        "/api/restful/goapi/v1/file/copy/save",
        &[
            json("shareKey", Kind::Text).any_case(),
            json("sharePwd", Kind::Any).optional().any_case(),
            json("fileList", Kind::Objects).any_case(),
            json("currentLevel", Kind::Int).optional().any_case(),
            json("superAdmin", Kind::Any).optional().any_case(),
        ],
        save_share::save,
    )
    .on(Face::Share)
    .auth(Auth::Web),
    plain(
        "share/share.save_task",
        "GET",
        "/api/restful/goapi/v1/file/copy/save/get",
        &[query("taskID", Kind::Int)],
        save_share::save_task,
    )
    .on(Face::Share)
    .auth(Auth::Web),
    plain(
        "share/share.save_legacy",
        "POST",
        "/api/file/copy/async",
        &[
            json("share_key", Kind::Text).any_case(),
            json("share_pwd", Kind::Text).optional().any_case(),
            json("current_level", Kind::Int).any_case(),
            json("event", Kind::Text).any_case(),
            json("file_list", Kind::Objects).any_case(),
        ],
        save_share::save_legacy,
    )
    .on(Face::Share)
    .auth(Auth::Web),
    plain("share/share.traffic", "GET", "/api/share/traffic-info", &[], save_share::traffic)
        .on(Face::Share)
        .auth(Auth::Web),
];
