//! What is known of single entries: their rows, their places, what folders hold.

use std::collections::BTreeMap;

use pan123_core::{
    Effect, FileId, RawJson, Reply, Result,
    batch::{check_count, check_ids},
    operation, wire,
};
use serde::Deserialize;

use super::{IdList, MOST_IDS, get, post};
use crate::Entry;

operation! {
    /// Reads the rows of up to [`MOST_IDS`] files and folders.
    ///
    /// Unknown ids are left out without an error and no order is promised: match by id. What was just made is
    /// known here before it is listed.
    ///
    /// Protocol: `web.yaml`, `file.info`.
    pub struct Infos => Vec<Entry> = post("web/file.info", "/api/file/info").effect(Effect::None);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIdList": ids: IdList,
    }

    fn validate(&self) -> Result<()> {
        check_ids(self.ids.as_slice(), MOST_IDS)
    }

    fn decode(&self, reply: Reply) -> Result<Vec<Entry>> {
        reply.data_in_any_case().map(|list: InfoList| list.entries)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a list of entries")]
struct InfoList {
    #[serde(default, rename = "infolist", deserialize_with = "wire::or_default")]
    entries: Vec<Entry>,
}

operation! {
    /// Reads the counts and the size of one entry, by the older call. Prefer [`Details`], whose members are known.
    ///
    /// Protocol: `web.yaml`, `file.detail`.
    pub struct Detail -> RawJson = get("web/file.detail", "/api/file/detail");
    {
        /// The file or folder.
        query "fileID": id: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

operation! {
    /// Counts what up to [`MOST_IDS`] entries hold together, and says where they are.
    ///
    /// Protocol: `web.yaml`, `file.details`.
    pub struct Details => Contents =
        post("web/file.details", "/api/restful/goapi/v1/file/details").effect(Effect::None);
    {
        /// The files and folders; 1 to [`MOST_IDS`].
        json "file_ids": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_count(self.ids.len(), MOST_IDS)?;
        self.ids.iter().try_for_each(|id| id.check_folder())
    }

    fn decode(&self, reply: Reply) -> Result<Contents> {
        reply.data_in_any_case()
    }
}

/// What entries hold together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "counts of files and folders")]
#[non_exhaustive]
pub struct Contents {
    /// How many files there are.
    #[serde(rename = "filenum", deserialize_with = "wire::integer")]
    pub files: u64,
    /// How many folders there are.
    #[serde(rename = "dirnum", deserialize_with = "wire::integer")]
    pub folders: u64,
    /// How many bytes they hold.
    #[serde(rename = "totalsize", deserialize_with = "wire::integer")]
    pub size: u64,
    /// The member `totalFileNum`, where the service tells it; what tells it from [`files`](Self::files) is not documented.
    #[serde(default, rename = "totalfilenum", deserialize_with = "wire::optional_integer")]
    pub total_files: Option<u64>,
    /// The member `totalDirNum`, likewise.
    #[serde(default, rename = "totaldirnum", deserialize_with = "wire::optional_integer")]
    pub total_folders: Option<u64>,
    /// Where they are, from the root (id 0) downwards.
    #[serde(default, rename = "paths", deserialize_with = "wire::or_default")]
    pub path: Vec<PathPart>,
}

/// A folder, or an entry, on the way from the root to an entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a part of a path")]
#[non_exhaustive]
pub struct PathPart {
    /// Which; [`FileId::ROOT`] for the root.
    #[serde(rename = "fileid")]
    pub id: FileId,
    /// Its name.
    #[serde(rename = "filename")]
    pub name: String,
}

operation! {
    /// Reads the ids of the folders above one entry. Its answer is not documented: prefer [`PathHistory`].
    ///
    /// Protocol: `web.yaml`, `file.get_path`.
    pub struct PathIds -> RawJson = post("web/file.get_path", "/api/file/get_path").effect(Effect::None);
    {
        /// The file or folder.
        json "fileId": id: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

operation! {
    /// Reads where up to [`MOST_IDS`] entries are: for each the folders above it, from the one in the root downwards, and
    /// itself at the end.
    ///
    /// Protocol: `web.yaml`, `file.get_path_history`.
    pub struct PathHistory => BTreeMap<FileId, Vec<PathPart>> =
        post("web/file.get_path_history", "/api/file/get_path_history").effect(Effect::None);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIdList": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
    }

    fn decode(&self, reply: Reply) -> Result<BTreeMap<FileId, Vec<PathPart>>> {
        reply.data_in_any_case().map(|history: History| history.list)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "paths by id")]
struct History {
    #[serde(default, deserialize_with = "wire::or_default")]
    list: BTreeMap<FileId, Vec<PathPart>>,
}

operation! {
    /// Counts the files that the content review has flagged. Its answer is not documented.
    ///
    /// Protocol: `web.yaml`, `file.abnormal_count`.
    pub struct AbnormalCount -> RawJson = get("web/file.abnormal_count", "/api/file/abnormal/count");
    {}
}

operation! {
    /// Reads one page of what was done in the sync space. Its answer is not documented.
    ///
    /// Protocol: `web.yaml`, `file.sync_log`.
    pub struct SyncLog -> RawJson = get("web/file.sync_log", "/api/restful/goapi/v1/sync-disk/file/log");
    {}
    defaults {
        /// Sets the number of the page, from 1.
        query "page": page: u32 = 1,
        /// Sets how many rows a page has; 100 unless told.
        query "pageSize": page_size: u32 = 100,
    }
    optional {
        /// Looks for a name.
        query "searchData": words: String,
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn ids_are_counted_and_the_root_is_no_entry() {
        let file = FileId::new(1);
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            let ids = vec![file; count];
            assert_eq!(Infos::new(ids.clone()).validate().is_ok(), fits, "{count}");
            assert_eq!(Details::new(ids.clone()).validate().is_ok(), fits, "{count}");
            assert_eq!(PathHistory::new(ids).validate().is_ok(), fits, "{count}");
        }
        let root = FileId::ROOT;
        assert!(Infos::new([root]).validate().is_err() && PathHistory::new([root]).validate().is_err());
        assert!(Details::new([root]).validate().is_ok() && PathIds::new(root).validate().is_err());
        assert!(Detail::new(root).validate().is_err() && Detail::new(file).validate().is_ok());
    }

    #[test]
    fn reading_is_repeated() {
        let file = FileId::new(1);
        assert!(Infos::new([file]).is_repeatable() && PathHistory::new([file]).is_repeatable());
        assert!(Details::new([file]).is_repeatable() && PathIds::new(file).is_repeatable());
    }
}
