//! Lists, searches, single entries, paths, whole trees.

use std::{collections::HashSet, time::Duration};

use pan123_core::Runtime;
use pan123_sim::Fault;
use pan123_web::{
    Client, ErrorKind, FileId, Hosts, MOST_ROUNDS, Token,
    ops::{
        files::{Direction, List, OrderBy},
        lists::{ListOld, MediaType},
    },
};

use crate::world::World;

/// A folder with `count` files called by their numbers.
fn filled(world: &World, path: &str, count: usize) -> FileId {
    let folder = world.sim.mkdir(path);
    for number in 0..count {
        world.sim.put(&format!("{path}/{number}"), "x");
    }
    FileId::new(folder)
}

/// How many different entries there are.
fn distinct(entries: &[pan123_web::Entry]) -> usize {
    entries.iter().map(|entry| entry.id).collect::<HashSet<_>>().len()
}

#[tokio::test]
async fn a_folder_of_any_length_is_listed_whole_and_each_entry_once() {
    let world = World::new().await;
    for count in [0, 1, 99, 100, 101, 201, 10_000] {
        let folder = filled(&world, &format!("/{count}"), count);
        world.sim.clear_requests();
        let entries = world.client.list(folder).collect().await.unwrap();
        assert_eq!((entries.len(), distinct(&entries)), (count, count));
        assert_eq!(world.sim.count("web/file.list"), count.div_ceil(100).max(1));
        assert!(entries.is_sorted_by(|one, next| one.id > next.id), "what was made last comes first");
        assert_eq!(world.client.snapshot(folder).await.unwrap(), entries);
        let older = world.client.items(ListOld::new(folder)).collect().await.unwrap();
        assert_eq!(distinct(&older), count, "the older list");
    }
}

#[tokio::test]
async fn pages_may_hold_more_than_asked_for_or_repeat_what_came_before() {
    let faults: [fn() -> Fault; 5] = [
        || Fault::on("web/file.list").every().rows(150),
        || Fault::on("web/file.list").rows(150),
        || Fault::on("web/file.list").rows(500),
        || Fault::on("web/file.list").nth(2).repeats_row(),
        || Fault::on("web/file.list").every().same_next(),
    ];
    for fault in faults {
        let world = World::new().await;
        let folder = filled(&world, "/a", 301);
        world.sim.fault(fault());
        let entries = world.client.list(folder).collect().await.unwrap();
        assert_eq!((entries.len(), distinct(&entries)), (301, 301), "{:?}", fault());
    }
}

#[tokio::test]
async fn a_service_that_goes_in_circles_is_an_error_and_not_an_end() {
    let world = World::new().await;
    for next in ["\"7\"", "\"0\"", "null", "8"] {
        let row = r#"{"FileId":7,"FileName":"a","Type":1}"#;
        let page = format!(r#"{{"code":0,"data":{{"Next":{next},"Total":9,"InfoList":[{row}]}}}}"#);
        world.sim.clear_faults();
        world.sim.clear_requests();
        world.sim.fault(Fault::on("web/file.list").every().body("application/json", page));
        let error = world.client.list(FileId::ROOT).collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{next}: {error}");
        assert_eq!(world.sim.count("web/file.list"), 2, "{next}");
        let error = world.client.snapshot(FileId::ROOT).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy, "{next}: {error}");
    }
}

#[tokio::test]
async fn a_snapshot_is_begun_anew_while_the_folder_changes() {
    for (fault, rounds) in [
        (Fault::on("web/file.list").total_off(1), 2),
        (Fault::on("web/file.list").nth(2).total_off(-1), 2),
        (Fault::on("web/file.list").nth(3).repeats_row(), 2),
        (Fault::on("web/file.list").times(6).total_off(1), 3),
        (Fault::on("web/file.list").every().total_off(1), MOST_ROUNDS + 1),
    ] {
        let shown = format!("{fault:?}");
        let world = World::new().await;
        let folder = filled(&world, "/a", 250);
        world.sim.fault(fault);
        let entries = world.client.snapshot(folder).await;
        if rounds <= MOST_ROUNDS {
            assert_eq!(entries.unwrap().len(), 250, "{shown}");
        } else {
            let error = entries.unwrap_err();
            assert!(error.kind() == ErrorKind::Busy && error.is_retryable(), "{shown}: {error}");
            assert_eq!(world.sim.count("web/file.list"), 9, "three rounds of three pages");
        }
    }
}

#[tokio::test]
async fn the_order_is_the_callers_choice_and_the_service_is_left_in_peace() {
    let world = World::new().await;
    let folder = filled(&world, "/a", 250);
    let urls = world.sim.urls();
    let hosts = Hosts::default().with_web(&urls.web).unwrap().with_login(&urls.login).unwrap();
    let token = Token::new(world.sim.web_token());
    let client = Client::builder().token(token).hosts(hosts).runtime(world.runtime.clone()).build().unwrap();
    let by_name = List::new(folder).order_by(OrderBy::Name).direction(Direction::Ascending);
    let before = world.runtime.elapsed();
    let entries = client.items(by_name).collect().await.unwrap();
    assert_eq!(entries.len(), 250);
    assert!(entries.is_sorted_by(|one, next| one.name < next.name));
    assert!(world.runtime.elapsed() - before >= Duration::from_millis(1400), "three pages are two pauses");
}

#[tokio::test]
async fn entries_are_found_by_id_name_path_and_words() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/films/2026/秋天.mp4", "text"));
    let other = FileId::new(world.sim.put("/films/2026/other.pdf", "text"));
    let folder = world.client.stat(file).await.unwrap().parent_id;
    assert_eq!(world.client.find_path("/films/2026/秋天.mp4").await.unwrap().unwrap().id, file);
    assert_eq!(world.client.find_path("films//2026/").await.unwrap().unwrap().id, folder);
    assert_eq!(world.client.find_path("/films/2025/秋天.mp4").await.unwrap(), None);
    // A file is no folder on the way to anything.
    assert_eq!(world.client.find_path("/films/2026/秋天.mp4/x").await.unwrap(), None);
    assert_eq!(world.client.find_path("/films/2026/OTHER.pdf").await.unwrap(), None, "names are compared exactly");
    for path in ["", "/", "/films/../a", "/a:b"] {
        assert_eq!(world.client.find_path(path).await.unwrap_err().kind(), ErrorKind::InvalidInput, "{path:?}");
    }
    assert_eq!(world.client.path_of(file).await.unwrap(), "/films/2026/秋天.mp4");
    assert_eq!(world.client.path_of(FileId::new(99)).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(world.client.find(folder, "other.pdf").await.unwrap().unwrap().id, other);
    assert_eq!(world.client.stat(FileId::new(99)).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(world.client.stat(FileId::ROOT).await.unwrap_err().kind(), ErrorKind::InvalidInput);

    let found = world.client.search("秋").collect().await.unwrap();
    assert_eq!(found.iter().map(|entry| entry.id).collect::<Vec<_>>(), [file]);
    assert_eq!(found[0].ancestors.last(), Some(&folder), "the row says where it is");
    let videos = world.client.list_by_type(MediaType::Video).collect().await.unwrap();
    assert_eq!(videos.iter().map(|entry| entry.id).collect::<Vec<_>>(), [file]);

    // A program that works in a folder of its own finds paths from there.
    let mine = world.builder().root(folder).build().unwrap();
    assert_eq!(mine.find_path("other.pdf").await.unwrap().unwrap().id, other);
}

#[tokio::test]
async fn stars_are_given_listed_and_taken_away() {
    let world = World::new().await;
    let ids: Vec<FileId> = (0..120).map(|number| FileId::new(world.sim.put(&format!("/{number}"), "x"))).collect();
    world.client.star(ids.iter().copied()).await.unwrap();
    assert_eq!(world.sim.count("web/file.star"), 2);
    let starred = world.client.list_starred().collect().await.unwrap();
    assert_eq!(starred.len(), 120);
    assert!(starred.iter().all(|entry| entry.is_starred));
    world.client.unstar(&starred[1..]).await.unwrap();
    assert_eq!(world.client.list_starred().collect().await.unwrap()[0].id, starred[0].id);
    assert!(world.client.stat(&starred[0]).await.unwrap().is_starred);
    world.client.star(Vec::<FileId>::new()).await.unwrap();
}

#[tokio::test]
async fn a_tree_is_walked_and_a_folder_that_cannot_be_read_is_named() {
    let world = World::new().await;
    for path in ["/a/1", "/a/b/2", "/a/b/c/3", "/z/4"] {
        world.sim.put(path, "x");
    }
    let top = FileId::new(world.sim.file("/a").unwrap().id);
    let mut paths = Vec::new();
    let mut walk = world.client.walk(top);
    while let Some(found) = walk.next().await.unwrap() {
        paths.push(found.path().to_owned());
    }
    // What was made last comes first, and what a folder holds before its next sibling.
    assert_eq!(paths, ["b", "b/c", "b/c/3", "b/2", "1"]);

    world.sim.fault(Fault::on("web/file.list").nth(2).code(5066).message("文件不存在"));
    let (mut walk, mut names, mut failed) = (world.client.walk(top), Vec::new(), Vec::new());
    loop {
        match walk.next().await {
            Ok(Some(found)) => names.push(found.entry.name),
            Ok(None) => break,
            Err(error) => failed.extend(error.failed_items().iter().map(|(id, _)| *id)),
        }
    }
    assert_eq!(names, ["b", "1"]);
    assert_eq!(failed, [FileId::new(world.sim.file("/a/b").unwrap().id)]);

    // A refused token ends the walk, and is not met again for every folder.
    world.sim.expire_tokens();
    let mut walk = world.client.walk(FileId::ROOT);
    assert_eq!(walk.next().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(walk.next().await.unwrap(), None);
}
