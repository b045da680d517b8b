//! Downloads that end well, cuts and refusals included.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use pan123_core::{ErrorKind, Link, Md5, Result, Runtime, Timestamp};
use pan123_transfer::{Download, Expected};

use crate::{
    cdn::{Answer, Cdn},
    clock, content, error,
};

/// What is known of `bytes` beforehand.
fn all_of(bytes: &Bytes) -> Expected {
    Expected::new(Some(bytes.len() as u64), Some(Md5::of(bytes)))
}

fn download(cdn: &Arc<Cdn>, expected: Expected) -> Download {
    Download::new(Arc::clone(cdn), clock()).expecting(expected)
}

async fn whole(cdn: &Arc<Cdn>, bytes: &Bytes) -> Result<Bytes> {
    download(cdn, all_of(bytes)).bytes(1 << 20).await
}

#[tokio::test]
async fn a_file_arrives_whatever_is_known_of_it() {
    for size in [1, 999, 1000, 1001, 700_000] {
        let bytes = content(size);
        for expected in [all_of(&bytes), Expected::new(None, Some(Md5::of(&bytes))), Expected::default()] {
            let cdn = Arc::new(Cdn::new(&bytes));
            assert!(download(&cdn, expected).bytes(size).await.unwrap() == bytes);
            assert_eq!((cdn.resolved(), cdn.ranges()), (1, vec![None]));
        }
    }
}

#[tokio::test]
async fn every_ending_gives_the_same_bytes_and_the_md5_that_was_computed() {
    let bytes = content(300_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let cdn = Arc::new(Cdn::new(&bytes));
    let downloaded = download(&cdn, all_of(&bytes)).to_path(&path).await.unwrap();
    assert_eq!((downloaded.size, downloaded.md5), (300_000, Some(Md5::of(&bytes))));
    assert!(std::fs::read(&path).unwrap() == bytes);

    let (written, downloaded) = download(&cdn, Expected::default()).to_writer(Vec::new()).await.unwrap();
    assert!(written == bytes);
    assert_eq!(downloaded.md5, Some(Md5::of(&bytes)));

    let mut reader = download(&cdn, all_of(&bytes)).open().await.unwrap();
    assert_eq!((reader.size(), reader.position()), (Some(300_000), 0));
    let mut read = Vec::new();
    while let Some(chunk) = reader.chunk().await.unwrap() {
        read.extend_from_slice(&chunk);
        assert_eq!(reader.position(), read.len() as u64);
    }
    assert!(read == bytes);
    assert_eq!(reader.chunk().await.unwrap(), None);

    let unverified = download(&cdn, Expected::new(None, Some(Md5::of(b"other")))).without_verification();
    assert_eq!(unverified.to_writer(std::io::sink()).await.unwrap().1.md5, None);
}

#[tokio::test]
async fn a_range_is_one_request_and_its_md5_is_not_that_of_the_file() {
    let bytes = content(10_000);
    for range in [0..1, 0..10_000, 17..4321, 9_999..10_000] {
        let cdn = Arc::new(Cdn::new(&bytes));
        let (written, downloaded) =
            download(&cdn, all_of(&bytes)).range(range.clone()).to_writer(Vec::new()).await.unwrap();
        assert_eq!(written, bytes[range.start as usize..range.end as usize]);
        assert_eq!((downloaded.size, downloaded.md5), (range.end - range.start, None));
        assert_eq!(cdn.ranges(), [Some(range)]);
    }
}

#[tokio::test]
async fn a_range_from_the_beginning_is_cut_from_a_whole_file() {
    let bytes = content(10_000);
    let cdn = Cdn::new(&bytes).answers(|_| Answer::Whole);
    assert_eq!(download(&cdn, all_of(&bytes)).range(0..2500).bytes(2500).await.unwrap(), bytes[..2500]);
    assert_eq!(cdn.ranges().len(), 1);
    assert_eq!(cdn.chunks(), 3, "nothing behind the range is read");
}

#[tokio::test]
async fn ranges_that_cannot_be_are_refused_and_empty_ones_ask_nothing() {
    let bytes = content(100);
    #[expect(clippy::reversed_empty_ranges, reason = "it is what must be refused")]
    for range in [50..101, 101..102, 60..50, u64::MAX..u64::MAX] {
        let cdn = Arc::new(Cdn::new(&bytes));
        let error = download(&cdn, all_of(&bytes)).range(range).bytes(100).await.unwrap_err();
        assert_eq!((error.kind(), cdn.resolved()), (ErrorKind::InvalidInput, 0));
    }
    for expected in [all_of(&bytes), Expected::default()] {
        let cdn = Arc::new(Cdn::new(&bytes));
        assert_eq!(download(&cdn, expected).range(50..50).bytes(100).await.unwrap(), "");
        assert_eq!(cdn.resolved(), 0);
    }
    // Where only the host knows the size, it is the host's size that is wrong.
    let cdn = Arc::new(Cdn::new(&bytes));
    let error = download(&cdn, Expected::default()).range(50..101).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SizeMismatch);
}

#[tokio::test]
async fn a_range_may_have_any_bounds() {
    let bytes = content(10_000);
    let open_end = i64::MAX as u64;
    let check = async |download: Download, want: std::ops::Range<usize>, md5: Option<Md5>| {
        let (written, downloaded) = download.to_writer(Vec::new()).await.unwrap();
        assert!(written == bytes[want.clone()], "{want:?}");
        assert_eq!((downloaded.size, downloaded.md5), (want.len() as u64, md5));
    };
    let whole = Some(Md5::of(&bytes));
    for (expected, end) in [(all_of(&bytes), 10_000), (Expected::default(), open_end)] {
        let cdn = Arc::new(Cdn::new(&bytes));
        let download = || download(&cdn, expected);
        check(download().range(500..), 500..10_000, None).await;
        check(download().range(500..=999), 500..1000, None).await;
        check(download().range(..7), 0..7, None).await;
        check(download().range(..), 0..10_000, whole).await;
        check(download().range(0..), 0..10_000, whole).await;
        assert_eq!(cdn.ranges(), [Some(500..end), Some(500..1000), Some(0..7), None, None]);
        // Behind a cut the end is known.
        let cut = Cdn::new(&bytes).answers(|nth| if nth == 0 { Answer::CutAfter(3000) } else { Answer::Good });
        check(self::download(&cut, expected).range(500..), 500..10_000, None).await;
        assert_eq!(cut.ranges(), [Some(500..end), Some(3500..10_000)]);
    }
    // A host that says nothing of sizes ends when it is done.
    let silent = Cdn::new(&bytes).answers(|_| Answer::Silent(Box::new(Answer::Good)));
    check(download(&silent, Expected::default()).range(500..), 500..10_000, None).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rest");
    let saved = download(&silent, Expected::default()).range(500..).to_path(&path).await.unwrap();
    assert_eq!((saved.size, std::fs::read(&path).unwrap() == bytes[500..]), (9_500, true));

    let cdn = Arc::new(Cdn::new(&bytes));
    assert_eq!(download(&cdn, all_of(&bytes)).range(10_000..).bytes(1).await.unwrap(), "");
    for error in [
        download(&cdn, all_of(&bytes)).range(10_001..).bytes(1).await.unwrap_err(),
        download(&cdn, all_of(&bytes)).range(500..=10_000).bytes(1).await.unwrap_err(),
        download(&cdn, all_of(&bytes)).range(..=u64::MAX).bytes(1).await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), cdn.resolved()), (ErrorKind::InvalidInput, 0), "{error}");
    }
    let short = Cdn::new(&bytes).answers(|_| Answer::Total(400));
    let error = download(&short, Expected::default()).range(500..).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SizeMismatch);
}

#[tokio::test]
async fn an_empty_file_is_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = Arc::new(Cdn::new(&Bytes::new()));
    let path = folder.path().join("empty");
    let downloaded = download(&cdn, all_of(&Bytes::new())).to_path(&path).await.unwrap();
    assert_eq!((downloaded.size, downloaded.md5), (0, Some(Md5::of(b""))));
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    assert_eq!(download(&cdn, Expected::new(Some(0), None)).open().await.unwrap().chunk().await.unwrap(), None);
    assert_eq!(cdn.resolved(), 0);

    let wrong = Expected::new(Some(0), Some(Md5::of(b"x")));
    assert_eq!(download(&cdn, wrong).bytes(0).await.unwrap_err().kind(), ErrorKind::DigestMismatch);
}

#[tokio::test]
async fn a_cut_is_resumed_at_the_next_byte() {
    let bytes = content(10_000);
    for fault in [Answer::CutAfter as fn(usize) -> Answer, Answer::EndAfter] {
        for cut in [0, 1, 999, 1000, 4500, 9_999] {
            let cdn = Cdn::new(&bytes).answers(move |nth| if nth == 0 { fault(cut) } else { Answer::Good });
            assert_eq!(whole(&cdn, &bytes).await.unwrap(), bytes);
            let resumed = if cut == 0 { None } else { Some(cut as u64..10_000) };
            assert_eq!(cdn.ranges(), [None, resumed], "cut after {cut}");
            assert_eq!(cdn.resolved(), 1);
        }
    }
}

#[tokio::test]
async fn any_number_of_cuts_is_resumed_as_long_as_bytes_come() {
    let bytes = content(10_000);
    let cuts = |_| Answer::CutAfter(1000);
    let cdn = Cdn::new(&bytes).answers(cuts);
    assert_eq!(whole(&cdn, &bytes).await.unwrap(), bytes);
    let want = (0..10).map(|cut| (cut > 0).then_some(cut * 1000..10_000));
    assert_eq!(cdn.ranges(), want.collect::<Vec<_>>());

    let cdn = Cdn::new(&bytes).answers(cuts);
    assert_eq!(download(&cdn, all_of(&bytes)).range(100..9_000).bytes(9_000).await.unwrap(), bytes[100..9_000]);
    let want = (0..9).map(|cut| Some(100 + cut * 1000..9_000));
    assert_eq!(cdn.ranges(), want.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cut_is_resumed_where_nobody_knows_the_size() {
    let bytes = content(10_000);
    let cdn = Cdn::new(&bytes).answers(|nth| match nth {
        0 => Answer::Silent(Box::new(Answer::CutAfter(3000))),
        _ => Answer::Silent(Box::new(Answer::Good)),
    });
    assert_eq!(download(&cdn, Expected::default()).bytes(10_000).await.unwrap(), bytes);
    assert_eq!(cdn.ranges(), [None, Some(3000..i64::MAX as u64)]);
}

#[tokio::test]
async fn a_cut_behind_the_last_byte_does_not_matter() {
    let bytes = content(10_000);
    let clock = clock();
    let cdn = Cdn::new(&bytes).answers(|_| Answer::CutAtEnd);
    let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
    let downloaded = Download::new(Arc::clone(&cdn), runtime).expecting(all_of(&bytes)).bytes(10_000).await;
    assert_eq!(downloaded.unwrap(), bytes);
    assert_eq!((cdn.ranges().len(), clock.sleeps().len()), (1, 0));
}

#[tokio::test]
async fn a_stall_is_resumed_when_the_idle_timer_runs_out() {
    let bytes = content(10_000);
    let clock = clock();
    let stalling = (*clock).clone();
    let cdn = Cdn::new(&bytes).answers(move |nth| match nth {
        0 => Answer::StallAfter(4000, stalling.clone()),
        _ => Answer::Good,
    });
    let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
    let download = Download::new(Arc::clone(&cdn), runtime).expecting(all_of(&bytes)).bytes(10_000);
    let timer = async {
        while clock.timers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.fire_timers();
    };
    let (downloaded, ()) = tokio::join!(download, timer);
    assert_eq!(downloaded.unwrap(), bytes);
    assert_eq!(cdn.ranges(), [None, Some(4000..10_000)]);
}

#[tokio::test]
async fn a_refused_address_is_fetched_anew_once_for_each_progress() {
    let bytes = content(10_000);
    let refused = || Answer::Refused(error(ErrorKind::LinkRejected));
    let cdn = Cdn::new(&bytes).answers(move |nth| match nth {
        0 | 2 | 4 => refused(),
        1 | 3 => Answer::CutAfter(3000),
        _ => Answer::Good,
    });
    assert_eq!(whole(&cdn, &bytes).await.unwrap(), bytes);
    assert_eq!(cdn.paths(), ["/0", "/1", "/1", "/2", "/2", "/3"]);
}

#[tokio::test]
async fn an_address_that_has_expired_meanwhile_is_not_tried() {
    let bytes = content(10_000);
    let clock = clock();
    let (now, moving) = (clock.now(), Arc::clone(&clock));
    let expiring = move |nth: usize| {
        let expiry = Timestamp::from_unix(now.unix() + 600 * (nth as i64 + 1));
        Link::parse(&format!("https://cdn.example/{nth}")).map(|link| link.with_expiry(expiry))
    };
    let cdn = Cdn::new(&bytes).resolves(expiring).answers(move |nth| {
        if nth == 0 {
            moving.advance(Duration::from_secs(700));
            return Answer::CutAfter(3000);
        }
        Answer::Good
    });
    let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
    assert_eq!(Download::new(Arc::clone(&cdn), runtime).expecting(all_of(&bytes)).bytes(10_000).await.unwrap(), bytes);
    assert_eq!(cdn.paths(), ["/0", "/1"]);
}

#[tokio::test]
async fn temporary_refusals_are_waited_out() {
    let bytes = content(5000);
    for kind in [ErrorKind::RateLimited, ErrorKind::Server, ErrorKind::Connect, ErrorKind::Busy] {
        let cdn = Cdn::new(&bytes)
            .resolves(move |nth| if nth < 2 { Err(error(kind)) } else { Link::parse("https://cdn.example/") })
            .answers(move |nth| if nth < 2 { Answer::Refused(error(kind)) } else { Answer::Good });
        assert_eq!(whole(&cdn, &bytes).await.unwrap(), bytes, "{kind:?}");
        assert_eq!((cdn.resolved(), cdn.ranges().len()), (3, 3));
    }
}

#[tokio::test]
async fn dropping_a_chunk_that_is_waited_for_loses_no_byte() {
    let bytes = content(700_000);
    let cdn = Cdn::new(&bytes).answers(|nth| if nth < 3 { Answer::CutAfter(123_456) } else { Answer::Good });
    let mut reader = download(&cdn, all_of(&bytes)).open().await.unwrap();
    let mut read = Vec::new();
    loop {
        // Every other wait is given up as soon as it has to wait at all.
        tokio::select! {
            biased;
            chunk = reader.chunk() => match chunk.unwrap() {
                Some(chunk) => read.extend_from_slice(&chunk),
                None => break,
            },
            () = std::future::ready(()) => tokio::task::yield_now().await,
        }
    }
    assert!(read == bytes);
}

#[tokio::test]
async fn more_than_the_limit_is_not_kept_in_memory() {
    let bytes = content(1000);
    for (silent, chunks) in [(false, 0), (true, 1)] {
        let cdn = Cdn::new(&bytes)
            .answers(move |_| if silent { Answer::Silent(Box::new(Answer::Good)) } else { Answer::Good });
        let error = download(&cdn, Expected::default()).bytes(999).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("999"), "{error}");
        assert_eq!(cdn.chunks(), chunks, "what is announced need not come");
        assert_eq!(download(&cdn, Expected::default()).bytes(1000).await.unwrap(), bytes);
    }
}

#[cfg(feature = "stream")]
#[tokio::test]
async fn a_stream_ends_after_the_last_chunk_or_the_first_error() {
    use futures_core::Stream;

    async fn collect(cdn: &Arc<Cdn>, expected: Expected) -> Vec<Result<Bytes>> {
        let mut stream = Box::pin(download(cdn, expected).open().await.unwrap().into_stream());
        let mut items = Vec::new();
        while let Some(item) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            items.push(item);
        }
        items
    }

    let bytes = content(2500);
    let cdn = Arc::new(Cdn::new(&bytes));
    let chunks = collect(&cdn, all_of(&bytes)).await;
    assert_eq!(chunks.into_iter().map(Result::unwrap).collect::<Vec<_>>().concat(), bytes);
    let wrong = Expected::new(Some(2500), Some(Md5::of(b"other")));
    let last = collect(&cdn, wrong).await.pop().unwrap();
    assert_eq!(last.unwrap_err().kind(), ErrorKind::DigestMismatch);
}
