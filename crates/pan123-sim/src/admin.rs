//! The admin face: the simulator's controls over HTTP, for tests in other languages.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::body::Tap;
use crate::content::{Content, md5_hex, seeded_md5};
use crate::drive::ROOT;
use crate::fault::Fault;
use crate::form;
use crate::log::RecordedRequest;
use crate::logins::QrAction;
use crate::ops::downloads::DownloadForm;
use crate::reply::{Refusal, Reply};
use crate::shares::{Guests, ShareOptions};
use crate::state::Shared;

/// Answers a request to the admin face; these are not in the log.
pub(crate) async fn answer(shared: &Arc<Shared>, head: &Parts, tap: Tap) -> Result<Reply, Refusal> {
    let body = form::whole(tap).await?;
    let fields = match serde_json::from_slice(&body) {
        Ok(Value::Object(fields)) => Fields(fields),
        _ if body.iter().all(u8::is_ascii_whitespace) => Fields(Map::new()),
        _ => return Err(Refusal::rule("the body is not a JSON object").with_status(400)),
    };
    let path: Vec<&str> = head.uri.path().split('/').filter(|name| !name.is_empty()).collect();
    match (head.method.as_str(), path.as_slice()) {
        ("POST", ["clock"]) => clock(shared, &fields),
        ("POST", ["faults"]) => {
            let fault = fault(&fields)?;
            shared.state().faults.plan(fault);
            Ok(Reply::data(Value::Null))
        }
        ("DELETE", ["faults"]) => {
            shared.state().faults.clear();
            Ok(Reply::data(Value::Null))
        }
        ("POST", ["chance"]) => {
            let probability =
                fields.0.get("probability").and_then(Value::as_f64).ok_or_else(|| wanted("probability", "a number"))?;
            shared.state().set_chance(fields.number("seed")?.unwrap_or_default(), probability);
            Ok(Reply::data(Value::Null))
        }
        ("POST", ["files"]) => files(shared, &fields),
        ("POST", ["reject"]) => {
            let path = fields.text("path")?.ok_or_else(|| wanted("path", "a path"))?;
            match shared.state().reject(path) {
                true => Ok(Reply::data(Value::Null)),
                false => Err(Refusal::rule(format!("no file is at `{path}`")).with_status(400)),
            }
        }
        ("POST", ["tokens", "expire"]) => {
            shared.state().tokens.kill_all();
            Ok(Reply::data(Value::Null))
        }
        ("POST", ["tokens", "web"]) => Ok(Reply::data(json!({"token": shared.web_token()}))),
        ("POST", ["storage"]) => {
            shared.state().storage.hands_out_keys = fields.bool("keys")?;
            Ok(Reply::data(Value::Null))
        }
        ("POST", ["downloads"]) => {
            let form = fields.text("form")?.and_then(DownloadForm::named);
            shared.state().download_form = form.ok_or_else(|| wanted("form", "params, page, direct or the like"))?;
            Ok(Reply::data(Value::Null))
        }
        ("POST", ["shares"]) => shares(shared, &fields),
        ("POST", ["reset"]) => {
            shared.reset();
            Ok(Reply::data(Value::Null))
        }
        ("POST", ["qr", session]) => qr(shared, session, &fields),
        ("GET", ["log"]) => log(shared, head),
        ("GET", ["counts"]) => Ok(Reply::data(json!(shared.state().log.counts()))),
        _ => Err(Refusal::rule(format!("nothing answers {} on the admin face", head.uri.path())).with_status(404)),
    }
}

fn clock(shared: &Shared, fields: &Fields) -> Result<Reply, Refusal> {
    let mut state = shared.state();
    if let Some(unix) = fields.0.get("unix") {
        let unix = unix.as_i64().ok_or_else(|| wanted("unix", "a whole number"))?;
        state.clock.freeze_at(unix);
    }
    if let Some(seconds) = fields.number("advance")? {
        state.clock.advance(Duration::from_secs(seconds));
    }
    if fields.bool("run")? {
        state.clock.run();
    }
    Ok(Reply::data(json!({"unix": state.clock.now()})))
}

/// Reads a fault: `op`, `nth`, `times`, `every`, `when`, and what goes wrong under the names of [`Fault`]'s methods.
fn fault(fields: &Fields) -> Result<Fault, Refusal> {
    const KNOWN: &[&str] = &[
        "op",
        "nth",
        "times",
        "every",
        "when",
        "status",
        "code",
        "message",
        "code_text",
        "body",
        "content_type",
        "headers",
        "delay_ms",
        "cut_after",
        "drop_answer",
        "stall",
        "stall_after",
        "content_length",
        "ignore_range",
        "corrupt",
        "duplicate",
        "part_size",
        "incomplete",
        "verifying",
        "upload_failed",
        "reuse_without_id",
        "task_pending",
        "task_fails",
        "task_status",
        "no_task_id",
        "space_full",
        "lists_late",
        "page_shell",
        "login_challenge",
        "rows",
        "total_off",
        "repeats_row",
        "same_next",
        "phantom_reuse",
        "storage_keys",
        "some_storage_keys",
    ];
    if let Some(unknown) = fields.0.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Refusal::rule(format!("a fault has no `{unknown}`")).with_status(400));
    }
    let op = fields.text("op")?.ok_or_else(|| wanted("op", "an operation such as open/file.mkdir"))?;
    let mut fault = Fault::on(op);
    let apply = |fault: Fault, wanted: bool, change: fn(Fault) -> Fault| if wanted { change(fault) } else { fault };
    if let Some(n) = fields.number("nth")? {
        fault = fault.nth(n);
    }
    if let Some(count) = fields.number("times")? {
        fault = fault.times(count);
    }
    fault = apply(fault, fields.bool("every")?, Fault::every);
    if let Some(status) = fields.number("status")? {
        let status = u16::try_from(status).ok().filter(|status| (200..600).contains(status));
        fault = fault.status(status.ok_or_else(|| wanted("status", "an HTTP status"))?);
    }
    if let Some(code) = fields.0.get("code") {
        fault = fault.code(code.as_i64().ok_or_else(|| wanted("code", "a whole number"))?);
    }
    if let Some(message) = fields.text("message")? {
        fault = fault.message(message);
    }
    if let Some(text) = fields.text("code_text")? {
        fault = fault.code_text(text);
    }
    if let Some(body) = fields.text("body")? {
        fault = fault.body(fields.text("content_type")?.unwrap_or("text/html; charset=utf-8"), body.to_owned());
    }
    for (name, value) in fields.0.get("headers").and_then(Value::as_object).into_iter().flatten() {
        fault = fault.header(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    if let Some(delay) = fields.number("delay_ms")? {
        fault = fault.delay(Duration::from_millis(delay));
    }
    if let Some(bytes) = fields.number("cut_after")? {
        fault = fault.cut_after(bytes);
    }
    if let Some(bytes) = fields.number("stall_after")? {
        fault = fault.stall_after(bytes);
    }
    if let Some(length) = fields.number("content_length")? {
        fault = fault.content_length(length);
    }
    if let Some(bytes) = fields.0.get("part_size").and_then(Value::as_i64) {
        fault = fault.part_size(bytes);
    }
    if let Some(late) = fields.number("reuse_without_id")? {
        fault = fault.reuse_without_id(u32::try_from(late).unwrap_or(u32::MAX));
    }
    if let Some(status) = fields.0.get("task_status").and_then(Value::as_i64) {
        fault = fault.task_status(status);
    }
    if let Some(rows) = fields.number("rows")? {
        fault = fault.rows(u32::try_from(rows).unwrap_or(u32::MAX));
    }
    if let Some(by) = fields.0.get("total_off").and_then(Value::as_i64) {
        fault = fault.total_off(by);
    }
    if let Some(late) = fields.number("lists_late")? {
        fault = fault.lists_late(u32::try_from(late).unwrap_or(u32::MAX));
    }
    let switches: [Switch; 19] = [
        ("drop_answer", Fault::drop_answer),
        ("stall", Fault::stall),
        ("ignore_range", Fault::ignore_range),
        ("corrupt", Fault::corrupt),
        ("duplicate", Fault::duplicate),
        ("incomplete", Fault::incomplete),
        ("verifying", Fault::verifying),
        ("upload_failed", Fault::upload_failed),
        ("task_pending", Fault::task_pending),
        ("task_fails", Fault::task_fails),
        ("no_task_id", Fault::no_task_id),
        ("space_full", Fault::space_full),
        ("page_shell", Fault::page_shell),
        ("login_challenge", Fault::login_challenge),
        ("repeats_row", Fault::repeats_row),
        ("same_next", Fault::same_next),
        ("phantom_reuse", Fault::phantom_reuse),
        ("storage_keys", Fault::storage_keys),
        ("some_storage_keys", Fault::some_storage_keys),
    ];
    for (name, change) in switches {
        fault = apply(fault, fields.bool(name)?, change);
    }
    // Last, because some of what goes wrong brings a moment of its own.
    match fields.text("when")? {
        None => Ok(fault),
        Some("before") => Ok(fault.before()),
        Some("after") => Ok(fault.after()),
        Some("during") => Ok(fault.during()),
        Some(_) => Err(wanted("when", "before, after or during")),
    }
}

fn files(shared: &Shared, fields: &Fields) -> Result<Reply, Refusal> {
    let path = fields.text("path")?.ok_or_else(|| wanted("path", "a path"))?;
    if let Some(count) = fields.number("count")? {
        return folder_of(shared, path, count, fields);
    }
    let (content, md5) = if let Some(text) = fields.text("text")? {
        (Content::whole(Bytes::from(text.to_owned())), md5_hex(text.as_bytes()))
    } else {
        let size = fields.number("size")?.unwrap_or_default();
        let seed = fields.number("seed")?.unwrap_or_default();
        (Content::seeded(size, seed), seeded_md5(size, seed))
    };
    let made = shared.state().put(path, content, &md5);
    let id = made.map_err(|denied| Refusal::from(denied).with_status(400))?;
    Ok(Reply::data(json!({"id": id, "md5": md5})))
}

/// Does with a QR session what a phone does.
fn qr(shared: &Shared, session: &str, fields: &Fields) -> Result<Reply, Refusal> {
    let action = fields.text("action")?.and_then(QrAction::named);
    let action = action.ok_or_else(|| wanted("action", "scan, confirm, confirm_by_wechat, refuse or expire"))?;
    if shared.qr(session, action) {
        Ok(Reply::data(Value::Null))
    } else {
        Err(Refusal::rule(format!("there is no QR session `{session}` that waits")).with_status(404))
    }
}

/// Makes a folder of `count` files, each seeded in its own way, for lists that are long.
fn folder_of(shared: &Shared, path: &str, count: u64, fields: &Fields) -> Result<Reply, Refusal> {
    let size = fields.number("size")?.unwrap_or_default();
    let refused = |denied| Refusal::from(denied).with_status(400);
    let mut state = shared.state();
    for number in 0..count {
        let name = format!("{}/{number:06}.bin", path.trim_end_matches('/'));
        state.put(&name, Content::seeded(size, number), &seeded_md5(size, number)).map_err(refused)?;
    }
    let id = state.make_folders(ROOT, path.split('/').filter(|name| !name.is_empty())).map_err(refused)?;
    Ok(Reply::data(json!({"id": id})))
}

/// Shares entries of the drive by their paths.
fn shares(shared: &Shared, fields: &Fields) -> Result<Reply, Refusal> {
    let paths = fields.0.get("paths").and_then(Value::as_array).ok_or_else(|| wanted("paths", "a list of paths"))?;
    let paths: Option<Vec<&str>> = paths.iter().map(Value::as_str).collect();
    let paths = paths.ok_or_else(|| wanted("paths", "a list of paths"))?;
    let mut options = ShareOptions::default().password(fields.text("password")?.unwrap_or_default());
    if let Some(unix) = fields.0.get("expires").and_then(Value::as_i64) {
        options = options.expires(unix);
    }
    if let Some(uid) = fields.0.get("owner").and_then(Value::as_i64) {
        options = options.owner(uid);
    }
    if let Some(bytes) = fields.number("guests")? {
        options = options.guests(Guests::UpTo(bytes));
    }
    if let Some(switch) = fields.0.get("traffic_switch").and_then(Value::as_i64) {
        options = options.traffic_switch(switch);
    }
    let shared = shared.state().share_paths(&paths, options);
    let key = shared.map_err(|path| Refusal::rule(format!("nothing is at `{path}`")).with_status(400))?;
    Ok(Reply::data(json!({"key": key})))
}

fn log(shared: &Shared, head: &Parts) -> Result<Reply, Refusal> {
    let query = form::pairs(head.uri.query().unwrap_or_default());
    let since = query.iter().find(|(name, _)| name == "since").map_or(Ok(0), |(_, value)| value.parse());
    let since = since.map_err(|_| wanted("since", "a sequence number"))?;
    let requests: Vec<Value> = shared.state().log.since(since).map(shown).collect();
    Ok(Reply::data(json!({"requests": requests})))
}

fn shown(request: &RecordedRequest) -> Value {
    json!({
        "sequence": request.sequence,
        "unix": request.unix,
        "face": request.face.name(),
        "operation": request.operation,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "body": String::from_utf8_lossy(&request.body),
        "body_len": request.body_len,
        "status": request.status,
        "code": request.code,
        "note": request.note,
    })
}

/// A member that, when true, changes a fault.
type Switch = (&'static str, fn(Fault) -> Fault);

/// The members of a body.
struct Fields(Map<String, Value>);

impl Fields {
    fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let value = self.0.get(name).filter(|value| !value.is_null());
        value.map(|value| value.as_u64().ok_or_else(|| wanted(name, "a whole number, not negative"))).transpose()
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let value = self.0.get(name).filter(|value| !value.is_null());
        value.map(|value| value.as_str().ok_or_else(|| wanted(name, "a text"))).transpose()
    }

    fn bool(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| wanted(name, "true or false")),
        }
    }
}

fn wanted(name: &str, what: &str) -> Refusal {
    Refusal::rule(format!("`{name}` must be {what}")).with_status(400)
}
