//! Reading a section of a source while it is sent: bounded buffers, blocking threads, one buffer ahead.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use md5::Digest;
use pan123_core::{Body, BodySource, Chunks, Error, Md5, Result};
use tokio::task::JoinHandle;

use crate::{
    blocking::joined,
    source::{ReadAt, changed},
};

/// How many bytes are read at a time: a few of them fit a processor's cache, and one outweighs the price of a thread's turn.
pub(crate) const BUFFER: usize = 256 << 10;

/// A section of a source as a body that can be opened again.
#[derive(Debug)]
pub(crate) struct Section {
    reader: Arc<dyn ReadAt>,
    buffers: Arc<Buffers>,
    offset: u64,
    length: u64,
    proof: Option<Arc<Proof>>,
}

impl Section {
    pub(crate) fn new(reader: Arc<dyn ReadAt>, buffers: Arc<Buffers>, offset: u64, length: u64) -> Self {
        Self { reader, buffers, offset, length, proof: None }
    }

    /// Computes the MD5 of what is sent, on the threads that read it.
    pub(crate) fn proven(self, proof: Arc<Proof>) -> Self {
        Self { proof: Some(proof), ..self }
    }
}

impl BodySource for Section {
    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> Body {
        let proof = self.proof.as_ref().map(|proof| {
            proof.begin();
            (Arc::clone(proof), md5::Md5::new())
        });
        let mut reading = Reading {
            reader: Arc::clone(&self.reader),
            buffers: Arc::clone(&self.buffers),
            offset: self.offset,
            left: self.length,
            proof,
            ahead: None,
        };
        if self.length == 0 {
            reading.proven();
        }
        Body::from_chunks(Some(self.length), reading)
    }
}

/// Whether the bytes that were sent are those that were meant to be.
#[derive(Debug)]
pub(crate) struct Proof {
    want: Md5,
    /// What the last body that was opened came to, once it was sent to its end.
    sent: Mutex<Option<Md5>>,
}

impl Proof {
    pub(crate) fn new(want: Md5) -> Self {
        Self { want, sent: Mutex::default() }
    }

    /// Says whether the last body was sent to its end with the right bytes.
    pub(crate) fn agrees(&self) -> bool {
        *self.sent() == Some(self.want)
    }

    fn begin(&self) {
        *self.sent() = None;
    }

    fn sent(&self) -> MutexGuard<'_, Option<Md5>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Buffers that are used again and again: a fresh one for each read would be filled with zeros first.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// Takes a buffer of [`BUFFER`] bytes.
    pub(crate) fn take(self: &Arc<Self>) -> Buffer {
        let bytes = self.free().pop().unwrap_or_else(|| vec![0; BUFFER]);
        Buffer { bytes, length: BUFFER, buffers: Arc::clone(self) }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer that goes back when nobody holds its bytes any more.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    buffers: Arc<Buffers>,
}

impl Buffer {
    /// Fills the first `length` bytes with what is at `offset` and leaves the others out.
    pub(crate) fn fill(mut self, reader: &dyn ReadAt, offset: u64, length: usize) -> Result<Self> {
        self.length = length;
        fill(reader, offset, &mut self.bytes[..length])?;
        Ok(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.buffers.free().push(std::mem::take(&mut self.bytes));
    }
}

/// Bytes in memory as a body of many chunks.
///
/// In a single one they would look like silence to an idle timer on a slow line, and like no progress to a caller.
#[derive(Clone)]
pub(crate) struct Memory(pub(crate) Bytes);

impl BodySource for Memory {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn open(&self) -> Body {
        Body::from_chunks(Some(self.length()), self.clone())
    }
}

impl Chunks for Memory {
    fn poll_chunk(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let size = self.0.len().min(BUFFER);
        Poll::Ready((size > 0).then(|| Ok(self.0.split_to(size))))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("length", &self.0.len()).finish()
    }
}

struct Reading {
    reader: Arc<dyn ReadAt>,
    buffers: Arc<Buffers>,
    /// Where the next read begins.
    offset: u64,
    /// How many bytes no read has been started for.
    left: u64,
    /// What is proven, and the MD5 of what was read; with the thread while it reads.
    proof: Option<(Arc<Proof>, md5::Md5)>,
    ahead: Option<JoinHandle<Read>>,
}

/// What a thread has read, with the MD5 so far.
type Read = (Result<Bytes>, Option<(Arc<Proof>, md5::Md5)>);

impl Reading {
    fn read_ahead(&mut self) {
        if self.left == 0 {
            return;
        }
        let size = self.left.min(BUFFER as u64);
        let (reader, buffers, offset) = (Arc::clone(&self.reader), Arc::clone(&self.buffers), self.offset);
        let mut proof = self.proof.take();
        self.offset += size;
        self.left -= size;
        self.ahead = Some(tokio::task::spawn_blocking(move || {
            let size = usize::try_from(size).expect("a buffer's size fits");
            let read = buffers.take().fill(&*reader, offset, size);
            if let (Some((_, md5)), Ok(buffer)) = (&mut proof, &read) {
                md5.update(buffer.as_ref());
            }
            (read.map(Bytes::from_owner), proof)
        }));
    }

    /// Says what was sent, when all of it was.
    fn proven(&mut self) {
        if let Some((proof, md5)) = self.proof.take() {
            *proof.sent() = Some(<[u8; 16]>::from(md5.finalize()).into());
        }
    }
}

impl Chunks for Reading {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.ahead.is_none() {
            self.read_ahead();
        }
        let Some(ahead) = &mut self.ahead else {
            return Poll::Ready(None);
        };
        let joined = joined(ready!(Pin::new(ahead).poll(cx)));
        self.ahead = None;
        let read = joined.and_then(|(read, proof)| {
            self.proof = proof;
            read
        });
        match read {
            Ok(_) if self.left == 0 => self.proven(),
            Ok(_) => self.read_ahead(),
            Err(_) => {}
        }
        Poll::Ready(Some(read.map_err(io::Error::from)))
    }
}

/// Fills `buffer` with what is at `offset`. A source that ends before has changed.
pub(crate) fn fill(reader: &dyn ReadAt, mut offset: u64, mut buffer: &mut [u8]) -> Result<()> {
    while !buffer.is_empty() {
        match reader.read_at(offset, buffer) {
            Ok(0) => return Err(changed("the source became shorter while it was read")),
            Ok(read) => {
                offset += read as u64;
                buffer = &mut buffer[read..];
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(Error::io("the source could not be read", cause)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;
    use crate::Stamp;

    /// Zeros without end that tell where they are read.
    #[derive(Debug)]
    struct Zeros(mpsc::Sender<u64>);

    impl ReadAt for Zeros {
        fn stamp(&self) -> io::Result<Stamp> {
            Ok(Stamp::new(u64::MAX))
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.send(offset).ok();
            Ok(buffer.len())
        }
    }

    #[tokio::test]
    async fn one_buffer_is_read_ahead_and_no_more() {
        let (sender, reads) = mpsc::channel();
        let section = Section::new(Arc::new(Zeros(sender)), Arc::default(), 5, 10 * BUFFER as u64);
        let mut body = section.open();
        assert!(reads.try_recv().is_err(), "nothing is read before it is asked for");
        assert_eq!(body.chunk().await.unwrap().unwrap().len(), BUFFER);
        // The deadline is for a failure; a read that is under way ends at once.
        let next = || reads.recv_timeout(Duration::from_secs(60));
        assert_eq!((next(), next()), (Ok(5), Ok(5 + BUFFER as u64)));
        drop((body, section));
        assert_eq!(next(), Err(mpsc::RecvTimeoutError::Disconnected));
    }
}
