//! Access tokens, and the account they belong to.

use std::time::Duration;

use pan123_sim::Simulator;
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, assert_ok, assert_refused, read};

#[tokio::test]
async fn a_token_comes_with_its_end_in_utc_plus_8() {
    let client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    let body = json!({"clientID": client.sim.client_id(), "clientSecret": client.sim.client_secret()});
    let reply = client.post("/api/v1/access_token", body).await;
    assert_ok(&reply);
    assert_eq!(reply["data"]["expiredAt"], "2023-12-15T06:13:20+08:00");
    assert_eq!(reply["data"]["accessToken"].as_str().unwrap().split('.').count(), 3);
}

#[tokio::test]
async fn a_wrong_secret_or_client_id_gets_401() {
    let client = Client::start().await;
    for (id, secret) in [(client.sim.client_id(), "wrong"), ("wrong", client.sim.client_secret())] {
        let reply = client.post("/api/v1/access_token", json!({"clientID": id, "clientSecret": secret})).await;
        assert_refused(&reply, 401, "");
    }
}

#[tokio::test]
async fn the_fourth_token_kicks_out_the_first() {
    let client = Client::start().await;
    for _ in 0..2 {
        client.new_token().await;
    }
    assert_ok(&client.get("/api/v1/user/info").await);
    client.new_token().await;
    assert_eq!(client.sim.live_tokens(), 3);
    assert_refused(&client.get("/api/v1/user/info").await, 401, "tokens number has exceeded the limit");
}

#[tokio::test]
async fn a_token_ends_by_the_simulators_clock() {
    let client = Client::with(Simulator::builder().token_lifetime(Duration::from_secs(100))).await;
    client.sim.set_clock(client.sim.now() + 90);
    assert_ok(&client.get("/api/v1/user/info").await);
    client.sim.advance(Duration::from_secs(20));
    assert_refused(&client.get("/api/v1/user/info").await, 401, "expired");
}

#[tokio::test]
async fn tokens_can_be_made_invalid_at_once() {
    let mut client = Client::start().await;
    client.sim.expire_tokens();
    assert_refused(&client.get("/api/v1/user/info").await, 401, "");
    client.token = client.new_token().await;
    assert_ok(&client.get("/api/v1/user/info").await);
}

#[tokio::test]
async fn a_missing_or_unknown_token_gets_401_with_http_200() {
    let client = Client::start().await;
    let bare = client.http.get(client.open("/api/v1/user/info")).header("Platform", "open_platform");
    let response = bare.try_clone().unwrap().send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_refused(&read(response).await, 401, "");
    assert_refused(&read(bare.bearer_auth("nobody").send().await.unwrap()).await, 401, "");
}

#[tokio::test]
async fn a_missing_platform_header_gets_code_1_and_asks_for_it() {
    let client = Client::start().await;
    let request = client.http.request(Method::GET, client.open("/api/v1/user/info")).bearer_auth(&client.token);
    assert_refused(&read(request.send().await.unwrap()).await, 1, "platform");
}

#[tokio::test]
async fn the_account_has_the_members_of_the_reference() {
    let client = Client::start().await;
    client.sim.put("/a", "12345");
    let reply = client.get("/api/v1/user/info").await;
    assert_ok(&reply);
    let data = reply["data"].as_object().unwrap();
    let names: Vec<&str> = data.keys().map(String::as_str).collect();
    let expected = "uid nickname headImage passport mail spaceUsed spacePermanent spaceTemp spaceTempExpr vip directTraffic \
                    isHideUID httpsCount vipInfo developerInfo";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!((&data["uid"], &data["spaceUsed"]), (&json!(client.sim.uid()), &json!(5)));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let ids = |seed| async move {
        let client = Client::with(Simulator::builder().seed(seed)).await;
        let ticket = client.create("a", b"abc").await["data"]["preuploadID"].clone();
        (client.sim.put("/b", "b"), ticket)
    };
    assert_eq!(ids(7).await, ids(7).await);
    assert_ne!(ids(7).await, ids(8).await);
}
