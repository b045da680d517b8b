//! What several operations share: an entry of the drive, and what to do when a name is taken.

use pan123_core::{FileId, Md5, Timestamp, open_enum, wire};
use serde::{Deserialize, Serialize, Serializer, de};

/// A file or folder, as [`List`](crate::ops::files::List), [`Infos`](crate::ops::files::Infos) and
/// [`Detail`](crate::ops::files::Detail) give it.
///
/// Id, parent, name, kind, size and MD5 are read strictly: a row without an id, or with an MD5 that is none, is an
/// error that names the entry. Everything else may be missing. An entry stands for its id wherever one is asked for.
///
/// Protocol: `open-files.yaml`, `file.list_v2`, `file.infos`, `file.detail`.
///
/// # Example
///
/// ```
/// use pan123_core::FileId;
/// use pan123_open::{Entry, EntryKind};
///
/// let json = r#"{"fileId":15000001,"filename":"a.mp4","parentFileId":0,"type":0,"size":1048576,
///     "etag":"0cc175b9c0f1b6a831c399e269772661","category":2,"status":2,"trashed":0}"#;
/// let entry: Entry = serde_json::from_str(json)?;
/// assert_eq!(entry.kind, EntryKind::File);
/// assert_eq!(FileId::from(&entry), FileId::new(15_000_001));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Row")]
#[non_exhaustive]
pub struct Entry {
    /// The id, which stays the same when the entry is renamed or moved.
    pub id: FileId,
    /// The folder it is in; [`FileId::ROOT`] for the drive's root.
    pub parent_id: FileId,
    /// The name, without a path. It comes from outside: check it before it becomes a local file name.
    pub name: String,
    /// File or folder.
    pub kind: EntryKind,
    /// The size in bytes. For a folder it is 0 in lists and infos; only the detail says what the folder holds in all.
    pub size: u64,
    /// The MD5 of a file's content; folders have none.
    pub md5: Option<Md5>,
    /// The kind of content; the detail does not tell it.
    pub category: Option<Category>,
    /// The state of the service's content review.
    pub status: ReviewStatus,
    /// Whether it is in the recycle bin. Lists hold such entries too.
    pub trashed: bool,
    /// Whether the service has penalised it. Only seen in samples; false when it is not told.
    pub penalised: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed; the detail does not tell it.
    pub updated_at: Option<Timestamp>,
}

impl Entry {
    /// Says whether it is a file.
    pub fn is_file(&self) -> bool {
        self.kind == EntryKind::File
    }

    /// Says whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }

    /// Says whether the content review has withheld it, so that it cannot be downloaded or linked.
    pub fn is_blocked(&self) -> bool {
        self.status.is_blocked()
    }
}

impl From<Entry> for FileId {
    fn from(entry: Entry) -> Self {
        entry.id
    }
}

impl From<&Entry> for FileId {
    fn from(entry: &Entry) -> Self {
        entry.id
    }
}

open_enum! {
    /// What an entry is: the member `type` of the service.
    pub enum EntryKind {
        /// A file.
        File = 0,
        /// A folder.
        Folder = 1,
    }
}

open_enum! {
    /// The kind of content of an entry, and a filter of [`List`](crate::ops::files::List).
    ///
    /// The official pages name these three; 0 means that the service does not know, and other numbers occur, such as
    /// 10 for an archive.
    pub enum Category {
        /// Sound.
        Audio = 1,
        /// A video.
        Video = 2,
        /// A picture.
        Image = 3,
    }
}

/// The state of the service's content review, as its number.
///
/// 0 and 2 are normal; what tells them apart is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReviewStatus(i64);

impl ReviewStatus {
    /// Makes a state from the service's number.
    pub const fn from_code(code: i64) -> Self {
        Self(code)
    }

    /// Returns the service's number.
    pub const fn code(self) -> i64 {
        self.0
    }

    /// Says whether the review has withheld the entry: every number above 100.
    pub const fn is_blocked(self) -> bool {
        self.0 > 100
    }
}

impl<'de> Deserialize<'de> for ReviewStatus {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer_or_zero(deserializer).map(Self)
    }
}

/// What the service does when the name of a new file is taken in its folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnConflict {
    /// It refuses the new file; the request then says nothing about it. This is the default.
    #[default]
    Fail,
    /// It keeps both and gives the new file a name with a suffix (`duplicate` 1).
    KeepBoth,
    /// It puts the new file in the place of the old one, at once and whole (`duplicate` 2).
    Overwrite,
}

impl OnConflict {
    /// Says whether a request that makes a file may be sent again when its answer was lost.
    ///
    /// Only overwriting ends the same. Keeping both would make a second copy, and a refusal the second time would blame
    /// the file that the first time made.
    pub const fn is_repeatable(self) -> bool {
        matches!(self, Self::Overwrite)
    }
}

impl Serialize for OnConflict {
    /// Writes the service's number, or null, which requests leave out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fail => serializer.serialize_none(),
            Self::KeepBoth => serializer.serialize_i32(1),
            Self::Overwrite => serializer.serialize_i32(2),
        }
    }
}

/// An entry as it stands in the answers, with the spellings of all of them.
#[derive(Deserialize)]
#[serde(expecting = "an entry")]
struct Row {
    #[serde(rename = "fileId", alias = "fileID")]
    id: FileId,
    #[serde(rename = "parentFileId", alias = "parentFileID")]
    parent_id: FileId,
    #[serde(rename = "filename", alias = "fileName")]
    name: String,
    #[serde(rename = "type")]
    kind: EntryKind,
    #[serde(default, deserialize_with = "wire::optional_integer")]
    size: Option<u64>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default, deserialize_with = "category")]
    category: Option<Category>,
    #[serde(default)]
    status: ReviewStatus,
    #[serde(default, deserialize_with = "wire::truth")]
    trashed: bool,
    #[serde(default, rename = "punishFlag", deserialize_with = "wire::integer_or_zero")]
    punish_flag: i64,
    #[serde(default, rename = "createAt", deserialize_with = "wire::time")]
    created_at: Option<Timestamp>,
    #[serde(default, rename = "updateAt", deserialize_with = "wire::time")]
    updated_at: Option<Timestamp>,
}

/// Nothing is lost by a category that cannot be read: it counts as one the service does not know.
fn category<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Option<Category>, D::Error> {
    wire::integer_or_zero(deserializer).map(|code| Some(Category::from_code(code)))
}

impl TryFrom<Row> for Entry {
    type Error = String;

    fn try_from(row: Row) -> Result<Self, String> {
        let is_file = row.kind == EntryKind::File;
        let (size, md5) = wire::content(row.id, is_file, row.size, row.etag.as_deref())?;
        Ok(Self {
            id: row.id,
            parent_id: row.parent_id,
            name: row.name,
            kind: row.kind,
            size,
            md5,
            category: row.category,
            status: row.status,
            trashed: row.trashed,
            penalised: row.punish_flag != 0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_states_above_100_block() {
        for (code, blocked) in [(0, false), (2, false), (100, false), (101, true), (-1, false)] {
            assert_eq!(ReviewStatus::from_code(code).is_blocked(), blocked, "{code}");
        }
    }

    #[test]
    fn a_choice_is_written_as_its_number_or_left_out() {
        for (choice, json, repeatable) in
            [(OnConflict::Fail, "null", false), (OnConflict::KeepBoth, "1", false), (OnConflict::Overwrite, "2", true)]
        {
            assert_eq!(serde_json::to_string(&choice).unwrap(), json);
            assert_eq!(choice.is_repeatable(), repeatable, "{choice:?}");
        }
        assert_eq!(OnConflict::default(), OnConflict::Fail);
    }

    #[test]
    fn numbers_nobody_has_seen_are_kept() {
        assert_eq!(Category::from_code(10), Category::Unknown(10));
        assert_eq!(EntryKind::Unknown(7).code(), 7);
    }
}
