//! Changing what is in the drive: new folders, names, places, copies.
//!
//! None of these is sent again after a lost answer: the verbs of the [client](crate::Client) look first.

use std::fmt;

use pan123_core::{
    Error, FileId, Md5, OnConflict, Reply, Result, Timestamp,
    batch::{check_count, check_ids},
    name, open_enum, operation, wire,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};

use super::{IdList, MOST_IDS, get, post};
use crate::{Entry, EntryKind};

operation! {
    /// Makes one folder.
    ///
    /// Folders on the way to it are not made. Where the parent has a folder of that name,
    /// [`must_be_new`](Self::must_be_new) and [`on_conflict`](Self::on_conflict) say what happens.
    ///
    /// Protocol: `web.yaml`, `file.mkdir`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is taken and nothing else was asked for.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_web::{FileId, OnConflict, ops::manage::Mkdir};
    ///
    /// let one_more = Mkdir::new(FileId::ROOT, "films").on_conflict(OnConflict::KeepBoth);
    /// let that_one = Mkdir::new(FileId::ROOT, "films").must_be_new(false);
    /// ```
    pub struct Mkdir => NewFolder = post("web/file.mkdir", "/api/file/upload_request");
    {
        /// The folder to make it in; the root is allowed.
        json "parentFileId": parent: FileId,
        /// Its name; see [`name::check`].
        json "fileName": name: String,
    }
    fixed {
        json "driveId": 0,
        json "etag": "",
        json "size": 0,
        json "type": 1,
        json "event": "newCreateFolder",
        json "operateType": 1,
    }
    defaults {
        /// Says what happens when the name is taken; [`OnConflict::Fail`] unless told. It counts for a folder that
        /// must be new.
        json "duplicate": on_conflict: OnConflict = OnConflict::Fail,
        /// Says whether a folder that is there already will not do; true unless told. When it will do, its id is the answer,
        /// and sending again changes nothing.
        json "NotReuse": must_be_new: bool = true,
    }

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        name::check(&self.name)
    }

    fn is_repeatable(&self) -> bool {
        !self.must_be_new
    }

    fn decode(&self, reply: Reply) -> Result<NewFolder> {
        reply.data_in_any_case()
    }
}

/// What a [`Mkdir`] has made or found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a new folder")]
#[non_exhaustive]
pub struct NewFolder {
    /// The folder. Its name may have a number at the end; see [`OnConflict::KeepBoth`].
    #[serde(rename = "info")]
    pub entry: Entry,
    /// Whether it was there already.
    #[serde(default, rename = "reuse", deserialize_with = "wire::truth")]
    pub was_there: bool,
}

operation! {
    /// Renames one file or folder. Its id stays.
    ///
    /// Protocol: `web.yaml`, `file.rename`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is taken and nothing else was asked for.
    pub struct Rename -> () = post("web/file.rename", "/api/file/rename");
    {
        /// The file or folder; not the root.
        json "fileId": id: FileId,
        /// Its new name; see [`name::check`].
        json "fileName": name: String,
    }
    fixed {
        json "driveId": 0,
        json "event": "fileRename",
    }
    defaults {
        /// Says what happens when the name is taken; [`OnConflict::Fail`] unless told. With [`OnConflict::KeepBoth`] the entry
        /// gets another name than this one, and the answer does not say which.
        json "duplicate": on_conflict: OnConflict = OnConflict::Fail,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()?;
        name::check(&self.name)
    }
}

operation! {
    /// Moves up to [`MOST_IDS`] files and folders to another folder. Ids and names stay.
    ///
    /// What the service does when a name is taken there is not documented.
    ///
    /// Protocol: `web.yaml`, `file.move`.
    pub struct Move => Vec<Moved> = post("web/file.move", "/api/file/mod_pid");
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIdList": ids: IdList,
        /// Where to; the root is allowed.
        json "parentFileId": folder: FileId,
    }
    fixed {
        json "event": "fileMove",
    }

    fn validate(&self) -> Result<()> {
        check_ids(self.ids.as_slice(), MOST_IDS)?;
        self.folder.check_folder()
    }

    fn decode(&self, reply: Reply) -> Result<Vec<Moved>> {
        reply.data_in_any_case().map(|report: Option<MoveReport>| report.map(|report| report.moved).unwrap_or_default())
    }
}

#[derive(Deserialize)]
#[serde(expecting = "what was moved")]
struct MoveReport {
    #[serde(default, rename = "info", deserialize_with = "wire::or_default")]
    moved: Vec<Moved>,
}

/// An entry that a [`Move`] has moved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an entry that was moved")]
#[non_exhaustive]
pub struct Moved {
    /// Which.
    #[serde(rename = "fileid")]
    pub id: FileId,
    /// Its name.
    #[serde(default, rename = "filename", deserialize_with = "wire::or_default")]
    pub name: String,
    /// Where it is now, where the service tells it.
    #[serde(default, rename = "parentfileid")]
    pub parent_id: Option<FileId>,
}

operation! {
    /// Begins to copy up to [`MOST_IDS`] files and folders into a folder; [`CopyProgress`] tells when it is done.
    ///
    /// Names are kept, and the copies have ids of their own, which only a look into the folder tells. The service's page
    /// refuses to copy into the folder that an entry is in.
    ///
    /// Protocol: `web.yaml`, `file.copy`.
    pub struct Copy => Copying = post("web/file.copy", "/api/restful/goapi/v1/file/copy/async");
    {
        /// What to copy; 1 to [`MOST_IDS`].
        json "fileList": items: Vec<CopyItem>,
        /// Where to; the root is allowed.
        json "targetFileId": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        check_count(self.items.len(), MOST_IDS)?;
        self.items.iter().try_for_each(|item| item.id.check_entry())?;
        self.folder.check_folder()
    }

    fn decode(&self, reply: Reply) -> Result<Copying> {
        let started: CopyStarted = reply.data_in_any_case()?;
        match started.task {
            _ if started.mode == DONE_AT_ONCE => Ok(Copying::Done),
            Some(task) => Ok(Copying::Task(task)),
            None => Err(Error::new(pan123_core::ErrorKind::Decode, "the service named no task for the copy")),
        }
    }
}

/// The mode of a copy that has no task.
const DONE_AT_ONCE: i64 = 2;

#[derive(Deserialize)]
#[serde(expecting = "a copy")]
struct CopyStarted {
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    mode: i64,
    #[serde(default, rename = "taskid", deserialize_with = "task")]
    task: Option<CopyTask>,
}

fn task<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CopyTask>, D::Error> {
    let id: i64 = wire::integer_or_zero(deserializer)?;
    Ok((id > 0).then_some(CopyTask(id)))
}

/// An entry to copy, with what its row says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyItem {
    id: FileId,
    name: String,
    size: u64,
    md5: Option<Md5>,
    kind: EntryKind,
    parent: FileId,
}

impl From<&Entry> for CopyItem {
    fn from(entry: &Entry) -> Self {
        let Entry { id, name, size, md5, kind, parent_id, .. } = entry;
        Self { id: *id, name: name.clone(), size: *size, md5: *md5, kind: *kind, parent: *parent_id }
    }
}

impl Serialize for CopyItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut item = serializer.serialize_struct("CopyItem", 7)?;
        item.serialize_field("fileId", &self.id)?;
        item.serialize_field("size", &self.size)?;
        item.serialize_field("etag", &self.md5.map(|md5| md5.to_string()).unwrap_or_default())?;
        item.serialize_field("type", &self.kind)?;
        // Where it is now, not where it goes.
        item.serialize_field("parentFileId", &self.parent)?;
        item.serialize_field("fileName", &self.name)?;
        item.serialize_field("driveId", &0)?;
        item.end()
    }
}

/// How a [`Copy`](struct@Copy) goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// It is done.
    Done,
    /// The service works on it; ask by [`CopyProgress`].
    Task(CopyTask),
}

/// The id of a copy that [`Copy`](struct@Copy) has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct CopyTask(i64);

impl CopyTask {
    /// Makes an id from its number.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for CopyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

operation! {
    /// Asks how far a copy is. The service's page asks once a second.
    ///
    /// Protocol: `web.yaml`, `file.copy_task`.
    pub struct CopyProgress => CopyStatus = get("web/file.copy_task", "/api/restful/goapi/v1/file/copy/task");
    {
        /// The copy.
        query "taskId": task: CopyTask,
    }

    fn validate(&self) -> Result<()> {
        if self.task.0 > 0 { Ok(()) } else { Err(Error::invalid("the id of a copy is a positive number")) }
    }

    fn decode(&self, reply: Reply) -> Result<CopyStatus> {
        reply.data_in_any_case()
    }
}

/// How far a copy is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "the state of a copy")]
#[non_exhaustive]
pub struct CopyStatus {
    /// How far it is.
    #[serde(rename = "status")]
    pub state: CopyState,
    /// Why it failed, in the service's words; may be empty.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub reason: String,
    /// The service's code for that; 0 where there is none.
    #[serde(default, rename = "errorcode", deserialize_with = "wire::integer_or_zero")]
    pub error_code: i64,
    /// How many entries have been copied, where the service tells it.
    #[serde(default, rename = "currentcount", deserialize_with = "wire::optional_integer")]
    pub count: Option<u64>,
    /// When it began.
    #[serde(default, rename = "createat", deserialize_with = "wire::time")]
    pub created_at: Option<Timestamp>,
}

open_enum! {
    /// The states of a copy. Whatever is not named here is a failure.
    pub enum CopyState {
        /// It waits for its turn.
        Waiting = 0,
        /// It is being worked on.
        Running = 1,
        /// Everything is copied.
        Done = 2,
    }
}

operation! {
    /// Writes what is below folders into a text file in the drive; one million entries at most.
    ///
    /// It is not sent again after a lost answer: look for the file first.
    ///
    /// Protocol: `web.yaml`, `file.export_tree`.
    pub struct ExportTree -> () = post("web/file.export_tree", "/api/restful/goapi/v1/file/export-tree");
    {
        /// The folders; 1 to [`MOST_IDS`], the root among them if need be.
        json "fileIds": folders: Vec<FileId>,
        /// The name of the text file; see [`name::check`].
        json "exportName": name: String,
        /// The folder that the text file goes into; the root is allowed.
        json "exportParentId": into: FileId,
    }
    defaults {
        /// Sets how many levels are written; 0, all of them, unless told.
        json "exportLayer": levels: u32 = 0,
        /// Sets how they are written; as a tree unless told.
        json "exportStyle": style: TreeStyle = TreeStyle::Tree,
        /// Sets what is written; files and folders unless told.
        json "exportType": content: TreeContent = TreeContent::Everything,
        /// Sets where paths begin; at the folder itself unless told.
        json "treeRootType": root: TreeRoot = TreeRoot::Folder,
    }

    fn validate(&self) -> Result<()> {
        check_count(self.folders.len(), MOST_IDS)?;
        self.folders.iter().chain([&self.into]).try_for_each(|id| id.check_folder())?;
        name::check(&self.name)
    }
}

open_enum! {
    /// How an [`ExportTree`] is written.
    pub enum TreeStyle {
        /// As a tree.
        Tree = 1,
        /// As a list.
        List = 2,
    }
}

open_enum! {
    /// What an [`ExportTree`] holds.
    pub enum TreeContent {
        /// Files.
        Files = 1,
        /// Folders.
        Folders = 2,
        /// Both.
        Everything = 3,
    }
}

open_enum! {
    /// Where the paths of an [`ExportTree`] begin.
    pub enum TreeRoot {
        /// At the folder.
        Folder = 1,
        /// At the drive's root.
        Drive = 2,
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    const FILE: FileId = FileId::new(1);

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    fn item(id: i64) -> CopyItem {
        let json = format!(r#"{{"FileId":{id},"FileName":"a","Type":1}}"#);
        CopyItem::from(&serde_json::from_str::<Entry>(&json).unwrap())
    }

    #[test]
    fn batches_keep_their_limits() {
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            assert_eq!(ok(Move::new(vec![FILE; count], FileId::ROOT)), fits, "move {count}");
            assert_eq!(ok(Copy::new(vec![item(1); count], FileId::ROOT)), fits, "copy {count}");
            assert_eq!(ok(ExportTree::new(vec![FILE; count], "a.txt", FileId::ROOT)), fits, "export {count}");
        }
    }

    #[test]
    fn the_root_is_a_place_and_no_entry() {
        let root = FileId::ROOT;
        assert!(ok(Move::new([FILE], root)) && !ok(Move::new([root], FILE)));
        assert!(!ok(Move::new([FILE], FileId::new(-1))) && !ok(Copy::new([item(1)], FileId::new(-1))));
        assert!(ok(Mkdir::new(root, "a")) && !ok(Mkdir::new(FileId::new(-1), "a")) && !ok(Rename::new(root, "a")));
        assert!(ok(ExportTree::new([root], "a", root)) && !ok(CopyProgress::new(CopyTask::new(0))));
    }

    #[test]
    fn names_are_checked() {
        for name in ["", "a/b", "a|b", ".."] {
            assert!(!ok(Rename::new(FILE, name)) && !ok(Mkdir::new(FILE, name)), "{name:?}");
            assert!(!ok(ExportTree::new([FILE], name, FILE)), "{name:?}");
        }
        assert!(ok(Rename::new(FILE, "秋天.mp4")));
    }

    #[test]
    fn nothing_that_changes_the_drive_is_repeated_blindly() {
        assert!(!Mkdir::new(FILE, "a").is_repeatable() && !Rename::new(FILE, "a").is_repeatable());
        assert!(!Move::new([FILE], FILE).is_repeatable() && !Copy::new([item(1)], FILE).is_repeatable());
        assert!(!ExportTree::new([FILE], "a", FILE).is_repeatable());
        assert!(Mkdir::new(FILE, "a").must_be_new(false).is_repeatable());
        assert_eq!(Move::META.effect, pan123_core::Effect::Once);
    }
}
