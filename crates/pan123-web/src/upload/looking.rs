//! Finding out whether a file is stored, where the service has not said so: by id, or by name, size and MD5.

use std::time::Duration;

use pan123_core::{Error, ErrorKind, OnConflict, Operation, Result, RetryPolicy};
use pan123_transfer::Fingerprint;

use super::target::{Stored, Target};
use crate::{
    Entry,
    ops::{
        details::Infos,
        files::List,
        uploads::{Create, Created},
    },
};

/// The pauses between looks for a file that the service says it has: it may be listed minutes later.
const REUSED: [u64; 10] = [1, 2, 4, 8, 15, 30, 30, 30, 30, 30];

/// The pauses between looks for a file of which nobody knows whether it is stored.
const LOST: [u64; 5] = [1, 2, 4, 8, 15];

impl Target {
    /// Finds the file that an answer without an id speaks of.
    pub(crate) async fn reused(&self, name: &str, file: &Fingerprint) -> Result<Entry> {
        if let Some(entry) = self.look_patiently(name, file, &REUSED).await? {
            return Ok(entry);
        }
        let text = format!("the service said that it had the file and does not list it in folder {}", self.folder);
        Err(Error::new(ErrorKind::OutcomeUnknown, text).with_endpoint(Create::META.id).with_may_have_happened(true))
    }

    /// Makes sure that an announcement whose answer was lost has stored nothing: where both files are kept, the next one
    /// would store the file again.
    ///
    /// The service has the content only if it stored it then or knew it before; so the content is announced under a name that
    /// nobody has. Where its bytes are wanted, nothing was stored. Else nobody can tell, because lists may be late.
    pub(super) async fn refute(&self, file: &Fingerprint) -> Result<()> {
        let name = self.staging_name(file);
        let probe = Create::new(self.folder, name.as_str(), file.md5, file.size);
        let stored = match self.client.pipeline().send_with(&probe, &RetryPolicy::none()).await? {
            Created::Wanted(_) => return Ok(()),
            Created::Stored(entry) => *entry,
            Created::Unconfirmed => self.reused(&name, file).await?,
        };
        self.discard(stored.id).await;
        Err(unknown())
    }

    /// Looks for the file after an answer was lost. `None` means that it is certainly not there.
    pub(super) async fn find_again(&self, file: &Fingerprint) -> Result<Option<Stored>> {
        let found = match self.on_conflict {
            // The name is the old file's, or already the new one's: nothing is late where something is replaced.
            OnConflict::Overwrite => self.look(&self.name, file).await?,
            OnConflict::Fail => match self.by_session(file).await? {
                Some(entry) => Some(entry),
                None => self.look_patiently(&self.name, file, &LOST).await?,
            },
            OnConflict::KeepBoth => match self.by_session(file).await? {
                Some(entry) => Some(entry),
                None if self.look_patiently(&self.name, file, &LOST).await?.is_none() => None,
                None => return Err(unknown()),
            },
        };
        let Some(entry) = found else {
            return Ok(None);
        };
        let mut stored = Stored::from(entry);
        if let Some(staged) = self.state.staged() {
            stored.left_behind = self.discard(staged).await;
        }
        Ok(Some(stored))
    }

    /// Looks whether a session has become the file: by its id, and where the name is certain also in the folder.
    pub(super) async fn proof(&self, name: &str, file: &Fingerprint) -> Result<Option<Entry>> {
        match self.by_session(file).await? {
            Some(entry) => Ok(Some(entry)),
            None if self.on_conflict == OnConflict::KeepBoth => Ok(None),
            None => self.look(name, file).await,
        }
    }

    /// Looks by the id of the session, which the file may have kept. What was just made is known by its id first.
    async fn by_session(&self, file: &Fingerprint) -> Result<Option<Entry>> {
        let Some(id) = self.state.session() else {
            return Ok(None);
        };
        let entries = self.client.send(Infos::new([id])).await?;
        let here = |entry: &Entry| entry.id == id && entry.parent_id == self.folder && !entry.trashed;
        Ok(entries.into_iter().find(|entry| here(entry) && is_same(entry, file)))
    }

    async fn look_patiently(&self, name: &str, file: &Fingerprint, pauses: &[u64]) -> Result<Option<Entry>> {
        let mut pauses = pauses.iter();
        loop {
            if let Some(entry) = self.look(name, file).await? {
                return Ok(Some(entry));
            }
            let Some(pause) = pauses.next() else {
                return Ok(None);
            };
            self.client.pipeline().runtime().sleep(Duration::from_secs(*pause)).await;
        }
    }

    /// Looks for a file of this name, size and MD5 in the folder. Of several the newest is the one just stored; it is listed
    /// first.
    pub(super) async fn look(&self, name: &str, file: &Fingerprint) -> Result<Option<Entry>> {
        let keeps_both = self.on_conflict == OnConflict::KeepBoth;
        let named = |entry: &Entry| entry.name == name || (keeps_both && is_suffixed(&entry.name, name));
        let mut entries = self.client.items(List::new(self.folder));
        let mut found: Option<Entry> = None;
        while let Some(entry) = entries.next().await? {
            let is_newer = found.as_ref().is_none_or(|found| found.id < entry.id);
            if named(&entry) && is_same(&entry, file) && is_newer {
                found = Some(entry);
            }
        }
        Ok(found)
    }
}

fn unknown() -> Error {
    let text = "the answer was lost, and among files of equal content the new one cannot be told";
    Error::new(ErrorKind::OutcomeUnknown, text).with_endpoint(Create::META.id).with_may_have_happened(true)
}

fn is_same(entry: &Entry, file: &Fingerprint) -> bool {
    entry.is_file() && entry.size == file.size && entry.md5 == Some(file.md5)
}

/// Says whether `name` is `wanted` with a number that the service adds: `a(1).txt` for `a.txt`.
fn is_suffixed(name: &str, wanted: &str) -> bool {
    let (stem, ending) = match wanted.rfind('.') {
        Some(dot) if dot > 0 => wanted.split_at(dot),
        _ => (wanted, ""),
    };
    let middle = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(ending));
    let number = middle.and_then(|middle| middle.trim_start().strip_prefix('(')?.strip_suffix(')'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_suffixed;

    #[test]
    fn names_that_the_service_has_numbered_are_known() {
        for (name, wanted, same) in [
            ("a(1).txt", "a.txt", true),
            ("a (12).txt", "a.txt", true),
            ("a(1)", "a", true),
            (".a(1)", ".a", true),
            ("a.txt", "a.txt", false),
            ("a().txt", "a.txt", false),
            ("a(b).txt", "a.txt", false),
            ("ab(1).txt", "a.txt", false),
            ("a", "a.txt.txt", false),
        ] {
            assert_eq!(is_suffixed(name, wanted), same, "{name} for {wanted}");
        }
    }
}
