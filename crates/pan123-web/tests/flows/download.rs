//! Downloads as a user would notice them.

use pan123_sim::{DownloadForm, Fault};
use pan123_web::{ErrorKind, FileId, ops::details::Infos};

use crate::{
    transfers::{assert_nothing_told, content, small_parts},
    world::World,
};

const INFO: &str = "web/download.info";
const CONTENT: &str = "open/file.download_content";

async fn put(world: &World, name: &str, bytes: &[u8]) -> pan123_web::Entry {
    let id = FileId::new(world.sim.put(&format!("/{name}"), bytes.to_vec()));
    world.client.send(Infos::new([id])).await.unwrap().remove(0)
}

#[tokio::test]
async fn every_form_of_address_leads_to_the_bytes() {
    for form in [
        DownloadForm::Params,
        DownloadForm::UrlSafeParams,
        DownloadForm::Redirect,
        DownloadForm::Json,
        DownloadForm::Direct,
        DownloadForm::Dispatch,
    ] {
        let world = small_parts().await;
        let bytes = content(200_000);
        let file = put(&world, "秋.bin", &bytes).await;
        world.sim.tell_downloads(form);
        let target = world.path("copy");
        let done = world.client.download(&file).to_path(&target).await.unwrap_or_else(|e| panic!("{form:?}: {e}"));
        assert_eq!((done.size, done.md5), (200_000, file.md5), "{form:?}");
        assert_eq!(std::fs::read(&target).unwrap(), bytes, "{form:?}");
        assert_nothing_told(&world.sim);
    }
}

#[tokio::test]
async fn a_link_says_what_to_send_along_and_a_range_is_that_range() {
    let world = small_parts().await;
    let bytes = content(1000);
    let file = put(&world, "a", &bytes).await;
    let link = world.client.link(&file).await.unwrap();
    assert!(link.headers().contains_key("referer"), "{link:?}");
    assert!(!format!("{link:?}").contains('?'), "{link:?}");
    assert_eq!(world.client.download(&file).range(10..20).bytes(10).await.unwrap(), bytes[10..20]);
    let by_id = world.client.download(file.id).bytes(1000).await.unwrap();
    assert_eq!(by_id, bytes);
    let error = world.client.download(FileId::new(1)).bytes(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn a_refused_address_is_asked_for_once_more_before_the_first_byte() {
    let world = small_parts().await;
    let bytes = content(5000);
    let file = put(&world, "a", &bytes).await;
    // With the usual form of address the first request leads on and the second has the bytes.
    for (status, nth) in [(403, 1), (403, 2), (404, 1), (410, 2)] {
        world.sim.clear_requests();
        world.sim.fault(Fault::on(CONTENT).nth(nth).status(status).body("text/plain", "denied"));
        assert_eq!(world.client.download(&file).bytes(5000).await.unwrap(), bytes, "{status} {nth}");
        assert_eq!(world.sim.count(INFO), 2, "{status} {nth}");
    }
    world.sim.fault(Fault::on(CONTENT).every().status(403).body("text/plain", "denied"));
    let error = world.client.download(&file).bytes(5000).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinkRejected, "{error}");
    assert_nothing_told(&world.sim);
}

#[tokio::test]
async fn an_address_that_never_comes_is_asked_for_as_often_as_the_policy_says_and_no_oftener() {
    let world = small_parts().await;
    let file = put(&world, "a", b"abc").await;
    // The second is asked where an address leads to.
    for step in [INFO, CONTENT] {
        world.sim.clear_faults();
        world.sim.clear_requests();
        world.sim.fault(Fault::on(step).every().status(503));
        let error = world.client.download(&file).bytes(3).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server, "{error}");
        assert_eq!((world.sim.count(INFO), world.sim.count(step)), (5, 5), "{step}");
    }
    world.sim.clear_requests();
    world.sim.fault(Fault::on("web/file.info").every().status(503));
    let expected = pan123_transfer::Expected::new(Some(3), file.md5);
    let error = world.client.download(file.id).expecting(expected).bytes(3).await.unwrap_err();
    assert_eq!((error.kind(), world.sim.count("web/file.info")), (ErrorKind::Server, 5), "{error}");
}

#[tokio::test]
async fn what_has_no_bytes_is_refused_before_an_address_is_asked_for() {
    let world = small_parts().await;
    let folder = FileId::new(world.sim.mkdir("/folder"));
    let empty = put(&world, "empty", b"").await;
    let file = put(&world, "a", b"abc").await;
    let json = format!(
        r#"{{"FileId":{},"FileName":"a","Type":0,"Size":3,"Etag":"{}","Status":104,"S3KeyFlag":"1-0"}}"#,
        file.id,
        file.md5.unwrap()
    );
    let withheld: pan123_web::Entry = serde_json::from_str(&json).unwrap();
    for (error, kind) in [
        (world.client.download(folder).bytes(9).await.unwrap_err(), ErrorKind::InvalidInput),
        (world.client.link(folder).await.unwrap_err(), ErrorKind::InvalidInput),
        (world.client.link(&empty).await.unwrap_err(), ErrorKind::InvalidInput),
        (world.client.download(&withheld).bytes(9).await.unwrap_err(), ErrorKind::ContentRejected),
        (world.client.link(&withheld).await.unwrap_err(), ErrorKind::ContentRejected),
        (world.client.zip_link(Vec::<FileId>::new()).await.unwrap_err(), ErrorKind::InvalidInput),
        (world.client.check_traffic(Vec::<FileId>::new()).await.unwrap_err(), ErrorKind::InvalidInput),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert!(world.client.download(&empty).bytes(0).await.unwrap().is_empty());
    assert_eq!((world.sim.count(INFO), world.sim.count(CONTENT)), (0, 0));
}

#[tokio::test]
async fn traffic_is_told_and_what_goes_beyond_is_refused() {
    let world = small_parts().await;
    let file = put(&world, "a", b"abc").await;
    let traffic = world.client.check_traffic([&file]).await.unwrap();
    assert!(!traffic.is_exceeded && traffic.remaining > 3 && traffic.size == 3, "{traffic:?}");
    world.sim.use_up_traffic(true);
    assert!(world.client.check_traffic([&file]).await.unwrap().is_exceeded);
    let target = world.path("a");
    let error = world.client.download(&file).to_path(&target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
    assert!(!target.exists());
}

#[tokio::test]
async fn several_entries_come_as_one_archive() {
    let world = small_parts().await;
    let file = put(&world, "folder/a.txt", b"abc").await;
    let link = world.client.zip_link([file.parent_id]).await.unwrap();
    let fetched = world.client.send(pan123_core::Fetch::new(link)).await.unwrap();
    let bytes = fetched.body.collect(1 << 20).await.unwrap();
    assert!(bytes.starts_with(b"PK") && bytes.windows(3).any(|word| word == b"abc"));
    assert_nothing_told(&world.sim);
}
