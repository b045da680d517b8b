//! The places beside the drive's folders: the recycle bin and the safe box.

use pan123_core::{FileId, Items, Result, Secret};

use crate::{
    Client,
    ops::{list_v1::ListV1, safebox::SafeBox},
};

impl Client {
    /// Lists the recycle bin.
    ///
    /// One request is made for every 100 entries, of which the service allows a free account one every 5 seconds.
    /// [`restore`](Self::restore) brings entries back, [`delete`](Self::delete) removes them for good.
    ///
    /// Protocol: `open-files.yaml`, `file.list_v1`.
    pub fn list_trash(&self) -> Items<ListV1> {
        self.items(ListV1::new(FileId::ROOT).trashed(true))
    }

    /// Opens the safe box and returns its folder, for [`list`](Self::list) and uploads.
    ///
    /// How long it stays open is not known.
    ///
    /// Protocol: `open-files.yaml`, `safebox.id`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`](pan123_core::ErrorKind::Api), as far as is known, for a wrong password.
    pub async fn open_safebox(&self, password: impl Into<Secret>) -> Result<FileId> {
        self.send(SafeBox::new(password)).await
    }
}
