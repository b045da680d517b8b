//! Parts: which there are, and sending them side by side.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use pan123_core::{Body, BodySource, Chunks, Error, ErrorKind, Md5, Result};

use super::{
    pace::{Pace, Slot},
    resume::Sent,
    run::Run,
};
use crate::{
    Part, UploadTarget,
    progress::{Phase, Reporter},
    read::Proof,
    retries::Retries,
};

/// The largest part that is believed; object stores take none that is larger.
const LARGEST_PART: u64 = 5 << 30;

/// The most parts that are believed; object stores take no more.
const MOST_PARTS: u64 = 10_000;

/// Refuses a part size that no service means.
pub(super) fn check_size(file: u64, part_size: u64) -> Result<()> {
    let wrong = |text| Err(Error::new(ErrorKind::Decode, text));
    match part_size {
        // An empty file has one empty part, whatever its size is said to be.
        _ if file == 0 => Ok(()),
        0 => wrong("the service did not say how large a part is".to_owned()),
        LARGEST_PART.. if part_size > LARGEST_PART => {
            wrong(format!("the service wants parts of {part_size} bytes, more than any storage takes"))
        }
        _ if file.div_ceil(part_size) > MOST_PARTS => {
            wrong(format!("the service wants parts of {part_size} bytes, which makes more than {MOST_PARTS}"))
        }
        _ => Ok(()),
    }
}

/// Numbers the parts of a file. `digests` has one for each.
pub(super) fn plan(file: u64, part_size: u64, digests: Vec<Md5>) -> Vec<Part> {
    let place = |(index, md5): (u32, Md5)| {
        let offset = u64::from(index) * part_size;
        Part::new(index + 1, offset, part_size.min(file - offset), md5)
    };
    (0..).zip(digests).map(place).collect()
}

/// Counts the bytes in the parts of which the numbers are given.
pub(super) fn bytes_in(numbers: &BTreeSet<u32>, part_size: u64, file: u64) -> u64 {
    let length = |number: &u32| {
        let offset = u64::from(number.saturating_sub(1)).saturating_mul(part_size).min(file);
        part_size.min(file - offset)
    };
    numbers.iter().map(length).sum()
}

impl<T: UploadTarget> Run<T> {
    /// Makes a body of a section of the source, which counts what is sent of it and keeps the limit of speed; and the
    /// proof that its bytes are those of `md5`, where nobody else makes sure of it.
    pub(super) fn body(&self, offset: u64, length: u64, md5: Md5) -> (Arc<dyn BodySource>, Option<Arc<Proof>>) {
        let (body, proof) = if self.target.proves_parts() {
            (self.source.range(offset, length), None)
        } else {
            self.source.proven_range(offset, length, md5)
        };
        let body = match &self.bandwidth {
            Some(bandwidth) => bandwidth.throttle_source(body, &self.runtime),
            None => body,
        };
        let (reporter, pace) = (Arc::clone(&self.reporter), Arc::clone(&self.pace));
        (Arc::new(Counted { body, most: Arc::default(), reporter, pace }), proof)
    }

    /// Sends all parts that are missing, some of them at a time. The first that fails for good ends the others.
    pub(super) async fn send_parts(&self, sent: &Sent<T::Session>, parts: &[Part], total: u64) -> Result<()> {
        let count = u32::try_from(parts.len()).expect("there are at most ten thousand parts");
        let missing: Vec<&Part> = parts.iter().filter(|part| !sent.done.contains(&part.number)).collect();
        let bytes = missing.iter().map(|part| part.length).sum::<u64>();
        let done = u32::try_from(parts.len() - missing.len()).expect("they are no more than all");
        self.reporter.enter_at(Phase::Sending, Some(total), total - bytes, done, count);
        let next = AtomicUsize::new(0);
        let worker = || async {
            loop {
                let slot = self.pace.slot().await;
                let Some(part) = missing.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    return Ok(());
                };
                self.send_part(&sent.session, part, slot).await?;
                self.checkpoint.arrived(part.number).await;
                self.reporter.part_done();
            }
        };
        all((0..self.pace.most().min(missing.len())).map(|_| worker())).await?;
        self.reporter.leave();
        Ok(())
    }

    async fn send_part<'a>(&'a self, session: &T::Session, part: &Part, mut slot: Slot<'a>) -> Result<()> {
        let (body, proof) = self.body(part.offset, part.length, part.md5);
        let mut retries = Retries::new(self.retry);
        let mut was_other = false;
        loop {
            let mut sent = self.target.send_part(session, part, Arc::clone(&body)).await;
            if sent.is_ok() && !proof.as_ref().is_none_or(|proof| proof.agrees()) {
                let text = format!("part {} was sent with other bytes than were declared", part.number);
                sent = Err(Error::new(ErrorKind::DigestMismatch, text));
            }
            let Err(error) = sent else {
                slot.done();
                return Ok(());
            };
            self.source.check().await.map_err(|changed| changed.with_source(error.clone()))?;
            slot.failed(&error);
            // A part replaces itself, and without a completion there is no file.
            let error = error.with_may_have_happened(false);
            // What was damaged on its way may arrive whole the second time.
            if error.kind() != ErrorKind::DigestMismatch || std::mem::replace(&mut was_other, true) {
                let delay = retries.next(error, true, &*self.runtime)?;
                self.runtime.sleep(delay).await;
            }
            slot = slot.again().await;
        }
    }
}

/// Drives all futures in the present task, so that dropping this one drops them; ends with the first error.
async fn all<F: Future<Output = Result<()>>>(futures: impl Iterator<Item = F>) -> Result<()> {
    let mut running: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    std::future::poll_fn(move |cx| {
        let mut failure = None;
        running.retain_mut(|future| {
            if failure.is_some() {
                return true;
            }
            match future.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(Ok(())) => false,
                Poll::Ready(Err(error)) => {
                    failure = Some(error);
                    false
                }
            }
        });
        match failure {
            Some(error) => Poll::Ready(Err(error)),
            None if running.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}

/// A body whose bytes count as progress the first time they are sent.
#[derive(Debug)]
struct Counted {
    body: Arc<dyn BodySource>,
    /// The most bytes that any attempt has sent.
    most: Arc<AtomicU64>,
    reporter: Arc<Reporter>,
    pace: Arc<Pace>,
}

impl BodySource for Counted {
    fn length(&self) -> u64 {
        self.body.length()
    }

    fn open(&self) -> Body {
        let (most, reporter, pace) = (Arc::clone(&self.most), Arc::clone(&self.reporter), Arc::clone(&self.pace));
        Body::from_chunks(Some(self.length()), Counting { body: self.body.open(), sent: 0, most, reporter, pace })
    }
}

struct Counting {
    body: Body,
    sent: u64,
    most: Arc<AtomicU64>,
    reporter: Arc<Reporter>,
    pace: Arc<Pace>,
}

impl Chunks for Counting {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
        let polled = self.body.poll_chunk(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.sent += chunk.len() as u64;
            self.pace.count(chunk.len() as u64);
            let before = self.most.fetch_max(self.sent, Ordering::Relaxed);
            if self.sent > before {
                self.reporter.add(self.sent - before);
            }
        }
        polled
    }
}
