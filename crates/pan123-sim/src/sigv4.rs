//! AWS Signature Version 4, as object storage checks it: in the `Authorization` header, or in the query of an address.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::content::hex;

/// What a signature covers.
#[derive(Clone, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// As it was sent.
    pub(crate) path: &'a str,
    /// As it was sent; a signature in it is left out.
    pub(crate) query: &'a str,
    /// The headers that are signed, by their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The SHA-256 of the body in hex, or a word that stands for it.
    pub(crate) payload: &'a str,
}

/// For what a key is derived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    /// `20130524T000000Z`.
    pub(crate) moment: &'a str,
    pub(crate) region: &'a str,
}

impl Scope<'_> {
    /// `20130524/us-east-1/s3/aws4_request`.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}/s3/aws4_request", self.date(), self.region)
    }

    fn date(&self) -> &str {
        self.moment.get(..8).unwrap_or_default()
    }
}

/// The signature in hex.
pub(crate) fn signature(secret: &str, scope: Scope<'_>, signed: &Signed<'_>) -> String {
    let canonical = sha256_hex(canonical(signed).as_bytes());
    let text = format!("{ALGORITHM}\n{}\n{}\n{canonical}", scope.moment, scope.text());
    let key = mac(format!("AWS4{secret}").as_bytes(), scope.date());
    let key = ["s3", "aws4_request"].iter().fold(mac(&key, scope.region), |key, part| mac(&key, part));
    hex(&mac(&key, &text))
}

fn canonical(signed: &Signed<'_>) -> String {
    let mut headers = signed.headers.clone();
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", one_spaced(value))).collect();
    let path = percent_decode_str(signed.path).decode_utf8_lossy();
    let path = path.split('/').map(encode).collect::<Vec<_>>().join("/");
    let (method, query, payload) = (signed.method, canonical_query(signed.query), signed.payload);
    format!("{method}\n{path}\n{query}\n{lines}\n{}\n{payload}", names.join(";"))
}

fn canonical_query(query: &str) -> String {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(&decode(name)), encode(&decode(value))))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn one_spaced(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Escapes all but letters, digits and four signs.
pub(crate) fn encode(text: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, ESCAPED).to_string()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The one algorithm.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Stands for a body that is not signed.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const MOMENT: &str = "20130524T000000Z";

    fn signed(method: &str, path: &str, query: &str, headers: &[(&str, &str)], payload: &str) -> String {
        let all = [("host", "examplebucket.s3.amazonaws.com")].iter().chain(headers);
        let headers = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let scope = Scope { moment: MOMENT, region: "us-east-1" };
        signature(SECRET, scope, &Signed { method, path, query, headers, payload })
    }

    #[test]
    fn signatures_are_those_that_aws_published() {
        let content = |payload| [("x-amz-content-sha256", payload), ("x-amz-date", MOMENT)];
        assert_eq!(
            signed("GET", "/test.txt", "", &[&[("range", "bytes=0-9")], &content(EMPTY)[..]].concat(), EMPTY),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let body = sha256_hex(b"Welcome to Amazon S3.");
        let more = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
        assert_eq!(
            signed("PUT", "/test%24file.text", "", &[&more[..], &content(&body)[..]].concat(), &body),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            signed("GET", "/", "lifecycle", &content(EMPTY), EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signed("GET", "/", "max-keys=2&prefix=J", &content(EMPTY), EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
            &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host";
        let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert_eq!(signed("GET", "/test.txt", query, &[], UNSIGNED), signature);
        let with_itself = format!("{query}&X-Amz-Signature={signature}");
        assert_eq!(signed("GET", "/test.txt", &with_itself, &[], UNSIGNED), signature);
    }
}
