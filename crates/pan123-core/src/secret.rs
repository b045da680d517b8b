//! Text that must never be printed.

use std::fmt;

use zeroize::Zeroizing;

/// A password, token, key or client secret.
///
/// `Debug` shows nothing of it, there is no `Display`, and the memory is overwritten on drop.
/// [`expose`](Self::expose) is the one way to the text.
///
/// # Example
///
/// ```
/// use pan123_core::Secret;
///
/// let secret = Secret::from("correct horse");
/// assert_eq!(format!("{secret:?}"), "Secret([redacted])");
/// assert_eq!(secret.expose(), "correct horse");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the text. Do not log it, do not put it into an error.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Says whether there is any text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}
