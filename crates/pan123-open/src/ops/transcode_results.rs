//! Transcoding's results: how far each resolution is, and which files came of it.

use pan123_core::{AccountId, Effect, FileId, Link, Meta, Reply, Result, Timestamp, open_enum, operation, wire};
use serde::{Deserialize, Deserializer};

use super::transcode::{Resolution, VideoId};

operation! {
    /// Lists how far the transcoding of one video is, by resolution.
    ///
    /// Protocol: `open-services.yaml`, `transcode.record`.
    pub struct Records => Vec<Record> =
        Meta::post("open/transcode.record", "/api/v1/transcode/video/record").effect(Effect::None);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()
    }

    fn decode(&self, reply: Reply) -> Result<Vec<Record>> {
        reply.data_or_default::<RecordList>().map(|records| records.list)
    }
}

#[derive(Default, Deserialize)]
#[serde(expecting = "a list of records")]
struct RecordList {
    #[serde(default, rename = "UserTranscodeVideoRecordList", deserialize_with = "wire::or_default")]
    list: Vec<Record>,
}

/// The transcoding of a video to one resolution.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The resolution.
    pub resolution: Resolution,
    /// How far it is.
    #[serde(rename = "status")]
    pub state: TranscodeState,
    /// When it was begun.
    #[serde(default, rename = "create_at", alias = "createAt", deserialize_with = "wire::time")]
    pub created_at: Option<Timestamp>,
    /// Where the playlist can be played from, once it is done.
    #[serde(default, rename = "link", deserialize_with = "address")]
    pub playlist: Option<Link>,
}

/// Reads an address where an empty text or nonsense means that there is none.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Link>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| Link::parse(&text).ok()))
}

/// How far a transcoding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TranscodeState {
    /// It has not begun (1).
    Preparing,
    /// It goes on (2).
    Running,
    /// It has failed (3 to 254); what each number means is not documented. Time that was used up is given back.
    Failed(u8),
    /// It is done (255).
    Done,
    /// A number that the protocol reference does not name.
    Unknown(i64),
}

impl TranscodeState {
    /// Makes the state from the service's number.
    pub fn from_code(code: i64) -> Self {
        match (code, u8::try_from(code)) {
            (1, _) => Self::Preparing,
            (2, _) => Self::Running,
            (255, _) => Self::Done,
            (3.., Ok(code)) => Self::Failed(code),
            _ => Self::Unknown(code),
        }
    }

    /// Returns the service's number.
    pub fn code(self) -> i64 {
        match self {
            Self::Preparing => 1,
            Self::Running => 2,
            Self::Failed(code) => code.into(),
            Self::Done => 255,
            Self::Unknown(code) => code,
        }
    }

    /// Says whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Failed(_) | Self::Done)
    }
}

impl<'de> Deserialize<'de> for TranscodeState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer(deserializer).map(Self::from_code)
    }
}

operation! {
    /// Lists what came of the transcoding of one video: the files of each resolution.
    ///
    /// Protocol: `open-services.yaml`, `transcode.result`.
    pub struct Results => Vec<Transcode> =
        Meta::post("open/transcode.result", "/api/v1/transcode/video/result").effect(Effect::None);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()
    }

    fn decode(&self, reply: Reply) -> Result<Vec<Transcode>> {
        reply.data_or_default::<ResultList>().map(|results| results.list)
    }
}

#[derive(Default, Deserialize)]
#[serde(expecting = "a list of results")]
struct ResultList {
    #[serde(default, rename = "UserTranscodeVideoList", deserialize_with = "wire::or_default")]
    list: Vec<Transcode>,
}

/// A video in one resolution.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Transcode {
    /// The service's number of the transcoding, where it is told.
    #[serde(default, rename = "Id", deserialize_with = "wire::optional_integer")]
    pub id: Option<i64>,
    /// Whose it is, where it is told.
    #[serde(default, rename = "Uid")]
    pub account: Option<AccountId>,
    /// The resolution.
    #[serde(rename = "Resolution")]
    pub resolution: Resolution,
    /// How far it is.
    #[serde(rename = "Status")]
    pub state: TranscodeState,
    /// When it was begun.
    #[serde(default, rename = "CreateAt", deserialize_with = "wire::time")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, rename = "UpdateAt", deserialize_with = "wire::time")]
    pub updated_at: Option<Timestamp>,
    /// Its files: a playlist and the parts that it names. None before it is done.
    #[serde(default, rename = "Files", deserialize_with = "wire::or_default")]
    pub files: Vec<TranscodedFile>,
}

/// A file that transcoding has made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TranscodedFile {
    /// Its name, such as `stream.m3u8` or `000.ts`. It comes from outside: check it before it becomes a local file name.
    #[serde(rename = "FileName")]
    pub name: String,
    /// Its size as the service writes it for people, such as `497.17KB`; the number of bytes is not told.
    #[serde(default, rename = "FileSize", deserialize_with = "wire::or_default")]
    pub size: String,
    /// When it was made.
    #[serde(default, rename = "CreateAt", deserialize_with = "wire::time")]
    pub created_at: Option<Timestamp>,
    /// Where it can be played from: for playlists only.
    #[serde(default, rename = "Url", deserialize_with = "address")]
    pub url: Option<Link>,
}

operation! {
    /// Lists the transcodes of a video for an app that mounts drives of others.
    ///
    /// It works with a token from OAuth only. The reference takes the id to be the drive's, which no page states.
    ///
    /// Protocol: `open-services.yaml`, `transcode.third_party_list`.
    pub struct ThirdPartyList -> VideoStreams =
        Meta::get("open/transcode.third_party_list", "/api/v1/video/transcode/list");
    {
        /// The video.
        query "fileId": video: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.video.check_entry()
    }
}

/// The transcodes of a video, as [`ThirdPartyList`] tells them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct VideoStreams {
    /// How far all of them are.
    #[serde(rename = "status")]
    pub state: StreamsState,
    /// Each of them.
    #[serde(default, rename = "list", deserialize_with = "wire::or_default")]
    pub streams: Vec<VideoStream>,
}

open_enum! {
    /// How far the transcodes of a video are. 254 means failure elsewhere, and partial success here.
    pub enum StreamsState {
        /// None is done.
        Waiting = 1,
        /// It has failed.
        Failed = 3,
        /// Some are done.
        PartlyDone = 254,
        /// All are done.
        Done = 255,
    }
}

/// A video in one resolution, as [`ThirdPartyList`] tells it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct VideoStream {
    /// Where its playlist can be played from.
    #[serde(default, deserialize_with = "address")]
    pub url: Option<Link>,
    /// The resolution.
    pub resolution: Resolution,
    /// The length in seconds; 0 where it is not told.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub duration: f64,
    /// The height in pixels; 0 where it is not told.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub height: u32,
    /// How far it is; 255 is done.
    #[serde(rename = "status")]
    pub state: StreamsState,
    /// The storage cluster it is on.
    #[serde(default, rename = "mc", deserialize_with = "wire::or_default")]
    pub cluster: String,
    /// The bits for each second; 0 where it is not told.
    #[serde(default, rename = "bitRate", deserialize_with = "wire::integer_or_zero")]
    pub bit_rate: u64,
    /// How much is done, in percent.
    #[serde(default, rename = "progress", deserialize_with = "wire::integer_or_zero")]
    pub percent: u32,
    /// When it was last changed.
    #[serde(default, rename = "updateAt", deserialize_with = "wire::time")]
    pub updated_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn only_ids_are_sent() {
        for (id, fits) in [(-1, false), (0, false), (1, true)] {
            assert_eq!(Records::new(VideoId::new(id)).validate().is_ok(), fits, "{id}");
            assert_eq!(Results::new(VideoId::new(id)).validate().is_ok(), fits, "{id}");
            assert_eq!(ThirdPartyList::new(FileId::new(id)).validate().is_ok(), fits, "{id}");
        }
    }

    #[test]
    fn failure_is_a_range() {
        for (code, state) in [
            (0, TranscodeState::Unknown(0)),
            (1, TranscodeState::Preparing),
            (2, TranscodeState::Running),
            (3, TranscodeState::Failed(3)),
            (254, TranscodeState::Failed(254)),
            (255, TranscodeState::Done),
            (256, TranscodeState::Unknown(256)),
            (-5, TranscodeState::Unknown(-5)),
        ] {
            assert_eq!((TranscodeState::from_code(code), state.code()), (state, code));
            assert_eq!(state.is_final(), (3..=255).contains(&code), "{code}");
        }
    }
}
