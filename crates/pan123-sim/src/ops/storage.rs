//! The object storage's own calls: parts and objects at presigned addresses, or signed with keys that were handed out.

use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts as Head;
use percent_encoding::percent_decode_str;

use super::Call;
use super::upload_v1::storage_error;
use super::web_uploads::BUCKET;
use crate::clock::{Clock, iso_basic, parse_iso_basic};
use crate::content::Content;
use crate::form::{FilePart, pairs};
use crate::reply::Reply;
use crate::sigv4::{self, ALGORITHM, Scope, Signed, UNSIGNED, sha256_hex, signature};
use crate::state::{Shared, State};
use crate::storage::{Object, Part, Stored};
use crate::token::base64_standard;

/// Which of the storage's calls a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Put,
    Create,
    Complete,
    Abort,
    ListParts,
}

/// Makes an address that is good for a while; `query` ends in `&` or is empty.
pub(crate) fn presigned(call: &Call<'_>, method: &str, path: &str, query: &str) -> String {
    let storage = &call.shared.urls.storage;
    let Some(keys) = call.state.storage.own_keys() else { return String::new() };
    let moment = iso_basic(call.now);
    let scope = Scope { moment: &moment, region: REGION };
    let lifetime = call.shared.config.download_lifetime.as_secs();
    let credential = sigv4::encode(&format!("{}/{}", keys.id, scope.text()));
    let query = format!(
        "{query}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={moment}\
         &X-Amz-Expires={lifetime}&X-Amz-SignedHeaders=host"
    );
    let host = storage.split_once("://").map_or(storage.as_str(), |(_, host)| host);
    let headers = vec![("host".to_owned(), host.to_owned())];
    let signature = signature(&keys.secret, scope, &Signed { method, path, query: &query, headers, payload: UNSIGNED });
    format!("{storage}{path}?{query}&X-Amz-Signature={signature}")
}

/// Takes in a part, or an object at once.
pub(crate) async fn put(shared: &Arc<Shared>, head: &Head, file: FilePart) -> Reply {
    let checked = match check(shared, head) {
        Ok(checked) => checked,
        Err(error) => return error.reply(),
    };
    if let Some(declared) = checked.body_hash {
        let pieces = file.pieces.clone();
        // Bytes that are only counted cannot be compared.
        let known = file.md5.is_some();
        let hashed = tokio::task::spawn_blocking(move || sha256_hex(&pieces.concat())).await.unwrap_or_default();
        if known && hashed != declared {
            return Error(400, "XAmzContentSHA256Mismatch", "the body is not the one that was signed").reply();
        }
    }
    let declared = text(&head.headers, "content-md5");
    if declared.zip(file.md5.as_ref()).is_some_and(|(declared, md5)| declared != base64_of_hex(md5)) {
        return Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.").reply();
    }
    let mut state = shared.state();
    let stored = store(&mut state, head, file);
    stored.map_or_else(Error::reply, |md5| {
        let reply = Reply::other(200, XML, "");
        match md5 {
            Some(md5) => reply.header("etag", format!("\"{md5}\"")),
            None => reply,
        }
    })
}

fn base64_of_hex(text: &str) -> String {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    base64_standard(&text.as_bytes().chunks(2).filter_map(byte).collect::<Vec<_>>())
}

fn store(state: &mut State, head: &Head, file: FilePart) -> Result<Option<String>, Error> {
    let key = key(head)?;
    let query = Query::of(head);
    let bytes = file.pieces.into_iter().next().unwrap_or_default();
    let (size, md5) = (file.size, file.md5);
    match query.get("uploadId") {
        Some(id) => {
            let number = query.get("partNumber").and_then(|number| number.parse().ok());
            let number = number.filter(|number| (1..=10_000).contains(number)).ok_or(BAD_PART)?;
            let upload = state.storage.upload(id, &key).ok_or(NO_UPLOAD)?;
            upload.parts.insert(number, Part { size, md5: md5.clone(), bytes });
        }
        None => {
            let content = match &md5 {
                Some(_) => Stored::Bytes(Content::whole(bytes), md5.clone()),
                None => Stored::Counted,
            };
            state.storage.put(key, Object { size, content });
        }
    }
    Ok(md5)
}

/// Carries out what has no bytes of a file: the calls about multipart uploads.
pub(crate) fn manage(shared: &Arc<Shared>, action: Action, head: &Head, body: &[u8]) -> Reply {
    let managed = check(shared, head).and_then(|checked| {
        if checked.body_hash.is_some_and(|declared| declared != sha256_hex(body)) {
            return Err(Error(400, "XAmzContentSHA256Mismatch", "the body is not the one that was signed"));
        }
        let key = key(head)?;
        let query = Query::of(head);
        let id = query.get("uploadId").unwrap_or_default();
        let mut state = shared.state();
        let state = &mut *state;
        if action == Action::Create {
            let id = state.storage.open(&mut state.random, key.clone());
            let inner = format!("<Bucket>{BUCKET}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>");
            return Ok(xml("InitiateMultipartUploadResult", &inner));
        }
        let upload = state.storage.upload(id, &key).ok_or(NO_UPLOAD)?;
        match action {
            Action::ListParts => {
                let part = |(number, part): (&u32, &Part)| {
                    let md5 = part.md5.as_deref().unwrap_or_default();
                    let tags = format!("<ETag>\"{md5}\"</ETag><Size>{}</Size>", part.size);
                    format!("<Part><PartNumber>{number}</PartNumber>{tags}</Part>")
                };
                let parts: String = upload.parts.iter().map(part).collect();
                let inner = format!(
                    "<Bucket>{BUCKET}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId><IsTruncated>false</IsTruncated>{parts}"
                );
                Ok(xml("ListPartsResult", &inner))
            }
            Action::Abort => {
                state.storage.abort(id);
                Ok(Reply::other(204, XML, ""))
            }
            _ => {
                let wanted = named_parts(body).filter(|parts| !parts.is_empty());
                let wanted = wanted.ok_or(Error(400, "MalformedXML", "the body does not list the parts"))?;
                let rising = wanted.is_sorted_by(|one, other| one.0 < other.0);
                if !rising {
                    return Err(Error(400, "InvalidPartOrder", "the parts are not in the order of their numbers"));
                }
                let is_there = |(number, tag): &(u32, String)| {
                    upload.parts.get(number).is_some_and(|part| part.md5.as_ref().is_none_or(|md5| md5 == tag))
                };
                if !wanted.iter().all(is_there) {
                    return Err(Error(400, "InvalidPart", "a part is not there, or has another tag"));
                }
                upload.parts.retain(|number, _| wanted.iter().any(|(wanted, _)| wanted == number));
                let tag = crate::content::md5_hex(wanted.iter().map(|(_, tag)| tag.as_str()).collect::<String>().as_bytes());
                let tag = format!("{tag}-{}", wanted.len());
                state.storage.merge(id);
                let inner = format!("<Bucket>{BUCKET}</Bucket><Key>{key}</Key><ETag>\"{tag}\"</ETag>");
                Ok(xml("CompleteMultipartUploadResult", &inner))
            }
        }
    });
    managed.unwrap_or_else(Error::reply)
}

/// The numbers and tags in the body of a completion.
fn named_parts(body: &[u8]) -> Option<Vec<(u32, String)>> {
    let text = std::str::from_utf8(body).ok()?.replace("&quot;", "\"").replace("&#34;", "\"");
    let element = |part: &str, name: &str| {
        let (_, rest) = part.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim().to_owned())
    };
    let parts = text.split("<Part>").skip(1);
    parts
        .map(|part| {
            let tag = element(part, "ETag")?;
            Some((element(part, "PartNumber")?.parse().ok()?, tag.trim_matches('"').to_owned()))
        })
        .collect()
}

/// What a request's signature says of its body.
struct Checked {
    /// The SHA-256 that the body must have.
    body_hash: Option<String>,
}

/// Checks the signature of a request, in its query or in its headers.
fn check(shared: &Shared, head: &Head) -> Result<Checked, Error> {
    let query = Query::of(head);
    let state = shared.state();
    if let Some(given) = query.get("X-Amz-Signature") {
        let (credential, moment) = (query.wanted("X-Amz-Credential")?, query.wanted("X-Amz-Date")?);
        let presented = Presented {
            credential,
            moment,
            headers: query.wanted("X-Amz-SignedHeaders")?,
            signature: given,
            session: query.get("X-Amz-Security-Token").unwrap_or_default(),
            payload: UNSIGNED,
        };
        presented.check(&state, head)?;
        let (made, lifetime) = (parse_iso_basic(moment), query.get("X-Amz-Expires").and_then(|text| text.parse().ok()));
        let expires = made.zip(lifetime).map(|(made, lifetime): (i64, i64)| made.saturating_add(lifetime));
        return match expires {
            Some(expires) if expires > state.clock.now() => Ok(Checked { body_hash: None }),
            _ => Err(Error(403, "AccessDenied", "Request has expired")),
        };
    }
    let header = |name: &str| text(&head.headers, name).unwrap_or_default();
    let authorization = header("authorization");
    let fields = authorization.strip_prefix(ALGORITHM).ok_or(DENIED)?;
    let field = |wanted: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
        fields.find(|(name, _)| *name == wanted).map(|(_, value)| value).ok_or(MALFORMED)
    };
    let (moment, payload, session) =
        (header("x-amz-date"), header("x-amz-content-sha256"), header("x-amz-security-token"));
    let presented = Presented {
        credential: field("Credential")?,
        moment: &moment,
        headers: field("SignedHeaders")?,
        signature: field("Signature")?,
        session: &session,
        payload: &payload,
    };
    presented.check(&state, head)?;
    let clocks = [state.clock.now(), Clock::default().now()];
    let made = parse_iso_basic(&moment).ok_or(MALFORMED)?;
    if clocks.iter().all(|now| now.abs_diff(made) > MOST_SKEW) {
        return Err(Error(403, "RequestTimeTooSkewed", "the request was signed too long ago, or too early"));
    }
    match payload.as_str() {
        UNSIGNED => Ok(Checked { body_hash: None }),
        hash if hash.len() == 64 => Ok(Checked { body_hash: Some(hash.to_owned()) }),
        _ => Err(Error(501, "NotImplemented", "sim: bodies are not sent in signed chunks")),
    }
}

/// A signature as it was given, and what it says of itself.
struct Presented<'a> {
    /// `<key id>/<date>/<region>/s3/aws4_request`.
    credential: &'a str,
    moment: &'a str,
    headers: &'a str,
    signature: &'a str,
    session: &'a str,
    payload: &'a str,
}

impl Presented<'_> {
    fn check(&self, state: &State, head: &Head) -> Result<(), Error> {
        let (id, scope) = self.credential.split_once('/').ok_or(MALFORMED)?;
        let wanted = Scope { moment: self.moment, region: REGION };
        if scope != wanted.text() {
            return Err(Error(
                400,
                "AuthorizationHeaderMalformed",
                "the scope is not that of region 123pan and service s3",
            ));
        }
        let keys = state.storage.keys(id).ok_or(Error(403, "InvalidAccessKeyId", "no such key"))?;
        if keys.session != self.session {
            return Err(Error(403, "InvalidToken", "the session token is not that of the key"));
        }
        if keys.expires <= state.clock.now() {
            return Err(Error(403, "ExpiredToken", "the keys have expired"));
        }
        let names: Vec<&str> = self.headers.split(';').collect();
        let unsigned =
            |name: &&http::HeaderName| name.as_str().starts_with("x-amz-") && !names.contains(&name.as_str());
        if !names.contains(&"host") || head.headers.keys().any(|name| unsigned(&name)) {
            return Err(Error(403, "AccessDenied", "There were headers present in the request which were not signed"));
        }
        let headers = names.iter().map(|name| {
            let values: Vec<String> = head.headers.get_all(*name).iter().map(value_text).collect();
            ((*name).to_owned(), values.join(","))
        });
        let signed = Signed {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: headers.collect(),
            payload: self.payload,
        };
        if signature(&keys.secret, wanted, &signed) == self.signature { Ok(()) } else { Err(MISMATCH) }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(value_text)
}

fn value_text(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).trim().to_owned()
}

/// The key that a path names in the one bucket.
fn key(head: &Head) -> Result<String, Error> {
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy();
    let key = path.strip_prefix(&format!("/{BUCKET}/")).filter(|key| !key.is_empty());
    key.map(str::to_owned).ok_or(Error(404, "NoSuchKey", "The specified key does not exist."))
}

struct Query(Vec<(String, String)>);

impl Query {
    fn of(head: &Head) -> Self {
        Self(pairs(&head.uri.query().unwrap_or_default().replace('+', "%2B")))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn wanted(&self, name: &str) -> Result<&str, Error> {
        self.get(name).ok_or(MALFORMED)
    }
}

/// An error as the storage tells it: status, code, message.
#[derive(Clone, Copy, Debug)]
struct Error(u16, &'static str, &'static str);

impl Error {
    fn reply(self) -> Reply {
        storage_error(self.0, self.1, self.2)
    }
}

fn xml(name: &str, inner: &str) -> Reply {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let space = "http://s3.amazonaws.com/doc/2006-03-01/";
    Reply::other(200, XML, format!("{head}<{name} xmlns=\"{space}\">{inner}</{name}>"))
}

const XML: &str = "application/xml";
const REGION: &str = "123pan";
const BAD_PART: Error = Error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
const NO_UPLOAD: Error = Error(404, "NoSuchUpload", "The specified multipart upload does not exist.");
const DENIED: Error = Error(403, "AccessDenied", "Access Denied.");
const MALFORMED: Error = Error(400, "AuthorizationHeaderMalformed", "the authorization cannot be read");
const MISMATCH: Error = Error(403, "SignatureDoesNotMatch", "the signature is not the one that was calculated");
/// How many seconds a signed request may be from the clock.
const MOST_SKEW: u64 = 15 * 60;
