//! Offline downloads by the calls of the web page: links are resolved, what is found is queued, tasks are watched.

use serde_json::{Value, json};

use super::Call;
use super::files::MOST_IDS;
use super::offline::{self, own_folder};
use super::web_shares::bad;
use crate::args::{Kind, Param, Place};
use crate::drive::is_name;
use crate::fault::Oddity;
use crate::fetching::{Found, Resource, Task, TaskState};
use crate::form::{FilePart, pairs};
use crate::reply::{Refusal, Reply};
use crate::torrent::Torrent;

/// Looks at each link; one that is wrong fails by itself, and so do all but the first of several.
pub(crate) fn resolve(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let links: Vec<String> = match (call.args.opt_text("urls"), call.args.opt_text("info_hash")) {
        (Some(urls), _) if !urls.trim().is_empty() => {
            urls.lines().map(str::trim).filter(|link| !link.is_empty()).map(str::to_owned).collect()
        }
        (_, Some(hash)) if !hash.is_empty() => vec![hash.to_owned()],
        _ => return Err(bad("neither `urls` nor `info_hash` is there")),
    };
    if links.len() > MOST_LINKS {
        return Err(Refusal::new(5252, "链接数量超过限制"));
    }
    let fails = call.oddity == Some(Oddity::TaskFails);
    let list: Vec<Value> = links
        .iter()
        .enumerate()
        .map(|(index, link)| match look(call, link) {
            _ if index > 0 => failed(link, 3, "sim: one link for each call"),
            Some(resource) if !fails => found(call, resource),
            _ => failed(link, 1, if fails { "sim: scripted" } else { "sim: nothing can be fetched from there" }),
        })
        .collect();
    Ok(Reply::data(json!({"list": list})))
}

fn look(call: &mut Call<'_>, link: &str) -> Option<Resource> {
    if let Some(name) = offline::named(link) {
        let files = vec![(name.clone(), offline::SIZE, link.to_owned())];
        return Some(resource("http", name, files));
    }
    let magnet =
        link.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("magnet:?")).map(|scheme| &link[scheme.len()..]);
    let pairs = pairs(magnet.unwrap_or_default());
    let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let hash = match magnet {
        Some(_) => value("xt")?.strip_prefix("urn:btih:")?,
        None => link,
    };
    let (hash, hexadecimal) = (hash.to_ascii_lowercase(), hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if let Some(torrent) = call.state.services.fetching.torrents.get(&hash) {
        let source = |(path, size): &(String, u64)| (path.clone(), *size, format!("{hash} {path}"));
        return Some(resource("bt", torrent.name.clone(), torrent.files.iter().map(source).collect()));
    }
    // The service finds what others share; here that is one file.
    let base32 = hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if magnet.is_none() || !(hexadecimal && hash.len() == 40 || base32) {
        return None;
    }
    let name = value("dn").filter(|name| is_name(name)).map_or_else(|| hash.clone(), str::to_owned);
    Some(resource("bt", name.clone(), vec![(name, offline::SIZE, hash)]))
}

fn resource(kind: &'static str, name: String, files: Vec<(String, u64, String)>) -> Resource {
    let numbered = (1..).zip(files).map(|(id, (path, size, source))| Found { id, path, size, source });
    Resource { kind, name, files: numbered.collect() }
}

fn found(call: &mut Call<'_>, resource: Resource) -> Value {
    let id = call.state.new_id();
    let file = |file: &Found| json!({"id": file.id, "name": file.path, "size": file.size});
    let shown = json!({
        "result": 0, "id": id, "type": resource.kind, "name": resource.name, "size": resource.size(),
        "err_code": 0, "err_msg": "", "files": resource.files.iter().map(file).collect::<Vec<_>>(),
    });
    call.state.services.fetching.resources.insert(id, resource);
    shown
}

fn failed(link: &str, code: i64, why: &str) -> Value {
    let kind = if offline::named(link).is_some() { "http" } else { "bt" };
    json!({
        "result": 1, "id": 0, "type": kind, "name": "", "size": 0, "err_code": code, "err_msg": why, "files": [],
    })
}

/// Queues resources. One that cannot be queued fails by itself.
pub(crate) fn submit(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let files = Param::new("select_file_id", Place::Json, Kind::Ints);
    let files = if call.lenient() { files.optional() } else { files };
    let items = call.items("resource_list", &[Param::new("resource_id", Place::Json, Kind::Int), files])?;
    if items.is_empty() {
        return Err(bad("`resource_list` is empty"));
    }
    let target = match call.args.opt_int("upload_dir") {
        Some(id) => call.live_folder(id)?,
        None => own_folder(call.state),
    };
    let fails = call.oddity == Some(Oddity::TaskFails);
    let takes_ms = i64::try_from(call.shared.config.offline_time.as_millis()).unwrap_or(i64::MAX);
    let until_ms = call.state.clock.now_ms().saturating_add(takes_ms);
    let mut list = Vec::new();
    for item in items {
        let (resource_id, chosen) = (item.int("resource_id"), item.ints("select_file_id"));
        let known = call.state.services.fetching.resources.get(&resource_id).cloned();
        let queued = known.and_then(|mut resource| {
            let in_folder = resource.files.len() > 1;
            let all = chosen.is_empty() && call.lenient();
            let known = chosen.iter().all(|id| resource.files.iter().any(|file| file.id == *id));
            resource.files.retain(|file| all || chosen.contains(&file.id));
            (known && !resource.files.is_empty()).then_some((resource, in_folder))
        });
        let task_id = queued.map_or(0, |(resource, in_folder)| {
            let id = call.state.new_id();
            let state = TaskState::Running { until_ms };
            call.state.services.fetching.tasks.insert(id, Task { resource, in_folder, target, state, takes_ms, fails });
            id
        });
        list.push(json!({"task_id": task_id, "result": i32::from(task_id == 0), "resource_id": resource_id}));
    }
    Ok(Reply::data(json!({"task_list": list})))
}

/// The tasks that are in some states, the newest first.
pub(crate) fn list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (Ok(page @ 1..), Ok(size @ 1..)) =
        (usize::try_from(call.args.int("current_page")), usize::try_from(call.args.int("page_size")))
    else {
        return Err(bad("`current_page` and `page_size` are from 1"));
    };
    if size > MOST_ROWS && !call.lenient() {
        return Err(bad(&format!("`page_size` is over {MOST_ROWS}")));
    }
    let states = states(call)?;
    let mut rows = Vec::new();
    let mut running = false;
    for id in call.state.services.fetching.tasks.keys().rev().copied().collect::<Vec<_>>() {
        let Some((status, downloaded)) = look_at(call, id) else { continue };
        running |= status == RUNNING || status == RETRYING;
        if states.contains(&status) || !(RUNNING..=WAITING).contains(&status) {
            rows.push((id, status, downloaded));
        }
    }
    let total = rows.len();
    let shown = rows.into_iter().skip((page - 1).saturating_mul(size)).take(size);
    let list: Vec<Value> = shown.filter_map(|(id, status, downloaded)| row(call, id, status, downloaded)).collect();
    Ok(Reply::data(json!({"has_run": running, "total": total, "list": list})))
}

/// The states that a call names.
fn states(call: &Call<'_>) -> Result<Vec<i64>, Refusal> {
    let states = call.args.ints("status_arr");
    if states.iter().all(|state| (RUNNING..=WAITING).contains(state)) || call.lenient() {
        Ok(states)
    } else {
        Err(bad("a state in `status_arr` is not within 0 to 4"))
    }
}

/// The state that a task shows, and how much of it is there.
fn look_at(call: &mut Call<'_>, id: i64) -> Option<(i64, u64)> {
    let task = call.state.services.fetching.tasks.get(&id)?;
    let (state, downloaded) = (task.state, task.downloaded(call.state.clock.now_ms()));
    if let Some(status) = call.scripted_status() {
        return Some((status, downloaded));
    }
    Some(match state {
        TaskState::Running { .. } => (RUNNING, downloaded),
        TaskState::Stopped { .. } => (WAITING, downloaded),
        TaskState::Done | TaskState::Failed if call.still_running(&format!("web offline {id}")) => (RUNNING, 0),
        TaskState::Done if call.quirk(&format!("web offline retries {id}")) => (RETRYING, 0),
        TaskState::Done => (DONE, downloaded),
        TaskState::Failed => (FAILED, downloaded),
    })
}

fn row(call: &Call<'_>, id: i64, status: i64, downloaded: u64) -> Option<Value> {
    let task = call.state.services.fetching.tasks.get(&id)?;
    let size = task.resource.size();
    let progress = if size == 0 { f64::from(u8::from(status == DONE)) } else { downloaded as f64 / size as f64 };
    let progress = (progress * 10_000.0).round() / 100.0;
    let folder = call.state.drive.node(task.target).map_or("", |node| &node.name);
    Some(json!({
        "task_id": id,
        "name": task.resource.name,
        "status": status,
        "size": size,
        "downloaded": downloaded,
        "progress": if progress.fract() == 0.0 { json!(progress as i64) } else { json!(progress) },
        "speed": if status == RUNNING { task.speed() } else { 0 },
        "type": task.resource.kind,
        "third_task_id": "",
        "upload_idr": task.target,
        "upload_name": folder,
    }))
}

/// Forgets tasks; one that is running never ends, and files that are there stay.
pub(crate) fn delete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (mut ids, states) = (call.args.ints("task_ids"), states(call)?);
    if ids.is_empty() && states.is_empty() {
        return Err(bad("neither `task_ids` nor `status_arr` names a task"));
    }
    known(call, &ids)?;
    for id in call.state.services.fetching.tasks.keys().copied().collect::<Vec<_>>() {
        if look_at(call, id).is_some_and(|(status, _)| states.contains(&status)) {
            ids.push(id);
        }
    }
    call.state.services.fetching.tasks.retain(|id, _| !ids.contains(id));
    Ok(Reply::data(Value::Null))
}

/// Unknown ids are skipped, unless all are.
fn known(call: &Call<'_>, ids: &[i64]) -> Result<(), Refusal> {
    let tasks = &call.state.services.fetching.tasks;
    if ids.is_empty() || ids.iter().any(|id| tasks.contains_key(id)) {
        Ok(())
    } else {
        Err(Refusal::rule("unknown task_ids"))
    }
}

pub(crate) fn abort(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (ids, all, stop) = (call.args.ints("task_ids"), call.args.bool("all"), call.args.bool("is_abort"));
    if !all && (ids.is_empty() || ids.len() > MOST_IDS) {
        return Err(bad(&format!("`task_ids` holds {} ids, 1 to {MOST_IDS} may be given", ids.len())));
    }
    known(call, if all { &[] } else { &ids })?;
    let now_ms = call.state.clock.now_ms();
    for (id, task) in &mut call.state.services.fetching.tasks {
        if all || ids.contains(id) {
            if stop { task.stop(now_ms) } else { task.resume(now_ms) }
        }
    }
    Ok(Reply::data(Value::Null))
}

pub(crate) fn status(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let tasks = call.state.services.fetching.tasks.values();
    let speed = tasks.clone().fold(0, |sum: u64, task| sum.saturating_add(task.speed()));
    let count = |wanted: fn(TaskState) -> bool| tasks.clone().filter(|task| wanted(task.state)).count();
    Ok(Reply::data(json!({
        "status": 0,
        "intervalSeconds": 5,
        "speed": speed,
        "running": count(|state| matches!(state, TaskState::Running { .. })),
        "waiting": count(|state| matches!(state, TaskState::Stopped { .. })),
        "done": count(|state| state == TaskState::Done),
        "failed": count(|state| state == TaskState::Failed),
    })))
}

pub(crate) fn upload_seed(call: &mut Call<'_>, file: Option<FilePart>) -> Result<Reply, Refusal> {
    let file = file.ok_or_else(|| bad("the part `upload-torrent` is missing"))?;
    let torrent = Torrent::read(&file.pieces.concat()).ok_or_else(|| bad("the file is no torrent"))?;
    let hash = torrent.info_hash.clone();
    call.state.services.fetching.torrents.insert(hash.clone(), torrent);
    Ok(Reply::data(json!({"info_hash": hash})))
}

/// More links answer code 5252.
const MOST_LINKS: usize = 4;
const MOST_ROWS: usize = 100;
const RUNNING: i64 = 0;
const FAILED: i64 = 1;
const DONE: i64 = 2;
const RETRYING: i64 = 3;
const WAITING: i64 = 4;
