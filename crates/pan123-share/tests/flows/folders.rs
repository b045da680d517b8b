//! A whole folder of a share: a few files at a time, each checked, what fails reported, no name leading out.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use pan123_share::{ErrorKind, FileId};
use pan123_sim::{Fault, Guests, ShareOptions};

use crate::world::World;

fn open() -> ShareOptions {
    ShareOptions::default().guests(Guests::Everything)
}

async fn tree() -> World {
    let world = World::new().await;
    for (path, bytes) in [("/t/a.txt", "a"), ("/t/b/c.txt", "cc"), ("/t/b/d/e.txt", "eee"), ("/t/empty.txt", "")] {
        world.sim.put(path, bytes);
    }
    world.sim.mkdir("/t/nothing");
    world
}

#[tokio::test]
async fn all_that_is_in_a_folder_comes_with_its_folders() {
    let world = tree().await;
    let key = world.share(&["/t"], open());
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let download = world.guest(&key).download_folder(FileId::ROOT);
    let download = download.on_each(move |item| heard.lock().unwrap().push(item.clone()));
    let done = download.to_path(world.path("out")).await.unwrap();
    assert!(done.is_complete(), "{:?}", done.failed);
    assert_eq!((done.files, done.folders), (4, 4));
    let want = [("a.txt", "a"), ("b/c.txt", "cc"), ("b/d/e.txt", "eee"), ("empty.txt", "")];
    let want: Vec<_> = want.map(|(path, text)| (format!("out/t/{path}"), text.as_bytes().to_vec())).into();
    assert_eq!(world.local(), want);
    assert!(world.path("out/t/nothing").is_dir());
    let told = std::mem::take(&mut *told.lock().unwrap());
    let c = told.iter().find(|item| item.remote == "t/b/c.txt").unwrap();
    assert_eq!((c.local.as_path(), c.size), (world.path("out/t/b/c.txt").as_path(), 2));

    // The next time nothing is fetched.
    let again = world.guest(&key).download_folder(FileId::ROOT).to_path(world.path("out")).await.unwrap();
    assert_eq!((again.files, again.same), (0, 4));
    assert_eq!(world.sim.count("share/share.download_info"), 3, "an empty file has no address");
}

#[tokio::test]
async fn one_file_that_fails_is_reported_and_the_rest_is_there() {
    let world = tree().await;
    let key = world.share(&["/t"], open());
    world.sim.fault(Fault::on("share/share.download_info").nth(2).code(5066).message("文件不存在"));
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let download = world.guest(&key).download_folder(FileId::ROOT).concurrency(1).on_each(move |each| {
        if each.size > 0 || each.local.is_file() || each.error().is_some() {
            heard.lock().unwrap().push(each.error().is_none());
        }
    });
    let done = download.to_path(world.path("out")).await.unwrap();
    assert_eq!((done.files, done.failed.len(), done.is_complete()), (3, 1, false));
    assert_eq!(done.failed[0].error().unwrap().kind(), ErrorKind::NotFound);
    assert!(done.failed[0].remote.starts_with("t/"));
    assert_eq!(world.local().len(), 3);
    assert_eq!(said.lock().unwrap().iter().filter(|done| **done).count(), 3);
    assert_eq!(said.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_folder_that_cannot_be_listed_is_reported_and_the_top_one_is_an_error() {
    let world = tree().await;
    let key = world.share(&["/t"], open());
    // The share's root, then /t, then whichever folder comes first.
    world.sim.fault(Fault::on("share/share.list").nth(3).code(77).message("no"));
    let done = world.guest(&key).download_folder(FileId::ROOT).to_path(world.path("out")).await.unwrap();
    let failed: Vec<&str> = done.failed.iter().map(|failed| failed.remote.as_str()).collect();
    assert!(failed == ["t/b"] || failed == ["t/nothing"], "{failed:?}");

    world.sim.fault(Fault::on("share/share.list").code(77).message("no"));
    let error = world.guest(&key).download_folder(FileId::ROOT).to_path(world.path("out2")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");
}

#[tokio::test]
async fn what_every_file_would_meet_ends_the_download() {
    for (fault, kind) in [
        (Fault::on("share/share.download_info").every().code(5113).message("流量不足"), ErrorKind::QuotaExceeded),
        (Fault::on("share/share.download_info").every().code(5112).message("登录"), ErrorKind::LoginRequired),
        (Fault::on("share/share.download_info").every().code(1).message("请进行验证"), ErrorKind::LoginChallenge),
    ] {
        let world = World::new().await;
        for number in 0..20 {
            world.sim.put(&format!("/{number}"), "x");
        }
        let key = world.share(&["/"], open());
        world.sim.fault(fault);
        let done =
            world.guest(&key).download_folder(FileId::ROOT).concurrency(2).to_path(world.path("out")).await.unwrap();
        assert_eq!((done.files, done.stopped.map(|error| error.kind())), (0, Some(kind)));
        assert!(done.failed.iter().all(|failed| failed.error().unwrap().kind() == kind));
        assert!(world.sim.count("share/share.download_info") <= 2, "nobody is asked again");
    }
}

#[tokio::test]
async fn the_older_rule_of_sizes_concerns_the_large_files_only() {
    let world = World::new().await;
    for number in 0..9 {
        world.sim.put(&format!("/{number}"), vec![0; 1 + number % 3]);
    }
    let key = world.share(&["/"], ShareOptions::default().guests(Guests::UpTo(2)));
    let done = world.guest(&key).download_folder(FileId::ROOT).to_path(world.path("out")).await.unwrap();
    assert_eq!((done.files, done.failed.len()), (6, 3));
    assert!(done.failed.iter().all(|failed| failed.error().unwrap().kind() == ErrorKind::LoginRequired));
}

#[tokio::test]
async fn no_more_files_are_on_their_way_than_were_allowed() {
    let world = World::with(|sim| sim.cdn_connections(2)).await;
    for number in 0..40 {
        world.sim.put(&format!("/{number}"), vec![number; 2000]);
    }
    let key = world.share(&["/"], open());
    let done = world.guest(&key).download_folder(FileId::ROOT).concurrency(4).to_path(world.path("out")).await.unwrap();
    assert_eq!((done.files, world.local().len()), (40, 40), "{:?}", done.failed);
}

/// Lists this in the place of everything.
fn hostile(world: &World, rows: &str) {
    let page = format!(r#"{{"code":0,"data":{{"Next":"-1","InfoList":[{rows}]}}}}"#);
    world.sim.fault(Fault::on("share/share.list").nth(1).body("application/json", page));
}

fn row(id: i64, name: &str) -> String {
    let name = serde_json::to_string(name).unwrap();
    format!(r#"{{"FileId":{id},"FileName":{name},"Type":0,"Size":0,"Etag":"d41d8cd98f00b204e9800998ecf8427e"}}"#)
}

#[tokio::test]
async fn no_name_leads_out_of_the_target_and_no_sibling_is_overwritten() {
    let world = World::new().await;
    let key = world.share(&["/"], open());
    let names = ["../escaped", "/etc/passwd", "..", "a", "A", "a", "x\0y", r"..\..\windows", "", "a/b"];
    let rows: Vec<String> = (1..).zip(names).map(|(id, name)| row(id, name)).collect();
    hostile(&world, &rows.join(","));
    let done = world.guest(&key).download_folder(FileId::ROOT).to_path(world.path("deep/out")).await.unwrap();
    assert!(done.is_complete(), "{:?}", done.failed);
    let local: BTreeSet<String> = world.local().into_iter().map(|(path, _)| path).collect();
    assert_eq!(local.len(), names.len(), "{local:?}");
    assert!(
        local.iter().all(|path| path.strip_prefix("deep/out/").is_some_and(|name| !name.contains('/'))),
        "{local:?}"
    );
}
