//! Renaming, moving, copying, and the way out of the trash.

use serde_json::{Value, json};

use super::Call;
use super::files::MOST_IDS;
use crate::clock::local;
use crate::drive::{Denied, Kind, OnClash, ROOT};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};

pub(crate) fn rename(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.live_entry(call.args.int("fileId"))?.id;
    call.state.drive.rename(id, call.args.text("fileName"), call.now)?;
    Ok(Reply::data(Value::Null))
}

pub(crate) fn rename_batch(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let wishes = call.args.texts("renameList");
    if wishes.is_empty() || wishes.len() > MOST_RENAMES {
        return Err(Refusal::rule(format!(
            "`renameList` holds {} names, 1 to {MOST_RENAMES} may be given",
            wishes.len()
        )));
    }
    let parsed: Option<Vec<(i64, &str)>> =
        wishes.iter().map(|wish| wish.split_once('|').and_then(|(id, name)| Some((id.parse().ok()?, name)))).collect();
    let Some(parsed) = parsed else {
        return Err(Refusal::rule("an element of `renameList` is not `<fileId>|<new name>`"));
    };
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, name) in parsed {
        let renamed =
            if call.state.drive.in_trash(id) { Err(Denied::Gone) } else { call.state.drive.rename(id, name, call.now) };
        match renamed {
            Ok(()) => done.push(json!({"fileID": id, "updateAt": local(call.now)})),
            Err(denied) => failed.push(json!({"fileID": id, "message": Refusal::from(denied).message})),
        }
    }
    if call.shared.config.quirks && failed.is_empty() {
        return Ok(Reply::data(Value::Null));
    }
    Ok(Reply::data(json!({"successList": done, "failList": failed})))
}

pub(crate) fn move_to(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIDs", MOST_IDS)?;
    let target = call.live_folder(call.args.int("toParentFileID"))?;
    move_all(call, &ids, target)?;
    Ok(Reply::data(Value::Null))
}

/// Moves all of the entries, or none.
pub(super) fn move_all(call: &mut Call<'_>, ids: &[i64], target: i64) -> Result<(), Refusal> {
    let mut moved = Vec::new();
    for id in ids.iter().copied() {
        let outcome = call.live_entry(id).map(|node| node.parent).and_then(|from| {
            if call.state.drive.ancestry(target).any(|above| above.id == id) {
                return Err(Refusal::rule("a folder cannot be moved into itself"));
            }
            call.state.drive.move_to(id, target, call.now)?;
            Ok(from)
        });
        match outcome {
            Ok(from) => moved.push((id, from)),
            Err(refusal) => {
                for (id, from) in moved.into_iter().rev() {
                    // Its own place is still free, because nothing else happens in between.
                    let _ = call.state.drive.move_to(id, from, call.now);
                }
                return Err(refusal);
            }
        }
    }
    Ok(())
}

pub(crate) fn copy(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let source = call.live_entry(call.args.int("fileId"))?.id;
    let target = call.live_folder(call.args.int("targetDirId"))?;
    if call.entry(source)?.is_folder() {
        return Err(Refusal::rule("a folder is copied by the asynchronous call"));
    }
    let copied = copy_below(call, source, target)?;
    Ok(Reply::data(json!({"sourceFileId": source, "targetFileId": copied})))
}

pub(crate) fn copy_async(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIds", MOST_COPIES)?;
    let target = call.live_folder(call.args.int("targetDirId"))?;
    for id in &ids {
        call.live_entry(*id)?;
        if call.state.drive.ancestry(target).any(|above| above.id == *id) {
            return Err(Refusal::rule("a folder cannot be copied into itself"));
        }
    }
    let fails = call.oddity == Some(Oddity::TaskFails);
    if !fails {
        for id in ids {
            copy_below(call, id, target)?;
        }
    }
    let task = call.state.new_id();
    call.state.copy_tasks.insert(task, fails);
    Ok(Reply::data(json!({"taskId": task})))
}

pub(crate) fn copy_async_process(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let task = call.args.int("taskId");
    let Some(fails) = call.state.copy_tasks.get(&task).copied() else {
        return Err(Refusal::rule("unknown taskId"));
    };
    let status = if let Some(status) = call.scripted_status() {
        status
    } else if call.oddity == Some(Oddity::TaskPending) || call.polled(&format!("copy {task}")) {
        1
    } else if call.quirk(&format!("copy waits {task}")) {
        0
    } else if call.quirk(&format!("copy runs {task}")) {
        1
    } else if fails {
        3
    } else {
        2
    };
    Ok(Reply::data(json!({"taskId": task, "status": status})))
}

/// Copies an entry and all that lies below it; what is in the trash stays behind.
pub(super) fn copy_below(call: &mut Call<'_>, source: i64, target: i64) -> Result<i64, Refusal> {
    let node = call.entry(source)?.clone();
    match node.kind {
        Kind::File { md5, size } => Ok(call.state.make_file(target, &node.name, &md5, size, OnClash::KeepBoth)?),
        Kind::Folder { .. } => {
            let below = call.state.drive.children_after(source, i64::MIN);
            let below: Vec<i64> = below.filter(|child| !child.trashed).map(|child| child.id).collect();
            let copied = call.state.make_folder(target, &node.name, OnClash::KeepBoth)?;
            for child in below {
                copy_below(call, child, copied)?;
            }
            Ok(copied)
        }
    }
}

pub(crate) fn recover(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let mut abnormal = Vec::new();
    for id in trashed_ids(call)? {
        let parent = call.entry(id)?.parent;
        if call.state.drive.recover(id, parent, call.now).is_err() {
            abnormal.push(id);
        }
    }
    let all_well = call.shared.config.quirks && abnormal.is_empty();
    Ok(Reply::data(if all_well { Value::Null } else { json!({"abnormalFileIDs": abnormal}) }))
}

pub(crate) fn recover_by_path(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let target = call.live_folder(call.args.int("parentFileID"))?;
    for id in trashed_ids(call)? {
        call.state.drive.recover(id, target, call.now)?;
    }
    Ok(Reply::data(Value::Null))
}

/// The ids of a call that are known; none known is an error.
fn trashed_ids(call: &Call<'_>) -> Result<Vec<i64>, Refusal> {
    let known: Vec<i64> =
        call.ids("fileIDs", MOST_IDS)?.into_iter().filter(|id| call.state.drive.node(*id).is_some()).collect();
    if known.is_empty() { Err(Refusal::gone()) } else { Ok(known) }
}

/// Deletes all of the entries, or none.
pub(crate) fn delete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIDs", MOST_IDS)?;
    for id in &ids {
        if *id == ROOT || call.state.drive.node(*id).is_some() && !call.state.drive.in_trash(*id) {
            return Err(Refusal::rule("not in the trash"));
        }
    }
    let known: Vec<i64> = ids.into_iter().filter(|id| call.state.drive.node(*id).is_some()).collect();
    if known.is_empty() {
        return Err(Refusal::gone());
    }
    known.into_iter().for_each(|id| call.state.drive.remove(id));
    Ok(Reply::data(Value::Null))
}

const MOST_RENAMES: usize = 30;
const MOST_COPIES: usize = 3000;
