//! Getting an access token for a developer's own drive.

use pan123_core::{Effect, Error, Meta, Reply, Result, Secret, Timestamp, Token, operation, wire};
use serde::Deserialize;

operation! {
    /// Exchanges a client id and client secret for an access token.
    ///
    /// The token lasts 30 days and comes without a refresh token: ask again shortly before it ends. Each call makes
    /// another live token, and the service keeps 3 for each client id; a fourth pushes the oldest out, whose users then
    /// meet [`Unauthorized`](pan123_core::ErrorKind::Unauthorized). So do not send this for every job: let a client keep
    /// the token, and let processes share a store.
    ///
    /// It is sent again after a lost answer: at worst one more of the three is used up, which is better than a program that
    /// cannot start because a gateway stumbled.
    ///
    /// An expiry that is missing or cannot be read is `None`; such a token is used until it is refused.
    ///
    /// Protocol: `open-files.yaml`, `auth.access_token`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](pan123_core::ErrorKind::Unauthorized) for every refusal, with the service's text;
    /// [`LoginChallenge`](pan123_core::ErrorKind::LoginChallenge) when it wants a person to prove who they are.
    pub struct AccessToken => Token = Meta::post("open/auth.access_token", "/api/v1/access_token").anonymous().effect(Effect::Same);
    {
        /// The client id, from the service's developer page.
        json "clientID": client_id: String,
        /// The client secret.
        json_secret "clientSecret": client_secret: Secret,
    }

    fn validate(&self) -> Result<()> {
        if self.client_id.trim().is_empty() {
            return Err(Error::invalid("the client id is empty"));
        }
        if self.client_secret.is_empty() {
            return Err(Error::invalid("the client secret is empty"));
        }
        Ok(())
    }

    fn decode(&self, reply: Reply) -> Result<Token> {
        let issued: Issued = reply.data()?;
        let token = Token::new(issued.token.0);
        Ok(match issued.expires_at {
            Some(end) => token.with_expiry(end),
            None => token,
        })
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a token")]
struct Issued {
    #[serde(rename = "accessToken")]
    token: Filled,
    #[serde(default, rename = "expiredAt", deserialize_with = "wire::time")]
    expires_at: Option<Timestamp>,
}

/// Text that is not empty. Its error does not quote it.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Filled(Secret);

impl TryFrom<String> for Filled {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() { Err("the access token is empty") } else { Ok(Self(text.into())) }
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn credentials_must_be_there_and_are_not_shown() {
        for (id, secret, ok) in
            [("id", "secret", true), ("", "secret", false), (" ", "secret", false), ("id", "", false)]
        {
            assert_eq!(AccessToken::new(id, secret).validate().is_ok(), ok, "{id:?} {secret:?}");
        }
        let shown = format!("{:?}", AccessToken::new("id", "planted"));
        assert!(!shown.contains("planted"), "{shown}");
        assert!(AccessToken::new("id", "secret").is_repeatable());
    }
}
