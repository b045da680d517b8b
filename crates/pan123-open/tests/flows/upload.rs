//! Uploads: every way a file can go, every size at the edge of a part, and what must not be half-done.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use pan123_open::{
    ErrorKind, FileId, Fingerprint, How, Md5, OnConflict, Phase, Progress, Source,
    ops::uploads::{Create, Created},
};
use pan123_sim::Fault;

use crate::world::{PART, World, content};

#[tokio::test]
async fn every_size_around_a_part_arrives_byte_for_byte() {
    let world = World::new().await;
    for size in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 1] {
        let bytes = content(size);
        let name = format!("{size}.bin");
        let path = world.local(&name, &bytes);
        let file = world.client.upload(&path).single_step_up_to(0).send().await.unwrap();
        assert_eq!((file.name.as_str(), file.size, file.how), (name.as_str(), size as u64, How::Parts));
        assert_eq!(world.sim.read(&format!("/{name}")).unwrap(), bytes, "{size}");
        assert_eq!(world.sim.file(&format!("/{name}")).map(|stored| FileId::new(stored.id)), Some(file.id));
    }
}

#[tokio::test]
async fn a_small_file_goes_in_one_request_and_a_known_one_in_none() {
    let world = World::new().await;
    let small = world.client.upload(Source::bytes("small")).name("small.txt").send().await.unwrap();
    assert_eq!(small.how, How::SingleStep);
    assert_eq!(world.sim.count("open/upload_v2.create"), 0, "bytes cost less than the question");
    assert_eq!(world.sim.read("/small.txt").unwrap(), "small");

    world.sim.remember_content(content(3 * PART));
    let known = world.client.upload(content(3 * PART)).name("known.bin").single_step_up_to(0).send().await.unwrap();
    assert_eq!(known.how, How::Instant);
    assert_eq!(world.sim.count("open/upload_v2.slice"), 0);
    assert_eq!(world.sim.read("/known.bin").unwrap(), content(3 * PART));
}

#[tokio::test]
async fn a_known_file_without_an_id_is_found_by_what_it_is() {
    let world = World::new().await;
    world.sim.remember_content(content(3 * PART));
    world.sim.fault(Fault::on("open/upload_v2.create").reuse_without_id(2));
    let file = world.client.upload(content(3 * PART)).name("late.bin").single_step_up_to(0).send().await.unwrap();
    assert_eq!(world.sim.file("/late.bin").map(|stored| FileId::new(stored.id)), Some(file.id));
    assert_eq!(world.sim.count("open/upload_v2.slice"), 0);
}

#[tokio::test]
async fn verifying_is_waited_out_and_a_failure_keeps_its_text() {
    let world = World::new().await;
    world.sim.fault(Fault::on("open/upload_v2.upload_complete").times(2).verifying());
    world.sim.fault(Fault::on("open/upload_v2.upload_complete").nth(3).incomplete());
    world.client.upload(content(2 * PART)).name("a.bin").single_step_up_to(0).send().await.unwrap();
    assert_eq!(world.sim.count("open/upload_v2.upload_complete"), 4);

    world.sim.fault(Fault::on("open/upload_v2.upload_complete").upload_failed());
    let error = world.client.upload(content(2 * PART + 5)).name("b.bin").single_step_up_to(0).send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::UploadFailed, Some("文件上传失败")));
    assert_eq!(world.sim.count("open/upload_v2.upload_complete"), 5, "a failure is final at once");
    assert!(world.sim.file("/b.bin").is_none());

    world.sim.fault(Fault::on("open/upload_v2.upload_complete").every().verifying());
    let error = world.client.upload(content(2 * PART + 6)).name("c.bin").single_step_up_to(0).send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::CompletionTimeout, Some(20103)));
}

#[tokio::test]
async fn a_name_that_is_taken_is_the_callers_choice() {
    let world = World::new().await;
    for single in [0, 1 << 20] {
        let name = format!("{single}.txt");
        let path = format!("/{name}");
        world.sim.put(&path, "old");
        let upload = || world.client.upload(Source::bytes("new")).name(name.as_str()).single_step_up_to(single);
        let error = upload().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        assert_eq!(world.sim.read(&path).unwrap(), "old");
        upload().on_conflict(OnConflict::KeepBoth).send().await.unwrap();
        assert_eq!(world.sim.read(&path).unwrap(), "old");
        upload().on_conflict(OnConflict::Overwrite).send().await.unwrap();
        assert_eq!(world.sim.read(&path).unwrap(), "new");
    }
    assert_eq!(world.stored().len(), 4);
}

#[tokio::test]
async fn a_source_that_changes_while_it_is_read_is_not_stored() {
    let world = World::new().await;
    let path = world.local("changing.bin", &content(4 * PART));
    // The callback runs when hashing is over and sending begins: just then somebody appends to the file.
    let changed = Mutex::new(Some(path.clone()));
    let change = move |progress: Progress| {
        if progress.phase == Phase::Sending
            && let Some(path) = changed.lock().unwrap().take()
        {
            std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap();
        }
    };
    let error = world.client.upload(&path).single_step_up_to(0).on_progress(change).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SourceChanged, "{error}");
    assert!(world.stored().is_empty());
}

#[tokio::test]
async fn progress_is_told_as_values_that_only_grow() {
    let world = World::new().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let path = world.local("a.bin", &content(5 * PART + 1));
    world
        .client
        .upload(&path)
        .single_step_up_to(0)
        .on_progress(move |p| sink.lock().unwrap().push(p))
        .send()
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    let sending: Vec<_> = seen.iter().filter(|progress| progress.phase == Phase::Sending).collect();
    assert!(sending.is_sorted_by_key(|progress| progress.bytes), "{sending:?}");
    let last = sending.last().unwrap();
    assert_eq!((last.bytes, last.total, last.total_parts), (5 * PART as u64 + 1, Some(5 * PART as u64 + 1), 6));
}

#[tokio::test]
async fn bad_input_is_refused_before_any_request() {
    let world = World::new().await;
    let upload = |name: &str| world.client.upload(Source::bytes("x")).name(name);
    for (upload, part) in [
        (upload(""), "empty"),
        (upload("a/b"), "'/'"),
        (upload(&"长".repeat(300)), "254"),
        (upload("..").into_folder(FileId::new(1)), ".."),
        (upload("a").into_folder(FileId::new(-1)), "negative"),
        (world.client.upload(Source::bytes("x")), "name()"),
        (world.client.upload(world.path("..").join("..")), "name"),
    ] {
        let error = upload.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let missing = world.client.upload(world.path("missing.bin")).send().await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Io);
    assert!(world.sim.requests().is_empty());

    let gone = world.client.upload(Source::bytes("x")).name("a").into_folder(FileId::new(99)).send().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
}

#[tokio::test]
async fn a_digest_that_is_wrongly_trusted_is_found_out() {
    let world = World::new().await;
    let bytes = content(2 * PART);
    let wrong = Fingerprint::new(bytes.len() as u64, Md5::of(b"something else"));
    let error = world.client.upload(bytes).name("a.bin").trust(wrong).single_step_up_to(0).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error}");
    assert!(world.stored().is_empty());
}

#[tokio::test]
async fn a_part_size_that_cannot_be_is_refused() {
    let world = World::new().await;
    for size in [0, -1] {
        world.sim.fault(Fault::on("open/upload_v2.create").part_size(size));
        let error = world.client.upload(content(PART)).name("a.bin").single_step_up_to(0).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    }
    assert!(world.stored().is_empty());
}

#[tokio::test]
async fn a_known_file_that_is_never_listed_is_sent_with_the_ticket() {
    let world = World::new().await;
    let bytes = content(2 * PART);
    let create = Create::new(FileId::ROOT, "a.bin", Md5::of(&bytes), bytes.len() as u64);
    let Created::Wanted(ticket) = world.client.send(create).await.unwrap() else { panic!("nothing is known") };
    let phantom = format!(
        r#"{{"code":0,"message":"ok","data":{{"fileID":0,"reuse":true,"preuploadID":"{}","sliceSize":{PART},"servers":[]}}}}"#,
        ticket.id
    );
    world.sim.fault(Fault::on("open/upload_v2.create").body("application/json", phantom));
    let file = world.client.upload(bytes.clone()).name("a.bin").single_step_up_to(0).send().await.unwrap();
    assert_eq!(file.how, How::Parts);
    assert_eq!(world.stored(), [("/a.bin".to_owned(), bytes.clone().into())]);
    assert_eq!(world.sim.count("open/file.list_v2"), 5, "fewer and fewer looks");

    // Without a ticket there is nothing to send it with.
    let phantom = r#"{"code":0,"message":"ok","data":{"reuse":true}}"#;
    for (version, create) in [(1, "open/upload_v1.create"), (2, "open/upload_v2.create")] {
        world.sim.fault(Fault::on(create).body("application/json", phantom));
        let upload = world.client.upload(bytes.clone()).name("b.bin").single_step_up_to(0);
        let upload = if version == 1 { upload.version_1() } else { upload };
        let error = upload.send().await.unwrap_err();
        assert_eq!((error.kind(), error.endpoint()), (ErrorKind::OutcomeUnknown, Some(create)), "{error}");
    }
}

#[tokio::test]
async fn an_older_file_of_the_same_content_is_not_taken_for_the_new_one() {
    for (create, late) in [("open/upload_v1.create", 2), ("open/upload_v2.create", 0), ("open/upload_v2.create", 2)] {
        let world = World::new().await;
        world.sim.put("/a.bin", content(PART));
        world.sim.fault(Fault::on(create).reuse_without_id(late));
        let upload = world.client.upload(content(PART)).name("a.bin").single_step_up_to(0);
        let upload = if create.contains("v1") { upload.version_1() } else { upload };
        let error = upload.on_conflict(OnConflict::KeepBoth).send().await.unwrap_err();
        assert_eq!((error.kind(), error.endpoint()), (ErrorKind::OutcomeUnknown, Some(create)), "{error}");
        assert!(error.may_have_happened());
        assert_eq!(world.stored().len(), 2, "it is not announced again");
    }
}

#[tokio::test]
async fn a_known_file_is_not_announced_again_when_looking_for_it_fails() {
    let world = World::new().await;
    world.sim.remember_content(content(PART));
    world.sim.fault(Fault::on("open/upload_v2.create").reuse_without_id(0));
    world.sim.fault(Fault::on("open/file.list_v2").times(5).status(503));
    let file = world.client.upload(content(PART)).name("a.bin").single_step_up_to(0).send().await.unwrap();
    assert_eq!(world.sim.file("/a.bin").map(|stored| FileId::new(stored.id)), Some(file.id));
    assert_eq!(world.sim.count("open/upload_v2.create"), 1);
}

#[tokio::test]
async fn the_first_upload_server_that_may_have_the_token_and_is_there_is_taken() {
    let world = World::new().await;
    let upload = &world.sim.urls().upload;
    let gone = pan123_sim::Simulator::start().await.unwrap().urls().upload.clone();
    let servers = |list: &[&str]| format!(r#"{{"code":0,"message":"ok","data":["{}"]}}"#, list.join(r#"",""#));
    let domain = || Fault::on("open/upload_v2.domain");
    world.sim.fault(domain().nth(1).body("application/json", servers(&["https://evil.example", &gone])));
    world.sim.fault(domain().nth(2).body("application/json", servers(&["https://evil.example", &gone, upload])));
    for name in ["a", "b"] {
        world.client.upload(Source::bytes("small")).name(name).send().await.unwrap();
    }
    assert_eq!(world.sim.count("open/upload_v2.domain"), 2, "a server that works is kept");

    let bytes = content(PART);
    let create = Create::new(FileId::ROOT, "c", Md5::of(&bytes), bytes.len() as u64);
    let Created::Wanted(ticket) = world.client.send(create).await.unwrap() else { panic!("nothing is known") };
    let answer = format!(
        r#"{{"code":0,"message":"ok","data":{{"reuse":false,"preuploadID":"{}","sliceSize":{PART},"servers":["https://evil.example","{upload}"]}}}}"#,
        ticket.id
    );
    world.sim.fault(Fault::on("open/upload_v2.create").body("application/json", answer));
    world.client.upload(bytes).name("c").single_step_up_to(0).send().await.unwrap();
    assert!(world.sim.file("/c").is_some());
}
