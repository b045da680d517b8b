//! Looking up, folders, renaming, moving, copying and the trash, as the web API has them.

use serde_json::{Map, Value, json};

use super::Call;
use super::organise::{copy_below, move_all};
use super::web_row::row;
use super::web_shares::{bad, drive};
use crate::clock::{local, rfc3339, rfc3339_nanos};
use crate::drive::{Denied, Drive, Node, OnClash, ROOT, is_name};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};
use crate::state::State;

/// Ids that are not known are left out.
pub(crate) fn info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = listed_ids(call, "fileIdList")?;
    let state = &*call.state;
    let rows: Vec<Value> = ids.iter().filter_map(|id| state.drive.node(*id)).map(|node| row(state, node)).collect();
    Ok(Reply::data(json!({"infoList": rows})))
}

pub(crate) fn detail(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    counted(call, &[call.args.int("fileID")])
}

pub(crate) fn details(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.args.ints("file_ids");
    counted(call, &ids)
}

/// Counts files and folders at and below some entries; the path is that of the first one's folder.
fn counted(call: &Call<'_>, ids: &[i64]) -> Result<Reply, Refusal> {
    let drive = &call.state.drive;
    let known: Vec<i64> = ids.iter().copied().filter(|id| *id == ROOT || drive.node(*id).is_some()).collect();
    let first = *known.first().ok_or_else(Refusal::gone)?;
    let (mut files, mut folders, mut size) = (0u64, 0u64, 0u64);
    for id in &known {
        count_below(drive, *id, &mut files, &mut folders, &mut size);
    }
    let mut paths = vec![json!({"fileId": ROOT, "fileName": "root"})];
    let above: Vec<&Node> = drive.ancestry(first).skip(1).collect();
    paths.extend(above.into_iter().rev().map(|node| json!({"fileId": node.id, "fileName": node.name})));
    Ok(Reply::data(json!({
        "fileNum": files,
        "dirNum": folders,
        "totalSize": size,
        "totalFileNum": files,
        "totalDirNum": folders,
        "paths": paths,
    })))
}

fn count_below(drive: &Drive, id: i64, files: &mut u64, folders: &mut u64, size: &mut u64) {
    match drive.node(id) {
        Some(node) if !node.is_folder() => {
            *files += 1;
            *size += node.size();
        }
        _ => {
            for child in drive.children_after(id, i64::MIN).filter(|child| !child.trashed) {
                *folders += u64::from(child.is_folder());
                count_below(drive, child.id, files, folders, size);
            }
        }
    }
}

pub(crate) fn mkdir(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    drive(call)?;
    if !call.lenient() && (!call.args.text("etag").is_empty() || call.args.int("size") != 0) {
        return Err(bad("a folder has an empty `etag` and no `size`"));
    }
    let parent = call.live_folder(call.args.int("parentFileId"))?;
    let name = call.args.text("fileName");
    if !is_name(name) {
        return Err(Refusal::bad_name());
    }
    let on_clash = on_clash(call)?;
    let held = call.state.drive.child(parent, name).map(|node| (node.id, node.is_folder()));
    let (id, reused) = match held {
        Some((id, true)) if !call.args.bool("NotReuse") || on_clash == OnClash::Overwrite => (id, true),
        Some((id, _)) if on_clash != OnClash::KeepBoth => return Err(clash(call.state, id, call.shared.config.quirks)),
        _ => (call.state.make_folder(parent, name, OnClash::KeepBoth)?, false),
    };
    let mut folder = call.state.drive.node(id).map(|node| row(call.state, node)).unwrap_or_default();
    folder["CreateAt"] = json!(rfc3339_nanos(call.now));
    folder["UpdateAt"] = json!(rfc3339_nanos(call.now));
    Ok(Reply::data(json!({
        "AccessKeyId": null,
        "SecretAccessKey": null,
        "SessionToken": null,
        "Expiration": null,
        "Key": "",
        "Bucket": "",
        "FileId": 0,
        "Reuse": reused,
        "Info": folder,
        "UploadId": "",
        "DownloadUrl": "",
        "StorageNode": "",
        "EndPoint": "",
        "SliceSize": "16777216",
    })))
}

/// What to do when the name is taken.
pub(super) fn on_clash(call: &Call<'_>) -> Result<OnClash, Refusal> {
    match call.args.opt_int("duplicate") {
        None | Some(0) => Ok(OnClash::Refuse),
        Some(1) => Ok(OnClash::KeepBoth),
        Some(2) => Ok(OnClash::Overwrite),
        Some(_) => Err(bad("`duplicate` is none of 0, 1 and 2")),
    }
}

/// The refusal of a name that an entry holds.
pub(super) fn clash(state: &State, held: i64, quirks: bool) -> Refusal {
    let Some(node) = state.drive.node(held) else { return Refusal::name_taken() };
    let data = json!({"etag": node.md5(), "size": node.size(), "updated_at": rfc3339(node.updated)});
    let data = if quirks { Value::Null } else { data };
    Refusal::new(5060, format!("该目录下已存在同名文件：{}", node.name)).with_data(data)
}

pub(crate) fn rename(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    drive(call)?;
    let node = call.live_entry(call.args.int("fileId"))?;
    let (id, parent, is_folder) = (node.id, node.parent, node.is_folder());
    let name = call.args.text("fileName");
    let held = call.state.drive.child(parent, name).filter(|held| held.id != id);
    let held = held.map(|held| (held.id, held.is_folder()));
    let name = match (held, on_clash(call)?) {
        (Some(_), OnClash::KeepBoth) => call.state.drive.free_name(parent, name),
        (Some((other, false)), OnClash::Overwrite) if !is_folder => {
            call.state.drive.remove(other);
            name.to_owned()
        }
        (Some((other, _)), _) => return Err(clash(call.state, other, call.shared.config.quirks)),
        (None, _) => name.to_owned(),
    };
    call.state.drive.rename(id, &name, call.now)?;
    Ok(Reply::data(Value::Null))
}

pub(crate) fn move_to(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = listed_ids(call, "fileIdList")?;
    let target = call.live_folder(call.args.int("parentFileId"))?;
    move_all(call, &ids, target)?;
    let moved = |node: &Node| {
        json!({
            "FileId": node.id,
            "FileName": node.name,
            "Type": i32::from(node.is_folder()),
            "ParentFileId": node.parent,
        })
    };
    let moved: Vec<Value> = ids.iter().filter_map(|id| call.state.drive.node(*id)).map(moved).collect();
    Ok(Reply::data(json!({"Info": moved})))
}

pub(crate) fn trash(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    needs_operation(call)?;
    for id in known_ids(call, "fileTrashInfoList")? {
        if !call.state.drive.in_trash(id) {
            call.state.drive.trash(id, call.now);
        }
    }
    Ok(Reply::data(Value::Null))
}

pub(crate) fn restore(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    needs_operation(call)?;
    for id in known_ids(call, "fileTrashInfoList")? {
        let parent = call.entry(id)?.parent;
        call.state.drive.recover(id, parent, call.now)?;
    }
    Ok(Reply::data(Value::Null))
}

/// Whether to trash or to restore is said by `operation`, or in its place by `event`.
fn needs_operation(call: &Call<'_>) -> Result<(), Refusal> {
    let said = call.args.value("operation").is_some() || !call.args.text("event").is_empty();
    if said || call.lenient() { Ok(()) } else { Err(bad("`operation` is missing")) }
}

pub(crate) fn restore_to(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let target = call.live_folder(call.args.int("parentFileId"))?;
    for id in known(call, call.args.ints("fileIds"))? {
        call.state.drive.recover(id, target, call.now)?;
    }
    Ok(Reply::data(Value::Null))
}

/// Deletes all of the entries, or none.
pub(crate) fn delete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = known_ids(call, "fileIdList")?;
    if ids.iter().any(|id| !call.state.drive.in_trash(*id)) {
        return Err(Refusal::rule("not in the trash"));
    }
    ids.into_iter().for_each(|id| call.state.drive.remove(id));
    Ok(Reply::data(Value::Null))
}

pub(crate) fn trash_clear(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let trashed: Vec<i64> = call.state.drive.all().filter(|node| node.trashed).map(|node| node.id).collect();
    trashed.into_iter().for_each(|id| call.state.drive.remove(id));
    Ok(Reply::data(Value::Null))
}

pub(crate) fn copy(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let target = call.live_folder(call.args.int("targetFileId"))?;
    let mut wanted = Vec::new();
    for item in call.args.objects("fileList") {
        let node = call.live_entry(field(item, "fileId").and_then(number).unwrap_or(-1))?;
        if !call.lenient() {
            repeats(item, node)?;
        }
        if node.parent == target {
            return Err(Refusal::rule("the target is the folder that the entry lies in"));
        }
        if call.state.drive.ancestry(target).any(|above| above.id == node.id) {
            return Err(Refusal::rule("a folder cannot be copied into itself"));
        }
        wanted.push(node.id);
    }
    if wanted.is_empty() {
        return Err(bad("`fileList` is empty"));
    }
    let fails = call.oddity == Some(Oddity::TaskFails);
    if !fails {
        for id in wanted {
            copy_below(call, id, target)?;
        }
    }
    if call.oddity == Some(Oddity::NoTaskId) {
        return Ok(Reply::data(json!({"mode": 2})));
    }
    let task = call.state.new_id();
    call.state.copy_tasks.insert(task, fails);
    Ok(Reply::data(json!({"taskId": task, "mode": 1})))
}

/// An item of a copy says again what the list said.
fn repeats(item: &Map<String, Value>, node: &Node) -> Result<(), Refusal> {
    let expected = [
        ("fileId", json!(node.id)),
        ("size", json!(node.size())),
        ("etag", json!(node.md5())),
        ("type", json!(i32::from(node.is_folder()))),
        ("parentFileId", json!(node.parent)),
        ("fileName", json!(node.name)),
        ("driveId", json!(0)),
    ];
    for (name, value) in &expected {
        // A row of a folder has the size of what it holds.
        let size_of_folder = *name == "size" && node.is_folder();
        if item.get(*name).is_none_or(|given| given != value && !(size_of_folder && given.is_u64())) {
            return Err(Refusal::rule(format!("`{name}` of an item is not that of the entry")).with_code(400));
        }
    }
    match item.keys().find(|key| !expected.iter().any(|(name, _)| name == key)) {
        Some(unknown) => Err(Refusal::rule(format!("unknown field `{unknown}` in an item")).with_code(400)),
        None => Ok(()),
    }
}

pub(crate) fn copy_task(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let task = call.args.int("taskId");
    let Some(fails) = call.state.copy_tasks.get(&task).copied() else {
        return Err(Refusal::rule("unknown taskId"));
    };
    let status = match call.scripted_status() {
        Some(status) => status,
        // It waits when it is first asked for, then it runs.
        None if call.still_running(&format!("copy {task}")) => {
            i64::from(!call.state.first_time(&format!("copy {task} asked")))
        }
        None if fails => 3,
        None => 2,
    };
    let reason = if matches!(status, 0..=2) { "" } else { "sim: scripted" };
    Ok(Reply::data(json!({
        "taskId": task,
        "status": status,
        "errorCode": i32::from(!reason.is_empty()),
        "currentCount": 0,
        "createAt": local(call.now),
        "reason": reason,
    })))
}

/// The ids of a list of `{"FileId": id}`, whose key is written in either case and may have others beside it. Lenient mode
/// takes plain ids, and one element without its list.
pub(super) fn listed_ids(call: &Call<'_>, name: &str) -> Result<Vec<i64>, Refusal> {
    let wrong = || Refusal::rule(format!("`{name}` is not a list of {{\"FileId\": id}}")).with_code(400);
    let lenient = call.lenient();
    let items = match call.args.value(name) {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) if lenient => std::slice::from_ref(one),
        _ => return Err(wrong()),
    };
    let id = |item: &Value| match item {
        Value::Object(fields) => {
            let value = field(fields, "FileId")?;
            if lenient { number(value) } else { value.as_i64() }
        }
        plain if lenient => number(plain),
        _ => None,
    };
    let ids: Vec<i64> = items.iter().map(id).collect::<Option<_>>().ok_or_else(wrong)?;
    if ids.is_empty() { Err(wrong()) } else { Ok(ids) }
}

/// The ids of a list whose elements have `field` and nothing else; lenient mode reads them as other lists of ids.
pub(super) fn exact_ids(call: &Call<'_>, list: &str, field: &str) -> Result<Vec<i64>, Refusal> {
    if call.lenient() {
        return listed_ids(call, list);
    }
    let id = |item: &Value| item.as_object().filter(|item| item.len() == 1)?.get(field)?.as_i64();
    let ids = call.args.value(list).and_then(Value::as_array).and_then(|items| items.iter().map(id).collect());
    ids.ok_or_else(|| Refusal::rule(format!("an element of `{list}` is not {{\"{field}\": number}}")).with_code(400))
}

fn known_ids(call: &Call<'_>, name: &str) -> Result<Vec<i64>, Refusal> {
    known(call, listed_ids(call, name)?)
}

/// The ids that are known; none known is an error.
fn known(call: &Call<'_>, ids: Vec<i64>) -> Result<Vec<i64>, Refusal> {
    let known: Vec<i64> = ids.into_iter().filter(|id| call.state.drive.node(*id).is_some()).collect();
    if known.is_empty() { Err(Denied::Gone.into()) } else { Ok(known) }
}

fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
