//! Saving entries of a share into one's own drive.

use pan123_sim::{Fault, ShareOptions, Simulator};
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused};
use crate::visitor::Visitor;

const SAVE: &str = "/b/api/restful/goapi/v1/file/copy/save";

fn current(row: &Value, target: i64) -> Value {
    json!({
        "fileID": row["FileId"], "fileName": row["FileName"], "size": row["Size"], "etag": row["Etag"],
        "type": row["Type"], "parentFileID": target, "driveID": 0,
    })
}

fn legacy(row: &Value, target: i64) -> Value {
    json!({
        "file_id": row["FileId"], "file_name": row["FileName"], "etag": row["Etag"], "size": row["Size"],
        "parent_file_id": target, "drive_id": 0, "type": row["Type"],
    })
}

fn save(key: &str, items: Value) -> Value {
    json!({"shareKey": key, "sharePwd": null, "currentLevel": 0, "superAdmin": null, "fileList": items})
}

async fn shared(visitor: &Visitor) -> (String, Vec<Value>, i64) {
    visitor.sim.put("/films/a/b.txt", "x");
    visitor.sim.put("/c.txt", "hello");
    let key = visitor.sim.share(&["/films", "/c.txt"], ShareOptions::default());
    let rows = visitor.rows(&key).await;
    (key, rows, visitor.sim.mkdir("/mine"))
}

#[tokio::test]
async fn files_and_whole_folders_are_saved_by_a_task() {
    let mut visitor = Visitor::with(Simulator::builder().task_polls(2)).await;
    visitor.log_in();
    let (key, rows, target) = shared(&visitor).await;
    let items: Vec<Value> = rows.iter().map(|row| current(row, target)).collect();
    let started = visitor.post(SAVE, save(&key, json!(items))).await;
    assert_ok(&started);
    let path = format!("{SAVE}/get?taskID={}", started["data"]["taskID"]);
    let state = async || visitor.get(&path).await["data"].clone();
    assert_eq!(state().await["status"], 0);
    assert_eq!(state().await["status"], 1);
    assert_eq!(state().await, json!({"status": 2, "currentCount": 2}));
    assert_eq!(visitor.sim.read("/mine/films/a/b.txt").unwrap(), "x");
    assert_eq!(visitor.sim.read("/mine/c.txt").unwrap(), "hello");
    assert_eq!(visitor.sim.shares()[0].saves, 2);
}

#[tokio::test]
async fn saving_wants_a_login_and_every_field_as_it_was_listed() {
    let mut visitor = Visitor::start().await;
    let (key, rows, target) = shared(&visitor).await;
    let good = current(&rows[1], target);
    assert_refused(&visitor.post(SAVE, save(&key, json!([good]))).await, 401, "token");
    visitor.log_in();
    for (name, value) in [
        ("fileName", json!("other")),
        ("size", json!(1)),
        ("etag", json!("")),
        ("type", json!(1)),
        ("driveID", json!(1)),
        ("fileID", json!("x")),
        ("file_id", json!(5)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert_refused(&visitor.post(SAVE, save(&key, json!([bad]))).await, 400, "sim: ");
    }
    assert_refused(&visitor.post(SAVE, save(&key, json!([]))).await, 400, "sim: ");
    let mut nowhere = good.clone();
    nowhere["parentFileID"] = json!(5);
    assert_refused(&visitor.post(SAVE, save(&key, json!([nowhere]))).await, 5066, "");
    assert!(visitor.sim.file("/mine/c.txt").is_none());
    assert_refused(&visitor.get(&format!("{SAVE}/get?taskID=5")).await, 1, "sim: unknown taskID");
}

#[tokio::test]
async fn a_save_can_fail_or_hide_its_task() {
    let mut visitor = Visitor::start().await;
    visitor.log_in();
    let (key, rows, target) = shared(&visitor).await;
    let body = save(&key, json!([current(&rows[1], target)]));
    visitor.sim.fault(Fault::on("share/share.save").task_fails());
    let started = visitor.post(SAVE, body.clone()).await;
    let state = visitor.get(&format!("{SAVE}/get?taskID={}", started["data"]["taskID"])).await;
    assert_eq!(state["data"]["status"], 3);
    assert!(visitor.sim.file("/mine/c.txt").is_none());
    visitor.sim.fault(Fault::on("share/share.save").no_task_id());
    assert_eq!(visitor.post(SAVE, body).await["data"], json!({}));
    assert!(visitor.sim.file("/mine/c.txt").is_some());
}

#[tokio::test]
async fn the_older_call_spells_everything_differently_and_has_no_task() {
    let mut visitor = Visitor::start().await;
    visitor.log_in();
    let (key, rows, target) = shared(&visitor).await;
    let path = "/b/api/file/copy/async";
    let body = |item: &Value| json!({"share_key": key, "share_pwd": "", "current_level": 1, "event": "transfer", "file_list": [item]});
    let good = legacy(&rows[1], target);
    let saved = visitor.post(path, body(&good)).await;
    assert_ok(&saved);
    assert!(saved["data"].is_null());
    assert_eq!(visitor.sim.read("/mine/c.txt").unwrap(), "hello");
    let mut sizeless = good.clone();
    sizeless.as_object_mut().unwrap().remove("size");
    assert_refused(&visitor.post(path, body(&sizeless)).await, 5050, "");
    assert_refused(&visitor.post(path, body(&current(&rows[1], target))).await, 400, "sim: ");
    let mut wrong = body(&good);
    wrong["event"] = json!("save");
    assert_refused(&visitor.post(path, wrong).await, 1, "sim: `event`");
}

#[tokio::test]
async fn the_traffic_pack_is_shown_to_its_owner_only() {
    let mut visitor = Visitor::start().await;
    assert_refused(&visitor.get("/b/api/share/traffic-info").await, 401, "token");
    visitor.log_in();
    assert_ok(&visitor.get("/b/api/share/traffic-info").await);
}

#[tokio::test]
async fn tokens_of_the_two_apis_are_not_mixed() {
    let mut visitor = Visitor::start().await;
    let web = visitor.sim.web_token();
    let info = visitor.http.get(format!("{}/api/v1/user/info", visitor.sim.urls().open));
    let reply = info.header("Platform", "open_platform").bearer_auth(web).send().await.unwrap();
    assert_refused(&crate::client::read(reply).await, 401, "");
    let body = json!({"clientID": visitor.sim.client_id(), "clientSecret": visitor.sim.client_secret()});
    let url = format!("{}/api/v1/access_token", visitor.sim.urls().open);
    let reply = visitor.http.post(url).header("Platform", "open_platform").json(&body).send().await.unwrap();
    visitor.token = crate::client::read(reply).await["data"]["accessToken"].as_str().unwrap().to_owned();
    assert_refused(&visitor.get("/b/api/share/traffic-info").await, 401, "");
}
