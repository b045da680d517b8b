//! Forms: multipart bodies with at most one file, read as a stream, and the short urlencoded kind.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyDataStream;
use md5::{Digest, Md5};
use multer::{Constraints, Multipart};
use percent_encoding::percent_decode;

use crate::body::Tap;
use crate::content::hex;
use crate::reply::Refusal;

/// What a form held.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) texts: Vec<(String, String)>,
    pub(crate) file: Option<FilePart>,
}

#[derive(Debug)]
pub(crate) struct FilePart {
    pub(crate) size: u64,
    /// The MD5 of the bytes; `None` when nothing is verified.
    pub(crate) md5: Option<String>,
    /// The bytes in pieces of the size asked for; empty when they are only counted.
    pub(crate) pieces: Vec<Bytes>,
}

/// How a form is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    /// The name of the part that holds the file.
    pub(crate) file: &'a str,
    pub(crate) lenient: bool,
    /// Whether bytes are hashed and kept, or only counted.
    pub(crate) keep: bool,
    /// The size of the pieces in which bytes are kept.
    pub(crate) piece: usize,
    /// More bytes than this are counted, but not kept.
    pub(crate) most: u64,
}

impl Form {
    /// Reads a multipart body to its end, also when it breaks a rule, so that the answer can be read.
    pub(crate) async fn read(headers: &HeaderMap, body: Tap, reading: Reading<'_>) -> Result<Self, Refusal> {
        let Some(boundary) = boundary(headers) else {
            drain(body).await;
            return Err(Refusal::rule("the body is not multipart/form-data with a boundary"));
        };
        let mut multipart = Multipart::with_constraints(BodyDataStream::new(body), boundary, Constraints::new());
        let mut form = Self::default();
        let mut broken = None;
        loop {
            let part = match patient(multipart.next_field()).await? {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(error) => return Err(unreadable(&error)),
            };
            let Some((name, has_filename)) = disposition(part.headers()) else {
                broken.get_or_insert_with(|| Refusal::rule("a form part has no name"));
                continue;
            };
            let is_file = if reading.lenient { name.eq_ignore_ascii_case(reading.file) } else { name == reading.file };
            if is_file {
                if !reading.lenient && !has_filename {
                    broken.get_or_insert_with(|| Refusal::rule(format!("the part `{name}` has no filename")));
                }
                form.file = Some(FilePart::read(part, reading).await?);
            } else {
                if !reading.lenient && form.file.is_some() {
                    broken.get_or_insert_with(|| Refusal::rule(format!("the text `{name}` comes after the file")));
                }
                let (text, whole) = short_text(part).await?;
                if !whole {
                    broken.get_or_insert_with(|| Refusal::rule(format!("the text `{name}` is too long")));
                }
                form.texts.push((name, text));
            }
        }
        broken.map_or(Ok(form), Err)
    }
}

impl FilePart {
    async fn read(mut part: multer::Field<'static>, reading: Reading<'_>) -> Result<Self, Refusal> {
        let mut taking = Taking::new(reading);
        loop {
            match patient(part.chunk()).await? {
                Ok(Some(chunk)) => taking.take(chunk),
                Ok(None) => return Ok(taking.finish()),
                Err(error) => return Err(unreadable(&error)),
            }
        }
    }
}

/// A file that is arriving.
struct Taking<'a> {
    reading: Reading<'a>,
    size: u64,
    hash: Md5,
    pieces: Vec<Bytes>,
    piece: BytesMut,
}

impl<'a> Taking<'a> {
    fn new(reading: Reading<'a>) -> Self {
        Self { reading, size: 0, hash: Md5::new(), pieces: Vec::new(), piece: BytesMut::new() }
    }

    fn take(&mut self, mut chunk: Bytes) {
        self.size += chunk.len() as u64;
        if !self.reading.keep {
            return;
        }
        self.hash.update(&chunk);
        if self.size > self.reading.most {
            self.pieces.clear();
            self.piece.clear();
            return;
        }
        while !chunk.is_empty() {
            let taken = chunk.split_to(chunk.len().min(self.reading.piece - self.piece.len()));
            self.piece.extend_from_slice(&taken);
            if self.piece.len() == self.reading.piece {
                self.pieces.push(std::mem::take(&mut self.piece).freeze());
            }
        }
    }

    fn finish(mut self) -> FilePart {
        if !self.piece.is_empty() {
            self.pieces.push(self.piece.freeze());
        }
        let md5 = self.reading.keep.then(|| hex(&self.hash.finalize()));
        FilePart { size: self.size, md5, pieces: self.pieces }
    }
}

impl FilePart {
    /// Reads a body that is a file and nothing else.
    pub(crate) async fn raw(body: Tap, reading: Reading<'_>) -> Result<Self, Refusal> {
        use http_body_util::BodyExt;
        let mut body = body;
        let mut taking = Taking::new(reading);
        while let Some(frame) = patient(body.frame()).await? {
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => taking.take(data),
                Ok(Err(_)) => {}
                Err(_) => return Err(Refusal::rule("the body ended too early").with_status(400)),
            }
        }
        Ok(taking.finish())
    }
}

/// Reads a body whole, up to [`MOST_TEXT`].
pub(crate) async fn whole(body: Tap) -> Result<Bytes, Refusal> {
    use http_body_util::BodyExt;
    let mut body = body;
    let mut bytes = BytesMut::new();
    let mut too_long = false;
    while let Some(frame) = patient(body.frame()).await? {
        let Ok(frame) = frame else { return Err(Refusal::rule("the body ended too early").with_status(400)) };
        let Some(data) = frame.data_ref() else { continue };
        too_long |= bytes.len() + data.len() > MOST_TEXT;
        if !too_long {
            bytes.extend_from_slice(data);
        }
    }
    if too_long { Err(Refusal::rule("the body is too long")) } else { Ok(bytes.freeze()) }
}

/// Reads a body to its end and forgets it, so that a client that is still sending gets to read the answer.
pub(crate) async fn drain(body: Tap) {
    use http_body_util::BodyExt;
    let mut body = body;
    while let Ok(Some(Ok(_))) = patient(body.frame()).await {}
}

/// The pairs of a query or of an urlencoded form.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned()
}

/// The value of a parameter of a header such as `form-data; name="a"`, quoted or not, names in any case.
fn parameter(header: &[u8], wanted: &str) -> Option<String> {
    let text = String::from_utf8_lossy(header);
    let mut rest = text.as_ref();
    loop {
        rest = rest.split_once(';')?.1.trim_start();
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let value = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut letters = quoted.char_indices();
                let end = loop {
                    match letters.next() {
                        None => break quoted.len(),
                        Some((at, '"')) => break at + 1,
                        Some((_, '\\')) => value.extend(letters.next().map(|(_, letter)| letter)),
                        Some((_, letter)) => value.push(letter),
                    }
                };
                rest = &quoted[end..];
                value
            }
            None => {
                let end = after.find(';').unwrap_or(after.len());
                rest = &after[end..];
                after[..end].trim().to_owned()
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(http::header::CONTENT_TYPE)?.as_bytes();
    let form = value.get(..19)?.eq_ignore_ascii_case(b"multipart/form-data");
    form.then(|| parameter(value, "boundary")).flatten().filter(|boundary| !boundary.is_empty())
}

/// The name of a part, and whether it also has a file name.
fn disposition(headers: &HeaderMap) -> Option<(String, bool)> {
    let value = headers.get(http::header::CONTENT_DISPOSITION)?.as_bytes();
    let has_filename = parameter(value, "filename").is_some() || parameter(value, "filename*").is_some();
    Some((parameter(value, "name")?, has_filename))
}

async fn short_text(mut part: multer::Field<'static>) -> Result<(String, bool), Refusal> {
    let mut bytes = BytesMut::new();
    let mut whole = true;
    loop {
        match patient(part.chunk()).await? {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MOST_FIELD => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => whole = false,
            Ok(None) => return Ok((String::from_utf8_lossy(&bytes).into_owned(), whole)),
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn unreadable(error: &multer::Error) -> Refusal {
    Refusal::rule(format!("the form cannot be read: {error}"))
}

/// Waits for more of a body, but not for ever.
async fn patient<T>(more: impl Future<Output = T>) -> Result<T, Refusal> {
    let waited = tokio::time::timeout(PATIENCE, more).await;
    waited.map_err(|_| Refusal::rule("the body stopped arriving").with_status(408))
}

const MOST_TEXT: usize = 8 << 20;
const MOST_FIELD: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_parameters_are_found_however_they_are_written() {
        for (header, name) in [
            (r#"form-data; name="a b""#, Some("a b")),
            ("form-data; name=ab", Some("ab")),
            (r#"form-data; filename="x;name=no"; Name="yes""#, Some("yes")),
            (r#"form-data;name="a\"b""#, Some("a\"b")),
            ("form-data", None),
            ("form-data; filename=x", None),
        ] {
            assert_eq!(parameter(header.as_bytes(), "name").as_deref(), name, "{header}");
        }
    }

    #[test]
    fn queries_are_decoded() {
        let expected =
            [("a", "1 2"), ("b", "名"), ("flag", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs("a=1+2&b=%E5%90%8D&&flag"), expected);
    }
}
