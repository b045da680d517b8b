//! Shares, free and paid: made with their address, walked, changed, and refused at their limits.

use pan123_core::Operation;
use pan123_open::{
    ErrorKind, FileId, Secret, Timestamp, Yuan,
    ops::{
        paid_shares::{CreatePaidShare, ListPaidShares, UpdatePaidShares},
        shares::{CreateShare, ListShares, ShareExpiry, ShareId, TrafficLimitSwitch, TrafficSwitch, UpdateShares},
    },
};
use pan123_sim::{Fault, ShareOptions};

use crate::world::{NOW, World, id};

const WEEK: i64 = 7 * 24 * 3600;

#[tokio::test]
async fn files_are_shared_for_a_week_and_the_address_comes_along() {
    let world = World::new().await;
    let files = [id(world.sim.put("/a.txt", "x")), id(world.sim.mkdir("/资料"))];
    let shared = world.client.share(CreateShare::new("holiday photos", files).password("7kQp")).await.unwrap();
    let page = format!("https://{}.share.123pan.cn/123pan/{}", world.sim.uid(), shared.key);
    assert_eq!(shared.url.as_str(), page);
    let owner = world.client.account_id().await.unwrap();
    assert_eq!(shared.key.page_with_password(owner, &Secret::from("7kQp")).as_str(), format!("{page}?pwd=7kQp"));
    let stored = &world.sim.shares()[0];
    assert_eq!((stored.id, &*stored.key, &*stored.name), (shared.id.get(), shared.key.as_str(), "holiday photos"));
    assert_eq!(stored.file_ids, files.map(FileId::get));
    assert_eq!((&*stored.password, stored.expires), ("7kQp", Some(NOW + WEEK)));

    let forever = CreateShare::new("for ever", [files[0]]).expiry(ShareExpiry::Never).traffic(TrafficSwitch::Guests);
    world.client.share(forever.cap_traffic(1 << 30)).await.unwrap();
    let stored = &world.sim.shares()[1];
    assert_eq!((stored.expires, stored.traffic_switch, stored.traffic_limit), (None, 2, Some(1 << 30)));
    assert_eq!(world.sim.count("open/user.info"), 1, "the account is asked for once");

    let listed = world.client.shares().collect().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!((listed[0].id, &listed[0].key, listed[0].is_expired), (shared.id, &shared.key, false));
    assert_eq!(listed[0].password, Some(Secret::from("7kQp")));
    assert_eq!(listed[0].expires_at, Some(Timestamp::from_unix(NOW + WEEK)));
    assert_eq!((listed[1].traffic, listed[1].traffic_limit), (Some(TrafficSwitch::Guests), 1 << 30));
    assert_eq!(listed[1].password, None);
}

#[tokio::test]
async fn no_share_is_left_when_the_account_is_not_known() {
    let world = World::new().await;
    let file = id(world.sim.put("/a.txt", "x"));
    world.sim.fault(Fault::on("open/user.info").code(999).message("内部错误"));
    let error = world.client.share(CreateShare::new("a", [file])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");
    assert!(world.sim.shares().is_empty());
}

#[tokio::test]
async fn a_share_whose_answer_was_lost_is_not_made_twice() {
    let world = World::new().await;
    let file = id(world.sim.put("/a.txt", "x"));
    world.sim.fault(Fault::on("open/share.create").after().drop_answer());
    let error = world.client.share(CreateShare::new("a", [file])).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    let listed = world.client.shares().collect().await.unwrap();
    assert_eq!((listed.len(), &*listed[0].name), (1, "a"), "it is found by its name");
}

#[tokio::test]
async fn shares_are_walked_to_the_last_page() {
    let world = World::with(|sim| sim.quirks(true), |client| client).await;
    assert!(world.client.shares().collect().await.unwrap().is_empty(), "a null list is an empty one");
    world.sim.put("/a.txt", "x");
    for number in 0..5 {
        world.sim.share(&["/a.txt"], ShareOptions::default().name(format!("{number}")));
    }
    for (size, requests) in [(2, 3), (5, 1), (100, 1)] {
        world.sim.clear_requests();
        let shares = world.client.items(ListShares::new().page_size(size)).collect().await.unwrap();
        let names: Vec<&str> = shares.iter().map(|share| &*share.name).collect();
        assert_eq!(names, ["0", "1", "2", "3", "4"], "{size}");
        assert_eq!(world.sim.count("open/share.list"), requests, "{size}");
    }

    for share in world.sim.shares() {
        world.sim.set_share_price(&share.key, 0.5);
    }
    world.sim.clear_requests();
    let shares = world.client.items(ListPaidShares::new().page_size(2)).collect().await.unwrap();
    let prices: Vec<Option<i64>> = shares.iter().map(|paid| paid.price.fen()).collect();
    assert_eq!(prices, [Some(50); 5]);
    assert_eq!(world.sim.count("open/share.list_paid"), 3);
}

#[tokio::test]
async fn a_paid_share_keeps_its_decimal_price() {
    let world = World::new().await;
    let file = id(world.sim.put("/course.zip", "x"));
    let shared = world.client.share_paid(CreatePaidShare::new("course pack", [file], 10)).await.unwrap();
    let page = format!("https://{}.share.123pan.cn/123pan/{}", world.sim.uid(), shared.key);
    assert_eq!(shared.url.as_str(), page);
    let listed = || async { world.client.paid_shares().collect().await.unwrap().remove(0) };
    assert_eq!(listed().await.price, Yuan::from_fen(1000));

    world.sim.set_share_price(shared.key.as_str(), 9.9);
    world.sim.sell_share(shared.key.as_str());
    world.sim.sell_share(shared.key.as_str());
    let paid = listed().await;
    assert_eq!((paid.price.to_string().as_str(), paid.price.fen()), ("9.9", Some(990)));
    assert_eq!((paid.income, paid.orders), (Yuan::from_fen(1980), Some(2)));
    assert_eq!((paid.share.id, paid.share.password, paid.share.is_expired), (shared.id, None, false));
    assert_eq!(paid.created_at, Some(Timestamp::from_unix(NOW)));
    // The service adds up binary fractions; what it says is not made prettier.
    world.sim.sell_share(shared.key.as_str());
    assert_eq!(listed().await.income.to_string(), "29.700000000000003");
    assert!(world.client.shares().collect().await.unwrap().is_empty(), "it is not among the free ones");
}

#[tokio::test]
async fn only_the_traffic_of_a_share_is_changed() {
    let world = World::new().await;
    let file = id(world.sim.put("/a.txt", "x"));
    let free = world.client.share(CreateShare::new("free", [file])).await.unwrap().id;
    let paid = world.client.share_paid(CreatePaidShare::new("paid", [file], 1)).await.unwrap().id;
    let traffic = |number: usize| {
        let share = &world.sim.shares()[number];
        (share.traffic_switch, share.traffic_limit)
    };
    world.client.send(UpdateShares::new([free]).traffic(TrafficSwitch::OverQuota).cap_traffic(1024)).await.unwrap();
    assert_eq!(traffic(0), (3, Some(1024)));
    let uncapped = UpdateShares::new([free]).traffic_limit_switch(TrafficLimitSwitch::Off);
    world.client.send(uncapped).await.unwrap();
    assert_eq!(traffic(0), (3, None), "what is not told stays");
    world.client.send(UpdatePaidShares::new([paid]).traffic(TrafficSwitch::GuestsAndOverQuota)).await.unwrap();
    assert_eq!(traffic(1), (4, None));
    let error = world.client.send(UpdateShares::new([paid]).cap_traffic(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "a paid share is not a free one: {error}");
}

#[tokio::test]
async fn what_is_beyond_a_limit_costs_no_request() {
    let world = World::new().await;
    async fn check(world: &World, operation: impl Operation, limit: &str) {
        let error = world.client.send(operation).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(limit), "{error}");
    }
    let file = FileId::new(1);
    let ids = |count| vec![file; count];
    check(&world, CreateShare::new("长".repeat(35), [file]), "34").await;
    check(&world, CreateShare::new("a", ids(101)), "100").await;
    check(&world, CreateShare::new("a", [file]).expiry(ShareExpiry::from_code(2)), "1, 7 or 30").await;
    check(&world, CreatePaidShare::new("a", ids(101), 1), "100").await;
    check(&world, CreatePaidShare::new("a", [file], 0), "1 to 1000").await;
    check(&world, CreatePaidShare::new("a", [file], 1001), "1 to 1000").await;
    for size in [0, 101] {
        check(&world, ListShares::new().page_size(size), "1 to 100").await;
        check(&world, ListPaidShares::new().page_size(size), "1 to 100").await;
    }
    check(&world, UpdateShares::new(vec![ShareId::new(1); 101]).cap_traffic(1), "100").await;
    check(&world, UpdatePaidShares::new(vec![ShareId::new(1); 101]).cap_traffic(1), "100").await;
    let error = world.client.share(CreateShare::new("", [file])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(world.sim.requests().is_empty(), "not even the account was asked for");
}
