//! The account: what it has, its devices, its history.

use pan123_core::{
    AccountId, Effect, Error, FileId, Meta, Operation, RawJson, Reply, Result, Timestamp, operation, wire,
};
use serde::{Deserialize, Deserializer};

use super::{get, post};

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] =
    &[UserInfo::META, ReportInfo::META, DeviceList::META, UseHistory::META, ModifyInfo::META, ReferralInfo::META];

operation! {
    /// Reads the account's profile, its space and its rights. It is the best way to see whether a login is good.
    ///
    /// Protocol: `web.yaml`, `user.info`.
    pub struct UserInfo => Account = get("web/user.info", "/api/user/info");
    {}

    fn decode(&self, reply: Reply) -> Result<Account> {
        reply.data_in_any_case()
    }
}

/// An account, as [`UserInfo`] gives it.
///
/// Only the id is read strictly; a number that is missing or no number is 0. Phone number and mail address are personal
/// data, and `Debug` does not show them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// The account id.
    #[serde(rename = "uid", deserialize_with = "account_id")]
    pub id: AccountId,
    /// The name the account shows.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub nickname: String,
    /// The address of its picture; may be empty.
    #[serde(default, rename = "headimage", deserialize_with = "wire::or_default")]
    pub avatar: String,
    /// The phone number; may be empty.
    #[serde(default, rename = "passport", deserialize_with = "phone")]
    pub phone: String,
    /// The mail address; may be empty.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub mail: String,
    /// The space that is taken, in bytes.
    #[serde(default, rename = "spaceused", deserialize_with = "wire::integer_or_zero")]
    pub space_used: u64,
    /// The space that the account has for good, in bytes.
    #[serde(default, rename = "spacepermanent", deserialize_with = "wire::integer_or_zero")]
    pub space_permanent: u64,
    /// The space that it has beside that until [`space_temporary_ends_at`](Self::space_temporary_ends_at), in bytes.
    #[serde(default, rename = "spacetemp", deserialize_with = "wire::integer_or_zero")]
    pub space_temporary: u64,
    /// When the temporary space ends; `None` when there is none.
    #[serde(default, rename = "spacetempexpr", deserialize_with = "wire::time")]
    pub space_temporary_ends_at: Option<Timestamp>,
    /// How many files there are.
    #[serde(default, rename = "filecount", deserialize_with = "wire::integer_or_zero")]
    pub file_count: u64,
    /// Whether it is a member now; [`memberships`](Self::memberships) says of what kind and for how long.
    #[serde(default, rename = "vip", deserialize_with = "wire::truth")]
    pub is_member: bool,
    /// The number of the kind of membership; 0 for none.
    #[serde(default, rename = "viplevel", deserialize_with = "wire::integer_or_zero")]
    pub member_level: i64,
    /// When the membership ends.
    #[serde(default, rename = "vipexpire", deserialize_with = "wire::time")]
    pub member_until: Option<Timestamp>,
    /// What the service says about the membership; may be empty.
    #[serde(default, rename = "vipexplain", deserialize_with = "wire::or_default")]
    pub member_note: String,
    /// The traffic that is left for direct links, in bytes.
    #[serde(default, rename = "directtraffic", deserialize_with = "wire::integer_or_zero")]
    pub direct_link_traffic: u64,
    /// The traffic that is left for those who download from the account's shares, in bytes.
    #[serde(default, rename = "sharetraffic", deserialize_with = "wire::integer_or_zero")]
    pub share_traffic: u64,
    /// Whether the account may have direct links.
    #[serde(default, rename = "straightlink", deserialize_with = "wire::truth")]
    pub has_direct_links: bool,
    /// The service's `OpenLink`, of which nothing is documented.
    #[serde(default, rename = "openlink", deserialize_with = "wire::integer_or_zero")]
    pub open_link: i64,
    /// The folder of the safe box, if there is one.
    #[serde(default, rename = "safeboxfileid", deserialize_with = "folder")]
    pub safe_box: Option<FileId>,
    /// The folder of backups, if there is one.
    #[serde(default, rename = "backupfileinfo", deserialize_with = "wire::or_default")]
    pub backup: Backup,
    /// Whether the service has checked the person's real name.
    #[serde(default, rename = "isauthentication", deserialize_with = "wire::truth")]
    pub is_authenticated: bool,
    /// Whether the account is kept from sharing.
    #[serde(default, rename = "isblockshare", deserialize_with = "wire::truth")]
    pub is_kept_from_sharing: bool,
    /// Whether WeChat is bound to the account.
    #[serde(default, rename = "bindwechat", deserialize_with = "wire::truth")]
    pub has_wechat: bool,
    /// Memberships that have not ended, those to come among them.
    #[serde(default, rename = "uservipdetailinfos", deserialize_with = "wire::or_default")]
    pub memberships: Vec<Membership>,
    /// Memberships that have ended, where the service tells them.
    #[serde(default, rename = "uservipdetail", deserialize_with = "past_memberships")]
    pub past_memberships: Vec<Membership>,
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
            .field("file_count", &self.file_count)
            .field("is_member", &self.is_member)
            .field("member_level", &self.member_level)
            .field("member_until", &self.member_until)
            .field("member_note", &self.member_note)
            .field("direct_link_traffic", &self.direct_link_traffic)
            .field("share_traffic", &self.share_traffic)
            .field("has_direct_links", &self.has_direct_links)
            .field("open_link", &self.open_link)
            .field("safe_box", &self.safe_box)
            .field("backup", &self.backup)
            .field("is_authenticated", &self.is_authenticated)
            .field("is_kept_from_sharing", &self.is_kept_from_sharing)
            .field("has_wechat", &self.has_wechat)
            .field("memberships", &self.memberships)
            .field("past_memberships", &self.past_memberships)
            .finish()
    }
}

/// Where the apps put backups of an [`Account`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Backup {
    /// The folder, if there is one.
    #[serde(rename = "backupfileid", deserialize_with = "folder")]
    pub folder: Option<FileId>,
    /// What the phone's part of it is called; may be empty.
    #[serde(rename = "mobileterminalbackupfilename", deserialize_with = "wire::or_default")]
    pub mobile_name: String,
    /// What the computer's part of it is called; may be empty.
    #[serde(rename = "desktopterminalbackupfilename", deserialize_with = "wire::or_default")]
    pub desktop_name: String,
}

/// One membership of an [`Account`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Membership {
    /// The number of its kind.
    #[serde(deserialize_with = "wire::integer_or_zero")]
    pub level: i64,
    /// What the service calls it.
    #[serde(rename = "vipdesc", deserialize_with = "wire::or_default")]
    pub label: String,
    /// What the service says about its time.
    #[serde(rename = "timedesc", deserialize_with = "wire::or_default")]
    pub time_note: String,
    /// When it begins.
    #[serde(rename = "starttime", deserialize_with = "wire::time")]
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    #[serde(rename = "endtime", deserialize_with = "wire::time")]
    pub ends_at: Option<Timestamp>,
    /// Whether it is the one in use.
    #[serde(rename = "isuse", deserialize_with = "wire::truth")]
    pub is_in_use: bool,
}

/// Reads the memberships that have ended, of what is told of all; nothing is lost by what cannot be read.
fn past_memberships<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Membership>, D::Error> {
    let mut all = serde_json::Value::deserialize(deserializer)?;
    let past = all.get_mut("uservipexpireddetailinfos").map(serde_json::Value::take).unwrap_or_default();
    Ok(serde_json::from_value(past).unwrap_or_default())
}

/// Reads the id of an account, of which 0 is none.
fn account_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccountId, D::Error> {
    let id = AccountId::deserialize(deserializer)?;
    if id.get() == 0 { Err(serde::de::Error::custom("the account has no id")) } else { Ok(id) }
}

/// Reads the id of a folder, of which 0 is none.
fn folder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FileId>, D::Error> {
    let id: i64 = wire::integer_or_zero(deserializer)?;
    Ok(Some(FileId::new(id)).filter(|id| id.check_entry().is_ok()))
}

/// Reads a phone number, which is a number there and 0 when there is none.
fn phone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    wire::loose_text(deserializer).map(|text| if text == "0" { String::new() } else { text })
}

operation! {
    /// Reads the numbers of the account's kinds of membership.
    ///
    /// Protocol: `web.yaml`, `user.report_info`.
    pub struct ReportInfo => Tiers = get("web/user.report_info", "/api/restful/goapi/v1/user/report/info");
    {}

    fn decode(&self, reply: Reply) -> Result<Tiers> {
        reply.data_in_any_case()
    }
}

/// The numbers of an account's kinds of membership, as [`ReportInfo`] gives them; what they mean is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, expecting = "the kinds of membership")]
#[non_exhaustive]
pub struct Tiers {
    /// `vipType`
    #[serde(rename = "viptype", deserialize_with = "wire::integer_or_zero")]
    pub member: i64,
    /// `vipSub`
    #[serde(rename = "vipsub", deserialize_with = "wire::integer_or_zero")]
    pub member_sub: i64,
    /// `packType`
    #[serde(rename = "packtype", deserialize_with = "wire::integer_or_zero")]
    pub pack: i64,
    /// `developSub`
    #[serde(rename = "developsub", deserialize_with = "wire::integer_or_zero")]
    pub developer: i64,
}

operation! {
    /// Lists the devices that are logged in with the account. What a device's members are is not documented.
    ///
    /// Protocol: `web.yaml`, `user.device_list`.
    pub struct DeviceList -> RawJson = get("web/user.device_list", "/api/user/device_list");
    {}
    fixed {
        query "event": "deviceManagement",
    }
    optional {
        /// Sends the service's `operateType`, of which nothing is documented.
        query "operateType": operate_type: i64,
    }
}

operation! {
    /// Lists the logins of the past. What a login's members are is not documented.
    ///
    /// Protocol: `web.yaml`, `user.use_history`.
    pub struct UseHistory -> RawJson = get("web/user.use_history", "/api/user/use_history");
    {}
    fixed {
        query "event": "loginRecord",
    }
}

operation! {
    /// Changes the name that the account shows.
    ///
    /// Protocol: `web.yaml`, `user.modify_info`.
    pub struct ModifyInfo -> () = post("web/user.modify_info", "/api/user/modify_info").effect(Effect::Same);
    {
        /// The new name.
        json "nickname": nickname: String,
    }
    fixed {
        json "event": "userDataOperate",
        json "operateType": 2,
    }

    fn validate(&self) -> Result<()> {
        if self.nickname.trim().is_empty() { Err(Error::invalid("the name of the account is empty")) } else { Ok(()) }
    }
}

operation! {
    /// Reads what the programme for referrals says of the account; its members are not documented.
    ///
    /// Protocol: `web.yaml`, `user.referral_info`.
    pub struct ReferralInfo -> RawJson = get("web/user.referral_info", "/api/referral/my-info");
    {}
}
