//! Every vector of `link.json`: signed, verified, and with the other reading of the path.

use pan123_link::{Error, ErrorKind, HashedPath, Nonce, SignedUrl, Signer, UnixTime, Verifier};
use serde::Deserialize;

use crate::read_vectors;

#[derive(Deserialize)]
struct Vector {
    id: String,
    key: String,
    uid: u64,
    ts: u64,
    rand: String,
    input: String,
    output: Option<String>,
    error: Option<String>,
    wrong_branch_digest: Option<String>,
    go_output: Option<String>,
    go_signed_path: Option<String>,
}

impl Vector {
    fn sign(&self, hashed_path: HashedPath) -> Result<SignedUrl, Error> {
        let signer = match self.key.as_str() {
            "" => Signer::unsigned(),
            key => Signer::new(self.uid, key)?,
        };
        let nonce = Nonce::new(&self.rand)?;
        signer.hashed_path(hashed_path).sign_until(&self.input, UnixTime::from_secs(self.ts), &nonce)
    }
}

fn vectors() -> Vec<Vector> {
    let vectors = read_vectors("link.json");
    assert_eq!(vectors.len(), 28);
    vectors
}

#[test]
fn every_vector_is_signed_as_the_reference_says() {
    for vector in vectors() {
        let result = vector.sign(HashedPath::Decoded);
        match (&vector.output, &vector.error) {
            (Some(output), None) => {
                assert_eq!(result.as_ref().map(SignedUrl::as_str), Ok(output.as_str()), "{}", vector.id)
            }
            (None, Some(error)) => {
                let (kind, reason) = error.split_once(": ").expect("an error is `Kind: reason`");
                let expected = match kind {
                    "InvalidUrl" => ErrorKind::InvalidUrl,
                    "InvalidAccount" => ErrorKind::InvalidAccount,
                    other => panic!("unknown kind {other}"),
                };
                let error = result.expect_err(&vector.id);
                assert_eq!(error.kind(), expected, "{}", vector.id);
                assert!(error.to_string().ends_with(reason), "{}: {error}", vector.id);
            }
            _ => panic!("{}: either output or error", vector.id),
        }
    }
}

#[test]
fn every_signed_vector_is_verified_until_its_time_has_come() {
    let mut verified = 0;
    for vector in vectors().iter().filter(|vector| !vector.key.is_empty()) {
        let Some(url) = &vector.output else { continue };
        let verifier = Verifier::new(vector.uid, &vector.key).unwrap();
        let verify_at = |secs| verifier.verify_at(url, UnixTime::from_secs(secs)).map_err(|e| e.kind());
        assert_eq!(verify_at(vector.ts - 1), Ok(UnixTime::from_secs(vector.ts)), "{}", vector.id);
        assert_eq!(verify_at(vector.ts), Err(ErrorKind::Expired), "{}", vector.id);
        verified += 1;
    }
    assert_eq!(verified, 24);
}

#[test]
fn the_other_reading_of_the_path_gives_the_other_digest() {
    let mut seen = 0;
    for vector in vectors() {
        let Some(digest) = &vector.wrong_branch_digest else { continue };
        let url = vector.sign(HashedPath::AsSent).unwrap();
        assert!(url.as_str().ends_with(digest), "{}: {url}", vector.id);

        let now = UnixTime::from_secs(vector.ts - 1);
        let verifier = Verifier::new(vector.uid, &vector.key).unwrap();
        let error = verifier.verify_at(url.as_str(), now).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongDigest, "{}", vector.id);
        assert!(verifier.hashed_path(HashedPath::AsSent).verify_at(url.as_str(), now).is_ok());
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn links_signed_by_other_programs_are_verified_where_they_sign_the_path_that_is_sent() {
    for vector in vectors() {
        let (Some(url), None) = (&vector.go_output, &vector.go_signed_path) else { continue };
        let verifier = Verifier::new(vector.uid, &vector.key).unwrap();
        let result = verifier.verify_at(url, UnixTime::from_secs(vector.ts - 1));
        // V15: they add their `auth_key` to the one that is there.
        let expected = match vector.id.as_str() {
            "V15" => Err(ErrorKind::DuplicateSignature),
            _ => Ok(UnixTime::from_secs(vector.ts)),
        };
        assert_eq!(result.map_err(|e| e.kind()), expected, "{}", vector.id);
    }
}
