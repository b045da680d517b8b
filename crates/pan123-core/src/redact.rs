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
    let (mut after_bearer, mut owes) = (false, Owes::Nothing);
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let is_bearer = word.trim_matches(|c: char| !c.is_ascii_alphabetic()).eq_ignore_ascii_case("bearer");
        owes = match owes {
            // The scheme says that the secret is the next word.
            Owes::Value if is_bearer => push_word(&mut out, word),
            Owes::Separator if !word.starts_with(['=', ':']) => push_word(&mut out, word),
            Owes::Separator if word.len() == 1 => {
                out.push_str(word);
                Owes::Value
            }
            Owes::Value | Owes::Separator => {
                out.push_str(STRUCK);
                Owes::Nothing
            }
            Owes::Nothing if after_bearer => {
                out.push_str(STRUCK);
                Owes::Nothing
            }
            Owes::Nothing => push_word(&mut out, word),
        };
        after_bearer = is_bearer;
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

/// What a word has left for the next ones.
#[derive(Clone, Copy)]
enum Owes {
    Nothing,
    /// It ended in the name of a secret: a separator and the value may follow.
    Separator,
    /// It ended in a name and its separator.
    Value,
}

fn push_word(out: &mut String, word: &str) -> Owes {
    match word.find("://").and_then(|scheme| word[scheme..].find('?').map(|query| scheme + query)) {
        Some(query) => {
            push_plain(out, &word[..query]);
            out.push('?');
            out.push_str(STRUCK);
            Owes::Nothing
        }
        None => push_plain(out, word),
    }
}

/// Appends a word that is no URL with a query: values of secret names and JWTs go.
fn push_plain(out: &mut String, word: &str) -> Owes {
    let lower = word.to_ascii_lowercase();
    let is_quote = |c: char| c == '"' || c == '\'' || c == '\\';
    // Offsets in the lower-cased copy are those of the word: ASCII lower-casing keeps them.
    let named = SECRET_NAMES.iter().flat_map(|name| lower.match_indices(name).map(|(start, _)| start + name.len()));
    // Where each name is at its end: nothing behind it, a separator at the end, or a value.
    let (mut value, mut owes) = (None::<usize>, Owes::Nothing);
    for end in named {
        let rest = word[end..].trim_start_matches(is_quote);
        match rest.strip_prefix(['=', ':']) {
            Some(rest) if rest.trim_start_matches(is_quote).is_empty() => owes = Owes::Value,
            Some(rest) => {
                value = Some(value.map_or(word.len() - rest.len(), |found| found.min(word.len() - rest.len())))
            }
            None if rest.is_empty() && !matches!(owes, Owes::Value) => owes = Owes::Separator,
            None => {}
        }
    }
    match (value, word.find("eyJ")) {
        (Some(start), _) | (None, Some(start)) => {
            out.push_str(&word[..start]);
            out.push_str(STRUCK);
            Owes::Nothing
        }
        (None, None) => {
            out.push_str(word);
            owes
        }
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
            ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
            ("password: hunter2 was wrong", "password: [redacted] was wrong"),
            ("password : hunter2", "password : [redacted]"),
            ("password :hunter2", "password [redacted]"),
            (r#""password" : "abc""#, r#""password" : [redacted]"#),
            (r#"{"access_token": "s3cr3t"}"#, r#"{"access_token": [redacted]"#),
            (r#"{"token_type":"bearer","token":"s3cr3t"}"#, r#"{"token_type":"bearer","token":[redacted]"#),
            ("token_type=bearer&token=s3cr3t", "token_type=bearer&token=[redacted]"),
            ("the token was refused", "the token was refused"),
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
