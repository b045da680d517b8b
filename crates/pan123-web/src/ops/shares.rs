//! Shares of one's own: links by which others fetch files of the drive, for nothing or for money.

pub use pan123_core::shares::{JoinedIds, ShareId, ShareKey, TrafficLimitSwitch, TrafficSwitch};

use pan123_core::{
    Effect, Error, FileId, Meta, NextPage, Operation, Paged, RawJson, Result, Secret, Timestamp, name, operation,
    shares::{check_change, check_password, check_traffic, password},
    wire,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::{get, post, put, share_income};

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[
    CreateShare::META,
    ListShares::META,
    CancelShares::META,
    UpdateShare::META,
    ClearExpiredShares::META,
    ShareTraffic::META,
    SetShareTraffic::META,
    ListPaidShares::META,
    share_income::SetCommission::META,
    share_income::SetReward::META,
];

operation! {
    /// Makes a share of files and folders, which anyone who has its address can fetch from.
    ///
    /// The answer has no address; [`ShareKey::older_page`] makes it, of a paid share [`ShareKey::older_paid_page`], and
    /// [`Client::share`](crate::Client::share) does both. It is not sent again after a lost answer: list the shares to see
    /// whether it was made.
    ///
    /// Protocol: `web.yaml`, `share.create`.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_web::{FileId, ops::shares::{CreateShare, ShareExpiry}};
    ///
    /// let share = CreateShare::new("report", [FileId::new(50_100_001)]).password("ab12").expiry(ShareExpiry::Never);
    /// ```
    pub struct CreateShare -> CreatedShare = post("web/share.create", "/api/share/create");
    {
        /// The name that visitors see.
        json "shareName": name: String,
        /// What is shared: at least one entry, not the root.
        json "fileIdList": files: JoinedIds,
    }
    fixed {
        json "driveId": 0,
        json "event": "shareCreate",
    }
    defaults {
        /// Asks visitors for a password of up to 4 letters and digits, whose case does not matter; empty, the default, for
        /// none.
        json_secret "sharePwd": password: Secret = Secret::from(""),
        /// Says how long it lasts; for ever unless told.
        json "expiration": expiry: ShareExpiry = ShareExpiry::Never,
    }
    optional {
        /// Says who may fetch at the cost of the sharer's traffic; the service decides unless told.
        json "trafficSwitch": traffic: TrafficSwitch,
        /// Switches the cap on that traffic; see [`cap_traffic`](Self::cap_traffic), which sets it together with the cap.
        json "trafficLimitSwitch": traffic_limit_switch: TrafficLimitSwitch,
        /// Sets the cap in bytes, for [`TrafficLimitSwitch::On`] only.
        json "trafficLimit": traffic_limit: u64,
        /// Has the page's own button put the password into the link that it copies.
        json "fillPwdSwitch": password_in_link: Switch,
        /// Shows the entries as tiles (1) or as a list (2).
        json "displayStatus": display: u32,
        /// Says that visitors pay; see [`price`](Self::price), which sets it together with the amount.
        json "isPayShare": is_paid: bool,
        /// Sets what visitors pay, in fen (hundredths of a yuan).
        json "payAmount": price_in_fen: u32,
        /// Lets visitors give a tip.
        json "isReward": reward: Switch,
        /// Describes what is shared, for visitors of a paid share.
        json "resourceDesc": description: String,
    }

    fn validate(&self) -> Result<()> {
        name::check(&self.name)?;
        if self.files.ids().is_empty() {
            return Err(Error::invalid("at least one entry must be given"));
        }
        self.files.ids().iter().try_for_each(|id| id.check_entry())?;
        check_password(&self.password)?;
        if self.is_paid == Some(true) && self.price_in_fen.unwrap_or_default() == 0 {
            return Err(Error::invalid("a paid share needs a price"));
        }
        check_traffic(self.traffic, self.traffic_limit_switch, self.traffic_limit)
    }
}

impl CreateShare {
    /// Lets visitors use up to `bytes` bytes of the sharer's traffic.
    #[must_use]
    pub fn cap_traffic(self, bytes: u64) -> Self {
        self.traffic_limit_switch(TrafficLimitSwitch::On).traffic_limit(bytes)
    }

    /// Has visitors pay, in fen (hundredths of a yuan).
    #[must_use]
    pub fn price(self, fen: u32) -> Self {
        self.is_paid(true).price_in_fen(fen)
    }

    /// Returns what makes the address of the share, once its key is known.
    pub(crate) fn page_of(&self) -> fn(&ShareKey) -> Url {
        if self.is_paid == Some(true) { ShareKey::older_paid_page } else { ShareKey::older_page }
    }
}

/// Something that is sent as 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch(bool);

impl From<bool> for Switch {
    fn from(on: bool) -> Self {
        Self(on)
    }
}

impl Serialize for Switch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(self.0))
    }
}

/// How long a share lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareExpiry {
    /// For ever, which the service writes as the last second of the year 9999.
    Never,
    /// Up to an instant.
    At(Timestamp),
}

impl From<Timestamp> for ShareExpiry {
    fn from(end: Timestamp) -> Self {
        Self::At(end)
    }
}

impl Serialize for ShareExpiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str("9999-12-31T23:59:59+08:00"),
            Self::At(end) => serializer.serialize_str(&end.at_utc_plus_8()),
        }
    }
}

/// A share that was made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "wire::AnyCase<Created>")]
#[non_exhaustive]
pub struct CreatedShare {
    /// Its key, of which its address is made.
    pub key: ShareKey,
    /// Its id, where the service tells it; [`ListShares`] does.
    pub id: Option<ShareId>,
}

#[derive(Deserialize)]
#[serde(expecting = "a new share")]
struct Created {
    #[serde(rename = "sharekey")]
    key: ShareKey,
    #[serde(default, rename = "shareid")]
    id: Option<ShareId>,
}

impl From<wire::AnyCase<Created>> for CreatedShare {
    fn from(wire::AnyCase(created): wire::AnyCase<Created>) -> Self {
        Self { key: created.key, id: created.id }
    }
}

macro_rules! share_list {
    ($(#[$doc:meta])* $name:ident, $id:literal, $path:literal) => {
        operation! {
            $(#[$doc])*
            ///
            /// Cost: one request for every [`page_size`](Self::page_size) shares.
            pub struct $name -> SharePage = get($id, $path);
            {}
            fixed {
                query "driveId": 0,
                query "orderBy": "fileId",
                query "orderDirection": "desc",
                query "event": "shareListFile",
            }
            defaults {
                /// Sets how many shares a page has at most: 1 to 100, the default.
                query "limit": page_size: u32 = LARGEST_PAGE,
                /// Begins behind this page: its [`SharePage::next`].
                query "next": after: String = String::from("0"),
            }
            optional {
                /// Keeps to shares whose name has this in it.
                query "SearchData": keyword: String,
            }

            fn validate(&self) -> Result<()> {
                if (1..=LARGEST_PAGE).contains(&self.page_size) {
                    return Ok(());
                }
                Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} shares, not {}", self.page_size)))
            }
        }

        impl Paged for $name {
            type Item = Share;

            fn items(&self, page: SharePage) -> Vec<Share> {
                page.shares
            }

            fn advance(&mut self, page: &SharePage) -> bool {
                let is_full = page.shares.len() >= usize::try_from(self.page_size).unwrap_or(usize::MAX);
                // A page without any share cannot be followed by one that has some, whatever the cursor says.
                match &page.next {
                    NextPage::Cursor(cursor) => self.after.clone_from(cursor),
                    // The same page would come again: a walk takes that for a circle, not for the end.
                    NextPage::Unsaid if is_full => {}
                    NextPage::Unsaid | NextPage::End => return false,
                }
                !page.shares.is_empty()
            }
        }
    };
}

const LARGEST_PAGE: u32 = 100;

share_list! {
    /// Lists the account's free shares, page by page, those that have ended among them.
    ///
    /// Protocol: `web.yaml`, `share.list`.
    ListShares, "web/share.list", "/api/share/list"
}

share_list! {
    /// Lists the account's paid shares, page by page, those that have ended among them.
    ///
    /// Protocol: `web.yaml`, `share.payment_list`.
    ListPaidShares, "web/share.payment_list", "/api/restful/goapi/v1/share/content/payment/list"
}

/// One page of shares.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "wire::AnyCase<RawPage>")]
#[non_exhaustive]
pub struct SharePage {
    /// The shares.
    pub shares: Vec<Share>,
    /// Where the next page begins.
    pub next: NextPage,
    /// How many shares there are in all, where the service says it.
    pub total: Option<u64>,
}

#[derive(Deserialize)]
#[serde(expecting = "a page of shares")]
struct RawPage {
    #[serde(default, rename = "infolist", deserialize_with = "wire::or_default")]
    shares: Vec<Row>,
    #[serde(default)]
    next: NextPage,
    #[serde(default, deserialize_with = "wire::optional_integer")]
    total: Option<u64>,
}

impl From<wire::AnyCase<RawPage>> for SharePage {
    fn from(wire::AnyCase(page): wire::AnyCase<RawPage>) -> Self {
        Self { shares: page.shares.into_iter().map(Share::from).collect(), next: page.next, total: page.total }
    }
}

/// A share of one's own, as [`ListShares`] gives it.
///
/// Id, key and name are read strictly; a count that is missing is 0, an address that cannot be read is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// Its id, for changing it.
    pub id: ShareId,
    /// Its key, of which its address is made.
    pub key: ShareKey,
    /// The name that visitors see.
    pub name: String,
    /// What visitors must give; `None` where there is no password.
    pub password: Option<Secret>,
    /// What is shared.
    pub files: Vec<FileId>,
    /// When it ends. One that lasts for ever has the last second of a year far ahead.
    pub expires_at: Option<Timestamp>,
    /// Whether it has ended. Go by this and not by [`status`](Self::status).
    pub is_expired: bool,
    /// The service's number of its state; the sources disagree on what it means.
    pub status: i64,
    /// The addresses that the service tells, some of which may be mirrors of others; without a query, which could hold the
    /// password.
    pub addresses: Vec<Url>,
    /// How often it was looked at.
    pub previews: u64,
    /// How often it was downloaded.
    pub downloads: u64,
    /// How often it was saved into another account.
    pub saves: u64,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(expecting = "a share")]
struct Row {
    #[serde(rename = "shareid")]
    id: ShareId,
    #[serde(rename = "sharekey")]
    key: ShareKey,
    #[serde(rename = "sharename")]
    name: String,
    #[serde(default, rename = "sharepwd", deserialize_with = "password")]
    password: Option<Secret>,
    #[serde(default, rename = "fileidlist", deserialize_with = "joined")]
    files: Vec<FileId>,
    #[serde(default, rename = "expiration", deserialize_with = "wire::time")]
    expires_at: Option<Timestamp>,
    #[serde(default, rename = "expired", deserialize_with = "wire::truth")]
    is_expired: bool,
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    status: i64,
    #[serde(default, rename = "shareurl")]
    address: Option<String>,
    #[serde(default, rename = "sharelinklist")]
    addresses: Option<Addresses>,
    #[serde(default, rename = "previewcount", deserialize_with = "wire::integer_or_zero")]
    previews: u64,
    #[serde(default, rename = "downloadcount", deserialize_with = "wire::integer_or_zero")]
    downloads: u64,
    #[serde(default, rename = "savecount", deserialize_with = "wire::integer_or_zero")]
    saves: u64,
    #[serde(default, rename = "createat", deserialize_with = "wire::time")]
    created_at: Option<Timestamp>,
    #[serde(default, rename = "updateat", deserialize_with = "wire::time")]
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Addresses {
    #[serde(default, deserialize_with = "wire::or_default")]
    list: Vec<String>,
}

impl From<Row> for Share {
    fn from(row: Row) -> Self {
        let more = row.addresses.map(|addresses| addresses.list).unwrap_or_default();
        let mut addresses: Vec<Url> = Vec::new();
        for mut address in row.address.into_iter().chain(more).filter_map(|text| Url::parse(&text).ok()) {
            address.set_query(None);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Self {
            id: row.id,
            key: row.key,
            name: row.name,
            password: row.password,
            files: row.files,
            expires_at: row.expires_at,
            is_expired: row.is_expired,
            status: row.status,
            addresses,
            previews: row.previews,
            downloads: row.downloads,
            saves: row.saves,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Reads ids that are joined with commas, or a list of them.
fn joined<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FileId>, D::Error> {
    let ids = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => text.split(',').filter_map(|id| id.trim().parse().ok()).collect(),
        serde_json::Value::Array(ids) => {
            ids.into_iter().filter_map(|id| serde_json::from_value(id).ok()).collect::<Vec<FileId>>()
        }
        _ => Vec::new(),
    };
    Ok(ids)
}

operation! {
    /// Ends shares for good. What they shared stays.
    ///
    /// Protocol: `web.yaml`, `share.cancel`.
    pub struct CancelShares -> () = post("web/share.cancel", "/api/share/delete").effect(Effect::Same);
    {
        /// The shares; at least one.
        json "shareInfoList": shares: ShareIds,
    }
    fixed {
        json "driveId": 0,
        json "event": "shareCancel",
    }
    defaults {
        /// Says that they are paid shares.
        json "isPayShare": are_paid: bool = false,
    }

    fn validate(&self) -> Result<()> {
        check_some(&self.shares.0)
    }
}

/// Ids of shares, as [`CancelShares`] sends them. It is made from a list or an array of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareIds(Vec<ShareId>);

impl From<Vec<ShareId>> for ShareIds {
    fn from(ids: Vec<ShareId>) -> Self {
        Self(ids)
    }
}

impl<const COUNT: usize> From<[ShareId; COUNT]> for ShareIds {
    fn from(ids: [ShareId; COUNT]) -> Self {
        Self(ids.into())
    }
}

impl Serialize for ShareIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named {
            #[serde(rename = "shareId")]
            id: ShareId,
        }
        serializer.collect_seq(self.0.iter().map(|id| Named { id: *id }))
    }
}

pub(super) fn check_some(ids: &[ShareId]) -> Result<()> {
    if ids.is_empty() { Err(Error::invalid("at least one share must be given")) } else { Ok(()) }
}

operation! {
    /// Changes name, end or traffic settings of one share. What is not told stays as it is.
    ///
    /// Protocol: `web.yaml`, `share.update`.
    pub struct UpdateShare -> () = put("web/share.update", "/api/restful/goapi/v1/share/update");
    {
        /// The share.
        json "shareId": share: ShareId,
    }
    optional {
        /// Sets the name that visitors see.
        json "shareName": name: String,
        /// Sets how long it lasts.
        json "expiration": expiry: ShareExpiry,
        /// Says who may fetch at the cost of the sharer's traffic.
        json "trafficSwitch": traffic: TrafficSwitch,
        /// Switches the cap on that traffic; see [`cap_traffic`](Self::cap_traffic), which sets it together with the cap.
        json "trafficLimitSwitch": traffic_limit_switch: TrafficLimitSwitch,
        /// Sets the cap in bytes, for [`TrafficLimitSwitch::On`] only.
        json "trafficLimit": traffic_limit: u64,
    }

    fn validate(&self) -> Result<()> {
        if let Some(name) = &self.name {
            name::check(name)?;
        }
        if self.name.is_none() && self.expiry.is_none() {
            return check_change(self.traffic, self.traffic_limit_switch, self.traffic_limit);
        }
        check_traffic(self.traffic, self.traffic_limit_switch, self.traffic_limit)
    }
}

impl UpdateShare {
    /// Lets visitors use up to `bytes` bytes of the sharer's traffic.
    #[must_use]
    pub fn cap_traffic(self, bytes: u64) -> Self {
        self.traffic_limit_switch(TrafficLimitSwitch::On).traffic_limit(bytes)
    }
}

operation! {
    /// Takes all shares that have ended off the list.
    ///
    /// Protocol: `web.yaml`, `share.clear_expired`.
    pub struct ClearExpiredShares -> () = get("web/share.clear_expired", "/api/share/clean_expire").effect(Effect::Same);
    {}
    fixed {
        query "event": "shareClear",
    }
}

operation! {
    /// Reads the traffic pack of the account's shares, whose members no source names.
    ///
    /// Protocol: `web.yaml`, `share.traffic_info`.
    pub struct ShareTraffic -> RawJson = get("web/share.traffic_info", "/api/share/traffic-info");
    {}
}

operation! {
    /// Changes the traffic settings of one share. What is not told stays as it is.
    ///
    /// Protocol: `web.yaml`, `share.traffic_set`.
    pub struct SetShareTraffic -> () = put("web/share.traffic_set", "/api/restful/goapi/v1/share/info");
    {
        /// The share.
        json "shareId": share: ShareId,
    }
    optional {
        /// Says who may fetch at the cost of the sharer's traffic.
        json "trafficSwitch": traffic: TrafficSwitch,
        /// Switches the cap on that traffic; see [`cap_traffic`](Self::cap_traffic), which sets it together with the cap.
        json "trafficLimitSwitch": traffic_limit_switch: TrafficLimitSwitch,
        /// Sets the cap in bytes, for [`TrafficLimitSwitch::On`] only.
        json "trafficLimit": traffic_limit: u64,
    }

    fn validate(&self) -> Result<()> {
        check_change(self.traffic, self.traffic_limit_switch, self.traffic_limit)
    }
}

impl SetShareTraffic {
    /// Lets visitors use up to `bytes` bytes of the sharer's traffic.
    #[must_use]
    pub fn cap_traffic(self, bytes: u64) -> Self {
        self.traffic_limit_switch(TrafficLimitSwitch::On).traffic_limit(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cursor_or_a_full_page_may_be_followed_by_another() {
        let row = r#"{"shareid":1,"sharekey":"HQeA-xxxxx","sharename":"a"}"#;
        for (next, count, goes_on, after) in [
            (r#""9000001""#, 1, true, "9000001"),
            ("9000001", 1, true, "9000001"),
            (r#""9000001""#, 0, false, "9000001"),
            (r#""-1""#, 2, false, "0"),
            ("-1", 2, false, "0"),
            (r#""0""#, 1, false, "0"),
            ("0", 1, false, "0"),
            ("null", 1, false, "0"),
            (r#""0""#, 2, true, "0"),
        ] {
            let page = format!(r#"{{"InfoList":[{}],"Next":{next}}}"#, vec![row; count].join(","));
            let mut list = ListShares::new().page_size(2);
            assert_eq!(list.advance(&serde_json::from_str(&page).unwrap()), goes_on, "{next} {count}");
            assert_eq!(list.after, after, "{next} {count}");
        }
    }
}
