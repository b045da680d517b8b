//! A tour of somebody's share: opened from a pasted text, listed, downloaded as a whole folder, saved into one's own
//! drive, and carried over by rapid-upload links (秒传).
//!
//! It runs against the simulator, in this process: nobody's share and nobody's traffic are touched.

#![expect(clippy::print_stdout, reason = "the tour shows what it does")]

use std::{collections::BTreeMap, path::Path};

use pan123::{
    core::{ErrorKind, FileId, Hosts, Md5, RateLimits, Token, rapid::RapidLink},
    open,
    share::{Client, FolderItem, FolderOutcome, Saved, ShareLink},
};
use pan123_sim::{ShareOptions, Simulator};

/// How many files are shared; more than two pages of a list.
const FILES: usize = 250;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    let hosts = Hosts::default().with_share(&simulator.urls().share)?.with_open(&simulator.urls().open)?;
    step("service", format!("simulated, at {}", simulator.urls().share));

    let pasted = somebody_shares(&simulator);
    let link = ShareLink::find(&pasted)?;
    let owner = link.owner().map_or_else(|| "somebody".to_owned(), |owner| format!("account {owner}"));
    step("pasted", format!("{pasted:?}"));
    step("link", format!("key {}, shared by {owner}, {}", link.key(), password_of(&link)));

    // The simulator minds nobody's pace. On the real service leave the limits as they are: it bans addresses.
    let builder = || Client::builder(link.clone()).hosts(hosts.clone()).rate_limits(RateLimits::unlimited());
    let guest = builder().build()?;
    let info = guest.info().await?;
    step("share", format!("{:?}, password {}, expired {}", info.name, info.has_password, info.is_expired));

    let mut walk = guest.walk(FileId::ROOT);
    let (mut found, mut folders, mut first) = (Vec::new(), 0, None);
    while let Some(entry) = walk.next().await? {
        if entry.entry.is_folder() {
            folders += 1;
            first.get_or_insert(entry.entry);
        } else {
            found.push(entry);
        }
    }
    let pages = simulator.count("share/share.list");
    step("list", format!("{} files in {folders} folders, {pages} pages, without an account", found.len()));
    if found.len() != FILES {
        return Err("the list is not whole".into());
    }

    match guest.link(&found[0].entry).await {
        Err(error) if error.kind() == ErrorKind::LoginRequired => {
            step("guest", format!("a download is refused: {}", error.message().unwrap_or_default()));
        }
        other => return Err(format!("a guest was given an address: {other:?}").into()),
    }

    let user = builder().token(Token::new(simulator.web_token())).build()?;
    let film = &found[0].entry;
    let address = user.link(film).await?;
    let end = address.expires_at().map_or_else(|| "an unknown time".to_owned(), |end| end.to_string());
    let headers: Vec<&str> = address.headers().keys().map(|name| name.as_str()).collect();
    step("address", format!("{} until {end}, to be sent with {}", address.url_redacted(), headers.join(", ")));

    let target = tempfile::tempdir()?;
    let (sender, items) = std::sync::mpsc::channel();
    let download = user.download_folder(FileId::ROOT).concurrency(8).on_each(move |item| {
        let _ = sender.send(item.clone());
    });
    let done = download.to_path(target.path()).await?;
    for missing in &done.failed {
        step("missing", format!("{}: {:?}", missing.remote, missing.error()));
    }
    let md5s: BTreeMap<String, Md5> =
        found.iter().filter_map(|found| Some((found.path().to_owned(), found.entry.md5?))).collect();
    let is_same = |item: &FolderItem| {
        matches!(item.outcome, FolderOutcome::Transferred) && md5s.get(&item.remote).copied() == md5_of(&item.local)
    };
    let same = items.iter().filter(is_same).count();
    step("download", format!("{} files, {same} of them with the MD5 that the share lists", done.files));
    if same != FILES || !done.is_complete() {
        return Err("the download is not whole".into());
    }

    let drive =
        open::Client::builder().app(simulator.client_id(), simulator.client_secret()).hosts(hosts.clone()).build()?;
    let saved_into = drive.mkdir(FileId::ROOT, "saved").await?;
    match user.save_to([film], saved_into).await? {
        Saved::Done { count } => step("save", format!("{} entries copied into the folder saved", count.unwrap_or(0))),
        Saved::Unconfirmed => return Err("the copy was not confirmed".into()),
    }
    let saved = drive.find(saved_into, &film.name).await?.ok_or("the copy is not in the drive")?;
    if saved.md5 != film.md5 {
        return Err("the copy is another file".into());
    }

    let exported = guest.rapid_link(first.ok_or("the share has no folder")?).await?;
    let text = exported.to_string();
    step("export", format!("{} files in {} bytes: {}…", exported.files().len(), text.len(), start_of(&text)));
    let into = drive.mkdir(FileId::ROOT, "imported").await?;
    let read = RapidLink::parse(&text)?;
    let few: RapidLink = read.files().iter().take(5).cloned().collect();
    let imports = few.import(&drive, into).await;
    let stored = imports.iter().filter(|import| import.outcome.stored().is_some()).count();
    step("import", format!("{stored} of {} files are in the drive, and no byte was sent", imports.len()));
    if stored != imports.len() {
        return Err(format!("not everything was imported: {imports:?}").into());
    }
    step("done", format!("{} requests", simulator.requests().len()));
    Ok(())
}

/// Fills folders with files, shares them, and writes about it as people do.
fn somebody_shares(simulator: &Simulator) -> String {
    for number in 0..FILES {
        // Two hundred in one folder make more than a page; the others are nested.
        let folder = if number < 200 { "影片".to_owned() } else { format!("影片/第{}季/特典", number % 3 + 1) };
        simulator.put(&format!("/{folder}/E{number:03}.mkv"), format!("film {number}"));
    }
    let key = simulator.share(&["/影片"], ShareOptions::default().password("Wxyz").name("影片"));
    format!("「影片」链接：https://www.123pan.com/s/{key} 提取码：Wxyz 复制这段内容打开")
}

fn password_of(link: &ShareLink) -> &'static str {
    if link.password().is_some() { "with a password" } else { "without a password" }
}

fn md5_of(path: &Path) -> Option<Md5> {
    std::fs::read(path).ok().map(|bytes| Md5::of(&bytes))
}

fn start_of(text: &str) -> String {
    text.chars().take(48).collect()
}

fn step(name: &str, what: impl std::fmt::Display) {
    println!("{name:>10}  {what}");
}
