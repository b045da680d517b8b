//! The bodies that go over a connection: answers that can be spoilt on purpose, and requests that are counted.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::watch;

use crate::content::{CHUNK, Content};
use crate::log::BODY_KEPT;
use crate::wire::Link;

/// Where an answer's bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    Bytes(Bytes),
    Content { content: Content, offset: u64, end: u64 },
}

impl Source {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Content { offset, end, .. } => end - offset,
        }
    }

    fn next(&mut self, limit: u64) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.split_to(bytes.len().min(usize::try_from(limit).unwrap_or(usize::MAX))),
            Self::Content { content, offset, end } => {
                let chunk = content.read(*offset, limit.min(*end - *offset));
                *offset += chunk.len() as u64;
                chunk
            }
        }
    }
}

/// What happens when the bytes that may be sent are sent.
#[derive(Debug)]
pub(crate) enum End {
    Finish,
    Cut,
    Stall(Option<StallGuard>),
}

/// The body of an answer.
pub(crate) struct Outgoing {
    source: Source,
    /// The length that hyper may announce; `None` when the head announces another on purpose.
    announced: Option<u64>,
    left: u64,
    sent: u64,
    end: End,
    flip_at: Option<u64>,
    flushes_seen: Option<u64>,
    link: Arc<Link>,
    stalls: Arc<watch::Sender<usize>>,
    /// Held until the answer is sent or given up.
    _held: Option<Box<dyn Send + Sync>>,
}

impl Outgoing {
    pub(crate) fn new(source: Source, link: Arc<Link>, stalls: Arc<watch::Sender<usize>>) -> Self {
        let left = source.length();
        Self {
            source,
            announced: Some(left),
            left,
            sent: 0,
            end: End::Finish,
            flip_at: None,
            flushes_seen: None,
            link,
            stalls,
            _held: None,
        }
    }

    pub(crate) fn hold(&mut self, held: Option<Box<dyn Send + Sync>>) {
        self._held = held;
    }

    /// Sends at most `bytes`, then ends so; does nothing when the body is not longer than that.
    pub(crate) fn stop_after(&mut self, bytes: u64, end: End) {
        if bytes < self.left {
            self.left = bytes;
            self.end = end;
        }
    }

    /// Flips a bit of the middle byte.
    pub(crate) fn corrupt(&mut self) {
        self.flip_at = Some(self.left / 2);
    }

    /// Leaves it to the head to announce `length`, and ends as the bytes allow.
    pub(crate) fn lie(&mut self, length: u64) {
        self.announced = None;
        if length > self.left {
            self.end = End::Cut;
        } else {
            self.left = length;
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let flushed = match self.flushes_seen {
            _ if matches!(self.end, End::Finish) => return Poll::Ready(None),
            Some(seen) => self.link.flushes() > seen,
            None => {
                self.flushes_seen = Some(self.link.flushes());
                false
            }
        };
        if !flushed {
            self.link.wake_on_flush(cx.waker());
            return Poll::Pending;
        }
        match &mut self.end {
            End::Stall(guard) => {
                guard.get_or_insert_with(|| StallGuard::new(&self.stalls));
                Poll::Pending
            }
            End::Cut | End::Finish => Poll::Ready(Some(Err(Cut))),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = &mut *self;
        if this.left == 0 {
            return this.poll_end(cx);
        }
        let mut chunk = this.source.next(this.left.min(CHUNK));
        if chunk.is_empty() {
            // The file was taken away while it was being read.
            return Poll::Ready(Some(Err(Cut)));
        }
        if let Some(at) = this.flip_at.and_then(|at| at.checked_sub(this.sent)).filter(|at| *at < chunk.len() as u64) {
            let mut flipped = BytesMut::from(chunk.as_ref());
            flipped[at as usize] ^= 1;
            chunk = flipped.freeze();
        }
        this.left -= chunk.len() as u64;
        this.sent += chunk.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && matches!(self.end, End::Finish)
    }

    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(announced) => SizeHint::with_exact(announced.saturating_sub(self.sent)),
            None => SizeHint::default(),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.link.end_echo();
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("left", &self.left).field("end", &self.end).finish_non_exhaustive()
    }
}

/// Closes the connection on purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Counts a connection as stalled for as long as it lives.
#[derive(Debug)]
pub(crate) struct StallGuard(Arc<watch::Sender<usize>>);

impl StallGuard {
    pub(crate) fn new(stalls: &Arc<watch::Sender<usize>>) -> Self {
        stalls.send_modify(|count| *count += 1);
        Self(Arc::clone(stalls))
    }
}

impl Drop for StallGuard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// What is known of a request's body, also while it is still arriving.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrived(Arc<Mutex<ArrivedInner>>);

#[derive(Debug, Default)]
struct ArrivedInner {
    start: BytesMut,
    length: u64,
    cut: bool,
}

impl Arrived {
    pub(crate) fn start_and_length(&self) -> (Bytes, u64) {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.start.clone().freeze(), inner.length)
    }

    /// Whether a fault cut the body.
    pub(crate) fn was_cut(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cut
    }

    fn add(&self, bytes: &[u8]) -> u64 {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keep = bytes.len().min(BODY_KEPT.saturating_sub(inner.start.len()));
        inner.start.extend_from_slice(&bytes[..keep]);
        inner.length += bytes.len() as u64;
        inner.length
    }
}

/// A request's body: still arriving, or read already to learn which operation it is for.
#[derive(Debug)]
pub(crate) enum Asked {
    Arriving(Incoming),
    Read(Bytes),
}

impl From<Incoming> for Asked {
    fn from(incoming: Incoming) -> Self {
        Self::Arriving(incoming)
    }
}

impl Asked {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self {
            Self::Arriving(incoming) => Pin::new(incoming).poll_frame(cx),
            Self::Read(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Read(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
        }
    }
}

/// A request's body on its way in.
#[derive(Debug)]
pub(crate) struct Tap {
    incoming: Asked,
    arrived: Arrived,
    /// Where a fault ends it.
    end: Option<(u64, End)>,
    stalls: Arc<watch::Sender<usize>>,
}

impl Tap {
    pub(crate) fn new(
        incoming: Asked,
        arrived: Arrived,
        end: Option<(u64, End)>,
        stalls: Arc<watch::Sender<usize>>,
    ) -> Self {
        Self { incoming, arrived, end, stalls }
    }
}

impl Body for Tap {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let length = this.arrived.0.lock().unwrap_or_else(PoisonError::into_inner).length;
        if let Some((limit, end)) = &mut this.end
            && length >= *limit
        {
            if let End::Stall(guard) = end {
                guard.get_or_insert_with(|| StallGuard::new(&this.stalls));
                return Poll::Pending;
            }
            this.arrived.0.lock().unwrap_or_else(PoisonError::into_inner).cut = true;
            return Poll::Ready(Some(Err(Box::new(Cut))));
        }
        this.incoming.poll_frame(cx).map(|frame| {
            frame.map(|frame| {
                let frame = frame?;
                if let Some(data) = frame.data_ref() {
                    this.arrived.add(data);
                }
                Ok(frame)
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        let ended = match &self.incoming {
            Asked::Arriving(incoming) => incoming.is_end_stream(),
            Asked::Read(bytes) => bytes.is_empty(),
        };
        self.end.is_none() && ended
    }

    fn size_hint(&self) -> SizeHint {
        match &self.incoming {
            Asked::Arriving(incoming) => incoming.size_hint(),
            Asked::Read(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
