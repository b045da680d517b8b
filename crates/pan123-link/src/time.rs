//! The only time that links know: whole seconds since 1970.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in whole seconds since 1970-01-01 00:00:00 UTC, as links and lists carry it.
///
/// # Example
///
/// ```
/// use pan123_link::UnixTime;
///
/// let moment = UnixTime::from_secs(1_700_000_000);
/// assert_eq!(moment.as_secs(), 1_700_000_000);
/// assert_eq!(moment.to_string(), "1700000000");
/// assert!(moment < UnixTime::now());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// Makes the moment `secs` seconds after the beginning of 1970.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(pan123_link::UnixTime::from_secs(5).as_secs(), 5);
    /// ```
    #[must_use]
    pub const fn from_secs(secs: u64) -> UnixTime {
        UnixTime(secs)
    }

    /// Reads the system's clock; a fraction of a second is dropped.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::UnixTime;
    ///
    /// assert!(UnixTime::now() > UnixTime::from_secs(1_700_000_000));
    /// ```
    #[must_use]
    pub fn now() -> UnixTime {
        SystemTime::now().into()
    }

    /// Returns the seconds since the beginning of 1970.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(pan123_link::UnixTime::from_secs(5).as_secs(), 5);
    /// ```
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Converts to the standard library's time, or `None` where the system cannot hold it.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// let moment = pan123_link::UnixTime::from_secs(5);
    /// assert_eq!(moment.to_system_time(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.0))
    }
}

/// Drops the fraction of a second; a moment before 1970 becomes 0.
impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> UnixTime {
        UnixTime(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_dropped_and_the_past_before_1970_is_zero() {
        assert_eq!(UnixTime::from(UNIX_EPOCH + Duration::from_millis(1999)).as_secs(), 1);
        assert_eq!(UnixTime::from(UNIX_EPOCH - Duration::from_secs(9)).as_secs(), 0);
    }
}
