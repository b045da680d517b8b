//! Every case of `url-tree.json`, with its other dialects and forced readings, and what the cases leave out.

use pan123_link::tree::{Dialect, FileLine, LoneNumber, Node, TreeReader};
use pan123_link::{Error, ErrorKind, Signer, UnixTime, UrlTree};
use serde::Deserialize;

use crate::read_vectors;

#[derive(Deserialize)]
struct Case {
    id: String,
    dialect: String,
    input: String,
    tree: Option<Vec<Expected>>,
    error: Option<ExpectedError>,
    alternatives: Option<Vec<Alternative>>,
}

#[derive(Deserialize)]
struct Alternative {
    dialect: String,
    lone_number: Option<String>,
    tree: Vec<Expected>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Expected {
    name: String,
    kind: String,
    size: Option<u64>,
    modified: Option<u64>,
    url: Option<String>,
    ambiguous: Option<bool>,
    children: Option<Vec<Expected>>,
}

#[derive(Deserialize)]
struct ExpectedError {
    line: usize,
    reason: String,
}

fn reader(dialect: &str, lone_number: Option<&str>) -> TreeReader {
    UrlTree::reader()
        .dialect(match dialect {
            "123link" => Dialect::DirectLink,
            "urltree" => Dialect::Named,
            other => panic!("unknown dialect {other}"),
        })
        .lone_number(match lone_number {
            None => LoneNumber::Auto,
            Some("size") => LoneNumber::Size,
            Some("time") => LoneNumber::Time,
            Some(other) => panic!("unknown reading {other}"),
        })
}

/// Puts a tree into the form of the cases; a forced reading leaves open whether it was ambiguous.
fn expected(nodes: impl Iterator<Item = Node<'static>>, is_forced: bool) -> Vec<Expected> {
    let convert = |node: Node<'static>| match node {
        Node::Folder(folder) => Expected {
            name: folder.name().to_owned(),
            kind: "folder".to_owned(),
            size: None,
            modified: None,
            url: None,
            ambiguous: None,
            children: Some(expected(folder.children(), is_forced)),
        },
        Node::File(file) => {
            assert!(!(is_forced && file.is_ambiguous()), "a forced reading is not ambiguous");
            Expected {
                name: file.name().to_owned(),
                kind: "file".to_owned(),
                size: file.size(),
                modified: file.modified().map(UnixTime::as_secs),
                url: Some(file.url().to_owned()),
                ambiguous: (!is_forced).then_some(file.is_ambiguous()),
                children: None,
            }
        }
    };
    nodes.map(convert).collect()
}

fn leak(tree: UrlTree) -> &'static UrlTree {
    Box::leak(Box::new(tree))
}

#[track_caller]
fn kind(text: &str) -> ErrorKind {
    UrlTree::parse(text).expect_err(text).kind()
}

#[test]
fn every_case_is_read_as_the_reference_says() {
    let cases: Vec<Case> = read_vectors("url-tree.json");
    assert_eq!(cases.len(), 52);
    for case in cases {
        let result = reader(&case.dialect, None).read(&case.input);
        match (case.tree, case.error) {
            (Some(nodes), None) => {
                let tree = leak(result.expect(&case.id));
                assert_eq!(expected(tree.root().children(), false), nodes, "{}", case.id);
                assert_eq!(UrlTree::parse(&tree.to_string()).as_ref(), Ok(tree), "{}", case.id);
            }
            (None, Some(error)) => {
                let found = result.expect_err(&case.id);
                let text = found.to_string();
                assert!(text.starts_with(&format!("line {}: {}", error.line, error.reason)), "{}: {text}", case.id);
                assert_eq!(found.line(), Some(error.line), "{}", case.id);
                assert_eq!(found.line_text(), case.input.split('\n').nth(error.line - 1), "{}", case.id);
            }
            _ => panic!("{}: either tree or error", case.id),
        }
    }
}

#[test]
fn every_other_reading_is_as_the_reference_says() {
    let mut seen = 0;
    for case in read_vectors::<Case>("url-tree.json") {
        for other in case.alternatives.unwrap_or_default() {
            let lone_number = other.lone_number.as_deref();
            let tree = leak(reader(&other.dialect, lone_number).read(&case.input).expect(&case.id));
            let nodes = expected(tree.root().children(), lone_number.is_some());
            assert_eq!(nodes, other.tree, "{}", case.id);
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn each_mistake_has_its_own_kind() {
    assert_eq!(kind("a:\n\u{3000}https://h/a"), ErrorKind::IndentationNotSpaces);
    assert_eq!(kind("a:\n  \thttps://h/a"), ErrorKind::IndentationNotSpaces);
    assert_eq!(kind("a:\n https://h/a"), ErrorKind::OddIndentation);
    assert_eq!(kind("a:\n    https://h/a"), ErrorKind::IndentedTooDeep);
    assert_eq!(kind("readme"), ErrorKind::NoUrl);
    assert_eq!(kind("ftp://h/a"), ErrorKind::NoUrl);
    assert_eq!(kind("10: https://h/a"), ErrorKind::MissingColon);
    assert_eq!(kind("see https://h/a:"), ErrorKind::MissingColon);
    assert_eq!(kind("1:2:3:https://h/a"), ErrorKind::TooManyFields);
    assert_eq!(kind("+1:https://h/a"), ErrorKind::NotANumber);
    assert_eq!(kind("1::https://h/a"), ErrorKind::NotANumber);
    assert_eq!(kind("1 :2:https://h/a"), ErrorKind::NotANumber);
    assert_eq!(kind("１:https://h/a"), ErrorKind::NotANumber);
    assert_eq!(kind("9223372036854775808:https://h/a"), ErrorKind::NotANumber);
    assert_eq!(kind("https://h/.."), ErrorKind::NoFileName);
    assert_eq!(kind("https://h/a\rb"), ErrorKind::InvalidUrl);
    for name in ["", ".", "..", "a/b", "a\0b", "a\rb", "\u{feff}a"] {
        assert_eq!(kind(&format!("x:\n{name}:")), ErrorKind::InvalidName, "{name:?}");
    }
}

#[track_caller]
fn refused(dialect: Dialect, line: &str, expected: &str) {
    let error = UrlTree::reader().dialect(dialect).read(line).expect_err(line);
    assert_eq!(error.to_string(), format!("line 1: {expected}"));
}

#[test]
fn a_wide_colon_gets_a_hint() {
    const WIDE: &str = "and the colon '：' is a wide one";
    refused(Dialect::DirectLink, "文件夹：", &format!("no url, {WIDE}: a folder's name ends in ':'"));
    for (line, reason) in [
        ("10：https://h/a", "text before the url must end with ':'"),
        ("10:5：https://h/a", "text before the url must end with ':'"),
        ("10：5:https://h/a", "not a number: '10：5'"),
        ("5:10：5:https://h/a", "not a number: '10：5'"),
    ] {
        refused(Dialect::DirectLink, line, &format!("{reason}, {WIDE}"));
        if !line.starts_with("10：5:") {
            refused(Dialect::Named, line, &format!("{reason}, {WIDE}"));
        }
    }
    refused(Dialect::Named, "a:10：x:https://h/a", "not a number: '10：x'");
}

#[test]
fn a_list_with_names_is_told_from_a_mistake() {
    const NAMES: &str = "; a list that puts names in front of its links is read as `Dialect::Named`";
    for (line, reason) in [
        ("a.txt:10:1694101621:https://h/x", "too many fields"),
        ("a.txt:10:https://h/x", "not a number: 'a.txt'"),
        ("a.txt:https://h/x", "not a number: 'a.txt'"),
        ("秋：天:10:https://h/x", "not a number: '秋：天'"),
        ("7a:https://h/x", "not a number: '7a'"),
    ] {
        refused(Dialect::DirectLink, line, &format!("{reason}{NAMES}"));
        assert!(UrlTree::reader().dialect(Dialect::Named).read(line).is_ok(), "{line}");
    }
    refused(Dialect::DirectLink, "1:2:3:https://h/x", "too many fields");
    refused(Dialect::DirectLink, "10:abc:https://h/x", "not a number: 'abc'");
    refused(Dialect::DirectLink, ":https://h/x", "not a number: ''");
    refused(Dialect::Named, "a:b:https://h/x", "not a number: 'b'");
    refused(Dialect::Named, "a:1:2:3:https://h/x", "too many fields");
}

#[test]
fn a_file_with_a_name_needs_none_in_its_url() {
    let text = "clip.mp4:https://h/?id=3\nb:10:https://h\nc:0:5:https://h/..\n";
    let reader = UrlTree::reader().dialect(Dialect::Named);
    let tree = reader.read(text).unwrap();
    assert_eq!(tree.get("clip.mp4").and_then(Node::as_file).unwrap().url(), "https://h/?id=3");
    assert_eq!(tree.to_text(Dialect::Named).as_deref(), Ok(text));

    let mut made = UrlTree::new();
    made.root_mut().add_file(FileLine::new("https://h/?id=3").name("clip.mp4")).unwrap();
    assert_eq!(reader.read(&made.to_text(Dialect::Named).unwrap()), Ok(made));
    for dialect in [Dialect::DirectLink, Dialect::Named] {
        refused(dialect, "https://h/?id=3", "url has no file name");
    }
}

#[test]
fn a_field_in_an_error_stays_short_and_without_a_query() {
    let error = UrlTree::parse("h/a?auth_key=1-2-3-secret:https://h/a").unwrap_err();
    assert!(error.to_string().starts_with("line 1: not a number: 'h/a…'"), "{error}");
    let error = UrlTree::parse(&format!("{}\u{7}:https://h/a", "é".repeat(41))).unwrap_err();
    assert!(error.to_string().starts_with(&format!("line 1: not a number: '{}…'", "é".repeat(40))), "{error}");
    let error = UrlTree::parse("\u{7}\rb:https://h/a").unwrap_err();
    assert!(error.to_string().starts_with(r"line 1: not a number: '\u{7}\rb'"), "{error}");
}

#[test]
fn a_path_means_the_first_that_fits_it_whole() {
    let text = "x:\n  https://h/1/a\nx:\n  https://h/2/a\n  https://h/2/b\nhttps://h/x";
    let tree = UrlTree::parse(text).unwrap();
    let url = |path| tree.get(path).and_then(Node::as_file).map(|file| file.url());
    assert_eq!(url("x/a"), Some("https://h/1/a"));
    assert_eq!(url("/x/b/"), Some("https://h/2/b"));
    assert_eq!(url("x"), None);
    for path in ["x/c", "x//a", "x/a/b", "X", ".", "x/../x", "a"] {
        assert!(tree.get(path).is_none(), "{path}");
    }
    assert_eq!(tree.get("").unwrap().path(), "");
    assert_eq!(tree.get("/").unwrap().path(), "");
    assert_eq!(tree.get_all("x").count(), 3);
    let duplicates: Vec<String> = tree.duplicates().map(Node::path).collect();
    assert_eq!(duplicates, ["x", "x"]);
}

#[test]
fn a_folder_answers_for_what_is_below_it() {
    let tree = UrlTree::parse("x:\n  y:\n    https://h/1/a\n  https://h/2/b\nhttps://h/c").unwrap();
    let x = tree.get("x").and_then(Node::as_folder).unwrap();
    let url = |path| x.get(path).and_then(Node::as_file).map(|file| file.url());
    assert_eq!((url("y/a"), url("/b/")), (Some("https://h/1/a"), Some("https://h/2/b")));
    assert_eq!(x.get("").unwrap().path(), "x");
    for path in ["x", "c", "..", "../c", "x/y/a"] {
        assert!(x.get(path).is_none(), "{path}");
    }
    let names: Vec<&str> = x.files().map(|file| file.name()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_path_with_a_colon_or_an_escape_is_found_by_its_name() {
    let tree = UrlTree::parse("x::\n  https://h/a:\n  https://h/a%2Fb").unwrap();
    assert!(tree.get("x:/a:").is_some());
    assert!(tree.get("x:/a%2Fb").is_some());
}

#[test]
fn folder_sizes_say_what_they_do_not_know() {
    let tree = UrlTree::parse("a:\n  1:https://h/1\n  b:\n    2:https://h/2\nc:\n  https://h/3").unwrap();
    let size = |path| tree.get(path).and_then(Node::as_folder).unwrap().total_size();
    assert_eq!((size("a").bytes(), size("a").is_exact()), (3, true));
    assert_eq!((size("c").bytes(), size("c").is_exact()), (0, false));
    assert_eq!((size("").bytes(), size("").is_exact()), (3, false));

    let greatest = "9223372036854775807:https://h/a\n".repeat(3);
    let total = UrlTree::parse(&greatest).unwrap().total_size();
    assert_eq!((total.bytes(), total.is_exact()), (u64::MAX, false));
}

#[test]
fn an_ambiguous_number_is_never_printed() {
    for (file, printed) in [
        (FileLine::new("https://h/a").size(1_500_000_000), "1500000000:0:https://h/a\n"),
        (FileLine::new("https://h/a").size(999_999_999), "999999999:https://h/a\n"),
        (FileLine::new("https://h/a").size(0), "0:https://h/a\n"),
        (FileLine::new("https://h/a").modified(UnixTime::from_secs(5)), "0:5:https://h/a\n"),
        (FileLine::new("https://h/a").modified(UnixTime::from_secs(0)), "https://h/a\n"),
    ] {
        let mut tree = UrlTree::new();
        tree.root_mut().add_file(file).unwrap();
        assert_eq!(tree.to_string(), printed);
        assert_eq!(printed.parse(), Ok(tree));
    }
}

#[test]
fn what_cannot_be_in_a_tree_is_refused_when_it_is_added() {
    let mut tree = UrlTree::new();
    let mut kind = |file: FileLine| tree.root_mut().add_file(file).unwrap_err().kind();
    assert_eq!(kind(FileLine::new("h/a")), ErrorKind::NoUrl);
    assert_eq!(kind(FileLine::new(" https://h/a")), ErrorKind::NoUrl);
    assert_eq!(kind(FileLine::new("https://h/a ")), ErrorKind::InvalidUrl);
    assert_eq!(kind(FileLine::new("https://h/a\nhttps://h/b")), ErrorKind::InvalidUrl);
    assert_eq!(kind(FileLine::new("https://h")), ErrorKind::NoFileName);
    assert_eq!(kind(FileLine::new("https://h/a").name("..")), ErrorKind::InvalidName);
    assert_eq!(kind(FileLine::new("https://h/a").name("")), ErrorKind::InvalidName);
    assert_eq!(kind(FileLine::new("https://h/a").size(u64::MAX)), ErrorKind::NotANumber);
    assert_eq!(tree.walk().count(), 0);
    for name in ["", ".", "..", "a/b", "a\nb", " a", "\ta", "\u{feff}a"] {
        let error = tree.root_mut().add_folder(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{name:?}");
    }
}

#[test]
fn named_lists_are_printed_as_they_were_read() {
    let text = "docs:\n  a.txt:10:1694101621:https://h/x\n  b:0:5:https://h/y\n  c:7:https://h/z\n  https://h/d\n";
    let reader = UrlTree::reader().dialect(Dialect::Named);
    let tree = reader.read(text).unwrap();
    assert_eq!(tree.to_text(Dialect::Named).as_deref(), Ok(text));
    let refused = tree.to_text(Dialect::DirectLink).map_err(|e| e.kind());
    assert_eq!(refused, Err(ErrorKind::NotExpressible));

    let with_colon = UrlTree::parse("10:https://h/a:b").unwrap();
    assert_eq!(with_colon.to_text(Dialect::Named).unwrap_err().kind(), ErrorKind::NotExpressible);
    assert_eq!(with_colon.to_text(Dialect::DirectLink).as_deref(), Ok("10:https://h/a:b\n"));
}

#[test]
fn a_link_is_signed_when_it_is_asked_for() {
    let signer = Signer::new(7, "key").unwrap();
    let tree = UrlTree::parse("https://h/a b\nhttps://h/100%").unwrap();
    let signed: Vec<Result<String, Error>> = tree.files().map(|file| file.sign(&signer).map(String::from)).collect();
    assert!(signed[0].as_ref().unwrap().starts_with("https://h/a%20b?auth_key="));
    assert_eq!(signed[1].as_ref().unwrap_err().kind(), ErrorKind::InvalidUrl);
}

#[test]
fn a_very_deep_tree_overflows_nothing() {
    const DEPTH: usize = 100_000;
    let mut tree = UrlTree::new();
    let mut folder = tree.root_mut();
    for _ in 0..DEPTH {
        folder = folder.into_folder("0").unwrap();
    }
    folder.add_file(FileLine::new("https://h/a").size(1)).unwrap();
    assert_eq!(tree.walk().count(), DEPTH + 1);
    assert_eq!(tree.total_size().bytes(), 1);
    assert_eq!(tree.files().next().unwrap().path().len(), 2 * DEPTH + 1);
    assert!(tree.get(&"0/".repeat(DEPTH)).is_some());
    assert_eq!(tree.clone(), tree);
}

#[test]
fn debug_text_of_a_deep_tree_grows_as_the_tree_does() {
    let shown = |depth: usize| {
        let mut tree = UrlTree::new();
        let mut folder = tree.root_mut();
        for _ in 0..depth {
            folder = folder.into_folder("0").unwrap();
            folder.add_file(FileLine::new("https://h/a").size(1)).unwrap();
        }
        let mut walk = tree.walk();
        walk.nth(depth);
        format!("{tree:?}").len() + format!("{walk:?}").len()
    };
    let (short, long) = (shown(200), shown(2000));
    assert!(long < 11 * short, "{short} and {long}");
    let tree = UrlTree::parse("docs:\n  10:https://h/a?b").unwrap();
    assert_eq!(
        format!("{tree:?}"),
        r#"[Folder { depth: 0, name: "docs" }, File { depth: 1, name: "a", size: Some(10), modified: None, url: "https://h/a?<redacted>" }]"#
    );
    assert_eq!(format!("{:?}", tree.root().children()), r#"[Folder { depth: 0, name: "docs" }]"#);
    assert_eq!(format!("{:?}", tree.walk().next().unwrap()), r#"Folder("docs")"#);
}
