//! A local folder is backed up into the drive and restored: what is the same goes only once, and a dry run tells before.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::fs;

use pan123::{
    core::FileId,
    open::{Client, Hosts, RateLimits},
};
use pan123_sim::Simulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    let hosts = Hosts::default().with_open(&sim.urls().open)?;
    let client = Client::builder().app(sim.client_id(), sim.client_secret()).hosts(hosts);
    // The simulator has none either.
    let client = client.rate_limits(RateLimits::unlimited()).build()?;

    let local = tempfile::tempdir()?;
    fs::create_dir_all(local.path().join("films/2026/empty"))?;
    for number in 0..20 {
        fs::write(local.path().join(format!("films/2026/秋天 {number}.txt")), format!("film {number}"))?;
    }

    let backup = client.mkdir_all(FileId::ROOT, "backup/films").await?;
    let upload = || client.upload_folder(local.path().join("films")).into_folder(backup).replace_existing();
    println!("{} things would be done", upload().plan().await?.len());
    let report = upload().concurrency(4).send().await?;
    println!("{} files sent, {} folders made, {} failed", report.files, report.folders, report.failed.len());

    fs::write(local.path().join("films/2026/秋天 7.txt"), "another film")?;
    let report = upload().on_each(|item| println!("  {:?}: {}", item.outcome, item.remote)).send().await?;
    println!("{} file sent, {} were the same", report.files, report.same);

    let report = client.download_folder(backup).to_path(local.path().join("restored")).await?;
    println!("{} files restored, all of them: {}", report.files, report.is_complete());
    Ok(())
}
