//! The result of signing: a URL that anyone who reads it can spend, so it is shown only when asked for.

use std::fmt;

use crate::UnixTime;
use crate::parts::redacted;

/// A URL that is ready to be fetched.
///
/// Whoever has it can download the file until it expires, at the cost of the link's owner. `Debug` therefore
/// leaves the query out; `Display`, [`as_str`](SignedUrl::as_str) and `String::from` give the whole URL.
///
/// # Example
///
/// ```
/// use pan123_link::Signer;
///
/// let url = Signer::new(1812, "ZxCv-2468_key")?.sign("https://vip.123pan.cn/1812/a.mp4")?;
/// // Give it to any HTTP client: `reqwest::get(url.as_str())`, `ureq::get(url.as_str())`, …
/// assert!(url.as_str().starts_with("https://vip.123pan.cn/1812/a.mp4?auth_key="));
/// // A log line that shows it by accident does not leak it.
/// assert!(format!("{url:?}").contains(r#""https://vip.123pan.cn/1812/a.mp4?<redacted>""#));
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SignedUrl {
    text: String,
    expires_at: Option<UnixTime>,
}

impl SignedUrl {
    pub(crate) fn new(text: String, expires_at: Option<UnixTime>) -> SignedUrl {
        SignedUrl { text, expires_at }
    }

    /// Returns the whole URL, signature and all.
    ///
    /// # Example
    ///
    /// ```
    /// let url = pan123_link::Signer::unsigned().sign("https://vip.123pan.cn/1812/a.mp4")?;
    /// assert_eq!(url.as_str(), "https://vip.123pan.cn/1812/a.mp4");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the first second at which the service refuses the URL, or `None` if it carries no signature of ours.
    ///
    /// A download that has begun is believed to go on after that; a new range needs a new signature.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{Nonce, Signer, UnixTime};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let signer = Signer::new(1812, "ZxCv-2468_key")?;
    /// let url = signer.sign_at("https://vip.123pan.cn/1812/a.mp4", now, &Nonce::random()?)?;
    /// assert_eq!(url.expires_at(), Some(UnixTime::from_secs(1_700_001_800)));
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }
}

impl AsRef<str> for SignedUrl {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl From<SignedUrl> for String {
    fn from(url: SignedUrl) -> String {
        url.text
    }
}

impl fmt::Display for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedUrl").field("url", &redacted(&self.text)).field("expires_at", &self.expires_at).finish()
    }
}
