//! Copying out of a share into one's own drive.

use std::time::Duration;

use pan123_core::Runtime;
use pan123_share::{
    Client, Entry, ErrorKind, FileId, SAVE_TIMEOUT, Saved,
    ops::saves::{LegacyItem, SaveItem, SaveLegacy, SaveTask},
};
use pan123_sim::{Fault, ShareOptions};

use crate::world::World;

async fn shared(world: &World) -> (Client, Vec<Entry>, FileId) {
    world.sim.put("/films/a/b.txt", "x");
    world.sim.put("/c.txt", "hello");
    let key = world.share(&["/films", "/c.txt"], ShareOptions::default());
    let share = world.user(&key);
    let entries = share.list(FileId::ROOT).collect().await.unwrap();
    (share, entries, FileId::new(world.sim.mkdir("/mine")))
}

#[tokio::test]
async fn files_and_whole_folders_are_copied_and_waited_for() {
    let world = World::with(|sim| sim.task_polls(3)).await;
    let (share, entries, mine) = shared(&world).await;
    let saved = share.save_to(&entries, mine).await.unwrap();
    assert_eq!(saved, Saved::Done { count: Some(2) });
    assert_eq!(world.sim.read("/mine/films/a/b.txt").unwrap(), "x");
    assert_eq!(world.sim.read("/mine/c.txt").unwrap(), "hello");
    assert_eq!((world.sim.count("share/share.save"), world.sim.count("share/share.save_task")), (1, 4));
    assert_eq!(share.save_to(&[], mine).await.unwrap(), Saved::Done { count: Some(0) });
    assert_eq!(world.sim.count("share/share.save"), 1);
}

#[tokio::test]
async fn a_copy_that_names_no_task_is_not_said_to_be_done() {
    let world = World::new().await;
    let (share, entries, mine) = shared(&world).await;
    world.sim.fault(Fault::on("share/share.save").no_task_id());
    assert_eq!(share.save_to(&entries, mine).await.unwrap(), Saved::Unconfirmed);
}

#[tokio::test]
async fn a_copy_that_fails_or_never_ends_is_an_error() {
    let world = World::new().await;
    let (share, entries, mine) = shared(&world).await;
    world.sim.fault(Fault::on("share/share.save").task_fails());
    let error = share.save_to(&entries, mine).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Api, Some("sim: scripted")), "{error}");
    assert!(error.may_have_happened());

    world.sim.fault(Fault::on("share/share.save_task").every().task_status(1));
    let error = share.save_to(&entries, mine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CompletionTimeout, "{error}");
    assert!(world.runtime.elapsed() >= SAVE_TIMEOUT);
    let before = world.runtime.elapsed();
    world.sim.clear_faults();
    world.sim.fault(Fault::on("share/share.save_task").every().code(77).message("no"));
    let error = share.wait_for_save(&SaveTask::new("5"), Duration::from_secs(60)).await.unwrap_err();
    assert!(error.may_have_happened() && world.runtime.elapsed() == before, "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_not_followed_by_a_second_copy() {
    let world = World::new().await;
    let (share, entries, mine) = shared(&world).await;
    for fault in [Fault::on("share/share.save").drop_answer(), Fault::on("share/share.save").after().status(502)] {
        world.sim.clear_requests();
        world.sim.fault(fault);
        let error = share.save_to(&entries[..1], mine).await.unwrap_err();
        assert!(error.may_have_happened() && world.sim.count("share/share.save") == 1, "{error}");
    }
}

#[tokio::test]
async fn the_older_call_copies_too() {
    let world = World::new().await;
    let (share, entries, mine) = shared(&world).await;
    let items: Vec<LegacyItem> = entries.iter().map(|entry| SaveItem::new(entry, mine).into()).collect();
    share.send(SaveLegacy::new(share.share().key(), items)).await.unwrap();
    assert_eq!(world.sim.read("/mine/films/a/b.txt").unwrap(), "x");
    share.send(pan123_share::ops::shares::Traffic::new()).await.unwrap();
}
