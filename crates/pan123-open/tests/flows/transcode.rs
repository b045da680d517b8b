//! Transcoding: from a video of the drive to the bytes of all its parts.

use std::time::Duration;

use pan123_core::{Fetch, Link};
use pan123_open::{
    Entry, ErrorKind, FileId,
    ops::{
        transcode::{CloudVideoFiles, DeleteScope, Resolution, VideoId},
        transcode_files::DownloadOriginal,
        transcode_results::TranscodeState,
    },
};
use pan123_sim::Fault;

use crate::world::{World, content, id};

const HOUR: Duration = Duration::from_secs(3600);

/// A video of the drive, and a world in which every task takes some asking.
async fn video() -> (World, Entry) {
    let world = World::with(|sim| sim.task_polls(2), |client| client).await;
    world.sim.put("/film.mp4", content(1000));
    world.sim.put("/notes.txt", "no video");
    let mut videos = world.client.items(CloudVideoFiles::new(FileId::ROOT)).collect().await.unwrap();
    assert_eq!(videos.len(), 1);
    (world, videos.remove(0))
}

#[tokio::test]
async fn a_video_is_transcoded_and_all_its_parts_are_downloaded() {
    let (world, file) = video().await;
    let transcoding = world.client.transcoding();
    world.sim.fault(Fault::on("open/transcode.upload_from_cloud_disk").lists_late(2));
    transcoding.import([&file]).await.unwrap();
    let video = transcoding.wait_for_import(&file, HOUR).await.unwrap();
    assert_ne!(video.get(), file.id.get(), "the space has ids of its own");

    let known = transcoding.resolutions(video, HOUR).await.unwrap();
    let wanted = known.left();
    assert_eq!(wanted, ["480p", "720p", "1080p"].map(Resolution::from));
    transcoding.start(video, &known, wanted.clone()).await.unwrap();
    let early = transcoding.download(video, "720p", world.path("")).await.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::NotFound, "{early}");
    let mut told = 0;
    let records = transcoding.wait(video, &wanted, HOUR, |_| told += 1).await.unwrap();
    assert!(told > 1);
    assert!(records.iter().all(|record| record.state == TranscodeState::Done && record.playlist.is_some()));

    let folder = world.path("720P");
    std::fs::create_dir(&folder).unwrap();
    let paths = transcoding.download(video, "720p", &folder).await.unwrap();
    let results = transcoding.results(video).await.unwrap();
    let made = results.iter().find(|made| made.resolution == Resolution::from("720P")).unwrap();
    assert_eq!(paths.len(), made.files.len());
    assert!(paths.len() > 2, "a playlist and several parts");
    let playlist = std::fs::read_to_string(folder.join("stream.m3u8")).unwrap();
    let parts: Vec<&str> = playlist.lines().filter(|line| line.ends_with(".ts")).collect();
    assert_eq!(parts.len(), paths.len() - 1);
    // Who plays the video gets the same bytes.
    let record = records.iter().find(|record| record.resolution == made.resolution).unwrap();
    let address = record.playlist.as_ref().unwrap().url();
    for part in parts {
        let name = part.rsplit('/').next().unwrap();
        let link = Link::parse(address.join(part).unwrap().as_str()).unwrap();
        let played = world.client.send(Fetch::new(link)).await.unwrap().body.collect(1 << 20).await.unwrap();
        assert!(!played.is_empty());
        assert_eq!(std::fs::read(folder.join(name)).unwrap(), played, "{part}");
    }

    let again = transcoding.resolutions(video, HOUR).await.unwrap();
    assert!(again.left().is_empty());
    transcoding.start(video, &again, wanted).await.unwrap();
    assert_eq!(world.sim.count("open/transcode.start"), 1, "what is done is not started again");
}

#[tokio::test]
async fn everything_comes_as_one_archive_and_the_original_as_it_was() {
    let (world, _) = video().await;
    let transcoding = world.client.transcoding();
    let video = VideoId::new(world.sim.put_video("film.mp4", 1000, 7));
    let known = transcoding.resolutions(video, HOUR).await.unwrap();
    transcoding.start(video, &known, ["480p".into()]).await.unwrap();
    transcoding.wait(video, &["480p".into()], HOUR, |_| {}).await.unwrap();
    let link = transcoding.archive(video, "film.zip", HOUR).await.unwrap();
    assert!(!format!("{link:?}").contains("access_token"));
    let fetched = world.client.send(Fetch::new(link)).await.unwrap();
    assert!(fetched.body.collect(1 << 20).await.unwrap().starts_with(b"PK"));
    let original = world.client.send(DownloadOriginal::new(video)).await.unwrap();
    let fetched = world.client.send(Fetch::new(original)).await.unwrap();
    assert_eq!(fetched.body.collect(2000).await.unwrap().len(), 1000);

    transcoding.delete(video, DeleteScope::Everything).await.unwrap();
    assert_eq!(transcoding.delete(video, DeleteScope::Everything).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn failures_full_spaces_and_endless_waits_end() {
    let (world, file) = video().await;
    let transcoding = world.client.transcoding();
    let video = VideoId::new(world.sim.put_video("film.mp4", 2000, 7));
    let known = transcoding.resolutions(video, HOUR).await.unwrap();
    let low: [Resolution; 1] = ["480p".into()];
    world.sim.fault(Fault::on("open/transcode.start").task_fails());
    transcoding.start(video, &known, low.clone()).await.unwrap();
    let failed = transcoding.wait(video, &low, HOUR, |_| {}).await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Api);
    assert!(failed.to_string().contains("480P (status 3)"), "{failed}");

    transcoding.start(video, &known, low.clone()).await.unwrap();
    transcoding.wait(video, &low, HOUR, |_| {}).await.unwrap();
    world.sim.fault(Fault::on("open/transcode.download_m3u8").space_full());
    let full = transcoding.download(video, "480P", world.path("")).await.unwrap_err();
    assert_eq!(full.kind(), ErrorKind::QuotaExceeded, "{full}");
    assert!(world.local_names().is_empty());

    world.sim.fault(Fault::on("open/transcode.upload_from_cloud_disk").task_fails());
    transcoding.import([&file]).await.unwrap();
    let late = transcoding.wait_for_import(&file, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::CompletionTimeout, "an import that fails says nothing");
    let gone = transcoding.import([id(99)]).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
}
