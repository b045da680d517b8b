//! Direct links: only in an enabled folder, signed by default, refused when their time is over.

use std::time::Duration;

use pan123_core::Fetch;
use pan123_open::{AccountId, ErrorKind, FileId};

use crate::world::{NOW, World, builder, id};

#[tokio::test]
async fn a_signed_link_works_until_its_time_is_over() {
    let world = World::new().await;
    let folder = world.client.mkdir(FileId::ROOT, "资料 (1)").await.unwrap();
    let file = id(world.sim.put("/资料 (1)/报告 100%.txt", "content"));
    world.client.enable_direct_link(folder).await.unwrap();
    let link = world.client.direct_link(file).await.unwrap();
    assert_eq!(link.expires_at().unwrap().unix(), NOW + 30 * 60);
    let fetched = world.client.send(Fetch::new(link.clone())).await.unwrap();
    assert_eq!(fetched.body.collect(100).await.unwrap(), "content");

    world.sim.advance(Duration::from_secs(30 * 60));
    let error = world.client.send(Fetch::new(link)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinkRejected, "now == ts counts as over");
    assert_eq!(world.sim.count("open/user.info"), 1, "the account id is asked once");
    world.client.direct_link(file).await.unwrap();
    assert_eq!(world.sim.count("open/user.info"), 1);
}

#[tokio::test]
async fn a_link_without_a_key_is_as_the_service_gives_it() {
    let world = World::new().await;
    let folder = id(world.sim.enable_direct_link("/films"));
    let file = id(world.sim.put("/films/a.txt", "content"));
    let unsigned = pan123_open::Client::builder()
        .app(world.sim.client_id(), world.sim.client_secret())
        .hosts(pan123_open::Hosts::default().with_open(&world.sim.urls().open).unwrap())
        .build()
        .unwrap();
    let link = unsigned.direct_link(file).await.unwrap();
    assert_eq!((link.url().query(), link.expires_at()), (None, None));
    let error = unsigned.send(Fetch::new(link)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinkRejected, "authentication is on");
    assert!(!folder.is_root());
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_the_host_and_not_told() {
    let world = World::new().await;
    world.sim.enable_direct_link("/films");
    let file = id(world.sim.put("/films/a.txt", "content"));
    let account = AccountId::new(world.sim.uid() as u64);
    let client = builder(&world.sim, &world.runtime).link_key("a wrong key").account(account).build().unwrap();
    let error = client.send(Fetch::new(client.direct_link(file).await.unwrap())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinkRejected);
    assert!(!format!("{error} {error:?}").contains("auth_key"));
    assert_eq!(world.sim.count("open/user.info"), 0, "the account was given");
}

#[tokio::test]
async fn a_file_outside_direct_link_space_has_no_link() {
    let world = World::new().await;
    let folder = id(world.sim.mkdir("/films"));
    let inside = id(world.sim.put("/films/a.txt", "content"));
    let in_root = id(world.sim.put("/a.txt", "content"));
    for file in [inside, in_root] {
        let error = world.client.direct_link(file).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DirectLinkDisabled);
        assert!(error.to_string().contains("root"), "the error says what is wrong: {error}");
    }
    let error = world.client.enable_direct_link(FileId::ROOT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    world.client.enable_direct_link(folder).await.unwrap();
    world.client.enable_direct_link(folder).await.unwrap();
    world.client.direct_link(inside).await.unwrap();
}
