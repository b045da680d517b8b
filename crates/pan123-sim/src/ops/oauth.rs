//! OAuth for third-party apps, and the token broker that people host for it.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Call;
use crate::reply::{Refusal, Reply};
use crate::seed;
use crate::simulator::{CLIENT_ID, CLIENT_SECRET, UID};
use crate::token::base64_standard;

/// What was granted and not yet used up.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    kind: GrantKind,
    expires: i64,
}

#[derive(Clone, Debug)]
enum GrantKind {
    Code { redirect: String },
    Refresh { access_token: String },
}

/// The grant page. Where the service asks a person, the simulator says yes at once.
pub(crate) fn authorize_page(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(authorized(call))
}

/// The call behind the grant page, for a logged-in user.
pub(crate) fn user_authorize(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let redirect = call.args.text("redirect_uri");
    if call.state.tokens.check(call.args.text("accessToken"), call.now).is_err() {
        return Ok(see(redirect, &[("error_description", "access token invalid"), ("state", call.args.text("state"))]));
    }
    Ok(authorized(call))
}

fn authorized(call: &mut Call<'_>) -> Reply {
    let (redirect, state) = (call.args.text("redirect_uri"), call.args.text("state"));
    if call.args.text("client_id") != CLIENT_ID {
        return see(redirect, &[("error_description", "unknown client_id"), ("state", state)]);
    }
    let code = call.state.grant_code(redirect);
    see(redirect, &[("code", &code), ("state", state)])
}

/// Sends a browser back with an answer in the query.
fn see(redirect: &str, answer: &[(&str, &str)]) -> Reply {
    let pairs: Vec<String> = answer
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    let joint = if redirect.contains('?') { '&' } else { '?' };
    Reply::other(302, "text/html; charset=utf-8", "")
        .header("location", format!("{redirect}{joint}{}", pairs.join("&")))
}

pub(crate) fn app_verify(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.args.text("appId") == CLIENT_ID {
        Ok(Reply::data(Value::Null))
    } else {
        Err(Refusal::rule("unknown appId"))
    }
}

/// Both ways of getting a pair of tokens; everything is in the query, and the reply has no envelope.
pub(crate) fn access_token(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let args = call.args;
    let (id, secret) = (args.text("client_id"), args.text("client_secret"));
    let forgiven = |given: &str| given.is_empty() && call.lenient() && args.text("grant_type") == "refresh_token";
    if (id != CLIENT_ID && !forgiven(id)) || (secret != CLIENT_SECRET && !forgiven(secret)) {
        return Ok(invalid("invalid_client", "client_id or client_secret is wrong"));
    }
    let pair = match args.text("grant_type") {
        "authorization_code" => redeem(call, args.text("code"), args.text("redirect_uri")),
        "refresh_token" => refresh(call, args.text("refresh_token")),
        _ => {
            return Ok(invalid("unsupported_grant_type", "grant_type is neither authorization_code nor refresh_token"));
        }
    };
    Ok(match pair {
        Ok(pair) => flat(&json!({
            "token_type": "Bearer", "access_token": pair.access, "refresh_token": pair.refresh, "expires_in": ACCESS_LIFETIME,
            "scope": SCOPE,
        })),
        Err(why) => invalid("invalid_grant", why),
    })
}

struct Pair {
    access: String,
    refresh: String,
}

/// Uses up a code, whether or not it leads to tokens.
fn redeem(call: &mut Call<'_>, code: &str, redirect: &str) -> Result<Pair, &'static str> {
    match call.state.grants.remove(code) {
        Some(Grant { kind: GrantKind::Code { redirect: registered }, expires }) if expires > call.now => {
            if registered == redirect { Ok(issue(call)) } else { Err("redirect_uri differs") }
        }
        _ => Err("the code is unknown, used or expired"),
    }
}

/// Uses up a refresh token; the access token that came with it dies at once.
fn refresh(call: &mut Call<'_>, token: &str) -> Result<Pair, &'static str> {
    match call.state.grants.remove(token) {
        Some(Grant { kind: GrantKind::Refresh { access_token }, expires }) if expires > call.now => {
            call.state.tokens.kill(&access_token);
            Ok(issue(call))
        }
        _ => Err("the refresh token is unknown, used or expired"),
    }
}

fn issue(call: &mut Call<'_>) -> Pair {
    call.state.issue_pair(call.shared.config.seed)
}

impl Pair {
    fn for_broker(self) -> Value {
        json!({"refresh_token": self.refresh, "access_token": self.access, "expires_in": ACCESS_LIFETIME})
    }
}

impl crate::state::State {
    /// Grants a code, as a person does on the grant page.
    pub(crate) fn grant_code(&mut self, redirect: &str) -> String {
        let expires = self.clock.now() + CODE_LIFETIME;
        let code = seed::word(&mut self.random, 20);
        let kind = GrantKind::Code { redirect: redirect.to_owned() };
        self.grants.insert(code.clone(), Grant { kind, expires });
        code
    }

    /// Grants a pair of tokens and gives the one that refreshes.
    pub(crate) fn grant_refresh_token(&mut self, secret: u64) -> String {
        self.issue_pair(secret).refresh
    }

    /// Whether an app can get at the account by a token that refreshes.
    pub(crate) fn granted(&self) -> bool {
        let now = self.clock.now();
        let refreshes = |grant: &Grant| matches!(grant.kind, GrantKind::Refresh { .. }) && grant.expires > now;
        self.grants.values().any(refreshes)
    }

    /// Makes codes and tokens of the OAuth flow worthless.
    pub(crate) fn withdraw_grants(&mut self) {
        self.grants.clear();
        self.tokens.kill_those_of(CLIENT);
    }

    fn issue_pair(&mut self, secret: u64) -> Pair {
        let now = self.clock.now();
        let (access, _) = self.tokens.issue(CLIENT, UID, now, ACCESS_LIFETIME, secret);
        let refresh = seed::word(&mut self.random, 40);
        let kind = GrantKind::Refresh { access_token: access.clone() };
        self.grants.insert(refresh.clone(), Grant { kind, expires: now + REFRESH_LIFETIME });
        Pair { access, refresh }
    }
}

fn flat(body: &Value) -> Reply {
    Reply::other(200, "application/json; charset=utf-8", body.to_string())
}

fn invalid(error: &str, why: &str) -> Reply {
    flat(&json!({"code": 401, "message": why, "error": error, "error_description": why}))
}

/// The broker: gives the address of the grant page, or a developer's token.
pub(crate) fn broker_requests(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let args = call.args;
    if args.text("server_use") == "true" || args.text("driver_txt") == "123cloud_oa" {
        let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (page, open) = (call.shared.urls.web.trim_end_matches("/b"), &call.shared.urls.open);
        let callback = escape(&format!("{open}/123cloud/callback"));
        let url = format!("{page}/auth?client_id={CLIENT_ID}&redirect_uri={callback}&scope={SCOPE}&state=OpenList");
        return Ok(flat(&json!({"text": url})));
    }
    if args.text("client_uid") != CLIENT_ID || args.text("client_key") != CLIENT_SECRET {
        return Ok(broker_error("client_uid or client_key is wrong"));
    }
    let lifetime = i64::try_from(call.shared.config.token_lifetime.as_secs()).unwrap_or(i64::MAX);
    let (token, _) = call.state.tokens.issue(CLIENT_ID, UID, call.now, lifetime, call.shared.config.seed);
    Ok(flat(&json!({"text": token})))
}

/// The broker: swaps the code for tokens and hands them to its page in the fragment of an address.
pub(crate) fn broker_callback(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let redirect = format!("{}/123cloud/callback", call.shared.urls.open);
    match redeem(call, call.args.text("code"), &redirect) {
        Ok(pair) => {
            let shown = json!({
                "access_token": pair.access, "refresh_token": pair.refresh, "expires_in": ACCESS_LIFETIME,
                "driver_txt": "123cloud_oa", "server_use": true,
            });
            let fragment = base64_standard(shown.to_string().as_bytes());
            Ok(Reply::other(302, "text/html; charset=utf-8", "").header("location", format!("/#{fragment}")))
        }
        Err(why) => Ok(broker_error(why)),
    }
}

/// The broker: refreshes a pair for somebody who does not know the app's secret.
pub(crate) fn broker_renew(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(match refresh(call, call.args.text("refresh_ui")) {
        Ok(pair) => flat(&pair.for_broker()),
        Err(why) => broker_error(why),
    })
}

fn broker_error(text: &str) -> Reply {
    Reply::other(500, "application/json; charset=utf-8", json!({"text": text}).to_string())
}

/// Which of the two operations on one path a query asks for.
pub(crate) fn is_refresh(method: &Method, query: &str) -> bool {
    method == Method::POST
        && crate::form::pairs(query).iter().any(|(name, value)| name == "grant_type" && value == "refresh_token")
}

/// Whose tokens those of the OAuth flow are.
pub(crate) const CLIENT: &str = "oauth";
const SCOPE: &str = "user:base,file:all:read,file:all:write";
const ACCESS_LIFETIME: i64 = 7200;
const REFRESH_LIFETIME: i64 = 90 * 24 * 3600;
const CODE_LIFETIME: i64 = 600;
