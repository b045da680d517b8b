//! Logging in to the web API: by password, by SMS, by WeChat, by QR code; and out again.

use serde_json::{Value, json};

use super::Call;
use super::web_shares::bad;
use crate::clock::rfc3339;
use crate::logins::{APP, Noted, QrAction, Session, Stage, WECHAT};
use crate::reply::{Refusal, Reply};
use crate::simulator::{EMAIL, PASSWORD, SMS_CODE, UID, USERNAME};
use crate::token::WEB;

pub(crate) fn sign_in_password(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (passport, mail) = (call.args.text("passport"), call.args.text("mail"));
    if passport.is_empty() == mail.is_empty() {
        return Err(bad("one of `passport` and `mail` is wanted"));
    }
    if !call.lenient() {
        let kind = call.args.opt_int("type");
        let fits = if mail.is_empty() { matches!(kind, None | Some(1)) } else { kind == Some(2) };
        if !fits {
            return Err(bad("`type` is 2 with `mail`, and 1 or nothing with `passport`"));
        }
    }
    let known = [passport, mail].iter().any(|name| *name == USERNAME || name.eq_ignore_ascii_case(EMAIL));
    if !known || call.args.text("password") != PASSWORD {
        return Err(Refusal::new(1, "账号或密码错误"));
    }
    Ok(logged_in(call, 200, "password", ""))
}

/// Sends nothing: the code is one that a test knows.
pub(crate) fn send_sms_code(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if !call.lenient() && call.args.int("aliVersion") != 2 {
        return Err(bad("`aliVersion` is not 2"));
    }
    if call.args.text("passport") != USERNAME || !call.state.logins.send_sms(call.args.text("hashCode"), call.now) {
        return Err(Refusal::rule("the account or `hashCode` is not one that was challenged"));
    }
    // Without the result of a check for humans the service usually sends nothing.
    let unsent = call.shared.config.quirks && call.args.text("traceless").is_empty();
    let number = if unsent { String::new() } else { format!("SN{}", call.now) };
    Ok(Reply::data(json!({
        "serial_no": number,
        "Timestamp": call.now,
        "Tips": "",
        "traceless": {"code": i32::from(unsent)},
    })))
}

pub(crate) fn sign_in_sms(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let mark = call.args.text("hashCode");
    let Some(sent) = call.state.logins.sms_sent(mark) else {
        return Err(Refusal::rule("no SMS was asked for this `hashCode`"));
    };
    let stamped = call.args.opt_text("time_stamp").is_none_or(|stamp| stamp == sent.to_string());
    if call.args.text("passport") != USERNAME || call.args.text("v_code") != SMS_CODE || !stamped {
        return Err(Refusal::new(1, "验证码错误"));
    }
    call.state.logins.end_challenge(mark);
    Ok(logged_in(call, 0, "sms", ""))
}

pub(crate) fn sign_in_wechat(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.args.text("from") != "web" && !call.lenient() {
        return Err(bad("`from` is not web"));
    }
    if !call.state.logins.take_wx_code(call.args.text("wechat_code")) {
        return Err(Refusal::new(1, "微信登录失败"));
    }
    let scheme = if call.shared.config.quirks { "Bearer " } else { "" };
    Ok(logged_in(call, 200, "wechat", scheme))
}

/// The answer to a login that succeeded, with a token that lives as long as the simulator was told.
fn logged_in(call: &mut Call<'_>, code: i64, way: &'static str, scheme: &str) -> Reply {
    let (token, expires) = issue(call, way);
    let mut data = json!({"refresh_token_expire_time": expires, "token": format!("{scheme}{token}")});
    if !call.shared.config.quirks {
        data["expire"] = json!(rfc3339(expires));
    }
    let message = if code == 200 { "success" } else { "ok" };
    let cookie = format!("sso-token={token}; Path=/; HttpOnly");
    Reply::envelope(200, json!(code), message, data).header("set-cookie", cookie)
}

fn issue(call: &mut Call<'_>, way: &'static str) -> (String, i64) {
    let lifetime = i64::try_from(call.shared.config.token_lifetime.as_secs()).unwrap_or(i64::MAX);
    call.state.logins.history.push(Noted { unix: call.now, way });
    call.state.tokens.issue(WEB, UID, call.now, lifetime, call.shared.config.seed)
}

pub(crate) fn qr_generate(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let now = call.now;
    let state = &mut *call.state;
    let id = state.logins.open(&mut state.random, now);
    Ok(Reply::data(json!({"uniID": id, "url": format!("{}/wx-app-login.html", call.shared.urls.login)})))
}

pub(crate) fn qr_result(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.args.text("uniID");
    let session = session(call)?.clone();
    let stage = session.stage(call.now);
    let pending = |platform: i64| Reply::data(json!({"loginStatus": stage as i64, "scanPlatform": platform}));
    if stage != Stage::Confirmed {
        return Ok(pending(session.platform));
    }
    if session.platform == WECHAT {
        // One client has met this form, which says the same.
        let empty = json!({"token": "", "login_type": WECHAT});
        let quirk = call.shared.config.quirks;
        return Ok(if quirk { Reply::envelope(200, json!(200), "success", empty) } else { pending(WECHAT) });
    }
    if call.quirk(&format!("confirmed {id}")) {
        return Ok(pending(APP));
    }
    let token = match session.token {
        Some(token) => token,
        None => {
            let (token, _) = issue(call, "qr");
            if let Some(session) = call.state.logins.session(id) {
                session.token = Some(token.clone());
            }
            token
        }
    };
    Ok(Reply::envelope(200, json!(200), "success", json!({"token": token, "login_type": APP})))
}

/// Empty until WeChat has confirmed.
pub(crate) fn qr_wx_code(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let code = session(call)?.wx_code.clone();
    let late = !code.is_empty() && call.quirk(&format!("wx_code {}", call.args.text("uniID")));
    Ok(Reply::data(json!({"wxCode": if late { String::new() } else { code }})))
}

pub(crate) fn qr_scan(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    act(call, QrAction::Scan)?;
    let platform = call.args.opt_int("scanPlatform").unwrap_or_default();
    session(call)?.platform = platform;
    Ok(Reply::data(Value::Null))
}

/// Somebody who is logged in already lets another client in.
pub(crate) fn qr_confirm(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    act(call, QrAction::Confirm)
}

pub(crate) fn qr_deny(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    act(call, QrAction::Refuse)
}

pub(crate) fn qr_bind_wx_code(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let code = call.args.text("wxcode");
    if code.is_empty() {
        return Err(bad("`wxcode` is empty"));
    }
    let (id, code, now) = (call.args.text("uniID"), code.to_owned(), call.now);
    if call.state.logins.change(id, QrAction::ConfirmByWechat, code, now) {
        Ok(Reply::data(Value::Null))
    } else {
        Err(ended())
    }
}

fn act(call: &mut Call<'_>, action: QrAction) -> Result<Reply, Refusal> {
    let (id, now) = (call.args.text("uniID"), call.now);
    let state = &mut *call.state;
    if state.logins.act(id, action, &mut state.random, now) { Ok(Reply::data(Value::Null)) } else { Err(ended()) }
}

fn session<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Session, Refusal> {
    call.state.logins.session(call.args.text("uniID")).ok_or_else(ended)
}

fn ended() -> Refusal {
    Refusal::new(404, "二维码不存在或已失效")
}

pub(crate) fn logout(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.state.tokens.kill(&call.asker.token);
    Ok(Reply::data(Value::Null))
}

/// Whether a token is good was seen before.
pub(crate) fn token_verify(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(Value::Null))
}
