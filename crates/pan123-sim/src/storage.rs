//! What the object storage holds for uploads of the web API, and the announcements that wait for it.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::content::{Content, md5_hex};
use crate::drive::OnClash;
use crate::seed;

/// A file that was announced and whose bytes are to come.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) parent: i64,
    pub(crate) name: String,
    pub(crate) md5: String,
    pub(crate) size: u64,
    pub(crate) on_clash: OnClash,
    pub(crate) key: String,
    /// The multipart upload that was opened for it; empty when the client was given keys.
    pub(crate) upload_id: String,
}

/// One part of a multipart upload.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) size: u64,
    /// `None` when bytes are only counted.
    pub(crate) md5: Option<String>,
    pub(crate) bytes: Bytes,
}

/// A multipart upload of one key.
#[derive(Clone, Debug)]
pub(crate) struct Multipart {
    pub(crate) key: String,
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// A whole object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) size: u64,
    pub(crate) content: Stored,
}

#[derive(Clone, Debug)]
pub(crate) enum Stored {
    /// Bytes, and their MD5 when it is known already.
    Bytes(Content, Option<String>),
    /// Bytes that were only counted.
    Counted,
}

/// A pair of keys that opens the storage.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Empty for the service's own keys, with which it signs addresses.
    pub(crate) session: String,
    pub(crate) expires: i64,
}

/// Empty at the start, but for the service's own keys.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) pending: HashMap<i64, Pending>,
    uploads: HashMap<String, Multipart>,
    objects: HashMap<String, Object>,
    keys: Vec<Keys>,
    /// Whether every announcement is answered with keys.
    pub(crate) hands_out_keys: bool,
}

impl Storage {
    pub(crate) fn new(seed: u64) -> Self {
        let secret = md5_hex(format!("{seed}|storage").as_bytes());
        let own = Keys { id: "SIMSERVICE".to_owned(), secret, session: String::new(), expires: i64::MAX };
        Self {
            pending: HashMap::new(),
            uploads: HashMap::new(),
            objects: HashMap::new(),
            keys: vec![own],
            hands_out_keys: false,
        }
    }

    /// The keys with which the service signs addresses.
    pub(crate) fn own_keys(&self) -> Option<&Keys> {
        self.keys.first()
    }

    pub(crate) fn keys(&self, id: &str) -> Option<&Keys> {
        self.keys.iter().find(|keys| keys.id == id)
    }

    /// Makes keys for a client.
    pub(crate) fn make_keys(&mut self, random: &mut u64, expires: i64) -> Keys {
        let keys = Keys {
            id: seed::word(random, 20),
            secret: seed::word(random, 40),
            session: seed::word(random, 64),
            expires,
        };
        self.keys.push(keys.clone());
        keys
    }

    pub(crate) fn open(&mut self, random: &mut u64, key: String) -> String {
        let id = format!("2~{}", seed::word(random, 30));
        self.uploads.insert(id.clone(), Multipart { key, parts: BTreeMap::new() });
        id
    }

    /// The multipart upload of that id, if it is for that key.
    pub(crate) fn upload(&mut self, id: &str, key: &str) -> Option<&mut Multipart> {
        self.uploads.get_mut(id).filter(|upload| upload.key == key)
    }

    pub(crate) fn abort(&mut self, id: &str) {
        self.uploads.remove(id);
    }

    /// Joins the parts of an upload to an object; false when it has none.
    pub(crate) fn merge(&mut self, id: &str) -> bool {
        let Some(upload) = self.uploads.get(id).filter(|upload| !upload.parts.is_empty()) else { return false };
        let (key, object) = (upload.key.clone(), joined(upload));
        self.uploads.remove(id);
        self.put(key, object);
        true
    }

    pub(crate) fn put(&mut self, key: String, object: Object) {
        self.objects.insert(key, object);
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Object> {
        self.objects.remove(key)
    }
}

fn joined(upload: &Multipart) -> Object {
    let parts: Vec<&Part> = upload.parts.values().collect();
    let size = parts.iter().map(|part| part.size).sum();
    let content = match parts.as_slice() {
        [only] => only.md5.clone().map(|md5| (Content::whole(only.bytes.clone()), Some(md5))),
        _ if parts.iter().any(|part| part.md5.is_none()) => None,
        _ => Some((content_of(&parts), None)),
    };
    Object { size, content: content.map_or(Stored::Counted, |(content, md5)| Stored::Bytes(content, md5)) }
}

/// Parts that are all as long, save for the last, stay as they are.
fn content_of(parts: &[&Part]) -> Content {
    let piece = parts.first().map_or(0, |part| part.size);
    let (last, front) = parts.split_last().map_or((0, &[][..]), |(last, front)| (last.size, front));
    if last <= piece && front.iter().all(|part| part.size == piece) {
        return Content::pieces(parts.iter().map(|part| part.bytes.clone()).collect(), piece);
    }
    Content::whole(Bytes::from(parts.iter().map(|part| part.bytes.as_ref()).collect::<Vec<_>>().concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_any_size_are_joined_in_the_order_of_their_numbers() {
        for sizes in [&["ab", "cd", "e"][..], &["a", "bcd", "e"], &["abcde"], &["ab", "cde"]] {
            let (mut storage, mut random) = (Storage::new(1), 1);
            let id = storage.open(&mut random, "k".to_owned());
            assert!(!storage.merge(&id));
            for (number, text) in sizes.iter().enumerate().rev() {
                let bytes = Bytes::from_static(text.as_bytes());
                let part = Part { size: bytes.len() as u64, md5: Some(md5_hex(&bytes)), bytes };
                storage.upload(&id, "k").unwrap().parts.insert(number as u32 + 1, part);
            }
            assert!(storage.merge(&id) && storage.upload(&id, "k").is_none());
            let object = storage.take("k").unwrap();
            let Stored::Bytes(content, _) = object.content else { panic!("{sizes:?}") };
            assert_eq!((object.size, content.to_bytes()), (5, Bytes::from_static(b"abcde")), "{sizes:?}");
        }
    }
}
