//! How an entry looks in the answers of the web API.

use serde_json::{Value, json};

use super::entry;
use super::files::safebox_folder;
use crate::clock::rfc3339;
use crate::drive::Node;
use crate::simulator::UID;
use crate::state::State;

/// A row as lists and infos have it.
pub(crate) fn row(state: &State, node: &Node) -> Value {
    let drive = &state.drive;
    let mut ids: Vec<String> = drive.ancestry(node.id).map(|above| above.id.to_string()).collect();
    ids.reverse();
    let trashed = drive.in_trash(node.id);
    let moment = |unix: i64| if trashed { rfc3339(unix) } else { String::new() };
    json!({
        "FileId": node.id,
        "FileName": node.name,
        "Type": i32::from(node.is_folder()),
        "Size": if node.is_folder() { drive.size_below(node.id) } else { node.size() },
        "ContentType": "0",
        "S3KeyFlag": key_flag(),
        "CreateAt": rfc3339(node.created),
        "UpdateAt": rfc3339(node.updated),
        "Hidden": false,
        "Etag": node.md5(),
        "Status": if drive.is_rejected(node.md5(), node.size()) { entry::REJECTED } else { 0 },
        "ParentFileId": node.parent,
        "Category": entry::category(node),
        "PunishFlag": 0,
        "ParentName": "",
        "DownloadUrl": thumbnail(state, node),
        "AbnormalAlert": 0,
        "Trashed": trashed,
        "TrashedAt": moment(node.updated),
        "TrashedExpire": moment(node.updated.saturating_add(KEPT_IN_TRASH)),
        "StorageNode": STORAGE_NODE,
        "DirectLink": 0,
        "AbsPath": format!("/{}", ids.join("/")),
        "PinYin": "",
        "BusinessType": 0,
        "Thumbnail": "",
        "Operable": true,
        "StarredStatus": if state.services.starred.contains(&node.id) { 255 } else { 0 },
        "HighLight": "",
        "LiveSize": 0,
        "BaseSize": node.size(),
        "EnableAppeal": 0,
        "RefuseReason": 0,
        "DirectTranscodeStatus": 0,
        "PreviewType": 0,
        "IsLock": safebox_folder(state) == Some(node.id),
        "NewParentName": "",
    })
}

/// The mark of files that the account uploaded.
pub(crate) fn key_flag() -> String {
    format!("{UID}-0")
}

/// Rows of pictures have the address of a small picture, which is none for downloads.
fn thumbnail(state: &State, node: &Node) -> String {
    match entry::category(node) {
        PICTURE => format!("{}/{THUMBNAILS}/{}_24_24?w=24&h=24", state.cdn, node.md5()),
        _ => String::new(),
    }
}

/// The first name in the path of thumbnails.
pub(crate) const THUMBNAILS: &str = "thumbnail";
const PICTURE: i64 = 3;
/// The node of the storage that has everything.
pub(crate) const STORAGE_NODE: &str = "m70";
/// How many seconds an entry stays in the trash before the service would delete it.
const KEPT_IN_TRASH: i64 = 30 * 24 * 3600;
