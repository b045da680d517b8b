//! Every operation on other people's shares, as a value that a client sends.
//!
//! An operation is found from its entry in the protocol reference: `share.list` is [`shares::List`], and [`ALL`] lists
//! the facts of each in the reference's order. It checks its limits when it is sent, before any request is made. Each
//! names the share by its key, and takes the password by `password`, where the share has one.
//!
//! # Example
//!
//! ```
//! use pan123_share::{FileId, ShareKey, ops::{self, shares::List}};
//!
//! let key: ShareKey = "5LF8Vv-a1Bc".parse()?;
//! let first = List::new(&key, FileId::ROOT).password("aB12");
//! assert!(ops::ALL.iter().any(|meta| meta.id == "share/share.list"));
//! # Ok::<(), pan123_share::Error>(())
//! ```

pub mod downloads;
pub mod saves;
pub mod shares;

use pan123_core::{Error, ErrorKind, Meta, Operation, Role, Secret};

/// The facts of every operation, in the order of the protocol reference.
///
/// [`downloads::DownloadInfoV2`] and [`downloads::DownloadBatchV2`] are other forms of two of them and are not counted
/// again.
pub const ALL: &[Meta] = &[
    shares::Info::META,
    shares::List::META,
    downloads::DownloadInfo::META,
    downloads::DownloadBatch::META,
    saves::Save::META,
    saves::SaveProgress::META,
    saves::SaveLegacy::META,
    shares::Traffic::META,
];

/// A GET of the share API without a token.
const fn get(id: &'static str, path: &'static str) -> Meta {
    Meta::get(id, path).role(Role::Share)
}

/// A POST of the share API with a token.
const fn post(id: &'static str, path: &'static str) -> Meta {
    Meta::post(id, path).role(Role::Share)
}

/// Tells a password that is wrong from one that was not given: the service has one answer for both.
fn refine_password(error: Error, password: &Secret) -> Error {
    if error.kind() == ErrorKind::WrongSharePassword && password.is_empty() {
        return error.with_kind(ErrorKind::SharePasswordRequired, "the share has a password and none was given");
    }
    error
}

/// No password. The service wants the field all the same.
fn no_password() -> Secret {
    Secret::from("")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::ALL;

    /// The id, method and path of every entry of the protocol reference, in its order.
    fn reference() -> Vec<[String; 3]> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol/share.yaml");
        let text = fs::read_to_string(path).unwrap();
        let operations = text.split_once("\noperations:\n").unwrap().1.split_once("\nbusiness_codes:").unwrap().0;
        let value = |entry: &str, key: &str| {
            let line = entry.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap_or_default();
            line.trim().to_owned()
        };
        let entries = operations.split("- id: ").skip(1);
        entries
            .map(|entry| [entry.lines().next().unwrap().to_owned(), value(entry, "method:"), value(entry, "path:")])
            .collect()
    }

    #[test]
    fn every_entry_of_the_reference_is_here_once_and_as_it_says() {
        let listed: Vec<[String; 3]> = ALL
            .iter()
            .map(|meta| {
                let id = meta.id.strip_prefix("share/").unwrap().to_owned();
                // The prefix belongs to the host.
                [id, http::Method::from(meta.method).to_string(), format!("/b{}", meta.path)]
            })
            .collect();
        assert_eq!(listed, reference());
    }
}
