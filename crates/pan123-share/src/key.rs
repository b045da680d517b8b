//! What opens a share: its key, which names the owner, and its password.

use std::{fmt, str::FromStr};

use pan123_core::{AccountId, Error, Result, Secret, shares::check_password};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The key of a share (分享码): what stands behind `/s/` in its link.
///
/// Protocol: `share.yaml`, `share_links` and `owner_id`.
///
/// # Example
///
/// ```
/// use pan123_share::ShareKey;
///
/// let key: ShareKey = "5LF8Vv-a1Bc".parse()?;
/// assert_eq!(key.owner().map(|owner| owner.get()), Some(1_812_345_678));
/// assert_eq!(key.owner_host().as_deref(), Some("1812345678.share.123pan.cn"));
/// # Ok::<(), pan123_share::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ShareKey(String);

/// How many characters a key has.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 2..=128;

/// The digits of the owner's id in a key, from 0 to 61; the least significant digit stands first.
const DIGITS: &[u8; 62] = b"Tvd3hHA9QEkom14xpfaBJIMwgFYGPXn2sWCNORDr80KuUSl7bZcetizL5q6yVj";

impl ShareKey {
    /// Returns the key as it stands in links.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the account that made the share: what stands before the dash says it.
    ///
    /// `None` for a key without a dash, or of which that part is no number. Every key seen tells its owner; whether all do is
    /// not known.
    pub fn owner(&self) -> Option<AccountId> {
        let (prefix, _) = self.0.split_once('-')?;
        let digits = prefix.bytes().rev();
        let number = digits
            .map(|letter| DIGITS.iter().position(|digit| *digit == letter))
            .try_fold(0_u64, |sum, digit| sum.checked_mul(62)?.checked_add(u64::try_from(digit?).ok()?));
        number.filter(|number| *number > 0).map(AccountId::new)
    }

    /// Returns the host of the owner's own share pages, `{owner}.share.123pan.cn`.
    pub fn owner_host(&self) -> Option<String> {
        self.owner().map(|owner| format!("{owner}.share.123pan.cn"))
    }

    /// Says whether the text has the form of a key that may stand alone: two groups joined by a dash.
    pub(crate) fn is_bare(text: &str) -> bool {
        let is_group = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_alphanumeric());
        text.split_once('-').is_some_and(|(owner, rest)| is_group(owner) && is_group(rest))
    }
}

impl FromStr for ShareKey {
    type Err = Error;

    /// Takes the characters that links are made of; whether there is such a share only the service knows.
    fn from_str(text: &str) -> Result<Self> {
        let fits = KEY_LENGTH.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let bad = || Error::invalid("a share key has 2 to 128 letters, digits, dashes and underscores");
        fits.then(|| Self(text.to_owned())).ok_or_else(bad)
    }
}

impl From<&Self> for ShareKey {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

impl fmt::Display for ShareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ShareKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The password of a share (提取码): one to four letters and digits, of which the service ignores the case.
///
/// # Example
///
/// ```
/// use pan123_share::SharePassword;
///
/// let password: SharePassword = "Wxyz".parse()?;
/// assert!(!format!("{password:?}").contains("Wxyz"));
/// assert!("12345".parse::<SharePassword>().is_err());
/// # Ok::<(), pan123_share::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SharePassword(Secret);

impl SharePassword {
    /// Returns the password. Do not log it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for SharePassword {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let password = Secret::from(text);
        check_password(&password)?;
        if password.is_empty() {
            return Err(Error::invalid("the share password is empty; leave it out where there is none"));
        }
        Ok(Self(password))
    }
}

impl From<SharePassword> for Secret {
    fn from(password: SharePassword) -> Self {
        password.0
    }
}

impl From<&SharePassword> for Secret {
    fn from(password: &SharePassword) -> Self {
        password.0.clone()
    }
}

impl fmt::Debug for SharePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharePassword([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Vector {
        uid: u64,
        prefix: String,
    }

    #[test]
    fn every_owner_of_the_reference_is_found_in_the_key() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors/owner-ids.json");
        let vectors: Vec<Vector> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(vectors.len(), 8);
        for Vector { uid, prefix } in vectors {
            let key: ShareKey = format!("{prefix}-a1Bc").parse().unwrap();
            assert_eq!(key.owner(), Some(AccountId::new(uid)), "{prefix}");
        }
    }

    #[test]
    fn a_key_that_tells_no_owner_is_still_a_key() {
        for text in ["abcdef", "a_b-c", "-a1Bc", "T-a1Bc", &format!("{}-a", "j".repeat(20))] {
            assert_eq!(text.parse::<ShareKey>().unwrap().owner(), None, "{text}");
        }
        for text in ["", "a", "a b", "a/b", "键键", &"a".repeat(129)] {
            assert!(text.parse::<ShareKey>().is_err(), "{text}");
        }
    }
}
