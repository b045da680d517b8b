//! Image hosting's upload: announce an image, send its slices to presigned addresses, complete it.

use pan123_core::{Effect, Error, Link, Md5, Meta, Reply, Result, Role, Shape, SharedBody, Target, operation, wire};
use serde::{Deserialize, Deserializer, de};

use super::{
    images::{ImageId, LARGEST_IMAGE, check_name, id_or_none},
    uploads::PreuploadId,
};

operation! {
    /// Announces an image: it is stored at once when the service has its content, else slices can be sent for it.
    ///
    /// An image of the same size and MD5 in the folder counts as this one and is overwritten, so it may be sent again after
    /// a lost answer. Whether a name can be taken is not settled: the pages say that names may not repeat, a client that
    /// they never clash.
    ///
    /// Protocol: `open-services.yaml`, `oss.create`.
    ///
    /// # Errors
    ///
    /// [`Decode`](pan123_core::ErrorKind::Decode) when the service gives no ticket, or one whose slices have no size.
    pub struct Create -> Created =
        Meta::post("open/oss.create", "/upload/v1/oss/file/create").effect(Effect::Same);
    {
        /// The folder; the root is allowed.
        json "parentFileID": parent: ImageId,
        /// The name; see [`check_name`].
        json "filename": name: String,
        /// The MD5 of the whole image.
        json "etag": md5: Md5,
        /// The size in bytes; at most [`LARGEST_IMAGE`].
        json "size": size: u64,
    }
    fixed {
        json "type": 1,
    }

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        check_name(&self.name)?;
        check_size(self.size)
    }
}

fn check_size(size: u64) -> Result<()> {
    if size <= LARGEST_IMAGE {
        return Ok(());
    }
    Err(Error::invalid(format!("the image has {size} bytes, the service takes at most {LARGEST_IMAGE}")))
}

/// What became of an announced image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Answer")]
#[non_exhaustive]
pub enum Created {
    /// The service has the content: the image is stored, and nothing is left to do.
    Stored(ImageId),
    /// The service says so without an id: look the image up in the folder.
    Unconfirmed,
    /// The content must be sent.
    Wanted(Ticket),
}

/// What is needed to send the content of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// Names the upload in every further request.
    pub id: PreuploadId,
    /// The size of every slice but the last, in bytes; never 0. It is 100 MiB in the only answer that is known, so that an
    /// image has one slice.
    pub slice_size: u64,
}

#[derive(Deserialize)]
#[serde(expecting = "what became of an image")]
struct Answer {
    #[serde(default, rename = "fileID", alias = "fileId", deserialize_with = "id_or_none")]
    file_id: Option<ImageId>,
    #[serde(deserialize_with = "wire::truth")]
    reuse: bool,
    #[serde(default, rename = "preuploadID", alias = "preuploadId", deserialize_with = "wire::or_default")]
    preupload_id: String,
    #[serde(default, rename = "sliceSize", deserialize_with = "wire::optional_integer")]
    slice_size: Option<u64>,
}

impl TryFrom<Answer> for Created {
    type Error = &'static str;

    fn try_from(answer: Answer) -> Result<Self, Self::Error> {
        match (answer.reuse, answer.file_id, answer.slice_size.unwrap_or_default()) {
            (true, Some(id), _) => Ok(Self::Stored(id)),
            (true, None, _) => Ok(Self::Unconfirmed),
            (false, _, _) if answer.preupload_id.is_empty() => {
                Err("the service wants the content and gave no preuploadID")
            }
            (false, _, 0) => Err("the service wants the content in slices of size 0"),
            (false, _, slice_size) => Ok(Self::Wanted(Ticket { id: answer.preupload_id.into(), slice_size })),
        }
    }
}

operation! {
    /// Asks for the address that takes one slice.
    ///
    /// The address carries its own permission and expires; ask slice by slice, just before sending.
    ///
    /// Protocol: `open-services.yaml`, `oss.get_upload_url`.
    pub struct UploadUrl => Link =
        Meta::post("open/oss.get_upload_url", "/upload/v1/oss/file/get_upload_url").effect(Effect::None);
    {
        /// The [`Ticket::id`].
        json "preuploadID": upload: PreuploadId,
        /// Which slice it is, counted from 1.
        json "sliceNo": number: u32,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)?;
        if self.number == 0 { Err(Error::invalid("slices are counted from 1")) } else { Ok(()) }
    }

    fn decode(&self, reply: Reply) -> Result<Link> {
        reply.data::<Presigned>().map(|presigned| presigned.link)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a presigned address")]
struct Presigned {
    #[serde(rename = "presignedURL", alias = "presignedUrl", deserialize_with = "link")]
    link: Link,
}

fn link<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
    Link::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

operation! {
    /// Sends one slice of an image to its presigned address.
    ///
    /// It goes through the data channel: no token and no platform header can be part of it. The answer has no envelope; a
    /// status of success is all there is. Sending a slice again replaces it.
    ///
    /// Protocol: `open-services.yaml`, `oss.put_slice`.
    ///
    /// # Errors
    ///
    /// [`LinkRejected`](pan123_core::ErrorKind::LinkRejected) when the address has expired: ask for another.
    pub struct PutSlice -> () =
        Meta::put("open/oss.put_slice", "").role(Role::Data).anonymous().shape(Shape::Stream);
    {
        /// The address that [`UploadUrl`] gave for this slice.
        local: address: Link,
        /// The bytes of the slice: [`Ticket::slice_size`] of them, or what is left for the last.
        raw "application/octet-stream": body: SharedBody,
    }

    fn target(&self) -> Target {
        Target::Url(self.address.url().clone())
    }
}

operation! {
    /// Lists the slices that the service has of an upload.
    ///
    /// There is nothing to list for an image that is smaller than a slice, which nearly all are. The pages of image hosting
    /// name this step and do not describe it; it is that of the drive's older upload.
    ///
    /// Protocol: `open-services.yaml`, `oss.list_upload_parts`.
    pub struct UploadParts => Vec<StoredPart> =
        Meta::post("open/oss.list_upload_parts", "/upload/v1/oss/file/list_upload_parts").effect(Effect::None);
    {
        /// The [`Ticket::id`].
        json "preuploadID": upload: PreuploadId,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)
    }

    fn decode(&self, reply: Reply) -> Result<Vec<StoredPart>> {
        reply.data_or_default::<StoredParts>().map(|stored| stored.parts)
    }
}

#[derive(Default, Deserialize)]
#[serde(expecting = "a list of slices")]
struct StoredParts {
    #[serde(default, deserialize_with = "wire::or_default")]
    parts: Vec<StoredPart>,
}

/// A slice that the service has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StoredPart {
    /// Which slice it is, counted from 1.
    #[serde(rename = "partNumber", deserialize_with = "wire::integer")]
    pub number: u32,
    /// Its size in bytes.
    #[serde(deserialize_with = "wire::integer")]
    pub size: u64,
    /// Its MD5, where the service tells it.
    #[serde(default, rename = "etag", deserialize_with = "wire::md5")]
    pub md5: Option<Md5>,
}

operation! {
    /// Says that all slices are sent.
    ///
    /// The image is stored when [`Completion::stored`] has an id. Otherwise [`UploadResult`] tells, about once a second.
    ///
    /// The pipeline does not repeat it on its own; what the service says the second time is not documented.
    ///
    /// Protocol: `open-services.yaml`, `oss.upload_complete`.
    ///
    /// # Errors
    ///
    /// [`Busy`](pan123_core::ErrorKind::Busy) (code 20103, known from the drive's upload) while the image is verified; any
    /// other refusal is final.
    pub struct UploadComplete -> Completion =
        Meta::post("open/oss.upload_complete", "/upload/v1/oss/file/upload_complete");
    {
        /// The [`Ticket::id`].
        json "preuploadID": upload: PreuploadId,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)
    }
}

operation! {
    /// Asks whether an image that is verified behind the scenes is stored. Ask at most once a second.
    ///
    /// The service compares the MD5 of what it has with the one that was announced.
    ///
    /// Protocol: `open-services.yaml`, `oss.upload_async_result`.
    pub struct UploadResult -> Completion =
        Meta::post("open/oss.upload_async_result", "/upload/v1/oss/file/upload_async_result").effect(Effect::None);
    {
        /// The [`Ticket::id`].
        json "preuploadID": upload: PreuploadId,
    }

    fn validate(&self) -> Result<()> {
        check_upload(&self.upload)
    }
}

/// How far the service is with an image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Completion {
    /// Whether the service goes on behind the scenes: ask [`UploadResult`]. False where it is not told.
    #[serde(default, rename = "async", deserialize_with = "wire::truth")]
    pub is_async: bool,
    /// Whether the service says that it is done.
    #[serde(deserialize_with = "wire::truth")]
    pub completed: bool,
    /// The id, where one is given; see [`stored`](Self::stored).
    #[serde(default, rename = "fileID", alias = "fileId", deserialize_with = "id_or_none")]
    pub file_id: Option<ImageId>,
}

impl Completion {
    /// Returns the id of the stored image; `None` while it is not stored.
    ///
    /// It is stored when the service says so, gives an id, and has nothing left to do behind the scenes.
    pub fn stored(&self) -> Option<&ImageId> {
        self.file_id.as_ref().filter(|_| self.completed && !self.is_async)
    }
}

fn check_upload(id: &PreuploadId) -> Result<()> {
    if id.as_str().is_empty() { Err(Error::invalid("the preuploadID is empty")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    fn create(name: &str, size: u64) -> Create {
        Create::new(ImageId::ROOT, name, Md5::of(b"a"), size)
    }

    #[test]
    fn sizes_and_names_are_refused_before_a_request() {
        for (size, ok) in [(0, true), (LARGEST_IMAGE, true), (LARGEST_IMAGE + 1, false)] {
            assert_eq!(create("a.png", size).validate().is_ok(), ok, "{size}");
        }
        for (name, ok) in [("a.PNG", true), ("a.txt", false), ("a/b.png", false)] {
            assert_eq!(create(name, 1).validate().is_ok(), ok, "{name}");
        }
        let error = create("a.png", LARGEST_IMAGE + 1).validate().unwrap_err();
        assert_eq!(error.to_string(), "the image has 104857601 bytes, the service takes at most 104857600");
    }

    #[test]
    fn slices_are_counted_from_1_and_need_a_ticket() {
        assert!(UploadUrl::new("t", 1).validate().is_ok());
        assert!(UploadUrl::new("t", 0).validate().is_err() && UploadUrl::new("", 1).validate().is_err());
        assert!(UploadComplete::new("").validate().is_err() && UploadResult::new("").validate().is_err());
        assert!(UploadParts::new("").validate().is_err());
    }

    #[test]
    fn only_completing_is_not_repeated() {
        let address = Link::parse("https://storage.example/k?s=planted").expect("a constant");
        let slice = PutSlice::new(address, "a");
        assert!(
            slice.is_repeatable() && create("a.png", 1).is_repeatable() && !UploadComplete::new("t").is_repeatable()
        );
        assert!(!format!("{slice:?}").contains("planted"));
    }

    #[test]
    fn an_image_is_stored_only_with_all_its_marks() {
        for (json, stored) in [
            (r#"{"async":false,"completed":true,"fileID":"i"}"#, true),
            (r#"{"completed":true,"fileID":"i"}"#, true),
            (r#"{"async":true,"completed":true,"fileID":"i"}"#, false),
            (r#"{"async":false,"completed":false,"fileID":"i"}"#, false),
            (r#"{"async":false,"completed":true,"fileID":""}"#, false),
        ] {
            let completion: Completion = serde_json::from_str(json).expect("a completion");
            assert_eq!(completion.stored().is_some(), stored, "{json}");
        }
    }
}
