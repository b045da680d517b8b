//! Reading a section of a source while it is sent: bounded buffers, blocking threads, one buffer ahead.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use pan123_core::{Body, BodySource, Chunks, Error, Result};
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
    offset: u64,
    length: u64,
}

impl Section {
    pub(crate) fn new(reader: Arc<dyn ReadAt>, offset: u64, length: u64) -> Self {
        Self { reader, offset, length }
    }
}

impl BodySource for Section {
    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> Body {
        let reading = Reading { reader: Arc::clone(&self.reader), offset: self.offset, left: self.length, ahead: None };
        Body::from_chunks(Some(self.length), reading)
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
    /// Where the next read begins.
    offset: u64,
    /// How many bytes no read has been started for.
    left: u64,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    fn read_ahead(&mut self) {
        if self.left == 0 {
            return;
        }
        let size = self.left.min(BUFFER as u64);
        let (reader, offset) = (Arc::clone(&self.reader), self.offset);
        self.offset += size;
        self.left -= size;
        self.ahead = Some(tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; usize::try_from(size).expect("a buffer's size fits")];
            fill(&*reader, offset, &mut buffer)?;
            Ok(buffer.into())
        }));
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
        let read = joined(ready!(Pin::new(ahead).poll(cx))).map_err(io::Error::from).flatten();
        self.ahead = None;
        if read.is_ok() {
            self.read_ahead();
        }
        Poll::Ready(Some(read))
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
        let section = Section::new(Arc::new(Zeros(sender)), 5, 10 * BUFFER as u64);
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
