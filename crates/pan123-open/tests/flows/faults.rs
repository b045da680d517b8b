//! A fault before, after and in the middle of each step of an upload: one whole file, or an honest error.

use pan123_open::{ErrorKind, OnConflict};
use pan123_sim::Fault;

use crate::world::{PART, World, content};

/// The steps of an upload in parts, and of one in a single request.
const STEPS: [(&str, u64); 5] = [
    ("open/auth.access_token", 0),
    ("open/upload_v2.create", 0),
    ("open/upload_v2.slice", 0),
    ("open/upload_v2.upload_complete", 0),
    ("open/upload_v2.single_create", 1 << 20),
];

type Moment = fn(Fault) -> Fault;

const MOMENTS: [(&str, Moment); 8] = [
    ("refused before", |fault| fault.before().status(500)),
    ("too many before", |fault| fault.before().code(429)),
    ("answer lost", Fault::drop_answer),
    ("cut in the middle", Fault::during),
    ("failed after", |fault| fault.after().status(502)),
    ("nonsense after", |fault| fault.after().body("text/html", "<html>")),
    ("done, and said in a way that cannot be read", |fault| {
        fault.after().body("application/json", r#"{"code":0,"message":"ok","data":"planted"}"#)
    }),
    ("refused for good", |fault| fault.before().code(88).message("no")),
];

#[tokio::test]
async fn an_upload_ends_in_one_whole_file_or_an_honest_error() {
    for (step, single) in STEPS {
        for (moment, plan) in MOMENTS {
            for conflict in [OnConflict::Fail, OnConflict::KeepBoth, OnConflict::Overwrite] {
                let world = World::new().await;
                let bytes = content(3 * PART + 5);
                world.sim.fault(plan(Fault::on(step)));
                let upload =
                    world.client.upload(bytes.clone()).name("a.bin").single_step_up_to(single).on_conflict(conflict);
                let result = upload.send().await;
                let stored = world.stored();
                let case = format!("{step}, {moment}, {conflict:?}: {result:?}");
                assert!(stored.len() <= 1, "two files: {case}");
                assert!(
                    stored.iter().all(|(path, content)| path == "/a.bin" && *content == bytes),
                    "a broken file: {case}"
                );
                match result {
                    Ok(file) => {
                        assert_eq!(stored.len(), 1, "{case}");
                        let there = world.sim.file("/a.bin").unwrap();
                        assert_eq!((there.id, there.md5), (file.id.get(), file.md5.to_string()), "{case}");
                    }
                    Err(error) => {
                        let honest = error.may_have_happened() || error.kind() == ErrorKind::OutcomeUnknown;
                        assert!(
                            stored.is_empty() || honest,
                            "stored, and the error does not say that it may be: {case}"
                        );
                    }
                }
            }
        }
    }
}
