//! Offline downloads: begun, waited for, failed, and told of by the service itself.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pan123_core::Runtime;
use pan123_open::{
    ErrorKind, FileId,
    ops::offline::{Callback, OfflineState},
};
use pan123_sim::Fault;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::world::{World, id};

const DOWNLOAD: &str = "open/offline.download";
const PROCESS: &str = "open/offline.process";
const ADDRESS: &str = "https://example.org/film.mp4?sig=planted-signature";

#[tokio::test]
async fn an_address_is_fetched_and_waited_for() {
    let world = World::new().await;
    let folder = id(world.sim.mkdir("/films"));
    let retrying = r#"{"code":0,"message":"ok","data":{"process":0,"status":3},"x-traceID":""}"#;
    world.sim.fault(Fault::on(PROCESS).times(2).task_pending());
    world.sim.fault(Fault::on(PROCESS).nth(3).body("application/json", retrying));
    let seen: Arc<Mutex<Vec<OfflineState>>> = Arc::default();
    let told = Arc::clone(&seen);
    let download = world.client.offline_download(ADDRESS).into_folder(folder).name("秋天.mp4");
    download.on_progress(move |progress| told.lock().unwrap().push(progress.state)).finish().await.unwrap();
    assert!(world.sim.file("/films/秋天.mp4").is_some());
    assert_eq!(world.sim.count(DOWNLOAD), 1);
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.last(), Some(&OfflineState::Done));
    let count = |state| seen.iter().filter(|seen| **seen == state).count();
    assert_eq!((count(OfflineState::Running), count(OfflineState::Retrying), seen.len()), (2, 1, 4), "{seen:?}");
    assert_eq!(world.runtime.sleeps().len(), 3, "a pause behind each answer that is not the last");
}

#[tokio::test]
async fn without_a_folder_the_service_chooses_one_and_the_root_is_refused() {
    let world = World::new().await;
    world.client.offline_download(ADDRESS).finish().await.unwrap();
    assert!(world.sim.file("/来自:离线下载/film.mp4").is_some());
    world.sim.clear_requests();
    for download in [
        world.client.offline_download(ADDRESS).into_folder(FileId::ROOT),
        world.client.offline_download("magnet:?xt=urn:btih:0"),
        world.client.offline_download(ADDRESS).name("a/b"),
    ] {
        assert!(!format!("{download:?}").contains("planted"));
        assert_eq!(download.begin().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(world.sim.requests().len(), 0);
}

#[tokio::test]
async fn a_download_that_fails_or_never_ends_is_an_error() {
    let world = World::new().await;
    world.sim.fault(Fault::on(DOWNLOAD).task_fails());
    let error = world.client.offline_download(ADDRESS).finish().await.unwrap_err();
    assert_eq!((error.kind(), error.endpoint()), (ErrorKind::Api, Some(PROCESS)), "{error}");

    let task = world.client.offline_download(ADDRESS).begin().await.unwrap();
    world.sim.fault(Fault::on(PROCESS).every().task_pending());
    let begun = world.runtime.elapsed();
    let error = world.client.wait_for_offline(task, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CompletionTimeout, "{error}");
    assert!(error.may_have_happened());
    assert_eq!(world.runtime.elapsed() - begun, Duration::from_secs(60), "no longer, and no shorter");
    world.sim.clear_faults();
    world.client.wait_for_offline(task, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_begins_no_second_download() {
    let world = World::new().await;
    world.sim.fault(Fault::on(DOWNLOAD).after().drop_answer());
    let error = world.client.offline_download(ADDRESS).finish().await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert!(!format!("{error:?}").contains("planted"));
    assert_eq!(world.sim.count(DOWNLOAD), 1);
}

#[tokio::test]
async fn the_service_tells_how_it_ended() {
    for fails in [false, true] {
        let world = World::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = format!("http://{}/done", listener.local_addr().unwrap());
        if fails {
            world.sim.fault(Fault::on(DOWNLOAD).task_fails());
        }
        world.client.offline_download(ADDRESS).call_back(hook.as_str()).begin().await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut told = Vec::new();
        while !told.ends_with(b"}") {
            assert_ne!(stream.read_buf(&mut told).await.unwrap(), 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let told = String::from_utf8(told).unwrap();
        let callback = Callback::read(told.split_once("\r\n\r\n").unwrap().1.as_bytes()).unwrap();
        assert_eq!(callback.address.as_str(), ADDRESS);
        let file = world.sim.file("/来自:离线下载/film.mp4").map(|file| id(file.id));
        assert_eq!(callback.outcome.as_ref().ok().copied(), file);
        assert_eq!(callback.outcome.is_err(), fails);
    }
}
