//! The older ways: version 1 of the upload, the listing that shows the recycle bin, the safe box.

use std::time::Duration;

use pan123_core::Runtime;
use pan123_open::{ErrorKind, FileId, How, OnConflict, ops::uploads_v1::ListParts};
use pan123_sim::Fault;

use crate::world::{PART, World, content, id};

const COMPLETE: &str = "open/upload_v1.upload_complete";
const RESULT: &str = "open/upload_v1.upload_async_result";
const PUT: &str = "open/upload_v1.put_slice";

#[tokio::test]
async fn a_file_smaller_than_a_part_and_one_of_several_arrive_whole() {
    let world = World::new().await;
    for (name, length, parts) in [("small", 10, 1), ("exact", PART, 1), ("large", 3 * PART + 5, 4), ("empty", 0, 1)] {
        world.sim.clear_requests();
        let bytes = content(length);
        let file = world.client.upload(bytes.clone()).name(name).version_1().send().await.unwrap();
        assert_eq!(world.sim.file_by_id(file.id.get()).unwrap().path, format!("/{name}"));
        assert_eq!(world.sim.read(&format!("/{name}")).unwrap(), bytes, "{name}");
        assert_eq!(world.sim.count(PUT), parts, "{name}");
        assert_eq!(world.sim.count("open/upload_v1.get_upload_url"), parts, "{name}");
        assert_eq!(world.sim.count(COMPLETE), 1, "{name}");
        assert!(world.sim.requests().iter().all(|request| !request.path.contains("/v2/")));
        for put in world.sim.requests().iter().filter(|request| request.operation.as_deref() == Some(PUT)) {
            assert_eq!((put.header("authorization"), put.header("platform")), (None, None));
            assert_eq!(put.header("content-length"), Some(put.body_len.to_string().as_str()));
        }
    }
}

#[tokio::test]
async fn known_content_is_stored_at_once_and_a_taken_name_is_the_callers_choice() {
    let world = World::new().await;
    let upload = || world.client.upload(content(100)).name("a").version_1();
    upload().send().await.unwrap();
    assert_eq!(upload().send().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let again = upload().on_conflict(OnConflict::Overwrite).send().await.unwrap();
    assert_eq!(again.how, How::Instant);
    upload().on_conflict(OnConflict::KeepBoth).send().await.unwrap();
    assert_eq!(world.stored().len(), 2);
    world.sim.fault(Fault::on("open/upload_v1.create").reuse_without_id(2));
    let found = world.client.upload(content(100)).name("b").version_1().send().await.unwrap();
    assert_eq!(world.sim.file("/b").map(|file| id(file.id)), Some(found.id));
}

#[tokio::test]
async fn the_service_is_asked_a_second_apart_until_the_file_is_stored() {
    let world = World::new().await;
    world.sim.fault(Fault::on(RESULT).times(2).incomplete());
    world.sim.fault(Fault::on(RESULT).nth(3).times(2).verifying());
    let begun = world.runtime.elapsed();
    world.client.upload(content(2 * PART)).name("a").version_1().send().await.unwrap();
    assert_eq!((world.sim.count(COMPLETE), world.sim.count(RESULT)), (1, 5));
    assert!(world.runtime.elapsed() - begun >= Duration::from_secs(5));
}

#[tokio::test]
async fn a_final_failure_keeps_its_words_and_an_endless_one_ends() {
    let world = World::new().await;
    world.sim.fault(Fault::on(RESULT).upload_failed());
    let error = world.client.upload(content(2 * PART)).name("a").version_1().send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::UploadFailed, Some("文件上传失败")), "{error}");

    world.sim.fault(Fault::on(RESULT).every().incomplete());
    let upload = world.client.upload(content(3 * PART)).name("b").version_1();
    let error = upload.completion_timeout(Duration::from_secs(60)).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CompletionTimeout, "{error}");
}

#[tokio::test]
async fn refused_addresses_and_lost_answers_end_in_one_whole_file() {
    for (number, fault) in [
        Fault::on(PUT).nth(2).status(403).body("application/xml", "<Error><Code>AccessDenied</Code></Error>"),
        Fault::on(PUT).nth(2).status(503).body("application/xml", "<Error/>"),
        Fault::on(PUT).nth(1).after().drop_answer(),
        Fault::on("open/upload_v1.get_upload_url").nth(3).code(429),
        Fault::on("open/upload_v1.get_upload_url").nth(1).drop_answer(),
        Fault::on(COMPLETE).after().drop_answer(),
        Fault::on(RESULT).after().drop_answer(),
        Fault::on("open/upload_v1.create").nth(1).code(401),
    ]
    .into_iter()
    .enumerate()
    {
        let world = World::new().await;
        world.sim.fault(fault);
        let bytes = content(3 * PART);
        let sent = world.client.upload(bytes.clone()).name("a").version_1().send().await;
        sent.unwrap_or_else(|error| panic!("fault {number}: {error}"));
        assert_eq!(world.stored(), [("/a".to_owned(), bytes.into())], "fault {number}");
    }
}

#[tokio::test]
async fn slices_that_arrived_are_listed() {
    let world = World::new().await;
    world.sim.fault(Fault::on(COMPLETE).every().code(1).message("no"));
    world.client.upload(content(2 * PART)).name("a").version_1().send().await.unwrap_err();
    let completion = world.sim.requests().into_iter().find(|request| request.operation.as_deref() == Some(COMPLETE));
    let ticket = completion.unwrap().json().unwrap()["preuploadID"].as_str().unwrap().to_owned();
    let parts = world.client.send(ListParts::new(ticket)).await.unwrap().parts;
    let bytes = content(2 * PART);
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(parts[1].md5, pan123_open::Md5::of(&bytes[PART..]));
}

#[tokio::test]
async fn the_recycle_bin_is_listed_over_pages() {
    let world = World::new().await;
    let ids: Vec<FileId> = (0..130).map(|number| id(world.sim.put(&format!("/{number}"), "x"))).collect();
    assert!(world.client.list_trash().collect().await.unwrap().is_empty());
    world.client.trash(ids.iter().copied().take(120)).await.unwrap();
    let entries = world.client.list_trash().collect().await.unwrap();
    assert_eq!(entries.len(), 120);
    assert!(entries.iter().all(|entry| entry.trashed && entry.created_at.is_some()));
    assert_eq!(world.sim.count("open/file.list_v1"), 3);
}

#[tokio::test]
async fn the_safe_box_opens_by_its_password_which_no_error_shows() {
    let world = World::new().await;
    let folder = world.client.open_safebox(world.sim.safebox_password()).await.unwrap();
    world.client.upload(content(10)).name("a").into_folder(folder).send().await.unwrap();
    assert_eq!(world.client.list(folder).collect().await.unwrap().len(), 1);
    world.sim.fault(Fault::on("open/safebox.id").code(1).message("not planted-password"));
    let error = world.client.open_safebox("planted-password").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
    assert_eq!(world.client.open_safebox("wrong").await.unwrap_err().kind(), ErrorKind::Api);
}
