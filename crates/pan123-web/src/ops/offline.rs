//! Offline downloads: the service fetches links and torrents into the drive.

use std::fmt;

use pan123_core::{
    Effect, Error, FileId, Meta, Operation, RawJson, Reply, Request, Result, SharedBody, open_enum, operation, wire,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::post;

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[
    Resolve::META,
    Submit::META,
    ListTasks::META,
    DeleteTasks::META,
    AbortTasks::META,
    OverallStatus::META,
    UploadSeed::META,
];

/// Has the service look at what a link holds, before anything is fetched.
///
/// One link a call: with more, all but the first have been seen to fail. The service answers with success when it could
/// not look at it: see [`Resource::is_fine`].
///
/// Protocol: `web.yaml`, `offline.resolve`.
///
/// # Example
///
/// ```
/// use pan123_web::ops::offline::{OfflineSource, Resolve};
///
/// let file = Resolve::new("https://example.com/a.iso");
/// let torrent = Resolve::new("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567");
/// let known = Resolve::new(OfflineSource::info_hash("0123456789abcdef0123456789abcdef01234567"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    source: OfflineSource,
}

impl Resolve {
    /// Asks for a link, or for the info hash of a torrent.
    pub fn new(source: impl Into<OfflineSource>) -> Self {
        Self { source: source.into() }
    }
}

impl Operation for Resolve {
    type Output = Vec<Resource>;
    const META: Meta = post("web/offline.resolve", "/api/v2/offline_download/task/resolve").effect(Effect::None);

    fn validate(&self) -> Result<()> {
        self.source.check()
    }

    fn encode(&self, request: &mut Request) {
        match &self.source.0 {
            Kind::Link(link) => request.json("urls", link),
            Kind::InfoHash(hash) => request.json("info_hash", hash),
        }
    }

    fn decode(&self, reply: Reply) -> Result<Vec<Resource>> {
        reply.data_in_any_case().map(|resources: Resources| resources.list)
    }
}

/// What an offline download comes from. `Debug` shows what kind it is, as a link may hold a permission.
#[derive(Clone, PartialEq, Eq)]
pub struct OfflineSource(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Link(String),
    InfoHash(String),
}

impl OfflineSource {
    /// The info hash of a torrent, 40 hex digits: of one that was [uploaded](UploadSeed), or is known to the service.
    pub fn info_hash(hash: impl Into<String>) -> Self {
        Self(Kind::InfoHash(hash.into()))
    }

    fn check(&self) -> Result<()> {
        match &self.0 {
            Kind::Link(link) => {
                let scheme = link.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
                let known = ["http", "https", "ftp", "magnet", "ed2k", "thunder"];
                if !scheme.is_some_and(|scheme| known.contains(&&*scheme)) {
                    return Err(Error::invalid(
                        "a link to download offline begins with http:, https:, ftp: or magnet:",
                    ));
                }
                if link.contains(['\n', '\r']) {
                    return Err(Error::invalid("one link is resolved at a time"));
                }
                Ok(())
            }
            Kind::InfoHash(hash) if is_info_hash(hash) => Ok(()),
            Kind::InfoHash(_) => Err(Error::invalid("an info hash has 40 hex digits")),
        }
    }
}

impl From<&str> for OfflineSource {
    fn from(link: &str) -> Self {
        Self(Kind::Link(link.trim().to_owned()))
    }
}

impl From<String> for OfflineSource {
    fn from(link: String) -> Self {
        link.as_str().into()
    }
}

impl From<&Self> for OfflineSource {
    fn from(source: &Self) -> Self {
        source.clone()
    }
}

impl fmt::Debug for OfflineSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Link(link) => {
                let scheme = link.split_once(':').map_or("none", |(scheme, _)| scheme);
                f.debug_tuple("Link").field(&format_args!("{scheme}:…")).finish()
            }
            Kind::InfoHash(hash) => f.debug_tuple("InfoHash").field(hash).finish(),
        }
    }
}

fn is_info_hash(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[derive(Deserialize)]
#[serde(expecting = "what links hold")]
struct Resources {
    #[serde(default, deserialize_with = "wire::or_default")]
    list: Vec<Resource>,
}

/// What one link holds, or why nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "what a link holds")]
#[non_exhaustive]
pub struct Resource {
    /// Whether the service could look at it: 0 when it could.
    #[serde(deserialize_with = "wire::integer")]
    pub result: i64,
    /// Its id, for [`Submit`]; 0 when it failed.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub id: i64,
    /// What it is, such as `http`.
    #[serde(default, rename = "type", deserialize_with = "wire::or_default")]
    pub kind: String,
    /// The name of the file or folder that it becomes.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub name: String,
    /// The size in bytes, of all files.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub size: u64,
    /// The service's number for why it failed.
    #[serde(default, rename = "err_code", deserialize_with = "wire::integer_or_zero")]
    pub error_code: i64,
    /// The service's words for it.
    #[serde(default, rename = "err_msg", deserialize_with = "wire::or_default")]
    pub error: String,
    /// The files in it, of which some may be chosen.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub files: Vec<ResourceFile>,
}

/// One file behind a link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a file behind a link")]
#[non_exhaustive]
pub struct ResourceFile {
    /// Its id within the link.
    #[serde(deserialize_with = "wire::integer")]
    pub id: i64,
    /// Its name.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub name: String,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub size: u64,
}

impl Resource {
    /// Says whether it can be fetched: the service found it, gave it an id, and there is a file in it.
    pub fn is_fine(&self) -> bool {
        self.result == 0 && self.id > 0 && !self.files.is_empty()
    }
}

operation! {
    /// Has the service fetch resources into a folder.
    ///
    /// The files get the names that were resolved; a name that is taken gets a number. Free accounts may do this a few times
    /// only. It is not sent again after a lost answer, which would fetch twice: [`ListTasks`] shows what was begun.
    ///
    /// Protocol: `web.yaml`, `offline.submit`.
    pub struct Submit => Vec<SubmittedTask> = post("web/offline.submit", "/api/v2/offline_download/task/submit");
    {
        /// What to fetch; at least one.
        json "resource_list": resources: Vec<Selection>,
    }
    optional {
        /// Sets the folder; the service has one of its own unless told.
        json "upload_dir": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        if self.resources.is_empty() || self.resources.iter().any(|resource| resource.files.is_empty()) {
            return Err(Error::invalid("at least one file must be chosen"));
        }
        self.folder.map_or(Ok(()), FileId::check_folder)
    }

    fn decode(&self, reply: Reply) -> Result<Vec<SubmittedTask>> {
        reply.data_in_any_case().map(|submitted: Submitted| submitted.tasks)
    }
}

/// A resource and which of its files to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Selection {
    #[serde(rename = "resource_id")]
    resource: i64,
    #[serde(rename = "select_file_id")]
    files: Vec<i64>,
}

impl Selection {
    /// Chooses files of a resource by their ids.
    pub fn new(resource: i64, files: impl Into<Vec<i64>>) -> Self {
        Self { resource, files: files.into() }
    }

    /// Chooses all files of a resource.
    pub fn all(resource: &Resource) -> Self {
        Self::new(resource.id, resource.files.iter().map(|file| file.id).collect::<Vec<_>>())
    }
}

#[derive(Deserialize)]
#[serde(expecting = "new tasks")]
struct Submitted {
    #[serde(default, rename = "task_list", deserialize_with = "wire::or_default")]
    tasks: Vec<SubmittedTask>,
}

/// What became of one resource that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a new task")]
#[non_exhaustive]
pub struct SubmittedTask {
    /// The task; `None` when it was not accepted.
    #[serde(default, rename = "task_id", deserialize_with = "task")]
    pub task: Option<OfflineTask>,
    /// Whether it was accepted: 0 when it was.
    #[serde(deserialize_with = "wire::integer")]
    pub result: i64,
    /// The resource.
    #[serde(default, rename = "resource_id", deserialize_with = "wire::integer_or_zero")]
    pub resource: i64,
}

fn task<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OfflineTask>, D::Error> {
    wire::integer_or_zero(deserializer).map(|id: i64| (id > 0).then_some(OfflineTask(id)))
}

/// The id of an offline download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct OfflineTask(i64);

impl OfflineTask {
    /// Makes an id from the service's number.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for OfflineTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match wire::integer(deserializer)? {
            id if id > 0 => Ok(Self(id)),
            id => Err(de::Error::custom(format!("the id of an offline download is {id}"))),
        }
    }
}

operation! {
    /// Lists the offline downloads of the account, page by page.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) tasks.
    ///
    /// Protocol: `web.yaml`, `offline.list`.
    pub struct ListTasks => TaskPage = post("web/offline.list", "/api/offline_download/task/list").effect(Effect::None);
    {}
    defaults {
        /// Sets the number of the page, from 1.
        json "current_page": page: u32 = 1,
        /// Sets how many tasks a page has at most: 1 to 100, the default.
        json "page_size": page_size: u32 = LARGEST_PAGE,
        /// Keeps to tasks in these states; all that are known unless told.
        json "status_arr": states: OfflineStates = OfflineStates::ALL,
    }

    fn validate(&self) -> Result<()> {
        if self.page == 0 || !(1..=LARGEST_PAGE).contains(&self.page_size) {
            return Err(Error::invalid(format!("pages count from 1 and have 1 to {LARGEST_PAGE} tasks")));
        }
        Ok(())
    }

    fn decode(&self, reply: Reply) -> Result<TaskPage> {
        reply.data_in_any_case()
    }
}

const LARGEST_PAGE: u32 = 100;

impl pan123_core::Paged for ListTasks {
    type Item = Task;

    fn items(&self, page: TaskPage) -> Vec<Task> {
        page.tasks
    }

    fn advance(&mut self, page: &TaskPage) -> bool {
        let seen = u64::from(self.page) * u64::from(self.page_size);
        self.page += 1;
        !page.tasks.is_empty() && seen < page.total
    }
}

/// States of offline downloads, as a filter. It is made from a list or an array of states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineStates(std::borrow::Cow<'static, [OfflineState]>);

impl OfflineStates {
    const ALL: Self = Self(std::borrow::Cow::Borrowed(&[
        OfflineState::Running,
        OfflineState::Failed,
        OfflineState::Done,
        OfflineState::Retrying,
        OfflineState::Waiting,
    ]));
}

impl From<Vec<OfflineState>> for OfflineStates {
    fn from(states: Vec<OfflineState>) -> Self {
        Self(states.into())
    }
}

impl<const COUNT: usize> From<[OfflineState; COUNT]> for OfflineStates {
    fn from(states: [OfflineState; COUNT]) -> Self {
        Self(states.to_vec().into())
    }
}

impl Serialize for OfflineStates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

open_enum! {
    /// What an offline download is doing.
    pub enum OfflineState {
        /// It is being fetched.
        Running = 0,
        /// It failed; final.
        Failed = 1,
        /// The files are in the drive; final.
        Done = 2,
        /// It failed and the service tries again.
        Retrying = 3,
        /// It has not begun. One source alone has this.
        Waiting = 4,
    }
}

/// One page of tasks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(expecting = "a page of tasks")]
#[non_exhaustive]
pub struct TaskPage {
    /// The tasks.
    #[serde(default, rename = "list", deserialize_with = "wire::or_default")]
    pub tasks: Vec<Task>,
    /// How many there are in all.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub total: u64,
    /// Whether any is running.
    #[serde(default, rename = "has_run", deserialize_with = "wire::truth")]
    pub any_running: bool,
}

/// An offline download, as [`ListTasks`] gives it. Id and state are read strictly, everything else may be missing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(expecting = "a task")]
#[non_exhaustive]
pub struct Task {
    /// Its id.
    #[serde(rename = "task_id")]
    pub id: OfflineTask,
    /// What it is doing. This alone tells whether it is over.
    #[serde(rename = "status")]
    pub state: OfflineState,
    /// The name of the file or folder. The file's id is not told: look for the name in the folder.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub name: String,
    /// The size in bytes.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub size: u64,
    /// How many bytes the service has.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub downloaded: u64,
    /// The service's percentage, 0 to 100.
    #[serde(default, rename = "progress", deserialize_with = "wire::percent")]
    pub percent: f64,
    /// How fast it is, in bytes a second.
    #[serde(default, deserialize_with = "wire::integer_or_zero")]
    pub speed: u64,
    /// What it comes from, such as `http`.
    #[serde(default, rename = "type", deserialize_with = "wire::or_default")]
    pub kind: String,
    /// The folder that it goes into.
    #[serde(default, rename = "upload_idr")]
    pub folder: Option<FileId>,
    /// The name of that folder.
    #[serde(default, rename = "upload_name", deserialize_with = "wire::or_default")]
    pub folder_name: String,
}

operation! {
    /// Takes tasks off the list. Files that were fetched stay.
    ///
    /// Protocol: `web.yaml`, `offline.delete`.
    pub struct DeleteTasks -> () = post("web/offline.delete", "/api/offline_download/task/delete").effect(Effect::Same);
    {
        /// The tasks; at least one.
        json "task_ids": tasks: Vec<OfflineTask>,
    }
    fixed {
        json "status_arr": [(); 0],
    }

    fn validate(&self) -> Result<()> {
        check_some(&self.tasks)
    }
}

operation! {
    /// Stops tasks that run, or has them go on.
    ///
    /// Protocol: `web.yaml`, `offline.abort`.
    pub struct AbortTasks -> () = post("web/offline.abort", "/api/offline_download/task/abort").effect(Effect::Same);
    {
        /// The tasks; at least one.
        json "task_ids": tasks: Vec<OfflineTask>,
    }
    fixed {
        json "all": false,
    }
    defaults {
        /// Stops them, the default; `false` has them go on, as one client does.
        json "is_abort": stop: bool = true,
    }

    fn validate(&self) -> Result<()> {
        check_some(&self.tasks)
    }
}

fn check_some(tasks: &[OfflineTask]) -> Result<()> {
    if tasks.is_empty() { Err(Error::invalid("at least one task must be given")) } else { Ok(()) }
}

operation! {
    /// Reads speed and counts of all offline downloads, whose members no source names.
    ///
    /// Protocol: `web.yaml`, `offline.status`.
    pub struct OverallStatus -> RawJson = post("web/offline.status", "/api/offline_download/task/status").effect(Effect::None);
    {}
    // Nothing leaves an empty object.
    fixed {
        json "": (),
    }
}

operation! {
    /// Uploads a torrent file, so that [`Resolve`] can look into it by its info hash.
    ///
    /// Protocol: `web.yaml`, `offline.upload_seed`.
    pub struct UploadSeed => Seed = post("web/offline.upload_seed", "/api/offline_download/upload/seed").effect(Effect::Same);
    {
        /// The bytes of the file.
        form_file "upload-torrent": torrent: SharedBody,
    }

    fn decode(&self, reply: Reply) -> Result<Seed> {
        let answer: RawJson = reply.data()?;
        Ok(Seed { info_hash: info_hash(&answer.read()?), answer })
    }
}

/// A torrent that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seed {
    /// Its info hash, for [`OfflineSource::info_hash`]: the one value of 40 hex digits in the answer. No source names the
    /// member; `None` when there is none, or several that differ.
    pub info_hash: Option<String>,
    /// The whole answer.
    pub answer: RawJson,
}

/// Finds the one value that can be an info hash, at any depth.
fn info_hash(answer: &Value) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    let mut left = vec![answer];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) if is_info_hash(text) && !found.iter().any(|hash| hash.eq_ignore_ascii_case(text)) => {
                found.push(text);
            }
            Value::Array(values) => left.extend(values),
            Value::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
    match found.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}
