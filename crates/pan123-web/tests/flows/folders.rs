//! Whole folders and rapid-upload links: up, down, and over by digest alone.

use std::{collections::BTreeMap, fs, path::Path};

use pan123_core::rapid::{ImportOutcome, RapidFile, RapidLink};
use pan123_sim::Fault;
use pan123_web::{ErrorKind, FileId, Md5};

use crate::transfers::{PART, assert_nothing_told, content, small_parts, stored};

/// Every file below a local folder, by its path.
fn local(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, above)) = open.pop() {
        for entry in folder.read_dir().unwrap() {
            let entry = entry.unwrap();
            let path = format!("{above}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                open.push((entry.path(), path));
            } else {
                all.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    all
}

#[tokio::test]
async fn a_folder_goes_up_and_comes_down_as_it_was() {
    let world = small_parts().await;
    let from = world.path("from");
    fs::create_dir_all(from.join("b/秋")).unwrap();
    for (path, length) in [("a.bin", 3 * PART + 1), ("b/c", 3), ("b/empty", 0), ("b/秋/d.bin", PART)] {
        fs::write(from.join(path), content(length)).unwrap();
    }
    let target = world.client.mkdir(FileId::ROOT, "backup").await.unwrap();
    let report = world.client.upload_folder(&from).into_folder(target).send().await.unwrap();
    assert!(report.is_complete() && report.files == 4 && report.folders == 2, "{report:?}");
    let up: BTreeMap<_, _> = stored(&world.sim).into_iter().map(|(path, bytes)| (path, bytes.to_vec())).collect();
    assert_eq!(up, local(&from).into_iter().map(|(path, bytes)| (format!("/backup{path}"), bytes)).collect());

    let report = world.client.download_folder(target).to_path(world.path("to")).await.unwrap();
    assert!(report.is_complete() && report.files == 4, "{report:?}");
    assert_eq!(local(&world.path("to")), local(&from));

    fs::write(from.join("b/c"), "changed").unwrap();
    world.sim.clear_requests();
    let again = || world.client.upload_folder(&from).into_folder(target);
    let report = again().send().await.unwrap();
    assert_eq!((report.files, report.same, report.failed.len()), (0, 3, 1), "{report:?}");
    assert_eq!(report.failed[0].error().unwrap().kind(), ErrorKind::AlreadyExists);
    let report = again().replace_existing().send().await.unwrap();
    assert_eq!((report.files, report.same, report.failed.len()), (1, 3, 0), "{report:?}");
    assert_eq!(world.sim.read("/backup/b/c").unwrap(), "changed");
    assert_eq!(stored(&world.sim).len(), 4);
    assert_nothing_told(&world.sim);
}

#[tokio::test]
async fn a_link_of_a_folder_puts_its_files_elsewhere_without_a_byte() {
    let world = small_parts().await;
    for path in ["/from/a.bin", "/from/季/b.bin"] {
        world.sim.put(path, content(path.len()));
    }
    let from = world.client.find(FileId::ROOT, "from").await.unwrap().unwrap();
    let text = world.client.rapid_link(&from).await.unwrap().to_string();
    let into = world.client.mkdir(FileId::ROOT, "to").await.unwrap();
    world.sim.clear_requests();
    world.sim.fault(Fault::on("web/upload.request").nth(2).reuse_without_id(2));
    let imports = RapidLink::parse(&text).unwrap().import(&world.client, into).await;
    assert!(imports.iter().all(|import| import.outcome.stored().is_some()), "{imports:?}");
    assert_eq!(world.sim.read("/to/季/b.bin").unwrap(), world.sim.read("/from/季/b.bin").unwrap());
    assert_eq!(world.sim.count("web/upload.put_part"), 0);

    let unknown: RapidLink = [RapidFile::new(Md5::of(b"nobody has this"), 15, "c").unwrap()].into_iter().collect();
    assert!(matches!(unknown.import(&world.client, into).await[0].outcome, ImportOutcome::Missing));
}
