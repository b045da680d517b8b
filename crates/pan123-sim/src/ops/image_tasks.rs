//! Ways into image hosting that take a while: copies from the drive, and addresses to fetch.

use http::Uri;
use serde_json::{Value, json};

use super::{Call, images, offline};
use crate::drive::{Drive, Kind, ROOT};
use crate::fault::Oddity;
use crate::gallery::{self, extension, node};
use crate::reply::{Refusal, Reply};
use crate::seed;

/// An import that was started.
#[derive(Clone, Debug)]
pub(crate) struct ImageTask {
    fails: bool,
    done: bool,
    /// The images of the drive that could not be copied: id and name.
    failed: Vec<(i64, String)>,
}

pub(crate) fn copy_from_disk(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.constant("sourceType", 1)?;
    call.constant("type", 1)?;
    let given = call.args.texts("fileIDs");
    if given.is_empty() || given.len() > super::files::MOST_IDS {
        return Err(Refusal::rule(format!("`fileIDs` holds {} ids, 1 to 100 may be given", given.len())));
    }
    let ids: Option<Vec<i64>> = given.into_iter().map(|id| id.parse().ok()).collect();
    let ids = ids.ok_or_else(|| Refusal::rule("an element of `fileIDs` is no id of the drive"))?;
    let target = images::folder(&call.state.gallery, call.args.text("toParentFileID"))?;
    let mut found = Vec::new();
    for id in ids {
        call.live_entry(id)?;
        collect(&call.state.drive, id, 0, &mut found);
    }
    if found.len() > MOST_IMAGES {
        return Err(Refusal::rule(format!("the task has more than {MOST_IMAGES} images")));
    }
    if call.state.image_tasks.values().filter(|task| !task.done).count() >= MOST_TASKS {
        return Err(Refusal::rule(format!("{MOST_TASKS} tasks are still running")));
    }
    let fails = call.oddity == Some(Oddity::TaskFails);
    let mut failed = Vec::new();
    for id in found.into_iter().filter(|_| !fails) {
        let Some(node) = call.state.drive.node(id).cloned() else { continue };
        match node.content() {
            Some((md5, size)) if !call.state.broken_images.contains(&id) => {
                call.state.make_image(target, &node.name, &md5, size)?;
            }
            _ => failed.push((id, node.name)),
        }
    }
    let task = format!("{}task", seed::word(&mut call.state.random, 24));
    call.state.image_tasks.insert(task.clone(), ImageTask { fails, done: false, failed });
    Ok(Reply::data(json!({"taskID": task})))
}

/// The images at and below an entry; what is no image, or too large for one, is passed over.
fn collect(drive: &Drive, id: i64, depth: usize, found: &mut Vec<i64>) {
    let Some(node) = drive.node(id).filter(|node| !node.trashed && depth <= MOST_LEVELS) else { return };
    if node.is_folder() {
        drive.children_after(id, i64::MIN).for_each(|child| collect(drive, child.id, depth + 1, found));
    } else if extension(&node.name).is_some() && node.size() <= gallery::MOST_BYTES {
        found.push(id);
    }
}

pub(crate) fn copy_process(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.args.text("taskID").to_owned();
    let task = call.state.image_tasks.get(&id).cloned().ok_or_else(unknown_task)?;
    let (status, reason) = if let Some(status) = call.scripted_status() {
        (status, "")
    } else if call.still_running(&format!("images {id}")) {
        // It waits when it is first asked for, then it runs.
        (if call.state.first_time(&format!("images {id} asked")) { 4 } else { 1 }, "")
    } else {
        if let Some(task) = call.state.image_tasks.get_mut(&id) {
            task.done = true;
        }
        if task.fails { (3, "sim: scripted") } else { (2, "") }
    };
    Ok(Reply::data(json!({"status": status, "failMsg": reason})))
}

/// Null when nothing failed.
pub(crate) fn copy_fail_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let limit = call.page_limit()?;
    let page = usize::try_from(call.args.int("page")).ok().filter(|page| *page > 0);
    let page = page.ok_or_else(|| Refusal::rule("`page` is not from 1"))?;
    let task = call.state.image_tasks.get(call.args.text("taskID")).ok_or_else(unknown_task)?;
    let failed = task.failed.iter().skip((page - 1).saturating_mul(limit)).take(limit);
    let list: Vec<Value> = failed.map(|(id, name)| json!({"fileId": id, "filename": name})).collect();
    let list = if list.is_empty() { Value::Null } else { Value::from(list) };
    Ok(Reply::data(json!({"total": task.failed.len(), "list": list})))
}

pub(crate) fn offline_download(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.constant("type", 1)?;
    let url = call.args.text("url");
    let parsed: Option<Uri> = url.parse().ok();
    let Some(parsed) = parsed.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https"))) else {
        return Err(Refusal::rule("the url is neither http nor https"));
    };
    let last = parsed.path().rsplit('/').next().unwrap_or_default();
    let name = Some(call.args.text("fileName")).filter(|name| !name.is_empty()).unwrap_or(last);
    images::check_name(name)?;
    let target = match call.args.opt_text("businessDirID") {
        None => own_folder(call),
        Some("") if call.lenient() => own_folder(call),
        Some(id) => match images::folder(&call.state.gallery, id)? {
            ROOT => return Err(Refusal::rule("the root folder cannot be the target")),
            id => id,
        },
    };
    let fails = call.oddity == Some(Oddity::TaskFails);
    let image = if fails {
        0
    } else {
        let (md5, size) = offline::fetched(call.state, url);
        call.state.make_image(target, name, &md5, size)?
    };
    let task = call.state.new_id();
    call.state.offline_tasks.insert(task, fails);
    offline::tell(call, url, fails, image);
    Ok(Reply::data(json!({"taskID": task})))
}

fn own_folder(call: &mut Call<'_>) -> i64 {
    if let Some(node) = call.state.gallery.tree.child(ROOT, offline::OWN_FOLDER) {
        return node.id;
    }
    let id = call.state.new_id();
    // The name breaks the rule for names, so it is not checked.
    let kind = Kind::Folder { direct_link: false };
    call.state.gallery.tree.insert(node(id, ROOT, offline::OWN_FOLDER, call.now, kind));
    id
}

fn unknown_task() -> Refusal {
    Refusal::rule("unknown taskID")
}

const MOST_IMAGES: usize = 1000;
const MOST_LEVELS: usize = 15;
const MOST_TASKS: usize = 3;
