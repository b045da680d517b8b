//! Shares of one's own, offline downloads, direct links, WebDAV accounts.

use std::{sync::Arc, time::Duration};

use pan123_sim::Fault;
use pan123_web::{
    ErrorKind, FileId,
    ops::{
        links::{DirectLinkUrl, DisableDirectLink, EnableDirectLink, RefreshDirectLinkCache},
        offline::{AbortTasks, ListTasks, OfflineState, OverallStatus},
        shares::{
            ClearExpiredShares, CreateShare, ListPaidShares, SetShareTraffic, ShareTraffic, TrafficSwitch, UpdateShare,
        },
        webdav::{CreateWebDavAccount, ListWebDavAccounts},
    },
};

use crate::world::World;

const MAGNET: &str = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";
const LINK: &str = "https://example.org/film.mp4?sig=planted-signature";

#[tokio::test]
async fn a_share_is_made_found_changed_and_ended() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/docs/a.txt", "hello"));
    let shared = world.client.share(CreateShare::new("report", [file]).password("ab12")).await.unwrap();
    assert!(shared.url.as_str().ends_with(shared.key.as_str()));
    let found = world.client.shares().next().await.unwrap().unwrap();
    assert_eq!((&found.key, found.name.as_str(), found.is_expired), (&shared.key, "report", false));
    assert_eq!(found.files, [file]);
    assert_eq!(found.password.as_ref().unwrap().expose(), "ab12");

    world.client.send(UpdateShare::new(found.id).name("report 2026")).await.unwrap();
    world.client.send(SetShareTraffic::new(found.id).traffic(TrafficSwitch::Guests)).await.unwrap();
    assert_eq!(world.client.shares().next().await.unwrap().unwrap().name, "report 2026");
    world.client.send(ShareTraffic::new()).await.unwrap();

    world.client.cancel_shares([found.id]).await.unwrap();
    assert_eq!(world.client.shares().next().await.unwrap(), None);
    world.client.cancel_shares([]).await.unwrap();
    world.client.send(ClearExpiredShares::new()).await.unwrap();
    assert_eq!(world.client.paid_shares().next().await.unwrap(), None);
}

#[tokio::test]
async fn a_paid_share_has_the_address_of_one() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/docs/a.txt", "hello"));
    let shared = world.client.share(CreateShare::new("report", [file]).price(990)).await.unwrap();
    assert_eq!(shared.url.as_str(), format!("https://www.123pan.com/ps/{}", shared.key));
    assert_eq!(world.client.paid_shares().next().await.unwrap().unwrap().key, shared.key);
    let free = world.client.share(CreateShare::new("report", [file])).await.unwrap();
    assert_eq!(free.url.as_str(), format!("https://www.123pan.com/s/{}", free.key));
    let page = world.client.send(ListPaidShares::new()).await.unwrap();
    assert_eq!((page.shares.len(), page.total), (1, Some(1)));
}

#[tokio::test]
async fn many_shares_are_walked_page_by_page() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/a.txt", "hello"));
    for number in 0..101 {
        world.client.share(CreateShare::new(format!("share {number}"), [file])).await.unwrap();
    }
    let shares = world.client.shares().collect().await.unwrap();
    assert_eq!(shares.len(), 101);
    assert_eq!(world.sim.count("web/share.list"), 2);
}

#[tokio::test]
async fn a_lost_answer_to_a_new_share_is_not_asked_for_twice() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/a.txt", "hello"));
    world.sim.fault(Fault::on("web/share.create").drop_answer());
    let error = world.client.share(CreateShare::new("report", [file])).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert_eq!(world.sim.count("web/share.create"), 1);
    assert_eq!(world.client.shares().collect().await.unwrap().len(), 1, "it is there to be found");
}

#[tokio::test]
async fn a_link_is_fetched_and_waited_for() {
    let world = World::with(|sim| sim.offline_time(Duration::from_secs(90)), |client| client).await;
    let folder = FileId::new(world.sim.mkdir("/films"));
    let sim = Arc::new(world.sim);
    let clock = Arc::clone(&sim);
    let download = world.client.offline_download(LINK).into_folder(folder);
    assert!(!format!("{download:?}").contains("planted"));
    let download = download.on_progress(move |task| {
        assert_eq!(task.folder, Some(folder));
        clock.advance(Duration::from_secs(60));
    });
    let task = download.finish().await.unwrap();
    assert_eq!((task.name.as_str(), task.state), ("film.mp4", OfflineState::Done));
    assert!(sim.file("/films/film.mp4").is_some());
    assert_eq!((sim.count("web/offline.resolve"), sim.count("web/offline.submit")), (1, 1));

    world.client.send(OverallStatus::new()).await.unwrap();
    world.client.forget_offline([task.id]).await.unwrap();
    assert_eq!(world.client.items(ListTasks::new()).next().await.unwrap(), None);
    assert!(sim.file("/films/film.mp4").is_some(), "what was fetched stays");
}

#[tokio::test]
async fn a_download_that_does_not_end_is_given_up_and_can_be_stopped() {
    let world = World::with(|sim| sim.offline_time(Duration::from_secs(3600)), |client| client).await;
    let download = world.client.offline_download(LINK).timeout(Duration::from_secs(10));
    let task = download.begin().await.unwrap();
    let error = world.client.wait_for_offline(task, Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CompletionTimeout);
    world.client.send(AbortTasks::new([task])).await.unwrap();
}

#[tokio::test]
async fn a_torrent_is_uploaded_and_its_files_are_chosen() {
    let world = World::new().await;
    let torrent = "d4:infod5:filesld6:lengthi5e4:pathl5:a.mkveed6:lengthi3e4:pathl5:b.txteee4:name4:filmee";
    let source = world.client.torrent(torrent).await.unwrap();
    let download = world.client.offline_download(source).choose(|file| file.name.ends_with(".mkv"));
    let resource = download.resolve().await.unwrap();
    assert_eq!(resource.files.len(), 2);
    download.begin().await.unwrap();
    let none = world.client.offline_download(MAGNET).choose(|_| false);
    assert_eq!(none.begin().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(world.sim.count("web/offline.submit"), 1);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_an_error_with_the_services_reason() {
    let world = World::new().await;
    let failed = r#"{"code":0,"message":"ok","data":{"list":[{"result":1,"id":0,"err_code":3,"err_msg":"resolve failed","files":null}]}}"#;
    world.sim.fault(Fault::on("web/offline.resolve").body("application/json", failed));
    let error = world.client.offline_download(LINK).begin().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Api, Some("resolve failed")));
    assert!(!error.to_string().contains("planted"));
    assert_eq!(world.sim.count("web/offline.submit"), 0);
    for nonsense in ["a.iso", "", "javascript:alert(1)"] {
        assert_eq!(world.client.offline_download(nonsense).begin().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn a_direct_link_space_is_opened_and_closed() {
    let world = World::new().await;
    let folder = FileId::new(world.sim.mkdir("/public"));
    let file = FileId::new(world.sim.put("/public/a.txt", "hello"));
    world.client.send(DirectLinkUrl::new(file)).await.unwrap_err();
    world.client.send(EnableDirectLink::new(folder)).await.unwrap();
    let url = world.client.send(DirectLinkUrl::new(file)).await.unwrap();
    assert!(url.path().ends_with("a.txt"), "{url}");
    world.client.send(RefreshDirectLinkCache::new()).await.unwrap();
    world.client.send(DisableDirectLink::new(folder)).await.unwrap();
    world.client.send(DirectLinkUrl::new(file)).await.unwrap_err();
}

#[tokio::test]
async fn a_webdav_account_is_made_and_its_password_not_shown() {
    let world = World::new().await;
    let made = world.client.send(CreateWebDavAccount::new("laptop")).await.unwrap();
    assert!(made.expose().starts_with('{'));
    assert_eq!(format!("{made:?}"), "Secret([redacted])");
    let listed = world.client.send(ListWebDavAccounts::new()).await.unwrap();
    assert!(listed.expose().contains("laptop"));
    assert_eq!(world.client.send(CreateWebDavAccount::new(" ")).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}
