//! Downloads over several connections: as many as the host puts up with, and the same bytes whatever it does.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use pan123_core::{Error, ErrorKind, Md5, Result};
use pan123_transfer::{Bandwidth, Download, Downloaded, Expected};

use crate::{
    cdn::{Answer, Cdn},
    clock, content, error,
};

const PIECE: u64 = 400_000;

fn download(cdn: &Arc<Cdn>, bytes: &Bytes) -> Download {
    let expected = Expected::new(Some(bytes.len() as u64), Some(Md5::of(bytes)));
    Download::new(Arc::clone(cdn), clock()).expecting(expected).piece_size(PIECE)
}

/// Saves a file and returns what was saved; nothing else may be left.
async fn save(download: Download) -> (Result<Downloaded>, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let done = download.to_path(&path).await;
    let left = fs::read_dir(folder.path()).unwrap().count();
    match &done {
        Ok(_) => assert_eq!(left, 1, "the file and nothing else"),
        Err(_) => assert!(!path.exists()),
    }
    (done, fs::read(&path).ok())
}

async fn saved(download: Download, bytes: &Bytes) {
    let (done, file) = save(download).await;
    let done = done.unwrap();
    assert_eq!((done.size, done.md5), (bytes.len() as u64, Some(Md5::of(bytes))));
    assert!(file.unwrap() == *bytes);
}

#[tokio::test]
async fn connections_grow_up_to_the_bound_and_every_byte_comes_once() {
    let bytes = content(8_000_000);
    for most in [1, 2, 3] {
        let cdn = Arc::new(Cdn::new(&bytes));
        saved(download(&cdn, &bytes).connections(most), &bytes).await;
        // Whether three meet at the host depends on whose turn it is.
        assert!(cdn.peak() <= most && cdn.peak() >= most.min(2), "{} of {most}", cdn.peak());
        // Chunks that were cut off where somebody else's bytes begin come twice; there are few.
        assert!(cdn.chunks() < 8_000 + 10, "{} chunks of 1000", cdn.chunks());
        assert_eq!(cdn.ranges()[0], None, "it begins as if it were to be the only one");
    }
}

#[tokio::test]
async fn a_small_file_is_fetched_over_one_connection() {
    let bytes = content(700_000);
    let cdn = Arc::new(Cdn::new(&bytes));
    saved(download(&cdn, &bytes), &bytes).await;
    assert_eq!(cdn.ranges(), [None]);
}

#[tokio::test]
async fn a_host_that_allows_one_connection_is_asked_for_a_second_once() {
    let bytes = content(8_000_000);
    let cdn = Arc::new(Cdn::new(&bytes).at_most(1));
    saved(download(&cdn, &bytes).connections(8), &bytes).await;
    assert_eq!(cdn.peak(), 1);
    assert_eq!(cdn.ranges().len(), 2, "the answer that was there went on: {:?}", cdn.ranges());
    assert_eq!(cdn.resolved(), 1);
}

#[tokio::test]
async fn what_a_refused_connection_was_to_fetch_is_fetched_by_others() {
    let bytes = content(8_000_000);
    for (kind, most) in [(ErrorKind::RateLimited, 2), (ErrorKind::LinkRejected, 2), (ErrorKind::Server, 3)] {
        // The first connection goes on; others get one answer, which is cut, and then refusals.
        let asked = AtomicUsize::new(0);
        let cdn = Cdn::new(&bytes).answers(move |nth| match nth {
            0 => Answer::Good,
            _ if asked.fetch_add(1, Ordering::SeqCst) == 0 => Answer::CutAfter(100_000),
            _ if asked.load(Ordering::SeqCst) < 4 => Answer::Refused(error(kind)),
            _ => Answer::Good,
        });
        saved(download(&cdn, &bytes).connections(most), &bytes).await;
        assert!(cdn.peak() >= 2, "{kind:?}");
    }
}

#[tokio::test]
async fn a_host_that_ignores_ranges_serves_the_one_connection_it_had() {
    let bytes = content(8_000_000);
    let cdn = Cdn::new(&bytes).answers(|nth| if nth == 0 { Answer::Good } else { Answer::Whole });
    saved(download(&cdn, &bytes), &bytes).await;
    assert_eq!(cdn.ranges().len(), 2);
}

#[tokio::test]
async fn cuts_on_every_connection_are_repaired() {
    let bytes = content(5_000_000);
    for cut in [1, 99_999, 390_000] {
        let cdn = Cdn::new(&bytes).answers(move |nth| if nth % 2 == 0 { Answer::CutAfter(cut) } else { Answer::Good });
        saved(download(&cdn, &bytes).connections(3), &bytes).await;
    }
}

#[tokio::test]
async fn lies_about_lengths_on_further_connections_do_no_harm() {
    let bytes = content(5_000_000);
    let lies: [fn() -> Answer; 4] = [
        || Answer::Surplus(10),
        || Answer::Total(4_999_999),
        || Answer::Announced(5_000_000),
        || Answer::Page("text/html", "<html>", true),
    ];
    for lie in lies {
        let cdn = Cdn::new(&bytes).answers(move |nth| if nth == 1 { lie() } else { Answer::Good });
        saved(download(&cdn, &bytes), &bytes).await;
    }
}

#[tokio::test]
async fn an_address_that_expires_is_fetched_once_for_all() {
    let bytes = content(8_000_000);
    let cdn = Arc::new(Cdn::new(&bytes));
    let refusing = Refusing { cdn: Arc::clone(&cdn), until: 4_000_000, refused: AtomicUsize::new(0) };
    let refusing = Arc::new(refusing);
    let expected = Expected::new(Some(bytes.len() as u64), Some(Md5::of(&bytes)));
    let download = Download::new(Arc::clone(&refusing), clock()).expecting(expected).piece_size(PIECE).connections(4);
    saved(download, &bytes).await;
    assert!(refusing.refused.load(Ordering::SeqCst) > 0);
    assert_eq!(cdn.resolved(), 2, "one address for the first half of the file and one for the other");
}

/// A host whose first address does not work for the second half of the file.
struct Refusing {
    cdn: Arc<Cdn>,
    until: u64,
    refused: AtomicUsize,
}

impl pan123_transfer::DownloadOrigin for Refusing {
    fn resolve(&self) -> pan123_core::BoxFuture<'_, Result<pan123_core::Link>> {
        self.cdn.resolve()
    }

    fn fetch<'a>(
        &'a self,
        link: &'a pan123_core::Link,
        range: Option<std::ops::Range<u64>>,
    ) -> pan123_core::BoxFuture<'a, Result<pan123_core::Fetched>> {
        if link.url().path() == "/0" && range.as_ref().is_some_and(|range| range.start >= self.until) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Box::pin(async { Err(Error::new(ErrorKind::LinkRejected, "expired")) });
        }
        self.cdn.fetch(link, range)
    }
}

#[tokio::test]
async fn nothing_is_hashed_where_verification_is_off() {
    let bytes = content(3_000_000);
    let cdn = Arc::new(Cdn::new(&bytes));
    let expected = Expected::new(Some(bytes.len() as u64), Some(Md5::of(b"other")));
    let download =
        Download::new(Arc::clone(&cdn), clock()).expecting(expected).piece_size(PIECE).without_verification();
    let (done, file) = save(download).await;
    assert_eq!(done.unwrap().md5, None);
    assert!(file.unwrap() == bytes);
}

#[tokio::test]
async fn a_range_is_saved_from_its_own_beginning() {
    let bytes = content(6_000_000);
    let cdn = Arc::new(Cdn::new(&bytes));
    let (done, file) = save(download(&cdn, &bytes).range(1_000_000..5_500_000).connections(3)).await;
    assert_eq!(done.unwrap().size, 4_500_000);
    assert!(cdn.peak() >= 2);
    assert!(file.unwrap() == bytes[1_000_000..5_500_000]);
}

#[tokio::test]
async fn a_file_of_unknown_size_is_saved() {
    let bytes = content(2_000_000);
    let cdn = Cdn::new(&bytes).answers(|_| Answer::Silent(Box::new(Answer::Good)));
    let (done, file) = save(Download::new(Arc::clone(&cdn), clock()).piece_size(PIECE)).await;
    assert_eq!(done.unwrap().size, 2_000_000);
    assert!(file.unwrap() == bytes);
    assert_eq!(cdn.ranges(), [None]);
}

#[tokio::test]
async fn a_limit_of_speed_is_kept_by_all_connections_together() {
    let bytes = content(3_000_000);
    let clock = clock();
    let expected = Expected::new(Some(3_000_000), Some(Md5::of(&bytes)));
    let runtime = Arc::clone(&clock) as Arc<dyn pan123_core::Runtime>;
    let cdn = Arc::new(Cdn::new(&bytes));
    let download = Download::new(Arc::clone(&cdn), runtime).expecting(expected).piece_size(PIECE).connections(3);
    saved(download.bandwidth(Bandwidth::per_second(1_000_000)), &bytes).await;
    let seconds = pan123_core::Runtime::elapsed(&*clock).as_secs_f64();
    assert!(seconds > 2.8, "{seconds}");
}
