//! The tree of files and folders of the one account.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// The id of the drive's root folder.
pub(crate) const ROOT: i64 = 0;

/// An entry of the drive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: i64,
    pub(crate) parent: i64,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) trashed: bool,
    /// How many listings of its folder still leave it out (the service lists some instant uploads late).
    pub(crate) late: u32,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Kind {
    Folder { direct_link: bool },
    File { md5: String, size: u64 },
}

impl Node {
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.kind, Kind::Folder { .. })
    }

    pub(crate) fn size(&self) -> u64 {
        match &self.kind {
            Kind::Folder { .. } => 0,
            Kind::File { size, .. } => *size,
        }
    }

    pub(crate) fn md5(&self) -> &str {
        match &self.kind {
            Kind::Folder { .. } => "",
            Kind::File { md5, .. } => md5,
        }
    }

    /// The content's key, for files.
    pub(crate) fn content(&self) -> Option<(String, u64)> {
        match &self.kind {
            Kind::Folder { .. } => None,
            Kind::File { md5, size } => Some((md5.clone(), *size)),
        }
    }
}

/// What to do when a name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnClash {
    Refuse,
    KeepBoth,
    Overwrite,
}

/// Why the drive refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    Gone,
    NameTaken,
    BadName,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Drive {
    nodes: BTreeMap<i64, Node>,
    children: HashMap<i64, BTreeSet<i64>>,
    /// Names that are taken: those of entries that are not themselves in the trash.
    names: HashMap<(i64, String), i64>,
    /// The contents that the service's review has turned down, whichever entries have them.
    rejected: HashSet<(String, u64)>,
    changed: bool,
}

impl Drive {
    pub(crate) fn node(&self, id: i64) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(crate) fn node_mut(&mut self, id: i64) -> Option<&mut Node> {
        self.changed = true;
        self.nodes.get_mut(&id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The entries of a folder after the id `after`, by id; entries in the trash are among them.
    pub(crate) fn children_after(&self, folder: i64, after: i64) -> impl Iterator<Item = &Node> {
        self.children
            .get(&folder)
            .into_iter()
            .flat_map(move |ids| ids.range(after.saturating_add(1)..))
            .filter_map(|id| self.nodes.get(id))
    }

    /// The entry that holds a name; entries in the trash hold none.
    pub(crate) fn child(&self, folder: i64, name: &str) -> Option<&Node> {
        self.names.get(&(folder, name.to_owned())).and_then(|id| self.nodes.get(id))
    }

    /// Whether `id` is the root, or a folder that neither is in the trash nor lies in a folder that is.
    pub(crate) fn is_live_folder(&self, id: i64) -> bool {
        id == ROOT || self.nodes.get(&id).is_some_and(|node| node.is_folder() && !self.in_trash(id))
    }

    /// Whether the entry or a folder above it is in the trash.
    pub(crate) fn in_trash(&self, id: i64) -> bool {
        self.ancestry(id).any(|node| node.trashed)
    }

    /// The entry, its folder, and so on up to, not including, the root.
    pub(crate) fn ancestry(&self, id: i64) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.nodes.get(&id), |node| self.nodes.get(&node.parent))
    }

    pub(crate) fn path(&self, id: i64) -> String {
        let mut names: Vec<&str> = self.ancestry(id).map(|node| node.name.as_str()).collect();
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// Finds a live entry by its path.
    pub(crate) fn find(&self, path: &str) -> Option<&Node> {
        let mut folder = ROOT;
        let mut found = None;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let node = self.child(folder, name)?;
            folder = node.id;
            found = Some(node);
        }
        found
    }

    /// The sizes of all files below a folder.
    pub(crate) fn size_below(&self, folder: i64) -> u64 {
        self.children_after(folder, i64::MIN)
            .map(|node| if node.is_folder() { self.size_below(node.id) } else { node.size() })
            .sum()
    }

    /// Puts a new entry into a folder and gives its id, which may differ from `id` only in that `id` was not used.
    pub(crate) fn add(&mut self, node: Node, on_clash: OnClash) -> Result<i64, Denied> {
        if !is_name(&node.name) {
            return Err(Denied::BadName);
        }
        if !self.is_live_folder(node.parent) {
            return Err(Denied::Gone);
        }
        let mut node = node;
        if let Some(held) = self.child(node.parent, &node.name) {
            match on_clash {
                OnClash::Overwrite if !held.is_folder() && !node.is_folder() => {
                    let held = held.id;
                    self.remove(held);
                }
                OnClash::KeepBoth => node.name = self.free_name(node.parent, &node.name),
                OnClash::Refuse | OnClash::Overwrite => return Err(Denied::NameTaken),
            }
        }
        let id = node.id;
        self.insert(node);
        Ok(id)
    }

    /// Puts an entry back as it was.
    pub(crate) fn insert(&mut self, node: Node) {
        self.changed = true;
        self.children.entry(node.parent).or_default().insert(node.id);
        if !node.trashed {
            self.names.insert((node.parent, node.name.clone()), node.id);
        }
        self.nodes.insert(node.id, node);
    }

    pub(crate) fn reject(&mut self, content: (String, u64)) {
        self.changed = true;
        self.rejected.insert(content);
    }

    pub(crate) fn is_rejected(&self, md5: &str, size: u64) -> bool {
        self.rejected.contains(&(md5.to_owned(), size))
    }

    pub(crate) fn rejected(&self) -> impl Iterator<Item = &(String, u64)> {
        self.rejected.iter()
    }

    pub(crate) fn note_change(&mut self) {
        self.changed = true;
    }

    /// Whether anything changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(crate) fn rename(&mut self, id: i64, name: &str, now: i64) -> Result<(), Denied> {
        if !is_name(name) {
            return Err(Denied::BadName);
        }
        let parent = self.nodes.get(&id).filter(|node| !node.trashed).ok_or(Denied::Gone)?.parent;
        match self.child(parent, name) {
            Some(held) if held.id != id => Err(Denied::NameTaken),
            _ => {
                self.release_name(id);
                self.change(id, |node| {
                    name.clone_into(&mut node.name);
                    node.updated = now;
                });
                self.hold_name(id);
                Ok(())
            }
        }
    }

    /// Moves an entry; the caller has seen to it that all names are free and all folders there.
    pub(crate) fn move_to(&mut self, id: i64, folder: i64, now: i64) -> Result<(), Denied> {
        let node = self.nodes.get(&id).filter(|node| !node.trashed).ok_or(Denied::Gone)?;
        if !self.is_live_folder(folder) || self.ancestry(folder).any(|above| above.id == id) {
            return Err(Denied::Gone);
        }
        if self.child(folder, &node.name).is_some_and(|held| held.id != id) {
            return Err(Denied::NameTaken);
        }
        self.release_name(id);
        self.replace_parent(id, folder, now);
        self.hold_name(id);
        Ok(())
    }

    pub(crate) fn trash(&mut self, id: i64, now: i64) {
        self.release_name(id);
        self.change(id, |node| {
            node.trashed = true;
            node.updated = now;
        });
    }

    /// Takes an entry out of the trash into `folder`, under another name when its own is taken.
    pub(crate) fn recover(&mut self, id: i64, folder: i64, now: i64) -> Result<(), Denied> {
        let node = self.nodes.get(&id).ok_or(Denied::Gone)?;
        if !node.trashed {
            return Ok(());
        }
        if !self.is_live_folder(folder) || self.ancestry(folder).any(|above| above.id == id) {
            return Err(Denied::Gone);
        }
        let name = match self.child(folder, &node.name) {
            Some(_) => self.free_name(folder, &node.name),
            None => node.name.clone(),
        };
        self.replace_parent(id, folder, now);
        self.change(id, |node| {
            node.trashed = false;
            node.name = name;
        });
        self.hold_name(id);
        Ok(())
    }

    /// Removes an entry and what lies below it; what was trashed there on its own stays in the trash without a folder.
    pub(crate) fn remove(&mut self, id: i64) {
        let below: Vec<i64> = self.children.remove(&id).into_iter().flatten().collect();
        let goes_too = |child: &i64| self.nodes.get(child).is_some_and(|node| !node.trashed);
        let below: Vec<i64> = below.into_iter().filter(goes_too).collect();
        below.into_iter().for_each(|child| self.remove(child));
        self.release_name(id);
        if let Some(node) = self.nodes.remove(&id)
            && let Some(ids) = self.children.get_mut(&node.parent)
        {
            ids.remove(&id);
        }
    }

    /// `a.txt`, `a(1).txt`, `a(2).txt`: the first that is free.
    pub(crate) fn free_name(&self, folder: i64, name: &str) -> String {
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (name, String::new()),
        };
        (1u64..)
            .map(|number| format!("{stem}({number}){extension}"))
            .find(|candidate| self.child(folder, candidate).is_none())
            .unwrap_or_default()
    }

    fn release_name(&mut self, id: i64) {
        self.changed = true;
        if let Some(node) = self.nodes.get(&id) {
            let key = (node.parent, node.name.clone());
            if self.names.get(&key) == Some(&id) {
                self.names.remove(&key);
            }
        }
    }

    fn hold_name(&mut self, id: i64) {
        if let Some(node) = self.nodes.get(&id) {
            self.names.insert((node.parent, node.name.clone()), id);
        }
    }

    fn replace_parent(&mut self, id: i64, folder: i64, now: i64) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if let Some(ids) = self.children.get_mut(&node.parent) {
            ids.remove(&id);
        }
        node.parent = folder;
        node.updated = now;
        self.children.entry(folder).or_default().insert(id);
    }

    fn change(&mut self, id: i64, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(&id) {
            change(node);
        }
    }
}

/// The service's rule for names: fewer than 256 characters, none of nine, not only spaces.
pub(crate) fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() < 256 && !name.contains(FORBIDDEN)
}

/// What no name contains.
pub(crate) const FORBIDDEN: [char; 9] = ['"', '\\', '/', ':', '*', '?', '|', '>', '<'];

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: i64, parent: i64, name: &str) -> Node {
        let kind = Kind::File { md5: "0".into(), size: 3 };
        Node { id, parent, name: name.into(), created: 0, updated: 0, trashed: false, late: 0, kind }
    }

    fn folder(id: i64, parent: i64, name: &str) -> Node {
        Node { kind: Kind::Folder { direct_link: false }, ..file(id, parent, name) }
    }

    #[test]
    fn a_taken_name_is_refused_kept_beside_or_replaced() {
        let mut drive = Drive::default();
        assert_eq!(drive.add(file(1, ROOT, "a.txt"), OnClash::Refuse), Ok(1));
        assert_eq!(drive.add(file(2, ROOT, "a.txt"), OnClash::Refuse), Err(Denied::NameTaken));
        assert_eq!(drive.add(file(3, ROOT, "a.txt"), OnClash::KeepBoth), Ok(3));
        assert_eq!(drive.node(3).map(|node| node.name.as_str()), Some("a(1).txt"));
        assert_eq!(drive.add(file(4, ROOT, "a.txt"), OnClash::Overwrite), Ok(4));
        assert!(drive.node(1).is_none());
    }

    #[test]
    fn the_trash_holds_no_names_and_hides_what_lies_below() {
        let mut drive = Drive::default();
        drive.add(folder(1, ROOT, "d"), OnClash::Refuse).unwrap();
        drive.add(file(2, 1, "a"), OnClash::Refuse).unwrap();
        drive.trash(1, 5);
        assert!(drive.in_trash(2));
        assert_eq!(drive.add(file(3, 1, "b"), OnClash::Refuse), Err(Denied::Gone));
        assert_eq!(drive.add(folder(4, ROOT, "d"), OnClash::Refuse), Ok(4));
        drive.recover(1, ROOT, 6).unwrap();
        assert_eq!(drive.path(2), "/d(1)/a");
    }

    #[test]
    fn what_was_trashed_on_its_own_outlives_its_folder() {
        let mut drive = Drive::default();
        drive.add(folder(1, ROOT, "d"), OnClash::Refuse).unwrap();
        drive.add(file(2, 1, "a"), OnClash::Refuse).unwrap();
        drive.add(file(3, 1, "b"), OnClash::Refuse).unwrap();
        drive.trash(2, 5);
        drive.trash(1, 5);
        drive.remove(1);
        assert!(drive.in_trash(2) && drive.node(3).is_none());
        assert_eq!(drive.recover(2, 1, 6), Err(Denied::Gone));
        assert_eq!(drive.recover(2, ROOT, 6), Ok(()));
        assert_eq!(drive.path(2), "/a");
    }

    #[test]
    fn a_folder_cannot_be_moved_below_itself() {
        let mut drive = Drive::default();
        drive.add(folder(1, ROOT, "d"), OnClash::Refuse).unwrap();
        drive.add(folder(2, 1, "e"), OnClash::Refuse).unwrap();
        assert_eq!(drive.move_to(1, 2, 0), Err(Denied::Gone));
        assert_eq!(drive.move_to(2, ROOT, 0), Ok(()));
        drive.remove(1);
        assert_eq!(drive.find("/e").map(|node| node.id), Some(2));
    }

    #[test]
    fn names_follow_the_services_rule() {
        for good in ["a", "a b", "名", &"名".repeat(255)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "   ", "a/b", "a\\b", "a:b", "a*", "a?", "a|", "a>", "a<", "a\"", &"a".repeat(256)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
