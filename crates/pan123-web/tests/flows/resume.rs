//! Uploads that go on where an earlier one stopped.

use pan123_sim::Fault;
use pan123_web::{Checkpoints, ErrorKind, OnConflict, Upload};

use crate::{
    transfers::{PART, assert_nothing_told, content, small_parts, stored},
    world::World,
};

const PUT: &str = "web/upload.put_part";
const LIST: &str = "web/upload.list_parts";
const REQUEST: &str = "web/upload.request";

/// Eight parts in a local file, and an upload of it that keeps a checkpoint.
fn upload(world: &World, bytes: &[u8], choice: OnConflict) -> Upload {
    let path = world.path("a");
    if !path.exists() {
        std::fs::write(&path, bytes).unwrap();
    }
    world.client.upload(path).on_conflict(choice).concurrency(1).checkpoints(Checkpoints::beside_file())
}

#[tokio::test]
async fn parts_that_have_arrived_are_not_sent_again() {
    for choice in [OnConflict::Fail, OnConflict::Overwrite] {
        let world = small_parts().await;
        let bytes = content(8 * PART);
        world.sim.fault(Fault::on(PUT).nth(4).every().status(503));
        upload(&world, &bytes, choice).send().await.unwrap_err();
        world.sim.clear_faults();
        world.sim.clear_requests();
        let file = upload(&world, &bytes, choice).send().await.unwrap();
        assert_eq!((file.resumed, file.left_behind), (3 * PART as u64, None), "{choice:?}");
        assert_eq!((world.sim.count(PUT), world.sim.count(LIST)), (5, 1), "{choice:?}");
        let announced = if choice == OnConflict::Overwrite { 1 } else { 0 };
        assert_eq!(world.sim.count(REQUEST), announced, "the session is the earlier one: {choice:?}");
        assert_eq!(stored(&world.sim), [("/a".to_owned(), bytes.into())], "{choice:?}");
        assert_nothing_told(&world.sim);
    }
}

#[tokio::test]
async fn parts_whose_answer_was_lost_are_found_in_the_storage() {
    let world = small_parts().await;
    let bytes = content(4 * PART);
    world.sim.fault(Fault::on(PUT).nth(2).every().drop_answer());
    let error = upload(&world, &bytes, OnConflict::Fail).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    world.sim.clear_faults();
    world.sim.clear_requests();
    upload(&world, &bytes, OnConflict::Fail).send().await.unwrap();
    assert_eq!(world.sim.count(PUT), 2, "the first was known, and the second is there");
    assert_eq!(stored(&world.sim), [("/a".to_owned(), bytes.into())]);
}

#[tokio::test]
async fn a_session_that_the_service_forgot_starts_over() {
    let world = small_parts().await;
    let bytes = content(4 * PART);
    world.sim.fault(Fault::on(PUT).nth(3).every().status(503));
    upload(&world, &bytes, OnConflict::Fail).send().await.unwrap_err();
    world.sim.clear_faults();
    world.sim.clear_requests();
    world.sim.fault(Fault::on(LIST).code(-1).message("NoSuchKey"));
    let file = upload(&world, &bytes, OnConflict::Fail).send().await.unwrap();
    assert_eq!((file.resumed, world.sim.count(PUT), world.sim.count(REQUEST)), (0, 4, 1));
    assert!(file.notice.is_some());
    assert_eq!(stored(&world.sim), [("/a".to_owned(), bytes.into())]);
}

#[tokio::test]
async fn an_upload_that_was_stored_unheard_is_not_stored_twice() {
    for (op, nth) in [("web/upload.complete_v2", 1), (REQUEST, 2)] {
        let world = small_parts().await;
        let bytes = content(3 * PART);
        world.sim.put("/a", "old");
        world.sim.fault(Fault::on(op).nth(nth).every().drop_answer());
        upload(&world, &bytes, OnConflict::Overwrite).send().await.map(|file| file.id).ok();
        world.sim.clear_faults();
        let file = upload(&world, &bytes, OnConflict::Overwrite).send().await;
        assert!(file.is_ok(), "{op}: {file:?}");
        assert_eq!(stored(&world.sim), [("/a".to_owned(), bytes.into())], "{op}");
    }
}

#[tokio::test]
async fn lent_keys_are_not_kept_so_the_upload_starts_over() {
    let world = small_parts().await;
    world.sim.hand_out_keys(true);
    let bytes = content(4 * PART);
    world.sim.fault(Fault::on(PUT).nth(3).every().status(503));
    upload(&world, &bytes, OnConflict::Fail).send().await.unwrap_err();
    for kept in std::fs::read_dir(world.path("")).unwrap() {
        let text = String::from_utf8_lossy(&std::fs::read(kept.unwrap().path()).unwrap()).into_owned();
        assert!(!text.contains("keys"), "{text}");
    }
    world.sim.clear_faults();
    world.sim.clear_requests();
    let file = upload(&world, &bytes, OnConflict::Fail).send().await.unwrap();
    assert_eq!((file.resumed, world.sim.count(PUT)), (0, 4));
    assert_eq!(stored(&world.sim), [("/a".to_owned(), bytes.into())]);
}
