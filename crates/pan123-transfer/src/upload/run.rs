//! One upload from hashing to the stored file, with what to do when an answer is lost.

use std::{sync::Arc, time::Duration};

use pan123_core::{BodySource, Error, ErrorKind, Result, RetryPolicy, Runtime};

use super::{How, Uploaded, parts};
use crate::{
    Begun, Fingerprint, UploadTarget,
    hash::{Digests, Job},
    progress::{Phase, Reporter},
    retries::Retries,
    source::Opened,
};

/// Everything one upload works with.
pub(super) struct Run<T> {
    pub(super) target: T,
    pub(super) source: Opened,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) reporter: Arc<Reporter>,
    pub(super) concurrency: usize,
    pub(super) retry: RetryPolicy,
    pub(super) completion_timeout: Duration,
    pub(super) part_size: u64,
    pub(super) sha1: bool,
    pub(super) trusted: Option<Fingerprint>,
}

impl<T: UploadTarget> Run<T> {
    /// Hashes the file and sends it in one request.
    pub(super) async fn in_one_request(self) -> Result<Uploaded<T::Stored>> {
        let digests = self.hash(Phase::Hashing, None).await?;
        self.check_trusted(&digests.file)?;
        let fingerprint = digests.file;
        let body: Arc<dyn BodySource> = parts::counted(self.source.range(0, fingerprint.size), &self.reporter);
        self.reporter.enter(Phase::Sending, Some(fingerprint.size), 1);
        let mut retries = Retries::new(self.retry);
        let stored = loop {
            let error = match self.target.send_whole(&fingerprint, Arc::clone(&body)).await {
                Ok(stored) => break stored,
                Err(error) => error,
            };
            self.source.check().await.map_err(|changed| changed.with_source(error.clone()))?;
            match self.settle(&fingerprint, error).await? {
                Settled::Stored(stored) => break stored,
                Settled::Absent(error) => {
                    let delay = retries.next(error, true, &*self.runtime)?;
                    self.runtime.sleep(delay).await;
                }
            }
        };
        self.reporter.part_done();
        self.reporter.leave();
        Ok(Uploaded { stored, fingerprint, how: How::SingleStep })
    }

    /// Announces the file by its digests, and sends it in parts when the service wants its bytes.
    pub(super) async fn in_parts(self) -> Result<Uploaded<T::Stored>> {
        let trusted = self.trusted.filter(|trusted| !self.sha1 || trusted.sha1.is_some());
        let (fingerprint, digests) = match trusted {
            Some(trusted) => (trusted, None),
            None => {
                let digests = self.hash(Phase::Hashing, Some(self.part_size)).await?;
                self.check_trusted(&digests.file)?;
                (digests.file, Some(digests))
            }
        };
        let done = |stored, how| Ok(Uploaded { stored, fingerprint, how });
        let (session, part_size) = match self.begin(&fingerprint).await? {
            Begun::Stored(stored) => return done(stored, How::Instant),
            Begun::Parts { session, part_size } => (session, part_size),
        };
        parts::check_size(fingerprint.size, part_size)?;
        let digests = match digests.as_ref().and_then(|digests| digests.parts(part_size)) {
            Some(digests) => digests,
            None => {
                let digests = self.hash(Phase::HashingParts, Some(part_size)).await?;
                self.check_announced(&fingerprint, &digests.file)?;
                digests.parts(part_size).expect("they were computed for this part size")
            }
        };
        let parts = parts::plan(fingerprint.size, part_size, digests);
        self.send_parts(&session, &parts, fingerprint.size).await?;
        // Whatever was sent after a change does not belong to the digests that were announced.
        self.source.check().await?;
        done(self.complete(&session, &parts, &fingerprint).await?, How::Parts)
    }

    /// Reads the source once, and makes sure that it stayed the same meanwhile.
    async fn hash(&self, phase: Phase, part_size: Option<u64>) -> Result<Digests> {
        self.reporter.enter(phase, Some(self.source.size()), 0);
        let job = Job { part_size, sha1: self.sha1 || self.trusted.is_some_and(|trusted| trusted.sha1.is_some()) };
        let digests = job.run(self.source.clone(), Arc::clone(&self.reporter)).await?;
        self.source.check().await?;
        self.reporter.leave();
        Ok(digests)
    }

    /// Compares what was computed with what the caller said.
    fn check_trusted(&self, computed: &Fingerprint) -> Result<()> {
        self.trusted.map_or(Ok(()), |trusted| self.check_announced(&trusted, computed))
    }

    /// Compares what was computed with what the file was announced by.
    fn check_announced(&self, announced: &Fingerprint, computed: &Fingerprint) -> Result<()> {
        let sha1_agrees = announced.sha1.is_none_or(|sha1| computed.sha1 == Some(sha1));
        if announced.md5 == computed.md5 && sha1_agrees {
            return Ok(());
        }
        let text = if self.trusted.is_some() {
            "the trusted digest is not that of the source"
        } else {
            "the source gave other bytes when it was read again"
        };
        Err(Error::new(ErrorKind::DigestMismatch, text))
    }

    /// Announces the file. After a lost answer it is announced once more at most, and only if it is not there.
    async fn begin(&self, file: &Fingerprint) -> Result<Begun<T::Session, T::Stored>> {
        let mut retries = Retries::new(self.retry);
        let mut again = true;
        loop {
            let error = match self.target.begin(file).await {
                Ok(begun) => return Ok(begun),
                Err(error) => error,
            };
            let lost = error.may_have_happened();
            let error = match self.settle(file, error).await? {
                Settled::Stored(stored) => return Ok(Begun::Stored(stored)),
                Settled::Absent(error) => error,
            };
            let delay = retries.next(error.clone(), true, &*self.runtime)?;
            if lost && !std::mem::take(&mut again) {
                return Err(error);
            }
            self.runtime.sleep(delay).await;
        }
    }

    /// Finds out whether a failed call has stored the file after all.
    pub(super) async fn settle(&self, file: &Fingerprint, error: Error) -> Result<Settled<T::Stored>> {
        if !error.may_have_happened() {
            return Ok(Settled::Absent(error));
        }
        let mut retries = Retries::new(self.retry);
        loop {
            match self.target.find(file).await {
                Ok(Some(stored)) => return Ok(Settled::Stored(stored)),
                Ok(None) => return Ok(Settled::Absent(error.with_may_have_happened(false))),
                Err(cause) => match retries.next(cause, true, &*self.runtime) {
                    Ok(delay) => self.runtime.sleep(delay).await,
                    Err(cause) => {
                        let text = "the answer was lost, and whether the file is stored could not be found out";
                        return Err(error.with_kind(ErrorKind::OutcomeUnknown, text).with_source(cause));
                    }
                },
            }
        }
    }
}

/// What has become of a call that failed.
pub(super) enum Settled<S> {
    /// It took effect, and only its answer was lost.
    Stored(S),
    /// It certainly had no effect.
    Absent(Error),
}
