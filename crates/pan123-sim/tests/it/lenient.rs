//! Lenient mode: what working clients send, written as they write it.

use std::io::{Read, Write};
use std::net::TcpStream;

use pan123_sim::Simulator;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, md5, read};

#[tokio::test]
async fn keys_have_any_casing_and_numbers_may_be_text() {
    let client = Client::lenient().await;
    assert_ok(&client.post("/upload/v1/file/mkdir", json!({"Name": "a", "parentId": "0", "extra": {}})).await);
    let id = client.sim.mkdir("/a");
    assert_ok(&client.get(&format!("/api/v1/file/detail?fileId={id}&x=1")).await);
    assert_ok(&client.get("/api/v2/file/list?parentfileid=0&limit=1000&searchMode=&searchData=&trashed=False").await);
    client.sim.remember_content("x");
    let body = json!({"parentFileId": "0", "fileName": "/b/c", "etag": md5(b"x").to_uppercase(), "size": "1", "duplicate": 0,
        "containDir": "True", "lastFileId": null});
    assert_ok(&client.post("/upload/v2/file/create", body).await);
    assert_eq!(client.sim.read("/b/c").unwrap(), "x");
    assert_ok(&client.post("/api/v1/file/trash", json!({"fileIDs": id.to_string()})).await);
}

#[tokio::test]
async fn tokens_are_had_by_form_query_and_snake_case() {
    let client = Client::lenient().await;
    let (id, secret) = (client.sim.client_id(), client.sim.client_secret());
    let post = || client.http.post(client.open("/api/v1/access_token")).header("platform", "open_platform");
    let form = format!("client_id={id}&client_secret={secret}");
    let typed = "application/x-www-form-urlencoded";
    for request in [
        post().json(&json!({"client_id": id, "client_secret": secret})),
        post().json(&json!({"clientId": id, "clientSecret": secret})),
        post().header("content-type", typed).body(form.clone()),
        post().query(&[("clientID", id), ("clientSecret", secret)]),
        post().multipart(Form::new().text("clientID", id.to_owned()).text("clientSecret", secret.to_owned())),
    ] {
        assert_ok(&read(request.send().await.unwrap()).await);
    }
}

#[tokio::test]
async fn headers_are_forgiven() {
    let client = Client::lenient().await;
    let request = client.http.get(client.open("/api/v1/user/info")).header("content-type", "application/json");
    let request =
        request.header("PLATFORM", "android").header("authorization", format!("bearer {}", client.token)).body("{}");
    assert_ok(&read(request.send().await.unwrap()).await);
}

#[tokio::test]
async fn every_api_face_answers_the_paths_of_the_others() {
    let client = Client::lenient().await;
    let urls = client.sim.urls().clone();
    for base in [&urls.open, &urls.upload, &urls.web, &urls.login, &urls.share] {
        for path in ["/api/v1/user/info", "//api/v1/user/info/"] {
            assert_ok(&read(client.request(Method::GET, format!("{base}{path}")).send().await.unwrap()).await);
        }
    }
    let reply = client.request(Method::GET, format!("{}/api/v1/user/info", urls.storage)).send().await.unwrap();
    assert_eq!(reply.status(), 404);
}

#[tokio::test]
async fn uploads_go_to_the_open_face_with_parts_in_any_order_and_no_file_name() {
    let client = Client::lenient().await;
    let form = Form::new()
        .part("file", Part::bytes(b"hello".as_slice()))
        .text("ParentFileId", "0")
        .text("filename", "a.txt")
        .text("etag", md5(b"hello"))
        .text("size", "5")
        .text("containDir", "False")
        .text("duplicate", "");
    let request =
        client.http.post(client.open("/upload/v2/file/single/create")).bearer_auth(&client.token).multipart(form);
    assert_ok(&read(request.send().await.unwrap()).await);
    assert_eq!(client.sim.read("/a.txt").unwrap(), "hello");
}

#[tokio::test]
async fn chunked_forms_with_bare_names_and_expect_are_read() {
    let client = Client::lenient().await;
    let ticket = client.create("a", b"hello").await["data"]["preuploadID"].as_str().unwrap().to_owned();
    let address = client.sim.urls().upload.strip_prefix("http://").unwrap().to_owned();
    let token = client.token.clone();
    let reply = tokio::task::spawn_blocking(move || {
        let mut form = String::new();
        for (name, value) in [("preuploadID", ticket.as_str()), ("sliceNo", "1"), ("sliceMD5", &md5(b"hello"))] {
            form += &format!("--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
        }
        form += "--b\r\ncontent-disposition: form-data; NAME=slice\r\n\r\nhello\r\n--b--\r\n";
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "POST http://{address}/upload/v2/file/slice HTTP/1.1\r\nHost: openapi-upload.123242.com\r\nplatform: open_platform\r\n\
             authorization: Bearer {token}\r\nContent-Type: Multipart/Form-Data; Boundary=\"b\"\r\nExpect: 100-continue\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).unwrap();
        assert_eq!(interim.as_slice(), b"HTTP/1.1 100 Continue\r\n\r\n");
        for piece in form.as_bytes().chunks(7) {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).unwrap();
            stream.write_all(piece).unwrap();
            stream.write_all(b"\r\n").unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    });
    let reply = reply.await.unwrap();
    let body: Value = serde_json::from_str(reply.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_ok(&body);
}

#[tokio::test]
async fn an_empty_file_needs_no_slice() {
    let client = Client::lenient().await;
    let ticket = client.create("empty", b"").await["data"]["preuploadID"].as_str().unwrap().to_owned();
    assert_ok(&client.complete(&ticket).await);
    assert_eq!(client.sim.file("/empty").unwrap().size, 0);
}

#[tokio::test]
async fn an_instant_upload_names_servers_and_other_spellings_are_known() {
    let client = Client::lenient().await;
    let id = client.sim.put("/a", "x");
    let reused = client.create("b", b"x").await;
    assert_eq!(
        (&reused["data"]["reuse"], &reused["data"]["servers"]),
        (&json!(true), &json!([client.sim.urls().upload]))
    );
    assert_ok(&client.post("/api/v1/file/trash", json!({"fileids": [id]})).await);
    assert_ok(&client.post("/api/v1/file/recover/by_path", json!({"fileIDs": [id], "toParentFileID": 0})).await);
}

#[tokio::test]
async fn head_and_credentials_are_let_pass_on_the_cdn() {
    let client = Client::lenient().await;
    let url = client.download_url(client.sim.put("/a", "hello")).await;
    let reply = client.request(Method::HEAD, url.clone()).send().await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.headers()["content-length"].as_bytes()), (200, b"5".as_slice()));
    assert_eq!(client.request(Method::GET, url).send().await.unwrap().text().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_direct_link_space_lies_at_any_depth() {
    let client = Client::with(Simulator::builder().lenient()).await;
    let deep = client.sim.mkdir("/a/b");
    assert_ok(&client.post("/api/v1/direct-link/enable", json!({"fileID": deep})).await);
}

#[tokio::test]
async fn forms_are_read_though_they_are_called_json() {
    let client = Client::lenient().await;
    let send = |method: Method, path: &str, body: String| {
        let request = client.request(method, client.open(path)).header("content-type", "application/json");
        async move { read(request.body(body).send().await.unwrap()).await }
    };
    let made = send(Method::POST, "/upload/v1/file/mkdir", "name=%E5%90%8D+a&parentID=0".to_owned()).await;
    assert_eq!(made["data"]["dirID"], client.sim.file("/名 a").unwrap().id);
    let (one, two) = (client.sim.put("/1", "x"), client.sim.put("/2", "y"));
    let listed = send(Method::GET, "/api/v2/file/list", "parentFileId=0&limit=100".to_owned()).await;
    assert_eq!(listed["data"]["fileList"].as_array().unwrap().len(), 3, "{listed}");
    // A list is one name several times, also where the reference joins ids to a text.
    let both = format!("fileIDList={one}&fileIDList={two}&shareName=s&shareExpire=1");
    let shared = send(Method::POST, "/api/v1/share/create", both).await;
    let key = shared["data"]["shareKey"].as_str().unwrap_or_else(|| panic!("{shared}"));
    let query = "limit=100&next=0&orderBy=file_id&orderDirection=desc&parentFileId=0&Page=1";
    let url = format!("{}/b/api/share/get?ShareKey={key}&{query}", client.sim.urls().share);
    let rows = read(client.http.get(url).send().await.unwrap()).await;
    assert_eq!(rows["data"]["InfoList"].as_array().map(Vec::len), Some(2), "{rows}");
    assert_ok(&send(Method::POST, "/api/v1/file/trash", format!("fileIDs={one}&fileIDs={two}")).await);
    assert!(client.sim.file("/1").is_none() && client.sim.file("/2").is_none());
    let other = send(Method::POST, "/upload/v1/file/mkdir", "nothing".to_owned()).await;
    assert!(other["message"].as_str().unwrap().starts_with("sim: the body is not JSON"), "{other}");
}

#[tokio::test]
async fn links_without_a_signature_are_served_and_wrong_ones_are_not() {
    let client = Client::lenient().await;
    let id = client.sim.put("/links/a", "hello");
    let folder = client.sim.file("/links").unwrap().id;
    assert_ok(&client.post("/api/v1/direct-link/enable", json!({"fileID": folder})).await);
    let told = client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await;
    let url = told["data"]["url"].as_str().unwrap();
    assert_eq!(client.http.get(url).send().await.unwrap().text().await.unwrap(), "hello");
    for key in ["", "4102444800-r-1812345678-00000000000000000000000000000000"] {
        let reply = client.http.get(format!("{url}?auth_key={key}")).send().await.unwrap();
        assert_eq!(reply.status(), 403, "{key}");
    }
}

#[tokio::test]
async fn what_is_fetched_may_be_posted_and_the_other_way_round() {
    let client = Client::lenient().await;
    let id = client.sim.put("/a", "x");
    assert_ok(&client.post("/api/v1/file/detail", json!({"fileID": id})).await);
    assert_ok(&client.get(&format!("/api/v1/file/infos?fileIds={id}")).await);
    let url = format!("{}/api/user/qr-code/generate", client.sim.urls().login);
    assert_ok(&read(client.http.post(url).send().await.unwrap()).await);
    let reply = client.request(Method::DELETE, client.open("/api/v1/file/detail")).send().await.unwrap();
    assert_eq!(reply.status(), 405);
}

#[tokio::test]
async fn a_token_comes_with_the_word_before_it_or_without() {
    let client = Client::lenient().await;
    let web = client.sim.web_token();
    for (base, token) in [(client.sim.urls().open.clone(), &client.token), (client.sim.urls().web.clone(), &web)] {
        for authorization in
            [token.clone(), format!("bearer {token}"), format!("BEARER  {token}"), format!("Bearer{token}")]
        {
            let path = if token == &web { "/api/user/info" } else { "/api/v1/user/info" };
            let request = client.http.get(format!("{base}{path}")).header("platform", "open_platform");
            let reply = read(request.header("authorization", &authorization).send().await.unwrap()).await;
            assert_ok(&reply);
        }
    }
    let request = client.http.get(client.open("/api/v1/user/info")).header("platform", "open_platform");
    let reply = read(request.header("authorization", "Basic abc").send().await.unwrap()).await;
    assert_eq!(reply["code"], 401);
}

#[tokio::test]
async fn lists_have_defaults() {
    let client = Client::lenient().await;
    client.sim.put("/a", "x");
    client.sim.put_image("/b.png", "x");
    for path in ["/api/v1/file/list", "/api/v2/file/list", "/api/v2/file/list?limit=10", "/api/v1/file/list?page=1"] {
        let listed = client.get(path).await;
        assert_eq!(listed["data"]["fileList"][0]["filename"], "a", "{path}: {listed}");
    }
    let images = client.post("/api/v1/oss/file/list", json!({"parentFileId": ""})).await;
    assert_eq!(images["data"]["fileList"][0]["filename"], "b.png", "{images}");
}

#[tokio::test]
async fn ids_fit_into_32_bits_and_those_of_logs_are_texts() {
    let client = Client::lenient().await;
    client.sim.set_clock(1_700_000_000);
    assert!(client.sim.enable_direct_link("/public") < i64::from(i32::MAX));
    let id = client.sim.put("/public/a", "x");
    let url = client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await;
    client.http.get(url["data"]["url"].as_str().unwrap()).send().await.unwrap();
    let path = "/api/v1/direct-link/offline/logs?startHour=2023111506&endHour=2023111506&pageNum=1&pageSize=10";
    assert!(client.get(path).await["data"]["list"][0]["id"].is_string());
}

#[tokio::test]
async fn videos_are_imported_however_they_are_named() {
    let client = Client::lenient().await;
    let (one, two) = (client.sim.put("/a.mp4", "v"), client.sim.put("/b.mp4", "w"));
    let path = "/api/v1/transcode/upload/from_cloud_disk";
    let bodies = [
        json!({"fileId": one}),
        json!({"fileId": one.to_string(), "x": 1}),
        json!([{"fileId": one.to_string()}]),
        json!([{"fileID": one, "filename": "a.mp4"}]),
        json!([one]),
    ];
    for body in &bodies {
        assert_ok(&client.post(path, body.clone()).await);
    }
    for form in [format!("fileId={one}"), format!("fileId={one}&fileId={two}")] {
        let typed = ("content-type", "application/x-www-form-urlencoded");
        let request = client.request(Method::POST, client.open(path)).header(typed.0, typed.1).body(form);
        assert_ok(&read(request.send().await.unwrap()).await);
    }
    assert_eq!(client.sim.videos().len(), bodies.len() + 3);
}
