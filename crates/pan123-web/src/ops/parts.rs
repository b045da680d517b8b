//! The parts of an upload: their presigned addresses, sending them, and which of them the storage holds.

use std::{collections::BTreeMap, ops::Range};

use pan123_core::{
    Effect, Error, ErrorKind, Link, Md5, Meta, Operation, Reply, Request, Result, Role, Shape, SharedBody, Target,
    operation, wire,
};
use serde::{Deserialize, Deserializer, de};

use super::{
    post,
    uploads::{MOST_PARTS, Session, check_place},
};

operation! {
    /// Asks for the presigned address of a file that fits in one part, an empty one included.
    ///
    /// It must be completed as [not in parts](super::uploads::Complete): the service has stored nothing where that was mixed up.
    /// Addresses expire, after a time that is not known. Whoever has one can write, so [`Link`] does not show its query.
    ///
    /// Protocol: `web.yaml`, `upload.auth_single`.
    pub struct SingleUrl => Link =
        post("web/upload.auth_single", "/api/file/s3_upload_object/auth").effect(Effect::None);
    {
        /// [`Session::storage_node`].
        json "StorageNode": storage_node: String,
        /// [`Session::bucket`].
        json "bucket": bucket: String,
        /// [`Session::key`].
        json "key": key: String,
        /// [`Session::upload_id`].
        json "uploadId": upload_id: String,
    }
    fixed {
        json "partNumberStart": 1,
        json "partNumberEnd": 2,
    }

    fn validate(&self) -> Result<()> {
        check_place([&self.storage_node, &self.bucket, &self.key, &self.upload_id])
    }

    fn decode(&self, reply: Reply) -> Result<Link> {
        let missing = reply.error(ErrorKind::Decode, "the service gave no address for the file");
        reply.data_in_any_case::<Presigned>()?.links()?.remove(&1).ok_or(missing)
    }
}

operation! {
    /// Asks for the presigned addresses of parts `start` up to, not including, `end`; parts count from 1.
    ///
    /// Clients ask for up to 10 at a time. Addresses expire, after a time that is not known: a storage that refuses one
    /// with HTTP 403 wants a fresh one. Such an upload must be completed as [in parts](super::uploads::Complete), also where there is only
    /// one.
    ///
    /// Protocol: `web.yaml`, `upload.presign_parts`.
    pub struct PartUrls => BTreeMap<u32, Link> =
        post("web/upload.presign_parts", "/api/file/s3_repare_upload_parts_batch").effect(Effect::None);
    {
        /// [`Session::storage_node`].
        json "StorageNode": storage_node: String,
        /// [`Session::bucket`].
        json "bucket": bucket: String,
        /// [`Session::key`].
        json "key": key: String,
        /// [`Session::upload_id`].
        json "uploadId": upload_id: String,
        /// The first part.
        json "partNumberStart": start: u32,
        /// The part behind the last.
        json "partNumberEnd": end: u32,
    }

    fn validate(&self) -> Result<()> {
        check_place([&self.storage_node, &self.bucket, &self.key, &self.upload_id])?;
        if self.start == 0 || self.end <= self.start || self.end > MOST_PARTS + 1 {
            let (start, end) = (self.start, self.end);
            return Err(Error::invalid(format!("parts {start}..{end} are not among 1..{}", MOST_PARTS + 1)));
        }
        Ok(())
    }

    fn decode(&self, reply: Reply) -> Result<BTreeMap<u32, Link>> {
        reply.data_in_any_case::<Presigned>()?.links()
    }
}

#[derive(Deserialize)]
#[serde(expecting = "presigned addresses")]
struct Presigned {
    #[serde(default, rename = "presignedurls", deserialize_with = "wire::or_default")]
    urls: BTreeMap<String, String>,
}

impl Presigned {
    fn links(self) -> Result<BTreeMap<u32, Link>> {
        let bad = || Error::new(ErrorKind::Decode, "the service gave no usable address for a part");
        let link = |(number, url): (String, String)| {
            let number = number.trim().parse().ok().filter(|number| *number > 0).ok_or_else(bad)?;
            Ok((number, Link::parse(&url).map_err(|_| bad())?))
        };
        self.urls.into_iter().map(link).collect()
    }
}

/// Sends the bytes of one part, or of a file that is one, to its presigned address.
///
/// It goes through the data channel: no token and no platform header can be part of it, and the length is announced
/// exactly. Sending a part again replaces it. The answer is the MD5 of what was stored, as the storage's ETag says; `None`
/// where it says none. **Compare it**: the service itself never does.
///
/// Protocol: `web.yaml`, `upload.put_part`.
///
/// # Errors
///
/// [`LinkRejected`](ErrorKind::LinkRejected) when the address has expired: ask for another.
#[derive(Clone, Debug, PartialEq)]
pub struct PutPart {
    link: Link,
    body: SharedBody,
}

impl PutPart {
    /// Makes the request.
    ///
    /// - `link`: what [`SingleUrl`] or [`PartUrls`] gave for the part.
    /// - `body`: its bytes: [`Session::part_size`] of them, or what is left for the last.
    pub fn new(link: Link, body: impl Into<SharedBody>) -> Self {
        Self { link, body: body.into() }
    }
}

impl Operation for PutPart {
    type Output = Option<Md5>;
    const META: Meta = Meta::put("web/upload.put_part", "").role(Role::Data).anonymous().shape(Shape::Stream);

    fn target(&self) -> Target {
        Target::Url(self.link.url().clone())
    }

    fn encode(&self, request: &mut Request) {
        request.raw("application/octet-stream", &self.body);
    }

    fn decode(&self, reply: Reply) -> Result<Option<Md5>> {
        Ok(reply.headers().get(http::header::ETAG).and_then(|etag| unquoted(etag.to_str().ok()?)))
    }
}

operation! {
    /// Lists the parts that the storage holds, to go on with an upload: skip those whose size and MD5 are right.
    ///
    /// The service's page calls it once before an upload in parts, and not for a file that is one part.
    ///
    /// Protocol: `web.yaml`, `upload.list_parts`.
    ///
    /// # Errors
    ///
    /// [`Error::code`] is -1 for a session that was completed or thrown away: announce the file again.
    pub struct ListParts => Vec<StoredPart> =
        post("web/upload.list_parts", "/api/file/s3_list_upload_parts").effect(Effect::None);
    {
        /// [`Session::storage_node`].
        json "StorageNode": storage_node: String,
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

    fn decode(&self, reply: Reply) -> Result<Vec<StoredPart>> {
        Ok(reply.data_in_any_case::<Option<Parts>>()?.map_or_else(Vec::new, |held| held.parts))
    }
}

#[derive(Deserialize)]
struct Parts {
    #[serde(default, deserialize_with = "wire::or_default")]
    parts: Vec<StoredPart>,
}

/// A part that the storage holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "wire::AnyCase<StoredRow>")]
#[non_exhaustive]
pub struct StoredPart {
    /// Its number, from 1.
    pub number: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5, where the storage's ETag is one.
    pub md5: Option<Md5>,
}

#[derive(Deserialize)]
struct StoredRow {
    #[serde(rename = "partnumber", deserialize_with = "number")]
    number: u32,
    #[serde(deserialize_with = "wire::integer")]
    size: u64,
    #[serde(default, deserialize_with = "wire::or_default")]
    etag: String,
}

impl From<wire::AnyCase<StoredRow>> for StoredPart {
    fn from(wire::AnyCase(row): wire::AnyCase<StoredRow>) -> Self {
        Self { number: row.number, size: row.size, md5: unquoted(&row.etag) }
    }
}

/// Reads a number from 1, as a number or as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number: i64 = wire::integer(deserializer)?;
    u32::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| de::Error::custom(format!("the number of a part is {number}")))
}

/// Reads the MD5 of an ETag in quotes; `None` when it is no MD5, such as that of an object put together from parts.
fn unquoted(etag: &str) -> Option<Md5> {
    etag.trim().trim_matches('"').parse().ok()
}

impl SingleUrl {
    /// Makes the request for an upload that was announced.
    pub fn of(session: &Session) -> Self {
        let [node, bucket, key, upload] = session.place();
        Self::new(node, bucket, key, upload)
    }
}

impl PartUrls {
    /// Makes the request for some parts of an upload that was announced.
    pub fn of(session: &Session, parts: Range<u32>) -> Self {
        let [node, bucket, key, upload] = session.place();
        Self::new(node, bucket, key, upload, parts.start, parts.end)
    }
}

impl ListParts {
    /// Makes the request for an upload that was announced.
    pub fn of(session: &Session) -> Self {
        let [node, bucket, key, upload] = session.place();
        Self::new(node, bucket, key, upload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_would_refuse_is_refused_here() {
        for (start, end, ok) in
            [(1, 2, true), (1, 11, true), (10_000, 10_001, true), (0, 1, false), (3, 3, false), (10_001, 10_002, false)]
        {
            assert_eq!(PartUrls::new("m70", "b", "k", "u", start, end).validate().is_ok(), ok, "{start}..{end}");
        }
        assert!(SingleUrl::new("m70", "b", "k", "").validate().is_err());
        assert!(ListParts::new("", "b", "k", "u").validate().is_err());
    }

    #[test]
    fn asking_may_be_repeated() {
        let [node, bucket, key, upload] = ["m", "b", "k", "u"];
        assert!(SingleUrl::new(node, bucket, key, upload).is_repeatable());
        assert!(PartUrls::new(node, bucket, key, upload, 1, 2).is_repeatable());
        assert!(ListParts::new(node, bucket, key, upload).is_repeatable());
    }
}
