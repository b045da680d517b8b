//! Image hosting: up by slices, seen by everybody, brought in from the drive and from other servers.

use std::{error::Error as _, sync::Mutex, time::Duration};

use pan123_core::{Fetch, Link};
use pan123_open::{
    ErrorKind, FailedImages, FileId, How, Source,
    ops::{
        images::{ImageId, LARGEST_IMAGE},
        images_import::{CopyFromDisk, OfflineDownload, OfflineState, OfflineTask},
        images_upload::{Create, Created, UploadParts},
        transcode::VideoId,
    },
};
use pan123_sim::Fault;

use crate::world::{PART, World, content, id};

const MINUTE: Duration = Duration::from_secs(60);

async fn fetched(world: &World, link: Link) -> Vec<u8> {
    let fetched = world.client.send(Fetch::new(link)).await.unwrap();
    fetched.body.collect(1 << 20).await.unwrap().to_vec()
}

#[tokio::test]
async fn an_image_goes_up_and_anybody_can_fetch_it() {
    let world = World::new().await;
    let images = world.client.images();
    let folder = images.mkdir(ImageId::ROOT, "icons").await.unwrap();
    for size in [1, PART - 1, PART, PART + 1, 3 * PART + 1] {
        let bytes = content(size);
        let name = format!("{size}.png");
        let uploaded = images.upload(world.local(&name, &bytes)).into_folder(&folder).send().await.unwrap();
        assert_eq!((uploaded.name.as_str(), uploaded.size, uploaded.how), (name.as_str(), size as u64, How::Parts));
        let image = images.stat(&uploaded).await.unwrap();
        assert_eq!((&image.id, &image.name, &image.parent_id), (&uploaded.id, &name, &folder));
        assert_eq!((image.md5, image.parent_name.as_str()), (Some(uploaded.md5), "icons"));
        assert_eq!(fetched(&world, image.url.unwrap()).await, bytes, "{size}");
    }
    let names: Vec<String> =
        images.list(&folder).collect().await.unwrap().into_iter().map(|image| image.name).collect();
    assert_eq!(names.len(), 5);
    for request in
        world.sim.requests().iter().filter(|request| request.operation.as_deref() == Some("open/oss.put_slice"))
    {
        let secret = ["authorization", "platform"].iter().find(|name| request.header(name).is_some());
        assert_eq!(secret, None, "a credential went to storage");
    }
}

#[tokio::test]
async fn a_known_image_is_stored_at_once_and_the_same_one_is_overwritten() {
    let world = World::new().await;
    let images = world.client.images();
    world.sim.put("/logo.png", "pixels");
    let upload = |name: &str| images.upload(Source::bytes("pixels")).name(name).send();
    let first = upload("a.png").await.unwrap();
    assert_eq!(first.how, How::Instant);
    assert_eq!(upload("b.png").await.unwrap().id, first.id);
    assert_eq!(images.list(ImageId::ROOT).collect().await.unwrap().len(), 1);
    assert_eq!(world.sim.count("open/oss.get_upload_url"), 0);
}

#[tokio::test]
async fn an_upload_survives_an_expired_address_and_lost_answers() {
    let world = World::new().await;
    let images = world.client.images();
    let upload = async |name: &str, size: usize| images.upload(content(size)).name(name).send().await;
    world.sim.fault(Fault::on("open/oss.put_slice").before().status(403));
    upload("a.png", PART + 1).await.unwrap();
    assert_eq!(world.sim.count("open/oss.get_upload_url"), 3, "a refused address is replaced by a fresh one");

    world.sim.fault(Fault::on("open/oss.put_slice").every().before().status(403));
    let error = upload("b.png", 5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinkRejected);
    assert!(!format!("{error} {error:?}").contains(['?', '&']), "{error:?}");
    world.sim.clear_faults();

    for (number, op) in
        ["create", "get_upload_url", "put_slice", "upload_complete", "upload_async_result"].iter().enumerate()
    {
        let (name, size) = (format!("{number}.png"), 2 * PART + 10 + number);
        world.sim.fault(Fault::on(format!("open/oss.{op}")).after().drop_answer());
        let uploaded = upload(&name, size).await.unwrap();
        assert_eq!(images.stat(&uploaded).await.unwrap().name, name, "{op}");
    }
    assert_eq!(world.sim.images().len(), 6, "nothing was stored twice");
}

#[tokio::test]
async fn verifying_is_waited_out_and_a_failure_keeps_its_text() {
    let world = World::new().await;
    let images = world.client.images();
    world.sim.fault(Fault::on("open/oss.upload_async_result").times(3).incomplete());
    images.upload(content(2 * PART)).name("a.png").send().await.unwrap();
    assert_eq!(world.sim.count("open/oss.upload_async_result"), 4);
    assert_eq!(world.sim.count("open/oss.upload_complete"), 1);

    world.sim.fault(Fault::on("open/oss.upload_async_result").upload_failed());
    let error = images.upload(content(2 * PART + 1)).name("b.png").send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::UploadFailed, Some("文件上传失败")));

    world.sim.fault(Fault::on("open/oss.upload_async_result").every().incomplete());
    let late = images.upload(content(2 * PART + 2)).name("c.png").completion_timeout(MINUTE).send().await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::CompletionTimeout);
    assert!(late.may_have_happened());
}

#[tokio::test]
async fn what_is_no_image_is_refused_before_any_request() {
    let world = World::new().await;
    let images = world.client.images();
    let big = world.path("big.png");
    std::fs::File::create(&big).unwrap().set_len(LARGEST_IMAGE + 1).unwrap();
    for (upload, part) in [
        (images.upload(Source::bytes("x")).name("a.txt"), "webp"),
        (images.upload(Source::bytes("x")).name("a/b.png"), "'/'"),
        (images.upload(Source::bytes("x")), "name()"),
        (images.upload(big), "104857600"),
    ] {
        let error = upload.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(images.delete([ImageId::ROOT]).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(world.sim.requests().is_empty());
}

#[tokio::test]
async fn slices_that_are_there_are_listed() {
    let world = World::new().await;
    let bytes = content(PART + 1);
    let create = Create::new(ImageId::ROOT, "a.png", pan123_open::Md5::of(&bytes), bytes.len() as u64);
    let Created::Wanted(ticket) = world.client.send(create).await.unwrap() else { panic!("nothing is known") };
    assert_eq!(world.client.send(UploadParts::new(&ticket.id)).await.unwrap(), []);
}

#[tokio::test]
async fn images_are_moved_and_deleted_in_batches_and_the_failures_named() {
    let world = World::new().await;
    let images = world.client.images();
    let ids: Vec<ImageId> =
        (0..205).map(|number| world.sim.put_image(&format!("/{number}.png"), format!("{number}")).into()).collect();
    let folder = images.mkdir(ImageId::ROOT, "all").await.unwrap();
    images.move_to(&ids, &folder).await.unwrap();
    assert_eq!(world.sim.count("open/oss.move"), 3);
    assert_eq!(images.list(&folder).collect().await.unwrap().len(), 205);

    images.move_to([&ids[0]], ImageId::ROOT).await.unwrap();
    assert!(images.find(ImageId::ROOT, "0.png").await.unwrap().is_some());
    images.move_to([&ids[0]], &folder).await.unwrap();

    world.sim.fault(Fault::on("open/oss.delete").nth(2).code(1).message("内部错误"));
    let error = images.delete(&ids).await.unwrap_err();
    let failed = error.source().and_then(|source| source.downcast_ref::<FailedImages>()).unwrap();
    let failed: Vec<&ImageId> = failed.items().iter().map(|(id, _)| id).collect();
    assert_eq!(failed, ids[100..200].iter().collect::<Vec<_>>(), "{error}");
    assert_eq!(images.list(&folder).collect().await.unwrap().len(), 100);
    assert_eq!(images.stat(&ids[0]).await.unwrap_err().kind(), ErrorKind::NotFound);

    // After a ban no other call is made.
    world.sim.clear_requests();
    let banned = r#"{"code":"403","message":"123pan-foreign-forbidden cache client ip"}"#;
    world.sim.fault(Fault::on("open/oss.move").every().body("application/json", banned));
    let error = images.move_to(&ids, &folder).await.unwrap_err();
    let failed = error.source().and_then(|source| source.downcast_ref::<FailedImages>()).unwrap();
    assert_eq!((error.kind(), failed.items().len()), (ErrorKind::Blocked, 205), "{error}");
    assert_eq!(world.sim.count("open/oss.move"), 1);
    assert_eq!(images.mkdir(ImageId::ROOT, "all").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn images_of_the_drive_are_copied_and_the_failures_listed() {
    let world = World::with(|sim| sim.task_polls(2), |client| client).await;
    let images = world.client.images();
    let good = id(world.sim.put("/good.png", "good"));
    let broken = id(world.sim.put("/broken.png", "broken"));
    world.sim.break_image(broken.get());
    let failed = images.copy_from_drive([good, broken], ImageId::ROOT, MINUTE).await.unwrap();
    assert_eq!(
        failed.iter().map(|failure| (failure.id, failure.name.as_str())).collect::<Vec<_>>(),
        [(broken, "broken.png")]
    );
    assert_eq!(world.sim.count("open/oss.copy_process"), 3);
    let copied = images.find(ImageId::ROOT, "good.png").await.unwrap().unwrap();
    assert_eq!(fetched(&world, copied.url.unwrap()).await, b"good");

    world.sim.fault(Fault::on("open/oss.copy_from_disk").task_fails());
    let error = images.copy_from_drive([good], ImageId::ROOT, MINUTE).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Api, Some("sim: scripted")));

    let task = world.client.send(CopyFromDisk::new([good], ImageId::ROOT)).await.unwrap();
    world.sim.fault(Fault::on("open/oss.copy_process").every().task_pending());
    let late = images.wait_for_copy(&task, MINUTE).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::CompletionTimeout);
    assert!(images.copy_from_drive(Vec::<FileId>::new(), ImageId::ROOT, MINUTE).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_image_of_another_server_is_fetched_and_waited_for() {
    let world = World::with(|sim| sim.task_polls(2), |client| client).await;
    let images = world.client.images();
    let folder = images.mkdir(ImageId::ROOT, "fetched").await.unwrap();
    let seen = Mutex::new(Vec::new());
    let tell = |status: pan123_open::ops::images_import::OfflineStatus| seen.lock().unwrap().push(status.state);
    let url = "https://example.com/a.png?k=planted";
    let image = images.import(url, "a.png", &folder, MINUTE, tell).await.unwrap();
    assert_eq!((image.name.as_str(), &image.parent_id), ("a.png", &folder));
    assert!(image.url.is_some());
    let seen = seen.into_inner().unwrap();
    assert_eq!((seen.len(), seen.last()), (3, Some(&OfflineState::Done)));

    world.sim.fault(Fault::on("open/oss.offline_download").task_fails());
    let failed = images.import("https://example.com/b.png", "b.png", &folder, MINUTE, |_| {}).await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Api, "{failed}");
    world.sim.fault(Fault::on("open/oss.offline_process").every().task_pending());
    let task = world.client.send(OfflineDownload::new(url).folder(&folder)).await.unwrap();
    let late = images.wait_for_import(task, MINUTE, |_| {}).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::CompletionTimeout);
    let root = images.import("https://example.com/c.png", "c.png", ImageId::ROOT, MINUTE, |_| {}).await.unwrap_err();
    assert_eq!(root.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn what_waits_can_be_given_to_another_task() {
    fn check(_: &impl Send) {}
    let world = World::new().await;
    let (images, transcoding) = (world.client.images(), world.client.transcoding());
    let (task, resolution) = (OfflineTask::new(1), ["720P".into()]);
    check(&images.upload(Source::bytes("x")).send());
    check(&images.import("https://example.com/a.png", "a.png", "f", MINUTE, |_| {}));
    check(&images.wait_for_import(task, MINUTE, |_| {}));
    check(&images.copy_from_drive([FileId::new(1)], ImageId::ROOT, MINUTE));
    check(&images.delete(["i"]));
    check(&transcoding.wait(VideoId::new(1), &resolution, MINUTE, |_| {}));
    check(&transcoding.download(VideoId::new(1), "720P", "."));
    assert!(world.sim.requests().is_empty(), "nothing happens before it is awaited");
}
