//! Uploads of the web API: the announcement, addresses for the parts, and the ends of it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::upload::{hash, unverified};
use super::web_files::{clash, on_clash};
use super::web_row::{STORAGE_NODE, key_flag, row};
use super::web_shares::{bad, drive};
use super::{Call, storage};
use crate::args::Args;
use crate::clock::{rfc3339, rfc3339_nanos};
use crate::content::Content;
use crate::drive::{Kind, Node, OnClash, is_name};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};
use crate::state::{Shared, State};
use crate::storage::{Object, Part, Pending, Stored};

pub(crate) fn request(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    drive(call)?;
    if !call.lenient() && call.args.int("type") != 0 {
        return Err(bad("`type` is neither 0 nor 1"));
    }
    let coded = |refusal: Refusal| refusal.with_code(400);
    let md5 = hash(call.args.text("etag"), "etag", 32, call.lenient()).map_err(coded)?;
    let size = u64::try_from(call.args.int("size")).map_err(|_| coded(Refusal::rule("`size` is negative")))?;
    let name = call.args.text("fileName").to_owned();
    if !is_name(&name) {
        return Err(Refusal::bad_name());
    }
    let parent = call.live_folder(call.args.int("parentFileId"))?;
    let key = format!("{}/{}/{md5}", &md5[..8], key_flag());
    let pending = Pending { parent, name, md5, size, on_clash: on_clash(call)?, key, upload_id: String::new() };
    if call.oddity == Some(Oddity::PhantomReuse) {
        let id = call.state.new_id();
        return Ok(answer(call, &pending, Answer { id, reuse: true, info: Value::Null, ..Answer::default() }));
    }
    if size == 0 && pending.md5 == MD5_OF_NOTHING {
        call.state.store(MD5_OF_NOTHING, Content::whole(bytes::Bytes::new()));
    }
    if call.state.content(&pending.md5, size).is_some() {
        return reuse(call, &pending);
    }
    refuse_clash(call.state, &pending, call.shared.config.quirks)?;
    session(call, pending)
}

/// Makes a file of content that is known.
fn reuse(call: &mut Call<'_>, pending: &Pending) -> Result<Reply, Refusal> {
    let same =
        call.state.drive.child(pending.parent, &pending.name).filter(|held| {
            pending.on_clash == OnClash::Refuse && held.md5() == pending.md5 && held.size() == pending.size
        });
    let id = match same.map(|held| held.id) {
        Some(held) => held,
        None => {
            let id = call.state.new_id();
            make(call.state, pending, id, call.shared.config.quirks)?
        }
    };
    let (late, told) = match call.oddity {
        Some(Oddity::ReuseWithoutId { late }) => (late, false),
        Some(Oddity::ListsLate(late)) => (late, true),
        _ => (u32::from(call.quirk_by_chance()), true),
    };
    if late > 0
        && let Some(node) = call.state.drive.node_mut(id)
    {
        node.late = late;
    }
    let info = call.state.drive.node(id).filter(|_| told).map(|node| fresh(call.state, node, call.now));
    Ok(answer(call, pending, Answer { reuse: true, info: info.unwrap_or_default(), ..Answer::default() }))
}

/// Opens a session, with a multipart upload or with keys to the storage.
fn session(call: &mut Call<'_>, pending: Pending) -> Result<Reply, Refusal> {
    let mut pending = pending;
    let slice_size = match call.oddity {
        Some(Oddity::PartSize(bytes)) => bytes,
        _ => i64::try_from(call.shared.config.web_slice_size(pending.size)).unwrap_or(i64::MAX),
    };
    let some = call.oddity == Some(Oddity::SomeStorageKeys);
    let lifetime = i64::try_from(call.shared.config.download_lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires = call.now.saturating_add(lifetime);
    let state = &mut *call.state;
    let id = state.new_id();
    let mut told = Answer { id, slice_size, ..Answer::default() };
    if some || state.storage.hands_out_keys || call.oddity == Some(Oddity::StorageKeys) {
        let keys = state.storage.make_keys(&mut state.random, expires);
        told.keys = [keys.id, keys.secret, if some { String::new() } else { keys.session }].map(Value::from);
        told.expires = json!(rfc3339(expires));
    } else {
        pending.upload_id = state.storage.open(&mut state.random, pending.key.clone());
        told.upload_id.clone_from(&pending.upload_id);
    }
    state.storage.pending.insert(id, pending.clone());
    Ok(answer(call, &pending, told))
}

/// What an announcement is answered, beside what is the same for all.
#[derive(Default)]
struct Answer {
    id: i64,
    reuse: bool,
    info: Value,
    upload_id: String,
    slice_size: i64,
    keys: [Value; 3],
    expires: Value,
}

fn answer(call: &Call<'_>, pending: &Pending, told: Answer) -> Reply {
    let [id, secret, session] = told.keys;
    let slice_size = if told.slice_size == 0 && told.reuse {
        call.shared.config.web_slice_size(pending.size).to_string()
    } else {
        told.slice_size.to_string()
    };
    Reply::data(json!({
        "AccessKeyId": id,
        "SecretAccessKey": secret,
        "SessionToken": session,
        "Expiration": told.expires,
        "Key": pending.key,
        "Bucket": BUCKET,
        "FileId": told.id,
        "Reuse": told.reuse,
        "Info": told.info,
        "UploadId": told.upload_id,
        "DownloadUrl": "",
        "StorageNode": STORAGE_NODE,
        "EndPoint": call.shared.urls.storage,
        "UploadFileStatus": 0,
        "SliceSize": slice_size,
    }))
}

/// The row of an entry that was just made: its times are finer than in lists.
fn fresh(state: &State, node: &Node, now: i64) -> Value {
    let mut row = row(state, node);
    row["CreateAt"] = json!(rfc3339_nanos(now));
    row["UpdateAt"] = json!(rfc3339_nanos(now));
    row
}

/// Addresses for the parts of a multipart upload, or for a file that is sent at once.
pub(crate) fn presign(call: &mut Call<'_>, one: bool) -> Result<Reply, Refusal> {
    let (key, upload_id) = stored_at(call)?;
    let (first, end) = match (call.args.opt_int("partNumberStart"), call.args.opt_int("partNumberEnd")) {
        (Some(first), Some(end)) => (first, end),
        _ if one && call.lenient() => (1, 2),
        _ => return Err(bad("`partNumberStart` or `partNumberEnd` is missing")),
    };
    // Half open; one working client takes it for closed.
    let end = if call.lenient() { end.max(first.saturating_add(1)) } else { end };
    let wrong = first < 1 || end <= first || end > MOST_PARTS + 1 || (one && (first, end) != (1, 2));
    if wrong {
        return Err(
            Refusal::rule(format!("the parts from {first} up to {end}, not included, cannot be")).with_code(400)
        );
    }
    let path = format!("/{BUCKET}/{key}");
    let urls = (first..end).map(|number| {
        let query = if one {
            String::new()
        } else {
            format!("partNumber={number}&uploadId={}&", crate::sigv4::encode(&upload_id))
        };
        (number.to_string(), Value::from(storage::presigned(call, "PUT", &path, &query)))
    });
    Ok(Reply::data(json!({"presignedUrls": urls.collect::<serde_json::Map<_, _>>()})))
}

pub(crate) fn auth_single(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    presign(call, true)
}

pub(crate) fn presign_parts(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    presign(call, false)
}

/// Null while no part has arrived.
pub(crate) fn list_parts(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (key, upload_id) = stored_at(call)?;
    let upload = call.state.storage.upload(&upload_id, &key).ok_or_else(no_such_key)?;
    let part = |(number, part): (&u32, &Part)| {
        json!({
            "PartNumber": number.to_string(),
            "Size": part.size.to_string(),
            "ETag": part.md5.as_ref().map(|md5| format!("\"{md5}\"")).unwrap_or_default(),
        })
    };
    let parts: Vec<Value> = upload.parts.iter().map(part).collect();
    let parts = if parts.is_empty() { Value::Null } else { Value::from(parts) };
    // Clients are known to read either spelling.
    Ok(Reply::data(if call.lenient() { json!({"Parts": parts, "parts": parts}) } else { json!({"Parts": parts}) }))
}

pub(crate) fn s3_complete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (key, upload_id) = stored_at(call)?;
    let upload = call.state.storage.upload(&upload_id, &key).ok_or_else(no_such_key)?;
    if upload.parts.is_empty() {
        return Err(Refusal::new(-1, "MalformedXML: The XML you provided was not well-formed"));
    }
    call.state.storage.merge(&upload_id);
    Ok(Reply::data(json!({"Location": ""})))
}

pub(crate) fn s3_abort(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (key, upload_id) = stored_at(call)?;
    call.state.storage.upload(&upload_id, &key).ok_or_else(no_such_key)?;
    call.state.storage.abort(&upload_id);
    call.state.storage.pending.retain(|_, pending| pending.upload_id != upload_id);
    Ok(Reply::data(Value::Null))
}

/// The key and the upload that a call names, whose upload must not be gone.
fn stored_at(call: &mut Call<'_>) -> Result<(String, String), Refusal> {
    if call.args.text("bucket") != BUCKET || call.args.text("StorageNode") != STORAGE_NODE {
        return Err(bad("`bucket` or `StorageNode` is not that of the session"));
    }
    let (key, id) = (call.args.text("key").to_owned(), call.args.text("uploadId").to_owned());
    call.state.storage.upload(&id, &key).ok_or_else(no_such_key)?;
    Ok((key, id))
}

fn no_such_key() -> Refusal {
    Refusal::new(-1, "NoSuchKey: The specified key does not exist")
}

/// Ends a session in the current way: merges the parts, and makes the file.
pub(crate) async fn complete_v2(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let nothing = || Ok(Reply::data(json!({})));
    // Strict mode has refused it before; the service answers it with success.
    if ["key", "uploadId"].iter().any(|name| args.value(name).is_none()) {
        return nothing();
    }
    match oddity {
        Some(Oddity::Incomplete) => return nothing(),
        Some(Oddity::UploadFailed) => return Err(Refusal::upload_failed()),
        _ => {}
    }
    let id = args.int("fileId");
    let (pending, object, file) = {
        let mut state = shared.state();
        let found = state.storage.pending.get(&id);
        let found = found.filter(|held| held.key == args.text("key") && held.upload_id == args.text("uploadId"));
        let pending = found.cloned().ok_or_else(no_such_key)?;
        // One working client leaves it out.
        if args.opt_int("fileSize").is_some_and(|size| size.unsigned_abs() != pending.size) {
            return Err(bad("`fileSize` is not the size that was announced"));
        }
        let multipart = args.bool("isMultipart");
        if multipart && !state.storage.merge(&pending.upload_id) {
            return Err(Refusal::new(-1, "MalformedXML: The XML you provided was not well-formed"));
        }
        // Parts that were sent for a multipart upload are no object, and nobody says so.
        let Some(object) = state.storage.take(&pending.key) else { return nothing() };
        state.storage.pending.remove(&id);
        // The id that was told is not that of a file in parts.
        (pending, object, if multipart { state.new_id() } else { id })
    };
    let (made, note) = commit(shared, pending, object, file).await?;
    let state = shared.state();
    let mut info = state.drive.node(made).map(|node| row(&state, node)).unwrap_or_default();
    if shared.config.quirks {
        info["CreateAt"] = json!("0001-01-01T00:00:00Z");
        info["UpdateAt"] = json!("0001-01-01T00:00:00Z");
    }
    Ok(Reply::data(json!({"file_info": info})).note(note))
}

/// Ends an upload that went to the storage by its own calls, or whose parts were merged by a call of their own.
pub(crate) async fn complete(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let id = args.int("fileId");
    let (pending, object) = {
        let mut state = shared.state();
        let pending = state.storage.pending.get(&id).cloned().ok_or_else(no_such_key)?;
        let merging =
            oddity == Some(Oddity::Incomplete) || shared.config.quirks && state.first_time(&format!("merging {id}"));
        if merging {
            return Err(Refusal::new(1, "文件合并中，请稍后再试"));
        }
        let object = state.storage.take(&pending.key).ok_or_else(no_such_key)?;
        state.storage.pending.remove(&id);
        (pending, object)
    };
    let (_, note) = commit(shared, pending, object, id).await?;
    Ok(Reply::data(Value::Null).note(note))
}

/// Makes the file of an object, under the MD5 that was claimed; gives what there is to say if the bytes have another.
///
/// The work is done on a thread of its own, and to its end even when the client goes away.
async fn commit(
    shared: &Arc<Shared>,
    pending: Pending,
    object: Object,
    id: i64,
) -> Result<(i64, Option<String>), Refusal> {
    let shared = Arc::clone(shared);
    let finished = tokio::task::spawn_blocking(move || {
        if object.size != pending.size {
            let (sent, size) = (object.size, pending.size);
            return Err(Refusal::rule(format!("{sent} bytes were sent, {size} announced")));
        }
        let (content, note) = match object.content {
            Stored::Counted => (unverified(&pending.md5, pending.size), None),
            Stored::Bytes(content, md5) => {
                let md5 = md5.unwrap_or_else(|| content.md5());
                let claimed = &pending.md5;
                let differs = || format!("the bytes have the MD5 {md5}, and {claimed} was claimed");
                (content, (md5 != *claimed).then(differs))
            }
        };
        let mut state = shared.state();
        refuse_clash(&state, &pending, shared.config.quirks)?;
        state.store(&pending.md5, content);
        make(&mut state, &pending, id, shared.config.quirks).map(|made| (made, note))
    });
    finished.await.unwrap_or_else(|_| Err(Refusal::rule("the simulator is stopping")))
}

/// Makes the file; one that is overwritten keeps its id.
fn make(state: &mut State, pending: &Pending, id: i64, quirks: bool) -> Result<i64, Refusal> {
    refuse_clash(state, pending, quirks)?;
    let now = state.clock.now();
    let kind = Kind::File { md5: pending.md5.clone(), size: pending.size };
    let held = state.drive.child(pending.parent, &pending.name).map(|held| held.id);
    if let Some(held) = held.filter(|_| pending.on_clash == OnClash::Overwrite)
        && let Some(node) = state.drive.node_mut(held)
    {
        (node.kind, node.updated) = (kind, now);
        return Ok(held);
    }
    let (parent, name) = (pending.parent, pending.name.clone());
    let node = Node { id, parent, name, created: now, updated: now, trashed: false, late: 0, kind };
    Ok(state.drive.add(node, pending.on_clash)?)
}

fn refuse_clash(state: &State, pending: &Pending, quirks: bool) -> Result<(), Refusal> {
    match state.drive.child(pending.parent, &pending.name) {
        Some(held)
            if pending.on_clash == OnClash::Refuse || (held.is_folder() && pending.on_clash == OnClash::Overwrite) =>
        {
            Err(clash(state, held.id, quirks))
        }
        _ => Ok(()),
    }
}

/// The bucket of everything.
pub(crate) const BUCKET: &str = "123-100";
const MD5_OF_NOTHING: &str = "d41d8cd98f00b204e9800998ecf8427e";
/// The most parts that the storage takes.
const MOST_PARTS: i64 = 10_000;
