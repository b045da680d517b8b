//! Describing, listing and walking a share without an account.

use std::collections::BTreeSet;

use pan123_share::{Client, ErrorKind, FileId, ShareLink};
use pan123_sim::{Fault, Paging, ShareOptions};

use crate::world::{World, paths};

#[tokio::test]
async fn a_share_is_described_and_listed_without_an_account() {
    let world = World::new().await;
    world.sim.put("/demo/a.txt", "hello");
    let key = world.share(&["/demo"], ShareOptions::default().password("aB12").name("演示"));
    let share = world.builder(&key).password("Ab12".parse().unwrap()).build().unwrap();
    let info = share.info().await.unwrap();
    assert_eq!((info.name.as_str(), info.has_password, info.is_expired), ("演示", true, false));
    assert_eq!(info.owner.map(|owner| owner.get()), Some(world.sim.uid() as u64));
    assert_eq!(info.owner, share.share().owner());
    let entries = share.list(FileId::ROOT).collect().await.unwrap();
    assert_eq!((entries.len(), entries[0].name.as_str(), entries[0].is_folder()), (1, "demo", true));
    let entries = share.list(&entries[0]).collect().await.unwrap();
    assert_eq!((entries[0].name.as_str(), entries[0].size), ("a.txt", 5));
    assert!(world.sim.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn whichever_way_the_service_pages_every_entry_comes_once() {
    for paging in [Paging::Both, Paging::Page, Paging::Cursor] {
        for count in [0, 1, 99, 100, 101, 250] {
            let world = World::new().await;
            for number in 0..count {
                world.sim.put(&format!("/all/{number}"), "x");
            }
            world.sim.mkdir("/all");
            let key = world.share(&["/all"], ShareOptions::default().paging(paging));
            let share = world.guest(&key);
            let folder = share.list(FileId::ROOT).collect().await.unwrap().remove(0);
            world.sim.clear_requests();
            let entries = share.list(&folder).collect().await.unwrap();
            let names: BTreeSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
            assert_eq!((entries.len(), names.len()), (count, count), "{paging:?}");
            let pages = count.div_ceil(100).max(1);
            assert_eq!(world.sim.count("share/share.list"), pages, "{paging:?} {count}");
        }
    }
}

#[tokio::test]
async fn a_service_that_sends_the_same_page_for_ever_is_left() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    let row = r#"{"FileId":7,"FileName":"a","Type":0,"Size":0,"Etag":"d41d8cd98f00b204e9800998ecf8427e"}"#;
    for next in ["7", "0", "x"] {
        let page = format!(r#"{{"code":0,"data":{{"Next":"{next}","InfoList":[{row}]}}}}"#);
        world.sim.fault(Fault::on("share/share.list").every().body("application/json", page));
        let entries = world.guest(&key).list(FileId::ROOT).collect().await.unwrap();
        assert_eq!(entries.len(), 1, "{next}");
        assert_eq!(world.sim.count("share/share.list"), 2, "{next}");
        world.sim.clear_faults();
        world.sim.clear_requests();
    }
}

#[tokio::test]
async fn a_list_that_broke_off_goes_on_where_it_stopped() {
    let world = World::new().await;
    for number in 0..150 {
        world.sim.put(&format!("/{number}"), "x");
    }
    let key = world.share(&["/"], ShareOptions::default());
    let mut entries = world.guest(&key).list(FileId::ROOT);
    for _ in 0..100 {
        entries.next().await.unwrap().unwrap();
    }
    world.sim.fault(Fault::on("share/share.list").code(77).message("no"));
    assert_eq!(entries.next().await.unwrap_err().kind(), ErrorKind::Api);
    assert_eq!(entries.collect().await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_tree_is_walked_folder_by_folder() {
    let world = World::new().await;
    for path in ["/t/b/x.txt", "/t/b/deep/y.txt", "/t/a.txt"] {
        world.sim.put(path, "x");
    }
    world.sim.mkdir("/t/empty");
    let key = world.share(&["/t"], ShareOptions::default());
    let found = paths(world.guest(&key).walk(FileId::ROOT)).await;
    let want: BTreeSet<&str> =
        BTreeSet::from(["t", "t/b", "t/b/x.txt", "t/b/deep", "t/b/deep/y.txt", "t/a.txt", "t/empty"]);
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), want);
    let place = |path: &str| found.iter().position(|found| found == path).unwrap();
    for (folder, inside) in [("t", "t/b"), ("t/b", "t/b/x.txt"), ("t/b/deep", "t/b/deep/y.txt")] {
        assert!(place(folder) < place(inside), "{found:?}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_listed_is_named_and_the_rest_goes_on() {
    let world = World::new().await;
    for path in ["/a/1", "/b/2", "/c/3"] {
        world.sim.put(path, "x");
    }
    let key = world.share(&["/"], ShareOptions::default());
    // The root is listed first, then one folder.
    world.sim.fault(Fault::on("share/share.list").nth(2).code(77).message("no"));
    let mut walk = world.guest(&key).walk(FileId::ROOT);
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    loop {
        match walk.next().await {
            Ok(Some(entry)) => found.push(entry),
            Ok(None) => break,
            Err(error) => failed.extend(error.failed_items().iter().map(|(id, _)| *id)),
        }
    }
    let folder = found.iter().find(|found| found.entry.is_folder()).unwrap().entry.id;
    assert_eq!((found.len(), failed.as_slice()), (5, &[folder][..]));
}

#[tokio::test]
async fn a_folder_that_holds_itself_is_entered_once() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    let page = r#"{"code":0,"data":{"Next":"-1","InfoList":[{"FileId":7,"FileName":"loop","Type":1}]}}"#;
    world.sim.fault(Fault::on("share/share.list").every().body("application/json", page));
    assert_eq!(paths(world.guest(&key).walk(FileId::ROOT)).await, ["loop", "loop/loop"]);
}

#[tokio::test]
async fn a_folder_of_the_share_can_be_the_root() {
    let world = World::new().await;
    world.sim.put("/t/b/x.txt", "x");
    let key = world.share(&["/t"], ShareOptions::default());
    let inner = FileId::new(world.sim.mkdir("/t/b"));
    let share = world.builder(&key).root(inner).build().unwrap();
    assert_eq!(paths(share.walk(FileId::ROOT)).await, ["x.txt"]);
    assert_eq!(share.root(), inner);
    assert_eq!(world.builder(&key).root(FileId::new(-1)).build().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_pasted_text_opens_a_share() {
    let client = Client::open("链接：https://www.123pan.com/s/5LF8Vv-a1Bc 提取码：aB12").unwrap();
    assert_eq!(client.share(), &ShareLink::parse("5LF8Vv-a1Bc 提取码：aB12").unwrap());
    assert_eq!(Client::open("https://evil.com/s/5LF8Vv-a1Bc").unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn another_version_is_said_and_signed() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    world.builder(&key).app_version("139").build().unwrap().info().await.unwrap();
    assert_eq!(world.sim.requests()[0].header("app-version"), Some("139"));
    for version in ["", "1\n2"] {
        let error = world.builder(&key).app_version(version).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{version:?}");
    }
}

#[tokio::test]
async fn another_platform_is_said() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    world.builder(&key).platform("android").build().unwrap().info().await.unwrap();
    assert_eq!(world.sim.requests()[0].header("platform"), Some("android"));
    assert_eq!(world.builder(&key).platform("").build().unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_share_that_ends_in_the_middle_ends_the_walk() {
    let world = World::new().await;
    for path in ["/a/1", "/b/2", "/c/3"] {
        world.sim.put(path, "x");
    }
    let key = world.share(&["/"], ShareOptions::default());
    world.sim.fault(Fault::on("share/share.list").nth(2).every().code(5104).message("分享已取消"));
    let mut walk = world.guest(&key).walk(FileId::ROOT);
    let mut failed = 0;
    loop {
        match walk.next().await {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ShareGone);
                failed += 1;
            }
        }
    }
    assert_eq!((failed, world.sim.count("share/share.list")), (1, 2));
}

#[tokio::test]
async fn unsigned_requests_are_what_a_caller_may_choose() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    let unsigned = world.builder(&key).signing(false).build().unwrap();
    let error = unsigned.info().await.unwrap_err();
    assert!(error.to_string().contains("not signed"), "the simulator is strict: {error}");
    let lenient = World::with(|sim| sim.lenient()).await;
    let key = lenient.share(&["/"], ShareOptions::default());
    lenient.builder(&key).signing(false).build().unwrap().info().await.unwrap();
}
