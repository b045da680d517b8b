//! What was signed is verified, by its own key, account and time alone; no key and no query is in an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pan123_link::{ErrorKind, HashedPath, Nonce, Signer, UnixTime, Verifier};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const KEY: &str = "planted-key";
const QUERY: &str = "planted-query";

fuzz_target!(|text: &str| {
    for hashed_path in [HashedPath::Decoded, HashedPath::AsSent] {
        let of = |account, key| Verifier::new(account, key).expect("constants").hashed_path(hashed_path);
        let verifier = of(1812, KEY);
        if !text.contains("planted") {
            for url in [text.to_owned(), format!("/{text}"), format!("{text}?{QUERY}"), format!("/{text}&{QUERY}")] {
                if let Err(error) = verifier.verify_at(&url, NOW) {
                    let shown = format!("{error} {error:?} {verifier:?}");
                    assert!(!shown.contains(KEY) && (!url.contains('?') || !shown.contains(QUERY)), "{shown}");
                }
            }
        }

        let signer = Signer::new(1812, KEY).expect("constants").hashed_path(hashed_path);
        let nonce = Nonce::from_bytes([7; 16]);
        let Ok(url) = signer.sign_at(text, NOW, &nonce) else {
            continue;
        };
        let end = url.expires_at().expect("a signed link ends");
        let kind = |verifier: &Verifier, now| verifier.verify_at(url.as_str(), now).map_err(|error| error.kind());
        assert_eq!(kind(&verifier, NOW), Ok(end));
        assert_eq!(kind(&verifier, end), Err(ErrorKind::Expired));
        assert_eq!(kind(&of(1813, KEY), NOW), Err(ErrorKind::WrongAccount));
        assert_eq!(kind(&of(1812, "another"), NOW), Err(ErrorKind::WrongDigest));
        assert_eq!(signer.sign_at(url.as_str(), NOW, &nonce).as_ref(), Ok(&url), "signed again");
    }
});
