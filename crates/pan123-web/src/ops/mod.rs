//! Every operation of the web API, as a value that a client sends.
//!
//! An operation is found from its entry in the protocol reference: `file.rename` is in [`manage`], and [`ALL`] lists the
//! facts of each in the reference's order. It checks its limits when it is sent, before any request is made.

pub mod app;
pub mod archives;
pub mod auth;
pub mod details;
pub mod downloads;
pub mod files;
pub mod links;
pub mod lists;
pub mod manage;
pub mod media;
pub mod offline;
pub mod parts;
pub mod qr;
pub mod safebox;
pub mod share_income;
pub mod shares;
pub mod stars;
pub mod trash;
pub mod uploads;
pub mod user;
pub mod webdav;

use pan123_core::{FileId, Meta, Role};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// The facts of every operation, in the order of the protocol reference.
///
/// [`downloads::DownloadBatchV2`] is another form of one of them and is not counted again.
pub const ALL: &[Meta] = &joined();

/// The parts of the reference, in its order.
const AREAS: [&[Meta]; 10] = [
    auth::ALL,
    user::ALL,
    files::ALL,
    downloads::ALL,
    uploads::ALL,
    shares::ALL,
    offline::ALL,
    links::ALL,
    webdav::ALL,
    app::ALL,
];

const fn count() -> usize {
    let (mut area, mut count) = (0, 0);
    while area < AREAS.len() {
        count += AREAS[area].len();
        area += 1;
    }
    count
}

const fn joined() -> [Meta; count()] {
    let mut all = [get("", ""); count()];
    let (mut area, mut place) = (0, 0);
    while area < AREAS.len() {
        let mut row = 0;
        while row < AREAS[area].len() {
            all[place] = AREAS[area][row];
            place += 1;
            row += 1;
        }
        area += 1;
    }
    all
}

/// A GET of the web API with a token and a signature.
const fn get(id: &'static str, path: &'static str) -> Meta {
    Meta::get(id, path).role(Role::Web)
}

/// A POST of the web API with a token and a signature.
const fn post(id: &'static str, path: &'static str) -> Meta {
    Meta::post(id, path).role(Role::Web)
}

/// A PUT of the web API with a token and a signature.
const fn put(id: &'static str, path: &'static str) -> Meta {
    Meta::put(id, path).role(Role::Web)
}

/// The most ids that one request of these may hold. No source tells the web API's own limit; this is the Open Platform's.
pub const MOST_IDS: usize = 100;

/// Ids in the form in which most calls want them: a list of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdList(Vec<FileId>);

impl IdList {
    /// Returns the ids.
    pub fn as_slice(&self) -> &[FileId] {
        &self.0
    }
}

impl From<Vec<FileId>> for IdList {
    fn from(ids: Vec<FileId>) -> Self {
        Self(ids)
    }
}

impl<const COUNT: usize> From<[FileId; COUNT]> for IdList {
    fn from(ids: [FileId; COUNT]) -> Self {
        Self(ids.into())
    }
}

impl Serialize for IdList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Item<'a>(&'a FileId);

        impl Serialize for Item<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut item = serializer.serialize_struct("Item", 1)?;
                item.serialize_field("FileId", self.0)?;
                item.end()
            }
        }

        serializer.collect_seq(self.0.iter().map(Item))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pan123_core::Auth;

    use super::*;

    /// What the protocol reference says of an operation.
    #[derive(Default)]
    struct Entry {
        id: String,
        method: String,
        path: String,
        host: String,
        auth: String,
    }

    /// The operations of the reference, in its order; its flows have ids too, and no method.
    fn reference() -> Vec<Entry> {
        let path = format!("{}/../../docs/protocol/web.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).expect("the reference is there");
        let mut entries: Vec<Entry> = Vec::new();
        for line in text.lines() {
            if let Some(id) = line.strip_prefix("  - id: ") {
                entries.push(Entry { id: format!("web/{id}"), ..Entry::default() });
            } else if let (Some(entry), Some((key, value))) = (entries.last_mut(), line.split_once(": ")) {
                let field = match key {
                    "    method" => &mut entry.method,
                    "    path" => &mut entry.path,
                    "    host" => &mut entry.host,
                    "    auth" => &mut entry.auth,
                    _ => continue,
                };
                *field = value.trim_matches(['"', '\'']).to_owned();
            }
        }
        entries.retain(|entry| !entry.method.is_empty());
        entries
    }

    #[test]
    fn every_operation_is_listed_once_and_as_the_reference_has_it() {
        let reference = reference();
        let (listed, known) = (ALL.iter().map(|meta| meta.id), reference.iter().map(|entry| entry.id.as_str()));
        assert_eq!(listed.collect::<Vec<_>>(), known.collect::<Vec<_>>());
        for (meta, Entry { id, method, path, host, auth }) in ALL.iter().zip(&reference) {
            assert_eq!(http::Method::from(meta.method).as_str(), method, "{id}");
            // The prefix belongs to the host; an address that the service gives is no path.
            let path = if meta.role == Role::Web { path.strip_prefix("/b").unwrap_or(path) } else { path };
            assert_eq!(meta.path, if path.starts_with('/') { path } else { "" }, "{id}");
            let role = match host.as_str() {
                "api" => Role::Web,
                // All hosts answer alike.
                "login" | "any" => Role::Login,
                "portal" => Role::Portal,
                "storage" => Role::Data,
                other => panic!("{id}: there is no host `{other}`"),
            };
            assert_eq!(meta.role, role, "{id}");
            let wants_token = match auth.as_str() {
                // What is signed is told by the role: only the web API's own hosts look at it.
                "bearer+sign" | "bearer" => true,
                "none" | "presigned" => false,
                other => panic!("{id}: there is no authorisation `{other}`"),
            };
            assert_eq!(meta.auth, if wants_token { Auth::Bearer } else { Auth::None }, "{id}");
        }
    }
}
