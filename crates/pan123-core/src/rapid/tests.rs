//! Every vector of the reference, and what must hold for any text.

use std::{future::Future, pin::pin, sync::Mutex, task};

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::RngSeed;
use serde::Deserialize;

use super::{
    Import, ImportOutcome, InstantUpload, RapidFile, RapidLink, base62,
    text::{CommonFolder, EtagForm},
};
use crate::{BoxFuture, Error, ErrorKind, FileId, Md5, Result};

#[derive(Deserialize)]
struct Vectors {
    base62: Vec<Number>,
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Number {
    hex: Option<String>,
    base62: String,
}

#[derive(Deserialize)]
struct Link {
    id: String,
    input: String,
    items: Option<Vec<Item>>,
    error: Option<String>,
    write: Option<Write>,
    printed: Option<String>,
}

#[derive(Deserialize)]
struct Write {
    items: Vec<Item>,
    etags: String,
    common: String,
}

#[derive(Deserialize)]
struct Item {
    etag: String,
    size: u64,
    path: String,
    s3_key_flag: Option<String>,
}

impl Item {
    fn file(&self) -> RapidFile {
        let file = RapidFile::new(self.etag.parse().unwrap(), self.size, &self.path).unwrap();
        file.with_s3_key_flag(self.s3_key_flag.clone().unwrap_or_default())
    }
}

fn vectors() -> Vectors {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors/rapid-links.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_number_of_the_reference_is_read_and_written() {
    let numbers = vectors().base62;
    assert_eq!(numbers.len(), 14);
    for Number { hex, base62: text } in numbers {
        let read = base62::decode(&text);
        match hex {
            Some(hex) => {
                let md5: Md5 = hex.parse().unwrap();
                assert_eq!(read.unwrap(), md5, "{text}");
                assert_eq!(base62::encode(md5), text);
            }
            None => assert!(read.unwrap_err().to_string().contains("out of range"), "{text}"),
        }
    }
}

#[test]
fn every_link_of_the_reference_is_read_as_it_says() {
    let links = vectors().links;
    assert_eq!(links.len(), 31);
    for Link { id, input, items, error, .. } in links {
        match (RapidLink::parse(&input), items, error) {
            (Ok(link), Some(items), None) => {
                assert_eq!(link.files(), items.iter().map(Item::file).collect::<Vec<_>>(), "{id}");
                assert!(link.rejected().is_empty(), "{id}");
            }
            (Err(found), None, Some(reason)) => {
                let words = if reason == "empty path" { "path is empty" } else { &reason };
                assert!(found.to_string().contains(words), "{id}: {found} is not {reason}");
            }
            (found, _, _) => panic!("{id}: {found:?}"),
        }
    }
}

#[test]
fn every_link_of_the_reference_is_written_as_it_says() {
    let mut written = 0;
    for Link { id, write, printed, .. } in vectors().links {
        let (Some(write), Some(printed)) = (write, printed) else { continue };
        let link: RapidLink = write.items.iter().map(Item::file).collect();
        let etags = if write.etags == "hex" { EtagForm::Hex } else { EtagForm::Base62 };
        let common = match write.common.as_str() {
            "auto" => CommonFolder::Auto,
            "off" => CommonFolder::Off,
            "always" => CommonFolder::Always,
            other => panic!("{other}"),
        };
        assert_eq!(link.to_text(etags, common), printed, "{id}");
        written += 1;
    }
    assert_eq!(written, 8);
}

const HELLO: &str = "5d41402abc4b2a76b9719d911017c592";

#[test]
fn what_is_wrong_is_said_of_each_entry_and_the_good_ones_are_kept() {
    let link = RapidLink::parse(&format!("123FSLinkV2${HELLO}#5#a.txt$x!#1#b$2PY6zCz4ZUQkeY47zJ8txM#5#../c")).unwrap();
    assert_eq!(link.files().len(), 1);
    let numbers: Vec<usize> = link.rejected().iter().map(|rejected| rejected.number).collect();
    assert_eq!(numbers, [2, 3]);
    let json = format!(r#"{{"files":[{{"etag":"{HELLO}","size":5,"path":"a"}},{{"etag":"","size":5,"path":"b"}},7]}}"#);
    let link = RapidLink::parse(&json).unwrap();
    assert_eq!((link.files().len(), link.rejected().len()), (1, 2));
}

#[test]
fn a_path_stays_below_its_folder_or_is_refused() {
    for (path, want) in [
        ("a/b", Some("a/b")),
        ("/a//./b/", Some("a/b")),
        (" a /.hidden", Some(" a /.hidden")),
        ("ab:c/d", Some("ab:c/d")),
        ("..", None),
        ("a/../b", None),
        ("C:/a", None),
        ("c:a", None),
        ("/./C:/a", None),
        (r"\\server\share", None),
        ("a\0", None),
        ("", None),
        ("/./", None),
    ] {
        let file = RapidFile::new(Md5::of(b""), 0, path);
        assert_eq!(file.ok().as_ref().map(RapidFile::path), want, "{path:?}");
    }
    let file = RapidFile::new(Md5::of(b""), 0, "a/b/c").unwrap();
    assert_eq!((file.folder(), file.name()), ("a/b", "c"));
}

#[test]
fn odd_forms_are_read_or_refused_with_a_reason() {
    for (text, want) in [
        ("", "no entries"),
        ("123FLCPV2${\"files\":[]}", "JSON behind the prefix"),
        ("123FLCPV2$dir%a.txt|5|abc", "etag#size#path"),
        // JSON stays JSON, also where a `%` makes it look like a common folder.
        ("123FLCPV2${ \"commonPath\":\"100%\",\"files\":[]}", "JSON behind the prefix"),
        ("123FSLinkV2${\n}", "JSON behind the prefix"),
        ("123FLCPV2${a/%x!#1#b", "neither an MD5"),
        ("hello", "no rapid-upload link"),
        ("a.txt|5|abc", "not an MD5"),
        ("123://a.txt|5", "123://name|size|md5"),
        ("[1,2", "well-formed"),
        ("7", "no rapid-upload link"),
        (r#"{"files":[{"path":"a","size":1,"sha1":"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"}]}"#, "etag is missing"),
        (r#"[["86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",1,"a"]]"#, "out of range"),
        ("123://a%2Fb|5|5d41402abc4b2a76b9719d911017c592", "may not hold '/'"),
        // Base64 of `[{"FileId":1,"FileName":"..","Type":0,"Size":1,"Etag":"5d41402abc4b2a76b9719d911017c592","AbsPath":"1"}]`
        (
            "W3siRmlsZUlkIjoxLCJGaWxlTmFtZSI6Ii4uIiwiVHlwZSI6MCwiU2l6ZSI6MSwiRXRhZyI6IjVkNDE0MDJhYmM0YjJhNzZiOTcxOWQ5MTEwMTdjNTkyIiwiQWJzUGF0aCI6IjEifV0",
            "out of its folder",
        ),
    ] {
        let error = RapidLink::parse(text).unwrap_err().to_string();
        assert!(error.contains(want), "{text}: {error}");
    }
    for text in [
        format!("\u{feff}\n123FSLinkV2${HELLO}#5#a.txt\n"),
        format!("a.txt|5|{HELLO}"),
        format!("123://a.txt|5|{HELLO}\n"),
        format!(r#"{{"files":[{{"path":"a.txt","size":"5","etag":"{HELLO}"}}]}} "#),
    ] {
        let link = RapidLink::parse(&text).unwrap();
        assert_eq!((link.files()[0].path(), link.files()[0].size()), ("a.txt", 5), "{text}");
    }
}

#[test]
fn a_number_has_at_most_22_digits() {
    let digits = |count: usize| base62::decode(&format!("{:0>count$}", "1")).map_err(|error| error.to_string());
    assert_eq!(digits(22).unwrap(), Md5::from(1_u128.to_be_bytes()));
    assert!(digits(23).unwrap_err().contains("out of range"));
}

#[test]
fn an_address_is_known_by_its_end_whatever_its_name() {
    for name in ["[Sub] Title - 01.mkv", "{x}.mkv", "[1]", "C# 教程.pdf", "a$b.txt", "a#5#b", "123F.txt", "a b|c"] {
        for scheme in ["", "123://"] {
            for flag in ["", "?1812345678-0"] {
                let link = RapidLink::parse(&format!("{scheme}{name}|5|{HELLO}{flag}\nb|0|{HELLO}")).unwrap();
                assert_eq!((link.files()[0].path(), link.files()[0].size(), link.files().len()), (name, 5, 2));
                assert_eq!(link.files()[0].s3_key_flag(), flag.strip_prefix('?'), "{name}");
            }
        }
    }
    // What ends so may still be another form.
    for text in [
        format!("{HELLO}#7#a|5|{HELLO}"),
        format!("123FSLinkV1${HELLO}#7#a|5|{HELLO}"),
        format!(r#"[["{HELLO}",7,"a|5|{HELLO}"]]"#),
        format!(r#"[["{HELLO}",7,"a|5|{HELLO}?b"]]"#),
    ] {
        let link = RapidLink::parse(&text).unwrap();
        assert_eq!(link.files()[0].size(), 7, "{text}");
        assert!(link.files()[0].path().starts_with("a|5|"), "{text}");
    }
}

#[test]
fn a_folder_never_passes_as_a_file() {
    for path in ["", "/", ".", "./", "/././/"] {
        for text in [
            format!("123FLCPV2$a/%{HELLO}#5#{path}"),
            format!(r#"{{"commonPath":"x","files":[{{"path":"{path}","size":5,"etag":"{HELLO}"}}]}}"#),
        ] {
            let error = RapidLink::parse(&text).unwrap_err().to_string();
            assert!(error.contains("path is empty"), "{text}: {error}");
        }
    }
    let rows = format!(r#"[{{"FileId":0,"FileName":"d","Type":1}},{}]"#, row(1, ".", "0/1"));
    assert!(RapidLink::parse(&share_code(&rows)).unwrap_err().to_string().contains("empty or '.'"));
    let link = RapidLink::parse(&format!("123FLCPV2$x/%{HELLO}#5#C:/a")).unwrap();
    assert_eq!(link.files()[0].path(), "x/C:/a");
    assert_eq!(RapidLink::parse(&link.to_string()).unwrap().files(), link.files());
}

#[test]
fn a_path_is_as_long_as_it_may_be_and_no_longer() {
    let longest = RapidFile::LONGEST_PATH;
    let texts = |bytes: usize| {
        let (common, long) = ("a".repeat(bytes - 2), "a".repeat(bytes));
        [
            format!("123FLCPV2${common}/%{HELLO}#5#b"),
            format!("123FSLinkV2${HELLO}#5#{long}"),
            format!(r#"{{"commonPath":"{common}","files":[{{"path":"b","size":5,"etag":"{HELLO}"}}]}}"#),
            share_code(&format!(r#"[{{"FileId":0,"FileName":"{common}","Type":1}},{}]"#, row(1, "b", "0/1"))),
        ]
    };
    for text in texts(longest) {
        let link = RapidLink::parse(&text).unwrap();
        assert_eq!(link.files()[0].path().len(), longest);
        assert_eq!(RapidLink::parse(&link.to_string()).unwrap().files(), link.files());
    }
    for text in texts(longest + 1) {
        assert!(RapidLink::parse(&text).unwrap_err().to_string().contains(&format!("longer than {longest} bytes")));
    }
}

#[test]
fn a_short_link_does_not_grow_into_a_long_list() {
    let text = format!("123FLCPV2${}%{}", "a".repeat(75_000), "0#0#a$".repeat(12_500));
    assert!(RapidLink::parse(&text).unwrap_err().to_string().contains("longer than"));
    let circle = share_code(&format!("[{}]", row(0, "a", &["0"; 5000].join("/"))));
    assert!(RapidLink::parse(&circle).unwrap_err().to_string().contains("an entry twice"));
    let chain = row(2, "a", "0/1/2");
    let folder = |id| format!(r#"{{"FileId":{id},"FileName":"{}","Type":1}}"#, "b".repeat(3000));
    let chain = share_code(&format!("[{},{},{chain}]", folder(0), folder(1)));
    assert!(RapidLink::parse(&chain).unwrap_err().to_string().contains("longer than"));
}

/// A row of a share code, for a file of five bytes.
fn row(id: u32, name: &str, chain: &str) -> String {
    format!(r#"{{"FileId":{id},"FileName":"{name}","Type":0,"Size":5,"Etag":"{HELLO}","AbsPath":"{chain}"}}"#)
}

fn share_code(rows: &str) -> String {
    STANDARD.encode(rows)
}

#[test]
fn a_common_folder_may_begin_with_a_brace() {
    let link: RapidLink = [RapidFile::new(Md5::of(b"hello"), 5, "{a/b.txt").unwrap()].into_iter().collect();
    assert_eq!(RapidLink::parse(&link.to_string()).unwrap().files(), link.files());
}

fn file() -> impl Strategy<Value = RapidFile> {
    let part = prop_oneof![Just("影片".to_owned()), Just("a#b$c%d".to_owned()), "[a-z .%#]{1,6}", any::<String>()];
    let path = prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"));
    (any::<[u8; 16]>(), any::<u64>(), path)
        .prop_filter_map("the path is a good one", |(md5, size, path)| RapidFile::new(md5.into(), size, path).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(123), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Ok(link) = RapidLink::parse(&text) {
            prop_assert!(!link.files().is_empty());
        }
    }

    #[test]
    fn any_entry_is_read_or_refused(text in "123F(SLink|LCP)V[123]\\$[a-z/]{0,4}%?[0-9a-zA-Z]{0,24}#[0-9-]{0,21}#[a-z./%#$\\n]{0,9}") {
        let _ = RapidLink::parse(&text);
    }

    #[test]
    fn what_is_written_is_read_again(files in prop::collection::vec(file(), 1..5), hex: bool, common in 0_usize..3) {
        let link: RapidLink = files.iter().cloned().collect();
        let from_json = RapidLink::parse(&link.to_json()).unwrap();
        prop_assert_eq!(from_json.files(), &files[..]);
        let common = [CommonFolder::Auto, CommonFolder::Off, CommonFolder::Always][common];
        let text = link.to_text(if hex { EtagForm::Hex } else { EtagForm::Base62 }, common);
        let clean = |file: &RapidFile| file.path().replace(['#', '$', '%', '\n', '\r'], "_");
        let read = RapidLink::parse(&text).unwrap();
        let read: Vec<_> = read.files().iter().map(|file| (file.md5(), file.size(), file.path().to_owned())).collect();
        let given: Vec<_> = files.iter().map(|file| (file.md5(), file.size(), clean(file))).collect();
        prop_assert_eq!(read, given);
    }
}

/// A drive that has the content of "hello", and writes down what it is asked.
#[derive(Default)]
struct Drive {
    asked: Mutex<Vec<String>>,
}

impl InstantUpload for Drive {
    fn make_folder<'a>(&'a self, parent: FileId, name: &'a str) -> BoxFuture<'a, Result<FileId>> {
        self.asked.lock().unwrap().push(format!("{parent}/{name}/"));
        Box::pin(async move {
            match name {
                "bad" => Err(Error::new(ErrorKind::AlreadyExists, "a file has the name")),
                name => Ok(FileId::new(parent.get() * 10 + i64::try_from(name.len()).unwrap())),
            }
        })
    }

    fn instant_upload<'a>(
        &'a self,
        folder: FileId,
        name: &'a str,
        md5: Md5,
        _size: u64,
    ) -> BoxFuture<'a, Result<Option<FileId>>> {
        self.asked.lock().unwrap().push(format!("{folder}/{name}"));
        Box::pin(async move {
            match name {
                "stop" => Err(Error::new(ErrorKind::LoginChallenge, "prove it")),
                _ => Ok((md5 == Md5::of(b"hello")).then_some(FileId::new(99))),
            }
        })
    }
}

/// Runs a future that never has to wait.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(value) => value,
        task::Poll::Pending => panic!("it waits"),
    }
}

fn import(paths: &[&str]) -> (Vec<String>, Vec<String>) {
    let file = |path: &&str| {
        let content: &[u8] = if path.ends_with("lost") { b"lost" } else { b"hello" };
        RapidFile::new(Md5::of(content), 5, path).unwrap()
    };
    let link: RapidLink = paths.iter().map(file).collect();
    let drive = Drive::default();
    let show = |import: &Import| match &import.outcome {
        ImportOutcome::Stored(id) => format!("stored {id}"),
        ImportOutcome::Missing => "missing".to_owned(),
        ImportOutcome::Failed(error) => format!("{:?}", error.kind()),
    };
    let imports = run(link.import(&drive, FileId::new(7)));
    (imports.iter().map(show).collect(), drive.asked.into_inner().unwrap())
}

#[test]
fn each_file_has_its_outcome_and_each_folder_is_asked_for_once() {
    let (outcomes, asked) = import(&["a", "d/b", "d/c/e", "d/lost", "d/c/f", "bad/x/g", "bad/x/h"]);
    let exists = "AlreadyExists";
    assert_eq!(outcomes, ["stored 99", "stored 99", "stored 99", "missing", "stored 99", exists, exists]);
    assert_eq!(asked, ["7/a", "7/d/", "71/b", "71/c/", "711/e", "71/lost", "711/f", "7/bad/"]);
}

#[test]
fn what_every_call_would_meet_ends_the_requests() {
    let (outcomes, asked) = import(&["a", "stop", "b", "d/c"]);
    let challenge = "LoginChallenge";
    assert_eq!(outcomes, ["stored 99", challenge, challenge, challenge]);
    assert_eq!(asked, ["7/a", "7/stop"]);
}
