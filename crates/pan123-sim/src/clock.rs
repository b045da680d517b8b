//! The simulator's clock, and the ways in which the service writes a moment down.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// A clock that follows the machine's until it is set; then it stands still until it is moved.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    ahead_ms: i64,
    frozen_ms: Option<i64>,
}

impl Clock {
    pub(crate) fn now_ms(&self) -> i64 {
        self.frozen_ms.unwrap_or_else(|| machine_ms() + self.ahead_ms)
    }

    pub(crate) fn now(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    pub(crate) fn freeze_at(&mut self, unix: i64) {
        self.frozen_ms = Some(unix.saturating_mul(1000));
    }

    pub(crate) fn run(&mut self) {
        if let Some(frozen) = self.frozen_ms.take() {
            self.ahead_ms = frozen - machine_ms();
        }
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        match &mut self.frozen_ms {
            Some(frozen) => *frozen = frozen.saturating_add(by),
            None => self.ahead_ms = self.ahead_ms.saturating_add(by),
        }
    }
}

/// `2026-05-01 10:00:00`, the service's usual form: no zone, meaning UTC+8.
pub(crate) fn local(unix: i64) -> String {
    beijing(unix, "%Y-%m-%d %H:%M:%S")
}

/// `2026-05-01T10:00:00+08:00`, as in `expiredAt`.
pub(crate) fn rfc3339(unix: i64) -> String {
    beijing(unix, "%Y-%m-%dT%H:%M:%S%:z")
}

/// `2026-05-01T10:00:00.123456789+08:00`, as fresh entries of the web API have it.
pub(crate) fn rfc3339_nanos(unix: i64) -> String {
    beijing(unix, "%Y-%m-%dT%H:%M:%S.123456789%:z")
}

/// The form of the HTTP `Date` header.
pub(crate) fn http_date(unix: i64) -> String {
    timestamp(unix).to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads a moment with its zone, such as [`rfc3339`] writes; the outer `None` is no moment, the inner one lies so far ahead
/// that it means "never".
pub(crate) fn parse_rfc3339(text: &str) -> Option<Option<i64>> {
    let parsed = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%:z", text).ok()?;
    let (moment, offset) = (parsed.to_datetime().ok()?, parsed.offset()?);
    if moment.year() >= NEVER {
        return Some(None);
    }
    Some(Some(moment.to_zoned(TimeZone::fixed(offset)).ok()?.timestamp().as_second()))
}

/// Reads a moment that [`local`] wrote.
pub(crate) fn parse_local(text: &str) -> Option<i64> {
    parse_beijing("%Y-%m-%d %H:%M:%S", text).filter(|unix| local(*unix) == text)
}

/// `2026010115`: an hour of UTC+8.
pub(crate) fn hour_text(unix: i64) -> String {
    beijing(unix, HOUR)
}

/// Reads an hour that [`hour_text`] wrote.
pub(crate) fn parse_hour(text: &str) -> Option<i64> {
    let minutes = format!("{text}00");
    parse_beijing("%Y%m%d%H%M", &minutes).filter(|unix| hour_text(*unix) == text)
}

/// `202601010000`: a minute of UTC+8.
pub(crate) fn minute_text(unix: i64) -> String {
    beijing(unix, "%Y%m%d%H%M")
}

/// `20130524T000000Z`, the form of the object storage.
pub(crate) fn iso_basic(unix: i64) -> String {
    timestamp(unix).to_zoned(TimeZone::UTC).strftime(ISO_BASIC).to_string()
}

/// Reads a moment that [`iso_basic`] wrote.
pub(crate) fn parse_iso_basic(text: &str) -> Option<i64> {
    let moment = DateTime::strptime(ISO_BASIC, text).ok()?;
    let unix = moment.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    Some(unix).filter(|unix| iso_basic(*unix) == text)
}

fn parse_beijing(format: &str, text: &str) -> Option<i64> {
    let moment = DateTime::strptime(format, text).ok()?;
    Some(moment.to_zoned(TimeZone::fixed(Offset::constant(8))).ok()?.timestamp().as_second())
}

fn beijing(unix: i64, format: &str) -> String {
    timestamp(unix).to_zoned(TimeZone::fixed(Offset::constant(8))).strftime(format).to_string()
}

fn timestamp(unix: i64) -> Timestamp {
    Timestamp::from_second(unix).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// From this year on a moment means "never": clients write 2099 or 9999, and the latter is past what a timestamp holds.
const NEVER: i16 = 2099;
const ISO_BASIC: &str = "%Y%m%dT%H%M%SZ";
const HOUR: &str = "%Y%m%d%H";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc_plus_8() {
        assert_eq!(local(1_700_000_000), "2023-11-15 06:13:20");
        assert_eq!(rfc3339(1_700_000_000), "2023-11-15T06:13:20+08:00");
        assert_eq!(http_date(1_700_000_000), "Tue, 14 Nov 2023 22:13:20 GMT");
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        assert_eq!(parse_local("2023-11-15 06:13:20"), Some(1_700_000_000));
        assert_eq!(parse_iso_basic("20231114T221320Z"), Some(1_700_000_000));
        assert_eq!(parse_hour("2023111506"), Some(1_700_000_000 - 13 * 60 - 20));
        for bad in ["2023-11-15", "2023-11-15T06:13:20", "2023-13-15 06:13:20", ""] {
            assert_eq!((parse_local(bad), parse_hour(bad)), (None, None), "{bad}");
        }
    }

    #[test]
    fn moments_with_a_zone_are_read_and_far_ones_are_never() {
        assert_eq!(parse_rfc3339("2023-11-15T06:13:20+08:00"), Some(Some(1_700_000_000)));
        assert_eq!(parse_rfc3339("2023-11-14T22:13:20.123+00:00"), Some(Some(1_700_000_000)));
        assert_eq!(parse_rfc3339("9999-12-31T23:59:59+08:00"), Some(None));
        assert_eq!(parse_rfc3339("2099-12-12T08:00:00+08:00"), Some(None));
        for bad in ["", "2023-11-15T06:13:20", "2023-11-15 06:13:20", "2023-13-15T06:13:20+08:00"] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_clock_that_was_set_stands_still_until_it_is_moved() {
        let mut clock = Clock::default();
        clock.freeze_at(1000);
        assert_eq!(clock.now(), 1000);
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), 1001);
        clock.run();
        assert!((1001..1010).contains(&clock.now()));
    }
}
