//! Sharing a folder, selling another, and looking at what became of both. It talks to a simulator in its own process.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use pan123::open::{
    Client, FileId, Hosts,
    ops::{
        paid_shares::CreatePaidShare,
        shares::{CreateShare, ShareExpiry, TrafficSwitch, UpdateShares},
    },
};
use pan123_sim::Simulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    sim.put("/photos/sea.jpg", "a photo");
    let photos = FileId::new(sim.mkdir("/photos"));
    let course = FileId::new(sim.put("/course.zip", "ten lessons"));
    let hosts = Hosts::default().with_open(&sim.urls().open)?;
    let client = Client::builder().app(sim.client_id(), sim.client_secret()).hosts(hosts).build()?;

    // A share lasts 7 days and has no password unless something else is asked for.
    let free = CreateShare::new("holiday photos", [photos]).password("7kQp").expiry(ShareExpiry::ThirtyDays);
    let shared = client.share(free).await?;
    println!("photos: {} with the password 7kQp", shared.url);

    // Visitors who are not logged in may use up to 1 GiB of our traffic. Nothing else can be changed later.
    client.send(UpdateShares::new([shared.id]).traffic(TrafficSwitch::Guests).cap_traffic(1 << 30)).await?;

    let sold = client.share_paid(CreatePaidShare::new("course", [course], 10).description("ten lessons")).await?;
    println!("course: {} for 10 yuan", sold.url);
    // Somebody buys it, which no API can do.
    sim.sell_share(sold.key.as_str());

    let mut shares = client.shares();
    while let Some(share) = shares.next().await? {
        println!("{}: {} downloads, guests may use {} bytes", share.name, share.downloads, share.traffic_limit);
    }
    let mut paid = client.paid_shares();
    while let Some(paid) = paid.next().await? {
        println!("{}: {} yuan each, {} yuan so far", paid.share.name, paid.price, paid.income);
    }
    Ok(())
}
