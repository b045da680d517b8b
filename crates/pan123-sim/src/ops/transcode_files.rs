//! Downloads out of the transcoding space: the original, the playlists and segments, or all of it as a zip.

use serde_json::json;

use super::transcode::video_in_space;
use super::{Call, cdn};
use crate::archive::{Packed, zip};
use crate::content::{Content, md5_hex};
use crate::drive::is_name;
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};
use crate::seed;
use crate::video::{Output, PLAYLIST, outputs};

pub(crate) fn download_original(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let node = video_in_space(call)?;
    let (name, content) = (node.name.clone(), node.content());
    let Some((md5, size)) = content else { return Err(Refusal::gone()) };
    if is_full(call) {
        return Ok(Reply::data(json!({"downloadUrl": "", "isFull": true})));
    }
    let url = cdn::download_url(call, &md5, size, &name);
    Ok(Reply::data(json!({"downloadUrl": url, "isFull": false})))
}

/// One file of one resolution: the playlist for type 1, a segment for type 2.
pub(crate) fn download_one(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let segment = call.args.text("tsName");
    let name = match call.args.int("type") {
        1 => PLAYLIST.to_owned(),
        2 if segment.is_empty() => return Err(Refusal::rule("`tsName` is missing from the JSON body")),
        2 if segment.ends_with(".ts") && !call.lenient() => {
            return Err(Refusal::rule("`tsName` is given without its extension"));
        }
        2 => format!("{}.ts", segment.trim_end_matches(".ts")),
        _ => return Err(Refusal::rule("`type` is neither 1 nor 2")),
    };
    let wanted = call.args.text("resolution").to_owned();
    let made = finished(call)?.into_iter().find(|(resolution, _)| *resolution == wanted);
    let Some((_, files)) = made else { return Err(Refusal::rule(format!("`{wanted}` is not transcoded"))) };
    let Some(file) = files.into_iter().find(|file| file.name == name) else { return Err(Refusal::gone()) };
    if is_full(call) {
        return Ok(Reply::data(json!({"downloadUrl": "", "isFull": true})));
    }
    let (md5, size) = (file.content.md5(), file.content.size());
    call.state.store(&md5, file.content);
    let url = cdn::download_url(call, &md5, size, &file.name);
    Ok(Reply::data(json!({"downloadUrl": url, "isFull": false})))
}

/// All that was made of a video; packing it takes a while.
pub(crate) fn download_all(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let id = call.args.int("fileId");
    let name = call.args.text("zipName").to_owned();
    if !is_name(&name) {
        return Err(Refusal::bad_name());
    }
    let made = finished(call)?;
    if made.is_empty() {
        return Err(Refusal::rule("nothing of this video is transcoded"));
    }
    if is_full(call) {
        return Ok(Reply::data(json!({"isDownloading": false, "isFull": true, "downloadUrl": ""})));
    }
    if call.still_running(&format!("zip {id} {name}")) {
        return Ok(Reply::data(json!({"isDownloading": true, "isFull": false, "downloadUrl": ""})));
    }
    let packed = |(resolution, files): &(String, Vec<Output>)| {
        let pack =
            |file: &Output| Packed { name: format!("{resolution}/{}", file.name), bytes: file.content.to_bytes() };
        files.iter().map(pack).collect::<Vec<_>>()
    };
    let archive = zip(&made.iter().flat_map(packed).collect::<Vec<_>>());
    let (md5, size) = (md5_hex(&archive), archive.len() as u64);
    call.state.store(&md5, Content::whole(archive.into()));
    let url = cdn::download_url(call, &md5, size, &name);
    // The service's address carries a credential, which nobody should write down.
    let secret = seed::word(&mut call.state.random, 32);
    Ok(Reply::data(
        json!({"isDownloading": false, "isFull": false, "downloadUrl": format!("{url}&access_token={secret}")}),
    ))
}

/// The resolutions that are done, with their files. Asking for them is no query of their state.
fn finished(call: &Call<'_>) -> Result<Vec<(String, Vec<Output>)>, Refusal> {
    let Some(runs) = call.state.transcoder.videos.get(&call.args.int("fileId")) else {
        return video_in_space(call).map(|_| Vec::new());
    };
    let polls = |id: i64| call.state.polls.get(&format!("transcode {id}")).copied().unwrap_or_default();
    let done = runs.iter().filter(|run| !run.fails && polls(run.id) >= call.shared.config.task_polls);
    Ok(done.map(|run| (run.resolution.clone(), outputs(&run.source, &run.resolution))).collect())
}

fn is_full(call: &Call<'_>) -> bool {
    call.oddity == Some(Oddity::SpaceFull)
}
