//! What the operations do; each file holds one area of the reference.

pub(crate) mod auth;
pub(crate) mod cdn;
pub(crate) mod dlink;
pub(crate) mod entry;
pub(crate) mod files;
pub(crate) mod oauth;
pub(crate) mod offline;
pub(crate) mod organise;
pub(crate) mod upload;
pub(crate) mod upload_v1;
pub(crate) mod upload_v2;
pub(crate) mod user;

use crate::args::Args;
use crate::drive::Node;
use crate::fault::Oddity;
use crate::reply::Refusal;
use crate::seed;
use crate::state::{Shared, State};

/// One call that is being carried out.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) state: &'a mut State,
    pub(crate) args: &'a Args,
    pub(crate) oddity: Option<Oddity>,
    pub(crate) now: i64,
}

impl Call<'_> {
    pub(crate) fn lenient(&self) -> bool {
        self.shared.config.lenient
    }

    /// With quirks on, whether this is the first time that `what` happens.
    pub(crate) fn quirk(&mut self, what: &str) -> bool {
        self.shared.config.quirks && self.state.first_time(what)
    }

    /// With quirks on, a toss of the coin.
    pub(crate) fn quirk_by_chance(&mut self) -> bool {
        self.shared.config.quirks && seed::below(&mut self.state.random, 2) == 0
    }

    /// The entry of an id, wherever it is.
    pub(crate) fn entry(&self, id: i64) -> Result<&Node, Refusal> {
        self.state.drive.node(id).ok_or_else(Refusal::gone)
    }

    /// The entry of an id that is not in the trash.
    pub(crate) fn live_entry(&self, id: i64) -> Result<&Node, Refusal> {
        if self.state.drive.in_trash(id) { Err(Refusal::gone()) } else { self.entry(id) }
    }

    /// Checks that a folder is there, the root included.
    pub(crate) fn live_folder(&self, id: i64) -> Result<i64, Refusal> {
        if self.state.drive.is_live_folder(id) { Ok(id) } else { Err(Refusal::gone()) }
    }

    /// A list of ids, within the service's limit.
    pub(crate) fn ids(&self, name: &str, most: usize) -> Result<Vec<i64>, Refusal> {
        let ids = self.args.ints(name);
        match ids.len() {
            0 => Err(Refusal::rule(format!("`{name}` is empty"))),
            count if count > most => {
                Err(Refusal::rule(format!("`{name}` holds {count} ids, at most {most} may be given")))
            }
            _ => Ok(ids),
        }
    }
}
