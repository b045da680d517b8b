//! Uploads that go on where an earlier one was broken off, over the whole way to the service.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use pan123_open::{Checkpoints, ErrorKind, How, Notice, Source, Upload};
use pan123_sim::Fault;

use crate::world::{PART, World, content, id};

const PARTS: usize = 8;

/// A file of eight parts that nobody has touched for long.
fn old_file(world: &World) -> std::path::PathBuf {
    let path = world.local("film.mkv", &content(PARTS * PART));
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
    path
}

fn upload(world: &World, path: &Path) -> Upload {
    world.client.upload(path).single_step_up_to(0).checkpoints(Checkpoints::beside_file())
}

/// How many parts have arrived, by the checkpoint.
fn arrived(world: &World) -> usize {
    let name = world.local_names().into_iter().find(|name| name.ends_with(".pan123-upload"));
    let text = name.and_then(|name| std::fs::read_to_string(world.path(&name)).ok()).unwrap_or_default();
    let done = text.split_once("\"done\":[").and_then(|(_, done)| done.split_once(']'));
    done.map_or(0, |(done, _)| done.split(',').filter(|part| !part.is_empty()).count())
}

/// Drops the upload when so many parts have arrived and the next ones hang.
async fn broken_off(world: &World, upload: Upload, parts: u32, operation: &str) {
    for nth in u64::from(parts) + 1..=PARTS as u64 {
        world.sim.fault(Fault::on(operation).nth(nth).stall());
    }
    let mut sending = Box::pin(upload.send());
    while arrived(world) < parts as usize {
        tokio::select! {
            biased;
            done = &mut sending => panic!("it hangs, and yet it ended: {done:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(sending);
    world.sim.clear_faults();
    world.sim.clear_requests();
}

#[tokio::test]
async fn an_upload_that_was_broken_off_goes_on_in_both_versions() {
    for is_v1 in [false, true] {
        let world = World::new().await;
        let path = old_file(&world);
        let upload = || if is_v1 { upload(&world, &path).version_1() } else { upload(&world, &path) };
        let (slice, create) = if is_v1 {
            ("open/upload_v1.put_slice", "open/upload_v1.create")
        } else {
            ("open/upload_v2.slice", "open/upload_v2.create")
        };
        broken_off(&world, upload(), 3, slice).await;
        let done = upload().send().await.unwrap();
        assert_eq!((done.how, done.notice), (How::Parts, None));
        // A part that is told to have arrived is in the checkpoint.
        assert!(done.resumed >= 3 * PART as u64, "{done:?}");
        // The requests that were under way may be noted only now.
        let sent = world.sim.count(slice);
        assert!(sent <= PARTS - usize::try_from(done.resumed).unwrap() / PART + 2, "{sent} of {PARTS}");
        assert_eq!(world.sim.count(create), 0);
        assert!(world.sim.read("/film.mkv").unwrap() == content(PARTS * PART));
        assert_eq!(world.stored().len(), 1);
        assert_eq!(world.local_names(), ["film.mkv"]);
    }
}

#[tokio::test]
async fn a_session_that_the_service_has_forgotten_starts_over() {
    let world = World::new().await;
    let path = old_file(&world);
    broken_off(&world, upload(&world, &path), 3, "open/upload_v2.slice").await;
    world.sim.reset();
    let done = upload(&world, &path).send().await.unwrap();
    assert_eq!((done.resumed, done.notice), (0, Some(Notice::SessionGone)));
    assert!(world.sim.read("/film.mkv").unwrap() == content(PARTS * PART));
    assert_eq!(world.local_names(), ["film.mkv"]);
}

#[tokio::test]
async fn a_completion_that_was_not_heard_of_is_found_and_not_repeated() {
    let world = World::new().await;
    let path = old_file(&world);
    // The file is stored, and every answer that says so is lost, until the program gives up.
    world.sim.fault(Fault::on("open/upload_v2.upload_complete").after().drop_answer().every());
    world.sim.fault(Fault::on("open/file.list_v2").before().drop_answer().every());
    let error = upload(&world, &path).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error:?}");
    world.sim.clear_faults();
    world.sim.clear_requests();
    let done = upload(&world, &path).send().await.unwrap();
    assert_eq!((done.how, done.notice), (How::Parts, None));
    assert_eq!(world.sim.count("open/upload_v2.slice") + world.sim.count("open/upload_v2.create"), 0);
    assert_eq!(world.stored().len(), 1);
    assert_eq!(world.local_names(), ["film.mkv"]);
}

#[tokio::test]
async fn another_folder_is_another_upload() {
    let world = World::new().await;
    let path = old_file(&world);
    let elsewhere = id(world.sim.mkdir("/elsewhere"));
    broken_off(&world, upload(&world, &path), 3, "open/upload_v2.slice").await;
    let done = upload(&world, &path).into_folder(elsewhere).send().await.unwrap();
    assert_eq!((done.resumed, done.notice), (0, None));
    assert_eq!(world.local_names().len(), 2, "the checkpoint of the first is still there");
    assert!(upload(&world, &path).send().await.unwrap().resumed > 0);
    assert_eq!(world.local_names(), ["film.mkv"]);
}

#[tokio::test]
async fn the_checkpoint_holds_no_credential() {
    let world = World::new().await;
    let path = old_file(&world);
    broken_off(&world, upload(&world, &path).version_1(), 3, "open/upload_v1.put_slice").await;
    let token = world.client.token().await.unwrap();
    let name = world.local_names().into_iter().find(|name| name.ends_with(".pan123-upload")).unwrap();
    let text = std::fs::read_to_string(world.path(&name)).unwrap();
    assert!(text.contains("sending"), "{text}");
    for secret in [token.access().expose(), world.sim.client_secret(), "Signature", "http"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn what_can_be_read_once_is_uploaded_too() {
    let world = World::new().await;
    let reader = std::io::Cursor::new(content(3 * PART + 1));
    let done = world.client.upload(Source::reader(reader)).name("piped.bin").single_step_up_to(0).send().await.unwrap();
    assert_eq!(done.how, How::Parts);
    assert!(world.sim.read("/piped.bin").unwrap() == content(3 * PART + 1));
}
