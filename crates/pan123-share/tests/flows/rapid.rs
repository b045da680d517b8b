//! Rapid-upload links of a share.

use std::collections::BTreeSet;

use pan123_share::{FileId, Md5, rapid::RapidLink};
use pan123_sim::{Fault, ShareOptions};

use crate::world::World;

#[tokio::test]
async fn a_share_becomes_a_link_without_a_download() {
    let world = World::new().await;
    for (path, text) in
        [("/影片/第一季/E01.mkv", "hello"), ("/影片/第一季/特典/SP.mkv", "123pan"), ("/影片/a#b%.txt", "")]
    {
        world.sim.put(path, text);
    }
    let key = world.share(&["/影片"], ShareOptions::default());
    let link = world.guest(&key).rapid_link(FileId::ROOT).await.unwrap();
    let files: BTreeSet<(Md5, u64, &str)> =
        link.files().iter().map(|file| (file.md5(), file.size(), file.path())).collect();
    let want = BTreeSet::from([
        (Md5::of(b"hello"), 5, "影片/第一季/E01.mkv"),
        (Md5::of(b"123pan"), 6, "影片/第一季/特典/SP.mkv"),
        (Md5::of(b""), 0, "影片/a#b%.txt"),
    ]);
    assert_eq!(files, want);
    assert!(link.to_string().starts_with("123FLCPV2$影片/%"), "{link}");
    assert_eq!(RapidLink::parse(&link.to_json()).unwrap().files().len(), 3);
    assert_eq!(world.sim.count("share/share.download_info"), 0);
}

#[tokio::test]
async fn a_share_that_cannot_be_listed_whole_makes_no_link() {
    let world = World::new().await;
    world.sim.put("/a/b", "x");
    let key = world.share(&["/a"], ShareOptions::default());
    world.sim.fault(Fault::on("share/share.list").nth(2).code(77).message("no"));
    world.guest(&key).rapid_link(FileId::ROOT).await.unwrap_err();

    let page = r#"{"code":0,"data":{"Next":"-1","InfoList":[{"FileId":7,"FileName":"../a","Type":0,"Size":1,"Etag":"9dd4e461268c8034f5c8564e155c67a6"}]}}"#;
    world.sim.fault(Fault::on("share/share.list").body("application/json", page));
    let error = world.guest(&key).rapid_link(FileId::ROOT).await.unwrap_err();
    assert!(error.to_string().contains("'/'"), "{error}");
}
