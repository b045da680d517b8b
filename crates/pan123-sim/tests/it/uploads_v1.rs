//! The v1 upload over presigned addresses, the v1 list and the safe box.

use std::time::Duration;

use pan123_sim::{Fault, Simulator};
use reqwest::Response;
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, md5, small_slices};

async fn create(client: &Client, name: &str, bytes: &[u8]) -> Value {
    let body = json!({"parentFileID": 0, "filename": name, "etag": md5(bytes), "size": bytes.len()});
    client.post("/upload/v1/file/create", body).await
}

async fn put(client: &Client, ticket: &str, number: usize, bytes: &[u8]) -> Response {
    let body = json!({"preuploadID": ticket, "sliceNo": number});
    let reply = client.post("/upload/v1/file/get_upload_url", body).await;
    let url = reply["data"]["presignedURL"].as_str().unwrap_or_else(|| panic!("{reply}"));
    // An empty body has no length unless it is asked for.
    client.http.put(url).header("content-length", bytes.len()).body(bytes.to_vec()).send().await.unwrap()
}

async fn ask(client: &Client, call: &str, ticket: &str) -> Value {
    client.post(&format!("/upload/v1/file/{call}"), json!({"preuploadID": ticket})).await
}

#[tokio::test]
async fn files_come_through_presigned_addresses() {
    let client = Client::with(small_slices()).await;
    let bytes = b"0123456789abcdefghijXYZ";
    let created = create(&client, "a", bytes).await;
    assert_eq!((&created["data"]["sliceSize"], &created["data"]["servers"]), (&json!(10), &Value::Null));
    let ticket = created["data"]["preuploadID"].as_str().unwrap();
    for (index, slice) in bytes.chunks(10).enumerate() {
        let reply = put(&client, ticket, index + 1, slice).await;
        assert_eq!((reply.status().as_u16(), reply.text().await.unwrap().as_str()), (200, ""));
    }
    let parts = ask(&client, "list_upload_parts", ticket).await["data"]["parts"].clone();
    assert_eq!(parts[2], json!({"partNumber": "3", "size": 3, "etag": md5(b"XYZ")}));
    let reply = ask(&client, "upload_complete", ticket).await;
    assert_eq!(reply["data"], json!({"async": true, "completed": false, "fileID": 0}));
    client.sim.fault(Fault::on("open/upload_v1.upload_async_result").incomplete());
    assert_eq!(ask(&client, "upload_async_result", ticket).await["data"]["completed"], false);
    let reply = ask(&client, "upload_async_result", ticket).await;
    assert_eq!(reply["data"], json!({"fileID": client.sim.file("/a").unwrap().id, "completed": true}));
    assert_eq!(client.sim.read("/a").unwrap(), bytes.as_slice());
}

#[tokio::test]
async fn one_slice_is_finished_at_once() {
    let client = Client::start().await;
    for bytes in [b"hello".as_slice(), b""] {
        let name = md5(bytes);
        let ticket = create(&client, &name, bytes).await["data"]["preuploadID"].as_str().unwrap().to_owned();
        assert_eq!(put(&client, &ticket, 1, bytes).await.status(), 200);
        assert!(ask(&client, "list_upload_parts", &ticket).await["data"]["parts"].is_null());
        let id = client.sim.file(&name).map(|file| file.id);
        assert_eq!(id, None);
        let reply = ask(&client, "upload_complete", &ticket).await;
        let id = client.sim.file(&name).unwrap().id;
        assert_eq!(reply["data"], json!({"async": false, "completed": true, "fileID": id}));
    }
    assert_eq!(create(&client, "again", b"hello").await["data"]["reuse"], true);
}

#[tokio::test]
async fn wrong_bytes_or_missing_slices_are_found_at_the_end() {
    let client = Client::with(small_slices()).await;
    for (slices, message) in [(vec!["0123456789", "xyz"], "文件上传失败"), (vec!["01234", "abc"], "文件上传失败")]
    {
        let ticket = create(&client, "a", b"0123456789abc").await["data"]["preuploadID"].as_str().unwrap().to_owned();
        for (index, slice) in slices.iter().enumerate() {
            assert_refused(&ask(&client, "upload_complete", &ticket).await, 1, "sim: slice");
            put(&client, &ticket, index + 1, slice.as_bytes()).await;
        }
        assert_ok(&ask(&client, "upload_complete", &ticket).await);
        assert_refused(&ask(&client, "upload_async_result", &ticket).await, 1, message);
    }
    let wrong = client.post("/upload/v1/file/get_upload_url", json!({"preuploadID": "x", "sliceNo": 1})).await;
    assert_refused(&wrong, 1, "sim: unknown preuploadID");
}

#[tokio::test]
async fn a_presigned_address_expires_and_takes_no_credentials() {
    let client = Client::with(Simulator::builder().download_lifetime(Duration::from_secs(60))).await;
    let ticket = create(&client, "a", b"hello").await["data"]["preuploadID"].as_str().unwrap().to_owned();
    let body = json!({"preuploadID": ticket, "sliceNo": 1});
    let reply = client.post("/upload/v1/file/get_upload_url", body).await;
    assert_eq!(reply["data"]["isMultipart"], false);
    let url = reply["data"]["presignedURL"].as_str().unwrap();
    assert!(url.starts_with(&client.sim.urls().storage));
    let put = |url: String| client.http.put(url).body("hello");
    assert_eq!(put(url.to_owned()).header("platform", "open_platform").send().await.unwrap().status(), 400);
    assert_eq!(put(url.to_owned()).bearer_auth("x").send().await.unwrap().status(), 400);
    let bare = client.http.put(url).send().await.unwrap();
    assert_eq!((bare.status().as_u16(), bare.text().await.unwrap().contains("MissingContentLength")), (411, true));
    assert_eq!(put(url.replace("/1?", "/2?")).send().await.unwrap().status(), 403);
    client.sim.advance(Duration::from_secs(61));
    let expired = put(url.to_owned()).send().await.unwrap();
    assert_eq!(expired.status(), 403);
    assert!(expired.text().await.unwrap().contains("<Code>AccessDenied</Code>"));
}

#[tokio::test]
async fn lenient_storage_forgives_empty_credentials() {
    let client = Client::lenient().await;
    let ticket = create(&client, "a", b"hello").await["data"]["preuploadID"].as_str().unwrap().to_owned();
    let body = json!({"preuploadID": ticket, "sliceNo": 1});
    let reply = client.post("/upload/v1/file/get_upload_url", body).await;
    let request =
        client.http.put(reply["data"]["presignedURL"].as_str().unwrap()).header("authorization", "").body("hello");
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_ok(&ask(&client, "upload_complete", &ticket).await);
}

#[tokio::test]
async fn the_old_list_has_pages_order_and_a_trash_view() {
    let client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    let client = Client { token: client.new_token().await, ..client };
    let b = client.sim.put("/b", "xx");
    client.sim.put("/a", "x");
    let gone = client.sim.put("/d/gone", "x");
    assert_ok(&client.post("/api/v1/file/trash", json!({"fileIDs": [gone]})).await);
    let list = |rest: &str| {
        let path = format!("/api/v1/file/list?parentFileId=0&limit=2&{rest}");
        let client = &client;
        async move { client.get(&path).await["data"].clone() }
    };
    let names = |data: &Value| {
        let entries = data["fileList"].as_array().unwrap().iter();
        entries.map(|entry| entry["filename"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = list("page=1&orderBy=file_name&orderDirection=desc").await;
    assert_eq!((names(&first), &first["total"]), (vec!["d".into(), "b".into()], &json!(3)));
    let time = "2023-11-15 06:13:20 +0800 CST";
    let entry = json!({"fileID": b, "filename": "b", "parentFileId": 0, "parentName": "", "type": 0, "etag": md5(b"xx"),
        "size": 2, "contentType": "0", "category": 0, "hidden": false, "status": 2, "punishFlag": 0,
        "s3KeyFlag": "1812345678-0", "storageNode": "m16", "createAt": time, "updateAt": time, "thumbnail": "",
        "downloadUrl": ""});
    assert_eq!(first["fileList"][1], entry);
    assert_eq!(names(&list("page=2&orderBy=file_name&orderDirection=desc").await), ["a"]);
    assert_eq!(names(&list("page=1&orderBy=file_id&orderDirection=asc&trashed=true").await), ["gone"]);
    let refused = client.get("/api/v1/file/list?parentFileId=0&limit=2&page=1&orderBy=name&orderDirection=asc").await;
    assert_refused(&refused, 1, "sim: `orderBy`");
}

#[tokio::test]
async fn the_safe_box_opens_by_its_password() {
    let client = Client::start().await;
    assert_refused(&client.get("/api/v1/safebox/id?password=x").await, 1, "sim: ");
    let path = format!("/api/v1/safebox/id?password={}", client.sim.safebox_password());
    let id = client.get(&path).await["data"]["fileId"].as_i64().unwrap();
    assert_eq!(client.get(&path).await["data"]["fileId"], id);
    assert_ok(&client.post("/upload/v1/file/mkdir", json!({"name": "inside", "parentID": id})).await);
    let inside = client.get(&format!("/api/v2/file/list?parentFileId={id}&limit=10")).await;
    assert_eq!(inside["data"]["fileList"][0]["filename"], "inside");
    assert_eq!(client.get("/api/v2/file/list?parentFileId=0&limit=10").await["data"]["fileList"], json!([]));
}

#[tokio::test]
async fn lenient_mode_finishes_a_file_that_nobody_asks_for_again() {
    let client = Client::with(small_slices().lenient()).await;
    let bytes = b"0123456789XYZ";
    let created = create(&client, "a", bytes).await;
    let ticket = created["data"]["preuploadID"].as_str().unwrap();
    for (index, slice) in bytes.chunks(10).enumerate() {
        put(&client, ticket, index + 1, slice).await;
    }
    assert_eq!(ask(&client, "upload_complete", ticket).await["data"]["async"], true);
    assert_eq!(client.sim.read("/a").unwrap(), bytes.as_slice());
    client.sim.fault(Fault::on("open/upload_v1.upload_async_result").incomplete());
    assert_eq!(ask(&client, "upload_async_result", ticket).await["data"]["completed"], false);
    let reply = ask(&client, "upload_async_result", ticket).await;
    assert_eq!(reply["data"], json!({"fileID": client.sim.file("/a").unwrap().id, "completed": true}));
}
