//! The list of links itself: where its entries are kept, and how a program makes one.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::OnceLock;

use super::node::WithoutPath;
use super::{Dialect, File, Folder, FolderMut, Node, TotalSize, TreeReader, Walk};
use crate::{Error, UnixTime};

/// A list of direct links in folders: read from text, or made by a program and printed as text.
///
/// Two entries of a folder may have the same name, as in the lists that people write:
/// [`get`](UrlTree::get) says which one a path means, [`duplicates`](UrlTree::duplicates) lists the others.
///
/// Links are kept as written and [signed](crate::tree::File::sign) when asked for. Two trees are equal if they
/// hold the same entries in the same order, however the text they came from spelled them. `Debug` leaves the
/// queries of links out; `Display` prints links as they are.
///
/// # Example
///
/// ```
/// use pan123_link::{Signer, UrlTree};
///
/// let tree = UrlTree::parse("films:\n  127451136:1694101621:https://vip.123pan.cn/1812/films/autumn.mp4\n")?;
/// let signer = Signer::new(1812, "ZxCv-2468_key")?;
/// for file in tree.files() {
///     println!("{} {:?} {}", file.path(), file.size(), file.sign(&signer)?);
/// }
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone)]
pub struct UrlTree {
    /// The root first. Entries know each other by their place in here, so nothing is nested and no walk,
    /// comparison or drop needs recursion.
    entries: Vec<Entry>,
}

impl UrlTree {
    /// Makes an empty tree.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(pan123_link::UrlTree::new().to_string(), "");
    /// ```
    #[must_use]
    pub fn new() -> UrlTree {
        UrlTree { entries: vec![Entry { parent: ROOT, depth: 0, content: Content::folder(String::new()) }] }
    }

    /// Reads a list of direct links.
    ///
    /// A number alone in front of a link is its time if it can be one, else its size; [`reader`](UrlTree::reader)
    /// lets the caller decide.
    ///
    /// # Errors
    ///
    /// The first line that breaks the format, with its [number](Error::line), its [text](Error::line_text) and a
    /// [kind](crate::ErrorKind) of its own: `IndentationNotSpaces`, `OddIndentation`, `IndentedTooDeep`,
    /// `InvalidName`, `NoUrl`, `MissingColon`, `TooManyFields`, `NotANumber`, `NoFileName`, or `InvalidUrl` for a
    /// control character.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{UnixTime, UrlTree};
    ///
    /// let tree = UrlTree::parse("127451136:1694101621:https://vip.123pan.cn/1812/linuxqq.deb")?;
    /// let file = tree.get("linuxqq.deb").and_then(|node| node.as_file()).unwrap();
    /// assert_eq!(file.size(), Some(127_451_136));
    /// assert_eq!(file.modified(), Some(UnixTime::from_secs(1_694_101_621)));
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<UrlTree, Error> {
        UrlTree::reader().read(text)
    }

    /// Returns a reader whose rules can be changed before it reads.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::UrlTree;
    /// use pan123_link::tree::LoneNumber;
    ///
    /// let text = "1694101621:https://vip.123pan.cn/1812/a.iso";
    /// let tree = UrlTree::reader().lone_number(LoneNumber::Size).read(text)?;
    /// assert_eq!(tree.files().next().unwrap().size(), Some(1_694_101_621));
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn reader() -> TreeReader {
        TreeReader::default()
    }

    /// Returns the folder that holds everything.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\nhttps://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.root().children().count(), 2);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn root(&self) -> Folder<'_> {
        Folder::new(self, ROOT)
    }

    /// Returns every folder and file, each folder before what it holds, in the order of the list.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// let paths: Vec<String> = tree.walk().map(|node| node.path()).collect();
    /// assert_eq!(paths, ["docs", "docs/a.txt"]);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn walk(&self) -> Walk<'_> {
        self.root().walk()
    }

    /// Returns every file, in the order of the list.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.files().next().unwrap().url(), "https://vip.123pan.cn/1812/a.txt");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn files(&self) -> impl Iterator<Item = File<'_>> {
        self.root().files()
    }

    /// Returns what `path` names, or `None`; a slash at either end does not matter, and an empty path is the root.
    ///
    /// Where several entries match, the first in the list is meant.
    ///
    /// It does not get slow in a large folder: the first look into one sorts its names, which takes some 8 bytes of
    /// memory an entry, and every other a few comparisons. Who only walks the tree pays for neither.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("x:\nx:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// assert!(tree.get("x/a.txt").is_some());
    /// assert!(tree.get("/x/").unwrap().as_folder().unwrap().children().next().is_none());
    /// assert!(tree.get("x/b.txt").is_none());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Node<'_>> {
        self.root().get(path)
    }

    /// Returns all entries that `path` names, in the order of the list.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("https://vip.123pan.cn/1/a\nhttps://vip.123pan.cn/2/a")?;
    /// assert_eq!(tree.get_all("a").count(), 2);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn get_all<'t>(&'t self, path: &str) -> impl Iterator<Item = Node<'t>> + use<'t> {
        self.find(ROOT, path)
    }

    /// Returns every entry whose name another one, earlier in the same folder, has as well.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("https://vip.123pan.cn/1/a\nhttps://vip.123pan.cn/2/a")?;
    /// let second = tree.duplicates().next().and_then(|node| node.as_file()).unwrap();
    /// assert_eq!(second.url(), "https://vip.123pan.cn/2/a");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn duplicates(&self) -> impl Iterator<Item = Node<'_>> {
        let mut seen = HashSet::new();
        self.walk().filter(move |node| !seen.insert((self.entries[node.index()].parent, node.name())))
    }

    /// Adds up the sizes of all files.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("5:https://vip.123pan.cn/1812/a\nhttps://vip.123pan.cn/1812/b")?;
    /// assert_eq!(tree.total_size().bytes(), 5);
    /// assert!(!tree.total_size().is_exact());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn total_size(&self) -> TotalSize {
        self.root().total_size()
    }

    /// Returns the root for adding entries to it.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::UrlTree;
    /// use pan123_link::tree::FileLine;
    ///
    /// let mut tree = UrlTree::new();
    /// let mut root = tree.root_mut();
    /// root.add_folder("docs")?.add_file(FileLine::new("https://vip.123pan.cn/1812/a.txt").size(10))?;
    /// root.add_file(FileLine::new("https://vip.123pan.cn/1812/b.txt"))?;
    /// assert_eq!(
    ///     tree.to_string(),
    ///     "docs:\n  10:https://vip.123pan.cn/1812/a.txt\nhttps://vip.123pan.cn/1812/b.txt\n"
    /// );
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn root_mut(&mut self) -> FolderMut<'_> {
        FolderMut::new(self, ROOT)
    }

    /// Returns the first folder that `path` names, for adding entries to it.
    ///
    /// # Example
    ///
    /// ```
    /// let mut tree = pan123_link::UrlTree::parse("docs:")?;
    /// tree.folder_mut("docs").unwrap().add_folder("old")?;
    /// assert_eq!(tree.to_string(), "docs:\n  old:\n");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn folder_mut(&mut self, path: &str) -> Option<FolderMut<'_>> {
        let index = self.get_all(path).find_map(Node::as_folder)?.index();
        Some(FolderMut::new(self, index))
    }

    /// Prints the list in the format of `dialect`, if that format can say all that is in it.
    ///
    /// For [`Dialect::DirectLink`] this is what `to_string` gives, but a file with a name of its own is refused
    /// rather than printed without it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotExpressible`](crate::ErrorKind::NotExpressible) if a file has a name that the format has
    /// no place for: in `DirectLink` any that is not its URL's, in `Named` one with a colon, or with white space or a
    /// byte-order mark in front.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::UrlTree;
    /// use pan123_link::tree::Dialect;
    ///
    /// let text = "a.txt:10:1694101621:https://vip.123pan.cn/1812/x\n";
    /// let tree = UrlTree::reader().dialect(Dialect::Named).read(text)?;
    /// assert_eq!(tree.to_text(Dialect::Named)?, text);
    /// assert!(tree.to_text(Dialect::DirectLink).is_err());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn to_text(&self, dialect: Dialect) -> Result<String, Error> {
        super::print::to_text(self, dialect)
    }

    /// Adds an entry behind the others of the folder at `parent` and returns its place.
    pub(crate) fn add(&mut self, parent: usize, content: Content) -> usize {
        let index = self.entries.len();
        // The root is no level of its own: what it holds has depth 0.
        let depth = if parent == ROOT { 0 } else { self.depth(parent) + 1 };
        self.entries.push(Entry { parent, depth, content });
        let behind = self.folder(parent).and_then(|folder| folder.by_name.get()).map(|by_name| {
            let name = self.name(index);
            by_name.partition_point(|&child| self.name(child) <= name)
        });
        if let Content::Folder(folder) = &mut self.entries[parent].content {
            folder.children.push(index);
            if let (Some(by_name), Some(behind)) = (folder.by_name.get_mut(), behind) {
                by_name.insert(behind, index);
            }
        }
        index
    }

    /// Returns all entries that `path` names from the folder at `start` on, in the order of the list.
    pub(crate) fn find<'t>(&'t self, start: usize, path: &str) -> impl Iterator<Item = Node<'t>> + use<'t> {
        let path = path.trim_matches('/');
        let names = path.split('/').filter(|_| !path.is_empty());
        // All entries that match the path so far. Each is looked at once, so many equal names cost no more.
        let mut found = vec![start];
        for name in names {
            found = found.iter().flat_map(|&folder| self.children_called(folder, name)).copied().collect();
        }
        found.into_iter().map(|index| Node::new(self, index))
    }

    /// Returns the children of that name, in the order of the list.
    fn children_called(&self, index: usize, name: &str) -> &[usize] {
        let Some(folder) = self.folder(index) else { return &[] };
        let by_name = folder.by_name.get_or_init(|| {
            let mut children = folder.children.clone();
            children.sort_by_key(|&child| self.name(child));
            children
        });
        &by_name[range_of(by_name, name, |child| self.name(child))]
    }

    fn folder(&self, index: usize) -> Option<&FolderEntry> {
        match self.content(index) {
            Content::Folder(folder) => Some(folder),
            Content::File(_) => None,
        }
    }

    pub(crate) fn content(&self, index: usize) -> &Content {
        &self.entries[index].content
    }

    pub(crate) fn name(&self, index: usize) -> &str {
        match self.content(index) {
            Content::Folder(folder) => &folder.name,
            Content::File(file) => &file.name,
        }
    }

    pub(crate) fn children(&self, index: usize) -> &[usize] {
        self.folder(index).map_or(&[], |folder| &folder.children)
    }

    pub(crate) fn depth(&self, index: usize) -> usize {
        self.entries[index].depth
    }

    pub(crate) fn parent(&self, index: usize) -> usize {
        self.entries[index].parent
    }
}

/// Returns where in `by_name` the entries of that name are, by halving.
fn range_of<'t>(by_name: &[usize], name: &str, name_of: impl Fn(usize) -> &'t str) -> Range<usize> {
    let start = by_name.partition_point(|&child| name_of(child) < name);
    let count = by_name[start..].partition_point(|&child| name_of(child) == name);
    start..start + count
}

impl Default for UrlTree {
    fn default() -> UrlTree {
        UrlTree::new()
    }
}

impl FromStr for UrlTree {
    type Err = Error;

    fn from_str(text: &str) -> Result<UrlTree, Error> {
        UrlTree::parse(text)
    }
}

impl PartialEq for UrlTree {
    fn eq(&self, other: &UrlTree) -> bool {
        type Key<'a> = (usize, &'a str, Option<&'a str>, Option<u64>, Option<UnixTime>);
        fn key<'a>(node: &Node<'a>) -> Key<'a> {
            let file = node.as_file();
            let size = file.and_then(File::size);
            (node.depth(), node.name(), file.map(File::url), size, file.and_then(File::modified))
        }
        self.walk().map(|node| key(&node)).eq(other.walk().map(|node| key(&node)))
    }
}

impl Eq for UrlTree {}

impl fmt::Debug for UrlTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.walk().map(WithoutPath)).finish()
    }
}

/// What a tree holds at one place.
#[derive(Clone)]
struct Entry {
    parent: usize,
    depth: usize,
    content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    Folder(FolderEntry),
    File(FileEntry),
}

impl Content {
    pub(crate) fn folder(name: String) -> Content {
        Content::Folder(FolderEntry { name, children: Vec::new(), by_name: OnceLock::new() })
    }
}

#[derive(Clone)]
pub(crate) struct FolderEntry {
    name: String,
    /// In the order of the list.
    children: Vec<usize>,
    /// The same by their names, those of one name in the order of the list; made when a name is first looked for.
    by_name: OnceLock<Vec<usize>>,
}

#[derive(Clone)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<UnixTime>,
    pub(crate) is_ambiguous: bool,
}

/// The place of the root in every tree.
const ROOT: usize = 0;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_name_among_many_is_found_by_looking_at_few() {
        let names: Vec<String> = (0..100_000).map(|number| format!("{:06}", number / 2)).collect();
        let by_name: Vec<usize> = (0..names.len()).collect();
        for (name, expected) in [("000000", 0..2), ("025000", 50_000..50_002), ("x", 100_000..100_000), ("", 0..0)] {
            let looked_at = Cell::new(0);
            let range = range_of(&by_name, name, |child| {
                looked_at.set(looked_at.get() + 1);
                &names[child]
            });
            assert_eq!(range, expected, "{name}");
            assert!(looked_at.get() < 50, "{name}: {}", looked_at.get());
        }
    }
}
