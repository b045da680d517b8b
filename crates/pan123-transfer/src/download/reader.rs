//! Reading a file as it comes, and checking it at its end.

use std::{fmt, io::Write, sync::Arc};

use bytes::Bytes;
use pan123_core::{Error, ErrorKind, Md5, Result};

use super::{
    Downloaded,
    fetching::Fetching,
    stage::{InOrder, Stage},
};
use crate::progress::{Phase, Reporter};

/// The bytes of a file as they come. It goes on by itself where a connection breaks.
///
/// [`Download`](super::Download) says what is checked and repaired. The MD5 can only be compared at the end:
/// until [`chunk`](Self::chunk) has returned `None`, the bytes may turn out wrong.
pub struct Reader {
    receiver: Receiver<std::io::Sink>,
}

impl Reader {
    pub(super) fn new(receiver: Receiver<std::io::Sink>) -> Self {
        Self { receiver }
    }

    /// Returns how many bytes there are in all, as far as the caller or the host said.
    pub fn size(&self) -> Option<u64> {
        self.receiver.size()
    }

    /// Returns how many bytes have been handed out.
    pub fn position(&self) -> u64 {
        self.receiver.fetching.received()
    }

    /// Returns the next bytes, `None` behind the last when everything agrees.
    ///
    /// The future may be dropped before it is ready; no byte is lost.
    ///
    /// # Errors
    ///
    /// As [`Download::to_path`](super::Download::to_path), without what concerns a path. Calling again gives the same error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.receiver.next().await
    }

    /// Turns it into a `Stream`, which ends after the first error.
    ///
    /// With the crate tokio-util, `StreamReader::new(reader.into_stream())` makes an `AsyncRead` of it.
    #[cfg(feature = "stream")]
    pub fn into_stream(self) -> ReaderStream {
        ReaderStream { state: stream::State::Idle(Some(Box::new(self))) }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("position", &self.position()).field("size", &self.size()).finish_non_exhaustive()
    }
}

/// What every ending of a download is made of: fetch, write, hash, count, compare.
pub(super) struct Receiver<W> {
    fetching: Fetching,
    stage: Stage<InOrder<W>>,
    want_md5: Option<Md5>,
    reporter: Arc<Reporter>,
    entered: bool,
    outcome: Option<Result<(Option<W>, Downloaded)>>,
}

impl<W: Write + Send + 'static> Receiver<W> {
    pub(super) fn new(
        fetching: Fetching,
        job: Option<InOrder<W>>,
        want_md5: Option<Md5>,
        reporter: Arc<Reporter>,
    ) -> Self {
        Self { fetching, stage: Stage::new(job), want_md5, reporter, entered: false, outcome: None }
    }

    /// Returns how many bytes there are to come in all, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.fetching.size()
    }

    /// Waits for the first answer.
    pub(super) async fn connect(&mut self) -> Result<()> {
        self.fetching.connect().await?;
        if !self.entered {
            self.entered = true;
            self.reporter.enter(Phase::Receiving, self.size(), 0);
        }
        Ok(())
    }

    /// Returns the next bytes, `None` behind the last when everything agrees.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        match &self.outcome {
            Some(Ok(_)) => return Ok(None),
            Some(Err(error)) => return Err(error.clone()),
            None => {}
        }
        let next = self.step().await;
        if let Err(error) = &next {
            self.outcome = Some(Err(error.clone()));
        }
        next
    }

    /// Takes everything; `each` sees every chunk.
    pub(super) async fn all(&mut self, mut each: impl FnMut(Bytes)) -> Result<(Option<W>, Downloaded)> {
        while let Some(chunk) = self.next().await? {
            each(chunk);
        }
        self.outcome.take().expect("it is known at the end")
    }

    async fn step(&mut self) -> Result<Option<Bytes>> {
        self.connect().await?;
        // Room is made before the chunk is taken, so that dropping this future loses none.
        self.stage.ready().await?;
        if let Some(chunk) = self.fetching.next().await? {
            self.stage.put(chunk.clone());
            self.reporter.add(chunk.len() as u64);
            return Ok(Some(chunk));
        }
        let size = self.fetching.received();
        self.reporter.leave();
        self.reporter.enter_full(Phase::Verifying, size, 0);
        let (writer, md5) = self.stage.finish().await?.map_or((None, None), InOrder::into_parts);
        compare(self.want_md5, md5)?;
        self.outcome = Some(Ok((writer, Downloaded { size, md5, resumed: 0, notice: None })));
        Ok(None)
    }
}

/// Fails when the bytes that came are not those that were wanted.
pub(super) fn compare(want: Option<Md5>, got: Option<Md5>) -> Result<()> {
    match (want, got) {
        (Some(want), Some(got)) if want != got => {
            let text = format!("the bytes that came have the MD5 {got}, and the file's is {want}");
            Err(Error::new(ErrorKind::DigestMismatch, text))
        }
        _ => Ok(()),
    }
}

#[cfg(feature = "stream")]
pub use stream::ReaderStream;

#[cfg(feature = "stream")]
mod stream {
    //! [`Reader`] as a `Stream`.

    use std::{
        pin::Pin,
        task::{Context, Poll, ready},
    };

    use bytes::Bytes;
    use pan123_core::{BoxFuture, Result};

    use super::Reader;

    /// The bytes of a file as a [`Stream`](futures_core::Stream).
    pub struct ReaderStream {
        pub(super) state: State,
    }

    pub(super) enum State {
        Idle(Option<Box<Reader>>),
        Reading(BoxFuture<'static, (Box<Reader>, Result<Option<Bytes>>)>),
    }

    impl std::fmt::Debug for ReaderStream {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("ReaderStream").finish_non_exhaustive()
        }
    }

    impl futures_core::Stream for ReaderStream {
        type Item = Result<Bytes>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            loop {
                match &mut self.state {
                    State::Idle(reader) => {
                        let Some(mut reader) = reader.take() else {
                            return Poll::Ready(None);
                        };
                        self.state = State::Reading(Box::pin(async move {
                            let next = reader.chunk().await;
                            (reader, next)
                        }));
                    }
                    State::Reading(step) => {
                        let (reader, next) = ready!(step.as_mut().poll(cx));
                        self.state = State::Idle(matches!(next, Ok(Some(_))).then_some(reader));
                        return Poll::Ready(next.transpose());
                    }
                }
            }
        }
    }
}
