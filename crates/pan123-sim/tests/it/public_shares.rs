//! Reading somebody's share.

use pan123_sim::{DownloadForm, Fault, Guests, Paging, ShareOptions, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, md5, read};
use crate::page::Page;
use crate::visitor::{Visitor, one_file};

fn open() -> ShareOptions {
    ShareOptions::default().guests(Guests::Everything)
}

#[tokio::test]
async fn a_share_tells_about_itself_without_its_password() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/demo", "x");
    let key = visitor.sim.share(&["/demo"], ShareOptions::default().password("aB12"));
    for prefix in ["/api", "/a/api", "/b/api"] {
        let info = visitor.get(&format!("{prefix}/share/info?shareKey={key}")).await;
        assert_ok(&info);
        let uid = visitor.sim.uid();
        let expected = json!({"ShareKey": key, "ShareName": "demo", "HasPwd": true, "Expired": false, "UserID": uid});
        assert_eq!(info["data"], expected);
    }
    let web = format!("{}/api/share/info?shareKey={key}", visitor.sim.urls().web);
    assert_ok(&read(visitor.request(Method::GET, &web).send().await.unwrap()).await);
}

#[tokio::test]
async fn a_list_wants_the_password_in_any_case() {
    let visitor = Visitor::start().await;
    let id = visitor.sim.put("/demo", "x");
    let key = visitor.sim.share(&["/demo"], ShareOptions::default().password("aB12"));
    assert_refused(&visitor.list(&key, "").await, 5103, "提取码");
    assert_refused(&visitor.list(&key, "SharePwd=zzzz").await, 5103, "提取码");
    assert_refused(&visitor.list(&key, "SharePwd=aB123").await, 400, "最大为4位");
    let listed = visitor.list(&key, "SharePwd=Ab12").await;
    let data = &listed["data"];
    assert_eq!((&data["Len"], &data["Next"], &data["Expired"]), (&json!(1), &json!("-1"), &json!(false)));
    let row = &data["InfoList"][0];
    assert_eq!((&row["FileId"], &row["FileName"], &row["Type"]), (&json!(id), &json!("demo"), &json!(0)));
    assert_eq!((&row["Size"], &row["Etag"]), (&json!(1), &json!(md5(b"x"))));
    assert_eq!((&row["S3KeyFlag"], &row["ParentFileId"]), (&json!("1812345678-0"), &json!(0)));
    assert!(row["CreateAt"].as_str().unwrap().ends_with("+08:00"));
}

#[tokio::test]
async fn a_share_that_is_gone_says_why() {
    let visitor = Visitor::start().await;
    visitor.sim.set_clock(1_700_000_000);
    visitor.sim.put("/demo", "x");
    let make = || visitor.sim.share(&["/demo"], ShareOptions::default().expires(1_700_000_100));
    let (expired, cancelled, blocked) = (make(), make(), make());
    visitor.sim.cancel_share(&cancelled);
    visitor.sim.block_share(&blocked);
    visitor.sim.set_clock(1_700_000_100);
    for (key, why) in
        [(&expired, "过期"), (&cancelled, "取消"), (&blocked, "违规"), (&"5LF8Vv-none".to_owned(), "不存在")]
    {
        assert_refused(&visitor.list(key, "").await, 5104, why);
    }
    assert_eq!(visitor.get(&format!("/b/api/share/info?shareKey={expired}")).await["data"]["Expired"], true);
    assert_refused(&visitor.get(&format!("/b/api/share/info?shareKey={cancelled}")).await, 5104, "取消");
    assert_refused(&visitor.list("a", "").await, 400, "格式异常");
}

#[tokio::test]
async fn folders_are_listed_below_the_share_only() {
    let mut visitor = Visitor::start().await;
    visitor.sim.put("/films/a/b.txt", "x");
    visitor.sim.put("/private/c.txt", "y");
    let key = visitor.sim.share(&["/films"], ShareOptions::default());
    let rows = visitor.rows(&key).await;
    assert_eq!((&rows[0]["FileName"], &rows[0]["Type"], &rows[0]["Etag"]), (&json!("films"), &json!(1), &json!("")));
    let inner = visitor.list(&key, &format!("parentFileId={}", rows[0]["FileId"])).await;
    assert_eq!(inner["data"]["InfoList"][0]["FileName"], "a");
    let private = format!("parentFileId={}", visitor.sim.mkdir("/private"));
    assert_refused(&visitor.list(&key, &private).await, 5066, "");
    // The service is known to list any folder of a caller who is logged in.
    visitor.log_in();
    assert_eq!(visitor.list(&key, &private).await["data"]["InfoList"][0]["FileName"], "c.txt");
}

#[tokio::test]
async fn pages_follow_the_number_or_the_cursor() {
    for paging in [Paging::Both, Paging::Page, Paging::Cursor] {
        let visitor = Visitor::start().await;
        for number in 0..5 {
            visitor.sim.put(&format!("/{number}"), "x");
        }
        let key = visitor.sim.share(&["/"], ShareOptions::default().paging(paging));
        let mut by_number = Vec::new();
        for page in 1..=3 {
            let listed = visitor.list(&key, &format!("limit=2&Page={page}")).await;
            by_number.extend(listed["data"]["InfoList"].as_array().unwrap().iter().map(|row| row["FileName"].clone()));
        }
        let (mut by_cursor, mut next) = (Vec::new(), "0".to_owned());
        for _ in 0..3 {
            let listed = visitor.list(&key, &format!("limit=2&next={next}")).await;
            by_cursor.extend(listed["data"]["InfoList"].as_array().unwrap().iter().map(|row| row["FileName"].clone()));
            next = listed["data"]["Next"].as_str().unwrap().to_owned();
        }
        let (all, first): (Vec<Value>, Vec<Value>) = (
            ["0", "1", "2", "3", "4"].map(Value::from).to_vec(),
            ["0", "1", "0", "1", "0", "1"].map(Value::from).to_vec(),
        );
        assert_eq!(by_number, if paging == Paging::Cursor { first.clone() } else { all.clone() }, "{paging:?}");
        assert_eq!(by_cursor, if paging == Paging::Page { first } else { all }, "{paging:?}");
    }
}

#[tokio::test]
async fn what_a_list_may_ask_is_checked() {
    let visitor = Visitor::start().await;
    let key = visitor.sim.share(&["/"], ShareOptions::default());
    assert_ok(&visitor.list(&key, "Page=0").await);
    for bad in ["limit=x", "Page=-1", "limit=0", "limit=101", "x=1", "parentFileId=", "ShareKey=x"] {
        let refused = visitor.list(&key, bad).await;
        assert!(matches!(refused["code"].as_i64(), Some(1 | 400)), "{bad}: {refused}");
    }
    let bare = visitor.get(&format!("/b/api/share/get?shareKey={key}")).await;
    assert_refused(&bare, 400, "sim: `parentFileId` is missing");
}

#[tokio::test]
async fn guests_download_what_the_share_allows() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/small", "12345");
    visitor.sim.put("/large", "123456");
    let of = |options| visitor.sim.share(&["/small", "/large"], options);
    let (closed, by_size) = (of(ShareOptions::default()), of(ShareOptions::default().guests(Guests::UpTo(5))));
    let rows = visitor.rows(&closed).await;
    assert_refused(&visitor.download(&closed, &rows[0]).await, 5112, "登录");
    assert_ok(&visitor.download(&by_size, &rows[0]).await);
    assert_refused(&visitor.download(&by_size, &rows[1]).await, 401, "登录");
    let paid_for = of(ShareOptions::default().traffic_switch(2).traffic_limit(8));
    assert_ok(&visitor.download(&paid_for, &rows[0]).await);
    assert_refused(&visitor.download(&paid_for, &rows[1]).await, 5112, "");
    let users_only = of(ShareOptions::default().traffic_switch(3));
    assert_refused(&visitor.download(&users_only, &rows[0]).await, 5112, "");
}

#[tokio::test]
async fn users_download_until_their_traffic_is_used_up() {
    let mut visitor = Visitor::start().await;
    visitor.log_in();
    visitor.sim.put("/a", "12345");
    let of = |options| visitor.sim.share(&["/a"], options);
    let (plain, paid_for) = (of(ShareOptions::default()), of(ShareOptions::default().traffic_switch(4)));
    let row = visitor.rows(&plain).await.remove(0);
    assert_ok(&visitor.download(&plain, &row).await);
    visitor.sim.use_up_traffic(true);
    assert_refused(&visitor.download(&plain, &row).await, 5113, "流量");
    assert_ok(&visitor.download(&paid_for, &row).await);
    let charged = visitor.sim.shares().into_iter().map(|share| share.downloads).collect::<Vec<_>>();
    assert_eq!(charged, [1, 1]);
    visitor.token = "dead".to_owned();
    assert_refused(&visitor.download(&plain, &row).await, 401, "");
}

#[tokio::test]
async fn a_share_for_sale_must_be_bought() {
    let mut visitor = Visitor::start().await;
    visitor.log_in();
    visitor.sim.put("/a", "x");
    let key = visitor.sim.share(&["/a"], open());
    visitor.sim.set_share_price(&key, 9.9);
    let row = visitor.rows(&key).await.remove(0);
    assert_refused(&visitor.download(&key, &row).await, 5112, "付费");
    visitor.sim.sell_share(&key);
    assert_ok(&visitor.download(&key, &row).await);
}

#[tokio::test]
async fn an_address_is_resolved_in_steps_and_wants_a_referer() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/a.txt", "hello");
    let key = visitor.sim.share(&["/a.txt"], open());
    let row = visitor.rows(&key).await.remove(0);
    for (form, status) in [(DownloadForm::Params, 210), (DownloadForm::Redirect, 302)] {
        visitor.sim.tell_downloads(form);
        let told = visitor.download(&key, &row).await;
        let url = told["data"]["DownloadURL"].as_str().unwrap();
        let params = url.split_once("params=").unwrap().1.split_once('&').unwrap().0;
        let next = String::from_utf8(base64(params)).unwrap();
        let answer = visitor.http.get(&next).header("Referer", "https://yun.123pan.com/").send().await.unwrap();
        assert_eq!(answer.status(), status);
        let last = match answer.headers().get("location") {
            Some(location) => location.to_str().unwrap().to_owned(),
            None => read(answer).await["data"]["redirect_url"].as_str().unwrap().to_owned(),
        };
        let page = visitor.http.get(&last).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().starts_with("<!DOCTYPE html>"));
        let file = visitor.http.get(&last).header("Referer", "https://yun.123pan.com/").send().await.unwrap();
        assert_eq!(file.bytes().await.unwrap(), "hello");
    }
    visitor.sim.tell_downloads(DownloadForm::Dispatch);
    let told = visitor.download(&key, &row).await;
    let prefix = told["data"]["dispatchList"][0]["prefix"].as_str().unwrap();
    let url = format!("{prefix}{}", told["data"]["downloadPath"].as_str().unwrap());
    let file = visitor.http.get(url).header("Referer", "x").send().await.unwrap();
    assert_eq!(file.bytes().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_download_names_its_file_in_either_casing_and_repeats_what_was_listed() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/a", "x");
    visitor.sim.put("/d/b", "x");
    let key = visitor.sim.share(&["/a", "/d"], open());
    let rows = visitor.rows(&key).await;
    let row = &rows[0];
    let go = json!({
        "shareKey": key, "SharePwd": "", "fileId": row["FileId"], "etag": row["Etag"], "s3keyFlag": row["S3KeyFlag"],
        "size": row["Size"],
    });
    assert_ok(&visitor.post("/b/api/share/download/info", go).await);
    let v2 = json!({
        "ShareKey": key, "fileId": row["FileId"], "S3KeyFlag": row["S3KeyFlag"], "Etag": row["Etag"], "FileName": "a",
        "Size": row["Size"],
    });
    assert_ok(&visitor.post("/b/api/v2/share/download/info", v2.clone()).await);
    let mut nameless = v2;
    nameless.as_object_mut().unwrap().remove("FileName");
    let refused = visitor.post("/b/api/v2/share/download/info", nameless).await;
    assert_refused(&refused, 400, "sim: `FileName` is missing");
    assert_eq!(visitor.sim.count("share/share.download_info"), 3);
    for (name, value) in [
        ("FileID", json!([row["FileId"]])),
        ("Etag", json!(md5(b"y"))),
        ("Size", json!(2)),
        ("S3KeyFlag", json!("1-0")),
        ("x", json!(1)),
    ] {
        let mut bad = one_file(&key, row);
        bad[name] = value;
        assert_refused(&visitor.post("/b/api/share/download/info", bad).await, 400, "sim: ");
    }
    assert_refused(&visitor.download(&key, &rows[1]).await, 400, "sim: `Etag` is empty");
    let mut other = one_file(&key, row);
    other["FileID"] = json!(5);
    assert_refused(&visitor.post("/b/api/share/download/info", other).await, 5066, "");
}

#[tokio::test]
async fn a_file_that_its_owner_removed_says_so() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/a", "x");
    let key = visitor.sim.share(&["/a"], open());
    let row = visitor.rows(&key).await.remove(0);
    let client = crate::client::Client::start().await;
    let url = format!("{}/api/v1/access_token", visitor.sim.urls().open);
    let body = json!({"clientID": client.sim.client_id(), "clientSecret": client.sim.client_secret()});
    let open = |request: reqwest::RequestBuilder| request.header("Platform", "open_platform");
    let token = read(open(visitor.http.post(url)).json(&body).send().await.unwrap()).await;
    let token = token["data"]["accessToken"].as_str().unwrap().to_owned();
    let url = format!("{}/api/v1/file/trash", visitor.sim.urls().open);
    let trash = open(visitor.http.post(url)).bearer_auth(token).json(&json!({"fileIDs": [row["FileId"]]}));
    assert_ok(&read(trash.send().await.unwrap()).await);
    assert_refused(&visitor.download(&key, &row).await, 400, "源文件不存在");
    assert!(visitor.rows(&key).await.is_empty());
}

#[tokio::test]
async fn several_files_come_as_a_zip() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/d/a.txt", "hello");
    visitor.sim.mkdir("/empty");
    let key = visitor.sim.share(&["/d", "/empty"], open());
    visitor.sim.tell_downloads(DownloadForm::Direct);
    let rows = visitor.rows(&key).await;
    let batch = async |path: &str, id: &Value| {
        visitor.post(path, json!({"ShareKey": key, "SharePwd": "", "fileIdList": [{"FileId": id}]})).await
    };
    for path in ["/b/api/file/batch_download_share_info", "/b/api/v2/file/batch_download_share_info"] {
        let told = batch(path, &rows[0]["FileId"]).await;
        let url = told["data"]["DownloadUrl"].as_str().unwrap();
        let zip = visitor.http.get(url).header("Referer", "x").send().await.unwrap().bytes().await.unwrap();
        assert!(zip.starts_with(b"PK\x03\x04"));
        assert!(String::from_utf8_lossy(&zip).contains("d/a.txthello"));
        assert_refused(&batch(path, &rows[1]["FileId"]).await, -3, "");
        assert_refused(&batch(path, &json!("5")).await, 400, "sim: ");
        assert_refused(&batch(path, &json!(5)).await, 5066, "");
    }
    assert_eq!(visitor.sim.count("share/share.download_info_batch"), 8);
}

#[tokio::test]
async fn strict_calls_are_signed_and_look_like_the_web_page() {
    let visitor = Visitor::start().await;
    let key = visitor.sim.share(&["/"], ShareOptions::default());
    let url = visitor.share(&format!("/b/api/share/info?shareKey={key}"));
    let unsigned = read(visitor.unsigned(Method::GET, &url).send().await.unwrap()).await;
    assert_refused(&unsigned, 1, "sim: the query is not signed");
    let wrong = format!("{url}&2543441651=1767196800-1234567-1");
    let wrong = read(visitor.unsigned(Method::GET, &wrong).send().await.unwrap()).await;
    assert_refused(&wrong, 1, "sim: the signature");
    let bare = read(visitor.http.get(&url).send().await.unwrap()).await;
    assert_refused(&bare, 1, "sim: the header `platform`");
    let lenient = Visitor::with(Simulator::builder().lenient()).await;
    let key = lenient.sim.share(&["/"], ShareOptions::default());
    let url = lenient.share(&format!("/b/api/share/info?shareKey={key}&1=2"));
    assert_ok(&read(lenient.http.get(url).send().await.unwrap()).await);
}

#[tokio::test]
async fn an_owners_host_serves_its_own_shares_to_browsers() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/a", "x");
    let key = visitor.sim.share(&["/a"], ShareOptions::default().owner(4_000_000_000));
    assert!(key.starts_with("dSOuMh-"), "{key}");
    let ask = async |host: &str, referer: Option<&str>| {
        let url = visitor.share(&format!("/b/api/share/info?shareKey={key}"));
        let request = visitor.request(Method::GET, &url).header("Host", host);
        let request = if let Some(referer) = referer { request.header("Referer", referer) } else { request };
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    let (status, body) = ask("4000000000.share.123pan.cn", Some("x")).await;
    assert!(status == 200 && body.contains(&key), "{body}");
    let (status, body) = ask("1812345678.share.123pan.cn", Some("x")).await;
    assert!(status == 200 && body.starts_with("<!DOCTYPE html>"), "{body}");
    let (status, body) = ask("4000000000.share.123pan.cn", None).await;
    assert!(status == 404 && body.starts_with("<!DOCTYPE html>"), "{body}");
}

#[tokio::test]
async fn a_host_can_answer_with_a_page_or_block_an_address() {
    let visitor = Visitor::start().await;
    let key = visitor.sim.share(&["/"], ShareOptions::default());
    visitor.sim.fault(Fault::on("share/share.info").page_shell());
    let url = visitor.share(&format!("/b/api/share/info?shareKey={key}"));
    let reply = visitor.request(Method::GET, &url).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    visitor.sim.fault(Fault::on("share/share.list").code_text("403").message("forbidden client ip"));
    assert_eq!(visitor.list(&key, "").await["code"], "403");
}

#[tokio::test]
async fn the_admin_face_shares_and_logs_in() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/a", "x");
    let admin = async |path: &str, body: Value| {
        let url = format!("{}{path}", visitor.sim.urls().admin);
        read(visitor.http.post(url).json(&body).send().await.unwrap()).await
    };
    let shared = admin("/shares", json!({"paths": ["/a"], "password": "aB12", "guests": 5, "owner": 1})).await;
    assert!(shared["data"]["key"].as_str().unwrap().starts_with("v-"), "{shared}");
    assert_eq!(visitor.sim.shares()[0].password, "aB12");
    assert!(admin("/tokens/web", json!({})).await["data"]["token"].is_string());
    assert_refused(&admin("/shares", json!({"paths": ["/b"]})).await, 1, "sim: nothing is at");
}

#[tokio::test]
async fn all_operations_are_listed_once() {
    let mut listed: Vec<&str> = pan123_sim::operations().collect();
    let count = |start: &str| listed.iter().filter(|id| id.starts_with(start)).count();
    assert_eq!((count("open/"), count("share/")), (91, 8));
    let all = listed.len();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), all);
}

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text
        .bytes()
        .filter_map(|byte| LETTERS.iter().position(|letter| *letter == byte))
        .map(|digit| digit as u32)
        .collect();
    let mut out = Vec::new();
    for group in digits.chunks(4) {
        let bits = group.iter().enumerate().fold(0, |bits, (index, digit)| bits | digit << (18 - 6 * index));
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    out
}

#[tokio::test]
async fn what_review_has_turned_down_is_in_no_download_of_a_share_or_of_the_page() {
    let visitor = Visitor::start().await;
    visitor.sim.put("/a", "bad");
    let key = visitor.sim.share(&["/a"], open());
    let row = visitor.rows(&key).await.remove(0);
    assert_ok(&visitor.download(&key, &row).await);
    let dir = visitor.http.post(format!("{}/reject", visitor.sim.urls().admin));
    assert_ok(&read(dir.json(&json!({"path": "/a"})).send().await.unwrap()).await);
    let unknown = visitor.http.post(format!("{}/reject", visitor.sim.urls().admin)).json(&json!({"path": "/b"}));
    assert_refused(&read(unknown.send().await.unwrap()).await, 1, "sim: no file is at `/b`");
    let batch = json!({"ShareKey": key, "SharePwd": "", "fileIdList": [{"FileId": row["FileId"]}]});
    assert_refused(&visitor.download(&key, &row).await, 1, "sim: the file was turned down");
    assert_refused(&visitor.post("/b/api/file/batch_download_share_info", batch).await, 1, "sim: ");
    let page = Page { token: visitor.sim.web_token(), sim: visitor.sim, http: visitor.http };
    let one = json!({
        "driveId": 0, "etag": row["Etag"], "fileId": row["FileId"], "fileName": "a", "s3keyFlag": row["S3KeyFlag"],
        "size": row["Size"], "type": 0,
    });
    assert_refused(&page.post("/api/file/download_info", one).await, 1, "sim: the file was turned down");
    let info = page.post("/api/file/info", json!({"fileIdList": [{"FileId": row["FileId"]}]})).await;
    assert!(info["data"]["infoList"][0]["Status"].as_i64().unwrap() > 100, "{info}");
}
