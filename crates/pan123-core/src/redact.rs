//! Striking secrets out of text that somebody else wrote.

/// The longest text kept of a foreign message, in characters.
const LONGEST: usize = 512;

/// What stands where a secret stood.
const STRUCK: &str = "[redacted]";

/// Names whose value is struck out wherever `name=value`, `name: value` or `"name":"value"` occurs.
const SECRET_NAMES: [&str; 17] = [
    "auth_key",
    "access_token",
    "accesstoken",
    "refresh_token",
    "refresh_ui",
    "client_secret",
    "clientsecret",
    "client_key",
    "password",
    "sharepwd",
    "authorization",
    "authortoken",
    "cookie",
    "signature",
    "x-amz-signature",
    "x-amz-security-token",
    "token",
];

/// Returns `text` on one line, bounded, without URL queries, bearer tokens, JWTs or values of secret names.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST * 4));
    let mut after_bearer = false;
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if after_bearer {
            out.push_str(STRUCK);
        } else {
            push_word(&mut out, word);
        }
        after_bearer = word.trim_matches(|c: char| !c.is_ascii_alphabetic()).eq_ignore_ascii_case("bearer");
    }
    match out.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            out.truncate(end);
            out.push('…');
            out
        }
        None => out,
    }
}

/// Returns `text` with every one of `secrets` struck out, as written and percent-encoded.
pub(crate) fn exact(text: &str, secrets: &[&str]) -> String {
    let mut out = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        out = out.replace(secret, STRUCK);
        let encoded = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        out = out.replace(&encoded, STRUCK);
    }
    out
}

/// Returns what a JSON parser says, without the text that it quotes from the document.
pub(crate) fn json_error(cause: &serde_json::Error) -> String {
    let said = cause.to_string();
    let quoted = |open: &str, close: char| {
        let start = said.find(open)? + open.len();
        // The quoted text may hold anything, so it ends at the last mark of its kind before the parser's own words.
        let rest = &said[start..];
        let end = rest.find(", expected").map_or(rest.len(), |words| words);
        let end = start + rest[..end].rfind(close)?;
        Some(format!("{}{STRUCK}{}", &said[..start], &said[end..]))
    };
    quoted("string \"", '"').or_else(|| quoted("unknown variant `", '`')).unwrap_or(said)
}

/// Returns a URL without its query, fragment and user information.
pub fn url(url: &url::Url) -> String {
    let mut shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        shown.push_str(&format!(":{port}"));
    }
    shown.push_str(url.path());
    shown
}

fn push_word(out: &mut String, word: &str) {
    let word = match word.find("://").and_then(|scheme| word[scheme..].find('?').map(|query| scheme + query)) {
        Some(query) => {
            push_plain(out, &word[..query]);
            out.push('?');
            out.push_str(STRUCK);
            return;
        }
        None => word,
    };
    push_plain(out, word);
}

/// Appends a word that is no URL with a query: values of secret names and JWTs go.
fn push_plain(out: &mut String, word: &str) {
    let lower = word.to_ascii_lowercase();
    // `find` works on the lower-cased copy; ASCII lower-casing keeps every offset.
    let value_of = |name: &str| {
        let after = lower.find(name)? + name.len();
        let rest = &word[after..];
        let separator = rest.find(|c: char| c != '"' && c != '\'' && c != '\\')?;
        (rest[separator..].starts_with(['=', ':'])).then_some(after + separator + 1)
    };
    if let Some(value) = SECRET_NAMES.iter().filter_map(|name| value_of(name)).min() {
        out.push_str(&word[..value]);
        out.push_str(STRUCK);
    } else if let Some(start) = word.find("eyJ") {
        out.push_str(&word[..start]);
        out.push_str(STRUCK);
    } else {
        out.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::{exact, json_error, text};

    #[test]
    fn secrets_are_struck_out_of_foreign_text() {
        for (given, want) in [
            ("file not found", "file not found"),
            ("GET https://h/a?auth_key=1-2-3-4 failed", "GET https://h/a?[redacted] failed"),
            ("Authorization: Bearer abc.def", "Authorization:[redacted] Bearer [redacted]"),
            ("token eyJhbGciOi.abc is bad", "token [redacted] is bad"),
            (r#"{"client_secret":"x","a":1}"#, r#"{"client_secret":[redacted]"#),
            ("access_token=abc", "access_token=[redacted]"),
            ("two\nlines", "two lines"),
            ("文件不存在", "文件不存在"),
        ] {
            assert_eq!(text(given), want);
        }
    }

    #[test]
    fn a_parser_does_not_quote_the_document() {
        #[derive(Debug, serde::Deserialize)]
        struct Data {
            #[expect(dead_code, reason = "only its type matters")]
            id: u64,
        }
        #[derive(Debug, serde::Deserialize)]
        enum Kind {}
        for json in [r#""planted\", expected \"x""#, r#"{"id":"planted"}"#, "\"planted\"", r#"["planted"]"#] {
            let said = json_error(&serde_json::from_str::<Data>(json).unwrap_err());
            assert!(!said.contains("planted") && !said.is_empty(), "{said}");
        }
        let said = json_error(&serde_json::from_str::<Kind>("\"planted\"").unwrap_err());
        assert!(!said.contains("planted"), "{said}");
        let said = json_error(&serde_json::from_str::<Data>("{}").unwrap_err());
        assert_eq!(said, "missing field `id` at line 1 column 2");
    }

    #[test]
    fn long_text_is_bounded() {
        assert_eq!(text(&"长".repeat(2000)).chars().count(), 513);
    }

    #[test]
    fn a_known_secret_goes_whatever_its_shape() {
        assert_eq!(exact("key s3cr/t and s3cr%2Ft", &["s3cr/t"]), "key [redacted] and [redacted]");
    }
}
