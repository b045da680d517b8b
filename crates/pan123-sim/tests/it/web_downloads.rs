//! Downloads of the web API: what is told, how it leads to the bytes, and when it no longer does.

use std::time::Duration;

use pan123_sim::{DownloadForm, Simulator};
use reqwest::{Method, Response, Url};
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, md5, read};
use crate::page::Page;

fn one_file(page: &Page, name: &str, bytes: &[u8]) -> Value {
    let id = page.sim.put(&format!("/{name}"), bytes.to_vec());
    json!({
        "driveId": 0, "etag": md5(bytes), "fileId": id, "fileName": name, "s3keyFlag": format!("{}-0", page.sim.uid()),
        "size": bytes.len(), "type": 0,
    })
}

async fn fetch(page: &Page, url: &str) -> Response {
    page.http.get(url).header("referer", "https://yun.123pan.cn/").send().await.unwrap()
}

/// The address in `params`, as a client finds it.
fn next_of(url: &str) -> String {
    let params = url.split_once("params=").unwrap().1.split('&').next().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = params
        .replace('-', "+")
        .replace('_', "/")
        .trim_end_matches('=')
        .chars()
        .map(|letter| alphabet.find(letter).unwrap() as u32)
        .collect();
    let bytes = digits.chunks(4).flat_map(|group| {
        let bits = group.iter().enumerate().fold(0u32, |bits, (index, six)| bits | six << (18 - 6 * index));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8].into_iter().take(group.len() - 1)
    });
    String::from_utf8(bytes.collect()).unwrap()
}

#[tokio::test]
async fn every_form_of_an_address_leads_to_the_bytes() {
    let page = Page::start().await;
    let body = one_file(&page, "报告.pdf", b"hello");
    let tell = async |form: DownloadForm| {
        page.sim.tell_downloads(form);
        let reply = page.post("/api/file/download_info", body.clone()).await;
        reply["data"]["DownloadUrl"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    };
    for form in [DownloadForm::Params, DownloadForm::UrlSafeParams, DownloadForm::Redirect, DownloadForm::Json] {
        let told = tell(form).await;
        let shell = fetch(&page, &told).await;
        assert!(shell.status() == 200 && !shell.text().await.unwrap().contains("href"), "{form:?}");
        let next = next_of(&told);
        let hop = fetch(&page, &next).await;
        let status = hop.status().as_u16();
        let last = if form == DownloadForm::Redirect {
            hop.headers()["location"].to_str().unwrap().to_owned()
        } else {
            let expected = if form == DownloadForm::Json { 200 } else { 210 };
            assert_eq!(status, expected, "{form:?}");
            read(hop).await["data"]["redirect_url"].as_str().unwrap().to_owned()
        };
        assert_eq!(fetch(&page, &last).await.bytes().await.unwrap(), "hello", "{form:?}");
    }
    let linked = fetch(&page, &tell(DownloadForm::Page).await).await.text().await.unwrap();
    let last = linked.split_once("href=\"").unwrap().1.split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(fetch(&page, &last).await.bytes().await.unwrap(), "hello");
    let direct = tell(DownloadForm::Direct).await;
    let part = page.http.get(&direct).header("referer", "x").header("range", "bytes=1-2").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.headers()["content-range"]), (206, &"bytes 1-2/5".parse().unwrap()));
    assert_eq!(part.bytes().await.unwrap(), "el");
}

#[tokio::test]
async fn the_newer_call_tells_hosts_and_a_path() {
    let page = Page::start().await;
    let reply = page.post("/api/v2/file/download_info", one_file(&page, "a", b"hello")).await;
    let url =
        format!("{}{}", string(&reply["data"]["dispatchList"][0]["prefix"]), string(&reply["data"]["downloadPath"]));
    assert!(Url::parse(&url).unwrap().query_pairs().any(|(name, value)| name == "filename" && value == "a"));
    assert_eq!(fetch(&page, &url).await.bytes().await.unwrap(), "hello");
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

#[tokio::test]
async fn the_service_goes_by_content_and_not_by_id() {
    let page = Page::start().await;
    let body = one_file(&page, "a", b"hello");
    let changed = |name: &str, value: Value| {
        let mut body = body.clone();
        body[name] = value;
        body
    };
    for (name, value) in [("etag", json!(md5(b"other"))), ("size", json!(6)), ("s3keyFlag", json!("5-0"))] {
        assert_refused(&page.post("/api/file/download_info", changed(name, value)).await, 400, name);
    }
    let mut lacking = body.clone();
    lacking.as_object_mut().unwrap().remove("etag");
    assert_refused(&page.post("/api/file/download_info", lacking).await, 400, "etag");
    assert_ok(&page.post("/api/file/download_info", changed("fileId", json!(5))).await);
    page.sim.use_up_traffic(true);
    assert_refused(&page.post("/api/file/download_info", body.clone()).await, 5113, "");
    let check = page.post("/api/file/download/traffic/check", json!({"fids": [body["fileId"]]})).await;
    assert_eq!(check["data"]["isTrafficExceeded"], true, "{check}");
    page.sim.use_up_traffic(false);
    let check = page.post("/api/file/download/traffic/check", json!({"fids": [body["fileId"]]})).await;
    assert_eq!((&check["data"]["isTrafficExceeded"], &check["data"]["originalFileSize"]), (&json!(false), &json!(5)));
    assert_refused(&page.post("/api/file/download/traffic/check", json!({"fids": []})).await, 400, "");
}

#[tokio::test]
async fn addresses_end() {
    let page = Page::with(Simulator::builder().download_lifetime(Duration::from_secs(60))).await;
    page.sim.set_clock(1_790_000_000);
    page.sim.tell_downloads(DownloadForm::Direct);
    let body = one_file(&page, "a", b"hello");
    let reply = page.post("/api/file/download_info", body).await;
    let url = string(&reply["data"]["DownloadUrl"]);
    assert_eq!(fetch(&page, url).await.status(), 200);
    page.sim.advance(Duration::from_secs(60));
    assert_eq!(fetch(&page, url).await.status(), 403);
}

#[tokio::test]
async fn folders_and_selections_come_as_a_zip() {
    let page = Page::start().await;
    page.sim.put("/docs/a.txt", "hello");
    page.sim.put("/docs/deep/b.txt", "world");
    let folder = page.sim.file("/docs").unwrap().id;
    page.sim.tell_downloads(DownloadForm::Direct);
    for body in [json!({"fileIdList": [{"fileId": folder}]}), json!({"fileIdList": [{"FileId": folder}]})] {
        let reply = page.post("/api/file/batch_download_info", body).await;
        let zip = fetch(&page, string(&reply["data"]["DownloadUrl"])).await.bytes().await.unwrap();
        let text = String::from_utf8_lossy(&zip);
        assert!(zip.starts_with(b"PK") && text.contains("docs/deep/b.txt") && text.contains("world"));
    }
    let reply = page.post("/api/v2/file/batch_download_info", json!({"fileIdList": [{"fileId": folder}]})).await;
    assert!(reply["data"]["dispatchList"].is_array(), "{reply}");
    assert_refused(&page.post("/api/file/batch_download_info", json!({"fileIdList": [{"fileId": 5}]})).await, 5066, "");
}

#[tokio::test]
async fn what_working_clients_send_is_understood() {
    let page = Page::lenient().await;
    let body = one_file(&page, "a", b"hello");
    let lower: serde_json::Map<String, Value> =
        body.as_object().unwrap().iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    let url = format!("{}/a/api/file/download_info", page.sim.urls().web.trim_end_matches("/b"));
    let request = page.http.post(url).header("platform", "android").bearer_auth(&page.token).json(&lower);
    let reply = read(request.send().await.unwrap()).await;
    let next = next_of(string(&reply["data"]["DownloadUrl"]));
    let last = read(fetch(&page, &next).await).await["data"]["redirect_url"].as_str().unwrap().to_owned();
    let head = page.http.request(Method::HEAD, &last).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "5"));
}

#[tokio::test]
async fn lenient_mode_leads_plain_clients_through_the_relay() {
    let page = Page::lenient().await;
    let body = one_file(&page, "报 告.pdf", b"hello");
    for form in [DownloadForm::Params, DownloadForm::UrlSafeParams, DownloadForm::Redirect] {
        page.sim.tell_downloads(form);
        let told = page.post("/api/file/download_info", body.clone()).await;
        let reply = page.http.get(told["data"]["DownloadUrl"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(reply.status(), 302, "{form:?}");
        let last = reply.headers()["location"].to_str().unwrap().to_owned();
        let text = reply.text().await.unwrap();
        assert_eq!(text.split_once("href='").unwrap().1.split('\'').next().unwrap(), last);
        assert_eq!(page.http.get(last).send().await.unwrap().text().await.unwrap(), "hello");
    }
    // It leads nowhere else.
    let cdn = &page.sim.urls().cdn;
    for params in ["aHR0cHM6Ly9leGFtcGxlLmNvbS8", "%%%", ""] {
        let reply = page.http.get(format!("{cdn}/download-v2/?params={params}&is_s3=0")).send().await.unwrap();
        assert_eq!(reply.status(), 200, "{params}");
    }
}
