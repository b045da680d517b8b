//! The account's own shares, by the calls of the web page.

use std::time::Duration;

use pan123_sim::ShareOptions;
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused};
use crate::page::Page;
use crate::visitor::Visitor;

const CREATE: &str = "/api/share/create";
const LIST: &str = "/api/share/list?limit=100&next=0";
const FOREVER: &str = "9999-12-31T23:59:59+08:00";

fn share(id: i64, more: Value) -> Value {
    let mut body = json!({"driveId": 0, "fileIdList": id.to_string(), "shareName": "report", "expiration": FOREVER});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_share_is_made_listed_and_read_by_somebody_else() {
    let page = Page::start().await;
    page.sim.set_clock(1_767_196_800);
    let id = page.sim.put("/report.pdf", "x");
    let made = page.post(CREATE, share(id, json!({"sharePwd": "ab12", "event": "shareCreate"}))).await;
    assert_ok(&made);
    let key = made["data"]["ShareKey"].as_str().unwrap().to_owned();
    let url = format!("{}/s/{key}", page.sim.urls().share);
    assert_eq!(
        page.get(LIST).await["data"],
        json!({"Next": "-1", "Total": 1, "InfoList": [{
            "ShareId": made["data"]["ShareId"], "ShareKey": key, "SharePwd": "ab12", "ShareName": "report",
            "FileIdList": id.to_string(), "Expiration": FOREVER, "Expired": false, "Status": 0, "DownloadCount": 0,
            "PreviewCount": 0, "SaveCount": 0, "CreateAt": "2026-01-01T00:00:00+08:00",
            "UpdateAt": "2026-01-01T00:00:00+08:00", "ShareUrl": url, "shareLinkList": {"list": [url]},
        }]})
    );
    let visitor = Visitor { sim: page.sim, http: page.http, token: String::new() };
    assert_eq!(visitor.list(&key, "SharePwd=nope").await["code"], 5103);
    let listed = visitor.list(&key, "SharePwd=AB12").await;
    assert_eq!(listed["data"]["InfoList"][0]["FileName"], "report.pdf");
}

#[tokio::test]
async fn a_share_ends_when_it_was_to_and_is_changed_until_then() {
    let page = Page::start().await;
    page.sim.set_clock(1_767_196_800);
    let id = page.sim.put("/a", "x");
    let made = page.post(CREATE, share(id, json!({"expiration": "2026-01-01T01:00:00+08:00"}))).await;
    let body = json!({"shareId": made["data"]["ShareId"], "shareName": "later", "expiration": "2026-01-01T02:00:00+08:00",
        "trafficSwitch": 4, "trafficLimitSwitch": 2, "trafficLimit": 9});
    assert_ok(&page.put("/api/restful/goapi/v1/share/update", body).await);
    page.sim.advance(Duration::from_secs(3600));
    let listed = page.get(LIST).await["data"]["InfoList"][0].clone();
    assert_eq!((&listed["ShareName"], &listed["Expired"]), (&json!("later"), &json!(false)));
    assert_eq!((page.sim.shares()[0].traffic_switch, page.sim.shares()[0].traffic_limit), (4, Some(9)));
    page.sim.advance(Duration::from_secs(3600));
    assert_eq!(page.get(LIST).await["data"]["InfoList"][0]["Expired"], true);
    assert_ok(&page.get("/api/share/clean_expire?event=shareClear").await);
    assert_eq!(page.get(LIST).await["data"], json!({"Next": "-1", "Total": 0, "InfoList": []}));
}

#[tokio::test]
async fn the_cursor_leads_through_all_shares_the_newest_first() {
    let page = Page::start().await;
    page.sim.mkdir("/d");
    for name in ["a", "b", "c"] {
        page.sim.share(&["/d"], ShareOptions::default().name(name));
    }
    let mut names = Vec::new();
    let mut next = "0".to_owned();
    while next != "-1" {
        let listed = page.get(&format!("/api/share/list?limit=2&next={next}&orderBy=fileId&orderDirection=desc")).await;
        assert_eq!(listed["data"]["Total"], 3);
        let rows = listed["data"]["InfoList"].as_array().unwrap();
        names.extend(rows.iter().map(|row| row["ShareName"].as_str().unwrap().to_owned()));
        next = listed["data"]["Next"].as_str().unwrap().to_owned();
    }
    assert_eq!(names, ["c", "b", "a"]);
    assert_eq!(page.get("/api/share/list?limit=2&next=0&SearchData=b").await["data"]["Total"], 1);
    for query in
        ["limit=101&next=0", "limit=100", "limit=1&next=x", "limit=1&next=0&orderBy=size", "limit=1&next=0&x=1"]
    {
        assert_refused(&page.get(&format!("/api/share/list?{query}")).await, 400, "sim: ");
    }
}

#[tokio::test]
async fn a_cancelled_share_is_gone_for_everybody() {
    let page = Page::start().await;
    let id = page.sim.put("/a", "x");
    let made = page.post(CREATE, share(id, json!({}))).await["data"].clone();
    let body = json!({"driveId": 0, "event": "shareCancel", "isPayShare": false, "shareInfoList": [{"shareId": made["ShareId"]}]});
    assert_refused(&page.post("/api/share/delete", json!({"shareInfoList": [{"ShareId": 1}]})).await, 400, "ShareId");
    let mut paid = body.clone();
    paid["isPayShare"] = json!(true);
    assert_refused(&page.post("/api/share/delete", paid).await, 1, "sim: unknown shareId");
    assert_ok(&page.post("/api/share/delete", body.clone()).await);
    assert_eq!(page.get(LIST).await["data"]["Total"], 0);
    assert_refused(&page.post("/api/share/delete", body).await, 1, "sim: unknown shareId");
    let visitor = Visitor { sim: page.sim, http: page.http, token: String::new() };
    assert_eq!(visitor.list(made["ShareKey"].as_str().unwrap(), "").await["code"], 5104);
}

#[tokio::test]
async fn paid_shares_have_a_list_of_their_own() {
    let page = Page::start().await;
    let id = page.sim.put("/a", "x");
    let made = page.post(CREATE, share(id, json!({"isPayShare": true, "payAmount": 990, "isReward": 1}))).await;
    assert_ok(&made);
    assert_eq!(page.get(LIST).await["data"]["Total"], 0);
    let listed = page.get("/api/restful/goapi/v1/share/content/payment/list?limit=100&next=0").await;
    assert_eq!(listed["data"]["InfoList"][0]["ShareId"], made["data"]["ShareId"]);
    assert_eq!((page.sim.shares()[0].price, page.sim.shares()[0].takes_tips), (Some(9.9), true));
}

#[tokio::test]
async fn traffic_commission_and_tips_are_set() {
    let page = Page::start().await;
    let id = page.sim.put("/a", "x");
    let made = page.post(CREATE, share(id, json!({}))).await["data"]["ShareId"].clone();
    let body = json!({"shareId": made, "trafficSwitch": 2});
    assert_ok(&page.put("/api/restful/goapi/v1/share/info", body).await);
    assert_ok(&page.post("/api/share/update", json!({"shareIds": made.to_string(), "noLoginStdAmount": 50})).await);
    let body = json!({"ids": [made], "isReward": 1});
    assert_ok(&page.post("/api/restful/goapi/v1/share/reward/status", body).await);
    let stored = page.sim.shares()[0].clone();
    assert_eq!((stored.traffic_switch, stored.guest_price, stored.takes_tips), (2, 50, true));
    assert_ok(&page.get("/api/share/traffic-info").await);
    assert_eq!(page.sim.count("web/share.traffic_info"), 1);
    for (path, body) in [
        ("/api/share/update", json!({"shareIds": [1], "noLoginStdAmount": 0})),
        ("/api/share/update", json!({"ids": "1", "noLoginStdAmount": 0})),
        ("/api/share/update", json!({"shareIds": "1", "noLoginStdAmount": -1})),
        ("/api/restful/goapi/v1/share/reward/status", json!({"ids": [1], "is_reward": 1})),
        ("/api/restful/goapi/v1/share/reward/status", json!({"ids": [1], "isReward": 2})),
    ] {
        assert_refused(&page.post(path, body).await, 400, "sim: ");
    }
    assert_refused(
        &page.put("/api/restful/goapi/v1/share/info", json!({"shareId": 1})).await,
        1,
        "sim: unknown shareId",
    );
}

#[tokio::test]
async fn what_a_share_cannot_be_is_refused() {
    let page = Page::start().await;
    let id = page.sim.put("/a", "x");
    assert_refused(&page.post(CREATE, share(id, json!({"sharePwd": "12345"}))).await, 400, "提取码最大为4位");
    assert_refused(&page.post(CREATE, share(1, json!({}))).await, 5066, "文件不存在");
    for (name, value) in [
        ("driveId", json!(1)),
        ("driveId", json!("0")),
        ("fileIdList", json!([id])),
        ("fileIdList", json!("")),
        ("shareName", json!(" ")),
        ("expiration", json!("")),
        ("expiration", json!("2030-01-01 00:00:00")),
        ("expiration", json!("2020-01-01T00:00:00+08:00")),
        ("isPayShare", json!(true)),
        ("isReward", json!(2)),
        ("trafficSwitch", json!(5)),
        ("trafficLimitSwitch", json!(2)),
        ("shareExpire", json!(7)),
    ] {
        let mut more = json!({});
        more[name] = value.clone();
        assert_refused(&page.post(CREATE, share(id, more)).await, 400, "sim: ");
    }
    assert!(page.sim.shares().is_empty());
    let guest = page.unsigned(reqwest::Method::GET, LIST).send().await.unwrap();
    assert_refused(&crate::client::read(guest).await, 401, "cookie token is empty");
}

#[tokio::test]
async fn working_clients_are_understood() {
    let page = Page::lenient().await;
    let id = page.sim.put("/a", "x");
    for body in [
        json!({"driveId": 0, "fileIdList": [id], "shareName": "a", "expiration": "2099-12-12T08:00:00+08:00"}),
        json!({"driveid": "0", "fileidlist": id, "sharename": "b", "expiration": "2099-12-12 08:00:00", "fillpwdswitch": "1"}),
        json!({"driveId": 0, "fileIdList": format!("{id}, {id}"), "shareName": "c", "expiration": "2099-01-01T00:00:00Z"}),
    ] {
        assert_ok(&page.post(CREATE, body).await);
    }
    let ids: Vec<i64> = page.sim.shares().iter().map(|share| share.id).collect();
    assert_eq!(page.get("/api/share/list?limit=500&next=0&event=shareListFile").await["data"]["Total"], 3);
    assert_ok(&page.post("/api/share/update", json!({"ids": ids, "noLoginStdAmount": "7"})).await);
    assert!(page.sim.shares().iter().all(|share| share.guest_price == 7));
    assert_ok(&page.post("/api/restful/goapi/v1/share/reward/status", json!({"ids": ids, "is_reward": 1})).await);
    let body = json!({"shareInfoList": [{"ShareId": ids[0].to_string()}], "isPayShare": 0});
    assert_ok(&page.post("/api/share/delete", body).await);
    assert_eq!(page.get(LIST).await["data"]["Total"], 2);
}
