//! Listing, looking up, folders, trash, and addresses for downloads.

use serde_json::{Value, json};

use super::{Call, cdn, entry};
use crate::drive::{Kind, Node, OnClash, ROOT};
use crate::reply::{Refusal, Reply};
use crate::simulator::SAFEBOX_PASSWORD;
use crate::state::State;
use crate::video;

pub(crate) fn list_v2(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let limit = call.page_limit()?;
    let after = call.args.opt_int("lastFileId").unwrap_or_default();
    let search = call.args.text("searchData");
    let exact = call.args.opt_int("searchMode") == Some(1);
    let category = call.args.opt_int("category");
    let in_space = call.args.opt_int("businessType") == Some(2);
    let folder = match call.args.int("parentFileId") {
        ROOT if in_space => {
            call.state.transcode_folder();
            video::SPACE
        }
        id if search.is_empty() => call.live_folder(id)?,
        id => id,
    };
    let drive = &call.state.drive;
    // The transcoding space is another drive on the same path.
    let other_space = |id: i64| id != ROOT && id != video::SPACE && video::is_in_space(drive, id) != in_space;
    let mut found: Vec<&Node> = if search.is_empty() {
        if other_space(folder) && !call.lenient() {
            return Err(Refusal::gone());
        }
        drive.children_after(folder, after).collect()
    } else {
        let matches = |node: &&Node| if exact { node.name == search } else { node.name.contains(search) };
        drive.all().filter(|node| node.id > after && !other_space(node.id)).filter(matches).collect()
    };
    found.retain(|node| category.is_none_or(|wanted| entry::category(node) == wanted));
    if !search.is_empty() && call.shared.config.quirks {
        // The index lags behind.
        let mut ids: Vec<i64> = found.iter().map(|node| node.id).collect();
        ids.retain(|id| !call.quirk(&format!("indexed {id}")));
        found = ids.iter().filter_map(|id| call.state.drive.node(*id)).collect();
    }
    let drive = &call.state.drive;
    let late: Vec<i64> = found.iter().filter(|node| node.late > 0).map(|node| node.id).collect();
    found.retain(|node| node.late == 0);
    let more = found.len() > limit;
    found.truncate(limit);
    let last = if more { found.last().map_or(-1, |node| node.id) } else { -1 };
    let entries: Vec<Value> = found.into_iter().map(|node| entry::listed(drive, node)).collect();
    for id in late {
        if let Some(node) = call.state.drive.node_mut(id) {
            node.late -= 1;
        }
    }
    let entries = if call.shared.config.quirks && entries.is_empty() { Value::Null } else { Value::from(entries) };
    Ok(Reply::data(json!({"lastFileId": last, "fileList": entries})))
}

/// Older than the other list: pages by number, sorted as asked, with the trash as a view of its own.
pub(crate) fn list_v1(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let limit = call.page_limit()?;
    let page = match call.args.int("page") {
        page @ 1.. => page as usize,
        0 if call.lenient() => 1,
        _ => return Err(Refusal::rule("`page` is not from 1")),
    };
    let (search, trashed) = (call.args.text("searchData"), call.args.bool("trashed"));
    let drive = &call.state.drive;
    let mut found: Vec<&Node> = if trashed {
        drive.all().filter(|node| node.trashed).collect()
    } else if search.is_empty() {
        drive.children_after(call.live_folder(call.args.int("parentFileId"))?, 0).filter(|node| !node.trashed).collect()
    } else {
        drive.all().filter(|node| !drive.in_trash(node.id) && !video::is_in_space(drive, node.id)).collect()
    };
    found.retain(|node| node.name.contains(search));
    match call.args.text("orderBy").to_lowercase().as_str() {
        "file_id" => {}
        "size" => found.sort_by_key(|node| node.size()),
        "file_name" => found.sort_by(|one, other| one.name.cmp(&other.name)),
        "create_at" if call.lenient() => found.sort_by_key(|node| node.created),
        "update_at" | "update_time" if call.lenient() => found.sort_by_key(|node| node.updated),
        "share_id" | "" if call.lenient() => {}
        _ => return Err(Refusal::rule("`orderBy` is none of file_id, size and file_name")),
    }
    match call.args.text("orderDirection").to_lowercase().as_str() {
        "asc" => {}
        "desc" => found.reverse(),
        "" if call.lenient() => {}
        _ => return Err(Refusal::rule("`orderDirection` is neither asc nor desc")),
    }
    let total = found.len();
    let entries: Vec<Value> = found
        .into_iter()
        .skip((page - 1).saturating_mul(limit))
        .take(limit)
        .map(|node| entry::listed_v1(drive, node))
        .collect();
    Ok(Reply::data(json!({"total": total, "fileList": entries})))
}

/// The folder of the safe box, once it was asked for.
pub(crate) fn safebox_folder(state: &State) -> Option<i64> {
    state.drive.child(BESIDE_ROOT, SAFEBOX).map(|node| node.id)
}

/// The folder of the safe box, which lies beside the root and is made when it is first asked for.
pub(crate) fn safebox(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.args.text("password") != SAFEBOX_PASSWORD {
        return Err(Refusal::rule("the safe-box password is wrong"));
    }
    Ok(Reply::data(json!({"fileId": make_safebox(call.state)})))
}

pub(crate) fn make_safebox(state: &mut State) -> i64 {
    if let Some(id) = safebox_folder(state) {
        return id;
    }
    let (id, now, kind) = (state.new_id(), state.clock.now(), Kind::Folder { direct_link: false });
    let (parent, name) = (BESIDE_ROOT, SAFEBOX.to_owned());
    state.drive.insert(Node { id, parent, name, created: now, updated: now, trashed: false, late: 0, kind });
    id
}

pub(crate) fn detail(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let node = call.entry(call.args.int("fileID"))?;
    Ok(Reply::data(entry::detailed(&call.state.drive, node)))
}

pub(crate) fn infos(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIds", MOST_IDS)?;
    let drive = &call.state.drive;
    let entries: Vec<Value> =
        ids.iter().filter_map(|id| drive.node(*id)).map(|node| entry::listed(drive, node)).collect();
    // The older name of the list, which an official example still has.
    let name = if call.shared.config.quirks { "list" } else { "fileList" };
    Ok(Reply::data(json!({name: entries})))
}

pub(crate) fn mkdir(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let parent = call.live_folder(call.args.int("parentID"))?;
    let name = call.args.text("name");
    if call.state.drive.child(parent, name).is_some() {
        return Err(Refusal::new(1, "该目录下文件夹重名"));
    }
    let id = call.state.make_folder(parent, name, OnClash::Refuse)?;
    Ok(Reply::data(json!({"dirID": id})))
}

pub(crate) fn trash(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIDs", MOST_IDS)?;
    let known: Vec<i64> = ids.into_iter().filter(|id| call.state.drive.node(*id).is_some()).collect();
    if known.is_empty() {
        return Err(Refusal::gone());
    }
    for id in known {
        if !call.state.drive.in_trash(id) {
            call.state.drive.trash(id, call.now);
        }
    }
    Ok(Reply::data(Value::Null))
}

pub(crate) fn download_info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let node = call.live_entry(call.args.int("fileId"))?.clone();
    let id = node.id;
    let Some((md5, size)) = node.content() else {
        return Err(Refusal::rule("a folder has no download address"));
    };
    call.refuse_rejected(&md5, size)?;
    if call.quirk(&format!("first download {id}")) {
        return Err(Refusal::verifying());
    }
    let url = cdn::download_url(call, &md5, size, &node.name);
    Ok(Reply::data(json!({"downloadUrl": url})))
}

const SAFEBOX: &str = "保险箱";
/// The parent of what is in no list.
const BESIDE_ROOT: i64 = -1;
/// The most ids that a batch may hold.
pub(crate) const MOST_IDS: usize = 100;
