//! What the other settings change: quirks, rate limits, chance, a folder.

use pan123_sim::Simulator;
use serde_json::{Value, json};

use crate::client::{Client, assert_ok, assert_refused, md5, small_slices};

#[tokio::test]
async fn with_quirks_completion_takes_three_tries() {
    let client = Client::with(small_slices().quirks(true)).await;
    let ticket = client.create("a", b"abc").await["data"]["preuploadID"].as_str().unwrap().to_owned();
    client.slice(&ticket, 1, b"abc").await;
    assert_refused(&client.complete(&ticket).await, 20103, "");
    assert_eq!(client.complete(&ticket).await["data"], json!({"completed": false, "fileID": 0}));
    let done = client.complete(&ticket).await;
    assert_eq!(done["data"]["completed"], true);
    let path = format!("/api/v1/file/download_info?fileId={}", done["data"]["fileID"]);
    assert_refused(&client.get(&path).await, 20103, "");
    assert_ok(&client.get(&path).await);
}

#[tokio::test]
async fn with_quirks_some_instant_uploads_have_no_id_and_lists_may_be_null() {
    let client = Client::with(Simulator::builder().quirks(true)).await;
    let folder = client.sim.mkdir("/d");
    let empty = client.get(&format!("/api/v2/file/list?parentFileId={folder}&limit=10")).await;
    assert!(empty["data"]["fileList"].is_null());
    client.sim.remember_content("x");
    let mut without_id = 0;
    for number in 0..20 {
        let reply = client.create(&number.to_string(), b"x").await;
        assert_eq!(reply["data"]["reuse"], true);
        without_id += u32::from(reply["data"]["fileID"] == 0);
    }
    assert!((1..20).contains(&without_id), "{without_id}");
    assert_eq!(client.sim.files().len(), 20);
}

#[tokio::test]
async fn over_the_limit_the_code_is_429_with_http_200() {
    let client = Client::with(Simulator::builder().rate_limits(true)).await;
    client.sim.set_clock(client.sim.now());
    let path = "/api/v2/file/list?parentFileId=0&limit=10";
    for _ in 0..5 {
        assert_ok(&client.get(path).await);
    }
    assert_refused(&client.get(path).await, 429, "");
    assert_ok(&client.get("/api/v1/user/info").await);
    client.sim.set_clock(client.sim.now() + 1);
    assert_ok(&client.get(path).await);
    let other = Client { token: client.new_token().await, ..client };
    for _ in 0..5 {
        assert_ok(&other.get(path).await);
    }
}

#[tokio::test]
async fn by_chance_a_share_of_calls_fails_the_same_for_the_same_seed() {
    let run = async |seed| {
        let client = Client::start().await;
        client.sim.chance(seed, 0.3);
        let mut outcomes = Vec::new();
        for number in 0..200 {
            let request =
                client.request(reqwest::Method::GET, client.open(&format!("/api/v1/file/detail?fileID={number}")));
            let reply = match request.send().await {
                Ok(reply) => reply.json::<Value>().await.ok(),
                Err(_) => None,
            };
            outcomes.push(reply.is_some_and(|reply| reply["code"] == 5066));
        }
        let failed = outcomes.iter().filter(|fine| !**fine).count();
        assert_eq!(client.sim.faults_fired(), failed as u64);
        client.sim.chance(0, 0.0);
        assert_ok(&client.get("/api/v1/user/info").await);
        outcomes
    };
    let first = run(1).await;
    assert!((40..80).contains(&first.iter().filter(|fine| !**fine).count()));
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
}

#[tokio::test]
async fn a_drive_in_a_folder_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let builder = || small_slices().dir(dir.path());
    let client = Client::with(builder()).await;
    client.sim.put_seeded("/big", 100_000, 4);
    let id = client.upload("a b.txt", b"0123456789abc").await;
    client.post("/upload/v1/file/mkdir", json!({"name": "d", "parentID": 0})).await;
    client.post("/api/v1/file/trash", json!({"fileIDs": [client.sim.mkdir("/d")]})).await;
    let (files, folders) = (client.sim.files(), client.sim.folders());
    drop(client);

    let client = Client::with(builder()).await;
    assert_eq!((client.sim.files(), client.sim.folders()), (files, folders));
    assert_eq!(client.sim.read("/a b.txt").unwrap(), "0123456789abc");
    let url = client.download_url(id).await;
    assert_eq!(client.http.get(url).send().await.unwrap().text().await.unwrap(), "0123456789abc");
    assert_eq!(md5(&client.sim.read("/big").unwrap()), client.sim.file("/big").unwrap().md5);
    assert_eq!(client.create("again", b"0123456789abc").await["data"]["reuse"], true);
    assert!(client.sim.mkdir("/new") > id);
}

#[tokio::test]
async fn tasks_take_as_many_queries_as_they_were_told() {
    let client = Client::with(Simulator::builder().task_polls(1)).await;
    let (id, folder) = (client.sim.put("/a", "x"), client.sim.mkdir("/d"));
    let body = serde_json::json!({"fileIds": [id], "targetDirId": folder, "targetDirID": folder});
    let task = client.post("/api/v1/file/async/copy", body).await["data"]["taskId"].clone();
    let copy =
        async || client.get(&format!("/api/v1/file/async/copy/process?taskId={task}")).await["data"]["status"].clone();
    assert_eq!((copy().await, copy().await, copy().await), (1.into(), 2.into(), 2.into()));
    let body = serde_json::json!({"url": "http://example.org/a"});
    let task = client.post("/api/v1/offline/download", body).await["data"]["taskID"].clone();
    let offline =
        async || client.get(&format!("/api/v1/offline/download/process?taskID={task}")).await["data"]["status"].clone();
    assert_eq!((offline().await, offline().await), (0.into(), 2.into()));
}

#[tokio::test]
async fn with_quirks_an_account_has_no_benefits_and_a_search_lags() {
    let client = Client::with(Simulator::builder().quirks(true)).await;
    let info = client.get("/api/v1/user/info").await["data"].clone();
    assert_eq!((&info["vip"], &info["vipInfo"], &info["developerInfo"]), (&json!(false), &Value::Null, &Value::Null));
    assert!(info["spaceTempExpr"].is_string());
    let id = client.sim.put("/a.txt", "x");
    let search = async || client.get("/api/v2/file/list?parentFileId=0&limit=10&searchData=a").await["data"].clone();
    assert!(search().await["fileList"].is_null());
    assert_eq!(search().await["fileList"][0]["fileId"], id);
    client.post("/api/v1/file/trash", json!({"fileIDs": [id]})).await;
    let recovered = client.post("/api/v1/file/recover", json!({"fileIDs": [id]})).await;
    assert_ok(&recovered);
    assert!(recovered["data"].is_null());
}

#[tokio::test]
async fn what_review_has_turned_down_stays_so_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::with(Simulator::builder().dir(dir.path())).await;
    let id = client.sim.put("/a", "x");
    client.sim.reject("/a");
    assert_ok(&client.get("/api/v1/user/info").await);
    drop(client);
    let client = Client::with(Simulator::builder().dir(dir.path()).lenient()).await;
    assert_refused(
        &client.get(&format!("/api/v1/file/download_info?fileId={id}")).await,
        1,
        "sim: the file was turned",
    );
    assert!(client.sim.mkdir("/new") > id);
}
