//! Other ways to list: by kind of content across the drive, and the older list.

use pan123_core::{FileId, NextPage, Paged, Result, open_enum, operation};

use super::{
    files::{Direction, LARGEST_PAGE, ListPage, OrderBy, check_page, numbered_pages},
    get,
};
use crate::Entry;

operation! {
    /// Lists one page of a folder by the older call, which pages by a cursor.
    ///
    /// The order is by id, rising, and [`ListPage::total`] is always 0. Prefer [`List`](super::files::List).
    ///
    /// Protocol: `web.yaml`, `file.list_old`.
    pub struct ListOld -> ListPage = get("web/file.list_old", "/api/file/list");
    {
        /// The folder.
        query "parentFileId": folder: FileId,
    }
    fixed {
        query "driveId": 0,
        query "orderBy": "file_id",
        query "orderDirection": "asc",
        query "inDirectSpace": false,
        query "OnlyLookAbnormalFile": 0,
    }
    defaults {
        /// Sets how many entries a page has at most: 1 to [`LARGEST_PAGE`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Sets the cursor: the [`next`](ListPage::next) of the page before; 0 on the first.
        query "next": after: String = String::from("0"),
        /// Says whether the recycle bin is listed; false by default.
        query "trashed": trashed: bool = false,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_folder()?;
        check_page(1, self.page_size)
    }
}

impl Paged for ListOld {
    type Item = Entry;

    fn items(&self, page: ListPage) -> Vec<Entry> {
        page.entries
    }

    fn advance(&mut self, page: &ListPage) -> bool {
        // Where the cursor is missing the same page would come again: a walk takes that for a circle, not for the end.
        if let NextPage::Cursor(cursor) = &page.next {
            self.after.clone_from(cursor);
        }
        page.next != NextPage::End && !page.entries.is_empty()
    }

    fn known_by(entry: &Entry) -> Option<FileId> {
        Some(entry.id)
    }
}

operation! {
    /// Lists one page of all files of one kind of content, wherever they are in the drive.
    ///
    /// How many there are is not told.
    ///
    /// Protocol: `web.yaml`, `file.list_by_type`.
    pub struct ListByType -> ListPage =
        get("web/file.list_by_type", "/api/restful/goapi/v1/file/category/list-by-type");
    {
        /// The kind.
        query "category": media: MediaType,
    }
    fixed {
        query "driveId": 0,
        query "next": "0",
        query "parentFileId": 0,
        query "trashed": false,
        query "inDirectSpace": false,
        query "event": "homeListFile",
        query "OnlyLookAbnormalFile": 0,
    }
    defaults {
        /// Sets how many entries a page has at most: 1 to [`LARGEST_PAGE`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Sets what entries are ordered by: name, size, or a time; when they were made unless told.
        query "orderBy": order_by: OrderBy = OrderBy::CreatedAt,
        /// Sets the direction; [`Direction::Descending`] unless told.
        query "orderDirection": direction: Direction = Direction::Descending,
        /// Sets the number of the page, from 1.
        query "Page": page: u32 = 1,
    }
    optional {
        /// Groups by day, month or year.
        query "dateGranularity": grouped_by: Period,
        /// Keeps to files whose name has this in it.
        query "SearchData": keyword: String,
    }

    fn validate(&self) -> Result<()> {
        check_page(self.page, self.page_size)
    }
}

numbered_pages!(ListByType);

open_enum! {
    /// A kind of content, by the numbers of [`ListByType`]. Those of [`Category`](super::files::Category) differ.
    pub enum MediaType {
        /// Videos.
        Video = 1,
        /// Pictures.
        Picture = 2,
        /// Documents.
        Document = 3,
        /// Sound.
        Audio = 4,
        /// Everything else.
        Other = 5,
    }
}

open_enum! {
    /// What a [`ListByType`] is grouped by.
    pub enum Period {
        /// The day.
        Day = 1,
        /// The month.
        Month = 2,
        /// The year.
        Year = 3,
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    fn page(next: &str) -> ListPage {
        serde_json::from_str(&format!(r#"{{"infolist":[{{"fileid":1,"filename":"a","type":1}}],"next":{next}}}"#))
            .unwrap()
    }

    #[test]
    fn the_older_list_follows_its_cursor() {
        let mut list = ListOld::new(FileId::ROOT);
        assert!(list.advance(&page(r#""50100001""#)));
        assert_eq!(list.after, "50100001");
        assert!(!list.advance(&page(r#""-1""#)));
        assert!(list.advance(&page("null")) && list.after == "50100001", "to the pipeline this is a circle");
    }

    #[test]
    fn pages_have_at_most_a_hundred_entries() {
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ListOld::new(FileId::ROOT).page_size(size).validate().is_ok(), fits, "{size}");
            assert_eq!(ListByType::new(MediaType::Video).page_size(size).validate().is_ok(), fits, "{size}");
        }
    }
}
