//! Copying within the drive: a task of the service's that is waited for, and a look at what it made.

use std::{collections::HashMap, time::Duration};

use pan123_core::{Error, ErrorKind, FileId, Operation, Result, Wait, batch};

use crate::{
    Client, Entry,
    ops::{
        MOST_IDS,
        details::Infos,
        manage::{Copy, CopyItem, CopyProgress, CopyState, CopyTask, Copying},
    },
};

/// How long a copy may take before [`Client::copy`] and [`Client::copy_all`] stop waiting.
pub const COPY_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How often the service is asked how far a copy is, and how long is waited before a copy is looked for again.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often a copy is looked for.
const MOST_LOOKS: u32 = 5;

/// How many of the newest entries are looked at again: what appears between two looks was made last.
const RECENT: u32 = 200;

impl Client {
    /// Copies one file or folder into `folder` and returns the id of the copy. The name is kept; where it is taken the service
    /// may add a number.
    ///
    /// Four requests at least: the row of the entry, the copy, how far it is, and a look into `folder`, where the copy is known
    /// by name, size and MD5.
    ///
    /// Protocol: `web.yaml`, flow `copy`.
    ///
    /// # Errors
    ///
    /// As [`copy_all`](Self::copy_all).
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_web::{Client, FileId};
    /// # async fn run(client: Client, file: FileId, backups: FileId) -> pan123_web::Result<()> {
    /// let copy = client.copy(file, backups).await?;
    /// client.rename(copy, "report (copy).pdf").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn copy(&self, file: impl Into<FileId>, folder: impl Into<FileId>) -> Result<FileId> {
        let copies = self.copy_all([file], folder).await?;
        Ok(*copies.first().expect("there is a copy of every entry"))
    }

    /// Copies files and folders into `folder` and returns the ids of the copies, in the order of `files`. More than 100 are
    /// copied by several calls. Each is waited for, up to [`COPY_TIMEOUT`].
    ///
    /// Dropping the future stops the waiting and not the copy. When the answer to a call is lost, it is not sent again: files
    /// are looked for in `folder`, where one that was there before and is equal counts as copied; of folders nobody can tell.
    ///
    /// Protocol: `web.yaml`, flow `copy`.
    ///
    /// # Errors
    ///
    /// Before anything is copied: [`ErrorKind::NotFound`] for an entry that is gone, [`ErrorKind::InvalidInput`] for one that is in `folder`
    /// already. Later: [`ErrorKind::Api`] with the service's reason when a copy fails, [`ErrorKind::CompletionTimeout`] with the number
    /// of the task when it is still running, [`ErrorKind::OutcomeUnknown`] when the copies cannot be found.
    /// [`Error::failed_items`] names the entries whose copy is not known, and [`Error::may_have_happened`] says whether there may be one.
    pub async fn copy_all<I: Into<FileId>>(
        &self,
        files: impl IntoIterator<Item = I>,
        folder: impl Into<FileId>,
    ) -> Result<Vec<FileId>> {
        let ids: Vec<FileId> = files.into_iter().map(Into::into).collect();
        let folder = folder.into();
        let mut rows: HashMap<FileId, Entry> = HashMap::new();
        let each = |some: Vec<Entry>| rows.extend(some.into_iter().map(|row| (row.id, row)));
        batch::run(&ids, MOST_IDS, |ids| self.send(Infos::new(ids)), each).await?;
        ids.iter().try_for_each(|id| check(rows.get(id), *id, folder))?;
        let rows = &rows;
        let some = |ids: Vec<FileId>| async move {
            let sources: Vec<&Entry> = ids.iter().filter_map(|id| rows.get(id)).collect();
            self.copy_some(&sources, folder).await
        };
        let mut copies = Vec::with_capacity(ids.len());
        batch::run(&ids, MOST_IDS, some, |some| copies.extend(some)).await?;
        Ok(copies)
    }

    async fn copy_some(&self, sources: &[&Entry], folder: FileId) -> Result<Vec<FileId>> {
        let items: Vec<CopyItem> = sources.iter().copied().map(CopyItem::from).collect();
        let lost = match self.send(Copy::new(items, folder)).await {
            Ok(Copying::Done) => None,
            Ok(Copying::Task(task)) => {
                self.wait_for_copy(task, COPY_TIMEOUT).await?;
                None
            }
            Err(error) if error.may_have_happened() => Some(error),
            Err(error) => return Err(error),
        };
        let found = self.find_copies(sources, folder, lost.is_some()).await;
        let missing = |(source, copy): (&&Entry, &Option<FileId>)| copy.is_none().then_some(source.id);
        let (found, error) = match (found, lost) {
            (Ok(found), _) if found.iter().all(Option::is_some) => return Ok(found.into_iter().flatten().collect()),
            (Ok(found), Some(lost)) => (found, lost),
            (Ok(found), None) => (found, unknown()),
            (Err(error), lost) => (vec![None; sources.len()], lost.unwrap_or_else(|| unknown().with_source(error))),
        };
        let missing: Vec<FileId> = sources.iter().zip(&found).filter_map(missing).collect();
        Err(error.clone().with_failed_items(missing.into_iter().map(|id| (id, error.clone())).collect()))
    }

    /// Waits for a copy that [`Copy`](struct@Copy) began, for at most `timeout`.
    ///
    /// Protocol: `web.yaml`, `file.copy_task`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] with the service's reason when the copy fails, [`ErrorKind::CompletionTimeout`] with the number of the task when it is
    /// still running, and whatever asking gives.
    pub async fn wait_for_copy(&self, task: CopyTask, timeout: Duration) -> Result<()> {
        let wait =
            Wait { pause: INTERVAL, timeout, late: "the copy is still running", endpoint: CopyProgress::META.id };
        let judge = |status: crate::ops::manage::CopyStatus| match status.state {
            CopyState::Done => Ok(Some(())),
            CopyState::Waiting | CopyState::Running => Ok(None),
            _ => Err(Error::new(ErrorKind::Api, "the service could not copy everything")
                .with_endpoint(CopyProgress::META.id)
                .with_answer(status.error_code, &status.reason)),
        };
        let waited = wait.until(&**self.pipeline().runtime(), || self.send(CopyProgress::new(task)), judge).await;
        waited.map_err(|error| {
            let error = error.with_may_have_happened(true);
            match error.kind() {
                ErrorKind::CompletionTimeout => error.with_kind(
                    ErrorKind::CompletionTimeout,
                    format!("the copy is still running; wait for its task {task} again"),
                ),
                _ => error,
            }
        })
    }

    /// Looks for the copies of `sources` in `folder`; what was made last comes first there. Of folders only a copy that the
    /// service has confirmed is looked for.
    async fn find_copies(&self, sources: &[&Entry], folder: FileId, is_lost: bool) -> Result<Vec<Option<FileId>>> {
        let mut found: Vec<Option<FileId>> = vec![None; sources.len()];
        let can_be_known = |source: &Entry| !is_lost || (source.is_file() && source.md5.is_some());
        let mut left = sources.iter().filter(|source| can_be_known(source)).count();
        for look in 0..MOST_LOOKS {
            let mut entries = self.list(folder);
            let mut seen = 0;
            while left > 0
                && (look == 0 || seen < RECENT)
                && let Some(entry) = entries.next().await?
            {
                seen += 1;
                let place = sources
                    .iter()
                    .zip(&found)
                    .position(|(source, copy)| copy.is_none() && can_be_known(source) && is_copy(&entry, source));
                if let Some(place) = place
                    && !found.contains(&Some(entry.id))
                {
                    found[place] = Some(entry.id);
                    left -= 1;
                }
            }
            if left == 0 || look + 1 == MOST_LOOKS {
                break;
            }
            self.pipeline().runtime().sleep(INTERVAL).await;
        }
        Ok(found)
    }
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::OutcomeUnknown,
        "the service says that the copy is done, and it cannot be found in the folder",
    )
    .with_endpoint(Copy::META.id)
    .with_may_have_happened(true)
}

/// Refuses to copy what is gone, or is in `folder` already.
fn check(row: Option<&Entry>, id: FileId, folder: FileId) -> Result<()> {
    let error = match row {
        None => Error::new(ErrorKind::NotFound, format!("there is no entry {id}, or no longer")),
        // The service's page refuses it, so nobody knows what the service would make of it.
        Some(row) if row.parent_id == folder => Error::invalid(format!("entry {id} is in that folder already")),
        Some(_) => return Ok(()),
    };
    let error = error.with_endpoint(Copy::META.id);
    Err(error.clone().with_failed_items(vec![(id, error)]))
}

/// Says whether `entry` can be the copy of `source`: the same content under the same name, or under the name with a
/// number that the service gives where the name is taken.
fn is_copy(entry: &Entry, source: &Entry) -> bool {
    let is_same = entry.id != source.id
        && entry.kind == source.kind
        && (!source.is_file() || (entry.size == source.size && entry.md5 == source.md5));
    is_same && (entry.name == source.name || is_numbered(&entry.name, &source.name))
}

/// Says whether `name` is `original` with a number in brackets before its extension, or at its end.
fn is_numbered(name: &str, original: &str) -> bool {
    let (stem, extension) = match original.rfind('.') {
        Some(dot) if dot > 0 => original.split_at(dot),
        _ => (original, ""),
    };
    let number = |stem: &str, extension: &str| {
        let number = name.strip_prefix(stem)?.strip_suffix(extension)?.trim_start();
        let digits = number.strip_prefix('(')?.strip_suffix(')')?;
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
    };
    number(stem, extension).or_else(|| number(original, "")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_may_stand_before_the_extension_or_at_the_end() {
        for (name, original, is) in [
            ("a(1).txt", "a.txt", true),
            ("a (12).txt", "a.txt", true),
            ("a.txt(1)", "a.txt", true),
            ("docs(1)", "docs", true),
            (".hidden(1)", ".hidden", true),
            ("a.txt", "a.txt", false),
            ("a().txt", "a.txt", false),
            ("a(x).txt", "a.txt", false),
            ("ab(1).txt", "a.txt", false),
            ("a(1).bin", "a.txt", false),
        ] {
            assert_eq!(is_numbered(name, original), is, "{name} {original}");
        }
    }
}
