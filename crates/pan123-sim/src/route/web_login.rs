//! The web API: logging in and out, and the account.

use serde_json::Value;

use super::{Apart, Auth, Route, is_number, json, plain, query, web};
use crate::args::{Kind, Param};
use crate::face::Face;
use crate::ops::{Call, web_login, web_user};
use crate::reply::{Refusal, Reply};

/// A call of the login host that needs no login.
const fn login(
    id: &'static str,
    method: &'static str,
    path: &'static str,
    params: &'static [Param],
    run: fn(&mut Call<'_>) -> Result<Reply, Refusal>,
) -> Route {
    plain(id, method, path, params, run).on(Face::Login).auth(Auth::WebNothing)
}

const SESSION: &[Param] = &[json("uniID", Kind::Text)];
const SIGN_IN: &str = "/api/user/sign_in";

pub(super) const LOGIN: &[Route] = &[
    login(
        "web/auth.sign_in_password",
        "POST",
        SIGN_IN,
        &[
            json("passport", Kind::Text).optional(),
            json("mail", Kind::Text).optional(),
            json("password", Kind::Text),
            json("type", Kind::Int).optional(),
            json("remember", Kind::Bool).optional(),
            json("from", Kind::Text).optional(),
            json("gray", Kind::Bool).optional(),
        ],
        web_login::sign_in_password,
    )
    .apart(Apart::Body(other_way)),
    login(
        "web/auth.send_sms_code",
        "POST",
        "/api/user/get_vcode",
        &[
            json("passport", Kind::Text),
            json("hashCode", Kind::Text),
            json("aliVersion", Kind::Int),
            json("traceless", Kind::Text).optional(),
        ],
        web_login::send_sms_code,
    ),
    login(
        "web/auth.qr_generate",
        "GET",
        "/api/user/qr-code/generate",
        &[query("uniID", Kind::Text).optional()],
        web_login::qr_generate,
    ),
    login(
        "web/auth.qr_result",
        "GET",
        "/api/user/qr-code/result",
        &[query("uniID", Kind::Text), query("remember", Kind::Bool).optional(), query("gray", Kind::Bool).optional()],
        web_login::qr_result,
    ),
    login("web/auth.qr_wx_code", "POST", "/api/user/qr-code/wx_code", SESSION, web_login::qr_wx_code),
    login(
        "web/auth.qr_scan",
        "POST",
        "/api/user/qr-code/scan",
        &[json("uniID", Kind::Text), json("scanPlatform", Kind::Int).optional()],
        web_login::qr_scan,
    ),
    login("web/auth.qr_confirm", "POST", "/api/user/qr-code/login", SESSION, web_login::qr_confirm)
        .auth(Auth::WebToken),
    login("web/auth.qr_deny", "POST", "/api/user/qr-code/deny", SESSION, web_login::qr_deny),
    login(
        "web/auth.qr_bind_wx_code",
        "POST",
        "/api/user/qr-code/bind_wx_code",
        &[json("uniID", Kind::Text), json("wxcode", Kind::Text)],
        web_login::qr_bind_wx_code,
    ),
    login("web/auth.token_verify", "GET", "/api/user/token/verify", &[], web_login::token_verify).auth(Auth::WebToken),
];

/// On the path of the login by password, told apart by `type`.
pub(super) const OTHER_WAYS: &[Route] = &[
    login(
        "web/auth.sign_in_sms",
        "POST",
        SIGN_IN,
        &[
            json("passport", Kind::Text),
            json("type", Kind::Int),
            json("v_code", Kind::Text),
            json("time_stamp", Kind::Text).optional(),
            json("hashCode", Kind::Text),
            json("remember", Kind::Bool).optional(),
        ],
        web_login::sign_in_sms,
    ),
    login(
        "web/auth.sign_in_wechat",
        "POST",
        SIGN_IN,
        &[
            json("from", Kind::Text),
            json("wechat_code", Kind::Text),
            json("type", Kind::Int),
            json("remember", Kind::Bool).optional(),
            json("gray", Kind::Bool).optional(),
        ],
        web_login::sign_in_wechat,
    ),
];

fn other_way(fields: &Value) -> Option<&'static Route> {
    match () {
        () if is_number(fields, "type", 3) => Some(&OTHER_WAYS[0]),
        () if is_number(fields, "type", 4) => Some(&OTHER_WAYS[1]),
        () => None,
    }
}

pub(super) const USER: &[Route] = &[
    web("web/auth.logout", "POST", "/api/user/logout", &[], web_login::logout),
    web("web/user.info", "GET", "/api/user/info", &[], web_user::info),
    web("web/user.report_info", "GET", "/api/restful/goapi/v1/user/report/info", &[], web_user::report_info),
    web(
        "web/user.device_list",
        "GET",
        "/api/user/device_list",
        &[query("event", Kind::Text).optional(), query("operateType", Kind::Int).optional()],
        web_user::device_list,
    ),
    web(
        "web/user.use_history",
        "GET",
        "/api/user/use_history",
        &[query("event", Kind::Text).optional()],
        web_user::use_history,
    ),
    web(
        "web/user.modify_info",
        "POST",
        "/api/user/modify_info",
        &[
            json("event", Kind::Text),
            json("nickname", Kind::Text).optional(),
            json("operateType", Kind::Int).optional(),
        ],
        web_user::modify_info,
    ),
    web("web/user.referral_info", "GET", "/api/referral/my-info", &[], web_user::referral_info),
];
