//! The service itself: hosts, clock, settings, notices, apps that were granted access.

use pan123_core::{Error, ErrorKind, Hosts, Meta, Operation, RawJson, Reply, Result, Role, Timestamp, operation, wire};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{get, post};

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[
    DynamicDomains::META,
    ServerTime::META,
    Config::META,
    ThirdPartyAppIds::META,
    TransferMetrics::META,
    PermissionList::META,
    DeletePermission::META,
    NewNotices::META,
    Announcements::META,
];

operation! {
    /// Asks where the service is at present. [`Client::current_hosts`](crate::Client::current_hosts) makes [`Hosts`] of it.
    ///
    /// It is asked of the login host; all hosts answer alike.
    ///
    /// Protocol: `web.yaml`, `app.dydomain`.
    pub struct DynamicDomains => Domains =
        Meta::get("web/app.dydomain", "/api/dydomain").role(Role::Login).anonymous();
    {}

    fn decode(&self, reply: Reply) -> Result<Domains> {
        reply.data_in_any_case()
    }
}

/// Where the service says that it is, as [`DynamicDomains`] gives it: whatever it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, expecting = "the domains of the service")]
#[non_exhaustive]
pub struct Domains {
    /// The hosts of the web API.
    #[serde(rename = "domains", deserialize_with = "wire::or_default")]
    pub web: Vec<String>,
    /// The host of the login portal; may be empty.
    #[serde(rename = "ucenterdomain", deserialize_with = "wire::or_default")]
    pub portal: String,
}

/// The domains whose hosts may be given a token on the service's word. Those of storage and CDN are not among them.
///
/// Protocol: `web.yaml`, `hosts`.
pub const KNOWN_DOMAINS: [&str; 7] =
    ["123pan.com", "123pan.cn", "123278.com", "123684.com", "123865.com", "123912.com", "123592.com"];

impl Domains {
    /// Puts those hosts that lie in [`KNOWN_DOMAINS`] in front of the web API's in `hosts`, by https.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProtocolChanged`] when none of the hosts is known: whoever answered must not get the token.
    pub fn hosts(&self, hosts: &Hosts) -> Result<Hosts> {
        let known: Vec<&String> = self.web.iter().filter(|host| is_known(host)).collect();
        let [first, others @ ..] = known.as_slice() else {
            return Err(Error::new(ErrorKind::ProtocolChanged, "the service names no host in a domain that is known"));
        };
        let base = |host: &str| format!("https://{host}/b");
        let before: Vec<String> =
            std::iter::once(hosts.web()).chain(hosts.web_alternatives()).map(ToString::to_string).collect();
        let mut found = hosts.clone().with_web(&base(first))?;
        for base in others.iter().map(|host| base(host)).chain(before) {
            found = found.with_web_alternative(&base)?;
        }
        if is_known(&self.portal) { found.with_portal(&format!("https://{}", self.portal)) } else { Ok(found) }
    }
}

/// Says whether a bare host name, without anything else, lies in a known domain.
fn is_known(host: &str) -> bool {
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let is_in = |domain: &str| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || (rest.ends_with('.') && rest.len() > 1))
    };
    is_plain && KNOWN_DOMAINS.into_iter().any(is_in)
}

operation! {
    /// Asks what time it is at the service. Signatures of a clock that is wrong are set right without it.
    ///
    /// Protocol: `web.yaml`, `app.server_time`.
    pub struct ServerTime => Timestamp = get("web/app.server_time", "/api/get/server/time").anonymous();
    {}

    fn decode(&self, reply: Reply) -> Result<Timestamp> {
        reply.data::<Moment>().map(|moment| moment.0)
    }
}

/// A moment in a form that no source describes: seconds, milliseconds, or a text, perhaps as the one member of an object.
struct Moment(Timestamp);

/// Numbers above this are milliseconds; as seconds they would lie after the year 5000.
const MOST_SECONDS: i64 = 100_000_000_000;

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn read(value: &Value) -> Option<Timestamp> {
            let unix = |number: i64| {
                let seconds = if number > MOST_SECONDS { number / 1000 } else { number };
                (seconds > 0).then(|| Timestamp::from_unix(seconds))
            };
            match value {
                Value::Number(number) => unix(number.as_i64()?),
                Value::String(text) => text.parse().ok().map_or_else(|| Timestamp::parse(text), unix),
                Value::Object(members) => members.values().find_map(read),
                _ => None,
            }
        }

        let value = Value::deserialize(deserializer)?;
        read(&value).map(Self).ok_or_else(|| serde::de::Error::custom("the answer holds no time"))
    }
}

operation! {
    /// Reads a setting of the service's page; its members are not documented.
    ///
    /// Protocol: `web.yaml`, `app.config`.
    pub struct Config -> RawJson = post("web/app.config", "/api/config/get").effect(pan123_core::Effect::None);
    {
        /// Which, such as `OfflineDownload`.
        json "business_key": key: String,
    }
}

operation! {
    /// Reads the ids of this service at other services that log people in; its members are not documented.
    ///
    /// Protocol: `web.yaml`, `app.third_party_app_id`.
    pub struct ThirdPartyAppIds -> RawJson = get("web/app.third_party_app_id", "/api/v3/3rd/app-id").anonymous();
    {}
}

operation! {
    /// Asks whether the service's page is to report on transfers; its members are not documented.
    ///
    /// Protocol: `web.yaml`, `app.transfer_metrics`.
    pub struct TransferMetrics -> RawJson =
        get("web/app.transfer_metrics", "/api/transfer/metrics/whether/report").anonymous();
    {}
}

operation! {
    /// Lists the apps that were granted access to the account; an app's members are not documented.
    ///
    /// Protocol: `web.yaml`, `app.permission_list`.
    pub struct PermissionList -> RawJson =
        get("web/app.permission_list", "/api/restful/goapi/v1/oauth2/app_permission/list");
    {
        /// The number of the page, from 1.
        query "page": page: u32,
    }
    defaults {
        /// Sets the number of apps on a page.
        query "pageSize": page_size: u32 = 100,
    }
}

operation! {
    /// Takes the access to the account away from an app.
    ///
    /// Protocol: `web.yaml`, `app.permission_delete`.
    pub struct DeletePermission -> () =
        Meta::delete("web/app.permission_delete", "/api/restful/goapi/v1/oauth2/app_permission").role(Role::Web);
    {
        /// The client id of the app.
        query "appId": app: String,
    }

    fn validate(&self) -> Result<()> {
        if self.app.trim().is_empty() { Err(Error::invalid("the id of the app is empty")) } else { Ok(()) }
    }
}

operation! {
    /// Reads what the account has not been told yet; its members are not documented. The service's page asks once a minute.
    ///
    /// Protocol: `web.yaml`, `app.notice_new`.
    pub struct NewNotices -> RawJson = get("web/app.notice_new", "/api/notice/new");
    {}
}

operation! {
    /// Reads the service's announcements; their members are not documented.
    ///
    /// Protocol: `web.yaml`, `app.announcement`.
    pub struct Announcements -> RawJson = get("web/app.announcement", "/api/notice/announcement");
    {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_in_known_domains_are_taken_over_and_those_before_stay_behind_them() {
        let domains = |web: &[&str], portal: &str| Domains {
            web: web.iter().map(ToString::to_string).collect(),
            portal: portal.to_owned(),
        };
        let before = Hosts::default();
        let found =
            domains(&["evil.example", "api9.123pan.cn", "www.123865.com"], "user2.123pan.cn").hosts(&before).unwrap();
        assert_eq!(found.web().as_str(), "https://api9.123pan.cn/b");
        let others: Vec<&str> = found.web_alternatives().iter().map(url::Url::as_str).collect();
        assert_eq!(others[..2], ["https://www.123865.com/b", before.web().as_str()]);
        assert_eq!(found.portal().as_str(), "https://user2.123pan.cn/");
        assert_eq!(domains(&["123pan.com"], "evil.example").hosts(&before).unwrap().portal(), before.portal());

        for web in [
            "evil.example",
            "evil123pan.com",
            "123pan.com.evil.example",
            "m70.123624.com",
            "evil.example/.123pan.com",
            "user@evil.example#.123pan.com",
            "123pan.com:8080",
            ".123pan.com",
            "",
        ] {
            assert_eq!(domains(&[web], "").hosts(&before).unwrap_err().kind(), ErrorKind::ProtocolChanged, "{web}");
        }
    }
}
