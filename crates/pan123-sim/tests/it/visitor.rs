//! A visitor of shares: the requests of the share face, signed as the reference says.

use pan123_sim::{Builder, Simulator};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::client::read;

/// A simulator, and somebody with a browser who may be logged in.
pub(crate) struct Visitor {
    pub(crate) sim: Simulator,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

impl Visitor {
    pub(crate) async fn start() -> Self {
        Self::with(Simulator::builder()).await
    }

    pub(crate) async fn with(builder: Builder) -> Self {
        let sim = builder.start().await.unwrap();
        let http = crate::client::http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { sim, http, token: String::new() }
    }

    pub(crate) fn log_in(&mut self) {
        self.token = self.sim.web_token();
    }

    pub(crate) fn share(&self, path: &str) -> String {
        format!("{}{path}", self.sim.urls().share)
    }

    /// A request with the headers of the web page and the signature.
    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.unsigned(method, &signed(url))
    }

    pub(crate) fn unsigned(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.http.request(method, url).header("platform", "web").header("app-version", "3");
        request.header("Authorization", format!("Bearer {}", self.token))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        read(self.request(Method::GET, &self.share(path)).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        read(self.request(Method::POST, &self.share(path)).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn list(&self, key: &str, more: &str) -> Value {
        let order = "orderBy=file_id&orderDirection=asc&event=homeListFile";
        let mut query = format!("shareKey={key}&{order}");
        for (name, value) in [("SharePwd", ""), ("parentFileId", "0"), ("Page", "1"), ("limit", "100"), ("next", "0")] {
            if !more.contains(&format!("{name}=")) {
                query.push_str(&format!("&{name}={value}"));
            }
        }
        self.get(&format!("/b/api/share/get?{query}&{more}")).await
    }

    /// The rows of the share's root.
    pub(crate) async fn rows(&self, key: &str) -> Vec<Value> {
        self.list(key, "").await["data"]["InfoList"].as_array().unwrap().clone()
    }

    pub(crate) async fn download(&self, key: &str, row: &Value) -> Value {
        self.post("/b/api/share/download/info", one_file(key, row)).await
    }
}

pub(crate) fn one_file(key: &str, row: &Value) -> Value {
    json!({
        "ShareKey": key, "SharePwd": "", "FileID": row["FileId"], "Etag": row["Etag"], "S3KeyFlag": row["S3KeyFlag"],
        "Size": row["Size"],
    })
}

/// Adds the signature of a moment in 2026 to an address.
fn signed(url: &str) -> String {
    let path = reqwest::Url::parse(url).unwrap().path().to_owned();
    // 1767196800 is 2026-01-01 00:00 at UTC+8, whose letters the reference gives.
    let key = crc32(b"eaeladadaaaa");
    let value = crc32(format!("1767196800|1234567|{path}|web|3|{key}").as_bytes());
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{key}=1767196800-1234567-{value}")
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
