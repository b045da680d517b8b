//! Playing videos by direct link: calls from before the transcoding space, which may be gone.

use pan123_core::{Effect, FileId, Meta, Reply, Result, operation, wire};
use serde::Deserialize;

use super::{MOST_IDS, check_ids, links::DirectLink};

operation! {
    /// Asks for the playlists of one video in direct-link space, one for each resolution that it has.
    ///
    /// The official pages no longer name this call, so it may be gone: prefer the transcoding space. Playing costs
    /// direct-link traffic, and where authentication is on, each playlist and each part in it must be signed.
    ///
    /// Protocol: `open-services.yaml`, `dlink.m3u8`.
    pub struct DirectLinkPlaylists => Vec<Playlist> = Meta::get("open/dlink.m3u8", "/api/v1/direct-link/get/m3u8");
    {
        /// The video.
        query "fileID": id: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }

    fn decode(&self, reply: Reply) -> Result<Vec<Playlist>> {
        reply.data_or_default::<Playlists>().map(|playlists| playlists.list)
    }
}

/// A playlist (m3u8) of a video, as [`DirectLinkPlaylists`] gives it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a playlist")]
#[non_exhaustive]
pub struct Playlist {
    /// The resolution, such as `720p`. The name on the wire is plural; it holds one.
    #[serde(rename = "resolutions")]
    pub resolution: String,
    /// The unsigned address.
    pub address: DirectLink,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "playlists")]
struct Playlists {
    #[serde(default, deserialize_with = "wire::or_default")]
    list: Vec<Playlist>,
}

operation! {
    /// Asks the service to transcode videos in direct-link space. [`DirectLinkTranscodes`] tells when it has.
    ///
    /// The official pages no longer name this call, so it may be gone: prefer the transcoding space. It is not sent
    /// again after a lost answer, as nobody has documented what a second request does.
    ///
    /// Protocol: `open-services.yaml`, `dlink.transcode_start`.
    pub struct TranscodeDirectLinks -> () = Meta::post("open/dlink.transcode_start", "/api/v1/direct-link/doTranscode");
    {
        /// The videos; 1 to [`MOST_IDS`], a limit that is kept here without being documented.
        json "ids": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
    }
}

operation! {
    /// Asks how far the service is with transcoding videos in direct-link space.
    ///
    /// The official pages no longer name this call, so it may be gone: prefer the transcoding space.
    ///
    /// Protocol: `open-services.yaml`, `dlink.transcode_query`.
    pub struct DirectLinkTranscodes => TranscodeStates =
        Meta::post("open/dlink.transcode_query", "/api/v1/direct-link/queryTranscode").effect(Effect::None);
    {
        /// The videos; 1 to [`MOST_IDS`], a limit that is kept here without being documented.
        json "ids": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)
    }

    fn decode(&self, reply: Reply) -> Result<TranscodeStates> {
        reply.data_or_default()
    }
}

/// How far each video is, as [`DirectLinkTranscodes`] gives it. One that is in none of the lists is presumably still
/// being transcoded; no source says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(expecting = "lists of transcoded videos")]
#[non_exhaustive]
pub struct TranscodeStates {
    /// Those that it was never asked to transcode.
    #[serde(default, rename = "noneList", deserialize_with = "wire::or_default")]
    pub unknown: Vec<FileId>,
    /// Those that cannot be transcoded.
    #[serde(default, rename = "errorList", deserialize_with = "wire::or_default")]
    pub failed: Vec<FileId>,
    /// Those that are done.
    #[serde(default, rename = "success", deserialize_with = "wire::or_default")]
    pub done: Vec<FileId>,
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn ids_are_counted_and_must_be_entries() {
        let file = FileId::new(1);
        for (ids, fits) in [
            (vec![], false),
            (vec![file], true),
            (vec![file; 100], true),
            (vec![file; 101], false),
            (vec![FileId::ROOT], false),
        ] {
            assert_eq!(TranscodeDirectLinks::new(ids.clone()).validate().is_ok(), fits, "{ids:?}");
            assert_eq!(DirectLinkTranscodes::new(ids.clone()).validate().is_ok(), fits, "{ids:?}");
        }
        assert!(DirectLinkPlaylists::new(FileId::ROOT).validate().is_err());
        assert!(!TranscodeDirectLinks::new([file]).is_repeatable());
        assert!(DirectLinkTranscodes::new([file]).is_repeatable());
    }
}
