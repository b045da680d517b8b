//! Image hosting's imports: images of the drive, and images of other servers.

use std::fmt;

use pan123_core::{Error, FileId, Meta, Operation, Paged, Reply, Request, Result, Secret, open_enum, operation, wire};
use serde::{Deserialize, Deserializer, Serialize, de};
use url::Url;

use super::{
    MOST_IDS, check_ids,
    images::{ImageId, LARGEST_PAGE, check_name, check_page_size, id_or_none, opaque},
    offline::Reasons,
};

/// Begins to copy up to [`MOST_IDS`] images and folders of the drive into image hosting; [`CopyProcess`] tells when it is
/// done.
///
/// Only images of the [`FORMATS`](super::images::FORMATS) up to [`LARGEST_IMAGE`](super::images::LARGEST_IMAGE) are copied,
/// everything else is passed over without a word; at most 1000 images by one task, from at most 15 levels of folders, and at
/// most 3 tasks wait at a time. An image of the same size and MD5 in the folder is overwritten. It is not sent again after a
/// lost answer: a second task would do it all again.
///
/// Protocol: `open-services.yaml`, `oss.copy_from_disk`.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyFromDisk {
    ids: Vec<FileId>,
    folder: ImageId,
}

impl CopyFromDisk {
    /// Makes the request.
    ///
    /// - `ids`: images and folders of the drive; 1 to [`MOST_IDS`], none of them the root.
    /// - `folder`: the folder of image hosting to copy them into; the root is allowed.
    pub fn new(ids: impl Into<Vec<FileId>>, folder: impl Into<ImageId>) -> Self {
        Self { ids: ids.into(), folder: folder.into() }
    }
}

impl Operation for CopyFromDisk {
    type Output = CopyTask;
    const META: Meta = Meta::post("open/oss.copy_from_disk", "/api/v1/oss/source/copy");

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)?;
        self.folder.check_folder()
    }

    fn encode(&self, request: &mut Request) {
        // Ids of the drive are numbers everywhere else; this call wants them as text.
        request.json("fileIDs", self.ids.iter().map(FileId::to_string).collect::<Vec<_>>());
        request.json("toParentFileID", &self.folder);
        request.json("sourceType", 1);
        request.json("type", 1);
    }

    fn decode(&self, reply: Reply) -> Result<CopyTask> {
        reply.data::<NewCopy>().map(|task| task.id)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a task")]
struct NewCopy {
    #[serde(rename = "taskID", alias = "taskId")]
    id: CopyTask,
}

/// The id of a copy that [`CopyFromDisk`] has begun: a text, unlike that of an [`OfflineTask`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct CopyTask(String);

impl CopyTask {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn check(&self) -> Result<()> {
        if self.0.is_empty() { Err(Error::invalid("the id of a copy is empty")) } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for CopyTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let task = Self(opaque(deserializer)?);
        task.check().map(|()| task).map_err(|_| de::Error::custom("the id of a copy is empty"))
    }
}

impl From<&str> for CopyTask {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&Self> for CopyTask {
    fn from(task: &Self) -> Self {
        task.clone()
    }
}

operation! {
    /// Asks how far a copy from the drive is. Ask about once a second, until it [`is_final`](CopyState::is_final).
    ///
    /// Protocol: `open-services.yaml`, `oss.copy_process`.
    pub struct CopyProcess -> CopyStatus = Meta::get("open/oss.copy_process", "/api/v1/oss/source/copy/process");
    {
        /// The copy.
        query "taskID": task: CopyTask,
    }

    fn validate(&self) -> Result<()> {
        self.task.check()
    }
}

/// How far a copy from the drive is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CopyStatus {
    /// How far it is.
    #[serde(rename = "status")]
    pub state: CopyState,
    /// Why it has failed, in the service's words; empty when nothing is wrong.
    #[serde(default, rename = "failMsg", deserialize_with = "wire::or_default")]
    pub reason: String,
}

open_enum! {
    /// The states of a copy from the drive. Their numbers are not those of any other task.
    pub enum CopyState {
        /// It goes on.
        Running = 1,
        /// It is over. Not every image need have been copied: [`CopyFailures`] lists those that were not.
        Done = 2,
        /// It has failed.
        Failed = 3,
        /// It has not begun.
        Waiting = 4,
    }
}

impl CopyState {
    /// Says whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

operation! {
    /// Lists the images that a copy from the drive could not copy, page by page.
    ///
    /// Only images that could have been copied are listed; other files were passed over.
    ///
    /// Protocol: `open-services.yaml`, `oss.copy_fail_list`.
    pub struct CopyFailures -> CopyFailurePage = Meta::get("open/oss.copy_fail_list", "/api/v1/oss/source/copy/fail");
    {
        /// The copy.
        query "taskID": task: CopyTask,
    }
    defaults {
        /// Sets how many images a page has at most: 1 to [`MOST_IDS`], the default.
        query "limit": page_size: u32 = LARGEST_PAGE,
        /// Sets which page, counted from 1, the default.
        query "page": page: u32 = 1,
    }

    fn validate(&self) -> Result<()> {
        self.task.check()?;
        check_page_size(self.page_size)?;
        if self.page == 0 { Err(Error::invalid("pages are counted from 1")) } else { Ok(()) }
    }
}

impl Paged for CopyFailures {
    type Item = CopyFailure;

    fn items(&self, page: CopyFailurePage) -> Vec<CopyFailure> {
        page.failures
    }

    fn advance(&mut self, page: &CopyFailurePage) -> bool {
        let seen = u64::from(self.page) * u64::from(self.page_size);
        self.page = self.page.saturating_add(1);
        !page.failures.is_empty() && page.total.is_none_or(|total| seen < total)
    }
}

/// One page of [`CopyFailures`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CopyFailurePage {
    /// How many images there are on all pages, where the service tells it.
    #[serde(default, deserialize_with = "wire::optional_integer")]
    pub total: Option<u64>,
    /// The images of this page; the service says null where there are none.
    #[serde(default, rename = "list", deserialize_with = "wire::or_default")]
    pub failures: Vec<CopyFailure>,
}

/// An image of the drive that was not copied.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CopyFailure {
    /// Its id in the drive.
    #[serde(rename = "fileId", alias = "fileID")]
    pub id: FileId,
    /// Its name.
    #[serde(default, rename = "filename", deserialize_with = "wire::or_default")]
    pub name: String,
}

operation! {
    /// Has the service fetch one image from another server, as a task; [`OfflineProcess`] tells when it is done.
    ///
    /// Formats and size are as for an upload: [`FORMATS`](super::images::FORMATS), [`LARGEST_IMAGE`](super::images::LARGEST_IMAGE).
    /// An image of the same size and MD5 in the folder is overwritten. The id of the new image is told to the callback only;
    /// list the folder to find it.
    ///
    /// Addresses are treated as secrets, because many hold one. It is not sent again after a lost answer.
    ///
    /// Protocol: `open-services.yaml`, `oss.offline_download`.
    pub struct OfflineDownload => OfflineTask = Meta::post("open/oss.offline_download", "/api/v1/oss/offline/download");
    {
        /// Where the image is; `http` or `https`.
        json_secret "url": url: Secret,
    }
    fixed {
        json "type": 1,
    }
    optional {
        /// Sets the name of the new image; see [`check_name`].
        json "fileName": name: String,
        /// Sets the folder of image hosting, which cannot be the root. The service has one called `来自:离线下载` for what
        /// has none.
        json "businessDirID": folder: ImageId,
        /// Has the service POST an [`OfflineReport`] to this address at the end; `http` or `https`.
        json_secret "callBackUrl": callback: Secret,
    }

    fn validate(&self) -> Result<()> {
        check_address(&self.url)?;
        self.callback.as_ref().map_or(Ok(()), check_address)?;
        self.name.as_deref().map_or(Ok(()), check_name)?;
        self.folder.as_ref().map_or(Ok(()), ImageId::check_entry)
    }

    fn decode(&self, reply: Reply) -> Result<OfflineTask> {
        reply.data::<NewDownload>().map(|task| task.id)
    }
}

fn check_address(address: &Secret) -> Result<()> {
    match Url::parse(address.expose()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(Error::invalid("the address must be an http or https one")),
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a task")]
struct NewDownload {
    #[serde(rename = "taskID", alias = "taskId")]
    id: OfflineTask,
}

/// The id of a task that [`OfflineDownload`] has begun: a number, unlike that of a [`CopyTask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct OfflineTask(i64);

impl OfflineTask {
    /// Makes an id from its number.
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
            id @ 1.. => Ok(Self(id)),
            id => Err(de::Error::custom(format!("the id of a task is {id}"))),
        }
    }
}

impl fmt::Display for OfflineTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

operation! {
    /// Asks how far the fetching of an image is. Ask about once a second, until it [`is_final`](OfflineState::is_final).
    ///
    /// Protocol: `open-services.yaml`, `oss.offline_process`.
    pub struct OfflineProcess -> OfflineStatus =
        Meta::get("open/oss.offline_process", "/api/v1/oss/offline/download/process");
    {
        /// The task.
        query "taskID": task: OfflineTask,
    }

    fn validate(&self) -> Result<()> {
        if self.task.0 > 0 { Ok(()) } else { Err(Error::invalid("the id of a task is a positive number")) }
    }
}

/// How far the fetching of an image is.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct OfflineStatus {
    /// How far it is.
    #[serde(rename = "status")]
    pub state: OfflineState,
    /// How much has come, in percent: 0 to 100; 0 where the service does not tell it.
    #[serde(default, rename = "process", deserialize_with = "percent")]
    pub percent: f64,
}

/// Reads a number, whole or not, as such or as text. Nothing is lost by 0.
fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    Ok(number.filter(|number| number.is_finite()).unwrap_or_default())
}

open_enum! {
    /// The states of fetching an image.
    pub enum OfflineState {
        /// It goes on.
        Running = 0,
        /// It has failed; the reason is told to the callback only.
        Failed = 1,
        /// The image is stored.
        Done = 2,
        /// It has failed and is tried again.
        Retrying = 3,
    }
}

impl OfflineState {
    /// Says whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// What the service sends to the callback of an [`OfflineDownload`], as JSON in the body of a POST.
///
/// Nothing proves that it comes from the service: take it as a hint to look, not as a fact.
///
/// Protocol: `open-services.yaml`, `oss.offline_download`.
///
/// # Example
///
/// ```
/// use pan123_open::ops::images_import::OfflineReport;
///
/// let body = r#"{"url":"https://example.com/a.png","status":0,"failReason":"","fileID":100}"#;
/// let report: OfflineReport = serde_json::from_str(body)?;
/// assert!(report.succeeded);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Told")]
#[non_exhaustive]
pub struct OfflineReport {
    /// Where the image was fetched from.
    pub url: Secret,
    /// Whether it is stored: status 0, where that of a task is 2.
    pub succeeded: bool,
    /// Why it is not, in the service's words; empty otherwise.
    pub reason: String,
    /// The new image. The pages show it as a number, unlike everywhere else.
    pub id: Option<ImageId>,
}

#[derive(Deserialize)]
#[serde(expecting = "what the service tells of an image that it was to fetch")]
struct Told {
    url: String,
    #[serde(deserialize_with = "wire::integer")]
    status: i64,
    #[serde(flatten)]
    reasons: Reasons,
    #[serde(default, rename = "fileID", alias = "fileId", deserialize_with = "id_or_none")]
    id: Option<ImageId>,
}

impl From<Told> for OfflineReport {
    fn from(told: Told) -> Self {
        let (url, succeeded) = (Secret::from(told.url), told.status == 0);
        Self { url, succeeded, reason: told.reasons.said(), id: told.id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    #[test]
    fn limits_are_kept_before_a_request() {
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            assert_eq!(ok(CopyFromDisk::new(vec![FileId::new(1); count], "f")), fits, "{count}");
        }
        assert!(!ok(CopyFromDisk::new([FileId::ROOT], "f")) && ok(CopyFromDisk::new([FileId::new(1)], "")));
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(CopyFailures::new("t").page_size(size)), fits, "{size}");
        }
        assert!(!ok(CopyFailures::new("t").page(0)) && !ok(CopyFailures::new("")) && !ok(CopyProcess::new("")));
        assert!(!ok(OfflineProcess::new(OfflineTask::new(0))));
    }

    #[test]
    fn only_web_addresses_names_of_images_and_real_folders_are_taken() {
        let download = || OfflineDownload::new("https://example.com/a.png");
        assert!(ok(download().name("a.png").folder("f").callback("http://example.com/done")));
        for address in ["", "ftp://example.com/a.png", "a.png", "https://"] {
            assert!(!ok(OfflineDownload::new(address)), "{address}");
            assert!(!ok(download().callback(address)), "{address}");
        }
        assert!(!ok(download().name("a.txt")) && !ok(download().folder(ImageId::ROOT)));
    }

    #[test]
    fn tasks_are_not_begun_twice() {
        assert!(!CopyFromDisk::new([FileId::new(1)], "").is_repeatable());
        assert!(!OfflineDownload::new("https://example.com/a.png").is_repeatable());
    }

    #[test]
    fn what_is_final_differs_between_the_tasks() {
        for (code, copy, download) in [
            (0, false, false),
            (1, false, true),
            (2, true, true),
            (3, true, false),
            (4, false, false),
            (9, false, false),
        ] {
            assert_eq!(CopyState::from_code(code).is_final(), copy, "{code}");
            assert_eq!(OfflineState::from_code(code).is_final(), download, "{code}");
        }
    }

    #[test]
    fn a_report_is_read_in_both_spellings() {
        let read = |json: &str| serde_json::from_str::<OfflineReport>(json).expect("a report");
        let done = read(r#"{"url":"https://example.com/a.png","status":0,"failReason":"","fileID":"i"}"#);
        assert!(done.succeeded && done.id == Some(ImageId::from("i")));
        let failed =
            read(r#"{"url":"https://example.com/a.png?k=planted","status":1,"fileReason":"下载失败","fileID":0}"#);
        assert_eq!((failed.succeeded, failed.reason.as_str(), &failed.id), (false, "下载失败", &None));
        assert!(!format!("{failed:?}").contains("planted"));
        for (reasons, reason) in [
            (r#""failReason":"a","fileReason":"a""#, "a"),
            (r#""failReason":"","fileReason":"b""#, "b"),
            (r#""failReason":null,"fileReason":null"#, ""),
        ] {
            assert_eq!(read(&format!(r#"{{"url":"u","status":1,{reasons}}}"#)).reason, reason);
        }
    }

    #[test]
    fn a_walk_over_failures_ends_with_their_number_or_an_empty_page() {
        let page = |total: &str, count: usize| -> CopyFailurePage {
            let rows = vec![r#"{"fileId":1,"filename":"a.png"}"#; count].join(",");
            serde_json::from_str(&format!(r#"{{"total":{total},"list":[{rows}]}}"#)).expect("a page")
        };
        let walk = |total: &str, count| CopyFailures::new("t").page_size(2).advance(&page(total, count));
        assert!(walk("3", 2) && walk("null", 2));
        assert!(!walk("2", 2) && !walk("3", 0) && !walk("null", 0));
        let mut failures = CopyFailures::new("t").page_size(2);
        failures.advance(&page("3", 2));
        assert!(!failures.advance(&page("3", 1)), "the second page is the last");
    }
}
