//! Folders page by page: one folder, the recycle bin, a search; and the list of all operations on files.

use pan123_core::{Error, FileId, Meta, NextPage, Operation, Result, open_enum, operation, wire};
use serde::{Deserialize, Serialize};

use super::{archives, details, get, lists, manage, media, safebox, shares::Switch, stars, trash};
use crate::Entry;

/// The facts of the operations on files, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[
    List::META,
    lists::ListOld::META,
    lists::ListByType::META,
    Search::META,
    ListTrash::META,
    details::Infos::META,
    details::Detail::META,
    details::Details::META,
    details::PathIds::META,
    details::PathHistory::META,
    details::AbnormalCount::META,
    details::SyncLog::META,
    manage::Mkdir::META,
    manage::Rename::META,
    manage::Move::META,
    trash::Trash::META,
    trash::Restore::META,
    trash::RestoreTo::META,
    trash::Delete::META,
    trash::ClearTrash::META,
    manage::Copy::META,
    manage::CopyProgress::META,
    stars::Star::META,
    stars::ListStarred::META,
    safebox::UnlockSafeBox::META,
    safebox::LockSafeBox::META,
    archives::ReadArchive::META,
    archives::ArchiveProgress::META,
    archives::Extract::META,
    manage::ExportTree::META,
    media::PlayList::META,
    media::PlayerSettings::META,
];

/// The path of the list, the search and the recycle bin.
const PATH: &str = "/api/file/list/new";

/// The most entries that a page may be asked for. The service has been seen to send up to 500 all the same.
pub const LARGEST_PAGE: u32 = 100;

operation! {
    /// Lists one page of a folder.
    ///
    /// Pages are asked for by number, as clients do that have been seen to get whole folders. A page may hold more entries
    /// than it was asked for, two pages may hold the same entry, and only the service's end mark or an empty page ends the
    /// list; a walk over the items hands out each entry once. Entries of the recycle bin are left out. What was made
    /// by an instant upload may appear minutes late; [`Infos`](super::details::Infos) sees it earlier.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) entries. One each 0.7 seconds is what clients that last
    /// keep to, and what a client keeps to unless told otherwise.
    ///
    /// Protocol: `web.yaml`, `file.list`.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_web::{FileId, ops::files::{Category, Direction, List, OrderBy}};
    ///
    /// let newest_first = List::new(FileId::ROOT);
    /// let films = List::new(FileId::ROOT).category(Category::Video).order_by(OrderBy::Name).direction(Direction::Ascending);
    /// ```
    pub struct List -> ListPage = get("web/file.list", PATH);
    {
        /// The folder.
        query "parentFileId": folder: FileId,
    }
    fixed {
        query "driveId": 0,
        query "trashed": false,
        query "SearchData": "",
        query "event": "homeListFile",
        query "operateType": 4,
        query "inDirectSpace": false,
        query "next": "0",
    }
    defaults {
        /// Sets how many entries a page is asked for: 1 to [`LARGEST_PAGE`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Sets what entries are ordered by; their id unless told, the one order that is not known to lose entries while a folder
        /// changes.
        query "orderBy": order_by: OrderBy = OrderBy::Id,
        /// Sets the direction; [`Direction::Descending`] unless told, so that what is new comes first.
        query "orderDirection": direction: Direction = Direction::Descending,
        /// Sets the number of the page, from 1.
        query "Page": page: u32 = 1,
        /// Says whether to keep to files that the service's content check has flagged; false by default.
        query "OnlyLookAbnormalFile": flagged_only: Switch = Switch::from(false),
    }
    optional {
        /// Keeps to one kind of content.
        query "fileCategory": category: Category,
        /// Keeps to folders, as the service's page does where one is to be chosen.
        query "FileType": folders_only: Switch,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_folder()?;
        check_page(self.page, self.page_size)
    }
}

operation! {
    /// Looks for names, in the whole drive.
    ///
    /// The index lags behind: an entry that was just made is not found yet. To find one, list its folder. At most
    /// 10,000 hits can be paged through. [`Entry::ancestors`] says where each is.
    ///
    /// Protocol: `web.yaml`, `file.search`.
    pub struct Search -> ListPage = get("web/file.search", PATH);
    {
        /// What names are to hold.
        query "SearchData": words: String,
    }
    fixed {
        query "driveId": 0,
        query "trashed": false,
        query "OnlyLookAbnormalFile": 0,
        query "event": "homeListFile",
        query "operateType": 2,
        query "inDirectSpace": false,
        query "next": "0",
    }
    defaults {
        /// Sets the folder to look in; older notes say that the service ignores it.
        query "parentFileId": folder: FileId = FileId::ROOT,
        /// Sets how many entries a page has at most: 1 to [`LARGEST_PAGE`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Sets what entries are ordered by; their id unless told.
        query "orderBy": order_by: OrderBy = OrderBy::Id,
        /// Sets the direction; [`Direction::Descending`] unless told.
        query "orderDirection": direction: Direction = Direction::Descending,
        /// Sets the number of the page, from 1.
        query "Page": page: u32 = 1,
    }

    fn validate(&self) -> Result<()> {
        if self.words.trim().is_empty() {
            return Err(Error::invalid("there is nothing to look for"));
        }
        self.folder.check_folder()?;
        check_page(self.page, self.page_size)
    }
}

operation! {
    /// Lists one page of the recycle bin, what was trashed last first.
    ///
    /// What is in it still counts as used space.
    ///
    /// Protocol: `web.yaml`, `file.list_trash`.
    pub struct ListTrash -> ListPage = get("web/file.list_trash", PATH);
    {}
    fixed {
        query "driveId": 0,
        query "parentFileId": 0,
        query "trashed": true,
        query "SearchData": "",
        query "OnlyLookAbnormalFile": 0,
        query "event": "recycleListFile",
        query "inDirectSpace": false,
        query "next": "0",
    }
    defaults {
        /// Sets how many entries a page is asked for: 1 to [`LARGEST_PAGE`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Sets what entries are ordered by; the time they were trashed unless told.
        query "orderBy": order_by: OrderBy = OrderBy::TrashedAt,
        /// Sets the direction; [`Direction::Descending`] unless told.
        query "orderDirection": direction: Direction = Direction::Descending,
        /// Sets the number of the page, from 1.
        query "Page": page: u32 = 1,
    }

    fn validate(&self) -> Result<()> {
        check_page(self.page, self.page_size)
    }
}

/// Writes how an operation whose pages have numbers goes from one to the next.
macro_rules! numbered_pages {
    ($($operation:ty),+ $(,)?) => {$(
        impl pan123_core::Paged for $operation {
            type Item = $crate::Entry;

            fn items(&self, page: $crate::ops::files::ListPage) -> Vec<$crate::Entry> {
                page.entries
            }

            fn advance(&mut self, page: &$crate::ops::files::ListPage) -> bool {
                self.page = self.page.saturating_add(1);
                // Where nothing is said of an end, an empty page is one.
                page.next != pan123_core::NextPage::End && !page.entries.is_empty()
            }

            fn known_by(entry: &$crate::Entry) -> Option<pan123_core::FileId> {
                Some(entry.id)
            }
        }
    )+};
}
pub(super) use numbered_pages;

numbered_pages!(List, Search, ListTrash);

/// Refuses what is no page.
pub(super) fn check_page(page: u32, page_size: u32) -> Result<()> {
    if page == 0 {
        return Err(Error::invalid("pages are counted from 1"));
    }
    if !(1..=LARGEST_PAGE).contains(&page_size) {
        return Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} entries, not {page_size}")));
    }
    Ok(())
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "wire::AnyCase<Page>")]
#[non_exhaustive]
pub struct ListPage {
    /// The entries; there may be more than were asked for.
    pub entries: Vec<Entry>,
    /// Where the next page begins. It is [asked for by its number](List) all the same.
    pub next: NextPage,
    /// How many entries there are in all, where the service says it. It changes with the folder.
    pub total: Option<u64>,
}

#[derive(Deserialize)]
#[serde(expecting = "a page of entries")]
struct Page {
    #[serde(default, rename = "infolist", deserialize_with = "wire::or_default")]
    entries: Vec<Entry>,
    #[serde(default)]
    next: NextPage,
    #[serde(default, deserialize_with = "wire::optional_integer")]
    total: Option<u64>,
}

impl From<wire::AnyCase<Page>> for ListPage {
    fn from(wire::AnyCase(page): wire::AnyCase<Page>) -> Self {
        Self { entries: page.entries, next: page.next, total: page.total }
    }
}

/// What the entries of a list are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum OrderBy {
    /// The id: in the order in which they were made.
    #[serde(rename = "file_id")]
    Id,
    /// The name.
    #[serde(rename = "file_name")]
    Name,
    /// The size.
    #[serde(rename = "size")]
    Size,
    /// When they were made.
    #[serde(rename = "create_at")]
    CreatedAt,
    /// When they were last changed.
    #[serde(rename = "update_at")]
    UpdatedAt,
    /// The service's `update_time`; what tells it from [`UpdatedAt`](Self::UpdatedAt) is not documented.
    #[serde(rename = "update_time")]
    UpdateTime,
    /// The service's `share_id`, of which nothing is documented.
    #[serde(rename = "share_id")]
    ShareId,
    /// When they were moved to the recycle bin.
    #[serde(rename = "trashed_at")]
    TrashedAt,
    /// How long the recycle bin will keep them.
    #[serde(rename = "remain_days")]
    DaysLeft,
}

/// Whether the least comes first, or the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Direction {
    /// The least comes first.
    #[serde(rename = "asc")]
    Ascending,
    /// The most comes first.
    #[serde(rename = "desc")]
    Descending,
}

open_enum! {
    /// A kind of content that a [`List`] is kept to. The numbers differ from those of [`ListByType`](super::lists::ListByType).
    pub enum Category {
        /// Pictures.
        Picture = 1,
        /// Videos.
        Video = 2,
        /// Sound.
        Audio = 3,
        /// Documents.
        Document = 4,
        /// Folders.
        Folder = 5,
        /// Archives.
        Archive = 6,
        /// Everything else.
        Other = 7,
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Paged;

    use super::*;

    fn page(next: &str, count: usize) -> ListPage {
        let row = r#"{"FileId":1,"FileName":"a","Type":1}"#;
        let rows = vec![row; count].join(",");
        serde_json::from_str(&format!(r#"{{"InfoList":[{rows}]{next}}}"#)).unwrap()
    }

    #[test]
    fn only_the_end_mark_or_an_empty_page_ends_a_list() {
        for (next, count, goes_on) in [
            (r#","Next":"-1""#, 100, false),
            (r#","Next":-1"#, 1, false),
            (r#","Next":"50100001""#, 1, true),
            (r#","Next":"50100001""#, 0, false),
            (r#","Next":"0""#, 1, true),
            (r#","Next":null"#, 1, true),
            ("", 1, true),
            ("", 0, false),
        ] {
            let mut list = List::new(FileId::ROOT);
            assert_eq!(list.advance(&page(next, count)), goes_on, "{next} {count}");
            assert_eq!(list.page, 2);
        }
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before_a_request() {
        assert!(List::new(FileId::new(-1)).validate().is_err());
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(List::new(FileId::ROOT).page_size(size).validate().is_ok(), fits, "{size}");
            assert_eq!(ListTrash::new().page_size(size).validate().is_ok(), fits, "{size}");
            assert_eq!(Search::new("a").page_size(size).validate().is_ok(), fits, "{size}");
        }
        assert!(List::new(FileId::ROOT).page(0).validate().is_err());
        assert!(Search::new(" ").validate().is_err());
    }
}
