//! The token broker: a third party that refreshes tokens for users who have no app of their own.

use std::time::Duration;

use pan123_core::{Effect, Error, ErrorKind, Meta, Reply, Result, Role, Secret, Shape, Target, Token, operation, wire};
use serde::Deserialize;
use url::Url;

use super::oauth::{Issued, SUCCESS, check_filled};

operation! {
    /// Asks a broker for the address of the page on which the user grants access to the broker's app.
    ///
    /// The page leads back to the broker, which shows the tokens; [`BrokerGrant`] reads them. A broker can also trade a
    /// client id and secret for a token; that is not here, because it shows the secret to a stranger, and
    /// [`AccessToken`](super::auth::AccessToken) does the same without one.
    ///
    /// A broker is no part of 123Pan: it sees every token that it hands on. Its address is the caller's choice.
    ///
    /// Protocol: `open-files.yaml`, `oplist.requests`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) with the broker's text when it refuses.
    pub struct GrantAddress => Url = Meta::get("open/oplist.requests", "/123cloud/requests")
        .role(Role::Data)
        .anonymous()
        .shape(Shape::Flat)
        .success(SUCCESS);
    {
        /// The whole address of the call, such as `https://broker.example/123cloud/requests`.
        local: address: Url,
    }
    fixed {
        query "server_use": "true",
        query "driver_txt": DRIVER,
    }

    fn validate(&self) -> Result<()> {
        check_address(&self.address)
    }

    fn target(&self) -> Target {
        Target::Url(self.address.clone())
    }

    fn decode(&self, reply: Reply) -> Result<Url> {
        let error = reply.error(ErrorKind::Decode, "the broker gave no address of a page");
        let Asked { text } = reply.flat()?;
        Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(error)
    }
}

#[derive(Deserialize)]
struct Asked {
    text: String,
}

operation! {
    /// Lets a broker refresh a pair of tokens.
    ///
    /// The refresh token works once and travels in the address to a third party. As with
    /// [`RefreshToken`](super::oauth::RefreshToken) it is never sent again after it may have arrived, and redirects are
    /// not followed. A client does this on its own: see [`ClientBuilder::broker`](crate::ClientBuilder::broker).
    ///
    /// Older brokers do not say how long the access token lasts, see [`Issued::expires_in`].
    ///
    /// Protocol: `open-files.yaml`, `oplist.renewapi`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) for every refusal, with the broker's text: the user must get a new
    /// refresh token. [`Error::may_have_happened`] when the answer was lost.
    pub struct Renew => Issued = Meta::get("open/oplist.renewapi", "/123cloud/renewapi")
        .role(Role::Data)
        .anonymous()
        .effect(Effect::Once)
        .shape(Shape::Flat)
        .success(SUCCESS);
    {
        /// The whole address of the call, such as `https://broker.example/123cloud/renewapi`.
        local: address: Url,
        /// The refresh token.
        query_secret "refresh_ui": refresh_token: Secret,
    }
    fixed {
        query "server_use": "true",
        query "driver_txt": DRIVER,
    }

    fn validate(&self) -> Result<()> {
        check_address(&self.address)?;
        check_filled(self.refresh_token.expose(), "the refresh token")
    }

    fn target(&self) -> Target {
        Target::Url(self.address.clone())
    }

    fn decode(&self, reply: Reply) -> Result<Issued> {
        reply.flat()
    }
}

/// What a broker's page shows after a grant: the pair of tokens, in the fragment of the page's address.
///
/// Protocol: `open-files.yaml`, `oplist.callback`.
///
/// # Example
///
/// ```
/// use pan123_open::ops::broker::BrokerGrant;
///
/// // {"access_token":"a","refresh_token":"r","expires_in":7200}
/// let shown = "https://broker.example/#eyJhY2Nlc3NfdG9rZW4iOiJhIiwicmVmcmVzaF90b2tlbiI6InIiLCJleHBpcmVzX2luIjo3MjAwfQ==";
/// let grant = BrokerGrant::from_address(shown)?;
/// assert_eq!(grant.refresh_token.expose(), "r");
/// # Ok::<(), pan123_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokerGrant {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, for [`ClientBuilder::broker`](crate::ClientBuilder::broker).
    pub refresh_token: Secret,
    /// How long the access token lasted when the page was shown.
    pub expires_in: Option<Duration>,
}

impl BrokerGrant {
    /// Reads the address of the page, or what stands behind its `#`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when there is no pair of tokens in it. Nothing of the address is in the error.
    pub fn from_address(address: &str) -> Result<Self> {
        let bad = || Error::new(ErrorKind::Decode, "there is no pair of tokens in the address of the broker's page");
        let fragment = address.rsplit('#').next().unwrap_or_default().trim();
        let fragment = percent_decoded(fragment);
        let issued: Issued =
            wire::base64(&fragment).and_then(|json| serde_json::from_slice(&json).ok()).ok_or_else(bad)?;
        let refresh_token = issued.refresh_token.ok_or_else(bad)?;
        Ok(Self { access_token: issued.access_token, refresh_token, expires_in: issued.expires_in })
    }

    /// Makes the token that a client keeps, of a page that was shown at `shown`.
    pub fn into_token(self, shown: pan123_core::Timestamp) -> Token {
        let expires_in = self.expires_in.unwrap_or(super::oauth::SHORT_LIFETIME);
        Token::new(self.access_token).with_expiry(shown.plus(expires_in)).with_refresh(self.refresh_token)
    }
}

/// Browsers may write the letters of Base64 that are no letters as `%3D` and the like.
fn percent_decoded(fragment: &str) -> String {
    ["%2B+", "%2F/", "%3D=", "%2b+", "%2f/", "%3d="]
        .iter()
        .fold(fragment.to_owned(), |text, escape| text.replace(&escape[..3], &escape[3..]))
}

fn check_address(address: &Url) -> Result<()> {
    if matches!(address.scheme(), "http" | "https") && address.has_host() {
        return Ok(());
    }
    Err(Error::invalid("the broker's address must begin with http:// or https://"))
}

/// The broker's name for OAuth of 123Pan.
const DRIVER: &str = "123cloud_oa";

#[cfg(test)]
mod tests {
    use pan123_core::{Operation, Timestamp};

    use super::*;

    /// The example of the reference.
    const FRAGMENT: &str = "eyJhY2Nlc3NfdG9rZW4iOiJleUpoYkdjaU9pLm9hdXRoLnRva2VuIiwicmVmcmVzaF90b2tlbiI6IlpNWTVFWEFNUExFUkVGUkVTSCIsImV4cGlyZXNfaW4iOjcyMDAsImRyaXZlcl90eHQiOiIxMjNjbG91ZF9vYSIsInNlcnZlcl91c2UiOnRydWV9";

    #[test]
    fn the_page_of_a_broker_is_read_in_every_form() {
        for address in [
            format!("https://broker.example/#{FRAGMENT}"),
            format!("/#{FRAGMENT}"),
            FRAGMENT.to_owned(),
            format!("#{FRAGMENT}\n"),
        ] {
            let grant = BrokerGrant::from_address(&address).expect("a pair");
            assert_eq!(grant.access_token.expose(), "eyJhbGciOi.oauth.token");
            assert_eq!(grant.refresh_token.expose(), "ZMY5EXAMPLEREFRESH");
            assert_eq!(grant.expires_in, Some(Duration::from_secs(7200)));
            assert_eq!(grant.into_token(Timestamp::from_unix(1)).expires_at(), Some(Timestamp::from_unix(7201)));
        }
        // {"access_token":"planted"} has nothing to refresh with.
        for address in ["", "#", "https://broker.example/", "#eyJhY2Nlc3NfdG9rZW4iOiJwbGFudGVkIn0%3D", "#!!!"] {
            let error = BrokerGrant::from_address(address).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{address}");
            assert!(!format!("{error:?}").contains("planted"));
        }
    }

    #[test]
    fn a_refresh_by_a_broker_is_sent_once_to_an_address_of_the_web() {
        let renew = |address: &str| Renew::new(Url::parse(address).expect("an address"), "planted");
        assert!(renew("https://broker.example/123cloud/renewapi").validate().is_ok());
        assert!(renew("ftp://broker.example/x").validate().is_err());
        assert!(!renew("http://127.0.0.1:1/x").is_repeatable());
        assert!(!format!("{:?}", renew("http://127.0.0.1:1/x")).contains("planted"));
        assert!(GrantAddress::new(Url::parse("file:///x").expect("an address")).validate().is_err());
    }
}
