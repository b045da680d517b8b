//! An image is uploaded to image hosting and fetched from its public address; another comes from the drive, a third from
//! another server. It talks to a simulator in its own process.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use pan123::{
    core::{Fetch, FileId},
    open::{Client, Hosts, Source, ops::images::ImageId},
};
use pan123_sim::Simulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    let photo = FileId::new(sim.put("/sea.jpg", "a photo of the drive"));
    let hosts = Hosts::default().with_open(&sim.urls().open)?;
    let client = Client::builder().app(sim.client_id(), sim.client_secret()).hosts(hosts).build()?;
    let images = client.images();

    // A path would do as well, and give the name. Ids here are texts, and not those of the drive.
    let folder = images.mkdir(ImageId::ROOT, "icons").await?;
    let uploaded = images.upload(Source::bytes("a picture")).name("logo.png").into_folder(&folder).send().await?;

    // An upload tells the id alone; the public address is asked for. Anybody can fetch it.
    let image = images.stat(&uploaded).await?;
    let address = image.url.ok_or("the image has no public address")?;
    println!("{} is at {}", image.name, address.url());
    let fetched = client.send(Fetch::new(address)).await?.body.collect(1024).await?;
    println!("its {} bytes are those that went up: {}", fetched.len(), fetched == "a picture");

    let minute = Duration::from_secs(60);
    let failed = images.copy_from_drive([photo], &folder, minute).await?;
    println!("{} images of the drive could not be copied", failed.len());
    let tell = |status: pan123::open::ops::images_import::OfflineStatus| println!("  {:?}", status.state);
    images.import("https://example.com/elsewhere.webp", "elsewhere.webp", &folder, minute, tell).await?;

    for image in images.list(&folder).collect().await? {
        println!("{:>6} bytes  {}", image.size, image.name);
    }
    images.delete([&uploaded]).await?;
    Ok(())
}
