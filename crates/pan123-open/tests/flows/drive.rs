//! The everyday verbs: listing, finding, folders, the trash.

use pan123_open::{
    ErrorKind, FileId,
    ops::{files, list_v1::ListV1},
};
use pan123_sim::Fault;

use crate::world::{World, id};

#[tokio::test]
async fn a_listing_of_any_length_is_complete_and_leaves_the_trash_out() {
    let world = World::new().await;
    for count in [0, 1, 99, 100, 101, 250] {
        let folder = world.sim.mkdir(&format!("/{count}"));
        for number in 0..count {
            world.sim.put(&format!("/{count}/{number}.txt"), "x");
        }
        let entries = world.client.list(id(folder)).collect().await.unwrap();
        assert_eq!(entries.len(), count);
        let mut ids: Vec<FileId> = entries.iter().map(|entry| entry.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
    // A whole page of trashed entries is not the end.
    let folder = id(world.sim.file("/250").unwrap().id);
    let first = world.client.list(folder).collect().await.unwrap();
    world.client.trash(first.iter().take(150)).await.unwrap();
    assert_eq!(world.client.list(folder).collect().await.unwrap().len(), 100);
    let all = world.client.items(files::List::new(folder).include_trashed(true)).collect().await.unwrap();
    assert_eq!(all.len(), 250);
}

#[tokio::test]
async fn a_cursor_that_goes_nowhere_is_an_error() {
    let world = World::new().await;
    let page = r#"{"code":0,"message":"ok","data":{"lastFileId":7,"fileList":[{"fileId":7,"filename":"a","parentFileId":0,"type":0,"etag":"0cc175b9c0f1b6a831c399e269772661","size":1,"trashed":0}]}}"#;
    world.sim.fault(pan123_sim::Fault::on("open/file.list_v2").every().body("application/json", page));
    let error = world.client.list(FileId::ROOT).collect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(world.sim.count("open/file.list_v2") <= 3);

    // Not only a cursor that stands still: one that goes in circles does not end either.
    let world = World::new().await;
    let page = |cursor: u32| page.replace("\"lastFileId\":7", &format!("\"lastFileId\":{cursor}"));
    for round in 0..40 {
        let plan = pan123_sim::Fault::on("open/file.list_v2").nth(round + 1);
        world.sim.fault(plan.body("application/json", page(7 + (round % 3) as u32)));
    }
    let error = world.client.list(FileId::ROOT).collect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(world.sim.count("open/file.list_v2") < 20);
}

#[tokio::test]
async fn folders_are_made_once() {
    let world = World::new().await;
    let films = world.client.mkdir(FileId::ROOT, "films").await.unwrap();
    let error = world.client.mkdir(FileId::ROOT, "films").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    let deep = world.client.mkdir_all(FileId::ROOT, "films/2026/秋天/").await.unwrap();
    assert_eq!(world.client.mkdir_all(FileId::ROOT, "/films/2026/秋天").await.unwrap(), deep);
    assert_eq!(world.client.mkdir_all(films, "").await.unwrap(), films);
    let error = world.client.mkdir_all(films, "a/../b").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    world.sim.put("/films/file", "x");
    let error = world.client.mkdir_all(films, "file/below").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let gone = world.client.mkdir(FileId::new(99), "x").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");

    // The folder is made and the answer lost: it is found, and not made twice.
    world.sim.fault(pan123_sim::Fault::on("open/file.mkdir").drop_answer());
    let lost = world.client.mkdir(films, "lost").await.unwrap();
    assert_eq!(world.sim.file("/films/lost").map(|folder| id(folder.id)), Some(lost));
    assert_eq!(world.sim.folders().iter().filter(|folder| folder.name == "lost").count(), 1);
}

#[tokio::test]
async fn entries_are_found_and_described() {
    let world = World::new().await;
    let file = id(world.sim.put("/films/a.mp4", "film"));
    let folder = id(world.sim.file("/films").unwrap().id);
    let found = world.client.find(folder, "a.mp4").await.unwrap().unwrap();
    assert_eq!((found.id, found.size, found.is_folder()), (file, 4, false));
    assert!(world.client.find(folder, "b.mp4").await.unwrap().is_none());
    assert_eq!(world.client.stat(folder).await.unwrap().size, 4, "a folder's size is that of what it holds");
    assert_eq!(world.client.stat(FileId::new(99)).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(world.client.stat(FileId::ROOT).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let infos = world.client.send(files::Infos::new(vec![file, folder])).await.unwrap();
    assert_eq!(infos.len(), 2);
    assert_eq!(world.client.user_info().await.unwrap().id.get(), world.sim.uid() as u64);
}

#[tokio::test]
async fn many_entries_are_trashed_by_as_few_calls_as_the_limit_allows() {
    let world = World::new().await;
    let ids: Vec<FileId> = (0..250).map(|number| id(world.sim.put(&format!("/{number}"), "x"))).collect();
    world.client.trash(ids.iter().copied()).await.unwrap();
    assert_eq!(world.sim.count("open/file.trash"), 3);
    assert!(world.stored().is_empty());
    world.client.trash(Vec::<FileId>::new()).await.unwrap();

    // One call of three fails: the others are made, and the error names the hundred that were not.
    let ids: Vec<FileId> = (0..250).map(|number| id(world.sim.put(&format!("/n/{number}"), "x"))).collect();
    world.sim.fault(pan123_sim::Fault::on("open/file.trash").nth(2).code(77).message("no"));
    let error = world.client.trash(ids.iter().copied()).await.unwrap_err();
    let failed: Vec<FileId> = error.failed_items().iter().map(|(id, _)| *id).collect();
    assert_eq!(failed, ids[100..200]);
    assert_eq!(world.stored().len(), 100);
    assert!(error.to_string().contains("100 of 250"), "{error}");
}

#[tokio::test]
async fn a_listing_is_a_stream_too() {
    let world = World::new().await;
    for number in 0..101 {
        world.sim.put(&format!("/{number}.txt"), "x");
    }
    let mut stream = std::pin::pin!(world.client.list(FileId::ROOT).into_stream());
    let mut count = 0;
    while let Some(entry) = std::future::poll_fn(|cx| futures_core::Stream::poll_next(stream.as_mut(), cx)).await {
        entry.unwrap();
        count += 1;
    }
    assert_eq!(count, 101);
}

#[tokio::test]
async fn a_program_may_work_in_a_folder_of_its_own() {
    let world = World::new().await;
    let folder = id(world.sim.mkdir("/mine"));
    let client = crate::world::builder(&world.sim, &world.runtime).root(folder).build().unwrap();
    client.upload("a".as_bytes()).name("a.txt").send().await.unwrap();
    assert_eq!(world.sim.read("/mine/a.txt").unwrap(), "a");
    let (bytes, done) = {
        let file = client.find(client.root(), "a.txt").await.unwrap().unwrap();
        client.download(&file).to_writer(Vec::new()).await.unwrap()
    };
    assert_eq!((bytes.as_slice(), done.size), (b"a".as_slice(), 1));
    assert!(crate::world::builder(&world.sim, &world.runtime).root(FileId::new(-1)).build().is_err());
}

#[tokio::test]
async fn a_tree_is_walked_without_its_trash() {
    let world = World::new().await;
    for path in ["/a/1", "/a/b/2", "/a/b/gone/3"] {
        world.sim.put(path, "x");
    }
    world.client.trash([id(world.sim.file("/a/b/gone").unwrap().id)]).await.unwrap();
    let (mut walk, mut paths) = (world.client.walk(id(world.sim.file("/a").unwrap().id)), Vec::new());
    while let Some(found) = walk.next().await.unwrap() {
        paths.push(found.path().to_owned());
    }
    paths.sort();
    assert_eq!(paths, ["1", "b", "b/2"]);
}

#[tokio::test]
async fn an_entry_that_comes_on_two_pages_is_given_once() {
    let world = World::new().await;
    let page = |ids: [i64; 2], next: i64| {
        let row = |id| format!(r#"{{"fileId":{id},"filename":"{id}","parentFileId":0,"type":1}}"#);
        let rows = ids.map(row).join(",");
        format!(r#"{{"code":0,"message":"ok","data":{{"total":3,"lastFileId":{next},"fileList":[{rows}]}}}}"#)
    };
    for list in ["open/file.list_v2", "open/file.list_v1"] {
        world.sim.fault(Fault::on(list).nth(1).body("application/json", page([1, 2], 2)));
        world.sim.fault(Fault::on(list).nth(2).body("application/json", page([2, 3], -1)));
    }
    let expected = [1, 2, 3].map(FileId::new);
    let listed = world.client.list(FileId::ROOT).collect().await.unwrap();
    assert_eq!(listed.iter().map(FileId::from).collect::<Vec<_>>(), expected);
    let listed = world.client.items(ListV1::new(FileId::ROOT).page_size(2)).collect().await.unwrap();
    assert_eq!(listed.iter().map(FileId::from).collect::<Vec<_>>(), expected);
}
