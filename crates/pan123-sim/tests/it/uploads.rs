//! The v2 upload: instant, in slices, in one request.

use pan123_sim::{Fault, Simulator};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, md5, read, small_slices};

#[tokio::test]
async fn a_new_file_gets_a_ticket_and_servers() {
    let client = Client::start().await;
    let reply = client.create("a.bin", b"abc").await;
    assert_ok(&reply);
    assert_eq!(reply["data"]["fileID"], 0);
    assert_eq!(reply["data"]["reuse"], false);
    assert_eq!(reply["data"]["sliceSize"], 16_777_216);
    assert_eq!(reply["data"]["servers"], json!([client.sim.urls().upload]));
    assert!(!reply["data"]["preuploadID"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn files_of_all_sizes_come_through_in_slices() {
    let client = Client::with(small_slices()).await;
    for size in [0, 1, 9, 10, 11, 20, 25] {
        let bytes: Vec<u8> = (0..size).collect();
        let name = format!("{size}.bin");
        let id = client.upload(&name, &bytes).await;
        let stored = client.sim.file(&name).unwrap();
        assert_eq!((stored.id, stored.size, stored.md5), (id, u64::from(size), md5(&bytes)));
        assert_eq!(client.sim.read(&name).unwrap(), bytes);
    }
}

#[tokio::test]
async fn slices_may_come_in_any_order_and_again() {
    let client = Client::with(small_slices()).await;
    let bytes = b"0123456789abcdefghijXYZ";
    let ticket = client.create("a", bytes).await["data"]["preuploadID"].as_str().unwrap().to_owned();
    for (number, slice) in [(3, &bytes[20..]), (1, &bytes[..10]), (3, &bytes[20..]), (2, &bytes[10..20])] {
        let reply = client.slice(&ticket, number, slice).await;
        assert_ok(&reply);
        assert!(reply["data"].is_null());
    }
    let reply = client.complete(&ticket).await;
    assert_eq!(reply["data"]["completed"], true);
    assert_eq!(client.complete(&ticket).await["data"], reply["data"]);
    assert_eq!(client.sim.files().len(), 1);
}

#[tokio::test]
async fn known_content_is_taken_at_once() {
    let client = Client::start().await;
    client.sim.remember_content("known to somebody");
    let reply = client.create("a", b"known to somebody").await;
    assert_eq!(reply["data"]["reuse"], true);
    assert_eq!(reply["data"]["fileID"], client.sim.file("/a").unwrap().id);
    client.sim.put("/b", "known to us");
    assert_eq!(client.create("c", b"known to us").await["data"]["reuse"], true);
    assert_eq!(client.sim.read("/c").unwrap(), "known to us");
}

#[tokio::test]
async fn a_missing_slice_stops_the_completion_and_can_still_come() {
    let client = Client::with(small_slices()).await;
    let bytes = b"0123456789abc";
    let ticket = client.create("a", bytes).await["data"]["preuploadID"].as_str().unwrap().to_owned();
    client.slice(&ticket, 1, &bytes[..10]).await;
    assert_refused(&client.complete(&ticket).await, 1, "sim: slice 2");
    client.slice(&ticket, 2, &bytes[10..]).await;
    assert_ok(&client.complete(&ticket).await);
}

#[tokio::test]
async fn a_slice_is_checked_against_its_md5_and_size() {
    let client = Client::with(small_slices()).await;
    let ticket = client.create("a", b"0123456789abc").await["data"]["preuploadID"].as_str().unwrap().to_owned();
    let send = |number: &'static str, claimed: String, bytes: &'static [u8]| {
        let form = Form::new()
            .text("preuploadID", ticket.clone())
            .text("sliceNo", number)
            .text("sliceMD5", claimed)
            .part("slice", Part::bytes(bytes).file_name("x"));
        let url = format!("{}/upload/v2/file/slice", client.sim.urls().upload);
        let request = client.request(Method::POST, url).multipart(form);
        async move { read(request.send().await.unwrap()).await }
    };
    assert_refused(&send("1", md5(b"other"), b"0123456789").await, 1, "sim: slice md5 mismatch");
    assert_refused(&send("1", md5(b"012345678"), b"012345678").await, 1, "sim: slice 1 has 9 bytes");
    assert_refused(&send("3", md5(b"abc"), b"abc").await, 1, "sim: sliceNo 3");
    assert_refused(&send("0", md5(b"abc"), b"abc").await, 1, "sim: sliceNo 0");
    assert_refused(&client.slice("unknown", 1, b"abc").await, 1, "sim: unknown preuploadID");
    assert_refused(&client.complete("unknown").await, 1, "sim: unknown preuploadID");
}

#[tokio::test]
async fn a_file_whose_md5_was_wrong_fails_for_good() {
    let client = Client::with(small_slices()).await;
    let body = json!({"parentFileID": 0, "filename": "a", "etag": md5(b"other"), "size": 12});
    let ticket = client.post("/upload/v2/file/create", body).await["data"]["preuploadID"].as_str().unwrap().to_owned();
    client.slice(&ticket, 1, b"0123456789").await;
    client.slice(&ticket, 2, b"ab").await;
    assert_refused(&client.complete(&ticket).await, 1, "文件上传失败");
    assert_refused(&client.complete(&ticket).await, 1, "文件上传失败");
    assert_refused(&client.slice(&ticket, 2, b"ab").await, 1, "sim: unknown preuploadID");
    assert!(client.sim.files().is_empty());
}

#[tokio::test]
async fn a_taken_name_is_refused_kept_beside_or_replaced() {
    let client = Client::start().await;
    let old = client.sim.put("/a.txt", "old");
    client.sim.remember_content("new");
    let create = |duplicate: Value| {
        let mut body = json!({"parentFileID": 0, "filename": "a.txt", "etag": md5(b"new"), "size": 3});
        if !duplicate.is_null() {
            body["duplicate"] = duplicate;
        }
        client.post("/upload/v2/file/create", body)
    };
    assert_refused(&create(Value::Null).await, 5060, "");
    assert_refused(&create(json!(3)).await, 1, "sim: `duplicate`");
    assert_ok(&create(json!(1)).await);
    assert_eq!(client.sim.read("/a(1).txt").unwrap(), "new");
    assert_eq!(client.sim.read("/a.txt").unwrap(), "old");
    assert_ok(&create(json!(2)).await);
    assert_eq!(client.sim.read("/a.txt").unwrap(), "new");
    assert!(client.sim.file_by_id(old).is_none());
}

#[tokio::test]
async fn contain_dir_makes_the_folders_of_a_path() {
    let client = Client::start().await;
    client.sim.remember_content("x");
    let body = json!({"parentFileID": 0, "filename": "/a/b/c.txt", "etag": md5(b"x"), "size": 1, "containDir": true});
    assert_ok(&client.post("/upload/v2/file/create", body.clone()).await);
    assert_eq!(client.sim.read("/a/b/c.txt").unwrap(), "x");
    assert_eq!(client.sim.folders().len(), 2);
    let mut without = body.clone();
    without["containDir"] = json!(false);
    assert_refused(&client.post("/upload/v2/file/create", without).await, 1, "文件名");
    let mut relative = body;
    relative["filename"] = json!("a/b/c.txt");
    assert_refused(&client.post("/upload/v2/file/create", relative).await, 1, "sim: ");
}

#[tokio::test]
async fn what_is_announced_is_checked() {
    let client = Client::start().await;
    let create = |name: &str, etag: String, size: i64, parent: i64| {
        client.post(
            "/upload/v2/file/create",
            json!({"parentFileID": parent, "filename": name, "etag": etag, "size": size}),
        )
    };
    assert_refused(&create("a", md5(b"x"), (10 << 30) + 1, 0).await, 1, "sim: the file is larger than 10 GB");
    assert_ok(&create("a", md5(b"x"), 10 << 30, 0).await);
    assert_refused(&create("a", md5(b"x"), -1, 0).await, 1, "sim: ");
    assert_refused(&create("a", md5(b"x").to_uppercase(), 1, 0).await, 1, "sim: `etag`");
    assert_refused(&create("a*b", md5(b"x"), 1, 0).await, 1, "文件名");
    assert_refused(&create("a", md5(b"x"), 1, 99).await, 5066, "");
}

fn single(client: &Client, etag: String, size: usize, bytes: &'static [u8]) -> Form {
    assert_eq!(client.sim.count("open/upload_v2.create"), 0);
    Form::new()
        .text("parentFileID", "0")
        .text("filename", "a.txt")
        .text("etag", etag)
        .text("size", size.to_string())
        .part("file", Part::bytes(bytes).file_name("a.txt"))
}

async fn send_single(client: &Client, form: Form) -> Value {
    let domain = client.get("/upload/v2/file/domain").await["data"][0].as_str().unwrap().to_owned();
    let request = client.request(Method::POST, format!("{domain}/upload/v2/file/single/create")).multipart(form);
    read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_small_file_goes_up_in_one_request() {
    let client = Client::start().await;
    let reply = send_single(&client, single(&client, md5(b"hello"), 5, b"hello")).await;
    assert_ok(&reply);
    assert_eq!(reply["data"], json!({"fileID": client.sim.file("/a.txt").unwrap().id, "completed": true}));
    assert_eq!(client.sim.read("/a.txt").unwrap(), "hello");
    assert_refused(&send_single(&client, single(&client, md5(b"hello"), 5, b"hello")).await, 5060, "");
}

#[tokio::test]
async fn one_request_is_checked_too() {
    let client = Client::start().await;
    assert_refused(&send_single(&client, single(&client, md5(b"other"), 5, b"hello")).await, 1, "文件上传失败");
    assert_refused(
        &send_single(&client, single(&client, md5(b"hello"), 6, b"hello")).await,
        1,
        "sim: the file has 5 bytes",
    );
    let huge = single(&client, md5(b"hello"), (1 << 30) + 1, b"hello");
    assert_refused(&send_single(&client, huge).await, 1, "sim: the file is larger than 1 GB");
    assert!(client.sim.files().is_empty());
    assert_ok(&send_single(&client, single(&client, md5(b""), 0, b"")).await);
}

#[tokio::test]
async fn unverified_uploads_are_only_counted() {
    let client = Client::with(small_slices().verify(false)).await;
    let body = json!({"parentFileID": 0, "filename": "a", "etag": md5(b"whatever"), "size": 12});
    let ticket = client.post("/upload/v2/file/create", body).await["data"]["preuploadID"].as_str().unwrap().to_owned();
    client.slice(&ticket, 1, b"0123456789").await;
    assert_refused(&client.slice(&ticket, 2, b"abc").await, 1, "sim: slice 2 has 3 bytes");
    client.slice(&ticket, 2, b"ab").await;
    assert_ok(&client.complete(&ticket).await);
    let url = client.download_url(client.sim.file("/a").unwrap().id).await;
    assert_eq!(client.http.get(url).send().await.unwrap().bytes().await.unwrap().len(), 12);
}

#[tokio::test]
async fn completion_can_be_put_off_and_can_fail() {
    let client = Client::with(small_slices()).await;
    let complete = "open/upload_v2.upload_complete";
    client.sim.fault(Fault::on(complete).times(2).verifying());
    client.sim.fault(Fault::on(complete).nth(3).incomplete());
    client.sim.fault(Fault::on(complete).nth(4).upload_failed());
    let ticket = client.create("a", b"abc").await["data"]["preuploadID"].as_str().unwrap().to_owned();
    client.slice(&ticket, 1, b"abc").await;
    for _ in 0..2 {
        assert_refused(&client.complete(&ticket).await, 20103, "校验");
    }
    assert_eq!(client.complete(&ticket).await["data"], json!({"completed": false, "fileID": 0}));
    assert_refused(&client.complete(&ticket).await, 1, "文件上传失败");
    assert_refused(&client.complete(&ticket).await, 1, "文件上传失败");
    assert!(client.sim.files().is_empty());
}

#[tokio::test]
async fn an_instant_upload_can_hide_its_id_and_be_listed_late() {
    let client = Client::start().await;
    client.sim.remember_content("x");
    client.sim.fault(Fault::on("open/upload_v2.create").reuse_without_id(1));
    let reply = client.create("a", b"x").await;
    assert_eq!((&reply["data"]["reuse"], &reply["data"]["fileID"]), (&json!(true), &json!(0)));
    let count = |reply: Value| reply["data"]["fileList"].as_array().unwrap().len();
    assert_eq!(count(client.get("/api/v2/file/list?parentFileId=0&limit=10").await), 0);
    assert_eq!(count(client.get("/api/v2/file/list?parentFileId=0&limit=10").await), 1);
}

#[tokio::test]
async fn the_server_can_ask_for_other_slices() {
    let client = Client::with(Simulator::builder()).await;
    client.sim.fault(Fault::on("open/upload_v2.create").times(2).part_size(4));
    let reply = client.create("a", b"abcdef").await;
    assert_eq!(reply["data"]["sliceSize"], 4);
    let ticket = reply["data"]["preuploadID"].as_str().unwrap();
    assert_ok(&client.slice(ticket, 1, b"abcd").await);
    assert_ok(&client.slice(ticket, 2, b"ef").await);
    assert_ok(&client.complete(ticket).await);
}

#[tokio::test]
async fn a_phantom_reuse_has_a_ticket_that_works() {
    let client = Client::with(small_slices()).await;
    client.sim.remember_content("hello");
    client.sim.fault(Fault::on("open/upload_v2.create").phantom_reuse());
    let created = client.create("a", b"hello").await["data"].clone();
    assert_eq!((&created["reuse"], &created["fileID"], &created["sliceSize"]), (&json!(true), &json!(0), &json!(10)));
    assert!(client.sim.files().is_empty());
    let ticket = created["preuploadID"].as_str().unwrap();
    assert_eq!(client.slice(ticket, 1, b"hello").await["code"], 0);
    let done = client.complete(ticket).await["data"].clone();
    assert_eq!(done["fileID"], client.sim.file("/a").unwrap().id);
    assert_eq!(client.create("b", b"hello").await["data"]["fileID"], client.sim.file("/b").unwrap().id);
}
