//! One upload from hashing to the stored file, with what to do when an answer is lost or an earlier upload left off.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use pan123_core::{Error, ErrorKind, Result, RetryPolicy, Runtime};

use super::{
    How, Uploaded,
    pace::Pace,
    parts,
    resume::{Checkpoint, Saved, Sent, Step, is_refusal},
};
use crate::{
    Bandwidth, Begun, Fingerprint, Notice, UploadTarget,
    checkpoint::SavedStamp,
    hash::{Digests, Job},
    progress::{Phase, Reporter},
    retries::Retries,
    source::Opened,
};

/// Everything one upload works with.
pub(super) struct Run<T: UploadTarget> {
    pub(super) target: T,
    pub(super) source: Opened,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) reporter: Arc<Reporter>,
    pub(super) pace: Arc<Pace>,
    pub(super) retry: RetryPolicy,
    pub(super) completion_timeout: Duration,
    pub(super) bandwidth: Option<Bandwidth>,
    /// Whether the file goes in one request, unless an earlier upload has begun to send it in parts.
    pub(super) in_one_request: bool,
    pub(super) part_size: u64,
    pub(super) sha1: bool,
    pub(super) trusted: Option<Fingerprint>,
    /// What was computed while the source was spooled.
    pub(super) spooled: Option<Digests>,
    pub(super) checkpoint: Checkpoint<T::Session>,
}

/// What is known of the content before the service is asked.
struct Known<S> {
    file: Fingerprint,
    digests: Option<Digests>,
    step: Step<S>,
}

impl<T: UploadTarget> Run<T> {
    /// Uploads the file, from where `earlier` left off if it can.
    pub(super) async fn upload(mut self, earlier: Option<Saved<T::Session>>) -> Result<Uploaded<T::Stored>> {
        let Known { file, digests, step } = self.know(earlier).await?;
        let (resumed, done) = self.go_on(&file, digests, step).await;
        let notice = self.checkpoint.notice();
        match &done {
            Ok(_) => self.checkpoint.remove().await,
            // Two sessions were refused, so it is the digests that are wrong: the source changed and its stamp did not.
            Err(error) if is_refusal(error) && notice == Some(Notice::SessionGone) => self.checkpoint.remove().await,
            Err(error) if error.kind() == ErrorKind::DigestMismatch => self.checkpoint.remove().await,
            Err(_) => {}
        }
        done.map(|(stored, how)| Uploaded { stored, fingerprint: file, how, resumed, notice })
    }

    /// Finds out the digests, by reading the source only where nothing else tells.
    async fn know(&self, earlier: Option<Saved<T::Session>>) -> Result<Known<T::Session>> {
        let stamp = self.source.stamp().map(SavedStamp::from).filter(|stamp| stamp.is_settled(self.runtime.now()));
        let earlier = match earlier {
            Some(saved) if stamp.is_some() && saved.stamp == stamp && self.is_enough(&saved) => {
                self.checkpoint.set(saved.clone()).await;
                return Ok(Known { file: saved.file, digests: saved.digests, step: saved.step });
            }
            earlier => earlier,
        };
        // One request needs the digest of its bytes, so a trusted one saves no reading there.
        let trusted = self.trusted.filter(|trusted| !self.in_one_request && (!self.sha1 || trusted.sha1.is_some()));
        let (file, digests) = match (trusted, &self.spooled) {
            (_, Some(spooled)) => {
                self.check_trusted(&spooled.file)?;
                (spooled.file, Some(spooled.clone()))
            }
            (Some(trusted), None) => (trusted, None),
            (None, None) => {
                let part_size = Some(self.part_size).filter(|_| !self.in_one_request);
                let digests = self.hash(Phase::Hashing, part_size).await?;
                self.check_trusted(&digests.file)?;
                (digests.file, Some(digests))
            }
        };
        let (digests, step) = match earlier {
            Some(saved) if (saved.file.size, saved.file.md5) == (file.size, file.md5) => {
                (digests.or(saved.digests), saved.step)
            }
            Some(_) => {
                self.checkpoint.tell(Notice::SourceChanged);
                (digests, Step::Hashed)
            }
            None => (digests, Step::Hashed),
        };
        self.checkpoint.set(Saved { stamp, file, digests: digests.clone(), step: step.clone() }).await;
        Ok(Known { file, digests, step })
    }

    /// Says whether an earlier upload knows all that this one needs to know.
    fn is_enough(&self, saved: &Saved<T::Session>) -> bool {
        let agrees = |trusted: Fingerprint| {
            trusted.md5 == saved.file.md5 && trusted.sha1.is_none_or(|sha1| saved.file.sha1 == Some(sha1))
        };
        saved.file.size == self.source.size()
            && (!self.sha1 || saved.file.sha1.is_some())
            && self.trusted.is_none_or(agrees)
    }

    /// Goes on from `step`. Returns how many bytes an earlier upload had sent, beside what came of it.
    async fn go_on(
        &self,
        file: &Fingerprint,
        mut digests: Option<Digests>,
        step: Step<T::Session>,
    ) -> (u64, Result<(T::Stored, How)>) {
        let (mut earlier, mut lost) = (None, false);
        match step {
            Step::Hashed => {}
            Step::Announced => match self.look_again(file).await {
                Ok(Some(stored)) => {
                    return (0, Ok((stored, if self.in_one_request { How::SingleStep } else { How::Instant })));
                }
                Ok(None) => {}
                Err(error) => return (0, Err(error)),
            },
            Step::Sending(sent) => earlier = Some(sent),
            Step::Completing(sent) => {
                // Nobody knows whether the completion went through; if looking does not tell, asking again does.
                if let Ok(Some(stored)) = self.target.find(file).await {
                    return (file.size, Ok((stored, How::Parts)));
                }
                (earlier, lost) = (Some(sent), true);
            }
        }
        if let Some(sent) = earlier.take_if(|sent| parts::check_size(file.size, sent.part_size).is_err()) {
            drop(sent);
            self.checkpoint.tell(Notice::CheckpointUnreadable);
        }
        if let Some(sent) = earlier {
            let had = parts::bytes_in(&sent.done, sent.part_size, file.size);
            match self.in_session(file, &mut digests, sent, lost).await {
                Err(error) if is_refusal(&error) => {
                    self.checkpoint.tell(Notice::SessionGone);
                    self.checkpoint.step(Step::Hashed).await;
                }
                stored => return (had, stored.map(|stored| (stored, How::Parts))),
            }
        }
        let done = if self.in_one_request {
            self.whole(file).await.map(|stored| (stored, How::SingleStep))
        } else {
            self.in_parts(file, &mut digests).await
        };
        (0, done)
    }

    /// Sends the file in one request.
    async fn whole(&self, file: &Fingerprint) -> Result<T::Stored> {
        let (body, proof) = self.body(0, file.size, file.md5);
        self.reporter.enter(Phase::Sending, Some(file.size), 1);
        self.checkpoint.step(Step::Announced).await;
        let mut retries = Retries::new(self.retry);
        let stored = loop {
            let error = match self.target.send_whole(file, Arc::clone(&body)).await {
                Ok(stored) => break stored,
                Err(error) => error,
            };
            self.source.check().await.map_err(|changed| changed.with_source(error.clone()))?;
            match self.settle(file, error).await? {
                Settled::Stored(stored) => break stored,
                Settled::Absent(error) => match retries.next(error, true, &*self.runtime) {
                    Ok(delay) => self.runtime.sleep(delay).await,
                    Err(error) => {
                        self.checkpoint.step(Step::Hashed).await;
                        return Err(error);
                    }
                },
            }
        };
        if !proof.is_none_or(|proof| proof.agrees()) {
            self.checkpoint.step(Step::Hashed).await;
            let text = "other bytes were stored than were declared";
            return Err(Error::new(ErrorKind::SourceChanged, text).with_may_have_happened(true));
        }
        self.reporter.part_done();
        self.reporter.leave();
        Ok(stored)
    }

    /// Announces the file by its digests, and sends it in parts when the service wants its bytes.
    async fn in_parts(&self, file: &Fingerprint, digests: &mut Option<Digests>) -> Result<(T::Stored, How)> {
        let sent = match self.begin(file).await? {
            Begun::Stored(stored) => return Ok((stored, How::Instant)),
            Begun::Parts { session, part_size } => Sent { session, part_size, done: BTreeSet::new() },
        };
        self.checkpoint.step(Step::Sending(sent.clone())).await;
        Ok((self.in_session(file, digests, sent, false).await?, How::Parts))
    }

    /// Sends the parts that are missing, and completes. `lost` says that this may have been done already.
    async fn in_session(
        &self,
        file: &Fingerprint,
        digests: &mut Option<Digests>,
        sent: Sent<T::Session>,
        lost: bool,
    ) -> Result<T::Stored> {
        parts::check_size(file.size, sent.part_size)?;
        let of_parts = match digests.as_ref().and_then(|digests| digests.parts(sent.part_size)) {
            Some(of_parts) => of_parts,
            None => {
                let computed = self.hash(Phase::HashingParts, Some(sent.part_size)).await?;
                self.check_announced(file, &computed.file)?;
                self.checkpoint.digests(&computed).await;
                digests.insert(computed).parts(sent.part_size).expect("they were computed for this part size")
            }
        };
        let parts = parts::plan(file.size, sent.part_size, of_parts);
        self.send_parts(&sent, &parts, file.size).await?;
        // Whatever was sent after a change does not belong to the digests that were announced.
        self.source.check().await?;
        let done = parts.iter().map(|part| part.number).collect();
        self.checkpoint.step(Step::Completing(Sent { done, ..sent.clone() })).await;
        self.complete(&sent.session, &parts, file, lost).await
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
        self.checkpoint.step(Step::Announced).await;
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
            let next = match retries.next(error.clone(), true, &*self.runtime) {
                Ok(_) if lost && !std::mem::take(&mut again) => Err(error),
                next => next,
            };
            match next {
                Ok(delay) => self.runtime.sleep(delay).await,
                Err(error) => {
                    self.checkpoint.step(Step::Hashed).await;
                    return Err(error);
                }
            }
        }
    }

    /// Finds out whether an earlier upload, of whose last request no answer is known, has stored the file after all.
    async fn look_again(&self, file: &Fingerprint) -> Result<Option<T::Stored>> {
        let text = "whether an earlier upload has stored the file could not be found out";
        let unknown = Error::new(ErrorKind::OutcomeUnknown, text).with_may_have_happened(true);
        let found = match self.settle(file, unknown).await {
            Ok(Settled::Stored(stored)) => return Ok(Some(stored)),
            Ok(Settled::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        };
        // The caller is told once that nobody knows, and decides; a second upload is not held up by it.
        self.checkpoint.step(Step::Hashed).await;
        found
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
                Ok(None) => {
                    // A target that has looked by itself, and does not know, is not refuted by looking once more.
                    let is_unknown = error.kind() == ErrorKind::OutcomeUnknown;
                    return Ok(Settled::Absent(error.with_may_have_happened(is_unknown)));
                }
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
