//! An entry of a share, with everything that the service wants repeated when it is downloaded or saved.

use pan123_core::{FileId, Md5, Timestamp, open_enum, wire};
use serde::Deserialize;

/// A file or folder of a share, as [`List`](crate::ops::shares::List) gives it.
///
/// Id, name, kind, size and MD5 are read strictly: a row without an id, or with an etag that is no MD5, is an error that
/// names the entry. Everything else may be missing. Field names are read in any case of letters.
///
/// Protocol: `share.yaml`, `share.list`; `web.yaml`, `file_object`.
///
/// # Example
///
/// ```
/// use pan123_share::Entry;
///
/// let json = r#"{"FileId":900000000000000001,"FileName":"a.txt","Type":0,"Size":5,
///     "Etag":"5d41402abc4b2a76b9719d911017c592","S3KeyFlag":"1812345678-0","ParentFileId":0}"#;
/// let entry: Entry = serde_json::from_str(json)?;
/// assert!(entry.is_file());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "wire::AnyCase<Row>")]
#[non_exhaustive]
pub struct Entry {
    /// The id, which holds for this share only.
    pub id: FileId,
    /// The folder it is in; [`FileId::ROOT`] for the root of the share.
    pub parent_id: FileId,
    /// The name, without a path. It comes from a stranger: it may not become a local file name as it is.
    pub name: String,
    /// File or folder.
    pub kind: EntryKind,
    /// The size in bytes; of a folder it is not always told.
    pub size: u64,
    /// The MD5 of a file's content; folders have none.
    pub md5: Option<Md5>,
    /// Where the service keeps the content. Downloads need it.
    pub s3_key_flag: String,
    /// The state of the service's content review, where it is told.
    pub status: i64,
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

/// The largest state of a file that nobody withholds. The rule is that of the Open Platform.
const MOST_STATUS: i64 = 100;

impl Entry {
    /// Says whether it is a file.
    pub fn is_file(&self) -> bool {
        self.kind == EntryKind::File
    }

    /// Says whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }

    /// Says whether the content review has withheld it, so that it cannot be downloaded.
    pub fn is_blocked(&self) -> bool {
        self.status > MOST_STATUS
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
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    status: i64,
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
            status: row.status,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
