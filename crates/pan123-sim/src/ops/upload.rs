//! What all ways of uploading have in common: the announcement, the ticket, the check of the whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::Call;
use crate::content::{Content, md5_hex};
use crate::drive::{Denied, OnClash, is_name};
use crate::fault::Oddity;
use crate::reply::Refusal;
use crate::seed;
use crate::state::{Shared, State};
use crate::upload::{Slice, Stage, Ticket};

/// Where a new file is to go, and what is claimed of it.
pub(crate) struct Announced {
    pub(crate) parent: i64,
    pub(crate) name: String,
    pub(crate) md5: String,
    pub(crate) size: u64,
    pub(crate) on_clash: OnClash,
}

/// What an announcement leads to.
pub(crate) enum Created {
    /// The content was known. The id is that which is shown: 0 when it is kept back.
    Reused(i64),
    /// Something is to be sent; with `reuse` the answer says all the same that the content was known.
    Ticket { id: String, slice_size: i64, reuse: bool },
}

/// Announces a file that is to come in slices.
pub(crate) fn create(call: &mut Call<'_>) -> Result<Created, Refusal> {
    let md5 = hash(call.args.text("etag"), "etag", 32, call.lenient())?;
    let file = announced(call, md5, MOST_IN_SLICES, "10 GB")?;
    refuse_clash(call.state, &file)?;
    let phantom = call.oddity == Some(Oddity::PhantomReuse);
    if !phantom && call.state.content(&file.md5, file.size).is_some() {
        let id = call.state.make_file(file.parent, &file.name, &file.md5, file.size, file.on_clash)?;
        let late = match call.oddity {
            Some(Oddity::ReuseWithoutId { late }) => Some(late),
            _ => call.quirk_by_chance().then_some(1),
        };
        let Some(late) = late else { return Ok(Created::Reused(id)) };
        if let Some(node) = call.state.drive.node_mut(id) {
            node.late = late;
        }
        return Ok(Created::Reused(0));
    }
    let slice_size = match call.oddity {
        Some(Oddity::PartSize(bytes)) => bytes,
        _ => i64::try_from(call.shared.config.slice_size).unwrap_or(i64::MAX),
    };
    let ticket = Ticket {
        parent: file.parent,
        name: file.name,
        md5: file.md5,
        size: file.size,
        on_clash: file.on_clash,
        image: false,
        slice_size: u64::try_from(slice_size).unwrap_or_default().max(1),
        slices: BTreeMap::new(),
        stage: Stage::Open,
        asked: 0,
    };
    let id = seed::word(&mut call.state.random, 24);
    call.state.uploads.open(id.clone(), ticket);
    Ok(Created::Ticket { id, slice_size, reuse: phantom })
}

/// Gives the file of a ticket, for which its slices are joined and checked; `None` when it is put off.
///
/// The work is done on a thread of its own, and to its end even when the client goes away.
pub(crate) async fn settle(shared: &Arc<Shared>, id: &str, oddity: Option<Oddity>) -> Result<Option<i64>, Refusal> {
    let ticket = {
        let mut state = shared.state();
        let ticket = state.uploads.ticket_mut(id).ok_or_else(unknown_ticket)?;
        match ticket.stage {
            Stage::Done(_) if oddity == Some(Oddity::Incomplete) => return Ok(None),
            Stage::Done(file) => return Ok(Some(file)),
            Stage::Failed => return Err(Refusal::upload_failed()),
            Stage::Verifying => return Err(Refusal::verifying()),
            Stage::Open => {}
        }
        ticket.asked += 1;
        match (oddity, ticket.asked) {
            (Some(Oddity::Incomplete), _) => return Ok(None),
            (Some(Oddity::UploadFailed), _) => {
                ticket.stage = Stage::Failed;
                return Err(Refusal::upload_failed());
            }
            (None, 1) if shared.config.quirks => return Err(Refusal::verifying()),
            (None, 2) if shared.config.quirks => return Ok(None),
            _ => {}
        }
        all_there(ticket, shared.config.lenient)?;
        ticket.stage = Stage::Verifying;
        ticket.clone()
    };
    let (verifying, id) = (Arc::clone(shared), id.to_owned());
    let finished = tokio::task::spawn_blocking(move || finish(&verifying, &id, ticket)).await;
    finished.unwrap_or_else(|_| Err(Refusal::rule("the simulator is stopping"))).map(Some)
}

/// Refuses a ticket that lacks a slice; in lenient mode an empty file may come without its empty slice.
pub(crate) fn all_there(ticket: &Ticket, lenient: bool) -> Result<(), Refusal> {
    match ticket.missing_slice() {
        Some(_) if lenient && ticket.size == 0 => Ok(()),
        Some(missing) => Err(Refusal::rule(format!("slice {missing} has not arrived"))),
        None => Ok(()),
    }
}

fn finish(shared: &Shared, id: &str, ticket: Ticket) -> Result<i64, Refusal> {
    let content = ticket_content(shared, &ticket);
    let fits = |(number, slice): (&u64, &Slice)| ticket.slice_length(*number) == Some(slice.size);
    let right = match (ticket.slices.first_key_value(), ticket.slice_count()) {
        // Only a presigned address takes slices of a wrong size.
        _ if !ticket.slices.iter().all(fits) => false,
        _ if !shared.config.verify => true,
        // The one slice is the file, and its MD5 was checked when it arrived.
        (Some((_, slice)), 1) => slice.md5 == ticket.md5,
        _ => content.md5() == ticket.md5,
    };
    let mut state = shared.state();
    let made = if right {
        state.store(&ticket.md5, content);
        if ticket.image {
            state.make_image(ticket.parent, &ticket.name, &ticket.md5, ticket.size)
        } else {
            let made = state.make_file(ticket.parent, &ticket.name, &ticket.md5, ticket.size, ticket.on_clash);
            made.map_err(Refusal::from)
        }
    } else {
        Err(Refusal::upload_failed())
    };
    if let Some(ticket) = state.uploads.ticket_mut(id) {
        ticket.slices.clear();
        ticket.stage = made.as_ref().map_or(Stage::Failed, |file| Stage::Done(*file));
    }
    made
}

fn ticket_content(shared: &Shared, ticket: &Ticket) -> Content {
    if shared.config.verify {
        let pieces: Vec<Bytes> = ticket.slices.values().map(|slice| slice.bytes.clone()).collect();
        Content::pieces(pieces, ticket.slice_size)
    } else {
        unverified(&ticket.md5, ticket.size)
    }
}

/// Reads what create and single_create have in common; folders of a path are made here.
pub(crate) fn announced(call: &mut Call<'_>, md5: String, most: u64, most_text: &str) -> Result<Announced, Refusal> {
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

pub(crate) fn refuse_clash(state: &State, file: &Announced) -> Result<(), Denied> {
    match state.drive.child(file.parent, &file.name) {
        Some(held) if file.on_clash == OnClash::Refuse || (held.is_folder() && file.on_clash == OnClash::Overwrite) => {
            Err(Denied::NameTaken)
        }
        _ => Ok(()),
    }
}

/// A hash in the reference's form: hexadecimal digits in lower case.
pub(crate) fn hash(text: &str, name: &str, digits: usize, lenient: bool) -> Result<String, Refusal> {
    let lower = if lenient { text.trim().to_lowercase() } else { text.to_owned() };
    let right = lower.len() == digits && lower.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if right { Ok(lower) } else { Err(Refusal::rule(format!("`{name}` is not {digits} hex digits in lower case"))) }
}

/// Stands for bytes that were only counted.
pub(crate) fn unverified(md5: &str, size: u64) -> Content {
    let seed = md5_hex(md5.as_bytes()).bytes().fold(0u64, |seed, byte| seed.rotate_left(5) ^ u64::from(byte));
    Content::seeded(size, seed)
}

pub(crate) fn unknown_ticket() -> Refusal {
    Refusal::rule("unknown preuploadID")
}

/// The largest file that may come in slices.
pub(crate) const MOST_IN_SLICES: u64 = 10 << 30;
