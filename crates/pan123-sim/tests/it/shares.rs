//! The account's own shares.

use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused};

const CREATE: &str = "/api/v1/share/create";
const CREATE_PAID: &str = "/api/v1/share/content-payment/create";

fn share(ids: &[i64], more: Value) -> Value {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    let mut body = json!({"shareName": "photos", "shareExpire": 7, "fileIDList": ids.join(",")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_share_is_made_and_listed() {
    let client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    let ids = [client.sim.put("/a", "x"), client.sim.mkdir("/d")];
    let more = json!({"sharePwd": "7kQp", "trafficSwitch": 2, "trafficLimitSwitch": 2, "trafficLimit": 1024});
    let made = client.post(CREATE, share(&ids, more)).await;
    assert_ok(&made);
    let key = made["data"]["shareKey"].as_str().unwrap();
    assert!(key.starts_with("5LF8Vv-"), "{key}");
    let listed = client.get("/api/v1/share/list?limit=100&lastShareId=0").await;
    assert_eq!(
        listed["data"],
        json!({"lastShareId": -1, "shareList": [{
            "shareId": made["data"]["shareID"], "shareKey": key, "shareName": "photos",
            "expiration": "2023-11-22 06:13:20", "expired": 0, "sharePwd": "7kQp", "trafficSwitch": 2,
            "trafficLimitSwitch": 2, "trafficLimit": 1024, "bytesCharge": 0, "previewCount": 0, "downloadCount": 0,
            "saveCount": 0,
        }]})
    );
    assert_eq!(client.sim.shares()[0].file_ids, ids);
    client.sim.set_clock(1_700_000_000 + 7 * 24 * 3600);
    assert_eq!(client.get("/api/v1/share/list?limit=1").await["data"]["shareList"][0]["expired"], 1);
}

#[tokio::test]
async fn a_permanent_share_lies_far_ahead_and_cancelled_ones_show_as_expired() {
    let client = Client::start().await;
    let id = client.sim.put("/a", "x");
    let made = client.post(CREATE, share(&[id], json!({"shareExpire": 0}))).await;
    let listed = || async { client.get("/api/v1/share/list?limit=1").await["data"]["shareList"][0].clone() };
    let shown = listed().await;
    assert_eq!((&shown["expiration"], &shown["sharePwd"]), (&json!("2099-12-31 08:00:00"), &json!("")));
    client.sim.cancel_share(made["data"]["shareKey"].as_str().unwrap());
    assert_eq!(listed().await["expired"], 1);
}

#[tokio::test]
async fn shares_come_in_pages() {
    let client = Client::start().await;
    let id = client.sim.put("/a", "x");
    for _ in 0..5 {
        assert_ok(&client.post(CREATE, share(&[id], json!({}))).await);
    }
    let (mut cursor, mut sizes) = (0, Vec::new());
    while cursor != -1 {
        let page = client.get(&format!("/api/v1/share/list?limit=2&lastShareId={cursor}")).await;
        sizes.push(page["data"]["shareList"].as_array().unwrap().len());
        cursor = page["data"]["lastShareId"].as_i64().unwrap();
    }
    assert_eq!(sizes, [2, 2, 1]);
    for limit in [0, 101] {
        assert_refused(&client.get(&format!("/api/v1/share/list?limit={limit}")).await, 1, "sim: `limit`");
    }
}

#[tokio::test]
async fn what_a_share_may_be_is_checked() {
    let client = Client::start().await;
    let id = client.sim.put("/a", "x");
    let many = vec![id; 101];
    for body in [
        share(&[id], json!({"shareExpire": 2})),
        share(&[id], json!({"shareName": "名".repeat(35)})),
        share(&[id], json!({"shareName": "a/b"})),
        share(&[id], json!({"shareName": " "})),
        share(&[id], json!({"sharePwd": "12345"})),
        share(&[id], json!({"sharePwd": "a+b1"})),
        share(&[id], json!({"trafficSwitch": 0})),
        share(&[id], json!({"trafficLimitSwitch": 0})),
        share(&[id], json!({"trafficLimitSwitch": 2})),
        share(&[id], json!({"fileIDList": [id]})),
        share(&[id], json!({"fileIDList": ""})),
        share(&[id], json!({"fileIDList": format!("{id}, {id}")})),
        share(&[id], json!({"x": 1})),
        share(&many, json!({})),
    ] {
        assert_eq!(client.post(CREATE, body.clone()).await["code"], 1, "{body}");
    }
    assert_refused(&client.post(CREATE, share(&[id, 5], json!({}))).await, 5066, "");
    assert_ok(&client.post(CREATE, share(&many[..100], json!({"shareName": "名".repeat(34)}))).await);
    assert_eq!(client.sim.shares().len(), 1);
}

#[tokio::test]
async fn only_traffic_settings_change_later() {
    let client = Client::start().await;
    let id = client.sim.put("/a", "x");
    let made = client.post(CREATE, share(&[id], json!({}))).await["data"]["shareID"].clone();
    let path = "/api/v1/share/list/info";
    let body = json!({"shareIdList": [made], "trafficSwitch": 3, "trafficLimitSwitch": 2, "trafficLimit": 9});
    let changed = client.put(path, body).await;
    assert_ok(&changed);
    assert!(changed["data"].is_null());
    let stored = client.sim.shares().remove(0);
    assert_eq!((stored.traffic_switch, stored.traffic_limit), (3, Some(9)));
    assert_ok(&client.put(path, json!({"shareIdList": [made], "trafficLimitSwitch": 1})).await);
    assert_eq!((client.sim.shares()[0].traffic_switch, client.sim.shares()[0].traffic_limit), (3, None));
    for body in [
        json!({"shareIdList": [made], "shareName": "b"}),
        json!({"shareIdList": "1,2"}),
        json!({"shareIdList": []}),
        json!({"shareIdList": vec![1; 101]}),
        json!({"shareIdList": [1]}),
    ] {
        assert_refused(&client.put(path, body).await, 1, "sim: ");
    }
    assert_eq!(client.post(path, json!({"shareIdList": [made]})).await["code"], 1);
}

#[tokio::test]
async fn a_paid_share_has_a_price_and_its_own_list() {
    let client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    let id = client.sim.put("/a", "x").to_string();
    let body = json!({"shareName": "course", "fileIDList": id, "payAmount": 10, "isReward": 1, "resourceDesc": "d"});
    let made = client.post(CREATE_PAID, body.clone()).await;
    assert_ok(&made);
    let key = made["data"]["shareKey"].as_str().unwrap();
    client.sim.set_share_price(key, 9.9);
    client.sim.sell_share(key);
    let listed = client.get("/api/v1/share/payment/list?limit=10").await;
    let item = &listed["data"]["shareList"][0];
    assert_eq!((&item["payAmount"], &item["amount"], &item["orderCnt"]), (&json!(9.9), &json!(9.9), &json!(1)));
    assert_eq!(item["createAt"], "2023-11-15 06:13:20");
    assert!(item.get("sharePwd").is_none());
    assert_eq!(client.get("/api/v1/share/list?limit=10").await["data"]["shareList"], json!([]));
    for (name, value) in [
        ("payAmount", json!(0)),
        ("payAmount", json!(1001)),
        ("payAmount", json!(9.9)),
        ("isReward", json!(true)),
        ("shareExpire", json!(1)),
    ] {
        let mut bad = body.clone();
        bad[name] = value;
        assert_refused(&client.post(CREATE_PAID, bad.clone()).await, 1, "sim: ");
    }
}

#[tokio::test]
async fn each_kind_of_share_is_updated_by_its_own_call() {
    let client = Client::start().await;
    let id = client.sim.put("/a", "x").to_string();
    let body = json!({"shareName": "course", "fileIDList": id, "payAmount": 1000});
    let made = client.post(CREATE_PAID, body).await["data"]["shareID"].clone();
    let change = json!({"shareIdList": [made], "trafficSwitch": 4});
    assert_refused(&client.put("/api/v1/share/list/info", change.clone()).await, 1, "sim: unknown shareId");
    assert_ok(&client.put("/api/v1/share/list/payment/info", change).await);
    assert_eq!(client.sim.shares()[0].traffic_switch, 4);
}
