//! Idle timers of our own: re-armed by every piece sent or received, so that a slow transfer lives and a dead one ends.
//!
//! An HTTP library's read timeout also runs while a body is being sent and kills long healthy uploads.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    Body, BoxFuture, Error, ErrorKind, Result, Runtime, Timeouts,
    body::Chunks,
    transport::{Wire, failed},
};

/// Sends a request and watches it: silence while sending, before the answer, and within it.
pub(crate) async fn exchange(wire: &Wire, request: Request<Body>) -> Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let left = body.length();
    let pulse = Arc::new(Pulse::new(wire.runtime.elapsed(), left == Some(0)));
    let watched =
        Body::from_chunks(left, Sending { body, left, pulse: Arc::clone(&pulse), runtime: Arc::clone(&wire.runtime) });
    let sent = wire.transport.send(Request::from_parts(head, watched));
    let answer = tokio::select! {
        biased;
        answer = sent => answer,
        () = pulse.silence(&*wire.runtime, wire.timeouts) => {
            return Err(Error::new(ErrorKind::Timeout, "the connection fell silent before the answer came"));
        }
    };
    match answer {
        Ok(response) => Ok(response.map(|body| receive(wire, body))),
        // A source that failed while it was read is the caller's business and not the network's.
        Err(error) => Err(pulse.failure().unwrap_or_else(|| failed(error))),
    }
}

fn receive(wire: &Wire, body: Body) -> Body {
    let receiving = Receiving { runtime: Arc::clone(&wire.runtime), idle: wire.timeouts.idle, timer: None, body };
    let length = receiving.body.length();
    Body::from_chunks(length, receiving)
}

/// When something last moved, and whether everything has been sent.
struct Pulse {
    last: Mutex<Duration>,
    sent: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl Pulse {
    fn new(now: Duration, sent: bool) -> Self {
        Self { last: Mutex::new(now), sent: AtomicBool::new(sent), failure: Mutex::new(None) }
    }

    fn beat(&self, now: Duration) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    fn last(&self) -> Duration {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends when nothing has moved for as long as the present phase allows.
    async fn silence(&self, runtime: &dyn Runtime, timeouts: Timeouts) {
        loop {
            let limit =
                if self.sent.load(Ordering::Acquire) { timeouts.answer } else { timeouts.idle.max(timeouts.connect) };
            let quiet = runtime.elapsed().saturating_sub(self.last());
            match limit.checked_sub(quiet).filter(|left| !left.is_zero()) {
                Some(left) => runtime.timer(left).await,
                None => return,
            }
        }
    }
}

/// A request body that tells the pulse of every piece.
struct Sending {
    body: Body,
    // An HTTP library stops asking when the announced length is reached and never sees the end.
    left: Option<u64>,
    pulse: Arc<Pulse>,
    runtime: Arc<dyn Runtime>,
}

impl Chunks for Sending {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        let polled = this.body.poll_chunk(cx);
        this.pulse.beat(this.runtime.elapsed());
        match polled {
            Poll::Ready(Some(Err(cause))) => {
                let error = Error::io("the source of the body could not be read", cause);
                *this.pulse.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(Some(Ok(piece))) => {
                this.left = this.left.map(|left| left.saturating_sub(piece.len() as u64));
                if this.left == Some(0) {
                    this.pulse.sent.store(true, Ordering::Release);
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(None) => {
                this.pulse.sent.store(true, Ordering::Release);
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// A response body that ends in an error when nothing comes for too long.
struct Receiving {
    runtime: Arc<dyn Runtime>,
    idle: Duration,
    timer: Option<BoxFuture<'static, ()>>,
    body: Body,
}

impl Chunks for Receiving {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        if let Poll::Ready(chunk) = this.body.poll_chunk(cx) {
            this.timer = None;
            return Poll::Ready(chunk.map(|chunk| chunk.map_err(broken)));
        }
        let timer = this.timer.get_or_insert_with(|| this.runtime.timer(this.idle));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => {
                Poll::Ready(Some(Err(Error::new(ErrorKind::Timeout, "the answer stopped coming").into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Marks a failure inside a body as one of the connection, unless it says better itself.
fn broken(cause: io::Error) -> io::Error {
    match cause.downcast::<Error>() {
        Ok(error) => error.into(),
        Err(cause) => Error::new(ErrorKind::Connection, "the connection broke in the middle of the answer")
            .with_source(cause)
            .into(),
    }
}
