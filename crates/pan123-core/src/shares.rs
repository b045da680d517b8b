//! What is said of shares of one's own, whichever API makes them: ids, keys, addresses, traffic switches.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::{AccountId, Error, FileId, Result, Secret, open_enum, wire};

open_enum! {
    /// Who may fetch from a share at the cost of the sharer's share traffic.
    pub enum TrafficSwitch {
        /// Nobody.
        Off = 1,
        /// Guests, who are not logged in.
        Guests = 2,
        /// Users who have used up their own traffic.
        OverQuota = 3,
        /// Guests, and users who have used up their own traffic.
        GuestsAndOverQuota = 4,
    }
}

open_enum! {
    /// Whether the sharer's traffic is capped.
    pub enum TrafficLimitSwitch {
        /// It is not.
        Off = 1,
        /// It is, at the cap that goes with it.
        On = 2,
    }
}

/// The id of a share, for changing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ShareId(i64);

impl ShareId {
    /// Makes an id from its number.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ShareId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ShareId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer(deserializer).map(Self)
    }
}

/// The key of a share: the last part of its address. Whoever has it can look at a share without a password.
///
/// # Example
///
/// ```
/// use pan123_core::AccountId;
/// use pan123_core::shares::ShareKey;
///
/// let key = ShareKey::new("Ab3dVv-Xy7kH")?;
/// let page = key.page(AccountId::new(1_812_000_001));
/// assert_eq!(page.as_str(), "https://1812000001.share.123pan.cn/123pan/Ab3dVv-Xy7kH");
/// # Ok::<(), pan123_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShareKey(String);

impl ShareKey {
    /// Makes a key from its text.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when it is empty, or holds anything but ASCII letters,
    /// digits, `-` and `_`: then it is no key, or a whole address.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(Error::invalid("a share key is made of ASCII letters, digits, '-' and '_'"));
        }
        Ok(Self(key))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address of the share's page, where `owner` is the account that shares. Free and paid shares have the
    /// same form.
    ///
    /// No request is made. Protocol: `open-services.yaml`, `share_url`.
    pub fn page(&self, owner: AccountId) -> Url {
        self.below(&format!("https://{owner}.share.123pan.cn/123pan/"))
    }

    /// Returns the address with the password in it, so that visitors need not type it: whoever has it has both.
    ///
    /// This is how links look that are passed around; the service documents it nowhere.
    pub fn page_with_password(&self, owner: AccountId, password: &Secret) -> Url {
        let mut page = self.page(owner);
        page.query_pairs_mut().append_pair("pwd", password.expose());
        page
    }

    /// Returns the older address of a free share, which needs no account id and which older pages of the service name.
    pub fn older_page(&self) -> Url {
        self.below("https://www.123pan.com/s/")
    }

    /// Returns the older address of a paid share.
    pub fn older_paid_page(&self) -> Url {
        self.below("https://www.123pan.com/ps/")
    }

    fn below(&self, base: &str) -> Url {
        Url::parse(base).and_then(|base| base.join(&self.0)).expect("a key has no character of meaning in addresses")
    }
}

impl fmt::Display for ShareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ShareKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Ids, of files unless told otherwise, that go to the service as one text with commas between them, where other calls
/// send a list.
///
/// It is made from a list or an array of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedIds<Id = FileId>(Vec<Id>);

impl<Id> JoinedIds<Id> {
    /// Returns the ids.
    pub fn ids(&self) -> &[Id] {
        &self.0
    }
}

impl<Id> From<Vec<Id>> for JoinedIds<Id> {
    fn from(ids: Vec<Id>) -> Self {
        Self(ids)
    }
}

impl<Id, const COUNT: usize> From<[Id; COUNT]> for JoinedIds<Id> {
    fn from(ids: [Id; COUNT]) -> Self {
        Self(ids.into())
    }
}

impl<Id> FromIterator<Id> for JoinedIds<Id> {
    fn from_iter<I: IntoIterator<Item = Id>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

impl<Id: fmt::Display> Serialize for JoinedIds<Id> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ids: Vec<String> = self.0.iter().map(Id::to_string).collect();
        serializer.serialize_str(&ids.join(","))
    }
}

/// Refuses a change of nothing.
///
/// # Errors
///
/// [`InvalidInput`](crate::ErrorKind::InvalidInput); as [`check_traffic`] too.
#[doc(hidden)]
pub fn check_change(
    traffic: Option<TrafficSwitch>,
    switch: Option<TrafficLimitSwitch>,
    limit: Option<u64>,
) -> Result<()> {
    if (traffic, switch, limit) == (None, None, None) {
        return Err(Error::invalid("nothing is to be changed: say who may fetch, or set the cap"));
    }
    check_traffic(traffic, switch, limit)
}

/// Refuses switches that the service does not have, and a cap whose switch is not on.
///
/// # Errors
///
/// [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[doc(hidden)]
pub fn check_traffic(
    traffic: Option<TrafficSwitch>,
    switch: Option<TrafficLimitSwitch>,
    limit: Option<u64>,
) -> Result<()> {
    if let Some(TrafficSwitch::Unknown(code)) = traffic {
        return Err(Error::invalid(format!("the traffic of a share cannot be switched to {code}, only to 1 to 4")));
    }
    match (switch, limit) {
        (Some(TrafficLimitSwitch::Unknown(code)), _) => {
            Err(Error::invalid(format!("the cap on traffic is switched to 1 (off) or 2 (on), not to {code}")))
        }
        (Some(TrafficLimitSwitch::On), None) => {
            Err(Error::invalid("a cap on traffic is switched on without its bytes"))
        }
        (Some(TrafficLimitSwitch::Off) | None, Some(_)) => {
            Err(Error::invalid("a cap on traffic has no effect without its switch: use cap_traffic"))
        }
        (_, Some(limit)) if i64::try_from(limit).is_err() => {
            Err(Error::invalid(format!("a cap on traffic is at most {} bytes", i64::MAX)))
        }
        _ => Ok(()),
    }
}

/// The most characters of a share's password.
const LONGEST_PASSWORD: usize = 4;

/// Refuses a password that the service would refuse; an empty text is no password and passes.
///
/// # Errors
///
/// [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[doc(hidden)]
pub fn check_password(password: &Secret) -> Result<()> {
    let text = password.expose();
    let fits = text.len() <= LONGEST_PASSWORD && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(()).ok_or_else(|| Error::invalid("a share password has 1 to 4 letters and digits"))
}

/// Reads what visitors must give; an empty text is no password.
///
/// # Errors
///
/// When it is neither text nor null.
#[doc(hidden)]
pub fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(Secret::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_makes_each_address() {
        let key = ShareKey::new("Ab3dVv-Xy7kH").unwrap();
        let owner = AccountId::new(1_800_000_042);
        assert_eq!(key.older_page().as_str(), "https://www.123pan.com/s/Ab3dVv-Xy7kH");
        assert_eq!(key.older_paid_page().as_str(), "https://www.123pan.com/ps/Ab3dVv-Xy7kH");
        assert_eq!(
            key.page_with_password(owner, &Secret::from("7k&p")).as_str(),
            "https://1800000042.share.123pan.cn/123pan/Ab3dVv-Xy7kH?pwd=7k%26p"
        );
        for text in ["", "a/b", "https://www.123pan.com/s/Ab3dVv-Xy7kH", "a?b", "分享", ".."] {
            assert!(ShareKey::new(text).is_err(), "{text}");
        }
    }
}
