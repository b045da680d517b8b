//! What the operations do; each file holds one area of the reference.

pub(crate) mod auth;
pub(crate) mod cdn;
pub(crate) mod developer;
pub(crate) mod dlink;
pub(crate) mod downloads;
pub(crate) mod entry;
pub(crate) mod files;
pub(crate) mod image_tasks;
pub(crate) mod images;
pub(crate) mod oauth;
pub(crate) mod offline;
pub(crate) mod organise;
pub(crate) mod public_share;
pub(crate) mod save_share;
pub(crate) mod shares;
pub(crate) mod storage;
pub(crate) mod transcode;
pub(crate) mod transcode_files;
pub(crate) mod upload;
pub(crate) mod upload_v1;
pub(crate) mod upload_v2;
pub(crate) mod user;
pub(crate) mod web_archive;
pub(crate) mod web_downloads;
pub(crate) mod web_files;
pub(crate) mod web_folders;
pub(crate) mod web_lists;
pub(crate) mod web_login;
pub(crate) mod web_offline;
pub(crate) mod web_row;
pub(crate) mod web_services;
pub(crate) mod web_shares;
pub(crate) mod web_tree;
pub(crate) mod web_uploads;
pub(crate) mod web_user;

use serde_json::{Map, Value};

use self::public_share::Asker;
use crate::args::{Args, Param, Place};
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
    pub(crate) asker: &'a Asker,
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

    /// Counts a query for a task's state; whether the task takes longer still.
    pub(crate) fn polled(&mut self, task: &str) -> bool {
        let polls = self.state.polls.entry(task.to_owned()).or_default();
        *polls += 1;
        *polls <= self.shared.config.task_polls
    }

    /// Whether a task is still running: as a fault says, for the first queries, and with quirks on for one more.
    pub(crate) fn still_running(&mut self, task: &str) -> bool {
        self.oddity == Some(Oddity::TaskPending) || self.polled(task) || self.quirk(&format!("{task} runs"))
    }

    /// The state number that a fault gives to a task.
    pub(crate) fn scripted_status(&self) -> Option<i64> {
        match self.oddity {
            Some(Oddity::TaskStatus(status)) => Some(status),
            _ => None,
        }
    }

    /// Checks a parameter that can only have one value.
    pub(crate) fn constant(&self, name: &str, value: i64) -> Result<(), Refusal> {
        if self.args.int(name) == value { Ok(()) } else { Err(Refusal::rule(format!("`{name}` is not {value}"))) }
    }

    /// The page size; lenient mode brings it into bounds.
    pub(crate) fn page_limit(&self) -> Result<usize, Refusal> {
        match self.args.int("limit") {
            limit @ 1..=100 => Ok(limit as usize),
            limit if self.lenient() => Ok(if limit < 1 { 100 } else { 100.min(limit as usize) }),
            _ => Err(Refusal::rule("`limit` is not within 1 to 100")),
        }
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

    /// Refuses content that the service's review has turned down.
    pub(crate) fn refuse_rejected(&self, md5: &str, size: u64) -> Result<(), Refusal> {
        if self.state.drive.is_rejected(md5, size) {
            Err(Refusal::rule("the file was turned down by review"))
        } else {
            Ok(())
        }
    }

    /// The objects of a list, read by the rules for parameters.
    pub(crate) fn items(&self, list: &str, params: &[Param]) -> Result<Vec<Args>, Refusal> {
        let given = |(name, value): (&String, &Value)| (Place::Json, name.clone(), value.clone());
        let read = |item: &Map<String, Value>| Args::read(params, item.iter().map(given).collect(), self.lenient());
        let items: Result<Vec<Args>, Refusal> = self.args.objects(list).into_iter().map(read).collect();
        items.map_err(|refusal| refusal.with_code(400))
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
