//! Offline downloads by the calls of the web page.

use std::time::Duration;

use pan123_sim::{Fault, Simulator};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, read};
use crate::page::Page;

const RESOLVE: &str = "/api/v2/offline_download/task/resolve";
const SUBMIT: &str = "/api/v2/offline_download/task/submit";
const LIST: &str = "/api/offline_download/task/list";
const SEED: &str = "/api/offline_download/upload/seed";
const LINK: &str = "https://example.com/a.iso";

async fn resolve(page: &Page, urls: &str) -> Value {
    page.post(RESOLVE, json!({"urls": urls})).await["data"]["list"].clone()
}

/// Queues all that a link leads to; gives the task.
async fn queue(page: &Page, folder: i64) -> i64 {
    let found = resolve(page, LINK).await[0].clone();
    let body = json!({"resource_list": [{"resource_id": found["id"], "select_file_id": [1]}], "upload_dir": folder});
    let queued = page.post(SUBMIT, body).await;
    assert_eq!(queued["data"]["task_list"][0]["result"], 0, "{queued}");
    queued["data"]["task_list"][0]["task_id"].as_i64().unwrap()
}

async fn listed(page: &Page, states: Value) -> Value {
    page.post(LIST, json!({"current_page": 1, "page_size": 100, "status_arr": states})).await["data"].clone()
}

async fn first(page: &Page) -> Value {
    listed(page, json!([0, 1, 2, 3, 4])).await["list"][0].clone()
}

async fn slow() -> Page {
    let page = Page::with(Simulator::builder().offline_time(Duration::from_secs(8))).await;
    page.sim.set_clock(1_767_196_800);
    page
}

async fn seed(page: &Page, torrent: &str) -> Value {
    let part = Part::bytes(torrent.as_bytes().to_vec()).file_name("a.torrent");
    let form = Form::new().part("upload-torrent", part);
    read(page.request(Method::POST, SEED).multipart(form).send().await.unwrap()).await
}

#[tokio::test]
async fn a_link_becomes_a_file_in_the_folder_when_its_time_is_over() {
    let page = slow().await;
    let folder = page.sim.mkdir("/docs");
    let found = resolve(&page, LINK).await;
    let id = found[0]["id"].as_i64().unwrap();
    let size = 1 << 20;
    assert_eq!(
        found,
        json!([{"result": 0, "id": id, "type": "http", "name": "a.iso", "size": size, "err_code": 0, "err_msg": "",
            "files": [{"id": 1, "name": "a.iso", "size": size}]}])
    );
    let task = queue(&page, folder).await;
    page.sim.advance(Duration::from_secs(2));
    let running = json!({
        "task_id": task, "name": "a.iso", "status": 0, "size": size, "downloaded": size / 4, "progress": 25,
        "speed": size / 8, "type": "http", "third_task_id": "", "upload_idr": folder, "upload_name": "docs",
    });
    assert_eq!(listed(&page, json!([0, 1, 2, 3])).await, json!({"has_run": true, "total": 1, "list": [running]}));
    assert!(page.sim.files().is_empty());
    assert_eq!(page.post("/api/offline_download/task/status", json!({})).await["data"]["speed"], size / 8);
    page.sim.advance(Duration::from_secs(6));
    // It is there whether or not anybody asks for the task.
    assert_eq!(page.sim.file("/docs/a.iso").unwrap().size, size as u64);
    let done = first(&page).await;
    assert_eq!(
        (&done["status"], &done["progress"], &done["downloaded"], &done["speed"]),
        (&json!(2), &json!(100), &json!(size), &json!(0))
    );
    assert_eq!(listed(&page, json!([0])).await, json!({"has_run": false, "total": 0, "list": []}));
}

#[tokio::test]
async fn without_a_folder_files_go_to_the_one_of_offline_downloads_and_names_stay_apart() {
    let page = Page::start().await;
    for _ in 0..2 {
        let id = resolve(&page, LINK).await[0]["id"].clone();
        let body = json!({"resource_list": [{"resource_id": id, "select_file_id": [1]}]});
        assert_ok(&page.post(SUBMIT, body).await);
    }
    let paths: Vec<String> = page.sim.files().into_iter().map(|file| file.path).collect();
    assert_eq!(paths, ["/来自:离线下载/a.iso", "/来自:离线下载/a(1).iso"]);
}

#[tokio::test]
async fn only_the_first_of_several_links_is_resolved_and_five_are_too_many() {
    let page = Page::start().await;
    let found = resolve(&page, &format!("{LINK}\nhttps://example.com/b")).await;
    assert_eq!((&found[0]["result"], &found[1]["result"]), (&json!(0), &json!(1)));
    assert_eq!((&found[1]["err_code"], &found[1]["id"], &found[1]["files"]), (&json!(3), &json!(0), &json!([])));
    let five = [LINK; 5].join("\n");
    assert_refused(&page.post(RESOLVE, json!({"urls": five})).await, 5252, "");
    for link in ["ftp://example.com/a", "text", "magnet:?dn=a", "magnet:?xt=urn:btih:12"] {
        let found = resolve(&page, link).await;
        assert_eq!((&found[0]["result"], &found[0]["err_code"]), (&json!(1), &json!(1)), "{link}");
        assert!(found[0]["err_msg"].as_str().unwrap().starts_with("sim: "));
    }
    page.sim.fault(Fault::on("web/offline.resolve").task_fails());
    assert_eq!(resolve(&page, LINK).await[0]["result"], 1);
    for body in [json!({}), json!({"urls": ""}), json!({"urls": [LINK]}), json!({"url": LINK})] {
        assert_refused(&page.post(RESOLVE, body).await, 400, "sim: ");
    }
}

#[tokio::test]
async fn what_cannot_be_queued_fails_by_itself() {
    let page = Page::start().await;
    let id = resolve(&page, LINK).await[0]["id"].clone();
    let item = |resource: &Value, files: Value| json!({"resource_id": resource, "select_file_id": files});
    let list = json!([item(&json!(5), json!([1])), item(&id, json!([])), item(&id, json!([2])), item(&id, json!([1]))]);
    let queued = page.post(SUBMIT, json!({"resource_list": list, "upload_dir": 0})).await;
    assert_ok(&queued);
    let results: Vec<&Value> =
        queued["data"]["task_list"].as_array().unwrap().iter().map(|task| &task["result"]).collect();
    assert_eq!(results, [1, 1, 1, 0]);
    assert_eq!(queued["data"]["task_list"][0], json!({"task_id": 0, "result": 1, "resource_id": 5}));
    assert_eq!(page.sim.files().len(), 1);
    assert_refused(&page.post(SUBMIT, json!({"resource_list": [], "upload_dir": 0})).await, 400, "sim: ");
    let body = json!({"resource_list": [item(&id, json!([1]))], "upload_dir": 5});
    assert_refused(&page.post(SUBMIT, body).await, 5066, "");
    let body = json!({"resource_list": [{"resourceId": 1, "select_file_id": [1]}]});
    assert_refused(&page.post(SUBMIT, body).await, 400, "resourceId");
}

#[tokio::test]
async fn a_torrent_is_known_by_its_hash_once_it_was_uploaded() {
    let page = Page::start().await;
    let folder = page.sim.mkdir("/d");
    let files = "ld6:lengthi5e4:pathl3:sub1:aeed6:lengthi7e4:pathl1:beee";
    let torrent = format!("d8:announce1:x4:infod5:files{files}4:name4:pack12:piece lengthi16384eee");
    let uploaded = seed(&page, &torrent).await;
    assert_ok(&uploaded);
    let hash = uploaded["data"]["info_hash"].as_str().unwrap();
    assert_eq!(hash.len(), 40);
    let found = page.post(RESOLVE, json!({"info_hash": hash})).await["data"]["list"][0].clone();
    assert_eq!((&found["type"], &found["name"], &found["size"]), (&json!("bt"), &json!("pack"), &json!(12)));
    assert_eq!(found["files"], json!([{"id": 1, "name": "sub/a", "size": 5}, {"id": 2, "name": "b", "size": 7}]));
    let magnet = resolve(&page, &format!("magnet:?xt=urn:btih:{}&dn=x", hash.to_uppercase())).await;
    assert_eq!(magnet[0]["name"], "pack");
    let body = json!({"resource_list": [{"resource_id": found["id"], "select_file_id": [1]}], "upload_dir": folder});
    assert_ok(&page.post(SUBMIT, body).await);
    let stored: Vec<_> = page.sim.files().into_iter().map(|file| (file.path, file.size)).collect();
    assert_eq!(stored, [("/d/pack/sub/a".to_owned(), 5)]);
    let unknown = page.post(RESOLVE, json!({"info_hash": "0".repeat(40)})).await;
    assert_eq!(unknown["data"]["list"][0]["result"], 1);
    assert_refused(&seed(&page, "no torrent").await, 400, "sim: ");
    let form = Form::new().part("torrent", Part::bytes(torrent.into_bytes()).file_name("a"));
    let reply = page.request(Method::POST, SEED).multipart(form).send().await.unwrap();
    assert_refused(&read(reply).await, 400, "sim: ");
}

#[tokio::test]
async fn a_torrent_of_many_bytes_is_there_at_once() {
    let page = Page::start().await;
    let size = 1_u64 << 40;
    let uploaded = seed(&page, &format!("d4:infod6:lengthi{size}e4:name5:a.isoee")).await;
    let found = page.post(RESOLVE, json!({"info_hash": uploaded["data"]["info_hash"]})).await;
    let resource = &found["data"]["list"][0];
    let body = json!({"resource_list": [{"resource_id": resource["id"], "select_file_id": [1]}], "upload_dir": 0});
    assert_ok(&page.post(SUBMIT, body).await);
    assert_eq!(page.sim.file("/a.iso").unwrap().size, size);
    assert_eq!(first(&page).await["progress"], 100);
}

#[tokio::test]
async fn a_magnet_that_nobody_knows_is_one_file() {
    let page = Page::start().await;
    let found = resolve(&page, &format!("magnet:?xt=urn:btih:{}&dn=film.mkv", "a".repeat(40))).await;
    assert_eq!(found[0]["files"], json!([{"id": 1, "name": "film.mkv", "size": 1 << 20}]));
}

#[tokio::test]
async fn a_task_is_stopped_resumed_and_deleted() {
    let page = slow().await;
    let folder = page.sim.mkdir("/d");
    let task = queue(&page, folder).await;
    let abort =
        |stop: bool| page.post("/api/offline_download/task/abort", json!({"task_ids": [task], "is_abort": stop}));
    assert_ok(&abort(true).await);
    page.sim.advance(Duration::from_secs(60));
    assert_eq!(first(&page).await["status"], 4);
    assert_ok(&abort(false).await);
    page.sim.advance(Duration::from_secs(7));
    assert_eq!(first(&page).await["status"], 0);
    let delete = |body: Value| page.post("/api/offline_download/task/delete", body);
    assert_ok(&delete(json!({"task_ids": [task], "status_arr": []})).await);
    page.sim.advance(Duration::from_secs(60));
    assert!(page.sim.files().is_empty() && first(&page).await.is_null());
    assert_refused(&delete(json!({"task_ids": [task]})).await, 1, "sim: unknown task_ids");
    assert_refused(&delete(json!({"task_ids": []})).await, 400, "sim: ");
    assert_refused(&abort(true).await, 1, "sim: unknown task_ids");
    queue(&page, folder).await;
    page.sim.advance(Duration::from_secs(8));
    assert_ok(&delete(json!({"task_ids": [], "status_arr": [2]})).await);
    assert!(first(&page).await.is_null() && page.sim.file("/d/a.iso").is_some());
}

#[tokio::test]
async fn a_task_fails_and_can_be_tried_again() {
    let page = Page::start().await;
    let folder = page.sim.mkdir("/d");
    page.sim.fault(Fault::on("web/offline.submit").task_fails());
    let task = queue(&page, folder).await;
    page.sim.fault(Fault::on("web/offline.list").task_pending());
    assert_eq!(first(&page).await["status"], 0);
    page.sim.fault(Fault::on("web/offline.list").task_status(3));
    assert_eq!(first(&page).await["status"], 3);
    assert_eq!(first(&page).await["status"], 1);
    let body = json!({"task_ids": [], "is_abort": false, "all": true});
    assert_ok(&page.post("/api/offline_download/task/abort", body).await);
    assert_eq!((&first(&page).await["status"], &first(&page).await["task_id"]), (&json!(2), &json!(task)));
    assert!(page.sim.file("/d/a.iso").is_some());
    for body in [
        json!({"current_page": 0, "page_size": 100, "status_arr": [0]}),
        json!({"current_page": 1, "page_size": 101, "status_arr": [0]}),
        json!({"current_page": 1, "page_size": 100}),
        json!({"current_page": 1, "page_size": 100, "status_arr": [5]}),
        json!({"current_page": "1", "page_size": 100, "status_arr": []}),
    ] {
        assert_refused(&page.post(LIST, body).await, 400, "sim: ");
    }
}

#[tokio::test]
async fn a_folder_that_is_gone_by_then_makes_the_task_fail() {
    let page = slow().await;
    let folder = page.sim.mkdir("/d");
    queue(&page, folder).await;
    let body = json!({"driveId": 0, "operation": true, "fileTrashInfoList": [{"FileId": folder}]});
    assert_ok(&page.post("/api/file/trash", body).await);
    page.sim.advance(Duration::from_secs(8));
    assert_eq!(first(&page).await["status"], 1);
}

#[tokio::test]
async fn working_clients_are_understood() {
    let page = Page::lenient().await;
    let found = page.post(RESOLVE, json!({"urls": format!("{LINK}\n")})).await["data"]["list"][0].clone();
    // The Go drivers send ids as they read them, and one client leaves the choice of files out.
    let body = json!({"resource_list": [{"resource_id": found["id"].to_string()}], "upload_dir": "0"});
    let queued = page.post(SUBMIT, body).await;
    let task = queued["data"]["task_list"][0]["task_id"].clone();
    assert_eq!(page.sim.files()[0].path, "/a.iso");
    let all = json!({"current_page": "1", "page_size": 500, "status_arr": [0, 1, 2, 3, 4, 5]});
    assert_eq!(page.post(LIST, all).await["data"]["total"], 1);
    assert_ok(&page.post("/api/offline_download/task/delete", json!({"task_ids": task})).await);
    let form = Form::new().part("Upload-Torrent", Part::bytes(b"d4:infod6:lengthi1e4:name1:aee".to_vec()));
    assert_ok(&read(page.request(Method::POST, SEED).multipart(form).send().await.unwrap()).await);
}
