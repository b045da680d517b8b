//! A video of the drive is transcoded, and the playlist and all parts of one resolution are downloaded. It talks to a
//! simulator in its own process.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use pan123::{
    core::FileId,
    open::{
        Client, Hosts,
        ops::transcode::{CloudVideoFiles, DeleteScope},
    },
};
use pan123_sim::Simulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    sim.put_seeded("/autumn.mp4", 1 << 20, 7);
    let hosts = Hosts::default().with_open(&sim.urls().open)?;
    let client = Client::builder().app(sim.client_id(), sim.client_secret()).hosts(hosts).build()?;
    let transcoding = client.transcoding();
    let hour = Duration::from_secs(3600);

    // The video gets another id in the transcoding space, which lists it a little later.
    let file = client.items(CloudVideoFiles::new(FileId::ROOT)).next().await?.ok_or("the drive has no video")?;
    transcoding.import([&file]).await?;
    let video = transcoding.wait_for_import(&file, hour).await?;
    println!("{} is file {} in the drive and video {video} in the space", file.name, file.id);

    // The service has to look at the video before it says what it can make of it.
    let known = transcoding.resolutions(video, hour).await?;
    let wanted = known.left();
    transcoding.start(video, &known, wanted.clone()).await?;
    let tell = |records: &[_]| println!("  {} resolutions are on record", records.len());
    for record in transcoding.wait(video, &wanted, hour, tell).await? {
        let playlist = record.playlist.ok_or("a transcoding that is done has no playlist")?;
        println!("{} can be played from {}", record.resolution, playlist.url_redacted());
    }

    let folder = tempfile::tempdir()?;
    for path in transcoding.download(video, "720P", folder.path()).await? {
        println!("{:>8} bytes  {}", path.metadata()?.len(), path.display());
    }
    transcoding.delete(video, DeleteScope::Everything).await?;
    Ok(())
}
