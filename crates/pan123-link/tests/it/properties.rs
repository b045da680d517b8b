//! What holds for any input, not only for the vectors.

use pan123_link::tree::{Dialect, FileLine, FolderMut, LoneNumber, Node};
use pan123_link::{HashedPath, Nonce, Signer, UnixTime, UrlTree, Verifier};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::test_runner::RngSeed;
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};
use url::Url;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// The same cases each time, so that a failure can be seen again.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(123), failure_persistence: None, ..ProptestConfig::default() }
}

fn signer() -> Signer {
    Signer::new(7, "a-key").expect("the account and the key are valid")
}

fn verifier() -> Verifier {
    Verifier::new(7, "a-key").expect("the account and the key are valid")
}

/// Paths of what people and programs put into them: escapes, dots, separators, any text without control characters.
fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[^\\p{Cc}?#%]{0,6}",
        Just("%2e".to_owned()),
        Just("%2F".to_owned()),
        Just("%ff".to_owned()),
        Just("..".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("秋 天".to_owned()),
    ];
    vec(piece, 0..8).prop_map(|pieces| format!("/{}-", pieces.concat()))
}

#[derive(Clone, Debug)]
enum Sketch {
    File { url: String, name: Option<String>, size: Option<u64>, modified: Option<u64> },
    Folder { name: String, children: Vec<Sketch> },
}

fn sketches(names: bool) -> impl Strategy<Value = Vec<Sketch>> {
    let size = prop_oneof![Just(0), 0..3_000_000_000_u64, 0..=u64::MAX / 2];
    let name =
        if names { option::of(prop_oneof!["[a-z 资.-]{0,4}[a-z资]", "[ab]"]).boxed() } else { Just(None).boxed() };
    // A file with a name of its own needs none in its URL.
    let start =
        if names { prop_oneof![Just("h/a/b"), Just("h/?b"), Just("h?b")].boxed() } else { Just("h/a/b").boxed() };
    let url = (prop_oneof![Just("https"), Just("HTTP")], start, "[^\\p{Cc}]{0,9}")
        .prop_map(|(scheme, start, rest)| (format!("{scheme}://{start}{rest}-"), start != "h/a/b"));
    let file = (url, name, option::of(size), option::of(0..3_000_000_000_u64)).prop_map(
        |((url, is_nameless), name, size, modified)| {
            // An empty file with a time is the one thing that the format cannot say.
            let size = size.filter(|&size| size > 0 || modified.unwrap_or(0) == 0);
            let name = name.or_else(|| is_nameless.then(|| "资".to_owned()));
            Sketch::File { url, name, size, modified }
        },
    );
    let folder_name = prop_oneof!["[^\\s/\\p{Cc}\u{feff}.][^/\\p{Cc}]{0,4}", "[ab]"];
    let node = file.prop_recursive(4, 24, 5, move |inner| {
        (folder_name.clone(), vec(inner, 0..5)).prop_map(|(name, children)| Sketch::Folder { name, children })
    });
    vec(node, 0..5)
}

fn build(folder: &mut FolderMut<'_>, sketches: &[Sketch]) {
    for sketch in sketches {
        match sketch {
            Sketch::File { url, name, size, modified } => {
                let mut line = FileLine::new(url);
                line = name.iter().fold(line, |line, name| line.name(name));
                line = size.iter().fold(line, |line, &size| line.size(size));
                line = modified.iter().fold(line, |line, &time| line.modified(UnixTime::from_secs(time)));
                folder.add_file(line).expect("the sketch holds valid files");
            }
            Sketch::Folder { name, children } => {
                build(&mut folder.add_folder(name).expect("the sketch holds valid names"), children);
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_signed_is_verified(path in path(), as_sent in any::<bool>(), bytes in any::<[u8; 16]>()) {
        let hashed_path = if as_sent { HashedPath::AsSent } else { HashedPath::Decoded };
        let url = signer()
            .hashed_path(hashed_path)
            .sign_at(&format!("https://h{path}"), NOW, &Nonce::from_bytes(bytes))
            .unwrap();
        prop_assert!(url.as_str().is_ascii());
        let verifier = verifier().hashed_path(hashed_path);
        prop_assert_eq!(Some(verifier.verify_at(url.as_str(), NOW).unwrap()), url.expires_at());
        prop_assert!(verifier.verify_at(&url.as_str().replacen("-?", "_?", 1), NOW).is_err());
    }

    #[test]
    fn an_http_client_sends_the_path_that_was_signed(path in path(), query in "[^\\p{Cc}#']{0,20}") {
        let url = signer().sign_at(&format!("https://h{path}?{query}-"), NOW, &Nonce::from_bytes([7; 16])).unwrap();
        let client = Url::parse(url.as_str()).unwrap();
        prop_assert_eq!(client.as_str(), url.as_str());
    }

    #[test]
    fn the_query_keeps_its_bytes(query in "[!$-;=?-~]{0,30}", fragment in "[!$-;=?-~]{0,9}") {
        let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("auth_key")).collect();
        let kept = pairs.join("&");
        let url = signer()
            .sign_at(&format!("https://h/a?{kept}#{fragment}"), NOW, &Nonce::from_bytes([7; 16]))
            .unwrap();
        let between = if kept.is_empty() { "" } else { "&" };
        prop_assert!(url.as_str().starts_with(&format!("https://h/a?{kept}{between}auth_key=")), "{url}");
        prop_assert!(url.as_str().ends_with(&format!("#{fragment}")), "{url}");
    }

    #[test]
    fn signing_again_replaces_the_signature(path in path(), query in "[!$-;=?-~]{0,30}") {
        let nonce = Nonce::from_bytes([7; 16]);
        let once = signer().sign_at(&format!("https://h{path}?{query}"), NOW, &nonce).unwrap();
        let twice = signer().sign_at(once.as_str(), NOW, &nonce).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn nothing_panics_on_any_text(text in "\\PC*", url in "https?://\\PC{0,40}", any_text in any::<String>()) {
        for text in [&text, &url, &any_text] {
            let nonce = Nonce::from_bytes([7; 16]);
            if let Ok(url) = signer().sign_at(text, NOW, &nonce) {
                prop_assert!(!url.as_str().contains(|c: char| c.is_ascii_control() || c == ' '));
                prop_assert!(verifier().verify_at(url.as_str(), NOW).is_ok());
            }
            let _ = verifier().verify_at(text, NOW).is_ok();
            let _ = verifier().verify_at(&format!("/{text}"), NOW).is_ok();
            let _ = Signer::new(7, text).and_then(|signer| signer.sign(text));
            let _ = UrlTree::parse(text).is_ok();
        }
    }

    #[test]
    fn a_list_that_was_read_is_printed_and_read_again(
        lines in vec("( {0,2}|    )([a-z.:/]{0,3}|[0-9:]{0,12})(https?://h/[a-c%0-9./:?é ]{0,6})?(:|\r)?", 0..6),
        named in any::<bool>(),
        lone_number in prop_oneof![Just(LoneNumber::Auto), Just(LoneNumber::Size), Just(LoneNumber::Time)],
    ) {
        let dialect = if named { Dialect::Named } else { Dialect::DirectLink };
        let text = lines.join("\n");
        if let Ok(tree) = UrlTree::reader().dialect(dialect).lone_number(lone_number).read(&text) {
            if let Ok(printed) = tree.to_text(dialect) {
                prop_assert_eq!(UrlTree::reader().dialect(dialect).read(&printed), Ok(tree));
            } else {
                prop_assert!(named, "a direct-link list can always be printed");
            }
        }
    }

    #[test]
    fn a_tree_that_was_made_is_printed_and_read_again(sketches in sketches(false)) {
        let mut tree = UrlTree::new();
        build(&mut tree.root_mut(), &sketches);
        prop_assert_eq!(UrlTree::parse(&tree.to_string()), Ok(tree));
    }

    #[test]
    fn a_named_tree_that_was_made_is_printed_and_read_again(sketches in sketches(true)) {
        let mut tree = UrlTree::new();
        build(&mut tree.root_mut(), &sketches);
        if let Ok(text) = tree.to_text(Dialect::Named) {
            prop_assert_eq!(UrlTree::reader().dialect(Dialect::Named).read(&text), Ok(tree));
        }
    }

    #[test]
    fn a_path_finds_the_entries_of_its_names(first in sketches(true), second in sketches(true)) {
        let mut tree = UrlTree::new();
        // What is added after somebody looked is found as well.
        for sketches in [first, second] {
            build(&mut tree.root_mut(), &sketches);
            for node in tree.walk() {
                let path = node.path();
                let place = |node: Node<'_>| node.name().as_ptr();
                let expected: Vec<_> = tree.walk().filter(|other| other.path() == path).map(place).collect();
                let found: Vec<_> = tree.get_all(&path).map(place).collect();
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(tree.get(&path).map(place), expected.first().copied());
            }
        }
    }
}
