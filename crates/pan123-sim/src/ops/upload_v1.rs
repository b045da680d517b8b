//! The v1 upload: slices are put to presigned addresses of the object storage.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::Call;
use super::upload::{self, Created, all_there, unknown_ticket};
use crate::args::Args;
use crate::content::md5_hex;
use crate::fault::Oddity;
use crate::form::{FilePart, pairs};
use crate::reply::{Refusal, Reply};
use crate::state::Shared;
use crate::upload::{Slice, Stage};

pub(crate) fn create(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(match upload::create(call)? {
        Created::Reused(id) => json!({"fileID": id, "reuse": true}),
        Created::Ticket { id, slice_size, reuse } => {
            json!({"fileID": 0, "reuse": reuse, "preuploadID": id, "sliceSize": slice_size})
        }
    }))
}

pub(crate) fn get_upload_url(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    presign(call, call.args.text("preuploadID"), "123-295")
}

/// Gives the address at which `bucket` takes one slice of a ticket.
pub(crate) fn presign(call: &mut Call<'_>, id: &str, bucket: &str) -> Result<Reply, Refusal> {
    let number = u64::try_from(call.args.int("sliceNo")).unwrap_or_default();
    let ticket = call.state.uploads.ticket_mut(id).filter(|ticket| ticket.stage == Stage::Open);
    let ticket = ticket.ok_or_else(unknown_ticket)?;
    if ticket.slice_length(number).is_none() {
        return Err(Refusal::rule(format!("sliceNo {number} is not within 1 to {}", ticket.slice_count())));
    }
    let path = format!("/{bucket}/{}/{}/{number}", &ticket.md5[..8], utf8_percent_encode(id, NON_ALPHANUMERIC));
    let multipart = ticket.slice_count() > 1;
    let lifetime = i64::try_from(call.shared.config.download_lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires = call.now.saturating_add(lifetime);
    let signature = signature(call.shared, &path, expires);
    let storage = &call.shared.urls.storage;
    let url = format!("{storage}{path}?t={expires}&sig={signature}");
    Ok(Reply::data(json!({"presignedURL": url, "isMultipart": multipart})))
}

/// Takes one slice in at its presigned address.
pub(crate) fn put_slice(shared: &Shared, path: &str, query: &str, file: FilePart) -> Reply {
    let query = pairs(query);
    let get =
        |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let expires = get("t").parse().unwrap_or_default();
    if get("sig") != signature(shared, path, expires) {
        return storage_error(403, "SignatureDoesNotMatch", "the address is not signed so");
    }
    let mut state = shared.state();
    if expires <= state.clock.now() {
        return storage_error(403, "AccessDenied", "Request has expired");
    }
    let names: Vec<&str> = path.split('/').collect();
    let [.., id, number] = names.as_slice() else { return storage_error(404, "NoSuchKey", "no such key") };
    let id = percent_decode_str(id).decode_utf8_lossy();
    let ticket = state.uploads.ticket_mut(&id).filter(|ticket| ticket.stage == Stage::Open);
    let (Some(ticket), Ok(number)) = (ticket, number.parse()) else {
        return storage_error(404, "NoSuchUpload", "the upload is not open");
    };
    let md5 = file.md5.unwrap_or_default();
    let bytes = file.pieces.into_iter().next().unwrap_or_default();
    let tag = format!("\"{md5}\"");
    ticket.slices.insert(number, Slice { size: file.size, md5, bytes });
    Reply::other(200, "application/xml", "").header("etag", tag)
}

pub(crate) fn list_upload_parts(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    parts(call, call.args.text("preuploadID"))
}

/// The slices of a ticket that arrived; null when there is but one.
pub(crate) fn parts(call: &mut Call<'_>, id: &str) -> Result<Reply, Refusal> {
    let ticket = call.state.uploads.ticket_mut(id).ok_or_else(unknown_ticket)?;
    if ticket.slice_count() == 1 {
        return Ok(Reply::data(json!({"parts": null})));
    }
    let part = |(number, slice): (&u64, &Slice)| json!({"partNumber": number.to_string(), "size": slice.size, "etag": slice.md5});
    let parts: Vec<Value> = ticket.slices.iter().map(part).collect();
    Ok(Reply::data(json!({"parts": parts})))
}

pub(crate) async fn complete(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let settled = settle_or_later(shared, args.text("preuploadID"), oddity).await?;
    Ok(Reply::data(
        json!({"async": settled.is_none(), "completed": settled.is_some(), "fileID": settled.unwrap_or_default()}),
    ))
}

/// A file of one slice is finished at once; of more slices it is asked for again.
pub(crate) async fn settle_or_later(
    shared: &Arc<Shared>,
    id: &str,
    oddity: Option<Oddity>,
) -> Result<Option<i64>, Refusal> {
    let later = {
        let mut state = shared.state();
        let ticket = state.uploads.ticket_mut(id).ok_or_else(unknown_ticket)?;
        if ticket.stage == Stage::Open {
            all_there(ticket, shared.config.lenient)?;
        }
        ticket.slice_count() > 1 && ticket.stage == Stage::Open
    };
    if !later || oddity == Some(Oddity::UploadFailed) {
        return upload::settle(shared, id, oddity).await;
    }
    if shared.config.lenient && !shared.config.quirks {
        // The service finishes though nobody asks again, and there are clients that never do.
        let _told_later = upload::settle(shared, id, oddity).await;
    }
    Ok(None)
}

pub(crate) async fn async_result(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let settled = upload::settle(shared, args.text("preuploadID"), oddity).await?;
    Ok(Reply::data(json!({"fileID": settled.unwrap_or_default(), "completed": settled.is_some()})))
}

fn signature(shared: &Shared, path: &str, expires: i64) -> String {
    md5_hex(format!("{path}|{expires}|{}|storage", shared.config.seed).as_bytes())
}

pub(crate) fn storage_error(status: u16, code: &str, message: &str) -> Reply {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Reply::other(status, "application/xml", xml)
}
