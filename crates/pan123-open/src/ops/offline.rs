//! Offline downloads: the service fetches an address into the drive.

use std::fmt;

use pan123_core::{Error, ErrorKind, FileId, Meta, Result, name, open_enum, operation, redact, wire};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

operation! {
    /// Has the service fetch an address into the drive.
    ///
    /// Success means that the task was accepted, and no more: [`Process`] tells how it goes. Without a folder the file goes
    /// into one that the service makes, 来自:离线下载; the root cannot be given. There is no call to list, stop or delete tasks.
    ///
    /// It is not sent again after a lost answer: that would fetch the file twice.
    ///
    /// Protocol: `open-files.yaml`, `offline.download`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) before any request for the root, and for an address that is neither `http` nor
    /// `https`: magnets and torrents are not taken.
    pub struct Download -> Begun = Meta::post("open/offline.download", "/api/v1/offline/download");
    {
        /// The address.
        json "url": address: Address,
    }
    optional {
        /// Names the file, ending included; the service takes the name from the address unless told.
        json "fileName": name: String,
        /// Sets the folder; not the root.
        json "dirID": folder: FileId,
        /// Has the service tell this address how the task ended; see [`Callback`].
        json "callBackUrl": call_back: Address,
    }

    fn validate(&self) -> Result<()> {
        self.address.check("the address to download")?;
        if let Some(name) = &self.name {
            name::check(name)?;
        }
        if let Some(folder) = &self.folder {
            if folder.is_root() {
                return Err(Error::invalid("offline downloads cannot go into the root: name a folder, or none"));
            }
            folder.check_entry()?;
        }
        self.call_back.as_ref().map_or(Ok(()), |address| address.check("the address to call back"))
    }
}

/// An address given to the service. `Debug` shows it without its query, which may hold a permission.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn check(&self, what: &str) -> Result<()> {
        match Url::parse(&self.0) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
            _ => Err(Error::invalid(format!("{what} must begin with http:// or https://"))),
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Url> for Address {
    fn from(url: Url) -> Self {
        Self(url.into())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Url::parse(&self.0).map_or_else(|_| "no address".to_owned(), |url| redact::url(&url));
        f.debug_tuple("Address").field(&shown).finish()
    }
}

/// A download that the service accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Begun {
    /// Its id, for [`Process`].
    #[serde(rename = "taskID", alias = "taskId")]
    pub task: OfflineTask,
}

/// The id of an offline download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct OfflineTask(i64);

impl OfflineTask {
    /// Makes an id from the service's number.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for OfflineTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match wire::integer(deserializer)? {
            id if id > 0 => Ok(Self(id)),
            id => Err(de::Error::custom(format!("the id of an offline download is {id}"))),
        }
    }
}

operation! {
    /// Asks how far an offline download is.
    ///
    /// The state alone tells whether it is over. Why one failed, and which file came of one that succeeded, is told only to
    /// the address given to [`call_back`](Download::call_back).
    ///
    /// Protocol: `open-files.yaml`, `offline.process`.
    pub struct Process -> Progress = Meta::get("open/offline.process", "/api/v1/offline/download/process");
    {
        /// The task.
        query "taskID": task: OfflineTask,
    }
}

/// How far an offline download is.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// The service's percentage, 0 to 100; it falls back to 0 on a failure, and proves nothing.
    #[serde(default, rename = "process", deserialize_with = "wire::percent")]
    pub percent: f64,
    /// What it is doing.
    #[serde(rename = "status")]
    pub state: OfflineState,
}

open_enum! {
    /// What an offline download is doing.
    pub enum OfflineState {
        /// It is being fetched.
        Running = 0,
        /// It failed; final.
        Failed = 1,
        /// The file is in the drive; final.
        Done = 2,
        /// It failed and the service tries again.
        Retrying = 3,
    }
}

/// What the service tells the address given to [`call_back`](Download::call_back) when a task ends.
///
/// It comes as the body of a POST. Nothing proves that the service sent it: no signature is documented, and no task is
/// named, so take it as a hint, match it by the address, and look at the drive.
///
/// Protocol: `open-files.yaml`, `offline.callback`.
///
/// # Example
///
/// ```
/// use pan123_open::{FileId, ops::offline::Callback};
///
/// let body = br#"{"url":"https://example.org/resource.jpg","status":0,"failReason":"","fileID":15000020}"#;
/// assert_eq!(Callback::read(body)?.outcome, Ok(FileId::new(15_000_020)));
/// # Ok::<(), pan123_open::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// The address that was downloaded.
    pub address: Address,
    /// The file, or why there is none, in the service's words.
    pub outcome: Result<FileId, String>,
}

impl Callback {
    /// Reads the body of the POST.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when it is none of the service's, or claims success without a file.
    pub fn read(body: &[u8]) -> Result<Self> {
        let told: Told = serde_json::from_slice(body).map_err(|cause| {
            Error::new(ErrorKind::Decode, "the body is not what the service tells of an offline download")
                .with_source(cause)
        })?;
        let outcome = match told.status {
            0 => Ok(told.file_id.filter(|id| id.check_entry().is_ok()).ok_or_else(|| {
                Error::new(ErrorKind::Decode, "the service tells of a download that succeeded and names no file")
            })?),
            _ => Err(told.reasons.said()),
        };
        Ok(Self { address: Address(told.url), outcome })
    }
}

#[derive(Deserialize)]
#[serde(expecting = "what the service tells of an offline download")]
struct Told {
    url: String,
    #[serde(deserialize_with = "wire::integer")]
    status: i64,
    #[serde(flatten)]
    reasons: Reasons,
    #[serde(default, rename = "fileID", alias = "fileId")]
    file_id: Option<FileId>,
}

/// Why a download failed. The official text names the one member, its sample the other; a sender that is careful sends both.
#[derive(Deserialize)]
pub(super) struct Reasons {
    #[serde(default, rename = "failReason")]
    fail: Option<String>,
    #[serde(default, rename = "fileReason")]
    file: Option<String>,
}

impl Reasons {
    /// Returns what was said; empty where nothing was.
    pub(super) fn said(self) -> String {
        self.fail.filter(|reason| !reason.is_empty()).or(self.file).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn the_root_bad_names_and_other_schemes_are_refused() {
        let download = |address: &str| Download::new(address);
        let good = download("https://example.org/a?sig=planted");
        for (download, ok) in [
            (good.clone(), true),
            (good.clone().folder(FileId::new(5)).name("a.mp4").call_back("http://me.example/done"), true),
            (good.clone().folder(FileId::ROOT), false),
            (good.clone().folder(FileId::new(-1)), false),
            (good.clone().name("a/b"), false),
            (good.clone().call_back("me"), false),
            (download("magnet:?xt=urn:btih:0"), false),
            (download("ftp://example.org/a"), false),
            (download(""), false),
        ] {
            assert_eq!(download.validate().is_ok(), ok, "{download:?}");
        }
        let error = good.clone().folder(FileId::ROOT).validate().unwrap_err();
        assert!(error.to_string().contains("root"), "{error}");
        assert!(!good.is_repeatable(), "a lost answer may have begun a task");
        assert!(!format!("{good:?}").contains("planted"));
    }

    #[test]
    fn what_the_service_tells_is_read_under_both_names() {
        let told = |json: &str| Callback::read(json.as_bytes()).map(|told| told.outcome);
        let file = FileId::new(15_000_020);
        for (json, outcome) in [
            (r#"{"url":"u","status":0,"failReason":"","fileID":15000020}"#, Some(Ok(file))),
            (r#"{"url":"u","status":"0","fileReason":"","fileID":"15000020"}"#, Some(Ok(file))),
            (r#"{"url":"u","status":1,"failReason":"gone","fileID":0}"#, Some(Err("gone".to_owned()))),
            (r#"{"url":"u","status":1,"fileReason":"gone","fileID":0}"#, Some(Err("gone".to_owned()))),
            (r#"{"url":"u","status":1,"failReason":"a","fileReason":"b"}"#, Some(Err("a".to_owned()))),
            (r#"{"url":"u","status":1,"failReason":"","fileReason":"b"}"#, Some(Err("b".to_owned()))),
            (r#"{"url":"u","status":7,"failReason":null}"#, Some(Err(String::new()))),
            (r#"{"url":"u","status":0,"failReason":"","fileID":0}"#, None),
            (r#"{"url":"u","fileID":15000020}"#, None),
            ("{}", None),
            ("<html>", None),
        ] {
            assert_eq!(told(json).ok(), outcome, "{json}");
        }
    }

    #[test]
    fn a_percentage_proves_nothing_and_is_always_one() {
        for (json, percent) in [
            ("42.5", 42.5),
            ("100", 100.0),
            ("\"42.5\"", 42.5),
            ("\"42%\"", 42.0),
            ("null", 0.0),
            ("-1", 0.0),
            ("1e9", 100.0),
            ("\"NaN\"", 0.0),
        ] {
            let progress: Progress = serde_json::from_str(&format!(r#"{{"process":{json},"status":0}}"#)).expect(json);
            assert!((progress.percent - percent).abs() < 1e-9, "{json}");
        }
        assert!(serde_json::from_str::<Progress>(r#"{"process":100}"#).is_err(), "the state alone counts");
    }
}
