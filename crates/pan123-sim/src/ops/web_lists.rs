//! Lists of the web API beside the folders': by category, of starred entries, of ancestors, of a folder's videos.

use serde_json::{Map, Value, json};

use super::files::MOST_IDS;
use super::web_row::row;
use super::web_services::refuse_locked;
use super::web_shares::{bad, drive};
use super::{Call, entry, public_share};
use crate::drive::{Drive, Node, ROOT};
use crate::reply::{Refusal, Reply};
use crate::video;

/// The files of one category in the whole drive, or below a folder. Grouping by day changes nothing that is known.
pub(crate) fn list_by_type(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    drive(call)?;
    let category = call.args.int("category");
    if !(1..=5).contains(&category) {
        return Err(bad("`category` is not within 1 to 5"));
    }
    if !matches!(call.args.opt_int("dateGranularity"), None | Some(1..=3)) && !call.lenient() {
        return Err(bad("`dateGranularity` is not within 1 to 3"));
    }
    let (trashed, search) = (call.args.bool("trashed"), call.args.text("SearchData"));
    let below = call.args.opt_int("parentFileId").unwrap_or(ROOT);
    let tree = &call.state.drive;
    let wanted = |node: &&Node| {
        !node.is_folder()
            && kind(node) == category
            && tree.in_trash(node.id) == trashed
            && is_in_drive(tree, node.id)
            && (below == ROOT || tree.ancestry(node.id).any(|above| above.id == below))
            && node.name.contains(search)
    };
    let mut found: Vec<&Node> = tree.all().filter(wanted).collect();
    if matches!(call.args.opt_text("orderBy"), Some("file_id" | "trashed_at" | "remain_days" | "share_id"))
        && !call.lenient()
    {
        return Err(bad("`orderBy` is none of those known"));
    }
    sort(call, &mut found)?;
    let page = Page::read(call, "limit")?;
    let (rows, _, next) = page.cut(call, &found);
    Ok(Reply::data(json!({"Next": next, "InfoList": rows})))
}

/// The numbers of [`list_by_type`], which no other call has: 1 video, 2 picture, 3 document, 4 audio, 5 anything else.
fn kind(node: &Node) -> i64 {
    match entry::category(node) {
        entry::VIDEO => 1,
        3 => 2,
        1 => 4,
        _ if entry::is_document(node) => 3,
        _ => 5,
    }
}

pub(crate) fn star(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIdList", MOST_IDS).map_err(|refusal| refusal.with_code(400))?;
    let on = match call.args.int("starredStatus") {
        255 => true,
        1 => false,
        _ => return Err(bad("`starredStatus` is neither 255 nor 1")),
    };
    let known: Vec<i64> = ids.into_iter().filter(|id| call.live_entry(*id).is_ok()).collect();
    if known.is_empty() {
        return Err(Refusal::gone());
    }
    let starred = &mut call.state.services.starred;
    known.into_iter().for_each(|id| {
        if on {
            starred.insert(id);
        } else {
            starred.remove(&id);
        }
    });
    Ok(Reply::data(Value::Null))
}

pub(crate) fn star_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    drive(call)?;
    let tree = &call.state.drive;
    let trashed = call.args.bool("trashed");
    let ids = &call.state.services.starred;
    let mut found: Vec<&Node> =
        tree.all().filter(|node| ids.contains(&node.id) && tree.in_trash(node.id) == trashed).collect();
    sort(call, &mut found)?;
    let page = Page::read(call, "pageSize")?;
    let (rows, length, next) = page.cut(call, &found);
    Ok(Reply::data(json!({
        "Next": next, "Len": length, "IsFirst": page.number == 1, "Total": found.len(), "InfoList": rows,
    })))
}

/// The ids from the root's own entry down to this one.
pub(crate) fn get_path(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.live_entry(call.args.int("fileId"))?.id;
    let mut ids: Vec<i64> = call.state.drive.ancestry(id).map(|node| node.id).collect();
    ids.reverse();
    Ok(Reply::data(json!({"list": ids})))
}

/// The rows from the root's own entry down to each of several; unknown ids have none.
pub(crate) fn get_path_history(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIdList", MOST_IDS).map_err(|refusal| refusal.with_code(400))?;
    let paths = ids.into_iter().filter(|id| call.live_entry(*id).is_ok()).map(|id| {
        let mut rows: Vec<Value> = call.state.drive.ancestry(id).map(|node| row(call.state, node)).collect();
        rows.reverse();
        (id.to_string(), Value::from(rows))
    });
    Ok(Reply::data(json!({"list": paths.collect::<Map<String, Value>>()})))
}

/// The videos that lie directly in a folder, by name.
pub(crate) fn video_play_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let number = |name: &str, default: i64, range: std::ops::RangeInclusive<i64>| {
        let value = call.args.opt_int(name).unwrap_or(default);
        if range.contains(&value) {
            Ok(value as usize)
        } else {
            Err(bad(&format!("`{name}` is not within {} to {}", range.start(), range.end())))
        }
    };
    let (page, size) = (number("page", 1, 1..=i64::from(u32::MAX))?, number("page_size", 100, 1..=100)?);
    let folder = call.live_folder(call.args.opt_int("parent_file_id").unwrap_or(ROOT))?;
    refuse_locked(call, folder)?;
    let tree = &call.state.drive;
    let mut found: Vec<&Node> = tree
        .children_after(folder, i64::MIN)
        .filter(|node| !node.trashed && entry::category(node) == entry::VIDEO)
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let rows: Vec<Value> =
        found.iter().skip((page - 1).saturating_mul(size)).take(size).map(|node| row(call.state, node)).collect();
    Ok(Reply::data(json!({"total": found.len(), "list": rows})))
}

/// Whether an entry lies in the drive itself, and not in a space beside it.
pub(super) fn is_in_drive(tree: &Drive, id: i64) -> bool {
    !video::is_in_space(tree, id) && tree.ancestry(id).last().is_some_and(|top| top.parent == ROOT)
}

/// In the order that was asked for; by id, the newest first, where none was.
fn sort(call: &Call<'_>, found: &mut [&Node]) -> Result<(), Refusal> {
    let by = call.args.opt_text("orderBy").unwrap_or("file_id");
    let direction = call.args.opt_text("orderDirection").unwrap_or("desc");
    public_share::sort(found, by, direction, call.lenient()).map_err(|refusal| refusal.with_code(400))
}

/// A page by its number, the only way in which these lists go on.
struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// `size` is the name of the parameter that has the size.
    fn read(call: &Call<'_>, size: &str) -> Result<Self, Refusal> {
        let number = match call.args.int("Page") {
            number @ 1.. => number as usize,
            _ if call.lenient() => 1,
            _ => return Err(bad("`Page` is not from 1")),
        };
        match call.args.opt_int(size).unwrap_or(MOST_ROWS) {
            rows @ 1..=MOST_ROWS => Ok(Self { number, size: rows as usize }),
            _ if call.lenient() => Ok(Self { number, size: MOST_ROWS as usize }),
            _ => Err(bad(&format!("`{size}` is not within 1 to {MOST_ROWS}"))),
        }
    }

    /// The rows of the page, how many they are, and the cursor behind them.
    fn cut(&self, call: &Call<'_>, found: &[&Node]) -> (Value, usize, String) {
        let start = (self.number - 1).saturating_mul(self.size).min(found.len());
        let end = start.saturating_add(self.size).min(found.len());
        let shown = &found[start..end];
        let next =
            shown.last().filter(|_| end < found.len()).map_or_else(|| "-1".to_owned(), |node| node.id.to_string());
        let rows: Vec<Value> = shown.iter().map(|node| row(call.state, node)).collect();
        // The service has shown both where there is nothing.
        let rows = if call.shared.config.quirks && rows.is_empty() { Value::Null } else { Value::from(rows) };
        (rows, shown.len(), next)
    }
}

const MOST_ROWS: i64 = 100;
