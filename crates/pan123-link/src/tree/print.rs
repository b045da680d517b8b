//! The writer: tree to text, so that reading it again gives the same tree.

use std::fmt::{self, Write};

use super::names::{BYTE_ORDER_MARK, name_in_url};
use super::read::{could_be_size_or_time, shown};
use super::{Dialect, File, Node};
use crate::{Error, ErrorKind, UrlTree};

/// Prints the list in the format of [`Dialect::DirectLink`], one line for each entry.
///
/// A number is never alone in front of a link if it could be taken for a size as well as for a time. A file's
/// name is not printed, because the format names files by their URL: [`to_text`](UrlTree::to_text) refuses a
/// tree that would lose names.
impl fmt::Display for UrlTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self, f, write_direct_link)
    }
}

pub(crate) fn to_text(tree: &UrlTree, dialect: Dialect) -> Result<String, Error> {
    let lost = tree.files().find(|file| match dialect {
        Dialect::DirectLink => !is_named_by_url(*file),
        Dialect::Named => needs_name(*file) && !can_stand_in_front(file.name()),
    });
    if let Some(file) = lost {
        let reason = format!("the format has no place for the name '{}'", shown(file.name()));
        return Err(Error::new(ErrorKind::NotExpressible, reason));
    }
    let mut text = String::new();
    let written = print(tree, &mut text, |text, file| match dialect {
        Dialect::DirectLink => write_direct_link(text, file),
        Dialect::Named => write_named(text, file),
    });
    written.expect("a String takes whatever is written to it");
    Ok(text)
}

fn print<W: Write>(tree: &UrlTree, out: &mut W, write_file: impl Fn(&mut W, File<'_>) -> fmt::Result) -> fmt::Result {
    for node in tree.walk() {
        for _ in 0..node.depth() {
            out.write_str("  ")?;
        }
        match node {
            Node::Folder(folder) => write!(out, "{}:", folder.name())?,
            Node::File(file) => write_file(out, file)?,
        }
        out.write_char('\n')?;
    }
    Ok(())
}

fn write_direct_link(out: &mut impl Write, file: File<'_>) -> fmt::Result {
    match (file.size(), file.modified()) {
        (None, None) => {}
        (Some(size), None) if could_be_size_or_time(size) => write!(out, "{size}:0:")?,
        (Some(size), None) => write!(out, "{size}:")?,
        (size, Some(time)) => write!(out, "{}:{time}:", size.unwrap_or(0))?,
    }
    out.write_str(file.url())
}

fn write_named(out: &mut impl Write, file: File<'_>) -> fmt::Result {
    if needs_name(file) {
        write!(out, "{}:", file.name())?;
    }
    match (file.size(), file.modified()) {
        (None, None) => {}
        (Some(size), None) => write!(out, "{size}:")?,
        (size, Some(time)) => write!(out, "{}:{time}:", size.unwrap_or(0))?,
    }
    out.write_str(file.url())
}

/// In the named format the name comes first, so it must be there if anything is.
fn needs_name(file: File<'_>) -> bool {
    file.size().is_some() || file.modified().is_some() || !is_named_by_url(file)
}

fn is_named_by_url(file: File<'_>) -> bool {
    name_in_url(file.url()).is_ok_and(|name| name == file.name())
}

fn can_stand_in_front(name: &str) -> bool {
    // A byte-order mark at the very beginning of a text is skipped.
    !name.contains(':') && !name.starts_with(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK)
}
