//! The safe box: a folder behind a password.

use pan123_core::{Error, FileId, Meta, Reply, Result, Secret, operation};
use serde::Deserialize;

use super::new_id;

operation! {
    /// Opens the safe box and reads the id of its folder, for listings and uploads.
    ///
    /// No official page describes it; two public clients use it. How long the box stays open is not known, nor with which
    /// code a wrong password is refused. The password goes in the query: it is struck out of every error, and whoever
    /// logs addresses elsewhere must do the same.
    ///
    /// Protocol: `open-files.yaml`, `safebox.id`.
    pub struct SafeBox => FileId = Meta::get("open/safebox.id", "/api/v1/safebox/id");
    {
        /// The password of the safe box.
        query_secret "password": password: Secret,
    }

    fn validate(&self) -> Result<()> {
        if self.password.is_empty() { Err(Error::invalid("the password of the safe box is empty")) } else { Ok(()) }
    }

    fn decode(&self, reply: Reply) -> Result<FileId> {
        reply.data::<Opened>().map(|opened| opened.id)
    }
}

#[derive(Deserialize)]
struct Opened {
    #[serde(rename = "fileId", alias = "fileID", deserialize_with = "new_id")]
    id: FileId,
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn a_password_must_be_there_and_is_not_shown() {
        assert!(SafeBox::new("").validate().is_err());
        assert!(SafeBox::new("p").validate().is_ok());
        assert!(!format!("{:?}", SafeBox::new("planted")).contains("planted"));
    }
}
