//! One file of a share: its address in every form, and its bytes.

use pan123_core::Fetch;
use pan123_share::{Client, Entry, ErrorKind, FileId, Md5};
use pan123_sim::{DownloadForm, Fault, Guests, ShareOptions};

use crate::world::{NOW, World};

const CDN: &str = "open/file.download_content";

async fn one(world: &World, bytes: &[u8]) -> (Client, Entry) {
    world.sim.put("/a.bin", bytes.to_vec());
    let key = world.share(&["/a.bin"], ShareOptions::default());
    let share = world.user(&key);
    let file = share.list(FileId::ROOT).collect().await.unwrap().remove(0);
    (share, file)
}

#[tokio::test]
async fn every_form_of_an_address_leads_to_the_bytes() {
    let world = World::new().await;
    let (share, file) = one(&world, b"hello").await;
    for form in [DownloadForm::Params, DownloadForm::Redirect, DownloadForm::Direct, DownloadForm::Dispatch] {
        world.sim.tell_downloads(form);
        let link = share.link(&file).await.unwrap();
        assert!(link.headers().contains_key("referer"), "{form:?}");
        assert!(link.expires_at().is_some_and(|end| end.unix() > NOW), "{form:?}");
        let fetched = share.send(Fetch::new(link)).await.unwrap();
        assert_eq!(fetched.body.collect(100).await.unwrap(), "hello", "{form:?}");
        assert_eq!(share.download(&file).bytes(100).await.unwrap(), "hello", "{form:?}");
    }
}

#[tokio::test]
async fn a_file_is_saved_only_when_it_is_the_right_one() {
    let world = World::new().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    let (share, file) = one(&world, &bytes).await;
    let path = world.path("copy.bin");
    let done = share.download(&file).to_path(&path).await.unwrap();
    assert_eq!((done.size, done.md5), (300_000, Some(Md5::of(&bytes))));
    assert_eq!(world.local(), [("copy.bin".to_owned(), bytes.clone())]);

    // A page in the place of the file, as for a request without a Referer.
    world.sim.fault(Fault::on(CDN).every().body("text/html", "<html>anti-leech</html>"));
    let error = share.download(&file).to_path(world.path("other.bin")).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WrongContent | ErrorKind::SizeMismatch), "{error}");
    assert_eq!(world.local().len(), 1, "nothing half done is left");
}

#[tokio::test]
async fn an_address_that_never_comes_is_asked_for_as_often_as_the_policy_says_and_no_oftener() {
    let world = World::new().await;
    let (share, file) = one(&world, b"hello").await;
    const INFO: &str = "share/share.download_info";
    // The second is asked where an address leads to.
    for step in [INFO, CDN] {
        world.sim.clear_faults();
        world.sim.clear_requests();
        world.sim.fault(Fault::on(step).every().status(503));
        let error = share.download(&file).bytes(100).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server, "{error}");
        assert_eq!((world.sim.count(INFO), world.sim.count(step)), (5, 5), "{step}");
    }
}

#[tokio::test]
async fn an_address_that_is_refused_is_asked_for_once_more() {
    let world = World::new().await;
    let (share, file) = one(&world, b"hello").await;
    world.sim.tell_downloads(DownloadForm::Dispatch);
    world.sim.fault(Fault::on(CDN).status(403));
    assert_eq!(share.download(&file).bytes(100).await.unwrap(), "hello");
    assert_eq!(world.sim.count("share/share.download_info"), 2);

    world.sim.clear_requests();
    world.sim.fault(Fault::on(CDN).every().status(403));
    let error = share.download(&file).bytes(100).await.unwrap_err();
    assert_eq!((error.kind(), world.sim.count("share/share.download_info")), (ErrorKind::LinkRejected, 2), "{error}");
}

#[tokio::test]
async fn a_cut_is_repaired_and_an_empty_file_needs_no_address() {
    let world = World::new().await;
    let (share, file) = one(&world, &[7; 100_000]).await;
    world.sim.tell_downloads(DownloadForm::Dispatch);
    world.sim.fault(Fault::on(CDN).cut_after(50_000));
    assert_eq!(share.download(&file).bytes(200_000).await.unwrap().len(), 100_000);

    let world = World::new().await;
    let (share, file) = one(&world, b"").await;
    assert!(share.download(&file).bytes(0).await.unwrap().is_empty());
    assert_eq!(world.sim.count("share/share.download_info"), 0);
}

#[tokio::test]
async fn a_folder_is_no_file_and_may_come_as_an_archive() {
    let world = World::new().await;
    world.sim.put("/d/a.txt", "hello");
    world.sim.mkdir("/empty");
    let key = world.share(&["/d", "/empty"], ShareOptions::default().guests(Guests::Everything));
    let share = world.guest(&key);
    let folders = share.list(FileId::ROOT).collect().await.unwrap();
    let find = |name: &str| folders.iter().find(|folder| folder.name == name).unwrap();
    for end in [share.download(find("d")).bytes(100).await.unwrap_err(), share.link(find("d")).await.unwrap_err()] {
        assert_eq!(end.kind(), ErrorKind::InvalidInput, "{end}");
    }
    let link = share.zip_link([find("d")]).await.unwrap();
    let zip = share.send(Fetch::new(link)).await.unwrap().body.collect(10_000).await.unwrap();
    assert!(zip.starts_with(b"PK\x03\x04"));
    assert_eq!(share.zip_link([find("empty")]).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(share.zip_link(Vec::<FileId>::new()).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_newer_calls_give_addresses_too() {
    use pan123_share::ops::downloads::{DownloadBatchV2, DownloadInfoV2};
    let world = World::new().await;
    let (share, file) = one(&world, b"hello").await;
    let key = share.share().key();
    share.send(DownloadInfoV2::of(key, &file).unwrap()).await.unwrap();
    share.send(DownloadBatchV2::new(key, vec![file.id.into()])).await.unwrap();
}
