//! The web API: the account's own shares.

use super::{Route, json, query, web};
use crate::args::{Kind, Param};
use crate::ops::{save_share, web_shares};

const CREATE: &[Param] = &[
    json("driveId", Kind::Int),
    json("fileIdList", Kind::Any),
    json("shareName", Kind::Text),
    json("sharePwd", Kind::Text).optional(),
    json("expiration", Kind::Text),
    json("event", Kind::Text).optional(),
    json("displayStatus", Kind::Int).optional(),
    json("fileNum", Kind::Int).optional(),
    json("fillPwdSwitch", Kind::Int).optional(),
    json("isPayShare", Kind::Bool).optional(),
    json("payAmount", Kind::Int).optional(),
    json("isReward", Kind::Int).optional(),
    json("renameVisible", Kind::Bool).optional(),
    json("resourceDesc", Kind::Text).optional(),
    json("shareModality", Kind::Int).optional(),
    json("operatePlace", Kind::Int).optional(),
    json("trafficLimit", Kind::Int).optional(),
    json("trafficLimitSwitch", Kind::Int).optional(),
    json("trafficSwitch", Kind::Int).optional(),
];

const LIST: &[Param] = &[
    query("driveId", Kind::Int).optional(),
    query("limit", Kind::Int),
    query("next", Kind::Text),
    query("orderBy", Kind::Text).optional(),
    query("orderDirection", Kind::Text).optional(),
    query("Page", Kind::Int).optional(),
    query("event", Kind::Text).optional(),
    query("operateType", Kind::Int).optional(),
    query("SearchData", Kind::Text).optional(),
];

pub(super) const SHARES: &[Route] = &[
    web("web/share.create", "POST", "/api/share/create", CREATE, web_shares::create),
    web("web/share.list", "GET", "/api/share/list", LIST, web_shares::list),
    web(
        "web/share.cancel",
        "POST",
        "/api/share/delete",
        &[
            json("shareInfoList", Kind::Objects),
            json("driveId", Kind::Int).optional(),
            json("event", Kind::Text).optional(),
            json("isPayShare", Kind::Bool).optional(),
            json("operatePlace", Kind::Int).optional(),
        ],
        web_shares::cancel,
    ),
    web(
        "web/share.update",
        "PUT",
        "/api/restful/goapi/v1/share/update",
        &[
            json("shareId", Kind::Int),
            json("shareName", Kind::Text).optional(),
            json("expiration", Kind::Text).optional(),
            json("trafficLimit", Kind::Int).optional(),
            json("trafficLimitSwitch", Kind::Int).optional(),
            json("trafficSwitch", Kind::Int).optional(),
        ],
        web_shares::update,
    ),
    web(
        "web/share.clear_expired",
        "GET",
        "/api/share/clean_expire",
        &[query("event", Kind::Text).optional()],
        web_shares::clear_expired,
    ),
    web("web/share.traffic_info", "GET", "/api/share/traffic-info", &[], save_share::traffic)
        .also("share/share.traffic"),
    web(
        "web/share.traffic_set",
        "PUT",
        "/api/restful/goapi/v1/share/info",
        &[
            json("shareId", Kind::Int),
            json("trafficLimit", Kind::Int).optional(),
            json("trafficLimitSwitch", Kind::Int).optional(),
            json("trafficSwitch", Kind::Int).optional(),
        ],
        web_shares::traffic_set,
    ),
    web(
        "web/share.payment_list",
        "GET",
        "/api/restful/goapi/v1/share/content/payment/list",
        LIST,
        web_shares::payment_list,
    ),
    web(
        "web/share.commission_set",
        "POST",
        "/api/share/update",
        &[json("shareIds", Kind::Any).alias("ids"), json("noLoginStdAmount", Kind::Int)],
        web_shares::commission_set,
    ),
    web(
        "web/share.reward_set",
        "POST",
        "/api/restful/goapi/v1/share/reward/status",
        &[json("ids", Kind::Ints), json("isReward", Kind::Int)],
        web_shares::reward_set,
    ),
];
