//! The v1 upload, the older one: slices go to presigned addresses of the service's storage.

use pan123_core::{
    Effect, Error, FileId, Link, Md5, Meta, Operation, Reply, Request, Result, Role, Shape, SharedBody, Target,
    operation, wire,
};
use serde::{Deserialize, Deserializer, de};

use super::{
    check_target,
    uploads::{Completion, Created, LARGEST_FILE, PreuploadId, check_size, check_upload},
};
use crate::OnConflict;

operation! {
    /// Announces a file: it is stored at once when the service has its content, else slices can be sent for it.
    ///
    /// All that [`uploads::Create`](super::uploads::Create) says holds here too; the ticket names no servers, because
    /// every slice has an address of its own, see [`UploadUrl`].
    ///
    /// Protocol: `open-files.yaml`, `upload_v1.create`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the name is taken and nothing else was asked for;
    /// [`Decode`](pan123_core::ErrorKind::Decode) when the service gives no ticket, or one whose slices have no size.
    pub struct Create -> Created = Meta::post("open/upload_v1.create", "/upload/v1/file/create");
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

operation! {
    /// Asks for the presigned address of one slice.
    ///
    /// Addresses expire, after a time that is not documented: ask right before the slice is sent. Whoever has the
    /// address can write the slice, so [`Link`] does not show its query.
    ///
    /// Protocol: `open-files.yaml`, `upload_v1.get_upload_url`.
    pub struct UploadUrl => Link =
        Meta::post("open/upload_v1.get_upload_url", "/upload/v1/file/get_upload_url").effect(Effect::None);
    {
        /// The ticket's id.
        json "preuploadID": upload: PreuploadId,
        /// Which slice it is, counted from 1.
        json "sliceNo": number: u32,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)?;
        if self.number == 0 { Err(Error::invalid("slices are counted from 1")) } else { Ok(()) }
    }

    fn decode(&self, reply: Reply) -> Result<Link> {
        let bad = reply.error(pan123_core::ErrorKind::Decode, "the service gave no usable address for the slice");
        let Presigned { url } = reply.data()?;
        Link::parse(&url).map_err(|_| bad)
    }
}

#[derive(Deserialize)]
struct Presigned {
    #[serde(rename = "presignedURL", alias = "presignedUrl")]
    url: String,
}

/// Sends one slice to its presigned address.
///
/// It goes through the data channel: no token and no platform header can be part of it, and the length is announced
/// exactly. Sending a slice again replaces it.
///
/// Protocol: `open-files.yaml`, `upload_v1.put_slice`.
///
/// # Errors
///
/// [`LinkRejected`](pan123_core::ErrorKind::LinkRejected) when the address has expired: ask for another.
#[derive(Clone, Debug, PartialEq)]
pub struct PutSlice {
    link: Link,
    body: SharedBody,
}

impl PutSlice {
    /// Makes the request.
    ///
    /// - `link`: what [`UploadUrl`] gave for the slice.
    /// - `body`: the bytes of the slice: [`Ticket::slice_size`](super::uploads::Ticket::slice_size) of them, or what is left
    ///   for the last.
    pub fn new(link: Link, body: impl Into<SharedBody>) -> Self {
        Self { link, body: body.into() }
    }
}

impl Operation for PutSlice {
    type Output = ();
    const META: Meta = Meta::put("open/upload_v1.put_slice", "").role(Role::Data).anonymous().shape(Shape::Stream);

    fn target(&self) -> Target {
        Target::Url(self.link.url().clone())
    }

    fn encode(&self, request: &mut Request) {
        request.raw("application/octet-stream", &self.body);
    }

    fn decode(&self, reply: Reply) -> Result<()> {
        reply.nothing()
    }
}

operation! {
    /// Lists the slices that the service has, to compare their MD5s or to go on with an upload.
    ///
    /// For a file of one slice it lists none, whatever has arrived.
    ///
    /// Protocol: `open-files.yaml`, `upload_v1.list_upload_parts`.
    pub struct ListParts -> Parts =
        Meta::post("open/upload_v1.list_upload_parts", "/upload/v1/file/list_upload_parts").effect(Effect::None);
    {
        /// The ticket's id.
        json "preuploadID": upload: PreuploadId,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)
    }
}

/// The slices that have arrived.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Parts {
    /// One for each slice; empty for a file of one slice.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub parts: Vec<StoredPart>,
}

/// A slice that the service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StoredPart {
    /// Its number, counted from 1.
    #[serde(rename = "partNumber", deserialize_with = "number")]
    pub number: u32,
    /// Its size in bytes.
    #[serde(deserialize_with = "wire::integer")]
    pub size: u64,
    /// Its MD5.
    #[serde(rename = "etag")]
    pub md5: Md5,
}

/// Reads a number from 1, as a number or as text; through 64 bits, because not every reader has both.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number: i64 = wire::integer(deserializer)?;
    u32::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| de::Error::custom(format!("the number of a slice is {number}")))
}

operation! {
    /// Tells the service that all slices are sent.
    ///
    /// Small files are stored at once; for others [`Finished::Later`] says to ask [`AsyncResult`].
    ///
    /// The pipeline does not repeat it on its own, for the reasons that
    /// [`UploadComplete`](super::uploads::UploadComplete) of version 2 gives.
    ///
    /// Protocol: `open-files.yaml`, `upload_v1.upload_complete`.
    ///
    /// # Errors
    ///
    /// [`Busy`](pan123_core::ErrorKind::Busy) while the file is verified; any other refusal is final and the ticket is dead.
    pub struct UploadComplete -> Finished =
        Meta::post("open/upload_v1.upload_complete", "/upload/v1/file/upload_complete");
    {
        /// The ticket's id.
        json "preuploadID": upload: PreuploadId,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)
    }
}

/// What became of an [`UploadComplete`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Answer")]
#[non_exhaustive]
pub enum Finished {
    /// The file is stored.
    Stored(FileId),
    /// The service puts the slices together: ask [`AsyncResult`], a second later at the earliest.
    Later,
    /// It is neither stored nor being put together: tell the service again.
    Unfinished,
}

#[derive(Deserialize)]
#[serde(expecting = "what became of an upload")]
struct Answer {
    #[serde(rename = "async", deserialize_with = "wire::truth")]
    is_async: bool,
    #[serde(default, rename = "fileID", alias = "fileId", deserialize_with = "super::uploads::id_or_none")]
    file_id: Option<FileId>,
}

impl From<Answer> for Finished {
    fn from(answer: Answer) -> Self {
        match (answer.is_async, answer.file_id) {
            (true, _) => Self::Later,
            (false, Some(id)) => Self::Stored(id),
            (false, None) => Self::Unfinished,
        }
    }
}

operation! {
    /// Asks whether the service has put the slices together.
    ///
    /// It is done when [`Completion::stored`] has an id. Ask again after a second at the earliest until it is. The service
    /// compares the content with the announced MD5 here.
    ///
    /// Protocol: `open-files.yaml`, `upload_v1.upload_async_result`.
    ///
    /// # Errors
    ///
    /// [`Busy`](pan123_core::ErrorKind::Busy) while the file is verified; any other refusal is final and the ticket is dead.
    pub struct AsyncResult -> Completion =
        Meta::post("open/upload_v1.upload_async_result", "/upload/v1/file/upload_async_result").effect(Effect::None);
    {
        /// The ticket's id.
        json "preuploadID": upload: PreuploadId,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_would_refuse_is_refused_here() {
        let create = |name: &str, size| Create::new(FileId::ROOT, name, Md5::of(b"a"), size);
        for (create, ok) in [
            (create("a", 0), true),
            (create("a", LARGEST_FILE), true),
            (create("a", LARGEST_FILE + 1), false),
            (create("a/b", 1), false),
            (create("/a/b", 1).contain_dir(true), true),
        ] {
            assert_eq!(create.validate().is_ok(), ok, "{create:?}");
        }
        assert!(UploadUrl::new("t", 1).validate().is_ok());
        assert!(UploadUrl::new("t", 0).validate().is_err() && UploadUrl::new("", 1).validate().is_err());
        assert!(ListParts::new("").validate().is_err() && UploadComplete::new("").validate().is_err());
        assert!(AsyncResult::new("").validate().is_err());
    }

    #[test]
    fn only_what_ends_the_same_is_repeated() {
        let create = |choice| Create::new(FileId::ROOT, "a", Md5::of(b"a"), 1).on_conflict(choice);
        assert!(create(OnConflict::Overwrite).is_repeatable());
        assert!(!create(OnConflict::Fail).is_repeatable() && !create(OnConflict::KeepBoth).is_repeatable());
        assert!(UploadUrl::new("t", 1).is_repeatable() && AsyncResult::new("t").is_repeatable());
        assert!(!UploadComplete::new("t").is_repeatable());
    }
}
