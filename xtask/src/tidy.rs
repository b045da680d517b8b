//! The rules of this repository that no other tool knows.

mod code;
mod manifests;
mod pages;
mod text;

use std::fs;
use std::path::Path;

use crate::print;
use crate::workspace::Workspace;

/// A text file of the repository.
pub(crate) struct File {
    /// From the top of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A place where a rule is broken.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
    /// Whether it is only said, and fails nothing.
    is_warning: bool,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, message: message.into(), is_warning: false }
    }

    pub(crate) fn warning(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding { is_warning: true, ..Finding::new(path, line, message) }
    }
}

/// Checks the repository by all rules, and prints each place where one is broken.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let files = files(workspace)?;
    let mut findings = manifests::check(&workspace.crates);
    findings.extend(pages::check(&files, &workspace.crates));
    for file in &files {
        findings.extend(code::check(file));
        findings.extend(text::check(file));
    }
    report(&findings)
}

/// Checks that each page of docs.rs that the map of all operations names is in the list of the public API.
pub(crate) fn map_of_operations(workspace: &Workspace) -> Result<(), String> {
    let files = files(workspace)?;
    let map = files.iter().filter(|file| file.path == pages::MAP);
    report(&map.flat_map(|map| pages::docs_rs(map, &files)).collect::<Vec<_>>())
}

/// Prints what was found, and fails if any of it is more than a warning.
fn report(findings: &[Finding]) -> Result<(), String> {
    for finding in findings {
        let mark = if finding.is_warning { "warning: " } else { "" };
        print(&format!("{}:{}: {mark}{}", finding.path, finding.line, finding.message));
    }
    match findings.iter().filter(|finding| !finding.is_warning).count() {
        0 => Ok(()),
        count => Err(format!("{count} broken rules")),
    }
}

/// Returns every text file of the repository.
pub(crate) fn files(workspace: &Workspace) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    read_folder(&workspace.root, "", &mut files)?;
    Ok(files)
}

/// Reads every text file below a folder, but for what cargo, git and fuzzing put there.
fn read_folder(folder: &Path, path: &str, files: &mut Vec<File>) -> Result<(), String> {
    let error = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut entries: Vec<_> = fs::read_dir(folder).map_err(error)?.collect::<Result<_, _>>().map_err(error)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let kind = entry.file_type().map_err(error)?;
        if kind.is_dir() && !["target", ".git"].contains(&name.as_str()) && !OF_FUZZING.contains(&path.as_str()) {
            read_folder(&entry.path(), &path, files)?;
        } else if kind.is_file()
            // In a work tree of its own, git keeps a path of the machine in a file.
            && ![".git", "Cargo.lock"].contains(&name.as_str())
            && let Ok(text) = String::from_utf8(fs::read(entry.path()).map_err(error)?)
        {
            files.push(File { path, text });
        }
    }
    Ok(())
}

/// What fuzzing leaves: any bytes whatever.
const OF_FUZZING: [&str; 2] = ["fuzz/corpus", "fuzz/artifacts"];

/// Returns the lines of a text, counted from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that a rule finds something in exactly the `lines` of a file.
    #[track_caller]
    pub(super) fn found(check: impl Fn(&File) -> Vec<Finding>, path: &str, text: &str, lines: &[usize]) {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let findings = check(&file);
        let found: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(found, lines, "{findings:?}");
    }
}
