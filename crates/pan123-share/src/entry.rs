//! An entry of a share, with everything that the service wants repeated when it is downloaded or saved.

use pan123_core::{EntryKind, FileId, Link, Md5, ReviewStatus, Row, Timestamp, wire};
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
#[serde(try_from = "wire::AnyCase<ShareRow>")]
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
    pub status: ReviewStatus,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    thumbnail: Option<Link>,
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

    /// Says whether the content review has withheld it, so that it cannot be downloaded.
    pub fn is_blocked(&self) -> bool {
        self.status.is_blocked()
    }

    /// Returns the address of a small picture of the content, where the list gave one.
    ///
    /// It carries its own permission: no token goes with it.
    pub fn thumbnail(&self) -> Option<&Link> {
        self.thumbnail.as_ref()
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
struct ShareRow {
    #[serde(flatten)]
    common: Row,
    #[serde(default, rename = "downloadurl", deserialize_with = "wire::loose_text")]
    thumbnail: String,
}

impl TryFrom<wire::AnyCase<ShareRow>> for Entry {
    type Error = String;

    fn try_from(wire::AnyCase(row): wire::AnyCase<ShareRow>) -> Result<Self, String> {
        let (size, md5) = row.common.content()?;
        let Row { id, parent_id, name, kind, s3_key_flag, status, created_at, updated_at, .. } = row.common;
        // Nothing is lost by a picture whose address cannot be read.
        let thumbnail = Link::parse(&row.thumbnail).ok();
        Ok(Self { id, parent_id, name, kind, size, md5, s3_key_flag, status, created_at, updated_at, thumbnail })
    }
}
