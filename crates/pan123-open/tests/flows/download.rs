//! Downloads: whole, in ranges, cut and resumed, and everything that is not the file.

use pan123_open::{Entry, ErrorKind, FileId};
use pan123_sim::{Fault, Simulator, seeded_md5};

use crate::world::{NOW, PART, World, content, exists, id};

const CDN: &str = "open/file.download_content";

/// Plans one fault for the CDN, downloads, and returns the error's kind; the target must be as it was.
async fn failing(fault: Fault) -> ErrorKind {
    let world = World::new().await;
    let file = id(world.sim.put("/f.bin", content(3 * PART)));
    let target = world.local("f.bin", b"what was there before");
    world.sim.fault(fault);
    let error = world.client.download(file).to_path(&target).await.unwrap_err();
    assert_eq!(std::fs::read(&target).unwrap(), b"what was there before");
    assert_eq!(world.local_names(), ["f.bin"], "no temporary file is left");
    error.kind()
}

#[tokio::test]
async fn a_file_comes_back_byte_for_byte() {
    let world = World::new().await;
    for size in [0, 1, 3 * PART + 7] {
        let file = id(world.sim.put("/f.bin", content(size)));
        let entry = world.client.stat(file).await.unwrap();
        let target = world.path("copy.bin");
        let done = world.client.download(&entry).to_path(&target).await.unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), content(size));
        assert_eq!((done.size, done.md5), (size as u64, entry.md5));
    }
    assert_eq!(world.local_names(), ["copy.bin"]);
}

#[tokio::test]
async fn a_range_holds_what_was_asked_for() {
    let world = World::new().await;
    let bytes = content(PART);
    let file = id(world.sim.put("/f.bin", bytes.clone()));
    for range in [0..1, 100..5000, PART as u64 - 1..PART as u64] {
        let got = world.client.download(file).range(range.clone()).bytes(PART).await.unwrap();
        assert_eq!(got, bytes[range.start as usize..range.end as usize]);
    }
    let mut reader = world.client.download(file).open().await.unwrap();
    let mut all = Vec::new();
    while let Some(chunk) = reader.chunk().await.unwrap() {
        all.extend_from_slice(&chunk);
    }
    assert_eq!(all, bytes);
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_stopped() {
    let world = World::new().await;
    let size = 40 * PART as u64;
    let file = id(world.sim.put_seeded("/f.bin", size, 3));
    for cut in [0, 1, 1_000_000] {
        world.sim.clear_requests();
        world.sim.fault(Fault::on(CDN).cut_after(cut));
        let target = world.path("copy.bin");
        let done = world.client.download(file).to_path(&target).await.unwrap();
        assert_eq!(done.md5.unwrap().to_string(), seeded_md5(size, 3), "cut after {cut}");
        assert_eq!(world.sim.count(CDN), 2);
        let resumed =
            world.sim.requests().into_iter().rfind(|request| request.operation.as_deref() == Some(CDN)).unwrap();
        let range = resumed.header("range").unwrap_or("whole").to_owned();
        assert_eq!(range == "whole", cut == 0, "{range}");
    }
}

#[tokio::test]
async fn what_is_not_the_file_never_gets_its_name() {
    let html = || Fault::on(CDN).every().body("text/html", "<html>please log in</html>");
    let json =
        || Fault::on(CDN).every().body("application/json", r#"{"code":1010,"message":"not found r or referer"}"#);
    assert_eq!(failing(html()).await, ErrorKind::WrongContent);
    assert_eq!(failing(json()).await, ErrorKind::WrongContent);
    assert_eq!(
        failing(Fault::on(CDN).every().body("application/octet-stream", "short")).await,
        ErrorKind::SizeMismatch
    );
    assert_eq!(failing(Fault::on(CDN).corrupt()).await, ErrorKind::DigestMismatch);
    assert_eq!(failing(Fault::on(CDN).every().status(403)).await, ErrorKind::LinkRejected);
    assert_eq!(failing(Fault::on(CDN).every().status(404)).await, ErrorKind::NotFound);
    assert_eq!(failing(Fault::on(CDN).every().cut_after(0)).await, ErrorKind::Connection);
    assert_eq!(failing(Fault::on(CDN).every().status(429)).await, ErrorKind::RateLimited);
    assert_eq!(
        failing(Fault::on("open/file.download_info").code(5113).message("流量不足")).await,
        ErrorKind::QuotaExceeded
    );
    assert_eq!(failing(Fault::on("open/file.download_info").code(5066)).await, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_link_that_expired_is_replaced_once() {
    let world = World::new().await;
    let file = id(world.sim.put("/f.bin", content(PART)));
    world.sim.fault(Fault::on(CDN).status(403));
    let got = world.client.download(file).bytes(PART).await.unwrap();
    assert_eq!(got, content(PART));
    assert_eq!(world.sim.count("open/file.download_info"), 2);
}

#[tokio::test]
async fn a_file_still_being_verified_is_waited_for() {
    let world = World::new().await;
    let file = id(world.sim.put("/f.bin", content(10)));
    world.sim.fault(Fault::on("open/file.download_info").times(2).code(20103).message("文件正在校验中"));
    assert_eq!(world.client.download(file).bytes(10).await.unwrap(), content(10));
}

#[tokio::test]
async fn folders_and_missing_files_are_told_apart() {
    let world = World::new().await;
    let folder = id(world.sim.mkdir("/films"));
    let error = world.client.download(folder).to_path(world.path("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = world.client.download(FileId::new(77)).to_path(world.path("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = world.client.download(FileId::ROOT).to_path(world.path("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let file = id(world.sim.put("/f.bin", "x"));
    let error = world.client.download(file).to_path(world.path("no/such/folder/x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(!exists(&world.path("x")));
}

#[tokio::test]
async fn no_credential_reaches_a_storage_or_cdn_host() {
    let world = World::new().await;
    let file = world.client.upload(content(3 * PART)).name("f.bin").single_step_up_to(0).send().await.unwrap();
    world.client.download(&file).bytes(4 * PART).await.unwrap();
    let leaks = leaks(&world.sim);
    assert!(leaks.is_empty(), "{leaks:?}");
    assert!(world.sim.count(CDN) > 0);

    // The check itself must be able to fail: a request with a header planted is found.
    let link = world.client.link(&file).await.unwrap();
    let planted =
        http::Request::get(link.url().as_str()).header("Platform", "open_platform").body(pan123_core::Body::empty());
    let transport = pan123_core::HttpClient::direct(pan123_open::Timeouts::default()).unwrap();
    let answer = pan123_core::Transport::send(&transport, planted.unwrap()).await.unwrap();
    answer.into_body().collect(4 * PART).await.unwrap();
    assert_eq!(self::leaks(&world.sim).len(), 1);
}

/// The requests to storage and CDN hosts that carry something of the account.
fn leaks(sim: &Simulator) -> Vec<String> {
    let names = ["authorization", "cookie", "platform", "app-version", "loginuuid"];
    let data = sim
        .requests()
        .into_iter()
        .filter(|request| matches!(request.face, pan123_sim::Face::Cdn | pan123_sim::Face::Storage));
    data.filter(|request| names.iter().any(|name| request.header(name).is_some()))
        .map(|request| request.path.clone())
        .collect()
}

#[tokio::test]
async fn an_address_is_asked_for_as_often_as_the_policy_says() {
    let world = World::new().await;
    let file = id(world.sim.put("/f.bin", content(PART)));
    world.sim.fault(Fault::on("open/file.download_info").every().status(503));
    let error = world.client.download(file).bytes(PART).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Server, 5), "{error}");
    assert_eq!(world.sim.count("open/file.download_info"), 5);
}

#[tokio::test]
async fn no_address_is_asked_for_where_there_can_be_none() {
    let world = World::new().await;
    let entry = |kind: i64, status: i64| -> Entry {
        let row = format!(r#"{{"fileId":1,"filename":"a","parentFileId":0,"type":{kind},"size":1,"status":{status}}}"#);
        serde_json::from_str(&row).unwrap()
    };
    for (entry, kind) in [(entry(0, 104), ErrorKind::ContentRejected), (entry(1, 0), ErrorKind::InvalidInput)] {
        assert_eq!(world.client.link(&entry).await.unwrap_err().kind(), kind);
        assert_eq!(world.client.download(entry).bytes(1).await.unwrap_err().kind(), kind);
    }
    assert!(world.sim.requests().is_empty());
    let file = id(world.sim.put("/f.bin", "x"));
    let link = world.client.link(world.client.stat(file).await.unwrap()).await.unwrap();
    assert!(link.expires_at().is_some_and(|end| end.unix() > NOW), "{link:?}");
}
