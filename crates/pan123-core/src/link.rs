//! An address from which bytes can be had, with everything that must be sent along.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::{Error, ErrorKind, Result, Timestamp, redact};

/// A download address, the headers to send with it, and how long it lasts.
///
/// The address carries its own permission: whoever has it can download. `Debug` shows it without its query.
///
/// # Example
///
/// ```
/// use pan123_core::Link;
///
/// let link = Link::parse("https://cdn.example/a.mp4?s=secret")?;
/// assert_eq!(format!("{:?}", link.url_redacted()), r#""https://cdn.example/a.mp4""#);
/// assert_eq!(link.url().query(), Some("s=secret"));
/// # Ok::<(), pan123_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    url: Url,
    headers: HeaderMap,
    expires_at: Option<Timestamp>,
}

impl Link {
    /// Makes a link from an address that the service gave.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when it is no absolute `http` or `https` URL.
    pub fn parse(url: &str) -> Result<Self> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| Error::new(ErrorKind::Decode, "the service gave no usable download address"))?;
        Ok(Self { url, headers: HeaderMap::new(), expires_at: None })
    }

    /// Adds a header that must be sent with every request for the address.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Says when the address stops working.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Reads from the address itself when it stops working, where it says so and that lies ahead of `now`: from `auth_key`, a
    /// presigned query, or `t`.
    ///
    /// That `t` is its end is a guess which fits all addresses seen: it lies ahead of the moment in which the address is given
    /// out.
    #[must_use]
    pub fn with_own_expiry(mut self, now: Timestamp) -> Self {
        self.expires_at = expiry(&self.url).filter(|end| *end > now).or(self.expires_at);
        self
    }

    /// Returns the address, with its permission in the query: hand it on, do not log it.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the address without its query, for a log.
    pub fn url_redacted(&self) -> String {
        redact::url(&self.url)
    }

    /// Returns the headers that must be sent along.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns when the address stops working, where that is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("url", &self.url_redacted())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

fn expiry(url: &Url) -> Option<Timestamp> {
    let value = |wanted: &str| {
        url.query_pairs().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.into_owned())
    };
    let presigned = || {
        let made = Timestamp::parse(&value("X-Amz-Date")?)?;
        Some(made.plus(Duration::from_secs(value("X-Amz-Expires")?.parse().ok()?)))
    };
    let seconds = |text: &str| text.parse().ok().map(Timestamp::from_unix);
    let signed = || seconds(value("auth_key")?.split('-').next()?);
    let timed = || seconds(&value("t")?);
    presigned().or_else(signed).or_else(timed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_lies_ahead_is_known() {
        let now = Timestamp::from_unix(1_777_600_800);
        for (query, want) in [
            ("t=1777600900&s=x", Some(1_777_600_900)),
            ("t=1&s=x", None),
            ("auth_key=1777601000-a-1-b", Some(1_777_601_000)),
            ("X-Amz-Date=20260501T020000Z&X-Amz-Expires=600", Some(1_777_601_400)),
            ("X-Amz-Date=soon&X-Amz-Expires=600", None),
            ("", None),
        ] {
            let link = Link::parse(&format!("https://h/f?{query}")).unwrap().with_own_expiry(now);
            assert_eq!(link.expires_at().map(Timestamp::unix), want, "{query}");
        }
    }
}
