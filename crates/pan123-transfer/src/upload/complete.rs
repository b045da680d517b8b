//! Completion: asking until the file is stored, the service says no, or the deadline has passed.

use std::time::Duration;

use pan123_core::{Error, ErrorKind, Result};

use super::run::{Run, Settled};
use crate::{Completion, Fingerprint, Part, UploadTarget, progress::Phase};

/// The pause between the first two questions; the service asks for at least this much.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two questions, to which it grows by half each time.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The shortest pause that the service can ask for, or a wrong answer would make us ask without a break.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

impl<T: UploadTarget> Run<T> {
    /// Completes the upload. `lost` says that the file may be there already, from an earlier upload.
    pub(super) async fn complete(
        &self,
        session: &T::Session,
        parts: &[Part],
        file: &Fingerprint,
        mut lost: bool,
    ) -> Result<T::Stored> {
        let count = u32::try_from(parts.len()).expect("there are at most ten thousand parts");
        self.reporter.enter_full(Phase::Completing, file.size, count);
        let begun = self.runtime.elapsed();
        let mut pause = FIRST_PAUSE;
        let mut last = None;
        let error = loop {
            let wait = match self.target.complete(session, parts).await {
                Ok(Completion::Stored(stored)) => return Ok(stored),
                Ok(Completion::Pending { wait }) => wait.map_or(pause, |wait| wait.max(SHORTEST_PAUSE)),
                Err(error) => {
                    lost |= error.may_have_happened();
                    if !is_pending(&error) {
                        break error;
                    }
                    let wait = error.retry_after().unwrap_or_default().max(pause);
                    last = Some(error);
                    wait
                }
            };
            let elapsed = self.runtime.elapsed().saturating_sub(begun);
            if elapsed.saturating_add(wait) > self.completion_timeout {
                break timed_out(last, elapsed);
            }
            self.runtime.sleep(wait).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        };
        // A question whose answer was lost may have completed the upload, and the next one only finds that
        // there is nothing left to complete.
        match self.settle(file, error.with_may_have_happened(lost)).await {
            Ok(Settled::Stored(stored)) => Ok(stored),
            Ok(Settled::Absent(error)) if error.kind() == ErrorKind::CompletionTimeout => {
                Err(error.with_may_have_happened(true))
            }
            Ok(Settled::Absent(error)) | Err(error) => Err(error),
        }
    }
}

/// Says whether asking again is all there is to do.
fn is_pending(error: &Error) -> bool {
    error.is_retryable() && error.kind() != ErrorKind::CompletionTimeout
}

fn timed_out(last: Option<Error>, elapsed: Duration) -> Error {
    let text = format!("the service was still verifying the file after {} seconds", elapsed.as_secs());
    match last {
        Some(error) => error.with_kind(ErrorKind::CompletionTimeout, text),
        None => Error::new(ErrorKind::CompletionTimeout, text),
    }
}
