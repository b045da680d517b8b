//! An upload that is broken off, and another that goes on with it. It talks to a simulator in its own process.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use pan123::open::{Bandwidth, Checkpoints, Client, Hosts, Phase};
use pan123_sim::Simulator;
use tokio::sync::Notify;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::builder().slice_size(1 << 20).start().await?;
    let hosts = Hosts::default().with_open(&sim.urls().open)?;
    let client = Client::builder().app(sim.client_id(), sim.client_secret()).hosts(hosts).build()?;
    let folder = tempfile::tempdir()?;
    let film = folder.path().join("film.mkv");
    std::fs::write(&film, vec![7; 8 << 20])?;

    // The first run ends after three of eight parts. Killing the process would do the same.
    let three = Arc::new(Notify::new());
    let arrived = Arc::clone(&three);
    let upload = client
        .upload(&film)
        .checkpoints(Checkpoints::beside_file())
        .bandwidth(Bandwidth::per_second(8 << 20))
        .on_progress(move |progress| {
            if progress.phase == Phase::Sending && progress.parts >= 3 {
                arrived.notify_one();
            }
        });
    tokio::select! {
        done = upload.send() => println!("done before it could be broken off: {:?}", done?.how),
        () = three.notified() => println!("broken off"),
    }

    // The second run finds the checkpoint, reads nothing again that has arrived, and removes the checkpoint at the end.
    let file = client.upload(&film).checkpoints(Checkpoints::beside_file()).send().await?;
    println!("{} is stored as {}; {} bytes of it had arrived before", file.name, file.id, file.resumed);
    if let Some(notice) = file.notice {
        println!("{notice}");
    }
    Ok(())
}
