//! What the CDN served of direct links and images, for the logs that developers can read.

use std::collections::BTreeMap;

/// The traffic of one address in one hour.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    /// When it was first fetched in that hour.
    pub(crate) unix: i64,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) path: String,
    pub(crate) url: String,
    /// 1 the drive, 2 image hosting.
    pub(crate) source: i64,
    pub(crate) bytes: u64,
}

/// By hour since 1970 and by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrafficLog(BTreeMap<(i64, String), Traffic>);

impl TrafficLog {
    pub(crate) fn add(&mut self, traffic: Traffic) {
        let key = (hour(traffic.unix), traffic.url.clone());
        match self.0.get_mut(&key) {
            Some(held) => held.bytes += traffic.bytes,
            None => {
                self.0.insert(key, traffic);
            }
        }
    }

    /// One entry for each address that was fetched between two moments, both included.
    pub(crate) fn by_url(&self, from: i64, to: i64) -> Vec<Traffic> {
        let mut found: BTreeMap<&str, Traffic> = BTreeMap::new();
        for traffic in self.0.values().filter(|traffic| (from..=to).contains(&traffic.unix)) {
            match found.get_mut(traffic.url.as_str()) {
                Some(held) => held.bytes += traffic.bytes,
                None => {
                    found.insert(&traffic.url, traffic.clone());
                }
            }
        }
        found.into_values().collect()
    }

    /// The hours with traffic between two hours, both included.
    pub(crate) fn hours(&self, from: i64, to: i64) -> Vec<i64> {
        let mut hours: Vec<i64> = self.0.keys().map(|key| key.0).filter(|at| (from..=to).contains(at)).collect();
        hours.dedup();
        hours
    }

    pub(crate) fn in_hour(&self, wanted: i64) -> impl Iterator<Item = &Traffic> {
        self.0.iter().filter(move |(key, _)| key.0 == wanted).map(|(_, traffic)| traffic)
    }
}

pub(crate) fn hour(unix: i64) -> i64 {
    unix.div_euclid(3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_added_up_by_hour_and_address() {
        let mut log = TrafficLog::default();
        for (unix, url, bytes) in [(0, "a", 1), (3599, "a", 2), (3600, "a", 4), (3600, "b", 8)] {
            let (name, path) = (String::new(), String::new());
            log.add(Traffic { unix, name, size: 0, path, url: url.into(), source: 1, bytes });
        }
        let bytes = |from, to| log.by_url(from, to).iter().map(|traffic| traffic.bytes).collect::<Vec<_>>();
        assert_eq!(bytes(0, 7200), [7, 8]);
        assert_eq!(bytes(1, 7200), [4, 8]);
        assert_eq!(log.hours(0, 5), [0, 1]);
        assert_eq!(log.in_hour(0).count(), 1);
    }
}
