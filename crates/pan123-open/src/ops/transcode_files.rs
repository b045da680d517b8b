//! Transcoding's downloads: addresses of the original, of playlists, of parts, or of everything as one archive.

use pan123_core::{Effect, Error, ErrorKind, Link, Meta, Reply, Result, name, operation, wire};
use serde::{Deserialize, Serialize};

use super::transcode::{Resolution, VideoId};

operation! {
    /// Asks for an address from which the video that was transcoded can be downloaded.
    ///
    /// Protocol: `open-services.yaml`, `transcode.download_original`.
    ///
    /// # Errors
    ///
    /// [`QuotaExceeded`](pan123_core::ErrorKind::QuotaExceeded) when the transcoding space is full: the service gives no
    /// address before more space is bought.
    pub struct DownloadOriginal => Link =
        Meta::post("open/transcode.download_original", "/api/v1/transcode/file/download").effect(Effect::None);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()
    }

    fn decode(&self, reply: Reply) -> Result<Link> {
        reply.data::<Download>()?.link()
    }
}

operation! {
    /// Asks for an address from which the playlist of one resolution can be downloaded.
    ///
    /// Protocol: `open-services.yaml`, `transcode.download_m3u8`.
    ///
    /// # Errors
    ///
    /// As [`DownloadOriginal`].
    pub struct DownloadPlaylist => Link =
        Meta::post("open/transcode.download_m3u8", "/api/v1/transcode/m3u8_ts/download").effect(Effect::None);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
        /// The resolution.
        json "resolution": resolution: Resolution,
    }
    fixed {
        json "type": 1,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()?;
        self.resolution.check()
    }

    fn decode(&self, reply: Reply) -> Result<Link> {
        reply.data::<Download>()?.link()
    }
}

operation! {
    /// Asks for an address from which one part of one resolution can be downloaded.
    ///
    /// Protocol: `open-services.yaml`, `transcode.download_ts`.
    ///
    /// # Errors
    ///
    /// As [`DownloadOriginal`].
    pub struct DownloadPart => Link =
        Meta::post("open/transcode.download_ts", "/api/v1/transcode/m3u8_ts/download").effect(Effect::None);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
        /// The resolution.
        json "resolution": resolution: Resolution,
        /// The part.
        json "tsName": part: PartName,
    }
    fixed {
        json "type": 2,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()?;
        self.resolution.check()?;
        name::check(&self.part.0)
    }

    fn decode(&self, reply: Reply) -> Result<Link> {
        reply.data::<Download>()?.link()
    }
}

/// The name of a part as the service wants it in requests: without the `.ts` that it has in answers, which is taken off.
///
/// # Example
///
/// ```
/// use pan123_open::ops::transcode_files::PartName;
///
/// assert_eq!(PartName::from("000.ts"), PartName::from("000"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PartName(String);

impl PartName {
    /// Returns the name without an extension.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PartName {
    fn from(file: &str) -> Self {
        Self(file.strip_suffix(".ts").unwrap_or(file).to_owned())
    }
}

operation! {
    /// Has everything that came of a video packed into one zip archive, and asks for its address.
    ///
    /// Packing takes a while: send it again about every 10 seconds while it is [`Packing`](Archive::Packing).
    ///
    /// Protocol: `open-services.yaml`, `transcode.download_all`.
    ///
    /// # Errors
    ///
    /// As [`DownloadOriginal`].
    pub struct DownloadAll => Archive =
        Meta::post("open/transcode.download_all", "/api/v1/transcode/file/download/all").effect(Effect::Same);
    {
        /// The video, by its id in the transcoding space.
        json "fileId": video: VideoId,
        /// The name of the archive; see [`name::check`].
        json "zipName": name: String,
    }

    fn validate(&self) -> Result<()> {
        self.video.check()?;
        name::check(&self.name)
    }

    fn decode(&self, reply: Reply) -> Result<Archive> {
        let download: Download = reply.data()?;
        if download.is_packing { Ok(Archive::Packing) } else { download.link().map(Archive::Ready) }
    }
}

/// How far the packing of an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Archive {
    /// It is still being packed.
    Packing,
    /// It can be downloaded. The address holds a token: do not log it.
    Ready(Link),
}

#[derive(Deserialize)]
#[serde(expecting = "a download address")]
struct Download {
    #[serde(default, rename = "downloadUrl", alias = "downloadURL", deserialize_with = "wire::or_default")]
    url: String,
    #[serde(default, rename = "isFull", deserialize_with = "wire::truth")]
    is_full: bool,
    #[serde(default, rename = "isDownloading", deserialize_with = "wire::truth")]
    is_packing: bool,
}

impl Download {
    fn link(self) -> Result<Link> {
        if self.is_full {
            return Err(Error::new(
                ErrorKind::QuotaExceeded,
                "the transcoding space is full: nothing can be downloaded before there is more",
            ));
        }
        Link::parse(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn what_names_no_file_is_refused_before_a_request() {
        let video = VideoId::new(1);
        assert!(DownloadPart::new(video, "720p", "000.ts").validate().is_ok());
        for part in ["", ".ts", "../a", "a/b.ts"] {
            assert!(DownloadPart::new(video, "720p", part).validate().is_err(), "{part}");
        }
        assert!(DownloadPlaylist::new(video, "").validate().is_err());
        assert!(DownloadOriginal::new(VideoId::new(0)).validate().is_err());
        assert!(DownloadAll::new(video, "a.zip").validate().is_ok() && DownloadAll::new(video, "").validate().is_err());
    }

    #[test]
    fn a_full_space_is_no_address() {
        let read = |json| serde_json::from_str::<Download>(json).expect("a download").link();
        let full = read(r#"{"downloadUrl":"","isFull":true}"#).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::QuotaExceeded);
        assert_eq!(read(r#"{"downloadUrl":"","isFull":false}"#).unwrap_err().kind(), ErrorKind::Decode);
        assert!(read(r#"{"downloadUrl":"https://dl.example.com/a.mp4"}"#).is_ok());
    }
}
