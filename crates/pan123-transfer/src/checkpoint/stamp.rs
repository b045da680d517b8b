//! The stamp of a source as a checkpoint keeps it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pan123_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Stamp;

/// A [`Stamp`] that can be written and read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedStamp {
    size: u64,
    /// Seconds and nanoseconds since 1970; the seconds are negative before it.
    modified: Option<(i64, u32)>,
    identity: Option<u64>,
}

/// How long a source must have been left alone before its stamp can prove that nobody changed it.
///
/// Some file systems count time in steps of two seconds, and a second change within one step leaves the stamp as it was.
const SETTLED: Duration = Duration::from_secs(2);

impl From<Stamp> for SavedStamp {
    fn from(stamp: Stamp) -> Self {
        let split = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()).unwrap_or(i64::MAX), after.subsec_nanos()),
            Err(before) => {
                let before = before.duration();
                (-1 - i64::try_from(before.as_secs()).unwrap_or(i64::MAX - 1), before.subsec_nanos())
            }
        };
        Self { size: stamp.size, modified: stamp.modified.map(split), identity: stamp.identity }
    }
}

impl SavedStamp {
    /// Says whether, at `now`, a source with this stamp was left alone for long enough that any later change would show.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        self.modified.is_some_and(|(seconds, _)| now.since(Timestamp::from_unix(seconds)) >= SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_that_differ_are_saved_differently() {
        let moments = [0, 1, 999_999_999, 1_000_000_000, 1_000_000_001].map(Duration::from_nanos);
        let times = moments.iter().map(|moment| UNIX_EPOCH + *moment).chain(moments.iter().map(|m| UNIX_EPOCH - *m));
        let mut saved: Vec<SavedStamp> = times.map(|time| Stamp::new(1).with_modified(time).into()).collect();
        saved.extend([Stamp::new(1), Stamp::new(2), Stamp::new(1).with_identity(3)].map(SavedStamp::from));
        for (index, one) in saved.iter().enumerate() {
            let text = serde_json::to_string(one).unwrap();
            assert_eq!(serde_json::from_str::<SavedStamp>(&text).unwrap(), *one);
            let alike = saved.iter().filter(|other| *other == one).count();
            // The epoch itself is there twice.
            assert_eq!(alike, if index == 0 || index == 5 { 2 } else { 1 }, "{text}");
        }
    }

    #[test]
    fn a_stamp_proves_something_only_when_the_file_was_left_alone() {
        let stamp = SavedStamp::from(Stamp::new(1).with_modified(UNIX_EPOCH + Duration::from_millis(10_500)));
        let settled = [9, 10, 11, 12, 13].map(|now| stamp.is_settled(Timestamp::from_unix(now)));
        assert_eq!(settled, [false, false, false, true, true]);
        assert!(!SavedStamp::from(Stamp::new(1)).is_settled(Timestamp::from_unix(i64::MAX)));
    }
}
