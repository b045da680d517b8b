//! Whatever the content, the part size and the cuts: what arrives is what was sent.

use std::sync::Arc;

use bytes::Bytes;
use pan123_core::{ErrorKind, Md5};
use pan123_transfer::{Download, Expected, Source, Upload, UploadLimits};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use crate::{
    cdn::{Answer, Cdn},
    clock,
    drive::{Drive, Fault},
    error,
    sources::Fake,
};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_upload_stores_the_source(
        content in proptest::collection::vec(any::<u8>(), 0..3000),
        part_size in 1_u64..700,
        announced in 0_u64..700,
        concurrency in 1_usize..6,
        cuts in proptest::collection::vec(0_usize..700, 0..4),
        read_at in any::<bool>(),
    ) {
        let bytes = Bytes::from(content);
        let drive = Drive::new(part_size)
            .limits(UploadLimits::new(1 << 20, announced))
            .fails(move |call, nth| {
                let cut = *cuts.get(nth)?;
                call.starts_with("send_part").then(|| Fault::CutAfter(cut, error(ErrorKind::Connection)))
            });
        let source = if read_at { Source::read_at(Fake::new(bytes.clone())) } else { bytes.clone().into() };
        let upload = Upload::new(Arc::clone(&drive), source, clock()).concurrency(concurrency);
        let uploaded = run(upload.send()).unwrap();
        prop_assert_eq!(uploaded.fingerprint.md5, Md5::of(&bytes));
        prop_assert!(drive.stored() == [&bytes[..]]);
        prop_assert!(drive.part_sizes().iter().all(|size| *size as u64 <= part_size));
    }

    #[test]
    fn a_download_gives_the_content(
        content in proptest::collection::vec(any::<u8>(), 0..20_000),
        cuts in proptest::collection::vec((0_usize..9000, any::<bool>()), 0..4),
        knows_size in any::<bool>(),
        range in proptest::option::of((any::<proptest::sample::Index>(), any::<proptest::sample::Index>())),
    ) {
        let bytes = Bytes::from(content);
        let cdn = Cdn::new(&bytes).answers(move |nth| match cuts.get(nth) {
            Some((cut, true)) => Answer::CutAfter(*cut),
            Some((cut, false)) => Answer::EndAfter(*cut),
            None => Answer::Good,
        });
        let size = knows_size.then_some(bytes.len() as u64);
        let download = Download::new(Arc::clone(&cdn), clock()).expecting(Expected::new(size, Some(Md5::of(&bytes))));
        let (download, want) = match range {
            None => (download, bytes.clone()),
            Some((a, b)) => {
                let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
                let (start, end) = (a.min(b), a.max(b));
                (download.range(start as u64..end as u64), bytes.slice(start..end))
            }
        };
        let (got, downloaded) = run(download.to_writer(Vec::new())).unwrap();
        prop_assert!(got == want);
        prop_assert_eq!(downloaded.size, want.len() as u64);
    }
}
