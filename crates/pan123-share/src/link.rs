//! Share links: from whatever people paste to a key and a password.

use std::{fmt, str::FromStr};

use pan123_core::{AccountId, Error, Result};
use percent_encoding::percent_decode_str;

use crate::key::{ShareKey, SharePassword};

/// A link to a share: its key, and its password if it came along.
///
/// [`parse`](Self::parse) reads links of every host and path that the service has used, with the password in the query or
/// in the text behind the link, and the key alone; [`find`](Self::find) also looks for a link within a message.
/// `Display` writes the canonical form **with the password**, as it is handed on; `Debug` hides it.
///
/// Protocol: `share.yaml`, `share_links`.
///
/// # Example
///
/// ```
/// use pan123_share::ShareLink;
///
/// let link = ShareLink::parse("https://www.123684.com/s/5LF8Vv-a1Bc.html?提取码：aB12")?;
/// assert_eq!(link.key().as_str(), "5LF8Vv-a1Bc");
/// assert_eq!(link.to_string(), "https://www.123pan.com/s/5LF8Vv-a1Bc?pwd=aB12");
///
/// let error = ShareLink::parse("https://www.123pan.com.evil.com/s/5LF8Vv-a1Bc").unwrap_err();
/// assert_eq!(error.to_string(), "no share link: the host is none of the service's");
/// # Ok::<(), pan123_share::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareLink {
    key: ShareKey,
    password: Option<SharePassword>,
}

/// The hosts of share pages, with or without `www.`.
const HOSTS: [&str; 6] = ["123pan.com", "123pan.cn", "123684.com", "123865.com", "123912.com", "123635.com"];

/// The hosts of owners' own share pages, with or without the owner's id in front.
const OWNER_HOSTS: [&str; 4] = ["share.123pan.cn", "share.123pan.com", "mshare.123pan.cn", "mshare.123pan.com"];

/// How many places of a message are looked at for a link: a hostile one has any number of them.
const MOST_STARTS: usize = 64;

/// What stands before the key; `/ps/` is that of paid shares.
const PATHS: [&str; 4] = ["/s/", "/ps/", "/123pan/", "/gsb/s/"];

/// The names of query pairs that hold a password.
const QUERY_NAMES: [&str; 4] = ["pwd", "password", "sharepwd", "code"];

/// The words before a password, the surest first.
const LABELS: [&str; 3] = ["提取码", "访问码", "密码"];

/// What may stand between such a word and the password.
const SEPARATORS: [char; 3] = [':', '：', '='];

impl ShareLink {
    /// Makes a link of a key without a password.
    pub fn new(key: impl Into<ShareKey>) -> Self {
        Self { key: key.into(), password: None }
    }

    /// Sets the password.
    #[must_use]
    pub fn with_password(mut self, password: SharePassword) -> Self {
        self.password = Some(password);
        self
    }

    /// Reads a text that begins with a link or a key; more text may follow.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](pan123_core::ErrorKind::InvalidInput) with the reason when it is no share link, or when what stands
    /// in the place of the password can be none.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(refused("the text is empty"));
        }
        let head = text.split(|c: char| c.is_whitespace() || !c.is_ascii()).next().unwrap_or_default();
        if ShareKey::is_bare(head) {
            return Ok(Self { key: head.parse()?, password: password_in_text(&text[head.len()..])? });
        }
        let (scheme, rest) = split_scheme(text)?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        check_authority(authority.trim_end(), scheme)?;
        let (path, rest) = rest.split_at(rest.find(ends_path).unwrap_or(rest.len()));
        let key = key_of(path)?;
        let (query, tail) = match rest.strip_prefix('?') {
            Some(rest) => rest.split_at(rest.find(ends_query).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let password = match password_in_query(query)? {
            Some(password) => Some(password),
            None => password_in_text(&format!("{} {tail}", decoded(query)))?,
        };
        Ok(Self { key, password })
    }

    /// Finds the first link in a message, with whatever stands around it, and a password before or behind it.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), for the message as a whole.
    pub fn find(text: &str) -> Result<Self> {
        let whole = match Self::parse(text) {
            Ok(link) => return Ok(link),
            Err(error) => error,
        };
        let lower = text.to_ascii_lowercase();
        let mut starts: Vec<usize> = lower.match_indices("http").map(|(start, _)| start).collect();
        starts.extend(lower.match_indices("www.").map(|(start, _)| start));
        starts.sort_unstable();
        let mut link =
            starts.into_iter().take(MOST_STARTS).find_map(|start| Self::parse(&text[start..]).ok()).ok_or(whole)?;
        if link.password.is_none() {
            link.password = password_in_text(text)?;
        }
        Ok(link)
    }

    /// Returns the key.
    pub fn key(&self) -> &ShareKey {
        &self.key
    }

    /// Returns the password, if the link had one.
    pub fn password(&self) -> Option<&SharePassword> {
        self.password.as_ref()
    }

    /// Returns the account that made the share; see [`ShareKey::owner`].
    pub fn owner(&self) -> Option<AccountId> {
        self.key.owner()
    }

    /// Returns the address of the share on its owner's host, which the Open Platform gives out, without the password.
    pub fn owner_url(&self) -> Option<String> {
        self.key.owner_host().map(|host| format!("https://{host}/123pan/{}", self.key))
    }
}

impl FromStr for ShareLink {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl From<ShareKey> for ShareLink {
    fn from(key: ShareKey) -> Self {
        Self::new(key)
    }
}

impl fmt::Display for ShareLink {
    /// Writes the form that every reader understands, password included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://www.123pan.com/s/{}", self.key)?;
        match &self.password {
            Some(password) => write!(f, "?pwd={}", password.expose()),
            None => Ok(()),
        }
    }
}

fn refused(reason: &str) -> Error {
    Error::invalid(format!("no share link: {reason}"))
}

/// Takes the scheme off. What stands before `://` and could not be one is left for the host to fail on.
fn split_scheme(text: &str) -> Result<(Option<&'static str>, &str)> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok((None, text));
    };
    let could_be = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok((Some("443"), rest)),
        "http" => Ok((Some("80"), rest)),
        _ if scheme.bytes().all(could_be) => Err(refused("the scheme is neither http nor https")),
        _ => Ok((None, text)),
    }
}

/// Compares the whole host: a prefix or suffix would let foreign hosts pass.
fn check_authority(authority: &str, default_port: Option<&str>) -> Result<()> {
    if authority.contains('@') {
        return Err(refused("there is a user part before the host"));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    let is_page = HOSTS.contains(&host.strip_prefix("www.").unwrap_or(&host));
    let is_owners = OWNER_HOSTS.contains(&host.as_str())
        || host.split_once('.').is_some_and(|(owner, rest)| {
            !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_digit()) && OWNER_HOSTS.contains(&rest)
        });
    if !is_page && !is_owners {
        return Err(refused("the host is none of the service's"));
    }
    if port.is_some_and(|port| port != default_port.unwrap_or("443")) {
        return Err(refused("the port is not that of the service"));
    }
    Ok(())
}

/// What a path cannot hold: the query, or the text in which the link stands.
fn ends_path(c: char) -> bool {
    c == '?' || !c.is_ascii() || ends_query(c)
}

/// What a query cannot hold: the fragment, or the text in which the link stands. A label in it may be Chinese.
fn ends_query(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '#' | ',' | ';' | '!' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '\'' | '|' | '\\')
}

fn key_of(path: &str) -> Result<ShareKey> {
    let no_share = || refused("the path is not that of a share");
    let key = PATHS.iter().find_map(|start| path.strip_prefix(start)).ok_or_else(no_share)?;
    let key = key.strip_suffix('/').unwrap_or(key).trim_end_matches('.');
    let key = key.strip_suffix(".html").unwrap_or(key);
    if key.is_empty() || key.contains('/') {
        return Err(no_share());
    }
    decoded(key).parse().map_err(|error| refused("the key holds what no key holds").with_source(error))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Looks for a pair such as `pwd=aB12` or `提取码:aB12`; an empty value means that there is no password.
fn password_in_query(query: &str) -> Result<Option<SharePassword>> {
    for pair in query.split('&').map(decoded) {
        let Some((name, separator)) = pair.find(SEPARATORS).map(|end| (&pair[..end], &pair[end..])) else {
            continue;
        };
        let mut value = separator.chars();
        let is_equals = value.next() == Some('=');
        let named = is_equals && QUERY_NAMES.contains(&name.to_ascii_lowercase().as_str());
        let value = value.as_str().trim();
        if value.is_empty() || !(named || LABELS.contains(&name.trim())) {
            continue;
        }
        // Text may be glued behind the password, and none of it is ASCII.
        let end = value.find(|c: char| !c.is_ascii()).unwrap_or(value.len());
        return password(&value[..end]).map(Some);
    }
    Ok(None)
}

/// Looks for a password behind one of the words that announce one.
fn password_in_text(text: &str) -> Result<Option<SharePassword>> {
    for label in LABELS {
        for (place, _) in text.match_indices(label) {
            if text[..place].ends_with("解压") {
                // The password of an archive in the share.
                continue;
            }
            let rest = &text[place + label.len()..];
            let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(&c));
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            if end > 0 {
                return password(&rest[..end]).map(Some);
            }
        }
    }
    Ok(None)
}

fn password(text: &str) -> Result<SharePassword> {
    text.parse().map_err(|error| refused("what stands in the place of the password can be none").with_source(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
    use proptest::test_runner::RngSeed;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vector {
        input: String,
        key: Option<String>,
        password: Option<String>,
        error: Option<String>,
    }

    #[test]
    fn every_case_of_the_reference_is_read_as_it_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors/share-links.json");
        let vectors: Vec<Vector> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(vectors.len(), 50);
        for Vector { input, key, password, error } in vectors {
            match (ShareLink::parse(&input), error) {
                (Ok(link), None) => {
                    assert_eq!(Some(link.key.as_str()), key.as_deref(), "{input}");
                    assert_eq!(link.password.as_ref().map(SharePassword::expose), password.as_deref(), "{input}");
                    assert_eq!(ShareLink::parse(&link.to_string()).unwrap(), link, "{input}");
                }
                (Err(found), Some(reason)) => {
                    let word = if reason == "userinfo" { "user part" } else { &reason };
                    assert!(found.to_string().contains(word), "{input}: {found} is not {reason}");
                }
                (found, _) => panic!("{input}: {found:?}"),
            }
        }
    }

    fn found(text: &str) -> Option<(String, Option<String>)> {
        let link = ShareLink::find(text).ok()?;
        Some((link.key.to_string(), link.password.map(|password| password.expose().to_owned())))
    }

    #[test]
    fn a_link_is_found_in_what_people_write_around_it() {
        let plain = Some(("5LF8Vv-a1Bc".to_owned(), None));
        let with_password = Some(("5LF8Vv-a1Bc".to_owned(), Some("aB12".to_owned())));
        for text in [
            "https://www.123pan.com/s/5LF8Vv-a1Bc，提取码：aB12",
            "https://www.123pan.com/s/5LF8Vv-a1Bc（提取码 aB12）",
            "https://www.123pan.com/s/5LF8Vv-a1Bc提取码aB12",
            "https://www.123pan.com/s/5LF8Vv-a1Bc?pwd=aB12，快来下载",
            "https://www.123pan.com/s/5LF8Vv-a1Bc?pwd=&密码=aB12",
            "链接：https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：aB12 解压密码：www.example.com",
            "提取码：aB12\n链接：https://www.123pan.com/s/5LF8Vv-a1Bc",
            "5LF8Vv-a1Bc 提取码：aB12",
            "看这个 www.123865.com/s/5LF8Vv-a1Bc?pwd=aB12 很好",
            "<a href=\"https://www.123pan.com/s/5LF8Vv-a1Bc?pwd=aB12\">",
        ] {
            assert_eq!(found(text), with_password, "{text}");
        }
        for text in [
            "https://www.123pan.com/s/5LF8Vv-a1Bc.",
            "(https://www.123pan.com/s/5LF8Vv-a1Bc)",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：无",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 解压密码：12345",
            "https://evil.com/ https://www.123pan.com/s/5LF8Vv-a1Bc",
        ] {
            assert_eq!(found(text), plain, "{text}");
        }
        for text in
            ["https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：12345", "https://evil.com/s/5LF8Vv-a1Bc", "密码 aB12"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_is_in_the_link_and_not_in_a_log() {
        let link = ShareLink::parse("5LF8Vv-a1Bc 提取码:aB12").unwrap();
        assert!(!format!("{link:?}").contains("aB12"));
        assert_eq!(link.owner_url().as_deref(), Some("https://1812345678.share.123pan.cn/123pan/5LF8Vv-a1Bc"));
    }

    fn pasted() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("https://".to_owned()),
            Just("www.123pan.com".to_owned()),
            Just("/s/".to_owned()),
            Just("5LF8Vv-a1Bc".to_owned()),
            Just("?pwd=".to_owned()),
            Just("提取码：".to_owned()),
            Just("%E6%8F".to_owned()),
            "[a-zA-Z0-9 :/?#&=%.-]{0,5}",
            any::<String>(),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(123), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in pasted()) {
            if let Ok(link) = ShareLink::find(&text) {
                prop_assert_eq!(ShareLink::parse(&link.to_string()).unwrap(), link);
            }
        }

        #[test]
        fn what_is_printed_is_read_again(key in "[A-Za-z0-9_-]{2,128}", password in "[A-Za-z0-9]{0,4}") {
            let link = ShareLink::new(key.parse::<ShareKey>().unwrap());
            let link = password.parse().map_or(link.clone(), |password| link.with_password(password));
            prop_assert_eq!(ShareLink::parse(&link.to_string()).unwrap(), link);
        }
    }
}
