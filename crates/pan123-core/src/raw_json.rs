//! An answer whose members no source names.

use std::fmt;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result, redact};

/// What the service answered where nobody has said what the members are: the JSON as it came.
///
/// A caller who knows them reads them into a type of their own.
///
/// # Example
///
/// ```
/// use pan123_core::RawJson;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Total {
///     total: u64,
/// }
///
/// let answer: RawJson = serde_json::from_str(r#"{"total":1024}"#)?;
/// assert_eq!(answer.read::<Total>()?.total, 1024);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(String);

impl RawJson {
    /// Returns the JSON; `null` where there was none.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Reads it into a type of the caller's own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when it does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0)
            .map_err(|cause| Error::new(ErrorKind::Decode, "the answer does not fit the type").with_json_cause(&cause))
    }
}

impl fmt::Debug for RawJson {
    /// Shows the beginning, without anything that looks like a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawJson").field(&redact::text(&self.0)).finish()
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|json| Self(json.get().to_owned()))
    }
}
