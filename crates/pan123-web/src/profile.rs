//! What the web API adds to the pipeline: the headers of the service's page, a signature, and what refusals mean.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use pan123_core::{
    Auth, Error, ErrorKind, Meta, Profile, RequestSigner, Result, Role, Runtime, Timestamp, is_login_challenge,
};
use url::Url;

/// The headers, the signature and the codes of the web API.
///
/// Protocol: `web.yaml`, `headers`, `signing` and `codes`.
#[derive(Clone, Debug)]
pub struct WebProfile {
    version: HeaderValue,
    login_uuid: Option<HeaderValue>,
    signer: Option<RequestSigner>,
}

/// What the clients that work say they are; the signature says the same.
const PLATFORM: &str = "web";

/// The version of the page that they say they are.
const VERSION: &str = "3";

/// The version of the login portal's page.
const PORTAL_VERSION: &str = "132";

/// The page that requests are said to come from, and its origin.
pub(crate) const PAGE: &str = "https://yun.123pan.cn/";
const ORIGIN: &str = "https://yun.123pan.cn";

/// The origin of the login portal.
const PORTAL_ORIGIN: &str = "https://user.123pan.cn";

/// A text that browsers' own begin with: requests without one have been refused.
const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; pan123/", env!("CARGO_PKG_VERSION"), ")");

impl Default for WebProfile {
    fn default() -> Self {
        Self {
            version: HeaderValue::from_static(VERSION),
            login_uuid: None,
            signer: Some(RequestSigner::new(PLATFORM, VERSION)),
        }
    }
}

impl WebProfile {
    /// Makes the profile of the page that clients which work say they are, which signs its requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says another version of the page, in the header and in the signature: the service may come to refuse this one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is empty or cannot be a header.
    pub fn with_version(self, version: impl Into<String>) -> Result<Self> {
        let version = version.into();
        let header = HeaderValue::try_from(&version).ok().filter(|header| !header.is_empty());
        let header = header
            .ok_or_else(|| Error::new(ErrorKind::Config, "the version is empty or holds what no header can carry"))?;
        let signer = self.signer.map(|_| RequestSigner::new(PLATFORM, version));
        Ok(Self { version: header, signer, ..self })
    }

    /// Signs no request.
    #[must_use]
    pub fn without_signature(self) -> Self {
        Self { signer: None, ..self }
    }

    /// Sends the device id of this installation.
    pub(crate) fn with_login_uuid(self, uuid: HeaderValue) -> Self {
        Self { login_uuid: Some(uuid), ..self }
    }
}

impl Profile for WebProfile {
    fn headers(&self) -> HeaderMap {
        let own =
            |name: &'static str, value: &'static str| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let mut headers = HeaderMap::from_iter([
            own("platform", PLATFORM),
            (HeaderName::from_static("app-version"), self.version.clone()),
            (header::ORIGIN, HeaderValue::from_static(ORIGIN)),
            (header::REFERER, HeaderValue::from_static(PAGE)),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        ]);
        if let Some(uuid) = &self.login_uuid {
            headers.insert(HeaderName::from_static("loginuuid"), uuid.clone());
        }
        headers
    }

    fn headers_for(&self, operation: &Meta, _: &Url) -> HeaderMap {
        let mut headers = self.headers();
        if operation.role == Role::Portal {
            headers.insert("app-version", HeaderValue::from_static(PORTAL_VERSION));
            headers.insert(header::ORIGIN, HeaderValue::from_static(PORTAL_ORIGIN));
            headers.remove(header::REFERER);
        }
        headers
    }

    fn classify(&self, _: &'static str, code: i64, message: &str) -> (ErrorKind, Cow<'static, str>) {
        let (kind, text) = refusal(code, message);
        (kind, Cow::Borrowed(text))
    }

    fn sign(&self, operation: &Meta, path: &str, now: Timestamp, runtime: &dyn Runtime) -> Option<(String, String)> {
        // Logins and calls without a token are not signed (`web.yaml`, `signing`).
        let wanted = operation.role == Role::Web && operation.auth != Auth::None;
        self.signer.as_ref().filter(|_| wanted).map(|signer| signer.sign(path, now, runtime))
    }
}

fn refusal(code: i64, message: &str) -> (ErrorKind, &'static str) {
    if is_login_challenge(code, message) {
        return (
            ErrorKind::LoginChallenge,
            "the service wants a person to prove who they are: log in with a QR code, or once on the website from this network",
        );
    }
    (ErrorKind::Api, "the service refused")
}
