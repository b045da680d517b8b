//! Sources that cannot be uploaded, and sources that change.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use pan123_core::{ErrorKind, Md5};
use pan123_transfer::{Fingerprint, ReadAt, Source, Stamp, Upload, UploadLimits};

use crate::{
    clock, content,
    drive::{Drive, Fault},
    error,
};

/// A source in memory that changes, fails, or waits as it is told.
#[derive(Debug)]
pub(crate) struct Fake {
    bytes: Bytes,
    reads: AtomicUsize,
    changes_after: usize,
    unreadable: bool,
    /// From this read on, for so many, the bytes are others, and the stamp says nothing of it.
    lies: std::ops::Range<usize>,
    gate: Option<Mutex<std::sync::mpsc::Receiver<()>>>,
    largest: AtomicUsize,
}

impl Fake {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            reads: AtomicUsize::new(0),
            changes_after: usize::MAX,
            unreadable: false,
            lies: 0..0,
            gate: None,
            largest: AtomicUsize::new(0),
        }
    }

    pub(crate) fn unreadable(mut self) -> Self {
        self.unreadable = true;
        self
    }

    pub(crate) fn lies(mut self, reads: std::ops::Range<usize>) -> Self {
        self.lies = reads;
        self
    }

    fn changes_after(mut self, reads: usize) -> Self {
        self.changes_after = reads;
        self
    }
}

impl ReadAt for Fake {
    fn stamp(&self) -> io::Result<Stamp> {
        let generation = u64::from(self.reads.load(Ordering::SeqCst) > self.changes_after);
        Ok(Stamp::new(self.bytes.len() as u64).with_identity(generation))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unreadable {
            return Err(io::Error::other("unreadable"));
        }
        if let Some(gate) = &self.gate {
            gate.lock().unwrap().recv().ok();
        }
        let reads = self.reads.fetch_add(1, Ordering::SeqCst);
        self.largest.fetch_max(buffer.len(), Ordering::SeqCst);
        if reads % 3 == 2 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        // A read may give less than was asked for.
        let rest = &self.bytes[usize::try_from(offset).unwrap()..];
        let size = rest.len().min(buffer.len()).min(100_000);
        buffer[..size].copy_from_slice(&rest[..size]);
        if self.lies.contains(&reads) {
            buffer[..size].fill(0);
        }
        Ok(size)
    }
}

async fn kind_of(path: &Path) -> ErrorKind {
    let drive = Arc::new(Drive::new(10));
    let error = Upload::new(Arc::clone(&drive), path, clock()).send().await.unwrap_err();
    assert_eq!(drive.calls(), [""; 0]);
    error.kind()
}

#[tokio::test]
async fn what_is_no_file_is_refused_before_any_request() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(kind_of(folder.path()).await, ErrorKind::InvalidInput);
    assert_eq!(kind_of(&folder.path().join("missing")).await, ErrorKind::Io);
    assert_eq!(kind_of(Path::new("")).await, ErrorKind::Io);
    #[cfg(unix)]
    assert_eq!(kind_of(Path::new("/dev/null")).await, ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_with_the_limit() {
    let drive = Arc::new(Drive::new(10).limits(UploadLimits::new(99, 10)));
    let error = Upload::new(Arc::clone(&drive), content(100), clock()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("at most 99"), "{error}");
    assert_eq!(drive.calls(), [""; 0]);
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_an_io_error_with_its_cause() {
    let source = Source::read_at(Fake::new(content(10)).unreadable());
    let error = Upload::new(Arc::new(Drive::new(10)), source, clock()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "unreadable");
}

#[tokio::test]
async fn buffers_are_bounded_whatever_the_part_size() {
    let bytes = content(3 << 20);
    let fake = Arc::new(Fake::new(bytes.clone()));
    let drive = Arc::new(Drive::new(2 << 20));
    Upload::new(Arc::clone(&drive), Source::read_at(Arc::clone(&fake)), clock()).send().await.unwrap();
    assert!(drive.stored() == [&bytes[..]]);
    assert_eq!(fake.largest.load(Ordering::SeqCst), 256 << 10);
}

#[tokio::test]
async fn a_source_that_changes_while_it_is_hashed_is_not_announced() {
    for single_step in [0, 1 << 20] {
        let drive = Arc::new(Drive::new(10_000));
        let source = Source::read_at(Fake::new(content(500_000)).changes_after(2));
        let upload = Upload::new(Arc::clone(&drive), source, clock()).single_step_up_to(single_step);
        assert_eq!(upload.send().await.unwrap_err().kind(), ErrorKind::SourceChanged);
        assert_eq!(drive.calls(), [""; 0]);
    }
}

/// Changes a file of 3000 bytes, and makes sure that its time of change differs.
fn change(path: &Path, how: &str) {
    let other = path.with_extension("other");
    match how {
        "rewritten" => fs::write(path, vec![1; 3000]).unwrap(),
        "longer" => fs::write(path, vec![1; 3001]).unwrap(),
        "shorter" => fs::write(path, vec![1; 500]).unwrap(),
        "replaced" => {
            fs::write(&other, vec![1; 3000]).unwrap();
            fs::rename(&other, path).unwrap();
        }
        "removed" => return fs::remove_file(path).unwrap(),
        _ => unreachable!("no such change"),
    }
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_never_completed() {
    for how in ["rewritten", "longer", "shorter", "replaced", "removed"] {
        for (single_step, call) in [(0, "send_part 1"), (0, "send_part 3"), (1 << 20, "send_whole")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            fs::write(&path, content(3000)).unwrap();
            let changing = path.clone();
            let drive = Drive::new(1000).fails(move |name, nth| {
                if (name, nth) == (call, 0) {
                    change(&changing, how);
                    // The first attempt of a whole file must fail, or what was read before the change is stored.
                    return (call == "send_whole").then(|| Fault::Refused(error(ErrorKind::Connection)));
                }
                None
            });
            let upload = Upload::new(Arc::clone(&drive), &path, clock()).concurrency(1).single_step_up_to(single_step);
            let failure = upload.send().await.unwrap_err();
            assert_eq!(failure.kind(), ErrorKind::SourceChanged, "{how} at {call}: {failure}");
            assert!(drive.stored().is_empty(), "{how} at {call}");
        }
    }
}

#[tokio::test]
async fn a_file_with_the_same_stamp_as_before_is_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, content(3000)).unwrap();
    let reading = path.clone();
    let drive = Drive::new(1000).fails(move |_, _| {
        fs::read(&reading).unwrap();
        None
    });
    Upload::new(Arc::clone(&drive), &path, clock()).send().await.unwrap();
}

#[tokio::test]
async fn a_wrong_trusted_digest_is_an_error_before_a_byte_is_sent() {
    let bytes = content(3000);
    let md5 = Md5::of(&bytes);
    let wrong = Fingerprint::new(3000, Md5::of(b"other"));
    let wrong_sha1 = Fingerprint::new(3000, md5).with_sha1(crate::sha1_of(b"other"));
    for (trusted, single_step, kind, calls) in [
        (wrong, 0, ErrorKind::DigestMismatch, &["begin"][..]),
        (wrong_sha1, 0, ErrorKind::DigestMismatch, &["begin"]),
        (wrong, 1 << 20, ErrorKind::DigestMismatch, &[]),
        (Fingerprint::new(2999, md5), 0, ErrorKind::InvalidInput, &[]),
    ] {
        let drive = Arc::new(Drive::new(1000));
        let upload = Upload::new(Arc::clone(&drive), bytes.clone(), clock()).trust(trusted);
        let error = upload.single_step_up_to(single_step).send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(drive.calls(), calls);
    }
}

#[tokio::test]
async fn hashing_stops_soon_after_its_future_is_dropped() {
    let (permit, gate) = std::sync::mpsc::channel();
    let fake = Arc::new(Fake { gate: Some(Mutex::new(gate)), ..Fake::new(content(3 << 20)) });
    let watched = Arc::downgrade(&fake);
    let upload = Upload::new(Arc::new(Drive::new(1 << 20)), Source::read_at(fake), clock());
    let mut sending = Box::pin(upload.send());
    // One read is permitted; the upload then waits for more.
    permit.send(()).unwrap();
    while watched.upgrade().is_some_and(|fake| fake.reads.load(Ordering::SeqCst) == 0) {
        tokio::select! {
            biased;
            _ = &mut sending => unreachable!("the source waits"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(sending);
    drop(permit);
    // Up to four buffers may be on their way, with three reads and an interruption for each, and no others.
    let mut reads = 0;
    while let Some(fake) = watched.upgrade() {
        reads = fake.reads.load(Ordering::SeqCst);
        drop(fake);
        tokio::task::yield_now().await;
    }
    assert!(reads <= 20, "{reads} reads of 100,000 bytes are more than four buffers");
}

#[test]
fn a_source_shows_where_its_bytes_are_and_not_the_bytes() {
    assert_eq!(format!("{:?}", Source::from("a.txt")), r#"Path("a.txt")"#);
    assert_eq!(format!("{:?}", Source::from(b"secret")), "Bytes { length: 6 }");
    assert_eq!(Source::from("a/b.txt").local_path(), Some(Path::new("a/b.txt")));
    assert_eq!(Source::from(b"a/b.txt").local_path(), None);
}
