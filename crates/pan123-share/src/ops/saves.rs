//! Copying entries of a share into the caller's own drive.

use pan123_core::{Error, FileId, Md5, Reply, Result, Secret, open_enum, operation, shares::check_password, wire};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;

use super::{get, no_password, post, refine_password};
use crate::{Entry, EntryKind, ShareKey};

operation! {
    /// Copies files and folders of a share into a folder of the caller's drive.
    ///
    /// A folder is copied with all that it holds. The service works on it after it has answered: [`SaveProgress`] says how
    /// far it is, and [`Client::save_to`](crate::Client::save_to) waits for it. It is not sent again after a lost answer.
    ///
    /// Protocol: `share.yaml`, `share.save`.
    ///
    /// # Errors
    ///
    /// Those of [`List`](super::shares::List), and [`Config`](pan123_core::ErrorKind::Config) when the client has no token.
    pub struct Save => Option<SaveTask> =
        post("share/share.save", "/api/restful/goapi/v1/file/copy/save");
    {
        /// The share.
        json "shareKey": key: ShareKey,
        /// What to copy and where to; at least one.
        json "fileList": items: Vec<SaveItem>,
    }
    defaults {
        /// Sets the password of the share.
        json_secret "sharePwd": password: Secret = no_password(),
        /// Sets the level, as the service's page does; 0 is what it sends.
        json "currentLevel": level: u32 = 0,
    }

    fn validate(&self) -> Result<()> {
        check_items(&self.items, &self.password)
    }

    fn decode(&self, reply: Reply) -> Result<Option<SaveTask>> {
        // One client got nothing in place of the task and looked into the target folder instead.
        reply.data_in_any_case().map(|started: Option<Started>| started.and_then(|started| started.task))
    }

    fn refine(&self, error: Error) -> Error {
        refine_password(error, &self.password)
    }
}

/// An entry to copy, with everything that the list says of it, and the folder that it goes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveItem {
    id: FileId,
    name: String,
    size: u64,
    md5: Option<Md5>,
    kind: EntryKind,
    target: FileId,
}

impl SaveItem {
    /// Copies `entry` into `target`, a folder of the caller's drive; [`FileId::ROOT`] is allowed.
    pub fn new(entry: &Entry, target: impl Into<FileId>) -> Self {
        let Entry { id, name, size, md5, kind, .. } = entry;
        Self { id: *id, name: name.clone(), size: *size, md5: *md5, kind: *kind, target: target.into() }
    }

    /// Writes the members under the names that they have in one of the two protocols.
    fn write<S: Serializer>(&self, serializer: S, names: &[&'static str; 7]) -> Result<S::Ok, S::Error> {
        let [id, name, size, etag, kind, target, drive] = *names;
        let mut item = serializer.serialize_struct("SaveItem", names.len())?;
        item.serialize_field(id, &self.id)?;
        item.serialize_field(name, &self.name)?;
        item.serialize_field(size, &self.size)?;
        item.serialize_field(etag, &self.md5.map(|md5| md5.to_string()).unwrap_or_default())?;
        item.serialize_field(kind, &self.kind)?;
        item.serialize_field(target, &self.target)?;
        item.serialize_field(drive, &0)?;
        item.end()
    }
}

impl Serialize for SaveItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer, &["fileID", "fileName", "size", "etag", "type", "parentFileID", "driveID"])
    }
}

fn check_items(items: &[SaveItem], password: &Secret) -> Result<()> {
    if items.is_empty() {
        return Err(Error::invalid("at least one entry must be given"));
    }
    for item in items {
        item.id.check_entry()?;
        item.target.check_folder()?;
    }
    check_password(password)
}

#[derive(Deserialize)]
struct Started {
    #[serde(default, rename = "taskid", deserialize_with = "task")]
    task: Option<SaveTask>,
}

fn task<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SaveTask>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text),
        _ => None,
    }
    .filter(|id| !id.is_empty() && id != "0")
    .map(SaveTask))
}

/// A copy that the service works on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct SaveTask(String);

impl SaveTask {
    /// Makes a task from its id.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Self> for SaveTask {
    fn from(task: &Self) -> Self {
        task.clone()
    }
}

operation! {
    /// Asks how far a [`Save`] is. Every few seconds is often enough.
    ///
    /// Protocol: `share.yaml`, `share.save_task`.
    pub struct SaveProgress => SaveStatus =
        get("share/share.save_task", "/api/restful/goapi/v1/file/copy/save/get");
    {
        /// The task.
        query "taskID": task: SaveTask,
    }

    fn decode(&self, reply: Reply) -> Result<SaveStatus> {
        reply.data_in_any_case()
    }
}

/// How far a copy is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "the state of a copy")]
#[non_exhaustive]
pub struct SaveStatus {
    /// The state.
    #[serde(rename = "status")]
    pub state: SaveState,
    /// How many entries have been copied, where the service says it.
    #[serde(default, rename = "currentcount", deserialize_with = "wire::optional_integer")]
    pub count: Option<u64>,
    /// Why it failed, where the service says it.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub reason: String,
}

open_enum! {
    /// The states of a copy. Whatever is not named here is a failure.
    pub enum SaveState {
        /// It waits for its turn.
        Waiting = 0,
        /// It is being worked on.
        Running = 1,
        /// Everything is copied.
        Done = 2,
    }
}

operation! {
    /// Copies files and folders of a share by the older protocol, which names no task.
    ///
    /// Whether it is done shows only in the target folder. Prefer [`Save`].
    ///
    /// Protocol: `share.yaml`, `share.save_legacy`.
    ///
    /// # Errors
    ///
    /// As [`Save`].
    pub struct SaveLegacy -> () = post("share/share.save_legacy", "/api/file/copy/async");
    {
        /// The share.
        json "share_key": key: ShareKey,
        /// What to copy and where to; at least one.
        json "file_list": items: Vec<LegacyItem>,
    }
    defaults {
        /// Sets the password of the share.
        json_secret "share_pwd": password: Secret = no_password(),
        /// Sets the level, as the service's page does; 1 is what it sends.
        json "current_level": level: u32 = 1,
        /// Says what the copy is for, as the service's page does.
        json "event": event: String = String::from("transfer"),
    }

    fn validate(&self) -> Result<()> {
        if self.items.is_empty() {
            return Err(Error::invalid("at least one entry must be given"));
        }
        check_items(&self.items.iter().map(|LegacyItem(item)| item.clone()).collect::<Vec<_>>(), &self.password)
    }

    fn refine(&self, error: Error) -> Error {
        refine_password(error, &self.password)
    }
}

/// A [`SaveItem`] as the older protocol writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyItem(SaveItem);

impl From<SaveItem> for LegacyItem {
    fn from(item: SaveItem) -> Self {
        Self(item)
    }
}

impl Serialize for LegacyItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer, &["file_id", "file_name", "size", "etag", "type", "parent_file_id", "drive_id"])
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn an_item_has_an_entry_and_a_folder_and_a_save_has_an_item() {
        let key: ShareKey = "5LF8Vv-a1Bc".parse().unwrap();
        let entry: Entry = serde_json::from_str(r#"{"FileId":7,"FileName":"a","Type":1}"#).unwrap();
        for (items, fits) in [
            (vec![SaveItem::new(&entry, FileId::ROOT)], true),
            (vec![SaveItem::new(&entry, FileId::new(-1))], false),
            (vec![], false),
        ] {
            let legacy: Vec<LegacyItem> = items.iter().cloned().map(LegacyItem::from).collect();
            assert_eq!(Save::new(&key, items).validate().is_ok(), fits);
            assert_eq!(SaveLegacy::new(&key, legacy).validate().is_ok(), fits);
        }
        assert!(!Save::new(&key, vec![]).is_repeatable());
    }
}
