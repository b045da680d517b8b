//! The `save_to` verb: copying into one's own drive, and waiting until the service is done with it.

use std::time::Duration;

use pan123_core::{Error, ErrorKind, FileId, Operation, Result, Wait};

use crate::{
    Client, Entry,
    ops::saves::{Save, SaveItem, SaveProgress, SaveState, SaveStatus, SaveTask},
};

/// How long a copy may take before [`Client::save_to`] stops waiting.
pub const SAVE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How often the service is asked how far a copy is.
const SAVE_INTERVAL: Duration = Duration::from_secs(2);

/// How a copy into one's own drive ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// Everything is copied.
    Done {
        /// How many entries, where the service says it.
        count: Option<u64>,
    },
    /// The service took the request and named no task to ask about: list the target folder to see.
    Unconfirmed,
}

impl Client {
    /// Copies files and folders of the share into `folder`, a folder of the drive that the client's token belongs to, and waits
    /// for it, up to [`SAVE_TIMEOUT`]. A folder is copied with all that it holds.
    ///
    /// Dropping the future stops the waiting and not the copy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the client has no token; those of [`Save`] and [`wait_for_save`](Self::wait_for_save).
    /// [`Error::may_have_happened`] says when the copy may go on although the call failed.
    pub async fn save_to<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a Entry>,
        folder: impl Into<FileId>,
    ) -> Result<Saved> {
        let folder = folder.into();
        let items: Vec<SaveItem> = entries.into_iter().map(|entry| SaveItem::new(entry, folder)).collect();
        if items.is_empty() {
            return Ok(Saved::Done { count: Some(0) });
        }
        match self.send(Save::new(self.key(), items).password(self.password())).await? {
            Some(task) => self.wait_for_save(&task, SAVE_TIMEOUT).await,
            None => Ok(Saved::Unconfirmed),
        }
    }

    /// Waits for a copy that [`Save`] began, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] with the service's reason when the copy fails, [`ErrorKind::CompletionTimeout`] when it is still running, and
    /// whatever asking gives.
    pub async fn wait_for_save(&self, task: &SaveTask, timeout: Duration) -> Result<Saved> {
        let wait = Wait {
            pause: SAVE_INTERVAL,
            timeout,
            late: "the copy is still running; wait for its task again",
            endpoint: SaveProgress::META.id,
        };
        let ask = async || {
            let asked = self.send(SaveProgress::new(task)).await;
            asked.map_err(|error| error.with_may_have_happened(true))
        };
        let judge = |status: SaveStatus| match status.state {
            SaveState::Done => Ok(Some(Saved::Done { count: status.count })),
            SaveState::Waiting | SaveState::Running => Ok(None),
            _ => Err(Error::new(ErrorKind::Api, "the service could not copy everything")
                .with_endpoint(SaveProgress::META.id)
                .with_may_have_happened(true)
                .with_message(&status.reason)),
        };
        wait.until(&**self.pipeline().runtime(), ask, judge).await
    }
}
