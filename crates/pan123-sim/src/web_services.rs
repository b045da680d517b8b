//! What the service remembers for the calls of the web API that are not everyday work on files.

use std::collections::HashSet;

/// Empty at the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebServices {
    /// The entries that have a star.
    pub(crate) starred: HashSet<i64>,
}
