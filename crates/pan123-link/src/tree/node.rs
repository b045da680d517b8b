//! Looking at a tree: folders, files, and walks over them.

use std::fmt;
use std::slice;

use super::url_tree::{Content, FileEntry};
use crate::parts::redacted;
use crate::{Error, SignedUrl, Signer, UnixTime, UrlTree};

/// An entry of a tree.
///
/// # Example
///
/// ```
/// use pan123_link::UrlTree;
/// use pan123_link::tree::Node;
///
/// let tree = UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
/// for node in tree.walk() {
///     match node {
///         Node::Folder(folder) => println!("{}/", folder.path()),
///         Node::File(file) => println!("{}", file.path()),
///     }
/// }
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy)]
pub enum Node<'t> {
    /// A folder.
    Folder(Folder<'t>),
    /// A link.
    File(File<'t>),
}

impl<'t> Node<'t> {
    pub(crate) fn new(tree: &'t UrlTree, index: usize) -> Node<'t> {
        match tree.content(index) {
            Content::Folder(_) => Node::Folder(Folder { tree, index }),
            Content::File(entry) => Node::File(File { tree, index, entry }),
        }
    }

    /// Returns the last part of the path; that of the root is empty.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("https://vip.123pan.cn/1812/a%20b.txt")?;
    /// assert_eq!(tree.walk().next().unwrap().name(), "a b.txt");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn name(self) -> &'t str {
        let (tree, index) = self.place();
        tree.name(index)
    }

    /// Returns the names from the root to this entry, joined by `/`; that of the root is empty.
    ///
    /// Where names occur twice, [`UrlTree::get`] may find another entry under it.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.walk().last().unwrap().path(), "docs/a.txt");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn path(self) -> String {
        let (tree, index) = self.place();
        let parents = std::iter::successors(Some(index), |&index| Some(tree.parent(index)));
        let mut names: Vec<&str> = parents.map(|index| tree.name(index)).take_while(|name| !name.is_empty()).collect();
        names.reverse();
        names.join("/")
    }

    /// Returns the level in the list: 0 for what stands at its left edge.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.get("docs/a.txt").unwrap().depth(), 1);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn depth(self) -> usize {
        let (tree, index) = self.place();
        tree.depth(index)
    }

    /// Returns the file, if it is one.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:")?;
    /// assert!(tree.get("docs").unwrap().as_file().is_none());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn as_file(self) -> Option<File<'t>> {
        match self {
            Node::File(file) => Some(file),
            Node::Folder(_) => None,
        }
    }

    /// Returns the folder, if it is one.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:")?;
    /// assert!(tree.get("docs").unwrap().as_folder().is_some());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn as_folder(self) -> Option<Folder<'t>> {
        match self {
            Node::Folder(folder) => Some(folder),
            Node::File(_) => None,
        }
    }

    pub(crate) fn index(self) -> usize {
        self.place().1
    }

    fn place(self) -> (&'t UrlTree, usize) {
        match self {
            Node::Folder(Folder { tree, index }) | Node::File(File { tree, index, .. }) => (tree, index),
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Folder(folder) => folder.fmt(f),
            Node::File(file) => file.fmt(f),
        }
    }
}

/// An entry in a list of many, where its path would repeat those of the folders above it.
pub(crate) struct WithoutPath<'t>(pub(crate) Node<'t>);

impl fmt::Debug for WithoutPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WithoutPath(node) = self;
        let Some(file) = node.as_file() else {
            return f.debug_struct("Folder").field("depth", &node.depth()).field("name", &node.name()).finish();
        };
        f.debug_struct("File")
            .field("depth", &node.depth())
            .field("name", &file.name())
            .field("size", &file.size())
            .field("modified", &file.modified())
            .field("url", &redacted(file.url()))
            .finish()
    }
}

/// A folder of a tree, or its root.
///
/// # Example
///
/// ```
/// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
/// let docs = tree.get("docs").and_then(|node| node.as_folder()).unwrap();
/// assert_eq!(docs.children().count(), 1);
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Folder<'t> {
    tree: &'t UrlTree,
    index: usize,
}

impl<'t> Folder<'t> {
    pub(crate) fn new(tree: &'t UrlTree, index: usize) -> Folder<'t> {
        Folder { tree, index }
    }

    /// Returns the folder's name; that of the root is empty.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(pan123_link::UrlTree::new().root().name(), "");
    /// ```
    #[must_use]
    pub fn name(self) -> &'t str {
        Node::Folder(self).name()
    }

    /// Returns the [path](Node::path) from the root to this folder.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(pan123_link::UrlTree::new().root().path(), "");
    /// ```
    #[must_use]
    pub fn path(self) -> String {
        Node::Folder(self).path()
    }

    /// Returns what is directly in this folder, in the order of the list.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.root().children().count(), 1);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn children(self) -> Children<'t> {
        Children { tree: self.tree, rest: self.tree.children(self.index).iter() }
    }

    /// Returns everything below this folder, each folder before what it holds.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.root().walk().count(), 2);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn walk(self) -> Walk<'t> {
        Walk { open: vec![self.children()] }
    }

    /// Returns every file below this folder, in the order of the list.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// let docs = tree.get("docs").and_then(|node| node.as_folder()).unwrap();
    /// assert_eq!(docs.files().next().unwrap().name(), "a.txt");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn files(self) -> impl Iterator<Item = File<'t>> {
        self.walk().filter_map(Node::as_file)
    }

    /// Returns what `path` names from this folder on, or `None`, as [`UrlTree::get`] does from the root on.
    ///
    /// No path leads out of the folder: `..` is a name that nothing has.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// let docs = tree.get("docs").and_then(|node| node.as_folder()).unwrap();
    /// assert_eq!(docs.get("/a.txt").unwrap().path(), "docs/a.txt");
    /// assert!(docs.get("../docs").is_none());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn get(self, path: &str) -> Option<Node<'t>> {
        self.tree.find(self.index, path).next()
    }

    /// Adds up the sizes of all files below this folder.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  5:https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.root().total_size().bytes(), 5);
    /// assert!(tree.root().total_size().is_exact());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn total_size(self) -> TotalSize {
        let start = TotalSize { bytes: 0, is_exact: true };
        self.files().fold(start, |total, file| {
            let sum = file.size().and_then(|size| total.bytes.checked_add(size));
            TotalSize {
                bytes: sum.unwrap_or_else(|| total.bytes.saturating_add(file.size().unwrap_or(0))),
                is_exact: total.is_exact && sum.is_some(),
            }
        })
    }

    pub(crate) fn index(self) -> usize {
        self.index
    }
}

impl fmt::Debug for Folder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Folder").field(&self.path()).finish()
    }
}

/// A link in a tree.
///
/// # Example
///
/// ```
/// let tree = pan123_link::UrlTree::parse("10:https://vip.123pan.cn/1812/a.txt")?;
/// let file = tree.files().next().unwrap();
/// assert_eq!((file.name(), file.size(), file.modified()), ("a.txt", Some(10), None));
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct File<'t> {
    tree: &'t UrlTree,
    index: usize,
    entry: &'t FileEntry,
}

impl<'t> File<'t> {
    /// Returns the file's name: the one it was given, or else the last segment of its URL's path, decoded.
    ///
    /// A segment stays as written where decoding would give no safe name, for instance one with a slash in it.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("https://vip.123pan.cn/1812/%E7%A7%8B.txt?a=b")?;
    /// assert_eq!(tree.files().next().unwrap().name(), "秋.txt");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn name(self) -> &'t str {
        &self.entry.name
    }

    /// Returns the [path](Node::path) from the root to this file.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.files().next().unwrap().path(), "docs/a.txt");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn path(self) -> String {
        Node::File(self).path()
    }

    /// Returns the link as written in the list, without a signature unless the list has one.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("HTTPS://vip.123pan.cn/1812/a b.txt")?;
    /// assert_eq!(tree.files().next().unwrap().url(), "HTTPS://vip.123pan.cn/1812/a b.txt");
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn url(self) -> &'t str {
        &self.entry.url
    }

    /// Returns the size in bytes that the list states, if it does. The service was not asked.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("10:0:https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.files().next().unwrap().size(), Some(10));
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn size(self) -> Option<u64> {
        self.entry.size
    }

    /// Returns the time of the last modification that the list states, if it does.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::UnixTime;
    ///
    /// let tree = pan123_link::UrlTree::parse(":1694101621:https://vip.123pan.cn/1812/a.txt")?;
    /// let file = tree.files().next().unwrap();
    /// assert_eq!(file.modified(), Some(UnixTime::from_secs(1_694_101_621)));
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn modified(self) -> Option<UnixTime> {
        self.entry.modified
    }

    /// Says whether a number alone in front of the link was read as its time and could as well be its size.
    ///
    /// A program may warn about it; [`LoneNumber`](crate::tree::LoneNumber) tells the reader which it is.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("1694101621:https://vip.123pan.cn/1812/a.iso")?;
    /// assert!(tree.files().next().unwrap().is_ambiguous());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn is_ambiguous(self) -> bool {
        self.entry.is_ambiguous
    }

    /// Signs the link. Do it when the link is needed, not when the list is read: the validity begins now.
    ///
    /// # Errors
    ///
    /// As for [`Signer::sign`]: a list may hold links that can be shown but not signed.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{Signer, UrlTree};
    ///
    /// let tree = UrlTree::parse("https://vip.123pan.cn/1812/a.txt")?;
    /// let url = tree.files().next().unwrap().sign(&Signer::new(1812, "ZxCv-2468_key")?)?;
    /// assert!(url.as_str().starts_with("https://vip.123pan.cn/1812/a.txt?auth_key="));
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn sign(self, signer: &Signer) -> Result<SignedUrl, Error> {
        signer.sign(self.url())
    }
}

impl fmt::Debug for File<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("path", &self.path())
            .field("size", &self.size())
            .field("modified", &self.modified())
            .field("url", &redacted(self.url()))
            .finish()
    }
}

/// What the files of a folder add up to.
///
/// # Example
///
/// ```
/// let tree = pan123_link::UrlTree::parse("5:https://vip.123pan.cn/1812/a\n6:https://vip.123pan.cn/1812/b")?;
/// assert_eq!(tree.total_size().bytes(), 11);
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TotalSize {
    bytes: u64,
    is_exact: bool,
}

impl TotalSize {
    /// Returns the sum of the sizes that are known.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(pan123_link::UrlTree::new().total_size().bytes(), 0);
    /// ```
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.bytes
    }

    /// Says whether the size of every file is known; if not, the folder is at least as large as it says.
    ///
    /// # Example
    ///
    /// ```
    /// let tree = pan123_link::UrlTree::parse("https://vip.123pan.cn/1812/a")?;
    /// assert!(!tree.total_size().is_exact());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn is_exact(self) -> bool {
        self.is_exact
    }
}

/// What is directly in a folder; made by [`Folder::children`].
///
/// # Example
///
/// ```
/// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
/// assert_eq!(tree.root().children().len(), 1);
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Children<'t> {
    tree: &'t UrlTree,
    rest: slice::Iter<'t, usize>,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        self.rest.next().map(|&index| Node::new(self.tree, index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl ExactSizeIterator for Children<'_> {}

/// Shows what is left.
impl fmt::Debug for Children<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone().map(WithoutPath)).finish()
    }
}

/// Everything below a folder; made by [`Folder::walk`] and [`UrlTree::walk`].
///
/// # Example
///
/// ```
/// let tree = pan123_link::UrlTree::parse("docs:\n  https://vip.123pan.cn/1812/a.txt")?;
/// let names: Vec<&str> = tree.walk().map(|node| node.name()).collect();
/// assert_eq!(names, ["docs", "a.txt"]);
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Walk<'t> {
    /// The folders that were entered and not yet left.
    open: Vec<Children<'t>>,
}

impl<'t> Iterator for Walk<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        loop {
            let Some(node) = self.open.last_mut()?.next() else {
                self.open.pop();
                continue;
            };
            if let Node::Folder(folder) = node {
                self.open.push(folder.children());
            }
            return Some(node);
        }
    }
}
