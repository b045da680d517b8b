//! A drive or a share as a tree: every entry with its path, one folder after the other.

use std::{collections::HashSet, fmt};

use crate::{Error, FileId, Result};

/// What a [`Walk`] asks of a client, which implements it.
#[doc(hidden)]
pub trait Shelf: Clone + Send + Sync {
    type Entry: Clone + Send;
    type Entries: Send;

    /// Begins to list a folder.
    fn open(&self, folder: FileId) -> Self::Entries;

    fn next(entries: &mut Self::Entries) -> impl Future<Output = Result<Option<Self::Entry>>> + Send;

    /// Returns the name, and the id of what is a folder.
    fn describe(entry: &Self::Entry) -> (&str, Option<FileId>);

    /// Says whether the next folder is bound to meet `error` as well.
    fn ends_everything(error: &Error) -> bool {
        error.concerns_everything()
    }
}

/// Every entry below a folder, handed out by a client's `walk`.
///
/// A folder comes before what it holds, and what it holds before its next sibling. A folder is listed when its first
/// entry is asked for.
pub struct Walk<C: Shelf> {
    client: C,
    open: Vec<Level<C>>,
    /// A stranger's listing may hold a folder within itself, and a folder that is moved during the walk may be met again.
    entered: HashSet<FileId>,
}

/// A folder that is being listed.
struct Level<C: Shelf> {
    folder: FileId,
    path: Vec<String>,
    entries: C::Entries,
}

/// An entry that a [`Walk`] came by, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found<E> {
    /// The names of the folders above it, from the one that the walk began at. They come from outside.
    pub folders: Vec<String>,
    /// The entry.
    pub entry: E,
    /// The names of the folders and the entry.
    path: String,
}

impl<E> Found<E> {
    /// Returns the names of the folders and the entry, joined by `/`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl<C: Shelf> Walk<C> {
    /// Begins at a folder, which is not handed out itself.
    pub fn new(client: C, folder: FileId) -> Self {
        let top = Level { folder, path: Vec::new(), entries: client.open(folder) };
        Self { client, open: vec![top], entered: HashSet::from([folder]) }
    }

    /// Returns the next entry, `None` behind the last.
    ///
    /// # Errors
    ///
    /// A folder that cannot be listed is an error, whose [`failed_items`](Error::failed_items) names it, and is left: the next
    /// call goes on beside it. After an error that the next folder is bound to meet as well, such as a token that is refused or
    /// a share that is gone, the walk is at its end.
    pub async fn next(&mut self) -> Result<Option<Found<C::Entry>>> {
        loop {
            let Some(level) = self.open.last_mut() else {
                return Ok(None);
            };
            let entry = match C::next(&mut level.entries).await {
                Ok(Some(entry)) => entry,
                Ok(None) => {
                    self.open.pop();
                    continue;
                }
                Err(error) => {
                    let folder = level.folder;
                    self.open.pop();
                    if C::ends_everything(&error) {
                        self.open.clear();
                    }
                    return Err(error.clone().with_failed_items(vec![(folder, error)]));
                }
            };
            let folders = level.path.clone();
            let (name, folder) = C::describe(&entry);
            let path = folders.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/");
            if let Some(folder) = folder.filter(|folder| self.entered.insert(*folder)) {
                let mut path = folders.clone();
                path.push(name.to_owned());
                self.open.push(Level { folder, path, entries: self.client.open(folder) });
            }
            return Ok(Some(Found { folders, entry, path }));
        }
    }
}

impl<C: Shelf> fmt::Debug for Walk<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("depth", &self.open.len())
            .field("entered", &self.entered.len())
            .finish_non_exhaustive()
    }
}
