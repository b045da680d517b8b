//! The older listing, by page numbers: the one with an order, and the one that shows the recycle bin.

use pan123_core::{Error, FileId, Meta, Paged, Reply, Result, operation, wire};
use serde::{Deserialize, Serialize};

use super::MOST_IDS;
use crate::Entry;

operation! {
    /// Lists one folder page by page in an order of the caller's choice, or the recycle bin.
    ///
    /// The service prefers [`List`](super::files::List), and allows free accounts one of these every 5 seconds. It is the
    /// only way to list the recycle bin. Pages are counted and not held together by a cursor: what is made or removed while
    /// they are read can shift an entry to the next page or past it: a walk gives none twice, and may miss one.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) entries.
    ///
    /// Protocol: `open-files.yaml`, `file.list_v1`.
    pub struct ListV1 => ListV1Page = Meta::get("open/file.list_v1", "/api/v1/file/list");
    {
        /// The folder; the root for all of the recycle bin.
        query "parentFileId": folder: FileId,
    }
    defaults {
        /// Sets which page to read, counted from 1, the default.
        query "page": page: u32 = 1,
        /// Sets how many entries a page has at most: 1 to [`MOST_IDS`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Says what to sort by; by id unless told.
        query "orderBy": order_by: OrderBy = OrderBy::Id,
        /// Says in which direction to sort; upwards unless told.
        query "orderDirection": direction: Direction = Direction::Ascending,
    }
    optional {
        /// Shows the recycle bin and not the folder.
        query "trashed": trashed: bool,
        /// Looks for a keyword in names. How it is compared is not documented.
        query "searchData": keyword: String,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_folder()?;
        if self.page == 0 {
            return Err(Error::invalid("pages are counted from 1"));
        }
        if (1..=LARGEST_PAGE).contains(&self.page_size) {
            return Ok(());
        }
        Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} entries, not {}", self.page_size)))
    }

    fn decode(&self, reply: Reply) -> Result<ListV1Page> {
        let mut page: ListV1Page = reply.data()?;
        // The rows do not say it: what was asked for decides which ones came.
        for entry in &mut page.entries {
            entry.trashed = self.trashed == Some(true);
        }
        Ok(page)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is 100")]
const LARGEST_PAGE: u32 = MOST_IDS as u32;

impl Paged for ListV1 {
    type Item = Entry;

    fn items(&self, page: ListV1Page) -> Vec<Entry> {
        page.entries
    }

    fn advance(&mut self, page: &ListV1Page) -> bool {
        let read = u64::from(self.page) * u64::from(self.page_size);
        let is_full = page.entries.len() as u64 >= u64::from(self.page_size);
        let Some(next) = self.page.checked_add(1).filter(|_| is_full && page.total.is_none_or(|total| total > read))
        else {
            return false;
        };
        self.page = next;
        true
    }

    fn known_by(entry: &Entry) -> Option<FileId> {
        Some(entry.id)
    }
}

/// One page of a [`ListV1`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ListV1Page {
    /// The entries; [`Entry::trashed`] says what was asked for.
    #[serde(default, rename = "fileList", deserialize_with = "wire::or_default")]
    pub entries: Vec<Entry>,
    /// How many entries all pages have together; only the official example shows it.
    #[serde(default, deserialize_with = "wire::optional_integer")]
    pub total: Option<u64>,
}

/// What a [`ListV1`] is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum OrderBy {
    /// By id, which is the order in which entries were made.
    #[serde(rename = "file_id")]
    Id,
    /// By size.
    #[serde(rename = "size")]
    Size,
    /// By name.
    #[serde(rename = "file_name")]
    Name,
    /// By the time at which it was made. Only one public client names it.
    #[serde(rename = "create_at")]
    CreatedAt,
    /// By the time of the last change. Only one public client names it.
    #[serde(rename = "update_at")]
    UpdatedAt,
}

/// In which direction a [`ListV1`] is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Direction {
    /// The smallest first.
    #[serde(rename = "asc")]
    Ascending,
    /// The largest first.
    #[serde(rename = "desc")]
    Descending,
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn pages_are_counted_from_1_and_have_1_to_100_entries() {
        let list = || ListV1::new(FileId::ROOT);
        for (list, ok) in [
            (list(), true),
            (list().page(0), false),
            (list().page_size(0), false),
            (list().page_size(1), true),
            (list().page_size(101), false),
            (ListV1::new(FileId::new(-1)), false),
        ] {
            assert_eq!(list.validate().is_ok(), ok, "{list:?}");
        }
        assert_eq!(list().page_size(101).validate().unwrap_err().to_string(), "a page has 1 to 100 entries, not 101");
    }

    #[test]
    fn the_last_page_is_short_or_reaches_the_total() {
        let row = r#"{"fileID":1,"filename":"a","parentFileId":0,"type":1}"#;
        let page = |rows: usize, total: &str| {
            let rows = vec![row; rows].join(",");
            serde_json::from_str::<ListV1Page>(&format!(r#"{{"fileList":[{rows}],"total":{total}}}"#)).expect("a page")
        };
        for (number, page, more) in [
            (1, page(2, "3"), true),
            (1, page(2, "2"), false),
            (2, page(2, "5"), true),
            (2, page(2, "4"), false),
            (1, page(1, "5"), false),
            (1, page(0, "5"), false),
            (1, page(2, "null"), true),
            (u32::MAX, page(2, "null"), false),
        ] {
            let mut list = ListV1::new(FileId::ROOT).page_size(2).page(number);
            assert_eq!(list.advance(&page), more, "{number} {page:?}");
        }
    }
}
