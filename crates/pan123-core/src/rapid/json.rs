//! The JSON form, and the share codes that are JSON in base64.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use super::{
    RapidFile, RapidLink, base62, check_length, common_folder, file_below, names_something, read_etag, read_hex_etag,
    text::read_size,
};
use crate::{Error, Md5, Result, base64};

/// What this writer calls the form.
const EXPORT_VERSION: &str = "1.0";

const NO_FILES: &str = "the JSON has no files";

pub(super) fn read(text: &str) -> Result<RapidLink> {
    let value: Value = serde_json::from_str(text.trim_end())
        .map_err(|cause| Error::invalid("the link is not well-formed JSON").with_source(cause))?;
    let flag = value.get("usesBase62EtagsInExport").and_then(Value::as_bool);
    let common = value.get("commonPath").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/').to_owned();
    let files = match value {
        Value::Array(files) => files,
        Value::Object(mut members) => match members.remove("files") {
            Some(Value::Array(files)) => files,
            _ => return Err(Error::invalid(NO_FILES)),
        },
        _ => return Err(Error::invalid(NO_FILES)),
    };
    let files = files.iter().map(|file| match file {
        // `[etag, size, path]`
        Value::Array(fields) => read_file(fields.first(), fields.get(1), fields.get(2), flag, &common),
        file => {
            let flagged = read_file(file.get("etag"), file.get("size"), file.get("path"), flag, &common)?;
            Ok(flagged.with_s3_key_flag(file.get("s3KeyFlag").and_then(Value::as_str).unwrap_or_default()))
        }
    });
    RapidLink::of_entries(files, NO_FILES)
}

fn read_file(
    etag: Option<&Value>,
    size: Option<&Value>,
    path: Option<&Value>,
    flag: Option<bool>,
    common: &str,
) -> Result<RapidFile> {
    let etag = etag.and_then(Value::as_str).ok_or_else(|| Error::invalid("the etag is missing"))?;
    let md5 = if flag == Some(false) { read_hex_etag(etag)? } else { read_etag(etag)? };
    let path = path.and_then(Value::as_str).unwrap_or_default();
    file_below(common, md5, read_json_size(size)?, path)
}

/// Some writers put the size as text, some as a number.
fn read_json_size(size: Option<&Value>) -> Result<u64> {
    match size {
        Some(Value::String(text)) => read_size(text),
        other => other.and_then(Value::as_u64).ok_or_else(|| Error::invalid("the size is not a whole number of bytes")),
    }
}

/// Reads base64 of an array of `{FileId, FileName, Type, Size, Etag, parentFileId, AbsPath}`.
pub(super) fn read_share_code(text: &str) -> Result<RapidLink> {
    let unknown = || Error::invalid("the text is no rapid-upload link of a known form");
    let bytes = base64::decode(text).ok_or_else(unknown)?;
    let rows: Vec<Value> = serde_json::from_slice(&bytes).map_err(|cause| unknown().with_source(cause))?;
    let id = |row: &Value| row.get("FileId").and_then(Value::as_u64).map(|id| id.to_string());
    let name = |row: &Value| row.get("FileName").and_then(Value::as_str).map(str::to_owned);
    let names: HashMap<String, String> = rows.iter().filter_map(|row| Some((id(row)?, name(row)?))).collect();
    let files = rows.iter().filter(|row| row.get("Type").and_then(Value::as_u64) != Some(1));
    RapidLink::of_entries(files.map(|row| read_row(row, &names)), NO_FILES)
}

/// The path of a row is the chain of ids above it, each of which stands for a name.
fn read_row(row: &Value, names: &HashMap<String, String>) -> Result<RapidFile> {
    let chain = row.get("AbsPath").and_then(Value::as_str).unwrap_or_default();
    let (mut seen, mut parts, mut bytes) = (HashSet::new(), Vec::new(), 0);
    for id in chain.split('/') {
        let name = names.get(id).ok_or_else(|| Error::invalid("the path names an entry that is not there"))?;
        if !seen.insert(id) {
            return Err(Error::invalid("the path goes through an entry twice"));
        }
        if !names_something(name) || name.contains('/') {
            return Err(Error::invalid("the path holds a name that is empty or '.', or has a '/'"));
        }
        bytes += name.len() + 1;
        check_length(bytes - 1)?;
        parts.push(name.as_str());
    }
    let etag = row.get("Etag").and_then(Value::as_str).ok_or_else(|| Error::invalid("the etag is missing"))?;
    RapidFile::new(read_hex_etag(etag)?, read_json_size(row.get("Size"))?, parts.join("/"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Export<'a> {
    script_version: &'static str,
    export_version: &'static str,
    uses_base62_etags_in_export: bool,
    common_path: String,
    files: Vec<ExportedFile<'a>>,
    total_files_count: usize,
    total_size: u64,
    formatted_total_size: String,
}

#[derive(Serialize)]
struct ExportedFile<'a> {
    path: &'a str,
    // Text, as the script that defined the form writes it; readers take both.
    size: String,
    etag: String,
}

pub(super) fn write(files: &[RapidFile]) -> String {
    let folder = common_folder(files);
    let total_size = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size()));
    let export = Export {
        script_version: concat!("pan123/", env!("CARGO_PKG_VERSION")),
        export_version: EXPORT_VERSION,
        uses_base62_etags_in_export: true,
        common_path: if folder.is_empty() { String::new() } else { format!("{folder}/") },
        files: files.iter().map(|file| exported(file, folder)).collect(),
        total_files_count: files.len(),
        total_size,
        formatted_total_size: formatted(total_size),
    };
    serde_json::to_string(&export).expect("texts and numbers can be written")
}

fn exported<'a>(file: &'a RapidFile, folder: &str) -> ExportedFile<'a> {
    let md5: Md5 = file.md5();
    let path = file.path().strip_prefix(folder).expect("the folder is common to all").trim_start_matches('/');
    ExportedFile { path, size: file.size().to_string(), etag: base62::encode(md5) }
}

/// Writes a size for people: `11 B`, `1.50 GB`.
fn formatted(size: u64) -> String {
    let units = ["KB", "MB", "GB", "TB", "PB"];
    #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
    let mut amount = size as f64;
    let mut unit = "B";
    for next in units {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{size} B") } else { format!("{amount:.2} {unit}") }
}
