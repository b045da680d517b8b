//! Shares: links by which others fetch files of the drive, for nothing.

pub use pan123_core::shares::{JoinedIds, ShareId, ShareKey, TrafficLimitSwitch, TrafficSwitch};

use pan123_core::{
    Error, Meta, Paged, Result, Secret, Timestamp, name, open_enum, operation,
    shares::{check_change, check_traffic, password},
    wire,
};
use serde::{Deserialize, Deserializer};

use super::{MOST_IDS, check_count, check_ids};

/// The longest name of a share, in characters: the service wants fewer than 35.
///
/// Its page says so of paid shares, one client of both kinds. Protocol: `open-services.yaml`, `share.create`.
pub const LONGEST_SHARE_NAME: usize = 34;

operation! {
    /// Makes a share of up to [`MOST_IDS`] files and folders, which anyone who has its address can fetch from.
    ///
    /// Only the traffic settings can be changed later, and no call ends a share: an [`expiry`](Self::expiry) does. The
    /// answer has no address; [`ShareKey::page`] makes it, and [`Client::share`](crate::Client::share) does both.
    /// It is not sent again after a lost answer: list the shares to see whether it was made.
    ///
    /// Protocol: `open-services.yaml`, `share.create`.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_core::{FileId, Operation};
    /// use pan123_open::ops::shares::{CreateShare, ShareExpiry};
    ///
    /// let share = CreateShare::new("holiday photos", [FileId::new(15_000_001)])
    ///     .password("7kQp")
    ///     .expiry(ShareExpiry::Never);
    /// assert!(share.validate().is_ok());
    /// ```
    pub struct CreateShare -> CreatedShare = Meta::post("open/share.create", "/api/v1/share/create");
    {
        /// The name that visitors see: 1 to [`LONGEST_SHARE_NAME`] characters, otherwise as [`name::check`].
        json "shareName": name: String,
        /// What is shared; 1 to [`MOST_IDS`] ids, none of them the root.
        json "fileIDList": files: JoinedIds,
    }
    defaults {
        /// Says how long it lasts; [`ShareExpiry::SevenDays`] unless told otherwise.
        json "shareExpire": expiry: ShareExpiry = ShareExpiry::SevenDays,
    }
    optional {
        /// Asks visitors for a password; without one the share is public. Use 4 letters or digits, which every source
        /// allows; their case may be ignored. The service's own limits are not documented.
        json_secret "sharePwd": password: Secret,
        /// Says who may fetch at the cost of the sharer's traffic; the service decides unless told.
        json "trafficSwitch": traffic: TrafficSwitch,
        /// Switches the cap on that traffic; see [`cap_traffic`](Self::cap_traffic), which sets it together with the cap.
        json "trafficLimitSwitch": traffic_limit_switch: TrafficLimitSwitch,
        /// Sets the cap in bytes, for [`TrafficLimitSwitch::On`] only.
        json "trafficLimit": traffic_limit: u64,
    }

    fn validate(&self) -> Result<()> {
        check_name(&self.name)?;
        check_ids(self.files.ids(), MOST_IDS)?;
        if let ShareExpiry::Unknown(days) = self.expiry {
            return Err(Error::invalid(format!("a share lasts 1, 7 or 30 days or for ever (0), not {days}")));
        }
        if self.password.as_ref().is_some_and(|password| password.expose().trim().is_empty()) {
            return Err(Error::invalid("the share password is empty; leave it out for a public share"));
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
}

/// A share that was made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a new share")]
#[non_exhaustive]
pub struct CreatedShare {
    /// Its id, for changing it.
    #[serde(rename = "shareID", alias = "shareId")]
    pub id: ShareId,
    /// Its key, of which its address is made.
    #[serde(rename = "shareKey")]
    pub key: ShareKey,
}

operation! {
    /// Lists the account's free shares, page by page, with what they cost and how often they were used.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) shares.
    ///
    /// Protocol: `open-services.yaml`, `share.list`.
    pub struct ListShares -> SharePage<Share> = Meta::get("open/share.list", "/api/v1/share/list");
    {}
    defaults {
        /// Sets how many shares a page has at most: 1 to [`MOST_IDS`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
    }
    optional {
        /// Begins behind this page: its [`SharePage::next`].
        query "lastShareId": after: ShareId,
    }

    fn validate(&self) -> Result<()> {
        check_page_size(self.page_size)
    }
}

impl Paged for ListShares {
    type Item = Share;

    fn items(&self, page: SharePage<Share>) -> Vec<Share> {
        page.shares
    }

    fn advance(&mut self, page: &SharePage<Share>) -> bool {
        self.after = page.next;
        page.goes_on()
    }
}

/// One page of shares.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(bound = "T: Deserialize<'de>", expecting = "a page of shares")]
#[non_exhaustive]
pub struct SharePage<T> {
    /// The shares.
    #[serde(default = "Vec::new", rename = "shareList", deserialize_with = "wire::or_default")]
    pub shares: Vec<T>,
    /// Where the next page begins; `None` on the last (-1 on the wire).
    #[serde(rename = "lastShareId", deserialize_with = "cursor")]
    pub next: Option<ShareId>,
}

impl<T> SharePage<T> {
    /// A page without any share cannot be followed by one that has some, whatever the cursor says.
    pub(super) fn goes_on(&self) -> bool {
        self.next.is_some() && !self.shares.is_empty()
    }
}

/// A share, as [`ListShares`] gives it.
///
/// Id, key and name are read strictly; a count that is missing or no number is 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a share")]
#[non_exhaustive]
pub struct Share {
    /// Its id.
    #[serde(rename = "shareId", alias = "shareID")]
    pub id: ShareId,
    /// Its key, of which its address is made.
    #[serde(rename = "shareKey")]
    pub key: ShareKey,
    /// The name that visitors see.
    #[serde(rename = "shareName")]
    pub name: String,
    /// When it ends. One that lasts for ever most likely has a time far ahead, such as the end of 2099.
    #[serde(default, rename = "expiration", deserialize_with = "wire::time")]
    pub expires_at: Option<Timestamp>,
    /// Whether it has ended.
    #[serde(default, rename = "expired", deserialize_with = "wire::truth")]
    pub is_expired: bool,
    /// What visitors must give; `None` where it is public, and for paid shares.
    #[serde(default, rename = "sharePwd", deserialize_with = "password")]
    pub password: Option<Secret>,
    /// Who may fetch at the cost of the sharer's traffic; `None` where the service does not tell.
    #[serde(default, rename = "trafficSwitch")]
    pub traffic: Option<TrafficSwitch>,
    /// Whether that traffic is capped; `None` where the service does not tell.
    #[serde(default, rename = "trafficLimitSwitch")]
    pub traffic_limit_switch: Option<TrafficLimitSwitch>,
    /// The cap in bytes, of meaning only with [`TrafficLimitSwitch::On`].
    #[serde(default, rename = "trafficLimit", deserialize_with = "wire::integer_or_zero")]
    pub traffic_limit: u64,
    /// The sharer's traffic that was used so far, in bytes.
    #[serde(default, rename = "bytesCharge", deserialize_with = "wire::integer_or_zero")]
    pub bytes_charged: u64,
    /// How often it was looked at.
    #[serde(default, rename = "previewCount", deserialize_with = "wire::integer_or_zero")]
    pub previews: u64,
    /// How often it was downloaded.
    #[serde(default, rename = "downloadCount", deserialize_with = "wire::integer_or_zero")]
    pub downloads: u64,
    /// How often it was saved into another account.
    #[serde(default, rename = "saveCount", deserialize_with = "wire::integer_or_zero")]
    pub saves: u64,
}

operation! {
    /// Changes the traffic settings of up to [`MOST_IDS`] free shares. What is not told stays as it is.
    ///
    /// Name, expiry and password of a share cannot be changed.
    ///
    /// Protocol: `open-services.yaml`, `share.update`.
    pub struct UpdateShares -> () = Meta::put("open/share.update", "/api/v1/share/list/info");
    {
        /// The shares; 1 to [`MOST_IDS`].
        json "shareIdList": shares: Vec<ShareId>,
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
        check_count(self.shares.len(), MOST_IDS)?;
        check_change(self.traffic, self.traffic_limit_switch, self.traffic_limit)
    }
}

impl UpdateShares {
    /// Lets visitors use up to `bytes` bytes of the sharer's traffic.
    #[must_use]
    pub fn cap_traffic(self, bytes: u64) -> Self {
        self.traffic_limit_switch(TrafficLimitSwitch::On).traffic_limit(bytes)
    }
}

open_enum! {
    /// How long a share lasts.
    pub enum ShareExpiry {
        /// For ever.
        Never = 0,
        /// For a day.
        OneDay = 1,
        /// For 7 days.
        SevenDays = 7,
        /// For 30 days.
        ThirtyDays = 30,
    }
}

/// Checks the name of a share.
pub(super) fn check_name(name: &str) -> Result<()> {
    let length = name.chars().count();
    if length > LONGEST_SHARE_NAME {
        return Err(Error::invalid(format!(
            "the name of a share may have at most {LONGEST_SHARE_NAME} characters, this one has {length}"
        )));
    }
    name::check(name)
}

pub(super) fn check_page_size(size: u32) -> Result<()> {
    if (1..=LARGEST_PAGE).contains(&size) {
        return Ok(());
    }
    Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} shares, not {size}")))
}

fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ShareId>, D::Error> {
    ShareId::deserialize(deserializer).map(|id| (id.get() != -1).then_some(id))
}

#[expect(clippy::cast_possible_truncation, reason = "it is 100")]
pub(super) const LARGEST_PAGE: u32 = MOST_IDS as u32;

#[cfg(test)]
mod tests {
    use pan123_core::{FileId, Operation};

    use super::*;

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    fn create() -> CreateShare {
        CreateShare::new("a", [FileId::new(1)])
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before_a_request() {
        for (name, fits) in [
            ("a", true),
            (&*"长".repeat(34), true),
            (&*"长".repeat(35), false),
            ("", false),
            ("a/b", false),
            ("a?", false),
        ] {
            assert_eq!(ok(CreateShare::new(name, [FileId::new(1)])), fits, "{name}");
        }
        for (count, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(CreateShare::new("a", vec![FileId::new(1); count])), fits, "{count}");
            assert_eq!(ok(UpdateShares::new(vec![ShareId::new(1); count]).cap_traffic(1)), fits, "{count}");
        }
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(ListShares::new().page_size(size)), fits, "{size}");
        }
        for (days, fits) in [(0, true), (1, true), (7, true), (30, true), (2, false), (-1, false), (365, false)] {
            assert_eq!(ok(create().expiry(ShareExpiry::from_code(days))), fits, "{days}");
        }
        assert!(!ok(CreateShare::new("a", [FileId::ROOT])) && !ok(create().password(" ")));
        assert!(!ok(UpdateShares::new([ShareId::new(1)])), "nothing is to be changed");
        let error = CreateShare::new("长".repeat(35), [FileId::new(1)]).validate().unwrap_err();
        assert_eq!(error.to_string(), "the name of a share may have at most 34 characters, this one has 35");
    }

    #[test]
    fn a_cap_goes_with_its_switch() {
        for code in [0, 5] {
            assert!(!ok(create().traffic(TrafficSwitch::from_code(code))), "{code}");
        }
        for code in 1..=4 {
            assert!(ok(create().traffic(TrafficSwitch::from_code(code))), "{code}");
        }
        assert!(ok(create().cap_traffic(1)) && !ok(create().cap_traffic(u64::MAX)));
        assert!(ok(create().traffic_limit_switch(TrafficLimitSwitch::Off)));
        assert!(!ok(create().traffic_limit_switch(TrafficLimitSwitch::On)));
        assert!(!ok(create().traffic_limit_switch(TrafficLimitSwitch::from_code(0))));
        assert!(!ok(create().traffic_limit(1)));
        assert!(!ok(create().cap_traffic(1).traffic_limit_switch(TrafficLimitSwitch::Off)));
    }

    #[test]
    fn making_a_share_is_not_repeated_and_its_password_not_shown() {
        assert!(!create().is_repeatable());
        assert!(UpdateShares::new([ShareId::new(1)]).is_repeatable());
        assert!(!format!("{:?}", create().password("planted")).contains("planted"));
    }

    #[test]
    fn minus_one_or_an_empty_page_is_the_end() {
        let share = r#"{"shareId":7,"shareKey":"a","shareName":"a"}"#;
        for (cursor, shares, more) in [(7, share, true), (-1, share, false), (7, "", false)] {
            let page = format!(r#"{{"lastShareId":{cursor},"shareList":[{shares}]}}"#);
            let page: SharePage<Share> = serde_json::from_str(&page).unwrap();
            assert_eq!(ListShares::new().advance(&page), more, "{page:?}");
        }
    }
}
