//! Image hosting: folders, uploads, imports, public addresses.

use pan123_sim::{Fault, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, md5, read, small_slices};

async fn create(client: &Client, name: &str, bytes: &[u8]) -> Value {
    let body = json!({"parentFileID": "", "filename": name, "etag": md5(bytes), "size": bytes.len(), "type": 1});
    client.post("/upload/v1/oss/file/create", body).await
}

async fn put_slice(client: &Client, ticket: &str, number: usize, bytes: &[u8]) -> u16 {
    let body = json!({"preuploadID": ticket, "sliceNo": number});
    let told = client.post("/upload/v1/oss/file/get_upload_url", body).await;
    let url = told["data"]["presignedURL"].as_str().unwrap_or_else(|| panic!("{told}"));
    client.http.put(url).body(bytes.to_vec()).send().await.unwrap().status().as_u16()
}

async fn complete(client: &Client, ticket: &str) -> Value {
    client.post("/upload/v1/oss/file/upload_complete", json!({"preuploadID": ticket})).await
}

async fn detail(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/v1/oss/file/detail?fileID={id}")).await
}

#[tokio::test]
async fn an_image_goes_up_and_is_served_at_its_public_address() {
    let client = Client::start().await;
    let created = create(&client, "logo.jpg", b"pixels").await;
    assert_eq!((&created["data"]["fileID"], &created["data"]["reuse"]), (&json!(""), &json!(false)));
    assert_eq!(created["data"]["sliceSize"], 104_857_600);
    let ticket = created["data"]["preuploadID"].as_str().unwrap();
    assert!(ticket.contains('/') && ticket.ends_with("=="), "{ticket}");
    assert_eq!(put_slice(&client, ticket, 1, b"pixels").await, 200);
    let parts = client.post("/upload/v1/oss/file/list_upload_parts", json!({"preuploadID": ticket})).await;
    assert_eq!(parts["data"], json!({"parts": null}));
    let done = complete(&client, ticket).await;
    assert_eq!((&done["data"]["async"], &done["data"]["completed"]), (&json!(false), &json!(true)));
    let id = done["data"]["fileID"].as_str().unwrap();
    let shown = detail(&client, id).await["data"].clone();
    assert_eq!((&shown["fileId"], &shown["type"], &shown["extension"]), (&json!(id), &json!(0), &json!("jpg")));
    assert_eq!((&shown["parentFilename"], &shown["totalTraffic"]), (&json!("img_oss"), &json!(0)));
    let reply = client.http.get(shown["downloadURL"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(reply.bytes().await.unwrap(), "pixels");
    assert_eq!(detail(&client, id).await["data"]["totalTraffic"], 6);
    assert_eq!(client.sim.count("open/oss.put_slice"), 1);
    assert_eq!(client.sim.count("cdn/image"), 1);
}

#[tokio::test]
async fn several_slices_are_listed_and_finished_later() {
    let client = Client::with(small_slices()).await;
    let bytes = b"fifteen bytes..";
    let created = create(&client, "a.png", bytes).await;
    assert_eq!(created["data"]["sliceSize"], 10);
    let ticket = created["data"]["preuploadID"].as_str().unwrap();
    put_slice(&client, ticket, 1, &bytes[..10]).await;
    assert_refused(&complete(&client, ticket).await, 1, "sim: slice 2 has not arrived");
    put_slice(&client, ticket, 2, &bytes[10..]).await;
    let parts = client.post("/upload/v1/oss/file/list_upload_parts", json!({"preuploadID": ticket})).await;
    assert_eq!(parts["data"]["parts"][1], json!({"partNumber": "2", "size": 5, "etag": md5(&bytes[10..])}));
    let done = complete(&client, ticket).await;
    assert_eq!(done["data"], json!({"async": true, "completed": false, "fileID": ""}));
    let poll = async || client.post("/upload/v1/oss/file/upload_async_result", json!({"preuploadID": ticket})).await;
    client.sim.fault(Fault::on("open/oss.upload_async_result").incomplete());
    assert_eq!(poll().await["data"], json!({"completed": false, "fileID": ""}));
    let polled = poll().await;
    assert_eq!(polled["data"]["completed"], true);
    assert_eq!(polled["data"]["fileID"], json!(client.sim.images()[0].id));
}

#[tokio::test]
async fn tickets_of_images_and_files_are_not_mixed() {
    let client = Client::start().await;
    let created = create(&client, "a.png", b"x").await;
    let ticket = json!({"preuploadID": created["data"]["preuploadID"]});
    assert_refused(&client.post("/upload/v1/file/upload_complete", ticket).await, 1, "unknown preuploadID");
    let file = client.create("a.png", b"x").await;
    let ticket = json!({"preuploadID": file["data"]["preuploadID"]});
    assert_refused(&client.post("/upload/v1/oss/file/upload_complete", ticket).await, 1, "unknown preuploadID");
}

#[tokio::test]
async fn known_content_is_reused_and_the_same_image_overwritten() {
    let client = Client::start().await;
    client.sim.put("/a.png", "pixels");
    let first = create(&client, "a.png", b"pixels").await;
    assert_eq!(first["data"]["reuse"], true);
    assert!(first["data"].get("preuploadID").is_none() && first["data"].get("sliceSize").is_none());
    let second = create(&client, "b.png", b"pixels").await;
    assert_eq!(first["data"]["fileID"], second["data"]["fileID"]);
    let images = client.sim.images();
    assert_eq!((images.len(), images[0].name.as_str()), (1, "b.png"));
}

#[tokio::test]
async fn what_an_image_may_be_is_checked() {
    let client = Client::start().await;
    let good = json!({"parentFileID": "", "filename": "a.png", "etag": md5(b"x"), "size": 1, "type": 1});
    for (name, value) in [
        ("filename", json!("a.mp4")),
        ("filename", json!("png")),
        ("filename", json!("a/b.png")),
        ("size", json!(100 * 1024 * 1024 + 1)),
        ("size", json!(-1)),
        ("type", json!(2)),
        ("parentFileID", json!(0)),
        ("etag", json!("x")),
        ("duplicate", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert_eq!(client.post("/upload/v1/oss/file/create", bad.clone()).await["code"], 1, "{bad}");
    }
    let mut elsewhere = good.clone();
    elsewhere["parentFileID"] = json!("nowhere");
    assert_refused(&client.post("/upload/v1/oss/file/create", elsewhere).await, 5066, "");
    let mut largest = good;
    largest["size"] = json!(100 * 1024 * 1024);
    assert_ok(&client.post("/upload/v1/oss/file/create", largest).await);
}

#[tokio::test]
async fn folders_have_text_ids_and_unique_names() {
    let client = Client::start().await;
    let mkdir = async |name: Value, parent: &str| {
        client.post("/upload/v1/oss/file/mkdir", json!({"name": name, "parentID": parent, "type": 1})).await
    };
    let made = mkdir(json!("icons"), "").await;
    assert_eq!(made["data"]["list"][0]["filename"], "icons");
    let id = made["data"]["list"][0]["dirID"].as_str().unwrap();
    assert_ok(&mkdir(json!("small"), id).await);
    assert_refused(&mkdir(json!("icons"), "").await, 1, "重名");
    assert_refused(&mkdir(json!(["x"]), "").await, 1, "sim: ");
    assert_refused(&mkdir(json!("x"), "0").await, 5066, "");
    let lenient = Client::lenient().await;
    let body = json!({"name": ["a", "b"], "parentID": "", "type": 1});
    assert_eq!(lenient.post("/upload/v1/oss/file/mkdir", body).await["data"]["list"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn lists_have_a_text_cursor_that_ends_in_minus_one() {
    let client = Client::start().await;
    for name in ["a", "b", "c"] {
        client.sim.put_image(&format!("/{name}.png"), name);
    }
    let list = async |body: Value| client.post("/api/v1/oss/file/list", body).await["data"].clone();
    let first = list(json!({"limit": 2, "type": 1})).await;
    assert_eq!(first["fileList"].as_array().unwrap().len(), 2);
    let cursor = &first["lastFileId"];
    let rest = list(json!({"parentFileId": "", "limit": 2, "lastFileId": cursor, "type": 1})).await;
    assert_eq!((&rest["lastFileId"], &rest["fileList"][0]["filename"]), (&json!("-1"), &json!("c.png")));
    let root = first["fileList"][0]["parentFileId"].as_str().unwrap();
    assert!(!root.is_empty());
    let again = list(json!({"parentFileId": root, "limit": 100, "type": 1})).await;
    assert_eq!(again["fileList"].as_array().unwrap().len(), 3);
    let none = list(json!({"limit": 100, "type": 1, "endTime": 5})).await;
    assert_eq!(none, json!({"lastFileId": "-1", "fileList": []}));
    for body in [
        json!({"limit": 0, "type": 1}),
        json!({"limit": 101, "type": 1}),
        json!({"limit": 1}),
        json!({"limit": 1, "type": 1, "lastFileId": 0}),
    ] {
        assert_refused(&client.post("/api/v1/oss/file/list", body).await, 1, "sim: ");
    }
}

#[tokio::test]
async fn images_move_and_go() {
    let client = Client::start().await;
    let image = client.sim.put_image("/a.png", "x");
    client.sim.put_image("/icons/b.png", "y");
    let folder = client.sim.images().into_iter().find(|one| one.folder).unwrap().id;
    let to = async |target: &str| {
        client.post("/api/v1/oss/file/move", json!({"fileIDs": [image], "toParentFileID": target})).await
    };
    let moved = to(&folder).await;
    assert_ok(&moved);
    assert!(moved["data"].is_null());
    assert_eq!(detail(&client, &image).await["data"]["parentFilename"], "icons");
    assert_refused(&to("").await, 1, "sim: `toParentFileID`");
    let root = detail(&client, &folder).await["data"]["parentFileId"].as_str().unwrap().to_owned();
    assert_ok(&to(&root).await);
    let delete = async |ids: Value| client.post("/api/v1/oss/file/delete", json!({"fileIDs": ids})).await;
    assert_ok(&delete(json!([image, "unknown"])).await);
    assert_refused(&detail(&client, &image).await, 5066, "");
    assert_refused(&delete(json!([image])).await, 5066, "");
    for ids in [json!([1]), json!([]), json!(vec!["x"; 101])] {
        assert_refused(&delete(ids).await, 1, "sim: ");
    }
}

#[tokio::test]
async fn images_are_copied_from_the_drive() {
    let client = Client::with(Simulator::builder().task_polls(2)).await;
    let (a, broken) = (client.sim.put("/d/a.png", "x"), client.sim.put("/d/e/broken.png", "y"));
    client.sim.put("/d/film.mp4", "z");
    client.sim.break_image(broken);
    let folder = client.sim.mkdir("/d").to_string();
    let copy = async |ids: Value| {
        let body = json!({"fileIDs": ids, "toParentFileID": "", "sourceType": 1, "type": 1});
        client.post("/api/v1/oss/source/copy", body).await
    };
    let started = copy(json!([folder])).await;
    let task = started["data"]["taskID"].as_str().unwrap();
    let status = async || client.get(&format!("/api/v1/oss/source/copy/process?taskID={task}")).await["data"].clone();
    assert_eq!(status().await, json!({"status": 4, "failMsg": ""}));
    assert_eq!(status().await["status"], 1);
    assert_eq!(status().await["status"], 2);
    let names: Vec<String> = client.sim.images().into_iter().map(|image| image.name).collect();
    assert_eq!(names, ["a.png"]);
    let failed = async |page: u32| {
        client.get(&format!("/api/v1/oss/source/copy/fail?taskID={task}&limit=100&page={page}")).await["data"].clone()
    };
    assert_eq!(failed(1).await, json!({"total": 1, "list": [{"fileId": broken, "filename": "broken.png"}]}));
    assert_eq!(failed(2).await, json!({"total": 1, "list": null}));
    assert_refused(&copy(json!([a])).await, 1, "sim: ");
    for _ in 0..3 {
        assert_ok(&copy(json!([a.to_string()])).await);
    }
    assert_refused(&copy(json!([a.to_string()])).await, 1, "sim: 3 tasks");
}

#[tokio::test]
async fn a_copy_from_the_drive_can_fail() {
    let client = Client::start().await;
    let id = client.sim.put("/a.png", "x").to_string();
    client.sim.fault(Fault::on("open/oss.copy_from_disk").task_fails());
    let body = json!({"fileIDs": [id], "toParentFileID": "", "sourceType": 1, "type": 1});
    let task = client.post("/api/v1/oss/source/copy", body).await["data"]["taskID"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/oss/source/copy/process?taskID={task}");
    assert_eq!(client.get(&path).await["data"], json!({"status": 3, "failMsg": "sim: scripted"}));
    client.sim.fault(Fault::on("open/oss.copy_process").task_status(77));
    assert_eq!(client.get(&path).await["data"]["status"], 77);
    assert!(client.sim.images().is_empty());
}

#[tokio::test]
async fn an_address_becomes_an_image() {
    let client = Client::start().await;
    let start = async |body: Value| client.post("/api/v1/oss/offline/download", body).await;
    let started = start(json!({"url": "https://example.org/a.png?x", "type": 1})).await;
    let task = &started["data"]["taskID"];
    assert!(task.is_i64());
    let status = client.get(&format!("/api/v1/oss/offline/download/process?taskID={task}")).await;
    assert_eq!(status["data"], json!({"process": 100, "status": 2}));
    assert!(client.sim.images().iter().any(|image| image.path == "/来自:离线下载/a.png"));
    for body in [
        json!({"url": "ftp://example.org/a.png", "type": 1}),
        json!({"url": "https://example.org/a", "type": 1}),
        json!({"url": "https://example.org/a.png", "fileName": "a", "type": 1}),
        json!({"url": "https://example.org/a.png", "businessDirID": "", "type": 1}),
        json!({"url": "https://example.org/a.png", "businessDirID": 5, "type": 1}),
        json!({"url": "https://example.org/a.png", "dirID": "x", "type": 1}),
        json!({"url": "https://example.org/a.png"}),
    ] {
        assert_refused(&start(body).await, 1, "sim: ");
    }
}

#[tokio::test]
async fn presigned_slices_take_no_credentials() {
    let client = Client::start().await;
    let created = create(&client, "a.png", b"x").await;
    let body = json!({"preuploadID": created["data"]["preuploadID"], "sliceNo": 1});
    let told = client.post("/upload/v1/oss/file/get_upload_url", body).await;
    let url = told["data"]["presignedURL"].as_str().unwrap().to_owned();
    let reply = client.request(Method::PUT, url).body("x").send().await.unwrap();
    assert_eq!(reply.status(), 400);
    assert_refused(&read(reply).await, 1, "sim: the header");
}

#[tokio::test]
async fn a_rejected_image_has_a_high_status_and_no_bytes() {
    let client = Client::start().await;
    let id = client.sim.put_image("/a.png", "x");
    client.sim.reject_image(&id);
    let shown = detail(&client, &id).await["data"].clone();
    assert!(shown["status"].as_i64().unwrap() > 100);
    assert_eq!(client.http.get(shown["downloadURL"].as_str().unwrap()).send().await.unwrap().status(), 404);
}
