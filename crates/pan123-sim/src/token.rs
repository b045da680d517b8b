//! Access tokens: at most three live ones for each client id, and they expire.

use std::collections::HashMap;

use crate::content::md5_hex;
use crate::simulator::USERNAME;

/// Whose tokens those of the web page are.
pub(crate) const WEB: &str = "web";

/// How many tokens of one client id live at a time.
pub(crate) const LIVE_TOKENS: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) client: String,
    pub(crate) expires: i64,
    serial: u64,
    state: TokenState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenState {
    Live,
    KickedOut,
    Dead,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    known: HashMap<String, Token>,
    issued: u64,
}

impl Tokens {
    /// Makes a token; when the client then has more than [`LIVE_TOKENS`], its oldest is kicked out.
    pub(crate) fn issue(&mut self, client: &str, uid: i64, now: i64, lifetime: i64, secret: u64) -> (String, i64) {
        self.issued += 1;
        let expires = now.saturating_add(lifetime);
        let token = jwt(uid, now, expires, self.issued, secret);
        let live = |token: &Token| token.client == client && token.state == TokenState::Live && token.expires > now;
        while self.known.values().filter(|token| live(token)).count() >= LIVE_TOKENS {
            if let Some(oldest) = self.known.values_mut().filter(|token| live(token)).min_by_key(|token| token.serial) {
                oldest.state = TokenState::KickedOut;
            }
        }
        let state = TokenState::Live;
        self.known.insert(token.clone(), Token { client: client.to_owned(), expires, serial: self.issued, state });
        (token, expires)
    }

    /// The reason for which a token is refused.
    pub(crate) fn check(&self, token: &str, now: i64) -> Result<(), &'static str> {
        match self.known.get(token) {
            None => Err("access token invalid"),
            Some(token) if token.state == TokenState::KickedOut => Err("tokens number has exceeded the limit"),
            Some(token) if token.state == TokenState::Dead || token.expires <= now => Err("access token expired"),
            Some(_) => Ok(()),
        }
    }

    /// For whom a token was made.
    pub(crate) fn client(&self, token: &str) -> Option<&str> {
        self.known.get(token).map(|token| token.client.as_str())
    }

    pub(crate) fn kill(&mut self, token: &str) {
        if let Some(token) = self.known.get_mut(token) {
            token.state = TokenState::Dead;
        }
    }

    pub(crate) fn kill_those_of(&mut self, client: &str) {
        let of_client = self.known.values_mut().filter(|token| token.client == client);
        of_client.for_each(|token| token.state = TokenState::Dead);
    }

    pub(crate) fn kill_all(&mut self) {
        self.known.values_mut().for_each(|token| token.state = TokenState::Dead);
    }

    /// The tokens of a client that are accepted at `now`: their numbers, and when they expire.
    pub(crate) fn live_for(&self, client: &str, now: i64) -> Vec<(u64, i64)> {
        let live = |token: &&Token| token.client == client && token.state == TokenState::Live && token.expires > now;
        let mut live: Vec<(u64, i64)> =
            self.known.values().filter(live).map(|token| (token.serial, token.expires)).collect();
        live.sort_unstable();
        live
    }

    /// Tokens that are accepted at `now`.
    pub(crate) fn live(&self, now: i64) -> usize {
        self.known.values().filter(|token| token.state == TokenState::Live && token.expires > now).count()
    }
}

/// A token in the form of the service's: a JWT whose claims `id` and `username` are the account.
fn jwt(uid: i64, issued: i64, expires: i64, serial: u64, secret: u64) -> String {
    let head = base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = format!(
        r#"{{"id":{uid},"username":"{USERNAME}","nickname":"sim","iat":{issued},"exp":{expires},"jti":{serial}}}"#
    );
    let claims = base64url(claims.as_bytes());
    let signature = base64url(md5_hex(format!("{claims}-{secret}-{serial}").as_bytes()).as_bytes());
    format!("{head}.{claims}.{signature}")
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    base64(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}

/// With padding, and with the two letters that an address would have to escape.
pub(crate) fn base64_standard(bytes: &[u8]) -> String {
    let mut text = base64(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The text that is written in base64, in either alphabet, with or without padding.
pub(crate) fn from_base64(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len()), 0u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, held) = (bits << 6 | u32::from(value), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().enumerate().fold(0u32, |bits, (index, byte)| bits | u32::from(*byte) << (16 - 8 * index));
        for index in 0..=group.len() {
            text.push(char::from(alphabet[(bits >> (18 - 6 * index)) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fourth_token_kicks_out_the_oldest() {
        let mut tokens = Tokens::default();
        let issued: Vec<String> = (0..4).map(|_| tokens.issue("c", 1, 0, 100, 9).0).collect();
        assert_eq!(tokens.check(&issued[0], 1), Err("tokens number has exceeded the limit"));
        assert!(issued[1..].iter().all(|token| tokens.check(token, 1).is_ok()));
        assert_eq!(tokens.check(&issued[3], 100), Err("access token expired"));
        assert_eq!(tokens.check("x", 1), Err("access token invalid"));
    }

    #[test]
    fn expired_tokens_do_not_count_as_live() {
        let mut tokens = Tokens::default();
        let early = tokens.issue("c", 1, 0, 10, 9).0;
        let later: Vec<String> = (0..3).map(|_| tokens.issue("c", 1, 20, 100, 9).0).collect();
        assert_eq!(tokens.check(&early, 20), Err("access token expired"));
        assert!(later.iter().all(|token| tokens.check(token, 21).is_ok()));
    }

    #[test]
    fn base64_without_padding() {
        assert_eq!(base64url(b""), "");
        assert_eq!(base64url(b"f"), "Zg");
        assert_eq!(base64url(b"fo"), "Zm8");
        assert_eq!(base64_standard(b"fo\xff"), "Zm//");
        assert_eq!(base64_standard(b"f"), "Zg==");
        assert_eq!(base64url(b"foob\xff\xfe"), "Zm9vYv_-");
        for (text, plain) in [("", ""), ("Zg", "f"), ("Zg==", "f"), ("5ZCNP34/", "名?~?"), ("5ZCNP34_", "名?~?")] {
            assert_eq!(from_base64(text).as_deref(), Some(plain), "{text}");
        }
        for text in ["Z g", "_-8", "%"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
    }
}
