//! The recycle bin and the safe box.

use pan123_sim::Fault;
use pan123_web::{ErrorKind, FileId};

use crate::world::World;

#[tokio::test]
async fn the_recycle_bin_lists_gives_back_and_forgets() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/folder/a.txt", "text"));
    world.client.trash([file]).await.unwrap();
    assert!(world.sim.file("/folder/a.txt").is_none());
    let listed = world.client.list_trash().collect().await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.id).collect::<Vec<_>>(), [file]);
    assert!(listed[0].trashed && listed[0].trashed_at.is_some() && listed[0].trash_expires_at.is_some());

    world.client.restore(&listed).await.unwrap();
    assert!(world.sim.file("/folder/a.txt").is_some());
    world.client.trash([file]).await.unwrap();
    world.client.restore_to([file], FileId::ROOT).await.unwrap();
    assert_eq!(world.sim.read("/a.txt").unwrap(), "text");

    // From where it is, and from the bin: both are gone, and only one has to be moved into the bin.
    let other = FileId::new(world.sim.put("/b.txt", "x"));
    world.client.trash([other]).await.unwrap();
    world.client.delete([file, other]).await.unwrap();
    assert!(world.sim.file_by_id(file.get()).is_none() && world.sim.file_by_id(other.get()).is_none());
    assert_eq!(world.sim.count("web/file.trash"), 4);

    let last = FileId::new(world.sim.put("/c.txt", "x"));
    world.client.trash([last]).await.unwrap();
    world.client.clear_trash().await.unwrap();
    assert_eq!(world.client.list_trash().collect().await.unwrap(), []);
    assert_eq!(world.client.delete([last]).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_could_not_be_deleted_is_named() {
    let world = World::new().await;
    let many: Vec<FileId> = (0..150).map(|number| FileId::new(world.sim.put(&format!("/{number}"), "x"))).collect();
    world.sim.fault(Fault::on("web/file.trash").code(77));
    let error = world.client.delete(many.iter().copied()).await.unwrap_err();
    assert_eq!(error.failed_items().len(), 100, "{error}");
    assert!(world.sim.file_by_id(many[0].get()).is_some() && world.sim.file_by_id(many[149].get()).is_none());

    world.sim.fault(Fault::on("web/file.delete").code(77));
    let error = world.client.delete(many[..100].iter().copied()).await.unwrap_err();
    assert_eq!(error.failed_items().len(), 100, "{error}");
    assert!(world.sim.file_by_id(many[0].get()).unwrap().trashed, "it got as far as the bin");
    world.client.delete(many[..100].iter().copied()).await.unwrap();
    assert!(world.sim.files().is_empty());
}

#[tokio::test]
async fn the_safe_box_opens_with_its_password_and_closes() {
    let world = World::new().await;
    for (password, kind) in [("12345", ErrorKind::InvalidInput), ("000000", ErrorKind::Api)] {
        assert_eq!(world.client.open_safebox(password).await.unwrap_err().kind(), kind, "{password}");
    }
    let folder = world.client.open_safebox(world.sim.safebox_password()).await.unwrap();
    assert_eq!(world.client.list(folder).collect().await.unwrap(), []);
    world.client.lock_safebox().await.unwrap();
    let error = world.client.list(folder).next().await.unwrap_err();
    assert!(!format!("{error:?}").contains(world.sim.safebox_password()), "{error:?}");
}
