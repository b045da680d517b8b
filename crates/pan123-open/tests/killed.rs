//! A download whose process is killed, again and again, ends in the right bytes and fetches little twice.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use pan123_open::{Bandwidth, Client, FileId, Hosts, RateLimits};
use pan123_sim::{Simulator, seeded_md5};

/// The word that makes this program the one that is killed.
const CHILD: &str = "child";

const SIZE: u64 = 96 << 20;

/// How often it is killed.
const KILLS: u64 = 8;

/// What may be fetched again after a kill: what came since the last checkpoint, and was in memory.
const MOST_AGAIN: u64 = 12 << 20;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|word| word == CHILD) {
        return runtime.block_on(child(&args[2..]));
    }
    runtime.block_on(parent());
    ExitCode::SUCCESS
}

/// The program: it downloads one file and says how far it is.
async fn child(args: &[String]) -> ExitCode {
    let [open, id, secret, file, target] = args else {
        return ExitCode::FAILURE;
    };
    let client = Client::builder()
        .app(id.as_str(), secret.as_str())
        .hosts(Hosts::default().with_open(open).expect("the parent gives an address"))
        .rate_limits(RateLimits::unlimited())
        .build()
        .expect("the client can be built");
    let file: FileId = file.parse().expect("the parent gives an id");
    // So fast that it takes no time to speak of, and so slow that it is told of on its way.
    let download = client.download(file).bandwidth(Bandwidth::per_second(SIZE));
    let download = download.on_progress(|progress| {
        let _ = writeln!(std::io::stdout(), "{} {}", progress.bytes, progress.resumed);
    });
    match download.to_path(target).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn parent() {
    let sim = Simulator::start().await.expect("a port is free");
    let file = sim.put_seeded("/f.bin", SIZE, 11).to_string();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let target = folder.path().join("copy.bin");
    let program = std::env::current_exe().expect("this program has a path");
    let start = || {
        let mut command = Command::new(&program);
        command.args([CHILD, &sim.urls().open, sim.client_id(), sim.client_secret(), &file]).arg(&target);
        command.stdout(Stdio::piped()).spawn().expect("the program can be started")
    };
    let mut reached = 0;
    for kill in 1..=KILLS {
        // An odd number of bytes, so that it is not the end of anything.
        let until = SIZE / (KILLS + 1) * kill + 12_345;
        let (child, heard) = (start(), reached);
        reached = tokio::task::spawn_blocking(move || killed(child, until, heard)).await.expect("nothing panics");
        assert!(!target.exists(), "half a file has no name");
    }
    let mut last = start();
    let status = tokio::task::spawn_blocking(move || {
        let out = last.stdout.take().expect("it is piped");
        BufReader::new(out).lines().for_each(drop);
        last.wait()
    });
    assert!(status.await.expect("nothing panics").expect("the program can be waited for").success());
    assert_eq!(md5(&target), seeded_md5(SIZE, 11));
    assert_eq!(folder.path().read_dir().expect("the folder is there").count(), 1, "the file and nothing else");
}

/// Reads how far a program is, and kills it when it has so many bytes. Returns how many it had.
fn killed(mut child: Child, until: u64, before: u64) -> u64 {
    let out = child.stdout.take().expect("it is piped");
    let mut reached = 0;
    for line in BufReader::new(out).lines() {
        let line = line.expect("the pipe can be read");
        let (bytes, resumed) = line.split_once(' ').expect("two numbers");
        let number = |text: &str| text.parse::<u64>().expect("a number");
        assert!(number(resumed) + MOST_AGAIN >= before, "{resumed} of {before} bytes were kept");
        reached = number(bytes);
        if reached >= until {
            break;
        }
    }
    assert!(reached >= until, "it ended by itself after {reached} bytes");
    child.kill().expect("it runs");
    child.wait().expect("it can be waited for");
    reached
}

fn md5(path: &Path) -> String {
    pan123_open::Md5::of(&std::fs::read(path).expect("the file is there")).to_string()
}
