//! Changing what is in the drive: names, places, copies, and what is in the recycle bin.

use std::fmt;

use pan123_core::{Effect, Error, FileId, Meta, Reply, Result, Timestamp, name, open_enum, operation, wire};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MOST_IDS, check_count, check_ids, new_id};

/// The most names that one [`RenameBatch`] may change.
///
/// Protocol: `open-files.yaml`, LIMITS.
pub const MOST_RENAMES: usize = 30;

/// The most entries that one [`CopyAsync`] may name. The service counts 3000 "per level": folders inside count apart.
///
/// Protocol: `open-files.yaml`, LIMITS.
pub const MOST_COPIES: usize = 3000;

operation! {
    /// Renames one file or folder.
    ///
    /// What the service says when the name is taken in the folder is not documented.
    ///
    /// Protocol: `open-files.yaml`, `file.rename`.
    pub struct Rename -> () = Meta::put("open/file.rename", "/api/v1/file/name");
    {
        /// The file or folder; not the root.
        json "fileId": id: FileId,
        /// Its new name; see [`name::check`].
        json "fileName": name: String,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()?;
        name::check(&self.name)
    }
}

operation! {
    /// Renames up to [`MOST_RENAMES`] files and folders.
    ///
    /// Some may fail while others are renamed, and the request still succeeds: look at [`RenameReport::failed`].
    ///
    /// Protocol: `open-files.yaml`, `file.rename_batch`.
    pub struct RenameBatch => RenameReport =
        Meta::post("open/file.rename_batch", "/api/v1/file/rename").effect(Effect::Same);
    {
        /// The new names; 1 to [`MOST_RENAMES`].
        json "renameList": renames: Vec<Renaming>,
    }

    fn validate(&self) -> Result<()> {
        check_count(self.renames.len(), MOST_RENAMES)?;
        self.renames.iter().try_for_each(|renaming| {
            renaming.id.check_entry()?;
            name::check(&renaming.name)
        })
    }

    fn decode(&self, reply: Reply) -> Result<RenameReport> {
        reply.data_or_default()
    }
}

/// One new name of a [`RenameBatch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    id: FileId,
    name: String,
}

impl Renaming {
    /// Gives `id` the name `name`; see [`name::check`].
    pub fn new(id: impl Into<FileId>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into() }
    }
}

impl Serialize for Renaming {
    /// Writes `<id>|<name>`; no name may hold a bar.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}|{}", self.id, self.name))
    }
}

/// What became of a [`RenameBatch`]. The service may tell nothing; then both lists are empty and all were renamed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RenameReport {
    /// Those that have their new name.
    #[serde(default, rename = "successList", deserialize_with = "wire::or_default")]
    pub renamed: Vec<Renamed>,
    /// Those that do not.
    #[serde(default, rename = "failList", deserialize_with = "wire::or_default")]
    pub failed: Vec<RenameFailure>,
}

/// A file or folder that was renamed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Renamed {
    /// Which.
    #[serde(rename = "fileID", alias = "fileId")]
    pub id: FileId,
    /// When.
    #[serde(default, rename = "updateAt", deserialize_with = "wire::time")]
    pub updated_at: Option<Timestamp>,
}

/// A file or folder that could not be renamed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RenameFailure {
    /// Which.
    #[serde(rename = "fileID", alias = "fileId")]
    pub id: FileId,
    /// Why, in the service's words; may be empty.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub message: String,
}

operation! {
    /// Moves up to [`MOST_IDS`] files and folders to another folder. Ids and names stay.
    ///
    /// What the service does when a name is taken there is not documented.
    ///
    /// Protocol: `open-files.yaml`, `file.move`.
    pub struct Move -> () = Meta::post("open/file.move", "/api/v1/file/move").effect(Effect::Same);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIDs": ids: Vec<FileId>,
        /// Where to; the root is allowed.
        json "toParentFileID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)?;
        self.folder.check_folder()
    }
}

operation! {
    /// Copies one file, under its name, and waits for it.
    ///
    /// Whether folders can be copied this way is not documented; [`CopyAsync`] can. It is not sent again after a lost
    /// answer, because that would make a second copy.
    ///
    /// Protocol: `open-files.yaml`, `file.copy`.
    pub struct Copy -> Copied = Meta::post("open/file.copy", "/api/v1/file/copy");
    {
        /// The file.
        json "fileId": id: FileId,
        /// Where to; the root is allowed.
        // The official pages have both spellings.
        json "targetDirId" | json "targetDirID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()?;
        self.folder.check_folder()
    }
}

/// What [`Copy`](struct@Copy) has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Copied {
    /// The new file.
    #[serde(rename = "targetFileId", alias = "targetFileID", deserialize_with = "new_id")]
    pub target: FileId,
    /// The file that was copied, where the service tells it.
    #[serde(default, rename = "sourceFileId", alias = "sourceFileID")]
    pub source: Option<FileId>,
}

operation! {
    /// Begins to copy up to [`MOST_COPIES`] files and folders; [`CopyProcess`] tells when it is done.
    ///
    /// It is not sent again after a lost answer, because that would make second copies.
    ///
    /// Protocol: `open-files.yaml`, `file.copy_async`.
    pub struct CopyAsync => CopyTask = Meta::post("open/file.copy_async", "/api/v1/file/async/copy");
    {
        /// The files and folders; 1 to [`MOST_COPIES`], none of them the root.
        json "fileIds": ids: Vec<FileId>,
        /// Where to; the root is allowed.
        json "targetDirId" | json "targetDirID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_COPIES)?;
        self.folder.check_folder()
    }

    fn decode(&self, reply: Reply) -> Result<CopyTask> {
        reply.data::<NewTask>().map(|task| task.id)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a task")]
struct NewTask {
    #[serde(rename = "taskId", alias = "taskID")]
    id: CopyTask,
}

/// The id of a copy that [`CopyAsync`] has begun.
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

impl<'de> Deserialize<'de> for CopyTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer(deserializer).map(Self)
    }
}

operation! {
    /// Asks how far a copy is. Ask about once a second, until it [`is_final`](CopyState::is_final).
    ///
    /// Neither the reason of a failure nor the ids of the copies are told.
    ///
    /// Protocol: `open-files.yaml`, `file.copy_async_process`.
    pub struct CopyProcess -> CopyStatus = Meta::get("open/file.copy_async_process", "/api/v1/file/async/copy/process");
    {
        /// The copy.
        // The official page has it in a body, working clients in the query.
        query "taskId" | json "taskId": task: CopyTask,
    }

    fn validate(&self) -> Result<()> {
        if self.task.0 > 0 { Ok(()) } else { Err(Error::invalid("the id of a copy is a positive number")) }
    }
}

/// How far a copy is, as [`CopyProcess`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CopyStatus {
    /// The copy, where the service repeats it.
    #[serde(default, rename = "taskId", alias = "taskID")]
    pub task: Option<CopyTask>,
    /// How far it is.
    #[serde(rename = "status")]
    pub state: CopyState,
}

open_enum! {
    /// The states of a copy.
    pub enum CopyState {
        /// It has not begun.
        Waiting = 0,
        /// It goes on.
        Running = 1,
        /// All is copied.
        Done = 2,
        /// It has failed; some may be copied.
        Failed = 3,
    }
}

impl CopyState {
    /// Says whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

operation! {
    /// Takes up to [`MOST_IDS`] files and folders out of the recycle bin, back to where they were.
    ///
    /// Those whose folder is gone stay in the bin, and the request still succeeds: look at [`Recovered::abnormal`].
    ///
    /// Protocol: `open-files.yaml`, `file.recover`.
    pub struct Recover => Recovered = Meta::post("open/file.recover", "/api/v1/file/recover").effect(Effect::Same);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIDs": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
    }

    fn decode(&self, reply: Reply) -> Result<Recovered> {
        reply.data_or_default()
    }
}

/// What became of a [`Recover`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Recovered {
    /// Those that could not go back because their folder is gone; [`RecoverTo`] puts them elsewhere.
    #[serde(default, rename = "abnormalFileIDs", alias = "abnormalFileIds", deserialize_with = "wire::or_default")]
    pub abnormal: Vec<FileId>,
}

operation! {
    /// Takes up to [`MOST_IDS`] files and folders out of the recycle bin, into a folder.
    ///
    /// Protocol: `open-files.yaml`, `file.recover_by_path`.
    pub struct RecoverTo -> () =
        Meta::post("open/file.recover_by_path", "/api/v1/file/recover/by_path").effect(Effect::Same);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIDs": ids: Vec<FileId>,
        /// Where to; the root is allowed.
        json "parentFileID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)?;
        self.folder.check_folder()
    }
}

operation! {
    /// Deletes up to [`MOST_IDS`] files and folders for good.
    ///
    /// They must be in the recycle bin: send [`Trash`](super::files::Trash) first. There is no call that empties it.
    ///
    /// Protocol: `open-files.yaml`, `file.delete`.
    ///
    /// # Errors
    ///
    /// [`Api`](pan123_core::ErrorKind::Api) with the service's text for what is not in the bin; after a lost answer that
    /// can mean that it is deleted already.
    pub struct Delete -> () = Meta::post("open/file.delete", "/api/v1/file/delete").effect(Effect::Same);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIDs": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
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

    #[test]
    fn batches_keep_their_limits() {
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            let ids = vec![FILE; count];
            assert_eq!(ok(Move::new(ids.clone(), FileId::ROOT)), fits, "move {count}");
            assert_eq!(ok(Recover::new(ids.clone())), fits, "recover {count}");
            assert_eq!(ok(RecoverTo::new(ids.clone(), FileId::ROOT)), fits, "recover to {count}");
            assert_eq!(ok(Delete::new(ids)), fits, "delete {count}");
        }
        for (count, fits) in [(0, false), (1, true), (MOST_RENAMES, true), (MOST_RENAMES + 1, false)] {
            assert_eq!(ok(RenameBatch::new(vec![Renaming::new(FILE, "a"); count])), fits, "rename {count}");
        }
        for (count, fits) in [(0, false), (1, true), (MOST_COPIES, true), (MOST_COPIES + 1, false)] {
            assert_eq!(ok(CopyAsync::new(vec![FILE; count], FileId::ROOT)), fits, "copy {count}");
        }
    }

    #[test]
    fn the_root_is_a_place_and_no_entry() {
        let root = FileId::ROOT;
        assert!(ok(Move::new([FILE], root)) && !ok(Move::new([root], FILE)));
        assert!(ok(Copy::new(FILE, root)) && !ok(Copy::new(root, FILE)));
        assert!(ok(CopyAsync::new([FILE], root)) && !ok(CopyAsync::new([root], FILE)));
        assert!(ok(RecoverTo::new([FILE], root)) && !ok(RecoverTo::new([root], FILE)));
        assert!(!ok(Rename::new(root, "a")) && !ok(RenameBatch::new([Renaming::new(root, "a")])));
        assert!(!ok(Recover::new([root])) && !ok(Delete::new([root])));
        assert!(!ok(Move::new([FILE], FileId::new(-1))) && !ok(CopyProcess::new(CopyTask::new(0))));
    }

    #[test]
    fn names_are_checked() {
        for name in ["", "a/b", "a|b", ".."] {
            assert!(!ok(Rename::new(FILE, name)), "{name:?}");
            assert!(!ok(RenameBatch::new([Renaming::new(FILE, "a"), Renaming::new(FILE, name)])), "{name:?}");
        }
        assert!(ok(Rename::new(FILE, "秋天.mp4")));
    }

    #[test]
    fn copies_are_not_made_twice() {
        assert!(!Copy::new(FILE, FILE).is_repeatable() && !CopyAsync::new([FILE], FILE).is_repeatable());
        assert!(Rename::new(FILE, "a").is_repeatable() && Move::new([FILE], FILE).is_repeatable());
        assert!(Recover::new([FILE]).is_repeatable() && Delete::new([FILE]).is_repeatable());
        assert!(CopyProcess::new(CopyTask::new(1)).is_repeatable());
    }

    #[test]
    fn only_done_and_failed_are_final() {
        for (code, last) in [(0, false), (1, false), (2, true), (3, true), (9, false)] {
            assert_eq!(CopyState::from_code(code).is_final(), last, "{code}");
        }
    }
}
