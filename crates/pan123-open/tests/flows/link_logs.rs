//! Direct links, afterwards: the log of their traffic, its archives, the blacklist, and the playlists of old.

use std::{net::IpAddr, time::Duration};

use pan123_core::{Fetch, Items, Operation};
use pan123_open::{
    ErrorKind, FileId, Link, Timestamp,
    ops::{
        developer::{BlacklistState, ReadIpBlacklist, ReplaceIpBlacklist, SwitchIpBlacklist},
        link_logs::{FileSource, OfflineLogs, TrafficLog},
        link_videos::{DirectLinkPlaylists, DirectLinkTranscodes, TranscodeDirectLinks},
    },
};

use crate::world::{NOW, World, id};

const HOUR: i64 = 3600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

/// Makes as many files of as many bytes in an enabled folder, and fetches each once.
async fn fetched(world: &World, files: usize) -> Vec<FileId> {
    let names = (0..files).map(|number| format!("/films/{number} 片.mp4"));
    let ids: Vec<FileId> = names.map(|name| id(world.sim.put(&name, "twelve bytes"))).collect();
    world.sim.enable_direct_link("/films");
    for file in &ids {
        fetch(world, world.client.direct_link(*file).await.unwrap()).await.unwrap();
    }
    ids
}

async fn fetch(world: &World, link: Link) -> pan123_open::Result<bytes::Bytes> {
    Ok(world.client.send(Fetch::new(link)).await?.body.collect(1 << 20).await.unwrap())
}

#[tokio::test]
async fn the_traffic_log_is_walked_to_its_end() {
    let world = World::new().await;
    fetched(&world, 3).await;
    let entries = world.client.direct_link_traffic(at(-HOUR), at(HOUR)).collect().await.unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| &*entry.name).collect();
    assert_eq!(names, ["0 片.mp4", "1 片.mp4", "2 片.mp4"]);
    assert!(entries.iter().all(|entry| (entry.traffic, entry.source) == (12, Some(FileSource::Drive))));
    assert_eq!(entries[0].path, "/films/0 片.mp4");

    world.sim.clear_requests();
    let pages = TrafficLog::new(at(-HOUR), at(HOUR)).page_size(2);
    assert_eq!(world.client.items(pages).collect().await.unwrap().len(), 3);
    assert_eq!(world.sim.count("open/dlink.traffic_log"), 3, "an empty page is the end");
    let earlier = world.client.direct_link_traffic(at(-2 * HOUR), at(-HOUR)).collect().await.unwrap();
    assert!(earlier.is_empty(), "times are in the zone of the service");
}

#[tokio::test]
async fn archives_are_listed_and_fetched_whatever_the_total_says() {
    for quirks in [false, true] {
        let world = World::with(|sim| sim.quirks(quirks), |client| client).await;
        fetched(&world, 1).await;
        world.sim.advance(Duration::from_secs(3600));
        let archives: Items<OfflineLogs> = world.client.direct_link_archives(at(-HOUR), at(HOUR));
        let archives = archives.collect().await.unwrap();
        let [archive] = archives.as_slice() else { panic!("one hour had traffic: {archives:?}") };
        assert_eq!(archive.starts_at(), Some(Timestamp::from_unix(NOW - NOW.rem_euclid(HOUR))));
        let bytes = fetch(&world, archive.link.clone().unwrap()).await.unwrap();
        assert_eq!((bytes.len() as u64, &bytes[..2]), (archive.size, &[0x1f, 0x8b][..]), "it is a gzip file");
    }
}

#[tokio::test]
async fn an_address_on_the_blacklist_gets_nothing_while_the_list_is_on() {
    let world = World::new().await;
    let file = fetched(&world, 1).await[0];
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    let link = || async { world.client.direct_link(file).await.unwrap() };
    world.client.send(ReplaceIpBlacklist::new([here])).await.unwrap();
    fetch(&world, link().await).await.unwrap();
    assert!(world.client.send(SwitchIpBlacklist::new(BlacklistState::On)).await.unwrap().done);
    let error = fetch(&world, link().await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinkRejected, "{error}");
    let list = world.client.send(ReadIpBlacklist::new()).await.unwrap();
    assert_eq!((list.ips, list.state), (vec![here], BlacklistState::On));

    world.client.send(ReplaceIpBlacklist::new([])).await.unwrap();
    fetch(&world, link().await).await.unwrap();
    assert!(world.client.send(ReadIpBlacklist::new()).await.unwrap().ips.is_empty());
    world.client.refresh_direct_link_cache().await.unwrap();
}

#[tokio::test]
async fn a_video_in_direct_link_space_gets_playlists() {
    let world = World::new().await;
    let video = fetched(&world, 1).await[0];
    let text = id(world.sim.put("/films/a.txt", "text"));
    assert!(world.client.send(DirectLinkPlaylists::new(video)).await.unwrap().is_empty());
    let asked = world.client.send(DirectLinkTranscodes::new([video, text])).await.unwrap();
    assert_eq!((asked.unknown, asked.failed), (vec![video], vec![text]));
    world.client.send(TranscodeDirectLinks::new([video])).await.unwrap();
    let mut polls = 0;
    while world.client.send(DirectLinkTranscodes::new([video])).await.unwrap().done != [video] {
        polls += 1;
        assert!(polls < 10, "it is done some time");
    }
    let playlists = world.client.send(DirectLinkPlaylists::new(video)).await.unwrap();
    assert!(playlists.iter().any(|playlist| playlist.resolution == "720p"), "{playlists:?}");
}

#[tokio::test]
async fn what_is_beyond_a_limit_costs_no_request() {
    let world = World::new().await;
    async fn check(world: &World, operation: impl Operation, limit: &str) {
        let error = world.client.send(operation).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(limit), "{error}");
    }
    let address: IpAddr = "203.0.113.7".parse().unwrap();
    check(&world, ReplaceIpBlacklist::new(vec![address; 2001]), "2000").await;
    check(&world, ReplaceIpBlacklist::new(["2001:db8::1".parse::<IpAddr>().unwrap()]), "IPv4").await;
    check(&world, SwitchIpBlacklist::new(BlacklistState::from_code(0)), "1 (on) or 2 (off)").await;
    check(&world, TrafficLog::new(at(1), at(0)), "before it begins").await;
    check(&world, OfflineLogs::new(at(0), at(0)).page(0), "from 1").await;
    for size in [0, 101] {
        check(&world, TrafficLog::new(at(0), at(0)).page_size(size), "1 to 100").await;
        check(&world, OfflineLogs::new(at(0), at(0)).page_size(size), "1 to 100").await;
    }
    check(&world, TranscodeDirectLinks::new(vec![FileId::new(1); 101]), "100").await;
    check(&world, DirectLinkTranscodes::new(vec![FileId::new(1); 101]), "100").await;
    assert!(world.sim.requests().is_empty());
}
