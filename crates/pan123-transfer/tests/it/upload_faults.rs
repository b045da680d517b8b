//! Uploads that meet failures: repeated where that is safe, looked for where an answer was lost, ended in time.

use std::{
    error::Error as _,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use pan123_core::{ErrorKind, Result, RetryPolicy, Runtime, testing::VirtualRuntime};
use pan123_transfer::{How, Upload, UploadLimits, Uploaded};

use crate::{
    clock, content,
    drive::{Drive, Fault},
    error, lost,
};

/// Uploads 2500 bytes in parts of 1000.
async fn in_parts(drive: &Arc<Drive>) -> Result<Uploaded<usize>> {
    in_parts_by(drive, &clock()).await
}

async fn in_parts_by(drive: &Arc<Drive>, clock: &Arc<VirtualRuntime>) -> Result<Uploaded<usize>> {
    let runtime = Arc::clone(clock) as Arc<dyn Runtime>;
    Upload::new(Arc::clone(drive), content(2500), runtime).single_step_up_to(0).send().await
}

async fn in_one_request(drive: &Arc<Drive>) -> Result<Uploaded<usize>> {
    Upload::new(Arc::clone(drive), content(2500), clock()).send().await
}

/// Makes a drive for which the first calls of `name` go wrong.
fn failing(name: &'static str, times: usize, fault: impl Fn() -> Fault + Send + Sync + 'static) -> Arc<Drive> {
    Drive::new(1000).fails(move |call, nth| (call == name && nth < times).then(&fault))
}

fn count(drive: &Drive, name: &str) -> usize {
    drive.calls().iter().filter(|call| *call == name).count()
}

#[tokio::test]
async fn a_part_that_fails_twice_is_sent_three_times() {
    for kind in [ErrorKind::Connection, ErrorKind::Timeout, ErrorKind::RateLimited, ErrorKind::Server] {
        for fault in [
            (|kind| Fault::Refused(error(kind))) as fn(ErrorKind) -> Fault,
            |kind| Fault::Applied(error(kind).with_may_have_happened(true)),
            |kind| Fault::CutAfter(500, error(kind).with_may_have_happened(true)),
        ] {
            let drive = failing("send_part 2", 2, move || fault(kind));
            let uploaded = in_parts(&drive).await.unwrap();
            assert_eq!(uploaded.how, How::Parts);
            assert_eq!(drive.stored(), [&content(2500)[..]]);
            assert_eq!(count(&drive, "send_part 2"), 3);
            assert_eq!(count(&drive, "begin") + count(&drive, "send_part 1"), 2);
        }
    }
}

#[tokio::test]
async fn a_part_that_fails_for_ever_ends_the_others_and_is_the_error() {
    let drive = Drive::new(100).fails(|call, _| match call {
        "send_part 2" => Some(Fault::Refused(lost().with_kind(ErrorKind::Server, "failed").with_answer(7, "part two"))),
        "send_part 1" | "send_part 3" => Some(Fault::Hang),
        _ => None,
    });
    let clock = clock();
    let failure = in_parts_by(&drive, &clock).await.unwrap_err();
    assert_eq!((failure.kind(), failure.code(), failure.attempts()), (ErrorKind::Server, Some(7), 5));
    assert!(!failure.may_have_happened());
    assert_eq!(count(&drive, "send_part 2"), 5);
    assert_eq!(count(&drive, "complete"), 0);
    assert_eq!(drive.sending().0, 0);
    assert!(clock.elapsed() <= RetryPolicy::default().max_elapsed);
}

#[tokio::test]
async fn what_repeating_cannot_help_is_not_repeated() {
    for kind in [ErrorKind::Unauthorized, ErrorKind::Api, ErrorKind::Blocked, ErrorKind::QuotaExceeded] {
        for call in ["begin", "send_part 1", "complete"] {
            let drive = failing(call, 9, move || Fault::Refused(error(kind).with_answer(9, "文件上传失败")));
            let failure = in_parts(&drive).await.unwrap_err();
            assert_eq!((failure.kind(), failure.code()), (kind, Some(9)), "{call}");
            assert_eq!(failure.message(), Some("文件上传失败"));
            assert_eq!(count(&drive, call), 1);
            assert!(drive.stored().is_empty());
        }
        let drive = failing("send_whole", 9, move || Fault::Refused(error(kind)));
        assert_eq!(in_one_request(&drive).await.unwrap_err().kind(), kind);
        assert_eq!(drive.calls(), ["send_whole"]);
    }
}

#[tokio::test]
async fn a_call_that_had_no_effect_is_repeated_without_looking() {
    for call in ["begin", "send_whole"] {
        for kind in [ErrorKind::RateLimited, ErrorKind::Busy, ErrorKind::Connect] {
            let drive = failing(call, 4, move || Fault::Refused(error(kind)));
            let done = if call == "begin" { in_parts(&drive).await } else { in_one_request(&drive).await };
            done.unwrap();
            assert_eq!((count(&drive, call), count(&drive, "find")), (5, 0), "{call} {kind:?}");
            assert_eq!(drive.stored().len(), 1);
        }
    }
}

#[tokio::test]
async fn after_a_lost_answer_a_file_that_is_there_is_not_sent_again() {
    // An instant upload whose answer was lost.
    let bytes = content(2500);
    let drive = Drive::new(1000).knows(&bytes).fails(|call, _| (call == "begin").then(|| Fault::Applied(lost())));
    assert_eq!(in_parts(&drive).await.unwrap().how, How::Instant);
    assert_eq!(drive.calls(), ["begin", "find"]);
    assert_eq!(drive.stored().len(), 1);

    let drive = failing("send_whole", 1, || Fault::Applied(lost()));
    let uploaded = in_one_request(&drive).await.unwrap();
    assert_eq!((uploaded.how, uploaded.stored), (How::SingleStep, 1));
    assert_eq!(drive.calls(), ["send_whole", "find"]);
    assert_eq!(drive.stored().len(), 1);
}

#[tokio::test]
async fn after_a_lost_answer_a_file_that_is_not_there_is_sent_again() {
    let drive = failing("begin", 1, || Fault::Refused(lost()));
    assert_eq!(in_parts(&drive).await.unwrap().how, How::Parts);
    assert_eq!(drive.calls()[..3], ["begin", "find", "begin"]);
    assert_eq!(drive.stored().len(), 1);

    let drive = failing("send_whole", 3, || Fault::Refused(lost()));
    assert_eq!(in_one_request(&drive).await.unwrap().how, How::SingleStep);
    assert_eq!((count(&drive, "send_whole"), count(&drive, "find")), (4, 3));
    assert_eq!(drive.stored().len(), 1);
}

#[tokio::test]
async fn answers_that_are_lost_for_ever_end_in_the_last_error_and_nothing_is_stored() {
    let drive = failing("begin", 99, || Fault::Refused(lost()));
    let failure = in_parts(&drive).await.unwrap_err();
    assert_eq!((failure.kind(), failure.may_have_happened()), (ErrorKind::Connection, false));
    assert_eq!(drive.calls(), ["begin", "find", "begin", "find"]);

    let drive = failing("send_whole", 99, || Fault::Refused(lost()));
    let failure = in_one_request(&drive).await.unwrap_err();
    assert_eq!((failure.kind(), failure.attempts()), (ErrorKind::Connection, 5));
    assert_eq!(count(&drive, "send_whole"), 5);
}

#[tokio::test]
async fn when_nobody_can_tell_the_outcome_is_unknown() {
    for call in ["begin", "send_whole", "complete"] {
        let drive = Drive::new(1000).fails(move |name, _| match name {
            "find" => Some(Fault::Refused(error(ErrorKind::Api).with_answer(5, "no list today"))),
            "complete" if call == "complete" => {
                Some(Fault::Refused(error(ErrorKind::Decode).with_may_have_happened(true)))
            }
            _ if name == call => Some(Fault::Refused(lost())),
            _ => None,
        });
        let done = if call == "send_whole" { in_one_request(&drive).await } else { in_parts(&drive).await };
        let failure = done.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::OutcomeUnknown, "{call}");
        assert!(failure.may_have_happened());
        assert!(failure.source().unwrap().to_string().contains("no list today"));
        assert_eq!((count(&drive, call), count(&drive, "find")), (1, 1));
    }
}

#[tokio::test]
async fn looking_for_a_file_is_repeated_when_that_may_help() {
    let drive = Drive::new(1000).fails(|call, nth| match call {
        "send_whole" if nth == 0 => Some(Fault::Applied(lost())),
        "find" if nth < 3 => Some(Fault::Refused(error(ErrorKind::Connect))),
        _ => None,
    });
    in_one_request(&drive).await.unwrap();
    assert_eq!((count(&drive, "send_whole"), count(&drive, "find")), (1, 4));
    assert_eq!(drive.stored().len(), 1);
}

#[tokio::test]
async fn a_completion_that_is_pending_is_asked_for_again() {
    let clock = clock();
    let drive = failing("complete", 3, || Fault::Pending(None));
    in_parts_by(&drive, &clock).await.unwrap();
    assert_eq!(clock.sleeps().iter().map(Duration::as_millis).collect::<Vec<_>>(), [1000, 1500, 2250]);

    // The service's own wish counts, but not to the point of asking without a break.
    for (wish, slept) in [(Duration::from_secs(9), 9000), (Duration::ZERO, 200)] {
        let clock = VirtualRuntime::new(0, 1).into();
        let drive = failing("complete", 1, move || Fault::Pending(Some(wish)));
        in_parts_by(&drive, &clock).await.unwrap();
        assert_eq!(clock.sleeps(), [Duration::from_millis(slept)]);
    }
}

#[tokio::test]
async fn temporary_failures_of_a_completion_are_waited_out() {
    for kind in [
        ErrorKind::RateLimited,
        ErrorKind::Busy,
        ErrorKind::Connection,
        ErrorKind::Timeout,
        ErrorKind::Server,
        ErrorKind::Connect,
    ] {
        let drive = failing("complete", 20, move || Fault::Refused(error(kind)));
        in_parts(&drive).await.unwrap();
        assert_eq!((count(&drive, "complete"), drive.stored().len()), (21, 1), "{kind:?}");
    }
    let clock = clock();
    let drive = failing("complete", 1, || {
        Fault::Refused(error(ErrorKind::RateLimited).with_retry_after(Some(Duration::from_secs(8))))
    });
    in_parts_by(&drive, &clock).await.unwrap();
    assert_eq!(clock.sleeps(), [Duration::from_secs(8)]);
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_is_found() {
    // The second question is refused, because the first has completed the upload.
    let drive = Drive::new(1000).fails(|call, nth| match (call, nth) {
        ("complete", 0) => Some(Fault::Applied(lost())),
        ("complete", _) => Some(Fault::Refused(error(ErrorKind::Api).with_answer(1, "no such upload"))),
        _ => None,
    });
    let uploaded = in_parts(&drive).await.unwrap();
    assert_eq!((uploaded.how, uploaded.stored), (How::Parts, 1));
    assert_eq!((count(&drive, "complete"), count(&drive, "find")), (2, 1));
    assert_eq!(drive.stored().len(), 1);
}

#[tokio::test]
async fn a_completion_that_is_pending_for_ever_ends_at_the_deadline() {
    for (timeout, most) in [(None, 120), (Some(Duration::from_secs(10)), 10), (Some(Duration::ZERO), 0)] {
        let clock = clock();
        let drive = failing("complete", usize::MAX, || Fault::Pending(None));
        let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
        let mut upload = Upload::new(Arc::clone(&drive), content(2500), runtime).single_step_up_to(0);
        if let Some(timeout) = timeout {
            upload = upload.completion_timeout(timeout);
        }
        let failure = upload.send().await.unwrap_err();
        assert_eq!((failure.kind(), failure.code()), (ErrorKind::CompletionTimeout, None));
        assert!(failure.may_have_happened() && failure.is_retryable());
        assert!(
            clock.elapsed() <= Duration::from_secs(most)
                && clock.elapsed() + Duration::from_secs(5) >= Duration::from_secs(most)
        );
    }
}

#[tokio::test]
async fn the_deadline_keeps_the_last_code() {
    let busy = || Fault::Refused(error(ErrorKind::Busy).with_answer(20103, "文件正在校验中"));
    let failure = in_parts(&failing("complete", usize::MAX, busy)).await.unwrap_err();
    assert_eq!((failure.kind(), failure.code()), (ErrorKind::CompletionTimeout, Some(20103)));
    assert!(failure.to_string().contains("still verifying"), "{failure}");
}

#[tokio::test]
async fn impossible_part_sizes_are_not_believed() {
    for part_size in [0, u64::MAX, (5 << 30) + 1] {
        let drive = Arc::new(Drive::new(part_size).limits(UploadLimits::new(1 << 30, 1000)));
        let failure = in_parts(&drive).await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Decode, "{part_size}: {failure}");
        assert_eq!(drive.calls(), ["begin"]);
    }
    // 10,001 parts of one byte.
    let drive = Arc::new(Drive::new(1));
    let upload = Upload::new(Arc::clone(&drive), content(10_001), clock()).single_step_up_to(0);
    assert_eq!(upload.send().await.unwrap_err().kind(), ErrorKind::Decode);
    // An empty file has one part, of whatever size.
    let drive = Arc::new(Drive::new(0).limits(UploadLimits::new(1 << 30, 1000)));
    Upload::new(Arc::clone(&drive), b"", clock()).send().await.unwrap();
    assert_eq!(drive.part_sizes(), [0]);
}

#[tokio::test]
async fn dropping_the_future_stops_every_part() {
    let drive = Drive::new(100).fails(|call, _| call.starts_with("send_part").then_some(Fault::Hang));
    let upload = Upload::new(Arc::clone(&drive), content(2500), clock()).single_step_up_to(0).concurrency(4);
    let mut sending = Box::pin(upload.send());
    // An upload begins with two parts at a time.
    while drive.sending().0 < 2 {
        let polled = std::future::poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending())).await;
        assert!(polled, "the parts hang");
        tokio::task::yield_now().await;
    }
    // Nothing but the future itself keeps the parts going.
    assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(sending);
    assert_eq!(drive.sending(), (0, 2));
    assert_eq!(Arc::strong_count(&drive), 1);
    assert!(drive.stored().is_empty());
}

#[tokio::test]
async fn one_attempt_is_one_attempt() {
    for call in ["begin", "send_part 1", "send_whole"] {
        let drive = failing(call, 1, || Fault::Refused(error(ErrorKind::RateLimited)));
        let single_step = if call == "send_whole" { 1 << 20 } else { 0 };
        let upload = Upload::new(Arc::clone(&drive), content(2500), clock()).single_step_up_to(single_step);
        let failure = upload.retry(RetryPolicy::none()).send().await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::RateLimited);
        assert_eq!(count(&drive, call), 1);
    }
}

#[tokio::test]
async fn the_time_spent_waiting_is_bounded_too() {
    let policy = RetryPolicy::default().max_attempts(u32::MAX).max_elapsed(Duration::from_secs(9));
    for call in ["begin", "send_part 1", "send_whole"] {
        let clock = clock();
        let drive = failing(call, usize::MAX, || Fault::Refused(error(ErrorKind::RateLimited)));
        let single_step = if call == "send_whole" { 1 << 20 } else { 0 };
        let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
        let upload = Upload::new(Arc::clone(&drive), content(900), runtime).single_step_up_to(single_step);
        let failure = upload.retry(policy).send().await.unwrap_err();
        assert_eq!((failure.kind(), failure.attempts() as usize), (ErrorKind::RateLimited, count(&drive, call)));
        assert!(clock.elapsed() <= policy.max_elapsed && clock.elapsed() >= policy.max_elapsed / 3, "{call}");
    }
}
