//! Downloads that were stopped and go on: from where they were, or from the beginning where that cannot be trusted.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use pan123_core::{ErrorKind, Md5, Result};
use pan123_transfer::{Checkpoints, Download, Downloaded, Expected, Notice};

use crate::{
    cdn::{Answer, Cdn},
    clock, content, error,
};

const PIECE: u64 = 400_000;
const SIZE: usize = 3_000_000;

/// A folder with a download that was interrupted.
struct Interrupted {
    folder: tempfile::TempDir,
    path: PathBuf,
}

fn all_of(bytes: &Bytes) -> Expected {
    Expected::new(Some(bytes.len() as u64), Some(Md5::of(bytes)))
}

fn download(cdn: &Arc<Cdn>, expected: Expected) -> Download {
    Download::new(Arc::clone(cdn), clock()).expecting(expected).piece_size(PIECE).connections(1)
}

/// Downloads all but the end, which the host does not give.
async fn interrupted(cdn: Cdn, expected: Expected, after: usize) -> Interrupted {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let cdn = cdn.answers(move |nth| match nth {
        0 => Answer::CutAfter(after),
        _ => Answer::Refused(error(ErrorKind::Connect)),
    });
    assert_eq!(download(&cdn, expected).to_path(&path).await.unwrap_err().kind(), ErrorKind::Connect);
    assert!(!path.exists());
    Interrupted { folder, path }
}

impl Interrupted {
    fn file(&self, end: &str) -> PathBuf {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        names.into_iter().find(|path| path.to_string_lossy().ends_with(end)).unwrap()
    }

    /// Downloads again. Returns the ranges that were asked for, and what the caller was told.
    async fn again(
        &self,
        cdn: &Arc<Cdn>,
        expected: Expected,
    ) -> (Result<Downloaded>, Vec<Option<std::ops::Range<u64>>>, Option<Notice>) {
        let told = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&told);
        let download = download(cdn, expected).on_progress(move |progress| *heard.lock().unwrap() = progress.notice);
        let done = download.to_path(&self.path).await;
        let told = *told.lock().unwrap();
        assert!(done.as_ref().map_or(true, |done| done.notice == told), "both say the same");
        (done, cdn.ranges(), told)
    }

    /// Says that the file is there, whole, and nothing beside it.
    fn is_done(&self, bytes: &Bytes) -> bool {
        fs::read(&self.path).is_ok_and(|read| read == *bytes) && names(self.folder.path()) == ["file"]
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn an_interrupted_download_goes_on_where_it_was() {
    let bytes = content(SIZE);
    for after in [300_000, 1_234_567, 2_999_999] {
        let left = interrupted(Cdn::new(&bytes), all_of(&bytes), after).await;
        assert_eq!(names(left.folder.path()).len(), 2, "a temporary file and a checkpoint");
        let cdn = Arc::new(Cdn::new(&bytes));
        let (done, ranges, notice) = left.again(&cdn, all_of(&bytes)).await;
        let done = done.unwrap();
        assert_eq!((done.size, done.md5), (SIZE as u64, Some(Md5::of(&bytes))));
        assert_eq!(done.resumed, after as u64);
        assert_eq!((ranges, notice), (vec![Some(after as u64..SIZE as u64)], None));
        assert!(left.is_done(&bytes));
    }
}

#[tokio::test]
async fn a_small_part_is_not_worth_a_checkpoint() {
    let bytes = content(SIZE);
    let left = interrupted(Cdn::new(&bytes), all_of(&bytes), 100_000).await;
    assert_eq!(names(left.folder.path()), [""; 0]);
}

#[tokio::test]
async fn what_several_connections_have_left_is_filled_in() {
    let bytes = content(8_000_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    // All connections break when four million bytes have been asked for.
    let cdn = Cdn::new(&bytes).answers(|nth| match nth {
        0..=4 => Answer::Good,
        5 => Answer::CutAfter(100_000),
        _ => Answer::Refused(error(ErrorKind::Connect)),
    });
    let failed = download(&cdn, all_of(&bytes)).connections(3).to_path(&path).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Connect);
    let cdn = Arc::new(Cdn::new(&bytes));
    let done = download(&cdn, all_of(&bytes)).connections(3).to_path(&path).await.unwrap();
    assert!(done.resumed > 1_000_000, "{done:?}");
    assert!((cdn.chunks() as u64 * 1000) < 8_000_000 - done.resumed + 20_000, "what was there is not fetched again");
    assert!(fs::read(&path).unwrap() == bytes);
    assert_eq!(names(folder.path()), ["file"]);
}

#[tokio::test]
async fn a_file_that_was_replaced_starts_over_and_says_so() {
    let (old, new) = (content(SIZE), content(SIZE + 1).slice(1..));
    let longer = content(SIZE + 5);
    let tagged = |bytes: &Bytes, tag| Cdn::new(bytes).etag(tag);
    let none = Expected::new(Some(SIZE as u64), None);
    for (first, first_expected, then, then_expected) in [
        (Cdn::new(&old), all_of(&old), Cdn::new(&new), all_of(&new)),
        (Cdn::new(&old), all_of(&old), Cdn::new(&longer), all_of(&longer)),
        (Cdn::new(&old).identity("1"), all_of(&old), Cdn::new(&old).identity("2"), all_of(&old)),
        (tagged(&old, "\"a\""), none, tagged(&new, "\"b\""), none),
        // A file without a tag is not the one that had one.
        (tagged(&old, "\"a\""), none, Cdn::new(&new), none),
        // Only the host knows that it is longer.
        (tagged(&old, "\"a\""), Expected::default(), tagged(&longer, "\"a\""), Expected::default()),
    ] {
        let left = interrupted(first, first_expected, 2_000_000).await;
        let want = if then_expected.size == Some(SIZE as u64) && then_expected.md5 == Some(Md5::of(&old)) {
            old.clone()
        } else if then_expected.size == Some(SIZE as u64) {
            new.clone()
        } else {
            longer.clone()
        };
        let cdn = Arc::new(then);
        let (done, ranges, notice) = left.again(&cdn, then_expected).await;
        assert_eq!(done.unwrap().resumed, 0);
        assert_eq!(notice, Some(Notice::SourceChanged));
        assert_eq!(ranges.last(), Some(&None));
        assert!(left.is_done(&want));
    }
}

#[tokio::test]
async fn without_md5_and_tag_nothing_is_kept() {
    let bytes = content(SIZE);
    let left = interrupted(Cdn::new(&bytes), Expected::new(Some(SIZE as u64), None), 2_000_000).await;
    assert_eq!(names(left.folder.path()), [""; 0]);
    let left = interrupted(Cdn::new(&bytes).etag("\"a\""), Expected::default(), 2_000_000).await;
    let cdn = Arc::new(Cdn::new(&bytes).etag("\"a\""));
    let (done, ranges, _) = left.again(&cdn, Expected::default()).await;
    assert_eq!((done.unwrap().resumed, ranges), (2_000_000, vec![Some(2_000_000..SIZE as u64)]));
    assert!(left.is_done(&bytes));
}

#[tokio::test]
async fn a_tag_that_is_not_in_every_answer_vouches_for_nothing() {
    let bytes = content(SIZE);
    let none = Expected::new(Some(SIZE as u64), None);
    let folder = tempfile::tempdir().unwrap();
    // It has a tag, and after a cut none: the file may be another one.
    let cdn = Cdn::new(&bytes).etag("\"a\"").answers(|nth| match nth {
        0 => Answer::CutAfter(2_000_000),
        _ => Answer::Untagged(Box::new(Answer::Good)),
    });
    let failed = download(&cdn, none).to_path(folder.path().join("file")).await.unwrap_err();
    assert_eq!((failed.kind(), cdn.ranges().len()), (ErrorKind::WrongContent, 2));
    let cut = |nth: usize| if nth == 0 { Answer::CutAfter(2_000_000) } else { Answer::Good };
    let cdn = Cdn::new(&bytes).etag("\"a\"").answers(move |nth| Answer::Untagged(Box::new(cut(nth))));
    assert_eq!(download(&cdn, none).bytes(SIZE).await.unwrap(), bytes, "without any tag nothing is compared");
    // A tag that comes after the cut is not that of the bytes before it, so nothing can be kept.
    let folder = tempfile::tempdir().unwrap();
    let cdn = Cdn::new(&bytes).etag("\"a\"").answers(|nth| match nth {
        0 => Answer::Untagged(Box::new(Answer::CutAfter(1_000_000))),
        1 => Answer::CutAfter(1_000_000),
        _ => Answer::Refused(error(ErrorKind::Connect)),
    });
    let failed = download(&cdn, none).to_path(folder.path().join("file")).await.unwrap_err();
    assert_eq!((failed.kind(), names(folder.path())), (ErrorKind::Connect, vec![]));
}

#[tokio::test]
async fn a_temporary_file_that_was_cut_or_altered_starts_over() {
    let bytes = content(SIZE);
    type Damage = (&'static str, fn(&Path));
    let damages: [Damage; 4] = [
        ("cut", |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(1_000_000).unwrap()),
        ("altered", |path| {
            let mut file = fs::read(path).unwrap();
            file[777] ^= 1;
            fs::write(path, file).unwrap();
        }),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::write(path, "").unwrap();
        }),
        ("gone", |path| fs::remove_file(path).unwrap()),
    ];
    for (damage, apply) in damages {
        let left = interrupted(Cdn::new(&bytes), all_of(&bytes), 2_000_000).await;
        apply(&left.file(".pan123-part"));
        let cdn = Arc::new(Cdn::new(&bytes));
        let (done, _, notice) = left.again(&cdn, all_of(&bytes)).await;
        assert_eq!(done.unwrap().resumed, 0, "{damage}");
        assert_eq!(notice.is_some(), damage != "gone", "{damage}: {notice:?}");
        assert!(left.is_done(&bytes), "{damage}");
    }
}

#[tokio::test]
async fn a_checkpoint_that_is_damaged_starts_over() {
    let bytes = content(SIZE);
    for text in ["", "{", "null", r#"{"checkpoint":"pan123-download","version":1,"key":"","content":7}"#] {
        let left = interrupted(Cdn::new(&bytes), all_of(&bytes), 2_000_000).await;
        fs::write(left.file(".pan123-download"), text).unwrap();
        let cdn = Arc::new(Cdn::new(&bytes));
        let (done, ranges, notice) = left.again(&cdn, all_of(&bytes)).await;
        assert_eq!((done.unwrap().resumed, notice), (0, Some(Notice::CheckpointUnreadable)), "{text}");
        assert_eq!(ranges, [None]);
        assert!(left.is_done(&bytes));
    }
}

#[tokio::test]
async fn a_checkpoint_that_claims_more_than_there_is_ends_in_the_right_bytes() {
    let bytes = content(SIZE);
    let left = interrupted(Cdn::new(&bytes), all_of(&bytes), 2_000_000).await;
    let checkpoint = left.file(".pan123-download");
    let text = fs::read_to_string(&checkpoint).unwrap();
    assert!(text.contains("2000000"), "{text}");
    for claim in ["2500000", "3000000", "3000001", "18446744073709551615"] {
        fs::write(&checkpoint, text.replace("2000000", claim)).unwrap();
        let cdn = Arc::new(Cdn::new(&bytes));
        let copy = tempfile::tempdir().unwrap();
        for name in names(left.folder.path()) {
            fs::copy(left.folder.path().join(&name), copy.path().join(&name)).unwrap();
        }
        let (done, _, _) = left.again(&cdn, all_of(&bytes)).await;
        assert_eq!(done.unwrap().resumed, 0, "{claim}");
        assert!(left.is_done(&bytes), "{claim}");
        fs::remove_file(&left.path).unwrap();
        for name in names(copy.path()) {
            fs::copy(copy.path().join(&name), left.folder.path().join(&name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_host_that_ignores_ranges_starts_over_once() {
    let bytes = content(SIZE);
    let left = interrupted(Cdn::new(&bytes), all_of(&bytes), 2_000_000).await;
    let cdn = Cdn::new(&bytes).answers(|_| Answer::Whole);
    let (done, ranges, notice) = left.again(&cdn, all_of(&bytes)).await;
    assert_eq!((done.unwrap().resumed, notice), (0, Some(Notice::SourceChanged)));
    assert_eq!(ranges, [Some(2_000_000..SIZE as u64), None]);
    assert!(left.is_done(&bytes));
}

#[tokio::test]
async fn a_page_in_place_of_the_file_costs_nothing_that_has_come() {
    let bytes = content(SIZE);
    let left = interrupted(Cdn::new(&bytes), all_of(&bytes), 2_000_000).await;
    for sized in [true, false] {
        // As the request for a range would see it, and then the one for the whole file.
        let page = move || Answer::Page("text/html", "<html>log in</html>", sized);
        let portal = Cdn::new(&bytes).answers(move |nth| if nth == 0 { Answer::Whole } else { page() });
        let (done, _, _) = left.again(&portal, all_of(&bytes)).await;
        assert_eq!(done.unwrap_err().kind(), ErrorKind::WrongContent);
    }
    let cdn = Arc::new(Cdn::new(&bytes));
    assert_eq!(left.again(&cdn, all_of(&bytes)).await.0.unwrap().resumed, 2_000_000);
    assert!(left.is_done(&bytes));
}

#[tokio::test]
async fn a_page_with_its_size_costs_nothing_that_has_come_where_no_size_was_expected() {
    let bytes = content(SIZE);
    let tagged = || Cdn::new(&bytes).etag("\"a\"");
    let left = interrupted(tagged(), Expected::default(), 2_000_000).await;
    let replaced = error(ErrorKind::WrongContent);
    let portal = tagged().answers(move |nth| match nth {
        0 => Answer::Refused(replaced.clone()),
        _ => Answer::Page("text/html", "<html>log in</html>", true),
    });
    let (done, ranges, _) = left.again(&portal, Expected::default()).await;
    assert_eq!((done.unwrap_err().kind(), ranges.len()), (ErrorKind::WrongContent, 2));
    assert!(!left.path.exists());
    let cdn = Arc::new(tagged());
    assert_eq!(left.again(&cdn, Expected::default()).await.0.unwrap().resumed, 2_000_000);
    assert!(left.is_done(&bytes));
}

#[tokio::test]
async fn a_range_without_an_end_goes_on_where_it_was() {
    let bytes = content(SIZE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let tagged = || Cdn::new(&bytes).etag("\"a\"");
    for expected in [Expected::default(), all_of(&bytes)] {
        let cdn = tagged().answers(|nth| match nth {
            0 => Answer::CutAfter(2_000_000),
            _ => Answer::Refused(error(ErrorKind::Connect)),
        });
        download(&cdn, expected).range(500..).to_path(&path).await.unwrap_err();
        let cdn = Arc::new(tagged());
        let done = download(&cdn, expected).range(500..).to_path(&path).await.unwrap();
        assert_eq!((done.resumed, done.size, done.md5), (2_000_000, SIZE as u64 - 500, None));
        assert_eq!(cdn.ranges(), [Some(2_000_500..SIZE as u64)]);
        assert!(fs::read(&path).unwrap() == bytes[500..]);
        assert_eq!(names(folder.path()), ["file"]);
    }
}

#[tokio::test]
async fn dropping_keeps_what_has_come() {
    let bytes = content(SIZE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let clock = clock();
    let stalling = (*clock).clone();
    let cdn = Cdn::new(&bytes).answers(move |_| Answer::StallAfter(2_000_000, stalling.clone()));
    let mut downloading = Box::pin(download(&cdn, all_of(&bytes)).to_path(path.clone()));
    // Until the host stalls, and a checkpoint tells of most of what came before.
    let is_kept = || {
        let name = names(folder.path()).into_iter().find(|name| name.ends_with(".pan123-download"));
        let text = name.and_then(|name| fs::read_to_string(folder.path().join(name)).ok()).unwrap_or_default();
        let end = text.split_once(r#""done":[{"start":0,"end":"#).and_then(|(_, end)| end.split_once('}'));
        end.is_some_and(|(end, _)| end.parse::<u64>().unwrap() >= 1_000_000)
    };
    while clock.timers() == 0 || !is_kept() {
        tokio::select! {
            biased;
            _ = &mut downloading => unreachable!("the host stalls"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(downloading);
    assert!(!path.exists());
    let cdn = Arc::new(Cdn::new(&bytes));
    let done = download(&cdn, all_of(&bytes)).to_path(&path).await.unwrap();
    assert!(done.resumed >= 1_000_000, "{done:?}");
    assert!(fs::read(&path).unwrap() == bytes);
    assert_eq!(names(folder.path()), ["file"]);
}

#[tokio::test]
async fn two_downloads_to_one_path_do_not_meet() {
    let bytes = content(SIZE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let clock = clock();
    let stalling = (*clock).clone();
    let cdn = Cdn::new(&bytes).answers(move |_| Answer::StallAfter(2_000_000, stalling.clone()));
    let mut first = Box::pin(download(&cdn, all_of(&bytes)).to_path(path.clone()));
    while clock.timers() == 0 {
        tokio::select! {
            biased;
            _ = &mut first => unreachable!("the host stalls"),
            () = tokio::task::yield_now() => {}
        }
    }
    let other = Arc::new(Cdn::new(&bytes));
    let error = download(&other, all_of(&bytes)).to_path(path.clone()).await.unwrap_err();
    assert_eq!((error.kind(), other.resolved()), (ErrorKind::InUse, 0));
    // Elsewhere kept checkpoints have no lock in common, and no temporary file either.
    let elsewhere = tempfile::tempdir().unwrap();
    let kept = Checkpoints::in_folder(elsewhere.path());
    download(&other, all_of(&bytes)).checkpoints(kept).to_path(path.clone()).await.unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
    assert_eq!(names(elsewhere.path()), [""; 0]);
    drop(first);
    download(&other, all_of(&bytes)).to_path(path.clone()).await.unwrap();
    assert_eq!(names(folder.path()), ["file"]);
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_through_a_link_in_the_temporary_files_place() {
    let bytes = content(SIZE);
    let left = interrupted(Cdn::new(&bytes), all_of(&bytes), 2_000_000).await;
    let part = left.file(".pan123-part");
    let victim = tempfile::NamedTempFile::new().unwrap();
    fs::write(victim.path(), vec![0; SIZE]).unwrap();
    fs::remove_file(&part).unwrap();
    std::os::unix::fs::symlink(victim.path(), &part).unwrap();
    let cdn = Arc::new(Cdn::new(&bytes));
    assert_eq!(left.again(&cdn, all_of(&bytes)).await.0.unwrap().resumed, 0);
    assert!(left.is_done(&bytes));
    assert!(fs::read(victim.path()).unwrap() == vec![0; SIZE]);
}
