//! What a progress callback hears.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pan123_core::{BoxFuture, ErrorKind, Md5, Runtime, Timestamp, testing::VirtualRuntime};
use pan123_transfer::{Download, Expected, Fingerprint, PROGRESS_INTERVAL, Phase, Progress, Upload, UploadLimits};

use crate::{
    cdn::{Answer, Cdn},
    clock, content,
    drive::{Drive, Fault},
    error,
};

const PART: u64 = 600_000;

/// A clock that moves on whenever somebody looks at it, so that every progress is due.
#[derive(Debug)]
struct Ticking(VirtualRuntime);

impl Runtime for Ticking {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn elapsed(&self) -> Duration {
        self.0.advance(PROGRESS_INTERVAL);
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }

    fn random(&self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }
}

pub(crate) fn ticking() -> Arc<impl Runtime> {
    Arc::new(Ticking(VirtualRuntime::new(0, 1)))
}

/// Collects what a callback hears, and checks the rules that always hold.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Progress>>>);

impl Heard {
    fn callback(&self) -> impl Fn(Progress) + Send + Sync + 'static {
        let heard = self.clone();
        move |progress| heard.0.lock().unwrap().push(progress)
    }

    /// Returns the phases in their order, with the bytes at their beginnings and ends.
    fn phases(&self) -> Vec<(Phase, u64, u64)> {
        let heard = self.0.lock().unwrap();
        for progress in heard.iter() {
            assert!(progress.total.is_none_or(|total| progress.bytes <= total), "{progress:?}");
            assert!(progress.parts <= progress.total_parts, "{progress:?}");
        }
        let mut phases: Vec<(Phase, u64, u64)> = Vec::new();
        for progress in heard.iter() {
            match phases.last_mut() {
                Some((phase, _, last)) if *phase == progress.phase => {
                    assert!(*last <= progress.bytes, "bytes go back to {progress:?}");
                    *last = progress.bytes;
                }
                _ => phases.push((progress.phase, progress.bytes, progress.bytes)),
            }
        }
        phases
    }

    fn last(&self, phase: Phase) -> Progress {
        *self.0.lock().unwrap().iter().rfind(|progress| progress.phase == phase).unwrap()
    }
}

#[tokio::test]
async fn an_upload_in_parts_tells_each_phase_and_nothing_twice() {
    // A part is cut in its middle, twice, and sent again.
    let drive = Drive::new(PART).fails(move |call, nth| {
        let cut = || Fault::CutAfter(300_000, error(ErrorKind::Connection).with_may_have_happened(true));
        (call == "send_part 2" && nth < 2).then(cut)
    });
    let heard = Heard::default();
    let upload = Upload::new(Arc::clone(&drive), content(2_000_000), ticking()).concurrency(1);
    upload.on_progress(heard.callback()).send().await.unwrap();
    let size = 2_000_000;
    let want = [(Phase::Hashing, 0, size), (Phase::Sending, 0, size), (Phase::Completing, size, size)];
    assert_eq!(heard.phases(), want);
    // Bytes that are sent three times count once.
    let sending = |progress: &&Progress| progress.phase == Phase::Sending;
    for progress in heard.0.lock().unwrap().iter().filter(sending) {
        assert!(progress.bytes <= u64::from(progress.parts + 1) * PART, "{progress:?}");
    }
    assert!(heard.0.lock().unwrap().iter().filter(sending).count() > 8, "the chunks of a part are told one by one");
    let last = heard.last(Phase::Sending);
    assert_eq!((last.parts, last.total_parts, last.total), (4, 4, Some(size)));
}

#[tokio::test]
async fn other_ways_of_uploading_tell_their_phases() {
    let check = async |upload: Upload<Arc<Drive>>, phases: &[(Phase, u64, u64)]| {
        let heard = Heard::default();
        upload.on_progress(heard.callback()).send().await.unwrap();
        assert_eq!(heard.phases(), phases);
    };
    let bytes = content(2500);
    let upload = |drive: Drive| Upload::new(Arc::new(drive), bytes.clone(), clock());
    let single = upload(Drive::new(1000));
    check(single, &[(Phase::Hashing, 0, 2500), (Phase::Sending, 0, 2500)]).await;
    let instant = upload(Drive::new(1000).knows(&bytes)).single_step_up_to(0);
    check(instant, &[(Phase::Hashing, 0, 2500)]).await;
    let other_size = upload(Drive::new(1000).limits(UploadLimits::new(1 << 30, 700)));
    let [hashing, again, sending, completing] = [
        (Phase::Hashing, 0, 2500),
        (Phase::HashingParts, 0, 2500),
        (Phase::Sending, 0, 2500),
        (Phase::Completing, 2500, 2500),
    ];
    check(other_size, &[hashing, again, sending, completing]).await;
    let trusted = upload(Drive::new(1000)).single_step_up_to(0).trust(Fingerprint::new(2500, Md5::of(&bytes)));
    check(trusted, &[again, sending, completing]).await;
}

#[tokio::test]
async fn a_download_that_is_cut_never_goes_back() {
    let bytes = content(50_000);
    let cdn = Cdn::new(&bytes).answers(|nth| if nth < 3 { Answer::CutAfter(10_000) } else { Answer::Good });
    for expected in [Expected::new(Some(50_000), None), Expected::default()] {
        let heard = Heard::default();
        let download = Download::new(Arc::clone(&cdn), ticking()).expecting(expected).on_progress(heard.callback());
        download.bytes(1 << 20).await.unwrap();
        assert_eq!(heard.phases(), [(Phase::Receiving, 0, 50_000), (Phase::Verifying, 50_000, 50_000)]);
        assert_eq!(heard.last(Phase::Receiving).total, Some(50_000));
        assert!(heard.0.lock().unwrap().len() > 50, "chunks are told one by one");
    }
}
