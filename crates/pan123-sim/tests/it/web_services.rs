//! Stars, paths, the safe box, direct links, WebDAV passwords and the site itself, by the calls of the web page.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, read};
use crate::page::Page;

fn names(reply: &Value, list: &str) -> Vec<String> {
    let rows = reply["data"][list].as_array().unwrap_or_else(|| panic!("{reply}"));
    rows.iter().map(|row| row["FileName"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn files_are_listed_by_category_with_the_numbers_of_that_call() {
    let page = Page::start().await;
    for name in ["/v.mp4", "/d/p.jpg", "/d/t.pdf", "/m.mp3", "/x.bin", "/w.MKV"] {
        page.sim.put(name, "x");
    }
    let by_type = "/api/restful/goapi/v1/file/category/list-by-type";
    for (category, expected) in [(2, "p.jpg"), (3, "t.pdf"), (4, "m.mp3"), (5, "x.bin")] {
        let listed = page.get(&format!("{by_type}?driveId=0&category={category}&Page=1&limit=100")).await;
        assert_eq!(names(&listed, "InfoList"), [expected]);
        assert!(listed["data"].get("Total").is_none() && listed["data"]["Next"] == "-1");
    }
    let page_of = async |number: i64| {
        let order = "orderBy=file_name&orderDirection=asc";
        page.get(&format!("{by_type}?category=1&Page={number}&limit=1&{order}&next=0")).await
    };
    let (first, second, third) = (page_of(1).await, page_of(2).await, page_of(3).await);
    assert_eq!((names(&first, "InfoList"), names(&second, "InfoList")), (vec!["v.mp4".into()], vec!["w.MKV".into()]));
    assert_eq!(third["data"], json!({"Next": "-1", "InfoList": []}));
    assert!(first["data"]["Next"] != "-1" && second["data"]["Next"] == "-1");
    for query in [
        "category=6&Page=1",
        "category=1",
        "category=1&Page=0",
        "category=1&Page=1&limit=101",
        "category=1&Page=1&orderBy=x",
        "category=1&Page=1&orderBy=file_id",
    ] {
        assert_refused(&page.get(&format!("{by_type}?{query}")).await, 400, "sim: ");
    }
}

#[tokio::test]
async fn stars_are_set_listed_and_cleared() {
    let page = Page::start().await;
    let (a, b, d) = (page.sim.put("/a", "x"), page.sim.put("/d/b", "y"), page.sim.mkdir("/d"));
    let star = |ids: Value, status: i64| {
        page.post("/api/restful/goapi/v1/file/starred", json!({"fileIdList": ids, "starredStatus": status}))
    };
    let starred = || page.get("/api/restful/goapi/v1/file/starred/list?driveId=0&Page=1&pageSize=100&next=0");
    assert_ok(&star(json!([a, b, d, 5]), 255).await);
    let listed = starred().await;
    assert_eq!((&listed["data"]["Total"], &listed["data"]["Len"]), (&json!(3), &json!(3)));
    assert!(listed["data"]["InfoList"].as_array().unwrap().iter().all(|row| row["StarredStatus"] == 255));
    assert_ok(&star(json!([a]), 1).await);
    assert_eq!(starred().await["data"]["Total"], 2);
    let short =
        page.get("/api/restful/goapi/v1/file/starred/list?Page=2&pageSize=1&orderBy=file_id&orderDirection=asc").await;
    assert_eq!((names(&short, "InfoList"), &short["data"]["IsFirst"]), (vec!["b".to_owned()], &json!(false)));
    assert_refused(&star(json!([5]), 255).await, 5066, "");
    assert_refused(&star(json!([a]), 0).await, 400, "sim: ");
    assert_refused(&star(json!([{"FileId": a}]), 255).await, 400, "sim: ");
    assert_refused(&page.get("/api/restful/goapi/v1/file/starred/list?Page=1&limit=100").await, 400, "sim: ");
}

#[tokio::test]
async fn with_quirks_no_rows_are_null() {
    let page = Page::with(pan123_sim::Simulator::builder().quirks(true)).await;
    let starred = page.get("/api/restful/goapi/v1/file/starred/list?Page=1&pageSize=100").await;
    assert_eq!((&starred["data"]["InfoList"], &starred["data"]["Len"]), (&json!(null), &json!(0)));
}

#[tokio::test]
async fn ancestors_are_told_by_id_and_with_names() {
    let page = Page::start().await;
    let (folder, file) = (page.sim.mkdir("/docs"), page.sim.put("/docs/report.pdf", "x"));
    let path = page.post("/api/file/get_path", json!({"fileId": file})).await;
    assert_eq!(path["data"], json!({"list": [folder, file]}));
    assert_refused(&page.post("/api/file/get_path", json!({"fileId": 5})).await, 5066, "");
    let told = page.post("/api/file/get_path_history", json!({"fileIdList": [file, 5]})).await;
    let list = told["data"]["list"].as_object().unwrap();
    assert_eq!(list.len(), 1);
    let rows = &list[&file.to_string()];
    assert_eq!(
        (&rows[0]["FileName"], &rows[0]["FileId"], &rows[0]["Etag"]),
        (&json!("docs"), &json!(folder), &json!(""))
    );
    assert_eq!((&rows[1]["FileName"], &rows[1]["ParentFileId"]), (&json!("report.pdf"), &json!(folder)));
}

#[tokio::test]
async fn a_tree_is_written_into_the_drive() {
    let page = Page::start().await;
    page.sim.put("/docs/a.txt", "x");
    page.sim.put("/docs/sub/b.txt", "x");
    let docs = page.sim.mkdir("/docs");
    let export = |more: Value| {
        let mut body = json!({"fileIds": [docs], "exportName": "t.txt", "exportParentId": 0});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        page.post("/api/restful/goapi/v1/file/export-tree", body)
    };
    for (more, expected) in [
        (json!({}), "/docs\n├── a.txt\n└── sub\n    └── b.txt\n"),
        (json!({"exportStyle": 2}), "/docs\n/docs/a.txt\n/docs/sub\n/docs/sub/b.txt\n"),
        (json!({"exportStyle": 2, "exportType": 1}), "/docs/a.txt\n/docs/sub/b.txt\n"),
        (json!({"exportStyle": 2, "exportType": 2, "fileIds": [0]}), "/docs\n/docs/sub\n"),
        (json!({"exportStyle": 2, "exportLayer": 1}), "/docs\n/docs/a.txt\n/docs/sub\n"),
    ] {
        let exported = export(more.clone()).await;
        assert_ok(&exported);
        let newest =
            page.sim.files().into_iter().filter(|file| !file.path.starts_with("/docs")).max_by_key(|file| file.id);
        assert_eq!(page.sim.read(&newest.unwrap().path).unwrap(), expected, "{more}");
    }
    assert!(page.sim.file("/t(4).txt").is_some());
    for more in [json!({"exportStyle": 3}), json!({"exportType": 0}), json!({"exportLayer": -1}), json!({"x": 1})] {
        assert_refused(&export(more).await, 400, "sim: ");
    }
    assert_refused(&export(json!({"fileIds": [5]})).await, 5066, "");
}

#[tokio::test]
async fn the_safe_box_opens_for_one_login() {
    let page = Page::start().await;
    let unlock = "/api/restful/goapi/v1/file/safe_box/auth/unlockbox";
    let password = page.sim.safebox_password();
    assert_eq!((password.len(), password.bytes().all(|byte| byte.is_ascii_digit())), (6, true));
    assert_refused(&page.post(unlock, json!({"password": "000000"})).await, 1, "sim: ");
    assert_ok(&page.post(unlock, json!({"password": password})).await);
    let folder = page.get("/api/user/info").await["data"]["SafeBoxFileId"].as_i64().unwrap();
    assert_ne!(folder, 0);
    assert_ok(&page.post(&format!("{unlock}?fileId={folder}"), json!({"password": password})).await);
    assert_refused(&page.post(&format!("{unlock}?fileId=5"), json!({"password": password})).await, 400, "sim: ");
    let videos = async || page.get(&format!("/api/file/video/play/list?parent_file_id={folder}")).await;
    assert_ok(&videos().await);
    let lock = "/api/restful/goapi/v1/file/safe_box/auth/lock";
    assert_ok(&page.post(lock, json!({})).await);
    assert_ok(&read(page.request(Method::POST, lock).send().await.unwrap()).await);
    assert_refused(&videos().await, 1, "保险箱");
}

#[tokio::test]
async fn the_videos_of_a_folder_are_listed_for_the_player() {
    let page = Page::start().await;
    page.sim.put("/d/b.mp4", "x");
    page.sim.put("/d/a.mp4", "x");
    page.sim.put("/d/a.txt", "x");
    let folder = page.sim.mkdir("/d");
    let listed = page.get(&format!("/api/file/video/play/list?page=1&page_size=100&parent_file_id={folder}")).await;
    assert_eq!(names(&listed, "list"), ["a.mp4", "b.mp4"]);
    assert_eq!(page.get("/api/file/video/play/list").await["data"], json!({"total": 0, "list": []}));
    assert_refused(&page.get("/api/file/video/play/list?page=0").await, 400, "sim: ");
    assert_refused(&page.get("/api/file/video/play/list?parent_file_id=5").await, 5066, "");
}

#[tokio::test]
async fn direct_links_follow_the_rules_of_the_open_platform() {
    let page = Page::start().await;
    let (folder, file) = (page.sim.mkdir("/films"), page.sim.put("/films/a.mp4", "x"));
    let url = format!("/api/cdn-link/url?fileID={file}");
    assert_refused(&page.get(&url).await, 1, "sim: direct-link space");
    let enabled = page.post("/api/cdn-link/enable", json!({"fileID": folder})).await;
    assert_ok(&enabled);
    assert!(enabled["data"].is_null());
    let link = page.get(&url).await["data"]["url"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&page.sim.urls().cdn) && link.ends_with("/films/a.mp4"), "{link}");
    assert_ok(&page.post("/api/restful/goapi/v1/cdnLink/cache/refresh", json!({})).await);
    assert_ok(&page.post("/api/cdn-link/disable", json!({"fileID": folder})).await);
    assert_refused(&page.get(&url).await, 1, "sim: direct-link space");
    assert_refused(&page.post("/api/cdn-link/enable", json!({"fileID": 0})).await, 1, "sim: ");
    assert_refused(&page.post("/api/cdn-link/enable", json!({"fileId": folder})).await, 400, "fileId");
}

#[tokio::test]
async fn webdav_passwords_are_made_listed_and_revoked() {
    let page = Page::start().await;
    let base = "/api/restful/goapi/v1/webdav/account";
    let made = page.post(&format!("{base}/create"), json!({"app": "laptop"})).await["data"].clone();
    assert_eq!((&made["app"], made["password"].as_str().unwrap().len()), (&json!("laptop"), 16));
    assert_eq!(page.get(&format!("{base}/list")).await["data"], json!({"list": [made]}));
    assert_ok(&page.get(&format!("{base}/del?id={}", made["id"])).await);
    assert_eq!(page.get(&format!("{base}/list")).await["data"], json!({"list": []}));
    assert_refused(&page.get(&format!("{base}/del?id={}", made["id"])).await, 1, "sim: unknown id");
    assert_refused(&page.post(&format!("{base}/create"), json!({"app": " "})).await, 400, "sim: ");
}

#[tokio::test]
async fn the_site_tells_its_hosts_and_its_clock_to_everybody() {
    let page = Page::start().await;
    page.sim.set_clock(1_790_000_000);
    let urls = page.sim.urls().clone();
    let host = |url: &str| url.strip_prefix("http://").unwrap().trim_end_matches("/b").to_owned();
    let expected = json!({"domains": [host(&urls.web)], "ucenterDomain": host(&urls.login)});
    let get = |url: String| page.http.get(url).header("platform", "web").header("app-version", "3").send();
    for base in [host(&urls.web), host(&urls.login), host(&urls.share)] {
        let told = read(get(format!("http://{base}/api/dydomain")).await.unwrap()).await;
        assert_eq!(told["data"], expected);
    }
    assert_eq!(read(get(format!("{}/api/get/server/time", urls.web)).await.unwrap()).await["data"], 1_790_000_000);
    for path in ["/api/video/play/conf", "/api/v3/3rd/app-id", "/api/transfer/metrics/whether/report"] {
        assert_ok(&read(page.unsigned(Method::GET, path).send().await.unwrap()).await);
        assert_ok(&page.get(path).await);
    }
    assert_refused(&page.get("/api/get/server/time?x=1").await, 400, "sim: ");
}

#[tokio::test]
async fn the_page_asks_for_settings_news_and_logs() {
    let page = Page::start().await;
    assert_ok(&page.post("/api/config/get", json!({"business_key": "OfflineDownload"})).await);
    assert_refused(&page.post("/api/config/get", json!({"business_key": ""})).await, 400, "sim: ");
    for path in ["/api/notice/new", "/api/notice/announcement", "/api/file/abnormal/count"] {
        assert_ok(&page.get(path).await);
        let guest = page.unsigned(Method::GET, path).send().await.unwrap();
        assert_refused(&read(guest).await, 401, "cookie token is empty");
    }
    let log = "/api/restful/goapi/v1/sync-disk/file/log";
    assert_eq!(
        page.get(&format!("{log}?page=1&pageSize=100&searchData=a")).await["data"],
        json!({"total": 0, "list": []})
    );
    assert_refused(&page.get(&format!("{log}?page=0&pageSize=100")).await, 400, "sim: ");
}

#[tokio::test]
async fn an_app_loses_its_tokens_when_its_permission_is_withdrawn() {
    let page = Page::start().await;
    let list = "/api/restful/goapi/v1/oauth2/app_permission/list?page=1&pageSize=100";
    assert_eq!(page.get(list).await["data"], json!({"total": 0, "list": []}));
    page.sim.grant_refresh_token();
    let live = page.sim.live_tokens();
    assert_eq!(page.get(list).await["data"]["list"][0]["appId"], page.sim.client_id());
    let withdraw = |app: &str| {
        let path = format!("/api/restful/goapi/v1/oauth2/app_permission?appId={app}");
        page.request(Method::DELETE, &path).send()
    };
    assert_refused(&read(withdraw("other").await.unwrap()).await, 1, "sim: unknown appId");
    assert_ok(&read(withdraw(page.sim.client_id()).await.unwrap()).await);
    assert_eq!(page.sim.live_tokens(), live - 1);
    assert_eq!(page.get(list).await["data"]["total"], 0);
}

#[tokio::test]
async fn working_clients_are_understood() {
    let page = Page::lenient().await;
    let id = page.sim.put("/a.mp4", "x");
    for (path, body) in [
        ("/api/restful/goapi/v1/file/starred", json!({"fileidlist": id.to_string(), "starredstatus": "255"})),
        ("/api/file/get_path", json!({"FileId": id.to_string()})),
        ("/api/file/get_path_history", json!({"fileidlist": [id.to_string()]})),
        ("/api/restful/goapi/v1/file/export-tree", json!({"fileIds": 0, "exportname": "树_01:02?.txt"})),
        ("/api/restful/goapi/v1/file/safe_box/auth/unlockbox", json!({"password": 246_810})),
        ("/api/restful/goapi/v1/file/safe_box/auth/lock", json!(null)),
        ("/api/config/get", json!({"businesskey": "x"})),
    ] {
        assert_ok(&page.post(path, body).await);
    }
    assert!(page.sim.file("/树_01_02_.txt").is_some());
    for path in [
        "/api/restful/goapi/v1/file/starred/list?page=1&pagesize=100&orderBy=x",
        "/api/restful/goapi/v1/file/category/list-by-type?category=1&page=1&limit=1000&trashed=False",
        "/api/file/video/play/list?page=1&pageSize=100&parentFileId=0",
    ] {
        let url = format!("{}{path}", page.sim.urls().web);
        assert_ok(&read(page.http.get(url).bearer_auth(&page.token).send().await.unwrap()).await);
    }
}
