//! The official rate limits of the Open Platform, as data.

use std::time::Duration;

use pan123_core::{Rate, RateLimits};

/// Whose rate limits to keep.
///
/// The official pages have three tables that disagree; each figure is for one account and one path. Paths without a
/// figure share [`OTHERS`](Self::OTHERS). A caller who knows better changes any of it with [`RateLimits::with`].
///
/// Protocol: `open-files.yaml`, QPS.
///
/// # Example
///
/// ```
/// use pan123_core::Rate;
/// use pan123_open::Tier;
///
/// let limits = Tier::Free.limits();
/// assert_eq!(limits.rate("/api/v2/file/list"), Rate::per_second(5));
/// assert_eq!(limits.rate("/api/v1/file/name"), Tier::OTHERS);
/// let raised = limits.with("/api/v1/file/name", Rate::per_second(10));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// A developer without membership (page of October 2025). The lowest, and the default.
    #[default]
    Free,
    /// A developer with membership (same page).
    Member,
    /// An app that users have granted access to, for each user (page of October 2025).
    OAuth,
    /// The later developer page, which has one column for everybody.
    Newer,
}

impl Tier {
    /// What all paths without an official figure share: 5 requests a second.
    ///
    /// It is the figure that the tables give most often to calls of this kind; those paths being many, each gets less.
    pub const OTHERS: Rate = Rate::per_second(5);

    /// Returns the limits of the tier.
    pub fn limits(self) -> RateLimits {
        let column = match self {
            Self::Free => 0,
            Self::Member => 1,
            Self::OAuth => 2,
            Self::Newer => 3,
        };
        TABLE.iter().fold(RateLimits::new(Self::OTHERS), |limits, (path, rates)| match rates[column] {
            Some(rate) => limits.with(*path, rate),
            None => limits,
        })
    }
}

impl From<Tier> for RateLimits {
    fn from(tier: Tier) -> Self {
        tier.limits()
    }
}

const fn qps(requests: u32) -> Option<Rate> {
    Some(Rate::per_second(requests))
}

const fn every(milliseconds: u64) -> Option<Rate> {
    Some(Rate::one_every(Duration::from_millis(milliseconds)))
}

/// The columns are free, member, oauth, newer.
const TABLE: &[(&str, [Option<Rate>; 4])] = &[
    ("/api/v1/access_token", [qps(8), qps(10), qps(8), qps(10)]),
    // 100 a minute whatever the tier; beyond it the address is limited, not the account.
    ("/api/v1/oauth2/access_token", [every(600), every(600), every(600), every(600)]),
    ("/api/v1/user/info", [qps(10), qps(10), qps(10), qps(10)]),
    ("/api/v1/file/list", [every(5000), qps(10), qps(1), qps(10)]),
    ("/api/v2/file/list", [qps(5), qps(10), qps(15), qps(15)]),
    ("/api/v1/file/infos", [None, None, qps(10), None]),
    ("/api/v1/file/move", [qps(3), qps(10), qps(10), qps(20)]),
    ("/api/v1/file/delete", [qps(1), qps(10), qps(1), qps(10)]),
    ("/api/v1/file/trash", [None, None, qps(5), None]),
    ("/api/v1/file/download_info", [None, None, qps(5), None]),
    ("/upload/v1/file/mkdir", [qps(5), qps(20), qps(5), qps(20)]),
    ("/upload/v1/file/create", [None, None, qps(5), None]),
    ("/upload/v1/file/get_upload_url", [None, None, qps(20), None]),
    ("/upload/v1/file/list_upload_parts", [None, None, qps(20), None]),
    ("/upload/v1/file/upload_complete", [None, None, qps(20), None]),
    ("/upload/v1/file/upload_async_result", [None, None, qps(5), None]),
    ("/api/v1/transcode/folder/info", [qps(20), qps(20), qps(20), qps(20)]),
    ("/api/v1/transcode/upload/from_cloud_disk", [qps(1), qps(1), qps(1), qps(1)]),
    ("/api/v1/transcode/video/resolutions", [qps(1), qps(1), qps(1), qps(1)]),
    ("/api/v1/transcode/video", [qps(3), qps(3), qps(3), qps(3)]),
    ("/api/v1/transcode/video/record", [qps(20), qps(20), qps(20), qps(20)]),
    ("/api/v1/transcode/video/result", [qps(20), qps(20), qps(20), qps(20)]),
    ("/api/v1/video/transcode/list", [qps(1), qps(1), qps(1), qps(1)]),
    ("/api/v1/transcode/delete", [qps(10), qps(10), qps(10), qps(10)]),
    ("/api/v1/transcode/file/download", [qps(10), qps(10), qps(10), qps(10)]),
    ("/api/v1/transcode/m3u8_ts/download", [qps(20), qps(20), qps(20), qps(20)]),
    ("/api/v1/transcode/file/download/all", [qps(1), qps(1), qps(1), qps(1)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_has_its_column() {
        let rate = |tier: Tier, path| tier.limits().rate(path);
        assert_eq!(rate(Tier::default(), "/api/v1/file/list").interval(), Duration::from_secs(5));
        assert_eq!(rate(Tier::Member, "/api/v1/file/delete"), Rate::per_second(10));
        assert_eq!(rate(Tier::OAuth, "/api/v1/file/trash"), Rate::per_second(5));
        assert_eq!(rate(Tier::Newer, "/upload/v1/file/mkdir"), Rate::per_second(20));
        assert_eq!(rate(Tier::Free, "/api/v1/file/trash"), Tier::OTHERS);
    }

    #[test]
    fn free_is_nowhere_faster_than_member() {
        let (free, member) = (Tier::Free.limits(), Tier::Member.limits());
        for (path, _) in TABLE {
            assert!(free.rate(path).interval() >= member.rate(path).interval(), "{path}");
        }
    }
}
