//! The signer: puts an `auth_key` on direct links.

use std::{fmt::Write as _, time::Duration};

use crate::key::{Credentials, hex, push_hex};
use crate::parts::Parts;
use crate::{Error, ErrorKind, HashedPath, PrivateKey, SignedUrl, UnixTime};

/// Signs direct links for one account.
///
/// A signed link works for [30 minutes](Signer::DEFAULT_VALIDITY) unless told [otherwise](Signer::valid_for).
/// The clock of this machine decides when that is: one that runs behind makes links that end early.
///
/// The URL is kept as it is, but for this: dot segments in its path are resolved and characters that cannot
/// stand in a URL are escaped, because an HTTP client would do both and then send another path than the one that
/// was signed; and an `auth_key` that it already had is replaced. The query keeps its bytes and their order.
///
/// # Example
///
/// ```
/// use pan123_link::Signer;
///
/// let signer = Signer::new(1812, "ZxCv-2468_key")?;
/// let url = signer.sign("https://vip.123pan.cn/1812/films/秋天.mp4")?;
/// assert!(url.as_str().contains("/films/%E7%A7%8B%E5%A4%A9.mp4?auth_key="));
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signer {
    /// `None` leaves links unsigned.
    credentials: Option<Credentials>,
    validity_secs: u64,
}

impl Signer {
    /// How long a signed link works unless told otherwise.
    pub const DEFAULT_VALIDITY: Duration = Duration::from_secs(30 * 60);

    /// The shortest validity that is advised: the service is said to refuse links made for one minute.
    pub const LEAST_ADVISED_VALIDITY: Duration = Duration::from_secs(3 * 60);

    /// Makes a signer for the account `account_id` and the private key set on its direct-link page.
    ///
    /// The account id is on the settings page, and the first part of the path in most links. Whether the
    /// service accepts what this signer makes shows only when a link is fetched.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAccount`] if the id is 0. [`ErrorKind::InvalidKey`] if the key is blank or has a
    /// control character in it: to leave links unsigned, say so with [`Signer::unsigned`].
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::Signer;
    ///
    /// let signer = Signer::new(1812, "ZxCv-2468_key")?;
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn new(account_id: u64, private_key: impl Into<PrivateKey>) -> Result<Signer, Error> {
        Ok(Signer {
            credentials: Some(Credentials::new(account_id, private_key.into())?),
            validity_secs: Signer::DEFAULT_VALIDITY.as_secs(),
        })
    }

    /// Makes a signer that returns every URL byte for byte, without reading it.
    ///
    /// For folders whose owner has not switched authentication on: anyone who learns such a link can use up
    /// the owner's traffic.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::Signer;
    ///
    /// let url = Signer::unsigned().sign("https://vip.123pan.cn/1812/a b.mp4")?;
    /// assert_eq!(url.as_str(), "https://vip.123pan.cn/1812/a b.mp4");
    /// assert_eq!(url.expires_at(), None);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn unsigned() -> Signer {
        Signer { credentials: None, validity_secs: Signer::DEFAULT_VALIDITY.as_secs() }
    }

    /// Sets how long the links work, instead of [30 minutes](Signer::DEFAULT_VALIDITY).
    ///
    /// Links carry whole seconds: a fraction is rounded up. Less than
    /// [three minutes](Signer::LEAST_ADVISED_VALIDITY) is accepted here but may be refused by the service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidValidity`] if `validity` is zero: such a link has expired when it is made.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use pan123_link::Signer;
    ///
    /// let signer = Signer::new(1812, "ZxCv-2468_key")?.valid_for(Duration::from_secs(6 * 3600))?;
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn valid_for(mut self, validity: Duration) -> Result<Signer, Error> {
        if validity.is_zero() {
            return Err(Error::new(ErrorKind::InvalidValidity, "it is zero"));
        }
        let has_fraction = validity.subsec_nanos() > 0;
        self.validity_secs = validity.as_secs().saturating_add(has_fraction.into());
        Ok(self)
    }

    /// Sets which reading of the path is hashed, instead of [`HashedPath::Decoded`].
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{HashedPath, Signer};
    ///
    /// let signer = Signer::new(1812, "ZxCv-2468_key")?.hashed_path(HashedPath::AsSent);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn hashed_path(mut self, hashed_path: HashedPath) -> Signer {
        if let Some(credentials) = &mut self.credentials {
            credentials.hashed_path = hashed_path;
        }
        self
    }

    /// Signs `url` with the system's clock and 16 random bytes from the system.
    ///
    /// Every URL needs a signature of its own: that of a playlist does not cover its segments.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidUrl`] if the URL is not `http` or `https`, has no path, no host or one that is none, a
    /// port that is none, a `%` without two hexadecimal digits in the path, a user name, a control character, or
    /// white space around it.
    /// [`ErrorKind::InvalidValidity`] if the link would end beyond what it can say.
    /// [`ErrorKind::Randomness`] if the system gives no random bytes.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{Signer, Verifier};
    ///
    /// let url = Signer::new(1812, "ZxCv-2468_key")?.sign("https://vip.123pan.cn/1812/a.mp4?attname=b.mp4")?;
    /// assert!(url.as_str().starts_with("https://vip.123pan.cn/1812/a.mp4?attname=b.mp4&auth_key="));
    /// Verifier::new(1812, "ZxCv-2468_key")?.verify(url.as_str())?;
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn sign(&self, url: &str) -> Result<SignedUrl, Error> {
        if self.credentials.is_none() {
            return Ok(SignedUrl::new(url.to_owned(), None));
        }
        self.sign_at(url, UnixTime::now(), &Nonce::random()?)
    }

    /// Signs `url` as if it were `now`, with a nonce of the caller's.
    ///
    /// For a caller that knows the time better than this machine, for instance from the `Date` header of an
    /// answer, and for tests. A nonce should not be used twice.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Signer::sign), without [`ErrorKind::Randomness`].
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use pan123_link::{Nonce, Signer, UnixTime};
    ///
    /// let signer = Signer::new(13, "289ds32418bxdba")?.valid_for(Duration::from_secs(60))?;
    /// let now = UnixTime::from_secs(1_689_220_671);
    /// let url = signer.sign_at("http://vip.123pan.cn/13/files/1.txt", now, &Nonce::new("123")?)?;
    /// assert_eq!(url.expires_at(), Some(UnixTime::from_secs(1_689_220_731)));
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn sign_at(&self, url: &str, now: UnixTime, nonce: &Nonce) -> Result<SignedUrl, Error> {
        let expires_at = now
            .as_secs()
            .checked_add(self.validity_secs)
            .ok_or_else(|| Error::new(ErrorKind::InvalidValidity, "the link would end beyond what it can say"))?;
        self.sign_until(url, UnixTime::from_secs(expires_at), nonce)
    }

    /// Signs `url` so that it is refused from `expires_at` on, with a nonce of the caller's.
    ///
    /// The result depends on nothing but the arguments: no clock is read, so a moment in the past is not noticed,
    /// and the signer's validity plays no part.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidUrl`] as for [`sign`](Signer::sign).
    ///
    /// # Example
    ///
    /// The provider's own worked example:
    ///
    /// ```
    /// use pan123_link::{Nonce, Signer, UnixTime};
    ///
    /// let signer = Signer::new(13, "289ds32418bxdba")?;
    /// let expires_at = UnixTime::from_secs(1_689_220_731);
    /// let url = signer.sign_until("http://vip.123pan.cn/13/files/1.txt", expires_at, &Nonce::new("123")?)?;
    /// assert_eq!(
    ///     url.as_str(),
    ///     "http://vip.123pan.cn/13/files/1.txt?auth_key=1689220731-123-13-3bdacc0e031fd67fe829152f37c8fbad"
    /// );
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn sign_until(&self, url: &str, expires_at: UnixTime, nonce: &Nonce) -> Result<SignedUrl, Error> {
        let Some(credentials) = &self.credentials else {
            return Ok(SignedUrl::new(url.to_owned(), None));
        };
        let parts = Parts::of_url(url)?;
        // What is added: the name, a time, an account and a digest, and the nonce.
        let mut text = String::with_capacity(url.len() + nonce.as_str().len() + 96);
        text.push_str(parts.origin);
        text.push_str(&parts.path);
        text.push('?');
        let query = parts.query_without_signatures();
        if !query.is_empty() {
            text.push_str(&query);
            text.push('&');
        }
        text.push_str("auth_key=");
        let claims = text.len();
        write!(text, "{expires_at}-{}-{}", nonce.as_str(), credentials.account_id()).expect("a text can be written");
        let digest = credentials.digest(&parts.path, &text[claims..]);
        text.push('-');
        push_hex(&mut text, &digest);
        if let Some(fragment) = parts.fragment {
            text.push('#');
            text.push_str(&fragment);
        }
        Ok(SignedUrl::new(text, Some(expires_at)))
    }
}

/// The part of a signature that makes it differ from the last one: one or more of `0-9`, `A-Z`, `a-z`.
///
/// # Example
///
/// ```
/// use pan123_link::Nonce;
///
/// assert_eq!(Nonce::random()?.as_str().len(), 32);
/// assert_eq!(Nonce::new("123")?.as_str(), "123");
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    /// Makes a nonce of `text`, as it is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidNonce`] if `text` is empty or has another character than `0-9`, `A-Z`, `a-z`: a
    /// hyphen would break the signature apart.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::Nonce;
    ///
    /// assert!(Nonce::new("477b3bbc253f467b8def6711128c7bec").is_ok());
    /// assert!(Nonce::new("477b3bbc-253f-467b-8def-6711128c7bec").is_err());
    /// ```
    pub fn new(text: impl Into<String>) -> Result<Nonce, Error> {
        let text = text.into();
        if Nonce::is_valid(&text) {
            Ok(Nonce(text))
        } else {
            Err(Error::new(ErrorKind::InvalidNonce, "it must be one or more of 0-9, A-Z, a-z"))
        }
    }

    /// Makes a nonce of 32 hexadecimal digits from the system's source of secure random bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Randomness`] if that source fails.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::Nonce;
    ///
    /// assert_ne!(Nonce::random()?, Nonce::random()?);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn random() -> Result<Nonce, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|_| Error::new(ErrorKind::Randomness, "the system gave no random bytes"))?;
        Ok(Nonce::from_bytes(bytes))
    }

    /// Makes a nonce of 32 hexadecimal digits from bytes of the caller's.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::Nonce;
    ///
    /// assert_eq!(Nonce::from_bytes([171; 16]).as_str(), "abababababababababababababababab");
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Nonce {
        Nonce(hex(&bytes))
    }

    /// Returns the nonce as it stands in the link.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(pan123_link::Nonce::new("a1")?.as_str(), "a1");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_valid(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn signed(url: &str, expected: &str) {
        let signer = Signer::new(7, "key").unwrap();
        let nonce = Nonce::new("0").unwrap();
        let signed = signer.sign_until(url, UnixTime::from_secs(1), &nonce).unwrap();
        let digest = signed.as_str().split("auth_key=1-0-7-").nth(1).unwrap()[..32].to_owned();
        assert_eq!(signed.as_str().replace(&format!("auth_key=1-0-7-{digest}"), "K"), expected);
    }

    #[test]
    fn the_query_keeps_its_bytes() {
        signed("https://h/a", "https://h/a?K");
        signed("https://h/a?", "https://h/a?K");
        signed("https://h/a?b", "https://h/a?b&K");
        signed("https://h/a?b&", "https://h/a?b&&K");
        signed("https://h/a?%zz='[]{}|\\^`+%20", "https://h/a?%zz='[]{}|\\^`+%20&K");
        signed("https://h/a?x=资 \"<>", "https://h/a?x=%E8%B5%84%20%22%3C%3E&K");
        signed("https://h/a?b?c/#d?e#f", "https://h/a?b?c/&K#d?e#f");
    }

    #[test]
    fn every_old_signature_goes_whatever_its_spelling() {
        signed("https://h/a?auth_key", "https://h/a?K");
        signed("https://h/a?auth_key=1&auth_key=2&b=auth_key=3", "https://h/a?b=auth_key=3&K");
        signed("https://h/a?%61uth%5Fkey=1&b", "https://h/a?b&K");
        signed("https://h/a?auth_keys=1&AUTH_KEY=2", "https://h/a?auth_keys=1&AUTH_KEY=2&K");
    }

    #[test]
    fn validity_is_rounded_up_to_whole_seconds() {
        let expiry = |validity| {
            let signer = Signer::new(7, "key").unwrap().valid_for(validity).unwrap();
            let signed = signer.sign_at("https://h/a", UnixTime::from_secs(100), &Nonce::from_bytes([0; 16]));
            signed.map(|url| url.expires_at().unwrap().as_secs())
        };
        assert_eq!(expiry(Duration::from_nanos(1)), Ok(101));
        assert_eq!(expiry(Duration::from_secs(1)), Ok(101));
        assert_eq!(expiry(Duration::from_millis(1001)), Ok(102));
        assert_eq!(expiry(Duration::MAX).unwrap_err().kind(), ErrorKind::InvalidValidity);
    }

    #[test]
    fn bad_settings_are_refused_each_in_its_kind() {
        let kind = |result: Result<Signer, Error>| result.unwrap_err().kind();
        assert_eq!(kind(Signer::new(0, "key")), ErrorKind::InvalidAccount);
        assert_eq!(kind(Signer::new(7, "")), ErrorKind::InvalidKey);
        assert_eq!(kind(Signer::new(7, " ")), ErrorKind::InvalidKey);
        assert_eq!(kind(Signer::new(7, "key\n")), ErrorKind::InvalidKey);
        assert_eq!(kind(Signer::unsigned().valid_for(Duration::ZERO)), ErrorKind::InvalidValidity);
        assert!(Signer::new(7, "").unwrap_err().to_string().contains("Signer::unsigned()"));
        for text in ["", "-", "a b", "é", "a\n"] {
            assert_eq!(Nonce::new(text).unwrap_err().kind(), ErrorKind::InvalidNonce);
        }
    }

    #[test]
    fn an_unsigned_url_is_not_even_read() {
        for url in ["", "no url\r\n%", "https://h/a?auth_key=1#x"] {
            assert_eq!(Signer::unsigned().sign(url).unwrap().as_str(), url);
        }
    }
}
