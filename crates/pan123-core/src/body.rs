//! Bodies: bytes in memory, or chunks that are read while they are sent.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};

/// A sequence of chunks of bytes, pulled by whoever sends or stores them.
pub trait Chunks: Send {
    /// Returns the next chunk, `None` at the end. It is not called again after the end or an error.
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>>;
}

/// Something that can be read from its beginning as often as a request has to be sent.
pub trait BodySource: fmt::Debug + Send + Sync {
    /// Returns how many bytes [`open`](Self::open) will yield.
    fn length(&self) -> u64;

    /// Starts reading from the beginning.
    fn open(&self) -> Body;
}

impl BodySource for Bytes {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn open(&self) -> Body {
        Body::from(self.clone())
    }
}

/// A [`BodySource`] as an operation holds it: shared, and equal to its clones only.
///
/// # Example
///
/// ```
/// use pan123_core::SharedBody;
///
/// let body = SharedBody::from("hello");
/// assert_eq!(body.length(), 5);
/// assert_eq!(body, body.clone());
/// assert_ne!(body, SharedBody::from("hello"));
/// ```
#[derive(Clone)]
pub struct SharedBody(Arc<dyn BodySource>);

impl SharedBody {
    /// Returns how many bytes it has.
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// Starts reading from the beginning.
    pub fn open(&self) -> Body {
        self.0.open()
    }
}

impl PartialEq for SharedBody {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for SharedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBody").field("length", &self.length()).finish_non_exhaustive()
    }
}

impl From<Arc<dyn BodySource>> for SharedBody {
    fn from(source: Arc<dyn BodySource>) -> Self {
        Self(source)
    }
}

impl<S: BodySource + 'static> From<Arc<S>> for SharedBody {
    fn from(source: Arc<S>) -> Self {
        Self(source)
    }
}

impl From<Bytes> for SharedBody {
    fn from(bytes: Bytes) -> Self {
        Self(Arc::new(bytes))
    }
}

impl From<&'static str> for SharedBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&Self> for SharedBody {
    fn from(body: &Self) -> Self {
        body.clone()
    }
}

/// The body of a request or of a response.
///
/// # Example
///
/// ```
/// use pan123_core::Body;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut body = Body::from("hello");
/// assert_eq!(body.length(), Some(5));
/// assert_eq!(body.chunk().await.unwrap().unwrap(), "hello");
/// assert!(body.chunk().await.is_none());
/// # });
/// ```
pub struct Body {
    length: Option<u64>,
    inner: Inner,
}

enum Inner {
    Bytes(Bytes),
    // The mutex is never locked: it makes the body `Sync`, which HTTP libraries ask for.
    Chunks(Mutex<Pin<Box<dyn Chunks>>>),
}

impl Body {
    /// Makes a body without bytes.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// Makes a body of chunks, whose number of bytes may be known.
    pub fn from_chunks(length: Option<u64>, chunks: impl Chunks + 'static) -> Self {
        Self { length, inner: Inner::Chunks(Mutex::new(Box::pin(chunks))) }
    }

    /// Returns how many bytes were announced, as far as anybody said.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Polls for the next chunk; see [`Chunks::poll_chunk`].
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match &mut self.inner {
            Inner::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Bytes(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Inner::Chunks(chunks) => {
                let chunks = chunks.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
                chunks.as_mut().poll_chunk(cx)
            }
        }
    }

    /// Returns the next chunk, `None` at the end.
    pub async fn chunk(&mut self) -> Option<io::Result<Bytes>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Reads everything, unless it is more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// What reading gave, or [`io::ErrorKind::FileTooLarge`] when there is more than `limit`.
    pub async fn collect(mut self, limit: usize) -> io::Result<Bytes> {
        let Some(first) = self.chunk().await.transpose()? else {
            return Ok(Bytes::new());
        };
        let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
        if first.len() > limit {
            return Err(too_large());
        }
        let Some(second) = self.chunk().await.transpose()? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if all.len() + chunk.len() > limit {
                return Err(too_large());
            }
            all.extend_from_slice(&chunk);
            next = self.chunk().await.transpose()?;
        }
        Ok(all.freeze())
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self { length: Some(bytes.len() as u64), inner: Inner::Bytes(bytes) }
    }
}

impl fmt::Debug for Body {
    /// Shows the length, never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for Body {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}

/// Several bodies one behind the other, such as the head, the file and the tail of a form.
pub(crate) struct Chain(pub(crate) std::collections::VecDeque<Body>);

impl Chunks for Chain {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        while let Some(body) = self.0.front_mut() {
            match body.poll_chunk(cx) {
                Poll::Ready(None) => drop(self.0.pop_front()),
                other => return other,
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_chain_is_read_in_order_and_collected_within_its_limit() {
        let chain = || {
            Body::from_chunks(None, Chain([Body::from("ab"), Body::empty(), Body::from("cd"), Body::from("e")].into()))
        };
        assert_eq!(chain().collect(5).await.unwrap(), "abcde");
        assert_eq!(chain().collect(4).await.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(Body::from("abc").collect(2).await.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
