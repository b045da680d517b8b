//! Logging in to the web API: by password, SMS, WeChat and QR code; signatures; what tells a guest from an old login.

use std::time::Duration;

use pan123_sim::{Fault, QrAction, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, read};
use crate::page::Page;

/// A request to the login host, with the headers of its page.
async fn login(page: &Page, path: &str, body: Option<Value>) -> Value {
    let url = format!("{}{path}", page.sim.urls().login);
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let request = page.http.request(method, url).header("platform", "web").header("app-version", "132");
    let request = if let Some(body) = body { request.json(&body) } else { request };
    read(request.send().await.unwrap()).await
}

async fn sign_in(page: &Page, body: Value) -> Value {
    login(page, "/api/user/sign_in", Some(body)).await
}

#[track_caller]
fn assert_token(page: &Page, reply: &Value, code: i64) -> String {
    assert_eq!(reply["code"], code, "{reply}");
    let token = reply["data"]["token"].as_str().unwrap().to_owned();
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&from_base64url(claims)).unwrap();
    assert_eq!((claims["id"].as_i64(), claims["username"].as_str()), (Some(page.sim.uid()), Some(page.sim.username())));
    assert!(claims["exp"].as_i64().unwrap() > page.sim.now());
    token
}

fn from_base64url(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = text.chars().map(|letter| alphabet.find(letter).unwrap() as u32);
    let mut bytes = Vec::new();
    let (mut held, mut count) = (0u32, 0);
    for six in bits {
        (held, count) = (held << 6 | six, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((held >> count) as u8);
            held &= (1 << count) - 1;
        }
    }
    bytes
}

#[tokio::test]
async fn a_password_logs_in_in_three_shapes_of_the_body() {
    let mut page = Page::start().await;
    let (name, mail, password) =
        (page.sim.username().to_owned(), page.sim.email().to_owned(), page.sim.password().to_owned());
    for body in [
        json!({"passport": name, "password": password, "remember": true}),
        json!({"mail": mail, "password": password, "type": 2}),
        json!({"type": 1, "passport": name, "password": password}),
        json!({"passport": mail, "password": password, "remember": true}),
    ] {
        let reply = sign_in(&page, body).await;
        page.token = assert_token(&page, &reply, 200);
        assert!(reply["data"]["expire"].as_str().unwrap().ends_with("+08:00"), "{reply}");
        let info = page.get("/api/user/info").await;
        assert_eq!(info["data"]["UID"], page.sim.uid(), "{info}");
    }
    assert_refused(&sign_in(&page, json!({"passport": name, "password": "wrong", "remember": true})).await, 1, "密码");
    assert_refused(&sign_in(&page, json!({"passport": name, "mail": mail, "password": password})).await, 400, "sim: ");
    assert_refused(&sign_in(&page, json!({"passport": name, "password": password, "type": 2})).await, 400, "sim: ");
    assert_eq!(page.sim.count("web/auth.sign_in_password"), 7);
}

#[tokio::test]
async fn a_form_and_the_older_host_log_in_where_the_simulator_is_lenient() {
    let page = Page::lenient().await;
    let fields = [("passport", page.sim.username()), ("password", page.sim.password()), ("type", "1")];
    let url = format!("{}/api/user/sign_in", page.sim.urls().login);
    let form: String = fields.iter().map(|(name, value)| format!("{name}={value}&")).collect();
    let request = page.http.post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_token(&page, &read(request.send().await.unwrap()).await, 200);
    let body = json!({"passport": page.sim.username(), "password": page.sim.password(), "remember": true});
    let reply = page.http.post(format!("{}/api/user/sign_in", page.sim.urls().web)).json(&body).send().await.unwrap();
    assert!(reply.headers()["set-cookie"].to_str().unwrap().starts_with("sso-token=ey"));
    assert_token(&page, &read(reply).await, 200);
}

#[tokio::test]
async fn a_login_ends_with_its_time_at_a_logout_and_at_the_fourth_one() {
    let mut page = Page::with(Simulator::builder().token_lifetime(Duration::from_secs(100))).await;
    page.sim.set_clock(1_790_000_000);
    page.token = page.sim.web_token();
    assert_ok(&page.get("/api/user/info").await);
    page.sim.advance(Duration::from_secs(100));
    assert_refused(&page.get("/api/user/info").await, 401, "");
    page.token = page.sim.web_token();
    assert_ok(&page.post("/api/user/logout", json!({})).await);
    assert_refused(&page.get("/api/user/info").await, 401, "");
    page.token = page.sim.web_token();
    for _ in 0..2 {
        let _ = page.sim.web_token();
    }
    assert_eq!(page.get("/api/user/device_list").await["data"]["list"].as_array().unwrap().len(), 3);
    let _ = page.sim.web_token();
    assert_refused(&page.get("/api/user/info").await, 401, "");
}

#[tokio::test]
async fn a_guest_is_told_so_in_two_ways() {
    let mut page = Page::start().await;
    page.token.clear();
    let list = "/api/file/list/new?driveId=0&limit=100&next=0&orderBy=file_id&orderDirection=desc&parentFileId=0\
        &trashed=false&SearchData=&Page=1";
    assert_refused(&page.get(list).await, 20101, "");
    assert_refused(&page.get("/api/user/info").await, 401, "cookie token is empty");
    page.token = "nonsense".to_owned();
    assert_refused(&page.get(list).await, 401, "");
}

#[tokio::test]
async fn calls_are_signed_rightly_and_now() {
    let page = Page::start().await;
    let unsigned = page.unsigned(Method::GET, "/api/user/info").bearer_auth(&page.token);
    assert_refused(&read(unsigned.send().await.unwrap()).await, 1, "sim: ");
    let wrong = page.unsigned(Method::GET, "/api/user/info?12345=1790000000-5-17").bearer_auth(&page.token);
    assert_refused(&read(wrong.send().await.unwrap()).await, 1, "sim: ");
    // The machine's clock is as good as the simulator's.
    page.sim.set_clock(1_700_000_000);
    assert_ok(&page.get("/api/user/info").await);
    let early = page.request(Method::GET, "/api/user/info").build().unwrap();
    page.sim.advance(Duration::from_secs(301));
    assert_refused(&read(page.http.execute(early).await.unwrap()).await, 1, "sim: the signature is for 1700000000");
    let lenient = Page::lenient().await;
    for path in ["/api/user/info", "/api/user/info?917264=1790000000-5-17"] {
        let request = lenient.unsigned(Method::GET, path).bearer_auth(&lenient.token);
        assert_ok(&read(request.send().await.unwrap()).await);
    }
}

#[tokio::test]
async fn a_qr_code_is_scanned_and_confirmed_and_ends_by_itself() {
    let mut page = Page::start().await;
    page.sim.set_clock(1_790_000_000);
    let made = login(&page, "/api/user/qr-code/generate", None).await;
    let id = made["data"]["uniID"].as_str().unwrap().to_owned();
    assert!(made["data"]["url"].as_str().unwrap().ends_with("/wx-app-login.html"), "{made}");
    assert_eq!(page.sim.qr_sessions(), vec![id.clone()]);
    let poll = format!("/api/user/qr-code/result?uniID={id}&remember=true");
    assert_eq!(login(&page, &poll, None).await["data"], json!({"loginStatus": 0, "scanPlatform": 0}));
    page.sim.qr(&id, QrAction::Scan);
    assert_eq!(login(&page, &poll, None).await["data"], json!({"loginStatus": 1, "scanPlatform": 7}));
    page.sim.qr(&id, QrAction::Confirm);
    let reply = login(&page, &poll, None).await;
    page.token = assert_token(&page, &reply, 200);
    assert_eq!(login(&page, &poll, None).await["data"], reply["data"], "the same token again");
    assert_ok(&page.get("/api/user/info").await);

    let id = login(&page, "/api/user/qr-code/generate", None).await["data"]["uniID"].as_str().unwrap().to_owned();
    let poll = format!("/api/user/qr-code/result?uniID={id}");
    page.sim.advance(Duration::from_secs(60));
    assert_eq!(login(&page, &poll, None).await["data"]["loginStatus"], 4);
    assert!(page.sim.qr_sessions().is_empty());
    assert_eq!(login(&page, "/api/user/qr-code/result?uniID=nonsense", None).await["code"], 404);
}

#[tokio::test]
async fn a_qr_code_is_refused_or_confirmed_by_somebody_who_is_logged_in() {
    let page = Page::start().await;
    let new =
        async || login(&page, "/api/user/qr-code/generate", None).await["data"]["uniID"].as_str().unwrap().to_owned();
    let result = async |id: &str| login(&page, &format!("/api/user/qr-code/result?uniID={id}"), None).await;
    let id = new().await;
    assert_ok(&login(&page, "/api/user/qr-code/deny", Some(json!({"uniID": id}))).await);
    assert_eq!(result(&id).await["data"]["loginStatus"], 2);
    let id = new().await;
    assert_ok(&login(&page, "/api/user/qr-code/scan", Some(json!({"uniID": id, "scanPlatform": 7}))).await);
    assert_refused(&login(&page, "/api/user/qr-code/login", Some(json!({"uniID": id}))).await, 401, "");
    let url = format!("{}/api/user/qr-code/login", page.sim.urls().login);
    let confirm = page.http.post(url).header("platform", "web").header("app-version", "3").bearer_auth(&page.token);
    assert_ok(&read(confirm.json(&json!({"uniID": id})).send().await.unwrap()).await);
    assert_token(&page, &result(&id).await, 200);
    let url = format!("{}/api/user/token/verify", page.sim.urls().login);
    let verify = page.http.get(url).header("platform", "web").header("app-version", "3").bearer_auth(&page.token);
    assert_ok(&read(verify.send().await.unwrap()).await);
}

#[tokio::test]
async fn wechat_gives_a_code_that_logs_in_once() {
    let page = Page::start().await;
    let id = login(&page, "/api/user/qr-code/generate", None).await["data"]["uniID"].as_str().unwrap().to_owned();
    let code = async || {
        let reply = login(&page, "/api/user/qr-code/wx_code", Some(json!({"uniID": id}))).await;
        reply["data"]["wxCode"].as_str().unwrap().to_owned()
    };
    assert_eq!(code().await, "");
    let admin = format!("{}/qr/{id}", page.sim.urls().admin);
    let acted = page.http.post(&admin).json(&json!({"action": "confirm_by_wechat"})).send().await.unwrap();
    assert_ok_admin(&read(acted).await);
    let poll = login(&page, &format!("/api/user/qr-code/result?uniID={id}"), None).await;
    assert_eq!(poll["data"], json!({"loginStatus": 3, "scanPlatform": 4}), "{poll}");
    let body = json!({"from": "web", "wechat_code": code().await, "type": 4, "remember": true});
    assert_token(&page, &sign_in(&page, body.clone()).await, 200);
    assert_refused(&sign_in(&page, body).await, 1, "");
    assert_eq!(page.sim.count("web/auth.sign_in_wechat"), 2);

    let id = login(&page, "/api/user/qr-code/generate", None).await["data"]["uniID"].as_str().unwrap().to_owned();
    let bound = json!({"uniID": id, "wxcode": "021AbC"});
    assert_ok(&login(&page, "/api/user/qr-code/bind_wx_code", Some(bound)).await);
    let body = json!({"from": "web", "wechat_code": "021AbC", "type": 4});
    assert_token(&page, &sign_in(&page, body).await, 200);
}

#[track_caller]
fn assert_ok_admin(reply: &Value) {
    assert_eq!(reply["code"], 0, "{reply}");
}

#[tokio::test]
async fn a_challenge_is_met_on_any_call_and_an_sms_answers_it() {
    let page = Page::start().await;
    page.sim.fault(Fault::on("web/auth.sign_in_password").login_challenge());
    let body = json!({"passport": page.sim.username(), "password": page.sim.password(), "remember": true});
    let challenged = sign_in(&page, body.clone()).await;
    assert_eq!(challenged["code"], 7012, "{challenged}");
    assert!(challenged["message"].as_str().unwrap().contains("境外登录风险"));
    let mark = challenged["data"]["hashCode"].as_str().unwrap();
    let wanted = json!({"passport": page.sim.username(), "hashCode": mark, "aliVersion": 2});
    let sent = login(&page, "/api/user/get_vcode", Some(wanted)).await;
    assert!(!sent["data"]["serial_no"].as_str().unwrap().is_empty(), "{sent}");
    let answer = |code: &str| {
        json!({
            "passport": page.sim.username(), "type": 3, "v_code": code, "hashCode": mark,
            "time_stamp": sent["data"]["Timestamp"].to_string(), "remember": true,
        })
    };
    assert_refused(&sign_in(&page, answer("000000")).await, 1, "");
    assert_token(&page, &sign_in(&page, answer(page.sim.sms_code())).await, 0);
    assert_refused(&sign_in(&page, answer(page.sim.sms_code())).await, 1, "sim: ");
    assert_token(&page, &sign_in(&page, body).await, 200);
    page.sim.fault(Fault::on("web/file.info").login_challenge());
    let reply = page.post("/api/file/info", json!({"fileIdList": [{"FileId": 1}]})).await;
    assert_eq!((&reply["code"], reply["data"]["hashCode"].is_string()), (&json!(7012), true), "{reply}");
}

#[tokio::test]
async fn with_quirks_answers_have_the_other_forms_that_clients_met() {
    let page = Page::with(Simulator::builder().quirks(true)).await;
    let body = json!({"passport": page.sim.username(), "password": page.sim.password(), "remember": true});
    assert!(sign_in(&page, body).await["data"]["expire"].is_null());
    let id = login(&page, "/api/user/qr-code/generate", None).await["data"]["uniID"].as_str().unwrap().to_owned();
    page.sim.qr(&id, QrAction::Confirm);
    let poll = format!("/api/user/qr-code/result?uniID={id}");
    assert_eq!(login(&page, &poll, None).await["data"], json!({"loginStatus": 3, "scanPlatform": 7}));
    assert_eq!(login(&page, &poll, None).await["code"], 200);
    let id = login(&page, "/api/user/qr-code/generate", None).await["data"]["uniID"].as_str().unwrap().to_owned();
    page.sim.qr(&id, QrAction::ConfirmByWechat);
    let reply = login(&page, &format!("/api/user/qr-code/result?uniID={id}"), None).await;
    assert_eq!((&reply["code"], &reply["data"]), (&json!(200), &json!({"token": "", "login_type": 4})));
}

#[tokio::test]
async fn the_account_tells_its_name_and_its_logins() {
    let page = Page::start().await;
    let event = json!({"nickname": "alice", "event": "userDataOperate", "operateType": 2});
    assert_ok(&page.post("/api/user/modify_info", event).await);
    assert_eq!(page.get("/api/user/info").await["data"]["Nickname"], "alice");
    let body = json!({"passport": page.sim.username(), "password": page.sim.password(), "remember": true});
    assert_token(&page, &sign_in(&page, body).await, 200);
    let history = page.get("/api/user/use_history?event=loginRecord").await;
    assert_eq!(history["data"]["list"].as_array().unwrap().len(), 1, "{history}");
    let report = page.get("/api/restful/goapi/v1/user/report/info").await;
    assert_eq!(report["data"]["vipType"], 0, "{report}");
    assert_ok(&page.get("/api/referral/my-info").await);
}

#[tokio::test]
async fn a_token_that_is_over_has_a_code_of_its_own_on_android() {
    for builder in [Simulator::builder(), Simulator::builder().lenient(), Simulator::builder().quirks(true)] {
        let page = Page::with(builder).await;
        let ask = async |platform: &str, token: &str, path: &str| {
            let mut request = page.request(Method::GET, path).build().unwrap();
            request.headers_mut().insert("platform", platform.parse().unwrap());
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            read(page.http.execute(request).await.unwrap()).await["code"].clone()
        };
        let list = "/api/file/list/new?driveId=0&limit=1&next=0&orderBy=file_id&orderDirection=asc&parentFileId=0&trashed=false&Page=1";
        assert_eq!(ask("android", &page.token, list).await, 0);
        for _ in 0..3 {
            let _newer = page.sim.web_token();
        }
        for path in ["/api/user/info", list] {
            assert_eq!(ask("android", &page.token, path).await, 2, "{path}");
            assert_ne!(ask("web", &page.token, path).await, 2, "{path}");
            assert_ne!(ask("android", "never one", path).await, 2, "{path}");
        }
    }
}
