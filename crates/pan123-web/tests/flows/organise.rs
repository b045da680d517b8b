//! Folders, names, places.

use pan123_sim::Fault;
use pan123_web::{ErrorKind, FileId, OnConflict, ops::manage::Mkdir};

use crate::world::World;

#[tokio::test]
async fn folders_are_made_once_or_as_often_as_asked() {
    let world = World::new().await;
    let films = world.client.mkdir(FileId::ROOT, "films").await.unwrap();
    let error = world.client.mkdir(FileId::ROOT, "films").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::AlreadyExists, false), "{error}");

    let again = world.client.send(Mkdir::new(FileId::ROOT, "films").must_be_new(false)).await.unwrap();
    assert_eq!((again.entry.id, again.was_there), (films, true));
    let second = Mkdir::new(FileId::ROOT, "films").on_conflict(OnConflict::KeepBoth);
    let second = world.client.send(second).await.unwrap();
    assert!(second.entry.id != films && !second.was_there && second.entry.name != "films", "{second:?}");

    let deep = world.client.mkdir_all(FileId::ROOT, "films/2026/秋天/").await.unwrap();
    assert_eq!(world.client.mkdir_all(FileId::ROOT, "/films/2026/秋天").await.unwrap(), deep);
    assert_eq!(world.client.mkdir_all(films, "").await.unwrap(), films);
    assert_eq!(world.client.find_path("films/2026/秋天").await.unwrap().unwrap().id, deep);

    world.sim.clear_requests();
    for (parent, name) in [(films, ""), (films, "a/b"), (films, ".."), (FileId::new(-1), "a")] {
        assert_eq!(world.client.mkdir(parent, name).await.unwrap_err().kind(), ErrorKind::InvalidInput, "{name:?}");
    }
    assert_eq!(world.client.mkdir_all(films, "a/../b").await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(world.sim.requests().is_empty(), "bad names cost no request");

    world.sim.put("/films/file", "x");
    assert_eq!(world.client.mkdir_all(films, "file/below").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(world.client.mkdir(FileId::new(99), "a").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn entries_are_renamed_and_moved() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/a.txt", "text"));
    let folder = FileId::new(world.sim.mkdir("/folder"));
    world.client.rename(file, "b.txt").await.unwrap();
    world.client.move_to([file], folder).await.unwrap();
    assert_eq!(world.sim.read("/folder/b.txt").unwrap(), "text");
    assert_eq!(world.client.stat(file).await.unwrap().parent_id, folder, "the id stays");

    let other = FileId::new(world.sim.put("/folder/c.txt", "other"));
    let taken = world.client.rename(other, "b.txt").await.unwrap_err();
    assert_eq!((taken.kind(), taken.may_have_happened()), (ErrorKind::AlreadyExists, false), "{taken}");
    assert_eq!(world.client.rename(FileId::new(99), "x").await.unwrap_err().kind(), ErrorKind::NotFound);
    world.sim.clear_requests();
    for name in ["", "a/b", "../a", &"长".repeat(300)] {
        assert_eq!(world.client.rename(other, name).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(world.client.rename(FileId::ROOT, "x").await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(world.sim.requests().is_empty(), "bad names cost no request");
}

#[tokio::test]
async fn a_taken_name_that_holds_the_words_of_a_login_challenge_is_a_taken_name() {
    const NAME: &str = "微信登录.png";
    let world = World::new().await;
    let other = FileId::new(world.sim.put("/other.png", "other"));
    world.sim.put(&format!("/{NAME}"), "old");
    for error in [
        world.client.mkdir(FileId::ROOT, NAME).await.unwrap_err(),
        world.client.rename(other, NAME).await.unwrap_err(),
        world.client.upload(pan123_web::Source::bytes("new")).name(NAME).send().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        assert!(error.message().is_some_and(|message| message.contains(NAME)), "the test can fail: {error}");
    }
    world.client.user_info().await.unwrap();
}

#[tokio::test]
async fn many_entries_are_moved_by_several_calls_and_the_failures_named() {
    let world = World::new().await;
    let ids: Vec<FileId> = (0..250).map(|number| FileId::new(world.sim.put(&format!("/{number}"), "x"))).collect();
    let folder = FileId::new(world.sim.mkdir("/folder"));
    world.sim.fault(Fault::on("web/file.move").nth(2).code(77));
    let error = world.client.move_to(ids.iter().copied(), folder).await.unwrap_err();
    let failed: Vec<FileId> = error.failed_items().iter().map(|(id, _)| *id).collect();
    assert_eq!(failed, ids[100..200], "{error}");
    assert!(!error.may_have_happened(), "a refusal is the service's word that it did nothing");
    assert_eq!(world.client.list(folder).collect().await.unwrap().len(), 150);
    assert_eq!(world.sim.count("web/file.move"), 3);

    // What the next call is bound to meet too is not met again.
    world.sim.clear_requests();
    world.sim.fault(Fault::on("web/file.move").every().code(429));
    let error = world.client.move_to(ids.iter().copied(), FileId::ROOT).await.unwrap_err();
    assert_eq!((error.kind(), error.failed_items().len()), (ErrorKind::RateLimited, 250));
    assert_eq!(world.sim.count("web/file.move"), 5, "one call, as often as the policy says");
    world.client.move_to(Vec::<FileId>::new(), folder).await.unwrap();
}

#[tokio::test]
async fn the_tree_of_a_folder_is_written_into_a_file() {
    let world = World::new().await;
    let folder = FileId::new(world.sim.mkdir("/docs"));
    world.sim.put("/docs/a/b.txt", "x");
    world.client.export_tree(folder, FileId::ROOT, "tree.txt").await.unwrap();
    let text = String::from_utf8(world.sim.read("/tree.txt").unwrap().to_vec()).unwrap();
    assert!(text.contains("b.txt"), "{text}");
    let error = world.client.export_tree(folder, FileId::ROOT, "a/b").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
