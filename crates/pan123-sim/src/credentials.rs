//! What a call must show before it is carried out: headers, tokens, signatures.

use http::HeaderMap;
use http::request::Parts;

use crate::clock::Clock;
use crate::face::Face;
use crate::form;
use crate::ops::public_share::Asker;
use crate::reply::Refusal;
use crate::route::{Auth, Route};
use crate::sign;
use crate::state::Shared;
use crate::token::WEB;

/// Checks the headers of a call, and says who asks.
pub(crate) fn check(shared: &Shared, route: &Route, headers: &HeaderMap) -> Result<Asker, Refusal> {
    let lenient = shared.config.lenient;
    let headers = Headers(headers);
    match route.auth {
        Auth::Anything => Ok(Asker::default()),
        Auth::Nothing => match ["authorization", "platform", "cookie"].iter().find(|name| headers.has(name)) {
            Some(name) if !lenient => {
                Err(Refusal::rule(format!("the header `{name}` must not be sent to this host")).with_status(400))
            }
            _ => Ok(Asker::default()),
        },
        Auth::Bearer | Auth::Platform => {
            match headers.get("platform").as_deref() {
                Some("open_platform") => {}
                _ if lenient && route.run.is_upload() => {}
                None | Some("") => {
                    return Err(Refusal::new(1, "Please include the platform field in the request header"));
                }
                Some(_) if lenient => {}
                Some(_) => return Err(Refusal::rule("the header `platform` is not `open_platform`")),
            }
            let token = if route.auth == Auth::Bearer { open_token(shared, headers)? } else { String::new() };
            Ok(Asker { token, ..Asker::default() })
        }
        Auth::Web | Auth::WebGuest | Auth::WebToken | Auth::WebNothing => {
            let platform = headers.get("platform").unwrap_or_default();
            if !lenient && !matches!(platform.as_str(), "web" | "android") {
                return Err(Refusal::rule("the header `platform` is neither web nor android"));
            }
            if !lenient && headers.get("app-version").is_none_or(|version| version.is_empty()) {
                return Err(Refusal::rule("the header `app-version` is missing"));
            }
            if route.auth == Auth::WebNothing {
                return Ok(Asker::default());
            }
            let token = web_token(shared, route, headers)?;
            if token.is_empty() && route.auth != Auth::WebGuest {
                return Err(Refusal::new(if route.is_list() { 20101 } else { 401 }, "cookie token is empty"));
            }
            Ok(Asker { token, host_of: headers.host_of(), has_referer: headers.has("referer") })
        }
    }
}

/// The pairs of the query without its signature, which most calls of the web page have in strict mode.
pub(crate) fn unsigned(shared: &Shared, route: &Route, head: &Parts) -> Result<Vec<(String, String)>, Refusal> {
    let query = head.uri.query().unwrap_or_default();
    let signed = match route.auth {
        Auth::Web | Auth::WebGuest => true,
        Auth::WebToken | Auth::WebNothing => sign::is_signed(query),
        _ => false,
    };
    if shared.config.lenient || !signed {
        return Ok(form::pairs(query));
    }
    let version = Headers(&head.headers).get("app-version").unwrap_or_default();
    // A test that sets the simulator's clock need not set its client's. Of shares it is not known that anybody looks.
    let clocks = [shared.state().clock.now(), Clock::default().now()];
    let clocks = if route.face == Face::Share { &[] } else { clocks.as_slice() };
    sign::check(head.uri.path(), query, &version, clocks)
}

fn open_token(shared: &Shared, headers: Headers<'_>) -> Result<String, Refusal> {
    let lenient = shared.config.lenient;
    let Some(authorization) = headers.get("authorization") else {
        return Err(Refusal::new(401, "access token missing"));
    };
    let token = if lenient {
        bare(&authorization)
    } else {
        let token = authorization.split_once(' ').filter(|(scheme, _)| *scheme == "Bearer");
        token.ok_or_else(|| Refusal::new(401, "access token invalid"))?.1.trim()
    };
    let state = shared.state();
    state.tokens.check(token, state.clock.now()).map_err(|why| Refusal::new(401, why))?;
    if !lenient && state.tokens.client(token) == Some(WEB) {
        return Err(Refusal::new(401, "access token invalid"));
    }
    Ok(token.to_owned())
}

/// The token of a login; none, or an empty one as some clients send it, is a guest's.
fn web_token(shared: &Shared, route: &Route, headers: Headers<'_>) -> Result<String, Refusal> {
    let authorization = headers.get("authorization").unwrap_or_default();
    let token = if shared.config.lenient {
        bare(&authorization)
    } else {
        authorization.strip_prefix("Bearer").map_or(authorization.as_str(), str::trim)
    };
    if token.is_empty() {
        return Ok(String::new());
    }
    let state = shared.state();
    let known = state.tokens.check(token, state.clock.now()).is_ok();
    let is_web = shared.config.lenient || state.tokens.client(token) == Some(WEB);
    if known && is_web {
        return Ok(token.to_owned());
    }
    let was_good = is_web && state.tokens.client(token).is_some();
    let code = if was_good && headers.get("platform").as_deref() == Some("android") {
        2
    } else if route.is_list() && shared.config.quirks {
        // Of lists it is only known what they say to guests.
        20101
    } else {
        401
    };
    Err(Refusal::new(code, "登录已失效，请重新登录"))
}

/// The token with or without the word before it, as working clients send it.
fn bare(authorization: &str) -> &str {
    match authorization.split_at_checked(6) {
        Some((word, token)) if word.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => authorization.trim(),
    }
}

#[derive(Clone, Copy)]
struct Headers<'a>(&'a HeaderMap);

impl Headers<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The account of an owner's host, such as `1812345678.share.example`.
    fn host_of(&self) -> Option<i64> {
        let host = self.get("host")?;
        let (uid, rest) = host.split_once('.')?;
        let is_share = rest.starts_with("share.") || rest.starts_with("mshare.");
        uid.parse().ok().filter(|_| is_share)
    }
}
