//! Whole folders: up and down, nothing twice, odd names and back, and downloads over several connections.

use std::{collections::BTreeMap, fs, path::Path};

use pan123_open::{ErrorKind, FileId, FolderOutcome};
use pan123_sim::{Fault, seeded_md5};

use crate::world::{World, content, id};

const CDN: &str = "open/file.download_content";

/// Every file and folder below a local folder, by its path; folders have no bytes.
fn local(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, above)) = open.pop() {
        for entry in folder.read_dir().unwrap() {
            let entry = entry.unwrap();
            let path = format!("{above}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                open.push((entry.path(), format!("{path}/")));
                all.insert(path, None);
            } else {
                all.insert(path, Some(fs::read(entry.path()).unwrap()));
            }
        }
    }
    all
}

/// Makes a local folder with something of everything.
fn make(world: &World) -> std::path::PathBuf {
    let folder = world.path("from");
    for path in ["", "b", "b/d", "b/nothing"] {
        fs::create_dir(folder.join(path)).unwrap();
    }
    for (path, bytes) in [
        ("a.bin", content(300_000)),
        ("b/c.txt", content(3)),
        ("b/empty.txt", Vec::new()),
        ("b/d/秋天：上.txt", content(70_000)),
        #[cfg(unix)]
        ("b/d/what: \"x\"?", content(5)),
    ] {
        fs::write(folder.join(path), bytes).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_folder_goes_up_and_comes_down_as_it_was() {
    let world = World::new().await;
    let from = make(&world);
    let target = world.client.mkdir(FileId::ROOT, "backup").await.unwrap();
    let upload = || world.client.upload_folder(&from).into_folder(target);
    let plan = upload().plan().await.unwrap();
    assert!(
        plan.iter().all(|item| matches!(item.outcome, FolderOutcome::Transferred | FolderOutcome::FolderMade)),
        "{plan:?}"
    );
    assert_eq!((plan.len(), world.stored().len()), (local(&from).len(), 0));

    let report = upload().send().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    let files = local(&from).values().flatten().count() as u64;
    assert_eq!((report.files, report.folders), (files, 3));
    assert_eq!(world.stored().len() as u64, files);

    let report = world.client.download_folder(target).to_path(world.path("to")).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.files, report.folders), (files, 3));
    assert_eq!(local(&world.path("to")), local(&from));

    world.sim.clear_requests();
    let (up, down) =
        (upload().send().await.unwrap(), world.client.download_folder(target).to_path(world.path("to")).await.unwrap());
    assert_eq!((up.files, up.same, down.files, down.same), (0, files, 0, files));
    assert_eq!((world.sim.count("open/upload_v2.create"), world.sim.count(CDN)), (0, 0));
}

#[tokio::test]
async fn a_file_that_differs_is_replaced_only_when_told() {
    let world = World::new().await;
    world.sim.put("/t/a.txt", "old");
    world.sim.put("/t/same.txt", "same");
    let folder = world.client.find(FileId::ROOT, "t").await.unwrap().unwrap();
    let from = world.path("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("a.txt"), "new").unwrap();
    fs::write(from.join("same.txt"), "same").unwrap();
    let upload = || world.client.upload_folder(&from).into_folder(&folder);
    let report = upload().send().await.unwrap();
    assert_eq!((report.files, report.same, report.failed.len()), (0, 1, 1));
    assert_eq!(report.failed[0].error().unwrap().kind(), ErrorKind::AlreadyExists);
    let report = upload().replace_existing().send().await.unwrap();
    assert_eq!((report.files, report.same, report.failed.len()), (1, 1, 0));
    let stored: BTreeMap<_, _> = world.stored().into_iter().collect();
    assert_eq!((stored.len(), &stored["/t/a.txt"][..]), (2, &b"new"[..]));
}

#[tokio::test]
async fn one_failure_of_a_folder_is_reported_and_traffic_that_is_used_up_ends_it() {
    let world = World::new().await;
    for number in 0..20 {
        world.sim.put(&format!("/{number}"), vec![number; 100]);
    }
    world.sim.fault(Fault::on("open/file.download_info").nth(3).code(5066).message("文件不存在"));
    let report = world.client.download_folder(FileId::ROOT).to_path(world.path("one")).await.unwrap();
    assert_eq!((report.files, report.failed.len()), (19, 1));
    assert_eq!(report.failed[0].error().unwrap().kind(), ErrorKind::NotFound);

    world.sim.clear_requests();
    world.sim.fault(Fault::on("open/file.download_info").every().code(5113).message("流量不足"));
    let report = world.client.download_folder(FileId::ROOT).to_path(world.path("two")).await.unwrap();
    assert_eq!((report.files, report.stopped.unwrap().kind()), (0, ErrorKind::QuotaExceeded));
    assert!(world.sim.count("open/file.download_info") <= 3);
}

#[tokio::test]
async fn a_large_file_is_whole_whatever_number_of_connections_the_host_allows() {
    const SIZE: u64 = 70 << 20;
    for allowed in [1, 2, 8] {
        let world = World::with(|sim| sim.cdn_connections(allowed), |client| client).await;
        let file = id(world.sim.put_seeded("/f.bin", SIZE, 3));
        let target = world.path("copy.bin");
        let done = world.client.download(file).to_path(&target).await.unwrap();
        assert_eq!((done.size, done.md5.unwrap().to_string()), (SIZE, seeded_md5(SIZE, 3)), "{allowed} allowed");
        assert_eq!(world.local_names(), ["copy.bin"]);
        let asked = world.sim.count(CDN);
        assert!(allowed > 1 || asked <= 2, "a host that refuses is asked once: {asked} requests");
    }
}

#[tokio::test]
async fn a_download_goes_on_after_its_process_has_ended_wherever_it_was_cut() {
    const SIZE: u64 = 40 << 20;
    for (cut, kept) in [(9 << 20, 8 << 20), (20 << 20, 16 << 20), (SIZE - 1, 32 << 20)] {
        let world = World::new().await;
        let file = id(world.sim.put_seeded("/f.bin", SIZE, 5));
        fs::create_dir(world.path("kept")).unwrap();
        let target = world.path("copy.bin");
        let checkpoints = || world.path("kept");
        // The first answer is cut, and no other one comes.
        world.sim.fault(Fault::on(CDN).cut_after(cut));
        world.sim.fault(Fault::on(CDN).nth(2).times(20).status(503));
        let error = world.client.download(file).checkpoints(checkpoints()).to_path(&target).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server, "{error}");
        assert!(!target.exists());
        world.sim.clear_faults();
        let done = world.client.download(file).checkpoints(checkpoints()).to_path(&target).await.unwrap();
        assert!(done.resumed >= kept && done.resumed <= cut, "{} of {cut}", done.resumed);
        assert_eq!(done.md5.unwrap().to_string(), seeded_md5(SIZE, 5));
        assert_eq!(world.local_names(), ["copy.bin", "kept"]);
        assert_eq!(fs::read_dir(world.path("kept")).unwrap().count(), 0);
    }
}
