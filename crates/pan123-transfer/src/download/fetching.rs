//! The bytes of a file, or of a section of it, in their order, however many requests it takes.

use std::{
    io,
    ops::{Bound, Range, RangeBounds},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use pan123_core::{Body, Error, ErrorKind, Fetched, Result, RetryPolicy, Runtime};

use super::links::Links;
use crate::{Bandwidth, retries::Retries};

/// The end of a range that goes to the end of a file of unknown size. More would overflow in some hosts.
const OPEN_END: u64 = i64::MAX as u64;

/// The file at the other end: what all connections to it share.
pub(super) struct Remote {
    pub(super) links: Links,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) retry: RetryPolicy,
    pub(super) bandwidth: Option<Bandwidth>,
    /// Whether all answers must have the same tag: nothing else tells a file that is replaced meanwhile.
    pub(super) compare_tags: bool,
    pub(super) known: Mutex<Known>,
}

/// What is known of the whole file.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) total: Option<u64>,
    /// The tag of the first answer.
    pub(super) etag: Option<String>,
    /// Whether there has been an answer, maybe in an earlier run.
    pub(super) is_answered: bool,
}

impl Remote {
    pub(super) fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what was known but for this.
    pub(super) fn forget(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Takes over what an answer says, unless it contradicts what is known.
    fn learn(&self, total: Option<u64>, etag: Option<String>, page: bool) -> Result<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(known), Some(said)) = (known.total, total)
            && known != said
        {
            return Err(mismatch(page, format!("the file has {known} bytes and the host announced {said}")));
        }
        if let Some(old) = &known.etag
            && self.compare_tags
            && etag.as_ref() != Some(old)
        {
            let text = match etag {
                Some(_) => "the file was replaced while it was downloaded",
                None => "the host tells no more that it is the file it was",
            };
            return Err(Error::new(ErrorKind::WrongContent, text));
        }
        known.total = known.total.or(total);
        // A tag that comes later says nothing of the bytes that came before.
        if !known.is_answered {
            (known.etag, known.is_answered) = (etag, true);
        }
        Ok(known.clone())
    }
}

/// How many connections a download has. One that meets a failure gives way, as long as another is left.
#[derive(Debug, Default)]
pub(super) struct Crowd(AtomicUsize);

impl Crowd {
    pub(super) fn join(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn size(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Leaves unless it is the last.
    fn give_way(&self) -> bool {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |size| size.checked_sub(1).filter(|left| *left > 0))
            .is_ok()
    }
}

/// Bytes that are being fetched. Every await is at a point from which a later call goes on.
pub(super) struct Fetching {
    remote: Arc<Remote>,
    crowd: Option<Arc<Crowd>>,
    /// Whether it has left the others to do the work.
    gave_way: bool,
    /// Whether the caller wants the whole file.
    whole: bool,
    /// Where in the file the wanted bytes begin.
    start: u64,
    /// Where in the file the next byte belongs.
    at: u64,
    /// Behind the last wanted byte, where that is known.
    end: Option<u64>,
    /// The number of the address that was refused last.
    refused_link: u64,
    answer: Option<Answer>,
    /// What was read and given back.
    held: Option<Bytes>,
    retries: Retries,
    /// Whether an address has been refused since the last byte came.
    refused: bool,
}

/// An answer whose bytes are being read.
struct Answer {
    body: Body,
    /// The host ignored a range that begins at 0: what is behind the range is not wanted, and not wrong.
    has_surplus: bool,
    /// It has the type of pages and error texts.
    is_page: bool,
    /// It has, and the host does not say how long it is.
    suspect: bool,
}

/// A section of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) start: u64,
    /// Behind its last byte; `None` for the end of the file.
    pub(super) end: Option<u64>,
}

impl Wanted {
    /// Reads what a caller gives; `None` is the whole file.
    pub(super) fn new(range: &impl RangeBounds<u64>) -> Option<Self> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => Some(last.saturating_add(1)),
            Bound::Excluded(end) => Some(*end),
            Bound::Unbounded => None,
        };
        (start > 0 || end.is_some()).then_some(Self { start, end })
    }

    /// Says where it is in a file of `size` bytes.
    pub(super) fn within(self, size: u64) -> Range<u64> {
        self.start..self.end.unwrap_or(size)
    }
}

impl From<Range<u64>> for Wanted {
    fn from(range: Range<u64>) -> Self {
        Self { start: range.start, end: Some(range.end) }
    }
}

/// Why no answer could be had.
enum Refusal {
    /// The address with this number is refused; another may work.
    Address(u64, Error),
    Other(Error),
}

impl Fetching {
    /// Begins to fetch a section of the file, or with `None` all of it.
    pub(super) fn new(remote: Arc<Remote>, wanted: Option<Wanted>) -> Result<Self> {
        let total = remote.known().total;
        let whole = wanted.is_none();
        let Wanted { start, end } = wanted.unwrap_or_default();
        if end.is_some_and(|end| start > end) {
            return Err(Error::invalid("the range to download ends before it begins"));
        }
        if let (Some(total), edge) = (total, end.unwrap_or(start))
            && edge > total
        {
            let reaches = if end.is_some() { "ends" } else { "begins" };
            return Err(Error::invalid(format!("the range {reaches} at {edge} and the file has {total} bytes")));
        }
        let end = end.or(total);
        let retries = Retries::new(remote.retry);
        Ok(Self {
            remote,
            crowd: None,
            gave_way: false,
            whole,
            start,
            at: start,
            end,
            refused_link: 0,
            answer: None,
            held: None,
            retries,
            refused: false,
        })
    }

    /// Lets it give way to others.
    pub(super) fn among(mut self, crowd: &Arc<Crowd>) -> Self {
        self.crowd = Some(Arc::clone(crowd));
        self
    }

    /// Says whether the last error was none of the file: others are left to fetch the rest.
    pub(super) fn gave_way(&self) -> bool {
        self.gave_way
    }

    /// Returns how many bytes are wanted, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.end.map(|end| end - self.start)
    }

    /// Returns how many bytes have come.
    pub(super) fn received(&self) -> u64 {
        self.at - self.start
    }

    /// Returns where in the file the wanted bytes end, where that is known.
    pub(super) fn end(&self) -> Option<u64> {
        self.end
    }

    /// Has an answer ready to be read, unless nothing is left to read.
    pub(super) async fn connect(&mut self) -> Result<()> {
        while self.answer.is_none() && self.end.is_none_or(|end| self.at < end) {
            match self.request().await {
                Ok(answer) => self.answer = Some(answer),
                // It may have expired; a fresh one that is refused too will stay so.
                Err(Refusal::Address(number, _)) if !self.refused => {
                    self.refused = true;
                    self.refused_link = number;
                }
                Err(Refusal::Address(_, error)) => return Err(self.fail(error)),
                // Fewer connections are what such a host wants.
                Err(Refusal::Other(error)) if error.kind() == ErrorKind::RateLimited && self.is_ready_to_leave() => {
                    return Err(error);
                }
                Err(Refusal::Other(error)) => self.wait(error.kind(), error).await?,
            }
        }
        Ok(())
    }

    /// Returns the next bytes, `None` when all have come.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(chunk) = self.held.take() {
                self.at += chunk.len() as u64;
                return Ok(Some(chunk));
            }
            self.connect().await?;
            let Some(answer) = &mut self.answer else {
                return Ok(None);
            };
            match answer.body.chunk().await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => match self.take(chunk) {
                    Ok(chunk) => return Ok(Some(chunk)),
                    Err(error) => return Err(self.fail(error)),
                },
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

    /// Says whether the answer looks like a page, and no size that was `expected` shows that it is not.
    pub(super) fn may_be_page(&self, expected: Option<u64>) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.suspect || answer.is_page && expected.is_none())
    }

    /// Gives back the end of the last chunk, to be handed out next.
    pub(super) fn give_back(&mut self, rest: Bytes) {
        if !rest.is_empty() {
            self.at -= rest.len() as u64;
            self.held = Some(rest);
        }
    }

    /// Says whether all wanted bytes have come.
    pub(super) fn is_complete(&self) -> bool {
        self.end == Some(self.at)
    }

    /// Makes one request for everything that is left.
    async fn request(&mut self) -> Result<Answer, Refusal> {
        let (number, link) = self.remote.links.get(self.refused_link).await.map_err(Refusal::Other)?;
        let range = (!self.whole || self.at > 0).then(|| self.at..self.end.unwrap_or(OPEN_END));
        match self.remote.links.origin().fetch(&link, range).await {
            Ok(fetched) => self.examine(fetched).map_err(Refusal::Other),
            Err(error) if matches!(error.kind(), ErrorKind::LinkRejected | ErrorKind::NotFound) => {
                Err(Refusal::Address(number, error))
            }
            Err(error) => Err(Refusal::Other(error)),
        }
    }

    /// Makes sure that an answer can be what was asked for, before a byte of it is taken.
    fn examine(&mut self, fetched: Fetched) -> Result<Answer> {
        let Fetched { start, total, length, content_type, etag, body } = fetched;
        let page = content_type.as_deref().is_some_and(is_page);
        if start != self.at {
            return Err(Error::new(ErrorKind::WrongContent, "the host sent another range than was asked for"));
        }
        let known = self.remote.learn(total, etag, page)?;
        if self.end.is_none() {
            self.end = known.total;
            if let Some(total) = known.total.filter(|total| *total < self.at) {
                return Err(mismatch(page, format!("byte {} was asked for and the file has {total} bytes", self.at)));
            }
        }
        if let (Some(end), Some(total)) = (self.end, known.total)
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
        let body = match &self.remote.bandwidth {
            Some(bandwidth) => bandwidth.throttle(body, &self.remote.runtime),
            None => body,
        };
        Ok(Answer { body, has_surplus, is_page: page, suspect: page && total.is_none() })
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
            return Err(self.fail(error));
        }
        // For the policy it is a connection that was closed too soon.
        self.wait(ErrorKind::Connection, error).await
    }

    /// Waits before another attempt, if that may help against `kind`; else fails with `error`.
    async fn wait(&mut self, kind: ErrorKind, error: Error) -> Result<()> {
        match self.retries.next(error.clone().with_kind(kind, ""), true, &*self.remote.runtime) {
            Ok(delay) => {
                self.remote.runtime.sleep(delay).await;
                Ok(())
            }
            Err(judged) => Err(self.fail(error.with_attempts(judged.attempts()))),
        }
    }

    /// Ends with an error, which is nobody's business where others are left to do the work.
    fn fail(&mut self, error: Error) -> Error {
        self.is_ready_to_leave();
        error
    }

    fn is_ready_to_leave(&mut self) -> bool {
        self.gave_way = self.gave_way || self.crowd.as_ref().is_some_and(|crowd| crowd.give_way());
        self.gave_way
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
