//! The reader: text to tree, line by line.

use super::build::GREATEST_NUMBER;
use super::names::{BYTE_ORDER_MARK, check_url, name_in_url};
use super::{FileLine, FolderMut};
use crate::parts::scheme_length;
use crate::{Error, ErrorKind, UnixTime, UrlTree};

/// Reads lists of links by rules that the caller can change.
///
/// # Example
///
/// ```
/// use pan123_link::UrlTree;
/// use pan123_link::tree::LoneNumber;
///
/// let reader = UrlTree::reader().lone_number(LoneNumber::Time);
/// let tree = reader.read("5:https://vip.123pan.cn/1812/a.txt")?;
/// assert_eq!(tree.files().next().unwrap().modified().unwrap().as_secs(), 5);
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeReader {
    dialect: Dialect,
    lone_number: LoneNumber,
}

/// What a number alone in front of a link means: in `134847488:https://…` the size, in `1694101621:https://…`
/// the time, says the format's description, and gives no rule.
///
/// Two numbers leave no doubt: `1694101621:0:` is a size, `0:1694101621:` and `:1694101621:` are a time. This
/// crate never prints a number that could be taken for the other.
///
/// # Example
///
/// ```
/// use pan123_link::UrlTree;
/// use pan123_link::tree::LoneNumber;
///
/// let text = "1694101621:https://vip.123pan.cn/1812/a.iso";
/// let tree = UrlTree::reader().lone_number(LoneNumber::Size).read(text)?;
/// assert_eq!(tree.to_string(), "1694101621:0:https://vip.123pan.cn/1812/a.iso\n");
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LoneNumber {
    /// A time if it lies between September 2001 and May 2033 (1000000000 to 1999999999), else a size.
    ///
    /// This misreads sizes from 0.93 to 1.86 GiB; the file then [says so](super::File::is_ambiguous).
    #[default]
    Auto,
    /// Always a size, as AList and OpenList read it.
    Size,
    /// Always a time.
    Time,
}

/// Which fields stand in front of a link.
///
/// It cannot be guessed from the text: `134847488:https://…` is a link with a size in one format and a file
/// called `134847488` in the other.
///
/// # Example
///
/// ```
/// use pan123_link::UrlTree;
/// use pan123_link::tree::Dialect;
///
/// let text = "a.txt:10:https://vip.123pan.cn/1812/x";
/// let tree = UrlTree::reader().dialect(Dialect::Named).read(text)?;
/// assert!(tree.get("a.txt").is_some());
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `size:time:URL`, each optional: the direct-link lists of 123Pan. Files are named by their URL.
    #[default]
    DirectLink,
    /// `name:size:time:URL`, optional from the right: the lists of AList's and OpenList's UrlTree driver.
    Named,
}

impl TreeReader {
    /// Sets what a number alone in front of a link means, instead of [`LoneNumber::Auto`].
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::tree::{LoneNumber, TreeReader};
    ///
    /// let reader = TreeReader::default().lone_number(LoneNumber::Size);
    /// ```
    #[must_use]
    pub fn lone_number(mut self, lone_number: LoneNumber) -> TreeReader {
        self.lone_number = lone_number;
        self
    }

    /// Sets which fields stand in front of a link, instead of [`Dialect::DirectLink`].
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::tree::{Dialect, TreeReader};
    ///
    /// let reader = TreeReader::default().dialect(Dialect::Named);
    /// ```
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> TreeReader {
        self.dialect = dialect;
        self
    }

    /// Reads a list of links.
    ///
    /// # Errors
    ///
    /// As for [`UrlTree::parse`].
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::tree::TreeReader;
    ///
    /// let tree = TreeReader::default().read("https://vip.123pan.cn/1812/a.txt")?;
    /// assert_eq!(tree.files().count(), 1);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn read(&self, text: &str) -> Result<UrlTree, Error> {
        let mut tree = UrlTree::new();
        // The folders that the next line may belong to; the root is the first.
        let mut open = vec![tree.root().index()];
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        for (number, line) in text.split('\n').enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            self.read_line(line, &mut tree, &mut open)
                .map_err(|error| error.at_line(number + 1, line.trim_end_matches('\r')))?;
        }
        Ok(tree)
    }

    fn read_line(&self, line: &str, tree: &mut UrlTree, open: &mut Vec<usize>) -> Result<(), Error> {
        let (level, entry) = split_indentation(line)?;
        if level >= open.len() {
            return Err(Error::new(ErrorKind::IndentedTooDeep, "indented too deep"));
        }
        open.truncate(level + 1);
        let mut folder = FolderMut::new(tree, open[level]);

        let url = find_url(entry);
        match (url, entry.strip_suffix(':')) {
            (Some(start), _) => {
                let (info, url) = entry.split_at(start);
                check_url(url)?;
                if self.dialect == Dialect::DirectLink {
                    // Before the fields, because a line without a file is the greater mistake of the two.
                    name_in_url(url)?;
                }
                folder.add_file(self.read_info(info, url)?)
            }
            (None, Some(name)) => {
                let index = folder.add_folder(name)?.index();
                open.push(index);
                Ok(())
            }
            (None, None) if entry.contains(WIDE_COLON) => {
                Err(Error::new(ErrorKind::NoUrl, format!("no url{WIDE_COLON_HINT}: a folder's name ends in ':'")))
            }
            (None, None) => Err(Error::new(ErrorKind::NoUrl, "no url")),
        }
    }

    fn read_info(&self, info: &str, url: &str) -> Result<FileLine, Error> {
        let file = FileLine::new(url);
        if info.is_empty() {
            return Ok(file);
        }
        let fields = info.strip_suffix(':').ok_or_else(|| {
            let hint = if info.contains(WIDE_COLON) { WIDE_COLON_HINT } else { "" };
            Error::new(ErrorKind::MissingColon, format!("text before the url must end with ':'{hint}"))
        })?;
        let fields: Vec<&str> = fields.split(':').collect();
        self.read_fields(&fields, file).map_err(|error| match self.dialect {
            Dialect::DirectLink if fields.first().is_some_and(|first| is_name(first)) => {
                error.with_hint("; a list that puts names in front of its links is read as `Dialect::Named`")
            }
            _ => error,
        })
    }

    fn read_fields(&self, fields: &[&str], file: FileLine) -> Result<FileLine, Error> {
        match (self.dialect, fields) {
            (Dialect::DirectLink, [number]) => self.read_lone_number(number, file),
            (Dialect::DirectLink, ["", time]) => Ok(with_time(file, number(time)?)),
            (Dialect::DirectLink, [size, time]) => with_size_and_time(file, size, time),
            (Dialect::Named, [name]) => Ok(file.name(*name)),
            (Dialect::Named, [name, size]) => Ok(file.name(*name).size(number(size)?)),
            (Dialect::Named, [name, size, time]) => with_size_and_time(file.name(*name), size, time),
            _ => Err(Error::new(ErrorKind::TooManyFields, "too many fields")),
        }
    }

    fn read_lone_number(&self, text: &str, mut file: FileLine) -> Result<FileLine, Error> {
        let number = number(text)?;
        let could_be_both = could_be_size_or_time(number);
        let is_time = match self.lone_number {
            LoneNumber::Auto => could_be_both,
            LoneNumber::Size => false,
            LoneNumber::Time => true,
        };
        file.is_ambiguous = could_be_both && self.lone_number == LoneNumber::Auto;
        Ok(if is_time { with_time(file, number) } else { file.size(number) })
    }
}

/// Says whether a number alone in front of a link could be taken for a time as well as for a size.
pub(crate) fn could_be_size_or_time(number: u64) -> bool {
    (1_000_000_000..=1_999_999_999).contains(&number)
}

/// Splits a line that is not blank into its level and its entry, without white space behind it.
fn split_indentation(line: &str) -> Result<(usize, &str), Error> {
    let entry = line.trim_start_matches(' ');
    if entry.starts_with(char::is_whitespace) {
        return Err(Error::new(ErrorKind::IndentationNotSpaces, "indentation must be spaces"));
    }
    let spaces = line.len() - entry.len();
    if spaces % 2 == 1 {
        return Err(Error::new(ErrorKind::OddIndentation, "odd indentation"));
    }
    Ok((spaces / 2, entry.trim_end()))
}

/// Returns where the first URL of a line begins.
fn find_url(entry: &str) -> Option<usize> {
    let mut places = entry.char_indices().map(|(place, _)| place);
    places.find(|&place| scheme_length(&entry[place..]) > 0)
}

fn with_size_and_time(file: FileLine, size: &str, time: &str) -> Result<FileLine, Error> {
    let file = match number(size)? {
        // With a time behind it, 0 is how lists say that they do not know the size.
        0 => file,
        size => file.size(size),
    };
    Ok(with_time(file, number(time)?))
}

fn with_time(file: FileLine, time: u64) -> FileLine {
    file.modified(UnixTime::from_secs(time))
}

fn number(text: &str) -> Result<u64, Error> {
    let number = text.parse().ok().filter(|&number| is_digits(text) && number <= GREATEST_NUMBER);
    number.ok_or_else(|| {
        let hint = if text.contains(WIDE_COLON) && !is_name(text) { WIDE_COLON_HINT } else { "" };
        Error::new(ErrorKind::NotANumber, format!("not a number: '{}'{hint}", shown(text)))
    })
}

/// Says whether a field that is no number was probably meant as a name, and not as numbers with a wide colon between.
fn is_name(field: &str) -> bool {
    !field.split(WIDE_COLON).all(is_digits)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the beginning of a field or name for an error's text: one line, and no query in case it is a mangled link.
pub(crate) fn shown(field: &str) -> String {
    const LONGEST: usize = 40;
    let end = field.find(['?', '#']).unwrap_or(field.len());
    let shown: String = field[..end].chars().take(LONGEST).flat_map(char::escape_debug).collect();
    let is_whole = field.chars().count() <= LONGEST && end == field.len();
    if is_whole { shown } else { shown + "…" }
}

/// What Chinese keyboards give for a colon.
const WIDE_COLON: char = '：';

const WIDE_COLON_HINT: &str = ", and the colon '：' is a wide one";
