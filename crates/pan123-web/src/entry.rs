//! An entry of the drive: everything that its row in a list says.

use pan123_core::{EntryKind, FileId, Link, Md5, ReviewStatus, Row, Timestamp, wire};
use serde::{Deserialize, Deserializer};

/// A file or folder, as lists and details give it.
///
/// Id, name, kind, size and MD5 are read strictly: a row without an id, or with an etag that is no MD5, is an error that
/// names the entry. Everything else may be missing. Field names are read in any case of letters. An entry stands for its
/// id wherever one is asked for.
///
/// Protocol: `web.yaml`, `file_object`.
///
/// # Example
///
/// ```
/// use pan123_web::{Entry, FileId};
///
/// let json = r#"{"FileId":50100003,"FileName":"a.txt","Type":0,"Size":5,"Etag":"5d41402abc4b2a76b9719d911017c592",
///     "ParentFileId":50100002,"AbsPath":"/50100002/50100003","StarredStatus":255}"#;
/// let entry: Entry = serde_json::from_str(json)?;
/// assert!(entry.is_file() && entry.is_starred);
/// assert_eq!(entry.ancestors, [FileId::new(50_100_002)]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "wire::AnyCase<WebRow>")]
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
    /// The size in bytes; for a folder it may be that of all it holds, or 0.
    pub size: u64,
    /// The MD5 of a file's content; folders have none.
    pub md5: Option<Md5>,
    /// Where the service keeps the content. Downloads need it.
    pub s3_key_flag: String,
    /// The service's number for the kind of content, 0 where it is not told. No source says which is which.
    pub category: i64,
    /// The state of the service's content review.
    pub status: ReviewStatus,
    /// Whether the service has penalised it.
    pub penalised: bool,
    /// Whether it is in the recycle bin.
    pub trashed: bool,
    /// When it was moved to the recycle bin.
    pub trashed_at: Option<Timestamp>,
    /// When the recycle bin will forget it.
    pub trash_expires_at: Option<Timestamp>,
    /// Whether it has a star.
    pub is_starred: bool,
    /// Whether it is in the safe box, or is it.
    pub is_locked: bool,
    /// Whether the service calls it hidden; what hides an entry is not documented.
    pub is_hidden: bool,
    /// The service's number for its direct link, 0 where it is not told. No source says which is which.
    pub direct_link: i64,
    /// In a search, the name with marks around the words that were found; empty elsewhere. It is not fit for a page as it is:
    /// only the marks are the service's, the name comes from outside.
    pub highlight: String,
    /// The folders above it, from the one in the drive's root downwards; empty in the root itself, and where it is not told.
    pub ancestors: Vec<FileId>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    thumbnail: Option<Link>,
}

/// What a thumbnail's path ends in before it is asked for in another size.
const SMALL: &str = "_24_24";

impl Entry {
    /// Says whether it is a file.
    pub fn is_file(&self) -> bool {
        self.kind == EntryKind::File
    }

    /// Says whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }

    /// Says whether the content review has withheld it, so that it cannot be downloaded or shared. The rule is that of the
    /// Open Platform.
    pub fn is_blocked(&self) -> bool {
        self.status.is_blocked()
    }

    /// Returns the address of a small picture of the content, where the list gave one: 24 pixels wide, as far as is known.
    ///
    /// It carries its own permission: no token goes with it.
    pub fn thumbnail(&self) -> Option<&Link> {
        self.thumbnail.as_ref()
    }

    /// Returns the address of a picture of the content that is `pixels` wide, as a client that works asks for it; `None` where
    /// the list gave no picture, or one whose address has another form.
    pub fn thumbnail_of(&self, pixels: u32) -> Option<Link> {
        let mut url = self.thumbnail.as_ref()?.url().clone();
        let path = format!("{}_{pixels}_{pixels}", url.path().strip_suffix(SMALL)?);
        url.set_path(&path);
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "w" && name != "h")
            .map(|(n, v)| (n.into(), v.into()))
            .collect();
        let size = pixels.to_string();
        url.query_pairs_mut().clear().extend_pairs(others).extend_pairs([
            ("w", size.as_str()),
            ("h", &size),
            ("trade_key", "123pan-thumbnail"),
        ]);
        Link::parse(url.as_str()).ok()
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
struct WebRow {
    #[serde(flatten)]
    common: Row,
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    category: i64,
    #[serde(default, rename = "punishflag", deserialize_with = "wire::integer_or_zero")]
    punish_flag: i64,
    #[serde(default, deserialize_with = "wire::truth")]
    trashed: bool,
    #[serde(default, rename = "trashedat", deserialize_with = "wire::time")]
    trashed_at: Option<Timestamp>,
    #[serde(default, rename = "trashedexpire", deserialize_with = "wire::time")]
    trash_expires_at: Option<Timestamp>,
    #[serde(default, rename = "starredstatus", deserialize_with = "wire::integer_or_zero")]
    starred: i64,
    #[serde(default, rename = "islock", deserialize_with = "wire::truth")]
    is_locked: bool,
    #[serde(default, rename = "hidden", deserialize_with = "wire::truth")]
    is_hidden: bool,
    #[serde(default, rename = "directlink", deserialize_with = "wire::integer_or_zero")]
    direct_link: i64,
    #[serde(default, deserialize_with = "wire::or_default")]
    highlight: String,
    #[serde(default, rename = "abspath", deserialize_with = "path")]
    path: Vec<FileId>,
    #[serde(default, rename = "downloadurl", deserialize_with = "wire::loose_text")]
    thumbnail: String,
}

/// The number of a star; 1 takes it away.
pub(crate) const STARRED: i64 = 255;

/// Nothing is lost by a path that cannot be read: it counts as one that is not told.
fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FileId>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    let ids = text.iter().flat_map(|text| text.split('/')).filter(|id| !matches!(*id, "" | "0"));
    Ok(ids.map(str::parse).collect::<Result<_, _>>().unwrap_or_default())
}

impl TryFrom<wire::AnyCase<WebRow>> for Entry {
    type Error = String;

    fn try_from(wire::AnyCase(row): wire::AnyCase<WebRow>) -> Result<Self, String> {
        let (size, md5) = row.common.content()?;
        let Row { id, parent_id, name, kind, s3_key_flag, status, created_at, updated_at, .. } = row.common;
        Ok(Self {
            id,
            parent_id,
            name,
            kind,
            size,
            md5,
            s3_key_flag,
            category: row.category,
            status,
            penalised: row.punish_flag != 0,
            trashed: row.trashed,
            trashed_at: row.trashed_at,
            trash_expires_at: row.trash_expires_at,
            is_starred: row.starred == STARRED,
            is_locked: row.is_locked,
            is_hidden: row.is_hidden,
            direct_link: row.direct_link,
            highlight: row.highlight,
            ancestors: row.path.into_iter().filter(|ancestor| *ancestor != id).collect(),
            created_at,
            updated_at,
            // Nothing is lost by a picture whose address cannot be read.
            thumbnail: Link::parse(&row.thumbnail).ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(members: &str) -> Entry {
        serde_json::from_str(&format!(r#"{{"FileId":7,"FileName":"a","Type":1{members}}}"#)).unwrap()
    }

    #[test]
    fn a_thumbnail_comes_in_other_sizes_where_its_address_has_the_known_form() {
        let of = |url: &str| {
            let thumbnail = entry(&format!(r#","DownloadUrl":"{url}""#)).thumbnail_of(70)?;
            Some(thumbnail.url().to_string())
        };
        assert_eq!(
            of("https://t.example/a_24_24?w=24&h=24&s=x").as_deref(),
            Some("https://t.example/a_70_70?s=x&w=70&h=70&trade_key=123pan-thumbnail")
        );
        assert_eq!(of("https://t.example/a?w=24"), None);
        assert_eq!(of(""), None);
        assert_eq!(entry("").thumbnail(), None);
    }

    #[test]
    fn a_path_is_that_of_the_folders_above() {
        for (text, above) in [
            (r#""/1/2/7""#, vec![1, 2]),
            (r#""/7""#, vec![]),
            (r#""/0/1/7""#, vec![1]),
            (r#""/1/x/7""#, vec![]),
            ("null", vec![]),
        ] {
            let above: Vec<FileId> = above.into_iter().map(FileId::new).collect();
            assert_eq!(entry(&format!(r#","AbsPath":{text}"#)).ancestors, above, "{text}");
        }
    }

    #[test]
    fn the_permission_of_a_thumbnail_is_not_shown() {
        let entry = entry(r#","DownloadUrl":"https://t.example/a_24_24?sign=planted""#);
        assert!(!format!("{entry:?}").contains("planted"));
    }
}
