//! Uploads that go on where an earlier one was dropped or killed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use pan123_core::{ErrorKind, Md5, Result};
use pan123_transfer::{Checkpoints, How, Notice, Phase, Progress, Source, Upload, Uploaded};

use crate::{
    clock, content,
    drive::{Drive, Fault},
    error,
};

const PART: u64 = 1000;
const SIZE: usize = 5500;
const PARTS: usize = 6;

/// A file, and a folder for checkpoints.
struct Bed {
    folder: tempfile::TempDir,
    bytes: Bytes,
}

impl Bed {
    fn new() -> Self {
        let bed = Self { folder: tempfile::tempdir().unwrap(), bytes: content(SIZE) };
        fs::create_dir(bed.checkpoints()).unwrap();
        bed.write(&bed.bytes, 0);
        bed
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    fn checkpoints(&self) -> PathBuf {
        self.folder.path().join("checkpoints")
    }

    /// Writes the file as if so many seconds later than the first time, which is long ago.
    fn write(&self, bytes: &[u8], later: u64) {
        fs::write(self.path(), bytes).unwrap();
        let file = fs::OpenOptions::new().write(true).open(self.path()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + later)).unwrap();
    }

    fn upload(&self, drive: &Arc<Drive>) -> Upload<Arc<Drive>> {
        self.upload_from(drive, self.path())
    }

    fn upload_from(&self, drive: &Arc<Drive>, source: impl Into<Source>) -> Upload<Arc<Drive>> {
        Upload::new(Arc::clone(drive), source, clock())
            .single_step_up_to(0)
            .concurrency(2)
            .checkpoints(self.checkpoints())
    }

    /// The files that are there for checkpoints.
    fn kept(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = self.checkpoints().read_dir().unwrap().map(|entry| entry.unwrap().path());
        // What is being replaced may be gone by now.
        entries.filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect()
    }

    fn checkpoint(&self) -> PathBuf {
        let mut kept = self.kept().into_iter().map(|(path, _)| path);
        kept.find(|path| path.extension().is_some_and(|end| end == "pan123-upload")).unwrap()
    }

    /// Runs an upload of three parts and a bit, of which two arrive, and kills it.
    async fn killed_after_two_parts(&self) -> Arc<Drive> {
        let drive =
            Drive::new(PART).fails(|call, _| matches!(call, "send_part 3" | "send_part 4").then_some(Fault::Hang));
        kill(self, self.upload(&drive), &drive, "send_part 4", true).await;
        drive.heal();
        drive
    }
}

/// Runs a test whose work on files is done by one thread, in its order.
fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap().block_on(test);
}

/// Waits until all work on files that was begun before is done.
async fn everything_written() {
    tokio::task::spawn_blocking(|| ()).await.unwrap();
}

/// Runs `upload` until `call` was made and nothing goes on, and then drops it; as a kill would, if it is one: what was on the
/// disk at that moment is what is there afterwards, with a lock and half a file beside it.
async fn kill(bed: &Bed, upload: Upload<Arc<Drive>>, drive: &Drive, call: &str, is_kill: bool) {
    let mut sending = Box::pin(upload.send());
    let (mut quiet, mut before) = (0, 0);
    while quiet < 5 {
        tokio::select! {
            biased;
            done = &mut sending => panic!("{call} hangs, and yet it ended: {done:?}"),
            () = everything_written() => {}
        }
        let calls = drive.calls();
        let is_quiet = calls.len() == before && calls.iter().any(|made| made == call);
        (quiet, before) = (if is_quiet { quiet + 1 } else { 0 }, calls.len());
    }
    let kept = bed.kept();
    drop(sending);
    if is_kill {
        for (path, bytes) in kept {
            fs::write(&path, &bytes).unwrap();
            if path.extension().is_some_and(|end| end == "pan123-upload") {
                fs::write(path.with_extension("pan123-upload.new"), "{\"chec").unwrap();
            }
        }
        #[cfg(unix)]
        for (path, _) in bed.kept() {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// Runs an upload and notes the phases that it went through.
async fn finish(upload: Upload<Arc<Drive>>) -> (Result<Uploaded<usize>>, Vec<Phase>, Vec<Progress>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let done = upload.on_progress(move |progress| hearing.lock().unwrap().push(progress)).send().await;
    let heard = heard.lock().unwrap().clone();
    let mut phases: Vec<Phase> = heard.iter().map(|progress: &Progress| progress.phase).collect();
    phases.dedup();
    (done, phases, heard)
}

fn count(drive: &Drive, name: &str) -> usize {
    drive.calls().iter().filter(|call| call.starts_with(name)).count()
}

#[test]
fn a_kill_or_a_drop_at_any_call_costs_at_most_the_parts_in_flight() {
    run(async {
        for is_kill in [false, true] {
            for is_applied in [false, true] {
                for nth in 0..PARTS + 2 {
                    let bed = Bed::new();
                    let made = Mutex::new(Vec::new());
                    let hung = Arc::new(Mutex::new(None));
                    let hang = Arc::clone(&hung);
                    let drive = Drive::new(PART).fails(move |call, _| {
                        let mut made = made.lock().unwrap();
                        made.push(call.to_owned());
                        if made.len() <= nth {
                            return None;
                        }
                        hang.lock().unwrap().get_or_insert(call.to_owned());
                        Some(if is_applied { Fault::AppliedHang } else { Fault::Hang })
                    });
                    let call = ["begin", "send_part 1", "send_part 2", "send_part 3", "send_part 4", "send_part 5"];
                    let call = call.get(nth).copied().unwrap_or(if nth == PARTS { "send_part 6" } else { "complete" });
                    kill(&bed, bed.upload(&drive), &drive, call, is_kill).await;
                    drive.heal();
                    let what = format!("{call}, applied {is_applied}, kill {is_kill}");
                    let (done, phases, _) = finish(bed.upload(&drive)).await;
                    let done = done.unwrap_or_else(|error| panic!("{what}: {error:?}"));
                    assert!(drive.stored() == [&bed.bytes[..]], "{what}");
                    assert_eq!((done.how, done.notice), (How::Parts, None), "{what}");
                    assert!(!phases.contains(&Phase::Hashing), "{what}: {phases:?}");
                    // All but those that had arrived, and those that were on their way.
                    let most = PARTS + 1 - nth.clamp(1, PARTS + 1);
                    assert!(count(&drive, "send_part") <= most, "{what}: {:?}", drive.calls());
                    // A session that was announced and not heard of is made anew; any other goes on.
                    assert_eq!(count(&drive, "begin"), usize::from(nth == 0), "{what}");
                    assert!(bed.kept().is_empty(), "{what}: {:?}", bed.kept());
                }
            }
        }
    });
}

#[test]
fn a_file_that_is_stored_is_found_after_a_kill_and_not_stored_twice() {
    run(async {
        let check = async |drive: Drive, call: &'static str, single_step: u64, how: How| {
            let bed = Bed::new();
            let drive = drive.fails(move |name, _| (name == call).then_some(Fault::AppliedHang));
            kill(&bed, bed.upload(&drive).single_step_up_to(single_step), &drive, call, true).await;
            assert_eq!(drive.stored().len(), 1);
            drive.heal();
            let (done, phases, _) = finish(bed.upload(&drive).single_step_up_to(single_step)).await;
            assert_eq!(done.unwrap().how, how);
            assert_eq!((drive.stored().len(), drive.calls()), (1, vec!["find".to_owned()]));
            assert_eq!(phases, [], "nothing is read and nothing is sent");
            assert!(bed.kept().is_empty());
        };
        check(Drive::new(PART), "complete", 0, How::Parts).await;
        check(Drive::new(PART), "send_whole", 1 << 20, How::SingleStep).await;
        check(Drive::new(PART).knows(&content(SIZE)), "begin", 0, How::Instant).await;
    });
}

#[test]
fn when_nobody_can_tell_that_is_said_once_and_does_not_hold_up_the_next() {
    run(async {
        let bed = Bed::new();
        let drive = Drive::new(PART).fails(|name, _| (name == "begin").then_some(Fault::Hang));
        kill(&bed, bed.upload(&drive), &drive, "begin", true).await;
        drive.heal();
        let blind = |name: &str, _| (name == "find").then(|| Fault::Refused(error(ErrorKind::OutcomeUnknown)));
        let drive = Drive::new(PART).fails(blind);
        let failure = bed.upload(&drive).send().await.unwrap_err();
        assert_eq!((failure.kind(), failure.may_have_happened()), (ErrorKind::OutcomeUnknown, true));
        assert_eq!(drive.calls(), ["find"]);
        bed.upload(&drive).send().await.unwrap();
        assert!(drive.stored() == [&bed.bytes[..]]);
    });
}

#[test]
fn progress_begins_with_what_is_there() {
    run(async {
        let bed = Bed::new();
        let drive = bed.killed_after_two_parts().await;
        let (done, phases, heard) = finish(bed.upload(&drive)).await;
        assert_eq!(done.unwrap().resumed, 2000);
        assert_eq!(phases, [Phase::Sending, Phase::Completing]);
        let first = heard[0];
        assert_eq!((first.bytes, first.total, first.resumed), (2000, Some(SIZE as u64), 2000));
        assert_eq!((first.parts, first.total_parts, first.notice), (2, PARTS as u32, None));
        let last = heard.iter().rfind(|progress| progress.phase == Phase::Sending).unwrap();
        assert_eq!((last.bytes, last.parts), (SIZE as u64, PARTS as u32));
        assert_eq!(count(&drive, "send_part"), 4);
    });
}

#[test]
fn a_source_that_changed_starts_over_and_says_so() {
    run(async {
        for change in ["rewritten", "longer", "replaced"] {
            let bed = Bed::new();
            let drive = bed.killed_after_two_parts().await;
            let other: Vec<u8> = bed.bytes.iter().rev().copied().chain((change == "longer").then_some(1)).collect();
            match change {
                "replaced" => {
                    // The same size and the same time, and another inode.
                    fs::rename(bed.path(), bed.folder.path().join("aside")).unwrap();
                    bed.write(&other, 0);
                    if cfg!(not(unix)) {
                        continue;
                    }
                }
                _ => bed.write(&other, 1),
            }
            let (done, phases, heard) = finish(bed.upload(&drive)).await;
            let done = done.unwrap();
            assert_eq!(done.fingerprint.md5, Md5::of(&other), "{change}");
            assert_eq!((done.notice, done.resumed), (Some(Notice::SourceChanged), 0), "{change}");
            assert_eq!(heard.last().unwrap().notice, Some(Notice::SourceChanged));
            assert!(done.notice.unwrap().to_string().contains("starts over"));
            assert_eq!(phases[0], Phase::Hashing);
            assert!(drive.stored() == [&other[..]], "{change}");
        }
    });
}

#[test]
fn a_source_whose_stamp_proves_nothing_is_hashed_again_and_known_by_its_md5() {
    run(async {
        // Touched; changed too short a time before it was hashed; not a file.
        for what in ["touched", "young", "bytes", "reader"] {
            let bed = Bed::new();
            let source = || match what {
                "bytes" => Source::bytes(bed.bytes.clone()),
                "reader" => Source::reader(std::io::Cursor::new(bed.bytes.clone())),
                _ => Source::path(bed.path()),
            };
            if what == "young" {
                // The clock of these tests stands at 1,700,000,000.
                bed.write(&bed.bytes, 99_999_999);
            }
            let drive =
                Drive::new(PART).fails(|call, _| matches!(call, "send_part 3" | "send_part 4").then_some(Fault::Hang));
            kill(&bed, bed.upload_from(&drive, source()), &drive, "send_part 4", true).await;
            drive.heal();
            if what == "touched" {
                bed.write(&bed.bytes, 7);
            }
            let (done, phases, _) = finish(bed.upload_from(&drive, source())).await;
            let done = done.unwrap();
            assert_eq!((done.resumed, done.notice), (2000, None), "{what}");
            assert_eq!(phases, [Phase::Hashing, Phase::Sending, Phase::Completing], "{what}");
            assert!(drive.stored() == [&bed.bytes[..]], "{what}");
            assert_eq!((count(&drive, "begin"), count(&drive, "send_part")), (0, 4), "{what}");
            assert!(bed.kept().is_empty());
        }
    });
}

#[test]
fn a_session_that_is_gone_starts_over_by_itself() {
    run(async {
        for call in ["send_part 4", "complete"] {
            let bed = Bed::new();
            let drive = Drive::new(PART).fails(move |name, _| {
                (name == call || name == "send_part 3" && call != "complete").then_some(Fault::Hang)
            });
            kill(&bed, bed.upload(&drive), &drive, call, true).await;
            drive.heal();
            drive.forget();
            let (done, phases, heard) = finish(bed.upload(&drive)).await;
            let done = done.unwrap();
            assert_eq!((done.notice, done.resumed), (Some(Notice::SessionGone), 0));
            assert_eq!(heard.last().unwrap().notice, Some(Notice::SessionGone));
            assert!(!phases.contains(&Phase::Hashing), "{phases:?}");
            assert!(drive.stored() == [&bed.bytes[..]]);
            assert_eq!(count(&drive, "begin"), 1);
        }
    });
}

#[test]
fn what_is_refused_in_a_new_session_too_is_an_error_and_leaves_no_checkpoint() {
    run(async {
        let bed = Bed::new();
        drop(bed.killed_after_two_parts().await);
        let drive = Drive::new(PART)
            .fails(|call, _| call.starts_with("send_part").then(|| Fault::Refused(error(ErrorKind::Api))));
        assert_eq!(bed.upload(&drive).send().await.unwrap_err().kind(), ErrorKind::Api);
        assert_eq!(count(&drive, "begin"), 1);
        assert!(bed.kept().is_empty(), "the digests may be at fault");
    });
}

#[test]
fn a_stamp_that_lies_costs_one_upload_and_never_stores_a_mixture() {
    run(async {
        let bed = Bed::new();
        let drive = bed.killed_after_two_parts().await;
        let other: Vec<u8> = bed.bytes.iter().rev().copied().collect();
        bed.write(&other, 0);
        assert_eq!(bed.upload(&drive).send().await.unwrap_err().kind(), ErrorKind::Api);
        assert!(drive.stored().is_empty());
        bed.upload(&drive).send().await.unwrap();
        assert!(drive.stored() == [&other[..]]);
    });
}

#[test]
fn failures_that_pass_keep_the_checkpoint() {
    run(async {
        for kind in [
            ErrorKind::Connection,
            ErrorKind::RateLimited,
            ErrorKind::Unauthorized,
            ErrorKind::QuotaExceeded,
            ErrorKind::ProtocolChanged,
        ] {
            let bed = Bed::new();
            let drive =
                Drive::new(PART).fails(move |call, _| (call == "send_part 3").then(|| Fault::Refused(error(kind))));
            let upload = bed.upload(&drive).concurrency(1);
            assert_eq!(upload.send().await.unwrap_err().kind(), kind);
            drive.heal();
            let done = bed.upload(&drive).send().await.unwrap();
            assert_eq!((done.resumed, done.notice), (2000, None), "{kind:?}");
            assert!(drive.stored() == [&bed.bytes[..]]);
        }
    });
}

#[test]
fn a_checkpoint_that_cannot_be_used_is_a_notice_and_never_a_failure() {
    run(async {
        let bed = Bed::new();
        drop(bed.killed_after_two_parts().await);
        let path = bed.checkpoint();
        let good = fs::read_to_string(&path).unwrap();
        let bad = [
            "",
            "{}",
            "null",
            "not json",
            "\u{0}\u{0}",
            &good[..good.len() / 2],
            &good.replace("\"version\":1", "\"version\":9"),
        ];
        for text in bad {
            fs::write(&path, text).unwrap();
            let drive = Arc::new(Drive::new(PART));
            let (done, phases, heard) = finish(bed.upload(&drive)).await;
            assert_eq!(done.unwrap().notice, Some(Notice::CheckpointUnreadable), "{text}");
            assert_eq!(phases[0], Phase::Hashing);
            assert!(heard.iter().any(|progress| progress.notice == Some(Notice::CheckpointUnreadable)));
            assert!(drive.stored() == [&bed.bytes[..]]);
            assert!(bed.kept().is_empty());
        }
    });
}

#[test]
fn a_checkpoint_that_lies_never_leads_to_a_wrong_file() {
    run(async {
        let bed = Bed::new();
        let drive = bed.killed_after_two_parts().await;
        let path = bed.checkpoint();
        let good = fs::read_to_string(&path).unwrap();
        let md5 = Md5::of(&bed.bytes[..1000]).to_string();
        for (what, by) in [
            ("\"done\":[1,2]", "\"done\":[1,2,3,4,5,6]"),
            ("\"done\":[1,2]", "\"done\":[0,2,99,4000000000]"),
            ("\"part_size\":1000,\"done\"", "\"part_size\":0,\"done\""),
            ("\"part_size\":1000,\"done\"", "\"part_size\":18446744073709551615,\"done\""),
            (&format!("\"{md5}\","), ""),
            (&md5, &Md5::of(b"other").to_string()),
            ("\"size\":5500", "\"size\":5501"),
            ("session 1", "session 2"),
        ] {
            assert!(good.contains(what), "{what} in {good}");
            let lie = good.replace(what, by);
            let (begin, sum) = lie.rsplit_once(",\"md5\":").unwrap();
            let (_, content) = begin.split_once("\"content\":").unwrap();
            let lie = lie.replace(sum, &format!("\"{}\"}}", Md5::of(content.as_bytes())));
            fs::write(&path, lie).unwrap();
            drop(finish(bed.upload(&drive)).await);
            // Once the checkpoint is used up, nothing of it is left.
            if drive.stored().is_empty() {
                bed.upload(&drive).send().await.unwrap();
            }
            assert!(drive.stored() == [&bed.bytes[..]], "{by} for {what}");
            assert!(bed.kept().is_empty());
            drive.start_again();
        }
    });
}

#[test]
fn two_uploads_cannot_use_one_checkpoint_at_the_same_time() {
    run(async {
        let bed = Bed::new();
        let drive = Drive::new(PART).fails(|call, _| (call == "begin").then_some(Fault::Hang));
        let mut first = Box::pin(bed.upload(&drive).send());
        while drive.calls().is_empty() {
            tokio::select! {
                biased;
                _ = &mut first => unreachable!("it hangs"),
                () = tokio::task::yield_now() => {}
            }
        }
        let other = Arc::new(Drive::new(PART));
        let failure = bed.upload(&other).send().await.unwrap_err();
        assert_eq!((failure.kind(), other.calls().len()), (ErrorKind::InUse, 0), "{failure}");
        // Elsewhere it may go at the same time.
        let elsewhere = Arc::new(Drive::new(PART).destination("elsewhere"));
        bed.upload(&elsewhere).send().await.unwrap();
        drop(first);
        bed.upload(&other).send().await.unwrap();
        assert!(other.stored() == [&bed.bytes[..]]);
    });
}

#[test]
fn a_checkpoint_can_be_beside_its_file_where_only_the_owner_reads_it() {
    run(async {
        let bed = Bed::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (seeing, folder) = (Arc::clone(&seen), bed.folder.path().to_owned());
        let drive = Drive::new(PART).fails(move |_, _| {
            let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
            seeing.lock().unwrap().extend(names.filter(|path| path.to_string_lossy().ends_with(".pan123-upload")).map(
                |path| {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    #[cfg(unix)]
                    assert_eq!(
                        std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777,
                        0o600
                    );
                    name
                },
            ));
            None
        });
        let upload = bed.upload(&drive).checkpoints(Checkpoints::beside_file());
        upload.send().await.unwrap();
        let seen = seen.lock().unwrap().clone();
        assert!(seen.len() >= PARTS && seen.iter().all(|name| name.starts_with(".file.")), "{seen:?}");
        assert_eq!(bed.folder.path().read_dir().unwrap().count(), 2, "the file, and the folder of the other tests");

        let upload = Upload::new(Arc::clone(&drive), b"bytes", clock()).checkpoints(Checkpoints::beside_file());
        assert_eq!(upload.send().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_folder_for_checkpoints_that_is_not_there_is_an_error_before_any_request() {
    run(async {
        let bed = Bed::new();
        let drive = Arc::new(Drive::new(PART));
        let failure = bed.upload(&drive).checkpoints(bed.folder.path().join("missing")).send().await.unwrap_err();
        assert_eq!((failure.kind(), drive.calls().len()), (ErrorKind::Io, 0));
    });
}

#[test]
fn an_upload_goes_on_when_its_checkpoint_cannot_be_written_any_more() {
    run(async {
        let bed = Bed::new();
        let folder = bed.checkpoints();
        let drive = Drive::new(PART).fails(move |call, _| {
            if call == "send_part 2" {
                fs::remove_dir_all(&folder).unwrap();
            }
            None
        });
        let done = bed.upload(&drive).concurrency(1).send().await.unwrap();
        assert_eq!(done.notice, Some(Notice::CheckpointNotKept));
        assert!(drive.stored() == [&bed.bytes[..]]);
    });
}

#[test]
fn without_checkpoints_nothing_is_written() {
    run(async {
        let bed = Bed::new();
        let drive = Arc::new(Drive::new(PART));
        let path: &Path = &bed.path();
        Upload::new(Arc::clone(&drive), path, clock()).single_step_up_to(0).send().await.unwrap();
        assert_eq!(bed.folder.path().read_dir().unwrap().count(), 2);
        assert!(bed.kept().is_empty());
    });
}

#[test]
fn parts_that_arrived_twice_do_no_harm() {
    run(async {
        // The part arrives, its answer is lost with the process, and it is sent again.
        let bed = Bed::new();
        let drive = Drive::new(PART)
            .fails(|call, _| matches!(call, "send_part 1" | "send_part 2").then_some(Fault::AppliedHang));
        kill(&bed, bed.upload(&drive), &drive, "send_part 2", true).await;
        assert_eq!(drive.part_sizes(), [1000, 1000]);
        drive.heal();
        bed.upload(&drive).send().await.unwrap();
        assert!(drive.stored() == [&bed.bytes[..]]);
        assert_eq!(count(&drive, "send_part"), PARTS);
    });
}
