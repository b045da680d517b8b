//! The drive as a tree: every entry with its path, one folder after the other.

use std::{collections::HashSet, fmt};

use pan123_core::{FileId, Items, Result};

use crate::{Client, Entry, ops::files::List};

/// Every entry below a folder; see [`Client::walk`].
///
/// A folder comes before what it holds, and what it holds before its next sibling. A folder is listed when its first
/// entry is asked for.
pub struct Walk {
    client: Client,
    open: Vec<Level>,
    /// A folder that is moved during the walk could be met again.
    entered: HashSet<FileId>,
}

/// A folder that is being listed.
struct Level {
    folder: FileId,
    path: Vec<String>,
    entries: Items<List>,
}

/// An entry, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The names of the folders above it, from the one that the walk began at. They come from outside.
    pub folders: Vec<String>,
    /// The entry.
    pub entry: Entry,
}

impl Found {
    /// Returns the names of the folders and the entry, joined by `/`.
    pub fn path(&self) -> String {
        let names: Vec<&str> = self.folders.iter().map(String::as_str).chain([self.entry.name.as_str()]).collect();
        names.join("/")
    }
}

impl Walk {
    pub(crate) fn new(client: Client, folder: FileId) -> Self {
        let entries = client.list(folder);
        let top = Level { folder, path: Vec::new(), entries };
        Self { client, open: vec![top], entered: HashSet::from([folder]) }
    }

    /// Returns the next entry, `None` behind the last.
    ///
    /// # Errors
    ///
    /// A folder that cannot be listed is an error, whose [`failed_items`](pan123_core::Error::failed_items) names it, and is left: the next call goes on
    /// beside it. After an error that the next folder is bound to meet as well, such as a refused token, the walk is at its end.
    pub async fn next(&mut self) -> Result<Option<Found>> {
        loop {
            let Some(level) = self.open.last_mut() else {
                return Ok(None);
            };
            let entry = match level.entries.next().await {
                Ok(Some(entry)) => entry,
                Ok(None) => {
                    self.open.pop();
                    continue;
                }
                Err(error) => {
                    let folder = level.folder;
                    self.open.pop();
                    if error.concerns_everything() {
                        self.open.clear();
                    }
                    return Err(error.clone().with_failed_items(vec![(folder, error)]));
                }
            };
            let folders = level.path.clone();
            if entry.is_folder() && self.entered.insert(entry.id) {
                let mut path = folders.clone();
                path.push(entry.name.clone());
                self.open.push(Level { folder: entry.id, path, entries: self.client.list(entry.id) });
            }
            return Ok(Some(Found { folders, entry }));
        }
    }
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("depth", &self.open.len())
            .field("entered", &self.entered.len())
            .finish_non_exhaustive()
    }
}
