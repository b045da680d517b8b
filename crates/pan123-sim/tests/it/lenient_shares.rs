//! Shares in lenient mode: what clients that nobody here wrote send to lists, downloads and saves.

use pan123_sim::{Guests, Paging, ShareOptions, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, read};
use crate::page::Page;
use crate::visitor::Visitor;

const SAVE: &str = "/b/api/restful/goapi/v1/file/copy/save";

async fn start() -> Visitor {
    Visitor::with(Simulator::builder().lenient()).await
}

fn open() -> ShareOptions {
    ShareOptions::default().guests(Guests::Everything)
}

fn names(listed: &Value) -> Vec<&str> {
    let rows = listed["data"]["InfoList"].as_array().unwrap_or_else(|| panic!("{listed}"));
    rows.iter().map(|row| row["FileName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_cursor_that_names_nothing_leaves_the_page_to_its_number() {
    for paging in [Paging::Both, Paging::Page] {
        let visitor = start().await;
        for number in 0..3 {
            visitor.sim.put(&format!("/{number}"), "x");
        }
        let key = visitor.sim.share(&["/"], open().paging(paging));
        for next in ["1", "-1", "0", "", "x"] {
            let mut all = Vec::new();
            for number in 1..=3 {
                // As the first request of many clients is; some keep `next` while they count pages.
                let listed = visitor
                    .get(&format!(
                        "/api/share/get?limit=2&next={next}&orderBy=file_name&orderDirection=asc&shareKey={key}&SharePwd=\
                         &ParentFileId=0&Page={number}&event=homeListFile&operateType=1"
                    ))
                    .await;
                all.extend(names(&listed).into_iter().map(str::to_owned));
            }
            assert_eq!(all, ["0", "1", "2"], "{paging:?} {next}");
        }
    }
    let strict = Visitor::start().await;
    strict.sim.put("/a", "x");
    let key = strict.sim.share(&["/"], open());
    assert_eq!(names(&strict.list(&key, "next=1").await), [""; 0]);
}

#[tokio::test]
async fn the_accounts_own_lists_begin_with_such_a_cursor_too() {
    let page = Page::lenient().await;
    for name in ["a", "b", "c"] {
        page.sim.put(&format!("/{name}"), "x");
        page.sim.share(&[&format!("/{name}")], ShareOptions::default());
    }
    for next in ["1", "-1", ""] {
        for path in ["/api/file/list/new?orderBy=file_name&orderDirection=desc", "/api/share/list?orderDirection=desc"]
        {
            let rows = async |number: u32| {
                let query = format!("{path}&limit=2&next={next}&Page={number}&driveId=0");
                page.get(&query).await["data"]["InfoList"].as_array().unwrap().len()
            };
            assert_eq!((rows(1).await, rows(2).await, rows(3).await), (2, 1, 0), "{path} {next}");
        }
    }
    let first = page.get("/api/share/list?limit=2&next=1").await;
    let rest = page.get(&format!("/api/share/list?limit=2&next={}", first["data"]["Next"].as_str().unwrap())).await;
    assert_eq!(rest["data"]["InfoList"][0]["ShareName"], "a");
}

#[tokio::test]
async fn of_a_list_only_the_cursor_must_be_there() {
    let visitor = start().await;
    visitor.sim.put("/a.mp4", "x");
    let key = visitor.sim.share(&["/"], open());
    let listed = visitor.get(&format!("/api/share/get?shareKey={key}&next=0")).await;
    let row = &listed["data"]["InfoList"][0];
    assert_eq!((&row["FileName"], &row["Category"], &row["ContentType"]), (&json!("a.mp4"), &json!(2), &json!("0")));
    for name in ["Status", "PunishFlag", "PreviewType"] {
        assert_eq!(row[name], 0, "{name}");
    }
    assert_eq!(row["StorageNode"], "m70");
    let refused = visitor.get(&format!("/api/share/get?shareKey={key}&limit=100&Page=1&parentFileId=0")).await;
    assert_refused(&refused, 400, "请输入Next");
}

#[tokio::test]
async fn a_download_need_not_say_the_password_again() {
    let visitor = start().await;
    let id = visitor.sim.put("/d/a.txt", "hello");
    let key = visitor.sim.share(&["/d/a.txt"], open().password("aB12"));
    let row = visitor.list(&key, "SharePwd=aB12").await["data"]["InfoList"][0].clone();
    let body = json!({
        "ShareKey": key, "FileID": row["FileId"], "S3keyFlag": row["S3KeyFlag"], "Size": row["Size"], "Etag": row["Etag"],
    });
    let path = "/api/share/download/info";
    assert_ok(&visitor.post(path, body.clone()).await);
    for (name, value, code) in [("SharePwd", json!("zzzz"), 5103), ("Size", json!(6), 400), ("Etag", json!("0"), 400)] {
        let mut wrong = body.clone();
        wrong[name] = value;
        assert_eq!(visitor.post(path, wrong).await["code"], code, "{name}");
    }
    let batch = "/api/file/batch_download_share_info";
    for ids in
        [json!([{"fileId": id}]), json!([{"FileId": id.to_string()}]), json!([id]), json!([{"fileID": id, "x": 1}])]
    {
        assert_ok(&visitor.post(batch, json!({"ShareKey": key, "fileIdList": ids})).await);
    }
    let wrong = json!({"ShareKey": key, "SharePwd": "zzzz", "fileIdList": [{"FileId": id}]});
    assert_refused(&visitor.post(batch, wrong).await, 5103, "");
    assert_refused(&visitor.get(&format!("/api/share/get?shareKey={key}&next=0")).await, 5103, "");
}

#[tokio::test]
async fn whole_rows_are_saved() {
    let mut visitor = start().await;
    visitor.log_in();
    visitor.sim.put("/d/c.txt", "hello");
    let key = visitor.sim.share(&["/d/c.txt"], open());
    let row = visitor.rows(&key).await.remove(0);
    let target = visitor.sim.mkdir("/mine");
    let id = row["FileId"].clone();
    let spelt_twice = json!({
        "fileID": id, "fileId": id, "fileName": "c.txt", "etag": row["Etag"], "parentFileId": 5, "parentFileID": target,
        "driveID": 0, "driveId": 0, "s3keyFlag": "x", "S3KeyFlag": "x", "StorageNode": "m70", "size": null, "type": "0",
    });
    let as_text = json!({"fileId": id.to_string(), "parentFileId": target.to_string(), "driveId": "0"});
    let mut whole = row.clone();
    whole["parentFileID"] = json!(target);
    for item in [spelt_twice, as_text, whole, json!({"fileID": id})] {
        assert_ok(&visitor.post(SAVE, json!({"shareKey": key, "fileList": [item]})).await);
    }
    for name in ["/mine/c.txt", "/mine/c(1).txt", "/mine/c(2).txt", "/c.txt"] {
        assert_eq!(visitor.sim.read(name).unwrap(), "hello", "{name}");
    }
    let snake = json!({
        "file_id": id, "file_name": "c.txt", "etag": row["Etag"], "size": 5, "s3_key_flag": "x", "create_at": "", "type": 0,
        "parent_file_id": target.to_string(),
    });
    let legacy = |item: Value| json!({"share_key": key, "share_pwd": "", "current_level": 1, "event": "transfer", "file_list": [item]});
    assert_ok(&visitor.post("/b/api/file/copy/async", legacy(snake.clone())).await);
    assert_eq!(visitor.sim.read("/mine/c(3).txt").unwrap(), "hello");
    let mut sizeless = snake;
    sizeless.as_object_mut().unwrap().remove("size");
    assert_refused(&visitor.post("/b/api/file/copy/async", legacy(sizeless)).await, 5050, "");
}

#[tokio::test]
async fn the_pages_own_paths_answer_for_the_api() {
    let visitor = Visitor::start().await;
    for number in 0..101 {
        visitor.sim.put(&format!("/{number}"), "x");
    }
    let key = visitor.sim.share(&["/"], open().password("aB12"));
    let info = visitor.get(&format!("/gsb/s/{key}")).await;
    assert_eq!((&info["info"]["code"], &info["info"]["data"]["HasPwd"]), (&json!(0), &json!(true)), "{info}");
    assert_eq!(info["info"]["data"], visitor.get(&format!("/api/share/info?shareKey={key}")).await["data"]);
    assert_eq!(visitor.get("/gsb/s/5LF8Vv-none").await["info"]["code"], 5104);
    let listed = visitor.get(&format!("/gsb/s/share-list?OrderId=&SharePwd=aB12&shareKey={key}")).await;
    assert_eq!((names(&listed).len(), &listed["data"]["Next"]), (101, &json!("-1")));
    assert_refused(&visitor.get(&format!("/gsb/s/share-list?OrderId=&SharePwd=&shareKey={key}")).await, 5103, "");
    assert_eq!((visitor.sim.count("share/share.info"), visitor.sim.count("share/share.list")), (3, 2));
    // Link checkers send nothing but the address.
    let lenient = start().await;
    lenient.sim.put("/a", "x");
    let key = lenient.sim.share(&["/"], open());
    for base in [&lenient.sim.urls().share, lenient.sim.urls().web.trim_end_matches("/b")] {
        let reply = lenient.http.request(Method::GET, format!("{base}/gsb/s/{key}")).send().await.unwrap();
        assert_eq!(read(reply).await["info"]["data"]["ShareKey"], key);
    }
}
