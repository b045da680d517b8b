//! The bytes of a file in their order, however many connections it takes.

use std::{io, ops::Range, sync::Arc};

use bytes::Bytes;
use pan123_core::{Body, Error, ErrorKind, Fetched, Link, Result, RetryPolicy, Runtime};

use crate::{DownloadOrigin, retries::Retries};

/// The end of a range that goes to the end of a file of unknown size. More would overflow in some hosts.
const OPEN_END: u64 = i64::MAX as u64;

/// A file that is being fetched. Every await is at a point from which a later call goes on.
pub(super) struct Fetching {
    origin: Arc<dyn DownloadOrigin>,
    runtime: Arc<dyn Runtime>,
    /// Whether the caller wants the whole file.
    whole: bool,
    /// Where in the file the wanted bytes begin.
    start: u64,
    /// Where in the file the next byte belongs.
    at: u64,
    /// Behind the last wanted byte, where that is known.
    end: Option<u64>,
    /// The size of the whole file, where that is known.
    total: Option<u64>,
    link: Option<Link>,
    answer: Option<Answer>,
    retries: Retries,
    /// Whether an address has been refused since the last byte came.
    refused: bool,
}

/// An answer whose bytes are being read.
struct Answer {
    body: Body,
    /// The host ignored a range that begins at 0: what is behind the range is not wanted, and not wrong.
    has_surplus: bool,
    /// It looks like a page or an error text, and the host does not say how long it is.
    suspect: bool,
}

impl Fetching {
    pub(super) fn new(
        origin: Arc<dyn DownloadOrigin>,
        runtime: &Arc<dyn Runtime>,
        retry: RetryPolicy,
        total: Option<u64>,
        range: Option<Range<u64>>,
    ) -> Result<Self> {
        let whole = range.is_none();
        let (start, end) = match range {
            None => (0, total),
            Some(range) if range.start > range.end => {
                return Err(Error::invalid("the range to download ends before it begins"));
            }
            Some(range) if total.is_some_and(|total| range.end > total) => {
                let (end, total) = (range.end, total.unwrap_or_default());
                return Err(Error::invalid(format!("the range ends at {end} and the file has {total} bytes")));
            }
            Some(range) => (range.start, Some(range.end)),
        };
        Ok(Self {
            origin,
            runtime: Arc::clone(runtime),
            whole,
            start,
            at: start,
            end,
            total,
            link: None,
            answer: None,
            retries: Retries::new(retry),
            refused: false,
        })
    }

    /// Returns how many bytes are wanted, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.end.map(|end| end - self.start)
    }

    /// Returns how many bytes have come.
    pub(super) fn received(&self) -> u64 {
        self.at - self.start
    }

    /// Has an answer ready to be read, unless nothing is left to read.
    pub(super) async fn connect(&mut self) -> Result<()> {
        while self.answer.is_none() && self.end.is_none_or(|end| self.at < end) {
            if let Err(error) = self.request().await {
                // An address may be refused because it expired; a fresh one that is refused too will stay so.
                if error.kind() == ErrorKind::LinkRejected && !self.refused {
                    self.refused = true;
                    self.link = None;
                } else {
                    self.wait(error.kind(), error).await?;
                }
            }
        }
        Ok(())
    }

    /// Returns the next bytes, `None` when all have come.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            self.connect().await?;
            let Some(answer) = &mut self.answer else {
                return Ok(None);
            };
            match answer.body.chunk().await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => return self.take(chunk).map(Some),
                Some(Err(cause)) => {
                    self.answer = None;
                    if !self.is_complete() {
                        let error = broken(cause);
                        self.wait(error.kind(), error).await?;
                    }
                }
                None => self.ended().await?,
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.end == Some(self.at)
    }

    /// Makes one request for everything that is left.
    async fn request(&mut self) -> Result<()> {
        if self.link.as_ref().and_then(Link::expires_at).is_some_and(|end| end <= self.runtime.now()) {
            self.link = None;
        }
        let link = match &self.link {
            Some(link) => link,
            None => self.link.insert(self.origin.resolve().await?),
        };
        let range = (!self.whole || self.at > 0).then(|| self.at..self.end.unwrap_or(OPEN_END));
        let fetched = self.origin.fetch(link, range).await?;
        self.answer = Some(self.examine(fetched)?);
        Ok(())
    }

    /// Makes sure that an answer can be what was asked for, before a byte of it is taken.
    fn examine(&mut self, fetched: Fetched) -> Result<Answer> {
        let Fetched { start, total, length, content_type, body } = fetched;
        let page = content_type.as_deref().is_some_and(is_page);
        if start != self.at {
            return Err(Error::new(ErrorKind::WrongContent, "the host sent another range than was asked for"));
        }
        if let (Some(known), Some(said)) = (self.total, total)
            && known != said
        {
            return Err(mismatch(page, format!("the file has {known} bytes and the host announced {said}")));
        }
        if self.total.is_none() && total.is_some() {
            self.total = total;
            if self.whole {
                self.end = total;
            }
        }
        if let (Some(end), Some(total)) = (self.end, self.total)
            && end > total
        {
            return Err(mismatch(page, format!("the range ends at {end} and the file has {total} bytes")));
        }
        let has_surplus = !self.whole && start == 0 && length.is_some() && length == total;
        if let (Some(end), Some(length)) = (self.end, length)
            && length > end - start
            && !has_surplus
        {
            let left = end - start;
            return Err(mismatch(page, format!("{left} bytes were asked for and the host announced {length}")));
        }
        Ok(Answer { body, has_surplus, suspect: page && total.is_none() })
    }

    /// Takes what came, as far as it is wanted.
    fn take(&mut self, mut chunk: Bytes) -> Result<Bytes> {
        let answer = self.answer.as_ref().expect("the chunk came from it");
        if let Some(end) = self.end {
            let left = end - self.at;
            if chunk.len() as u64 > left {
                if !answer.has_surplus {
                    let size = end - self.start;
                    return Err(mismatch(answer.suspect, format!("more than the {size} bytes of the file came")));
                }
                chunk.truncate(usize::try_from(left).expect("it is shorter than the chunk"));
            }
        }
        self.at += chunk.len() as u64;
        self.retries.reset();
        self.refused = false;
        if self.is_complete() && self.answer.as_ref().is_some_and(|answer| answer.has_surplus) {
            self.answer = None;
        }
        Ok(chunk)
    }

    /// Deals with the end of an answer: it is the end of the file, or more must be asked for.
    async fn ended(&mut self) -> Result<()> {
        let suspect = self.answer.take().is_some_and(|answer| answer.suspect);
        let Some(end) = self.end else {
            self.end = Some(self.at);
            return Ok(());
        };
        if self.at == end {
            return Ok(());
        }
        let (received, size) = (self.received(), end - self.start);
        let error = mismatch(suspect, format!("{received} of {size} bytes came, and no more"));
        if suspect {
            return Err(error);
        }
        // For the policy it is a connection that was closed too soon.
        self.wait(ErrorKind::Connection, error).await
    }

    /// Waits before another attempt, if that may help against `kind`; else fails with `error`.
    async fn wait(&mut self, kind: ErrorKind, error: Error) -> Result<()> {
        match self.retries.next(error.clone().with_kind(kind, ""), true, &*self.runtime) {
            Ok(delay) => {
                self.runtime.sleep(delay).await;
                Ok(())
            }
            Err(judged) => Err(error.with_attempts(judged.attempts())),
        }
    }
}

/// Reads what broke a body; what does not say so itself is a failure of the connection.
fn broken(cause: io::Error) -> Error {
    let text = "the connection broke in the middle of the file";
    let error = Error::io(text, cause);
    if error.kind() == ErrorKind::Io { error.with_kind(ErrorKind::Connection, text) } else { error }
}

/// Says that the size is wrong, or that it is not the file at all.
fn mismatch(page: bool, text: String) -> Error {
    if page {
        Error::new(ErrorKind::WrongContent, "a page or an error text came in place of the file")
    } else {
        Error::new(ErrorKind::SizeMismatch, text)
    }
}

/// Says whether a content type is one of pages and error texts.
fn is_page(content_type: &str) -> bool {
    matches!(content_type, "text/html" | "application/xhtml+xml" | "application/json" | "text/json")
}
