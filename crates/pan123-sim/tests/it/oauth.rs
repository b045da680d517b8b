//! OAuth for third-party apps, and the token broker.

use std::time::Duration;

use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, read};

const CALLBACK: &str = "https://app.example.org/cb";

async fn ask(client: &Client, grant: &str, rest: &[(&str, &str)]) -> Value {
    let request = client
        .http
        .post(client.open("/api/v1/oauth2/access_token"))
        .query(&[
            ("client_id", client.sim.client_id()),
            ("client_secret", client.sim.client_secret()),
            ("grant_type", grant),
        ])
        .query(rest);
    read(request.send().await.unwrap()).await
}

async fn location(client: &Client, url: String, query: &[(&str, &str)]) -> String {
    let http = crate::client::http().redirect(Policy::none()).build().unwrap();
    let reply = http.get(url).query(query).send().await.unwrap();
    assert_eq!(reply.status(), 302);
    assert!(!client.token.is_empty());
    reply.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_is_worth_one_flat_pair() {
    let client = Client::start().await;
    let code = client.sim.grant_code(CALLBACK);
    let reply = ask(&client, "authorization_code", &[("code", &code), ("redirect_uri", CALLBACK)]).await;
    let keys: Vec<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["token_type", "access_token", "refresh_token", "expires_in", "scope"]);
    assert_eq!((&reply["token_type"], &reply["expires_in"]), (&json!("Bearer"), &json!(7200)));
    let owner = Client { token: reply["access_token"].as_str().unwrap().to_owned(), ..client };
    assert_ok(&owner.get("/api/v1/user/info").await);
    let again = ask(&owner, "authorization_code", &[("code", &code), ("redirect_uri", CALLBACK)]).await;
    assert_eq!((&again["code"], &again["error"]), (&json!(401), &json!("invalid_grant")));
    assert_eq!(owner.sim.count("open/oauth.token_by_code"), 2);
}

#[tokio::test]
async fn a_code_is_bound_to_its_address() {
    let client = Client::start().await;
    let code = client.sim.grant_code(CALLBACK);
    let reply = ask(&client, "authorization_code", &[("code", &code), ("redirect_uri", "https://other.example")]).await;
    assert_eq!(reply["error"], "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_works_once_and_kills_the_old_access_token() {
    let client = Client::start().await;
    let first = ask(&client, "refresh_token", &[("refresh_token", &client.sim.grant_refresh_token())]).await;
    let refresh = first["refresh_token"].as_str().unwrap();
    let owner = Client { token: first["access_token"].as_str().unwrap().to_owned(), ..client };
    assert_ok(&owner.get("/api/v1/user/info").await);
    let second = ask(&owner, "refresh_token", &[("refresh_token", refresh)]).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_refused(&owner.get("/api/v1/user/info").await, 401, "");
    assert_eq!(ask(&owner, "refresh_token", &[("refresh_token", refresh)]).await["error"], "invalid_grant");
    assert_eq!(owner.sim.count("open/oauth.refresh_token"), 3);
    owner.sim.advance(Duration::from_secs(91 * 24 * 3600));
    let late = second["refresh_token"].as_str().unwrap();
    assert_eq!(ask(&owner, "refresh_token", &[("refresh_token", late)]).await["error"], "invalid_grant");
}

#[tokio::test]
async fn lenient_refreshes_need_no_app() {
    for (lenient, refused) in [(true, false), (false, true)] {
        let client = if lenient { Client::lenient().await } else { Client::start().await };
        let token = client.sim.grant_refresh_token();
        let query = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let request = client.http.post(client.open("/api/v1/oauth2/access_token")).query(&query);
        let reply = read(request.send().await.unwrap()).await;
        assert_eq!(reply["error"] == "invalid_client", refused, "{reply}");
    }
}

#[tokio::test]
async fn the_grant_page_says_yes_and_sends_back() {
    let client = Client::start().await;
    let page = client.sim.urls().web.replace("/b", "/auth");
    let query = [
        ("client_id", client.sim.client_id()),
        ("redirect_uri", CALLBACK),
        ("scope", "user:base,file:all:read,file:all:write"),
        ("state", "xyz"),
    ];
    let back = location(&client, page.clone(), &query).await;
    let code = back.strip_prefix(&format!("{CALLBACK}?code=")).unwrap().strip_suffix("&state=xyz").unwrap();
    let reply = ask(&client, "authorization_code", &[("code", code), ("redirect_uri", CALLBACK)]).await;
    assert!(reply["access_token"].is_string());
    let wrong = [("client_id", "nobody"), query[1], query[2], query[3]];
    assert!(location(&client, page, &wrong).await.contains("error_description="));
    let token = [("accessToken", client.token.as_str()), ("response_type", "code"), query[0], query[1], query[2]];
    let back = location(&client, client.open("/api/v1/oauth2/user/authorize"), &token).await;
    assert!(back.starts_with(&format!("{CALLBACK}?code=")));
}

#[tokio::test]
async fn an_app_is_verified() {
    let client = Client::start().await;
    let body = |id: &str| json!({"appId": id, "redirectUri": CALLBACK, "scope": "user:base"});
    assert_ok(&client.post("/api/v1/oauth2/app/verify", body(client.sim.client_id())).await);
    assert_refused(&client.post("/api/v1/oauth2/app/verify", body("nobody")).await, 1, "sim: ");
}

#[tokio::test]
async fn the_broker_renews_for_those_who_have_no_secret() {
    let client = Client::start().await;
    let url = client.open("/123cloud/renewapi");
    let renew = |token: String| {
        client
            .http
            .get(&url)
            .query(&[("refresh_ui", token.as_str()), ("server_use", "true"), ("driver_txt", "123cloud_oa")])
            .send()
    };
    let token = client.sim.grant_refresh_token();
    let pair = read(renew(token.clone()).await.unwrap()).await;
    assert!(pair["access_token"].is_string() && pair["expires_in"].is_i64());
    assert_ne!(pair["refresh_token"], token.as_str());
    let used = renew(token).await.unwrap();
    assert_eq!(used.status(), 500);
    assert!(read(used).await["text"].is_string());
    assert_eq!(client.http.get(&url).send().await.unwrap().status(), 500);
}

#[tokio::test]
async fn the_brokers_page_walks_the_whole_way() {
    let client = Client::start().await;
    let reply =
        client.http.get(client.open("/123cloud/requests?server_use=true&driver_txt=123cloud_oa")).send().await.unwrap();
    let page = read(reply).await["text"].as_str().unwrap().to_owned();
    let callback = location(&client, page, &[]).await;
    assert!(callback.starts_with(&client.open("/123cloud/callback?code=")));
    assert!(location(&client, callback, &[]).await.starts_with("/#eyJ"));
    let own = [
        ("driver_txt", "123cloud_go"),
        ("client_uid", client.sim.client_id()),
        ("client_key", client.sim.client_secret()),
    ];
    let reply = client.http.get(client.open("/123cloud/requests")).query(&own).send().await.unwrap();
    let owner = Client { token: read(reply).await["text"].as_str().unwrap().to_owned(), ..client };
    assert_ok(&owner.get("/api/v1/user/info").await);
}
