//! The `download` verb of transcoding: a playlist and all its parts into a folder.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use pan123_core::{BoxFuture, Error, ErrorKind, Fetched, Link, Result, name};
use pan123_transfer::{Download, DownloadOrigin};

use crate::{
    Client, Transcoding,
    ops::{
        transcode::{Resolution, VideoId},
        transcode_files::{DownloadPart, DownloadPlaylist},
        transcode_results::TranscodeState,
    },
};

impl Transcoding {
    /// Downloads one resolution of a video into `folder`, which must be there: the playlist and every part, one after the
    /// other. Returns the paths of the files.
    ///
    /// Each file appears under its name only when it is whole; those that are done stay when a later one fails. The service
    /// tells neither size nor MD5 of these files, so that only what the host announces is checked.
    ///
    /// Cost: two requests for each file, the second of them without a token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the video is not transcoded to this resolution, or not yet; [`ErrorKind::QuotaExceeded`] when
    /// the transcoding space is full; [`ErrorKind::Decode`] when a file has a name that could lead out of `folder`; otherwise as
    /// [`pan123_transfer::Download::to_path`].
    pub async fn download(
        &self,
        video: impl Into<VideoId>,
        resolution: impl Into<Resolution>,
        folder: impl AsRef<Path>,
    ) -> Result<Vec<PathBuf>> {
        let (video, resolution, folder) = (video.into(), resolution.into(), folder.as_ref().to_owned());
        let done = |state| state == TranscodeState::Done;
        let made = self.results(video).await?.into_iter();
        let Some(made) = made.into_iter().find(|made| made.resolution == resolution && done(made.state)) else {
            return Err(Error::new(ErrorKind::NotFound, format!("the video is not transcoded to {resolution}")));
        };
        for file in &made.files {
            name::check(&file.name).map_err(|cause| {
                Error::new(ErrorKind::Decode, "the service names a file in a way that no file may be named")
                    .with_source(cause)
            })?;
        }
        let mut paths = Vec::new();
        for file in made.files {
            let path = folder.join(&file.name);
            let (client, resolution) = (self.client.clone(), resolution.clone());
            let (runtime, retry) = (Arc::clone(client.pipeline().runtime()), *client.pipeline().retry());
            let origin = Origin { client, video, resolution, name: file.name };
            Download::new(origin, runtime).retry(retry).to_path(&path).await?;
            paths.push(path);
        }
        Ok(paths)
    }
}

/// One file that transcoding has made, as a source of bytes.
#[derive(Clone, Debug)]
struct Origin {
    client: Client,
    video: VideoId,
    resolution: Resolution,
    name: String,
}

impl DownloadOrigin for Origin {
    fn identity(&self) -> String {
        format!("open transcode {}, {}, {}", self.video, self.resolution, self.name)
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async move {
            if self.name.ends_with(".m3u8") {
                self.client.once(&DownloadPlaylist::new(self.video, &self.resolution)).await
            } else {
                self.client.once(&DownloadPart::new(self.video, &self.resolution, self.name.as_str())).await
            }
        })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(self.client.fetch(link, range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_videos_and_resolutions_are_told_apart() {
        let client = Client::builder().app("id", "secret").build().expect("a client");
        let identity = |video, resolution: &str, name: &str| {
            let (video, resolution, name) = (VideoId::new(video), Resolution::from(resolution), name.to_owned());
            Origin { client: client.clone(), video, resolution, name }.identity()
        };
        let one = identity(1, "720P", "0.ts");
        assert_eq!(one, identity(1, "720p", "0.ts"));
        for other in [identity(2, "720P", "0.ts"), identity(1, "480P", "0.ts"), identity(1, "720P", "1.ts")] {
            assert_ne!(one, other);
        }
    }
}
