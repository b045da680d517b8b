//! What is measured and killed: the SDK doing one piece of work, in a process of its own.

use std::{fs::File, io::Read, path::PathBuf, process::ExitCode};

use md5::{Digest, Md5};
use pan123_bench::{Arguments, Failure, Meter};
use pan123_open::{FileId, Hosts, RateLimits};

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the line that the caller reads")]
async fn main() -> ExitCode {
    match run().await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<String, Failure> {
    let arguments = Arguments::read()?;
    let set = Arguments::environment;
    let (hosts, limits) = (Hosts::from_env()?, RateLimits::unlimited());
    let meter;
    match arguments.get("api").unwrap_or("open") {
        "open" => {
            let app = pan123_open::Client::builder().app(set("PAN123_CLIENT_ID")?, set("PAN123_CLIENT_SECRET")?);
            let client = app.hosts(hosts).rate_limits(limits).build()?;
            meter = Meter::start();
            work!(client, arguments);
        }
        "web" => {
            let login = pan123_web::Client::builder().password(set("PAN123_USERNAME")?, set("PAN123_PASSWORD")?);
            let client = login.hosts(hosts).rate_limits(limits).build()?;
            meter = Meter::start();
            work!(client, arguments);
        }
        other => return Err(format!("there is no way in called `{other}`").into()),
    }
    meter.report()
}

/// The same verbs on either client.
macro_rules! work {
    ($client:ident, $arguments:ident) => {
        match $arguments.verb() {
            "upload" => {
                let parts = usize::try_from($arguments.number("parts")?)?;
                let upload = $client.upload($arguments.get("file")?).into_folder(FileId::ROOT);
                let mut upload = upload.name($arguments.get("name")?).concurrency(parts);
                if let Ok(folder) = $arguments.get("checkpoints") {
                    upload = upload.checkpoints(PathBuf::from(folder));
                }
                upload.send().await?;
            }
            "upload-many" => {
                let mut paths = std::fs::read_dir($arguments.get("dir")?)?;
                let folder = $client.mkdir(FileId::ROOT, $arguments.get("name")?).await?;
                let mut tasks = tokio::task::JoinSet::new();
                let at_once = usize::try_from($arguments.number("at_once")?)?;
                loop {
                    while tasks.len() < at_once {
                        let Some(path) = paths.next().transpose()? else { break };
                        tasks.spawn($client.upload(path.path()).into_folder(folder).send());
                    }
                    match tasks.join_next().await {
                        Some(done) => drop(done??),
                        None => break,
                    }
                }
            }
            "download" => {
                let file = $client.stat(id(&$arguments)?).await?;
                let mut download = $client.download(&file);
                if $arguments.get("verify")? == "no" {
                    download = download.without_verification();
                }
                if $arguments.get("over").is_ok() {
                    // The file that is there, without a temporary one beside it: the same work as the floor's.
                    let file = File::options().write(true).open($arguments.get("to")?)?;
                    download.to_writer(file).await?;
                } else {
                    download.to_path($arguments.get("to")?).await?;
                }
            }
            "list" => {
                let mut entries = $client.list(id(&$arguments)?);
                let mut count = 0;
                while let Some(entry) = entries.next().await? {
                    count += u64::from(entry.is_file());
                }
                if count != $arguments.number("count")? {
                    return Err(format!("{count} entries were listed").into());
                }
            }
            // That a file is in the root once, and whole.
            "check" => {
                let (path, name) = (PathBuf::from($arguments.get("file")?), $arguments.get("name")?);
                let (size, md5) = (path.metadata()?.len(), digest(&path)?);
                let mut entries = $client.list(FileId::ROOT);
                let mut found = 0;
                while let Some(entry) = entries.next().await? {
                    if entry.name == name {
                        let stored = (entry.size, entry.md5.map(|md5| md5.to_string()));
                        if stored != (size, Some(md5.clone())) {
                            return Err(format!("{name} is not what was sent: {stored:?}").into());
                        }
                        found += 1;
                    }
                }
                if found != 1 {
                    return Err(format!("{name} is there {found} times").into());
                }
            }
            "digest" => {
                let md5 = digest(&PathBuf::from($arguments.get("file")?))?;
                if md5 != $arguments.get("md5")? {
                    return Err("the file is not what it should be".into());
                }
            }
            other => return Err(format!("nothing is known of `{other}`").into()),
        }
    };
}
use work;

fn digest(path: &PathBuf) -> Result<String, Failure> {
    let (mut file, mut md5, mut buffer) = (File::open(path)?, Md5::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => md5.update(&buffer[..count]),
        }
    }
    Ok(md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn id(arguments: &Arguments) -> Result<FileId, Failure> {
    Ok(arguments.get("id")?.parse()?)
}
