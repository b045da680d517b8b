//! Strict mode: what the reference does not name is refused, with a message that says why.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::client::{Client, assert_refused, md5, read};

#[tokio::test]
async fn names_have_the_casing_of_their_endpoint() {
    let client = Client::start().await;
    for (path, body) in [
        ("/upload/v1/file/mkdir", json!({"name": "a", "parentId": 0})),
        ("/upload/v1/file/mkdir", json!({"name": "a", "parentFileID": 0})),
        ("/api/v1/file/infos", json!({"fileIDs": [1]})),
        ("/api/v1/file/trash", json!({"fileIds": [1]})),
        ("/upload/v2/file/upload_complete", json!({"preuploadId": "x"})),
        ("/api/v1/access_token", json!({"clientId": "x", "clientSecret": "y"})),
    ] {
        assert_refused(&client.post(path, body).await, 1, "sim: unknown field");
    }
    for path in [
        "/api/v1/file/detail?fileId=1",
        "/api/v1/file/download_info?fileID=1",
        "/api/v1/direct-link/url?fileId=1",
        "/api/v2/file/list?parentFileID=0&limit=1",
        "/api/v2/file/list?parentFileId=0&limit=1&page=1",
    ] {
        assert_refused(&client.get(path).await, 1, "sim: unknown field");
    }
}

#[tokio::test]
async fn types_are_those_of_the_reference() {
    let client = Client::start().await;
    for (path, body) in [
        ("/upload/v1/file/mkdir", json!({"name": "a", "parentID": "0"})),
        ("/upload/v1/file/mkdir", json!({"name": 5, "parentID": 0})),
        ("/api/v1/file/trash", json!({"fileIDs": ["1"]})),
        ("/api/v1/file/trash", json!({"fileIDs": 1})),
    ] {
        assert_refused(&client.post(path, body).await, 1, "sim: `");
    }
    for path in [
        "/api/v2/file/list?parentFileId=x&limit=1",
        "/api/v2/file/list?parentFileId=0&limit=",
        "/api/v2/file/list?limit=1",
    ] {
        assert_refused(&client.get(path).await, 1, "sim: `");
    }
    assert_refused(&client.get("/api/v2/file/list?parentFileId=0&limit=101").await, 1, "sim: `limit`");
}

#[tokio::test]
async fn a_body_that_cannot_be_understood_gets_an_envelope() {
    for client in [Client::start().await, Client::lenient().await] {
        for body in ["{", "[]", "\"x\"", "\u{0}\u{1}", "{\"name\":"] {
            let request = client.request(Method::POST, client.open("/upload/v1/file/mkdir"));
            let reply = request.header("content-type", "application/json").body(body).send().await.unwrap();
            assert_eq!(reply.status(), 200);
            assert_refused(&read(reply).await, 1, "sim: ");
        }
        let url = format!("{}/upload/v2/file/slice", client.sim.urls().upload);
        for content_type in ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain"] {
            let request =
                client.request(Method::POST, url.clone()).header("content-type", content_type).body("--y\r\nnonsense");
            assert_refused(&read(request.send().await.unwrap()).await, 1, "sim: ");
        }
    }
}

#[tokio::test]
async fn content_types_are_those_of_the_reference() {
    let client = Client::start().await;
    let request =
        client.request(Method::POST, client.open("/upload/v1/file/mkdir")).body(r#"{"name":"a","parentID":0}"#);
    assert_refused(&read(request.send().await.unwrap()).await, 1, "sim: the content type");
    let request =
        client.request(Method::GET, client.open("/api/v1/user/info")).header("content-type", "application/json");
    assert_refused(&read(request.send().await.unwrap()).await, 1, "sim: this call takes no body");
}

#[tokio::test]
async fn each_face_answers_its_own_paths_only() {
    let client = Client::start().await;
    let urls = client.sim.urls().clone();
    for base in [&urls.upload, &urls.web, &urls.login, &urls.share, &urls.storage, &urls.admin] {
        let reply = client.request(Method::GET, format!("{base}/api/v1/user/info")).send().await.unwrap();
        assert_eq!(reply.status(), 404, "{base}");
        assert_refused(&read(reply).await, 1, "sim: nothing answers");
    }
    let reply = client.request(Method::POST, client.open("/upload/v2/file/slice")).send().await.unwrap();
    assert_eq!(reply.status(), 404);
    let reply = client.request(Method::DELETE, client.open("/api/v1/user/info")).send().await.unwrap();
    assert_eq!(reply.status(), 405);
}

#[tokio::test]
async fn a_form_has_its_texts_first_and_a_file_name() {
    let client = Client::start().await;
    let send = |form: Form| {
        let url = format!("{}/upload/v2/file/slice", client.sim.urls().upload);
        let request = client.request(Method::POST, url).multipart(form);
        async move { read(request.send().await.unwrap()).await }
    };
    let texts = |form: Form| form.text("preuploadID", "x").text("sliceNo", "1").text("sliceMD5", md5(b"a"));
    let file = || Part::bytes(b"a".as_slice()).file_name("x");
    let late: Value = send(texts(Form::new().part("slice", file()))).await;
    assert_refused(&late, 1, "comes after the file");
    assert_refused(&send(texts(Form::new()).part("slice", Part::bytes(b"a".as_slice()))).await, 1, "no filename");
    assert_refused(&send(texts(Form::new()).part("file", file())).await, 1, "unknown field `file`");
    assert_refused(&send(texts(Form::new())).await, 1, "no file part");
    assert_refused(&send(texts(Form::new()).part("slice", file())).await, 1, "unknown preuploadID");
}

#[tokio::test]
async fn head_on_the_cdn_is_not_named() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put("/a", "x")).await;
    assert_eq!(client.http.head(url).send().await.unwrap().status(), 405);
}
