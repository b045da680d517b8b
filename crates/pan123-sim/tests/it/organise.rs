//! Renaming, moving, copying, the way out of the trash, and instant uploads by SHA-1.

use pan123_sim::Fault;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::client::{Client, assert_ok, assert_refused};

async fn trash(client: &Client, ids: &[i64]) {
    assert_ok(&client.post("/api/v1/file/trash", json!({"fileIDs": ids})).await);
}

#[tokio::test]
async fn one_entry_is_renamed_by_put() {
    let client = Client::start().await;
    let id = client.sim.put("/a", "x");
    client.sim.put("/taken", "x");
    let reply = client.put("/api/v1/file/name", json!({"fileId": id, "fileName": "b"})).await;
    assert_ok(&reply);
    assert!(reply["data"].is_null());
    assert_eq!(client.sim.file("/b").unwrap().id, id);
    assert_refused(&client.put("/api/v1/file/name", json!({"fileId": id, "fileName": "taken"})).await, 5060, "");
    assert_refused(&client.put("/api/v1/file/name", json!({"fileId": 5, "fileName": "c"})).await, 5066, "");
    assert_refused(&client.put("/api/v1/file/name", json!({"fileId": id, "fileName": "a/b"})).await, 1, "文件名");
    assert_ok(&client.put("/api/v1/file/name", json!({"fileId": id, "fileName": "b"})).await);
}

#[tokio::test]
async fn a_batch_is_renamed_as_far_as_it_goes() {
    let client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    let client = Client { token: client.new_token().await, ..client };
    let id = client.sim.put("/a", "x");
    let reply = client.post("/api/v1/file/rename", json!({"renameList": [format!("{id}|b"), "5|c"]})).await;
    assert_ok(&reply);
    assert_eq!(reply["data"]["successList"], json!([{"fileID": id, "updateAt": "2023-11-15 06:13:20"}]));
    assert_eq!(reply["data"]["failList"][0]["fileID"], 5);
    let many: Vec<String> = (0..31).map(|number| format!("{id}|{number}")).collect();
    assert_refused(&client.post("/api/v1/file/rename", json!({"renameList": many})).await, 1, "sim: ");
    assert_refused(&client.post("/api/v1/file/rename", json!({"renameList": ["b"]})).await, 1, "sim: ");
}

#[tokio::test]
async fn entries_are_moved_all_or_none() {
    let client = Client::start().await;
    let (a, b) = (client.sim.put("/a", "x"), client.sim.put("/b", "y"));
    let folder = client.sim.mkdir("/d");
    client.sim.put("/d/b", "z");
    let move_to =
        |ids: Vec<i64>, to: i64| client.post("/api/v1/file/move", json!({"fileIDs": ids, "toParentFileID": to}));
    assert_refused(&move_to(vec![a, b], folder).await, 5060, "");
    assert!(client.sim.file("/a").is_some() && client.sim.file("/d/a").is_none());
    assert_ok(&move_to(vec![a], folder).await);
    assert_eq!(client.sim.file("/d/a").unwrap().id, a);
    assert_refused(&move_to(vec![5], folder).await, 5066, "");
    assert_refused(&move_to(vec![b], 5).await, 5066, "");
    assert_refused(&move_to(vec![folder], folder).await, 1, "sim: ");
    assert_ok(&move_to(vec![a], 0).await);
}

#[tokio::test]
async fn a_file_is_copied_at_once() {
    let client = Client::start().await;
    let id = client.sim.put("/a.txt", "x");
    let folder = client.sim.mkdir("/d");
    let body = json!({"fileId": id, "targetDirId": folder, "targetDirID": folder});
    let reply = client.post("/api/v1/file/copy", body.clone()).await;
    let copy = client.sim.file("/d/a.txt").unwrap().id;
    assert_eq!(reply["data"], json!({"sourceFileId": id, "targetFileId": copy}));
    assert_ok(&client.post("/api/v1/file/copy", body).await);
    assert_eq!(client.sim.read("/d/a(1).txt").unwrap(), "x");
    assert_refused(&client.post("/api/v1/file/copy", json!({"fileId": folder, "targetDirId": 0})).await, 1, "sim: ");
    assert_refused(&client.post("/api/v1/file/copy", json!({"fileId": id, "targetDirId": 5})).await, 5066, "");
}

#[tokio::test]
async fn a_folder_is_copied_by_a_task() {
    let client = Client::start().await;
    client.sim.put("/d/e/a", "x");
    let (source, target) = (client.sim.mkdir("/d"), client.sim.mkdir("/t"));
    let reply = client.post("/api/v1/file/async/copy", json!({"fileIds": [source], "targetDirId": target})).await;
    assert_ok(&reply);
    let task = &reply["data"]["taskId"];
    client.sim.fault(Fault::on("open/file.copy_async_process").task_pending());
    let path = format!("/api/v1/file/async/copy/process?taskId={task}");
    assert_eq!(client.get(&path).await["data"], json!({"taskId": task, "status": 1}));
    assert_eq!(client.get(&path).await["data"], json!({"taskId": task, "status": 2}));
    assert_eq!(client.sim.read("/t/d/e/a").unwrap(), "x");
    let doubled = client.request(reqwest::Method::GET, client.open(&path)).json(&json!({"taskId": task})).send().await;
    assert_ok(&doubled.unwrap().json::<Value>().await.unwrap());
    assert_refused(&client.get("/api/v1/file/async/copy/process?taskId=5").await, 1, "sim: ");
}

#[tokio::test]
async fn a_copy_task_can_fail() {
    let client = Client::start().await;
    let (source, target) = (client.sim.put("/a", "x"), client.sim.mkdir("/t"));
    client.sim.fault(Fault::on("open/file.copy_async").task_fails());
    let reply = client.post("/api/v1/file/async/copy", json!({"fileIds": [source], "targetDirId": target})).await;
    let path = format!("/api/v1/file/async/copy/process?taskId={}", reply["data"]["taskId"]);
    assert_eq!(client.get(&path).await["data"]["status"], 3);
    assert!(client.sim.file("/t/a").is_none());
}

#[tokio::test]
async fn a_file_whose_folder_was_deleted_stays_in_the_trash() {
    let client = Client::start().await;
    let (a, b) = (client.sim.put("/d/a", "x"), client.sim.put("/d/b", "y"));
    let folder = client.sim.mkdir("/d");
    trash(&client, &[a]).await;
    trash(&client, &[folder]).await;
    assert_ok(&client.post("/api/v1/file/delete", json!({"fileIDs": [folder]})).await);
    assert!(client.sim.file_by_id(b).is_none());
    let reply = client.post("/api/v1/file/recover", json!({"fileIDs": [a]})).await;
    assert_eq!(reply["data"], json!({"abnormalFileIDs": [a]}));
    assert_ok(&client.post("/api/v1/file/recover/by_path", json!({"fileIDs": [a], "parentFileID": 0})).await);
    assert_eq!(client.sim.read("/a").unwrap(), "x");
}

#[tokio::test]
async fn entries_come_back_from_the_trash() {
    let client = Client::start().await;
    let (a, b) = (client.sim.put("/d/a", "x"), client.sim.put("/b", "y"));
    let folder = client.sim.mkdir("/d");
    trash(&client, &[a, b]).await;
    trash(&client, &[folder]).await;
    let reply = client.post("/api/v1/file/recover", json!({"fileIDs": [a, b]})).await;
    assert_ok(&reply);
    assert_eq!(reply["data"], json!({"abnormalFileIDs": [a]}));
    assert!(client.sim.file("/b").is_some());
    let reply = client.post("/api/v1/file/recover/by_path", json!({"fileIDs": [a], "parentFileID": 0})).await;
    assert_ok(&reply);
    assert!(reply["data"].is_null());
    assert_eq!(client.sim.file("/a").unwrap().id, a);
    let gone = client.post("/api/v1/file/recover/by_path", json!({"fileIDs": [a], "parentFileID": folder})).await;
    assert_refused(&gone, 5066, "");
}

#[tokio::test]
async fn only_what_is_in_the_trash_is_deleted() {
    let client = Client::start().await;
    let (a, b) = (client.sim.put("/d/a", "x"), client.sim.put("/b", "y"));
    trash(&client, &[b]).await;
    let delete = |ids: Vec<i64>| client.post("/api/v1/file/delete", json!({"fileIDs": ids}));
    assert_refused(&delete(vec![b, a]).await, 1, "sim: not in the trash");
    assert_eq!(client.sim.files().len(), 2);
    assert_ok(&delete(vec![b]).await);
    assert!(client.sim.file_by_id(b).is_none());
    assert_refused(&delete(vec![b]).await, 5066, "");
    trash(&client, &[client.sim.mkdir("/d")]).await;
    assert_ok(&delete(vec![client.sim.folders()[0].id]).await);
    assert!(client.sim.files().is_empty());
}

#[tokio::test]
async fn known_content_is_taken_by_its_sha1() {
    let client = Client::start().await;
    client.sim.remember_content("known");
    let sha1 = |bytes: &[u8]| Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let reuse = |sha1: String| {
        let body = json!({"parentFileID": 0, "filename": "a", "sha1": sha1, "size": 5});
        client.post("/upload/v2/file/sha1_reuse", body)
    };
    assert_eq!(reuse(sha1(b"other")).await["data"], json!({"fileID": 0, "reuse": false}));
    let reply = reuse(sha1(b"known")).await;
    assert_eq!(reply["data"], json!({"fileID": client.sim.file("/a").unwrap().id, "reuse": true}));
    assert_refused(&reuse(sha1(b"known")).await, 5060, "");
    assert_refused(&reuse("ab".into()).await, 1, "sim: `sha1`");
}

#[tokio::test]
async fn a_space_that_is_disabled_has_no_links() {
    let client = Client::start().await;
    let id = client.sim.put("/d/a", "x");
    let folder = client.sim.enable_direct_link("/d");
    assert_ok(&client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await);
    let reply = client.post("/api/v1/direct-link/disable", json!({"fileID": folder})).await;
    assert_eq!(reply["data"], json!({"filename": "d"}));
    assert_refused(&client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await, 1, "sim: direct-link space");
}
