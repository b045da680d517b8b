//! The signature that the web page puts into the query of its calls.

use crate::archive::crc32;
use crate::clock::minute_text;
use crate::form::pairs;
use crate::reply::Refusal;

/// The query pair that signs a call: its name changes every minute.
pub(crate) fn signature(unix: i64, random: u64, path: &str, platform: &str, version: &str) -> (String, String) {
    let letter = |digit: char| digit.to_digit(10).map_or(digit, |digit| char::from(LETTERS[digit as usize]));
    let mapped: String = minute_text(unix).chars().map(letter).collect();
    let key = crc32(mapped.as_bytes()).to_string();
    let material = format!("{unix}|{random}|{path}|{platform}|{version}|{key}");
    let value = format!("{unix}-{random}-{}", crc32(material.as_bytes()));
    (key, value)
}

/// Checks that a query is signed once and rightly, and gives its other pairs.
///
/// Both readings of the path are taken, with the rest of the query and without it. The moment that was signed must be near
/// one of `clocks`, unless there is none.
pub(crate) fn check(path: &str, query: &str, version: &str, clocks: &[i64]) -> Result<Vec<(String, String)>, Refusal> {
    let (signed, rest) = split(query);
    let [pair] = signed.as_slice() else {
        return Err(Refusal::rule("the query is not signed, or more than once"));
    };
    let rest = rest.join("&");
    let (name, value) = pair.split_once('=').unwrap_or_default();
    let parts: Vec<&str> = value.split('-').collect();
    let given = match *parts {
        [unix, random, _] => unix.parse::<i64>().ok().zip(random.parse::<u64>().ok()),
        _ => None,
    };
    let right = |(unix, random): (i64, u64)| {
        let matches = |path: &str| signature(unix, random, path, "web", version) == (name.to_owned(), value.to_owned());
        random <= MOST_RANDOM && (matches(path) || (!rest.is_empty() && matches(&format!("{path}?{rest}"))))
    };
    let Some((unix, _)) = given.filter(|given| right(*given)) else {
        return Err(Refusal::rule("the signature in the query is wrong"));
    };
    if !clocks.is_empty() && !clocks.iter().any(|now| now.abs_diff(unix) <= TOLERANCE) {
        return Err(Refusal::rule(format!("the signature is for {unix}, which is not now")));
    }
    Ok(pairs(&rest))
}

/// Whether a query is signed, rightly or not.
pub(crate) fn is_signed(query: &str) -> bool {
    !split(query).0.is_empty()
}

/// The pairs that look like a signature, and the others.
fn split(query: &str) -> (Vec<&str>, Vec<&str>) {
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .partition(|pair| pair.split_once('=').is_some_and(|(name, _)| numeric(name)))
}

const LETTERS: &[u8; 10] = b"adefghlmyi";
const MOST_RANDOM: u64 = 10_000_000;
/// How many seconds a signature may be from the clock.
const TOLERANCE: u64 = 300;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let vectors: Vec<Value> =
            serde_json::from_str(include_str!("../../../fixtures/vectors/request-sign.json")).unwrap();
        assert_eq!(vectors.len(), 10);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap().to_owned();
            let (key, value) = signature(
                vector["ts"].as_i64().unwrap(),
                vector["rnd"].as_u64().unwrap(),
                &text("path"),
                &text("platform"),
                &text("version"),
            );
            assert_eq!((key, value), (text("key"), text("value")), "{vector}");
        }
    }

    #[test]
    fn a_query_is_signed_once_over_the_path_with_or_without_itself() {
        let pair = |path: &str, random| {
            let (key, value) = signature(1_700_000_000, random, path, "web", "3");
            format!("{key}={value}")
        };
        let (bare, whole) = (pair("/b/api/x", 5), pair("/b/api/x?a=1", 5));
        for good in [bare.clone(), format!("a=1&{bare}"), format!("{bare}&a=1"), format!("a=1&{whole}")] {
            assert!(check("/b/api/x", &good, "3", &[]).is_ok(), "{good}");
        }
        for (bad, version) in [
            ("a=1".to_owned(), "3"),
            (format!("{bare}&{bare}"), "3"),
            (bare.clone(), "139"),
            (pair("/api/x", 5), "3"),
            (pair("/b/api/x", 10_000_001), "3"),
            (format!("{bare}1"), "3"),
        ] {
            assert!(check("/b/api/x", &bad, version, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_signature_is_good_near_one_of_the_clocks() {
        let (key, value) = signature(1_700_000_000, 5, "/b/api/x", "web", "3");
        let query = format!("{key}={value}");
        let at = |clocks: &[i64]| check("/b/api/x", &query, "3", clocks).is_ok();
        assert!(at(&[1_700_000_300]) && at(&[1_699_999_700]) && at(&[0, 1_700_000_001]) && at(&[]));
        assert!(!at(&[1_700_000_301]) && !at(&[1_699_999_699, 0]));
    }
}
