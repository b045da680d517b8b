//! What is told of a folder on its way, and that each of its files is given what the folder was told.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use pan123_core::{BoxFuture, Error, ErrorKind, FileId, Result, RetryPolicy};
use pan123_transfer::{FolderDownload, FolderProgress, FolderUpload, Tree, TreeEntry, TreeTarget, TreeUpload, Upload};

use crate::{
    clock, content,
    drive::{Drive, Fault},
    error,
    progress::ticking,
    tree::Folders,
};

/// Collects what a callback hears, and checks the rules that always hold.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<FolderProgress>>>);

impl Heard {
    fn callback(&self) -> impl Fn(FolderProgress) + Send + Sync + 'static {
        let heard = self.clone();
        move |progress| heard.0.lock().unwrap().push(progress)
    }

    fn all(&self) -> Vec<FolderProgress> {
        let heard = self.0.lock().unwrap().clone();
        for progress in &heard {
            assert!(progress.bytes <= progress.found_bytes && progress.files <= progress.found_files, "{progress:?}");
        }
        for pair in heard.windows(2) {
            let values = |p: &FolderProgress| [p.files, p.bytes, p.found_files, p.found_bytes, p.hashed];
            assert!(values(&pair[0]).iter().zip(values(&pair[1])).all(|(one, next)| *one <= next), "{pair:?}");
        }
        heard
    }

    fn last(&self) -> FolderProgress {
        *self.all().last().unwrap()
    }
}

/// Folders whose files go to a drive that can fail in the middle of one.
#[derive(Clone)]
struct Sending(Folders, Arc<Drive>);

impl Tree for Sending {
    fn list(&self, folder: FileId) -> BoxFuture<'_, Result<Vec<TreeEntry>>> {
        self.0.list(folder)
    }
}

impl TreeTarget for Sending {
    fn make_folder(&self, parent: FileId, name: String) -> BoxFuture<'_, Result<FileId>> {
        self.0.make_folder(parent, name)
    }

    fn upload(&self, file: TreeUpload) -> BoxFuture<'_, Result<FileId>> {
        Box::pin(async move {
            let upload = Upload::new(Arc::clone(&self.1), file.source.clone(), ticking());
            file.apply(upload.single_step_up_to(0)).send().await.map(|stored| FileId::new(stored.stored as i64))
        })
    }
}

#[tokio::test]
async fn a_large_file_of_a_folder_is_told_byte_by_byte_on_its_way_down() {
    let (large, small) = (content(500_000), content(1000));
    let drive = Folders::failing(|call| (call == "fetch gone").then_some(ErrorKind::NotFound));
    let below = drive.add(0, "below", None);
    drive.add(0, "large", Some(large.clone()));
    drive.add(below, "small", Some(small));
    drive.add(below, "gone", Some(Bytes::from_static(b"gone")));
    let (target, heard) = (tempfile::tempdir().unwrap(), Heard::default());
    let download = || FolderDownload::new(drive.clone(), FileId::ROOT, ticking()).on_progress(heard.callback());
    let report = download().to_path(target.path()).await.unwrap();
    assert_eq!((report.files, report.failed.len()), (2, 1));
    let told = heard.all();
    assert!(told.iter().filter(|now| now.bytes > 1004 && now.bytes < 500_000).count() > 100, "{} values", told.len());
    assert!(told.iter().any(|now| now.total().is_none()) && told[0].unlisted == 1, "{:?}", told[0]);
    let last = heard.last();
    assert_eq!((last.files, last.bytes, last.total()), (3, 501_004, Some(501_004)), "what failed is done with");

    // The next time the file is read instead.
    heard.0.lock().unwrap().clear();
    download().to_path(target.path()).await.unwrap();
    assert_eq!((heard.last().hashed, heard.last().bytes), (501_000, 501_004));
    assert!(heard.all().iter().any(|now| now.hashed > 0 && now.hashed < 500_000), "also on the way");
    fs::write(target.path().join("large"), vec![0; 500_000]).unwrap();
    let unverified = download().without_verification().connections(4);
    assert_eq!(unverified.to_path(target.path()).await.unwrap().files, 1);
    assert!(fs::read(target.path().join("large")).unwrap() == large);
}

#[tokio::test]
async fn a_large_file_of_a_folder_is_told_byte_by_byte_on_its_way_up() {
    let (from, heard) = (tempfile::tempdir().unwrap(), Heard::default());
    fs::write(from.path().join("large"), content(2_000_000)).unwrap();
    fs::create_dir(from.path().join("below")).unwrap();
    fs::write(from.path().join("below/small"), content(1000)).unwrap();
    // A part is cut in its middle, and its bytes count once.
    let cut = |call: &str, nth| call == "send_part 2" && nth == 0;
    let drive = Drive::new(600_000).fails(move |call, nth| {
        cut(call, nth).then(|| Fault::CutAfter(300_000, error(ErrorKind::Connection).with_may_have_happened(true)))
    });
    let tree = Sending(Folders::new(), drive);
    let upload = || FolderUpload::new(tree.clone(), from.path(), FileId::ROOT).concurrency(1);
    let report = upload().runtime(ticking()).on_progress(heard.callback()).send().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    let told = heard.all();
    assert!(told.iter().filter(|now| now.bytes > 1000 && now.bytes < 2_000_000).count() > 4, "{told:?}");
    assert!(told.iter().any(|now| now.hashed > 1000 && now.hashed < 2_000_000), "{told:?}");
    let last = heard.last();
    assert_eq!((last.files, last.bytes, last.hashed, last.total()), (2, 2_001_000, 2_001_000, Some(2_001_000)));
}

#[tokio::test]
async fn folders_that_fail_are_listed_no_more() {
    let drive = Folders::failing(|call| matches!(call, "list /a" | "mkdir a").then_some(ErrorKind::NotFound));
    drive.add(0, "a", None);
    drive.add(0, "b", None);
    let (target, heard) = (tempfile::tempdir().unwrap(), Heard::default());
    let download = FolderDownload::new(drive.clone(), FileId::ROOT, clock()).on_progress(heard.callback());
    assert_eq!(download.to_path(target.path()).await.unwrap().failed.len(), 1);
    assert_eq!(heard.last().total(), Some(0));
    for name in ["a", " "] {
        fs::create_dir_all(target.path().join(name)).unwrap();
    }
    let empty = Folders::failing(|call| (call == "mkdir a").then_some(ErrorKind::NotFound));
    let upload = FolderUpload::new(empty, target.path(), FileId::ROOT).on_progress(heard.callback());
    assert_eq!(upload.send().await.unwrap().failed.len(), 2);
    assert_eq!(heard.last().total(), Some(0));
}

#[tokio::test]
async fn each_upload_of_a_folder_is_given_what_was_said_for_all() {
    let (from, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("file"), content(2_000_000)).unwrap();
    let busy = |call: &str, _: usize| (call == "send_part 3").then(|| Fault::Refused(error(ErrorKind::Busy)));
    let tree = Sending(Folders::new(), Drive::new(600_000).fails(busy));
    let upload = || FolderUpload::new(tree.clone(), from.path(), FileId::ROOT);
    let tries = || tree.1.calls().iter().filter(|call| *call == "send_part 3").count();
    let report = upload().retry(RetryPolicy::none()).checkpoints(kept.path()).send().await.unwrap();
    assert_eq!(report.failed[0].error().map(Error::kind), Some(ErrorKind::Busy));
    assert_eq!((tries(), fs::read_dir(kept.path()).unwrap().count()), (1, 1), "once, and there is a checkpoint");
    tree.1.heal();
    assert!(upload().checkpoints(kept.path()).send().await.unwrap().is_complete());
    assert!(!tree.1.calls().contains(&"send_part 1".to_owned()), "it went on from there");
}
