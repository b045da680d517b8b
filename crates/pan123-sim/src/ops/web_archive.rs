//! Looking into archives of the drive and unpacking them. The simulator knows zip; any other kind is a task that fails.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::web_shares::bad;
use super::{Call, entry};
use crate::args::{Kind, Param, Place};
use crate::content::{Content, md5_hex};
use crate::drive::{OnClash, is_name};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};
use crate::unpack::{self, Member, Unreadable};
use crate::web_services::ArchiveTask;

pub(crate) fn list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (file, content) = archive(call)?;
    let fails = call.oddity == Some(Oddity::TaskFails);
    let read = content.ok_or(Unreadable).and_then(|content| unpack::members(&content, call.args.text("password")));
    let members = if fails { Err(Unreadable) } else { read };
    let task = call.state.new_id();
    call.state.services.archives.insert(task, ArchiveTask { file, members, unpacked: None });
    Ok(Reply::data(json!({"taskId": task})))
}

/// The file that is to be read, with its bytes if it has any that were kept.
fn archive(call: &Call<'_>) -> Result<(i64, Option<Content>), Refusal> {
    let node = call.live_entry(call.args.int("fileId"))?;
    let Some((md5, size)) = node.content() else { return Err(bad("a folder is no archive")) };
    Ok((node.id, call.state.content(&md5, size)))
}

pub(crate) fn status(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let unpacking = match call.args.opt_int("taskType") {
        None | Some(1) => false,
        Some(2) => true,
        Some(_) => return Err(bad("`taskType` is neither 1 nor 2")),
    };
    let id = call.args.int("taskId");
    let task = task(call, id)?;
    let (members, unpacked) = (task.members.clone(), task.unpacked);
    let ended = if unpacking { unpacked } else { Some(members.is_ok()) };
    let state = match ended {
        None => NOT_RUNNING,
        _ if call.scripted_status().is_some() => call.scripted_status().unwrap_or_default(),
        _ if call.still_running(&format!("archive {id} {unpacking}")) => RUNNING,
        Some(true) => DONE,
        Some(false) => FAILED,
    };
    let list = if state == DONE && !unpacking { tree(&members.unwrap_or_default()) } else { Vec::new() };
    Ok(Reply::data(json!({"state": state, "list": list})))
}

fn task<'a>(call: &'a Call<'_>, id: i64) -> Result<&'a ArchiveTask, Refusal> {
    let task = call.state.services.archives.get(&id).filter(|task| task.file == call.args.int("fileId"));
    task.ok_or_else(|| Refusal::rule("unknown taskId"))
}

/// Folders have what lies in them in `childFiles`.
fn tree(members: &[Member]) -> Vec<Value> {
    let mut below: HashMap<&str, Vec<Value>> = HashMap::new();
    // From the end on, a folder comes after all that lies in it.
    for (index, member) in members.iter().enumerate().rev() {
        let (above, name) = member.path.rsplit_once('/').unwrap_or(("", &member.path));
        let inside = below.remove(member.path.as_str()).map(|mut rows| {
            rows.reverse();
            rows
        });
        let children = if member.folder { json!(inside.unwrap_or_default()) } else { Value::Null };
        below.entry(above).or_default().push(json!({
            "fontId": (index + 1).to_string(),
            "fileName": name,
            "parentFile": above,
            "filePath": member.path,
            "fileSize": member.size,
            "fileType": i32::from(member.folder),
            "createTime": member.modified,
            "category": category(member, name),
            "childFiles": children,
        }));
    }
    let mut top = below.remove("").unwrap_or_default();
    top.reverse();
    top
}

fn category(member: &Member, name: &str) -> i64 {
    if member.folder { 0 } else { entry::category_of(name) }
}

/// Unpacks the members of a list, a folder with all that lies in it; an empty list is the whole archive.
pub(crate) fn uncompress(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (_, content) = archive(call)?;
    let target = call.live_folder(call.args.int("targetFileId"))?;
    let id = call.args.int("taskId");
    let members = task(call, id)?.members.clone().map_err(|Unreadable| Refusal::rule("the archive was not read"))?;
    let items = call.items("list", MEMBER)?;
    let chosen: HashSet<&str> = items.iter().map(|member| member.text("filePath")).collect();
    if let Some(unknown) = chosen.iter().find(|path| !members.iter().any(|member| member.path == **path)) {
        return Err(bad(&format!("`{unknown}` is not in the archive")));
    }
    let is_chosen = |path: &str| {
        let above = path.match_indices('/').map(|(end, _)| &path[..end]);
        chosen.is_empty() || above.chain([path]).any(|path| chosen.contains(path))
    };
    let files = content
        .ok_or(Unreadable)
        .and_then(|content| unpack::unpack(&content, call.args.text("password"), is_chosen))
        .ok()
        .filter(|_| members.iter().all(|member| !is_chosen(&member.path) || member.path.split('/').all(is_name)))
        .filter(|_| call.oddity != Some(Oddity::TaskFails));
    let done = files.is_some();
    let folders = members.iter().filter(|member| done && member.folder && is_chosen(&member.path));
    let mut made = HashMap::new();
    for folder in folders {
        folder_at(call, target, &folder.path, &mut made)?;
    }
    for (path, bytes) in files.into_iter().flatten() {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let parent = folder_at(call, target, above, &mut made)?;
        let (md5, size) = (md5_hex(&bytes), bytes.len() as u64);
        call.state.store(&md5, Content::whole(bytes));
        call.state.make_file(parent, name, &md5, size, OnClash::KeepBoth)?;
    }
    if let Some(task) = call.state.services.archives.get_mut(&id) {
        task.unpacked = Some(done);
    }
    Ok(Reply::data(Value::Null))
}

/// The folder that a folder of the archive became; one whose name is taken in the target gets another.
fn folder_at(call: &mut Call<'_>, target: i64, path: &str, made: &mut HashMap<String, i64>) -> Result<i64, Refusal> {
    let mut folder = target;
    let ends = path.match_indices('/').map(|(end, _)| end).chain((!path.is_empty()).then_some(path.len()));
    let mut start = 0;
    for end in ends {
        let name = &path[start..end];
        folder = match made.get(&path[..end]) {
            Some(id) => *id,
            None => call.state.make_folder(folder, name, OnClash::KeepBoth)?,
        };
        made.insert(path[..end].to_owned(), folder);
        start = end + 1;
    }
    Ok(folder)
}

const fn field(name: &'static str, kind: Kind) -> Param {
    Param::new(name, Place::Json, kind).optional()
}

/// A member as the status shows it.
const MEMBER: &[Param] = &[
    field("fontId", Kind::Text),
    field("fileName", Kind::Text),
    field("parentFile", Kind::Text),
    Param::new("filePath", Place::Json, Kind::Text),
    field("fileSize", Kind::Int),
    field("fileType", Kind::Int),
    field("createTime", Kind::Text),
    field("category", Kind::Int),
    field("childFiles", Kind::Any),
];

const NOT_RUNNING: i64 = 0;
const RUNNING: i64 = 1;
const DONE: i64 = 2;
const FAILED: i64 = 3;
