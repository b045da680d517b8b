//! Offline downloads.

use pan123_sim::Fault;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::client::{Client, assert_refused};

async fn status(client: &Client, started: &Value) -> Value {
    client.get(&format!("/api/v1/offline/download/process?taskID={}", started["data"]["taskID"])).await["data"].clone()
}

#[tokio::test]
async fn an_address_becomes_a_file() {
    let client = Client::start().await;
    let folder = client.sim.mkdir("/d");
    let body = json!({"url": "https://example.org/a/film.mp4?x=1", "dirID": folder});
    let started = client.post("/api/v1/offline/download", body).await;
    client.sim.fault(Fault::on("open/offline.process").task_pending());
    assert_eq!(status(&client, &started).await, json!({"process": 42.5, "status": 0}));
    assert_eq!(status(&client, &started).await, json!({"process": 100, "status": 2}));
    assert_eq!(client.sim.read("/d/film.mp4").unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn without_a_folder_files_go_to_one_of_their_own() {
    let client = Client::start().await;
    client.post("/api/v1/offline/download", json!({"url": "http://example.org/", "fileName": "a.jpg"})).await;
    assert_eq!(client.sim.files()[0].path, "/来自:离线下载/a.jpg");
    for body in [
        json!({"url": "ftp://example.org/a"}),
        json!({"url": "magnet:x"}),
        json!({"url": "http://e.org/a", "dirID": 0}),
    ] {
        assert_refused(&client.post("/api/v1/offline/download", body).await, 1, "sim: ");
    }
    assert_refused(&client.get("/api/v1/offline/download/process?taskID=5").await, 1, "sim: ");
}

#[tokio::test]
async fn a_task_can_fail_and_calls_back() {
    let client = Client::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("http://{}/done", listener.local_addr().unwrap());
    client.sim.fault(Fault::on("open/offline.download").task_fails());
    let body = json!({"url": "http://example.org/a", "callBackUrl": callback});
    let started = client.post("/api/v1/offline/download", body).await;
    assert_eq!(status(&client, &started).await["status"], 1);
    assert!(client.sim.files().is_empty());
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut told).await.unwrap(), 0);
    }
    let told = String::from_utf8(told).unwrap();
    assert!(told.starts_with("POST /done HTTP/1.1\r\n"), "{told}");
    let body: Value = serde_json::from_str(told.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body, json!({"url": "http://example.org/a", "status": 1, "failReason": "sim: scripted", "fileID": 0}));
}

#[tokio::test]
async fn with_quirks_the_callback_has_the_reasons_other_name() {
    let client = Client::with(pan123_sim::Simulator::builder().quirks(true)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("http://{}/", listener.local_addr().unwrap());
    client.post("/api/v1/offline/download", json!({"url": "http://example.org/a", "callBackUrl": callback})).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut told).await.unwrap(), 0);
    }
    assert!(String::from_utf8(told).unwrap().contains(r#""fileReason":"""#));
}
