//! Rapid-upload links (秒传): lists of MD5, size and path, by which files are put into a drive without their bytes.
//!
//! They are the community's and no interface of the service. [`RapidLink::parse`] reads every form in circulation: the
//! text links with their prefixes, the JSON files, share codes and `123://` addresses. [`RapidLink::import`] puts the
//! files into any drive that is an [`InstantUpload`].
//!
//! Protocol: `rapid-links.md`.

mod base62;
mod import;
mod json;
mod text;

use std::{fmt, str::FromStr};

pub use self::{
    import::{Import, ImportOutcome, InstantUpload},
    text::{CommonFolder, EtagForm},
};
use crate::{Error, Md5, Result};

/// One file of a [`RapidLink`]: what the service knows its content by, and where it is to go.
///
/// The path is always relative and stays below the folder that it is put in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RapidFile {
    md5: Md5,
    size: u64,
    path: String,
    s3_key_flag: Option<String>,
}

impl RapidFile {
    /// The longest path, in bytes: what Linux takes, and five of the service's longest names in Chinese.
    ///
    /// Links name a folder once for many files. Without a limit, a short one could ask for gigabytes of paths.
    pub const LONGEST_PATH: usize = 4096;

    /// Makes an entry. Empty parts of the path, `.` and a leading `/` are dropped.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when nothing is left of the path, when it is longer than
    /// [`LONGEST_PATH`](Self::LONGEST_PATH), or when it holds `..`, a NUL, or a drive or network prefix of Windows.
    pub fn new(md5: Md5, size: u64, path: impl AsRef<str>) -> Result<Self> {
        Ok(Self { md5, size, path: clean_path(path.as_ref())?, s3_key_flag: None })
    }

    /// Adds the flag that some links carry; a logged-in account can download by it.
    #[must_use]
    pub fn with_s3_key_flag(mut self, flag: impl Into<String>) -> Self {
        self.s3_key_flag = Some(flag.into()).filter(|flag| !flag.is_empty());
        self
    }

    /// Returns the MD5 of the content.
    pub fn md5(&self) -> Md5 {
        self.md5
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the relative path, its parts joined by `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the path of the folder that it goes into; empty when there is none on the way.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Returns the name, the last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, name)| name)
    }

    /// Returns the flag, where the link had one.
    pub fn s3_key_flag(&self) -> Option<&str> {
        self.s3_key_flag.as_deref()
    }
}

/// Keeps a path below the folder that it is put in.
fn clean_path(path: &str) -> Result<String> {
    check_length(path.len())?;
    if path.contains('\0') {
        return Err(Error::invalid("the path holds a NUL"));
    }
    let mut clean = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| names_something(part)) {
        if part == ".." {
            return Err(Error::invalid("the path leads out of its folder"));
        }
        if !clean.is_empty() {
            clean.push('/');
        }
        clean.push_str(part);
    }
    // Looked at last: what was dropped in front must not hide it.
    match clean.as_bytes() {
        [] => Err(Error::invalid("the path is empty")),
        [b'\\', b'\\', ..] => Err(Error::invalid("the path has a network prefix")),
        [letter, b':', ..] if letter.is_ascii_alphabetic() => Err(Error::invalid("the path has a drive prefix")),
        _ => Ok(clean),
    }
}

/// Says whether a part of a path stands for a folder or file, and not for nothing.
fn names_something(part: &str) -> bool {
    !matches!(part, "" | ".")
}

/// Refuses a path by its length, before any memory is spent on it.
fn check_length(bytes: usize) -> Result<()> {
    if bytes > RapidFile::LONGEST_PATH {
        return Err(Error::invalid(format!("the path is longer than {} bytes", RapidFile::LONGEST_PATH)));
    }
    Ok(())
}

/// Files that can be put into a drive by their digests, as read from a link or collected from a listing.
///
/// # Example
///
/// ```
/// use pan123_core::{Md5, rapid::{RapidFile, RapidLink}};
///
/// let link = RapidLink::parse("123FLCPV2$影片/%2PY6zCz4ZUQkeY47zJ8txM#5#第一季/E01.mkv")?;
/// assert_eq!(link.files()[0].path(), "影片/第一季/E01.mkv");
/// assert_eq!(link.files()[0].md5(), Md5::of(b"hello"));
///
/// let mine: RapidLink = [RapidFile::new(Md5::of(b""), 0, "空文件.txt")?].into_iter().collect();
/// assert_eq!(mine.to_string(), "123FSLinkV2$6sfSqfOwzkG7dz3i6Vldpk#0#空文件.txt");
/// # Ok::<(), pan123_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RapidLink {
    files: Vec<RapidFile>,
    rejected: Vec<Rejected>,
}

/// An entry of a link that could not be read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// Its place in the link, counted from 1.
    pub number: usize,
    /// What is wrong with it.
    pub error: Error,
}

impl RapidLink {
    /// Reads a link in any of its forms. Entries that cannot be read are [`rejected`](Self::rejected), the others kept.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when the text is of no known form, or no entry of it can be read:
    /// then with what is wrong with the first.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        match text.bytes().next() {
            None => Err(Error::invalid("the link has no entries")),
            // Before JSON, because a name may begin with a bracket.
            Some(_) if text::is_address(text) => text::read_addresses(text),
            Some(b'{' | b'[') => json::read(text),
            Some(_) if text.contains(['#', '$']) => text::read(text),
            // They are not whole, and each can say what is wrong with it.
            Some(_) if text.matches('|').nth(1).is_some() => text::read_addresses(text),
            Some(_) => json::read_share_code(text.trim_end()),
        }
    }

    /// Returns the files, in the order of the link; the same content may occur more than once.
    pub fn files(&self) -> &[RapidFile] {
        &self.files
    }

    /// Returns what could not be read.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Writes the text form. Where a name holds `#`, `$`, `%` or a line break, `_` stands in its place: the form cannot
    /// carry them.
    pub fn to_text(&self, etags: EtagForm, common: CommonFolder) -> String {
        text::write(&self.files, etags, common)
    }

    /// Writes the JSON form, which carries every name as it is.
    pub fn to_json(&self) -> String {
        json::write(&self.files)
    }

    /// Sorts what was read, and refuses a link of which nothing is good.
    fn of_entries(entries: impl IntoIterator<Item = Result<RapidFile>>, empty: &'static str) -> Result<Self> {
        let mut link = Self::default();
        for (place, entry) in entries.into_iter().enumerate() {
            match entry {
                Ok(file) => link.files.push(file),
                Err(error) => link.rejected.push(Rejected { number: place + 1, error }),
            }
        }
        match link.rejected.first() {
            _ if !link.files.is_empty() => Ok(link),
            Some(first) => Err(Error::invalid(format!("entry {} cannot be read: {}", first.number, first.error))),
            None => Err(Error::invalid(empty)),
        }
    }
}

impl FromIterator<RapidFile> for RapidLink {
    fn from_iter<I: IntoIterator<Item = RapidFile>>(files: I) -> Self {
        Self { files: files.into_iter().collect(), rejected: Vec::new() }
    }
}

impl FromStr for RapidLink {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for RapidLink {
    /// Writes the shortest text form: etags in base 62, and a common folder if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(EtagForm::Base62, CommonFolder::Auto))
    }
}

/// Reads an etag that may have either form: 32 hex digits are always hex, as no number of 32 base-62 digits is an MD5.
fn read_etag(text: &str) -> Result<Md5> {
    if text.len() == 32 { read_hex_etag(text) } else { base62::decode(text) }
}

fn read_hex_etag(text: &str) -> Result<Md5> {
    text.parse().map_err(|_| Error::invalid("the etag is not an MD5 in hex"))
}

/// Makes an entry whose path is below the common folder.
fn file_below(common: &str, md5: Md5, size: u64, path: &str) -> Result<RapidFile> {
    // An empty path must stay empty, or a folder would pass as a file.
    if common.is_empty() || !path.split('/').any(names_something) {
        return RapidFile::new(md5, size, path);
    }
    check_length(common.len() + 1 + path.len())?;
    RapidFile::new(md5, size, format!("{common}/{path}"))
}

/// Returns the folder that all files are in, without a final slash; empty when there is none.
fn common_folder(files: &[RapidFile]) -> &str {
    let mut folders = files.iter().map(RapidFile::folder);
    let Some(mut common) = folders.next() else {
        return "";
    };
    for folder in folders {
        let is_in =
            |common: &str| folder == common || folder.strip_prefix(common).is_some_and(|rest| rest.starts_with('/'));
        while !common.is_empty() && !is_in(common) {
            common = common.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }
    common
}

#[cfg(test)]
mod tests;
