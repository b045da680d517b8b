//! Where bytes are hashed and written: on blocking threads, in batches, in bounded memory.

use std::{
    io::{self, IoSlice, Write},
    mem,
};

use bytes::Bytes;
use md5::Digest;
use pan123_core::{Error, Md5, Result};
use tokio::task::JoinHandle;

use crate::{blocking::joined, read::BUFFER};

/// The most chunks in one batch: tiny ones may each hold a large buffer in memory.
const MOST_CHUNKS: usize = 128;

/// What is done with the bytes, on threads that may block.
pub(super) trait Job: Send + 'static {
    /// Deals with some chunks, which come in their order.
    fn run(&mut self, batch: &[Bytes]) -> io::Result<()>;

    /// Deals with the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes chunks and works on one batch while the next one gathers.
///
/// No thread is held while nothing comes, so any number of slow downloads can be open.
pub(super) struct Stage<J> {
    batch: Vec<Bytes>,
    bytes: usize,
    /// How many bytes make a batch.
    room: usize,
    work: State<J>,
}

enum State<J> {
    Idle(Option<J>),
    Busy(JoinHandle<io::Result<J>>),
}

impl<J: Job> Stage<J> {
    /// Makes a stage; without a job the bytes are dropped.
    pub(super) fn new(job: Option<J>) -> Self {
        Self { batch: Vec::new(), bytes: 0, room: BUFFER, work: State::Idle(job) }
    }

    /// Makes batches of so many bytes; larger ones are handed from thread to thread less often.
    pub(super) fn with_room(self, bytes: usize) -> Self {
        Self { room: bytes, ..self }
    }

    /// Waits until there is room for another chunk.
    pub(super) async fn ready(&mut self) -> Result<()> {
        if self.is_full() {
            self.settle().await?;
            self.start(false);
        }
        Ok(())
    }

    /// Takes a chunk; [`ready`](Self::ready) comes first.
    pub(super) fn put(&mut self, chunk: Bytes) {
        if matches!(&self.work, State::Idle(None)) {
            return;
        }
        self.bytes += chunk.len();
        self.batch.push(chunk);
        if self.is_full() && matches!(self.work, State::Idle(_)) {
            self.start(false);
        }
    }

    /// Works off everything and flushes. Returns the job, if there was one.
    pub(super) async fn finish(&mut self) -> Result<Option<J>> {
        self.settle().await?;
        self.start(true);
        self.settle().await?;
        let State::Idle(job) = &mut self.work else {
            unreachable!("settling ends in idleness");
        };
        Ok(job.take())
    }

    fn is_full(&self) -> bool {
        self.bytes >= self.room || self.batch.len() >= MOST_CHUNKS
    }

    /// Waits for the batch in work. Its result is kept before anything else is awaited.
    async fn settle(&mut self) -> Result<()> {
        if let State::Busy(handle) = &mut self.work {
            let outcome = handle.await;
            self.work = State::Idle(None);
            let job =
                joined(outcome)?.map_err(|cause| Error::io("the downloaded bytes could not be written", cause))?;
            self.work = State::Idle(Some(job));
        }
        Ok(())
    }

    fn start(&mut self, flush: bool) {
        let State::Idle(job) = &mut self.work else {
            return;
        };
        // There is none after a failure, which has been reported.
        let Some(mut job) = job.take() else {
            return;
        };
        self.bytes = 0;
        let batch = mem::take(&mut self.batch);
        self.work = State::Busy(tokio::task::spawn_blocking(move || {
            job.run(&batch)?;
            if flush {
                job.flush()?;
            }
            Ok(job)
        }));
    }
}

/// Hashes bytes and writes them to a writer, as far as either is wanted.
pub(super) struct InOrder<W> {
    writer: Option<W>,
    md5: Option<md5::Md5>,
}

impl<W> InOrder<W> {
    /// Makes the job, unless there is nothing to do.
    pub(super) fn new(writer: Option<W>, md5: bool) -> Option<Self> {
        (md5 || writer.is_some()).then(|| Self { writer, md5: md5.then(md5::Md5::new) })
    }

    /// Returns the writer and the MD5.
    pub(super) fn into_parts(self) -> (Option<W>, Option<Md5>) {
        (self.writer, self.md5.map(|md5| <[u8; 16]>::from(md5.finalize()).into()))
    }
}

impl<W: Write + Send + 'static> Job for InOrder<W> {
    fn run(&mut self, batch: &[Bytes]) -> io::Result<()> {
        if let Some(md5) = &mut self.md5 {
            batch.iter().for_each(|chunk| md5.update(chunk));
        }
        match &mut self.writer {
            Some(writer) => write_all(writer, batch),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// Writes all chunks with as few calls as the writer allows.
fn write_all(writer: &mut impl Write, batch: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|chunk| IoSlice::new(chunk)).collect();
    let mut left = &mut slices[..];
    while !left.is_empty() {
        match writer.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Notes how many bytes and slices each write was given.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<(usize, usize)>>>);

    impl Write for Notes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let bytes = slices.iter().map(|slice| slice.len()).sum();
            self.0.lock().unwrap().push((bytes, slices.len()));
            Ok(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn neither_large_nor_tiny_chunks_gather_without_bound() {
        for (size, most_bytes) in [(1, MOST_CHUNKS), (100_000, BUFFER + 100_000)] {
            let notes = Notes::default();
            let mut stage = Stage::new(InOrder::new(Some(notes.clone()), true));
            let chunk = Bytes::from(vec![7; size]);
            for _ in 0..1000 {
                stage.ready().await.unwrap();
                stage.put(chunk.clone());
            }
            let (_, md5) = stage.finish().await.unwrap().unwrap().into_parts();
            assert_eq!(md5, Some(Md5::of(&vec![7; size * 1000])));
            let notes = notes.0.lock().unwrap();
            assert_eq!(notes.iter().map(|(bytes, _)| bytes).sum::<usize>(), size * 1000);
            assert!(notes.iter().all(|(bytes, slices)| *bytes <= most_bytes && *slices <= MOST_CHUNKS), "{notes:?}");
        }
    }
}
