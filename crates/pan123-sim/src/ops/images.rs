//! Image hosting: folders and images of a space of its own, and the way up into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::entry::REJECTED;
use super::upload::{self, hash};
use super::{Call, cdn, upload_v1};
use crate::args::Args;
use crate::builder::SLICE_SIZE;
use crate::clock::local;
use crate::drive::{Kind, Node, OnClash, ROOT, is_name};
use crate::fault::Oddity;
use crate::gallery::{self, Gallery, extension, id_text, node, parse_id};
use crate::reply::{Refusal, Reply};
use crate::seed;
use crate::simulator::UID;
use crate::state::{Shared, State};
use crate::upload::{Stage, Ticket};

pub(crate) fn mkdir(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.constant("type", 1)?;
    let parent = folder(&call.state.gallery, call.args.text("parentID"))?;
    let names = match call.args.value("name") {
        Some(Value::String(name)) => vec![name.clone()],
        // Several clients send a list, and the answer is one.
        Some(Value::Array(names)) if call.lenient() => {
            names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    if names.is_empty() {
        return Err(Refusal::rule("`name` in the JSON body is not a text"));
    }
    if names.iter().any(|name| call.state.gallery.tree.child(parent, name).is_some()) {
        return Err(Refusal::new(1, "该目录下文件夹重名"));
    }
    let mut made = Vec::new();
    for name in names {
        let id = call.state.new_id();
        let kind = Kind::Folder { direct_link: false };
        call.state.gallery.tree.add(node(id, parent, &name, call.now, kind), OnClash::Refuse)?;
        made.push(json!({"filename": name, "dirID": id_text(id)}));
    }
    Ok(Reply::data(json!({"list": made})))
}

pub(crate) fn create(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.constant("type", 1)?;
    let parent = folder(&call.state.gallery, call.args.text("parentFileID"))?;
    let name = call.args.text("filename").to_owned();
    check_name(&name)?;
    let md5 = hash(call.args.text("etag"), "etag", 32, call.lenient())?;
    let size = u64::try_from(call.args.int("size")).map_err(|_| Refusal::rule("`size` is negative"))?;
    if size > gallery::MOST_BYTES {
        return Err(Refusal::rule("the image is larger than 100 MB"));
    }
    if call.state.content(&md5, size).is_some() {
        let id = call.state.make_image(parent, &name, &md5, size)?;
        return Ok(Reply::data(json!({"fileID": id_text(id), "reuse": true})));
    }
    let slice_size = match (call.oddity, call.shared.config.slice_size) {
        (Some(Oddity::PartSize(bytes)), _) => bytes,
        (_, SLICE_SIZE) => gallery::MOST_BYTES as i64,
        (_, chosen) => i64::try_from(chosen).unwrap_or(i64::MAX),
    };
    let ticket = Ticket {
        parent,
        name,
        md5,
        size,
        on_clash: OnClash::KeepBoth,
        image: true,
        slice_size: u64::try_from(slice_size).unwrap_or_default().max(1),
        slices: BTreeMap::new(),
        stage: Stage::Open,
        asked: 0,
    };
    // These tickets have the letters that an address must escape.
    let random = &mut call.state.random;
    let id = format!("{}/{}+{}==", seed::word(random, 12), seed::word(random, 10), seed::word(random, 12));
    call.state.uploads.open(key(&id), ticket);
    Ok(Reply::data(json!({"fileID": "", "preuploadID": id, "reuse": false, "sliceSize": slice_size})))
}

pub(crate) fn get_upload_url(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    upload_v1::presign(call, &key(call.args.text("preuploadID")), "123-oss")
}

pub(crate) fn list_upload_parts(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    upload_v1::parts(call, &key(call.args.text("preuploadID")))
}

pub(crate) async fn complete(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let settled = upload_v1::settle_or_later(shared, &key(args.text("preuploadID")), oddity).await?;
    Ok(Reply::data(json!({
        "async": settled.is_none(), "completed": settled.is_some(), "fileID": settled.map(id_text).unwrap_or_default(),
    })))
}

pub(crate) async fn async_result(shared: &Arc<Shared>, args: &Args, oddity: Option<Oddity>) -> Result<Reply, Refusal> {
    let settled = upload::settle(shared, &key(args.text("preuploadID")), oddity).await?;
    Ok(Reply::data(json!({"completed": settled.is_some(), "fileID": settled.map(id_text).unwrap_or_default()})))
}

/// Under which tickets of images are kept, so that the calls for files do not know them.
pub(crate) fn key(ticket: &str) -> String {
    format!("oss {ticket}")
}

pub(crate) fn move_to(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = ids(call)?;
    let target = call.args.text("toParentFileID");
    if target.is_empty() && !call.lenient() {
        return Err(Refusal::rule("`toParentFileID` is empty; the root has an id that its entries show"));
    }
    let target = folder(&call.state.gallery, target)?;
    for id in ids {
        call.state.gallery.tree.move_to(id, target, call.now)?;
    }
    Ok(Reply::data(Value::Null))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    for id in ids(call)? {
        call.state.gallery.tree.remove(id);
    }
    Ok(Reply::data(Value::Null))
}

/// The ids of a batch that are known; none known is an error.
fn ids(call: &Call<'_>) -> Result<Vec<i64>, Refusal> {
    let given = call.args.texts("fileIDs");
    if given.is_empty() || given.len() > super::files::MOST_IDS {
        return Err(Refusal::rule(format!("`fileIDs` holds {} ids, 1 to 100 may be given", given.len())));
    }
    let tree = &call.state.gallery.tree;
    let known: Vec<i64> =
        given.into_iter().filter_map(parse_id).filter(|id| *id != ROOT && tree.node(*id).is_some()).collect();
    if known.is_empty() { Err(Refusal::gone()) } else { Ok(known) }
}

pub(crate) fn detail(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let found = parse_id(call.args.text("fileID")).and_then(|id| call.state.gallery.tree.node(id));
    let found = found.ok_or_else(Refusal::gone)?;
    Ok(Reply::data(shown(call.shared, &call.state.gallery, found)))
}

pub(crate) fn list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if !call.lenient() || call.args.opt_int("type").is_some() {
        call.constant("type", 1)?;
    }
    let limit = call.page_limit()?;
    let gallery = &call.state.gallery;
    let parent = folder(gallery, call.args.text("parentFileId"))?;
    let after = match call.args.text("lastFileId") {
        "" => 0,
        id => parse_id(id).ok_or_else(|| Refusal::rule("`lastFileId` is no cursor of this list"))?,
    };
    let from = call.args.opt_int("startTime").unwrap_or(i64::MIN);
    let to = call.args.opt_int("endTime").unwrap_or(i64::MAX);
    let mut found: Vec<&Node> = gallery
        .tree
        .children_after(parent, after)
        .filter(|node| (from..=to).contains(&node.created))
        .take(limit + 1)
        .collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map_or_else(|| "-1".to_owned(), |node| id_text(node.id));
    let entries: Vec<Value> = found.into_iter().map(|node| shown(call.shared, gallery, node)).collect();
    let entries = if call.shared.config.quirks && entries.is_empty() { Value::Null } else { Value::from(entries) };
    Ok(Reply::data(json!({"lastFileId": last, "fileList": entries})))
}

fn shown(shared: &Shared, gallery: &Gallery, node: &Node) -> Value {
    let parent_name = gallery.tree.node(node.parent).map_or(gallery::ROOT_NAME, |parent| parent.name.as_str());
    let url = if node.is_folder() { String::new() } else { cdn::image_url(shared, gallery, node.id) };
    json!({
        "fileId": id_text(node.id),
        "filename": node.name,
        "parentFileId": id_text(node.parent),
        "type": i32::from(node.is_folder()),
        "etag": node.md5(),
        "size": node.size(),
        "status": if gallery.rejected.contains(&node.id) { REJECTED } else { 2 },
        "s3KeyFlag": format!("{UID}-0"),
        "storageNode": "m76",
        "createAt": local(node.created),
        "updateAt": local(node.updated),
        "downloadURL": url,
        "ossIndex": 43,
        "totalTraffic": gallery.served.get(&node.id).copied().unwrap_or_default(),
        "parentFilename": parent_name,
        "extension": extension(&node.name).unwrap_or_default(),
        "userSelfURL": "",
    })
}

/// The folder of an id; the empty id is the root.
pub(crate) fn folder(gallery: &Gallery, id: &str) -> Result<i64, Refusal> {
    parse_id(id).filter(|id| gallery.tree.is_live_folder(*id)).ok_or_else(Refusal::gone)
}

pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    if !is_name(name) || name.chars().count() >= 255 {
        return Err(Refusal::bad_name());
    }
    match extension(name) {
        Some(_) => Ok(()),
        None => Err(Refusal::rule("the name has no extension of an image")),
    }
}

impl State {
    /// Makes an image of content that is stored.
    pub(crate) fn make_image(&mut self, parent: i64, name: &str, md5: &str, size: u64) -> Result<i64, Refusal> {
        let (id, now) = (self.new_id(), self.clock.now());
        let kind = Kind::File { md5: md5.to_owned(), size };
        Ok(self.gallery.put(node(id, parent, name, now, kind))?)
    }
}
