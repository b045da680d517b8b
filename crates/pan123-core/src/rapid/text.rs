//! The text form: a prefix, perhaps a common folder, and entries of etag, size and path; and `123://` addresses.

use percent_encoding::percent_decode_str;

use super::{RapidFile, RapidLink, base62, common_folder, file_below, read_etag, read_hex_etag};
use crate::{Error, Result};

/// How etags are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EtagForm {
    /// In base 62, as the present scripts write them.
    #[default]
    Base62,
    /// In hex, for older readers.
    Hex,
}

/// Whether the folder that all files share is written once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CommonFolder {
    /// If there is one.
    #[default]
    Auto,
    /// Never.
    Off,
    /// Also where there is none.
    Always,
}

/// The prefixes: whether etags are in base 62, and whether there is a common folder.
const PREFIXES: [(&str, EtagForm, bool); 4] = [
    ("123FSLinkV1$", EtagForm::Hex, false),
    ("123FSLinkV2$", EtagForm::Base62, false),
    ("123FLCPV1$", EtagForm::Hex, true),
    ("123FLCPV2$", EtagForm::Base62, true),
];

/// What every prefix begins with.
const FAMILY: &str = "123F";

/// What the text form cannot carry in a path.
const SEPARATORS: [char; 5] = ['#', '$', '%', '\n', '\r'];

pub(super) fn read(text: &str) -> Result<RapidLink> {
    let known = PREFIXES.iter().find_map(|(prefix, etags, common)| Some((text.strip_prefix(prefix)?, *etags, *common)));
    let (rest, etags, has_common) = match known {
        Some(known) => known,
        None if is_prefixed(text) => return Err(Error::invalid("the link has an unknown prefix")),
        None => (text, EtagForm::Hex, false),
    };
    read_entries(rest, etags, has_common).map_err(|error| {
        if is_json(rest) {
            Error::invalid("there is JSON behind the prefix, which is no known form: try it without the prefix")
        } else {
            error
        }
    })
}

/// Says whether a text begins as a JSON object does. A common folder may begin with a brace, but no name has a quote.
fn is_json(text: &str) -> bool {
    text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']))
}

fn read_entries(rest: &str, etags: EtagForm, has_common: bool) -> Result<RapidLink> {
    let (common, entries) = match rest.split_once('%') {
        Some((common, entries)) if has_common => (common.trim_end_matches('/'), entries),
        None if has_common => return Err(Error::invalid("the link has no common-part delimiter (%)")),
        _ => ("", rest),
    };
    let entries =
        entries.split(['$', '\n']).map(|entry| entry.trim_end_matches('\r')).filter(|entry| !entry.is_empty());
    RapidLink::of_entries(entries.map(|entry| read_entry(entry, etags, common)), "the link has no entries")
}

fn is_prefixed(text: &str) -> bool {
    let head = text.split_once('$').map(|(head, _)| head);
    head.is_some_and(|head| head.starts_with(FAMILY) && head.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Reads `etag#size#path`, where the path may hold more of the signs.
fn read_entry(entry: &str, etags: EtagForm, common: &str) -> Result<RapidFile> {
    let mut fields = entry.splitn(3, '#');
    let (Some(etag), Some(size), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(Error::invalid("it is not of the form etag#size#path"));
    };
    let md5 = match etags {
        EtagForm::Base62 => read_etag(etag)?,
        EtagForm::Hex => read_hex_etag(etag)?,
    };
    file_below(common, md5, read_size(size)?, path)
}

/// Reads decimal digits and nothing else: no sign, no unit.
pub(super) fn read_size(text: &str) -> Result<u64> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let size = digits.and_then(|digits| digits.parse().ok());
    size.ok_or_else(|| Error::invalid("the size is not a whole number of bytes"))
}

pub(super) fn write(files: &[RapidFile], etags: EtagForm, common: CommonFolder) -> String {
    let folder = if common == CommonFolder::Off { "" } else { common_folder(files) };
    let has_common = common == CommonFolder::Always || !folder.is_empty();
    let prefix = PREFIXES.iter().find(|(_, form, is_common)| *form == etags && *is_common == has_common);
    let mut text = prefix.expect("every pair has its prefix").0.to_owned();
    if has_common {
        text.push_str(&cleaned(folder));
        text.push_str(if folder.is_empty() { "%" } else { "/%" });
    }
    for (place, file) in files.iter().enumerate() {
        let etag = match etags {
            EtagForm::Base62 => base62::encode(file.md5()),
            EtagForm::Hex => file.md5().to_string(),
        };
        let path = file.path().strip_prefix(folder).expect("the folder is common to all").trim_start_matches('/');
        let separator = if place > 0 { "$" } else { "" };
        text.push_str(&format!("{separator}{etag}#{}#{}", file.size(), cleaned(path)));
    }
    text
}

fn cleaned(path: &str) -> String {
    path.replace(SEPARATORS, "_")
}

/// What begins an address of `p123client`.
const SCHEME: &str = "123://";

/// Says whether the text is one or more `name|size|md5`, with `123://` in front or without.
///
/// Without it the end tells, because a name may begin like JSON and hold the signs of the other forms.
pub(super) fn is_address(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().trim_end();
    first.starts_with(SCHEME) || (ends_as_address(first) && !is_prefixed(first) && !begins_as_entry(first))
}

fn ends_as_address(line: &str) -> bool {
    split_address(line).is_some_and(|(_, size, md5, flag)| {
        // No flag has a quote; in JSON, one ends each text.
        read_size(size).is_ok() && read_hex_etag(md5).is_ok() && !flag.contains('"')
    })
}

/// Splits `{name}|{size}|{md5}?{s3KeyFlag}`.
fn split_address(line: &str) -> Option<(&str, &str, &str, &str)> {
    let mut fields = line.rsplitn(3, '|');
    let (end, size, name) = (fields.next()?, fields.next()?, fields.next()?);
    let (md5, flag) = end.split_once('?').unwrap_or((end, ""));
    Some((name, size, md5, flag))
}

/// Says whether a line begins as an entry of the oldest form, without a prefix.
fn begins_as_entry(line: &str) -> bool {
    let mut fields = line.splitn(3, '#');
    let has_etag = fields.next().is_some_and(|etag| read_hex_etag(etag).is_ok());
    has_etag && fields.next().is_some_and(|size| read_size(size).is_ok()) && fields.next().is_some()
}

pub(super) fn read_addresses(text: &str) -> Result<RapidLink> {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    RapidLink::of_entries(lines.map(read_address), "the link has no entries")
}

/// Reads `123://{name}|{size}|{md5}?{s3KeyFlag}`.
fn read_address(line: &str) -> Result<RapidFile> {
    let (name, size, md5, flag) = split_address(line.strip_prefix(SCHEME).unwrap_or(line))
        .ok_or_else(|| Error::invalid("it is not of the form 123://name|size|md5"))?;
    let name = percent_decode_str(name).decode_utf8().map_err(|_| Error::invalid("the name is not UTF-8"))?;
    if name.contains('/') {
        return Err(Error::invalid("the path of such an entry is a name, and a name may not hold '/'"));
    }
    Ok(RapidFile::new(read_hex_etag(md5)?, read_size(size)?, name)?.with_s3_key_flag(flag))
}
