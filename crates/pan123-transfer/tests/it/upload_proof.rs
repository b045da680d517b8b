//! That what was sent is what was declared, how fast it goes, and sources that can be read once.

use std::{io, sync::Arc, time::Duration};

use pan123_core::{Body, ErrorKind, Md5, Runtime};
use pan123_transfer::{Bandwidth, How, MOST_IN_MEMORY, Source, Upload};

use crate::{
    clock, content,
    drive::{Drive, Fault},
    error,
    sources::Fake,
};

fn count(drive: &Drive, name: &str) -> usize {
    drive.calls().iter().filter(|call| *call == name).count()
}

#[tokio::test]
async fn a_part_whose_etag_differs_is_sent_once_more_and_then_is_an_error() {
    for (times, sent) in [(1, 2), (2, 2)] {
        let differs = move |call: &str, nth| {
            (call == "send_part 2" && nth < times).then(|| Fault::Applied(error(ErrorKind::DigestMismatch)))
        };
        let drive = Drive::new(1000).fails(differs);
        let upload = Upload::new(Arc::clone(&drive), content(2500), clock()).single_step_up_to(0);
        let done = upload.send().await;
        assert_eq!(count(&drive, "send_part 2"), sent);
        match done {
            Ok(_) => assert!(times == 1 && drive.stored() == [&content(2500)[..]]),
            Err(error) => {
                assert_eq!((times, error.kind()), (2, ErrorKind::DigestMismatch));
                assert_eq!((count(&drive, "complete"), drive.stored().len()), (0, 0));
            }
        }
    }
}

#[tokio::test]
async fn where_nobody_else_looks_other_bytes_are_noticed_while_they_are_sent() {
    // One read is for the digests, one for each time that the part is sent: the bytes are others then, and the stamp says
    // nothing of it.
    for (lies, is_stored) in [(0..0, true), (1..2, true), (1..99, false)] {
        let bytes = content(2500);
        let drive = Arc::new(Drive::new(2500).blind());
        let source = Source::read_at(Fake::new(bytes.clone()).lies(lies.clone()));
        let done = Upload::new(Arc::clone(&drive), source, clock()).single_step_up_to(0).send().await;
        match done {
            Ok(_) => assert!(is_stored && drive.stored() == [&bytes[..]], "{lies:?}"),
            Err(error) => {
                assert_eq!((is_stored, error.kind()), (false, ErrorKind::DigestMismatch), "{lies:?}");
                assert_eq!((count(&drive, "complete"), drive.stored().len()), (0, 0));
            }
        }
        assert_eq!(count(&drive, "send_part 1"), if lies.is_empty() { 1 } else { 2 }, "{lies:?}");
    }
}

#[tokio::test]
async fn a_whole_file_of_other_bytes_is_an_error_that_says_it_may_be_there() {
    let drive = Arc::new(Drive::new(1000).blind());
    let source = Source::read_at(Fake::new(content(2500)).lies(1..99));
    let failure = Upload::new(Arc::clone(&drive), source, clock()).send().await.unwrap_err();
    assert_eq!((failure.kind(), failure.may_have_happened()), (ErrorKind::SourceChanged, true));
}

#[tokio::test]
async fn an_empty_file_needs_no_other_proof() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    std::fs::write(&path, "").unwrap();
    let drive = Arc::new(Drive::new(1000).blind());
    Upload::new(Arc::clone(&drive), path, clock()).send().await.unwrap();
    assert_eq!(drive.stored(), [b""]);
}

#[tokio::test]
async fn a_service_that_bears_little_gets_little_and_all_of_it() {
    let drive = Arc::new(Drive::new(100).capacity(4));
    let bytes = content(10_000);
    let upload = Upload::new(Arc::clone(&drive), bytes.clone(), clock()).single_step_up_to(0).concurrency(32);
    upload.send().await.unwrap();
    assert!(drive.stored() == [&bytes[..]]);
    let refused = drive.calls().len() - 102;
    assert!(refused < 40, "{refused} of a hundred parts were sent again");
}

#[tokio::test]
async fn uploads_share_a_limit_of_speed() {
    let clock = clock();
    let limit = Bandwidth::per_second(1000);
    let upload = |single_step| {
        let runtime = Arc::clone(&clock) as Arc<dyn Runtime>;
        let upload = Upload::new(Arc::new(Drive::new(1000)), content(5000), runtime).bandwidth(limit.clone());
        upload.single_step_up_to(single_step).send()
    };
    let (one, two) = tokio::join!(upload(0), upload(1 << 20));
    assert_eq!((one.unwrap().how, two.unwrap().how), (How::Parts, How::SingleStep));
    let took = clock.elapsed();
    assert!(took >= Duration::from_millis(9500) && took <= Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn what_can_be_read_once_arrives_whole_in_every_way() {
    for size in [0, 1, 5500, MOST_IN_MEMORY, MOST_IN_MEMORY + 1] {
        for single_step in [0, 1 << 20] {
            let bytes = content(size);
            let sources = [
                Source::reader(io::Cursor::new(bytes.clone())),
                Source::body(Body::from(bytes.clone())),
                #[cfg(feature = "stream")]
                Source::stream(Body::from(bytes.clone())),
            ];
            for source in sources {
                let drive = Arc::new(Drive::new(1 << 20));
                let folder = tempfile::tempdir().unwrap();
                let upload = Upload::new(Arc::clone(&drive), source.clone(), clock()).spool_in(folder.path());
                let done = upload.single_step_up_to(single_step).send().await.unwrap();
                assert_eq!((done.fingerprint.size, done.fingerprint.md5), (size as u64, Md5::of(&bytes)));
                assert!(drive.stored() == [&bytes[..]], "{size}");
                assert_eq!(folder.path().read_dir().unwrap().count(), 0);
                let again = Upload::new(Arc::clone(&drive), source, clock()).send().await.unwrap_err();
                assert_eq!(again.kind(), ErrorKind::InvalidInput, "{again}");
            }
        }
    }
}
