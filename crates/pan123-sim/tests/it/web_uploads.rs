//! Uploads of the web API: instant, at once, in parts, and what goes wrong on the way.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use pan123_sim::{Builder, Fault, Simulator};
use reqwest::Response;
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, md5, read};
use crate::page::Page;

fn small() -> Builder {
    Simulator::builder().slice_size(10)
}

async fn request(page: &Page, name: &str, bytes: &[u8], more: Value) -> Value {
    let mut body = json!({
        "RequestSource": null, "driveId": 0, "etag": md5(bytes), "fileName": name, "parentFileId": 0,
        "size": bytes.len(), "type": 0,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    page.post("/api/file/upload_request", body).await
}

/// The values of a session that its calls send again, and others.
fn of(session: &Value, more: Value) -> Value {
    let data = &session["data"];
    let mut body = json!({
        "StorageNode": data["StorageNode"], "bucket": data["Bucket"], "key": data["Key"], "uploadId": data["UploadId"],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn presign(page: &Page, session: &Value, first: u64, end: u64) -> Value {
    let body = of(session, json!({"partNumberStart": first, "partNumberEnd": end}));
    page.post("/api/file/s3_repare_upload_parts_batch", body).await
}

async fn auth_single(page: &Page, session: &Value) -> String {
    let body = of(session, json!({"partNumberStart": 1, "partNumberEnd": 2}));
    let reply = page.post("/api/file/s3_upload_object/auth", body).await;
    reply["data"]["presignedUrls"]["1"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

async fn put(page: &Page, url: &str, bytes: &[u8]) -> Response {
    page.http.put(url).body(bytes.to_vec()).send().await.unwrap()
}

async fn complete(page: &Page, session: &Value, size: usize, multipart: bool) -> Value {
    let more = json!({"fileId": session["data"]["FileId"], "fileSize": size, "isMultipart": multipart});
    page.post("/api/file/upload_complete/v2", of(session, more)).await
}

/// Sends all parts of 10 bytes.
async fn put_parts(page: &Page, session: &Value, bytes: &[u8]) {
    let parts: Vec<&[u8]> = bytes.chunks(10).collect();
    let urls = presign(page, session, 1, parts.len() as u64 + 1).await["data"]["presignedUrls"].clone();
    for (index, part) in parts.into_iter().enumerate() {
        let reply = put(page, urls[(index + 1).to_string()].as_str().unwrap(), part).await;
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()["etag"], format!("\"{}\"", md5(part)));
    }
}

#[tokio::test]
async fn a_file_of_one_part_goes_at_once() {
    let page = Page::start().await;
    let session = request(&page, "a.txt", b"hello", json!({})).await;
    let data = &session["data"];
    assert_eq!((&data["Reuse"], &data["SliceSize"], &data["Info"]), (&json!(false), &json!("16777216"), &Value::Null));
    assert_eq!(data["Key"], format!("5d41402a/{}-0/{}", page.sim.uid(), md5(b"hello")));
    assert!(data["AccessKeyId"].is_null() && data["UploadId"].as_str().unwrap().starts_with("2~"), "{session}");
    let url = auth_single(&page, &session).await;
    assert!(url.starts_with(&page.sim.urls().storage) && url.contains("X-Amz-Signature="), "{url}");
    let reply = put(&page, &url, b"hello").await;
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["etag"]),
        (200, &format!("\"{}\"", md5(b"hello")).parse().unwrap())
    );
    let done = complete(&page, &session, 5, false).await;
    let info = &done["data"]["file_info"];
    assert_eq!((&info["FileId"], &info["Etag"], &info["Size"]), (&data["FileId"], &json!(md5(b"hello")), &json!(5)));
    assert_eq!(page.sim.read("/a.txt").unwrap(), "hello");
    assert_refused(&complete(&page, &session, 5, false).await, -1, "NoSuchKey");
}

#[tokio::test]
async fn a_file_in_parts_gets_another_id_than_was_told() {
    let page = Page::with(small()).await;
    let bytes = b"abcdefghijklmnopqrstuvwxyz";
    let session = request(&page, "a.txt", bytes, json!({})).await;
    assert_eq!(session["data"]["SliceSize"], "10");
    let parts =
        async || page.post("/api/file/s3_list_upload_parts", of(&session, json!({}))).await["data"]["Parts"].clone();
    assert!(parts().await.is_null());
    put_parts(&page, &session, bytes).await;
    let listed = parts().await;
    assert_eq!(listed[2], json!({"PartNumber": "3", "Size": "6", "ETag": format!("\"{}\"", md5(b"uvwxyz"))}));
    let done = complete(&page, &session, 26, true).await;
    let id = done["data"]["file_info"]["FileId"].as_i64().unwrap();
    assert_ne!(id, session["data"]["FileId"]);
    assert_eq!(page.sim.file("/a.txt").unwrap().id, id);
    assert_eq!(page.sim.read("/a.txt").unwrap(), bytes.as_slice());
    let gone = page.post("/api/file/s3_list_upload_parts", of(&session, json!({}))).await;
    assert_refused(&gone, -1, "NoSuchKey");
}

#[tokio::test]
async fn parts_completed_as_one_store_nothing_and_one_as_parts_fails() {
    let page = Page::with(small()).await;
    let session = request(&page, "a", b"hello", json!({})).await;
    put_parts(&page, &session, b"hello").await;
    let done = complete(&page, &session, 5, false).await;
    assert_ok(&done);
    assert!(done["data"]["file_info"].is_null() && page.sim.files().is_empty(), "{done}");
    assert!(complete(&page, &session, 5, true).await["data"]["file_info"].is_object());
    let session = request(&page, "b", b"other", json!({})).await;
    put(&page, &auth_single(&page, &session).await, b"other").await;
    assert_refused(&complete(&page, &session, 5, true).await, -1, "MalformedXML");
    assert_refused(&complete(&page, &session, 6, false).await, 400, "sim: ");
    let lacking = json!({"fileId": session["data"]["FileId"]});
    assert_refused(&page.post("/api/file/upload_complete/v2", lacking).await, 400, "sim: ");
}

#[tokio::test]
async fn known_content_is_there_at_once_under_any_name() {
    let page = Page::start().await;
    page.sim.put("/a", "hello");
    let again = request(&page, "b", b"hello", json!({})).await;
    let data = &again["data"];
    assert_eq!((&data["Reuse"], &data["FileId"], &data["UploadId"]), (&json!(true), &json!(0), &json!("")));
    assert_ne!(data["Key"], "");
    let id = data["Info"]["FileId"].as_i64().unwrap();
    assert_eq!(page.sim.file("/b").unwrap().id, id);
    let same = request(&page, "b", b"hello", json!({})).await;
    assert_eq!((&same["data"]["Reuse"], &same["data"]["Info"]["FileId"]), (&json!(true), &json!(id)));
    assert_eq!(page.sim.files().len(), 2, "the same file again is not a second one");
    let empty = request(&page, "empty", b"", json!({})).await;
    assert_eq!(empty["data"]["Reuse"], true, "the service knows the empty file");
    assert_eq!(page.sim.file("/empty").unwrap().size, 0);
}

#[tokio::test]
async fn a_script_keeps_back_what_an_instant_upload_made() {
    let page = Page::start().await;
    page.sim.put("/a", "hello");
    let list = "/api/file/list/new?driveId=0&limit=100&next=0&orderBy=file_id&orderDirection=desc&parentFileId=0\
        &trashed=false&Page=1";
    let rows = async || page.get(list).await["data"]["Len"].as_i64().unwrap();
    page.sim.fault(Fault::on("web/upload.request").reuse_without_id(1));
    let reply = request(&page, "b", b"hello", json!({})).await;
    assert!(reply["data"]["Reuse"] == true && reply["data"]["Info"].is_null(), "{reply}");
    assert_eq!((rows().await, rows().await), (1, 2));
    page.sim.fault(Fault::on("web/upload.request").lists_late(2));
    let reply = request(&page, "c", b"hello", json!({})).await;
    let info = page.post("/api/file/info", json!({"fileIdList": [{"FileId": reply["data"]["Info"]["FileId"]}]})).await;
    assert_eq!(info["data"]["infoList"][0]["FileName"], "c", "infos know it earlier than lists");
    assert_eq!((rows().await, rows().await, rows().await), (2, 2, 3));
    page.sim.fault(Fault::on("web/upload.request").phantom_reuse());
    let reply = request(&page, "d", b"hello", json!({})).await;
    assert!(reply["data"]["Reuse"] == true && reply["data"]["FileId"].as_i64().unwrap() > 0, "{reply}");
    assert!(page.sim.file("/d").is_none());
}

#[tokio::test]
async fn a_taken_name_is_refused_numbered_or_overwritten_in_place() {
    let page = Page::start().await;
    let old = page.sim.put("/a.txt", "old");
    let clash = request(&page, "a.txt", b"new", json!({})).await;
    assert_eq!(
        (&clash["code"], &clash["data"]["size"], &clash["data"]["etag"]),
        (&json!(5060), &json!(3), &json!(md5(b"old")))
    );
    assert!(clash["message"].as_str().unwrap().contains("a.txt"));
    for (duplicate, path) in [(2, "/a.txt"), (1, "/a(1).txt")] {
        let bytes = format!("new {duplicate}");
        let session = request(&page, "a.txt", bytes.as_bytes(), json!({"duplicate": duplicate})).await;
        put(&page, &auth_single(&page, &session).await, bytes.as_bytes()).await;
        if duplicate == 2 {
            assert_eq!(page.sim.read("/a.txt").unwrap(), "old", "not before it is complete");
        }
        assert_ok(&complete(&page, &session, bytes.len(), false).await);
        assert_eq!(page.sim.read(path).unwrap(), bytes);
    }
    assert_eq!(page.sim.file("/a.txt").unwrap().id, old);
    // Somebody else took the name meanwhile.
    let session = request(&page, "late", b"mine", json!({})).await;
    put(&page, &auth_single(&page, &session).await, b"mine").await;
    page.sim.put("/late", "theirs");
    assert_eq!(complete(&page, &session, 4, false).await["code"], 5060);
    assert_eq!(page.sim.read("/late").unwrap(), "theirs");
}

#[tokio::test]
async fn bytes_are_stored_under_the_md5_that_was_claimed_and_the_log_says_so() {
    let page = Page::start().await;
    let session = request(&page, "a", b"hello", json!({})).await;
    put(&page, &auth_single(&page, &session).await, b"jello").await;
    let done = complete(&page, &session, 5, false).await;
    assert_eq!(done["data"]["file_info"]["Etag"], md5(b"hello"));
    assert_eq!(page.sim.read("/a").unwrap(), "jello");
    let note = page.sim.requests().last().unwrap().note.clone().unwrap();
    assert!(note.contains(&md5(b"jello")) && note.contains(&md5(b"hello")), "{note}");
    let session = request(&page, "b", b"five!", json!({})).await;
    put(&page, &auth_single(&page, &session).await, b"six...").await;
    assert_refused(&complete(&page, &session, 5, false).await, 1, "sim: ");
}

#[tokio::test]
async fn addresses_end_and_are_signed_for_what_they_are_for() {
    let page = Page::with(small().download_lifetime(Duration::from_secs(60))).await;
    page.sim.set_clock(1_790_000_000);
    let session = request(&page, "a", b"0123456789abc", json!({})).await;
    let urls = presign(&page, &session, 1, 3).await["data"]["presignedUrls"].clone();
    assert_eq!(urls.as_object().unwrap().len(), 2, "the range is half open");
    let url = urls["1"].as_str().unwrap();
    let other = url.replace("partNumber=1", "partNumber=2");
    for (url, code) in [(other.as_str(), "SignatureDoesNotMatch"), (url.split('?').next().unwrap(), "AccessDenied")] {
        let reply = put(&page, url, b"0123456789").await;
        assert_eq!(reply.status(), 403);
        assert!(reply.text().await.unwrap().contains(code));
    }
    let with_token = page.http.put(url).bearer_auth(&page.token).body("x").send().await.unwrap();
    assert_eq!(with_token.status(), 400, "credentials must not reach the storage");
    page.sim.advance(Duration::from_secs(60));
    let late = put(&page, url, b"0123456789").await;
    assert_eq!(late.status(), 403);
    assert!(late.text().await.unwrap().contains("Request has expired"));
    put_parts(&page, &session, b"0123456789abc").await;
    assert!(complete(&page, &session, 13, true).await["data"]["file_info"].is_object());
    for (first, end) in [(0, 1), (1, 1), (2, 1), (1, 10_002)] {
        let session = request(&page, "b", b"other", json!({})).await;
        assert_eq!(presign(&page, &session, first, end).await["code"], 400, "{first} to {end}");
    }
}

#[tokio::test]
async fn slices_grow_with_the_file_and_by_script() {
    let page = Page::start().await;
    for (size, slice) in
        [(48u64 << 20, "16777216"), ((160 << 20) + 1, "33554432"), (2 << 30, "67108864"), (35 << 30, "134217728")]
    {
        let body = json!({
            "driveId": 0, "etag": md5(&size.to_be_bytes()), "fileName": "big", "parentFileId": 0, "size": size, "type": 0,
        });
        let session = page.post("/api/file/upload_request", body).await;
        assert_eq!(session["data"]["SliceSize"], slice, "{size}");
    }
    page.sim.fault(Fault::on("web/upload.request").part_size(0));
    assert_eq!(request(&page, "a", b"x", json!({})).await["data"]["SliceSize"], "0");
}

#[tokio::test]
async fn the_older_merge_and_the_abort_work_too() {
    let page = Page::with(small()).await;
    let bytes = b"0123456789abc";
    let session = request(&page, "a", bytes, json!({})).await;
    put_parts(&page, &session, bytes).await;
    let body = of(&session, json!({}));
    let merged = page.post("/api/file/s3_complete_multipart_upload", body.clone()).await;
    assert_eq!(merged["data"], json!({"Location": ""}));
    page.sim.fault(Fault::on("web/upload.complete").incomplete());
    let done = async || page.post("/api/file/upload_complete", json!({"fileId": session["data"]["FileId"]})).await;
    assert_refused(&done().await, 1, "");
    assert_ok(&done().await);
    assert_eq!(page.sim.read("/a").unwrap(), bytes.as_slice());
    let session = request(&page, "b", b"other", json!({})).await;
    let body = of(&session, json!({}));
    assert_refused(&page.post("/api/file/s3_complete_multipart_upload", body.clone()).await, -1, "MalformedXML");
    assert_ok(&page.post("/api/file/s3_abort_multipart_upload", body.clone()).await);
    assert_refused(&page.post("/api/file/s3_abort_multipart_upload", body).await, -1, "NoSuchKey");
}

#[tokio::test]
async fn each_step_can_fail_before_after_and_in_the_middle() {
    let page = Page::with(small()).await;
    let bytes = b"0123456789abc";
    let session = request(&page, "a", bytes, json!({})).await;
    let url = presign(&page, &session, 1, 2).await["data"]["presignedUrls"]["1"].as_str().unwrap().to_owned();
    let parts =
        async || page.post("/api/file/s3_list_upload_parts", of(&session, json!({}))).await["data"]["Parts"].clone();
    page.sim.fault(Fault::on("web/upload.put_part").status(503));
    assert_eq!(put(&page, &url, b"0123456789").await.status(), 503);
    page.sim.fault(Fault::on("web/upload.put_part").during());
    assert!(page.http.put(&url).body("0123456789").send().await.is_err());
    assert!(parts().await.is_null(), "neither stored anything");
    page.sim.fault(Fault::on("web/upload.put_part").drop_answer());
    assert!(page.http.put(&url).body("0123456789").send().await.is_err());
    assert_eq!(parts().await[0]["Size"], "10");
    put_parts(&page, &session, bytes).await;
    page.sim.fault(Fault::on("web/upload.complete_v2").incomplete());
    assert!(complete(&page, &session, 13, true).await["data"]["file_info"].is_null());
    page.sim.fault(Fault::on("web/upload.complete_v2").status(500));
    let more = json!({"fileId": session["data"]["FileId"], "fileSize": 13, "isMultipart": true});
    let failed = page.request(reqwest::Method::POST, "/api/file/upload_complete/v2").json(&of(&session, more.clone()));
    assert_eq!(failed.send().await.unwrap().status(), 500);
    assert!(page.sim.files().is_empty());
    page.sim.fault(Fault::on("web/upload.complete_v2").drop_answer());
    let lost = page.request(reqwest::Method::POST, "/api/file/upload_complete/v2").json(&of(&session, more));
    assert!(lost.send().await.is_err());
    assert_eq!(page.sim.read("/a").unwrap(), bytes.as_slice());
}

#[tokio::test]
async fn with_quirks_the_storage_takes_its_time_and_times_are_missing() {
    let page = Page::with(small().quirks(true)).await;
    let bytes = b"0123456789abc";
    let session = request(&page, "a", bytes, json!({})).await;
    put_parts(&page, &session, bytes).await;
    let done = complete(&page, &session, 13, true).await;
    assert_eq!(done["data"]["file_info"]["UpdateAt"], "0001-01-01T00:00:00Z");
    let session = request(&page, "b", b"other bytes", json!({})).await;
    put_parts(&page, &session, b"other bytes").await;
    assert_eq!(page.post("/api/file/s3_complete_multipart_upload", of(&session, json!({}))).await["code"], 0);
    let done = async || page.post("/api/file/upload_complete", json!({"fileId": session["data"]["FileId"]})).await;
    assert_eq!((done().await["code"].as_i64(), done().await["code"].as_i64()), (Some(1), Some(0)));
    assert!(request(&page, "a", b"third", json!({})).await["data"].is_null(), "a clash may come without its data");
}

#[tokio::test]
async fn a_reset_and_a_restart_end_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let page = Page::with(Simulator::builder().dir(dir.path())).await;
    let session = request(&page, "a", b"hello", json!({})).await;
    let url = auth_single(&page, &session).await;
    put(&page, &url, b"hello").await;
    assert_ok(&complete(&page, &session, 5, false).await);
    let session = request(&page, "b", b"other", json!({})).await;
    let mut page = Page::with(Simulator::builder().dir(dir.path())).await;
    assert_eq!(page.sim.read("/a").unwrap(), "hello");
    assert_refused(&complete(&page, &session, 5, false).await, -1, "NoSuchKey");
    let session = request(&page, "b", b"other", json!({})).await;
    assert_ok(&session);
    page.sim.reset();
    assert_refused(&page.post("/api/file/s3_list_upload_parts", of(&session, json!({}))).await, 401, "");
    page.token = page.sim.web_token();
    assert_refused(&page.post("/api/file/s3_list_upload_parts", of(&session, json!({}))).await, -1, "NoSuchKey");
    assert!(page.sim.files().is_empty());
}

#[tokio::test]
async fn what_working_clients_send_is_understood() {
    let page = Page::with(small().lenient()).await;
    // Ids as texts, another spelling of the node, names in lower case, a closed range, a body in chunks.
    let body = json!({
        "driveId": 0, "duplicate": 2, "etag": md5(b"hello").to_uppercase(), "fileName": "a", "parentFileId": "0",
        "size": 5, "type": 0,
    });
    let session = page.post("/api/file/upload_request", body).await;
    let data = &session["data"];
    let body = json!({
        "storageNode": data["StorageNode"], "bucket": data["Bucket"], "key": data["Key"], "uploadid": data["UploadId"],
    });
    let single = page.post("/api/file/s3_upload_object/auth", body.clone()).await;
    assert!(single["data"]["presignedUrls"]["1"].is_string(), "{single}");
    let mut range = body;
    range["partNumberStart"] = json!(1);
    range["partNumberEnd"] = json!(1);
    let urls = page.post("/api/file/s3_repare_upload_parts_batch", range).await["data"]["presignedUrls"].clone();
    let chunks = chunked(&["hel", "lo"]);
    let sent = page.http.put(urls["1"].as_str().unwrap()).header("authorization", "").body(chunks);
    assert_eq!(sent.send().await.unwrap().status(), 200);
    let only = json!({"fileId": session["data"]["FileId"]});
    let nothing = page.post("/api/file/upload_complete/v2", only).await;
    assert!(nothing["code"] == 0 && nothing["data"]["file_info"].is_null(), "{nothing}");
    let sizeless = of(&session, json!({"fileId": session["data"]["FileId"], "isMultipart": true}));
    assert!(page.post("/api/file/upload_complete/v2", sizeless).await["data"]["file_info"].is_object());
    let strict = Page::start().await;
    let session = request(&strict, "a", b"hello", json!({})).await;
    let url = auth_single(&strict, &session).await;
    let chunks = chunked(&["hello"]);
    assert_eq!(read_status(strict.http.put(url).body(chunks).send().await.unwrap()), 411);
    assert_eq!(read(strict.unsigned(reqwest::Method::GET, "/api/nonsense").send().await.unwrap()).await["code"], 1);
}

fn read_status(response: Response) -> u16 {
    response.status().as_u16()
}

/// A body whose length is not known before it ends.
pub(crate) fn chunked(pieces: &[&'static str]) -> reqwest::Body {
    reqwest::Body::wrap(Chunks(pieces.to_vec()))
}

struct Chunks(Vec<&'static str>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = (!self.0.is_empty()).then(|| self.0.remove(0));
        Poll::Ready(next.map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes())))))
    }
}

#[tokio::test]
async fn lenient_mode_lists_parts_in_either_spelling() {
    let page = Page::with(small().lenient()).await;
    let session = request(&page, "a", b"0123456789abc", json!({})).await;
    put_parts(&page, &session, b"0123456789abc").await;
    let listed = page.post("/api/file/s3_list_upload_parts", of(&session, json!({}))).await;
    assert_eq!(listed["data"]["Parts"].as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(listed["data"]["Parts"], listed["data"]["parts"]);
}
