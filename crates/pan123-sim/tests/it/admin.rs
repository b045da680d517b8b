//! The admin face.

use pan123_sim::{operations, seeded_md5};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, read};

async fn admin(client: &Client, method: Method, path: &str, body: Value) -> Value {
    let url = format!("{}{path}", client.sim.urls().admin);
    read(client.http.request(method, url).json(&body).send().await.unwrap()).await
}

async fn post(client: &Client, path: &str, body: Value) -> Value {
    admin(client, Method::POST, path, body).await
}

#[tokio::test]
async fn the_clock_is_set_moved_and_let_run() {
    let client = Client::start().await;
    assert_eq!(post(&client, "/clock", json!({"unix": 1000})).await["data"], json!({"unix": 1000}));
    assert_eq!(post(&client, "/clock", json!({"advance": 60})).await["data"], json!({"unix": 1060}));
    assert_eq!(client.sim.now(), 1060);
    assert_ok(&post(&client, "/clock", json!({"run": true})).await);
    assert_refused(&post(&client, "/clock", json!({"unix": "x"})).await, 1, "sim: `unix`");
}

#[tokio::test]
async fn files_are_put() {
    let client = Client::start().await;
    let reply = post(&client, "/files", json!({"path": "/d/a", "size": 100, "seed": 3})).await;
    let id = client.sim.file("/d/a").unwrap().id;
    assert_eq!(reply["data"], json!({"id": id, "md5": seeded_md5(100, 3)}));
    post(&client, "/files", json!({"path": "/d/b", "text": "hello"})).await;
    assert_eq!(client.sim.read("/d/b").unwrap(), "hello");
    assert_refused(&post(&client, "/files", json!({"size": 100})).await, 1, "sim: `path`");
    assert_refused(&post(&client, "/files", json!({"path": "/"})).await, 1, "文件名");
}

#[tokio::test]
async fn faults_are_planned_and_forgotten() {
    let client = Client::start().await;
    let fault = json!({"op": "open/user.info", "nth": 2, "when": "after", "code": 429, "times": 2});
    assert_ok(&post(&client, "/faults", fault).await);
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(client.get("/api/v1/user/info").await["code"].as_i64().unwrap());
    }
    assert_eq!(codes, [0, 429, 429, 0]);
    assert_ok(&post(&client, "/faults", json!({"op": "open/user.info", "drop_answer": true})).await);
    assert!(client.request(Method::GET, client.open("/api/v1/user/info")).send().await.is_err());
    assert_ok(&post(&client, "/faults", json!({"op": "*", "every": true, "status": 503})).await);
    assert_ok(&admin(&client, Method::DELETE, "/faults", json!({})).await);
    assert_ok(&client.get("/api/v1/user/info").await);
    for wrong in
        [json!({}), json!({"op": "x", "when": "never"}), json!({"op": "x", "status": 7}), json!({"op": "x", "oops": 1})]
    {
        assert_refused(&post(&client, "/faults", wrong).await, 1, "sim: ");
    }
}

#[tokio::test]
async fn the_log_is_read_from_where_one_was() {
    let client = Client::start().await;
    client.get("/api/v1/user/info").await;
    let all = admin(&client, Method::GET, "/log", json!({})).await;
    let entry = all["data"]["requests"][0].clone();
    assert_eq!(
        (&entry["operation"], &entry["status"], &entry["code"]),
        (&json!("open/user.info"), &json!(200), &json!(0))
    );
    client.get("/api/v1/file/detail?fileID=5").await;
    let since = admin(&client, Method::GET, &format!("/log?since={}", entry["sequence"]), json!({})).await;
    let requests = since["data"]["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &requests[0]["query"]), (1, &json!([["fileID", "5"]])));
}

#[tokio::test]
async fn a_reset_and_dead_tokens_are_to_be_had() {
    let client = Client::start().await;
    assert_ok(&post(&client, "/tokens/expire", json!({})).await);
    assert_refused(&client.get("/api/v1/user/info").await, 401, "");
    client.sim.put("/a", "x");
    assert_ok(&post(&client, "/reset", json!({})).await);
    assert!(client.sim.files().is_empty());
}

#[tokio::test]
async fn a_qr_session_that_is_not_there_is_said_to_be_so() {
    let client = Client::start().await;
    assert_refused(&post(&client, "/qr/abc", json!({"action": "scan"})).await, 1, "sim: there is no QR session `abc`");
    assert_refused(&post(&client, "/nonsense", json!({})).await, 1, "sim: ");
}

#[tokio::test]
async fn the_web_apis_controls_are_there_too() {
    let client = Client::start().await;
    for (path, body) in [
        ("/storage", json!({"keys": true})),
        ("/downloads", json!({"form": "url_safe_params"})),
        ("/faults", json!({"op": "web/file.list", "rows": 3})),
        ("/faults", json!({"op": "web/file.list", "total_off": -1})),
        ("/faults", json!({"op": "web/*", "login_challenge": true})),
    ] {
        assert_ok(&post(&client, path, body).await);
    }
    let sign_in = format!("{}/api/user/sign_in", client.sim.urls().login);
    let body = json!({"passport": client.sim.username(), "password": client.sim.password(), "remember": true});
    let request = client.http.post(sign_in).header("platform", "web").header("app-version", "3").json(&body);
    assert_eq!(crate::client::read(request.send().await.unwrap()).await["code"], 7012);
    for (path, body) in [("/downloads", json!({"form": "x"})), ("/storage", json!({"keys": 1}))] {
        assert_eq!(post(&client, path, body).await["code"], 1);
    }
}

#[test]
fn operations_are_named_once() {
    let mut names: Vec<&str> = operations().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.contains(&"open/file.rename_batch") && names.iter().all(|name| name.contains('/')));
}
