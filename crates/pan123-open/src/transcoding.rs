//! Transcoding (转码) as a part of the client: videos in, resolutions out, and everything that was made fetched.

use std::time::Duration;

use pan123_core::{Error, ErrorKind, FileId, Items, Link, Operation, Result, Wait};

use crate::{
    Client, Entry,
    ops::{
        transcode::{self, DeleteScope, Resolution, Resolutions, SpaceFiles, VideoId},
        transcode_files::{self, Archive},
        transcode_results::{self, Record, Transcode, TranscodeState},
    },
};

/// How often the service is asked whether it has looked at a video, transcoded it or packed it.
pub const TRANSCODE_INTERVAL: Duration = Duration::from_secs(10);

impl Client {
    /// Returns transcoding: a space for videos that the service makes smaller ones of, to be played as they come.
    ///
    /// Transcoding is a paid benefit and uses up the account's transcoding time.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use pan123_open::{Client, Entry};
    /// # async fn run(client: Client, file: Entry) -> pan123_open::Result<()> {
    /// let transcoding = client.transcoding();
    /// let hour = Duration::from_secs(3600);
    /// transcoding.import([&file]).await?;
    /// let video = transcoding.wait_for_import(&file, hour).await?;
    /// let known = transcoding.resolutions(video, hour).await?;
    /// transcoding.start(video, &known, known.left()).await?;
    /// for record in transcoding.wait(video, &known.left(), hour, |_| {}).await? {
    ///     println!("{} is done", record.resolution);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn transcoding(&self) -> Transcoding {
        Transcoding { client: self.clone() }
    }
}

/// Transcoding, as [`Client::transcoding`] gives it. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Transcoding {
    pub(crate) client: Client,
}

impl Transcoding {
    /// Returns the folder of the transcoding space. Videos that are uploaded into it need not be imported.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn folder(&self) -> Result<FileId> {
        self.client.send(transcode::FolderInfo::new()).await
    }

    /// Lists the videos of the space, given its [`folder`](Self::folder).
    ///
    /// # Errors
    ///
    /// Each step of the walk can fail; asking again goes on where it stopped.
    pub fn list(&self, folder: impl Into<FileId>) -> Items<SpaceFiles> {
        self.client.items(SpaceFiles::new(folder))
    }

    /// Imports videos of the drive. More than 100 are imported by several calls, one each second.
    ///
    /// They show up in the space later, under other ids: see [`wait_for_import`](Self::wait_for_import).
    ///
    /// # Errors
    ///
    /// As [`Client::move_to`]: [`Error::failed_items`] names the videos that were not imported.
    pub async fn import<I: Into<FileId>>(&self, videos: impl IntoIterator<Item = I>) -> Result<()> {
        self.client.batch(videos, transcode::ImportVideos::new).await
    }

    /// Finds the video of the space that has the content of `file`, which is an entry of the drive; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn find(&self, file: &Entry) -> Result<Option<VideoId>> {
        let mut videos = self.list(self.folder().await?);
        while let Some(video) = videos.next().await? {
            if video.is_file() && video.size == file.size && video.md5 == file.md5 {
                return Ok(Some(VideoId::from(video)));
            }
        }
        Ok(None)
    }

    /// Waits until the space lists the content of `file`, which was imported, up to `timeout`, and returns its id there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CompletionTimeout`] when it is not listed by then: it may be later, or the import has failed without a word.
    pub async fn wait_for_import(&self, file: &Entry, timeout: Duration) -> Result<VideoId> {
        let wait = Wait {
            pause: Duration::from_secs(1),
            timeout,
            late: "the video is not in the transcoding space yet",
            endpoint: SpaceFiles::META.id,
        };
        wait.until(&**self.client.pipeline().runtime(), || self.find(file), Ok).await
    }

    /// Returns what a video can be transcoded to, once the service has looked at it, up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CompletionTimeout`] when it is still looking.
    pub async fn resolutions(&self, video: impl Into<VideoId>, timeout: Duration) -> Result<Resolutions> {
        let video = video.into();
        let wait = Wait {
            pause: TRANSCODE_INTERVAL,
            timeout,
            late: "the service is still looking at the video",
            endpoint: transcode::AskResolutions::META.id,
        };
        let ask = || self.client.send(transcode::AskResolutions::new(video));
        wait.until(&**self.client.pipeline().runtime(), ask, |known| Ok(known.is_ready().then_some(known))).await
    }

    /// Begins to transcode a video to `wanted`, of what [`resolutions`](Self::resolutions) told of it. Those that are being made
    /// or done are left out, and with nothing left no request is made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] with the service's text, such as when the transcoding time is used up. After a lost answer
    /// [`Error::may_have_happened`] holds: ask for the resolutions again before starting again.
    pub async fn start(
        &self,
        video: impl Into<VideoId>,
        known: &Resolutions,
        wanted: impl IntoIterator<Item = Resolution>,
    ) -> Result<()> {
        let wanted: Vec<Resolution> = wanted.into_iter().filter(|wanted| !known.taken.contains(wanted)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        self.client.send(transcode::Start::new(video, known.codec.as_str(), known.length, wanted)).await.map(drop)
    }

    /// Waits until a video is transcoded to all of `wanted`, up to `timeout`, and returns their records in that order.
    ///
    /// `progress` is told all records of the video each time. Dropping the future stops the waiting and not the transcoding.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] when one of them has failed, as soon as that is known; [`ErrorKind::CompletionTimeout`] when they are
    /// not done by then.
    pub async fn wait(
        &self,
        video: impl Into<VideoId>,
        wanted: &[Resolution],
        timeout: Duration,
        mut progress: impl FnMut(&[Record]) + Send,
    ) -> Result<Vec<Record>> {
        let video = video.into();
        let endpoint = transcode_results::Records::META.id;
        let wait = Wait { pause: TRANSCODE_INTERVAL, timeout, late: "the video is still being transcoded", endpoint };
        let ask = || self.client.send(transcode_results::Records::new(video));
        wait.until(&**self.client.pipeline().runtime(), ask, |records| {
            progress(&records);
            let mut done = Vec::new();
            for resolution in wanted {
                // What was started again after a failure may have a record of each time.
                let all = records.iter().filter(|record| record.resolution == *resolution);
                match all.max_by_key(|record| record.created_at) {
                    Some(record) if record.state == TranscodeState::Done => done.push(record.clone()),
                    Some(Record { state: TranscodeState::Failed(code), .. }) => {
                        let text = format!("the video could not be transcoded to {resolution} (status {code})");
                        return Err(Error::new(ErrorKind::Api, text).with_endpoint(endpoint));
                    }
                    _ => {}
                }
            }
            Ok((done.len() == wanted.len()).then_some(done))
        })
        .await
    }

    /// Returns what has come of a video so far: its files, by resolution.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn results(&self, video: impl Into<VideoId>) -> Result<Vec<Transcode>> {
        self.client.send(transcode_results::Results::new(video)).await
    }

    /// Has everything that was made of a video packed as `name`, a zip archive, waits for it, up to `timeout`, and returns an
    /// address to download it from. The address holds a token: do not log it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::QuotaExceeded`] when the transcoding space is full; [`ErrorKind::CompletionTimeout`] when it is not packed
    /// by then.
    pub async fn archive(&self, video: impl Into<VideoId>, name: &str, timeout: Duration) -> Result<Link> {
        let video = video.into();
        let wait = Wait {
            pause: TRANSCODE_INTERVAL,
            timeout,
            late: "the archive is still being packed",
            endpoint: transcode_files::DownloadAll::META.id,
        };
        let ask = || self.client.send(transcode_files::DownloadAll::new(video, name));
        wait.until(&**self.client.pipeline().runtime(), ask, |archive| match archive {
            Archive::Ready(link) => Ok(Some(link)),
            Archive::Packing => Ok(None),
        })
        .await
    }

    /// Deletes a video from the space for good, alone or with all that came of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is gone.
    pub async fn delete(&self, video: impl Into<VideoId>, what: DeleteScope) -> Result<()> {
        self.client.send(transcode::DeleteVideo::new(video, what)).await.map(drop)
    }
}
