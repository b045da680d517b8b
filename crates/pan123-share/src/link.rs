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

/// What a message may put right behind a link: the end of a sentence, or the marks of Markdown.
const BEHIND: [char; 4] = ['.', '*', '_', '`'];

/// How many characters before such a word are looked at for a sign that the password is an archive's.
const NEAR: usize = 6;

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
        if !ShareKey::is_bare(head) {
            return Self::read(text, &[]);
        }
        let rest = &text[head.len()..];
        if rest.contains("://") {
            return Err(refused("an address stands behind what would be the key"));
        }
        Ok(Self { key: head.parse()?, password: password_in_text(rest)? })
    }

    /// Finds the first link in a message, with whatever stands around it, and a password before or behind it. What stands
    /// beyond another address belongs to that one, which counts where it is the same share on another host. A key alone is
    /// taken where the message begins with it and holds no link.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), for the message as a whole.
    pub fn find(text: &str) -> Result<Self> {
        let places = starts(text).into_iter().take(MOST_STARTS);
        let mut links = places.filter_map(|start| Some((&text[..start], Self::read(&text[start..], &BEHIND).ok()?)));
        let Some((before, mut link)) = links.next() else {
            return Self::parse(text);
        };
        if link.password.is_none() && next_address(before).is_none() {
            link.password = password_in_text(before)?;
        }
        if link.password.is_none() {
            link.password = links.filter(|(_, other)| other.key == link.key).find_map(|(_, other)| other.password);
        }
        Ok(link)
    }

    /// Reads a text that begins with a link, behind which any of `marks` may stand.
    fn read(text: &str, marks: &[char]) -> Result<Self> {
        let (scheme, rest) = split_scheme(text)?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        check_authority(authority.trim_end(), scheme)?;
        let (path, rest) = rest.split_at(rest.find(ends_path).unwrap_or(rest.len()));
        let key = key_of(path.trim_end_matches(marks))?;
        let (query, tail) = match rest.strip_prefix('?') {
            Some(rest) => rest.split_at(rest.find(ends_query).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let password = match password_in_query(query, marks)? {
            Some(password) => Some(password),
            None => password_in_text(&format!("{} {}", decoded(query), own_tail(tail)))?,
        };
        Ok(Self { key, password })
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

/// Returns the places of a message where a link may begin, in order.
fn starts(text: &str) -> Vec<usize> {
    let lower = text.to_ascii_lowercase();
    let mut starts: Vec<usize> =
        ["http", "www."].iter().flat_map(|start| lower.match_indices(start)).map(|(at, _)| at).collect();
    let mut at = 0;
    for word in lower.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))) {
        // Owners' hosts end in one of these.
        if HOSTS.iter().any(|host| word.contains(host)) {
            starts.push(at);
        }
        at += word.len();
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Returns where in a text an address begins, of whatever host: what is said from there on is said of that one.
fn next_address(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    ["://", "www."].iter().filter_map(|sign| lower.find(sign)).min()
}

/// Returns what a message says of a link behind it: not its fragment, and nothing beyond another address.
fn own_tail(tail: &str) -> &str {
    let tail = match tail.strip_prefix('#') {
        Some(fragment) => &fragment[fragment.find(char::is_whitespace).unwrap_or(fragment.len())..],
        None => tail,
    };
    &tail[..next_address(tail).unwrap_or(tail.len())]
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

/// Looks for a pair such as `pwd=aB12` or `提取码:aB12`, behind which any of `marks` may stand; an empty value means that
/// there is no password.
fn password_in_query(query: &str, marks: &[char]) -> Result<Option<SharePassword>> {
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
        return password(value[..end].trim_end_matches(marks)).map(Some);
    }
    Ok(None)
}

/// Looks for a password behind one of the words that announce one.
fn password_in_text(text: &str) -> Result<Option<SharePassword>> {
    for label in LABELS {
        for (place, _) in text.match_indices(label) {
            let rest = &text[place + label.len()..];
            let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(&c));
            let (value, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()));
            let is_host =
                behind.strip_prefix('.').is_some_and(|more| more.starts_with(|c: char| c.is_ascii_alphabetic()));
            if !value.is_empty() && !is_host && !is_archives(&text[..place]) {
                return password(value).map(Some);
            }
        }
    }
    Ok(None)
}

/// Says whether the word behind `before` announces the password of an archive in the share, as in 解压缩密码.
fn is_archives(before: &str) -> bool {
    let near = before.char_indices().rev().take(NEAR).take_while(|(_, c)| c.is_alphanumeric());
    let near = &before[near.last().map_or(before.len(), |(at, _)| at)..];
    ["解压", "压缩"].iter().any(|word| near.contains(word))
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
            "链接：1812345678.share.123pan.cn/123pan/5LF8Vv-a1Bc 提取码：aB12",
            "提取码：aB12 https://www.123pan.com/s/5LF8Vv-a1Bc 百度 https://pan.baidu.com/s/x 提取码：bd12",
            "https://www.123pan.com/s/5LF8Vv-a1Bc?pwd=aB12.",
            "**https://www.123pan.com/s/5LF8Vv-a1Bc?pwd=aB12**",
            "https://www.123pan.com/s/5LF8Vv-a1Bc?pwd=aB12**快来",
            "https://www.123pan.com/s/5LF8Vv-a1Bc?提取码：aB12`",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：aB12. Enjoy",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 文件已压缩，提取码：aB12",
            "https://www.123pan.com/s/5LF8Vv-a1Bc#top 提取码：aB12",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：aB12 解压缩密码：12345678",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 压缩包密码：12345678 密码：aB12",
            "5LF8Vv-a1Bc 提取码：aB12 解压密码：www.example.com",
        ] {
            assert_eq!(found(text), with_password, "{text}");
        }
        for text in [
            "https://www.123pan.com/s/5LF8Vv-a1Bc.",
            "(https://www.123pan.com/s/5LF8Vv-a1Bc)",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：无",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 解压密码：12345",
            "https://evil.com/ https://www.123pan.com/s/5LF8Vv-a1Bc",
            "看 123pan.com/s/5LF8Vv-a1Bc 很好",
            "看123pan.com/s/5LF8Vv-a1Bc很好",
            "链接：1812345678.share.123pan.cn/123pan/5LF8Vv-a1Bc",
            "**https://www.123pan.com/s/5LF8Vv-a1Bc**",
            "_https://www.123pan.com/s/5LF8Vv-a1Bc_",
            "`123pan.com/s/5LF8Vv-a1Bc.html`",
            "https://www.123pan.com/s/5LF8Vv-a1Bc#提取码:aB12",
            "https://www.123pan.com/s/5LF8Vv-a1Bc#密码:12345678",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 解压缩密码：12345678",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 压缩包密码：12345678",
            "https://www.123pan.com/s/5LF8Vv-a1Bc 密码：www.example.com",
        ] {
            assert_eq!(found(text), plain, "{text}");
        }
        for text in [
            "https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：12345",
            "https://evil.com/s/5LF8Vv-a1Bc",
            "https://xevil123pan.com/s/5LF8Vv-a1Bc",
            "看 xevil123pan.com/s/5LF8Vv-a1Bc",
            "看 123pan.com.evil.com/s/5LF8Vv-a1Bc",
            "密码 aB12",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_word_with_a_dash_is_no_key_where_a_link_stands_behind_it() {
        let plain = Some(("5LF8Vv-a1Bc".to_owned(), None));
        for word in ["Spider-Man ", "2024-05 ", "S01-E02：", "Re-upload ", "One-Punch Man ", "hi-res，", "http-link "]
        {
            let text = format!("{word}https://www.123pan.com/s/5LF8Vv-a1Bc");
            assert_eq!(found(&text), plain, "{text}");
            assert!(ShareLink::parse(&text).is_err(), "{text}");
        }
        assert_eq!(found("Spider-Man 123pan.com/s/5LF8Vv-a1Bc"), plain);
        assert_eq!(found("Spider-Man https://pan.baidu.com/s/x"), None);
        let with_password = Some(("5LF8Vv-a1Bc".to_owned(), Some("aB12".to_owned())));
        assert_eq!(found("Re-upload https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：aB12"), with_password);
    }

    #[test]
    fn a_password_of_another_address_is_not_the_share_s() {
        let plain = Some(("5LF8Vv-a1Bc".to_owned(), None));
        for password in ["提取码：bd12", "密码：bd12345"] {
            for other in ["https://pan.baidu.com/s/x", "www.example.com/x"] {
                let before = format!("百度 {other} {password}\n123云盘 https://www.123pan.com/s/5LF8Vv-a1Bc");
                assert_eq!(found(&before), plain, "{before}");
                let behind = format!("123云盘 https://www.123pan.com/s/5LF8Vv-a1Bc\n百度 {other} {password}");
                assert_eq!(found(&behind), plain, "{behind}");
            }
        }
    }

    #[test]
    fn a_password_behind_the_last_of_several_hosts_is_the_share_s() {
        let with_password = Some(("5LF8Vv-a1Bc".to_owned(), Some("aB12".to_owned())));
        let mirrors = "https://www.123pan.com/s/5LF8Vv-a1Bc 备用 https://www.123684.com/s/5LF8Vv-a1Bc.html";
        for text in [
            format!("链接：{mirrors} 提取码：aB12"),
            format!("{mirrors}?pwd=aB12"),
            format!("{mirrors} www.123865.com/s/5LF8Vv-a1Bc\n提取码：aB12\n{mirrors}"),
            format!("{mirrors} 百度 https://pan.baidu.com/s/x 提取码：bd12\n123912.com/s/5LF8Vv-a1Bc 提取码：aB12"),
        ] {
            assert_eq!(found(&text), with_password, "{text}");
        }
        let another = "https://www.123pan.com/s/5LF8Vv-a1Bc\nhttps://www.123pan.com/s/6LF8Vv-a1Bc 提取码：aB12";
        assert_eq!(found(another), Some(("5LF8Vv-a1Bc".to_owned(), None)));
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
