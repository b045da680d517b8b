//! Direct-link spaces and the links of files in them.

use serde_json::{Value, json};

use super::Call;
use super::entry;
use crate::archive::gzip;
use crate::clock::{hour_text, local, parse_hour, parse_local};
use crate::content::{Content, md5_hex};
use crate::drive::{Kind, ROOT};
use crate::ops::cdn;
use crate::reply::{Refusal, Reply};
use crate::simulator::UID;
use crate::traffic::{Traffic, hour};
use crate::video::RESOLUTIONS;

pub(crate) fn enable(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    switch(call, true)
}

pub(crate) fn disable(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    switch(call, false)
}

fn switch(call: &mut Call<'_>, on: bool) -> Result<Reply, Refusal> {
    let id = call.args.int("fileID");
    if id == ROOT {
        return Err(Refusal::rule("the root folder cannot be a direct-link space"));
    }
    let node = call.live_entry(id)?;
    let (name, parent) = (node.name.clone(), node.parent);
    if !node.is_folder() {
        return Err(Refusal::rule("a direct-link space must be a folder"));
    }
    if on && parent != ROOT && !call.lenient() {
        return Err(Refusal::rule("a direct-link space must lie directly below the root folder"));
    }
    if let Some(node) = call.state.drive.node_mut(id) {
        node.kind = Kind::Folder { direct_link: on };
    }
    Ok(Reply::data(json!({"filename": name})))
}

pub(crate) fn url(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let node = call.live_entry(call.args.int("fileID"))?;
    let id = node.id;
    if node.is_folder() {
        return Err(Refusal::rule("a folder has no direct link"));
    }
    call.refuse_rejected(node.md5(), node.size())?;
    refuse_outside(call, id)?;
    Ok(Reply::data(json!({"url": cdn::direct_url(call, id)})))
}

/// Purges nothing, because the simulated CDN caches nothing.
pub(crate) fn cache_refresh(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({})))
}

/// The traffic of the last three days, one entry for each address.
pub(crate) fn traffic_log(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let moment = |name: &str| {
        parse_local(call.args.text(name)).ok_or_else(|| Refusal::rule(format!("`{name}` is not YYYY-MM-DD hh:mm:ss")))
    };
    let from = moment("startTime")?.max(call.now - LOGGED_DAYS * DAY);
    let found = call.state.traffic.by_url(from, moment("endTime")?);
    let shown = |traffic: &Traffic| {
        json!({
            "uniqueID": md5_hex(traffic.url.as_bytes())[..8],
            "fileName": traffic.name,
            "fileSize": traffic.size,
            "filePath": traffic.path,
            "directLinkURL": traffic.url,
            "fileSource": traffic.source,
            "totalTraffic": traffic.bytes,
        })
    };
    let total = found.len();
    let list: Vec<Value> = numbered_page(call, found)?.iter().map(shown).collect();
    Ok(Reply::data(json!({"total": total, "list": list})))
}

/// The hours of the last thirty days that had traffic, each with the address of its archive.
pub(crate) fn offline_logs(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let at = |name: &str| {
        parse_hour(call.args.text(name)).ok_or_else(|| Refusal::rule(format!("`{name}` is not YYYYMMDDhh")))
    };
    let from = at("startHour")?.max(call.now - ARCHIVED_DAYS * DAY);
    let hours = call.state.traffic.hours(hour(from), hour(at("endHour")?));
    let quirky = call.shared.config.quirks;
    // Both are known, and there is a working client that reads nothing but texts.
    let as_text = quirky || call.lenient();
    // An example of the service shows 0 beside a filled list.
    let total = if quirky { 0 } else { hours.len() };
    let mut list = Vec::new();
    for hour in numbered_page(call, hours)? {
        let (begin, end) = (hour_text(hour * 3600), hour_text((hour + 1) * 3600));
        let name = format!("{begin}{}.gz", &end[8..]);
        let lines: String = call.state.traffic.in_hour(hour).map(log_line).collect();
        let archive = gzip(lines.as_bytes());
        let (md5, size) = (md5_hex(&archive), archive.len() as u64);
        call.state.store(&md5, Content::whole(archive.into()));
        let range = format!("{}~{}:00", &local(hour * 3600)[..16], &end[8..]);
        list.push(json!({
            "id": if as_text { json!(hour.to_string()) } else { json!(hour) },
            "fileName": name,
            "fileSize": size,
            "logTimeRange": range,
            "downloadURL": cdn::download_url(call, &md5, size, &name),
        }));
    }
    Ok(Reply::data(json!({"total": total, "list": list})))
}

fn log_line(traffic: &Traffic) -> String {
    format!("{} {} {}\n", local(traffic.unix), traffic.url, traffic.bytes)
}

/// The page that `pageNum` and `pageSize` ask for.
fn numbered_page<T>(call: &Call<'_>, all: Vec<T>) -> Result<Vec<T>, Refusal> {
    let (Ok(number @ 1..), Ok(size @ 1..)) =
        (usize::try_from(call.args.int("pageNum")), usize::try_from(call.args.int("pageSize")))
    else {
        return Err(Refusal::rule("`pageNum` and `pageSize` are from 1"));
    };
    Ok(all.into_iter().skip((number - 1).saturating_mul(size)).take(size).collect())
}

/// The playlists of a video that [`transcode_start`] was given.
pub(crate) fn m3u8(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.args.int("fileID");
    refuse_outside(call, id)?;
    let heights: &[i64] = if call.state.transcoder.direct.contains(&id) { &RESOLUTIONS } else { &[] };
    let address =
        |height: &i64| format!("{}/{UID}/{}/{id}/{height}p/stream.m3u8", call.shared.urls.cdn, cdn::PLAYLISTS);
    let list: Vec<Value> =
        heights.iter().map(|height| json!({"resolutions": format!("{height}p"), "address": address(height)})).collect();
    Ok(Reply::data(json!({"list": list})))
}

pub(crate) fn transcode_start(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    for id in call.ids("ids", usize::MAX)? {
        refuse_outside(call, id)?;
        if is_video(call, id) && !call.state.transcoder.direct.contains(&id) {
            call.state.transcoder.direct.push(id);
        }
    }
    Ok(Reply::data(Value::Null))
}

/// Videos that are still running are in none of the lists.
pub(crate) fn transcode_query(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (mut none, mut errors, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for id in call.ids("ids", usize::MAX)? {
        if !is_video(call, id) {
            errors.push(id);
        } else if !call.state.transcoder.direct.contains(&id) {
            none.push(id);
        } else if !call.still_running(&format!("direct transcode {id}")) {
            done.push(id);
        }
    }
    Ok(Reply::data(json!({"noneList": none, "errorList": errors, "success": done})))
}

fn is_video(call: &Call<'_>, id: i64) -> bool {
    call.state.drive.node(id).is_some_and(|node| entry::category(node) == entry::VIDEO)
}

fn refuse_outside(call: &Call<'_>, id: i64) -> Result<(), Refusal> {
    let node = call.live_entry(id)?;
    if cdn::is_in_direct_link_space(&call.state.drive, node.id) {
        Ok(())
    } else {
        Err(Refusal::rule("direct-link space is not enabled"))
    }
}

const DAY: i64 = 24 * 3600;
const LOGGED_DAYS: i64 = 3;
const ARCHIVED_DAYS: i64 = 30;
