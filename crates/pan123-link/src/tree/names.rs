//! Which names folders and files may have, and which name a URL gives its file.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::parts::{has_whole_escapes, scheme_length, split_origin};
use crate::{Error, ErrorKind};

/// Refuses what no path could name, what could lead out of a folder, and what would not be read back.
pub(crate) fn check_folder_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::InvalidName, "empty folder name"));
    }
    // White space in front would count as indentation, a byte-order mark as the beginning of the text.
    if !is_safe(name) || name.starts_with(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK) {
        return Err(Error::new(ErrorKind::InvalidName, "bad folder name"));
    }
    Ok(())
}

/// Refuses a file name that no path could name or that could lead out of a folder.
pub(crate) fn check_file_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::InvalidName, "empty file name"));
    }
    if !is_safe(name) {
        return Err(Error::new(ErrorKind::InvalidName, "bad file name"));
    }
    Ok(())
}

/// Refuses a URL that could not stand in a line of its own; whether it can be signed shows when that is asked for.
pub(crate) fn check_url(url: &str) -> Result<(), Error> {
    if scheme_length(url) == 0 {
        return Err(Error::new(ErrorKind::NoUrl, "no url"));
    }
    if url.contains(|c: char| c.is_ascii_control()) {
        return Err(Error::url("control character in the url"));
    }
    if url.trim_end() != url {
        return Err(Error::url("white space at the end of the url"));
    }
    Ok(())
}

/// Returns the name that `url` gives its file: the last segment of its path, decoded if that makes a safe name.
pub(crate) fn name_in_url(url: &str) -> Result<Cow<'_, str>, Error> {
    let path = split_origin(url).map_or("", |(_, rest)| rest);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segment = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if !is_safe(segment) || segment.is_empty() {
        return Err(Error::new(ErrorKind::NoFileName, "url has no file name"));
    }
    if !has_whole_escapes(segment) {
        return Ok(segment.into());
    }
    let decoded = percent_decode_str(segment).decode_utf8();
    Ok(decoded.ok().filter(|name| is_safe(name)).unwrap_or(segment.into()))
}

fn is_safe(name: &str) -> bool {
    name != "." && name != ".." && !name.contains(['/', '\0', '\r', '\n'])
}

/// Skipped at the beginning of a text: editors on Windows put one there.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn name(url: &str, expected: Option<&str>) {
        assert_eq!(name_in_url(url).ok().as_deref(), expected, "{url}");
    }

    #[test]
    fn the_name_is_the_last_segment_of_the_path() {
        name("https://h/a/b.txt", Some("b.txt"));
        name("https://h/a%20b.txt?c=/d#/e", Some("a b.txt"));
        name("https://h/a/#/e", Some("a"));
        name("https://h//a//", Some("a"));
        name("https://h", None);
        name("https://h/", None);
        name("https://h?a=/b", None);
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_stays_escaped() {
        name("https://h/%2E%2e", Some("%2E%2e"));
        name("https://h/a%2fb", Some("a%2fb"));
        name("https://h/a%00b", Some("a%00b"));
        name("https://h/a%0Ab", Some("a%0Ab"));
        name("https://h/a%", Some("a%"));
        name("https://h/a/..", None);
        name("https://h/.", None);
    }
}
