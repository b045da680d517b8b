//! Archives of the drive, looked into and unpacked by the calls of the web page.

use std::io::{Cursor, Write};

use pan123_sim::Fault;
use serde_json::{Value, json};
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::client::{assert_ok, assert_refused};
use crate::page::Page;

const UNPACK: &str = "/api/restful/goapi/v1/archive/file/uncompress";

/// A zip as people make them: compressed, with a folder of its own, locked if there is a password.
fn archive(password: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let options =
        if password.is_empty() { plain } else { plain.with_deprecated_encryption(password.as_bytes()).unwrap() };
    writer.add_directory("docs/", plain).unwrap();
    for (name, text) in [("docs/a.txt", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"), ("docs/deep/名.jpg", "b"), ("top.txt", "c")] {
        writer.start_file(name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

async fn look(page: &Page, file: i64, password: &str) -> Value {
    let path = format!("/api/restful/goapi/v1/archive/file/list?fileId={file}&password={password}");
    page.get(&path).await["data"]["taskId"].clone()
}

async fn status(page: &Page, file: i64, task: &Value, kind: i64) -> Value {
    let path = "/api/restful/goapi/v1/archive/file/status";
    page.get(&format!("{path}?fileId={file}&taskId={task}&taskType={kind}")).await["data"].clone()
}

fn paths(page: &Page) -> Vec<String> {
    let mut paths: Vec<String> = page.sim.files().into_iter().map(|file| file.path).collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn an_archive_shows_what_it_holds_and_gives_it() {
    let page = Page::start().await;
    let file = page.sim.put("/a.zip", archive(""));
    let target = page.sim.mkdir("/out");
    let task = look(&page, file, "").await;
    page.sim.fault(Fault::on("web/file.archive_status").task_pending());
    assert_eq!(status(&page, file, &task, 1).await, json!({"state": 1, "list": []}));
    let shown = status(&page, file, &task, 1).await;
    assert_eq!(shown["state"], 2);
    let (docs, top) = (&shown["list"][0], &shown["list"][1]);
    assert_eq!(
        *top,
        json!({"fontId": "5", "fileName": "top.txt", "parentFile": "", "filePath": "top.txt", "fileSize": 1, "fileType": 0,
            "createTime": top["createTime"], "category": 0, "childFiles": null})
    );
    assert_eq!((&docs["filePath"], &docs["fileType"]), (&json!("docs"), &json!(1)));
    assert_eq!(docs["childFiles"][0]["fileSize"], 28);
    let deep = &docs["childFiles"][1]["childFiles"][0];
    assert_eq!((&deep["parentFile"], &deep["category"]), (&json!("docs/deep"), &json!(3)));

    assert_eq!(status(&page, file, &task, 2).await["state"], 0);
    let body = json!({"fileId": file, "password": "", "targetFileId": target, "taskId": task, "list": [docs["childFiles"][1]]});
    let unpacked = page.post(UNPACK, body).await;
    assert_ok(&unpacked);
    assert!(unpacked["data"].is_null());
    assert_eq!(status(&page, file, &task, 2).await, json!({"state": 2, "list": []}));
    assert_eq!(paths(&page), ["/a.zip", "/out/docs/deep/名.jpg"]);
    let body = json!({"fileId": file, "targetFileId": target, "taskId": task, "list": []});
    assert_ok(&page.post(UNPACK, body).await);
    assert_eq!(page.sim.read("/out/docs(1)/a.txt").unwrap(), "a".repeat(28));
    assert_eq!(page.sim.read("/out/top.txt").unwrap(), "c");
}

#[tokio::test]
async fn a_locked_archive_wants_its_password() {
    let page = Page::start().await;
    let file = page.sim.put("/a.zip", archive("key"));
    for wrong in ["", "kez"] {
        let task = look(&page, file, wrong).await;
        assert_eq!(status(&page, file, &task, 1).await, json!({"state": 3, "list": []}), "{wrong}");
        let body = json!({"fileId": file, "targetFileId": 0, "taskId": task, "list": []});
        assert_refused(&page.post(UNPACK, body).await, 1, "sim: the archive was not read");
    }
    let task = look(&page, file, "key").await;
    assert_eq!(status(&page, file, &task, 1).await["state"], 2);
    let unpack = |password: &str| {
        page.post(UNPACK, json!({"fileId": file, "password": password, "targetFileId": 0, "taskId": task, "list": []}))
    };
    assert_ok(&unpack("kez").await);
    assert_eq!(status(&page, file, &task, 2).await["state"], 3);
    assert_eq!(paths(&page), ["/a.zip"]);
    assert_ok(&unpack("key").await);
    assert_eq!(status(&page, file, &task, 2).await["state"], 2);
    assert_eq!(page.sim.read("/top.txt").unwrap(), "c");
}

#[tokio::test]
async fn what_is_no_zip_fails_and_what_is_not_there_is_refused() {
    let page = Page::start().await;
    let (file, folder) = (page.sim.put("/a.rar", "Rar!"), page.sim.mkdir("/d"));
    let task = look(&page, file, "").await;
    assert_eq!(status(&page, file, &task, 1).await["state"], 3);
    let list = "/api/restful/goapi/v1/archive/file/list";
    assert_refused(&page.get(&format!("{list}?fileId=5")).await, 5066, "");
    assert_refused(&page.get(&format!("{list}?fileId={folder}")).await, 400, "sim: ");
    let path = "/api/restful/goapi/v1/archive/file/status";
    assert_refused(&page.get(&format!("{path}?fileId={file}&taskId=5")).await, 1, "sim: unknown taskId");
    assert_refused(&page.get(&format!("{path}?fileId={folder}&taskId={task}")).await, 1, "sim: unknown taskId");
    assert_refused(&page.get(&format!("{path}?fileId={file}&taskId={task}&taskType=3")).await, 400, "sim: ");
    let file = page.sim.put("/b.zip", archive(""));
    let task = look(&page, file, "").await;
    let body = |list: Value| json!({"fileId": file, "targetFileId": 0, "taskId": task, "list": list});
    assert_refused(&page.post(UNPACK, body(json!([{"filePath": "../a"}]))).await, 400, "sim: ");
    assert_refused(&page.post(UNPACK, body(json!([{"path": "top.txt"}]))).await, 400, "sim: ");
    assert_refused(&page.post(UNPACK, body(json!(["top.txt"]))).await, 400, "sim: ");
    page.sim.fault(Fault::on("web/file.archive_uncompress").task_fails());
    assert_ok(&page.post(UNPACK, body(json!([]))).await);
    assert_eq!(status(&page, file, &task, 2).await["state"], 3);
    assert_eq!(page.sim.files().len(), 2);
}
