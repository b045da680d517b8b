//! The running simulator, and all that a test can ask of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::builder::{Builder, Urls};
use crate::content::{Content, md5_hex, seeded_md5};
use crate::drive::{Denied, Drive, Node, ROOT};
use crate::fault::Fault;
use crate::log::RecordedRequest;
use crate::state::Shared;
use crate::video::is_in_space;

/// The account id of the simulated account.
pub(crate) const UID: i64 = 1_812_345_678;
/// The client id that token calls must give.
pub(crate) const CLIENT_ID: &str = "sim-client-id";
/// The secret that belongs to it.
pub(crate) const CLIENT_SECRET: &str = "sim-client-secret";
/// The account's name for password logins.
pub(crate) const USERNAME: &str = "13800000000";
/// Its password.
pub(crate) const PASSWORD: &str = "sim-password";
/// The account's e-mail address, which is as good as the name.
pub(crate) const EMAIL: &str = "sim@example.com";
/// The code that every SMS would bring.
pub(crate) const SMS_CODE: &str = "123456";
/// The password of the safe box.
pub(crate) const SAFEBOX_PASSWORD: &str = "246810";
/// The private key of direct links.
pub(crate) const LINK_KEY: &str = "sim-link-key";

/// A simulated 123Pan on loopback, running until it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let sim = pan123_sim::Simulator::start().await?;
/// sim.put("/films/a.txt", "hello");
/// assert!(sim.urls().open.starts_with("http://127.0.0.1:"));
/// assert_eq!(sim.file("/films/a.txt").map(|file| file.size), Some(5));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Simulator {
    pub(crate) shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// An entry of the simulated drive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFile {
    /// The id on the wire.
    pub id: i64,
    /// The id of its folder, 0 for the root.
    pub parent_id: i64,
    /// The name.
    pub name: String,
    /// The full path, beginning with a slash.
    pub path: String,
    /// The size in bytes, 0 for folders.
    pub size: u64,
    /// The MD5 in lower-case hex, empty for folders.
    pub md5: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Whether it, or a folder above it, is in the trash.
    pub trashed: bool,
}

impl Simulator {
    /// Starts a strict simulator with default settings on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When no port of the loopback interface is free.
    pub async fn start() -> std::io::Result<Self> {
        Self::builder().start().await
    }

    /// Settings for a simulator.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(shared: Arc<Shared>, tasks: Vec<JoinHandle<()>>) -> Self {
        Self { shared, tasks }
    }

    /// The addresses of all faces.
    #[must_use]
    pub fn urls(&self) -> &Urls {
        &self.shared.urls
    }

    /// The client id that token calls must give.
    #[must_use]
    pub fn client_id(&self) -> &str {
        CLIENT_ID
    }

    /// The client secret that token calls must give.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        CLIENT_SECRET
    }

    /// The name for password logins.
    #[must_use]
    pub fn username(&self) -> &str {
        USERNAME
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> &str {
        PASSWORD
    }

    /// The account id, which is also the first segment of direct links.
    #[must_use]
    pub fn uid(&self) -> i64 {
        UID
    }

    /// The private key that direct links are signed with.
    #[must_use]
    pub fn link_key(&self) -> &str {
        LINK_KEY
    }

    /// The simulator's clock, in Unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.shared.state().clock.now()
    }

    /// Sets the clock to a moment, where it stands still until it is moved, or let run by [`run_clock`](Self::run_clock).
    ///
    /// Before the first call the clock follows the machine's.
    pub fn set_clock(&self, unix: i64) {
        self.shared.state().clock.freeze_at(unix);
    }

    /// Moves the clock forward; a running clock runs on from there.
    pub fn advance(&self, by: Duration) {
        self.shared.state().clock.advance(by);
    }

    /// Lets a clock that was set run on.
    pub fn run_clock(&self) {
        self.shared.state().clock.run();
    }

    /// Plans a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.plan(fault);
    }

    /// Forgets all planned faults. Connections that are stalled stay so.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Lets requests fail by chance, in one of the scripted ways; the same seed gives the same failures in the same order of
    /// requests. A planned fault goes first. 0 switches it off.
    ///
    /// Flipped bits and answers that never come are left out, since no client can always tell the first from an answer.
    pub fn chance(&self, seed: u64, probability: f64) {
        self.shared.state().set_chance(seed, probability);
    }

    /// How many calls met a fault, since the start or the last reset.
    #[must_use]
    pub fn faults_fired(&self) -> u64 {
        self.shared.state().faults_fired
    }

    /// Waits until a fault is stalling a connection; returns at once when one is already.
    pub async fn when_stalled(&self) {
        let mut stalls = self.shared.stalls.subscribe();
        // The sender lives as long as the simulator, so this cannot fail.
        let _ = stalls.wait_for(|count| *count > 0).await;
    }

    /// The requests that arrived, oldest first; the log keeps the last 50,000.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.state().log.since(0).cloned().collect()
    }

    /// How many requests for an operation arrived, such as `open/auth.access_token`.
    #[must_use]
    pub fn count(&self, op: &str) -> usize {
        self.shared.state().log.count(op)
    }

    /// Waits until `count` requests for an operation have arrived, so that a test needs no sleep.
    pub async fn when_count(&self, op: &str, count: usize) {
        let mut arrivals = self.shared.arrivals.subscribe();
        while self.count(op) < count {
            // The sender lives as long as the simulator, so this cannot fail.
            let _ = arrivals.changed().await;
        }
    }

    /// Forgets the requests and counts.
    pub fn clear_requests(&self) {
        self.shared.state().log.clear();
    }

    /// Puts a file at a path, making folders and replacing a file that is there; gives its id.
    ///
    /// # Panics
    ///
    /// When the path cannot be: it is empty, has a forbidden name, or runs through a file.
    #[track_caller]
    pub fn put(&self, path: &str, bytes: impl Into<Bytes>) -> i64 {
        let bytes = bytes.into();
        let md5 = md5_hex(&bytes);
        made(path, self.shared.state().put(path, Content::whole(bytes), &md5))
    }

    /// Puts a file of made-up bytes at a path; they take no memory, and [`seeded_md5`] knows their MD5.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    #[track_caller]
    pub fn put_seeded(&self, path: &str, size: u64, seed: u64) -> i64 {
        let md5 = seeded_md5(size, seed);
        made(path, self.shared.state().put(path, Content::seeded(size, seed), &md5))
    }

    /// Makes a folder and those above it; gives its id, also when it was there.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    #[track_caller]
    pub fn mkdir(&self, path: &str) -> i64 {
        let names = path.split('/').filter(|name| !name.is_empty());
        made(path, self.shared.state().make_folders(ROOT, names))
    }

    /// Makes a folder a direct-link space, as the website does.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    #[track_caller]
    pub fn enable_direct_link(&self, path: &str) -> i64 {
        let id = self.mkdir(path);
        if let Some(node) = self.shared.state().drive.node_mut(id) {
            node.kind = crate::drive::Kind::Folder { direct_link: true };
        }
        id
    }

    /// Finds a file or folder that is not in the trash.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<StoredFile> {
        let state = self.shared.state();
        state.drive.find(path).map(|node| stored(&state.drive, node))
    }

    /// Finds a file or folder by its id, also in the trash.
    #[must_use]
    pub fn file_by_id(&self, id: i64) -> Option<StoredFile> {
        let state = self.shared.state();
        state.drive.node(id).map(|node| stored(&state.drive, node))
    }

    /// The bytes of a file.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<Bytes> {
        let state = self.shared.state();
        let id = state.drive.find(path)?.id;
        state.read(id)
    }

    /// All files of the drive, also those in the trash, by id; no folders.
    #[must_use]
    pub fn files(&self) -> Vec<StoredFile> {
        self.entries(|node| !node.is_folder())
    }

    /// All folders of the drive, also those in the trash, by id.
    #[must_use]
    pub fn folders(&self) -> Vec<StoredFile> {
        self.entries(Node::is_folder)
    }

    fn entries(&self, wanted: impl Fn(&Node) -> bool) -> Vec<StoredFile> {
        let state = self.shared.state();
        let drive = &state.drive;
        drive
            .all()
            .filter(|node| wanted(node) && !is_in_space(drive, node.id))
            .map(|node| stored(drive, node))
            .collect()
    }

    /// Turns a file down, as the service's review does: its state is above 100, and no face leads to its bytes any more.
    ///
    /// The review goes by content, so every other file of the same bytes is turned down with it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let sim = pan123_sim::Simulator::start().await?;
    /// sim.put("/films/a.mp4", "bytes of a film");
    /// sim.reject("/films/a.mp4");
    /// // Lists still have the file; its download is refused.
    /// assert!(sim.file("/films/a.mp4").is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no file is at the path.
    #[track_caller]
    pub fn reject(&self, path: &str) {
        assert!(self.shared.state().reject(path), "no file is at `{path}` to be turned down");
    }

    /// Lets the service know content that is in nobody's drive, so that an instant upload of it succeeds; gives its MD5.
    pub fn remember_content(&self, bytes: impl Into<Bytes>) -> String {
        let bytes = bytes.into();
        let md5 = md5_hex(&bytes);
        self.shared.state().store(&md5, Content::whole(bytes));
        md5
    }

    /// Grants an OAuth code for an address, as a person does on the grant page; the app has the client id and secret.
    pub fn grant_code(&self, redirect_uri: &str) -> String {
        self.shared.state().grant_code(redirect_uri)
    }

    /// Grants a pair of OAuth tokens and gives the one that refreshes, as somebody gets it from a token broker.
    ///
    /// The broker answers on the Open Platform face, under `/123cloud/`.
    pub fn grant_refresh_token(&self) -> String {
        self.shared.state().grant_refresh_token(self.shared.config.seed)
    }

    /// The password of the safe box.
    #[must_use]
    pub fn safebox_password(&self) -> &str {
        SAFEBOX_PASSWORD
    }

    /// Makes every token that was given out invalid: calls with them answer code 401 from now on.
    pub fn expire_tokens(&self) {
        self.shared.state().tokens.kill_all();
    }

    /// How many access tokens are live.
    #[must_use]
    pub fn live_tokens(&self) -> usize {
        let state = self.shared.state();
        state.tokens.live(state.clock.now())
    }

    /// Puts everything back to the start: drive, tokens, faults, log and clock. The addresses stay.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

pub(crate) fn stored(drive: &Drive, node: &Node) -> StoredFile {
    StoredFile {
        id: node.id,
        parent_id: node.parent,
        name: node.name.clone(),
        path: drive.path(node.id),
        size: node.size(),
        md5: node.md5().to_owned(),
        folder: node.is_folder(),
        trashed: drive.in_trash(node.id),
    }
}

#[track_caller]
pub(crate) fn made(path: &str, made: Result<i64, Denied>) -> i64 {
    match made {
        Ok(id) => id,
        Err(denied) => panic!("`{path}` cannot be made: {denied:?}"),
    }
}
