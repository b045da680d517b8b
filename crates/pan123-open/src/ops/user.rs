//! The account: who it is, what it has left, what it may do.

use pan123_core::{AccountId, Meta, Timestamp, open_enum, operation, wire};
use serde::Deserialize;

operation! {
    /// Reads the account's profile, its space and its rights.
    ///
    /// Protocol: `open-files.yaml`, `user.info`.
    pub struct UserInfo -> Account = Meta::get("open/user.info", "/api/v1/user/info");
    {}
}

/// An account, as [`UserInfo`] gives it.
///
/// Only the id is read strictly; a number that is missing or no number is 0. Phone number and mail address are
/// personal data, and `Debug` does not show them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// The account id, which signs direct links.
    #[serde(rename = "uid")]
    pub id: AccountId,
    /// The name the account shows.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub nickname: String,
    /// The address of its picture; may be empty.
    #[serde(default, rename = "headImage", deserialize_with = "wire::or_default")]
    pub avatar: String,
    /// The phone number (`passport` on the wire); may be empty.
    #[serde(default, rename = "passport", deserialize_with = "wire::or_default")]
    pub phone: String,
    /// The mail address; may be empty.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub mail: String,
    /// The space that is taken, in bytes.
    #[serde(default, rename = "spaceUsed", deserialize_with = "wire::integer_or_zero")]
    pub space_used: u64,
    /// The space that the account has for good, in bytes.
    #[serde(default, rename = "spacePermanent", deserialize_with = "wire::integer_or_zero")]
    pub space_permanent: u64,
    /// The space that it has beside that until [`space_temporary_ends_at`](Self::space_temporary_ends_at), in bytes.
    #[serde(default, rename = "spaceTemp", deserialize_with = "wire::integer_or_zero")]
    pub space_temporary: u64,
    /// When the temporary space ends; `None` when there is none.
    #[serde(default, rename = "spaceTempExpr", deserialize_with = "wire::time")]
    pub space_temporary_ends_at: Option<Timestamp>,
    /// Whether it is a member now; [`memberships`](Self::memberships) also has those of other times.
    #[serde(default, rename = "vip", deserialize_with = "wire::truth")]
    pub is_member: bool,
    /// The traffic that is left for direct links, in bytes.
    #[serde(default, rename = "directTraffic", deserialize_with = "wire::integer_or_zero")]
    pub direct_link_traffic: u64,
    /// Whether direct links leave the account id out of their address.
    #[serde(default, rename = "isHideUID", deserialize_with = "wire::truth")]
    pub hides_id: bool,
    /// The service's `httpsCount`, of which nothing is documented.
    #[serde(default, rename = "httpsCount", deserialize_with = "wire::integer_or_zero")]
    pub https_count: u64,
    /// Memberships, past and future ones too; their times may overlap.
    #[serde(default, rename = "vipInfo", deserialize_with = "wire::or_default")]
    pub memberships: Vec<Membership>,
    /// The developer benefit, without which direct links and some calls are refused.
    #[serde(default, rename = "developerInfo")]
    pub developer: Option<DeveloperBenefit>,
}

impl Account {
    /// Returns all the space there is, permanent and temporary, in bytes.
    pub fn space_total(&self) -> u64 {
        self.space_permanent.saturating_add(self.space_temporary)
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |text: &str| if text.is_empty() { "" } else { "[personal]" };
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("nickname", &self.nickname)
            .field("avatar", &self.avatar)
            .field("phone", &hidden(&self.phone))
            .field("mail", &hidden(&self.mail))
            .field("space_used", &self.space_used)
            .field("space_permanent", &self.space_permanent)
            .field("space_temporary", &self.space_temporary)
            .field("space_temporary_ends_at", &self.space_temporary_ends_at)
            .field("is_member", &self.is_member)
            .field("direct_link_traffic", &self.direct_link_traffic)
            .field("hides_id", &self.hides_id)
            .field("https_count", &self.https_count)
            .field("memberships", &self.memberships)
            .field("developer", &self.developer)
            .finish()
    }
}

/// One membership of an [`Account`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Membership {
    /// What kind.
    #[serde(rename = "vipLevel")]
    pub level: MemberLevel,
    /// What the service calls it.
    #[serde(default, rename = "vipLabel", deserialize_with = "wire::or_default")]
    pub label: String,
    /// When it begins.
    #[serde(default, rename = "startTime", deserialize_with = "wire::time")]
    pub starts_at: Option<Timestamp>,
    /// When it ends; the end of the year 9999 stands for never.
    #[serde(default, rename = "endTime", deserialize_with = "wire::time")]
    pub ends_at: Option<Timestamp>,
}

open_enum! {
    /// The kinds of membership.
    pub enum MemberLevel {
        /// VIP.
        Vip = 1,
        /// SVIP.
        Svip = 2,
        /// VIP for a long term.
        LongTerm = 3,
    }
}

/// The time for which an [`Account`] has the developer benefit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DeveloperBenefit {
    /// When it begins.
    #[serde(default, rename = "startTime", deserialize_with = "wire::time")]
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    #[serde(default, rename = "endTime", deserialize_with = "wire::time")]
    pub ends_at: Option<Timestamp>,
}
