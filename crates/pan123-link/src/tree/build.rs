//! Making a tree in code: folders and links, checked when they are added.

use std::fmt;

use super::names::{check_file_name, check_folder_name, check_url, name_in_url};
use super::url_tree::{Content, FileEntry};
use crate::parts::redacted;
use crate::{Error, ErrorKind, UnixTime, UrlTree};

/// A folder of a tree, for adding entries to it.
///
/// # Example
///
/// ```
/// let mut tree = pan123_link::UrlTree::new();
/// let mut docs = tree.root_mut().add_folder("docs")?;
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Debug)]
pub struct FolderMut<'t> {
    tree: &'t mut UrlTree,
    index: usize,
}

impl<'t> FolderMut<'t> {
    pub(crate) fn new(tree: &'t mut UrlTree, index: usize) -> FolderMut<'t> {
        FolderMut { tree, index }
    }

    /// Adds a folder behind what is there, and returns it for adding entries to it.
    ///
    /// A name that is taken is not refused; the list then has two folders of that name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidName`] if the name is empty, `.`, `..`, begins with white space or a byte-order mark, or
    /// holds a slash, a line break or a NUL.
    ///
    /// # Example
    ///
    /// ```
    /// let mut tree = pan123_link::UrlTree::new();
    /// tree.root_mut().add_folder("docs")?.add_folder("old")?;
    /// assert!(tree.get("docs/old").is_some());
    /// assert!(tree.root_mut().add_folder("a/b").is_err());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn add_folder(&mut self, name: impl Into<String>) -> Result<FolderMut<'_>, Error> {
        let name = name.into();
        check_folder_name(&name)?;
        let index = self.tree.add(self.index, Content::folder(name));
        Ok(FolderMut::new(self.tree, index))
    }

    /// Adds a folder as [`add_folder`](FolderMut::add_folder) does, and leaves this one for it.
    ///
    /// For programs that descend in a loop: the result does not borrow from this folder.
    ///
    /// # Errors
    ///
    /// As for [`add_folder`](FolderMut::add_folder).
    ///
    /// # Example
    ///
    /// ```
    /// let mut tree = pan123_link::UrlTree::new();
    /// let mut folder = tree.root_mut();
    /// for name in ["docs", "old", "2019"] {
    ///     folder = folder.into_folder(name)?;
    /// }
    /// assert!(tree.get("docs/old/2019").is_some());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn into_folder(mut self, name: impl Into<String>) -> Result<FolderMut<'t>, Error> {
        let index = self.add_folder(name)?.index;
        Ok(FolderMut::new(self.tree, index))
    }

    /// Adds a file behind what is there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUrl`] if the URL is not `http` or `https`. [`ErrorKind::InvalidUrl`] if it has a control
    /// character or ends in white space. [`ErrorKind::NoFileName`] if its path names no file and the file was not
    /// given a name; [`ErrorKind::InvalidName`] if it was given one that is empty, `.` or `..`, or holds a slash, a
    /// line break or a NUL. [`ErrorKind::NotANumber`] if its size or time is above 2^63 - 1.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::UrlTree;
    /// use pan123_link::tree::FileLine;
    ///
    /// let mut tree = UrlTree::new();
    /// tree.root_mut().add_file(FileLine::new("https://vip.123pan.cn/1812/a%20b.txt"))?;
    /// assert!(tree.get("a b.txt").is_some());
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn add_file(&mut self, file: FileLine) -> Result<(), Error> {
        check_url(&file.url)?;
        let name = match file.name {
            Some(name) => {
                check_file_name(&name)?;
                name
            }
            None => name_in_url(&file.url)?.into_owned(),
        };
        let seconds = file.modified.map(UnixTime::as_secs);
        if file.size.max(seconds) > Some(GREATEST_NUMBER) {
            return Err(Error::new(ErrorKind::NotANumber, "size or time above 2^63 - 1"));
        }
        self.tree.add(
            self.index,
            Content::File(FileEntry {
                name,
                url: file.url,
                size: file.size,
                modified: file.modified.filter(|time| time.as_secs() > 0),
                is_ambiguous: file.is_ambiguous,
            }),
        );
        Ok(())
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

/// A link to be added to a tree; size and time are unknown unless given.
///
/// # Example
///
/// ```
/// use pan123_link::UnixTime;
/// use pan123_link::tree::FileLine;
///
/// let line = FileLine::new("https://vip.123pan.cn/1812/a.txt")
///     .size(10)
///     .modified(UnixTime::from_secs(1_694_101_621));
/// ```
#[derive(Clone)]
pub struct FileLine {
    name: Option<String>,
    url: String,
    size: Option<u64>,
    modified: Option<UnixTime>,
    pub(crate) is_ambiguous: bool,
}

impl FileLine {
    /// Makes the line of a link that is named by the last segment of its path.
    ///
    /// The URL is checked when the line is [added](FolderMut::add_file).
    ///
    /// # Example
    ///
    /// ```
    /// let line = pan123_link::tree::FileLine::new("https://vip.123pan.cn/1812/a.txt");
    /// ```
    #[must_use]
    pub fn new(url: impl Into<String>) -> FileLine {
        FileLine { name: None, url: url.into(), size: None, modified: None, is_ambiguous: false }
    }

    /// Gives the file a name of its own, which only [`Dialect::Named`](super::Dialect::Named) can print.
    ///
    /// # Example
    ///
    /// ```
    /// let line = pan123_link::tree::FileLine::new("https://vip.123pan.cn/1812/x").name("a.txt");
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> FileLine {
        self.name = Some(name.into());
        self
    }

    /// Sets the size in bytes.
    ///
    /// The format has no place for an empty file with a time: such a size is read back as unknown.
    ///
    /// # Example
    ///
    /// ```
    /// let line = pan123_link::tree::FileLine::new("https://vip.123pan.cn/1812/a.txt").size(10);
    /// ```
    #[must_use]
    pub fn size(mut self, bytes: u64) -> FileLine {
        self.size = Some(bytes);
        self
    }

    /// Sets the time of the last modification; 0 stands for an unknown one.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::UnixTime;
    /// use pan123_link::tree::FileLine;
    ///
    /// let line = FileLine::new("https://vip.123pan.cn/1812/a.txt").modified(UnixTime::now());
    /// ```
    #[must_use]
    pub fn modified(mut self, time: UnixTime) -> FileLine {
        self.modified = Some(time);
        self
    }
}

impl fmt::Debug for FileLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLine")
            .field("name", &self.name)
            .field("url", &redacted(&self.url))
            .field("size", &self.size)
            .field("modified", &self.modified)
            .finish()
    }
}

/// The greatest size and time that the format allows.
pub(crate) const GREATEST_NUMBER: u64 = u64::MAX / 2;
