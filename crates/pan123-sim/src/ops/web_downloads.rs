//! Addresses for downloads, as the web API tells them.

use serde_json::json;

use super::public_share::{self, gather};
use super::web_files::listed_ids;
use super::web_row::key_flag;
use super::web_shares::{bad, drive};
use super::{Call, downloads};
use crate::reply::{Refusal, Reply};

pub(crate) fn traffic_check(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.args.ints("fids");
    if ids.is_empty() {
        return Err(Refusal::new(400, "fids 不能为空"));
    }
    let size: u64 = ids.iter().filter_map(|id| call.state.drive.node(*id)).map(|node| node.size()).sum();
    let used_up = call.state.traffic_used_up;
    Ok(Reply::data(json!({
        "isTrafficExceeded": used_up,
        "originalRemainTraffic": if used_up { 0 } else { TRAFFIC },
        "originalFileSize": size,
        "clientFileSize": size,
        "isBlocked": true,
    })))
}

pub(crate) fn info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (md5, size, name) = wanted(call)?;
    // A file without bytes may have no address.
    if size == 0 && call.shared.config.quirks {
        return Ok(Reply::data(json!({"DownloadUrl": ""})));
    }
    Ok(Reply::data(downloads::answer(call, &md5, size, &name, "DownloadUrl")))
}

pub(crate) fn info_v2(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (md5, size, name) = wanted(call)?;
    Ok(Reply::data(downloads::dispatched(call, &md5, size, &name)))
}

/// The content that the arguments describe: the service goes by them, and not by the id.
fn wanted(call: &Call<'_>) -> Result<(String, u64, String), Refusal> {
    drive(call)?;
    if !call.lenient() && call.args.int("type") != 0 {
        return Err(bad("`type` is not 0"));
    }
    let wrong = |field: &str| Refusal::new(400, format!("参数错误：{field}"));
    let md5 = call.args.text("etag").to_lowercase();
    let size = u64::try_from(call.args.int("size")).map_err(|_| wrong("size"))?;
    let mark = call.args.text("s3keyFlag");
    let known = mark == key_flag() || call.state.shares.all().any(|share| mark == format!("{}-0", share.owner));
    if !known {
        return Err(wrong("s3keyFlag"));
    }
    if call.state.content(&md5, size).is_none() {
        let other_size = call.state.contents.keys().any(|(held, _)| *held == md5);
        return Err(wrong(if other_size { "size" } else { "etag" }));
    }
    call.refuse_rejected(&md5, size)?;
    if call.state.traffic_used_up {
        return Err(Refusal::new(5113, "今日下载流量已用完"));
    }
    Ok((md5, size, call.args.text("fileName").to_owned()))
}

/// A zip of entries.
pub(crate) fn batch_info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (md5, size) = zipped(call)?;
    Ok(Reply::data(downloads::answer(call, &md5, size, ZIP, "DownloadUrl")))
}

pub(crate) fn batch_info_v2(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (md5, size) = zipped(call)?;
    Ok(Reply::data(downloads::dispatched(call, &md5, size, ZIP)))
}

fn zipped(call: &mut Call<'_>) -> Result<(String, u64), Refusal> {
    let mut files = Vec::new();
    for id in listed_ids(call, "fileIdList")? {
        call.live_entry(id)?;
        gather(&call.state.drive, id, "", &mut files);
    }
    if call.state.traffic_used_up {
        return Err(Refusal::new(5113, "今日下载流量已用完"));
    }
    public_share::zipped(call, files)
}

/// What a free account has for a day.
const TRAFFIC: u64 = 10 << 30;
const ZIP: &str = "download.zip";
