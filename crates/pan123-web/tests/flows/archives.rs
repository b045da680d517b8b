//! Archives, looked into and unpacked by the service.

use std::io::{Cursor, Write};

use pan123_sim::Fault;
use pan123_web::{ErrorKind, FileId, ops::archives::ArchiveMember};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::world::World;

fn zip() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    writer.add_directory("docs/", stored).unwrap();
    for (name, text) in [("docs/a.txt", "a"), ("docs/deep/b.txt", "b"), ("top.txt", "c")] {
        writer.start_file(name, stored).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn named<'a>(members: &'a [ArchiveMember], name: &str) -> &'a ArchiveMember {
    members.iter().find(|member| member.name == name).unwrap()
}

#[tokio::test]
async fn members_are_seen_and_unpacked_in_the_drive() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/a.zip", zip()));
    let folder = FileId::new(world.sim.mkdir("/out"));
    world.sim.fault(Fault::on("web/file.archive_status").times(2).task_pending());
    let archive = world.client.read_archive(file, None).await.unwrap();
    let docs = named(archive.members(), "docs");
    assert_eq!(named(&docs.children, "a.txt").path, "docs/a.txt");
    assert_eq!(named(archive.members(), "top.txt").size, 1);

    archive.extract([named(archive.members(), "top.txt")], folder).await.unwrap();
    assert_eq!(world.sim.read("/out/top.txt").unwrap(), "c");
    assert!(world.sim.file("/out/docs").is_none());
    let all = world.client.read_archive(file, None).await.unwrap();
    let folder = FileId::new(world.sim.mkdir("/all"));
    all.extract(all.members(), folder).await.unwrap();
    assert_eq!(world.sim.read("/all/docs/deep/b.txt").unwrap(), "b");
    assert_eq!(all.extract([], folder).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn what_cannot_be_read_or_does_not_end_is_an_error() {
    let world = World::unsigned().await;
    let file = FileId::new(world.sim.put("/a.zip", "no archive"));
    let error = world.client.read_archive(file, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");
    assert_eq!(world.client.read_archive(FileId::new(99), None).await.unwrap_err().kind(), ErrorKind::NotFound);
    world.sim.fault(Fault::on("web/file.archive_status").every().task_pending());
    let error = world.client.read_archive(file, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CompletionTimeout, "{error}");
}
