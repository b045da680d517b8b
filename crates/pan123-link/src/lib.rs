//! Signs and verifies the direct links of 123Pan, and reads lists of them: pure functions, no network, no runtime.
#![doc = include_str!("../README.md")]

mod error;
mod key;
mod parts;
mod sign;
mod signed_url;
mod time;
pub mod tree;
mod verify;

pub use error::{Error, ErrorKind};
pub use key::{HashedPath, PrivateKey};
pub use sign::{Nonce, Signer};
pub use signed_url::SignedUrl;
pub use time::UnixTime;
pub use tree::url_tree::UrlTree;
pub use verify::Verifier;
