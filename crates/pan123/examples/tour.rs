//! A tour of the drive: a real file goes up in parts, comes back byte for byte, and its direct link is signed and fetched.
//!
//! With nothing set it runs against the simulator, in this process. With `PAN123_CLIENT_ID` and
//! `PAN123_CLIENT_SECRET` set (and `PAN123_LINK_KEY` for the signing step) it takes the same steps on the real service,
//! in a folder of its own.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the tour shows what it does")]

use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

use pan123::{
    core::{ErrorKind, Fetch, FileId, Hosts, Link, Result},
    link::{Nonce, Signer, UnixTime},
    open::{Client, ClientBuilder},
    transfer::Progress,
};
use pan123_sim::Simulator;

/// The size of the file that travels: two parts of 16 MiB and a shorter one.
const SIZE: usize = 40 * 1024 * 1024 + 123;

#[tokio::main]
async fn main() -> ExitCode {
    match tour().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nfailed: {error}");
            let mut cause = std::error::Error::source(&*error);
            while let Some(inner) = cause {
                eprintln!("because: {inner}");
                cause = inner.source();
            }
            eprintln!("what to do: {}", advice(error.downcast_ref::<pan123::core::Error>()));
            ExitCode::FAILURE
        }
    }
}

async fn tour() -> Result<(), Box<dyn std::error::Error>> {
    let place = Place::from_env().await?;
    let client = place.client()?;

    let workspace = tempfile::tempdir()?;
    let original = workspace.path().join("tour.bin");
    make_file(&original)?;
    step("file", format!("{} bytes in {}", SIZE, original.display()));

    let token = client.token().await?;
    let end = token.expires_at().map_or_else(|| "an unknown time".to_owned(), |end| end.to_string());
    step("token", format!("good until {end}"));

    let folder_name = format!("pan123-tour-{}", unix_now());
    let folder = client.mkdir(FileId::ROOT, folder_name.as_str()).await?;
    step("folder", format!("{folder_name} has id {folder}"));

    let begun = Instant::now();
    let file = client.upload(&original).into_folder(folder).name("秋天 tour.bin").on_progress(bar).send().await?;
    step("upload", format!("{:?} in {}, MD5 {}", file.how, speed(begun), file.md5));

    let begun = Instant::now();
    let again = client.upload(&original).into_folder(folder).name("again.bin").send().await?;
    step("again", format!("{:?} in {:.2?}: the service had the content", again.how, begun.elapsed()));

    let mut entries = client.list(folder);
    let mut names = Vec::new();
    while let Some(entry) = entries.next().await? {
        names.push(format!("{} ({} bytes)", entry.name, entry.size));
    }
    step("list", names.join(", "));

    let begun = Instant::now();
    let copy = workspace.path().join("copy.bin");
    let downloaded = client.download(&file).on_progress(bar).to_path(&copy).await?;
    let same = std::fs::read(&original)? == std::fs::read(&copy)? && downloaded.md5 == Some(file.md5);
    step("download", format!("in {}, {}", speed(begun), if same { "byte for byte the same" } else { "DIFFERENT" }));
    if !same {
        return Err("the downloaded file differs from the one that went up".into());
    }

    client.enable_direct_link(folder).await?;
    step("link space", format!("{folder_name} hands out direct links"));

    match &place.link_key {
        Some(_) => signed_link(&client, &place, &file).await?,
        None => step("signed", "left out: set PAN123_LINK_KEY to the private key of the direct-link page"),
    }

    client.trash([file.id, again.id]).await?;
    client.trash([folder]).await?;
    step("trash", "both files and the folder are in the recycle bin");
    place.thank();
    Ok(())
}

/// Signs the file's direct link, fetches it, and shows that one whose time is over is refused.
async fn signed_link(
    client: &Client,
    place: &Place,
    file: &pan123::open::Uploaded,
) -> Result<(), Box<dyn std::error::Error>> {
    let link = client.direct_link(file).await?;
    let fetched = client.send(Fetch::new(link.clone())).await?;
    let bytes = fetched.body.collect(SIZE + 1).await?;
    let md5 = pan123::core::Md5::of(&bytes);
    let end = link.expires_at().map_or_else(|| "unknown".to_owned(), |end| end.to_string());
    step("signed", format!("{} until {end}: {} bytes, MD5 {md5}", link.url_redacted(), bytes.len()));
    if md5 != file.md5 {
        return Err("the direct link delivers other bytes".into());
    }

    let key = place.link_key.clone().unwrap_or_default();
    let signer = Signer::new(client.account_id().await?.get(), key)?;
    let a_minute_ago = UnixTime::from_secs(unix_now() - 60);
    let expired = signer.sign_until(link.url().as_str(), a_minute_ago, &Nonce::random()?)?;
    match client.send(Fetch::new(Link::parse(expired.as_str())?)).await {
        Err(error) if error.kind() == ErrorKind::LinkRejected => {
            step("expired", "a link that ended a minute ago is refused")
        }
        Err(error) => return Err(error.into()),
        Ok(_) => {
            return Err("an expired link still works: is authentication switched on, on the direct-link page?".into());
        }
    }
    Ok(())
}

/// Where the tour takes place.
struct Place {
    simulator: Option<Simulator>,
    builder: Box<dyn Fn() -> ClientBuilder>,
    hosts: Hosts,
    link_key: Option<String>,
}

impl Place {
    async fn from_env() -> Result<Self, Box<dyn std::error::Error>> {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (set("PAN123_CLIENT_ID"), set("PAN123_CLIENT_SECRET")) {
            (Some(id), Some(secret)) => {
                step("service", "the real one, with the credentials of the environment");
                Ok(Self {
                    simulator: None,
                    builder: Box::new(move || Client::builder().app(id.as_str(), secret.as_str())),
                    hosts: Hosts::from_env()?,
                    link_key: set("PAN123_LINK_KEY"),
                })
            }
            (None, None) => {
                let simulator = Simulator::start().await?;
                step("service", format!("simulated, at {}", simulator.urls().open));
                let (id, secret) = (simulator.client_id().to_owned(), simulator.client_secret().to_owned());
                Ok(Self {
                    hosts: Hosts::default().with_open(&simulator.urls().open)?,
                    link_key: Some(simulator.link_key().to_owned()),
                    builder: Box::new(move || Client::builder().app(id.as_str(), secret.as_str())),
                    simulator: Some(simulator),
                })
            }
            _ => Err("set both PAN123_CLIENT_ID and PAN123_CLIENT_SECRET, or neither to use the simulator".into()),
        }
    }

    fn client(&self) -> Result<Client> {
        let builder = (self.builder)().hosts(self.hosts.clone());
        match &self.link_key {
            Some(key) => builder.link_key(key.as_str()),
            None => builder,
        }
        .build()
    }

    fn thank(&self) {
        if let Some(simulator) = &self.simulator {
            let slices = simulator.count("open/upload_v2.slice");
            step("done", format!("{} requests, {slices} of them parts", simulator.requests().len()));
        } else {
            step("done", "empty the recycle bin to get the space back");
        }
    }
}

fn step(name: &str, what: impl std::fmt::Display) {
    clear_bar();
    println!("{name:>10}  {what}");
}

/// Shows progress on the last line of a terminal, and nothing elsewhere.
fn bar(progress: Progress) {
    if std::io::stdout().is_terminal() {
        let total = progress.total.unwrap_or(0).max(1);
        print!("\r{:>10}  {:?} {:>3} %", "", progress.phase, progress.bytes * 100 / total);
        let _ = std::io::stdout().flush();
    }
}

fn clear_bar() {
    if std::io::stdout().is_terminal() {
        print!("\r{:60}\r", "");
    }
}

fn speed(begun: Instant) -> String {
    let elapsed = begun.elapsed();
    let rate = SIZE as f64 / elapsed.max(Duration::from_millis(1)).as_secs_f64() / (1024.0 * 1024.0);
    format!("{elapsed:.2?} ({rate:.0} MiB/s)")
}

/// Writes bytes that no other run has, so that the first upload cannot be an instant one.
fn make_file(path: &Path) -> std::io::Result<()> {
    let mut state = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64) | 1;
    let mut file = BufWriter::new(File::create(path)?);
    let mut left = SIZE;
    while left > 0 {
        // Xorshift: quick, and good enough to be incompressible.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bytes = state.to_le_bytes();
        let length = left.min(bytes.len());
        file.write_all(&bytes[..length])?;
        left -= length;
    }
    file.flush()
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

/// Says what a person can do about a failure.
fn advice(error: Option<&pan123::core::Error>) -> &'static str {
    match error.map(pan123::core::Error::kind) {
        Some(ErrorKind::Unauthorized) => "check the client id and secret on the service's developer page",
        Some(ErrorKind::Connect | ErrorKind::Connection | ErrorKind::Timeout) => {
            "check the network, then run the tour again"
        }
        Some(ErrorKind::RateLimited | ErrorKind::Busy | ErrorKind::Server) => {
            "wait a few minutes, then run the tour again"
        }
        Some(ErrorKind::QuotaExceeded) => "the account's allowance is used up: wait for the next day, or buy more",
        Some(ErrorKind::ProtocolChanged | ErrorKind::Decode) => "update the SDK; if it is the newest, report this line",
        Some(ErrorKind::Io) => "check that the temporary folder has 100 MB of room",
        Some(ErrorKind::LinkRejected) => "check the private key on the direct-link page, and this machine's clock",
        _ => "the line above names the call that failed and what the service said",
    }
}
