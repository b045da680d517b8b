//! Folders up and down: everything is there, nothing goes twice, one failure is one failure, and work is bounded.

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use pan123_core::{BoxFuture, ErrorKind, FileId, Md5, Result};
use pan123_transfer::{Download, Expected, FolderDownload, FolderItem, FolderOutcome, FolderUpload, Tree, TreeEntry};

use crate::{
    clock,
    tree::{Folders, local},
};

fn download(drive: &Folders) -> FolderDownload {
    FolderDownload::new(drive.clone(), FileId::ROOT, clock())
}

fn upload(drive: &Folders, from: &Path) -> FolderUpload {
    FolderUpload::new(drive.clone(), from, FileId::ROOT)
}

/// A drive with folders in folders, one of them empty.
fn drive() -> Folders {
    let drive = Folders::new();
    fill(&drive);
    drive
}

fn fill(drive: &Folders) {
    drive.file(0, "a.txt", "aaa");
    let b = drive.add(0, "b", None);
    drive.file(b, "c.txt", "ccc");
    drive.file(b, "empty.txt", "");
    drive.add(b, "nothing", None);
    let d = drive.add(b, "d", None);
    drive.file(d, "e.txt", "eee");
}

/// What the items say, in order of their paths.
fn said(items: &[FolderItem]) -> Vec<(String, &'static str)> {
    let word = |outcome: &FolderOutcome| match outcome {
        FolderOutcome::Transferred => "transferred",
        FolderOutcome::Same => "same",
        FolderOutcome::FolderMade => "made",
        FolderOutcome::FolderThere => "there",
        FolderOutcome::LeftOut => "left out",
        FolderOutcome::Failed(_) => "failed",
        _ => "?",
    };
    let mut said: Vec<_> = items.iter().map(|item| (item.remote.clone(), word(&item.outcome))).collect();
    said.sort();
    said
}

#[tokio::test]
async fn a_folder_goes_down_and_up_again() {
    let drive = drive();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("deep/target");
    let report = download(&drive).to_path(&target).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.files, report.bytes, report.folders, report.same), (4, 9, 3, 0));
    assert_eq!(local(&target), drive.all());

    let copy = Folders::new();
    let report = upload(&copy, &target).send().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.files, report.bytes, report.folders), (4, 9, 3));
    assert_eq!(copy.all(), drive.all());
}

#[tokio::test]
async fn what_is_the_same_is_not_sent_again() {
    let drive = drive();
    let target = tempfile::tempdir().unwrap();
    download(&drive).to_path(target.path()).await.unwrap();
    drive.calls();
    let report = download(&drive).to_path(target.path()).await.unwrap();
    assert_eq!((report.files, report.same, report.folders), (0, 4, 0));
    assert_eq!(drive.calls(), ["list ", "list /b", "list /b/nothing", "list /b/d"]);
    let report = upload(&drive, target.path()).send().await.unwrap();
    assert_eq!((report.files, report.same, report.folders), (0, 4, 0));
    assert!(drive.calls().iter().all(|call| call.starts_with("list ")));

    // The size is the same, and the content is not.
    fs::write(target.path().join("b/c.txt"), "xxx").unwrap();
    let report = download(&drive).keep_existing().to_path(target.path()).await.unwrap();
    assert_eq!((report.same, report.failed.len()), (3, 1));
    assert_eq!(report.failed[0].error().unwrap().kind(), ErrorKind::AlreadyExists);
    let report = upload(&drive, target.path()).send().await.unwrap();
    assert_eq!((report.same, report.failed.len()), (3, 1));
    assert_eq!(report.failed[0].error().unwrap().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(target.path().join("b/c.txt")).unwrap(), b"xxx");

    let report = upload(&drive, target.path()).replace_existing().send().await.unwrap();
    assert_eq!((report.files, report.same), (1, 3));
    assert_eq!(local(target.path()), drive.all());
    fs::write(target.path().join("b/c.txt"), "longer").unwrap();
    let report = download(&drive).to_path(target.path()).await.unwrap();
    assert_eq!((report.files, report.same), (1, 3));
    assert_eq!(local(target.path()), drive.all());
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let drive = drive();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let all = [
        ("a.txt", "transferred"),
        ("b", "made"),
        ("b/c.txt", "transferred"),
        ("b/d", "made"),
        ("b/d/e.txt", "transferred"),
        ("b/empty.txt", "transferred"),
        ("b/nothing", "made"),
    ]
    .map(|(path, what)| (path.to_owned(), what));
    let plan = download(&drive).plan(&target).await.unwrap();
    assert_eq!(said(&plan), all);
    assert!(!target.exists() && drive.calls().iter().all(|call| call.starts_with("list")));

    download(&drive).to_path(&target).await.unwrap();
    fs::write(target.join("a.txt"), "changed").unwrap();
    let copy = Folders::new();
    assert_eq!(said(&upload(&copy, &target).plan().await.unwrap()), all);
    assert_eq!(copy.all(), []);
    assert_eq!(copy.calls(), ["list "], "what is not there is not listed");

    let plan = upload(&drive, &target).replace_existing().plan().await.unwrap();
    let changed: Vec<_> = plan.iter().filter(|item| matches!(item.outcome, FolderOutcome::Transferred)).collect();
    assert_eq!((plan.len(), changed.len(), changed[0].remote.as_str(), changed[0].size), (7, 1, "a.txt", 7));
}

#[tokio::test]
async fn one_failure_is_reported_and_the_rest_is_done() {
    let fails = |call: &str| matches!(call, "fetch c.txt" | "list /b/d").then_some(ErrorKind::NotFound);
    let drive = Folders::failing(fails);
    fill(&drive);
    let target = tempfile::tempdir().unwrap();
    let report = download(&drive).to_path(target.path()).await.unwrap();
    let mut failed: Vec<&str> = report.failed.iter().map(|item| item.remote.as_str()).collect();
    failed.sort_unstable();
    assert_eq!((failed, report.files, report.is_complete()), (vec!["b/c.txt", "b/d"], 2, false));
    assert!(report.stopped.is_none());

    let whole = tempfile::tempdir().unwrap();
    download(&self::drive()).to_path(whole.path()).await.unwrap();
    let drive = Folders::failing(|call| matches!(call, "upload c.txt" | "mkdir d").then_some(ErrorKind::Api));
    let report = upload(&drive, whole.path()).send().await.unwrap();
    let mut failed: Vec<&str> = report.failed.iter().map(|item| item.remote.as_str()).collect();
    failed.sort_unstable();
    assert_eq!((failed, report.files), (vec!["b/c.txt", "b/d"], 2));

    let drive = Folders::failing(|call| (call == "list ").then_some(ErrorKind::NotFound));
    assert_eq!(download(&drive).to_path(target.path()).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(upload(&drive, whole.path()).send().await.unwrap_err().kind(), ErrorKind::NotFound);
    let missing = upload(&drive, &whole.path().join("missing")).send().await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Io);
}

#[tokio::test]
async fn what_every_file_would_meet_ends_everything() {
    let local = tempfile::tempdir().unwrap();
    let stop =
        |call: &str| (call.starts_with("fetch") || call.starts_with("upload")).then_some(ErrorKind::Unauthorized);
    let drive = Folders::failing(stop);
    for number in 0..50 {
        fs::write(local.path().join(format!("{number}")), "x").unwrap();
        drive.file(0, &format!("{number}"), "y");
    }
    let target = tempfile::tempdir().unwrap();
    let report = download(&drive).concurrency(2).to_path(target.path()).await.unwrap();
    assert_eq!(report.stopped.unwrap().kind(), ErrorKind::Unauthorized);
    assert!(report.failed.len() <= 2 && drive.calls().len() <= 3);
    let report = upload(&drive, local.path()).replace_existing().concurrency(2).send().await.unwrap();
    assert_eq!(report.stopped.unwrap().kind(), ErrorKind::Unauthorized);
    assert!(report.failed.len() <= 2 && drive.calls().len() <= 3);
}

#[tokio::test]
async fn ten_thousand_files_are_never_under_way_together() {
    let local = tempfile::tempdir().unwrap();
    for number in 0..10_000 {
        fs::write(local.path().join(format!("{number}")), "").unwrap();
    }
    let drive = Folders::new();
    let report = upload(&drive, local.path()).concurrency(5).send().await.unwrap();
    assert_eq!((report.files, drive.peak()), (10_000, 5));

    // Nothing is served, or the disk would be what is measured here.
    let drive = Folders::failing(|call| call.starts_with("fetch").then_some(ErrorKind::NotFound));
    for number in 0..10_000 {
        drive.file(0, &number.to_string(), "x");
    }
    let target = tempfile::tempdir().unwrap();
    let told = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let heard = Arc::clone(&told);
    let download = download(&drive).concurrency(7).on_each(move |_| {
        heard.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    });
    let report = download.to_path(target.path()).await.unwrap();
    assert_eq!((report.failed.len(), told.load(std::sync::atomic::Ordering::SeqCst)), (10_000, 10_000));
    assert_eq!(drive.peak(), 7);
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_within_itself_is_listed_once() {
    let target = tempfile::tempdir().unwrap();
    let report = FolderDownload::new(Looping, FileId::ROOT, clock()).to_path(target.path()).await.unwrap();
    assert_eq!((report.folders, report.failed.len()), (1, 1));
    assert_eq!(report.failed[0].error().unwrap().kind(), ErrorKind::Decode);
}

/// Lists one and the same folder in every folder.
struct Looping;

impl Tree for Looping {
    fn list(&self, _: FileId) -> BoxFuture<'_, Result<Vec<TreeEntry>>> {
        Box::pin(async { Ok(vec![TreeEntry::folder(FileId::new(1), "a")]) })
    }
}

#[tokio::test]
async fn what_transfers_keep_for_themselves_is_not_uploaded() {
    let from = tempfile::tempdir().unwrap();
    let own = [
        ".a.tar.0123456789abcdef.pan123-upload",
        ".a.tar.0123456789abcdef.pan123-upload.lock",
        ".a.tar.0123456789abcdef.pan123-upload.new",
        "a.tar.0123456789abcdef.pan123-download",
        ".a.tar.01234567.pan123-part",
    ];
    let others = ["a.tar", ".a.tar.0123.pan123-upload", "b.lock", "pan123-part"];
    for name in own.iter().chain(&others) {
        fs::write(from.path().join(name), name).unwrap();
    }
    // A folder of such a name is none of the engine's.
    fs::create_dir(from.path().join(".b.01234567.pan123-part")).unwrap();
    let drive = Folders::new();
    let report = upload(&drive, from.path()).send().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.files, report.left_out, report.folders), (4, 5, 1));
    assert!(drive.all().iter().all(|(path, _)| !own.contains(&path.as_str())), "{:?}", drive.all());
}

#[tokio::test]
async fn a_file_of_a_stranger_is_no_checkpoint() {
    let bytes = crate::content(3_000_000);
    let target = tempfile::tempdir().unwrap();
    // A download is cut, and a stranger knows what the checkpoint and the temporary file are called.
    let cut = crate::cdn::Cdn::new(&bytes).answers(|nth| match nth {
        0 => crate::cdn::Answer::CutAfter(2_000_000),
        _ => crate::cdn::Answer::Refused(crate::error(ErrorKind::Connect)),
    });
    let expected = Expected::new(Some(3_000_000), Some(Md5::of(&bytes)));
    let file = Download::new(Arc::clone(&cut), clock()).expecting(expected).piece_size(400_000).connections(1);
    file.to_path(target.path().join("file")).await.unwrap_err();
    let own: Vec<String> = names(target.path());
    assert_eq!(own.len(), 2, "{own:?}");
    let before: Vec<_> = own.iter().map(|name| fs::read(target.path().join(name)).unwrap()).collect();

    let drive = Folders::new();
    for name in &own {
        drive.file(0, name, "planted");
        drive.file(0, &format!("{name}.lock"), "planted too");
    }
    let report = download(&drive).to_path(target.path()).await.unwrap();
    assert_eq!((report.files, report.is_complete()), (4, true));
    let after: Vec<_> = own.iter().map(|name| fs::read(target.path().join(name)).unwrap()).collect();
    assert!(before == after, "they are what they were");
    // They go up again under the names that they had.
    let copy = Folders::new();
    upload(&copy, target.path()).send().await.unwrap();
    assert_eq!(copy.all(), drive.all());
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn links_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "s").unwrap();
    let from = tempfile::tempdir().unwrap();
    fs::write(from.path().join("a"), "a").unwrap();
    symlink(outside.path(), from.path().join("folder")).unwrap();
    symlink(outside.path().join("secret"), from.path().join("file")).unwrap();
    symlink(".", from.path().join("loop")).unwrap();
    let drive = Folders::new();
    let report = upload(&drive, from.path()).send().await.unwrap();
    assert_eq!((report.files, report.left_out, report.is_complete()), (1, 3, true));
    assert_eq!(drive.all().len(), 1);
    // The folder itself may be named by a link.
    let named = outside.path().join("named");
    symlink(from.path(), &named).unwrap();
    assert_eq!(upload(&drive, &named).send().await.unwrap().same, 1);

    let drive = Folders::new();
    let folder = drive.add(0, "folder", None);
    drive.file(folder, "planted", "p");
    drive.file(0, "file", "new");
    let report = download(&drive).to_path(from.path()).await.unwrap();
    assert_eq!((report.files, report.failed.len()), (1, 1));
    assert_eq!(report.failed[0].remote, "folder");
    assert!(!outside.path().join("planted").exists());
    assert_eq!(
        fs::read(outside.path().join("secret")).unwrap(),
        b"s",
        "the link was replaced, and not what it leads to"
    );
    assert_eq!(fs::read(from.path().join("file")).unwrap(), b"new");
}

#[tokio::test]
async fn a_file_and_a_folder_of_one_name_do_not_replace_each_other() {
    let drive = Folders::new();
    drive.file(0, "x", "file");
    let y = drive.add(0, "y", None);
    drive.file(y, "inside", "i");
    let local = tempfile::tempdir().unwrap();
    fs::create_dir(local.path().join("x")).unwrap();
    fs::write(local.path().join("x/inside"), "i").unwrap();
    fs::write(local.path().join("y"), "file").unwrap();
    for report in [
        upload(&drive, local.path()).replace_existing().send().await.unwrap(),
        download(&drive).to_path(local.path()).await.unwrap(),
    ] {
        assert_eq!((report.files, report.failed.len()), (0, 2), "{report:?}");
    }
    assert_eq!(fs::read(local.path().join("y")).unwrap(), b"file");
    let all = drive.all();
    assert_eq!(all[0], ("x".to_owned(), Some(Bytes::from("file"))));
}
