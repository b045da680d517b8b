//! The object storage behind keys that an upload of the web API hands out: signatures, parts, objects.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use pan123_sim::{Builder, Fault, Simulator};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{assert_ok, assert_refused, md5};
use crate::page::Page;

/// An upload that was answered with keys.
struct Keyed {
    page: Page,
    session: Value,
}

impl Keyed {
    async fn start(builder: Builder, bytes: &[u8]) -> Self {
        let page = Page::with(builder).await;
        page.sim.hand_out_keys(true);
        let body = json!({
            "driveId": 0, "etag": md5(bytes), "fileName": "a", "parentFileId": 0, "size": bytes.len(), "type": 0,
        });
        let session = page.post("/api/file/upload_request", body).await;
        assert_eq!(session["data"]["UploadId"], "", "{session}");
        Self { page, session }
    }

    fn data(&self, name: &str) -> &str {
        self.session["data"][name].as_str().unwrap()
    }

    async fn call(&self, method: Method, query: &str, body: &[u8]) -> Response {
        let signed = Signed { now: self.page.sim.now(), ..Signed::of(self) };
        signed.send(&self.page, method, query, body).await
    }

    async fn complete(&self) -> Value {
        self.page.post("/api/file/upload_complete", json!({"fileId": self.session["data"]["FileId"]})).await
    }
}

/// What a request is signed with.
struct Signed<'a> {
    endpoint: &'a str,
    path: String,
    id: &'a str,
    secret: &'a str,
    session: &'a str,
    region: &'a str,
    now: i64,
    hash: Option<&'a str>,
}

impl<'a> Signed<'a> {
    fn of(keyed: &'a Keyed) -> Self {
        Self {
            endpoint: keyed.data("EndPoint"),
            path: format!("/{}/{}", keyed.data("Bucket"), keyed.data("Key")),
            id: keyed.data("AccessKeyId"),
            secret: keyed.data("SecretAccessKey"),
            session: keyed.data("SessionToken"),
            region: "123pan",
            now: keyed.page.sim.now(),
            hash: None,
        }
    }

    async fn send(&self, page: &Page, method: Method, query: &str, body: &[u8]) -> Response {
        let Self { endpoint, path, id, secret, session, region, now, hash } = self;
        let moment = jiff::Timestamp::from_second(*now).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
        let own = hex(&Sha256::digest(body));
        let hash = hash.unwrap_or(&own);
        let host = endpoint.split_once("://").unwrap().1;
        let names = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token";
        let canonical_query = if query == "uploads" { "uploads=" } else { query };
        let canonical = format!(
            "{method}\n{path}\n{canonical_query}\nhost:{host}\nx-amz-content-sha256:{hash}\nx-amz-date:{moment}\n\
             x-amz-security-token:{session}\n\n{names}\n{hash}"
        );
        let scope = format!("{}/{region}/s3/aws4_request", &moment[..8]);
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [&moment[..8], region, "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        let signature = hex(&mac(&key, &text));
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        let joint = if query.is_empty() { "" } else { "?" };
        let request = page.http.request(method, format!("{endpoint}{path}{joint}{query}"));
        let request = request.header("authorization", authorization).header("x-amz-date", moment);
        let request = request.header("x-amz-content-sha256", hash).header("x-amz-security-token", *session);
        request.body(body.to_vec()).send().await.unwrap()
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
}

#[tokio::test]
async fn an_object_is_put_at_once() {
    let keyed = Keyed::start(Simulator::builder(), b"hello").await;
    assert!(keyed.session["data"]["Expiration"].is_string());
    assert_refused(&keyed.complete().await, -1, "NoSuchKey");
    let reply = keyed.call(Method::PUT, "", b"hello").await;
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["etag"]),
        (200, &format!("\"{}\"", md5(b"hello")).parse().unwrap())
    );
    assert_ok(&keyed.complete().await);
    assert_eq!(keyed.page.sim.read("/a").unwrap(), "hello");
    assert_eq!(keyed.page.sim.count("storage/put_object"), 1);
}

#[tokio::test]
async fn an_object_is_put_in_parts() {
    let bytes = b"0123456789abc";
    let keyed = Keyed::start(Simulator::builder().slice_size(10), bytes).await;
    let made = keyed.call(Method::POST, "uploads", b"").await.text().await.unwrap();
    let id = element(&made, "UploadId");
    let mut tags = Vec::new();
    for (index, part) in bytes.chunks(10).enumerate() {
        let reply = keyed.call(Method::PUT, &format!("partNumber={}&uploadId={id}", index + 1), part).await;
        assert_eq!(reply.status(), 200);
        tags.push(reply.headers()["etag"].to_str().unwrap().to_owned());
    }
    let listed = keyed.call(Method::GET, &format!("uploadId={id}"), b"").await.text().await.unwrap();
    assert_eq!((listed.matches("<Part>").count(), element(&listed, "Size")), (2, "10".to_owned()));
    let list = |tags: &[String]| {
        let part = |(index, tag): (usize, &String)| {
            format!("<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag></Part>", index + 1)
        };
        let parts: String = tags.iter().enumerate().map(part).collect();
        format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    };
    let wrong = list(&[tags[0].clone(), "\"0\"".to_owned()]);
    for (body, code) in [(wrong, "InvalidPart"), (String::new(), "MalformedXML")] {
        let reply = keyed.call(Method::POST, &format!("uploadId={id}"), body.as_bytes()).await;
        assert_eq!(reply.status(), 400);
        assert_eq!(element(&reply.text().await.unwrap(), "Code"), code);
    }
    let done = keyed.call(Method::POST, &format!("uploadId={id}"), list(&tags).as_bytes()).await;
    assert!(element(&done.text().await.unwrap(), "ETag").contains("-2"));
    assert_ok(&keyed.complete().await);
    assert_eq!(keyed.page.sim.read("/a").unwrap(), bytes.as_slice());
}

#[tokio::test]
async fn an_upload_in_parts_can_be_given_up() {
    let keyed = Keyed::start(Simulator::builder(), b"hello").await;
    let id = element(&keyed.call(Method::POST, "uploads", b"").await.text().await.unwrap(), "UploadId");
    assert_eq!(keyed.call(Method::DELETE, &format!("uploadId={id}"), b"").await.status(), 204);
    let late = keyed.call(Method::PUT, &format!("partNumber=1&uploadId={id}"), b"hello").await;
    assert_eq!(late.status(), 404);
    assert_eq!(element(&late.text().await.unwrap(), "Code"), "NoSuchUpload");
}

#[tokio::test]
async fn what_is_signed_wrongly_is_refused() {
    let keyed = Keyed::start(Simulator::builder().download_lifetime(Duration::from_secs(3600)), b"hello").await;
    let check = async |signed: Signed<'_>, code: &str| {
        let reply = signed.send(&keyed.page, Method::PUT, "", b"hello").await;
        assert!(!reply.status().is_success(), "{code}");
        assert_eq!(element(&reply.text().await.unwrap(), "Code"), code);
    };
    check(Signed { secret: "x", ..Signed::of(&keyed) }, "SignatureDoesNotMatch").await;
    check(Signed { id: "x", ..Signed::of(&keyed) }, "InvalidAccessKeyId").await;
    check(Signed { session: "x", ..Signed::of(&keyed) }, "InvalidToken").await;
    check(Signed { region: "us-east-1", ..Signed::of(&keyed) }, "AuthorizationHeaderMalformed").await;
    check(Signed { now: 1_700_000_000, ..Signed::of(&keyed) }, "RequestTimeTooSkewed").await;
    let other = hex(&Sha256::digest(b"jello"));
    check(Signed { hash: Some(&other), ..Signed::of(&keyed) }, "XAmzContentSHA256Mismatch").await;
    let unsigned = Signed { hash: Some("UNSIGNED-PAYLOAD"), ..Signed::of(&keyed) };
    assert_eq!(unsigned.send(&keyed.page, Method::PUT, "", b"hello").await.status(), 200);
    keyed.page.sim.advance(Duration::from_secs(3600));
    check(Signed::of(&keyed), "ExpiredToken").await;
}

#[tokio::test]
async fn keys_are_handed_out_by_script_whole_or_not() {
    let page = Page::start().await;
    let request = async |name: &str| {
        let body = json!({
            "driveId": 0, "etag": md5(name.as_bytes()), "fileName": name, "parentFileId": 0, "size": 1, "type": 0,
        });
        page.post("/api/file/upload_request", body).await["data"].clone()
    };
    page.sim.fault(Fault::on("web/upload.request").storage_keys());
    let whole = request("a").await;
    page.sim.fault(Fault::on("web/upload.request").some_storage_keys());
    let half = request("b").await;
    let none = request("c").await;
    let filled = |data: &Value| {
        ["AccessKeyId", "SecretAccessKey", "SessionToken"]
            .map(|name| !data[name].as_str().unwrap_or_default().is_empty())
    };
    assert_eq!([filled(&whole), filled(&half), filled(&none)], [[true; 3], [true, true, false], [false; 3]]);
}
