//! Files and folders: listing, details, new folders, the recycle bin, download addresses.

use pan123_core::{Effect, Error, FileId, Link, Meta, Paged, Reply, Result, name, open_enum, operation, wire};
use serde::{Deserialize, Deserializer, de};

use super::{MOST_IDS, check_ids, new_id};
use crate::{Category, Entry};

operation! {
    /// Lists one folder, or searches the whole drive, page by page.
    ///
    /// Entries of the recycle bin come with the others and count towards the page size: a page may hold nothing else and
    /// still not be the last. Walking the items leaves them out unless [`include_trashed`](Self::include_trashed) is set;
    /// a page that is sent for alone has them all. The order is the service's own; there is no choice.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) entries.
    ///
    /// Protocol: `open-files.yaml`, `file.list_v2`.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_core::FileId;
    /// use pan123_open::ops::files::{List, SearchMode};
    ///
    /// let all = List::new(FileId::ROOT);
    /// let found = List::new(FileId::ROOT).search("秋天", SearchMode::Fuzzy).page_size(20);
    /// ```
    pub struct List -> ListPage = Meta::get("open/file.list_v2", "/api/v2/file/list");
    {
        /// The folder; of no effect when a search is made.
        query "parentFileId": folder: FileId,
    }
    defaults {
        /// Sets how many entries a page has at most: 1 to [`MOST_IDS`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Says whether walking the items hands out entries of the recycle bin; false by default.
        local: include_trashed: bool = false,
    }
    optional {
        /// Begins behind this page: its [`ListPage::next`].
        query "lastFileId": after: FileId,
        /// Looks for a keyword; see [`search`](Self::search), which sets it together with the mode.
        query "searchData": keyword: String,
        /// Says how the keyword is compared; the service compares loosely unless told.
        query "searchMode": search_mode: SearchMode,
        /// Keeps to one kind of content. The official pages name this for the transcoding space only.
        query "category": category: Category,
        /// Lists another space than the drive. The official pages name this for the transcoding space only.
        query "businessType": space: Space,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_folder()?;
        if !(1..=LARGEST_PAGE).contains(&self.page_size) {
            return Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} entries, not {}", self.page_size)));
        }
        match &self.keyword {
            Some(keyword) if keyword.trim().is_empty() => Err(Error::invalid("the keyword of a search is empty")),
            _ => Ok(()),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is 100")]
const LARGEST_PAGE: u32 = MOST_IDS as u32;

impl List {
    /// Searches the whole drive, whatever the folder, for entries whose name matches.
    ///
    /// The index lags behind: an entry that was just made is not found yet. To find one, list its folder.
    #[must_use]
    pub fn search(self, keyword: impl Into<String>, mode: SearchMode) -> Self {
        self.keyword(keyword).search_mode(mode)
    }
}

impl Paged for List {
    type Item = Entry;

    fn items(&self, page: ListPage) -> Vec<Entry> {
        page.entries.into_iter().filter(|entry| self.include_trashed || !entry.trashed).collect()
    }

    fn advance(&mut self, page: &ListPage) -> bool {
        self.after = page.next;
        // A page without any entry cannot be followed by one that has some, whatever the cursor says.
        page.next.is_some() && !page.entries.is_empty()
    }

    fn known_by(entry: &Entry) -> Option<FileId> {
        Some(entry.id)
    }
}

/// One page of a [`List`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ListPage {
    /// The entries, those of the recycle bin among them.
    #[serde(default, rename = "fileList", deserialize_with = "wire::or_default")]
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` on the last (-1 on the wire).
    #[serde(rename = "lastFileId", deserialize_with = "cursor")]
    pub next: Option<FileId>,
}

fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FileId>, D::Error> {
    FileId::deserialize(deserializer).map(|id| (id.get() != -1).then_some(id))
}

open_enum! {
    /// How the keyword of a search is compared with names.
    pub enum SearchMode {
        /// Word by word, loosely.
        Fuzzy = 0,
        /// The whole name must be the keyword.
        Exact = 1,
    }
}

open_enum! {
    /// A space beside the drive.
    pub enum Space {
        /// The transcoding space.
        Transcoding = 2,
    }
}

operation! {
    /// Reads the details of one file or folder; for a folder, the size of all that it holds.
    ///
    /// Category and time of change are not told here; [`Infos`] tells them.
    ///
    /// Protocol: `open-files.yaml`, `file.detail`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](pan123_core::ErrorKind::NotFound) when there is no such entry, as tests of other clients expect it;
    /// the official pages do not say.
    pub struct Detail -> Entry = Meta::get("open/file.detail", "/api/v1/file/detail");
    {
        /// The file or folder; not the root.
        query "fileID": id: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

operation! {
    /// Reads the details of up to [`MOST_IDS`] files and folders.
    ///
    /// Unknown ids are left out without an error and no order is promised: match by id. Folders have size 0 here.
    ///
    /// Protocol: `open-files.yaml`, `file.infos`.
    pub struct Infos => Vec<Entry> = Meta::post("open/file.infos", "/api/v1/file/infos").effect(Effect::None);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIds": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
    }

    fn decode(&self, reply: Reply) -> Result<Vec<Entry>> {
        let lists: InfoLists = reply.data()?;
        Ok(lists.newer.or(lists.older).unwrap_or_default())
    }
}

/// The list has had two names, and a careful server may send both.
#[derive(Deserialize)]
#[serde(expecting = "a list of entries")]
struct InfoLists {
    #[serde(default, rename = "fileList")]
    newer: Option<Vec<Entry>>,
    #[serde(default, rename = "list")]
    older: Option<Vec<Entry>>,
}

operation! {
    /// Makes one folder, and returns its id.
    ///
    /// Folders on the way to it are not made. It is not sent again after a lost answer: list the parent to see.
    ///
    /// Protocol: `open-files.yaml`, `file.mkdir`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the parent has a folder of that name; its id is not
    /// told, list the parent to find it.
    pub struct Mkdir => FileId = Meta::post("open/file.mkdir", "/upload/v1/file/mkdir");
    {
        /// The folder to make it in; the root is allowed.
        json "parentID": parent: FileId,
        /// Its name; see [`name::check`].
        json "name": name: String,
    }

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        name::check(&self.name)
    }

    fn decode(&self, reply: Reply) -> Result<FileId> {
        reply.data::<NewFolder>().map(|folder| folder.id)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a new folder")]
struct NewFolder {
    #[serde(rename = "dirID", alias = "dirId", deserialize_with = "new_id")]
    id: FileId,
}

operation! {
    /// Moves up to [`MOST_IDS`] files and folders to the recycle bin.
    ///
    /// Lists go on showing them, marked as trashed. What happens to ids that are unknown or in the bin already is not
    /// documented.
    ///
    /// Protocol: `open-files.yaml`, `file.trash`.
    pub struct Trash -> () = Meta::post("open/file.trash", "/api/v1/file/trash").effect(Effect::Same);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIDs": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
    }
}

operation! {
    /// Asks for an address from which one file can be downloaded.
    ///
    /// The address carries its own permission: no token goes with it. How long it lasts is not documented, so ask for it
    /// just before it is used. Folders have none.
    ///
    /// Protocol: `open-files.yaml`, `file.download_info`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](pan123_core::ErrorKind::NotFound) when the file is gone,
    /// [`QuotaExceeded`](pan123_core::ErrorKind::QuotaExceeded) when the download traffic is used up,
    /// [`Busy`](pan123_core::ErrorKind::Busy) while a new file is still being verified,
    /// [`Decode`](pan123_core::ErrorKind::Decode) when the service gives an empty address.
    pub struct DownloadInfo => Link = Meta::get("open/file.download_info", "/api/v1/file/download_info");
    {
        /// The file.
        query "fileId": id: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }

    fn decode(&self, reply: Reply) -> Result<Link> {
        reply.data::<Download>().map(|download| download.link)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a download address")]
struct Download {
    #[serde(rename = "downloadUrl", alias = "downloadURL", deserialize_with = "link")]
    link: Link,
}

fn link<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
    Link::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before_a_request() {
        let root = FileId::ROOT;
        let file = FileId::new(1);
        assert!(ok(List::new(root)) && ok(List::new(file)) && !ok(List::new(FileId::new(-1))));
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(List::new(root).page_size(size)), fits, "{size}");
        }
        assert!(
            ok(List::new(root).search("a", SearchMode::Exact)) && !ok(List::new(root).search(" ", SearchMode::Exact))
        );
        assert!(ok(Detail::new(file)) && !ok(Detail::new(root)));
        assert!(ok(DownloadInfo::new(file)) && !ok(DownloadInfo::new(root)));
        assert!(ok(Mkdir::new(root, "a")) && !ok(Mkdir::new(root, "")) && !ok(Mkdir::new(FileId::new(-1), "a")));
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            let ids = vec![file; count];
            assert_eq!((ok(Infos::new(ids.clone())), ok(Trash::new(ids))), (fits, fits), "{count}");
        }
        assert!(!ok(Trash::new([root])) && !ok(Infos::new([root])));
    }

    #[test]
    fn only_making_a_folder_is_not_repeated() {
        let file = FileId::new(1);
        assert!(!Mkdir::new(file, "a").is_repeatable());
        assert!(Trash::new([file]).is_repeatable() && Infos::new([file]).is_repeatable());
        assert_eq!(Infos::META.effect, Effect::None);
    }

    fn page(json: &str) -> ListPage {
        serde_json::from_str(json).expect("a page")
    }

    const TRASHED: &str = r#"{"lastFileId":7,"fileList":[
        {"fileId":7,"filename":"t","parentFileId":0,"type":0,"size":1,"etag":"","trashed":1}]}"#;

    #[test]
    fn a_page_of_trash_is_not_the_end_and_hands_out_nothing() {
        let mut list = List::new(FileId::ROOT);
        assert!(list.advance(&page(TRASHED)));
        assert_eq!(list.after, Some(FileId::new(7)));
        assert!(list.items(page(TRASHED)).is_empty());
        assert_eq!(list.include_trashed(true).items(page(TRASHED)).len(), 1);
    }

    #[test]
    fn minus_one_or_an_empty_page_is_the_end() {
        for json in [
            r#"{"lastFileId":-1,"fileList":[{"fileId":7,"filename":"a","parentFileId":0,"type":1}]}"#,
            r#"{"lastFileId":7,"fileList":[]}"#,
            r#"{"lastFileId":7,"fileList":null}"#,
        ] {
            assert!(!List::new(FileId::ROOT).advance(&page(json)), "{json}");
        }
    }
}
