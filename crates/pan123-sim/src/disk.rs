//! The folder that a simulator can keep its drive in: one file for each content, and an index of the entries.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::drive::Node;
use crate::state::{Shared, State};

/// What is written of the drive. Tokens, uploads in progress and the log are not kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    last_id: i64,
    entries: Vec<Node>,
    contents: Vec<Stored>,
    #[serde(default)]
    rejected: Vec<(String, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    md5: String,
    size: u64,
    /// For content that is made up from a seed; other content lies in a file.
    seed: Option<u64>,
}

/// Takes over what an earlier simulator left in the folder.
pub(crate) fn load(shared: &Shared) -> io::Result<()> {
    let Some(dir) = &shared.config.dir else { return Ok(()) };
    fs::create_dir_all(dir.join(CONTENTS))?;
    let index: Index = match fs::read(dir.join(INDEX)) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Index::default(),
        Err(error) => return Err(error),
    };
    let mut state = shared.state();
    for stored in index.contents {
        let content = match stored.seed {
            Some(seed) => Content::seeded(stored.size, seed),
            None => Content::Disk { path: content_path(dir, &stored.md5, stored.size), size: stored.size },
        };
        state.contents.insert((stored.md5, stored.size), content);
    }
    index.rejected.into_iter().for_each(|content| state.drive.reject(content));
    state.restore(index.entries, index.last_id);
    Ok(())
}

/// Moves content from memory into the folder, if there is one; without success it stays in memory.
pub(crate) fn keep(dir: Option<&Path>, md5: &str, content: Content) -> Content {
    let (Some(dir), Content::Kept { pieces, size, .. }) = (dir, &content) else { return content };
    let path = content_path(dir, md5, *size);
    match write_whole(&path, pieces.iter().map(|piece| piece.as_ref())) {
        Ok(()) => Content::Disk { path, size: *size },
        Err(_) => content,
    }
}

/// Writes the index when the drive has changed.
pub(crate) fn save(shared: &Shared, state: &mut State) {
    let Some(dir) = &shared.config.dir else { return };
    if !state.drive.take_changed() {
        return;
    }
    let contents = state.contents.iter().map(|((md5, size), content)| {
        let seed = if let Content::Seeded { seed, .. } = content { Some(*seed) } else { None };
        Stored { md5: md5.clone(), size: *size, seed }
    });
    let index = Index {
        last_id: state.last_id(),
        entries: state.drive.all().cloned().collect(),
        contents: contents.collect(),
        rejected: state.drive.rejected().cloned().collect(),
    };
    // A folder that cannot be written to loses what comes next, but what was asked for still works.
    if let Ok(bytes) = serde_json::to_vec_pretty(&index) {
        let _ = write_whole(&dir.join(INDEX), [bytes.as_slice()]);
    }
}

fn content_path(dir: &Path, md5: &str, size: u64) -> PathBuf {
    dir.join(CONTENTS).join(format!("{md5}-{size}"))
}

/// Writes beside the file and renames, so that a file is there whole or not at all.
fn write_whole<'a>(path: &Path, pieces: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    for piece in pieces {
        file.write_all(piece)?;
    }
    drop(file);
    fs::rename(beside, path)
}

const INDEX: &str = "index.json";
const CONTENTS: &str = "contents";
