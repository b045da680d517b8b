//! Uploads: announcing a file, and completing it once its bytes are there.
//!
//! [`Client::upload`](crate::Client::upload) goes through all of them. The order, where it is done by hand, is [`Create`];
//! [`SingleUrl`] or [`PartUrls`]; [`PutPart`] for each part; [`Complete`]. What goes to the storage is in
//! [`parts`](super::parts).

use std::fmt;

use pan123_core::{
    Effect, Error, ErrorKind, FileId, Md5, Meta, Operation, Reply, Result, Secret, Timestamp, name, operation, wire,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    parts::{ListParts, PartUrls, PutPart, SingleUrl},
    post,
};
use crate::{Entry, OnConflict};

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[
    Create::META,
    SingleUrl::META,
    PartUrls::META,
    PutPart::META,
    ListParts::META,
    Complete::META,
    CompleteById::META,
    MergeParts::META,
    Abort::META,
];

/// The most parts a file has; object stores take no more.
pub const MOST_PARTS: u32 = 10_000;

operation! {
    /// Announces a file: it is stored at once when the service has its content, else its bytes are wanted.
    ///
    /// The service knows content by MD5 and size alone, and believes what is announced: **a wrong MD5 is stored as
    /// claimed**. Every announcement that is not stored at once opens a session of its own, which is left behind when
    /// nothing is sent; keep the [`Session`] to go on with it.
    ///
    /// Unless [`on_conflict`](Self::on_conflict) overwrites it is not sent again after a lost answer: the first time may
    /// have stored the file, and the second would store a copy or be refused because of it.
    ///
    /// Protocol: `web.yaml`, `upload.request`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) when the name is taken and nothing else was asked for;
    /// [`Decode`] when the service wants bytes and does not say where to, or gives only some of the keys of its storage.
    ///
    /// [`Decode`]: ErrorKind::Decode
    pub struct Create => Created = post("web/upload.request", "/api/file/upload_request");
    {
        /// The folder; the root is allowed.
        json "parentFileId": parent: FileId,
        /// The name; see [`pan123_core::name::check`].
        json "fileName": name: String,
        /// The MD5 of the whole file.
        json "etag": md5: Md5,
        /// The size in bytes.
        json "size": size: u64,
    }
    fixed {
        json "driveId": 0,
        json "type": 0,
    }
    optional {
        /// Says what to do when the name is taken; the service refuses unless told.
        json "duplicate": on_conflict: OnConflict,
    }

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        name::check(&self.name)
    }

    fn is_repeatable(&self) -> bool {
        self.on_conflict.unwrap_or_default().is_repeatable()
    }

    fn decode(&self, reply: Reply) -> Result<Created> {
        let bad = reply.error(ErrorKind::Decode, "the data in the answer is not of the documented shape");
        let answer: Answer = reply.data_in_any_case()?;
        answer.judged(self.size).map_err(|cause| bad.with_source(cause))
    }
}

/// What became of an announced file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Created {
    /// The service has the content: the file is stored, and this is what it has become.
    Stored(Box<Entry>),
    /// The service says so and does not tell the id: look for name, size and MD5 in the folder. It may be listed
    /// minutes later. An id that the answer gave beside is not that of the file.
    Unconfirmed,
    /// The content must be sent.
    Wanted(Box<Session>),
}

/// Where the bytes of an announced file go.
///
/// It can be kept, to go on with the upload in another process; the [keys](Self::keys) are not kept with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Session {
    /// The id of the session, which completing asks for. The file may get another.
    pub file_id: FileId,
    /// The bucket of the storage.
    pub bucket: String,
    /// The name of the object in the bucket.
    pub key: String,
    /// The storage's name for the upload; empty where there are [keys](Self::keys).
    pub upload_id: String,
    /// The node of the storage.
    pub storage_node: String,
    /// The address of the storage, only of use with [keys](Self::keys).
    pub endpoint: String,
    /// The size of every part but the last, in bytes: 16 to 128 MiB were seen. 0 where the service does not say, which
    /// it may for an empty file or beside keys.
    pub part_size: u64,
    /// Keys of the storage, where the service gives them in place of presigned addresses. The present one does not.
    #[serde(skip)]
    pub keys: Option<StorageKeys>,
}

/// Keys that open one place of the storage for a while (STS).
///
/// They go nowhere but into signatures for the session's own endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorageKeys {
    /// Says whose key it is.
    pub access_key_id: Secret,
    /// The key that signs; it is never sent.
    pub secret_access_key: Secret,
    /// Proves that the keys were lent.
    pub session_token: Secret,
    /// When they stop working, where that is said.
    pub expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(expecting = "what became of a file")]
struct Answer {
    #[serde(default, deserialize_with = "wire::truth")]
    reuse: bool,
    #[serde(default)]
    info: Option<serde_json::Value>,
    #[serde(default, rename = "fileid", deserialize_with = "wire::integer_or_zero")]
    file_id: i64,
    #[serde(default, deserialize_with = "wire::or_default")]
    bucket: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    key: String,
    #[serde(default, rename = "uploadid", deserialize_with = "wire::or_default")]
    upload_id: String,
    #[serde(default, rename = "storagenode", deserialize_with = "wire::or_default")]
    storage_node: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    endpoint: String,
    #[serde(default, rename = "slicesize", deserialize_with = "wire::integer_or_zero")]
    slice_size: u64,
    #[serde(default, rename = "accesskeyid", deserialize_with = "wire::or_default")]
    access_key_id: String,
    #[serde(default, rename = "secretaccesskey", deserialize_with = "wire::or_default")]
    secret_access_key: String,
    #[serde(default, rename = "sessiontoken", deserialize_with = "wire::or_default")]
    session_token: String,
    #[serde(default, deserialize_with = "wire::time")]
    expiration: Option<Timestamp>,
}

impl Answer {
    fn judged(self, size: u64) -> Result<Created, &'static str> {
        if self.reuse {
            // What cannot be read is looked for in the folder: the file is stored all the same.
            let info = self.info.and_then(|info| serde_json::from_value::<Entry>(info).ok());
            return Ok(info.map_or(Created::Unconfirmed, |entry| Created::Stored(Box::new(entry))));
        }
        if self.key.is_empty() {
            // Another client takes this for stored; looking tells.
            return Ok(Created::Unconfirmed);
        }
        let keys = match [&self.access_key_id, &self.secret_access_key, &self.session_token].map(String::is_empty) {
            [true, true, true] => None,
            [false, false, false] => Some(StorageKeys {
                access_key_id: self.access_key_id.into(),
                secret_access_key: self.secret_access_key.into(),
                session_token: self.session_token.into(),
                expires_at: self.expiration,
            }),
            _ => return Err("the service gave only some of the storage's keys"),
        };
        let file_id = FileId::new(self.file_id);
        if file_id.check_entry().is_err() {
            return Err("the service wants the content and gave no id for the upload");
        }
        if self.bucket.is_empty() {
            return Err("the service wants the content and named no bucket");
        }
        match keys {
            Some(_) if Url::parse(&self.endpoint).is_err() => {
                return Err("the service gave keys of a storage and not its address");
            }
            None if self.upload_id.is_empty() || self.storage_node.is_empty() => {
                return Err("the service wants the content and does not say where to");
            }
            None if self.slice_size == 0 && size > 0 => return Err("the service wants the content in parts of size 0"),
            _ => {}
        }
        Ok(Created::Wanted(Box::new(Session {
            file_id,
            bucket: self.bucket,
            key: self.key,
            upload_id: self.upload_id,
            storage_node: self.storage_node,
            endpoint: self.endpoint,
            part_size: self.slice_size,
            keys,
        })))
    }
}

operation! {
    /// Completes an upload.
    ///
    /// `is_multipart` says how the addresses were asked for: true for [`PartUrls`], false for [`SingleUrl`]. Where it is wrong
    /// the service says that all is well and **stores nothing**. Only an answer with the [`file`](Completed::file), of the right
    /// size and MD5, is a success.
    ///
    /// The pipeline does not repeat it on its own. After a lost answer look for the file: by [`Session::file_id`], which
    /// may have become the file's, or by name, size and MD5 in the folder.
    ///
    /// Protocol: `web.yaml`, `upload.complete_v2`.
    pub struct Complete => Completed = post("web/upload.complete_v2", "/api/file/upload_complete/v2");
    {
        /// [`Session::storage_node`].
        json "StorageNode": storage_node: String,
        /// [`Session::bucket`].
        json "bucket": bucket: String,
        /// [`Session::key`].
        json "key": key: String,
        /// [`Session::upload_id`].
        json "uploadId": upload_id: String,
        /// [`Session::file_id`].
        json "fileId": id: FileId,
        /// The size of the whole file in bytes.
        json "fileSize": size: u64,
        /// Whether the parts had addresses of their own.
        json "isMultipart": is_multipart: bool,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()?;
        check_place([&self.storage_node, &self.bucket, &self.key, &self.upload_id])
    }

    fn decode(&self, reply: Reply) -> Result<Completed> {
        Ok(reply.data_in_any_case::<Option<Completed>>()?.unwrap_or_default())
    }
}

/// What became of a [`Complete`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Completed {
    /// The file. `None` means that nothing is stored, unless [`is_async`](Self::is_async).
    #[serde(default, rename = "file_info")]
    pub file: Option<Entry>,
    /// Whether the service still puts the parts together: look for the file a little later.
    #[serde(default, rename = "async", deserialize_with = "wire::truth")]
    pub is_async: bool,
}

operation! {
    /// Completes an upload that went to the storage by [keys](Session::keys), or whose parts were [merged](MergeParts).
    ///
    /// The answer does not tell the file: look for it. Other clients repeat it up to five times, 2 to 8 seconds apart,
    /// because it fails while the storage is still merging.
    ///
    /// Protocol: `web.yaml`, `upload.complete`.
    pub struct CompleteById -> () = post("web/upload.complete", "/api/file/upload_complete");
    {
        /// [`Session::file_id`].
        json "fileId": id: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

operation! {
    /// Tells the storage to put the parts together, as older clients do before [`CompleteById`].
    ///
    /// [`Complete`] replaces both. For a file that is one part it fails, which does no harm.
    ///
    /// Protocol: `web.yaml`, `upload.s3_complete_multipart`.
    pub struct MergeParts -> () = post("web/upload.s3_complete_multipart", "/api/file/s3_complete_multipart_upload");
    {
        /// [`Session::storage_node`].
        json "storageNode": storage_node: String,
        /// [`Session::bucket`].
        json "bucket": bucket: String,
        /// [`Session::key`].
        json "key": key: String,
        /// [`Session::upload_id`].
        json "uploadId": upload_id: String,
    }
    optional {
        /// Says which parts there are; only one of the clients does.
        json "parts": parts: Vec<MergedPart>,
    }

    fn validate(&self) -> Result<()> {
        check_place([&self.storage_node, &self.bucket, &self.key, &self.upload_id])
    }
}

/// A part that is put together with others, named by number and ETag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergedPart {
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(rename = "PartNumber")]
    number: u32,
}

impl MergedPart {
    /// Names part `number`, counted from 1, whose bytes have this MD5.
    pub fn new(number: u32, md5: Md5) -> Self {
        Self { etag: format!("\"{md5}\""), number }
    }
}

operation! {
    /// Gives up an upload. Whether the service heeds it is not known.
    ///
    /// Protocol: `web.yaml`, `upload.s3_abort_multipart`.
    pub struct Abort -> () =
        post("web/upload.s3_abort_multipart", "/api/file/s3_abort_multipart_upload").effect(Effect::Same);
    {
        /// [`Session::storage_node`].
        json "storageNode": storage_node: String,
        /// [`Session::bucket`].
        json "bucket": bucket: String,
        /// [`Session::key`].
        json "key": key: String,
        /// [`Session::upload_id`].
        json "uploadId": upload_id: String,
    }

    fn validate(&self) -> Result<()> {
        check_place([&self.storage_node, &self.bucket, &self.key, &self.upload_id])
    }
}

impl Complete {
    /// Makes the request for an upload that was announced.
    pub fn of(session: &Session, size: u64, is_multipart: bool) -> Self {
        let [node, bucket, key, upload] = session.place();
        Self::new(node, bucket, key, upload, session.file_id, size, is_multipart)
    }
}

impl MergeParts {
    /// Makes the request for an upload that was announced.
    pub fn of(session: &Session) -> Self {
        let [node, bucket, key, upload] = session.place();
        Self::new(node, bucket, key, upload)
    }
}

impl Abort {
    /// Makes the request for an upload that was announced.
    pub fn of(session: &Session) -> Self {
        let [node, bucket, key, upload] = session.place();
        Self::new(node, bucket, key, upload)
    }
}

impl Session {
    /// Returns what every further request names the upload by: node, bucket, key and upload id.
    pub(super) fn place(&self) -> [&str; 4] {
        [&self.storage_node, &self.bucket, &self.key, &self.upload_id]
    }
}

pub(super) fn check_place(place: [&String; 4]) -> Result<()> {
    if place.iter().any(|text| text.is_empty()) {
        return Err(Error::invalid("an upload is named by node, bucket, key and upload id, and one of them is empty"));
    }
    Ok(())
}

impl fmt::Display for Session {
    /// Names the upload by its id and node, for an error or a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upload {} on {}", self.file_id, self.storage_node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create() -> Create {
        Create::new(FileId::ROOT, "a", Md5::of(b"a"), 1)
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_here() {
        assert!(create().validate().is_ok());
        assert!(Create::new(FileId::ROOT, "a/b", Md5::of(b"a"), 1).validate().is_err());
        assert!(Create::new(FileId::new(-1), "a", Md5::of(b"a"), 1).validate().is_err());
        assert!(Abort::new("m70", "b", "k", "").validate().is_err());
        assert!(CompleteById::new(FileId::ROOT).validate().is_err());
    }

    #[test]
    fn only_what_ends_the_same_is_repeated() {
        assert!(create().on_conflict(OnConflict::Overwrite).is_repeatable());
        assert!(!create().is_repeatable() && !create().on_conflict(OnConflict::KeepBoth).is_repeatable());
        assert!(Abort::new("m", "b", "k", "u").is_repeatable());
        assert!(!Complete::new("m", "b", "k", "u", FileId::new(1), 1, true).is_repeatable());
        assert!(!CompleteById::new(FileId::new(1)).is_repeatable());
    }

    #[test]
    fn a_kept_session_holds_no_keys_and_no_text_shows_them() {
        let json = r#"{"FileId":1,"Key":"k","Bucket":"b","EndPoint":"https://s.example","AccessKeyId":"planted-a",
            "SecretAccessKey":"planted-b","SessionToken":"planted-c","SliceSize":"1","StorageNode":"m1"}"#;
        let wire::AnyCase(answer): wire::AnyCase<Answer> = serde_json::from_str(json).unwrap();
        let Ok(Created::Wanted(session)) = answer.judged(1) else { panic!("the bytes are wanted") };
        let kept = serde_json::to_string(&session).unwrap();
        let shown = format!("{session:?} {session} {kept}");
        assert!(session.keys.is_some() && !shown.contains("planted"), "{shown}");
        let read: Session = serde_json::from_str(&kept).unwrap();
        assert_eq!((read.keys, read.file_id), (None, session.file_id));
    }
}
