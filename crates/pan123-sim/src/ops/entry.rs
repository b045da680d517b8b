//! How an entry looks on the wire, which differs from call to call.

use serde_json::{Value, json};

use crate::clock::local;
use crate::drive::{Drive, Node};
use crate::simulator::UID;

/// As in v2 lists and in infos: `fileId`, `parentFileId`.
pub(crate) fn listed(drive: &Drive, node: &Node) -> Value {
    json!({
        "fileId": node.id,
        "filename": node.name,
        "parentFileId": node.parent,
        "type": i32::from(node.is_folder()),
        "etag": node.md5(),
        "size": node.size(),
        "category": category(node),
        "status": status(drive, node),
        "punishFlag": 0,
        "s3KeyFlag": format!("{UID}-0"),
        "storageNode": storage_node(node),
        "trashed": i32::from(drive.in_trash(node.id)),
        "createAt": local(node.created),
        "updateAt": local(node.updated),
    })
}

/// As in v1 lists: `fileID`, `parentFileId`, and times with a zone.
pub(crate) fn listed_v1(drive: &Drive, node: &Node) -> Value {
    json!({
        "fileID": node.id,
        "filename": node.name,
        "parentFileId": node.parent,
        "parentName": "",
        "type": i32::from(node.is_folder()),
        "etag": node.md5(),
        "size": node.size(),
        "contentType": "0",
        "category": category(node),
        "hidden": false,
        "status": status(drive, node),
        "punishFlag": 0,
        "s3KeyFlag": format!("{UID}-0"),
        "storageNode": storage_node(node),
        "createAt": format!("{} +0800 CST", local(node.created)),
        "updateAt": format!("{} +0800 CST", local(node.updated)),
        "thumbnail": "",
        "downloadUrl": "",
    })
}

/// As in detail: `fileID`, `parentFileID`, and a folder has the size of what it holds.
pub(crate) fn detailed(drive: &Drive, node: &Node) -> Value {
    json!({
        "fileID": node.id,
        "filename": node.name,
        "type": i32::from(node.is_folder()),
        "size": if node.is_folder() { drive.size_below(node.id) } else { node.size() },
        "etag": node.md5(),
        "status": status(drive, node),
        "parentFileID": node.parent,
        "createAt": local(node.created),
        "trashed": i32::from(drive.in_trash(node.id)),
    })
}

/// The service's guess at what a file is: 1 audio, 2 video, 3 image, 10 archive, 0 anything else.
pub(crate) fn category(node: &Node) -> i64 {
    if node.is_folder() { 0 } else { category_of(&node.name) }
}

/// The same, of a file that has this name.
pub(crate) fn category_of(name: &str) -> i64 {
    match extension(name).as_str() {
        "mp3" | "flac" | "wav" | "aac" | "ogg" | "m4a" => 1,
        "mp4" | "mkv" | "avi" | "mov" | "wmv" | "flv" | "ts" | "webm" => VIDEO,
        "jpg" | "jpeg" | "png" | "gif" | "bmp" | "webp" | "svg" | "tiff" | "tif" => 3,
        "zip" | "rar" | "7z" | "tar" | "gz" => 10,
        _ => 0,
    }
}

/// Whether a file is a document by its name, which is no category of its own on the Open Platform.
pub(crate) fn is_document(node: &Node) -> bool {
    let known = ["pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "md", "csv", "epub", "rtf", "odt"];
    !node.is_folder() && known.contains(&extension(&node.name).as_str())
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
}

/// The category of videos.
pub(crate) const VIDEO: i64 = 2;

fn storage_node(node: &Node) -> &'static str {
    if node.is_folder() { "m0" } else { "m16" }
}

/// The state of a file in the service's review; above 100 it was turned down.
fn status(drive: &Drive, node: &Node) -> i64 {
    match node.is_folder() {
        true => 0,
        false if drive.is_rejected(node.md5(), node.size()) => REJECTED,
        false => 2,
    }
}

/// The state of what the service's review has turned down.
pub(crate) const REJECTED: i64 = 104;
