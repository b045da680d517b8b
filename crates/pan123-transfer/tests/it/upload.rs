//! Uploads that go well: every size, every way.

use std::sync::Arc;

use pan123_core::Md5;
use pan123_transfer::{Download, Fingerprint, How, Reader, Upload, UploadLimits};

use crate::{clock, content, drive::Drive, sha1_of};

const PART: usize = 1000;

#[tokio::test]
async fn files_of_every_size_arrive_whole_in_the_right_parts() {
    for (size, parts) in [
        (0, vec![0]),
        (1, vec![1]),
        (PART - 1, vec![999]),
        (PART, vec![1000]),
        (PART + 1, vec![1000, 1]),
        (3 * PART + 1, vec![1000, 1000, 1000, 1]),
    ] {
        let bytes = content(size);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, &bytes).unwrap();
        for source in [pan123_transfer::Source::from(path), bytes.clone().into()] {
            let drive = Arc::new(Drive::new(PART as u64));
            let upload = Upload::new(Arc::clone(&drive), source, clock()).single_step_up_to(0);
            let uploaded = upload.send().await.unwrap();
            assert_eq!(uploaded.how, How::Parts);
            assert_eq!(uploaded.fingerprint, Fingerprint::new(size as u64, Md5::of(&bytes)));
            assert_eq!(drive.stored(), [&bytes[..]], "{size} bytes");
            assert_eq!(drive.part_sizes(), parts);
        }
    }
}

#[tokio::test]
async fn a_large_part_is_read_in_many_buffers() {
    let bytes = content((3 << 20) + 12345);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, &bytes).unwrap();
    let drive = Arc::new(Drive::new(1 << 20));
    Upload::new(Arc::clone(&drive), path, clock()).send().await.unwrap();
    assert!(drive.stored() == [&bytes[..]]);
}

#[test]
fn futures_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn is_sync<T: Sync>() {}

    let upload = || Upload::new(Drive::new(1), b"", clock());
    is_send(&upload().send());
    let cdn = || Arc::new(crate::cdn::Cdn::new(&content(1)));
    let download = || Download::new(cdn(), clock());
    is_send(&download().to_path("never"));
    is_send(&download().to_writer(std::io::sink()));
    is_send(&download().open());
    is_sync::<Reader>();
}

#[tokio::test]
async fn known_content_is_stored_without_a_byte() {
    let bytes = content(5 * PART);
    let drive = Arc::new(Drive::new(PART as u64).knows(&bytes));
    let uploaded = Upload::new(Arc::clone(&drive), bytes, clock()).single_step_up_to(0).send().await.unwrap();
    assert_eq!((uploaded.how, uploaded.stored), (How::Instant, 1));
    assert_eq!(drive.calls(), ["begin"]);
}

#[tokio::test]
async fn small_files_go_in_one_request_and_nothing_is_asked_first() {
    let check = async |size: usize, limit: Option<u64>, up_to: Option<u64>, how: How| {
        let bytes = content(size);
        let mut limits = UploadLimits::new(1 << 30, 1 << 20);
        limits.single_step = limit;
        let drive = Arc::new(Drive::new(1 << 20).limits(limits));
        let mut upload = Upload::new(Arc::clone(&drive), bytes.clone(), clock());
        if let Some(up_to) = up_to {
            upload = upload.single_step_up_to(up_to);
        }
        let uploaded = upload.send().await.unwrap();
        assert_eq!(uploaded.how, how, "{size} bytes, limit {limit:?}, up to {up_to:?}");
        assert!(drive.stored() == [&bytes[..]]);
        if how == How::SingleStep {
            assert_eq!(drive.calls(), ["send_whole"]);
        }
    };
    let mib = 1 << 20;
    check(0, Some(mib), None, How::Parts).await;
    check(1, Some(mib), None, How::SingleStep).await;
    check(1 << 20, Some(1 << 30), None, How::SingleStep).await;
    check((1 << 20) + 1, Some(1 << 30), None, How::Parts).await;
    check((1 << 20) + 1, Some(1 << 30), Some(1 << 22), How::SingleStep).await;
    check(11, Some(10), Some(mib), How::Parts).await;
    check(10, Some(10), Some(mib), How::SingleStep).await;
    check(1, Some(mib), Some(0), How::Parts).await;
    check(1, None, None, How::Parts).await;
}

#[tokio::test]
async fn the_part_size_of_the_service_is_obeyed() {
    for announced in [0, 700, 5000, 1 << 20] {
        let bytes = content(2500);
        let limits = UploadLimits::new(1 << 30, announced);
        let drive = Arc::new(Drive::new(PART as u64).limits(limits));
        Upload::new(Arc::clone(&drive), bytes.clone(), clock()).send().await.unwrap();
        assert_eq!(drive.part_sizes(), [1000, 1000, 500]);
        assert_eq!(drive.stored(), [&bytes[..]]);
    }
}

#[tokio::test]
async fn no_more_parts_are_sent_at_a_time_than_was_said() {
    for (concurrency, most) in [(0, 1), (1, 1), (3, 3), (20, 20), (100, 32)] {
        let drive = Arc::new(Drive::new(10));
        let bytes = content(1000);
        let upload = Upload::new(Arc::clone(&drive), bytes.clone(), clock()).single_step_up_to(0);
        upload.concurrency(concurrency).send().await.unwrap();
        assert_eq!(drive.sending(), (0, most), "concurrency {concurrency}");
        assert_eq!(drive.stored(), [&bytes[..]]);
    }
}

#[tokio::test]
async fn the_sha1_comes_with_the_same_read_when_it_is_wanted() {
    let bytes = content(2 * PART);
    let drive = Arc::new(Drive::new(PART as u64));
    let uploaded = Upload::new(drive, bytes.clone(), clock()).with_sha1().send().await.unwrap();
    assert_eq!(uploaded.fingerprint.sha1, Some(sha1_of(&bytes)));
}

#[tokio::test]
async fn a_trusted_digest_saves_the_read_when_the_content_is_known() {
    let bytes = content(PART);
    let drive = Arc::new(Drive::new(PART as u64).knows(&bytes));
    let trusted = Fingerprint::new(PART as u64, Md5::of(&bytes));
    let unreadable = crate::sources::Fake::new(bytes).unreadable();
    let upload = Upload::new(drive, pan123_transfer::Source::read_at(unreadable), clock());
    let uploaded = upload.single_step_up_to(0).trust(trusted).send().await.unwrap();
    assert_eq!((uploaded.how, uploaded.fingerprint), (How::Instant, trusted));
}

#[tokio::test]
async fn a_trusted_digest_that_is_right_is_used_for_the_parts() {
    for sha1 in [false, true] {
        let bytes = content(3 * PART);
        let drive = Arc::new(Drive::new(PART as u64));
        let trusted = Fingerprint::new(bytes.len() as u64, Md5::of(&bytes));
        let trusted = if sha1 { trusted.with_sha1(sha1_of(&bytes)) } else { trusted };
        let upload = Upload::new(Arc::clone(&drive), bytes.clone(), clock());
        let uploaded = upload.single_step_up_to(0).trust(trusted).with_sha1().send().await.unwrap();
        assert_eq!(uploaded.fingerprint.sha1, Some(sha1_of(&bytes)));
        assert_eq!(drive.stored(), [&bytes[..]]);
    }
}
