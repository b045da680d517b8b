//! A folder listed as a whole, and again where it changed meanwhile.

use std::collections::HashSet;

use pan123_core::{Error, ErrorKind, FileId, Operation, Result};

use crate::{Client, Entry, ops::files::List};

/// How often a folder is listed from its beginning before [`Client::snapshot`] gives up.
pub const MOST_ROUNDS: u32 = 3;

impl Client {
    /// Lists a folder whole, such that nothing was seen to change while it was listed: all pages told the same count, no entry
    /// came twice, and as many came as were counted. Otherwise it begins anew, at most [`MOST_ROUNDS`] times in all.
    ///
    /// What changed between two pages without changing the count can still be missed. The cost is that of
    /// [`list`](Self::list), for each round, and all entries in memory.
    ///
    /// Protocol: `web.yaml`, flow `page_big_folder`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] when the folder changed in every round; otherwise as [`list`](Self::list).
    pub async fn snapshot(&self, folder: impl Into<FileId>) -> Result<Vec<Entry>> {
        let folder = folder.into();
        for _ in 0..MOST_ROUNDS {
            if let Some(entries) = self.round(folder).await? {
                return Ok(entries);
            }
        }
        let text = format!("the folder changed during each of {MOST_ROUNDS} listings; try again when it is quiet");
        Err(Error::new(ErrorKind::Busy, text).with_endpoint(List::META.id))
    }

    /// Lists a folder once; `None` as soon as it is seen to change.
    async fn round(&self, folder: FileId) -> Result<Option<Vec<Entry>>> {
        let mut pages = self.pages(List::new(folder));
        let mut seen = HashSet::new();
        let mut entries: Vec<Entry> = Vec::new();
        let mut total = None;
        while let Some(page) = pages.next().await? {
            if *total.get_or_insert(page.total) != page.total || page.entries.iter().any(|entry| !seen.insert(entry.id))
            {
                return Ok(None);
            }
            entries.extend(page.entries);
        }
        let is_whole = total.flatten().is_none_or(|total| total == entries.len() as u64);
        Ok(is_whole.then_some(entries))
    }
}
