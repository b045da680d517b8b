//! What several operations share: an entry of the drive.

use pan123_core::{EntryKind, FileId, Link, Md5, ReviewStatus, Timestamp, open_enum, wire};
use serde::{Deserialize, de};

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
    /// Boxed, as most listings tell of none.
    thumbnail: Option<Box<Link>>,
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

    /// Returns the address of a small picture of it. Only [`ListV1`](crate::ops::list_v1::ListV1) tells it, and not of all.
    pub fn thumbnail(&self) -> Option<&Link> {
        self.thumbnail.as_deref()
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
    #[serde(default, deserialize_with = "thumbnail")]
    thumbnail: Option<Box<Link>>,
}

/// Nothing is lost by a category that cannot be read: it counts as one the service does not know.
fn category<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Option<Category>, D::Error> {
    wire::integer_or_zero(deserializer).map(|code| Some(Category::from_code(code)))
}

/// Nor by a picture.
fn thumbnail<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Link>>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.and_then(|url| Link::parse(&url).ok()).map(Box::new))
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
            thumbnail: row.thumbnail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_nobody_has_seen_are_kept() {
        assert_eq!(Category::from_code(10), Category::Unknown(10));
    }
}
