//! Torrent files: what they are called, what they hold, and the hash that they are known by.

use sha1::{Digest, Sha1};

use crate::content::hex;
use crate::drive::is_name;

/// What a torrent file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Torrent {
    /// SHA-1 of the `info` dictionary, in lower-case hex.
    pub(crate) info_hash: String,
    pub(crate) name: String,
    /// Paths below the torrent's own name, and sizes; a torrent of one file has its name here again.
    pub(crate) files: Vec<(String, u64)>,
}

impl Torrent {
    /// Reads a torrent file; `None` when it is none, or when a path in it could leave its folder.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes, at: 0 };
        let Item::Dictionary(top) = reader.item(DEEPEST)? else { return None };
        let info = top.iter().find(|(key, _)| *key == b"info")?;
        let Item::Dictionary(fields) = &info.1.item else { return None };
        let field = |wanted: &[u8]| fields.iter().find(|(key, _)| *key == wanted).map(|(_, value)| &value.item);
        let name = field(b"name").and_then(Item::name)?;
        let files = match field(b"files") {
            None => vec![(name.clone(), field(b"length").and_then(Item::size)?)],
            Some(Item::List(files)) => files.iter().map(file).collect::<Option<_>>()?,
            Some(_) => return None,
        };
        let info_hash = hex(&Sha1::digest(&bytes[info.1.start..info.1.end]));
        (!files.is_empty()).then_some(Self { info_hash, name, files })
    }
}

fn file(item: &Item<'_>) -> Option<(String, u64)> {
    let Item::Dictionary(fields) = item else { return None };
    let field = |wanted: &[u8]| fields.iter().find(|(key, _)| *key == wanted).map(|(_, value)| &value.item);
    let Some(Item::List(path)) = field(b"path") else { return None };
    let names: Vec<String> = path.iter().map(Item::name).collect::<Option<_>>()?;
    Some((names.join("/"), field(b"length").and_then(Item::size)?)).filter(|(path, _)| !path.is_empty())
}

/// A value in the form that torrents are written in.
#[derive(Debug)]
enum Item<'a> {
    Number(i64),
    Text(&'a [u8]),
    List(Vec<Item<'a>>),
    Dictionary(Vec<(&'a [u8], Placed<'a>)>),
}

/// A value, and where it stands.
#[derive(Debug)]
struct Placed<'a> {
    start: usize,
    end: usize,
    item: Item<'a>,
}

impl Item<'_> {
    fn size(&self) -> Option<u64> {
        match self {
            Self::Number(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A text that can be the name of an entry.
    fn name(&self) -> Option<String> {
        let Self::Text(text) = self else { return None };
        std::str::from_utf8(text).ok().filter(|name| is_name(name) && !matches!(*name, "." | "..")).map(str::to_owned)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn item(&mut self, depth: usize) -> Option<Item<'a>> {
        let depth = depth.checked_sub(1)?;
        match self.bytes.get(self.at)? {
            b'i' => {
                self.at += 1;
                Some(Item::Number(self.number(b'e')?))
            }
            b'l' => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.ends()? {
                    items.push(self.item(depth)?);
                }
                Some(Item::List(items))
            }
            b'd' => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.ends()? {
                    let key = self.text()?;
                    let start = self.at;
                    let item = self.item(depth)?;
                    items.push((key, Placed { start, end: self.at, item }));
                }
                Some(Item::Dictionary(items))
            }
            _ => self.text().map(Item::Text),
        }
    }

    /// Passes the end of a list or a dictionary, if it is next.
    fn ends(&mut self) -> Option<bool> {
        let ends = *self.bytes.get(self.at)? == b'e';
        self.at += usize::from(ends);
        Some(ends)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number(b':')?).ok()?;
        let end = self.at.checked_add(length)?;
        let text = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(text)
    }

    fn number(&mut self, end: u8) -> Option<i64> {
        let digits = self.bytes.get(self.at..)?.iter().position(|byte| *byte == end)?;
        let number = std::str::from_utf8(&self.bytes[self.at..self.at + digits]).ok()?.parse().ok()?;
        self.at += digits + 1;
        Some(number)
    }
}

/// No list lies deeper in a torrent that means well.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torrent_is_known_by_the_hash_of_its_info() {
        let info = "d6:lengthi700e4:name5:a.iso12:piece lengthi16384e6:pieces0:e";
        let torrent = Torrent::read(format!("d8:announce3:url4:info{info}e").as_bytes()).unwrap();
        assert_eq!(torrent.name, "a.iso");
        assert_eq!(torrent.files, [("a.iso".to_owned(), 700)]);
        assert_eq!(torrent.info_hash, hex(&Sha1::digest(info.as_bytes())));
    }

    #[test]
    fn a_torrent_can_hold_several_files() {
        let files = "ld6:lengthi1e4:pathl1:d1:aeed6:lengthi2e4:pathl1:beee";
        let torrent = Torrent::read(format!("d4:infod5:files{files}4:name3:allee").as_bytes()).unwrap();
        assert_eq!(torrent.files, [("d/a".to_owned(), 1), ("b".to_owned(), 2)]);
    }

    #[test]
    fn what_is_no_torrent_is_not_read() {
        let deep = format!("d4:info{}{}e", "l".repeat(100_000), "e".repeat(100_000));
        for bad in [
            "",
            "d",
            "i5e",
            "d4:infod4:name1:aee",
            "d4:infod6:lengthi-1e4:name1:aee",
            "d4:infod6:lengthi1e4:name2:..ee",
            "d4:infod5:filesld6:lengthi1e4:pathl2:..1:aeee4:name1:aee",
            "d4:infod5:filesle4:name1:aee",
            "d4:infod6:lengthi1e4:name99:aee",
            "d4:infod6:lengthi1e4:name18446744073709551615:aee",
            &deep,
        ] {
            assert_eq!(Torrent::read(bad.as_bytes()), None, "{}", &bad[..bad.len().min(60)]);
        }
    }
}
