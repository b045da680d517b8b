//! The service's storage, spoken to directly where it lends keys (STS): objects in one piece or in parts, by S3's calls.
//!
//! The keys sign addresses and are in no header, so that these requests take the channel that carries no credential.

use pan123_core::{
    Body, Effect, Error, ErrorKind, Link, Meta, Operation, Pipeline, Reply, Request, Result, RetryPolicy, Role, Shape,
    Target,
};
use pan123_transfer::Part;
use url::{Host, Url};

use crate::{
    ops::uploads::{MOST_PARTS, Session, StorageKeys},
    sigv4::Signing,
};

/// The region that the service's storage is in (`web.yaml`, flow `upload_sts`).
const REGION: &str = "123pan";

/// How long a signed address works, in seconds: it is used at once, and a part may take long to be sent.
const LIFETIME: u32 = 3600;

/// The size of parts where the service names none, as clients that work have it: 16 MiB.
const PART_SIZE: u64 = 16 << 20;

/// The most bytes of an answer that are read: three short elements, or an error.
const MOST_ANSWER: usize = 64 << 10;

/// What is sent where parts are begun and put together.
const BASE: Meta = Meta::post("web/flow.upload_sts", "").role(Role::Data).anonymous().shape(Shape::Stream);

/// One object of the storage, and the keys to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a> {
    session: &'a Session,
    keys: &'a StorageKeys,
}

/// Returns the size of parts for a file of `size` bytes: what the service says, and larger where that makes too many.
pub(crate) fn part_size(session: &Session, size: u64) -> u64 {
    let said = if session.part_size == 0 { PART_SIZE } else { session.part_size };
    said.max(size.div_ceil(u64::from(MOST_PARTS)))
}

impl<'a> Object<'a> {
    /// The object of an upload, if its keys are at hand; they are not kept with a session.
    pub(crate) fn of(session: &'a Session) -> Option<Self> {
        session.keys.as_ref().map(|keys| Self { session, keys })
    }

    /// Returns the address to which all bytes go, or those of one part.
    pub(crate) fn put(&self, pipeline: &Pipeline, part: Option<(&str, u32)>) -> Result<Link> {
        let number = part.map(|(_, number)| number.to_string());
        let query = match (part, &number) {
            (Some((upload, _)), Some(number)) => vec![("partNumber", number.as_str()), ("uploadId", upload)],
            _ => Vec::new(),
        };
        self.signed(pipeline, "PUT", &query)
    }

    /// Begins an upload in parts and returns the storage's name for it.
    pub(crate) async fn begin(&self, pipeline: &Pipeline) -> Result<String> {
        let call = Begin { link: self.signed(pipeline, "POST", &[("uploads", "")])? };
        let answer = call.read(pipeline.send(&call).await?).await?;
        let upload = element(&answer, "UploadId").filter(|id| !id.is_empty());
        upload.ok_or_else(|| bad("the storage began an upload in parts and did not name it"))
    }

    /// Puts the parts together. Sent once: whoever repeats it must know that the storage forgets an upload that is done.
    pub(crate) async fn finish(&self, pipeline: &Pipeline, upload: &str, parts: &[Part]) -> Result<()> {
        let link = self.signed(pipeline, "POST", &[("uploadId", upload)])?;
        let call = Finish { link, body: manifest(parts) };
        let body = pipeline.send_with(&call, &RetryPolicy::none()).await?;
        // The storage says 200 before it is done, and may still fail.
        match element(&call.read(body).await?, "Code") {
            None => Ok(()),
            Some(code) => Err(Error::new(ErrorKind::Server, "the storage could not put the parts together")
                .with_endpoint(BASE.id)
                .with_message(&code)
                .with_may_have_happened(true)),
        }
    }

    fn signed(&self, pipeline: &Pipeline, method: &str, query: &[(&str, &str)]) -> Result<Link> {
        let endpoint = Url::parse(&self.session.endpoint).ok().filter(is_private);
        let endpoint = endpoint.ok_or_else(|| bad("the storage's address is not an https URL"))?;
        let signing = Signing { keys: self.keys, region: REGION, now: pipeline.runtime().now(), lifetime: LIFETIME };
        let url = signing.presign(method, &endpoint, &[&self.session.bucket, &self.session.key], query);
        Link::parse(url.ok_or_else(|| bad("the storage's address is not an https URL"))?.as_str())
    }
}

/// Says whether nobody listens on the way: the address holds the token that was lent.
fn is_private(url: &Url) -> bool {
    let is_local = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_local)
}

fn bad(text: &'static str) -> Error {
    Error::new(ErrorKind::Decode, text).with_endpoint(BASE.id)
}

fn manifest(parts: &[Part]) -> String {
    let parts: String = parts
        .iter()
        .map(|part| format!("<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>", part.number, part.md5))
        .collect();
    format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}</CompleteMultipartUpload>"
    )
}

/// Returns the text of the first element of this name, which has no attributes in any of these answers.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#34;", "\""), ("&amp;", "&")];
    Some(plain.into_iter().fold(text.trim().to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// Reads what the storage says.
trait Answered: Operation {
    async fn read(&self, body: Body) -> Result<String> {
        let bytes = body.collect(MOST_ANSWER).await.map_err(|cause| {
            let error = Error::new(ErrorKind::Connection, "the storage's answer could not be read").with_source(cause);
            error.with_endpoint(Self::META.id).with_may_have_happened(Self::META.effect == Effect::Once)
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Answered for Begin {}
impl Answered for Finish {}

/// `CreateMultipartUpload` of S3.
#[derive(Debug)]
struct Begin {
    link: Link,
}

impl Operation for Begin {
    type Output = Body;
    // A second one leaves the first behind, unused.
    const META: Meta = BASE.effect(Effect::Same);

    fn target(&self) -> Target {
        Target::Url(self.link.url().clone())
    }

    fn encode(&self, _: &mut Request) {}

    fn decode(&self, reply: Reply) -> Result<Body> {
        Ok(reply.into_body())
    }
}

/// `CompleteMultipartUpload` of S3.
#[derive(Debug)]
struct Finish {
    link: Link,
    body: String,
}

impl Operation for Finish {
    type Output = Body;
    const META: Meta = BASE;

    fn target(&self) -> Target {
        Target::Url(self.link.url().clone())
    }

    fn encode(&self, request: &mut Request) {
        request.raw("application/xml", bytes::Bytes::from(self.body.clone()));
    }

    fn decode(&self, reply: Reply) -> Result<Body> {
        Ok(reply.into_body())
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Md5;

    use super::*;

    #[test]
    fn elements_are_found_and_unescaped() {
        let xml = "<?xml version=\"1.0\"?><A xmlns=\"x\"><Bucket>b</Bucket><UploadId> 2~a&amp;b </UploadId></A>";
        assert_eq!(element(xml, "UploadId").as_deref(), Some("2~a&b"));
        assert_eq!(element(xml, "Key"), None);
        assert_eq!(element("<UploadId>cut", "UploadId"), None);
    }

    #[test]
    fn the_parts_are_named_by_number_and_etag() {
        let parts = [Part::new(1, 0, 1, Md5::of(b"a")), Part::new(2, 1, 1, Md5::of(b"b"))];
        let text = manifest(&parts);
        assert!(
            text.contains("<Part><PartNumber>2</PartNumber><ETag>\"92eb5ffee6ae2fec3ad71c777531578f\"</ETag></Part>")
        );
        assert_eq!(text.matches("<Part>").count(), 2);
    }

    #[test]
    fn lent_keys_do_not_travel_in_the_clear() {
        for (url, ok) in [
            ("https://m70.123624.com", true),
            ("http://m70.123624.com", false),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000", true),
            ("ftp://localhost", false),
        ] {
            assert_eq!(is_private(&Url::parse(url).unwrap()), ok, "{url}");
        }
    }

    #[test]
    fn parts_grow_where_there_would_be_too_many() {
        let json =
            r#"{"file_id":1,"bucket":"b","key":"k","upload_id":"","storage_node":"","endpoint":"","part_size":0}"#;
        let mut session: Session = serde_json::from_str(json).unwrap();
        assert_eq!(part_size(&session, 5), PART_SIZE);
        session.part_size = 10;
        assert_eq!((part_size(&session, 5), part_size(&session, 200_000)), (10, 20));
    }
}
