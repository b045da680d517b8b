//! Files of the web API: lists, infos, folders, renaming, moving, copying, the trash.

use pan123_sim::{Fault, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{assert_ok, assert_refused, md5, read};
use crate::page::Page;

/// The address of a list with the parameters of the drivers, or others.
fn list(more: &str) -> String {
    let mut query = String::new();
    for (name, value) in [
        ("driveId", "0"),
        ("limit", "100"),
        ("next", "0"),
        ("orderBy", "file_id"),
        ("orderDirection", "desc"),
        ("parentFileId", "0"),
        ("trashed", "false"),
        ("SearchData", ""),
        ("Page", "1"),
        ("OnlyLookAbnormalFile", "0"),
        ("event", "homeListFile"),
        ("operateType", "4"),
        ("inDirectSpace", "false"),
    ] {
        if !more.contains(&format!("{name}=")) {
            query.push_str(&format!("{name}={value}&"));
        }
    }
    format!("/api/file/list/new?{}{more}", query.trim_end_matches('&'))
}

fn ids(reply: &Value) -> Vec<i64> {
    reply["data"]["InfoList"].as_array().unwrap().iter().map(|row| row["FileId"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_row_has_the_fields_and_types_of_the_reference() {
    let page = Page::start().await;
    let folder = page.sim.mkdir("/docs");
    let file = page.sim.put("/docs/report.pdf", "hello");
    let reply = page.get(&list(&format!("&parentFileId={folder}"))).await;
    let data = &reply["data"];
    assert_eq!(
        (&data["Next"], &data["Len"], &data["IsFirst"], &data["Total"]),
        (&json!("-1"), &json!(1), &json!(true), &json!(1))
    );
    let row = &data["InfoList"][0];
    for (name, value) in [
        ("FileId", json!(file)),
        ("FileName", json!("report.pdf")),
        ("Type", json!(0)),
        ("Size", json!(5)),
        ("Etag", json!(md5(b"hello"))),
        ("S3KeyFlag", json!(format!("{}-0", page.sim.uid()))),
        ("ParentFileId", json!(folder)),
        ("AbsPath", json!(format!("/{folder}/{file}"))),
        ("Status", json!(0)),
        ("Trashed", json!(false)),
        ("Hidden", json!(false)),
        ("IsLock", json!(false)),
        ("StarredStatus", json!(0)),
        ("ContentType", json!("0")),
        ("DownloadUrl", json!("")),
    ] {
        assert_eq!(row[name], value, "{name} of {row}");
    }
    assert!(row["UpdateAt"].as_str().unwrap().ends_with("+08:00"));
    page.sim.put("/picture.jpg", "dots");
    let picture = page.get(&list("")).await["data"]["InfoList"][0].clone();
    let thumbnail = picture["DownloadUrl"].as_str().unwrap();
    assert!(thumbnail.ends_with("_24_24?w=24&h=24"), "{thumbnail}");
    let larger = thumbnail.replace("_24_24?w=24&h=24", "_70_70?w=70&h=70&trade_key=123pan-thumbnail");
    assert_eq!(page.http.get(larger).send().await.unwrap().headers()["content-type"], "image/gif");
    let top = page.get(&list("&orderDirection=asc")).await["data"]["InfoList"][0].clone();
    assert_eq!((&top["Type"], &top["Size"], &top["Etag"]), (&json!(1), &json!(5), &json!("")));
}

#[tokio::test]
async fn pages_are_asked_for_by_number_or_by_cursor() {
    let page = Page::start().await;
    for number in 0..101 {
        page.sim.put(&format!("/f{number:03}"), "x");
    }
    let first = page.get(&list("")).await;
    assert_eq!((first["data"]["Total"].as_i64(), first["data"]["Len"].as_i64()), (Some(101), Some(100)));
    let next = first["data"]["Next"].as_str().unwrap();
    assert_ne!(next, "-1");
    for more in ["&Page=2".to_owned(), format!("&Page=2&next={next}"), format!("&next={next}")] {
        let second = page.get(&list(&more)).await;
        assert_eq!((ids(&second).len(), &second["data"]["Next"]), (1, &json!("-1")), "{more}");
        assert!(!ids(&first).contains(&ids(&second)[0]));
    }
    assert!(ids(&page.get(&list("&Page=3")).await).is_empty());
    assert_refused(&page.get(&list("&limit=101")).await, 400, "sim: ");
    assert_refused(&page.get(&list("&parentFileId=5")).await, 5066, "");
    let up = page.get(&list("&orderBy=file_name&orderDirection=asc&limit=2")).await;
    assert_eq!(up["data"]["InfoList"][1]["FileName"], "f001");
    let old = "/api/file/list?driveId=0&limit=100&orderBy=file_id&orderDirection=asc&parentFileId=0&trashed=false";
    let first = page.get(&format!("{old}&next=0")).await;
    assert_eq!((ids(&first).len(), &first["data"]["Total"]), (100, &json!(0)));
    let second = page.get(&format!("{old}&next={}", first["data"]["Next"].as_str().unwrap())).await;
    assert_eq!((ids(&second).len(), &second["data"]["Next"]), (1, &json!("-1")));
    let down = page.get(&format!("{}&next=0", old.replace("asc", "desc"))).await;
    assert!(ids(&down).is_empty());
}

#[tokio::test]
async fn two_files_of_one_name_are_two_rows() {
    let page = Page::start().await;
    let (one, two) = (page.sim.put("/a", "1"), page.sim.put_twin("/a", "22"));
    assert_eq!(ids(&page.get(&list("")).await), [two, one]);
    let trash = json!({"operation": true, "fileTrashInfoList": [{"FileId": one}]});
    assert_ok(&page.post("/api/file/trash", trash).await);
    assert_eq!(page.sim.file("/a").unwrap().id, two);
    assert_eq!(ids(&page.get(&list("")).await), [two]);
    assert_refused(&page.get(&list("&driveId=1")).await, 400, "driveId");
    assert_refused(&page.get(&list("&orderBy=colour")).await, 400, "orderBy");
}

#[tokio::test]
async fn a_script_makes_pages_long_short_and_wrong() {
    let page = Page::start().await;
    for number in 0..6 {
        page.sim.put(&format!("/f{number}"), "x");
    }
    let all = ids(&page.get(&list("")).await);
    page.sim.fault(Fault::on("web/file.list").rows(5).times(2));
    assert_eq!(ids(&page.get(&list("&limit=1")).await), all[..5]);
    assert_eq!(ids(&page.get(&list("&limit=1&Page=2")).await), all[5..]);
    page.sim.fault(Fault::on("web/file.list").total_off(3));
    assert_eq!(page.get(&list("")).await["data"]["Total"], 9);
    page.sim.fault(Fault::on("web/file.list").repeats_row());
    assert_eq!(ids(&page.get(&list("&limit=2&Page=2")).await), all[1..4]);
    page.sim.fault(Fault::on("web/file.list").same_next());
    assert_eq!(page.get(&list("&limit=2&Page=2&next=17")).await["data"]["Next"], "17");
    let quirky = Page::with(Simulator::builder().quirks(true)).await;
    for number in 0..6 {
        quirky.sim.put(&format!("/f{number}"), "x");
    }
    assert_eq!(ids(&quirky.get(&list("&limit=1")).await).len(), 6);
    assert!(quirky.get(&list("&limit=1&Page=2")).await["data"]["InfoList"].is_null());
}

#[tokio::test]
async fn the_list_is_also_a_search_and_the_recycle_bin() {
    let page = Page::start().await;
    let deep = page.sim.put("/a/b/Report.pdf", "1");
    let gone = page.sim.put("/report.txt", "2");
    let found = page.get(&list("&SearchData=report&operateType=2")).await;
    assert_eq!(ids(&found), [gone, deep]);
    let trash =
        json!({"driveId": 0, "operation": true, "event": "intoRecycle", "fileTrashInfoList": [{"FileId": gone}]});
    assert_ok(&page.post("/api/file/trash", trash).await);
    assert_eq!(ids(&page.get(&list("&SearchData=report")).await), [deep]);
    let bin = page.get(&list("&trashed=true&event=recycleListFile&orderBy=trashed_at")).await;
    assert_eq!(ids(&bin), [gone]);
    let row = &bin["data"]["InfoList"][0];
    assert!(row["Trashed"] == true && row["TrashedAt"].is_string() && row["TrashedExpire"].is_string(), "{row}");
    assert_eq!(["web/file.list", "web/file.search", "web/file.list_trash"].map(|op| page.sim.count(op)), [0, 2, 1]);
    let folders = page.get(&list("&FileType=1")).await;
    assert!(folders["data"]["InfoList"].as_array().unwrap().iter().all(|row| row["Type"] == 1));
}

#[tokio::test]
async fn infos_leave_out_what_is_not_known() {
    let page = Page::start().await;
    let id = page.sim.put("/docs/a", "hello");
    let body = json!({"fileIdList": [{"FileId": id}, {"fileId": 5}]});
    let reply = page.post("/api/file/info", body).await;
    assert_eq!(reply["data"]["infoList"].as_array().unwrap().len(), 1, "{reply}");
    assert_eq!(reply["data"]["infoList"][0]["FileId"], id);
    assert_refused(&page.post("/api/file/info", json!({"fileIdList": [id]})).await, 400, "sim: ");
    let folder = page.sim.file("/docs").unwrap().id;
    let details = page.post("/api/restful/goapi/v1/file/details", json!({"file_ids": [folder]})).await;
    let data = &details["data"];
    assert_eq!((&data["fileNum"], &data["dirNum"], &data["totalSize"]), (&json!(1), &json!(0), &json!(5)), "{details}");
    assert_eq!(data["paths"], json!([{"fileId": 0, "fileName": "root"}]));
    assert_ok(&page.get(&format!("/api/file/detail?fileID={id}")).await);
}

#[tokio::test]
async fn folders_are_made_handed_back_refused_or_numbered() {
    let page = Page::start().await;
    let mkdir = async |more: Value| {
        let mut body = json!({"driveId": 0, "etag": "", "fileName": "docs", "parentFileId": 0, "size": 0, "type": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        page.post("/api/file/upload_request", body).await
    };
    let made = mkdir(json!({"NotReuse": true, "RequestSource": null})).await;
    let id = made["data"]["Info"]["FileId"].as_i64().unwrap();
    assert_eq!((&made["data"]["FileId"], &made["data"]["Reuse"]), (&json!(0), &json!(false)), "{made}");
    assert!(made["data"]["Info"]["CreateAt"].as_str().unwrap().contains('.'), "times have nanoseconds");
    assert_eq!(page.sim.file("/docs").unwrap().id, id);
    let again = mkdir(json!({})).await;
    assert_eq!((&again["data"]["Info"]["FileId"], &again["data"]["Reuse"]), (&json!(id), &json!(true)));
    let clash = mkdir(json!({"NotReuse": true})).await;
    assert_eq!(clash["code"], 5060, "{clash}");
    assert!(clash["data"]["updated_at"].is_string());
    assert_eq!(mkdir(json!({"NotReuse": true, "duplicate": 1})).await["data"]["Info"]["FileName"], "docs(1)");
    assert_eq!((page.sim.count("web/file.mkdir"), page.sim.count("web/upload.request")), (4, 0));
}

#[tokio::test]
async fn renaming_and_moving_keep_ids_and_refuse_taken_names() {
    let page = Page::start().await;
    let (one, two) = (page.sim.put("/one", "1"), page.sim.put("/two", "2"));
    let rename = async |more: Value| {
        let mut body = json!({"driveId": 0, "fileId": one, "fileName": "two", "event": "fileRename"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        page.post("/api/file/rename", body).await
    };
    assert_eq!(rename(json!({})).await["code"], 5060);
    assert_ok(&rename(json!({"duplicate": 1})).await);
    assert_eq!(page.sim.file("/two(1)").unwrap().id, one);
    assert_ok(&rename(json!({"duplicate": 2})).await);
    assert_eq!(page.sim.file("/two").unwrap().id, one);
    assert!(page.sim.file_by_id(two).is_none());
    let folder = page.sim.mkdir("/folder");
    let body =
        json!({"fileIdList": [{"FileId": one}], "parentFileId": folder, "event": "fileMove", "RequestSource": null});
    let moved = page.post("/api/file/mod_pid", body.clone()).await;
    assert_eq!(moved["data"]["Info"], json!([{"FileId": one, "FileName": "two", "Type": 0, "ParentFileId": folder}]));
    assert_eq!(page.sim.file("/folder/two").unwrap().id, one);
    let other = page.sim.put("/two", "3");
    let body = json!({"fileIdList": [{"FileId": other}], "parentFileId": folder});
    assert_eq!(page.post("/api/file/mod_pid", body).await["code"], 5060);
    let body = json!({"fileIdList": [{"FileId": folder}], "parentFileId": folder});
    assert_refused(&page.post("/api/file/mod_pid", body).await, 1, "sim: ");
}

#[tokio::test]
async fn the_trash_takes_gives_back_and_forgets() {
    let page = Page::start().await;
    let (a, b) = (page.sim.put("/d/a", "1"), page.sim.put("/d/b", "2"));
    let listed = |id: i64| json!([{"FileId": id}]);
    let delete = |id: i64| json!({"fileIdList": [{"FileId": id}], "event": "recycleDelete"});
    assert_refused(&page.post("/api/file/delete", delete(a)).await, 1, "sim: not in the trash");
    let body = json!({"fileTrashInfoList": listed(a), "event": "intoRecycle"});
    assert_ok(&page.post("/api/file/trash", body).await);
    assert!(page.sim.file("/d/a").is_none());
    let body = json!({"driveId": 0, "operation": false, "event": "recycleRestore", "fileTrashInfoList": listed(a)});
    assert_ok(&page.post("/api/file/trash", body).await);
    assert_eq!(page.sim.file("/d/a").unwrap().id, a);
    assert_eq!((page.sim.count("web/file.trash"), page.sim.count("web/file.restore")), (1, 1));
    for id in [a, b] {
        assert_ok(&page.post("/api/file/trash", json!({"operation": true, "fileTrashInfoList": listed(id)})).await);
    }
    let target = page.sim.mkdir("/other");
    let body = json!({"fileIds": [a], "parentFileId": target});
    assert_ok(&page.post("/api/file/recover/by_path", body).await);
    assert_eq!(page.sim.file("/other/a").unwrap().id, a);
    assert_ok(&page.post("/api/file/delete", delete(b)).await);
    assert!(page.sim.file_by_id(b).is_none());
    assert_ok(&page.post("/api/file/trash", json!({"operation": true, "fileTrashInfoList": listed(a)})).await);
    assert_ok(&page.post("/api/file/trash_delete_all", json!({"event": "recycleClear"})).await);
    assert!(page.sim.file_by_id(a).is_none());
    assert_refused(&page.post("/api/file/delete", delete(a)).await, 5066, "");
}

#[tokio::test]
async fn copies_are_tasks() {
    let page = Page::with(Simulator::builder().task_polls(2)).await;
    let source = page.sim.put("/a/report.pdf", "hello");
    let (parent, target) = (page.sim.file("/a").unwrap().id, page.sim.mkdir("/b"));
    let item = json!({
        "fileId": source, "size": 5, "etag": md5(b"hello"), "type": 0, "parentFileId": parent,
        "fileName": "report.pdf", "driveId": 0,
    });
    let copy = async |item: &Value, target: i64| {
        page.post("/api/restful/goapi/v1/file/copy/async", json!({"fileList": [item], "targetFileId": target})).await
    };
    let started = copy(&item, target).await;
    assert_eq!(started["data"]["mode"], 1, "{started}");
    let task = started["data"]["taskId"].as_i64().unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let state = page.get(&format!("/api/restful/goapi/v1/file/copy/task?taskId={task}")).await;
        seen.push(state["data"]["status"].as_i64().unwrap());
    }
    assert_eq!(seen, [0, 1, 2]);
    assert_eq!(page.sim.read("/b/report.pdf").unwrap(), "hello");
    assert_refused(&copy(&item, parent).await, 1, "sim: ");
    let mut wrong = item.clone();
    wrong["parentFileId"] = json!(target);
    assert_refused(&copy(&wrong, target).await, 400, "sim: ");
    page.sim.fault(Fault::on("web/file.copy").no_task_id());
    assert_eq!(copy(&item, target).await["data"], json!({"mode": 2}));
    page.sim.fault(Fault::on("web/file.copy").task_fails());
    let task = copy(&item, target).await["data"]["taskId"].as_i64().unwrap();
    let state = async || page.get(&format!("/api/restful/goapi/v1/file/copy/task?taskId={task}")).await;
    assert!(matches!(state().await["data"]["status"].as_i64(), Some(0)) && state().await["data"]["status"] == 1);
    let failed = state().await;
    assert!(failed["data"]["status"] == 3 && failed["data"]["reason"] != "", "{failed}");
}

#[tokio::test]
async fn what_working_clients_send_is_understood() {
    let page = Page::lenient().await;
    let id = page.sim.put("/a.txt", "hello");
    let folder = page.sim.mkdir("/folder");
    let send = async |method: Method, path: &str, body: Option<Value>| {
        let host = page.sim.urls().web.trim_end_matches("/b").to_owned();
        let request = page.http.request(method, format!("{host}{path}")).bearer_auth(&page.token);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        read(request.send().await.unwrap()).await
    };
    // All names in lower case, one prefix or another, no headers of the page, and a signature that is none.
    let query = "driveid=0&limit=500&next=0&orderby=file_id&orderdirection=desc&parentfileid=0&trashed=False&page=1";
    for prefix in ["/api", "/a/api", "/b/api"] {
        let listed = send(Method::GET, &format!("{prefix}/file/list/new?{query}&98213=1790000000-1-2"), None).await;
        assert_eq!(ids(&listed).len(), 2, "{prefix}");
    }
    // Ids as texts, and one element in the place of a list.
    let body = json!({"driveId": 0, "fileId": id.to_string(), "fileName": "b.txt"});
    assert_ok(&send(Method::POST, "/b/api/file/rename", Some(body)).await);
    let body = json!({"fileIdList": [{"FileId": id.to_string()}], "parentFileId": folder.to_string()});
    assert_ok(&send(Method::POST, "/b/api/file/mod_pid", Some(body)).await);
    let body = json!({"driveId": 0, "operation": true, "fileTrashInfoList": {"FileId": id, "FileName": "b.txt"}});
    assert_ok(&send(Method::POST, "/a/api/file/trash", Some(body)).await);
    let body = json!({"fileidlist": [{"fileid": id}]});
    assert_ok(&send(Method::POST, "/api/file/delete", Some(body)).await);
    assert_ok(&send(Method::POST, "/b/api/user/logout", None).await);
    // Another face answers, too.
    let url = format!("{}/b/api/user/info", page.sim.urls().open);
    let token = page.sim.web_token();
    assert_ok(&read(page.http.get(url).bearer_auth(token).send().await.unwrap()).await);
}
