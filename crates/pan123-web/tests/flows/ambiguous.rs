//! A fault before, after and in the middle of each change: it is done once, or an honest error says that it may be.

use pan123_core::BoxFuture;
use pan123_sim::Fault;
use pan123_web::{ErrorKind, FileId, Result};

use crate::world::World;

type Moment = fn(Fault) -> Fault;

/// How a call goes wrong, whether it was applied, and whether the service's word or a lost answer is the last of it.
const MOMENTS: [(&str, Moment, bool, bool); 8] = [
    ("failed before", |fault| fault.before().status(500), false, true),
    ("too many before", |fault| fault.before().code(429), false, false),
    ("answer lost", Fault::drop_answer, true, true),
    ("cut in the middle", Fault::during, true, true),
    ("failed after", |fault| fault.after().status(502), true, true),
    ("a page after", |fault| fault.after().page_shell(), true, true),
    ("said in a way that cannot be read", |fault| fault.after().body("application/json", "{\"code\":0,"), true, true),
    ("refused for good", |fault| fault.before().code(88).message("no"), false, false),
];

/// A change, the call that makes it, and how to see that it was made exactly once.
struct Change {
    call: &'static str,
    /// A copy has no id to look at, so it is never sent again.
    is_sent_again: bool,
    run: for<'a> fn(&'a World, FileId) -> BoxFuture<'a, Result<()>>,
    is_done: fn(&World, FileId) -> bool,
    is_trashed_before: bool,
}

fn path_of(world: &World, id: FileId) -> Option<(String, bool)> {
    world.sim.file_by_id(id.get()).map(|file| (file.path, file.trashed))
}

fn is_at(world: &World, id: FileId, path: &str) -> bool {
    path_of(world, id) == Some((path.to_owned(), false))
}

fn target(world: &World) -> FileId {
    FileId::new(world.sim.file("/target").unwrap().id)
}

const CHANGES: [Change; 8] = [
    Change {
        call: "web/file.mkdir",
        is_sent_again: true,
        run: |world, _| Box::pin(async { world.client.mkdir(target(world), "new").await.map(drop) }),
        is_done: |world, _| world.sim.file("/target/new").is_some(),
        is_trashed_before: false,
    },
    Change {
        call: "web/file.rename",
        is_sent_again: true,
        run: |world, file| Box::pin(world.client.rename(file, "renamed.txt")),
        is_done: |world, file| is_at(world, file, "/docs/renamed.txt"),
        is_trashed_before: false,
    },
    Change {
        call: "web/file.move",
        is_sent_again: true,
        run: |world, file| Box::pin(world.client.move_to([file], target(world))),
        is_done: |world, file| is_at(world, file, "/target/a.txt"),
        is_trashed_before: false,
    },
    Change {
        call: "web/file.copy",
        is_sent_again: false,
        run: |world, file| Box::pin(async move { world.client.copy(file, target(world)).await.map(drop) }),
        is_done: |world, _| world.sim.file("/target/a.txt").is_some(),
        is_trashed_before: false,
    },
    Change {
        call: "web/file.trash",
        is_sent_again: true,
        run: |world, file| Box::pin(world.client.trash([file])),
        is_done: |world, file| path_of(world, file).is_some_and(|(_, trashed)| trashed),
        is_trashed_before: false,
    },
    Change {
        call: "web/file.restore",
        is_sent_again: true,
        run: |world, file| Box::pin(world.client.restore([file])),
        is_done: |world, file| is_at(world, file, "/docs/a.txt"),
        is_trashed_before: true,
    },
    Change {
        call: "web/file.restore_to",
        is_sent_again: true,
        run: |world, file| Box::pin(world.client.restore_to([file], target(world))),
        is_done: |world, file| is_at(world, file, "/target/a.txt"),
        is_trashed_before: true,
    },
    Change {
        call: "web/file.delete",
        is_sent_again: true,
        run: |world, file| Box::pin(world.client.delete([file])),
        is_done: |world, file| path_of(world, file).is_none(),
        is_trashed_before: true,
    },
];

async fn world(change: &Change) -> (World, FileId) {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/docs/a.txt", "text"));
    world.sim.mkdir("/target");
    if change.is_trashed_before {
        world.client.trash([file]).await.unwrap();
    }
    world.sim.clear_requests();
    (world, file)
}

/// No change may leave anything twice.
fn check_nothing_twice(world: &World, case: &str) {
    let live = |entries: Vec<pan123_sim::StoredFile>| entries.into_iter().filter(|entry| !entry.trashed).count();
    assert!(live(world.sim.files()) <= 2 && live(world.sim.folders()) <= 3, "something is there twice: {case}");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_proven_or_made_again_once() {
    for change in &CHANGES {
        for (moment, plan, is_applied, is_lost) in MOMENTS {
            let (world, file) = world(change).await;
            world.sim.fault(plan(Fault::on(change.call)));
            let result = (change.run)(&world, file).await;
            let case = format!("{}, {moment}: {result:?}", change.call);
            check_nothing_twice(&world, &case);
            let is_done = (change.is_done)(&world, file);
            match result {
                Ok(()) => assert!(is_done, "not done: {case}"),
                Err(error) => {
                    // Only what the service refused, and what nobody may send again, is left to the caller.
                    assert!(!is_applied, "it was done: {case}");
                    assert!(error.code() == Some(88) || !change.is_sent_again, "{case}");
                    assert_eq!(error.may_have_happened(), is_lost, "{case}");
                    assert!(!is_done, "{case}");
                }
            }
            let sent = world.sim.count(change.call);
            let again = usize::from(!is_applied && moment != "refused for good" && (change.is_sent_again || !is_lost));
            assert_eq!(sent, 1 + again, "{case}");
        }
    }
}

#[tokio::test]
async fn a_service_that_loses_every_answer_ends_in_an_honest_error_or_in_a_proof() {
    for change in &CHANGES {
        for (moment, plan, is_applied, is_lost) in MOMENTS {
            let (world, file) = world(change).await;
            world.sim.fault(plan(Fault::on(change.call).every()));
            let result = (change.run)(&world, file).await;
            let case = format!("{}, {moment}: {result:?}", change.call);
            check_nothing_twice(&world, &case);
            assert_eq!((change.is_done)(&world, file), is_applied, "{case}");
            match result {
                Ok(()) => assert!(is_applied, "not done: {case}"),
                Err(error) => assert_eq!((is_applied, error.may_have_happened()), (false, is_lost), "{case}"),
            }
            assert!(world.sim.count(change.call) <= 5, "{case}");
        }
    }
}

#[tokio::test]
async fn whatever_fails_by_chance_the_word_of_the_client_holds() {
    let (mut faults, mut done) = (0, 0);
    for change in &CHANGES {
        for seed in 0..40 {
            let (world, file) = world(change).await;
            world.sim.chance(seed, 0.4);
            let result = (change.run)(&world, file).await;
            world.sim.chance(seed, 0.0);
            let case = format!("{}, seed {seed}: {result:?}", change.call);
            check_nothing_twice(&world, &case);
            let is_done = (change.is_done)(&world, file);
            match result {
                Ok(()) => assert!(is_done, "not done: {case}"),
                Err(error) => assert!(!is_done || error.may_have_happened(), "done, and not said: {case}"),
            }
            faults += world.sim.faults_fired();
            done += usize::from(is_done);
        }
    }
    assert!(faults > 200 && done > 100, "{faults} faults, {done} changes were made");
}

#[tokio::test]
async fn where_nothing_can_be_seen_the_error_says_what_to_look_at() {
    for change in &CHANGES {
        let (world, file) = world(change).await;
        // The rows are read first where they are needed; after the change neither rows nor lists are told.
        let rows_first = matches!(change.call, "web/file.copy" | "web/file.delete");
        world.sim.fault(Fault::on("web/file.info").nth(1 + u64::from(rows_first)).every().code(77));
        world.sim.fault(Fault::on("web/file.list").every().code(77));
        world.sim.fault(Fault::on(change.call).every().drop_answer());
        let error = (change.run)(&world, file).await.unwrap_err();
        assert!(error.may_have_happened(), "{}: {error}", change.call);
        assert_eq!(error.endpoint(), Some(change.call), "{error}");
        assert_eq!(world.sim.count(change.call), 1, "{}: it is not sent again blindly", change.call);
        if !matches!(change.call, "web/file.mkdir" | "web/file.rename") {
            assert_eq!(error.failed_items().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [file], "{error}");
        }
    }
}

#[tokio::test]
async fn a_refusal_behind_a_lost_answer_is_about_what_that_one_did() {
    // The first answer is lost, the folder is not seen yet, and the second is refused: the folder is ours.
    let world = World::new().await;
    world.sim.fault(Fault::on("web/file.mkdir").drop_answer());
    let empty = r#"{"code":0,"message":"ok","data":{"Next":"-1","Total":0,"InfoList":[]}}"#;
    world.sim.fault(Fault::on("web/file.list").body("application/json", empty));
    let made = world.client.mkdir(FileId::ROOT, "new").await.unwrap();
    assert_eq!(world.sim.file("/new").unwrap().id, made.get());
    assert_eq!((world.sim.folders().len(), world.sim.count("web/file.mkdir")), (1, 2));
}

#[tokio::test]
async fn a_path_is_made_once_whatever_is_lost_on_the_way() {
    for (moment, plan, _, _) in &MOMENTS[..6] {
        let world = World::new().await;
        world.sim.fault(plan(Fault::on("web/file.mkdir").nth(2)));
        let result = world.client.mkdir_all(FileId::ROOT, "a/b/c").await;
        let folders: Vec<String> = world.sim.folders().into_iter().map(|folder| folder.path).collect();
        match result {
            Ok(deepest) => assert_eq!(
                (folders, path_of(&world, deepest).unwrap().0.as_str()),
                (vec!["/a".to_owned(), "/a/b".to_owned(), "/a/b/c".to_owned()], "/a/b/c"),
                "{moment}"
            ),
            // A page in place of an answer is not asked for again, and calling again ends the same.
            Err(error) => {
                assert!(*moment == "a page after" && error.may_have_happened(), "{moment}: {error}");
                world.client.mkdir_all(FileId::ROOT, "a/b/c").await.unwrap();
                assert_eq!(world.sim.folders().len(), 3, "{moment}");
            }
        }
    }
}

#[tokio::test]
async fn an_extraction_whose_answer_is_lost_is_asked_for_by_its_task() {
    for (plan, sent) in [(Fault::drop_answer as Moment, 1), (|fault| fault.before().status(500), 2)] {
        let world = World::new().await;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        writer.start_file("a.txt", zip::write::SimpleFileOptions::default()).unwrap();
        let archive = FileId::new(world.sim.put("/a.zip", writer.finish().unwrap().into_inner()));
        let archive = world.client.read_archive(archive, None).await.unwrap();
        world.sim.fault(plan(Fault::on("web/file.archive_uncompress")));
        archive.extract(archive.members(), FileId::ROOT).await.unwrap();
        assert_eq!(world.sim.count("web/file.archive_uncompress"), sent);
        assert_eq!(world.sim.files().len(), 2);
    }
}

#[tokio::test]
async fn many_moves_of_which_some_answers_are_lost_are_told_apart() {
    let world = World::new().await;
    let ids: Vec<FileId> = (0..250).map(|number| FileId::new(world.sim.put(&format!("/{number}"), "x"))).collect();
    let folder = FileId::new(world.sim.mkdir("/target"));
    world.sim.fault(Fault::on("web/file.move").drop_answer());
    world.sim.fault(Fault::on("web/file.move").nth(2).code(77));
    let error = world.client.move_to(ids.iter().copied(), folder).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::Api, false), "{error}");
    assert_eq!(error.failed_items().iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids[100..200]);
    assert_eq!(world.client.list(folder).collect().await.unwrap().len(), 150);
}
