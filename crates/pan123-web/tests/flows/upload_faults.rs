//! A fault before, after and in the middle of each step of uploading and overwriting: one whole file, or an honest error.

use pan123_sim::Fault;
use pan123_web::{ErrorKind, OnConflict};

use crate::transfers::{PART, assert_nothing_told, content, small_parts, visible};

/// The name that everything is about.
const NAME: &str = "a.bin";

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

const CHOICES: [OnConflict; 3] = [OnConflict::Fail, OnConflict::KeepBoth, OnConflict::Overwrite];

/// How a file goes: its size, whether the storage lends keys, whether its content is known.
struct Way {
    length: usize,
    keys: bool,
    known: bool,
    steps: &'static [(&'static str, u64)],
}

async fn check(way: Way) {
    for (step, nth) in way.steps {
        for (moment, plan) in MOMENTS {
            for conflict in CHOICES {
                if SWAP.contains(&(*step, *nth)) && conflict != OnConflict::Overwrite {
                    continue;
                }
                let case = format!("{step} {nth}, {moment}, {conflict:?}, {} bytes, keys {}", way.length, way.keys);
                meet(&way, plan(Fault::on(*step).nth(*nth)), conflict, &case).await;
            }
        }
    }
}

async fn meet(way: &Way, fault: Fault, conflict: OnConflict, case: &str) {
    let world = small_parts().await;
    world.sim.hand_out_keys(way.keys);
    let (old, new) = (content(100), content(way.length));
    let has_old = conflict != OnConflict::Fail;
    if has_old {
        world.sim.put(&format!("/{NAME}"), old.clone());
    }
    if way.known {
        world.sim.remember_content(new.clone());
    }
    world.sim.fault(fault);
    let result = world.client.upload(new.clone()).name(NAME).on_conflict(conflict).send().await;
    assert_eq!(world.sim.faults_fired(), 1, "nothing went wrong: {case}");
    let case = format!("{case}: {result:?}");
    let all = visible(&world.sim);
    let read = |file: &pan123_sim::StoredFile| world.sim.read(&file.path).unwrap();
    for file in &all {
        let bytes = read(file);
        assert!(bytes == new || (has_old && bytes == old), "{} is broken: {case}", file.path);
    }
    let named: Vec<_> = all.iter().filter(|file| file.name == NAME).collect();
    assert!(named.len() <= 1, "two files have the name: {case}");
    let is_temporary = |name: &str| name.starts_with(".pan123-");
    let news = all.iter().filter(|file| !is_temporary(&file.name) && read(file) == new).count();
    let temporary = all.iter().find(|file| is_temporary(&file.name));
    if has_old {
        assert_eq!(named.len(), 1, "nothing has the name: {case}");
    }
    if conflict == OnConflict::KeepBoth {
        assert!(read(named[0]) == old, "the old file is another: {case}");
    }
    assert!(news <= 1, "the new file is there twice: {case}");
    match &result {
        Ok(file) => {
            assert_eq!(news, 1, "{case}");
            let there = world.sim.file_by_id(file.id.get()).unwrap_or_else(|| panic!("no such id: {case}"));
            assert!(!there.trashed && there.name == file.name && read(&there) == new, "{there:?}: {case}");
            assert_eq!(temporary.map(|file| file.id), file.left_behind.map(|id| id.get()), "{case}");
        }
        Err(error) => {
            let honest = error.may_have_happened() || error.kind() == ErrorKind::OutcomeUnknown;
            assert!(news == 0 || honest, "stored, and the error does not say that it may be: {case}");
            assert!(temporary.is_none(), "a temporary file was left: {case}");
        }
    }
    assert_nothing_told(&world.sim);
}

/// What overwriting adds.
const SWAP: [(&str, u64); 3] = [("web/upload.request", 2), ("web/file.trash", 1), ("web/file.delete", 1)];

#[tokio::test]
async fn a_file_of_one_part() {
    let steps = &[
        ("web/upload.request", 1),
        ("web/upload.auth_single", 1),
        ("web/upload.put_part", 1),
        ("web/upload.complete_v2", 1),
        SWAP[0],
        SWAP[1],
        SWAP[2],
    ];
    check(Way { length: 5000, keys: false, known: false, steps }).await;
}

#[tokio::test]
async fn a_file_of_several_parts() {
    let steps = &[
        ("web/upload.list_parts", 1),
        ("web/upload.presign_parts", 1),
        ("web/upload.put_part", 3),
        ("web/upload.complete_v2", 1),
        SWAP[0],
    ];
    check(Way { length: 3 * PART + 5, keys: false, known: false, steps }).await;
}

#[tokio::test]
async fn a_file_whose_content_is_known() {
    let steps = &[("web/upload.request", 1), SWAP[0], SWAP[1]];
    check(Way { length: 5000, keys: false, known: true, steps }).await;
}

#[tokio::test]
async fn a_file_by_lent_keys() {
    let steps =
        &[("web/upload.request", 1), ("web/upload.put_part", 1), ("web/upload.complete", 1), ("web/file.info", 1)];
    check(Way { length: 5000, keys: true, known: false, steps }).await;
}

#[tokio::test]
async fn a_file_of_several_parts_by_lent_keys() {
    let steps = &[
        ("storage/create_multipart_upload", 1),
        ("web/upload.put_part", 2),
        ("storage/complete_multipart_upload", 1),
        ("web/upload.complete", 1),
        SWAP[0],
    ];
    check(Way { length: 3 * PART + 5, keys: true, known: false, steps }).await;
}

/// Nobody hears that the file was stored, and lists do not show it for a while.
#[tokio::test]
async fn a_file_that_is_stored_unheard_and_listed_late() {
    for (step, nth) in [("web/upload.request", 1), SWAP[0]] {
        for late in [1, 4, 12] {
            for conflict in CHOICES {
                if nth == 2 && conflict != OnConflict::Overwrite {
                    continue;
                }
                let way = Way { length: 5000, keys: false, known: true, steps: &[] };
                let fault = Fault::on(step).nth(nth).lists_late(late).drop_answer();
                meet(&way, fault, conflict, &format!("{step} {nth}, {late} late, {conflict:?}")).await;
            }
        }
    }
}
