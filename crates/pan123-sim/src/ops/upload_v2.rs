//! The v2 upload: announce, send slices, complete; or all in one request.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Call;
use super::public_share::Asker;
use super::upload::{self, Created, MOST_IN_SLICES, announced, hash, refuse_clash, unknown_ticket, unverified};
use crate::args::Args;
use crate::content::Content;
use crate::fault::Oddity;
use crate::form::FilePart;
use crate::reply::{Refusal, Reply};
use crate::state::Shared;
use crate::upload::{Slice, Stage};

pub(crate) fn create(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(match upload::create(call)? {
        Created::Reused(id) => {
            // There is nothing to send, so the reference allows null here; but one working client reads only lists.
            let servers = if call.lenient() { json!([call.shared.urls.upload]) } else { Value::Null };
            json!({"fileID": id, "preuploadID": "", "reuse": true, "sliceSize": 0, "servers": servers})
        }
        Created::Ticket { id, slice_size, reuse } => {
            let servers = if call.quirk_by_chance() { Vec::new() } else { vec![&call.shared.urls.upload] };
            json!({"fileID": 0, "reuse": reuse, "preuploadID": id, "sliceSize": slice_size, "servers": servers})
        }
    }))
}

pub(crate) fn domain(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!([call.shared.urls.upload])))
}

/// Takes one slice in.
pub(crate) fn slice(shared: &Shared, args: &Args, file: Option<FilePart>) -> Result<Reply, Refusal> {
    let Some(file) = file else { return Err(Refusal::rule("the form has no file part `slice`")) };
    let claimed = hash(args.text("sliceMD5"), "sliceMD5", 32, shared.config.lenient)?;
    let mut state = shared.state();
    let ticket = state.uploads.ticket_mut(args.text("preuploadID")).filter(|ticket| ticket.stage == Stage::Open);
    let Some(ticket) = ticket else { return Err(unknown_ticket()) };
    let number = u64::try_from(args.int("sliceNo")).unwrap_or_default();
    match ticket.slice_length(number) {
        None => return Err(Refusal::rule(format!("sliceNo {number} is not within 1 to {}", ticket.slice_count()))),
        Some(length) if length != file.size => {
            return Err(Refusal::rule(format!("slice {number} has {} bytes, {length} expected", file.size)));
        }
        Some(_) => {}
    }
    if file.md5.as_ref().is_some_and(|md5| *md5 != claimed) {
        return Err(Refusal::rule("slice md5 mismatch"));
    }
    let bytes = file.pieces.into_iter().next().unwrap_or_default();
    ticket.slices.insert(number, Slice { size: file.size, md5: claimed, bytes });
    Ok(Reply::data(Value::Null))
}

pub(crate) async fn complete(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let settled = upload::settle(shared, args.text("preuploadID"), oddity).await?;
    Ok(Reply::data(json!({"completed": settled.is_some(), "fileID": settled.unwrap_or_default()})))
}

/// Takes a whole file in.
pub(crate) fn single_create(shared: &Shared, args: &Args, file: Option<FilePart>) -> Result<Reply, Refusal> {
    let Some(part) = file else { return Err(Refusal::rule("the form has no file part `file`")) };
    let mut state = shared.state();
    let now = state.clock.now();
    let mut call = Call { shared, state: &mut state, args, asker: &Asker::default(), oddity: None, now };
    let md5 = hash(args.text("etag"), "etag", 32, shared.config.lenient)?;
    let file = announced(&mut call, md5, MOST_AT_ONCE, "1 GB")?;
    refuse_clash(call.state, &file)?;
    if call.quirk(&format!("queue {} {} {}", file.parent, file.name, file.md5)) {
        return Err(Refusal::new(1, "当前任务已进入秒传队列，暂无文件ID，请慢一点"));
    }
    if part.size != file.size {
        return Err(Refusal::rule(format!("the file has {} bytes, `size` says {}", part.size, file.size)));
    }
    let content = match &part.md5 {
        Some(md5) if *md5 != file.md5 => return Err(Refusal::upload_failed()),
        Some(_) => Content::pieces(part.pieces, PIECE as u64),
        None => unverified(&file.md5, file.size),
    };
    state.store(&file.md5, content);
    let id = state.make_file(file.parent, &file.name, &file.md5, file.size, file.on_clash)?;
    Ok(completed(id))
}

/// Makes a file of content that is known by its SHA-1.
pub(crate) fn sha1_reuse(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let sha1 = hash(call.args.text("sha1"), "sha1", 40, call.lenient())?;
    let mut file = announced(call, String::new(), MOST_IN_SLICES, "10 GB")?;
    refuse_clash(call.state, &file)?;
    let Some(md5) = call.state.md5_by_sha1(&sha1, file.size) else {
        return Ok(Reply::data(json!({"fileID": 0, "reuse": false})));
    };
    file.md5 = md5;
    let id = call.state.make_file(file.parent, &file.name, &file.md5, file.size, file.on_clash)?;
    Ok(Reply::data(json!({"fileID": id, "reuse": true})))
}

fn completed(id: i64) -> Reply {
    Reply::data(json!({"completed": true, "fileID": id}))
}

/// The largest file that one request may carry.
pub(crate) const MOST_AT_ONCE: u64 = 1 << 30;
/// The pieces in which a file that came in one request is kept.
pub(crate) const PIECE: usize = 4 << 20;
