//! The CDN: download addresses, ranges, direct links and their signatures.

use std::time::Duration;

use pan123_sim::{Fault, Simulator, seeded_bytes, seeded_md5};
use reqwest::Response;
use serde_json::json;

use crate::client::{Client, assert_ok, assert_refused, md5, read};

async fn fetch(client: &Client, url: &str, range: Option<&str>) -> Response {
    let mut request = client.http.get(url);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_file_comes_whole_or_in_ranges() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put("/a.txt", "0123456789")).await;
    let whole = fetch(&client, &url, None).await;
    assert_eq!((whole.status().as_u16(), whole.content_length()), (200, Some(10)));
    assert_eq!(whole.text().await.unwrap(), "0123456789");
    for (range, content_range, body) in
        [("bytes=2-4", "bytes 2-4/10", "234"), ("bytes=8-", "bytes 8-9/10", "89"), ("bytes=-3", "bytes 7-9/10", "789")]
    {
        let part = fetch(&client, &url, Some(range)).await;
        assert_eq!(part.status(), 206);
        assert_eq!(part.headers()["content-range"], content_range);
        assert_eq!(part.text().await.unwrap(), body);
    }
    let outside = fetch(&client, &url, Some("bytes=10-")).await;
    assert_eq!(outside.status(), 416);
    assert_eq!(outside.headers()["content-range"], "bytes */10");
}

#[tokio::test]
async fn an_empty_file_has_an_empty_body() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put("/a", "")).await;
    let whole = fetch(&client, &url, None).await;
    assert_eq!((whole.status().as_u16(), whole.content_length()), (200, Some(0)));
    assert_eq!(fetch(&client, &url, Some("bytes=0-")).await.status(), 416);
}

#[tokio::test]
async fn a_download_address_expires_and_cannot_be_changed() {
    let client = Client::with(Simulator::builder().download_lifetime(Duration::from_secs(60))).await;
    let url = client.download_url(client.sim.put("/a", "x")).await;
    assert_eq!(fetch(&client, &url.replace("&bzs=1", "&bzs=2"), None).await.status(), 403);
    client.sim.advance(Duration::from_secs(59));
    assert_eq!(fetch(&client, &url, None).await.status(), 200);
    client.sim.advance(Duration::from_secs(2));
    assert_eq!(fetch(&client, &url, None).await.status(), 403);
}

#[tokio::test]
async fn seeded_files_come_with_a_known_md5() {
    let client = Client::start().await;
    let size = 3_000_017;
    let id = client.sim.put_seeded("/big.bin", size, 5);
    assert_eq!(client.sim.file("/big.bin").unwrap().md5, seeded_md5(size, 5));
    let url = client.download_url(id).await;
    let bytes = fetch(&client, &url, None).await.bytes().await.unwrap();
    assert_eq!(md5(&bytes), seeded_md5(size, 5));
    let part = fetch(&client, &url, Some("bytes=1000000-1000999")).await.bytes().await.unwrap();
    assert_eq!(part, seeded_bytes(size, 5).slice(1_000_000..1_001_000));
}

#[tokio::test]
async fn a_link_has_only_so_many_connections() {
    let client = Client::with(Simulator::builder().cdn_connections(1)).await;
    let id = client.sim.put_seeded("/big.bin", 64 << 20, 5);
    let url = client.download_url(id).await;
    let mut first = fetch(&client, &url, None).await;
    assert!(first.chunk().await.unwrap().is_some());
    assert_eq!(fetch(&client, &url, Some("bytes=5-9")).await.status(), 429);
    let another = client.download_url(id).await;
    assert_eq!(fetch(&client, &another, Some("bytes=5-9")).await.status(), 206);
    while first.chunk().await.unwrap().is_some() {}
    drop(first);
    while fetch(&client, &url, Some("bytes=5-9")).await.status() == 429 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_range_can_be_ignored() {
    let client = Client::start().await;
    client.sim.fault(Fault::on("open/file.download_content").ignore_range());
    let url = client.download_url(client.sim.put("/a", "0123456789")).await;
    let reply = fetch(&client, &url, Some("bytes=2-4")).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.text().await.unwrap(), "0123456789");
}

#[tokio::test]
async fn folders_have_no_address() {
    let client = Client::start().await;
    let id = client.sim.mkdir("/d");
    assert_refused(&client.get(&format!("/api/v1/file/download_info?fileId={id}")).await, 1, "sim: ");
    assert_refused(&client.get("/api/v1/file/download_info?fileId=5").await, 5066, "");
}

#[tokio::test]
async fn credentials_must_not_reach_the_cdn() {
    let client = Client::start().await;
    let url = client.download_url(client.sim.put("/a", "x")).await;
    for (name, value) in [("authorization", "Bearer x"), ("platform", "open_platform"), ("cookie", "a=b")] {
        let reply = client.http.get(&url).header(name, value).send().await.unwrap();
        assert_eq!(reply.status(), 400);
        assert_refused(&read(reply).await, 1, &format!("sim: the header `{name}`"));
    }
}

fn sign(client: &Client, url: &str, ts: i64, path: &str) -> String {
    let (uid, key) = (client.sim.uid(), client.sim.link_key());
    format!("{url}?auth_key={ts}-r-{uid}-{}", md5(format!("{path}-{ts}-r-{uid}-{key}").as_bytes()))
}

#[tokio::test]
async fn a_direct_link_needs_a_space_and_a_signature() {
    let client = Client::start().await;
    let id = client.sim.put("/films/sub/秋 天.mp4", "film");
    assert_refused(
        &client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await,
        1,
        "sim: direct-link space is not enabled",
    );
    let folder = client.sim.mkdir("/films");
    let reply = client.post("/api/v1/direct-link/enable", json!({"fileID": folder})).await;
    assert_ok(&reply);
    assert_eq!(reply["data"], json!({"filename": "films"}));
    let reply = client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await;
    let url = reply["data"]["url"].as_str().unwrap();
    let expected = format!("{}/{}/films/sub/%E7%A7%8B%20%E5%A4%A9.mp4", client.sim.urls().cdn, client.sim.uid());
    assert_eq!(url, expected);

    let path = format!("/{}/films/sub/秋 天.mp4", client.sim.uid());
    let now = client.sim.now();
    client.sim.set_clock(now);
    assert_eq!(fetch(&client, url, None).await.status(), 403);
    assert_eq!(fetch(&client, &sign(&client, url, now + 1, &path), None).await.text().await.unwrap(), "film");
    assert_eq!(fetch(&client, &sign(&client, url, now, &path), None).await.status(), 403);
    let encoded = expected.strip_prefix(&client.sim.urls().cdn).unwrap();
    assert_eq!(fetch(&client, &sign(&client, url, now + 1, encoded), None).await.status(), 403);
    let range = fetch(&client, &sign(&client, url, now + 1, &path), Some("bytes=1-2")).await;
    assert_eq!((range.status().as_u16(), range.text().await.unwrap().as_str()), (206, "il"));
    assert_eq!(client.sim.count("cdn/direct_link"), 5);
}

#[tokio::test]
async fn without_authentication_a_direct_link_needs_no_signature() {
    let client = Client::with(Simulator::builder().link_authentication(false)).await;
    let id = client.sim.put("/films/a", "film");
    client.sim.enable_direct_link("/films");
    let reply = client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await;
    assert_eq!(fetch(&client, reply["data"]["url"].as_str().unwrap(), None).await.text().await.unwrap(), "film");
}

#[tokio::test]
async fn only_a_folder_below_the_root_becomes_a_space() {
    let client = Client::start().await;
    let file = client.sim.put("/a/b/c", "x");
    let deep = client.sim.mkdir("/a/b");
    for id in [0, file, deep] {
        assert_refused(&client.post("/api/v1/direct-link/enable", json!({"fileID": id})).await, 1, "sim: ");
    }
    let in_root = client.sim.put("/d", "x");
    assert_refused(
        &client.get(&format!("/api/v1/direct-link/url?fileID={in_root}")).await,
        1,
        "sim: direct-link space",
    );
    assert_refused(&client.post("/api/v1/direct-link/enable", json!({"fileID": 5})).await, 5066, "");
}

#[tokio::test]
async fn what_review_has_turned_down_is_listed_and_leads_nowhere() {
    let client = Client::start().await;
    client.sim.enable_direct_link("/public");
    let (id, good) = (client.sim.put("/public/a", "bad"), client.sim.put("/public/b", "good"));
    let told = client.download_url(id).await;
    let linked = client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await["data"]["url"].clone();
    client.sim.reject("/public/a");
    let folder = client.sim.mkdir("/public");
    let v2 = client.get(&format!("/api/v2/file/list?parentFileId={folder}&limit=100")).await;
    let v1 = format!("/api/v1/file/list?parentFileId={folder}&page=1&limit=100&orderBy=file_id&orderDirection=asc");
    for list in [v2, client.get(&v1).await, client.post("/api/v1/file/infos", json!({"fileIds": [id, good]})).await] {
        let status = |at: usize| list["data"]["fileList"][at]["status"].as_i64().unwrap();
        assert!(status(0) > 100 && status(1) == 2, "{list}");
    }
    assert!(client.get(&format!("/api/v1/file/detail?fileID={id}")).await["data"]["status"].as_i64().unwrap() > 100);
    for path in ["/api/v1/file/download_info?fileId", "/api/v1/direct-link/url?fileID"] {
        assert_refused(&client.get(&format!("{path}={id}")).await, 1, "sim: the file was turned down");
        assert_ok(&client.get(&format!("{path}={good}")).await);
    }
    assert_eq!(fetch(&client, &told, None).await.status(), 404);
    let path = format!("/{}/public/a", client.sim.uid());
    let signed = sign(&client, linked.as_str().unwrap(), client.sim.now() + 60, &path);
    assert_eq!(fetch(&client, &signed, None).await.status(), 404);
}

#[tokio::test]
async fn with_quirks_downloads_are_labelled_by_their_extension() {
    let labels = async |builder: pan123_sim::Builder| {
        let client = Client::with(builder).await;
        let mut labels = Vec::new();
        for name in ["/a.json", "/b.HTML", "/c.mp4", "/d"] {
            let path = format!("/api/v1/file/download_info?fileId={}", client.sim.put(name, r#"{"code":0}"#));
            // The first query is put off with quirks.
            client.get(&path).await;
            let url = client.get(&path).await["data"]["downloadUrl"].as_str().unwrap().to_owned();
            let reply = fetch(&client, &url, None).await;
            assert_eq!(reply.status(), 200);
            labels.push(reply.headers()["content-type"].to_str().unwrap().to_owned());
        }
        labels
    };
    let plain = "application/octet-stream";
    assert_eq!(labels(Simulator::builder()).await, [plain; 4]);
    let quirky = labels(Simulator::builder().quirks(true)).await;
    assert_eq!(quirky, ["application/json", "text/html", plain, plain]);
}
