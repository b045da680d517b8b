//! Listing a folder of a share, whichever way the service pages today.

use std::{collections::HashSet, fmt, vec};

use pan123_core::{Error, ErrorKind, FileId, Operation, Pages, Result};

use crate::{Entry, ops::shares::List};

/// The entries of one folder of a share, each once; a page is requested when its first entry is asked for.
///
/// The walk ends at the service's end mark, at an empty page, and at a page that brings nothing new: a service that
/// ignores the cursor sends the same page for ever.
pub struct Entries {
    pages: Pages<List>,
    seen: HashSet<FileId>,
    ready: vec::IntoIter<Entry>,
    is_done: bool,
}

impl Entries {
    pub(crate) fn new(pages: Pages<List>) -> Self {
        Self { pages, seen: HashSet::new(), ready: Vec::new().into_iter(), is_done: false }
    }

    /// Returns the next entry, `None` behind the last.
    ///
    /// # Errors
    ///
    /// What [`List`] gives, and [`ErrorKind::ShareExpired`] when the service lists nothing and says that the time of the share has
    /// passed. The call can be repeated and goes on where it stopped.
    pub async fn next(&mut self) -> Result<Option<Entry>> {
        loop {
            if let Some(entry) = self.ready.next() {
                return Ok(Some(entry));
            }
            if self.is_done {
                return Ok(None);
            }
            let Some(page) = self.pages.next().await? else {
                self.is_done = true;
                return Ok(None);
            };
            if page.is_expired && page.entries.is_empty() && self.seen.is_empty() {
                self.is_done = true;
                return Err(Error::new(ErrorKind::ShareExpired, "the share was open for a time that has passed")
                    .with_endpoint(List::META.id));
            }
            let new: Vec<Entry> = page.entries.into_iter().filter(|entry| self.seen.insert(entry.id)).collect();
            self.is_done = new.is_empty();
            self.ready = new.into_iter();
        }
    }

    /// Collects all that is left.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<Entry>> {
        let mut all = Vec::new();
        while let Some(entry) = self.next().await? {
            all.push(entry);
        }
        Ok(all)
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries")
            .field("seen", &self.seen.len())
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
