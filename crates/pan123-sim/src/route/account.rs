//! The account: tokens, OAuth and its broker, user information.

use http::Method;

use super::{Apart, Auth, Route, json, plain, query};
use crate::args::{Kind, Param};
use crate::face::Face;
use crate::ops::{auth, oauth, user};

pub(super) const ACCOUNT: &[Route] = &[
    plain(
        "open/auth.access_token",
        "POST",
        "/api/v1/access_token",
        &[json("clientID", Kind::Text), json("clientSecret", Kind::Text)],
        auth::access_token,
    )
    .auth(Auth::Platform),
    plain("open/user.info", "GET", "/api/v1/user/info", &[], user::info),
];

const TOKEN_PAIR: &[Param] = &[
    // Both are required, but lenient mode knows clients that leave them out of a refresh.
    query("client_id", Kind::Text).optional(),
    query("client_secret", Kind::Text).optional(),
    query("grant_type", Kind::Text),
    query("code", Kind::Text).optional(),
    query("refresh_token", Kind::Text).optional(),
    query("redirect_uri", Kind::Text).optional(),
];

pub(super) const OAUTH: &[Route] = &[
    plain(
        "open/oauth.authorize_page",
        "GET",
        "/auth",
        &[
            query("client_id", Kind::Text),
            query("redirect_uri", Kind::Text),
            query("scope", Kind::Text),
            query("state", Kind::Text),
        ],
        oauth::authorize_page,
    )
    .on(Face::Web)
    .auth(Auth::Anything),
    plain(
        "open/oauth.user_authorize",
        "GET",
        "/api/v1/oauth2/user/authorize",
        &[
            query("accessToken", Kind::Text),
            query("client_id", Kind::Text),
            query("redirect_uri", Kind::Text),
            query("response_type", Kind::Text),
            query("scope", Kind::Text),
            query("state", Kind::Text).optional(),
        ],
        oauth::user_authorize,
    )
    .auth(Auth::Anything),
    plain(
        "open/oauth.app_verify",
        "POST",
        "/api/v1/oauth2/app/verify",
        &[json("appId", Kind::Text), json("redirectUri", Kind::Text), json("scope", Kind::Text)],
        oauth::app_verify,
    )
    .auth(Auth::Anything),
    plain("open/oauth.token_by_code", "POST", "/api/v1/oauth2/access_token", TOKEN_PAIR, oauth::access_token)
        .auth(Auth::Anything)
        .apart(Apart::Query(refresh)),
    plain(
        "open/oplist.requests",
        "GET",
        "/123cloud/requests",
        &[
            query("server_use", Kind::Text).optional(),
            query("driver_txt", Kind::Text).optional(),
            query("client_uid", Kind::Text).optional(),
            query("client_key", Kind::Text).optional(),
        ],
        oauth::broker_requests,
    )
    .auth(Auth::Anything),
    plain(
        "open/oplist.callback",
        "GET",
        "/123cloud/callback",
        &[query("code", Kind::Text), query("state", Kind::Text).optional()],
        oauth::broker_callback,
    )
    .auth(Auth::Anything),
    plain(
        "open/oplist.renewapi",
        "GET",
        "/123cloud/renewapi",
        &[
            // Without it the broker answers with its own kind of error.
            query("refresh_ui", Kind::Text).optional(),
            query("server_use", Kind::Text).optional(),
            query("driver_txt", Kind::Text).optional(),
        ],
        oauth::broker_renew,
    )
    .auth(Auth::Anything),
];

pub(super) const OAUTH_REFRESH: &[Route] =
    &[plain("open/oauth.refresh_token", "POST", "/api/v1/oauth2/access_token", TOKEN_PAIR, oauth::access_token)
        .auth(Auth::Anything)];

fn refresh(method: &Method, query: &str) -> Option<&'static Route> {
    oauth::is_refresh(method, query).then_some(&OAUTH_REFRESH[0])
}
