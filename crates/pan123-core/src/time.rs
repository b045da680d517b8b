//! Instants, read from every way the service writes them.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// An instant, in whole seconds since 1970-01-01 00:00:00 UTC.
///
/// The service writes times without a zone and means UTC+8; this type is always the true instant.
///
/// # Example
///
/// ```
/// use pan123_core::Timestamp;
///
/// let written = Timestamp::parse("2026-05-01 10:00:00").unwrap();
/// assert_eq!(written.to_string(), "2026-05-01T02:00:00Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// How far the service's clock is ahead of UTC, in seconds.
pub(crate) const UTC_PLUS_8: i64 = 8 * 3600;

impl Timestamp {
    /// Makes an instant from Unix seconds.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Returns the Unix seconds.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads any of the service's forms: bare (meaning UTC+8), with ` +0800 CST` behind it, or RFC 3339.
    ///
    /// Returns `None` for anything else; an unreadable time is never replaced by the present.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant.as_second()));
        }
        let bare = text.strip_suffix(" CST").unwrap_or(text);
        let bare = bare.strip_suffix(" +0800").unwrap_or(bare);
        let civil: DateTime = bare.parse().ok()?;
        // Counted on the calendar: 9999-12-31 23:59:59, which the service writes for "never ends", lies behind the
        // last instant that a time zone library accepts.
        let since_epoch = civil.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        Some(Self(since_epoch.as_secs() - UTC_PLUS_8))
    }

    /// Reads the time in a `Date` header, which is always UTC.
    pub(crate) fn parse_http(text: &str) -> Option<Self> {
        jiff::fmt::rfc2822::parse(text.trim()).ok().map(|zoned| Self(zoned.timestamp().as_second()))
    }

    /// Writes RFC 3339 as the service's own page does, at UTC+8; where its calendar ends, the end of it.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_core::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_unix(1_777_600_800).at_utc_plus_8(), "2026-05-01T10:00:00+08:00");
    /// assert_eq!(Timestamp::from_unix(i64::MAX).at_utc_plus_8(), "9999-12-31T23:59:59+08:00");
    /// ```
    pub fn at_utc_plus_8(self) -> String {
        let since_epoch = jiff::SignedDuration::from_secs(self.0.saturating_add(UTC_PLUS_8));
        let civil = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).saturating_add(since_epoch);
        civil.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
    }

    /// Returns the instant `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }

    /// Returns how long it is from `earlier` to here; nothing when `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
        })
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        let distance = Duration::from_secs(time.0.unsigned_abs());
        let moved = if time.0 >= 0 { UNIX_EPOCH.checked_add(distance) } else { UNIX_EPOCH.checked_sub(distance) };
        // Some systems count in few bits, and the service may say anything: 9999-12-31 and 1601-01-01 exist on all.
        moved.unwrap_or_else(|| match time.0 {
            1.. => UNIX_EPOCH + Duration::from_secs(253_402_300_799),
            _ => UNIX_EPOCH - Duration::from_secs(11_644_473_600),
        })
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC, or the bare seconds where a calendar ends.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(instant) => instant.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn every_form_of_the_service_is_the_same_instant() {
        for (text, unix) in [
            ("2026-05-01 10:00:00", Some(1_777_600_800)),
            ("2026-05-01 10:00:00 +0800 CST", Some(1_777_600_800)),
            ("2026-05-01T10:00:00+08:00", Some(1_777_600_800)),
            ("2026-05-01T02:00:00Z", Some(1_777_600_800)),
            ("9999-12-31 23:59:59", Some(253_402_271_999)),
            ("0001-01-01 00:00:00", Some(-62_135_625_600)),
            ("", None),
            ("soon", None),
            ("2026-13-01 00:00:00", None),
        ] {
            assert_eq!(Timestamp::parse(text).map(Timestamp::unix), unix, "{text}");
        }
    }

    #[test]
    fn no_instant_is_too_far_for_the_system() {
        use std::time::{Duration, SystemTime, UNIX_EPOCH};

        assert_eq!(SystemTime::from(Timestamp::from_unix(5)), UNIX_EPOCH + Duration::from_secs(5));
        assert_eq!(SystemTime::from(Timestamp::from_unix(-5)), UNIX_EPOCH - Duration::from_secs(5));
        assert!(SystemTime::from(Timestamp::from_unix(i64::MAX)) > SystemTime::now());
        assert!(SystemTime::from(Timestamp::from_unix(i64::MIN)) < UNIX_EPOCH);
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let read = |text| Timestamp::parse_http(text).map(Timestamp::unix);
        assert_eq!(read("Fri, 01 May 2026 02:00:00 GMT"), Some(1_777_600_800));
        assert_eq!(read("now"), None);
    }
}
