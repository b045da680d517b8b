//! Looks into the zip archives that are in the drive, and takes files out of them.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use zip::{ZipArchive, ZipReadOptions};

use crate::content::Content;

/// An entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The names from the archive's top, joined with slashes.
    pub(crate) path: String,
    pub(crate) folder: bool,
    pub(crate) size: u64,
    /// `2026-05-01 10:00:00`, empty when it is not known.
    pub(crate) modified: String,
}

/// The archive cannot be read: it is none, it is broken, or the password is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// What an archive holds, each folder before what lies in it. Entries whose path leaves the archive are left out.
pub(crate) fn members(content: &Content, password: &str) -> Result<Vec<Member>, Unreadable> {
    let mut archive = open(content)?;
    let mut found: BTreeMap<Vec<String>, Member> = BTreeMap::new();
    let mut locked: Option<(u64, usize)> = None;
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(|_| Unreadable)?;
        if entry.encrypted() && !entry.is_dir() {
            let this = (entry.size(), index);
            locked = Some(locked.map_or(this, |held| held.min(this)));
        }
        let Some(path) = entry.name().ok().and_then(|name| inside(&name)) else { continue };
        let names: Vec<String> = path.split('/').map(str::to_owned).collect();
        if names.len() > DEEPEST {
            return Err(Unreadable);
        }
        let modified = entry.last_modified().map_or_else(String::new, |moment| moment.to_string());
        let (folder, size) = (entry.is_dir(), entry.size());
        for length in 1..names.len() {
            let above = names[..length].to_vec();
            let path = above.join("/");
            found.entry(above).or_insert(Member { path, folder: true, size: 0, modified: String::new() });
        }
        found.insert(names, Member { path, folder, size: if folder { 0 } else { size }, modified });
    }
    if let Some((_, index)) = locked {
        // The checksum tells a wrong password from a right one for sure.
        read(&mut archive, index, password, MOST_UNPACKED)?;
    }
    Ok(found.into_values().collect())
}

/// The files of an archive whose paths are `wanted`, with these paths.
pub(crate) fn unpack(
    content: &Content,
    password: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Bytes)>, Unreadable> {
    let mut archive = open(content)?;
    let (mut files, mut left) = (Vec::new(), MOST_UNPACKED);
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(|_| Unreadable)?;
        let path = entry.name().ok().and_then(|name| inside(&name)).filter(|path| wanted(path));
        if let Some(path) = path.filter(|_| !entry.is_dir()) {
            let bytes = read(&mut archive, index, password, left)?;
            left -= bytes.len() as u64;
            files.push((path, bytes.into()));
        }
    }
    Ok(files)
}

fn open(content: &Content) -> Result<ZipArchive<Reader<'_>>, Unreadable> {
    ZipArchive::new(Reader { content, at: 0 }).map_err(|_| Unreadable)
}

fn read(archive: &mut ZipArchive<Reader<'_>>, index: usize, password: &str, most: u64) -> Result<Vec<u8>, Unreadable> {
    let options = ZipReadOptions::new().password((!password.is_empty()).then_some(password.as_bytes()));
    let file = archive.by_index_with_options(index, options).map_err(|_| Unreadable)?;
    let mut bytes = Vec::new();
    // A small archive can say that it holds very much.
    file.take(most + 1).read_to_end(&mut bytes).map_err(|_| Unreadable)?;
    if bytes.len() as u64 > most { Err(Unreadable) } else { Ok(bytes) }
}

/// The path of an entry, without what does not matter; `None` when it leads out of the archive.
fn inside(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let names: Vec<&str> = name.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    let stays = !name.starts_with('/') && !names.is_empty() && !names.contains(&"..");
    stays.then(|| names.join("/"))
}

/// Stored content as something that can be read at any place.
struct Reader<'a> {
    content: &'a Content,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.content.read(self.at, buffer.len() as u64);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.content.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// Folders that lie deeper are not believed.
const DEEPEST: usize = 64;
/// No more is taken out of one archive.
const MOST_UNPACKED: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Packed, zip};

    fn packed(names: &[&str]) -> Content {
        let file = |name: &&str| Packed { name: (*name).to_owned(), bytes: (*name).to_owned().into() };
        Content::whole(zip(&names.iter().map(file).collect::<Vec<_>>()).into())
    }

    #[test]
    fn folders_come_before_what_lies_in_them() {
        let found = members(&packed(&["d/名", "a", "d/e/f"]), "").unwrap();
        let shown: Vec<(&str, bool)> = found.iter().map(|member| (member.path.as_str(), member.folder)).collect();
        assert_eq!(shown, [("a", false), ("d", true), ("d/e", true), ("d/e/f", false), ("d/名", false)]);
    }

    #[test]
    fn what_leads_out_of_the_archive_is_left_out() {
        let content = packed(&["../a", "/b", "c/../../d", "e\\..\\f", "good"]);
        assert_eq!(members(&content, "").unwrap().len(), 1);
        let files = unpack(&content, "", |_| true).unwrap();
        assert_eq!(files, [("good".to_owned(), Bytes::from("good"))]);
    }

    #[test]
    fn what_is_no_archive_is_unreadable() {
        let whole = packed(&["a"]).to_bytes();
        for bad in [Bytes::new(), Bytes::from("text"), whole.slice(..whole.len() - 1)] {
            assert_eq!(members(&Content::whole(bad), ""), Err(Unreadable));
        }
        assert_eq!(members(&packed(&["d/".repeat(65).as_str()]), ""), Err(Unreadable));
    }
}
