//! Writes the tree below some folders into a text file of the drive.

use std::fmt::Write;

use bytes::Bytes;
use serde_json::Value;

use super::Call;
use super::files::MOST_IDS;
use super::web_shares::bad;
use crate::content::{Content, md5_hex};
use crate::drive::{Drive, FORBIDDEN, Node, OnClash, ROOT};
use crate::reply::{Refusal, Reply};

pub(crate) fn export_tree(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let ids = call.ids("fileIds", MOST_IDS).map_err(|refusal| refusal.with_code(400))?;
    for id in ids.iter().filter(|id| **id != ROOT) {
        call.live_entry(*id)?;
    }
    let choice = |name: &str, default: i64, most: i64| match call.args.opt_int(name).unwrap_or(default) {
        value if (1..=most).contains(&value) => Ok(value),
        _ => Err(bad(&format!("`{name}` is not within 1 to {most}"))),
    };
    let (style, kinds) = (choice("exportStyle", 1, 2)?, choice("exportType", 3, 3)?);
    let from_root = choice("treeRootType", 1, 2)? == 2;
    let levels = match call.args.opt_int("exportLayer").unwrap_or_default() {
        0 => usize::MAX,
        levels @ 1.. => levels as usize,
        _ => return Err(bad("`exportLayer` is negative")),
    };
    let target = call.live_folder(call.args.opt_int("exportParentId").unwrap_or(ROOT))?;
    let mut listing =
        Listing { tree: &call.state.drive, as_tree: style == 1, kinds, levels, text: String::new(), lines: 0 };
    for id in ids {
        listing.root(id, from_root)?;
    }
    let bytes = Bytes::from(listing.text);
    let name = Some(call.args.text("exportName")).filter(|name| !name.is_empty()).unwrap_or(NAME);
    let (md5, size) = (md5_hex(&bytes), bytes.len() as u64);
    call.state.store(&md5, Content::whole(bytes));
    // A working client puts the time of day into the name, colons and all.
    let name = if call.lenient() { name.replace(FORBIDDEN, "_") } else { name.to_owned() };
    call.state.make_file(target, &name, &md5, size, OnClash::KeepBoth)?;
    Ok(Reply::data(Value::Null))
}

/// A text that is being written: a line for each entry, with its path or with lines that show what it lies in.
struct Listing<'a> {
    tree: &'a Drive,
    as_tree: bool,
    /// 1 files, 2 folders, 3 both.
    kinds: i64,
    levels: usize,
    text: String,
    lines: usize,
}

impl Listing<'_> {
    fn root(&mut self, id: i64, from_root: bool) -> Result<(), Refusal> {
        let node = self.tree.node(id);
        let name = node.map_or("", |node| node.name.as_str());
        let path = if from_root && id != ROOT { self.tree.path(id) } else { format!("/{name}") };
        if self.as_tree || node.is_some_and(|node| self.wants(node)) {
            self.line(path.trim_end_matches('/'), "/")?;
        }
        self.below(id, path.trim_end_matches('/'), "", 1)
    }

    fn below(&mut self, folder: i64, path: &str, lead: &str, level: usize) -> Result<(), Refusal> {
        if level > self.levels {
            return Ok(());
        }
        let mut entries: Vec<&Node> = self.tree.children_after(folder, i64::MIN).filter(|node| !node.trashed).collect();
        // Files are left out where only folders are wanted; folders of the way to a file stay in a tree.
        entries.retain(|node| node.is_folder() || self.kinds != 2);
        let last = entries.len().saturating_sub(1);
        for (index, node) in entries.into_iter().enumerate() {
            let (branch, space) = if index == last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let below = format!("{path}/{}", node.name);
            if self.as_tree {
                self.line(&format!("{lead}{branch}{}", node.name), "")?;
            } else if self.wants(node) {
                self.line(&below, "")?;
            }
            self.below(node.id, &below, &format!("{lead}{space}"), level + 1)?;
        }
        Ok(())
    }

    fn wants(&self, node: &Node) -> bool {
        self.kinds == 3 || node.is_folder() == (self.kinds == 2)
    }

    fn line(&mut self, line: &str, instead_of_nothing: &str) -> Result<(), Refusal> {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return Err(Refusal::rule(format!("more than {MOST_LINES} entries are not exported at once")));
        }
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{}", if line.is_empty() { instead_of_nothing } else { line });
        Ok(())
    }
}

const NAME: &str = "目录树.txt";
const MOST_LINES: usize = 1_000_000;
