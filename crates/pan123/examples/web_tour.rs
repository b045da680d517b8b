//! A tour of a personal account: logged in by a QR code, a long folder listed, files of every size up and back, one put in
//! the place of another, and what else people do with a drive every day.
//!
//! It runs against the simulator, in this process, which also plays the phone: nobody's account is touched.

#![expect(clippy::print_stdout, reason = "the tour shows what it does")]

use std::{path::Path, time::Instant};

use pan123::{
    core::{FileId, Hosts, RateLimits},
    transfer::How,
    web::{Client, OnConflict, Uploaded},
};
use pan123_sim::{Face, Fault, QrAction, Simulator};

/// How many entries the long folder has: ten pages of a list and one entry.
const ENTRIES: usize = 1001;

/// The size of a part, which the service names: 16 MiB.
const PART: usize = 16 << 20;

/// The sizes of the files that travel: none, one byte, and around one part and three.
const SIZES: [usize; 6] = [0, 1, PART - 1, PART, PART + 1, 3 * PART + 1];

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let simulator = Simulator::builder().slice_size(PART as u64).start().await?;
    step("service", format!("simulated, at {}", simulator.urls().web));
    let client = log_in(&simulator).await?;
    list(&simulator, &client).await?;

    let folder = client.mkdir(FileId::ROOT, "tour").await?;
    let largest = up_and_back(&simulator, &client, folder).await?;
    instantly(&simulator, &client, folder).await?;
    overwrite(&simulator, &client, folder).await?;
    organise(&client, folder, &largest).await?;

    let told = simulator.requests().into_iter().filter(|request| {
        let is_control = matches!(request.face, Face::Web | Face::Login);
        !is_control && (request.header("authorization").is_some() || request.header("platform").is_some())
    });
    if told.count() > 0 {
        return Err("a storage or CDN host was told who is asking".into());
    }
    step("done", format!("{} requests, none with a token to storage or CDN", simulator.requests().len()));
    Ok(())
}

/// Logs in as the service's page does: a code is shown, and a phone says yes.
async fn log_in(simulator: &Simulator) -> Result<Client, Box<dyn std::error::Error>> {
    let urls = simulator.urls();
    let hosts = Hosts::default().with_web(&urls.web)?.with_login(&urls.login)?;
    // The simulator minds nobody's pace. On the real service leave the limits as they are: it bans addresses.
    let builder = Client::builder().hosts(hosts).rate_limits(RateLimits::unlimited());
    let login = builder.qr_login().await?;
    step("code", login.url());
    for session in simulator.qr_sessions() {
        simulator.qr(&session, QrAction::Confirm);
    }
    let client = login.wait().await?;
    step("login", format!("account {}", client.user_info().await?.id));
    Ok(client)
}

/// Lists a folder of many pages.
async fn list(simulator: &Simulator, client: &Client) -> Outcome {
    for number in 0..ENTRIES {
        simulator.put(&format!("/long/{number:04}.txt"), format!("entry {number}"));
    }
    let folder = client.find(FileId::ROOT, "long").await?.ok_or("the folder is not there")?;
    let entries = client.list(&folder).collect().await?;
    step("list", format!("{} entries in {} pages", entries.len(), simulator.count("web/file.list") - 1));
    if entries.len() != ENTRIES {
        return Err("the list is not whole".into());
    }
    Ok(())
}

/// Uploads files of every size and reads each back. Returns the last.
async fn up_and_back(
    simulator: &Simulator,
    client: &Client,
    folder: FileId,
) -> Result<Uploaded, Box<dyn std::error::Error>> {
    let here = tempfile::tempdir()?;
    let mut last = None;
    for size in SIZES {
        let (original, copy) = (here.path().join(format!("{size}.bin")), here.path().join("copy"));
        std::fs::write(&original, content(size))?;
        let (begun, puts) = (Instant::now(), simulator.count("web/upload.put_part"));
        let file = client.upload(&original).into_folder(folder).send().await?;
        let parts = simulator.count("web/upload.put_part") - puts;
        let done = client.download(&file).to_path(&copy).await?;
        if !is_same(&original, &copy)? || done.md5.is_some_and(|md5| md5 != file.md5) {
            return Err(format!("{size} bytes did not come back as they went").into());
        }
        step("up, back", format!("{size:>8} bytes, {:?}, {parts} parts, {:.2?}", file.how, begun.elapsed()));
        last = Some(file);
    }
    last.ok_or_else(|| "nothing was uploaded".into())
}

/// Uploads content that the service has, under another name: no byte is sent.
async fn instantly(simulator: &Simulator, client: &Client, folder: FileId) -> Outcome {
    let puts = simulator.count("web/upload.put_part");
    let file = client.upload(content(PART + 1)).into_folder(folder).name("又一个.bin").send().await?;
    let sent = simulator.count("web/upload.put_part") - puts;
    step("instant", format!("{} bytes as file {}, {sent} requests with data", file.size, file.id));
    if file.how != How::Instant || sent != 0 {
        return Err("the upload was not instant".into());
    }
    Ok(())
}

/// Puts a new file in the place of an old one, first while the service fails, then when it does not.
async fn overwrite(simulator: &Simulator, client: &Client, folder: FileId) -> Outcome {
    let (old, new) = (content(1000), content(2000));
    let first = client.upload(old.clone()).into_folder(folder).name("report.txt").send().await?;
    let again = || {
        let upload = client.upload(new.clone()).into_folder(folder).name("report.txt");
        upload.on_conflict(OnConflict::Overwrite).send()
    };
    simulator.fault(Fault::on("web/upload.complete_v2").code(1).message("upload failed"));
    let error = again().await.err().ok_or("the service failed and nobody noticed")?;
    if client.download(&first).bytes(old.len()).await? != old {
        return Err("the old file is not what it was".into());
    }
    step("overwrite", format!("failed ({error}), and the old file is as it was"));
    let file = again().await?;
    if client.download(&file).bytes(new.len()).await? != new {
        return Err("the new file is not there".into());
    }
    step("overwrite", format!("done, and the file is still {}", file.id));
    if file.id != first.id {
        return Err("the file has another id".into());
    }
    Ok(())
}

/// Copies, moves, renames, trashes and restores.
async fn organise(client: &Client, folder: FileId, file: &Uploaded) -> Outcome {
    let target = client.mkdir(FileId::ROOT, "target").await?;
    let copy = client.copy(file, target).await?;
    client.rename(copy, "copy.bin").await?;
    client.move_to([copy], FileId::ROOT).await?;
    let moved = client.find(FileId::ROOT, "copy.bin").await?.ok_or("the copy was not moved")?;
    if moved.id != copy || moved.md5 != Some(file.md5) {
        return Err("the copy is another file".into());
    }
    step("copy", format!("file {} copied, renamed, moved to the root", file.id));
    client.trash([copy]).await?;
    if client.find(FileId::ROOT, "copy.bin").await?.is_some() {
        return Err("what was trashed is still listed".into());
    }
    client.restore([copy]).await?;
    if client.find(FileId::ROOT, "copy.bin").await?.is_none() {
        return Err("what was restored is not listed".into());
    }
    let left = client.list(folder).collect().await?.len();
    step("trash", format!("trashed and restored; {left} files in the folder"));
    Ok(())
}

/// Bytes that do not repeat within any part.
fn content(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ length as u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn is_same(left: &Path, right: &Path) -> std::io::Result<bool> {
    Ok(std::fs::read(left)? == std::fs::read(right)?)
}

fn step(name: &str, what: impl std::fmt::Display) {
    println!("{name:>10}  {what}");
}
