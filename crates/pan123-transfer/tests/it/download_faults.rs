//! Downloads that fail: an error of its own kind each time, and nothing under the final name.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use pan123_core::{Error, ErrorKind, Md5, Result, RetryPolicy, Runtime};
use pan123_transfer::{Download, Downloaded, Expected};

use crate::{
    cdn::{Answer, Cdn},
    clock, content, error,
};

/// Downloads `cdn`'s file, which should be `bytes`, over a file that is there and beside nothing else.
///
/// Whatever the error, the old file is as it was and nothing is left beside it.
async fn failure(cdn: &Arc<Cdn>, bytes: &Bytes) -> Error {
    failure_of(cdn, Expected::new(Some(bytes.len() as u64), Some(Md5::of(bytes)))).await
}

async fn failure_of(cdn: &Arc<Cdn>, expected: Expected) -> Error {
    let mut failures = Vec::new();
    for existing in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        if existing {
            fs::write(&path, "old").unwrap();
        }
        failures.push(download(cdn, expected).to_path(&path).await.unwrap_err());
        assert_eq!(names(folder.path()), if existing { vec!["file"] } else { Vec::new() });
        if existing {
            assert_eq!(fs::read(&path).unwrap(), b"old");
        }
    }
    failures.pop().unwrap()
}

fn download(cdn: &Arc<Cdn>, expected: Expected) -> Download {
    Download::new(Arc::clone(cdn), clock()).expecting(expected)
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_body_that_is_short_for_ever_is_a_size_mismatch() {
    let bytes = content(10_000);
    let cdn = Cdn::new(&bytes).answers(|nth| if nth % 6 == 0 { Answer::EndAfter(4000) } else { Answer::EndAfter(0) });
    let error = failure(&cdn, &bytes).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::SizeMismatch, 5));
    assert!(error.to_string().contains("4000 of 10000 bytes"), "{error}");
}

#[tokio::test]
async fn cuts_without_progress_end_with_the_retries() {
    let bytes = content(10_000);
    let clock = clock();
    let cdn = Cdn::new(&bytes).answers(|nth| if nth == 0 { Answer::CutAfter(4000) } else { Answer::CutAfter(0) });
    let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
    let error = Download::new(Arc::clone(&cdn), runtime).bytes(10_000).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 5));
    assert_eq!(cdn.ranges().len(), 5);
    assert!(clock.elapsed() <= RetryPolicy::default().max_elapsed);

    let cdn = Cdn::new(&bytes).answers(|_| Answer::CutAfter(4000));
    let once = download(&cdn, Expected::default()).retry(RetryPolicy::none());
    assert_eq!(once.bytes(10_000).await.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(cdn.ranges().len(), 1);
}

#[tokio::test]
async fn bytes_behind_the_end_are_a_size_mismatch() {
    let bytes = content(10_000);
    for surplus in [1, 2000] {
        for silent in [false, true] {
            let cdn = Cdn::new(&bytes).answers(move |_| {
                let answer = Answer::Surplus(surplus);
                if silent { Answer::Silent(Box::new(answer)) } else { answer }
            });
            assert_eq!(failure(&cdn, &bytes).await.kind(), ErrorKind::SizeMismatch);
        }
    }
}

#[tokio::test]
async fn another_size_is_refused_before_the_first_byte() {
    let bytes = content(10_000);
    let cdn = Cdn::new(&bytes).answers(|_| Answer::Total(9_999));
    let error = failure(&cdn, &bytes).await;
    assert_eq!(error.kind(), ErrorKind::SizeMismatch);
    assert!(error.to_string().contains("10000") && error.to_string().contains("9999"), "{error}");
    let opened = download(&cdn, Expected::new(Some(10_000), None)).open().await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::SizeMismatch);
}

#[tokio::test]
async fn an_answer_that_announces_more_than_was_asked_for_is_refused_before_the_first_byte() {
    let bytes = content(10_000);
    for range in [0..2500, 2500..5000] {
        let cdn = Cdn::new(&bytes).answers(|_| Answer::Announced(2501));
        let opened = download(&cdn, Expected::default()).range(range).open().await;
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::SizeMismatch);
    }
}

#[tokio::test]
async fn a_size_that_changes_on_the_way_is_a_size_mismatch() {
    let bytes = content(10_000);
    for expected in [Expected::new(Some(10_000), None), Expected::default()] {
        let cdn = Cdn::new(&bytes).answers(|nth| match nth % 2 {
            0 => Answer::CutAfter(4000),
            _ => Answer::Total(10_001),
        });
        assert_eq!(failure_of(&cdn, expected).await.kind(), ErrorKind::SizeMismatch);
    }
}

#[tokio::test]
async fn a_page_or_an_error_text_in_place_of_the_file_is_wrong_content() {
    let bytes = content(10_000);
    for content_type in ["text/html", "application/json"] {
        for sized in [true, false] {
            let cdn = Cdn::new(&bytes).answers(move |_| Answer::Page(content_type, "{\"code\":1}", sized));
            assert_eq!(failure(&cdn, &bytes).await.kind(), ErrorKind::WrongContent, "{content_type} {sized}");
        }
    }
    // A file may well be a page itself.
    let page = Bytes::from_static(b"<html>");
    let cdn = Cdn::new(&page).answers(|_| Answer::Page("text/html", "<html>", true));
    let expected = Expected::new(Some(6), Some(Md5::of(&page)));
    assert_eq!(download(&cdn, expected).bytes(6).await.unwrap(), page);
}

#[tokio::test]
async fn bytes_of_another_md5_are_a_digest_mismatch_for_every_ending() {
    let bytes = content(10_000);
    let other = content(10_001).slice(1..);
    let cdn = Arc::new(Cdn::new(&other));
    assert_eq!(failure(&cdn, &bytes).await.kind(), ErrorKind::DigestMismatch);

    let expected = Expected::new(None, Some(Md5::of(&bytes)));
    assert_eq!(download(&cdn, expected).bytes(10_000).await.unwrap_err().kind(), ErrorKind::DigestMismatch);
    let written = download(&cdn, expected).to_writer(Vec::new()).await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::DigestMismatch);
    let mut reader = download(&cdn, expected).open().await.unwrap();
    let failure = loop {
        match reader.chunk().await {
            Ok(chunk) => assert!(chunk.is_some(), "the end must not be reached"),
            Err(error) => break error,
        }
    };
    assert_eq!(failure.kind(), ErrorKind::DigestMismatch);
    assert_eq!(reader.chunk().await.unwrap_err().kind(), ErrorKind::DigestMismatch);
}

#[tokio::test]
async fn a_fresh_address_that_is_refused_too_is_an_error_with_its_text() {
    let bytes = content(10_000);
    let refused = || Answer::Refused(error(ErrorKind::LinkRejected).with_answer(1010, "not found r or referer"));
    let cdn = Cdn::new(&bytes).answers(move |_| refused());
    let error = failure(&cdn, &bytes).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::LinkRejected, Some(1010)));
    assert_eq!(error.message(), Some("not found r or referer"));
    // Two addresses for each of two downloads.
    assert_eq!(cdn.paths(), ["/0", "/1", "/2", "/3"]);
}

#[tokio::test]
async fn a_host_that_ignores_the_range_when_it_should_go_on_is_wrong_content() {
    let bytes = content(10_000);
    let cdn = Cdn::new(&bytes).answers(|nth| if nth % 2 == 0 { Answer::CutAfter(4000) } else { Answer::Whole });
    assert_eq!(failure(&cdn, &bytes).await.kind(), ErrorKind::WrongContent);
}

#[tokio::test]
async fn final_refusals_are_not_repeated() {
    let bytes = content(10_000);
    for kind in [ErrorKind::QuotaExceeded, ErrorKind::WrongContent] {
        let cdn = Cdn::new(&bytes).answers(move |_| Answer::Refused(error(kind)));
        assert_eq!(failure(&cdn, &bytes).await.kind(), kind);
        assert_eq!(cdn.ranges().len(), 2, "one for each of two downloads");
        let cdn = Arc::new(Cdn::new(&bytes).resolves(move |_| Err(error(kind))));
        assert_eq!(failure(&cdn, &bytes).await.kind(), kind);
        assert_eq!((cdn.resolved(), cdn.ranges().len()), (2, 0));
    }
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_replaced_once() {
    let bytes = content(10_000);
    let cdn = Cdn::new(&bytes).answers(|_| Answer::Refused(error(ErrorKind::NotFound)));
    assert_eq!(failure(&cdn, &bytes).await.kind(), ErrorKind::NotFound);
    assert_eq!(cdn.paths(), ["/0", "/1", "/2", "/3"], "two for each of two downloads");
    let cdn = Arc::new(Cdn::new(&bytes).resolves(|_| Err(error(ErrorKind::NotFound))));
    assert_eq!(failure(&cdn, &bytes).await.kind(), ErrorKind::NotFound);
    assert_eq!((cdn.resolved(), cdn.ranges().len()), (2, 0));
}

/// Downloads ten bytes to `path`, without a chance of success, and returns the kind of the error and of requests made.
async fn misplaced(path: PathBuf) -> (ErrorKind, usize) {
    let cdn = Arc::new(Cdn::new(&content(10)));
    let error = download(&cdn, Expected::default()).to_path(path).await.unwrap_err();
    (error.kind(), cdn.resolved())
}

#[tokio::test]
async fn a_path_that_cannot_be_is_refused_before_any_request() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(misplaced(folder.path().join("missing/file")).await, (ErrorKind::Io, 0));
    assert_eq!(misplaced(folder.path().to_owned()).await, (ErrorKind::InvalidInput, 0));
    assert_eq!(misplaced(PathBuf::from("..")).await, (ErrorKind::InvalidInput, 0));
    assert_eq!(misplaced(PathBuf::new()).await, (ErrorKind::InvalidInput, 0));
}

/// A writer that is full after so many bytes.
struct Full(usize);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_writer_that_is_full_is_an_io_error() {
    let bytes = content(2_000_000);
    for room in [0, 1, 300_000, 1_999_999] {
        let cdn = Arc::new(Cdn::new(&bytes));
        let error = download(&cdn, Expected::default()).to_writer(Full(room)).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Io, "room for {room}");
    }
}

/// A writer that waits for permission before each write.
struct Slow(mpsc::Receiver<()>);

impl io::Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.recv().ok();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_slow_writer_makes_the_host_wait() {
    let cdn = Arc::new(Cdn::new(&content(3_000_000)));
    let (permit, gate) = mpsc::channel();
    let mut downloading = Box::pin(download(&cdn, Expected::default()).to_writer(Slow(gate)));
    for _ in 0..100 {
        let polled = std::future::poll_fn(|cx| Poll::Ready(downloading.as_mut().poll(cx).is_pending())).await;
        assert!(polled, "the writer waits");
        tokio::task::yield_now().await;
    }
    assert!(cdn.chunks() <= 600, "{} chunks of 1000 bytes are in memory", cdn.chunks());
    drop(permit);
    assert_eq!(downloading.await.unwrap().1.size, 3_000_000);
}

#[tokio::test]
async fn an_existing_file_is_replaced_when_everything_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("秋天.mp4");
    fs::write(&path, "old").unwrap();
    let bytes = content(10_000);
    let done: Result<Downloaded> = download(&Arc::new(Cdn::new(&bytes)), Expected::default()).to_path(&path).await;
    done.unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(names(folder.path()), ["秋天.mp4"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_downloaded_file_has_the_mode_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("new"), "").unwrap();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    let cdn = Arc::new(Cdn::new(&content(10)));
    download(&cdn, Expected::default()).to_path(folder.path().join("file")).await.unwrap();
    assert_eq!(mode("file"), mode("new"));
}

#[tokio::test]
async fn a_dropped_download_leaves_nothing() {
    let clock = clock();
    let stalling = (*clock).clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    let cdn = Cdn::new(&content(700_000)).answers(move |_| Answer::StallAfter(600_000, stalling.clone()));
    let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
    let mut downloading = Box::pin(Download::new(Arc::clone(&cdn), runtime).to_path(path.clone()));
    while clock.timers() == 0 {
        tokio::select! {
            biased;
            _ = &mut downloading => unreachable!("the host stalls"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(names(folder.path()).len(), 3, "the old file, the temporary one, and the lock");
    assert!(downloading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(downloading);
    assert_eq!(names(folder.path()), ["file"]);
    assert_eq!(fs::read(&path).unwrap(), b"old");
}
