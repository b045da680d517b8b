//! Names, places, copies and the trash.

use std::time::Duration;

use pan123_open::{ErrorKind, FileId, ops::manage};
use pan123_sim::Fault;

use crate::world::{World, id};

#[tokio::test]
async fn entries_are_renamed_moved_and_copied() {
    let world = World::new().await;
    let file = id(world.sim.put("/a.txt", "text"));
    let folder = id(world.sim.mkdir("/folder"));
    world.client.rename(file, "b.txt").await.unwrap();
    world.client.move_to([file], folder).await.unwrap();
    assert_eq!(world.sim.read("/folder/b.txt").unwrap(), "text");
    let copy = world.client.copy(file, FileId::ROOT).await.unwrap();
    assert_eq!(world.sim.file("/b.txt").map(|stored| id(stored.id)), Some(copy));

    let other = id(world.sim.put("/c.txt", "other"));
    let taken = world.client.rename(other, "b.txt").await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists, "{taken}");
    let gone = world.client.rename(FileId::new(99), "x").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
    for name in ["", "a/b", &"长".repeat(300)] {
        assert_eq!(world.client.rename(other, name).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(world.client.rename(FileId::ROOT, "x").await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn many_entries_are_renamed_and_the_failures_named() {
    let world = World::new().await;
    let ids: Vec<FileId> = (0..65).map(|number| id(world.sim.put(&format!("/{number}"), "x"))).collect();
    let mut names: Vec<(FileId, String)> =
        ids.iter().enumerate().map(|(number, id)| (*id, format!("new-{number}"))).collect();
    world.client.rename_all(names.clone()).await.unwrap();
    assert_eq!(world.sim.count("open/file.rename_batch"), 3);
    assert!(world.sim.file("/new-64").is_some());

    names[40] = (FileId::new(99), "lost".to_owned());
    for (number, (_, name)) in names.iter_mut().enumerate() {
        *name = format!("again-{number}");
    }
    let error = world.client.rename_all(names).await.unwrap_err();
    let failed: Vec<FileId> = error.failed_items().iter().map(|(id, _)| *id).collect();
    assert_eq!(failed, [FileId::new(99)], "{error}");
    assert!(world.sim.file("/again-64").is_some());

    let refused = r#"{"code":0,"message":"ok","data":{"successList":[],"failList":[
        {"fileID":1,"message":"该目录下文件重名"},{"fileID":2,"message":"内部错误"}]}}"#;
    world.sim.fault(Fault::on("open/file.rename_batch").body("application/json", refused));
    let error = world.client.rename_all([(FileId::new(1), "a"), (FileId::new(2), "b")]).await.unwrap_err();
    let kinds: Vec<ErrorKind> = error.failed_items().iter().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::AlreadyExists, ErrorKind::Api], "{error}");
}

#[tokio::test]
async fn a_copy_of_many_is_waited_for() {
    let world = World::new().await;
    let ids: Vec<FileId> = (0..3).map(|number| id(world.sim.put(&format!("/{number}"), "x"))).collect();
    let folder = id(world.sim.mkdir("/copies"));
    world.sim.fault(Fault::on("open/file.copy_async_process").times(2).task_pending());
    world.client.copy_all(ids.iter().copied(), folder).await.unwrap();
    assert!((0..3).all(|number| world.sim.file(&format!("/copies/{number}")).is_some()));
    assert_eq!(world.sim.count("open/file.copy_async_process"), 3);

    world.sim.fault(Fault::on("open/file.copy_async").task_fails());
    let error = world.client.copy_all(ids.iter().copied(), folder).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");

    let task = world.client.send(manage::CopyAsync::new(ids, folder)).await.unwrap();
    world.sim.fault(Fault::on("open/file.copy_async_process").every().task_pending());
    let error = world.client.wait_for_copy(task, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CompletionTimeout);
    assert!(pan123_core::Runtime::elapsed(&world.runtime) >= Duration::from_secs(60));
    world.client.copy_all(Vec::<FileId>::new(), folder).await.unwrap();
}

#[tokio::test]
async fn a_copy_without_a_limit_is_waited_for() {
    let world = World::new().await;
    let (file, folder) = (id(world.sim.put("/a", "x")), id(world.sim.mkdir("/copies")));
    let task = world.client.send(manage::CopyAsync::new([file], folder)).await.unwrap();
    world.sim.fault(Fault::on("open/file.copy_async_process").times(2).task_pending());
    pan123_core::Runtime::sleep(&world.runtime, Duration::from_secs(1)).await;
    world.client.wait_for_copy(task, Duration::MAX).await.unwrap();
}

#[tokio::test]
async fn more_than_a_task_can_hold_is_copied_by_several_and_the_failures_named() {
    let world = World::new().await;
    let most = manage::MOST_COPIES;
    let ids: Vec<FileId> = (0..=most).map(|number| id(world.sim.put(&format!("/{number}"), "x"))).collect();
    let folder = id(world.sim.mkdir("/copies"));
    world.sim.fault(Fault::on("open/file.copy_async").task_fails());
    let error = world.client.copy_all(ids.iter().copied(), folder).await.unwrap_err();
    let failed: Vec<FileId> = error.failed_items().iter().map(|(id, _)| *id).collect();
    assert_eq!((error.kind(), failed.as_slice()), (ErrorKind::Api, &ids[..most]), "{error}");
    assert_eq!(world.sim.count("open/file.copy_async"), 2);
    assert!(world.sim.file(&format!("/copies/{most}")).is_some());
}

#[tokio::test]
async fn the_trash_gives_back_and_forgets() {
    let world = World::new().await;
    let file = id(world.sim.put("/folder/a.txt", "text"));
    let folder = id(world.sim.file("/folder").unwrap().id);
    world.client.trash([file]).await.unwrap();
    assert!(world.sim.file("/folder/a.txt").is_none());
    assert!(world.client.restore([file]).await.unwrap().is_empty());
    assert!(world.sim.file("/folder/a.txt").is_some());

    // Its folder goes too: it has no home, and is given another.
    world.client.trash([file]).await.unwrap();
    world.client.trash([folder]).await.unwrap();
    assert_eq!(world.client.restore([file]).await.unwrap(), [file]);
    world.client.restore_to([file], FileId::ROOT).await.unwrap();
    assert!(world.sim.file("/a.txt").is_some());

    // Two calls of trashing, one of which fails: what was trashed is deleted, what was not is named.
    let many: Vec<FileId> = (0..150).map(|number| id(world.sim.put(&format!("/n/{number}"), "x"))).collect();
    world.sim.fault(Fault::on("open/file.trash").code(77));
    let error = world.client.delete(many.iter().copied()).await.unwrap_err();
    assert_eq!(error.failed_items().len(), 100, "{error}");
    assert!(world.sim.file_by_id(many[0].get()).is_some() && world.sim.file_by_id(many[149].get()).is_none());

    let before = world.sim.count("open/file.trash");
    world.client.delete([file]).await.unwrap();
    assert!(world.sim.file_by_id(file.get()).is_none());
    assert_eq!(world.sim.count("open/file.trash"), before + 1, "the service deletes only what is in the trash");
}

#[tokio::test]
async fn what_is_in_the_trash_already_is_deleted_without_being_put_there_again() {
    let world = World::new().await;
    let [old, new] = ["/old", "/new"].map(|path| id(world.sim.put(path, "x")));
    world.client.trash([old]).await.unwrap();
    world.sim.fault(Fault::on("open/file.trash").every().code(77));
    let error = world.client.delete([old, new]).await.unwrap_err();
    let failed: Vec<FileId> = error.failed_items().iter().map(|(id, _)| *id).collect();
    assert_eq!(failed, [new], "{error}");
    assert!(world.sim.file_by_id(old.get()).is_none() && world.sim.file("/new").is_some());
}
