//! What the entries of a drive and of a share have in common, whichever API lists them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{FileId, Md5, Timestamp, open_enum, wire};

open_enum! {
    /// What an entry is: the member `type` of the service.
    pub enum EntryKind {
        /// A file.
        File = 0,
        /// A folder.
        Folder = 1,
    }
}

/// The state of the service's content review, as its number.
///
/// 0 and 2 are normal; what tells them apart is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReviewStatus(i64);

impl ReviewStatus {
    /// Makes a state from the service's number.
    pub const fn from_code(code: i64) -> Self {
        Self(code)
    }

    /// Returns the service's number.
    pub const fn code(self) -> i64 {
        self.0
    }

    /// Says whether the review has withheld the entry: every number above 100.
    pub const fn is_blocked(self) -> bool {
        self.0 > 100
    }
}

impl<'de> Deserialize<'de> for ReviewStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer_or_zero(deserializer).map(Self)
    }
}

/// What the service does when the name of a new entry is taken in its folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnConflict {
    /// It refuses the new one; the request then says nothing about it. This is the default.
    #[default]
    Fail,
    /// It keeps both and gives the new one a name with a suffix (`duplicate` 1).
    KeepBoth,
    /// It puts the new one in the place of the old, at once and whole (`duplicate` 2).
    Overwrite,
}

impl OnConflict {
    /// Says whether a request that makes a file may be sent again when its answer was lost.
    ///
    /// Only overwriting ends the same. Keeping both would make a second copy, and a refusal the second time would blame
    /// the file that the first time made.
    pub const fn is_repeatable(self) -> bool {
        matches!(self, Self::Overwrite)
    }
}

impl Serialize for OnConflict {
    /// Writes the service's number, or null, which requests leave out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fail => serializer.serialize_none(),
            Self::KeepBoth => serializer.serialize_i32(1),
            Self::Overwrite => serializer.serialize_i32(2),
        }
    }
}

/// A row of a list of the web API or of a share, as far as both are the same; for the entries of clients. Read it behind
/// [`wire::AnyCase`]: its names are in lower case.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an entry")]
#[doc(hidden)]
pub struct Row {
    #[serde(rename = "fileid")]
    pub id: FileId,
    #[serde(default = "root", rename = "parentfileid")]
    pub parent_id: FileId,
    #[serde(rename = "filename")]
    pub name: String,
    #[serde(rename = "type")]
    pub kind: EntryKind,
    #[serde(default, deserialize_with = "wire::optional_integer")]
    size: Option<u64>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default, rename = "s3keyflag", deserialize_with = "wire::or_default")]
    pub s3_key_flag: String,
    #[serde(default)]
    pub status: ReviewStatus,
    #[serde(default, rename = "createat", deserialize_with = "wire::time")]
    pub created_at: Option<Timestamp>,
    #[serde(default, rename = "updateat", deserialize_with = "wire::time")]
    pub updated_at: Option<Timestamp>,
}

fn root() -> FileId {
    FileId::ROOT
}

impl Row {
    /// Returns the size and the MD5, as [`wire::content`] checks them.
    ///
    /// # Errors
    ///
    /// Those of [`wire::content`].
    pub fn content(&self) -> Result<(u64, Option<Md5>), String> {
        wire::content(self.id, self.kind == EntryKind::File, self.size, self.etag.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_written_as_its_number_or_left_out() {
        for (choice, json, repeatable) in
            [(OnConflict::Fail, "null", false), (OnConflict::KeepBoth, "1", false), (OnConflict::Overwrite, "2", true)]
        {
            assert_eq!(serde_json::to_string(&choice).unwrap(), json);
            assert_eq!(choice.is_repeatable(), repeatable, "{choice:?}");
        }
        assert_eq!(OnConflict::default(), OnConflict::Fail);
    }

    #[test]
    fn numbers_nobody_has_seen_are_kept() {
        assert_eq!(EntryKind::Unknown(7).code(), 7);
    }

    #[test]
    fn only_states_above_100_block() {
        for (code, blocked) in [(0, false), (2, false), (100, false), (101, true), (-1, false)] {
            assert_eq!(ReviewStatus::from_code(code).is_blocked(), blocked, "{code}");
        }
    }
}
