//! The v2 upload: announce, send slices, complete; or all in one request.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Call;
use crate::args::Args;
use crate::content::{Content, md5_hex};
use crate::drive::{Denied, OnClash, is_name};
use crate::fault::Oddity;
use crate::form::FilePart;
use crate::reply::{Refusal, Reply};
use crate::seed;
use crate::state::{Shared, State};
use crate::upload::{Slice, Stage, Ticket};

/// Where a new file is to go, and what is claimed of it.
struct Announced {
    parent: i64,
    name: String,
    md5: String,
    size: u64,
    on_clash: OnClash,
}

pub(crate) fn create(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let md5 = hash(call.args.text("etag"), "etag", 32, call.lenient())?;
    let file = announced(call, md5, MOST_IN_SLICES, "10 GB")?;
    refuse_clash(call.state, &file)?;
    if call.state.content(&file.md5, file.size).is_some() {
        let id = call.state.make_file(file.parent, &file.name, &file.md5, file.size, file.on_clash)?;
        let late = match call.oddity {
            Some(Oddity::ReuseWithoutId { late }) => Some(late),
            _ => call.quirk_by_chance().then_some(1),
        };
        let shown = if let Some(late) = late {
            if let Some(node) = call.state.drive.node_mut(id) {
                node.late = late;
            }
            0
        } else {
            id
        };
        return Ok(Reply::data(
            json!({"fileID": shown, "preuploadID": "", "reuse": true, "sliceSize": 0, "servers": null}),
        ));
    }
    let shown_size = match call.oddity {
        Some(Oddity::PartSize(bytes)) => bytes,
        _ => i64::try_from(call.shared.config.slice_size).unwrap_or(i64::MAX),
    };
    let ticket = Ticket {
        parent: file.parent,
        name: file.name,
        md5: file.md5,
        size: file.size,
        on_clash: file.on_clash,
        slice_size: u64::try_from(shown_size).unwrap_or_default().max(1),
        slices: BTreeMap::new(),
        stage: Stage::Open,
        asked: 0,
    };
    let id = seed::word(&mut call.state.random, 24);
    call.state.uploads.open(id.clone(), ticket);
    let servers = if call.quirk_by_chance() { Vec::new() } else { vec![&call.shared.urls.upload] };
    Ok(Reply::data(
        json!({"fileID": 0, "reuse": false, "preuploadID": id, "sliceSize": shown_size, "servers": servers}),
    ))
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
    ticket.slices.insert(number, Slice { md5: claimed, bytes });
    Ok(Reply::data(Value::Null))
}

/// Joins the slices, checks the whole, and makes the entry.
///
/// The work is done on a thread of its own, and to its end even when the client goes away.
pub(crate) async fn complete(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let id = args.text("preuploadID").to_owned();
    let ticket = {
        let mut state = shared.state();
        let Some(ticket) = state.uploads.ticket_mut(&id) else { return Err(unknown_ticket()) };
        match ticket.stage {
            Stage::Done(file) => return Ok(completed(file)),
            Stage::Failed => return Err(Refusal::upload_failed()),
            Stage::Verifying => return Err(Refusal::verifying()),
            Stage::Open => {}
        }
        let quirk = |ticket: &mut Ticket| {
            ticket.asked += 1;
            if shared.config.quirks { ticket.asked } else { u32::MAX }
        };
        match (quirk(ticket), oddity) {
            (1, None) => return Err(Refusal::verifying()),
            (2, None) => return Ok(incomplete()),
            _ => {}
        }
        match oddity {
            Some(Oddity::Incomplete) => return Ok(incomplete()),
            Some(Oddity::UploadFailed) => {
                ticket.stage = Stage::Failed;
                return Err(Refusal::upload_failed());
            }
            _ => {}
        }
        if let Some(missing) = ticket.missing_slice() {
            return Err(Refusal::rule(format!("slice {missing} has not arrived")));
        }
        ticket.stage = Stage::Verifying;
        ticket.clone()
    };
    let verifying = Arc::clone(shared);
    let finished = tokio::task::spawn_blocking(move || finish(&verifying, &id, ticket)).await;
    finished.unwrap_or_else(|_| Err(Refusal::rule("the simulator is stopping")))
}

fn finish(shared: &Shared, id: &str, ticket: Ticket) -> Result<Reply, Refusal> {
    let content = ticket_content(shared, &ticket);
    let right = match (ticket.slices.first_key_value(), ticket.slice_count()) {
        _ if !shared.config.verify => true,
        // The one slice is the file, and its MD5 was checked when it arrived.
        (Some((_, slice)), 1) => slice.md5 == ticket.md5,
        _ => content.md5() == ticket.md5,
    };
    let mut state = shared.state();
    let made = if right {
        state.store(&ticket.md5, content);
        let made = state.make_file(ticket.parent, &ticket.name, &ticket.md5, ticket.size, ticket.on_clash);
        made.map_err(Refusal::from)
    } else {
        Err(Refusal::upload_failed())
    };
    if let Some(ticket) = state.uploads.ticket_mut(id) {
        ticket.slices.clear();
        ticket.stage = made.as_ref().map_or(Stage::Failed, |file| Stage::Done(*file));
    }
    made.map(completed)
}

fn ticket_content(shared: &Shared, ticket: &Ticket) -> Content {
    if shared.config.verify {
        let pieces: Vec<Bytes> = ticket.slices.values().map(|slice| slice.bytes.clone()).collect();
        Content::pieces(pieces, ticket.slice_size)
    } else {
        unverified(&ticket.md5, ticket.size)
    }
}

/// Takes a whole file in.
pub(crate) fn single_create(shared: &Shared, args: &Args, file: Option<FilePart>) -> Result<Reply, Refusal> {
    let Some(part) = file else { return Err(Refusal::rule("the form has no file part `file`")) };
    let mut state = shared.state();
    let now = state.clock.now();
    let mut call = Call { shared, state: &mut state, args, oddity: None, now };
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

/// Reads what create and single_create have in common; folders of a path are made here.
fn announced(call: &mut Call<'_>, md5: String, most: u64, most_text: &str) -> Result<Announced, Refusal> {
    let lenient = call.lenient();
    let parent = call.live_folder(call.args.int("parentFileID"))?;
    let size = u64::try_from(call.args.int("size")).map_err(|_| Refusal::rule("`size` is negative"))?;
    if size > most {
        return Err(Refusal::rule(format!("the file is larger than {most_text}")));
    }
    let on_clash = match call.args.opt_int("duplicate") {
        None => OnClash::Refuse,
        Some(1) => OnClash::KeepBoth,
        Some(2) => OnClash::Overwrite,
        Some(0) if lenient => OnClash::Refuse,
        Some(_) => return Err(Refusal::rule("`duplicate` is neither 1 nor 2")),
    };
    let filename = call.args.text("filename");
    let (parent, name) = if call.args.bool("containDir") {
        if !filename.starts_with('/') && !lenient {
            return Err(Refusal::rule("with `containDir` the filename is a path that begins with a slash"));
        }
        let mut names: Vec<&str> = filename.split('/').filter(|name| !name.is_empty()).collect();
        let name = names.pop().unwrap_or_default();
        if !is_name(name) || !names.iter().all(|name| is_name(name)) {
            return Err(Refusal::bad_name());
        }
        (call.state.make_folders(parent, names)?, name)
    } else {
        (parent, filename)
    };
    if !is_name(name) {
        return Err(Refusal::bad_name());
    }
    Ok(Announced { parent, name: name.to_owned(), md5, size, on_clash })
}

fn refuse_clash(state: &State, file: &Announced) -> Result<(), Denied> {
    match state.drive.child(file.parent, &file.name) {
        Some(held) if file.on_clash == OnClash::Refuse || (held.is_folder() && file.on_clash == OnClash::Overwrite) => {
            Err(Denied::NameTaken)
        }
        _ => Ok(()),
    }
}

/// A hash in the reference's form: hexadecimal digits in lower case.
fn hash(text: &str, name: &str, digits: usize, lenient: bool) -> Result<String, Refusal> {
    let lower = if lenient { text.trim().to_lowercase() } else { text.to_owned() };
    let right = lower.len() == digits && lower.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if right { Ok(lower) } else { Err(Refusal::rule(format!("`{name}` is not {digits} hex digits in lower case"))) }
}

/// Stands for bytes that were only counted.
fn unverified(md5: &str, size: u64) -> Content {
    let seed = md5_hex(md5.as_bytes()).bytes().fold(0u64, |seed, byte| seed.rotate_left(5) ^ u64::from(byte));
    Content::seeded(size, seed)
}

fn incomplete() -> Reply {
    Reply::data(json!({"completed": false, "fileID": 0}))
}

fn completed(id: i64) -> Reply {
    Reply::data(json!({"completed": true, "fileID": id}))
}

fn unknown_ticket() -> Refusal {
    Refusal::rule("unknown preuploadID")
}

const MOST_IN_SLICES: u64 = 10 << 30;
/// The largest file that one request may carry.
pub(crate) const MOST_AT_ONCE: u64 = 1 << 30;
/// The pieces in which a file that came in one request is kept.
pub(crate) const PIECE: usize = 4 << 20;
