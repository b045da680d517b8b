//! Lists of the web API: a folder, the recycle bin, a search; and the older list.

use serde_json::{Value, json};

use super::public_share::{page_start, sort};
use super::web_lists::is_in_drive;
use super::web_row::row;
use super::web_services::refuse_locked;
use super::web_shares::{bad, drive};
use super::{Call, entry};
use crate::drive::{Node, ROOT};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};
use crate::shares::Paging;

pub(crate) fn list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let folder = call.live_folder(call.args.int("parentFileId"))?;
    refuse_locked(call, folder)?;
    let children = call.state.drive.children_after(folder, i64::MIN).filter(|node| !node.trashed && node.id > 0);
    let (late, found): (Vec<&Node>, Vec<&Node>) = children.partition(|node| node.late > 0);
    let late: Vec<i64> = late.into_iter().map(|node| node.id).collect();
    let reply = page(call, found, true)?;
    for id in late {
        if let Some(node) = call.state.drive.node_mut(id) {
            node.late -= 1;
        }
    }
    Ok(reply)
}

/// The entries that were trashed themselves; or, of a folder among them, what it holds.
pub(crate) fn list_trash(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (drive, folder) = (&call.state.drive, call.args.int("parentFileId"));
    let search = call.args.text("SearchData");
    let found = if folder != ROOT && drive.in_trash(folder) {
        drive.children_after(folder, i64::MIN).collect()
    } else {
        drive.all().filter(|node| node.trashed && node.name.contains(search)).collect()
    };
    page(call, found, false)
}

/// Looks everywhere, whatever folder is named; the index lags behind.
pub(crate) fn search(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let drive = &call.state.drive;
    let words = call.args.text("SearchData").to_lowercase();
    let fits = |node: &&Node| {
        node.name.to_lowercase().contains(&words) && !drive.in_trash(node.id) && is_in_drive(drive, node.id)
    };
    let mut found: Vec<i64> = drive.all().filter(fits).map(|node| node.id).take(MOST_FOUND).collect();
    found.retain(|id| !call.quirk(&format!("indexed {id}")));
    let found = found.iter().filter_map(|id| call.state.drive.node(*id)).collect();
    page(call, found, false)
}

/// The list of before: by id, rising, and by cursor alone.
pub(crate) fn list_old(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let limit = limit(call)?;
    let folder = call.live_folder(call.args.int("parentFileId"))?;
    refuse_locked(call, folder)?;
    let after = call.args.text("next").parse().unwrap_or_default();
    let drive = &call.state.drive;
    let trash = call.args.bool("trashed");
    let mut found: Vec<&Node> = if call.args.text("orderDirection") == "desc" {
        Vec::new()
    } else if trash {
        drive.all().filter(|node| node.trashed && node.id > after).collect()
    } else {
        drive.children_after(folder, after).filter(|node| !node.trashed && node.late == 0).collect()
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map_or_else(|| "-1".to_owned(), |node| node.id.to_string());
    let rows: Vec<Value> = found.into_iter().map(|node| row(call.state, node)).collect();
    Ok(Reply::data(json!({"Next": next, "Len": rows.len(), "IsFirst": after == 0, "Total": 0, "InfoList": rows})))
}

/// One page of what was found. Without search words the service may give more rows than were asked for.
fn page(call: &Call<'_>, mut found: Vec<&Node>, may_be_longer: bool) -> Result<Reply, Refusal> {
    drive(call)?;
    let limit = match call.oddity {
        Some(Oddity::Rows(rows)) => rows as usize,
        _ if may_be_longer && call.shared.config.quirks => MOST_ROWS,
        _ => limit(call)?,
    };
    let number = match usize::try_from(call.args.int("Page")) {
        Ok(0) if !call.lenient() => return Err(bad("`Page` is not from 1")),
        Ok(number) => number.max(1),
        Err(_) => return Err(bad("`Page` is negative")),
    };
    found.retain(|node| is_wanted(call, node));
    let sorted = sort(&mut found, call.args.text("orderBy"), call.args.text("orderDirection"), call.lenient());
    sorted.map_err(|refusal| refusal.with_code(400))?;
    let cursor = call.args.text("next");
    let mut start = page_start(&found, limit, number, cursor, Paging::Both, call.lenient());
    let end = start.saturating_add(limit).min(found.len());
    if call.oddity == Some(Oddity::RepeatsRow) {
        start = start.saturating_sub(1);
    }
    let total = found.len() as i64;
    let shown = found.get(start..end).unwrap_or_default();
    let next = match call.oddity {
        Some(Oddity::SameNext) => cursor.to_owned(),
        _ if end < found.len() => shown.last().map_or_else(|| "-1".to_owned(), |node| node.id.to_string()),
        _ => "-1".to_owned(),
    };
    let total = if let Some(Oddity::TotalOff(by)) = call.oddity { total + by } else { total };
    let rows: Vec<Value> = shown.iter().map(|node| row(call.state, node)).collect();
    let (length, is_first) = (rows.len(), start == 0);
    let rows = if call.shared.config.quirks && rows.is_empty() { Value::Null } else { Value::from(rows) };
    Ok(Reply::data(json!({"Next": next, "Len": length, "IsFirst": is_first, "Total": total, "InfoList": rows})))
}

fn limit(call: &Call<'_>) -> Result<usize, Refusal> {
    call.page_limit().map_err(|refusal| refusal.with_code(400))
}

/// Whether an entry is of the kind that was asked for.
fn is_wanted(call: &Call<'_>, node: &Node) -> bool {
    let folders_only = call.args.opt_int("FileType") == Some(1);
    let category = call.args.opt_int("fileCategory").unwrap_or_default();
    (!folders_only || node.is_folder()) && (category == 0 || category == list_category(node))
}

/// The number that the list has for a kind of files, which is not the one in the rows.
fn list_category(node: &Node) -> i64 {
    match (node.is_folder(), entry::category(node)) {
        (true, _) => 5,
        (_, 3) => 1,
        (_, entry::VIDEO) => 2,
        (_, 1) => 3,
        (_, 10) => 6,
        _ if entry::is_document(node) => 4,
        _ => 7,
    }
}

/// The most rows that the service was seen to give.
const MOST_ROWS: usize = 500;
/// The most entries that a search goes through.
const MOST_FOUND: usize = 10_000;
