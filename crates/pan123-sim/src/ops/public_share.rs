//! Somebody's share, as everybody sees it who has its key: what it is, its lists, and addresses for downloads.

use serde_json::{Value, json};

use super::web_files::exact_ids;
use super::web_row::STORAGE_NODE;
use super::{Call, downloads, entry};
use crate::archive::{Packed, zip};
use crate::args::Args;
use crate::clock::rfc3339;
use crate::content::{Content, md5_hex};
use crate::drive::{Drive, Node, ROOT};
use crate::reply::{PAGE_SHELL, Refusal, Reply};
use crate::shares::{Guests, Paging, Share, Standing};
use crate::state::State;

/// Who asks, as far as the headers say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    /// The access token, empty for guests.
    pub(crate) token: String,
    /// The account whose own host was asked.
    pub(crate) host_of: Option<i64>,
    pub(crate) has_referer: bool,
}

/// The page that an owner's host shows for the share of somebody else, or to what does not look like a browser.
pub(crate) fn wrong_host(state: &State, asker: &Asker, args: &Args, lenient: bool) -> Option<Reply> {
    let uid = asker.host_of?;
    if !asker.has_referer && !lenient {
        return Some(Reply::other(404, HTML, PAGE_SHELL));
    }
    let key = ["shareKey", "ShareKey", "share_key"].map(|name| args.text(name)).into_iter().find(|key| !key.is_empty());
    let owner = key.and_then(|key| state.shares.by_key(key)).map(|share| share.owner);
    owner.is_some_and(|owner| owner != uid).then(|| Reply::other(200, HTML, PAGE_SHELL))
}

/// Finds a share that is not gone; an expired one is given, too.
fn known<'a>(call: &'a Call<'_>, key: &str) -> Result<&'a Share, Refusal> {
    let well_formed = (2..=128).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !well_formed {
        return Err(Refusal::new(400, "分享码格式异常"));
    }
    let share = call.state.shares.by_key(key).ok_or_else(|| Refusal::new(5104, "分享链接不存在"))?;
    match share.standing {
        Standing::Open => Ok(share),
        Standing::Cancelled => Err(Refusal::new(5104, "分享已取消")),
        Standing::Blocked => Err(Refusal::new(5104, "分享内容违规，已失效")),
    }
}

/// Finds a share that is open, whatever its password.
fn open<'a>(call: &'a Call<'_>, key: &str) -> Result<&'a Share, Refusal> {
    let share = known(call, key)?;
    if share.is_open(call.now) { Ok(share) } else { Err(Refusal::new(5104, "分享已过期")) }
}

/// Finds a share that is open to those who give its password.
pub(super) fn opened<'a>(call: &'a Call<'_>, key: &str, password: &str) -> Result<&'a Share, Refusal> {
    let share = open(call, key)?;
    if password.chars().count() > 4 {
        return Err(Refusal::new(400, "提取码最大为4位"));
    }
    if !share.password.is_empty() && password.is_empty() {
        return Err(Refusal::new(5103, "请输入提取码"));
    }
    if !share.password.is_empty() && !password.eq_ignore_ascii_case(&share.password) {
        return Err(Refusal::new(5103, "提取码错误"));
    }
    Ok(share)
}

/// The same for a download, which names files that only a list can have told: there are working clients that do not say
/// the password again, and lenient mode asks them for none.
fn opened_again<'a>(call: &'a Call<'_>) -> Result<&'a Share, Refusal> {
    let (key, password) = (call.args.text("ShareKey"), call.args.text("SharePwd"));
    if call.lenient() && password.is_empty() { open(call, key) } else { opened(call, key, password) }
}

/// Whether an entry is in a share, itself or in a folder of it, and nothing of that in the trash.
pub(super) fn contains(drive: &Drive, share: &Share, id: i64) -> bool {
    !drive.in_trash(id) && drive.ancestry(id).any(|node| share.entries.contains(&node.id))
}

/// Needs no password, and checks none.
pub(crate) fn info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let share = known(call, call.args.text("shareKey"))?;
    let (has_password, expired) = (!share.password.is_empty(), !share.is_open(call.now));
    // Clients have met both as texts.
    let truth = |truth: bool| if call.shared.config.quirks { json!(truth.to_string()) } else { json!(truth) };
    Ok(Reply::data(json!({
        "ShareKey": share.key,
        "ShareName": share.name,
        "HasPwd": truth(has_password),
        "Expired": truth(expired),
        "UserID": share.owner,
    })))
}

/// The same on the page's own path, which wraps the envelope once more.
pub(crate) fn page_info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(info(call).unwrap_or_else(Reply::from).wrapped("info"))
}

pub(crate) fn list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    // Strict mode has refused it before, as it refuses a list without the others.
    if call.args.value("next").is_none() {
        return Err(Refusal::new(400, "请输入Next"));
    }
    let limit = call.page_limit()?;
    let page = usize::try_from(call.args.int("Page")).map_err(|_| Refusal::rule("`Page` is negative"))?;
    let order = (call.args.text("orderBy"), call.args.text("orderDirection"));
    listed(call, call.args.int("parentFileId"), order, limit, page)
}

/// The root of a share on the page's own path: all of it, by id.
pub(crate) fn page_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    listed(call, ROOT, ("file_id", "asc"), usize::MAX, 1)
}

/// One page of a folder of a share.
fn listed(
    call: &mut Call<'_>,
    folder: i64,
    (by, direction): (&str, &str),
    limit: usize,
    page: usize,
) -> Result<Reply, Refusal> {
    let share = opened(call, call.args.text("shareKey"), call.args.text("SharePwd"))?;
    let (key, paging, lenient) = (share.key.clone(), share.paging, call.lenient());
    let drive = &call.state.drive;
    let mut found: Vec<&Node> = if folder == ROOT {
        share.entries.iter().filter_map(|id| drive.node(*id)).filter(|node| !drive.in_trash(node.id)).collect()
    } else {
        // The service also lists folders of the caller's own drive that are not in the share.
        let visible = contains(drive, share, folder) || !call.asker.token.is_empty();
        if !visible || !drive.is_live_folder(folder) {
            return Err(Refusal::gone());
        }
        drive.children_after(folder, i64::MIN).filter(|node| !node.trashed).collect()
    };
    sort(&mut found, by, direction, lenient)?;
    let start = page_start(&found, limit, page, call.args.text("next"), paging, lenient);
    let total = found.len();
    let shown: Vec<&Node> = found.into_iter().skip(start).take(limit).collect();
    let more = start + shown.len() < total;
    let next = shown.last().filter(|_| more).map_or_else(|| "-1".to_owned(), |node| node.id.to_string());
    let entries: Vec<Value> = shown.into_iter().map(|node| row(call, share, node, folder == ROOT)).collect();
    let length = entries.len();
    let entries = if call.shared.config.quirks && entries.is_empty() { Value::Null } else { Value::from(entries) };
    if folder == ROOT
        && start == 0
        && let Some(share) = call.state.shares.by_key_mut(&key)
    {
        share.previews += 1;
    }
    Ok(Reply::data(json!({"Len": length, "Total": total, "Next": next, "Expired": false, "InfoList": entries})))
}

/// Where a page begins: after the entry that the cursor names, or by the page's number.
pub(super) fn page_start(
    found: &[&Node],
    limit: usize,
    page: usize,
    next: &str,
    paging: Paging,
    lenient: bool,
) -> usize {
    let by_page = page.saturating_sub(1).saturating_mul(limit);
    let named = next.trim().parse().ok().and_then(|id: i64| found.iter().position(|node| node.id == id));
    let by_cursor = match next {
        "" | "0" => None,
        // Many clients begin with 1 or -1, and some keep it while they count pages.
        _ if lenient => named.map(|at| at + 1),
        _ => Some(named.map_or(found.len(), |at| at + 1)),
    };
    match paging {
        Paging::Page => by_page,
        Paging::Cursor => by_cursor.unwrap_or_default(),
        Paging::Both => by_cursor.unwrap_or(by_page),
    }
}

pub(super) fn sort(found: &mut [&Node], by: &str, direction: &str, lenient: bool) -> Result<(), Refusal> {
    match by {
        "file_id" | "share_id" => found.sort_by_key(|node| node.id),
        "file_name" => found.sort_by(|one, other| one.name.cmp(&other.name)),
        "size" => found.sort_by_key(|node| (node.size(), node.id)),
        "create_at" => found.sort_by_key(|node| (node.created, node.id)),
        // Entries in the trash were last changed by being put there.
        "update_at" | "update_time" | "trashed_at" | "remain_days" => found.sort_by_key(|node| (node.updated, node.id)),
        _ if lenient => found.sort_by_key(|node| node.id),
        _ => return Err(Refusal::rule("`orderBy` is none of those known")),
    }
    match direction {
        "asc" => {}
        "desc" => found.reverse(),
        _ if lenient => {}
        _ => return Err(Refusal::rule("`orderDirection` is neither asc nor desc")),
    }
    Ok(())
}

fn row(call: &Call<'_>, share: &Share, node: &Node, top: bool) -> Value {
    let mut row = json!({
        "FileId": node.id,
        "FileName": node.name,
        "Type": i32::from(node.is_folder()),
        "Size": node.size(),
        "Etag": node.md5(),
        "S3KeyFlag": key_flag(share),
        "ParentFileId": if top { ROOT } else { node.parent },
        "CreateAt": rfc3339(node.created),
        "UpdateAt": rfc3339(node.updated),
        "DownloadUrl": "",
    });
    if call.lenient()
        && let Value::Object(fields) = &mut row
    {
        let rejected = call.state.drive.is_rejected(node.md5(), node.size());
        // Rows of one's own drive have them, and there are clients that read both kinds of rows alike.
        let more = [
            ("ContentType", json!("0")),
            ("Status", json!(if rejected { entry::REJECTED } else { 0 })),
            ("Category", json!(entry::category(node))),
            ("PunishFlag", json!(0)),
            ("StorageNode", json!(STORAGE_NODE)),
            ("PreviewType", json!(0)),
        ];
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    row
}

fn key_flag(share: &Share) -> String {
    format!("{}-0", share.owner)
}

pub(crate) fn download_info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let share = opened_again(call)?;
    let (key, id) = (share.key.clone(), call.args.int("FileID").max(call.args.int("fileId")));
    if call.args.text("Etag").is_empty() {
        return Err(Refusal::rule("`Etag` is empty; folders are downloaded by the batch call").with_code(400));
    }
    let node = call.state.drive.node(id).filter(|node| contains(&call.state.drive, share, node.id));
    let Some((node, (md5, size))) = node.and_then(|node| Some((node, node.content()?))) else {
        let was_there = share.entries.contains(&id) || call.state.drive.in_trash(id);
        return Err(if was_there { Refusal::new(400, "源文件不存在") } else { Refusal::gone() });
    };
    let repeated = call.args.text("Etag").eq_ignore_ascii_case(&md5)
        && call.args.int("Size").unsigned_abs() == size
        && call.args.text("S3KeyFlag") == key_flag(share);
    if !repeated {
        return Err(Refusal::rule("`Etag`, `S3KeyFlag` and `Size` are not those of the file").with_code(400));
    }
    let name = node.name.clone();
    call.refuse_rejected(&md5, size)?;
    admit(call, &key, size, 1)?;
    Ok(Reply::data(downloads::answer(call, &md5, size, &name, "DownloadURL")))
}

/// A zip of files and folders, also of a single file.
pub(crate) fn download_info_batch(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let share = opened_again(call)?;
    let key = share.key.clone();
    let mut files = Vec::new();
    for id in exact_ids(call, "fileIdList", "FileId")? {
        if !contains(&call.state.drive, share, id) {
            return Err(Refusal::gone());
        }
        gather(&call.state.drive, id, "", &mut files);
    }
    let (total, count) = (files.iter().map(|(_, _, size)| size).sum(), files.len() as u64);
    if count > 0 && total <= MOST_ZIPPED {
        admit(call, &key, total, count)?;
    }
    let (md5, size) = zipped(call, files)?;
    // The service's name may lack the extension.
    let name = if call.shared.config.quirks { "share" } else { "share.zip" };
    Ok(Reply::data(downloads::answer(call, &md5, size, name, "DownloadUrl")))
}

/// Stores a zip of files; gives its MD5 and size.
pub(super) fn zipped(call: &mut Call<'_>, files: Vec<(String, String, u64)>) -> Result<(String, u64), Refusal> {
    if files.is_empty() {
        return Err(Refusal::new(-3, "文件夹内没有可下载的文件"));
    }
    if files.iter().map(|(_, _, size)| size).sum::<u64>() > MOST_ZIPPED {
        return Err(Refusal::rule("more than 1 GiB is not zipped"));
    }
    files.iter().try_for_each(|(_, md5, size)| call.refuse_rejected(md5, *size))?;
    let pack = |(name, md5, size): (String, String, u64)| {
        Some(Packed { name, bytes: call.state.content(&md5, size)?.to_bytes() })
    };
    let archive = zip(&files.into_iter().filter_map(pack).collect::<Vec<_>>());
    let (md5, size) = (md5_hex(&archive), archive.len() as u64);
    call.state.store(&md5, Content::whole(archive.into()));
    Ok((md5, size))
}

/// The files at and below an entry, with their paths from there.
pub(super) fn gather(drive: &Drive, id: i64, above: &str, files: &mut Vec<(String, String, u64)>) {
    let Some(node) = drive.node(id).filter(|node| !node.trashed) else { return };
    let path = format!("{above}{}", node.name);
    match node.content() {
        Some((md5, size)) => files.push((path, md5, size)),
        None => {
            let above = format!("{path}/");
            drive.children_after(id, i64::MIN).for_each(|child| gather(drive, child.id, &above, files));
        }
    }
}

/// Decides who pays for a download, and counts it.
fn admit(call: &mut Call<'_>, key: &str, bytes: u64, files: u64) -> Result<(), Refusal> {
    let (guest, used_up) = (call.asker.token.is_empty(), call.state.traffic_used_up);
    let Some(share) = call.state.shares.by_key_mut(key) else { return Err(Refusal::gone()) };
    let for_sale = share.sale.is_some_and(|sale| guest || sale.orders == 0);
    if for_sale {
        return Err(Refusal::new(5112, "请登录、注册或付费后下载"));
    }
    if (guest || used_up) && share.owner_pays(guest, bytes) {
        share.charged = share.charged.saturating_add(bytes);
    } else if guest {
        match share.guests {
            Guests::Everything => {}
            Guests::UpTo(most) if bytes <= most => {}
            Guests::UpTo(most) => {
                return Err(Refusal::new(401, format!("文件大于{}MB，请登录后下载", most >> 20)));
            }
            Guests::Nothing => return Err(Refusal::new(5112, "请登录、注册或付费后下载")),
        }
    } else if used_up {
        return Err(Refusal::new(5113, "本月免费流量不足"));
    }
    share.downloads += files;
    Ok(())
}

const HTML: &str = "text/html; charset=utf-8";
const MOST_ZIPPED: u64 = 1 << 30;
