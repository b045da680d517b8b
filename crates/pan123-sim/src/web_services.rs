//! What the service remembers for the calls of the web API that are not everyday work on files.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::fetching::Fetching;
use crate::unpack::{Member, Unreadable};

/// Empty at the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebServices {
    /// The entries that have a star.
    pub(crate) starred: HashSet<i64>,
    /// The logins, by their tokens, that have unlocked the safe box.
    pub(crate) unlocked: HashSet<String>,
    /// Archives that were looked into, by task.
    pub(crate) archives: HashMap<i64, ArchiveTask>,
    pub(crate) fetching: Fetching,
    /// By id.
    pub(crate) webdav: BTreeMap<i64, AppPassword>,
}

/// The look into one archive, and what was taken out of it.
#[derive(Clone, Debug)]
pub(crate) struct ArchiveTask {
    pub(crate) file: i64,
    pub(crate) members: Result<Vec<Member>, Unreadable>,
    /// Whether members were unpacked, and could be.
    pub(crate) unpacked: Option<bool>,
}

/// A WebDAV password that the service made for one app.
#[derive(Clone, Debug)]
pub(crate) struct AppPassword {
    pub(crate) app: String,
    pub(crate) password: String,
    pub(crate) created: i64,
}
