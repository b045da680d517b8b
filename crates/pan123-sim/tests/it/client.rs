//! A client that is nothing but the requests of the reference.

use md5::{Digest, Md5};
use pan123_sim::{Builder, Fault, Simulator};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// A simulator, and a client that has a token for it.
pub(crate) struct Client {
    pub(crate) sim: Simulator,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

impl Client {
    pub(crate) async fn start() -> Self {
        Self::with(Simulator::builder()).await
    }

    pub(crate) async fn lenient() -> Self {
        Self::with(Simulator::builder().lenient()).await
    }

    pub(crate) async fn with(builder: Builder) -> Self {
        let sim = builder.start().await.unwrap();
        let http = http().build().unwrap();
        let mut client = Self { sim, http, token: String::new() };
        client.token = client.new_token().await;
        client.sim.clear_requests();
        client
    }

    pub(crate) async fn new_token(&self) -> String {
        let body = json!({"clientID": self.sim.client_id(), "clientSecret": self.sim.client_secret()});
        let reply = self.http.post(self.open("/api/v1/access_token")).header("Platform", "open_platform").json(&body);
        let reply: Value = read(reply.send().await.unwrap()).await;
        reply["data"]["accessToken"].as_str().unwrap().to_owned()
    }

    pub(crate) fn open(&self, path: &str) -> String {
        format!("{}{path}", self.sim.urls().open)
    }

    /// A request with the headers that every call has.
    pub(crate) fn request(&self, method: Method, url: String) -> RequestBuilder {
        self.http.request(method, url).header("Platform", "open_platform").bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        read(self.request(Method::GET, self.open(path)).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        read(self.request(Method::POST, self.open(path)).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        read(self.request(Method::PUT, self.open(path)).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn create(&self, name: &str, bytes: &[u8]) -> Value {
        let body = json!({"parentFileID": 0, "filename": name, "etag": md5(bytes), "size": bytes.len()});
        self.post("/upload/v2/file/create", body).await
    }

    pub(crate) async fn slice(&self, ticket: &str, number: usize, bytes: &[u8]) -> Value {
        read(self.try_slice(ticket, number, bytes).await.unwrap()).await
    }

    pub(crate) async fn try_slice(&self, ticket: &str, number: usize, bytes: &[u8]) -> reqwest::Result<Response> {
        let form = Form::new()
            .text("preuploadID", ticket.to_owned())
            .text("sliceNo", number.to_string())
            .text("sliceMD5", md5(bytes))
            .part("slice", Part::bytes(bytes.to_vec()).file_name("slice"));
        let url = format!("{}/upload/v2/file/slice", self.sim.urls().upload);
        self.request(Method::POST, url).multipart(form).send().await
    }

    pub(crate) async fn complete(&self, ticket: &str) -> Value {
        self.post("/upload/v2/file/upload_complete", json!({"preuploadID": ticket})).await
    }

    /// Uploads in slices of 10 bytes, which the simulator must have been told.
    pub(crate) async fn upload(&self, name: &str, bytes: &[u8]) -> i64 {
        let created = self.create(name, bytes).await;
        let ticket = created["data"]["preuploadID"].as_str().unwrap();
        let slices: Vec<&[u8]> = if bytes.is_empty() { vec![bytes] } else { bytes.chunks(10).collect() };
        for (index, slice) in slices.into_iter().enumerate() {
            assert_eq!(self.slice(ticket, index + 1, slice).await["code"], 0);
        }
        self.complete(ticket).await["data"]["fileID"].as_i64().unwrap()
    }

    pub(crate) async fn download_url(&self, id: i64) -> String {
        let reply = self.get(&format!("/api/v1/file/download_info?fileId={id}")).await;
        reply["data"]["downloadUrl"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// Makes mkdir meet a fault and calls it.
    pub(crate) async fn mkdir_with(&self, fault: Fault) -> reqwest::Result<Response> {
        self.sim.fault(fault);
        let body = json!({"name": "new", "parentID": 0});
        self.request(Method::POST, self.open("/upload/v1/file/mkdir")).json(&body).send().await
    }
}

/// A simulator with slices of 10 bytes.
pub(crate) fn small_slices() -> Builder {
    Simulator::builder().slice_size(10)
}

pub(crate) async fn read(response: Response) -> Value {
    response.json().await.unwrap()
}

pub(crate) fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
pub(crate) fn assert_refused(reply: &Value, code: i64, message: &str) {
    assert_eq!(reply["code"], code, "{reply}");
    assert!(reply["message"].as_str().unwrap().contains(message), "{reply}");
    assert!(reply["data"].is_null(), "{reply}");
}

#[track_caller]
pub(crate) fn assert_ok(reply: &Value) {
    assert_eq!((&reply["code"], &reply["message"]), (&json!(0), &json!("ok")), "{reply}");
    assert!(reply["x-traceID"].is_string(), "{reply}");
}

/// A client for this machine only, whichever TLS the other crates of a build have switched on.
pub(crate) fn http() -> reqwest::ClientBuilder {
    // One crate's features are every crate's in a build of the workspace; reqwest then wants a provider even for plain http.
    // A second installation is refused, and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}
