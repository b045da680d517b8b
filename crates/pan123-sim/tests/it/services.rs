//! Direct-link logs and older calls, and the developer's IP blacklist.

use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, md5};

async fn fetch(client: &Client, url: &str) -> (u16, Vec<u8>) {
    let reply = client.http.get(url).send().await.unwrap();
    (reply.status().as_u16(), reply.bytes().await.unwrap().to_vec())
}

fn signed(client: &Client, url: &str) -> String {
    let path = url.strip_prefix(&client.sim.urls().cdn).unwrap();
    let (ts, uid) = (client.sim.now() + 60, client.sim.uid());
    let hash = md5(format!("{path}-{ts}-r-{uid}-{}", client.sim.link_key()).as_bytes());
    format!("{url}?auth_key={ts}-r-{uid}-{hash}")
}

async fn link(client: &Client, id: i64) -> String {
    client.get(&format!("/api/v1/direct-link/url?fileID={id}")).await["data"]["url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn refreshing_the_cache_takes_nothing_or_an_empty_object() {
    let client = Client::start().await;
    let reply = client.post("/api/v1/direct-link/cache/refresh", json!({})).await;
    assert_ok(&reply);
    assert_eq!(reply["data"], json!({}));
    let bare = client.request(reqwest::Method::POST, client.open("/api/v1/direct-link/cache/refresh"));
    assert_eq!(bare.send().await.unwrap().json::<Value>().await.unwrap()["code"], 0);
    assert_eq!(client.post("/api/v1/direct-link/cache/refresh", json!({"x": 1})).await["code"], 1);
}

#[tokio::test]
async fn traffic_is_logged_for_three_days() {
    let client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    client.sim.enable_direct_link("/public");
    let id = client.sim.put("/public/clip.mp4", "12345");
    let url = link(&client, id).await;
    for _ in 0..2 {
        assert_eq!(fetch(&client, &signed(&client, &url)).await.0, 200);
    }
    let query = "startTime=2023-11-15%2000:00:00&endTime=2023-11-15%2023:00:00";
    let log = client.get(&format!("/api/v1/direct-link/log?pageNum=1&pageSize=10&{query}")).await;
    assert_eq!(log["data"]["total"], 1);
    let entry = &log["data"]["list"][0];
    assert!(entry["uniqueID"].is_string());
    assert_eq!((&entry["fileName"], &entry["filePath"]), (&json!("clip.mp4"), &json!("/public/clip.mp4")));
    assert_eq!((&entry["fileSize"], &entry["totalTraffic"]), (&json!(5), &json!(10)));
    assert_eq!((&entry["directLinkURL"], &entry["fileSource"]), (&json!(url), &json!(1)));
    client.sim.set_clock(1_700_000_000 + 3 * 24 * 3600 + 1);
    let later = client.get(&format!("/api/v1/direct-link/log?pageNum=1&pageSize=10&{query}")).await;
    assert_eq!(later["data"], json!({"total": 0, "list": []}));
    for query in [
        "pageNum=0&pageSize=1&startTime=2023-11-15%2000:00:00&endTime=2023-11-15%2000:00:00",
        "pageNum=1&pageSize=1&startTime=2023111500&endTime=2023-11-15%2000:00:00",
    ] {
        assert_refused(&client.get(&format!("/api/v1/direct-link/log?{query}")).await, 1, "sim: ");
    }
}

#[tokio::test]
async fn hours_with_traffic_have_an_archive() {
    let client = Client::start().await;
    client.sim.set_clock(1_700_000_000);
    client.sim.enable_direct_link("/public");
    let url = link(&client, client.sim.put("/public/a", "12345")).await;
    fetch(&client, &signed(&client, &url)).await;
    let path = "/api/v1/direct-link/offline/logs?startHour=2023111506&endHour=2023111506&pageNum=1&pageSize=10";
    let logs = client.get(path).await;
    assert_eq!(logs["data"]["total"], 1);
    let item = &logs["data"]["list"][0];
    assert_eq!(item["logTimeRange"], "2023-11-15 06:00~07:00");
    assert_eq!(item["fileName"], "202311150607.gz");
    let (status, archive) = fetch(&client, item["downloadURL"].as_str().unwrap()).await;
    assert_eq!((status, archive.len() as u64), (200, item["fileSize"].as_u64().unwrap()));
    assert!(archive.starts_with(b"\x1f\x8b"));
    assert!(String::from_utf8_lossy(&archive).contains(&url));
    let bad = "startHour=2023-11-15&endHour=2023111506&pageNum=1&pageSize=10";
    assert_refused(&client.get(&format!("/api/v1/direct-link/offline/logs?{bad}")).await, 1, "sim: `startHour`");
}

#[tokio::test]
async fn videos_in_direct_link_space_have_playlists_once_they_are_transcoded() {
    let client = Client::start().await;
    client.sim.enable_direct_link("/public");
    let (video, other, outside) =
        (client.sim.put("/public/a.mp4", "v"), client.sim.put("/public/a.txt", "t"), client.sim.put("/b.mp4", "w"));
    let path = format!("/api/v1/direct-link/get/m3u8?fileID={video}");
    assert_eq!(client.get(&path).await["data"]["list"], json!([]));
    let query = || client.post("/api/v1/direct-link/queryTranscode", json!({"ids": [video, other]}));
    assert_eq!(query().await["data"], json!({"noneList": [video], "errorList": [other], "success": []}));
    let started = client.post("/api/v1/direct-link/doTranscode", json!({"ids": [video]})).await;
    assert_ok(&started);
    assert!(started["data"].is_null());
    client.sim.fault(pan123_sim::Fault::on("open/dlink.transcode_query").task_pending());
    assert_eq!(query().await["data"], json!({"noneList": [], "errorList": [other], "success": []}));
    assert_eq!(query().await["data"]["success"], json!([video]));
    let list = client.get(&path).await["data"]["list"].clone();
    assert_eq!(list[1]["resolutions"], "720p");
    let address = list[1]["address"].as_str().unwrap();
    assert_eq!(fetch(&client, address).await.0, 403);
    let (status, playlist) = fetch(&client, &signed(&client, address)).await;
    assert_eq!(status, 200);
    assert!(playlist.starts_with(b"#EXTM3U"));
    let segment = address.replace("stream.m3u8", "000.ts");
    assert_eq!(fetch(&client, &signed(&client, &segment)).await.0, 200);
    let refused = client.post("/api/v1/direct-link/doTranscode", json!({"ids": [outside]})).await;
    assert_refused(&refused, 1, "sim: direct-link space");
}

#[tokio::test]
async fn the_blacklist_is_replaced_and_switched() {
    let client = Client::start().await;
    client.sim.enable_direct_link("/public");
    let url = link(&client, client.sim.put("/public/a", "1")).await;
    let base = "/api/v1/developer/config/forbide-ip";
    let list = async || client.get(&format!("{base}/list")).await;
    assert_eq!(list().await["data"], json!({"ipList": [], "status": 2}));
    let updated = client.post(&format!("{base}/update"), json!({"IpList": ["127.0.0.1", "203.0.113.7"]})).await;
    assert_eq!(updated["data"], json!({}));
    assert_eq!(fetch(&client, &signed(&client, &url)).await.0, 200);
    let switched = client.post(&format!("{base}/switch"), json!({"Status": 1})).await;
    assert_eq!(switched["data"], json!({"Done": true}));
    assert_eq!(list().await["data"], json!({"ipList": ["127.0.0.1", "203.0.113.7"], "status": 1}));
    assert_eq!(fetch(&client, &signed(&client, &url)).await.0, 403);
    assert_ok(&client.post(&format!("{base}/update"), json!({"IpList": []})).await);
    assert_eq!(fetch(&client, &signed(&client, &url)).await.0, 200);
    let many: Vec<String> = (0..2001).map(|n| format!("10.0.{}.{}", n / 256, n % 256)).collect();
    for body in [json!({"IpList": ["::1"]}), json!({"IpList": ["x"]}), json!({"ipList": []}), json!({"IpList": many})] {
        assert_refused(&client.post(&format!("{base}/update"), body).await, 1, "sim: ");
    }
    for body in [json!({"Status": 0}), json!({"status": 1})] {
        assert_refused(&client.post(&format!("{base}/switch"), body).await, 1, "sim: ");
    }
    let most = json!({"IpList": many[..2000]});
    assert_ok(&client.post(&format!("{base}/update"), most).await);
}
