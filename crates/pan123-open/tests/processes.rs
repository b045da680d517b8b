//! Four processes that share a token file make one token request between them.

use std::process::{Command, ExitCode};

use pan123_open::{Client, FileTokenStore, Hosts};
use pan123_sim::Simulator;

/// The word that makes this program one of the four.
const CHILD: &str = "child";

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

/// One of the programs: it needs the token for one call.
async fn child(args: &[String]) -> ExitCode {
    let [open, id, secret, file] = args else {
        return ExitCode::FAILURE;
    };
    let client = Client::builder()
        .app(id.as_str(), secret.as_str())
        .hosts(Hosts::default().with_open(open).expect("the parent gives an address"))
        .token_store(FileTokenStore::new(file))
        .build()
        .expect("the client can be built");
    match client.user_info().await {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn parent() {
    let sim = Simulator::start().await.expect("a port is free");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("token.json");
    let program = std::env::current_exe().expect("this program has a path");
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = Command::new(&program);
            command.args([CHILD, &sim.urls().open, sim.client_id(), sim.client_secret()]).arg(&file);
            command.spawn().expect("the program can be started")
        })
        .collect();
    for mut child in children {
        let status = tokio::task::spawn_blocking(move || child.wait()).await.expect("waiting does not panic");
        assert!(status.expect("the program can be waited for").success());
    }
    assert_eq!(sim.count("open/auth.access_token"), 1, "four processes, one token");
    assert_eq!(sim.count("open/user.info"), 4);
}
