//! Listing, looking up, folders and trash.

use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, md5};

#[tokio::test]
async fn a_listed_entry_has_the_members_of_the_reference() {
    let mut client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    client.token = client.new_token().await;
    let folder = client.sim.mkdir("/docs");
    let file = client.sim.put("/a.mp4", "abc");
    let reply = client.get("/api/v2/file/list?parentFileId=0&limit=100").await;
    assert_ok(&reply);
    let time = "2023-11-15 06:13:20";
    let expected = json!({"lastFileId": -1, "fileList": [
        {"fileId": folder, "filename": "docs", "parentFileId": 0, "type": 1, "etag": "", "size": 0, "category": 0, "status": 0,
         "punishFlag": 0, "s3KeyFlag": "1812345678-0", "storageNode": "m0", "trashed": 0, "createAt": time, "updateAt": time},
        {"fileId": file, "filename": "a.mp4", "parentFileId": 0, "type": 0, "etag": md5(b"abc"), "size": 3, "category": 2,
         "status": 2, "punishFlag": 0, "s3KeyFlag": "1812345678-0", "storageNode": "m16", "trashed": 0, "createAt": time,
         "updateAt": time},
    ]});
    assert_eq!(reply["data"], expected);
    // Order of members matters to no client, but the casing does.
    let infos = client.post("/api/v1/file/infos", json!({"fileIds": [file, 1, folder]})).await;
    assert_eq!(infos["data"]["fileList"], json!([expected["fileList"][1], expected["fileList"][0]]));
}

#[tokio::test]
async fn a_list_is_walked_by_its_cursor_to_minus_one() {
    let client = Client::start().await;
    for number in 0..201 {
        client.sim.put(&format!("/d/{number}"), "x");
    }
    let folder = client.sim.mkdir("/d");
    let (mut last, mut sizes, mut names) = (0, Vec::new(), Vec::new());
    while last != -1 {
        let reply = client.get(&format!("/api/v2/file/list?parentFileId={folder}&limit=100&lastFileId={last}")).await;
        let entries = reply["data"]["fileList"].as_array().unwrap().clone();
        last = reply["data"]["lastFileId"].as_i64().unwrap();
        sizes.push(entries.len());
        names.extend(entries.into_iter().map(|entry| entry["filename"].as_str().unwrap().to_owned()));
    }
    assert_eq!(sizes, [100, 100, 1]);
    assert_eq!(names, (0..201).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_that_is_just_full_is_the_last() {
    let client = Client::start().await;
    for number in 0..3 {
        client.sim.put(&format!("/{number}"), "x");
    }
    let reply = client.get("/api/v2/file/list?parentFileId=0&limit=3").await;
    assert_eq!(reply["data"]["lastFileId"], -1);
    let reply = client.get("/api/v2/file/list?parentFileId=0&limit=2").await;
    assert_ne!(reply["data"]["lastFileId"], -1);
}

#[tokio::test]
async fn trashed_entries_stay_in_the_list_marked() {
    let client = Client::start().await;
    let id = client.sim.put("/a", "x");
    let reply = client.post("/api/v1/file/trash", json!({"fileIDs": [id]})).await;
    assert_ok(&reply);
    assert!(reply["data"].is_null());
    let reply = client.get("/api/v2/file/list?parentFileId=0&limit=10&trashed=false").await;
    assert_eq!(reply["data"]["fileList"][0]["trashed"], 1);
    assert_eq!(client.get(&format!("/api/v1/file/detail?fileID={id}")).await["data"]["trashed"], 1);
    assert_refused(&client.get(&format!("/api/v1/file/download_info?fileId={id}")).await, 5066, "");
    assert_refused(&client.post("/api/v1/file/trash", json!({"fileIDs": [7]})).await, 5066, "");
}

#[tokio::test]
async fn searching_looks_through_the_whole_drive() {
    let client = Client::start().await;
    client.sim.put("/a/report.txt", "x");
    client.sim.put("/b/old report.txt", "x");
    let found = |reply: Value| reply["data"]["fileList"].as_array().unwrap().len();
    assert_eq!(found(client.get("/api/v2/file/list?parentFileId=0&limit=10&searchData=report.txt").await), 2);
    assert_eq!(
        found(client.get("/api/v2/file/list?parentFileId=0&limit=10&searchData=report.txt&searchMode=1").await),
        1
    );
    assert_eq!(found(client.get("/api/v2/file/list?parentFileId=0&limit=10&searchData=").await), 2);
}

#[tokio::test]
async fn detail_says_file_id_in_capitals_and_adds_up_folders() {
    let mut client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    client.token = client.new_token().await;
    client.sim.put("/d/a", "abc");
    client.sim.put("/d/e/b", "de");
    let id = client.sim.mkdir("/d");
    let reply = client.get(&format!("/api/v1/file/detail?fileID={id}")).await;
    let expected = json!({"fileID": id, "filename": "d", "type": 1, "size": 5, "etag": "", "status": 0, "parentFileID": 0,
        "createAt": "2023-11-15 06:13:20", "trashed": 0});
    assert_eq!(reply["data"], expected);
    assert_refused(&client.get("/api/v1/file/detail?fileID=1").await, 5066, "");
}

#[tokio::test]
async fn a_folder_is_made_once() {
    let client = Client::start().await;
    let reply = client.post("/upload/v1/file/mkdir", json!({"name": "d", "parentID": 0})).await;
    assert_ok(&reply);
    assert_eq!(reply["data"], json!({"dirID": client.sim.file("/d").unwrap().id}));
    assert_refused(
        &client.post("/upload/v1/file/mkdir", json!({"name": "d", "parentID": 0})).await,
        1,
        "该目录下文件夹重名",
    );
    assert_refused(&client.post("/upload/v1/file/mkdir", json!({"name": "e", "parentID": 5})).await, 5066, "");
    for name in ["", " ", "a/b", "a:b", &"a".repeat(300)] {
        assert_refused(
            &client.post("/upload/v1/file/mkdir", json!({"name": name, "parentID": 0})).await,
            1,
            "文件名要小于256个字符",
        );
    }
}

#[tokio::test]
async fn ids_are_wider_than_32_bits() {
    let client = Client::start().await;
    assert!(client.sim.put("/a", "x") > i64::from(u32::MAX));
}

#[tokio::test]
async fn a_list_of_a_folder_that_is_gone_is_refused() {
    let client = Client::start().await;
    let id = client.sim.mkdir("/d");
    client.post("/api/v1/file/trash", json!({"fileIDs": [id]})).await;
    assert_refused(&client.get(&format!("/api/v2/file/list?parentFileId={id}&limit=10")).await, 5066, "");
    assert_refused(&client.get("/api/v2/file/list?parentFileId=77&limit=10").await, 5066, "");
}

#[tokio::test]
async fn batches_hold_at_most_100_ids() {
    let client = Client::start().await;
    let ids = |count: i64| json!({"fileIDs": (1..=count).collect::<Vec<i64>>()});
    assert_refused(&client.post("/api/v1/file/trash", ids(101)).await, 1, "sim: ");
    assert_refused(&client.post("/api/v1/file/trash", ids(0)).await, 1, "sim: ");
}
