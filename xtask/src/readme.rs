//! Runs what the READMEs and the guides tell people to run, and checks what they tell them to write into `Cargo.toml`.

use std::{collections::BTreeSet, fs};

use crate::{print, service::Service, steps, workspace::Workspace};

/// Runs every command of the pages, once, and checks every manifest; the Rust code in them is compiled by the facade's
/// documentation tests, which `cargo test` runs.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut commands = BTreeSet::new();
    for page in pages(workspace)? {
        let text = fs::read_to_string(workspace.root.join(&page)).map_err(|error| format!("{page}: {error}"))?;
        for (kind, code) in blocks(&text) {
            match kind {
                "sh" => commands.extend(code.lines().filter_map(command)),
                "toml" => manifest(workspace, code).map_err(|error| format!("{page}: {error}"))?,
                _ if kind.starts_with("rust") => {}
                _ => return Err(format!("{page}: nothing checks a block of `{kind}`")),
            }
        }
        commands.extend(in_prose(&text).filter_map(command));
    }
    commands.iter().try_for_each(|command| carry_out(workspace, command))
}

/// The pages for users: both READMEs and the guides.
fn pages(workspace: &Workspace) -> Result<Vec<String>, String> {
    let mut pages = vec!["README.md".to_owned(), "README.zh-CN.md".to_owned()];
    for language in ["en", "zh"] {
        let folder = format!("{GUIDE}/{language}");
        let entries = fs::read_dir(workspace.root.join(&folder)).map_err(|error| format!("{folder}: {error}"))?;
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
        pages.extend(names.map(|name| format!("{folder}/{name}")));
    }
    pages.sort();
    Ok(pages)
}

/// Returns the fenced blocks of a page: what they are said to be, and what is in them.
pub(crate) fn blocks(text: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("\n```") {
        let Some((kind, body)) = after.split_once('\n') else { break };
        let Some(end) = body.find("\n```").or_else(|| body.starts_with("```").then_some(0)) else { break };
        blocks.push((kind, &body[..end]));
        rest = body[end..].trim_start_matches('\n').strip_prefix("```").unwrap_or_default();
    }
    blocks
}

/// Returns the commands that stand between backquotes in a sentence.
fn in_prose(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.starts_with("```"));
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|code| code.starts_with("cargo "))
}

/// Returns a line without its comment, if anything is left.
fn command(line: &str) -> Option<String> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn carry_out(workspace: &Workspace, command: &str) -> Result<(), String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        // It serves until it is stopped; that it prints its line is what is promised.
        ["cargo", "run", "-p", "pan123-sim", "--", "--json"] => Service::start(workspace).map(drop)?,
        // `.ci/run` has it as its first command, and it takes minutes.
        ["cargo", "test", "--workspace"] => in_ci(workspace, command)?,
        ["cargo", "xtask", "ci"] => in_ci(workspace, command)?,
        // Built there as its users build it, and run.
        ["cargo", "run", "--example", name] => {
            if !steps::example_names(workspace)?.iter().any(|known| known == name) {
                return Err(format!("there is no example `{name}`"));
            }
            workspace.cargo_output(&words[1..]).map(drop)?;
        }
        ["cargo", arguments @ ..] => workspace.cargo_output(arguments).map(drop)?,
        _ => return Err(format!("`{command}` is no command of cargo: say in this step how it is run")),
    }
    print(&format!("ran  {command}"));
    Ok(())
}

fn in_ci(workspace: &Workspace, command: &str) -> Result<(), String> {
    let script = fs::read_to_string(workspace.root.join(".ci/run")).map_err(|error| format!(".ci/run: {error}"))?;
    if script.lines().any(|line| line == command) { Ok(()) } else { Err(format!(".ci/run does not run `{command}`")) }
}

/// Checks the lines for `Cargo.toml`: our crates by their version, and features that they have.
fn manifest(workspace: &Workspace, code: &str) -> Result<(), String> {
    for line in code.lines().filter(|line| line.starts_with("pan123")) {
        let (name, value) = line.split_once(" = ").ok_or_else(|| format!("this is no dependency: {line}"))?;
        let package = workspace.package(name)?;
        let version = value.split('"').nth(1).unwrap_or_default();
        if !VERSION.starts_with(version) || version.is_empty() {
            return Err(format!("{name} has the version {VERSION} and not {version}"));
        }
        let features =
            value.split_once("features = [").map_or("", |(_, rest)| rest.split(']').next().unwrap_or_default());
        let known = package.features();
        let asked = features.split(',').map(|feature| feature.trim().trim_matches('"')).filter(|name| !name.is_empty());
        if let Some(unknown) = asked.into_iter().find(|feature| !known.contains(feature)) {
            return Err(format!("{name} has no feature `{unknown}`"));
        }
    }
    Ok(())
}

pub(crate) const GUIDE: &str = "crates/pan123/guide";

/// All crates have the same version, this one among them.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_what_they_are() {
        let text = "a\n```sh\ncargo a\ncargo b # c\n```\nb\n\n```rust,no_run\nfn a() {}\n```\n```toml\n```\n";
        assert_eq!(blocks(text), [("sh", "cargo a\ncargo b # c"), ("rust,no_run", "fn a() {}"), ("toml", "")]);
    }

    #[test]
    fn commands_are_found_in_blocks_and_in_sentences() {
        assert_eq!(command("cargo test   # all").as_deref(), Some("cargo test"));
        assert_eq!(command("   # nothing"), None);
        assert_eq!(in_prose("see `cargo a b`, `Cargo.toml` and `cargo`\n").collect::<Vec<_>>(), ["cargo a b"]);
    }

    #[test]
    fn a_manifest_names_what_there_is() {
        let workspace = Workspace::read().unwrap();
        let check = |line: &str| manifest(&workspace, line);
        check("pan123 = { version = \"0.1\", default-features = false, features = [\"link\"] }  # why").unwrap();
        check("pan123-sim = \"0.1\"\ntokio = \"9\"").unwrap();
        assert!(check("pan123 = \"7.0\"").unwrap_err().contains("7.0"));
        assert!(check("pan123 = { version = \"0.1\", features = [\"magic\"] }").unwrap_err().contains("magic"));
        assert!(check("pan123-magic = \"0.1\"").is_err());
    }
}
