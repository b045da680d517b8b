//! Direct links: making a folder direct-link space, and signing the links of its files.

use pan123_core::{Error, ErrorKind, FileId, Link, Result, Timestamp};
use pan123_link::{Nonce, Signer, UnixTime};

use crate::{Client, ops::links};

impl Client {
    /// Makes `folder` direct-link space, so that the files in it have direct links. Repeating it is harmless.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for the root folder, which the service cannot enable; [`ErrorKind::Api`] when the
    /// account lacks the paid benefit.
    pub async fn enable_direct_link(&self, folder: impl Into<FileId>) -> Result<()> {
        self.send(links::EnableDirectLink::new(folder)).await.map(drop)
    }

    /// Takes `folder` out of direct-link space; links to its files stop working.
    ///
    /// # Errors
    ///
    /// As [`enable_direct_link`](Self::enable_direct_link).
    pub async fn disable_direct_link(&self, folder: impl Into<FileId>) -> Result<()> {
        self.send(links::DisableDirectLink::new(folder)).await.map(drop)
    }

    /// Returns the direct link of `file`, signed if the client has a key, for 30 minutes unless told otherwise.
    ///
    /// The account id that belongs into the signature is asked from the service once, unless
    /// [`account`](crate::ClientBuilder::account) gave it. Without a key the link is as the service gives it: it works only
    /// while authentication is off, and whoever has it can use up the owner's traffic.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DirectLinkDisabled`] when the file is not in an enabled folder or lies in the root, which has no direct links;
    /// [`ErrorKind::Config`] when it cannot be signed.
    pub async fn direct_link(&self, file: impl Into<FileId>) -> Result<Link> {
        let unsigned = self.send(links::DirectLinkUrl::new(file)).await?;
        let Some(key) = &self.inner().link_key else {
            return Link::parse(unsigned.as_str());
        };
        let runtime = self.pipeline().runtime();
        let signer = Signer::new(self.account_id().await?.get(), key.expose())
            .and_then(|signer| signer.valid_for(self.inner().link_validity))
            .map_err(cannot_sign)?;
        let now = u64::try_from(runtime.now().unix()).unwrap_or_default();
        let mut random = [0; 16];
        runtime.random(&mut random);
        let signed = signer
            .sign_at(unsigned.as_str(), UnixTime::from_secs(now), &Nonce::from_bytes(random))
            .map_err(cannot_sign)?;
        let link = Link::parse(signed.as_str())?;
        Ok(match signed.expires_at().and_then(|end| i64::try_from(end.as_secs()).ok()) {
            Some(end) => link.with_expiry(Timestamp::from_unix(end)),
            None => link,
        })
    }
}

fn cannot_sign(cause: pan123_link::Error) -> Error {
    Error::new(ErrorKind::Config, "the direct link could not be signed").with_source(cause)
}
