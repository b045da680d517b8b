//! What several operations share: an entry of the drive, and what to do when a name is taken.

use pan123_core::{FileId, Md5, Timestamp, open_enum, wire};
use serde::Deserialize;

/// A file or folder, as lists and details give it.
///
/// Id, name, kind, size and MD5 are read strictly: a row without an id, or with an etag that is no MD5, is an error that
/// names the entry. Everything else may be missing. Field names are read in any case of letters. An entry stands for its
/// id wherever one is asked for.
///
/// Protocol: `web.yaml`, `file_object`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "wire::AnyCase<Row>")]
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
    /// The size in bytes.
    pub size: u64,
    /// The MD5 of a file's content; folders have none.
    pub md5: Option<Md5>,
    /// Where the service keeps the content. Downloads need it.
    pub s3_key_flag: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

open_enum! {
    /// What an entry is: the member `Type` of the service.
    pub enum EntryKind {
        /// A file.
        File = 0,
        /// A folder.
        Folder = 1,
    }
}

/// What the service does when the name of a new file is taken in its folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnConflict {
    /// It refuses the new file. This is the default.
    #[default]
    Fail,
    /// It keeps both and gives the new file a name with a suffix (`duplicate` 1).
    KeepBoth,
    /// It puts the new file in the place of the old one (`duplicate` 2).
    Overwrite,
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

#[derive(Deserialize)]
#[serde(expecting = "an entry")]
struct Row {
    #[serde(rename = "fileid")]
    id: FileId,
    #[serde(default = "root", rename = "parentfileid")]
    parent_id: FileId,
    #[serde(rename = "filename")]
    name: String,
    #[serde(rename = "type")]
    kind: EntryKind,
    #[serde(default, deserialize_with = "wire::optional_integer")]
    size: Option<u64>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default, rename = "s3keyflag")]
    s3_key_flag: Option<String>,
    #[serde(default, rename = "createat", deserialize_with = "wire::time")]
    created_at: Option<Timestamp>,
    #[serde(default, rename = "updateat", deserialize_with = "wire::time")]
    updated_at: Option<Timestamp>,
}

fn root() -> FileId {
    FileId::ROOT
}

impl TryFrom<wire::AnyCase<Row>> for Entry {
    type Error = String;

    fn try_from(wire::AnyCase(row): wire::AnyCase<Row>) -> Result<Self, String> {
        let is_file = row.kind == EntryKind::File;
        let (size, md5) = wire::content(row.id, is_file, row.size, row.etag.as_deref())?;
        Ok(Self {
            id: row.id,
            parent_id: row.parent_id,
            name: row.name,
            kind: row.kind,
            size,
            md5,
            s3_key_flag: row.s3_key_flag.unwrap_or_default(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
