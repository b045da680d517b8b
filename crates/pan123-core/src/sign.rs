//! Request signing: the query pair that the service's web face puts on every call, as a pure function.

use std::borrow::Cow;

use jiff::tz::Offset;

use crate::{Runtime, Timestamp, runtime::random_u64, time::UTC_PLUS_8};

/// Signs requests as the service's web pages do: one query pair, whose name changes every minute.
///
/// It is a pure function of the moment, a random number and the path; nothing in it is secret. The service has been
/// seen to answer unsigned calls too, so the clients that sign can be told not to.
///
/// Protocol: `web.yaml`, `signing`; `share.yaml`, `request_signature`.
///
/// # Example
///
/// ```
/// use pan123_core::{RequestSigner, Timestamp};
///
/// let signer = RequestSigner::new("web", "3");
/// let (name, value) = signer.pair("/b/api/file/list/new", Timestamp::from_unix(1_767_196_800), 1_234_567);
/// assert_eq!(name, "2543441651");
/// assert_eq!(value, "1767196800-1234567-3144878440");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSigner {
    platform: Cow<'static, str>,
    version: Cow<'static, str>,
}

/// The largest random number in a signature.
pub const MOST_RANDOM: u32 = 10_000_000;

/// What the service says of a signature that it does not accept, such as one of a clock that is wrong.
pub(crate) const SIGNATURE_REFUSED: &str = "签名错误";

/// The letters that stand for the ten digits of the minute.
const LETTERS: [char; 10] = ['a', 'd', 'e', 'f', 'g', 'h', 'l', 'm', 'y', 'i'];

impl RequestSigner {
    /// Signs for a platform and a version, which are what the headers `platform` and `app-version` say.
    pub fn new(platform: impl Into<Cow<'static, str>>, version: impl Into<Cow<'static, str>>) -> Self {
        Self { platform: platform.into(), version: version.into() }
    }

    /// Returns the name and the value of the query pair.
    ///
    /// `path` is the path of the address with its prefix (`/b/api/…`), without host and query. `random` lies in
    /// 0..=[`MOST_RANDOM`].
    pub fn pair(&self, path: &str, now: Timestamp, random: u32) -> (String, String) {
        let name = crc32(letters(now).as_bytes());
        let (unix, platform, version) = (now.unix(), &self.platform, &self.version);
        let material = format!("{unix}|{random}|{path}|{platform}|{version}|{name}");
        (name.to_string(), format!("{unix}-{random}-{}", crc32(material.as_bytes())))
    }

    /// Returns the pair for a random number of `runtime`.
    pub fn sign(&self, path: &str, now: Timestamp, runtime: &dyn Runtime) -> (String, String) {
        let random = random_u64(runtime) % (u64::from(MOST_RANDOM) + 1);
        self.pair(path, now, u32::try_from(random).expect("the remainder is small"))
    }
}

/// Writes the minute, on the service's clock, in letters.
fn letters(now: Timestamp) -> String {
    let there = jiff::Timestamp::from_second(now.unix().saturating_add(UTC_PLUS_8)).unwrap_or_default();
    let minute = Offset::UTC.to_datetime(there).strftime("%Y%m%d%H%M").to_string();
    minute.bytes().filter(u8::is_ascii_digit).map(|digit| LETTERS[usize::from(digit - b'0')]).collect()
}

/// CRC-32 as in zlib. Some 80 bytes for each request: a table would not pay.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vector {
        ts: i64,
        rnd: u32,
        path: String,
        platform: String,
        version: String,
        clock: String,
        mapped: String,
        key: String,
        value: String,
    }

    #[test]
    fn every_vector_of_the_reference_is_signed_as_it_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors/request-sign.json");
        let vectors: Vec<Vector> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(vectors.len(), 10);
        for vector in vectors {
            let now = Timestamp::from_unix(vector.ts);
            assert_eq!(letters(now), vector.mapped, "{}", vector.clock);
            let signer = RequestSigner::new(vector.platform, vector.version);
            assert_eq!(signer.pair(&vector.path, now, vector.rnd), (vector.key, vector.value), "{}", vector.path);
        }
    }

    #[test]
    fn a_clock_that_is_out_of_its_mind_does_not_panic() {
        for unix in [i64::MIN, i64::MAX, -1] {
            assert_eq!(letters(Timestamp::from_unix(unix)).len(), 12);
        }
    }
}
