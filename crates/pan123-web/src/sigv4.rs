//! Signature Version 4 of AWS, in the form in which an address carries it: a pure function of keys, time and address.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use pan123_core::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use url::Url;

use crate::ops::uploads::StorageKeys;

/// Who signs, for what, and when.
pub(crate) struct Signing<'a> {
    pub(crate) keys: &'a StorageKeys,
    pub(crate) region: &'a str,
    pub(crate) now: Timestamp,
    /// For how many seconds the address shall work.
    pub(crate) lifetime: u32,
}

/// All bytes that a signed address writes as they are.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

const SERVICE: &str = "s3";

impl Signing<'_> {
    /// Returns the address of an object, `path` being its bucket and key, with the permission for one `method` in its query.
    ///
    /// The body is not signed, because it is read while it is sent; what arrived is compared by its ETag. `None` when `endpoint`
    /// cannot be the base of an address.
    pub(crate) fn presign(&self, method: &str, endpoint: &Url, path: &[&str], query: &[(&str, &str)]) -> Option<Url> {
        let mut url = endpoint.clone();
        let base = endpoint.path().trim_end_matches('/').to_owned();
        let path = path.iter().fold(base, |path, part| format!("{path}/{}", encoded_path(part)));
        url.set_path(&path);
        let host = match (url.host_str()?, url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let (date, moment) = written(self.now);
        let scope = format!("{date}/{}/{SERVICE}/aws4_request", self.region);
        let credential = format!("{}/{scope}", self.keys.access_key_id.expose());
        let lifetime = self.lifetime.to_string();
        let mut pairs = query.to_vec();
        pairs.extend([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &moment),
            ("X-Amz-Expires", &lifetime),
            ("X-Amz-SignedHeaders", "host"),
        ]);
        if !self.keys.session_token.is_empty() {
            pairs.push(("X-Amz-Security-Token", self.keys.session_token.expose()));
        }
        let query = canonical_query(&pairs);
        let request = format!("{method}\n{}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", url.path());
        let key = signing_key(self.keys.secret_access_key.expose(), &date, self.region, SERVICE);
        let signature = signature(&key, &moment, &scope, &request);
        url.set_query(Some(&format!("{query}&X-Amz-Signature={signature}")));
        Some(url)
    }
}

/// Writes a moment as `20130524` and `20130524T000000Z`.
fn written(now: Timestamp) -> (String, String) {
    let moment: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let date = moment.split('T').next().unwrap_or_default().to_owned();
    (date, moment)
}

/// Encodes a key, whose slashes stay.
fn encoded_path(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(encoded).collect();
    parts.join("/")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn canonical_query(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<(String, String)> = pairs.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> [u8; 32] {
    let start = hmac(format!("AWS4{secret}").as_bytes(), date);
    [region, service, "aws4_request"].iter().fold(start, |key, text| hmac(&key, text))
}

/// Signs a canonical request.
fn signature(key: &[u8], moment: &str, scope: &str, request: &str) -> String {
    let hash = hex(&Sha256::digest(request.as_bytes()));
    hex(&hmac(key, &format!("{ALGORITHM}\n{moment}\n{scope}\n{hash}")))
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of AWS's examples for S3, and that of its test suite.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const SUITE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// SHA-256 of nothing.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn keys(session_token: &str) -> StorageKeys {
        StorageKeys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: SECRET.into(),
            session_token: session_token.into(),
            expires_at: None,
        }
    }

    #[test]
    fn the_example_of_a_presigned_address_is_signed_as_aws_publishes_it() {
        let keys = keys("");
        let now = Timestamp::parse("2013-05-24T00:00:00Z").unwrap();
        let signing = Signing { keys: &keys, region: "us-east-1", now, lifetime: 86_400 };
        let endpoint = Url::parse("https://examplebucket.s3.amazonaws.com").unwrap();
        let url = signing.presign("GET", &endpoint, &["test.txt"], &[]).unwrap();
        assert_eq!(
            url.as_str(),
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
             &X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn the_key_of_the_examples_is_derived_as_aws_publishes_it() {
        let key = signing_key(SUITE_SECRET, "20150830", "us-east-1", "iam");
        assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn canonical_requests_of_the_examples_are_signed_as_aws_publishes_them() {
        let s3 = signing_key(SECRET, "20130524", "us-east-1", "s3");
        let suite = signing_key(SUITE_SECRET, "20150830", "us-east-1", "service");
        let (s3_moment, s3_scope) = ("20130524T000000Z", "20130524/us-east-1/s3/aws4_request");
        let host = "host:examplebucket.s3.amazonaws.com";
        for (key, moment, scope, request, want) in [
            (
                &suite,
                "20150830T123600Z",
                "20150830/us-east-1/service/aws4_request",
                format!(
                    "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n{EMPTY}"
                ),
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                &s3,
                s3_moment,
                s3_scope,
                format!(
                    "GET\n/test.txt\n\n{host}\nrange:bytes=0-9\nx-amz-content-sha256:{EMPTY}\nx-amz-date:{s3_moment}\n\n\
                     host;range;x-amz-content-sha256;x-amz-date\n{EMPTY}"
                ),
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                &s3,
                s3_moment,
                s3_scope,
                format!(
                    "GET\n/\n{}\n{host}\nx-amz-content-sha256:{EMPTY}\nx-amz-date:{s3_moment}\n\n\
                     host;x-amz-content-sha256;x-amz-date\n{EMPTY}",
                    canonical_query(&[("prefix", "J"), ("max-keys", "2")])
                ),
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
            (
                &s3,
                s3_moment,
                s3_scope,
                format!(
                    "PUT\n/{}\n\ndate:Fri, 24 May 2013 00:00:00 GMT\n{host}\nx-amz-content-sha256:{}\nx-amz-date:{s3_moment}\n\
                     x-amz-storage-class:REDUCED_REDUNDANCY\n\n\
                     date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class\n{}",
                    encoded_path("test$file.text"),
                    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
                    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
                ),
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
        ] {
            assert_eq!(signature(key, moment, scope, &request), want, "{request}");
        }
    }

    #[test]
    fn the_storage_is_addressed_by_path_and_the_token_is_part_of_what_is_signed() {
        let keys = keys("session/token+1=");
        let now = Timestamp::from_unix(1_800_000_000);
        let signing = Signing { keys: &keys, region: "123pan", now, lifetime: 3600 };
        let endpoint = Url::parse("http://127.0.0.1:8080/").unwrap();
        let query = [("partNumber", "2"), ("uploadId", "2~a b")];
        let url = signing.presign("PUT", &endpoint, &["123-100", "0f34/1-0/秋 (1)"], &query).unwrap();
        assert_eq!(url.path(), "/123-100/0f34/1-0/%E7%A7%8B%20%281%29");
        let query = url.query().unwrap();
        assert!(query.contains("X-Amz-Security-Token=session%2Ftoken%2B1%3D&"), "{query}");
        assert!(query.contains("&partNumber=2&uploadId=2~a%20b&"), "{query}");
        assert!(
            query.contains("EXAMPLE%2F20270115%2F123pan%2Fs3%2Faws4_request&X-Amz-Date=20270115T080000Z"),
            "{query}"
        );
        // Computed by another implementation.
        assert!(
            query.ends_with("&X-Amz-Signature=cc6adca4acebca8bc9e7fb633d6d0daf54f13b3262f68fefa5045a465422743a"),
            "{query}"
        );
    }
}
