//! A service of which a tenth of all answers goes wrong: transfers end right or in an error, and never wrong.

use std::sync::Arc;

use pan123_core::testing::VirtualRuntime;
use pan123_open::{Client, FileId, OnConflict};
use pan123_sim::Simulator;
use tokio::{runtime::Handle, task::JoinSet};

use crate::world::{NOW, PART, builder, content};

/// How many small transfers there are of each seed, half of them up and half down.
const TRANSFERS: usize = 1000;

/// How many are under way at a time.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn a_thousand_transfers_through_a_tenth_of_failures_end_right_or_in_an_error() {
    for seed in [1, 2, 3] {
        chaos(seed).await;
    }
}

async fn chaos(seed: u64) {
    // The simulator has a runtime of its own, so that the tasks of this one are the client's.
    let host = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let before = Handle::current().metrics().num_alive_tasks();
    let sim = host.spawn(Simulator::builder().slice_size(PART as u64).start()).await.unwrap().unwrap();
    sim.set_clock(NOW);
    let sim = Arc::new(sim);
    let runtime = VirtualRuntime::new(NOW, seed);
    let client = builder(&sim, &runtime).build().unwrap();
    // A token is had before anything goes wrong.
    client.token().await.unwrap();
    sim.chance(seed, 0.1);

    let mut tasks = JoinSet::new();
    let mut ended = 0;
    for number in 0..TRANSFERS / 2 {
        tasks.spawn(there_and_back(client.clone(), number));
        if tasks.len() == AT_ONCE {
            ended += tasks.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(done) = tasks.join_next().await {
        ended += done.unwrap();
    }
    sim.chance(seed, 0.0);
    assert!(sim.faults_fired() > TRANSFERS as u64 / 20, "{} faults", sim.faults_fired());
    assert!(ended > TRANSFERS / 4, "only {ended} transfers came through");

    // Whatever the calls said: what is there is whole, and there once.
    let mut names = std::collections::BTreeSet::new();
    for file in sim.files().into_iter().filter(|file| !file.trashed) {
        let name = file.path.trim_start_matches('/').to_owned();
        let number: usize = name.trim_end_matches(".bin").parse().unwrap();
        assert!(sim.read(&file.path).unwrap() == content(size(number)), "seed {seed}: {name} is not what was sent");
        assert!(names.insert(name.clone()), "seed {seed}: {name} is there twice");
    }

    drop(client);
    // Connections end when nobody holds them any more.
    for _ in 0..100_000 {
        if Handle::current().metrics().num_alive_tasks() == before {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before, "seed {seed}: tasks outlive the client");
    drop(sim);
    host.shutdown_background();
}

/// Uploads a file and fetches it again. Returns how many of the two came through; what came through is right.
async fn there_and_back(client: Client, number: usize) -> usize {
    let bytes = content(size(number));
    let name = format!("{number}.bin");
    let upload = client.upload(bytes.clone()).into_folder(FileId::ROOT).name(name).single_step_up_to(limit(number));
    let stored = match upload.on_conflict(OnConflict::Overwrite).send().await {
        Ok(stored) => stored,
        // An error says so; whether the file is there all the same is seen at the end.
        Err(_) => return 0,
    };
    match client.download(stored.id).bytes(usize::MAX).await {
        Ok(fetched) => {
            assert!(fetched == bytes, "{number}: other bytes came back");
            2
        }
        Err(_) => 1,
    }
}

/// Sizes around none, one, and several parts. Some are alike, and so uploaded in an instant.
fn size(number: usize) -> usize {
    match number % 5 {
        0 => number % 7,
        1 => 1000 + number,
        2 => PART - 1 + number,
        3 => PART + number,
        _ => 2 * PART + number,
    }
}

/// Every other small file goes in parts too.
fn limit(number: usize) -> u64 {
    if number.is_multiple_of(2) { 0 } else { 1 << 20 }
}
