//! Any text is read as a list of links or refused; what is printed is read again, and no query is in an error or a log.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pan123_link::{
    UrlTree,
    tree::{Dialect, LoneNumber},
};

const PLANTED: &str = "planted-signature";

fuzz_target!(|text: &str| {
    let with_queries = text.replace('\n', &format!("?{PLANTED}\n")) + "?" + PLANTED;
    for dialect in [Dialect::DirectLink, Dialect::Named] {
        for lone_number in [LoneNumber::Auto, LoneNumber::Size, LoneNumber::Time] {
            let reader = UrlTree::reader().dialect(dialect).lone_number(lone_number);
            if let Ok(tree) = reader.read(text) {
                prints_what_it_holds(&tree, dialect);
            }
            if text.contains(PLANTED) {
                continue;
            }
            let shown = match reader.read(&with_queries) {
                Ok(tree) => format!("{tree:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains(PLANTED), "{shown}");
        }
    }
});

fn prints_what_it_holds(tree: &UrlTree, dialect: Dialect) {
    for node in tree.walk() {
        assert!(tree.get_all(&node.path()).any(|found| found.depth() == node.depth()), "{}", node.path());
    }
    match tree.to_text(dialect) {
        Ok(text) => {
            let read = UrlTree::reader().dialect(dialect).read(&text);
            assert_eq!(read.as_ref(), Ok(tree), "{text}");
        }
        Err(error) => assert_eq!(dialect, Dialect::Named, "a list of direct links can always be printed: {error}"),
    }
}
