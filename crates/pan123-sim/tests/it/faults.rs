//! Every fault, before a call, after it and in the middle.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use pan123_sim::{Fault, Simulator};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, read, small_slices};

const MKDIR: &str = "open/file.mkdir";
const CONTENT: &str = "open/file.download_content";

fn was_made(client: &Client) -> bool {
    client.sim.file("/new").is_some()
}

#[tokio::test]
async fn a_plain_fault_is_a_gateway_page_and_nothing_is_applied() {
    let client = Client::start().await;
    let reply = client.mkdir_with(Fault::on(MKDIR)).await.unwrap();
    assert_eq!(reply.status(), 500);
    assert!(reply.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(reply.text().await.unwrap().contains("500 Internal Server Error"));
    assert!(!was_made(&client));
    assert_ok(&read(client.mkdir_with(Fault::on("open/file.trash")).await.unwrap()).await);
    assert_eq!(client.sim.faults_fired(), 1);
}

#[tokio::test]
async fn after_means_applied_with_another_answer() {
    let client = Client::start().await;
    let reply = client.mkdir_with(Fault::on(MKDIR).status(503).header("Retry-After", "7").after()).await.unwrap();
    assert_eq!(
        (reply.status(), reply.headers()["retry-after"].as_bytes()),
        (StatusCode::SERVICE_UNAVAILABLE, b"7".as_slice())
    );
    assert!(was_made(&client));
}

#[tokio::test]
async fn a_code_comes_in_an_envelope() {
    let client = Client::start().await;
    let reply = client.mkdir_with(Fault::on(MKDIR).code(429)).await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_refused(&read(reply).await, 429, "操作频繁");
    let reply = client.mkdir_with(Fault::on(MKDIR).code(1).message("请慢一点").status(502)).await.unwrap();
    assert_eq!(reply.status(), 502);
    assert_refused(&read(reply).await, 1, "请慢一点");
    assert!(!was_made(&client));
}

#[tokio::test]
async fn a_header_alone_leaves_the_answer_as_it_is() {
    let client = Client::start().await;
    let reply = client.mkdir_with(Fault::on(MKDIR).header("X-Test", "1")).await.unwrap();
    assert_eq!(reply.headers()["x-test"], "1");
    assert_ok(&read(reply).await);
    assert!(was_made(&client));
}

#[tokio::test]
async fn a_redirect_is_a_status_with_a_header() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put("/a", "0123456789")).await;
    client.sim.fault(Fault::on(CONTENT).status(302).header("Location", url.as_str()));
    let reply = client.http.get(&url).send().await.unwrap();
    assert_eq!(reply.text().await.unwrap(), "0123456789");
    assert_eq!(client.sim.count(CONTENT), 2);
}

#[tokio::test]
async fn a_code_may_be_text() {
    let client = Client::start().await;
    let reply = read(client.mkdir_with(Fault::on(MKDIR).code(403).code_text("403")).await.unwrap()).await;
    assert_eq!((&reply["code"], was_made(&client)), (&json!("403"), false));
    let reply = read(client.mkdir_with(Fault::on(MKDIR).code_text("429")).await.unwrap()).await;
    assert_eq!((&reply["code"], was_made(&client)), (&json!("429"), false));
    let reply = read(client.mkdir_with(Fault::on(MKDIR).code_text("0").after()).await.unwrap()).await;
    assert_eq!((&reply["code"], was_made(&client)), (&json!("0"), true));
    assert!(reply["data"]["dirID"].is_i64());
}

#[tokio::test]
async fn a_body_may_be_anything() {
    let client = Client::start().await;
    let reply = client.mkdir_with(Fault::on(MKDIR).body("text/html", "<html>")).await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.text().await.unwrap().as_str()), (200, "<html>"));
    let reply = client.mkdir_with(Fault::on(MKDIR).body("application/json", "{\"code\":0,\"da")).await.unwrap();
    assert!(reply.json::<Value>().await.is_err());
}

#[tokio::test]
async fn a_lost_answer_was_applied() {
    let client = Client::start().await;
    assert!(client.mkdir_with(Fault::on(MKDIR).drop_answer()).await.is_err());
    assert!(was_made(&client));
    let requests = client.sim.requests();
    assert_eq!((requests.len(), requests[0].status), (1, None));
}

#[tokio::test]
async fn a_dropped_request_was_not() {
    let client = Client::start().await;
    assert!(client.mkdir_with(Fault::on(MKDIR).drop_answer().before()).await.is_err());
    assert!(!was_made(&client));
}

#[tokio::test]
async fn an_answer_is_cut_in_the_middle() {
    let client = Client::start().await;
    let reply = client.mkdir_with(Fault::on(MKDIR).during()).await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.bytes().await.is_err());
    assert!(was_made(&client));
}

#[tokio::test]
async fn a_download_is_cut_after_exactly_so_many_bytes() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put_seeded("/big", 5_000_000, 1)).await;
    for bytes in [0, 1, 300_000, 4_999_999] {
        client.sim.fault(Fault::on(CONTENT).cut_after(bytes));
        let mut reply = client.http.get(&url).send().await.unwrap();
        assert_eq!(reply.content_length(), Some(5_000_000));
        let mut arrived = 0;
        while let Ok(Some(chunk)) = reply.chunk().await {
            arrived += chunk.len() as u64;
        }
        assert_eq!(arrived, bytes);
    }
}

#[tokio::test]
async fn an_upload_is_cut_while_it_arrives() {
    let client = Client::with(Simulator::builder().slice_size(1 << 20)).await;
    let bytes = vec![7; 1 << 20];
    let ticket = client.create("a", &bytes).await["data"]["preuploadID"].as_str().unwrap().to_owned();
    client.sim.fault(Fault::on("open/upload_v2.slice").during());
    assert!(client.try_slice(&ticket, 1, &bytes).await.is_err());
    let cut = client.sim.requests().pop().unwrap();
    assert!(cut.body_len >= 1 << 19 && cut.status.is_none(), "{}", cut.body_len);
    assert_refused(&client.complete(&ticket).await, 1, "sim: slice 1 has not arrived");
    assert_ok(&client.slice(&ticket, 1, &bytes).await);
    assert_ok(&client.complete(&ticket).await);
}

#[tokio::test]
async fn a_stalled_call_sends_nothing() {
    let client = Client::start().await;
    let call = client.mkdir_with(Fault::on(MKDIR).stall());
    tokio::select! {
        _ = call => panic!("the call was answered"),
        () = client.sim.when_stalled() => {}
    }
    assert!(!was_made(&client));
}

#[tokio::test]
async fn a_stalled_download_sends_so_many_bytes() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put_seeded("/big", 500_000, 1)).await;
    client.sim.fault(Fault::on(CONTENT).stall_after(1000));
    let mut reply = client.http.get(&url).send().await.unwrap();
    let mut arrived = 0;
    while arrived < 1000 {
        arrived += reply.chunk().await.unwrap().unwrap().len();
    }
    client.sim.when_stalled().await;
    assert_eq!(arrived, 1000);
}

#[tokio::test]
async fn an_answer_stalls_half_way() {
    let client = Client::start().await;
    let mut reply = client.mkdir_with(Fault::on(MKDIR).during().stall()).await.unwrap();
    let length = reply.content_length().unwrap();
    let mut arrived = 0;
    while arrived < length / 2 {
        arrived += reply.chunk().await.unwrap().unwrap().len() as u64;
    }
    client.sim.when_stalled().await;
    assert_eq!(arrived, length / 2);
    assert!(was_made(&client));
}

#[tokio::test]
async fn a_stalled_upload_is_never_read_to_its_end() {
    let client = Client::with(Simulator::builder().slice_size(1 << 20)).await;
    let bytes = vec![7; 1 << 20];
    let ticket = client.create("a", &bytes).await["data"]["preuploadID"].as_str().unwrap().to_owned();
    client.sim.fault(Fault::on("open/upload_v2.slice").during().stall());
    tokio::select! {
        _ = client.try_slice(&ticket, 1, &bytes) => panic!("the slice was answered"),
        () = client.sim.when_stalled() => {}
    }
}

#[tokio::test]
async fn stalled_connections_end_with_the_simulator() {
    let client = Client::start().await;
    client.sim.fault(Fault::on(MKDIR).stall());
    let url = client.open("/upload/v1/file/mkdir");
    let (http, Client { sim, token, .. }) = (client.http.clone(), client);
    let body = json!({"name": "new", "parentID": 0});
    let call = tokio::spawn(http.post(url).header("platform", "open_platform").bearer_auth(token).json(&body).send());
    sim.when_stalled().await;
    drop(sim);
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn a_length_may_be_a_lie() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put("/a", "0123456789")).await;
    client.sim.fault(Fault::on(CONTENT).content_length(12));
    let mut reply = client.http.get(&url).send().await.unwrap();
    assert_eq!(reply.content_length(), Some(12));
    assert_eq!(reply.chunk().await.unwrap().unwrap(), "0123456789");
    assert!(reply.chunk().await.is_err());
    client.sim.fault(Fault::on(CONTENT).content_length(4));
    assert_eq!(client.http.get(&url).send().await.unwrap().text().await.unwrap(), "0123");
}

#[tokio::test]
async fn a_bit_is_flipped() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put("/a", "0123456789")).await;
    client.sim.fault(Fault::on(CONTENT).corrupt());
    assert_eq!(client.http.get(&url).send().await.unwrap().text().await.unwrap(), "0123446789");
}

#[tokio::test]
async fn a_delay_changes_nothing_else() {
    let client = Client::start().await;
    let reply = client.mkdir_with(Fault::on(MKDIR).delay(Duration::from_millis(1))).await.unwrap();
    assert_ok(&read(reply).await);
    assert!(was_made(&client));
}

#[tokio::test]
async fn an_answer_is_sent_twice() {
    let client = Client::start().await;
    client.sim.fault(Fault::on("open/user.info").duplicate());
    let address = client.sim.urls().open.strip_prefix("http://").unwrap().to_owned();
    let token = client.token.clone();
    let answers = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "GET /api/v1/user/info HTTP/1.1\r\nHost: {address}\r\nPlatform: open_platform\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        answers
    });
    let answers = answers.await.unwrap();
    let half = answers.len() / 2;
    assert!(answers.starts_with("HTTP/1.1 200 OK\r\n") && answers[..half] == answers[half..], "{answers}");
}

#[tokio::test]
async fn faults_can_go_on_for_ever_and_be_forgotten() {
    let client = Client::with(small_slices()).await;
    client.sim.fault(Fault::on("open/*").every().code(401));
    for _ in 0..3 {
        assert_refused(&client.get("/api/v1/user/info").await, 401, "");
    }
    client.sim.clear_faults();
    assert_ok(&client.get("/api/v1/user/info").await);
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_addresses() {
    let client = Client::start().await;
    client.sim.put("/a", "x");
    client.sim.set_clock(5);
    client.sim.fault(Fault::on("*").every());
    client.sim.reset();
    assert!(client.sim.files().is_empty() && client.sim.requests().is_empty() && client.sim.now() > 1_000_000_000);
    assert_refused(&client.get("/api/v1/user/info").await, 401, "");
}

#[tokio::test]
async fn a_test_can_wait_for_requests() {
    let client = Client::start().await;
    let both = async { tokio::join!(client.get("/api/v1/user/info"), client.get("/api/v1/user/info")) };
    let waiting = client.sim.when_count("open/user.info", 2);
    tokio::join!(both, waiting);
    client.sim.when_count("open/user.info", 1).await;
}

#[tokio::test]
async fn every_request_is_recorded() {
    let client = Client::start().await;
    client.get("/api/v1/file/detail?fileID=5").await;
    client.post("/upload/v1/file/mkdir", json!({"name": "名", "parentID": 0})).await;
    client.get("/nowhere").await;
    let requests = client.sim.requests();
    let seen: Vec<_> =
        requests.iter().map(|request| (request.operation.as_deref(), request.status, request.code)).collect();
    let expected = [
        (Some("open/file.detail"), Some(200), Some(5066)),
        (Some(MKDIR), Some(200), Some(0)),
        (None, Some(404), Some(1)),
    ];
    assert_eq!(seen, expected);
    assert_eq!(requests[0].query("fileID"), Some("5"));
    assert_eq!(requests[0].header("Platform"), Some("open_platform"));
    assert_eq!(requests[1].json().unwrap()["name"], "名");
    assert_eq!((requests[1].face.name(), requests[1].method.as_str()), ("open", "POST"));
    assert_eq!(client.sim.count(MKDIR), 1);
    assert!(requests[0].sequence < requests[1].sequence);
}
