//! The drive as a tree.

use pan123_core::{FileId, Items, Result, Shelf};

use crate::{Client, Entry, ops::files::List};

/// Every entry below a folder of the drive; see [`Client::walk`].
pub type Walk = pan123_core::Walk<Client>;

/// An entry of the drive, and where it is.
pub type Found = pan123_core::Found<Entry>;

impl Shelf for Client {
    type Entry = Entry;
    type Entries = Items<List>;

    fn open(&self, folder: FileId) -> Items<List> {
        self.list(folder)
    }

    async fn next(entries: &mut Items<List>) -> Result<Option<Entry>> {
        entries.next().await
    }

    fn describe(entry: &Entry) -> (&str, Option<FileId>) {
        (&entry.name, entry.is_folder().then_some(entry.id))
    }
}
