//! Rapid-upload links: into the drive and out of it.

use std::collections::BTreeSet;

use pan123_core::rapid::{ImportOutcome, RapidFile, RapidLink};
use pan123_open::{ErrorKind, FileId, Md5};
use pan123_sim::Fault;

use crate::world::{World, id};

fn link(files: &[(&str, &str)]) -> RapidLink {
    let file = |(path, text): &(&str, &str)| RapidFile::new(Md5::of(text.as_bytes()), text.len() as u64, path).unwrap();
    files.iter().map(file).collect()
}

#[tokio::test]
async fn files_are_put_into_the_drive_by_their_digest_and_each_says_what_became_of_it() {
    let world = World::new().await;
    world.sim.put("/somewhere/known", "hello");
    world.sim.put("/into/taken/file", "x");
    let into = id(world.sim.mkdir("/into"));
    let text = link(&[
        ("a.txt", "hello"),
        ("影片/第一季/b.txt", "hello"),
        ("影片/第一季/c.txt", "nobody has this"),
        ("taken/file", "hello"),
        ("taken/file/below", "hello"),
        ("bad:name", "hello"),
    ])
    .to_json();
    let imports = RapidLink::parse(&text).unwrap().import(&world.client, into).await;
    let kinds: Vec<Option<ErrorKind>> = imports
        .iter()
        .map(|import| match &import.outcome {
            ImportOutcome::Failed(error) => Some(error.kind()),
            _ => None,
        })
        .collect();
    let (exists, invalid) = (Some(ErrorKind::AlreadyExists), Some(ErrorKind::InvalidInput));
    assert_eq!(kinds, [None, None, None, exists, exists, invalid]);
    assert_eq!(imports[0].outcome.stored(), world.sim.file("/into/a.txt").map(|file| id(file.id)));
    assert_eq!(world.sim.read("/into/影片/第一季/b.txt").unwrap(), "hello");
    assert!(matches!(imports[2].outcome, ImportOutcome::Missing));
    assert!(world.sim.file("/into/影片/第一季/c.txt").is_none());
    assert_eq!(world.sim.count("open/upload_v2.slice"), 0, "no byte is sent");
}

#[tokio::test]
async fn an_instant_upload_without_an_id_is_found() {
    let world = World::new().await;
    world.sim.put("/known", "hello");
    world.sim.fault(Fault::on("open/upload_v2.create").reuse_without_id(2));
    let imports = link(&[("a.txt", "hello")]).import(&world.client, FileId::ROOT).await;
    assert_eq!(imports[0].outcome.stored(), world.sim.file("/a.txt").map(|file| id(file.id)));
}

#[tokio::test]
async fn a_challenge_ends_the_import() {
    let world = World::new().await;
    world.sim.fault(Fault::on("open/upload_v2.create").every().code(1).message("请进行验证"));
    let imports = link(&[("a", "x"), ("b", "y"), ("c", "z")]).import(&world.client, FileId::ROOT).await;
    assert_eq!(imports.len(), 3);
    assert_eq!(world.sim.count("open/upload_v2.create"), 1);
}

#[tokio::test]
async fn a_folder_becomes_a_link() {
    let world = World::new().await;
    for (path, text) in
        [("/films/a.mkv", "a"), ("/films/s1/b.mkv", "bb"), ("/films/s1/x/c.mkv", "ccc"), ("/other", "d")]
    {
        world.sim.put(path, text);
    }
    let films = id(world.sim.file("/films").unwrap().id);
    let made = world.client.rapid_link(films).await.unwrap();
    let paths: BTreeSet<(&str, u64)> = made.files().iter().map(|file| (file.path(), file.size())).collect();
    assert_eq!(paths, BTreeSet::from([("a.mkv", 1), ("s1/b.mkv", 2), ("s1/x/c.mkv", 3)]));
    let copy = id(world.sim.mkdir("/copy"));
    let imports = RapidLink::parse(&made.to_string()).unwrap().import(&world.client, copy).await;
    assert!(imports.iter().all(|import| import.outcome.stored().is_some()));
    assert_eq!(world.sim.read("/copy/s1/x/c.mkv").unwrap(), "ccc");
}

#[tokio::test]
async fn a_file_that_the_service_only_says_it_has_is_missing_where_a_ticket_is_given() {
    let world = World::new().await;
    let phantom = r#"{"code":0,"message":"ok","data":{"reuse":true,"preuploadID":"p","sliceSize":65536}}"#;
    world.sim.fault(Fault::on("open/upload_v2.create").body("application/json", phantom));
    let imports = link(&[("a.txt", "hello")]).import(&world.client, FileId::ROOT).await;
    assert!(matches!(imports[0].outcome, ImportOutcome::Missing), "{:?}", imports[0].outcome);
}
