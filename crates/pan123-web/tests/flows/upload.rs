//! Uploads as a user would notice them.

use std::time::Duration;

use pan123_core::Runtime;
use pan123_sim::{Face, Fault};
use pan123_web::{
    ErrorKind, FileId, How, Md5, OnConflict,
    ops::{
        parts::{ListParts, PartUrls, PutPart},
        uploads::{Abort, CompleteById, Create, Created, MergeParts},
    },
};

use crate::transfers::{PART, assert_nothing_told, content, read_back, small_parts, stored, visible};

const REQUEST: &str = "web/upload.request";
const SINGLE: &str = "web/upload.auth_single";
const PRESIGN: &str = "web/upload.presign_parts";
const PUT: &str = "web/upload.put_part";
const LIST: &str = "web/upload.list_parts";
const COMPLETE: &str = "web/upload.complete_v2";

#[tokio::test]
async fn files_of_every_size_arrive_whole() {
    let world = small_parts().await;
    for (length, parts) in [(1, 1), (PART - 1, 1), (PART, 1), (PART + 1, 2), (3 * PART + 1, 4), (24 * PART, 24)] {
        world.sim.clear_requests();
        let (bytes, name) = (content(length), format!("{length}.bin"));
        let file = world.client.upload(bytes.clone()).name(&name).send().await.unwrap();
        assert_eq!((file.how, file.left_behind, file.name.as_str()), (How::Parts, None, name.as_str()), "{length}");
        assert_eq!(world.sim.file_by_id(file.id.get()).unwrap().path, format!("/{name}"));
        assert_eq!(world.sim.read(&format!("/{name}")).unwrap(), bytes, "{length}");
        assert_eq!(read_back(&world.client, file.id).await, bytes, "{length}");
        assert_eq!(
            (world.sim.count(REQUEST), world.sim.count(PUT), world.sim.count(COMPLETE)),
            (1, parts, 1),
            "{length}"
        );
        let is_multi = parts > 1;
        assert_eq!(world.sim.count(SINGLE), usize::from(!is_multi), "{length}");
        assert_eq!(world.sim.count(LIST), usize::from(is_multi), "{length}");
        assert_eq!(world.sim.count(PRESIGN), if is_multi { parts.div_ceil(10) } else { 0 }, "{length}");
        let complete = world.sim.requests().into_iter().find(|request| request.operation.as_deref() == Some(COMPLETE));
        assert_eq!(complete.unwrap().json().unwrap()["isMultipart"], is_multi, "{length}");
        assert_nothing_told(&world.sim);
    }
}

#[tokio::test]
async fn an_empty_file_is_known_to_the_service_and_read_back_without_a_request_for_data() {
    let world = small_parts().await;
    let file = world.client.upload(content(0)).name("empty").send().await.unwrap();
    assert_eq!((file.how, file.size), (How::Instant, 0));
    assert!(read_back(&world.client, file.id).await.is_empty());
    assert_eq!(world.sim.count("web/download.info"), 0);
    assert!(world.sim.requests().iter().all(|request| request.face == Face::Web));
}

#[tokio::test]
async fn known_content_is_stored_without_a_byte() {
    let world = small_parts().await;
    let bytes = content(3 * PART);
    world.client.upload(bytes.clone()).name("a").send().await.unwrap();
    world.sim.clear_requests();
    let again = world.client.upload(bytes.clone()).name("b").send().await.unwrap();
    assert_eq!(again.how, How::Instant);
    assert_eq!(world.sim.file("/b").unwrap().id, again.id.get());
    assert!(world.sim.requests().iter().all(|request| request.face == Face::Web));
    assert_eq!(read_back(&world.client, again.id).await, bytes);
}

#[tokio::test]
async fn an_instant_upload_that_is_listed_late_or_without_its_id_is_found() {
    let world = small_parts().await;
    let bytes = content(100);
    world.sim.remember_content(bytes.clone());
    for (name, fault) in [("late", Fault::on(REQUEST).lists_late(3)), ("no id", Fault::on(REQUEST).reuse_without_id(3))]
    {
        world.sim.fault(fault);
        let file = world.client.upload(bytes.clone()).name(name).send().await.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            (file.how, Some(file.id)),
            (How::Instant, world.sim.file(&format!("/{name}")).map(|f| FileId::new(f.id)))
        );
    }
    world.sim.fault(Fault::on(REQUEST).phantom_reuse());
    let begun = world.runtime.elapsed();
    let error = world.client.upload(bytes).name("phantom").send().await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::OutcomeUnknown, true), "{error}");
    assert!(world.sim.file("/phantom").is_none());
    let waited = world.runtime.elapsed() - begun;
    assert!(waited > Duration::from_secs(120) && waited < Duration::from_secs(300), "{waited:?}");
}

#[tokio::test]
async fn a_taken_name_is_the_callers_choice() {
    let world = small_parts().await;
    let (old, new) = (content(100), content(2 * PART));
    let first = world.client.upload(old.clone()).name("a.txt").send().await.unwrap();
    let upload = || world.client.upload(new.clone()).name("a.txt");
    assert_eq!(upload().send().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(stored(&world.sim), [("/a.txt".to_owned(), old.clone().into())]);

    let both = upload().on_conflict(OnConflict::KeepBoth).send().await.unwrap();
    assert_ne!(both.name, "a.txt");
    assert_eq!(world.sim.file_by_id(both.id.get()).unwrap().name, both.name);

    let over = upload().on_conflict(OnConflict::Overwrite).send().await.unwrap();
    assert_eq!((over.id, over.name.as_str(), over.left_behind), (first.id, "a.txt", None));
    assert_eq!(world.sim.read("/a.txt").unwrap(), new);
    assert_eq!(visible(&world.sim).len(), 2);
    assert_nothing_told(&world.sim);
}

#[tokio::test]
async fn overwriting_leaves_the_old_file_alone_until_the_new_one_is_verified() {
    let world = small_parts().await;
    let (old, new) = (content(100), content(3 * PART));
    world.client.upload(old.clone()).name("a").send().await.unwrap();
    let upload = || world.client.upload(new.clone()).name("a").on_conflict(OnConflict::Overwrite);
    for fault in [Fault::on(PUT).nth(2).every().status(500), Fault::on(COMPLETE).every().code(1).message("no")] {
        world.sim.clear_faults();
        world.sim.fault(fault);
        upload().send().await.unwrap_err();
        assert_eq!(stored(&world.sim), [("/a".to_owned(), old.clone().into())]);
    }
    world.sim.clear_faults();
    world.sim.clear_requests();
    upload().send().await.unwrap();
    assert_eq!(stored(&world.sim), [("/a".to_owned(), new.into())]);
    // The one request that touches the old file comes behind the answer that the new one is stored.
    let requests = world.sim.requests();
    let place = |op: &str, last: bool| {
        let mut places = requests.iter().filter(|request| request.operation.as_deref() == Some(op)).map(|r| r.sequence);
        if last { places.next_back() } else { places.next() }
    };
    assert!(place(COMPLETE, false) < place(REQUEST, true));
    let touches = |request: &&pan123_sim::RecordedRequest| request.json().is_some_and(|json| json["duplicate"] == 2);
    assert_eq!(requests.iter().filter(touches).count(), 1);
}

#[tokio::test]
async fn a_temporary_file_that_cannot_be_removed_is_named() {
    let world = small_parts().await;
    world.client.upload(content(10)).name("a").send().await.unwrap();
    world.sim.fault(Fault::on("web/file.trash").every().code(1));
    world.sim.fault(Fault::on("web/file.delete").every().code(1));
    let file = world.client.upload(content(20)).name("a").on_conflict(OnConflict::Overwrite).send().await.unwrap();
    let left = world.sim.file_by_id(file.left_behind.unwrap().get()).unwrap();
    assert!(left.name.starts_with(".pan123-"), "{}", left.name);
    assert_eq!(world.sim.read("/a").unwrap(), content(20));
}

#[tokio::test]
async fn refused_addresses_are_renewed_once_for_all_who_wait() {
    let world = small_parts().await;
    let bytes = content(8 * PART);
    world
        .sim
        .fault(Fault::on(PUT).times(2).status(403).body("application/xml", "<Error><Code>AccessDenied</Code></Error>"));
    let file = world.client.upload(bytes.clone()).name("a").concurrency(2).send().await.unwrap();
    assert_eq!(world.sim.read("/a").unwrap(), bytes);
    assert_eq!((world.sim.count(PRESIGN), world.sim.count(PUT)), (2, 10), "{file:?}");
    // All of the first batch, and nothing else, was asked for again.
    let asked: Vec<_> = world.sim.requests().into_iter().filter(|r| r.operation.as_deref() == Some(PRESIGN)).collect();
    assert_eq!(asked[0].json().unwrap()["partNumberEnd"], 9);
    assert_eq!(asked[0].json(), asked[1].json());

    world
        .sim
        .fault(Fault::on(PUT).every().status(403).body("application/xml", "<Error><Code>AccessDenied</Code></Error>"));
    let error = world.client.upload(content(5)).name("b").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinkRejected, "{error}");
    assert!(world.sim.file("/b").is_none());
}

#[tokio::test]
async fn what_the_storage_holds_is_compared_before_it_is_completed() {
    for etag in ["\"00000000000000000000000000000000\"", "\"x\""] {
        let world = small_parts().await;
        let answer = || Fault::on(PUT).every().status(200).header("ETag", etag).body("application/xml", "");
        world.sim.fault(answer());
        let error = world.client.upload(content(3 * PART)).name("a").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{etag}: {error}");
        assert_eq!(world.sim.count(COMPLETE), 0, "{etag}");
        assert!(stored(&world.sim).is_empty(), "{etag}");
    }
}

#[tokio::test]
async fn a_completion_without_the_file_is_no_success() {
    let world = small_parts().await;
    world.sim.fault(Fault::on(COMPLETE).every().body("application/json", r#"{"code":0,"message":"ok","data":{}}"#));
    let error = world.client.upload(content(10)).name("a").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UploadFailed, "{error}");
    assert!(stored(&world.sim).is_empty());

    world.sim.clear_faults();
    let later = r#"{"code":0,"message":"ok","data":{"async":true}}"#;
    world.sim.fault(Fault::on(COMPLETE).after().body("application/json", later));
    let file = world.client.upload(content(10)).name("a").send().await.unwrap();
    assert_eq!(world.sim.file("/a").unwrap().id, file.id.get());

    let other = r#"{"code":0,"message":"ok","data":{"file_info":{"FileId":77,"FileName":"b","Type":0,"Size":11,"Etag":"0cc175b9c0f1b6a831c399e269772661","ParentFileId":0}}}"#;
    world.sim.fault(Fault::on(COMPLETE).every().body("application/json", other));
    let error = world.client.upload(content(11)).name("b").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UploadFailed, "{error}");
}

#[tokio::test]
async fn lent_keys_are_used_and_go_to_the_storage_alone() {
    let world = small_parts().await;
    world.sim.hand_out_keys(true);
    for (length, parts) in [(5, 1), (PART, 1), (3 * PART + 5, 4)] {
        world.sim.clear_requests();
        let (bytes, name) = (content(length), format!("{length} 秋.bin"));
        let file =
            world.client.upload(bytes.clone()).name(&name).send().await.unwrap_or_else(|e| panic!("{length}: {e}"));
        assert_eq!(world.sim.file_by_id(file.id.get()).unwrap().name, name);
        assert_eq!(world.sim.read(&format!("/{name}")).unwrap(), bytes, "{length}");
        let count = |op: &str| world.sim.count(&format!("storage/{op}"));
        let merges = usize::from(parts > 1);
        let counted = (world.sim.count(PUT), count("create_multipart_upload"), count("complete_multipart_upload"));
        assert_eq!(counted, (parts, merges, merges), "{length}");
        assert_eq!(world.sim.count("web/upload.complete"), 1, "{length}");
        assert_nothing_told(&world.sim);
        for request in world.sim.requests().iter().filter(|request| request.face == Face::Storage) {
            assert!(request.query("X-Amz-Signature").is_some() && request.header("x-amz-security-token").is_none());
        }
    }
    world.sim.hand_out_keys(false);
    world.sim.fault(Fault::on(REQUEST).some_storage_keys());
    let error = world.client.upload(content(7)).name("part of the keys").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test]
async fn the_older_way_is_there_call_by_call() {
    let world = small_parts().await;
    let bytes = content(2 * PART);
    let create = Create::new(FileId::ROOT, "a", Md5::of(&bytes), bytes.len() as u64);
    let Created::Wanted(session) = world.client.send(&create).await.unwrap() else { panic!("the bytes are not known") };
    assert_eq!(session.part_size, PART as u64);
    assert!(world.client.send(ListParts::of(&session)).await.unwrap().is_empty());
    for (number, half) in [(1, &bytes[..PART]), (2, &bytes[PART..])] {
        let mut links = world.client.send(PartUrls::of(&session, number..number + 1)).await.unwrap();
        let put = PutPart::new(links.remove(&number).unwrap(), bytes::Bytes::copy_from_slice(half));
        assert_eq!(world.client.send(put).await.unwrap(), Some(Md5::of(half)));
    }
    let held = world.client.send(ListParts::of(&session)).await.unwrap();
    assert_eq!(
        held.iter().map(|part| (part.number, part.size)).collect::<Vec<_>>(),
        [(1, PART as u64), (2, PART as u64)]
    );
    assert_eq!(held[1].md5, Some(Md5::of(&bytes[PART..])));
    world.client.send(MergeParts::of(&session)).await.unwrap();
    world.client.send(CompleteById::new(session.file_id)).await.unwrap();
    assert_eq!(stored(&world.sim), [("/a".to_owned(), bytes.into())]);

    let create = Create::new(FileId::ROOT, "b", Md5::of(b"b"), 1);
    let Created::Wanted(session) = world.client.send(&create).await.unwrap() else { panic!("the bytes are not known") };
    world.client.send(Abort::of(&session)).await.unwrap();
    assert_nothing_told(&world.sim);
}

#[tokio::test]
async fn what_cannot_be_uploaded_is_refused_before_any_request() {
    let world = small_parts().await;
    let upload = || world.client.upload(content(3));
    for (what, error) in [
        ("no name", upload().send().await),
        ("bad name", upload().name("a/b").send().await),
        ("bad folder", upload().name("a").into_folder(FileId::new(-1)).send().await),
        ("folder", world.client.upload(world.path("")).name("a").send().await),
    ] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput, "{what}");
    }
    assert_eq!(world.client.upload("/nowhere/to/be/found").send().await.unwrap_err().kind(), ErrorKind::Io);
    assert!(world.sim.requests().is_empty());
}

#[tokio::test]
async fn no_signature_and_no_lent_key_is_in_anything_that_can_be_printed() {
    for keys in [false, true] {
        let world = small_parts().await;
        world.sim.hand_out_keys(keys);
        let upload = || world.client.upload(content(3 * PART)).name("a");
        let mut shown = format!("{:?}", upload());
        for fault in [
            Fault::on(PUT).every().status(403).body("application/xml", "<Error><Code>AccessDenied</Code></Error>"),
            Fault::on(PUT).every().drop_answer(),
            Fault::on("storage/*").every().drop_answer(),
            Fault::on("web/upload.*").nth(3).every().body("application/json", r#"{"code":0,"data":[]}"#),
        ] {
            world.sim.clear_faults();
            world.sim.fault(fault);
            if let Err(error) = upload().send().await {
                let mut cause = std::error::Error::source(&error);
                shown += &format!("{error} {error:?}");
                while let Some(inner) = cause {
                    shown += &format!("{inner} {inner:?}");
                    cause = inner.source();
                }
            }
        }
        let secrets: Vec<String> = world
            .sim
            .requests()
            .iter()
            .flat_map(|request| request.query.clone())
            .filter(|(name, _)| {
                matches!(name.as_str(), "X-Amz-Signature" | "X-Amz-Security-Token" | "X-Amz-Credential")
            })
            .map(|(_, value)| value)
            .collect();
        assert!(!secrets.is_empty() && shown.contains("web/upload"), "there is something to find");
        for secret in secrets {
            assert!(!shown.contains(&secret), "{secret} in {shown}");
        }
    }
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_also_where_the_content_is_known() {
    let world = small_parts().await;
    world.sim.put("/a.txt", "old");
    world.sim.remember_content("new");
    let result = world.client.upload(b"new").name("a.txt").send().await;
    let names: Vec<String> = visible(&world.sim).into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["a.txt"], "{result:?}");
    assert_eq!(result.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(world.sim.read("/a.txt").unwrap(), "old");
}
