//! The v2 upload: announce a file, send its slices, complete it; or send it whole in one request.

use std::fmt;

use pan123_core::{
    Effect, Error, FileId, Md5, Meta, Operation, Reply, Request, Result, Role, Sha1, SharedBody, Target, operation,
    wire,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use url::Url;

use super::check_target;
use crate::OnConflict;

/// The largest file that can be uploaded: 10 GiB.
///
/// The service says "10 GB" and not which; this is the larger reading, so that nothing is refused here that it may take.
///
/// Protocol: `open-files.yaml`, LIMITS.
pub const LARGEST_FILE: u64 = 10 << 30;

/// The largest file that can be uploaded in one request: 1 GiB, the larger reading of the service's "1 GB".
///
/// Protocol: `open-files.yaml`, LIMITS.
pub const LARGEST_SINGLE: u64 = 1 << 30;

operation! {
    /// Announces a file: it is stored at once when the service has its content, else slices can be sent for it.
    ///
    /// The service knows content by MD5 and size alone, and believes what is announced.
    ///
    /// Unless [`on_conflict`](Self::on_conflict) overwrites it is not sent again after a lost answer: the first time may
    /// have stored the file, and the second would store a copy or be refused because of it.
    ///
    /// Protocol: `open-files.yaml`, `upload_v2.create`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is taken and nothing else was asked for;
    /// [`Decode`](pan123_core::ErrorKind::Decode) when the service gives no ticket, or one whose slices have no size.
    pub struct Create -> Created = Meta::post("open/upload_v2.create", "/upload/v2/file/create");
    {
        /// The folder; the root is allowed.
        json "parentFileID": parent: FileId,
        /// The name; see [`pan123_core::name::check`].
        json "filename": name: String,
        /// The MD5 of the whole file.
        json "etag": md5: Md5,
        /// The size in bytes; at most [`LARGEST_FILE`].
        json "size": size: u64,
    }
    optional {
        /// Says what to do when the name is taken; the service refuses unless told.
        json "duplicate": on_conflict: OnConflict,
        /// Takes the name as an absolute path, such as `/a/b/c.bin`, and makes the folders that are missing.
        json "containDir": contain_dir: bool,
    }

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        check_target(&self.name, self.contain_dir == Some(true))?;
        check_size(self.size, LARGEST_FILE)
    }

    fn is_repeatable(&self) -> bool {
        self.on_conflict.unwrap_or_default().is_repeatable()
    }
}

/// What became of an announced file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Answer")]
#[non_exhaustive]
pub enum Created {
    /// The service has the content: the file is stored, and nothing is left to do.
    Stored(FileId),
    /// The service says so without an id: look the file up by its name in the folder.
    ///
    /// Another client has seen such files missing and goes on with the ticket, where there is one.
    Unconfirmed(Option<Ticket>),
    /// The content must be sent.
    Wanted(Ticket),
}

/// What is needed to send the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// Names the upload in every further request.
    pub id: PreuploadId,
    /// The size of every slice but the last, in bytes; never 0. The service insists on it.
    pub slice_size: u64,
    /// The servers that take slices, any of them. It may be empty: ask [`Domain`] then.
    pub servers: Vec<Url>,
}

/// The service's name for an upload (`preuploadID`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PreuploadId(String);

impl PreuploadId {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PreuploadId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for PreuploadId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&Self> for PreuploadId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl fmt::Display for PreuploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "what became of a file")]
struct Answer {
    #[serde(default, rename = "fileID", alias = "fileId", deserialize_with = "id_or_none")]
    file_id: Option<FileId>,
    #[serde(deserialize_with = "wire::truth")]
    reuse: bool,
    #[serde(default, rename = "preuploadID", alias = "preuploadId", deserialize_with = "wire::or_default")]
    preupload_id: String,
    #[serde(default, rename = "sliceSize", deserialize_with = "wire::optional_integer")]
    slice_size: Option<u64>,
    #[serde(default, deserialize_with = "servers")]
    servers: Vec<Url>,
}

impl TryFrom<Answer> for Created {
    type Error = &'static str;

    fn try_from(answer: Answer) -> Result<Self, Self::Error> {
        let ticket = match (answer.preupload_id, answer.slice_size.unwrap_or_default()) {
            (id, _) if id.is_empty() => Err("the service wants the content and gave no preuploadID"),
            (_, 0) => Err("the service wants the content in slices of size 0"),
            (id, slice_size) => Ok(Ticket { id: PreuploadId(id), slice_size, servers: answer.servers }),
        };
        match (answer.reuse, answer.file_id) {
            (true, Some(id)) => Ok(Self::Stored(id)),
            (true, None) => Ok(Self::Unconfirmed(ticket.ok())),
            (false, _) => ticket.map(Self::Wanted),
        }
    }
}

operation! {
    /// Sends one slice of a file.
    ///
    /// Slices may be sent in any order and side by side; sending one again is how a failed one is mended.
    ///
    /// Protocol: `open-files.yaml`, `upload_v2.slice`.
    pub struct Slice -> () = Meta::post("open/upload_v2.slice", "/upload/v2/file/slice")
        .role(Role::Upload)
        .effect(Effect::Same);
    {
        /// One of the [`Ticket::servers`].
        local: server: Url,
        /// The [`Ticket::id`].
        form "preuploadID": upload: PreuploadId,
        /// Which slice it is, counted from 1.
        form "sliceNo": number: u32,
        /// The MD5 of the slice.
        form "sliceMD5": md5: Md5,
        /// The bytes of the slice: [`Ticket::slice_size`] of them, or what is left for the last.
        form_file "slice": body: SharedBody,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)?;
        if self.number == 0 { Err(Error::invalid("slices are counted from 1")) } else { Ok(()) }
    }

    fn target(&self) -> Target {
        Target::Server(self.server.clone())
    }
}

operation! {
    /// Asks the service to put the slices together and verify them.
    ///
    /// It is done when [`Completion::stored`] has an id. Until then the service says that it is not, or fails with
    /// [`Busy`](pan123_core::ErrorKind::Busy) (code 20103); both mean: send this again after a second. Large files may
    /// take minutes.
    ///
    /// The pipeline does not repeat it on its own: whoever polls does that, and can tell a refusal that comes after a lost
    /// answer (the upload may be done) from one that comes first. What the service says after success is not documented.
    ///
    /// Protocol: `open-files.yaml`, `upload_v2.upload_complete`.
    ///
    /// # Errors
    ///
    /// [`Busy`](pan123_core::ErrorKind::Busy) as said; any other refusal is final and the ticket is dead, such as for
    /// content that does not have the announced MD5.
    pub struct UploadComplete -> Completion = Meta::post("open/upload_v2.upload_complete", "/upload/v2/file/upload_complete");
    {
        /// The [`Ticket::id`].
        json "preuploadID": upload: PreuploadId,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)
    }
}

/// How far the service is with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Completion {
    /// Whether the service says that it is done. Without an id it is not.
    #[serde(deserialize_with = "wire::truth")]
    pub completed: bool,
    /// The id, where one is given; it is the file's only together with `completed`.
    #[serde(default, rename = "fileID", alias = "fileId", deserialize_with = "id_or_none")]
    pub file_id: Option<FileId>,
}

impl Completion {
    /// Returns the id of the stored file; `None` while it is not stored.
    pub fn stored(&self) -> Option<FileId> {
        self.file_id.filter(|_| self.completed)
    }
}

operation! {
    /// Asks for the servers that take whole files, and slices when a [`Ticket`] names none.
    ///
    /// Any of them will do. How long the answer holds is not documented; other clients keep it for as long as they run.
    ///
    /// Protocol: `open-files.yaml`, `upload_v2.domain`.
    pub struct Domain => Vec<Url> = Meta::get("open/upload_v2.domain", "/upload/v2/file/domain");
    {}

    fn decode(&self, reply: Reply) -> Result<Vec<Url>> {
        reply.data::<Servers>().map(|servers| servers.0)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Servers(#[serde(deserialize_with = "servers")] Vec<Url>);

/// Sends a whole file in one request.
///
/// The bytes are always sent, also when the service has them. `completed` may be false although the service refused
/// nothing; there is nothing to poll then, and the file counts as not stored.
///
/// Unless [`on_conflict`](Self::on_conflict) overwrites it is not sent again after a lost answer, as for [`Create`].
///
/// Protocol: `open-files.yaml`, `upload_v2.single_create`.
///
/// # Errors
///
/// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is taken and nothing else was asked for;
/// [`Busy`](pan123_core::ErrorKind::Busy) when the service has queued it and asks to send it again after a second.
#[derive(Clone, Debug, PartialEq)]
pub struct SingleCreate {
    server: Url,
    parent: FileId,
    name: String,
    md5: Md5,
    body: SharedBody,
    on_conflict: OnConflict,
    contain_dir: bool,
}

impl SingleCreate {
    /// Makes the request.
    ///
    /// - `server`: one of those that [`Domain`] gives.
    /// - `parent`: the folder; the root is allowed.
    /// - `name`: the name; see [`pan123_core::name::check`].
    /// - `md5`: the MD5 of the whole file.
    /// - `body`: the file, at most [`LARGEST_SINGLE`] bytes.
    pub fn new(
        server: Url,
        parent: impl Into<FileId>,
        name: impl Into<String>,
        md5: Md5,
        body: impl Into<SharedBody>,
    ) -> Self {
        Self {
            server,
            parent: parent.into(),
            name: name.into(),
            md5,
            body: body.into(),
            on_conflict: OnConflict::Fail,
            contain_dir: false,
        }
    }

    /// Says what to do when the name is taken; the service refuses unless told.
    #[must_use]
    pub fn on_conflict(self, on_conflict: OnConflict) -> Self {
        Self { on_conflict, ..self }
    }

    /// Takes the name as an absolute path, such as `/a/b/c.bin`, and makes the folders that are missing.
    #[must_use]
    pub fn contain_dir(self, contain_dir: bool) -> Self {
        Self { contain_dir, ..self }
    }
}

impl Operation for SingleCreate {
    type Output = Completion;
    const META: Meta = Meta::post("open/upload_v2.single_create", "/upload/v2/file/single/create").role(Role::Upload);

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        check_target(&self.name, self.contain_dir)?;
        check_size(self.body.length(), LARGEST_SINGLE)
    }

    fn target(&self) -> Target {
        Target::Server(self.server.clone())
    }

    fn is_repeatable(&self) -> bool {
        self.on_conflict.is_repeatable()
    }

    fn encode(&self, request: &mut Request) {
        request.form("parentFileID", self.parent);
        request.form("filename", &self.name);
        request.form("etag", self.md5);
        request.form("size", self.body.length());
        request.form("duplicate", self.on_conflict);
        request.form("containDir", self.contain_dir.then_some(true));
        request.form_file("file", &self.body);
    }

    fn decode(&self, reply: Reply) -> Result<Completion> {
        reply.data()
    }
}

operation! {
    /// Tries to store a file by its SHA-1 and size alone, without its content.
    ///
    /// A miss is no error and makes nothing: [`Create`] is the next thing to try. The MD5 of what was stored is not told.
    ///
    /// Unless [`on_conflict`](Self::on_conflict) overwrites it is not sent again after a lost answer, as for [`Create`].
    ///
    /// Protocol: `open-files.yaml`, `upload_v2.sha1_reuse`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is taken and nothing else was asked for.
    pub struct Sha1Reuse -> Sha1Outcome = Meta::post("open/upload_v2.sha1_reuse", "/upload/v2/file/sha1_reuse");
    {
        /// The folder; the root is allowed.
        json "parentFileID": parent: FileId,
        /// The name; see [`pan123_core::name::check`].
        json "filename": name: String,
        /// The SHA-1 of the whole file.
        json "sha1": sha1: Sha1,
        /// The size in bytes; at most [`LARGEST_FILE`].
        json "size": size: u64,
    }
    optional {
        /// Says what to do when the name is taken; the service refuses unless told.
        json "duplicate": on_conflict: OnConflict,
    }

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        check_target(&self.name, false)?;
        check_size(self.size, LARGEST_FILE)
    }

    fn is_repeatable(&self) -> bool {
        self.on_conflict.unwrap_or_default().is_repeatable()
    }
}

/// What became of a [`Sha1Reuse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Answer")]
#[non_exhaustive]
pub enum Sha1Outcome {
    /// The service has the content, and the file is stored.
    Stored(FileId),
    /// The service says so without an id: look the file up by its name in the folder.
    Unconfirmed,
    /// The service does not have the content; nothing was made.
    Missed,
}

impl From<Answer> for Sha1Outcome {
    fn from(answer: Answer) -> Self {
        match (answer.reuse, answer.file_id) {
            (true, Some(id)) => Self::Stored(id),
            (true, None) => Self::Unconfirmed,
            (false, _) => Self::Missed,
        }
    }
}

pub(super) fn check_size(size: u64, largest: u64) -> Result<()> {
    if size <= largest {
        return Ok(());
    }
    Err(Error::invalid(format!("the file has {size} bytes, the service takes at most {largest} here")))
}

pub(super) fn check_upload(id: &PreuploadId) -> Result<()> {
    if id.0.is_empty() { Err(Error::invalid("the preuploadID is empty")) } else { Ok(()) }
}

/// Reads an id for which 0, null and absence mean that there is none yet.
pub(super) fn id_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FileId>, D::Error> {
    match Option::<FileId>::deserialize(deserializer)? {
        Some(id) if id.get() < 0 => Err(de::Error::custom(format!("the id of a file is {id}"))),
        id => Ok(id.filter(|id| !id.is_root())),
    }
}

/// Reads addresses of servers. One that is no address is left out, because any of the others will do.
fn servers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Url>, D::Error> {
    let texts: Vec<String> = wire::or_default(deserializer)?;
    let is_server = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    Ok(texts.iter().filter_map(|text| Url::parse(text.trim()).ok().filter(is_server)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Url {
        Url::parse("https://openapi-upload.123242.com").expect("a constant")
    }

    fn create(size: u64) -> Create {
        Create::new(FileId::ROOT, "a.bin", Md5::of(b"a"), size)
    }

    fn sha1_reuse(size: u64) -> Sha1Reuse {
        let sha1: Sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8".parse().expect("a SHA-1");
        Sha1Reuse::new(FileId::ROOT, "a.bin", sha1, size)
    }

    fn single(body: &'static str) -> SingleCreate {
        SingleCreate::new(server(), FileId::ROOT, "a.bin", Md5::of(body.as_bytes()), body)
    }

    /// Says that it has so many bytes, and has none.
    #[derive(Debug)]
    struct Claims(u64);

    impl pan123_core::BodySource for Claims {
        fn length(&self) -> u64 {
            self.0
        }

        fn open(&self) -> pan123_core::Body {
            pan123_core::Body::empty()
        }
    }

    #[test]
    fn sizes_are_refused_beyond_the_limit_and_not_before() {
        for (size, ok) in [(0, true), (LARGEST_FILE, true), (LARGEST_FILE + 1, false)] {
            assert_eq!(create(size).validate().is_ok(), ok, "{size}");
            assert_eq!(sha1_reuse(size).validate().is_ok(), ok, "{size}");
        }
        for (size, ok) in [(0, true), (LARGEST_SINGLE, true), (LARGEST_SINGLE + 1, false)] {
            let body = std::sync::Arc::new(Claims(size));
            let single = SingleCreate::new(server(), FileId::ROOT, "a", Md5::of(b""), body);
            assert_eq!(single.validate().is_ok(), ok, "{size}");
        }
        let error = create(LARGEST_FILE + 1).validate().unwrap_err();
        assert_eq!(error.to_string(), "the file has 10737418241 bytes, the service takes at most 10737418240 here");
    }

    #[test]
    fn names_are_checked_as_names_or_paths() {
        let named = |name: &str| Create::new(FileId::ROOT, name, Md5::of(b"a"), 1_u64);
        assert!(named("a/b").validate().is_err() && named("").validate().is_err());
        assert!(named("/a/b").contain_dir(true).validate().is_ok());
        assert!(named("a/b").contain_dir(true).validate().is_err());
        let single = SingleCreate::new(server(), FileId::new(-1), "a", Md5::of(b""), "");
        assert!(single.validate().is_err(), "a folder's id cannot be negative");
    }

    #[test]
    fn slices_are_counted_from_1_and_need_a_ticket() {
        let slice = |upload: &str, number| Slice::new(server(), upload, number, Md5::of(b"a"), "a");
        assert!(slice("t", 1).validate().is_ok());
        assert!(slice("t", 0).validate().is_err() && slice("", 1).validate().is_err());
        assert!(UploadComplete::new("").validate().is_err());
    }

    #[test]
    fn only_what_ends_the_same_is_repeated() {
        for (choice, repeatable) in
            [(OnConflict::Fail, false), (OnConflict::KeepBoth, false), (OnConflict::Overwrite, true)]
        {
            assert_eq!(create(1).on_conflict(choice).is_repeatable(), repeatable, "{choice:?}");
            assert_eq!(single("a").on_conflict(choice).is_repeatable(), repeatable, "{choice:?}");
            assert_eq!(sha1_reuse(1).on_conflict(choice).is_repeatable(), repeatable, "{choice:?}");
        }
        assert!(!create(1).is_repeatable() && !single("a").is_repeatable());
        assert!(Slice::new(server(), "t", 1, Md5::of(b"a"), "a").is_repeatable());
        assert!(!UploadComplete::new("t").is_repeatable());
    }

    #[test]
    fn a_file_is_stored_only_with_both_its_marks() {
        for (json, stored) in [
            (r#"{"completed":true,"fileID":5}"#, Some(FileId::new(5))),
            (r#"{"completed":true,"fileID":0}"#, None),
            (r#"{"completed":false,"fileID":5}"#, None),
            (r#"{"completed":false}"#, None),
        ] {
            let completion: Completion = serde_json::from_str(json).expect("a completion");
            assert_eq!(completion.stored(), stored, "{json}");
        }
    }
}
