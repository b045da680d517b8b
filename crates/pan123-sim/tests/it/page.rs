//! The web page of a login: the requests of the web face, signed as the reference says.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use pan123_sim::{Builder, Simulator};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::client::read;
use crate::visitor::crc32;

/// A simulator, and somebody who is logged in on the web page.
pub(crate) struct Page {
    pub(crate) sim: Simulator,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

impl Page {
    pub(crate) async fn start() -> Self {
        Self::with(Simulator::builder()).await
    }

    pub(crate) async fn lenient() -> Self {
        Self::with(Simulator::builder().lenient()).await
    }

    pub(crate) async fn with(builder: Builder) -> Self {
        let sim = builder.start().await.unwrap();
        let http = crate::client::http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let token = sim.web_token();
        Self { sim, http, token }
    }

    /// A request with the headers of the web page and a signature of the simulator's moment.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let (key, value) = signature(self.sim.now(), &format!("/b{}", path.split('?').next().unwrap()));
        let joint = if path.contains('?') { '&' } else { '?' };
        self.unsigned(method, &format!("{path}{joint}{key}={value}")).bearer_auth(&self.token)
    }

    /// A request with the headers of the web page alone.
    pub(crate) fn unsigned(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sim.urls().web);
        self.http.request(method, url).header("platform", "web").header("app-version", "3")
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        read(self.request(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        read(self.request(Method::PUT, path).json(&body).send().await.unwrap()).await
    }
}

fn signature(unix: i64, path: &str) -> (String, String) {
    let clock = Timestamp::from_second(unix).unwrap().to_zoned(TimeZone::fixed(Offset::constant(8)));
    let minute = clock.strftime("%Y%m%d%H%M").to_string();
    let letters: Vec<u8> = minute.bytes().map(|digit| b"adefghlmyi"[usize::from(digit - b'0')]).collect();
    let key = crc32(&letters).to_string();
    let value = crc32(format!("{unix}|1234567|{path}|web|3|{key}").as_bytes());
    (key, format!("{unix}-1234567-{value}"))
}
