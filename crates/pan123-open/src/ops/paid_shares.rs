//! Paid shares: links whose content visitors buy.

use pan123_core::{
    Error, Meta, Paged, Result, Timestamp, open_enum, operation,
    shares::{check_change, check_traffic},
    wire,
};
use serde::Deserialize;

use super::{
    MOST_IDS, check_count, check_ids,
    shares::{
        CreatedShare, JoinedIds, LARGEST_PAGE, Share, ShareId, SharePage, TrafficLimitSwitch, TrafficSwitch,
        check_name, check_page_size,
    },
};
use crate::Yuan;

/// The highest price of a share, in yuan.
///
/// The service's page and newer clients say 1000, one older client says 99. Protocol: `open-services.yaml`,
/// `share.create_paid`.
pub const HIGHEST_PRICE: u32 = 1000;

operation! {
    /// Makes a share of up to [`MOST_IDS`] files and folders that visitors must buy before they can fetch.
    ///
    /// It has no password and does not expire. Price, name and description cannot be changed later. Its address is made
    /// as that of a free share; [`Client::share_paid`](crate::Client::share_paid) does both.
    /// It is not sent again after a lost answer: list the paid shares to see whether it was made.
    ///
    /// Protocol: `open-services.yaml`, `share.create_paid`.
    pub struct CreatePaidShare -> CreatedShare =
        Meta::post("open/share.create_paid", "/api/v1/share/content-payment/create");
    {
        /// The name that visitors see; as that of a free share.
        json "shareName": name: String,
        /// What is sold; 1 to [`MOST_IDS`] ids, none of them the root.
        json "fileIDList": files: JoinedIds,
        /// The price in whole yuan, 1 to [`HIGHEST_PRICE`].
        json "payAmount": price: u32,
    }
    optional {
        /// Says whether visitors may tip; they may not unless told.
        json "isReward": tips: Tips,
        /// Describes what is sold.
        json "resourceDesc": description: String,
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
        if !(1..=HIGHEST_PRICE).contains(&self.price) {
            return Err(Error::invalid(format!("a share costs 1 to {HIGHEST_PRICE} yuan, not {}", self.price)));
        }
        if let Some(Tips::Unknown(code)) = self.tips {
            return Err(Error::invalid(format!("tips are switched to 0 (no) or 1 (yes), not to {code}")));
        }
        check_traffic(self.traffic, self.traffic_limit_switch, self.traffic_limit)
    }
}

impl CreatePaidShare {
    /// Lets visitors use up to `bytes` bytes of the sharer's traffic.
    #[must_use]
    pub fn cap_traffic(self, bytes: u64) -> Self {
        self.traffic_limit_switch(TrafficLimitSwitch::On).traffic_limit(bytes)
    }
}

open_enum! {
    /// Whether visitors of a paid share may tip; a number on the wire, and no truth value.
    pub enum Tips {
        /// They may not.
        No = 0,
        /// They may.
        Yes = 1,
    }
}

operation! {
    /// Lists the account's paid shares, page by page, with what they have earned.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) shares.
    ///
    /// Protocol: `open-services.yaml`, `share.list_paid`.
    pub struct ListPaidShares -> SharePage<PaidShare> = Meta::get("open/share.list_paid", "/api/v1/share/payment/list");
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

impl Paged for ListPaidShares {
    type Item = PaidShare;

    fn items(&self, page: SharePage<PaidShare>) -> Vec<PaidShare> {
        page.shares
    }

    fn advance(&mut self, page: &SharePage<PaidShare>) -> bool {
        self.after = page.next;
        page.goes_on()
    }
}

/// A share that visitors buy, as [`ListPaidShares`] gives it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a paid share")]
#[non_exhaustive]
pub struct PaidShare {
    /// What it has in common with free shares. A paid one has no password.
    #[serde(flatten)]
    pub share: Share,
    /// The price. It is made of whole yuan, and yet the service lists some with a fraction.
    #[serde(rename = "payAmount")]
    pub price: Yuan,
    /// What it has earned so far.
    #[serde(default, rename = "amount", deserialize_with = "wire::or_default")]
    pub income: Yuan,
    /// How often it was bought; `None` where the service does not tell.
    #[serde(default, rename = "orderCnt", deserialize_with = "wire::optional_integer")]
    pub orders: Option<u64>,
    /// The service's number for the state of a review, of which nothing is documented; `None` where it does not tell.
    #[serde(default, rename = "auditStatus", deserialize_with = "wire::optional_integer")]
    pub audit_status: Option<i64>,
    /// When it was made, where the service tells.
    #[serde(default, rename = "createAt", deserialize_with = "wire::time")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed, where the service tells.
    #[serde(default, rename = "updateAt", deserialize_with = "wire::time")]
    pub updated_at: Option<Timestamp>,
}

operation! {
    /// Changes the traffic settings of up to [`MOST_IDS`] paid shares. What is not told stays as it is.
    ///
    /// Protocol: `open-services.yaml`, `share.update_paid`.
    pub struct UpdatePaidShares -> () = Meta::put("open/share.update_paid", "/api/v1/share/list/payment/info");
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

impl UpdatePaidShares {
    /// Lets visitors use up to `bytes` bytes of the sharer's traffic.
    #[must_use]
    pub fn cap_traffic(self, bytes: u64) -> Self {
        self.traffic_limit_switch(TrafficLimitSwitch::On).traffic_limit(bytes)
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::{FileId, Operation};

    use super::*;

    fn create() -> CreatePaidShare {
        CreatePaidShare::new("a", [FileId::new(1)], 10)
    }

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before_a_request() {
        for (price, fits) in [(0, false), (1, true), (1000, true), (1001, false)] {
            assert_eq!(ok(CreatePaidShare::new("a", [FileId::new(1)], price)), fits, "{price}");
        }
        for (count, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(CreatePaidShare::new("a", vec![FileId::new(1); count], 1)), fits, "{count}");
            assert_eq!(ok(UpdatePaidShares::new(vec![ShareId::new(1); count]).cap_traffic(1)), fits, "{count}");
        }
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(ListPaidShares::new().page_size(size)), fits, "{size}");
        }
        for (tips, fits) in [(0, true), (1, true), (2, false)] {
            assert_eq!(ok(create().tips(Tips::from_code(tips))), fits, "{tips}");
        }
        assert!(!ok(CreatePaidShare::new("长".repeat(35), [FileId::new(1)], 1)));
        assert!(!ok(create().traffic_limit(1)) && ok(create().cap_traffic(1)));
        assert!(!ok(UpdatePaidShares::new([ShareId::new(1)])), "nothing is to be changed");
        let error = CreatePaidShare::new("a", [FileId::new(1)], 1001).validate().unwrap_err();
        assert_eq!(error.to_string(), "a share costs 1 to 1000 yuan, not 1001");
        assert!(!create().is_repeatable());
    }
}
