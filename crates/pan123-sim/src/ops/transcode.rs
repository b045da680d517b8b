//! The transcoding space: bringing videos in, and turning them into playlists and segments.

use serde_json::{Value, json};

use super::files::MOST_IDS;
use super::web_files::exact_ids;
use super::{Call, cdn, entry};
use crate::clock::local;
use crate::drive::{Node, OnClash};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};
use crate::simulator::UID;
use crate::video::{self, CODEC, PLAYLIST, RESOLUTIONS, SECONDS, Transcode, is_in_space, is_offered, outputs};

pub(crate) fn folder_info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({"fileID": call.state.transcode_folder()})))
}

/// Imports videos of the drive; they get ids of their own, which are not told.
pub(crate) fn upload_from_cloud_disk(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = exact_ids(call, BODY, "fileId").map_err(|refusal| refusal.with_code(1))?;
    if ids.is_empty() || ids.len() > MOST_IDS {
        return Err(Refusal::rule(format!("the body holds {} ids, 1 to {MOST_IDS} may be given", ids.len())));
    }
    let mut videos = Vec::new();
    for id in ids {
        let node = call.live_entry(id)?;
        let content = node.content().filter(|_| entry::category(node) == entry::VIDEO);
        let Some((md5, size)) = content else { return Err(Refusal::rule(format!("{id} is no video"))) };
        videos.push((node.name.clone(), md5, size));
    }
    if call.oddity == Some(Oddity::TaskFails) {
        return Ok(Reply::data(Value::Null));
    }
    let late = match call.oddity {
        Some(Oddity::ListsLate(late)) => late,
        _ => u32::from(call.shared.config.quirks),
    };
    let folder = call.state.transcode_folder();
    for (name, md5, size) in videos {
        let made = call.state.make_file(folder, &name, &md5, size, OnClash::KeepBoth)?;
        if let Some(node) = call.state.drive.node_mut(made) {
            node.late = late;
        }
    }
    Ok(Reply::data(Value::Null))
}

pub(crate) fn resolutions(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = video_in_space(call)?.id;
    // The flag means the opposite of its name: true while the video is still being looked at.
    if call.still_running(&format!("probe {id}")) {
        return Ok(Reply::data(json!({
            "IsGetResolution": true, "Resolutions": "", "NowOrFinishedResolutions": "", "CodecNames": "", "VideoTime": 0,
        })));
    }
    let taken: Vec<String> =
        transcodes(call, id).iter().filter(|run| !run.fails).map(|run| run.resolution.to_lowercase()).collect();
    Ok(Reply::data(json!({
        "IsGetResolution": false,
        "Resolutions": video::offered(),
        "NowOrFinishedResolutions": taken.join(","),
        "CodecNames": CODEC,
        "VideoTime": SECONDS,
    })))
}

pub(crate) fn start(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let node = video_in_space(call)?;
    let (id, source) = (node.id, node.md5().to_owned());
    if !call.lenient() && (call.args.text("codecName") != CODEC || call.args.int("videoTime") != SECONDS) {
        return Err(Refusal::rule("`codecName` and `videoTime` are not those that were told"));
    }
    let wanted: Vec<String> = call.args.text("resolutions").split(',').map(str::to_owned).collect();
    let wanted: Vec<String> =
        if call.lenient() { wanted.iter().map(|one| one.trim().to_uppercase()).collect() } else { wanted };
    for (index, one) in wanted.iter().enumerate() {
        if !is_offered(one, 'P') {
            return Err(Refusal::rule(format!("`{one}` is no resolution of this video, with a capital P")));
        }
        let taken = transcodes(call, id).iter().any(|run| run.resolution == *one && !run.fails);
        if taken || wanted[..index].contains(one) {
            return Err(Refusal::rule(format!("{one} is running or done")));
        }
    }
    let fails = call.oddity == Some(Oddity::TaskFails);
    for resolution in &wanted {
        let (run, created) = (call.state.new_id(), call.now);
        let runs = call.state.transcoder.videos.entry(id).or_default();
        runs.retain(|held| held.resolution != *resolution);
        runs.push(Transcode { id: run, resolution: resolution.clone(), source: source.clone(), created, fails });
    }
    Ok(Reply::data(json!(format!("{} started, see the results call", wanted.join(",")))))
}

pub(crate) fn record(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.args.int("fileId");
    let mut list = Vec::new();
    for run in known_transcodes(call, id)? {
        let status = status(call, &run);
        let mut item = json!({"create_at": local(run.created), "resolution": run.resolution, "status": status});
        if status == DONE {
            item["link"] = json!(playlist_url(call, id, &run.resolution));
        }
        list.push(item);
    }
    Ok(Reply::data(json!({"UserTranscodeVideoRecordList": list})))
}

pub(crate) fn result(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.args.int("fileId");
    let mut list = Vec::new();
    for run in known_transcodes(call, id)? {
        let status = status(call, &run);
        let at = local(run.created);
        let file = |output: &video::Output| {
            let is_playlist = output.name == PLAYLIST;
            json!({
                "FileName": output.name,
                "FileSize": size_text(output.content.size()),
                "Resolution": run.resolution,
                "CreateAt": at,
                "Url": if is_playlist { playlist_url(call, id, &run.resolution) } else { String::new() },
            })
        };
        let files = match status {
            DONE => Value::from(outputs(&run.source, &run.resolution).iter().map(file).collect::<Vec<_>>()),
            _ => Value::Null,
        };
        list.push(json!({
            "Id": run.id, "Uid": UID, "Resolution": run.resolution, "Status": status, "CreateAt": at, "UpdateAt": at,
            "Files": files,
        }));
    }
    Ok(Reply::data(json!({"UserTranscodeVideoList": list})))
}

/// For apps with an OAuth token: the transcodes of a video of the drive, which need not be asked for.
pub(crate) fn third_party_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.state.tokens.client(&call.asker.token) != Some(super::oauth::CLIENT) {
        return Err(Refusal::rule("this call needs a token of the OAuth flow"));
    }
    let id = call.args.int("fileId");
    let node = call.live_entry(id)?;
    if entry::category(node) != entry::VIDEO {
        return Err(Refusal::rule("the file is no video"));
    }
    let overall = match call.scripted_status() {
        Some(status) => status,
        None if call.still_running(&format!("third party {id}")) => 1,
        None => DONE,
    };
    let item = |(index, height): (usize, &i64)| {
        let done = overall == DONE || (overall == PARTLY && index == 0);
        json!({
            "url": if done { playlist_url(call, id, &format!("{height}p")) } else { String::new() },
            "resolution": format!("{height}p"),
            "duration": SECONDS as f64 + 0.033,
            "height": height,
            "status": if done { DONE } else { overall },
            "mc": "m88_123-hls-888",
            "bitRate": height * 2000,
            "progress": if done { 100 } else { 40 },
            "updateAt": local(call.now),
        })
    };
    let list: Vec<Value> = if overall == 1 { Vec::new() } else { RESOLUTIONS.iter().enumerate().map(item).collect() };
    Ok(Reply::data(json!({"status": overall, "list": list})))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.constant("businessType", 2)?;
    let with_outputs = match call.args.int("trashed") {
        1 => false,
        2 => true,
        _ => return Err(Refusal::rule("`trashed` is neither 1 nor 2")),
    };
    let id = call.args.int("fileId");
    let original = video_in_space(call).map(|node| node.id);
    if original.is_err() && !(with_outputs && call.state.transcoder.videos.contains_key(&id)) {
        return Err(Refusal::gone());
    }
    call.state.drive.remove(id);
    if with_outputs {
        call.state.transcoder.videos.remove(&id);
    }
    Ok(Reply::data(json!("deleted")))
}

/// The video of the parameter `fileId`, which must be one of the space.
pub(super) fn video_in_space<'a>(call: &'a Call<'_>) -> Result<&'a Node, Refusal> {
    let node = call.live_entry(call.args.int("fileId"))?;
    if !is_in_space(&call.state.drive, node.id) {
        return Err(Refusal::rule("the file is not in the transcoding space"));
    }
    if entry::category(node) == entry::VIDEO { Ok(node) } else { Err(Refusal::rule("the file is no video")) }
}

fn transcodes<'a>(call: &'a Call<'_>, id: i64) -> &'a [Transcode] {
    call.state.transcoder.videos.get(&id).map(Vec::as_slice).unwrap_or_default()
}

/// The transcodes of a video that is there, or whose outputs outlived it.
fn known_transcodes(call: &Call<'_>, id: i64) -> Result<Vec<Transcode>, Refusal> {
    match call.state.transcoder.videos.get(&id) {
        Some(runs) => Ok(runs.clone()),
        None => video_in_space(call).map(|_| Vec::new()),
    }
}

/// 1 when it is first asked for, then 2, at last 255 or the first number that means failure.
fn status(call: &mut Call<'_>, run: &Transcode) -> i64 {
    if let Some(status) = call.scripted_status() {
        return status;
    }
    let task = format!("transcode {}", run.id);
    if call.still_running(&task) {
        return if call.state.first_time(&format!("{task} asked")) { 1 } else { 2 };
    }
    if run.fails { 3 } else { DONE }
}

fn playlist_url(call: &Call<'_>, id: i64, resolution: &str) -> String {
    format!("{}/{}/{UID}/{id}/{resolution}/{PLAYLIST}", call.shared.urls.cdn, cdn::PLAYLISTS)
}

/// `177B`, `497.17KB`.
fn size_text(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes}B") } else { format!("{:.2}KB", bytes as f64 / 1024.0) }
}

/// The name under which a body that is a list is given.
pub(crate) const BODY: &str = "(body)";
pub(super) const DONE: i64 = 255;
/// Done only in the list for third parties; in the others it is a failure.
const PARTLY: i64 = 254;
