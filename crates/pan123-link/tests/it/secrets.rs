//! Private keys and signatures planted in everything public, and looked for in everything that is shown.

use std::fmt::Debug;
use std::time::Duration;

use pan123_link::tree::{FileLine, TreeReader};
use pan123_link::{Error, HashedPath, Nonce, PrivateKey, Signer, UnixTime, UrlTree, Verifier};

const KEY: &str = "planted-private-key";
const LIST: &str = "docs:\n  10:https://user:hunter2@h/a?auth_key=1-2-3-5ec4e7&token=5ec4e7#5ec4e7";

#[track_caller]
fn hides(shown: &str) {
    for secret in [KEY, "hunter2", "5ec4e7", "auth_key=", "token="] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[track_caller]
fn hides_in_debug(value: &impl Debug) {
    hides(&format!("{value:?}"));
    hides(&format!("{value:#?}"));
}

#[track_caller]
fn hides_in_error<T: Debug>(result: Result<T, Error>) {
    let error = result.expect_err("it is refused");
    hides(&error.to_string());
    assert!(!error.to_string().contains('\n'), "an error is one line");
    hides_in_debug(&error);
}

#[test]
fn no_debug_text_shows_a_secret() {
    let signer = Signer::new(7, KEY).unwrap();
    hides_in_debug(&PrivateKey::from(KEY));
    hides_in_debug(&signer);
    hides_in_debug(&signer.clone().hashed_path(HashedPath::AsSent));
    hides_in_debug(&Verifier::new(7, KEY).unwrap());

    let url = signer.sign("https://h/a?token=5ec4e7#5ec4e7").unwrap();
    let digest = url.as_str().rsplit_once('-').unwrap().1.split('#').next().unwrap();
    hides_in_debug(&url);
    assert!(!format!("{url:?}").contains(digest));
    hides_in_debug(&Signer::unsigned().sign("https://user:hunter2@h/a?auth_key=1-2-3-5ec4e7").unwrap());

    let mut tree = UrlTree::parse(LIST).unwrap();
    hides_in_debug(&tree);
    hides_in_debug(&tree.walk());
    hides_in_debug(&tree.root().children());
    for node in tree.walk() {
        hides_in_debug(&node);
    }
    hides_in_debug(&tree.files().next().unwrap());
    hides_in_debug(&tree.total_size());
    hides_in_debug(&tree.root_mut());
    hides_in_debug(&FileLine::new("https://h/a?auth_key=1-2-3-5ec4e7"));
    hides_in_debug(&TreeReader::default());
}

#[test]
fn no_error_shows_a_secret() {
    let signer = Signer::new(7, KEY).unwrap();
    let verifier = Verifier::new(7, KEY).unwrap();
    let now = UnixTime::from_secs(1);
    for url in [
        "h?auth_key=1-2-3-5ec4e7",
        "https://h/%?auth_key=1-2-3-5ec4e7",
        "https://h?auth_key=1-2-3-5ec4e7",
        "https://user:hunter2@h/a?token=5ec4e7",
        "https://h/a\n?token=5ec4e7",
    ] {
        hides_in_error(signer.sign(url));
        hides_in_error(verifier.verify_at(url, now));
    }
    for signature in ["5ec4e7", "1-2-3-5ec4e7", "1-2-7-5ec4e75ec4e75ec4e75ec4e75ec4e7ab", "a&auth_key=5ec4e7"] {
        hides_in_error(verifier.verify_at(&format!("/a?auth_key={signature}"), now));
    }
    hides_in_error(Signer::new(0, KEY));
    hides_in_error(Signer::new(7, format!("{KEY}\n")));
    hides_in_error(signer.valid_for(Duration::ZERO));
    hides_in_error(Nonce::new("5ec4e7-"));
}

#[test]
fn no_error_of_a_list_shows_a_secret() {
    for line in [
        "https://h/a?auth_key=1-2-3-5ec4e7\r&b",
        "a https://h/a?auth_key=1-2-3-5ec4e7",
        "h/a?auth_key=1-2-3-5ec4e7:https://h/a?auth_key=1-2-3-5ec4e7",
        "1:2:3:https://h/a?auth_key=1-2-3-5ec4e7",
        "https://h/?auth_key=1-2-3-5ec4e7",
        "    https://h/a?auth_key=1-2-3-5ec4e7",
        "h/a?auth_key=1-2-3-5ec4e7:",
        "h/a?auth_key=1-2-3-5ec4e7",
    ] {
        let result = UrlTree::parse(line);
        assert_eq!(result.as_ref().unwrap_err().line_text(), Some(line));
        hides_in_error(result);
    }
    let line = FileLine::new("https://h/a ?auth_key=1-2-3-5ec4e7 ");
    hides_in_error(UrlTree::new().root_mut().add_file(line));
}
