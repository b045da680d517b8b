//! Any text is read as a rapid-upload link or refused; every form that is written is read again, below its folder.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pan123_core::{
    Md5,
    rapid::{CommonFolder, EtagForm, RapidLink},
};

/// What the text form writes as `_`.
const NOT_IN_TEXT: [char; 5] = ['#', '$', '%', '\n', '\r'];

fuzz_target!(|text: &str| {
    let Ok(link) = RapidLink::parse(text) else {
        return;
    };
    assert!(!link.files().is_empty());
    for file in link.files() {
        let path = file.path();
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path}");
        assert!(!path.contains('\0'), "{path}");
    }
    let files = entries(&link, str::to_owned);
    let json = RapidLink::parse(&link.to_json()).expect("the JSON form is read");
    assert_eq!(entries(&json, str::to_owned), files);

    let files = entries(&link, |path| path.replace(NOT_IN_TEXT, "_"));
    for etags in [EtagForm::Base62, EtagForm::Hex] {
        for common in [CommonFolder::Auto, CommonFolder::Off, CommonFolder::Always] {
            let printed = link.to_text(etags, common);
            let read = RapidLink::parse(&printed).expect("the text form is read");
            assert_eq!(entries(&read, str::to_owned), files, "{printed}");
            assert!(read.rejected().is_empty(), "{printed}");
        }
    }
});

fn entries(link: &RapidLink, path: impl Fn(&str) -> String) -> Vec<(Md5, u64, String)> {
    link.files().iter().map(|file| (file.md5(), file.size(), path(file.path()))).collect()
}
