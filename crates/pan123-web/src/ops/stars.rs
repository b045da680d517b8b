//! Stars: which entries have one, and who gets one.

use pan123_core::{Effect, Error, FileId, Result, batch::check_ids, open_enum, operation};

use super::{
    MOST_IDS,
    files::{Category, Direction, LARGEST_PAGE, ListPage, OrderBy, check_page, numbered_pages},
    get, post,
};

operation! {
    /// Gives up to [`MOST_IDS`] files and folders a star, or takes theirs away.
    ///
    /// Protocol: `web.yaml`, `file.star`.
    pub struct Star -> () = post("web/file.star", "/api/restful/goapi/v1/file/starred").effect(Effect::Same);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIdList": ids: Vec<FileId>,
        /// Whether they shall have one.
        json "starredStatus": to: Starred,
    }

    fn validate(&self) -> Result<()> {
        if let Starred::Unknown(code) = self.to {
            return Err(Error::invalid(format!("no star can be set to {code}")));
        }
        check_ids(&self.ids, MOST_IDS)
    }
}

open_enum! {
    /// What becomes of a star.
    pub enum Starred {
        /// It is given.
        Yes = 255,
        /// It is taken away.
        No = 1,
    }
}

operation! {
    /// Lists one page of the entries that have a star.
    ///
    /// Protocol: `web.yaml`, `file.star_list`.
    pub struct ListStarred -> ListPage = get("web/file.star_list", "/api/restful/goapi/v1/file/starred/list");
    {}
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
        query "pageSize": page_size: u32 = LARGEST_PAGE,
        /// Sets what entries are ordered by; their id unless told.
        query "orderBy": order_by: OrderBy = OrderBy::Id,
        /// Sets the direction; [`Direction::Descending`] unless told.
        query "orderDirection": direction: Direction = Direction::Descending,
        /// Sets the number of the page, from 1.
        query "Page": page: u32 = 1,
    }
    optional {
        /// Keeps to one kind of content.
        query "fileCategory": category: Category,
    }

    fn validate(&self) -> Result<()> {
        check_page(self.page, self.page_size)
    }
}

numbered_pages!(ListStarred);

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn only_yes_and_no_are_sent() {
        for (code, ok) in [(255, true), (1, true), (0, false), (2, false)] {
            assert_eq!(Star::new([FileId::new(1)], Starred::from_code(code)).validate().is_ok(), ok, "{code}");
        }
        assert!(Star::new(vec![], Starred::Yes).validate().is_err());
        assert!(ListStarred::new().page_size(101).validate().is_err());
    }
}
