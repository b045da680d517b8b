//! The service fetches an address into the drive, and the program waits for it.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use pan123::{
    core::FileId,
    open::{Client, Hosts},
};
use pan123_sim::{Fault, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    // The first time it is asked the service is still at it.
    sim.fault(Fault::on("open/offline.process").task_pending());
    let hosts = Hosts::default().with_open(&sim.urls().open)?;
    let client = Client::builder().app(sim.client_id(), sim.client_secret()).hosts(hosts).build()?;

    // The root cannot be the target.
    let folder = client.mkdir(FileId::ROOT, "films").await?;
    client
        .offline_download("https://example.org/films/autumn.mp4")
        .into_folder(folder)
        .name("秋天.mp4")
        .on_progress(|progress| println!("{:>5.1}% {:?}", progress.percent, progress.state))
        .timeout(Duration::from_secs(3600))
        .finish()
        .await?;

    // The service does not say which file it made; its folder does.
    for entry in client.list(folder).collect().await? {
        println!("{} has {} bytes", entry.name, entry.size);
    }
    Ok(())
}
