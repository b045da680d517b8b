//! Any text is read as a share link or refused; what is printed is read again, and no password is in an error or a log.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pan123_share::{ShareLink, SharePassword};

/// Too long to be a password, so that it must be refused where it is found.
const PLANTED: &str = "plantedpassword";

fuzz_target!(|text: &str| {
    for link in [ShareLink::parse(text), ShareLink::find(text)].into_iter().flatten() {
        assert_eq!(ShareLink::parse(&link.to_string()).expect("a printed link is one"), link);
        if let Some(url) = link.owner_url() {
            assert_eq!(ShareLink::parse(&url).expect("an owner's link is one").key(), link.key());
        }
        if link.password().is_some() {
            let other: SharePassword = "Zz9".parse().expect("a constant");
            assert_eq!(format!("{link:?}"), format!("{:?}", link.clone().with_password(other)));
        }
    }
    if text.contains(PLANTED) {
        return;
    }
    for suffix in ["?pwd=", "&pwd=", " 提取码：", "?密码="] {
        let pasted = format!("{text}{suffix}{PLANTED}");
        for error in [ShareLink::parse(&pasted), ShareLink::find(&pasted)].into_iter().filter_map(Result::err) {
            let shown = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
            assert!(!shown.contains(PLANTED), "{shown}");
        }
    }
});
