//! Transcoding (转码): bringing videos into the transcoding space, and having them transcoded there. What comes of it is
//! told by [`transcode_results`](super::transcode_results) and fetched by [`transcode_files`](super::transcode_files).

use std::{fmt, time::Duration};

use bytes::Bytes;
use pan123_core::{Effect, Error, FileId, Meta, Operation, Paged, Reply, Request, Result, open_enum, operation, wire};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::{
    MOST_IDS, check_ids,
    files::{ListPage, SearchMode},
};
use crate::Entry;

/// The id of a video in the transcoding space, which is not that of the same video in the drive.
///
/// It is found by listing the space: an [`Entry`] of [`SpaceFiles`] stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct VideoId(i64);

impl VideoId {
    /// Makes an id from its number.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> i64 {
        self.0
    }

    pub(super) fn check(self) -> Result<()> {
        if self.0 > 0 { Ok(()) } else { Err(Error::invalid("the id of a video is a positive number")) }
    }
}

impl From<&Entry> for VideoId {
    fn from(entry: &Entry) -> Self {
        Self(entry.id.get())
    }
}

impl From<Entry> for VideoId {
    fn from(entry: Entry) -> Self {
        Self::from(&entry)
    }
}

impl fmt::Display for VideoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How high the picture of a transcoded video is, such as `1080P`.
///
/// The service writes `1080p` in some answers and wants `1080P` in requests; here both are the same.
///
/// # Example
///
/// ```
/// use pan123_open::ops::transcode::Resolution;
///
/// assert_eq!(Resolution::from("720p"), Resolution::from("720P"));
/// assert_eq!(Resolution::from("720p").to_string(), "720P");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Resolution(String);

impl Resolution {
    /// Returns the text, with a capital `P`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn check(&self) -> Result<()> {
        let plain = !self.0.is_empty() && self.0.chars().all(|c| c.is_ascii_alphanumeric());
        if plain { Ok(()) } else { Err(Error::invalid("a resolution is letters and digits, such as 720P")) }
    }
}

impl From<&str> for Resolution {
    fn from(text: &str) -> Self {
        Self(text.trim().to_ascii_uppercase())
    }
}

impl From<&Self> for Resolution {
    fn from(resolution: &Self) -> Self {
        resolution.clone()
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Resolution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

/// Asks for the folder of the transcoding space: where to upload a video that needs not be in the drive.
///
/// Protocol: `open-services.yaml`, `transcode.folder_info`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FolderInfo;

impl FolderInfo {
    /// Makes the request.
    pub fn new() -> Self {
        Self
    }
}

impl Operation for FolderInfo {
    type Output = FileId;
    const META: Meta = Meta::post("open/transcode.folder_info", "/api/v1/transcode/folder/info").effect(Effect::None);

    fn encode(&self, request: &mut Request) {
        // The call has no parameters and wants an empty object all the same.
        request.json("", ());
    }

    fn decode(&self, reply: Reply) -> Result<FileId> {
        reply.data::<Folder>().map(|folder| folder.id)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "the folder of the transcoding space")]
struct Folder {
    #[serde(rename = "fileID", alias = "fileId", deserialize_with = "super::new_id")]
    id: FileId,
}

/// Writes one of the two listings, which differ in what they list.
macro_rules! listing {
    ($(#[$doc:meta])* $name:ident, $id:literal, $wire:literal) => {
        operation! {
            $(#[$doc])*
            pub struct $name -> ListPage = Meta::get($id, "/api/v2/file/list");
            {
                /// The folder; of no effect when a search is made.
                query "parentFileId": folder: FileId,
            }
            fixed {
                query $wire: 2,
            }
            defaults {
                /// Sets how many entries a page has at most: 1 to [`MOST_IDS`], the default.
                query "limit": page_size: u32 = LARGEST_PAGE,
                /// Says whether walking the items hands out entries of the recycle bin; false by default.
                local: include_trashed: bool = false,
            }
            optional {
                /// Begins behind this page: its [`ListPage::next`].
                query "lastFileId": after: FileId,
                /// Looks for a keyword in all folders.
                query "searchData": keyword: String,
                /// Says how the keyword is compared; the service compares loosely unless told.
                query "searchMode": search_mode: SearchMode,
            }

            fn validate(&self) -> Result<()> {
                self.folder.check_folder()?;
                if (1..=LARGEST_PAGE).contains(&self.page_size) {
                    return Ok(());
                }
                Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} entries, not {}", self.page_size)))
            }
        }

        impl Paged for $name {
            type Item = Entry;

            fn items(&self, page: ListPage) -> Vec<Entry> {
                page.entries.into_iter().filter(|entry| self.include_trashed || !entry.trashed).collect()
            }

            fn advance(&mut self, page: &ListPage) -> bool {
                self.after = page.next;
                page.next.is_some() && !page.entries.is_empty()
            }

            fn known_by(entry: &Entry) -> Option<FileId> {
                Some(entry.id)
            }
        }
    };
}

#[expect(clippy::cast_possible_truncation, reason = "it is 100")]
const LARGEST_PAGE: u32 = MOST_IDS as u32;

listing! {
    /// Lists the videos of the drive, which can be imported into the transcoding space.
    ///
    /// It is [`files::List`](super::files::List) kept to videos, and shares its rate.
    ///
    /// Protocol: `open-services.yaml`, `transcode.cloud_video_files`.
    CloudVideoFiles, "open/transcode.cloud_video_files", "category"
}

listing! {
    /// Lists a folder of the transcoding space.
    ///
    /// The root holds one folder, which [`FolderInfo`] names; the videos are in that. It shares the rate of
    /// [`files::List`](super::files::List).
    ///
    /// Protocol: `open-services.yaml`, `transcode.space_files`.
    SpaceFiles, "open/transcode.space_files", "businessType"
}

/// Imports up to [`MOST_IDS`] videos of the drive into the transcoding space.
///
/// They get new ids there, which are not told: list the space with [`SpaceFiles`] until they show. It is not sent again after
/// a lost answer.
///
/// Protocol: `open-services.yaml`, `transcode.upload_from_cloud_disk`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportVideos {
    ids: Vec<FileId>,
    wrapped: bool,
}

impl ImportVideos {
    /// Makes the request for videos of the drive: 1 to [`MOST_IDS`] ids, none of them the root.
    pub fn new(ids: impl Into<Vec<FileId>>) -> Self {
        Self { ids: ids.into(), wrapped: false }
    }

    /// Sends an object that holds the list in place of the list, as some clients do, should the service refuse the list.
    #[must_use]
    pub fn wrapped(self, wrapped: bool) -> Self {
        Self { wrapped, ..self }
    }
}

impl Operation for ImportVideos {
    type Output = ();
    const META: Meta = Meta::post("open/transcode.upload_from_cloud_disk", "/api/v1/transcode/upload/from_cloud_disk");

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
    }

    fn encode(&self, request: &mut Request) {
        let list: Vec<_> = self.ids.iter().map(|id| json!({"fileId": id.get()})).collect();
        if self.wrapped {
            request.json("fileId", list);
        } else {
            // A body that is a list is the exception: requests are made of members everywhere else.
            request.raw("application/json", Bytes::from(json!(list).to_string()));
        }
    }

    fn decode(&self, reply: Reply) -> Result<()> {
        reply.nothing()
    }
}

operation! {
    /// Asks which resolutions a video can be transcoded to.
    ///
    /// The service has to look at the video first: ask about every 10 seconds until [`Resolutions::is_ready`].
    ///
    /// Protocol: `open-services.yaml`, `transcode.resolutions`.
    pub struct AskResolutions -> Resolutions =
        Meta::post("open/transcode.resolutions", "/api/v1/transcode/video/resolutions").effect(Effect::None);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()
    }
}

/// What a video can be transcoded to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Resolutions {
    /// Whether the service is still looking at the video; nothing else is to be relied on then.
    // The name on the wire, `IsGetResolution`, says the opposite.
    #[serde(rename = "IsGetResolution", deserialize_with = "wire::truth")]
    pub is_probing: bool,
    /// Those that there are.
    #[serde(default, rename = "Resolutions", deserialize_with = "resolutions")]
    pub offered: Vec<Resolution>,
    /// Those that are being made or done.
    #[serde(default, rename = "NowOrFinishedResolutions", deserialize_with = "resolutions")]
    pub taken: Vec<Resolution>,
    /// The codec, such as `H.264`, to be repeated in [`Start`].
    #[serde(default, rename = "CodecNames", deserialize_with = "wire::or_default")]
    pub codec: String,
    /// The length of the video in whole seconds, to be repeated in [`Start`].
    #[serde(default, rename = "VideoTime", deserialize_with = "seconds")]
    pub length: Duration,
}

impl Resolutions {
    /// Says whether the service has looked at the video.
    pub fn is_ready(&self) -> bool {
        !self.is_probing
    }

    /// Returns the resolutions that can be started: those offered that are neither being made nor done.
    pub fn left(&self) -> Vec<Resolution> {
        self.offered.iter().filter(|offered| !self.taken.contains(offered)).cloned().collect()
    }
}

/// Reads resolutions with commas between them.
fn resolutions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Resolution>, D::Error> {
    let text: String = wire::or_default(deserializer)?;
    Ok(text.split(',').map(Resolution::from).filter(|resolution| !resolution.as_str().is_empty()).collect())
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    wire::integer_or_zero(deserializer).map(Duration::from_secs)
}

/// Begins to transcode a video to some resolutions. The answer is a sentence for people.
///
/// It uses up the account's transcoding time, which is given back for what fails. It is not sent again after a lost answer;
/// resolutions that are being made or done must not be started again.
///
/// Protocol: `open-services.yaml`, `transcode.start`.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    video: VideoId,
    codec: String,
    length: Duration,
    resolutions: Vec<Resolution>,
}

impl Start {
    /// Makes the request.
    ///
    /// - `video`: the video, by its id in the transcoding space.
    /// - `codec`: [`Resolutions::codec`].
    /// - `length`: [`Resolutions::length`]; whole seconds are sent.
    /// - `resolutions`: some of [`Resolutions::left`], at least one.
    pub fn new(
        video: impl Into<VideoId>,
        codec: impl Into<String>,
        length: Duration,
        resolutions: impl Into<Vec<Resolution>>,
    ) -> Self {
        Self { video: video.into(), codec: codec.into(), length, resolutions: resolutions.into() }
    }
}

impl Operation for Start {
    type Output = String;
    const META: Meta = Meta::post("open/transcode.start", "/api/v1/transcode/video");

    fn validate(&self) -> Result<()> {
        self.video.check()?;
        if self.resolutions.is_empty() {
            return Err(Error::invalid("at least one resolution must be given"));
        }
        self.resolutions.iter().try_for_each(Resolution::check)
    }

    fn encode(&self, request: &mut Request) {
        let resolutions: Vec<&str> = self.resolutions.iter().map(Resolution::as_str).collect();
        request.json("fileId", self.video);
        request.json("codecName", &self.codec);
        request.json("videoTime", self.length.as_secs());
        request.json("resolutions", resolutions.join(","));
    }

    fn decode(&self, reply: Reply) -> Result<String> {
        sentence(reply)
    }
}

/// Reads data that is a sentence; it is for people, so that any other data is none.
fn sentence(reply: Reply) -> Result<String> {
    let data: serde_json::Value = reply.data()?;
    Ok(data.as_str().unwrap_or_default().to_owned())
}

operation! {
    /// Deletes a video from the transcoding space, for good. The answer is a sentence for people.
    ///
    /// Protocol: `open-services.yaml`, `transcode.delete`.
    pub struct DeleteVideo => String =
        Meta::post("open/transcode.delete", "/api/v1/transcode/delete").effect(Effect::Same);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
        /// What of it.
        json "trashed": what: DeleteScope,
    }
    fixed {
        json "businessType": 2,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()?;
        match self.what {
            DeleteScope::Unknown(code) => Err(Error::invalid(format!("what is deleted is 1 or 2, not {code}"))),
            _ => Ok(()),
        }
    }

    fn decode(&self, reply: Reply) -> Result<String> {
        sentence(reply)
    }
}

open_enum! {
    /// What [`DeleteVideo`] deletes.
    pub enum DeleteScope {
        /// The video that was transcoded, and nothing that came of it.
        Original = 1,
        /// The video and everything that came of it.
        Everything = 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: VideoId = VideoId::new(1);

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    #[test]
    fn a_video_that_comes_on_two_pages_is_given_once() {
        let row = r#"{"fileId":7,"filename":"a","parentFileId":0,"type":1}"#;
        let entry: Entry = serde_json::from_str(row).expect("an entry");
        assert_eq!(SpaceFiles::known_by(&entry), Some(FileId::new(7)));
        assert_eq!(CloudVideoFiles::known_by(&entry), Some(FileId::new(7)));
    }

    #[test]
    fn limits_are_kept_before_a_request() {
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            assert_eq!(ok(ImportVideos::new(vec![FileId::new(1); count])), fits, "{count}");
        }
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(SpaceFiles::new(FileId::ROOT).page_size(size)), fits, "{size}");
            assert_eq!(ok(CloudVideoFiles::new(FileId::ROOT).page_size(size)), fits, "{size}");
        }
        for (id, fits) in [(-1, false), (0, false), (1, true)] {
            assert_eq!(ok(AskResolutions::new(VideoId::new(id))), fits, "{id}");
        }
        assert!(ok(DeleteVideo::new(VIDEO, DeleteScope::Original)));
        assert!(!ok(DeleteVideo::new(VIDEO, DeleteScope::from_code(3))));
        let start = |resolutions: Vec<Resolution>| Start::new(VIDEO, "H.264", Duration::from_secs(51), resolutions);
        assert!(ok(start(vec!["720p".into()])) && !ok(start(vec![])) && !ok(start(vec!["720P,480P".into()])));
        assert!(!start(vec!["720p".into()]).is_repeatable() && !ImportVideos::new([FileId::new(1)]).is_repeatable());
    }

    #[test]
    fn what_is_left_is_what_nobody_makes() {
        let json = r#"{"IsGetResolution":false,"Resolutions":"480p,720p,1080p","NowOrFinishedResolutions":"720P"}"#;
        let known: Resolutions = serde_json::from_str(json).expect("resolutions");
        assert!(known.is_ready());
        assert_eq!(known.left(), ["480P".into(), "1080P".into()] as [Resolution; 2]);
    }

    #[test]
    fn a_page_of_trash_is_not_the_end() {
        let page: ListPage = serde_json::from_str(
            r#"{"lastFileId":7,"fileList":[{"fileId":7,"filename":"t","parentFileId":0,"type":0,"size":1,"trashed":1}]}"#,
        )
        .expect("a page");
        let mut files = SpaceFiles::new(FileId::ROOT);
        assert!(files.advance(&page) && files.items(page).is_empty());
    }
}
