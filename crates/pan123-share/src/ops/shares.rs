//! What a share is and holds: its description, its folders page by page; and the caller's own traffic pack.

use pan123_core::{
    AccountId, Error, FileId, NextPage, Paged, RawJson, Reply, Result, Secret, operation, shares::check_password, wire,
};
use serde::{Deserialize, Deserializer};

use super::{get, no_password, refine_password};
use crate::{Entry, ShareKey};

operation! {
    /// Describes a share, without what it holds.
    ///
    /// It needs no password and checks none: whether a password is right shows when the share is listed.
    ///
    /// Protocol: `share.yaml`, `share.info`.
    ///
    /// # Errors
    ///
    /// [`ShareGone`](pan123_core::ErrorKind::ShareGone) and [`ShareExpired`](pan123_core::ErrorKind::ShareExpired).
    /// [`Blocked`](pan123_core::ErrorKind::Blocked) is about the caller's address and says nothing of the share.
    pub struct Info => ShareInfo = get("share/share.info", "/api/share/info").anonymous();
    {
        /// The share.
        query "shareKey": key: ShareKey,
    }

    fn decode(&self, reply: Reply) -> Result<ShareInfo> {
        reply.data_in_any_case()
    }
}

/// What the service says of a share.
///
/// More is in the answer than is read here; only these members are confirmed by more than one source.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "the description of a share")]
#[non_exhaustive]
pub struct ShareInfo {
    /// The name that the owner gave it.
    #[serde(default, rename = "sharename", deserialize_with = "wire::or_default")]
    pub name: String,
    /// Whether it has a password.
    #[serde(rename = "haspwd", deserialize_with = "wire::truth")]
    pub has_password: bool,
    /// Whether its time has passed.
    #[serde(default, rename = "expired", deserialize_with = "wire::truth")]
    pub is_expired: bool,
    /// The account that made it.
    #[serde(default, rename = "userid", deserialize_with = "owner")]
    pub owner: Option<AccountId>,
}

/// Nothing is lost by an owner that cannot be read.
fn owner<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccountId>, D::Error> {
    let id: u64 = wire::integer_or_zero(deserializer)?;
    Ok((id > 0).then(|| AccountId::new(id)))
}

operation! {
    /// Lists one page of one folder of a share.
    ///
    /// The service has been seen to page in two ways: by number, and by a cursor. Both are sent. Pages may repeat
    /// entries, and the last page may be followed by the first: [`Client::list`](crate::Client::list) sorts that out, a walk
    /// over this operation alone does not.
    ///
    /// A folder that belongs to the caller's own drive has been seen to be listed too: what is listed need not be part of
    /// the share.
    ///
    /// Protocol: `share.yaml`, `share.list`.
    ///
    /// # Errors
    ///
    /// [`SharePasswordRequired`](pan123_core::ErrorKind::SharePasswordRequired),
    /// [`WrongSharePassword`](pan123_core::ErrorKind::WrongSharePassword),
    /// [`ShareGone`](pan123_core::ErrorKind::ShareGone), [`ShareExpired`](pan123_core::ErrorKind::ShareExpired),
    /// [`ContentRejected`](pan123_core::ErrorKind::ContentRejected).
    pub struct List => ListPage = get("share/share.list", "/api/share/get").anonymous();
    {
        /// The share.
        query "shareKey": key: ShareKey,
        /// The folder; [`FileId::ROOT`] for all of the share.
        query "parentFileId": folder: FileId,
    }
    defaults {
        /// Sets the password of the share.
        query_secret "SharePwd": password: Secret = no_password(),
        /// Sets the number of the page, from 1.
        query "Page": page: u32 = 1,
        /// Sets how many entries a page has at most: 1 to 100, the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Sets the cursor: the [`next`](ListPage::next) of the page before; 0 on the first.
        query "next": after: String = String::from("0"),
        /// Sets what entries are ordered by; their id unless told, the one order that is not known to lose entries.
        query "orderBy": order_by: String = String::from("file_id"),
        /// Sets the direction, `desc` (the default) or `asc`.
        query "orderDirection": direction: String = String::from("desc"),
        /// Says what the list is for, as the service's page does.
        query "event": event: String = String::from("homeListFile"),
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_folder()?;
        check_password(&self.password)?;
        if !(1..=LARGEST_PAGE).contains(&self.page_size) {
            return Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} entries, not {}", self.page_size)));
        }
        Ok(())
    }

    fn decode(&self, reply: Reply) -> Result<ListPage> {
        reply.data_in_any_case()
    }

    fn refine(&self, error: Error) -> Error {
        refine_password(error, &self.password)
    }
}

/// The most entries of a page.
const LARGEST_PAGE: u32 = 100;

impl Paged for List {
    type Item = Entry;

    fn items(&self, page: ListPage) -> Vec<Entry> {
        page.entries
    }

    fn advance(&mut self, page: &ListPage) -> bool {
        // Where the cursor says nothing, the first page and full ones may be followed by another.
        let is_full = page.entries.len() >= usize::try_from(self.page_size).unwrap_or(usize::MAX);
        let goes_on = match &page.next {
            NextPage::End => false,
            NextPage::Unsaid => self.page == 1 || is_full,
            NextPage::Cursor(_) => true,
        };
        self.after = match &page.next {
            NextPage::Cursor(cursor) => cursor.clone(),
            NextPage::End | NextPage::Unsaid => "0".to_owned(),
        };
        self.page = self.page.saturating_add(1);
        goes_on && !page.entries.is_empty()
    }
}

/// One page of a [`List`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a page of a share")]
#[non_exhaustive]
pub struct ListPage {
    /// The entries.
    #[serde(default, rename = "infolist", deserialize_with = "wire::or_default")]
    pub entries: Vec<Entry>,
    /// Where the next page begins.
    #[serde(default)]
    pub next: NextPage,
    /// Whether the time of the share has passed.
    #[serde(default, rename = "expired", deserialize_with = "wire::truth")]
    pub is_expired: bool,
    /// How many entries the folder has, where the service says it.
    #[serde(default, deserialize_with = "wire::optional_integer")]
    pub total: Option<u64>,
}

operation! {
    /// Reads the traffic pack of the caller's own shares. It says nothing of somebody else's share.
    ///
    /// Protocol: `share.yaml`, `share.traffic`.
    pub struct Traffic -> RawJson = get("share/share.traffic", "/api/share/traffic-info");
    {}
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    fn key() -> ShareKey {
        "5LF8Vv-a1Bc".parse().unwrap()
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before_a_request() {
        let list = || List::new(key(), FileId::ROOT);
        assert!(list().validate().is_ok() && list().password("aB12").validate().is_ok());
        assert!(List::new(key(), FileId::new(-1)).validate().is_err());
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(list().page_size(size).validate().is_ok(), fits, "{size}");
        }
        for password in ["12345", "a b", "密码"] {
            assert!(list().password(password).validate().is_err(), "{password}");
        }
    }

    /// A page with `count` entries and this member `Next`.
    fn page(next: &str, count: usize) -> ListPage {
        let row = r#"{"fileid":1,"filename":"a","type":1}"#;
        let rows = vec![row; count].join(",");
        serde_json::from_str(&format!(r#"{{"infolist":[{rows}]{next}}}"#)).unwrap()
    }

    #[test]
    fn a_page_is_followed_by_another_where_it_may_be() {
        for (next, count, on_first, later) in [
            (r#","next":"-1""#, 2, false, false),
            (r#","next":-1"#, 2, false, false),
            (r#","next":"7""#, 1, true, true),
            (r#","next":7"#, 1, true, true),
            (r#","next":"7""#, 0, false, false),
            (r#","next":"0""#, 1, true, false),
            (r#","next":"""#, 1, true, false),
            (r#","next":null"#, 1, true, false),
            ("", 1, true, false),
            // Two are a full page here, and the cursor has been seen to say nothing until the end.
            (r#","next":"0""#, 2, true, true),
        ] {
            let mut list = List::new(key(), FileId::ROOT).page_size(2);
            assert_eq!(list.advance(&page(next, count)), on_first, "{next} {count}");
            assert_eq!(list.page, 2);
            assert_eq!(list.advance(&page(next, count)), later, "{next} {count}");
        }
        let mut list = List::new(key(), FileId::ROOT);
        assert!(list.advance(&page(r#","next":"900000000000000001""#, 1)));
        assert_eq!((list.page, list.after.as_str()), (2, "900000000000000001"));
    }
}
