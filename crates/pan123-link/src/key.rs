//! The private key, and the digest that it makes of a link.

use std::borrow::Cow;
use std::fmt;

use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind};

/// The private key that its owner set on 123Pan's direct-link page.
///
/// `Debug` does not show it and it is wiped from memory when dropped. [`Signer::new`](crate::Signer::new)
/// takes anything that turns into one.
///
/// # Example
///
/// ```
/// use pan123_link::PrivateKey;
///
/// let key = PrivateKey::from("ZxCv-2468_key");
/// assert_eq!(format!("{key:?}"), "PrivateKey(<redacted>)");
/// ```
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<String>);

impl From<String> for PrivateKey {
    fn from(key: String) -> PrivateKey {
        PrivateKey(Zeroizing::new(key))
    }
}

impl From<&str> for PrivateKey {
    fn from(key: &str) -> PrivateKey {
        key.to_owned().into()
    }
}

impl From<&String> for PrivateKey {
    fn from(key: &String) -> PrivateKey {
        key.as_str().into()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(<redacted>)")
    }
}

/// Which reading of a URL's path goes into the digest.
///
/// The service's rule says "the path" and does not say which; the readings differ only for paths with `%`
/// escapes. The default is what the drivers do that people have used for years. Change it only if the
/// service refuses links whose names have spaces or are not ASCII, while it accepts plain ones.
///
/// # Example
///
/// ```
/// use pan123_link::{HashedPath, Signer};
///
/// let signer = Signer::new(1812, "ZxCv-2468_key")?.hashed_path(HashedPath::AsSent);
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashedPath {
    /// The path with its `%` escapes decoded: `/my docs/a.txt` for `/my%20docs/a.txt`.
    #[default]
    Decoded,
    /// The path as it goes over the wire, escapes and all.
    AsSent,
}

impl HashedPath {
    /// Returns the bytes of `path` (escaped, valid) that are hashed: the one place that decides it.
    fn bytes(self, path: &str) -> Cow<'_, [u8]> {
        match self {
            HashedPath::Decoded => percent_decode_str(path).into(),
            HashedPath::AsSent => path.as_bytes().into(),
        }
    }
}

/// What signer and verifier have in common: whose links, which key, which reading of the path.
#[derive(Clone)]
pub(crate) struct Credentials {
    account_id: u64,
    key: PrivateKey,
    pub(crate) hashed_path: HashedPath,
}

impl Credentials {
    pub(crate) fn new(account_id: u64, key: PrivateKey) -> Result<Credentials, Error> {
        if account_id == 0 {
            return Err(Error::new(ErrorKind::InvalidAccount, "uid is 0"));
        }
        if key.0.trim().is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidKey,
                "it is empty; `Signer::unsigned()` is the way to leave links unsigned",
            ));
        }
        if key.0.contains(char::is_control) {
            return Err(Error::new(
                ErrorKind::InvalidKey,
                "it holds a control character, such as a line break that was pasted along",
            ));
        }
        Ok(Credentials { account_id, key, hashed_path: HashedPath::default() })
    }

    pub(crate) fn account_id(&self) -> u64 {
        self.account_id
    }

    /// Computes the digest of `path` and of `claims`, the text `time-nonce-account`.
    pub(crate) fn digest(&self, path: &str, claims: &str) -> [u8; 16] {
        let mut md5 = Md5::new();
        md5.update(self.hashed_path.bytes(path));
        for field in [claims, self.key.0.as_str()] {
            md5.update(b"-");
            md5.update(field);
        }
        md5.finalize().into()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("account_id", &self.account_id)
            .field("key", &self.key)
            .field("hashed_path", &self.hashed_path)
            .finish()
    }
}

/// Writes `bytes` as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

/// Writes `bytes` as lower-case hexadecimal digits behind `text`.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
