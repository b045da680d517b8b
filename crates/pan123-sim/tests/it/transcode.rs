//! Transcoding, from the import of a video to the bytes of its segments.

use pan123_sim::{Fault, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, read};

async fn call(client: &Client, name: &str, body: Value) -> Value {
    client.post(&format!("/api/v1/transcode/{name}"), body).await
}

async fn start(client: &Client, id: i64, resolutions: &str) -> Value {
    let body = json!({"fileId": id, "codecName": "H.264", "videoTime": 30, "resolutions": resolutions});
    call(client, "video", body).await
}

async fn space_files(client: &Client, folder: i64) -> Value {
    let path = format!("/api/v2/file/list?parentFileId={folder}&limit=100&businessType=2");
    client.get(&path).await["data"]["fileList"].clone()
}

async fn bytes(client: &Client, reply: &Value) -> Vec<u8> {
    let url = reply["data"]["downloadUrl"].as_str().unwrap_or_else(|| panic!("{reply}"));
    let fetched = client.http.get(url).send().await.unwrap();
    assert_eq!(fetched.status(), 200);
    fetched.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_video_of_the_drive_is_imported_under_an_id_of_its_own() {
    let client = Client::start().await;
    let (video, text) = (client.sim.put("/demo.mp4", "v"), client.sim.put("/a.txt", "t"));
    let videos = client.get("/api/v2/file/list?parentFileId=0&limit=100&category=2").await;
    assert_eq!(videos["data"]["fileList"].as_array().unwrap().len(), 1);
    let folder = call(&client, "folder/info", json!({})).await["data"]["fileID"].as_i64().unwrap();
    let roots = space_files(&client, 0).await;
    assert_eq!((&roots[0]["filename"], &roots[0]["fileId"]), (&json!("transcode"), &json!(folder)));
    client.sim.fault(Fault::on("open/transcode.upload_from_cloud_disk").lists_late(1));
    let imported = call(&client, "upload/from_cloud_disk", json!([{"fileId": video}])).await;
    assert_ok(&imported);
    assert!(imported["data"].is_null());
    assert_eq!(space_files(&client, folder).await, json!([]));
    let listed = space_files(&client, folder).await;
    assert_eq!(listed[0]["filename"], "demo.mp4");
    assert_ne!(listed[0]["fileId"], json!(video));
    assert_eq!(client.sim.count("open/transcode.cloud_video_files"), 1);
    assert_eq!(client.sim.count("open/transcode.space_files"), 3);
    assert_eq!(client.sim.count("open/file.list_v2"), 4);
    for body in [
        json!({"fileId": [{"fileId": video}]}),
        json!([video]),
        json!([]),
        json!([{"fileId": text}]),
        json!(vec![json!({"fileId": video}); 101]),
    ] {
        assert_refused(&call(&client, "upload/from_cloud_disk", body).await, 1, "sim: ");
    }
    let lenient = Client::lenient().await;
    let video = lenient.sim.put("/demo.mp4", "v");
    assert_ok(&call(&lenient, "upload/from_cloud_disk", json!({"fileId": [{"fileId": video}]})).await);
    assert_eq!(lenient.sim.videos().len(), 1);
}

#[tokio::test]
async fn the_space_is_not_the_drive() {
    let client = Client::start().await;
    client.sim.put_video("demo.mp4", 100, 1);
    let folder = call(&client, "folder/info", json!({})).await["data"]["fileID"].as_i64().unwrap();
    let reply = client.get(&format!("/api/v2/file/list?parentFileId={folder}&limit=100")).await;
    assert_refused(&reply, 5066, "");
    let found = client.get("/api/v2/file/list?parentFileId=0&limit=100&searchData=demo").await;
    assert_eq!(found["data"]["fileList"], json!([]));
    assert!(client.sim.files().is_empty());
    let outside = client.sim.put("/other.mp4", "v");
    let refused = call(&client, "video/resolutions", json!({"fileId": outside})).await;
    assert_refused(&refused, 1, "sim: the file is not in the transcoding space");
}

#[tokio::test]
async fn a_video_can_be_uploaded_into_the_space() {
    let client = Client::start().await;
    let folder = call(&client, "folder/info", json!({})).await["data"]["fileID"].as_i64().unwrap();
    client.sim.remember_content("v");
    let body = json!({"parentFileID": folder, "filename": "a.mp4", "etag": crate::client::md5(b"v"), "size": 1});
    let created = client.post("/upload/v2/file/create", body).await;
    assert_eq!(created["data"]["reuse"], true);
    assert_eq!(space_files(&client, folder).await[0]["fileId"], created["data"]["fileID"]);
}

#[tokio::test]
async fn resolutions_are_probed_first_and_flagged_the_wrong_way_round() {
    let client = Client::with(Simulator::builder().task_polls(1)).await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    let probe = async || call(&client, "video/resolutions", json!({"fileId": id})).await["data"].clone();
    assert_eq!(probe().await["IsGetResolution"], true);
    assert_eq!(
        probe().await,
        json!({"IsGetResolution": false, "Resolutions": "480p,720p,1080p", "NowOrFinishedResolutions": "",
            "CodecNames": "H.264", "VideoTime": 30})
    );
    assert_ok(&start(&client, id, "720P").await);
    assert_eq!(probe().await["NowOrFinishedResolutions"], "720p");
}

#[tokio::test]
async fn only_offered_resolutions_with_a_capital_p_are_started_and_only_once() {
    let client = Client::start().await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    for bad in ["720p", "2160P", "", "720P,", "720P,720P", "720P, 480P"] {
        assert_refused(&start(&client, id, bad).await, 1, "sim: ");
    }
    let body = json!({"fileId": id, "codecName": "h264", "videoTime": 30, "resolutions": "720P"});
    assert_refused(&call(&client, "video", body).await, 1, "sim: `codecName`");
    let started = start(&client, id, "720P,480P").await;
    assert_ok(&started);
    assert_eq!(started["data"], "720P,480P started, see the results call");
    assert_refused(&start(&client, id, "720P").await, 1, "sim: 720P is running or done");
    assert_ok(&start(&client, id, "1080P").await);
}

#[tokio::test]
async fn a_transcode_is_prepared_then_runs_then_is_done() {
    let client = Client::with(Simulator::builder().task_polls(2)).await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    start(&client, id, "720P").await;
    let record = async || {
        call(&client, "video/record", json!({"fileId": id})).await["data"]["UserTranscodeVideoRecordList"][0].clone()
    };
    let first = record().await;
    assert_eq!((&first["status"], &first["resolution"]), (&json!(1), &json!("720P")));
    assert!(first["create_at"].is_string() && first.get("link").is_none());
    let running =
        call(&client, "video/result", json!({"fileId": id})).await["data"]["UserTranscodeVideoList"][0].clone();
    assert_eq!((&running["Status"], &running["Files"]), (&json!(2), &json!(null)));
    let done = record().await;
    assert_eq!(done["status"], 255);
    let playlist = client.http.get(done["link"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(playlist.contains("\n000.ts\n"), "{playlist}");
}

#[tokio::test]
async fn results_name_all_files_and_each_can_be_downloaded() {
    let client = Client::start().await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    start(&client, id, "720P").await;
    let list = call(&client, "video/result", json!({"fileId": id})).await["data"]["UserTranscodeVideoList"].clone();
    assert_eq!((&list[0]["Resolution"], &list[0]["Uid"]), (&json!("720P"), &json!(client.sim.uid())));
    let files = list[0]["Files"].as_array().unwrap();
    assert_eq!(files[0]["FileName"], "stream.m3u8");
    assert!(files[0]["FileSize"].as_str().unwrap().ends_with('B'));
    assert_eq!(files[1]["Url"], "");
    assert!(files[1]["FileSize"].as_str().unwrap().ends_with("KB"));
    let one = json!({"fileId": id, "resolution": "720P", "type": 1});
    let playlist = bytes(&client, &call(&client, "m3u8_ts/download", one).await).await;
    let linked = client.http.get(files[0]["Url"].as_str().unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(linked, playlist);
    for file in &files[1..] {
        let name = file["FileName"].as_str().unwrap().strip_suffix(".ts").unwrap();
        let one = json!({"fileId": id, "resolution": "720P", "type": 2, "tsName": name});
        let segment = bytes(&client, &call(&client, "m3u8_ts/download", one).await).await;
        assert_eq!(file["FileSize"], format!("{:.2}KB", segment.len() as f64 / 1024.0));
        let relative = files[0]["Url"].as_str().unwrap().replace("stream.m3u8", &format!("{name}.ts"));
        assert_eq!(client.http.get(relative).send().await.unwrap().bytes().await.unwrap(), segment);
    }
    assert_eq!(client.sim.count("open/transcode.download_m3u8"), 1);
    assert_eq!(client.sim.count("open/transcode.download_ts"), 3);
    for bad in [
        json!({"fileId": id, "resolution": "720P", "type": 2}),
        json!({"fileId": id, "resolution": "720P", "type": 2, "tsName": "000.ts"}),
        json!({"fileId": id, "resolution": "720p", "type": 1}),
        json!({"fileId": id, "resolution": "1080P", "type": 1}),
        json!({"fileId": id, "resolution": "720P", "type": 3}),
    ] {
        assert_refused(&call(&client, "m3u8_ts/download", bad).await, 1, "sim: ");
    }
    let missing = json!({"fileId": id, "resolution": "720P", "type": 2, "tsName": "099"});
    assert_refused(&call(&client, "m3u8_ts/download", missing).await, 5066, "");
}

#[tokio::test]
async fn each_of_two_downloads_on_one_path_meets_its_own_faults() {
    let client = Client::start().await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    start(&client, id, "720P").await;
    client.sim.fault(Fault::on("open/transcode.download_ts").code(429));
    assert_ok(&call(&client, "m3u8_ts/download", json!({"fileId": id, "resolution": "720P", "type": 1})).await);
    let segment = json!({"fileId": id, "resolution": "720P", "type": 2, "tsName": "000"});
    assert_eq!(call(&client, "m3u8_ts/download", segment).await["code"], 429);
    let last = client.sim.requests().pop().unwrap();
    assert_eq!(last.json().unwrap()["tsName"], "000");
}

#[tokio::test]
async fn a_transcode_can_fail_with_any_number_and_be_started_again() {
    let client = Client::start().await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    client.sim.fault(Fault::on("open/transcode.start").task_fails());
    start(&client, id, "720P").await;
    let record = async || {
        call(&client, "video/record", json!({"fileId": id})).await["data"]["UserTranscodeVideoRecordList"].clone()
    };
    assert_eq!(record().await[0]["status"], 3);
    let probed = call(&client, "video/resolutions", json!({"fileId": id})).await;
    assert_eq!(probed["data"]["NowOrFinishedResolutions"], "");
    client.sim.fault(Fault::on("open/transcode.record").task_status(254));
    assert_eq!(record().await[0]["status"], 254);
    assert_ok(&start(&client, id, "720P").await);
    assert_eq!(record().await[0]["status"], 255);
    assert_eq!(record().await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn all_files_come_as_a_zip_that_is_packed_first() {
    let client = Client::start().await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    let body = json!({"fileId": id, "zipName": "all.zip"});
    assert_refused(&call(&client, "file/download/all", body.clone()).await, 1, "sim: nothing");
    start(&client, id, "720P,480P").await;
    client.sim.fault(Fault::on("open/transcode.download_all").task_pending());
    let packing = call(&client, "file/download/all", body.clone()).await;
    assert_eq!(packing["data"], json!({"isDownloading": true, "isFull": false, "downloadUrl": ""}));
    let packed = call(&client, "file/download/all", body).await;
    assert!(packed["data"]["downloadUrl"].as_str().unwrap().contains("&access_token="));
    let zip = bytes(&client, &packed).await;
    assert!(zip.starts_with(b"PK\x03\x04"));
    assert!(String::from_utf8_lossy(&zip).contains("480P/stream.m3u8"));
}

#[tokio::test]
async fn a_full_space_gives_no_address() {
    let client = Client::start().await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    let original = async || call(&client, "file/download", json!({"fileId": id})).await;
    client.sim.fault(Fault::on("open/transcode.download_original").space_full());
    assert_eq!(original().await["data"], json!({"downloadUrl": "", "isFull": true}));
    assert_eq!(bytes(&client, &original().await).await, pan123_sim::seeded_bytes(100, 1));
}

#[tokio::test]
async fn deleting_takes_the_original_or_all() {
    let client = Client::start().await;
    let id = client.sim.put_video("demo.mp4", 100, 1);
    start(&client, id, "720P").await;
    let delete = async |trashed: i64| {
        call(&client, "delete", json!({"fileId": id, "businessType": 2, "trashed": trashed})).await
    };
    assert_refused(&delete(0).await, 1, "sim: `trashed`");
    let deleted = delete(1).await;
    assert_ok(&deleted);
    assert!(deleted["data"].is_string());
    assert_refused(&call(&client, "file/download", json!({"fileId": id})).await, 5066, "");
    let one = json!({"fileId": id, "resolution": "720P", "type": 1});
    assert_ok(&call(&client, "m3u8_ts/download", one.clone()).await);
    assert_refused(&delete(1).await, 5066, "");
    assert_ok(&delete(2).await);
    assert_refused(&call(&client, "m3u8_ts/download", one).await, 5066, "");
    let wrong = json!({"fileId": id, "businessType": 1, "trashed": 2});
    assert_refused(&call(&client, "delete", wrong).await, 1, "sim: `businessType`");
}

#[tokio::test]
async fn the_list_for_third_parties_wants_an_oauth_token() {
    let client = Client::start().await;
    let id = client.sim.put("/demo.mp4", "v");
    let path = format!("/api/v1/video/transcode/list?fileId={id}");
    assert_refused(&client.get(&path).await, 1, "sim: this call needs a token of the OAuth flow");
    let refresh = client.sim.grant_refresh_token();
    let renewed = client.http.get(client.open(&format!("/123cloud/renewapi?refresh_ui={refresh}")));
    let pair = read(renewed.send().await.unwrap()).await;
    let list = async || {
        let request = client.http.request(Method::GET, client.open(&path)).header("Platform", "open_platform");
        read(request.bearer_auth(pair["access_token"].as_str().unwrap()).send().await.unwrap()).await["data"].clone()
    };
    let done = list().await;
    assert_eq!(done["status"], 255);
    assert_eq!((&done["list"][0]["resolution"], &done["list"][0]["height"]), (&json!("480p"), &json!(480)));
    let playlist = client.http.get(done["list"][0]["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(playlist.status(), 200);
    client.sim.fault(Fault::on("open/transcode.third_party_list").task_pending());
    assert_eq!(list().await, json!({"status": 1, "list": []}));
    client.sim.fault(Fault::on("open/transcode.third_party_list").task_status(254));
    let partly = list().await;
    assert_eq!((&partly["list"][0]["status"], &partly["list"][1]["progress"]), (&json!(255), &json!(40)));
}
