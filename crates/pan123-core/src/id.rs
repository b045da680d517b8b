//! Ids of files, folders and accounts, which must not be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, wire};

/// The id of a file or folder. [`FileId::ROOT`] is the drive's root folder.
///
/// Ids pass 32 bits; the service counts in signed 64-bit numbers.
///
/// # Example
///
/// ```
/// use pan123_core::FileId;
///
/// let folder: FileId = "15000001".parse()?;
/// assert_eq!(folder, FileId::new(15_000_001));
/// assert!(FileId::ROOT.is_root());
/// # Ok::<(), pan123_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FileId(i64);

impl FileId {
    /// The root folder of a drive or of a share.
    pub const ROOT: Self = Self(0);

    /// Makes an id from its number.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Says whether this is the root folder, which is no file and cannot be changed.
    pub const fn is_root(self) -> bool {
        self.0 == 0
    }

    /// Refuses the root and negative ids, where one particular file or folder is meant.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput).
    pub fn check_entry(self) -> Result<(), Error> {
        match self.0 {
            1.. => Ok(()),
            0 => Err(Error::invalid("the root folder (id 0) cannot be used here")),
            _ => Err(Error::invalid("a file id cannot be negative")),
        }
    }

    /// Refuses negative ids, where a folder is meant.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput).
    pub fn check_folder(self) -> Result<(), Error> {
        if self.is_root() { Ok(()) } else { self.check_entry() }
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for FileId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let id = text.parse().map(Self).map_err(|_| Error::invalid("a file id is a whole number"))?;
        id.check_folder().map(|()| id)
    }
}

impl<'de> Deserialize<'de> for FileId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer(deserializer).map(Self)
    }
}

/// The id of an account: the `uid` of user info, and part of a direct link's signature.
///
/// # Example
///
/// ```
/// assert_eq!(pan123_core::AccountId::new(1812).to_string(), "1812");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct AccountId(u64);

impl AccountId {
    /// Makes an id from its number.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer(deserializer).map(Self)
    }
}
