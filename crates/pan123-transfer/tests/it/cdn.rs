//! A host in memory that serves one file, and fails as it is told.

use std::{
    collections::VecDeque,
    io,
    ops::Range,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use pan123_core::{Body, BoxFuture, Chunks, Error, ErrorKind, Fetched, Link, Result, Runtime, testing::VirtualRuntime};
use pan123_transfer::DownloadOrigin;

/// What the host does with one request.
pub(crate) enum Answer {
    /// It sends what was asked for.
    Good,
    /// The connection breaks after so many bytes.
    CutAfter(usize),
    /// The answer ends after so many bytes as if it were complete.
    EndAfter(usize),
    /// Nothing comes after so many bytes, until the idle timer runs out.
    StallAfter(usize, VirtualRuntime),
    /// So many bytes come too many, and were not announced.
    Surplus(usize),
    /// Everything comes, and the connection breaks instead of ending.
    CutAtEnd,
    /// The host says nothing of sizes.
    Silent(Box<Answer>),
    /// The host gives no tag.
    Untagged(Box<Answer>),
    /// The host says that the file has so many bytes.
    Total(u64),
    /// The host says that this answer has so many bytes.
    Announced(u64),
    /// The host sends the whole file from its beginning.
    Whole,
    /// Another content type and other bytes, with or without their size.
    Page(&'static str, &'static str, bool),
    /// The request fails.
    Refused(Error),
}

type Answers = Box<dyn Fn(usize) -> Answer + Send + Sync>;

/// The host. Its chunks have 1000 bytes.
pub(crate) struct Cdn {
    content: Bytes,
    etag: Option<&'static str>,
    identity: &'static str,
    /// How many answers may be on their way at a time, and how many were at most.
    most: usize,
    peak: AtomicUsize,
    live: Arc<()>,
    answers: Answers,
    resolve: Box<dyn Fn(usize) -> Result<Link> + Send + Sync>,
    resolved: Mutex<usize>,
    requests: Mutex<Vec<(String, Option<Range<u64>>)>>,
    chunks: Arc<AtomicUsize>,
}

impl Cdn {
    /// Makes a host of which every request is answered well.
    pub(crate) fn new(content: &Bytes) -> Self {
        Self {
            content: content.clone(),
            etag: None,
            identity: "",
            most: usize::MAX,
            peak: AtomicUsize::new(0),
            live: Arc::new(()),
            answers: Box::new(|_| Answer::Good),
            resolve: Box::new(|nth| Link::parse(&format!("https://cdn.example/{nth}"))),
            resolved: Mutex::default(),
            requests: Mutex::default(),
            chunks: Arc::default(),
        }
    }

    /// Gives the file a tag.
    pub(crate) fn etag(self, etag: &'static str) -> Self {
        Self { etag: Some(etag), ..self }
    }

    /// Says which file it is.
    pub(crate) fn identity(self, identity: &'static str) -> Self {
        Self { identity, ..self }
    }

    /// Answers 429 to whoever asks while so many answers are on their way.
    pub(crate) fn at_most(self, connections: usize) -> Self {
        Self { most: connections, ..self }
    }

    /// Returns how many answers were on their way at the same time at most.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// Says what is answered to the request with a number, from 0.
    pub(crate) fn answers(mut self, answers: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        self.answers = Box::new(answers);
        Arc::new(self)
    }

    /// Says what is answered when the address is asked for, from 0.
    pub(crate) fn resolves(mut self, resolve: impl Fn(usize) -> Result<Link> + Send + Sync + 'static) -> Self {
        self.resolve = Box::new(resolve);
        self
    }

    /// Returns how often the address was asked for.
    pub(crate) fn resolved(&self) -> usize {
        *self.resolved.lock().unwrap()
    }

    /// Returns the ranges that were asked for.
    pub(crate) fn ranges(&self) -> Vec<Option<Range<u64>>> {
        self.requests.lock().unwrap().iter().map(|(_, range)| range.clone()).collect()
    }

    /// Returns the paths of the addresses that were used.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    /// Returns how many chunks were taken.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks.load(Ordering::SeqCst)
    }

    fn answer(&self, answer: Answer, range: Option<Range<u64>>) -> Result<Fetched> {
        let size = self.content.len() as u64;
        let wanted = range.clone().unwrap_or(0..size);
        let start = wanted.start.min(size);
        let bytes = self.content.slice(start as usize..wanted.end.min(size) as usize);
        let fetched = |steps: Steps| Fetched {
            start,
            total: Some(size),
            length: Some(bytes.len() as u64),
            content_type: Some("application/octet-stream".to_owned()),
            etag: self.etag.map(str::to_owned),
            body: Body::from_chunks(
                None,
                Steps { taken: Arc::clone(&self.chunks), _live: Some(Arc::clone(&self.live)), ..steps },
            ),
        };
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        Ok(match answer {
            Answer::Good => fetched(Steps::of(&bytes)),
            Answer::CutAfter(most) => fetched(Steps::of(&bytes[..most.min(bytes.len())]).fail(cut())),
            Answer::EndAfter(most) => fetched(Steps::of(&bytes[..most.min(bytes.len())])),
            Answer::StallAfter(most, runtime) => fetched(Steps::of(&bytes[..most.min(bytes.len())]).stall(runtime)),
            Answer::Surplus(more) => fetched(Steps::of(&bytes).then(&vec![0; more])),
            Answer::CutAtEnd => fetched(Steps::of(&bytes).fail(cut())),
            Answer::Silent(answer) => Fetched { total: None, length: None, ..self.answer(*answer, range)? },
            Answer::Untagged(answer) => Fetched { etag: None, ..self.answer(*answer, range)? },
            Answer::Total(total) => Fetched { total: Some(total), ..fetched(Steps::of(&bytes)) },
            Answer::Announced(length) => Fetched { length: Some(length), ..fetched(Steps::of(&bytes)) },
            Answer::Whole => Fetched { start: 0, length: Some(size), ..fetched(Steps::of(&self.content)) },
            Answer::Page(content_type, text, sized) => Fetched {
                total: sized.then_some(text.len() as u64),
                length: sized.then_some(text.len() as u64),
                content_type: Some(content_type.to_owned()),
                etag: None,
                ..fetched(Steps::of(text.as_bytes()))
            },
            Answer::Refused(error) => return Err(error),
        })
    }
}

impl DownloadOrigin for Cdn {
    fn identity(&self) -> String {
        self.identity.to_owned()
    }

    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async {
            let nth = {
                let mut resolved = self.resolved.lock().unwrap();
                *resolved += 1;
                *resolved - 1
            };
            (self.resolve)(nth)
        })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(async move {
            assert!(range.as_ref().is_none_or(|range| range.start < range.end), "an empty range cannot be asked for");
            let nth = {
                let mut requests = self.requests.lock().unwrap();
                requests.push((link.url().path().to_owned(), range.clone()));
                requests.len() - 1
            };
            let live = Arc::strong_count(&self.live);
            if live > self.most {
                return Err(Error::new(ErrorKind::RateLimited, "too many connections").with_attempts(1));
            }
            self.peak.fetch_max(live, Ordering::SeqCst);
            self.answer((self.answers)(nth), range)
        })
    }
}

/// What a body does, step by step.
struct Steps {
    steps: VecDeque<Step>,
    taken: Arc<AtomicUsize>,
    /// Counted while the answer is on its way.
    _live: Option<Arc<()>>,
    turn: u32,
}

enum Step {
    Chunk(Bytes),
    Fail(io::Error),
    Stall(VirtualRuntime, Option<BoxFuture<'static, ()>>),
}

impl Steps {
    fn of(bytes: &[u8]) -> Self {
        Self { steps: VecDeque::new(), taken: Arc::default(), _live: None, turn: 0 }.then(bytes)
    }

    fn then(mut self, bytes: &[u8]) -> Self {
        self.steps.extend(bytes.chunks(1000).map(|chunk| Step::Chunk(Bytes::copy_from_slice(chunk))));
        self
    }

    fn fail(mut self, error: io::Error) -> Self {
        self.steps.push_back(Step::Fail(error));
        self
    }

    fn stall(mut self, runtime: VirtualRuntime) -> Self {
        self.steps.push_back(Step::Stall(runtime, None));
        self
    }
}

impl Chunks for Steps {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        // As over a real line, others have their turn between the chunks.
        self.turn += 1;
        if self.turn.is_multiple_of(8) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.steps.front_mut() {
            Some(Step::Stall(runtime, timer)) => {
                let timer = timer.get_or_insert_with(|| runtime.timer(Duration::from_secs(30)));
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.steps.clear();
                Poll::Ready(Some(Err(Error::new(ErrorKind::Timeout, "the answer stopped coming").into())))
            }
            _ => Poll::Ready(self.steps.pop_front().map(|step| match step {
                Step::Chunk(chunk) => {
                    self.taken.fetch_add(1, Ordering::SeqCst);
                    Ok(chunk)
                }
                Step::Fail(error) => Err(error),
                Step::Stall(..) => unreachable!("it was dealt with above"),
            })),
        }
    }
}
