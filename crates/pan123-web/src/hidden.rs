//! The places beside the drive's folders: the recycle bin and the safe box.

use pan123_core::{Error, ErrorKind, FileId, Items, Operation, Result, Secret};

use crate::{
    Client,
    ops::{
        files::ListTrash,
        safebox::{LockSafeBox, UnlockSafeBox},
        trash::ClearTrash,
    },
};

impl Client {
    /// Lists the recycle bin, what was trashed last first.
    ///
    /// One request for every 100 entries. [`restore`](Self::restore) brings entries back, [`delete`](Self::delete) removes them for good.
    ///
    /// Protocol: `web.yaml`, `file.list_trash`.
    pub fn list_trash(&self) -> Items<ListTrash> {
        self.items(ListTrash::new())
    }

    /// Deletes everything in the recycle bin for ever.
    ///
    /// Protocol: `web.yaml`, `file.trash_clear`.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn clear_trash(&self) -> Result<()> {
        self.send(ClearTrash::new()).await
    }

    /// Opens the safe box for this login and returns its folder, for [`list`](Self::list) and uploads.
    ///
    /// Two requests, or three the first time: which folder it is, the account's information tells. How long it stays open is
    /// not known.
    ///
    /// Protocol: `web.yaml`, `file.safe_box_unlock`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the account has no safe box, [`ErrorKind::InvalidInput`] when the password is not six digits,
    /// [`ErrorKind::Api`], as far as is known, when it is wrong.
    pub async fn open_safebox(&self, password: impl Into<Secret>) -> Result<FileId> {
        let unlock = UnlockSafeBox::new(password);
        unlock.validate()?;
        // One client that works names the folder, another does not; the first opening may be what makes it.
        let known = self.user_info().await?.safe_box;
        self.send(known.into_iter().fold(unlock, UnlockSafeBox::folder)).await?;
        match known {
            Some(folder) => Ok(folder),
            None => self.user_info().await?.safe_box.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "the account has no safe box; it is made on the service's page")
            }),
        }
    }

    /// Locks the safe box again.
    ///
    /// Protocol: `web.yaml`, `file.safe_box_lock`.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn lock_safebox(&self) -> Result<()> {
        self.send(LockSafeBox::new()).await
    }
}
