//! Sharing files: making a share with its address, walking those that there are, ending them.

use pan123_core::{Items, Result};
use url::Url;

use crate::{
    Client,
    ops::shares::{CancelShares, CreateShare, ListPaidShares, ListShares, ShareId, ShareKey},
};

/// A share that was made, with the address to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shared {
    /// Its key.
    pub key: ShareKey,
    /// The address of its page, without the password.
    pub url: Url,
    /// Its id, for ending it, where the service tells it at once; [`Client::shares`] does in any case.
    pub id: Option<ShareId>,
}

impl Client {
    /// Shares files and folders: for ever and without a password, unless `share` says otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) before any request for the limits of [`CreateShare`]. After
    /// [`Error::may_have_happened`](crate::Error::may_have_happened) look through [`shares`](Self::shares), as there may be
    /// one now.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_web::{Client, FileId, ops::shares::CreateShare};
    /// # async fn run(client: Client, photos: FileId) -> pan123_web::Result<()> {
    /// let shared = client.share(CreateShare::new("holiday photos", [photos]).password("7kQp")).await?;
    /// println!("{} with the password 7kQp", shared.url);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn share(&self, share: CreateShare) -> Result<Shared> {
        let page = share.page_of();
        let made = self.send(share).await?;
        Ok(Shared { url: page(&made.key), key: made.key, id: made.id })
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

    /// Ends free shares for good. What they shared stays. For paid ones send [`CancelShares`] with
    /// [`are_paid`](CancelShares::are_paid).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn cancel_shares(&self, shares: impl IntoIterator<Item = ShareId>) -> Result<()> {
        let shares: Vec<ShareId> = shares.into_iter().collect();
        if shares.is_empty() {
            return Ok(());
        }
        self.send(CancelShares::new(shares)).await
    }
}
