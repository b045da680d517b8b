//! Small services of the web page: the safe box, direct links, WebDAV passwords, what the page asks of the site itself.

use serde_json::{Value, json};

use super::web_shares::bad;
use super::{Call, dlink, files};
use crate::clock::local;
use crate::reply::{Refusal, Reply};
use crate::seed;
use crate::simulator::{CLIENT_ID, SAFEBOX_PASSWORD, USERNAME};
use crate::web_services::AppPassword;

/// Opens the safe box for the login that asks, and for no other.
pub(crate) fn safe_box_unlock(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.args.text("password") != SAFEBOX_PASSWORD {
        return Err(Refusal::rule("the safe-box password is wrong"));
    }
    let folder = files::make_safebox(call.state);
    if call.args.opt_int("fileId").is_some_and(|id| id != folder) && !call.lenient() {
        return Err(bad("`fileId` is not the folder of the safe box"));
    }
    call.state.services.unlocked.insert(call.asker.token.clone());
    Ok(Reply::data(Value::Null))
}

pub(crate) fn safe_box_lock(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.state.services.unlocked.remove(&call.asker.token);
    Ok(Reply::data(Value::Null))
}

/// Refuses what lies in the safe box, unless the login that asks has unlocked it.
pub(crate) fn refuse_locked(call: &Call<'_>, folder: i64) -> Result<(), Refusal> {
    let safe_box = files::safebox_folder(call.state);
    let inside = safe_box.is_some_and(|id| call.state.drive.ancestry(folder).any(|above| above.id == id));
    if inside && !call.state.services.unlocked.contains(&call.asker.token) {
        Err(Refusal::new(1, "保险箱未解锁"))
    } else {
        Ok(())
    }
}

/// The content check finds nothing here.
pub(crate) fn abnormal_count(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({"count": 0})))
}

/// Nothing is synchronised here.
pub(crate) fn sync_log(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    numbered(call)?;
    Ok(Reply::data(json!({"total": 0, "list": []})))
}

/// Checks `page` and `pageSize`.
fn numbered(call: &Call<'_>) -> Result<(), Refusal> {
    if call.args.int("page") >= 1 && (1..=100).contains(&call.args.int("pageSize")) || call.lenient() {
        Ok(())
    } else {
        Err(bad("`page` is not from 1, or `pageSize` not within 1 to 100"))
    }
}

pub(crate) fn link_enable(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    dlink::enable(call).map(|_| Reply::data(Value::Null))
}

pub(crate) fn link_disable(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    dlink::disable(call).map(|_| Reply::data(Value::Null))
}

pub(crate) fn link_cache_refresh(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(Value::Null))
}

/// The one answer that shows the password, besides the list.
pub(crate) fn webdav_create(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let app = call.args.text("app").trim().to_owned();
    if app.is_empty() {
        return Err(bad("`app` is empty"));
    }
    let (id, password) = (call.state.new_id(), seed::word(&mut call.state.random, 16));
    let made = AppPassword { app, password, created: call.now };
    let shown = webdav_row(id, &made);
    call.state.services.webdav.insert(id, made);
    Ok(Reply::data(shown))
}

pub(crate) fn webdav_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let rows: Vec<Value> = call.state.services.webdav.iter().map(|(id, made)| webdav_row(*id, made)).collect();
    Ok(Reply::data(json!({"list": rows})))
}

fn webdav_row(id: i64, made: &AppPassword) -> Value {
    json!({
        "id": id, "app": made.app, "account": USERNAME, "password": made.password, "createAt": local(made.created),
    })
}

pub(crate) fn webdav_delete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let removed = call.state.services.webdav.remove(&call.args.int("id"));
    removed.map(|_| Reply::data(Value::Null)).ok_or_else(|| Refusal::rule("unknown id"))
}

/// The simulator's own addresses, so that nobody is led to the real hosts.
pub(crate) fn dydomain(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let urls = &call.shared.urls;
    let host = |url: &str| url.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
    Ok(Reply::data(json!({"domains": [host(&urls.web)], "ucenterDomain": host(&urls.login)})))
}

pub(crate) fn server_time(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!(call.now)))
}

/// There is a setting under no key.
pub(crate) fn config(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.args.text("business_key").is_empty() { Err(bad("`business_key` is empty")) } else { nothing(call) }
}

/// Answers of whose fields nothing is known.
pub(crate) fn nothing(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({})))
}

/// The one app, if it holds tokens of the account by OAuth.
pub(crate) fn permission_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    numbered(call)?;
    let skipped = call.args.int("page") > 1;
    let granted = call.state.granted();
    let rows = if granted && !skipped { json!([{"appId": CLIENT_ID, "appName": APP}]) } else { json!([]) };
    Ok(Reply::data(json!({"total": i32::from(granted), "list": rows})))
}

pub(crate) fn permission_delete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.args.text("appId") != CLIENT_ID || !call.state.granted() {
        return Err(Refusal::rule("unknown appId"));
    }
    call.state.withdraw_grants();
    Ok(Reply::data(Value::Null))
}

pub(crate) fn notices(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({"list": []})))
}

const APP: &str = "sim";
