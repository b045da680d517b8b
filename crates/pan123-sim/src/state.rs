//! All that the simulator knows, behind one lock.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use crate::builder::{Config, Urls};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::content::Content;
use crate::disk;
use crate::drive::{Denied, Drive, Kind, Node, OnClash, ROOT};
use crate::fault::{Fault, FaultBook};
use crate::gallery::Gallery;
use crate::log::Log;
use crate::logins::{Logins, QrAction};
use crate::ops::developer::Blacklist;
use crate::ops::downloads::DownloadForm;
use crate::ops::image_tasks::ImageTask;
use crate::ops::oauth::Grant;
use crate::rate::Rates;
use crate::seed;
use crate::shares::Shares;
use crate::simulator::UID;
use crate::storage::Storage;
use crate::token::{Tokens, WEB};
use crate::traffic::TrafficLog;
use crate::upload::Uploads;
use crate::video::Transcoder;
use crate::web_services::WebServices;

/// What every connection and the [`Simulator`](crate::Simulator) share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) urls: Urls,
    state: Mutex<State>,
    /// How many connections a fault is stalling.
    pub(crate) stalls: Arc<watch::Sender<usize>>,
    /// Changes whenever a request arrives.
    pub(crate) arrivals: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(config: Config, urls: Urls) -> Self {
        let state = Mutex::new(State::new(&config, &urls));
        Self { config, urls, state, stalls: Arc::new(watch::Sender::new(0)), arrivals: watch::Sender::new(0) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle_fetching();
        state
    }

    /// Gives a token of the web API.
    pub(crate) fn web_token(&self) -> String {
        let mut state = self.state();
        let now = state.clock.now();
        let lifetime = i64::try_from(self.config.token_lifetime.as_secs()).unwrap_or(i64::MAX);
        state.tokens.issue(WEB, UID, now, lifetime, self.config.seed).0
    }

    /// Does with a QR session what a phone does; false when none of that id waits.
    pub(crate) fn qr(&self, session: &str, action: QrAction) -> bool {
        let mut state = self.state();
        let now = state.clock.now();
        let state = &mut *state;
        state.logins.act(session, action, &mut state.random, now)
    }

    /// Puts everything back to the start; transfers that are running end as they began.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        let links = std::mem::take(&mut state.links);
        *state = State { links, ..State::new(&self.config, &self.urls) };
        state.drive.note_change();
        disk::save(self, &mut state);
    }
}

#[derive(Debug)]
pub(crate) struct State {
    /// Where downloads are, for the addresses in rows.
    pub(crate) cdn: String,
    pub(crate) clock: Clock,
    pub(crate) drive: Drive,
    pub(crate) contents: HashMap<(String, u64), Content>,
    pub(crate) tokens: Tokens,
    pub(crate) uploads: Uploads,
    pub(crate) faults: FaultBook,
    pub(crate) log: Log,
    pub(crate) rates: Rates,
    pub(crate) chance: Option<Chance>,
    pub(crate) faults_fired: u64,
    /// Copy tasks, and whether they fail.
    pub(crate) copy_tasks: HashMap<i64, bool>,
    /// Offline downloads, and whether they fail.
    pub(crate) offline_tasks: HashMap<i64, bool>,
    /// Saves out of shares: whether they fail, and how many entries they saved.
    pub(crate) save_tasks: HashMap<i64, (bool, usize)>,
    /// Imports into image hosting.
    pub(crate) image_tasks: HashMap<String, ImageTask>,
    /// How often each task was asked for.
    pub(crate) polls: HashMap<String, u32>,
    pub(crate) shares: Shares,
    /// Whether the account's traffic for downloads out of shares is used up.
    pub(crate) traffic_used_up: bool,
    pub(crate) download_form: DownloadForm,
    pub(crate) gallery: Gallery,
    /// Files of the drive that image hosting refuses.
    pub(crate) broken_images: HashSet<i64>,
    pub(crate) transcoder: Transcoder,
    pub(crate) services: WebServices,
    pub(crate) logins: Logins,
    pub(crate) storage: Storage,
    pub(crate) blacklist: Blacklist,
    pub(crate) traffic: TrafficLog,
    /// OAuth codes and refresh tokens.
    pub(crate) grants: HashMap<String, Grant>,
    happened: HashSet<String>,
    dir: Option<PathBuf>,
    sha1s: HashMap<(String, u64), String>,
    /// Transfers that are running, by link.
    pub(crate) links: HashMap<String, usize>,
    pub(crate) random: u64,
    next_id: i64,
    traces: u64,
}

impl State {
    pub(crate) fn new(config: &Config, urls: &Urls) -> Self {
        Self {
            cdn: urls.cdn.clone(),
            clock: Clock::default(),
            drive: Drive::default(),
            contents: HashMap::new(),
            tokens: Tokens::default(),
            uploads: Uploads::default(),
            faults: FaultBook::default(),
            log: Log::default(),
            rates: Rates::default(),
            chance: None,
            faults_fired: 0,
            copy_tasks: HashMap::new(),
            offline_tasks: HashMap::new(),
            save_tasks: HashMap::new(),
            image_tasks: HashMap::new(),
            polls: HashMap::new(),
            shares: Shares::default(),
            traffic_used_up: false,
            download_form: DownloadForm::default(),
            gallery: Gallery::default(),
            broken_images: HashSet::new(),
            transcoder: Transcoder::default(),
            services: WebServices::default(),
            logins: Logins::default(),
            storage: Storage::new(config.seed),
            blacklist: Blacklist::default(),
            traffic: TrafficLog::default(),
            grants: HashMap::new(),
            happened: HashSet::new(),
            dir: config.dir.clone(),
            sha1s: HashMap::new(),
            links: HashMap::new(),
            random: config.seed,
            next_id: if config.lenient { FIRST_SMALL_ID } else { FIRST_ID },
            traces: 0,
        }
    }

    /// A new id: rising, and wider than 32 bits as the service's can be.
    pub(crate) fn new_id(&mut self) -> i64 {
        self.next_id += 1 + seed::below(&mut self.random, 7) as i64;
        self.next_id
    }

    pub(crate) fn trace(&mut self) -> String {
        self.traces += 1;
        // Not from the one source: how many requests there were is to have no say in what ids come next.
        let mut random = self.traces;
        format!("{:08x}-{:04}_kong", seed::below(&mut random, 1 << 32), self.traces)
    }

    pub(crate) fn make_folder(&mut self, parent: i64, name: &str, on_clash: OnClash) -> Result<i64, Denied> {
        self.make(parent, name, Kind::Folder { direct_link: false }, on_clash)
    }

    /// Makes an entry for content that is stored, or that was only counted.
    pub(crate) fn make_file(
        &mut self,
        parent: i64,
        name: &str,
        md5: &str,
        size: u64,
        on_clash: OnClash,
    ) -> Result<i64, Denied> {
        self.make(parent, name, Kind::File { md5: md5.to_owned(), size }, on_clash)
    }

    fn make(&mut self, parent: i64, name: &str, kind: Kind, on_clash: OnClash) -> Result<i64, Denied> {
        let now = self.clock.now();
        let id = self.new_id();
        let node =
            Node { id, parent, name: name.to_owned(), created: now, updated: now, trashed: false, late: 0, kind };
        self.drive.add(node, on_clash)
    }

    /// Gives the folder at the end of a path below `parent`, making what is missing.
    pub(crate) fn make_folders<'a>(
        &mut self,
        parent: i64,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<i64, Denied> {
        names.into_iter().try_fold(parent, |folder, name| match self.drive.child(folder, name) {
            Some(node) if node.is_folder() => Ok(node.id),
            Some(_) => Err(Denied::NameTaken),
            None => self.make_folder(folder, name, OnClash::Refuse),
        })
    }

    /// The last id that was given.
    pub(crate) fn last_id(&self) -> i64 {
        self.next_id
    }

    /// Takes over entries of an earlier run.
    pub(crate) fn restore(&mut self, entries: Vec<Node>, last_id: i64) {
        self.next_id = self.next_id.max(last_id);
        entries.into_iter().for_each(|node| self.drive.insert(node));
        self.drive.take_changed();
    }

    /// The fault that a call meets: a planned one, or one by chance.
    pub(crate) fn meet_fault(&mut self, op: &str, also: Option<&str>) -> Option<Fault> {
        let planned = self.faults.meet(op, also);
        let by_chance = || self.chance.as_mut().and_then(|chance| chance.meet(op));
        let met = planned.or_else(by_chance);
        self.faults_fired += u64::from(met.is_some());
        met
    }

    /// Whether `what` has not happened before.
    pub(crate) fn first_time(&mut self, what: &str) -> bool {
        self.happened.insert(what.to_owned())
    }

    pub(crate) fn set_chance(&mut self, seed: u64, probability: f64) {
        self.chance = (probability > 0.0).then(|| Chance::new(seed, probability));
    }

    /// Remembers content, so that it can be had by an instant upload.
    pub(crate) fn store(&mut self, md5: &str, content: Content) {
        let content = disk::keep(self.dir.as_deref(), md5, content);
        self.contents.insert((md5.to_owned(), content.size()), content);
    }

    pub(crate) fn content(&self, md5: &str, size: u64) -> Option<Content> {
        self.contents.get(&(md5.to_owned(), size)).cloned()
    }

    /// Content that is there and may be fetched.
    pub(crate) fn served(&self, md5: &str, size: u64) -> Option<Content> {
        self.content(md5, size).filter(|_| !self.drive.is_rejected(md5, size))
    }

    /// The MD5 of stored content with this SHA-1.
    pub(crate) fn md5_by_sha1(&mut self, sha1: &str, size: u64) -> Option<String> {
        let unknown: Vec<_> =
            self.contents.keys().filter(|key| key.1 == size && !self.sha1s.contains_key(*key)).cloned().collect();
        for key in unknown {
            let hash = self.contents.get(&key).map(Content::sha1).unwrap_or_default();
            self.sha1s.insert(key, hash);
        }
        self.sha1s.iter().find(|(key, hash)| key.1 == size && *hash == sha1).map(|(key, _)| key.0.clone())
    }

    /// Puts a file at a path, making folders and replacing what is there.
    pub(crate) fn put(&mut self, path: &str, content: Content, md5: &str) -> Result<i64, Denied> {
        let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let name = names.pop().ok_or(Denied::BadName)?;
        let folder = self.make_folders(ROOT, names)?;
        let size = content.size();
        self.store(md5, content);
        self.make_file(folder, name, md5, size, OnClash::Overwrite)
    }

    /// Turns the file at a path down; false when there is none.
    pub(crate) fn reject(&mut self, path: &str) -> bool {
        let content = self.drive.find(path).and_then(Node::content);
        content.map(|content| self.drive.reject(content)).is_some()
    }

    pub(crate) fn read(&self, id: i64) -> Option<Bytes> {
        let (md5, size) = self.drive.node(id)?.content()?;
        Some(self.content(&md5, size)?.to_bytes())
    }
}

const FIRST_ID: i64 = 15_000_000_000;
/// Lenient mode begins where ids still fit into 32 bits, as many of the service's do: there are clients that narrow them.
const FIRST_SMALL_ID: i64 = 15_000_000;
