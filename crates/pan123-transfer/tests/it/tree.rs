//! A drive's folders in memory, which count what is asked of them.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use pan123_core::{BoxFuture, Error, ErrorKind, Fetched, FileId, Link, Md5, Result};
use pan123_transfer::{DownloadOrigin, Tree, TreeEntry, TreeTarget, TreeUpload};

use crate::{cdn::Cdn, error};

/// One entry; folders have no bytes.
#[derive(Clone)]
struct Node {
    parent: i64,
    name: String,
    bytes: Option<Bytes>,
}

type Fault = Box<dyn Fn(&str) -> Option<ErrorKind> + Send + Sync>;

/// The folders. Clones are the same.
#[derive(Clone)]
pub(crate) struct Folders(Arc<Inner>);

struct Inner {
    nodes: Mutex<BTreeMap<i64, Node>>,
    next: AtomicI64,
    fault: Fault,
    calls: Mutex<Vec<String>>,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
}

impl Folders {
    pub(crate) fn new() -> Self {
        Self::failing(|_| None)
    }

    /// Makes a drive of which some calls fail: `list /a`, `mkdir a`, `upload a.txt`, `fetch a.txt`.
    pub(crate) fn failing(fault: impl Fn(&str) -> Option<ErrorKind> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            nodes: Mutex::default(),
            next: AtomicI64::new(1),
            fault: Box::new(fault),
            calls: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }))
    }

    /// Adds an entry, whatever its name is and others have; returns its id.
    pub(crate) fn add(&self, parent: i64, name: &str, bytes: Option<Bytes>) -> i64 {
        let id = self.0.next.fetch_add(1, Ordering::SeqCst);
        self.0.nodes.lock().unwrap().insert(id, Node { parent, name: name.to_owned(), bytes });
        id
    }

    pub(crate) fn file(&self, parent: i64, name: &str, text: &str) -> i64 {
        self.add(parent, name, Some(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// Returns every path with its bytes, in order; folders end in a slash.
    pub(crate) fn all(&self) -> Vec<(String, Option<Bytes>)> {
        let nodes = self.0.nodes.lock().unwrap();
        let mut all: Vec<_> = nodes.keys().map(|id| (path(&nodes, *id), nodes[id].bytes.clone())).collect();
        all.sort();
        all
    }

    /// Returns the calls since the last time.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.calls.lock().unwrap())
    }

    /// Returns how many uploads or downloads were under way at the same time at most.
    pub(crate) fn peak(&self) -> usize {
        self.0.peak.load(Ordering::SeqCst)
    }

    fn call(&self, call: String) -> Result<()> {
        let fault = (self.0.fault)(&call);
        self.0.calls.lock().unwrap().push(call);
        fault.map_or(Ok(()), |kind| Err(error(kind)))
    }

    /// Lets others have their turn while something is under way.
    async fn busy(&self) {
        let now = self.0.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.peak.fetch_max(now, Ordering::SeqCst);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

fn path(nodes: &BTreeMap<i64, Node>, id: i64) -> String {
    let node = &nodes[&id];
    let above = if node.parent == 0 { String::new() } else { path(nodes, node.parent) };
    format!("{above}{}{}", node.name, if node.bytes.is_none() { "/" } else { "" })
}

impl Tree for Folders {
    fn list(&self, folder: FileId) -> BoxFuture<'_, Result<Vec<TreeEntry>>> {
        Box::pin(async move {
            let nodes = self.0.nodes.lock().unwrap().clone();
            let shown = if folder.is_root() { "/".to_owned() } else { format!("/{}", path(&nodes, folder.get())) };
            self.call(format!("list {}", shown.trim_end_matches('/')))?;
            let entry = |(id, node): (&i64, &Node)| {
                let id = FileId::new(*id);
                match &node.bytes {
                    None => TreeEntry::folder(id, node.name.as_str()),
                    Some(bytes) => {
                        let origin = Origin {
                            folders: self.clone(),
                            name: node.name.clone(),
                            cdn: Cdn::new(bytes).answers(|_| crate::cdn::Answer::Good),
                        };
                        TreeEntry::file(id, node.name.as_str(), bytes.len() as u64, Some(Md5::of(bytes)), origin)
                    }
                }
            };
            // The service lists the newest first.
            Ok(nodes.iter().rev().filter(|(_, node)| node.parent == folder.get()).map(entry).collect())
        })
    }
}

impl TreeTarget for Folders {
    fn make_folder(&self, parent: FileId, name: String) -> BoxFuture<'_, Result<FileId>> {
        Box::pin(async move {
            self.call(format!("mkdir {name}"))?;
            pan123_core::name::check(&name)?;
            Ok(FileId::new(self.add(parent.get(), &name, None)))
        })
    }

    fn upload(&self, file: TreeUpload) -> BoxFuture<'_, Result<FileId>> {
        Box::pin(async move {
            self.busy().await;
            self.call(format!("upload {}", file.name))?;
            pan123_core::name::check(&file.name)?;
            let bytes = Bytes::from(std::fs::read(file.source.local_path().unwrap()).unwrap());
            let same = |node: &Node| node.parent == file.parent.get() && node.name == file.name;
            {
                let mut nodes = self.0.nodes.lock().unwrap();
                let there = nodes.values().any(same);
                if there != file.replace {
                    return Err(Error::new(ErrorKind::AlreadyExists, "the caller was to know"));
                }
                nodes.retain(|_, node| !same(node));
            }
            Ok(FileId::new(self.add(file.parent.get(), &file.name, Some(bytes))))
        })
    }
}

/// Where the bytes of a file come from.
struct Origin {
    folders: Folders,
    name: String,
    cdn: Arc<Cdn>,
}

impl DownloadOrigin for Origin {
    fn resolve(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async {
            self.folders.busy().await;
            self.folders.call(format!("fetch {}", self.name))?;
            self.cdn.resolve().await
        })
    }

    fn fetch<'a>(&'a self, link: &'a Link, range: Option<std::ops::Range<u64>>) -> BoxFuture<'a, Result<Fetched>> {
        self.cdn.fetch(link, range)
    }
}

/// Returns every path below a local folder with its bytes, in order; folders end in a slash.
pub(crate) fn local(folder: &Path) -> Vec<(String, Option<Bytes>)> {
    fn read(folder: &Path, above: &str, all: &mut Vec<(String, Option<Bytes>)>) {
        for entry in folder.read_dir().unwrap() {
            let entry = entry.unwrap();
            let name = format!("{above}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                all.push((format!("{name}/"), None));
                read(&entry.path(), &format!("{name}/"), all);
            } else {
                all.push((name, std::fs::read(entry.path()).ok().map(Bytes::from)));
            }
        }
    }
    let mut all = Vec::new();
    read(folder, "", &mut all);
    all.sort();
    all
}
