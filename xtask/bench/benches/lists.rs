//! What reading a page of 100 entries and walking a tree of links cost.
//!
//! `cargo bench -p pan123-bench --bench lists` prints it.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use std::hint::black_box;

use pan123_bench::compare;
use pan123_link::UrlTree;
use pan123_open::ops::files::ListPage;
use serde_json::{Value, json};

fn main() {
    let rows: Vec<Value> = (0..100)
        .map(|number| {
            json!({
                "fileId": 15_000_000 + number, "filename": format!("film {number}.mp4"), "parentFileId": 0, "type": 0,
                "etag": "0cc175b9c0f1b6a831c399e269772661", "size": 1_048_576, "category": 2, "status": 2, "punishFlag": 0,
                "s3KeyFlag": "1812000001-0", "storageNode": "m16", "trashed": 0,
                "createAt": "2026-05-01 10:00:00", "updateAt": "2026-05-01 10:00:00",
            })
        })
        .collect();
    let page = json!({"lastFileId": -1, "fileList": rows}).to_string();
    compare(
        "reading a page of 100 entries",
        &[
            ("into values that nobody looks at", &|| {
                black_box(serde_json::from_str::<Value>(black_box(&page)).unwrap());
            }),
            ("into entries", &|| _ = black_box(serde_json::from_str::<ListPage>(black_box(&page)).unwrap())),
        ],
    );

    let mut text = String::new();
    for folder in 0..100 {
        text.push_str(&format!("folder {folder}:\n"));
        (0..100).for_each(|file| text.push_str(&format!("  {file}:https://vip.123pan.cn/1812/{folder}/{file}.mp4\n")));
    }
    let tree = UrlTree::parse(&text).unwrap();
    compare(
        "10,000 direct links in 100 folders",
        &[
            ("the lines of the text, looked at", &|| {
                _ = black_box(black_box(&text).lines().map(str::len).sum::<usize>())
            }),
            ("the text, read into a tree", &|| _ = black_box(UrlTree::parse(black_box(&text)).unwrap())),
            ("the tree, walked", &|| _ = black_box(black_box(&tree).walk().count())),
        ],
    );
}
