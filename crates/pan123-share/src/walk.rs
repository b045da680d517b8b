//! A share as a tree.

use pan123_core::{Error, ErrorKind, FileId, Result, Shelf};

use crate::{Client, Entry, listing::Entries};

/// Every entry below a folder of a share; see [`Client::walk`].
pub type Walk = pan123_core::Walk<Client>;

/// An entry of a share, and where it is. Names come from a stranger.
pub type Found = pan123_core::Found<Entry>;

impl Shelf for Client {
    type Entry = Entry;
    type Entries = Entries;

    fn open(&self, folder: FileId) -> Entries {
        self.list(folder)
    }

    async fn next(entries: &mut Entries) -> Result<Option<Entry>> {
        entries.next().await
    }

    fn describe(entry: &Entry) -> (&str, Option<FileId>) {
        (&entry.name, entry.is_folder().then_some(entry.id))
    }

    fn ends_everything(error: &Error) -> bool {
        ends_everything(error)
    }
}

/// Says whether the next folder or file of the share is bound to fail for the same reason.
pub(crate) fn ends_everything(error: &Error) -> bool {
    match error.kind() {
        // The older rule, which has this code, is about the size of the one file.
        ErrorKind::LoginRequired => error.code() != Some(401),
        ErrorKind::QuotaExceeded
        | ErrorKind::SharePasswordRequired
        | ErrorKind::WrongSharePassword
        | ErrorKind::ShareGone
        | ErrorKind::ShareExpired => true,
        _ => error.concerns_everything(),
    }
}
