//! The connection below HTTP: it tells bodies when their bytes have left, and can send an answer twice.

use std::io::{IoSlice, Result};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::{mem, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What the connection and the answer that is sent over it know of each other.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Who is at the other end.
    pub(crate) peer: Option<IpAddr>,
    flushes: AtomicU64,
    waiting: Mutex<Option<Waker>>,
    echo: Mutex<Echo>,
}

/// The second sending of an answer.
#[derive(Debug, Default)]
enum Echo {
    #[default]
    Off,
    /// Keeps what is written.
    Recording(Vec<u8>),
    /// The answer has ended: once all of it is out, it goes out again.
    Ended(Vec<u8>),
    Sending(Vec<u8>, usize),
}

impl Link {
    pub(crate) fn with(peer: IpAddr) -> Self {
        Self { peer: Some(peer), ..Self::default() }
    }

    /// How often everything written so far was handed to the socket.
    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    pub(crate) fn wake_on_flush(&self, waker: &Waker) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }

    pub(crate) fn start_echo(&self) {
        *self.echo() = Echo::Recording(Vec::new());
    }

    pub(crate) fn end_echo(&self) {
        let mut echo = self.echo();
        if let Echo::Recording(bytes) = &mut *echo {
            *echo = Echo::Ended(mem::take(bytes));
        }
    }

    fn echo(&self) -> std::sync::MutexGuard<'_, Echo> {
        self.echo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, bytes: &[u8]) {
        if let Echo::Recording(kept) | Echo::Ended(kept) = &mut *self.echo() {
            kept.extend_from_slice(bytes);
        }
    }

    fn flushed(&self) {
        self.flushes.fetch_add(1, Ordering::AcqRel);
        if let Some(waker) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    }
}

/// A TCP connection with its [`Link`].
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    link: Arc<Link>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, link: Arc<Link>) -> Self {
        Self { stream, link }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.link.record(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        let mut left = written;
        for slice in slices {
            let taken = left.min(slice.len());
            self.link.record(&slice[..taken]);
            left -= taken;
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let link = Arc::clone(&self.link);
        let mut echo = link.echo();
        if let Echo::Ended(bytes) = &mut *echo {
            *echo = Echo::Sending(mem::take(bytes), 0);
        }
        while let Echo::Sending(bytes, sent) = &mut *echo {
            if *sent == bytes.len() {
                *echo = Echo::Off;
            } else {
                *sent += ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[*sent..]))?;
            }
        }
        drop(echo);
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        link.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
