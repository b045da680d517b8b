//! What a token of the web API says about itself: a JWT, whose middle part can be read without a key.

use pan123_core::{AccountId, Secret, Timestamp, Token, wire};
use serde::Deserialize;

/// The claims of a token, of which any may be missing. Nothing vouches for them but the token's origin.
///
/// Protocol: `web.yaml`, `token`.
#[derive(Default, Deserialize)]
pub(crate) struct Claims {
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    id: u64,
    #[serde(default, rename = "exp", deserialize_with = "wire::time")]
    pub(crate) expires_at: Option<Timestamp>,
}

impl Claims {
    /// Reads the claims of a token; one that is no JWT has none.
    pub(crate) fn of(token: &Secret) -> Self {
        let payload = token.expose().split('.').nth(1).and_then(wire::base64);
        payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    pub(crate) fn account(&self) -> Option<AccountId> {
        (self.id != 0).then(|| AccountId::new(self.id))
    }
}

/// Makes the token of what the service, or a person who copied it, wrote: a `Bearer` in front is dropped, and the end is
/// `expires_at` or else the token's own.
pub(crate) fn token(text: &str, expires_at: Option<Timestamp>) -> Token {
    let text = text.trim();
    let bare = match text.split_once(char::is_whitespace) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => text,
    };
    let token = Token::new(bare);
    match expires_at.or_else(|| Claims::of(token.access()).expires_at) {
        Some(end) => token.with_expiry(end),
        None => token,
    }
}

/// Completes a token that the caller holds.
pub(crate) fn completed(given: Token) -> Token {
    token(given.access().expose(), given.expires_at())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"alg":"HS256"}`, `{"id":1850000001,"username":"13800000000","exp":1790000000}`, and no signature.
    const JWT: &str =
        "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MTg1MDAwMDAwMSwidXNlcm5hbWUiOiIxMzgwMDAwMDAwMCIsImV4cCI6MTc5MDAwMDAwMH0.x";

    #[test]
    fn a_token_tells_its_end_and_its_account() {
        let end = Some(Timestamp::from_unix(1_790_000_000));
        for text in [JWT.to_owned(), format!("Bearer {JWT}"), format!(" bearer  {JWT}\n")] {
            let token = token(&text, None);
            assert_eq!((token.access().expose(), token.expires_at()), (JWT, end));
            assert_eq!(Claims::of(token.access()).account(), Some(AccountId::new(1_850_000_001)));
        }
        let told = Timestamp::from_unix(5);
        assert_eq!(token(JWT, Some(told)).expires_at(), Some(told), "what came beside it counts first");
        assert_eq!(completed(Token::new(JWT)).expires_at(), end);
    }

    #[test]
    fn a_token_that_cannot_be_read_is_used_as_it_is() {
        for text in ["opaque", "a.b.c", "a.!.c", "", "eyJ.eyJ9.x", "x.W10.y", "bearer"] {
            let token = token(text, None);
            assert_eq!((token.access().expose(), token.expires_at()), (text, None));
            assert_eq!(Claims::of(token.access()).account(), None);
        }
    }
}
