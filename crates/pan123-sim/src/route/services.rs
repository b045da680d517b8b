//! The services beside the drive's files: shares, direct links, the developer's settings, images, transcoding.

use serde_json::Value;

use super::{Apart, Route, call, is_number, json, plain, query};
use crate::args::{Kind, Param};
use crate::ops::{developer, dlink, files, image_tasks, images, offline, shares, transcode, transcode_files};
use crate::route::Run;

const LIST_LIMITS: &[Param] = &[query("limit", Kind::Int), query("lastShareId", Kind::Int).optional()];

const TRAFFIC_SETTINGS: &[Param] = &[
    json("shareIdList", Kind::Ints),
    json("trafficSwitch", Kind::Int).optional(),
    json("trafficLimitSwitch", Kind::Int).optional(),
    json("trafficLimit", Kind::Int).optional(),
];

pub(super) const SHARES: &[Route] = &[
    plain(
        "open/share.create",
        "POST",
        "/api/v1/share/create",
        &[
            json("shareName", Kind::Text),
            json("shareExpire", Kind::Int),
            json("fileIDList", Kind::Text),
            json("sharePwd", Kind::Text).optional(),
            json("trafficSwitch", Kind::Int).optional(),
            json("trafficLimitSwitch", Kind::Int).optional(),
            json("trafficLimit", Kind::Int).optional(),
        ],
        shares::create,
    ),
    plain("open/share.list", "GET", "/api/v1/share/list", LIST_LIMITS, shares::list),
    plain("open/share.update", "PUT", "/api/v1/share/list/info", TRAFFIC_SETTINGS, shares::update),
    plain(
        "open/share.create_paid",
        "POST",
        "/api/v1/share/content-payment/create",
        &[
            json("shareName", Kind::Text),
            json("fileIDList", Kind::Text),
            json("payAmount", Kind::Int),
            json("isReward", Kind::Int).optional(),
            json("resourceDesc", Kind::Text).optional(),
            json("trafficSwitch", Kind::Int).optional(),
            json("trafficLimitSwitch", Kind::Int).optional(),
            json("trafficLimit", Kind::Int).optional(),
        ],
        shares::create_paid,
    ),
    plain("open/share.list_paid", "GET", "/api/v1/share/payment/list", LIST_LIMITS, shares::list_paid),
    plain("open/share.update_paid", "PUT", "/api/v1/share/list/payment/info", TRAFFIC_SETTINGS, shares::update_paid),
];

pub(super) const DIRECT_LINKS: &[Route] = &[
    plain("open/dlink.disable", "POST", "/api/v1/direct-link/disable", &[json("fileID", Kind::Int)], dlink::disable),
    plain("open/dlink.enable", "POST", "/api/v1/direct-link/enable", &[json("fileID", Kind::Int)], dlink::enable),
    plain("open/dlink.url", "GET", "/api/v1/direct-link/url", &[query("fileID", Kind::Int)], dlink::url),
    plain("open/dlink.cache_refresh", "POST", "/api/v1/direct-link/cache/refresh", &[], dlink::cache_refresh),
    plain(
        "open/dlink.traffic_log",
        "GET",
        "/api/v1/direct-link/log",
        &[
            query("pageNum", Kind::Int),
            query("pageSize", Kind::Int),
            query("startTime", Kind::Text),
            query("endTime", Kind::Text),
        ],
        dlink::traffic_log,
    ),
    plain(
        "open/dlink.offline_logs",
        "GET",
        "/api/v1/direct-link/offline/logs",
        &[
            query("startHour", Kind::Text),
            query("endHour", Kind::Text),
            query("pageNum", Kind::Int),
            query("pageSize", Kind::Int),
        ],
        dlink::offline_logs,
    ),
    plain("open/dlink.m3u8", "GET", "/api/v1/direct-link/get/m3u8", &[query("fileID", Kind::Int)], dlink::m3u8),
    plain(
        "open/dlink.transcode_start",
        "POST",
        "/api/v1/direct-link/doTranscode",
        &[json("ids", Kind::Ints)],
        dlink::transcode_start,
    ),
    plain(
        "open/dlink.transcode_query",
        "POST",
        "/api/v1/direct-link/queryTranscode",
        &[json("ids", Kind::Ints)],
        dlink::transcode_query,
    ),
];

pub(super) const DEVELOPER: &[Route] = &[
    plain(
        "open/developer.forbid_ip_list",
        "GET",
        "/api/v1/developer/config/forbide-ip/list",
        &[],
        developer::forbid_ip_list,
    ),
    plain(
        "open/developer.forbid_ip_switch",
        "POST",
        "/api/v1/developer/config/forbide-ip/switch",
        &[json("Status", Kind::Int)],
        developer::forbid_ip_switch,
    ),
    plain(
        "open/developer.forbid_ip_update",
        "POST",
        "/api/v1/developer/config/forbide-ip/update",
        &[json("IpList", Kind::Texts)],
        developer::forbid_ip_update,
    ),
];

const TICKET: &[Param] = &[json("preuploadID", Kind::Text)];

pub(super) const IMAGES: &[Route] = &[
    plain(
        "open/oss.mkdir",
        "POST",
        "/upload/v1/oss/file/mkdir",
        &[json("name", Kind::Any), json("parentID", Kind::Text), json("type", Kind::Int)],
        images::mkdir,
    ),
    plain(
        "open/oss.create",
        "POST",
        "/upload/v1/oss/file/create",
        &[
            json("parentFileID", Kind::Text),
            json("filename", Kind::Text),
            json("etag", Kind::Text),
            json("size", Kind::Int),
            json("type", Kind::Int),
        ],
        images::create,
    ),
    plain(
        "open/oss.get_upload_url",
        "POST",
        "/upload/v1/oss/file/get_upload_url",
        &[json("preuploadID", Kind::Text), json("sliceNo", Kind::Int)],
        images::get_upload_url,
    ),
    plain(
        "open/oss.list_upload_parts",
        "POST",
        "/upload/v1/oss/file/list_upload_parts",
        TICKET,
        images::list_upload_parts,
    ),
    call("open/oss.upload_complete", "POST", "/upload/v1/oss/file/upload_complete", TICKET, Run::CompleteImage),
    call(
        "open/oss.upload_async_result",
        "POST",
        "/upload/v1/oss/file/upload_async_result",
        TICKET,
        Run::AsyncImageResult,
    ),
    plain(
        "open/oss.copy_from_disk",
        "POST",
        "/api/v1/oss/source/copy",
        &[
            json("fileIDs", Kind::Texts),
            json("toParentFileID", Kind::Text),
            json("sourceType", Kind::Int),
            json("type", Kind::Int),
        ],
        image_tasks::copy_from_disk,
    ),
    plain(
        "open/oss.copy_process",
        "GET",
        "/api/v1/oss/source/copy/process",
        &[query("taskID", Kind::Text)],
        image_tasks::copy_process,
    ),
    plain(
        "open/oss.copy_fail_list",
        "GET",
        "/api/v1/oss/source/copy/fail",
        &[query("taskID", Kind::Text), query("limit", Kind::Int), query("page", Kind::Int)],
        image_tasks::copy_fail_list,
    ),
    plain(
        "open/oss.move",
        "POST",
        "/api/v1/oss/file/move",
        &[json("fileIDs", Kind::Texts), json("toParentFileID", Kind::Text)],
        images::move_to,
    ),
    plain("open/oss.delete", "POST", "/api/v1/oss/file/delete", &[json("fileIDs", Kind::Texts)], images::delete),
    plain("open/oss.detail", "GET", "/api/v1/oss/file/detail", &[query("fileID", Kind::Text)], images::detail),
    plain(
        "open/oss.list",
        "POST",
        "/api/v1/oss/file/list",
        &[
            json("parentFileId", Kind::Text).optional(),
            json("limit", Kind::Int).lax(),
            json("startTime", Kind::Int).optional(),
            json("endTime", Kind::Int).optional(),
            json("lastFileId", Kind::Text).optional(),
            json("type", Kind::Int).lax(),
        ],
        images::list,
    ),
    plain(
        "open/oss.offline_download",
        "POST",
        "/api/v1/oss/offline/download",
        &[
            json("url", Kind::Text),
            json("fileName", Kind::Text).optional(),
            json("businessDirID", Kind::Text).optional(),
            json("callBackUrl", Kind::Text).optional(),
            json("type", Kind::Int),
        ],
        image_tasks::offline_download,
    ),
    plain(
        "open/oss.offline_process",
        "GET",
        "/api/v1/oss/offline/download/process",
        &[query("taskID", Kind::Int)],
        offline::process,
    ),
];

/// Of the drive's list, and of the two others on its path.
pub(super) const LIST_V2: &[Param] = &[
    query("parentFileId", Kind::Int).lax(),
    query("limit", Kind::Int).lax(),
    query("searchData", Kind::Text).optional(),
    query("searchMode", Kind::Int).optional(),
    query("lastFileId", Kind::Int).optional(),
    query("trashed", Kind::Bool).optional(),
    query("category", Kind::Int).optional(),
    query("businessType", Kind::Int).optional(),
];

/// On the path of the drive's list, told apart by the query.
pub(super) const VIDEO_LISTS: &[Route] = &[
    plain("open/transcode.cloud_video_files", "GET", "/api/v2/file/list", LIST_V2, files::list_v2)
        .also("open/file.list_v2"),
    plain("open/transcode.space_files", "GET", "/api/v2/file/list", LIST_V2, files::list_v2).also("open/file.list_v2"),
];

const VIDEO: &[Param] = &[json("fileId", Kind::Int)];

const ONE_FILE: &[Param] = &[
    json("fileId", Kind::Int),
    json("resolution", Kind::Text),
    json("type", Kind::Int),
    json("tsName", Kind::Text).optional(),
];

pub(super) const TRANSCODING: &[Route] = &[
    plain("open/transcode.folder_info", "POST", "/api/v1/transcode/folder/info", &[], transcode::folder_info),
    plain(
        "open/transcode.upload_from_cloud_disk",
        "POST",
        "/api/v1/transcode/upload/from_cloud_disk",
        &[json(transcode::BODY, Kind::Any).alias("fileId")],
        transcode::upload_from_cloud_disk,
    ),
    plain("open/transcode.resolutions", "POST", "/api/v1/transcode/video/resolutions", VIDEO, transcode::resolutions),
    plain(
        "open/transcode.start",
        "POST",
        "/api/v1/transcode/video",
        &[
            json("fileId", Kind::Int),
            json("codecName", Kind::Text),
            json("videoTime", Kind::Int),
            json("resolutions", Kind::Text),
        ],
        transcode::start,
    ),
    plain("open/transcode.record", "POST", "/api/v1/transcode/video/record", VIDEO, transcode::record),
    plain("open/transcode.result", "POST", "/api/v1/transcode/video/result", VIDEO, transcode::result),
    plain(
        "open/transcode.third_party_list",
        "GET",
        "/api/v1/video/transcode/list",
        &[query("fileId", Kind::Int)],
        transcode::third_party_list,
    ),
    plain(
        "open/transcode.delete",
        "POST",
        "/api/v1/transcode/delete",
        &[json("fileId", Kind::Int), json("businessType", Kind::Int), json("trashed", Kind::Int)],
        transcode::delete,
    ),
    plain(
        "open/transcode.download_original",
        "POST",
        "/api/v1/transcode/file/download",
        VIDEO,
        transcode_files::download_original,
    ),
    plain(
        "open/transcode.download_m3u8",
        "POST",
        "/api/v1/transcode/m3u8_ts/download",
        ONE_FILE,
        transcode_files::download_one,
    )
    .apart(Apart::Body(segment)),
    plain(
        "open/transcode.download_all",
        "POST",
        "/api/v1/transcode/file/download/all",
        &[json("fileId", Kind::Int), json("zipName", Kind::Text)],
        transcode_files::download_all,
    ),
];

/// On the path of the playlist's download, told apart by `type` in the body.
pub(super) const SEGMENT: &[Route] = &[plain(
    "open/transcode.download_ts",
    "POST",
    "/api/v1/transcode/m3u8_ts/download",
    ONE_FILE,
    transcode_files::download_one,
)];

fn segment(fields: &Value) -> Option<&'static Route> {
    is_number(fields, "type", 2).then_some(&SEGMENT[0])
}
