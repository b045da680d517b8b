//! Saving entries of a share into one's own drive, by the current call and by the older one.

use serde_json::{Map, Value, json};

use super::Call;
use super::organise::copy_below;
use super::public_share::{contains, opened};
use crate::args::{Kind, Param, Place};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};

/// How an item of one of the two calls spells its fields.
struct Spelling {
    id: &'static str,
    name: &'static str,
    parent: &'static str,
    drive: &'static str,
}

impl Spelling {
    /// The fields of an item. Those that only repeat what was listed are not looked at in lenient mode.
    fn params(&self) -> [Param; 7] {
        let field = |name, kind| Param::new(name, Place::Json, kind).any_case();
        let repeated = |name| field(name, Kind::Any).optional();
        [
            field(self.id, Kind::Int),
            field(self.parent, Kind::Int).lax(),
            field(self.drive, Kind::Int).lax(),
            repeated(self.name),
            repeated("size"),
            repeated("etag"),
            repeated("type"),
        ]
    }
}

const CURRENT: Spelling = Spelling { id: "fileID", name: "fileName", parent: "parentFileID", drive: "driveID" };
const LEGACY: Spelling = Spelling { id: "file_id", name: "file_name", parent: "parent_file_id", drive: "drive_id" };

pub(crate) fn save(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let password = call.args.text("sharePwd").to_owned();
    let (task, _) = start(call, call.args.text("shareKey"), &password, "fileList", &CURRENT)?;
    if call.oddity == Some(Oddity::NoTaskId) {
        return Ok(Reply::data(json!({})));
    }
    Ok(Reply::data(json!({"taskID": if call.shared.config.quirks { json!(task.to_string()) } else { json!(task) }})))
}

pub(crate) fn save_legacy(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if !call.lenient() {
        call.constant("current_level", 1)?;
        if call.args.text("event") != "transfer" {
            return Err(Refusal::rule("`event` is not transfer"));
        }
    }
    let has_size = |item: &&Map<String, Value>| item.keys().any(|name| name.eq_ignore_ascii_case("size"));
    if !call.args.objects("file_list").iter().all(has_size) {
        return Err(Refusal::new(5050, "参数错误"));
    }
    let password = call.args.text("share_pwd").to_owned();
    start(call, call.args.text("share_key"), &password, "file_list", &LEGACY)?;
    Ok(Reply::data(Value::Null))
}

/// Saves all of the items, or none; gives the task and how many entries it saves.
fn start(
    call: &mut Call<'_>,
    key: &str,
    password: &str,
    list: &str,
    spelling: &Spelling,
) -> Result<(i64, usize), Refusal> {
    let share = opened(call, key, password)?;
    let key = share.key.clone();
    let items = call.items(list, &spelling.params())?;
    if items.is_empty() {
        return Err(Refusal::rule(format!("`{list}` is empty")).with_code(400));
    }
    let mut wanted = Vec::new();
    for item in items {
        let id = item.int(spelling.id);
        if !call.lenient() && item.int(spelling.drive) != 0 {
            return Err(Refusal::rule(format!("`{}` is not 0", spelling.drive)).with_code(400));
        }
        let node = call.state.drive.node(id).filter(|node| contains(&call.state.drive, share, node.id));
        let node = node.ok_or_else(Refusal::gone)?;
        let repeats = |name: &str, value: Value| item.value(name) == Some(&value);
        let same = repeats(spelling.name, json!(node.name))
            && repeats("etag", json!(node.md5()))
            && (node.is_folder() || repeats("size", json!(node.size())))
            && repeats("type", json!(i32::from(node.is_folder())));
        if !same && !call.lenient() {
            return Err(Refusal::rule("an item does not repeat the fields that the share listed").with_code(400));
        }
        let target = call.live_folder(item.int(spelling.parent))?;
        if call.state.drive.ancestry(target).any(|above| above.id == id) {
            return Err(Refusal::rule("a folder cannot be saved into itself"));
        }
        wanted.push((id, target));
    }
    let (fails, count) = (call.oddity == Some(Oddity::TaskFails), wanted.len());
    if !fails {
        for (id, target) in wanted {
            copy_below(call, id, target)?;
        }
        if let Some(share) = call.state.shares.by_key_mut(&key) {
            share.saves += count as u64;
        }
    }
    let task = call.state.new_id();
    call.state.save_tasks.insert(task, (fails, count));
    Ok((task, count))
}

pub(crate) fn save_task(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.args.int("taskID");
    let Some((fails, count)) = call.state.save_tasks.get(&id).copied() else {
        return Err(Refusal::rule("unknown taskID"));
    };
    if let Some(status) = call.scripted_status() {
        return Ok(Reply::data(json!({"status": status, "currentCount": 0, "reason": "sim: scripted"})));
    }
    if call.still_running(&format!("save {id}")) {
        // It waits when it is first asked for, then it runs.
        let status = i32::from(!call.state.first_time(&format!("save {id} asked")));
        return Ok(Reply::data(json!({"status": status, "currentCount": 0})));
    }
    if fails {
        return Ok(Reply::data(json!({"status": 3, "currentCount": 0, "reason": "sim: scripted"})));
    }
    Ok(Reply::data(json!({"status": 2, "currentCount": count})))
}

/// The account's own traffic; nobody has written down its fields.
pub(crate) fn traffic(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({})))
}
