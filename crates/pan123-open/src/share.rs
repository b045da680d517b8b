//! Sharing files: making a share with its address, and walking those that there are.

use pan123_core::{Items, Operation, Result};
use url::Url;

use crate::{
    Client,
    ops::{
        paid_shares::{CreatePaidShare, ListPaidShares},
        shares::{CreateShare, CreatedShare, ListShares, ShareId, ShareKey},
    },
};

/// A share that was made, with the address to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shared {
    /// Its id, for changing it.
    pub id: ShareId,
    /// Its key.
    pub key: ShareKey,
    /// The address of its page, without the password: see [`ShareKey::page_with_password`].
    pub url: Url,
}

impl Client {
    /// Shares files and folders: for 7 days and without a password, unless `share` says otherwise.
    ///
    /// The address has the account id in it, which is asked from the service once, and before the share is made, unless
    /// [`account`](crate::ClientBuilder::account) gave it. A share holds at most 100 entries; put more into a folder and
    /// share that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) before any request for a name of more than 34
    /// characters and the other limits of [`CreateShare`]. After [`Error::may_have_happened`](crate::Error::may_have_happened)
    /// look through [`shares`](Self::shares), as there may be one now.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_open::{Client, FileId, ops::shares::CreateShare};
    /// # async fn run(client: Client, photos: FileId) -> pan123_open::Result<()> {
    /// let shared = client.share(CreateShare::new("holiday photos", [photos]).password("7kQp")).await?;
    /// println!("{} with the password 7kQp", shared.url);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn share(&self, share: CreateShare) -> Result<Shared> {
        self.made(share).await
    }

    /// Shares files and folders for money. The share does not expire.
    ///
    /// # Errors
    ///
    /// As [`share`](Self::share); also for a price of 0 or of more than 1000 yuan.
    pub async fn share_paid(&self, share: CreatePaidShare) -> Result<Shared> {
        self.made(share).await
    }

    /// Walks the account's free shares, those that have ended among them.
    ///
    /// One request for every 100 shares, made when its first share is asked for.
    ///
    /// # Errors
    ///
    /// Each step of the walk can fail; asking again goes on where it stopped.
    pub fn shares(&self) -> Items<ListShares> {
        self.items(ListShares::new())
    }

    /// Walks the account's paid shares, as [`shares`](Self::shares) does the free ones.
    ///
    /// # Errors
    ///
    /// As those of [`shares`](Self::shares).
    pub fn paid_shares(&self) -> Items<ListPaidShares> {
        self.items(ListPaidShares::new())
    }

    /// The account comes first: were it asked for afterwards and not told, a share would be left that nobody knows of.
    async fn made(&self, share: impl Operation<Output = CreatedShare>) -> Result<Shared> {
        share.validate()?;
        let owner = self.account_id().await?;
        let CreatedShare { id, key } = self.send(share).await?;
        Ok(Shared { id, url: key.page(owner), key })
    }
}
