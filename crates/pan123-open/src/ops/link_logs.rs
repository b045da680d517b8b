//! Direct links, afterwards: the CDN's cache, what was fetched, and the archives of its logs.

use std::fmt;

use pan123_core::{
    Effect, Error, Link, Meta, Operation, Paged, Reply, Request, Result, Timestamp, open_enum, operation, wire,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::{MOST_IDS, links::DirectLink};

/// Purges what the CDN keeps of all direct links: needed after the content of a file was replaced.
///
/// It always purges everything; there is no choice. It may need the developer benefit, sources differ.
///
/// Protocol: `open-services.yaml`, `dlink.cache_refresh`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefreshDirectLinkCache;

impl Operation for RefreshDirectLinkCache {
    type Output = ();
    const META: Meta = Meta::post("open/dlink.cache_refresh", "/api/v1/direct-link/cache/refresh").effect(Effect::Same);

    fn encode(&self, request: &mut Request) {
        // A null is left out and leaves an empty object, which is what clients send.
        request.json("", ());
    }

    fn decode(&self, reply: Reply) -> Result<()> {
        reply.nothing()
    }
}

operation! {
    /// Lists what was fetched by direct links in the last 3 days, page by page. It needs the developer benefit.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) entries, and a last one that finds nothing more.
    ///
    /// Protocol: `open-services.yaml`, `dlink.traffic_log`.
    pub struct TrafficLog -> LogPage<LogEntry> = Meta::get("open/dlink.traffic_log", "/api/v1/direct-link/log");
    {
        /// The first moment.
        query "startTime": from: LogTime,
        /// The last moment, not before the first.
        query "endTime": to: LogTime,
    }
    defaults {
        /// Sets which page is asked for, counted from 1.
        query "pageNum": page: u32 = 1,
        /// Sets how many entries a page has at most: 1 to [`LARGEST_LOG_PAGE`], the default.
        query "pageSize": page_size: u32 = LARGEST_LOG_PAGE,
    }

    fn validate(&self) -> Result<()> {
        check_log(self.from <= self.to, self.page, self.page_size)
    }
}

impl Paged for TrafficLog {
    type Item = LogEntry;

    fn items(&self, page: LogPage<LogEntry>) -> Vec<LogEntry> {
        page.entries
    }

    fn advance(&mut self, page: &LogPage<LogEntry>) -> bool {
        self.page = self.page.saturating_add(1);
        page.goes_on()
    }
}

/// A file that was fetched, as [`TrafficLog`] gives it.
///
/// A number that is missing or no number is 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an entry of the traffic log")]
#[non_exhaustive]
pub struct LogEntry {
    /// The id of the entry.
    #[serde(rename = "uniqueID", alias = "uniqueId")]
    pub id: LogId,
    /// The name of the file.
    #[serde(default, rename = "fileName", deserialize_with = "wire::or_default")]
    pub name: String,
    /// The size of the file in bytes.
    #[serde(default, rename = "fileSize", deserialize_with = "wire::integer_or_zero")]
    pub size: u64,
    /// Its path in the drive.
    #[serde(default, rename = "filePath", deserialize_with = "wire::or_default")]
    pub path: String,
    /// The link that was used; `None` where the service gives none. `Debug` hides its query.
    #[serde(default, rename = "directLinkURL", alias = "directLinkUrl", deserialize_with = "direct_link")]
    pub link: Option<DirectLink>,
    /// Where the file lies; `None` where the service does not tell.
    #[serde(default, rename = "fileSource")]
    pub source: Option<FileSource>,
    /// The traffic that was used, in bytes.
    #[serde(default, rename = "totalTraffic", deserialize_with = "wire::integer_or_zero")]
    pub traffic: u64,
}

open_enum! {
    /// Where a file lies.
    pub enum FileSource {
        /// In the drive.
        Drive = 1,
        /// In image hosting.
        ImageHosting = 2,
    }
}

operation! {
    /// Lists the archives of the direct-link log of the last 30 days, one gzip file for an hour, page by page. It needs
    /// the developer benefit.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) archives, and a last one that finds nothing more.
    ///
    /// Protocol: `open-services.yaml`, `dlink.offline_logs`.
    pub struct OfflineLogs -> LogPage<LogArchive> =
        Meta::get("open/dlink.offline_logs", "/api/v1/direct-link/offline/logs");
    {
        /// The first hour.
        query "startHour": from: LogHour,
        /// The last hour, not before the first.
        query "endHour": to: LogHour,
    }
    defaults {
        /// Sets which page is asked for, counted from 1.
        query "pageNum": page: u32 = 1,
        /// Sets how many archives a page has at most: 1 to [`LARGEST_LOG_PAGE`], the default.
        query "pageSize": page_size: u32 = LARGEST_LOG_PAGE,
    }

    fn validate(&self) -> Result<()> {
        check_log(self.from <= self.to, self.page, self.page_size)
    }
}

impl Paged for OfflineLogs {
    type Item = LogArchive;

    fn items(&self, page: LogPage<LogArchive>) -> Vec<LogArchive> {
        page.entries
    }

    fn advance(&mut self, page: &LogPage<LogArchive>) -> bool {
        self.page = self.page.saturating_add(1);
        page.goes_on()
    }
}

/// The log of an hour, as [`OfflineLogs`] gives it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an archive of the log")]
#[non_exhaustive]
pub struct LogArchive {
    /// Its id.
    pub id: LogId,
    /// Its name, which ends in `.gz`.
    #[serde(default, rename = "fileName", deserialize_with = "wire::or_default")]
    pub name: String,
    /// Its size in bytes; 0 where the service does not tell.
    #[serde(default, rename = "fileSize", deserialize_with = "wire::integer_or_zero")]
    pub size: u64,
    /// The time that it covers, as the service writes it in UTC+8: `2026-01-01 15:00~16:00`.
    #[serde(default, rename = "logTimeRange", deserialize_with = "wire::or_default")]
    pub time_range: String,
    /// Where it can be downloaded; `None` where the service gives no address.
    #[serde(default, rename = "downloadURL", alias = "downloadUrl", deserialize_with = "link")]
    pub link: Option<Link>,
}

impl LogArchive {
    /// Returns when the hour begins, where [`time_range`](Self::time_range) tells it in the documented form.
    pub fn starts_at(&self) -> Option<Timestamp> {
        let (start, _) = self.time_range.split_once('~')?;
        Timestamp::parse(&format!("{}:00", start.trim()))
    }
}

/// One page of a log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(bound = "T: Deserialize<'de>", expecting = "a page of a log")]
#[non_exhaustive]
pub struct LogPage<T> {
    /// How many there are on all pages, the service says; it has said 0 of a page that holds some.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub total: u64,
    /// What is on this page.
    #[serde(default = "Vec::new", rename = "list", deserialize_with = "wire::or_default")]
    pub entries: Vec<T>,
}

impl<T> LogPage<T> {
    /// Neither the total nor a short page is a sure sign of the end; an empty page is.
    fn goes_on(&self) -> bool {
        !self.entries.is_empty()
    }
}

/// The id of an entry or an archive of a log; the service gives text or a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogId(String);

impl LogId {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for LogId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            serde_json::Value::Number(number) => Ok(Self(number.to_string())),
            _ => Err(de::Error::custom("the id of a log is neither text nor a number")),
        }
    }
}

/// A moment in a [`TrafficLog`], which the service wants as `2026-01-01 15:00:00` in UTC+8. It is made from a
/// [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogTime(Timestamp);

impl From<Timestamp> for LogTime {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl Serialize for LogTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&written::<S>(self.0)?.replace('T', " "))
    }
}

/// An hour in [`OfflineLogs`], which the service wants as `2026010115` in UTC+8. It is made from any [`Timestamp`] in
/// the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogHour(Timestamp);

impl From<Timestamp> for LogHour {
    fn from(time: Timestamp) -> Self {
        Self(Timestamp::from_unix(time.unix().div_euclid(HOUR).saturating_mul(HOUR)))
    }
}

impl Serialize for LogHour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = written::<S>(self.0)?;
        digits.retain(|c| c.is_ascii_digit());
        digits.truncate("YYYYMMDDhh".len());
        serializer.serialize_str(&digits)
    }
}

/// Writes a time as `2026-01-01T15:00:00` in UTC+8.
fn written<S: Serializer>(time: Timestamp) -> Result<String, S::Error> {
    let there = Timestamp::from_unix(time.unix().saturating_add(8 * HOUR)).to_string();
    match there.strip_suffix('Z') {
        Some(text) if text.len() == "YYYY-MM-DDThh:mm:ss".len() => Ok(text.to_owned()),
        _ => Err(ser::Error::custom("the time lies in no year of four digits")),
    }
}

/// The largest page of a log. No limit is documented; that of other lists is kept.
#[expect(clippy::cast_possible_truncation, reason = "it is 100")]
pub const LARGEST_LOG_PAGE: u32 = MOST_IDS as u32;

/// In seconds.
const HOUR: i64 = 3600;

fn check_log(in_order: bool, page: u32, page_size: u32) -> Result<()> {
    if !in_order {
        return Err(Error::invalid("the time to look at ends before it begins"));
    }
    if page == 0 {
        return Err(Error::invalid("the pages of a log are counted from 1"));
    }
    if !(1..=LARGEST_LOG_PAGE).contains(&page_size) {
        return Err(Error::invalid(format!("a page has 1 to {LARGEST_LOG_PAGE} entries, not {page_size}")));
    }
    Ok(())
}

/// Reads an address where null or an empty text means that there is none.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn link<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Link>, D::Error> {
    address(deserializer)?.map(|text| Link::parse(&text).map_err(de::Error::custom)).transpose()
}

fn direct_link<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DirectLink>, D::Error> {
    let text = address(deserializer)?.map(de::value::StringDeserializer::<D::Error>::new);
    text.map(DirectLink::deserialize).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_767_240_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(NOON + seconds)
    }

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before_a_request() {
        let traffic = || TrafficLog::new(at(0), at(0));
        let archives = || OfflineLogs::new(at(0), at(0));
        assert!(ok(traffic()) && ok(archives()));
        assert!(!ok(TrafficLog::new(at(1), at(0))) && !ok(OfflineLogs::new(at(HOUR), at(0))));
        assert!(ok(OfflineLogs::new(at(1), at(0))), "both are in one hour");
        assert!(!ok(traffic().page(0)) && !ok(archives().page(0)));
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!((ok(traffic().page_size(size)), ok(archives().page_size(size))), (fits, fits), "{size}");
        }
    }

    #[test]
    fn times_are_written_in_the_zone_of_the_service() {
        for (unix, time, hour) in [
            (NOON, "\"2026-01-01 12:00:00\"", "\"2026010112\""),
            (NOON + 12 * HOUR + 61, "\"2026-01-02 00:01:01\"", "\"2026010200\""),
            (0, "\"1970-01-01 08:00:00\"", "\"1970010108\""),
        ] {
            let at = Timestamp::from_unix(unix);
            assert_eq!(serde_json::to_string(&LogTime::from(at)).unwrap(), time);
            assert_eq!(serde_json::to_string(&LogHour::from(at)).unwrap(), hour);
        }
        for unix in [i64::MIN, i64::MAX, -62_200_000_000] {
            assert!(serde_json::to_string(&LogTime::from(Timestamp::from_unix(unix))).is_err(), "{unix}");
            assert!(serde_json::to_string(&LogHour::from(Timestamp::from_unix(unix))).is_err(), "{unix}");
        }
    }

    #[test]
    fn only_an_empty_page_is_the_end() {
        for (json, more) in [
            (r#"{"total":0,"list":[{"uniqueID":"a"}]}"#, true),
            (r#"{"total":1,"list":[{"uniqueID":"a"}]}"#, true),
            (r#"{"total":9,"list":[]}"#, false),
            (r#"{"total":9,"list":null}"#, false),
        ] {
            let mut log = TrafficLog::new(at(0), at(0));
            assert_eq!(log.advance(&serde_json::from_str(json).unwrap()), more, "{json}");
            assert_eq!(log.page, 2);
        }
    }

    #[test]
    fn an_archive_tells_its_hour() {
        for (range, unix) in [
            ("2026-01-01 12:00~13:00", Some(NOON)),
            ("2026-01-01 23:00~24:00", Some(NOON + 11 * HOUR)),
            ("2026-01-01", None),
            ("", None),
            ("soon~later", None),
        ] {
            let json = format!(r#"{{"id":1,"logTimeRange":"{range}"}}"#);
            let archive: LogArchive = serde_json::from_str(&json).unwrap();
            assert_eq!(archive.starts_at().map(Timestamp::unix), unix, "{range}");
        }
    }
}
