//! OAuth: how a user grants an app access to the drive, and how the app gets and refreshes its tokens.

use std::{borrow::Cow, time::Duration};

use http::header;
use pan123_core::{
    Effect, Error, ErrorKind, Meta, Reply, Result, Runtime, Secret, Shape, Timestamp, Token, operation, wire,
};
use serde::{Deserialize, Deserializer, de};
use url::Url;

/// What every app asks for; the service knows no other choice.
///
/// Protocol: `open-files.yaml`, `oauth.authorize_page`.
pub const SCOPE: &str = "user:base,file:all:read,file:all:write";

/// The page on which users grant access. Until mid-2026 it was on www.123pan.com, which now answers 404.
///
/// Protocol: `open-files.yaml`, HOSTS, oauth-page.
pub const GRANT_PAGE: &str = "https://yun.123pan.com/auth";

/// How long a refresh token can be used: 90 days. It works once.
///
/// Protocol: `open-files.yaml`, TOKEN RULES.
pub const REFRESH_LIFETIME: Duration = Duration::from_secs(90 * 24 * 3600);

/// The address of the page on which a user grants an app access.
///
/// It is no call: open it in the user's browser. The service sends the browser back to the redirect address, which
/// [`Granted::from_redirect`] reads.
///
/// Protocol: `open-files.yaml`, `oauth.authorize_page`.
///
/// # Example
///
/// ```
/// use pan123_core::TokioRuntime;
/// use pan123_open::ops::oauth::{AuthState, AuthorizePage};
///
/// let state = AuthState::random(&TokioRuntime);
/// let page = AuthorizePage::new("app-id", "https://app.example.org/cb", state.clone());
/// let address = page.url();
/// assert!(address.as_str().starts_with("https://yun.123pan.com/auth?client_id=app-id&redirect_uri=https%3A%2F%2F"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizePage {
    page: Url,
    app_id: String,
    redirect: String,
    state: AuthState,
}

impl AuthorizePage {
    /// Makes the address.
    ///
    /// - `app_id`: the app's id, which the service gives to vetted companies.
    /// - `redirect`: the address to come back to, as it was registered for the app.
    /// - `state`: comes back with the code, and shows that the answer belongs to this question.
    pub fn new(app_id: impl Into<String>, redirect: impl Into<String>, state: AuthState) -> Self {
        let page = Url::parse(GRANT_PAGE).expect("the address is a constant");
        Self { page, app_id: app_id.into(), redirect: redirect.into(), state }
    }

    /// Uses the page at another address; [`GRANT_PAGE`] unless told.
    #[must_use]
    pub fn page(self, page: Url) -> Self {
        Self { page, ..self }
    }

    /// Returns the address to open in the browser.
    pub fn url(&self) -> Url {
        let mut url = self.page.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.app_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", SCOPE)
            .append_pair("state", self.state.as_str());
        url
    }
}

/// What ties the answer of the grant page to the question: a stranger's code does not come with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthState(String);

impl AuthState {
    /// Makes one that nobody can guess, of 128 random bits.
    pub fn random(runtime: &dyn Runtime) -> Self {
        let mut bytes = [0; 16];
        runtime.random(&mut bytes);
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for AuthState {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for AuthState {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The code that a user's grant gave, for [`TokenByCode`]. It works once, and for minutes only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Granted {
    /// The code.
    pub code: Secret,
    /// What came back as state.
    pub state: Option<AuthState>,
}

impl Granted {
    /// Reads the address to which the service sent the browser back, and checks that it answers `state`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] when the state is another or missing (drop the answer: somebody else may have made it), or when
    /// the user refused, with the service's text.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_open::ops::oauth::{AuthState, Granted};
    ///
    /// let back = "https://app.example.org/cb?code=NGE0EXAMPLECODE&state=xyz".parse()?;
    /// assert_eq!(Granted::from_redirect(&back, &AuthState::from("xyz"))?.code.expose(), "NGE0EXAMPLECODE");
    /// assert!(Granted::from_redirect(&back, &AuthState::from("other")).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_redirect(address: &Url, state: &AuthState) -> Result<Self> {
        let granted = Self::read(address)?;
        if granted.state.as_ref() == Some(state) {
            return Ok(granted);
        }
        Err(Error::new(
            ErrorKind::Unauthorized,
            "the grant does not answer this program's question: its state is another",
        ))
    }

    /// Reads an address without looking at its state.
    fn read(address: &Url) -> Result<Self> {
        let value = |wanted: &str| {
            let value = address.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value);
            value.filter(|value| !value.is_empty()).map(Cow::into_owned)
        };
        match value("code") {
            Some(code) => Ok(Self { code: code.into(), state: value("state").map(AuthState) }),
            None => {
                let why = value("error_description").or_else(|| value("error")).unwrap_or_default();
                Err(Error::new(ErrorKind::Unauthorized, "access was not granted").with_message(&why))
            }
        }
    }
}

operation! {
    /// Turns the token of a user who is logged in into a code, without the grant page: what that page calls itself.
    ///
    /// No official page describes it; two public clients use it. The token is one of a web session, not of the Open
    /// Platform. Who can use the grant page needs none of this.
    ///
    /// Protocol: `open-files.yaml`, `oauth.user_authorize`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) when no code was given, with the service's text.
    pub struct UserAuthorize => Granted =
        Meta::get("open/oauth.user_authorize", "/api/v1/oauth2/user/authorize")
            .anonymous()
            .effect(Effect::Once)
            .shape(Shape::Hop);
    {
        /// The access token of the user's session.
        query_secret "accessToken": access_token: Secret,
        /// The app's id.
        query "client_id": app_id: String,
        /// The redirect address, as it was registered for the app.
        query "redirect_uri": redirect: String,
    }
    fixed {
        query "response_type": "code",
        query "scope": SCOPE,
    }
    optional {
        /// Comes back with the code.
        query "state": state: String,
    }

    fn validate(&self) -> Result<()> {
        check_filled(self.access_token.expose(), "the access token")?;
        check_filled(&self.app_id, "the app id")?;
        check_filled(&self.redirect, "the redirect address")
    }

    fn decode(&self, reply: Reply) -> Result<Granted> {
        let location = reply.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let address = location.and_then(|location| Url::parse(location).ok());
        let address = address.ok_or_else(|| reply.error(ErrorKind::Decode, "the service did not send the user back"))?;
        Granted::read(&address).map_err(|error| error.with_http_status(reply.status().as_u16()))
    }
}

operation! {
    /// Asks whether the service knows an app and its redirect address.
    ///
    /// No official page describes it; one public client uses it.
    ///
    /// Protocol: `open-files.yaml`, `oauth.app_verify`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) when it does not, with the service's text.
    pub struct AppVerify -> () =
        Meta::post("open/oauth.app_verify", "/api/v1/oauth2/app/verify").anonymous().effect(Effect::None);
    {
        /// The app's id.
        json "appId": app_id: String,
        /// The redirect address.
        json "redirectUri": redirect: String,
    }
    fixed {
        json "scope": SCOPE,
    }

    fn validate(&self) -> Result<()> {
        check_filled(&self.app_id, "the app id")?;
        check_filled(&self.redirect, "the redirect address")
    }
}

operation! {
    /// Exchanges the code of a user's grant for a pair of tokens.
    ///
    /// The code works once, so this is not sent again after a lost answer. The service allows 100 of these and of
    /// [`RefreshToken`] a minute, and then limits the address.
    ///
    /// All of it goes in the query, as the service wants it: the secrets are struck out of every error, and whoever logs
    /// addresses elsewhere must do the same. A client does this on its own: see
    /// [`ClientBuilder::oauth_code`](crate::ClientBuilder::oauth_code).
    ///
    /// Protocol: `open-files.yaml`, `oauth.token_by_code`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) for every refusal, with the service's text.
    pub struct TokenByCode => Issued =
        Meta::post("open/oauth.token_by_code", "/api/v1/oauth2/access_token").anonymous().shape(Shape::Flat).success(SUCCESS);
    {
        /// The app's id.
        query "client_id": app_id: String,
        /// The app's secret.
        query_secret "client_secret": app_secret: Secret,
        /// The code, from [`Granted::code`].
        query_secret "code": code: Secret,
        /// The redirect address, the same as on the grant page.
        query "redirect_uri": redirect: String,
    }
    fixed {
        query "grant_type": "authorization_code",
    }

    fn validate(&self) -> Result<()> {
        check_app(&self.app_id, &self.app_secret)?;
        check_filled(self.code.expose(), "the code")?;
        check_filled(&self.redirect, "the redirect address")
    }

    fn decode(&self, reply: Reply) -> Result<Issued> {
        reply.flat()
    }
}

operation! {
    /// Trades a refresh token for a new pair of tokens. The old pair is dead at once.
    ///
    /// A refresh token works once and a lost answer loses it for good, so this is never sent again after it may have
    /// arrived, and the new pair has to be stored before it is used. A client does all of that on its own: see
    /// [`ClientBuilder::oauth`](crate::ClientBuilder::oauth). What [`TokenByCode`] says of limits and secrets holds here
    /// too.
    ///
    /// Protocol: `open-files.yaml`, `oauth.refresh_token`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) for every refusal, with the service's text: the user must grant access
    /// again. [`Error::may_have_happened`] when the answer was lost.
    pub struct RefreshToken => Issued =
        Meta::post("open/oauth.refresh_token", "/api/v1/oauth2/access_token")
            .anonymous()
            .shape(Shape::Flat)
            .success(SUCCESS);
    {
        /// The app's id.
        query "client_id": app_id: String,
        /// The app's secret.
        query_secret "client_secret": app_secret: Secret,
        /// The refresh token.
        query_secret "refresh_token": refresh_token: Secret,
    }
    fixed {
        query "grant_type": "refresh_token",
    }
    optional {
        /// Sends the redirect address too, as one client does; the official page wants it with a code only.
        query "redirect_uri": redirect: String,
    }

    fn validate(&self) -> Result<()> {
        check_app(&self.app_id, &self.app_secret)?;
        check_filled(self.refresh_token.expose(), "the refresh token")
    }

    fn decode(&self, reply: Reply) -> Result<Issued> {
        reply.flat()
    }
}

/// A pair of tokens, as [`TokenByCode`], [`RefreshToken`] and the broker's [`Renew`](super::broker::Renew) give it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Row", expecting = "a pair of tokens")]
#[non_exhaustive]
pub struct Issued {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token that replaces the one used; `None` when the answer has none, and the old one is then kept.
    pub refresh_token: Option<Secret>,
    /// How long the access token lasts from now; `None` when the answer does not say, as an older broker's.
    pub expires_in: Option<Duration>,
    /// What was granted, separated by commas; empty when the answer does not say.
    pub scope: String,
}

impl Issued {
    /// Makes the token that a client keeps, of a pair that was asked for at `asked`.
    ///
    /// Without a lifetime it counts as good for [`SHORT_LIFETIME`], so that it is renewed rather than refused. Without a
    /// new refresh token `used` stays.
    pub fn into_token(self, asked: Timestamp, used: Option<&Secret>) -> Token {
        let token = Token::new(self.access_token).with_expiry(asked.plus(self.expires_in.unwrap_or(SHORT_LIFETIME)));
        match self.refresh_token.or_else(|| used.cloned()) {
            Some(refresh) => token.with_refresh(refresh),
            None => token,
        }
    }
}

/// How long an access token is taken to last when nobody says: 30 minutes, a quarter of what the service gives.
pub const SHORT_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The longest lifetime that is believed, ten years: a larger number is taken for one that cannot be read.
const LONGEST_LIFETIME: u64 = 10 * 365 * 24 * 3600;

/// One client takes code 200 for success, where the flat answers have a code at all.
pub(super) const SUCCESS: &[i64] = &[0, 200];

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "filled")]
    access_token: Secret,
    #[serde(default, deserialize_with = "wire::or_default")]
    refresh_token: String,
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    expires_in: u64,
    #[serde(default, deserialize_with = "wire::or_default")]
    scope: String,
}

impl From<Row> for Issued {
    fn from(row: Row) -> Self {
        let expires_in = Some(row.expires_in).filter(|seconds| (1..=LONGEST_LIFETIME).contains(seconds));
        Self {
            access_token: row.access_token,
            refresh_token: Some(row.refresh_token).filter(|token| !token.is_empty()).map(Secret::from),
            expires_in: expires_in.map(Duration::from_secs),
            scope: row.scope,
        }
    }
}

/// Reads a secret that may not be empty. The error does not quote it.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Err(de::Error::custom("the access token is empty")) } else { Ok(text.into()) }
}

fn check_app(id: &str, secret: &Secret) -> Result<()> {
    check_filled(id, "the app id")?;
    check_filled(secret.expose(), "the app secret")
}

pub(super) fn check_filled(text: &str, what: &str) -> Result<()> {
    if text.trim().is_empty() { Err(Error::invalid(format!("{what} is empty"))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use pan123_core::{Operation, TokioRuntime};

    use super::*;

    #[test]
    fn nothing_is_sent_without_what_it_needs() {
        let code = |id: &str, secret: &str, code: &str, redirect: &str| TokenByCode::new(id, secret, code, redirect);
        assert!(code("a", "b", "c", "d").validate().is_ok());
        for wrong in
            [code("", "b", "c", "d"), code("a", " ", "c", "d"), code("a", "b", "", "d"), code("a", "b", "c", "")]
        {
            assert!(wrong.validate().is_err(), "{wrong:?}");
        }
        assert!(RefreshToken::new("a", "b", "").validate().is_err());
        assert!(UserAuthorize::new("", "a", "b").validate().is_err() && AppVerify::new("", "b").validate().is_err());
    }

    #[test]
    fn what_works_once_is_sent_once_and_not_shown() {
        let (code, refresh) =
            (TokenByCode::new("a", "planted", "planted", "d"), RefreshToken::new("a", "planted", "planted"));
        assert!(!code.is_repeatable() && !refresh.is_repeatable());
        let user = UserAuthorize::new("planted", "a", "b");
        assert!(!format!("{code:?} {refresh:?} {user:?}").contains("planted"));
    }

    #[test]
    fn the_grant_page_has_everything_and_the_answer_must_fit() {
        let state = AuthState::random(&TokioRuntime);
        assert_ne!(state, AuthState::random(&TokioRuntime));
        let url = AuthorizePage::new("app", "https://a.example/cb?x=1", state.clone()).url();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let want = [
            ("client_id", "app"),
            ("redirect_uri", "https://a.example/cb?x=1"),
            ("scope", SCOPE),
            ("state", state.as_str()),
        ];
        assert_eq!(pairs, want.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let other: Url = "http://127.0.0.1:1/auth".parse().expect("a constant");
        let page = AuthorizePage::new("app", "https://a.example", state).page(other);
        assert!(page.url().as_str().starts_with("http://127.0.0.1:1/auth?client_id=app&"));
        for (back, ok) in [
            ("https://a.example/cb?x=1&code=c&state=s", true),
            ("https://a.example/cb?code=c&state=other", false),
            ("https://a.example/cb?code=c", false),
            ("https://a.example/cb?code=&state=s", false),
            ("https://a.example/cb?error_description=no&state=s", false),
            ("https://a.example/cb", false),
        ] {
            let read = Granted::from_redirect(&back.parse().expect("an address"), &AuthState::from("s"));
            assert_eq!(read.is_ok(), ok, "{back}");
            assert!(read.err().is_none_or(|error| error.kind() == ErrorKind::Unauthorized));
        }
    }

    #[test]
    fn a_pair_without_lifetime_is_short_lived_and_an_old_refresh_token_stays() {
        let token = |json: &str| {
            let issued: Issued = serde_json::from_str(json).expect("a pair");
            issued.into_token(Timestamp::from_unix(100), Some(&Secret::from("old")))
        };
        for (json, end, refresh) in [
            (r#"{"access_token":"a","refresh_token":"r","expires_in":7200}"#, 7300, "r"),
            (r#"{"access_token":"a","refresh_token":"r","expires_in":"7200"}"#, 7300, "r"),
            (r#"{"access_token":"a"}"#, 1900, "old"),
            (r#"{"access_token":"a","refresh_token":"","expires_in":0}"#, 1900, "old"),
            (r#"{"access_token":"a","refresh_token":null,"expires_in":-1}"#, 1900, "old"),
            (r#"{"access_token":"a","expires_in":9223372036854775807}"#, 1900, "old"),
        ] {
            let token = token(json);
            assert_eq!(token.expires_at().map(Timestamp::unix), Some(end), "{json}");
            assert_eq!(token.refresh().map(Secret::expose), Some(refresh), "{json}");
        }
        for json in [r#"{"refresh_token":"r"}"#, r#"{"access_token":""}"#, r#"{"access_token":null}"#] {
            assert!(serde_json::from_str::<Issued>(json).is_err(), "{json}");
        }
    }
}
