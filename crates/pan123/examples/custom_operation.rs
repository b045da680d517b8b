//! A call that the SDK does not know, written in the caller's own crate and sent through its pipeline.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use pan123::{
    core::{FileId, Meta, operation},
    open::{Client, Hosts},
};
use pan123_sim::Simulator;

operation! {
    /// Asks how large a folder is. The limits, retries and tokens of the client hold for it as for every other call.
    pub struct FolderSize -> Size = Meta::get("mine/folder.size", "/api/v1/file/detail");
    {
        /// The folder.
        query "fileID": folder: FileId,
    }
}

/// What the answer's `data` holds, as far as this program is interested.
#[derive(Debug, serde::Deserialize)]
pub struct Size {
    size: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    sim.put("/films/a.mp4", "twelve bytes");
    let folder = FileId::new(sim.mkdir("/films"));
    let hosts = Hosts::default().with_open(&sim.urls().open)?;
    let client = Client::builder().app(sim.client_id(), sim.client_secret()).hosts(hosts).build()?;
    println!("the folder holds {} bytes", client.send(FolderSize::new(folder)).await?.size);
    Ok(())
}
