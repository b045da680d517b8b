//! Offline downloads: the service fetches an address into the drive.
//!
//! The simulator fetches nothing. The file that appears is made up from the address, and has [`SIZE`] bytes.

use std::time::Duration;

use http::Uri;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Call;
use crate::content::{Content, md5_hex, seeded_md5};
use crate::drive::{Kind, Node, OnClash, ROOT, is_name};
use crate::fault::Oddity;
use crate::reply::{Refusal, Reply};
use crate::state::State;

pub(crate) fn download(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let url = call.args.text("url");
    let Some(last) = named(url) else {
        return Err(Refusal::rule("the url is neither http nor https"));
    };
    let name = Some(call.args.text("fileName")).filter(|name| !name.is_empty()).unwrap_or(&last);
    if !is_name(name) {
        return Err(Refusal::bad_name());
    }
    let folder = match call.args.opt_int("dirID") {
        Some(ROOT) if !call.lenient() => return Err(Refusal::rule("the root folder cannot be the target")),
        None | Some(ROOT) => own_folder(call.state),
        Some(id) => call.live_folder(id)?,
    };
    let fails = call.oddity == Some(Oddity::TaskFails);
    let file = if fails { 0 } else { make(call, folder, name, url)? };
    let task = call.state.new_id();
    call.state.offline_tasks.insert(task, fails);
    tell(call, url, fails, file);
    Ok(Reply::data(json!({"taskID": task})))
}

/// Tells the caller's server how a task ended, if it asked for that.
pub(crate) fn tell(call: &Call<'_>, url: &str, fails: bool, file: i64) {
    let callback = call.args.text("callBackUrl");
    if !callback.is_empty() {
        let reason = if fails { "sim: scripted" } else { "" };
        // The service's page has both names.
        let name = if call.shared.config.quirks { "fileReason" } else { "failReason" };
        let body = json!({"url": url, "status": i32::from(fails), name: reason, "fileID": file});
        call_back(callback, body.to_string());
    }
}

fn make(call: &mut Call<'_>, folder: i64, name: &str, url: &str) -> Result<i64, Refusal> {
    let (md5, size) = fetched(call.state, url);
    Ok(call.state.make_file(folder, name, &md5, size, OnClash::KeepBoth)?)
}

/// Makes up what lies behind an address, the same for the same address; gives its MD5 and size.
pub(crate) fn fetched(state: &mut State, url: &str) -> (String, u64) {
    (made_up(state, url, SIZE), SIZE)
}

/// Makes up content of a size, the same for the same source, and gives its MD5.
pub(crate) fn made_up(state: &mut State, source: &str, size: u64) -> String {
    let digits = md5_hex(source.as_bytes());
    let seed = u64::from_str_radix(&digits[..16], 16).unwrap_or_default();
    let md5 = seeded_md5(size, seed);
    state.store(&md5, Content::seeded(size, seed));
    md5
}

/// The name that a file of an address gets; `None` when nothing can be fetched from there.
pub(crate) fn named(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return None;
    }
    Some(uri.path().rsplit('/').next().filter(|name| is_name(name)).unwrap_or("download").to_owned())
}

/// The folder that the service makes for files that were given none; its name breaks the service's own rule.
pub(crate) fn own_folder(state: &mut State) -> i64 {
    if let Some(node) = state.drive.child(ROOT, OWN_FOLDER) {
        return node.id;
    }
    let kind = Kind::Folder { direct_link: false };
    let (id, now) = (state.new_id(), state.clock.now());
    let name = OWN_FOLDER.to_owned();
    state.drive.insert(Node { id, parent: ROOT, name, created: now, updated: now, trashed: false, late: 0, kind });
    id
}

pub(crate) fn process(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let task = call.args.int("taskID");
    let Some(fails) = call.state.offline_tasks.get(&task).copied() else {
        return Err(Refusal::rule("unknown taskID"));
    };
    let (process, status) = if let Some(status) = call.scripted_status() {
        (42.5, status)
    } else if call.still_running(&format!("offline {task}")) {
        (42.5, 0)
    } else if call.quirk(&format!("offline retries {task}")) {
        (0.0, 3)
    } else if fails {
        (0.0, 1)
    } else {
        return Ok(Reply::data(json!({"process": 100, "status": 2})));
    };
    Ok(Reply::data(json!({"process": process, "status": status})))
}

/// Tells the caller's server how the task ended, if that server is on this machine.
fn call_back(url: &str, body: String) {
    let Ok(uri) = url.parse::<Uri>() else { return };
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return };
    if !matches!(authority.host(), "127.0.0.1" | "localhost" | "[::1]") {
        return;
    }
    let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // Nobody waits for the callback, and a server that does not take it is its owner's business.
    tokio::spawn(tokio::time::timeout(PATIENCE, async move {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await
    }));
}

/// The size of every file that is fetched from an address.
pub(crate) const SIZE: u64 = 1 << 20;
pub(crate) const OWN_FOLDER: &str = "来自:离线下载";
const PATIENCE: Duration = Duration::from_secs(10);
