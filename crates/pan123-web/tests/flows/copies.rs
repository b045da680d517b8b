//! Copies within the drive.

use std::time::Duration;

use pan123_core::Runtime;
use pan123_sim::Fault;
use pan123_web::{
    COPY_TIMEOUT, ErrorKind, FileId,
    ops::manage::{Copy, CopyItem, Copying},
};

use crate::world::World;

#[tokio::test]
async fn a_copy_is_waited_for_and_known_by_its_own_id() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/a.txt", "text"));
    let folder = FileId::new(world.sim.mkdir("/copies"));
    world.sim.fault(Fault::on("web/file.copy_task").times(2).task_pending());
    let before = world.runtime.elapsed();
    let copy = world.client.copy(file, folder).await.unwrap();
    assert!(copy != file && world.runtime.elapsed() - before >= Duration::from_secs(2), "it is asked once a second");
    assert_eq!(world.sim.file("/copies/a.txt").unwrap().id, copy.get());
    assert_eq!(world.sim.read("/copies/a.txt").unwrap(), "text");
    assert_eq!(world.sim.count("web/file.copy_task"), 3);

    // One that is done at once has no task.
    let other = FileId::new(world.sim.put("/b.txt", "other"));
    world.sim.fault(Fault::on("web/file.copy").no_task_id());
    let copy = world.client.copy(other, folder).await.unwrap();
    assert_eq!(world.sim.file("/copies/b.txt").unwrap().id, copy.get());
}

#[tokio::test]
async fn a_folder_is_copied_with_what_it_holds() {
    let world = World::new().await;
    world.sim.put("/docs/deep/a.txt", "text");
    let docs = FileId::new(world.sim.file("/docs").unwrap().id);
    let folder = FileId::new(world.sim.mkdir("/copies"));
    let copy = world.client.copy(docs, folder).await.unwrap();
    assert_eq!(world.sim.file("/copies/docs").unwrap().id, copy.get());
    assert_eq!(world.sim.read("/copies/docs/deep/a.txt").unwrap(), "text");
}

#[tokio::test]
async fn of_two_equal_files_the_new_one_is_the_copy() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/a.txt", "text"));
    let older = world.sim.put("/copies/a.txt", "text");
    let folder = FileId::new(world.sim.file("/copies").unwrap().id);
    let copy = world.client.copy(file, folder).await.unwrap();
    assert!(copy.get() != older && copy != file);
    assert_eq!(world.client.list(folder).collect().await.unwrap().len(), 2);
    // A name that other content holds does not hide the copy.
    let other = FileId::new(world.sim.put("/b/a.txt", "other"));
    let copy = world.client.copy(other, folder).await.unwrap();
    assert_eq!(world.client.stat(copy).await.unwrap().md5, world.client.stat(other).await.unwrap().md5);
}

#[tokio::test]
async fn many_are_copied_in_their_order() {
    let world = World::new().await;
    let ids: Vec<FileId> =
        (0..130).map(|number| FileId::new(world.sim.put(&format!("/{number}"), format!("content {number}")))).collect();
    let folder = FileId::new(world.sim.mkdir("/copies"));
    let copies = world.client.copy_all(ids.iter().copied(), folder).await.unwrap();
    assert_eq!((copies.len(), world.sim.count("web/file.copy")), (130, 2));
    for (number, copy) in copies.iter().enumerate() {
        assert_eq!(world.sim.file_by_id(copy.get()).unwrap().path, format!("/copies/{number}"));
    }
    assert_eq!(world.client.copy_all(Vec::<FileId>::new(), folder).await.unwrap(), []);

    // The first hundred fail, the rest is copied; what failed is named.
    world.sim.fault(Fault::on("web/file.copy").task_fails());
    let folder = FileId::new(world.sim.mkdir("/more"));
    let error = world.client.copy_all(ids.iter().copied(), folder).await.unwrap_err();
    assert_eq!((error.kind(), error.failed_items().len()), (ErrorKind::Api, 100), "{error}");
    assert_eq!(world.client.list(folder).collect().await.unwrap().len(), 30);
}

#[tokio::test]
async fn a_copy_that_does_not_end_well_says_how() {
    let world = World::unsigned().await;
    let file = FileId::new(world.sim.put("/docs/a.txt", "text"));
    let docs = world.client.stat(file).await.unwrap().parent_id;
    let folder = FileId::new(world.sim.mkdir("/copies"));

    world.sim.fault(Fault::on("web/file.copy").task_fails());
    let error = world.client.copy(file, folder).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");
    assert!(error.message().is_some(), "the service's own reason is kept: {error}");

    world.sim.fault(Fault::on("web/file.copy_task").every().task_pending());
    let before = world.runtime.elapsed();
    let error = world.client.copy(file, folder).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::CompletionTimeout, true), "{error}");
    assert!(world.runtime.elapsed() - before >= COPY_TIMEOUT);
    let row = world.client.stat(file).await.unwrap();
    let Copying::Task(task) = world.client.send(Copy::new([CopyItem::from(&row)], folder)).await.unwrap() else {
        panic!("the copy has a task");
    };
    let error = world.client.wait_for_copy(task, Duration::from_secs(5)).await.unwrap_err();
    assert!(error.to_string().contains(&task.to_string()), "the task is named: {error}");
    world.sim.clear_faults();
    world.client.wait_for_copy(task, Duration::from_secs(5)).await.unwrap();

    world.sim.clear_requests();
    for (file, target, kind) in [
        (file, docs, ErrorKind::InvalidInput),
        (FileId::new(99), folder, ErrorKind::NotFound),
        (FileId::ROOT, folder, ErrorKind::InvalidInput),
        (file, FileId::new(-1), ErrorKind::InvalidInput),
    ] {
        let error = world.client.copy(file, target).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_happened()), (kind, false), "{error}");
    }
    assert_eq!(world.sim.count("web/file.copy"), 0);
}
