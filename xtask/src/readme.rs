//! Runs what the READMEs and the guides tell people to run, and checks what they say of `Cargo.toml`; looks at the commands of all
//! other pages.

use std::{collections::BTreeSet, fs};

use crate::{
    consumers,
    manifest::Manifest,
    markdown::{Page, without_variables},
    mentions, print,
    service::Service,
    steps,
    tidy::{self, File},
    workspace::Workspace,
};

/// Runs every command of the pages for users, once, and checks every manifest; the Rust code in them is compiled by the
/// facade's documentation tests, which `cargo test` runs.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let files = tidy::files(workspace)?;
    let mut to_run = BTreeSet::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let page = Page::parse(&file.text);
        let of_page = |error: String| format!("{}: {error}", file.path);
        for command in page.commands().iter().filter(|command| without_variables(command).starts_with("cargo ")) {
            mentions::check(workspace, command).map_err(of_page)?;
        }
        if is_for_users(&file.path) {
            to_run.extend(page.commands());
            kinds(&page, &USERS_KINDS).map_err(of_page)?;
            for block in page.blocks.iter().filter(|block| block.kind == "toml") {
                manifest(workspace, block.code).map_err(of_page)?;
            }
        } else if is_readme_of_a_crate(&file.path) {
            kinds(&page, &CRATES_KINDS).map_err(of_page)?;
        }
    }
    rust_version(workspace, &files)?;
    to_run.iter().try_for_each(|command| carry_out(workspace, command))
}

/// The pages whose commands are run: both READMEs and the guides.
fn is_for_users(path: &str) -> bool {
    let of_guide = |language: &str| path.starts_with(&format!("{GUIDE}/{language}/"));
    ["README.md", "README.zh-CN.md"].contains(&path) || of_guide("en") || of_guide("zh")
}

fn is_readme_of_a_crate(path: &str) -> bool {
    path.starts_with("crates/") && path.matches('/').count() == 2 && path.ends_with("/README.md")
}

/// Something looks at each block: a documentation test at Rust, which `ignore` and its like would prevent, this step at the rest.
fn kinds(page: &Page<'_>, known: &[&str]) -> Result<(), String> {
    match page.blocks.iter().find(|block| !known.contains(&block.kind)) {
        Some(block) => Err(format!("line {}: nothing checks a block of `{}`", block.line, block.kind)),
        None => Ok(()),
    }
}

const USERS_KINDS: [&str; 4] = ["rust", "rust,no_run", "sh", "toml"];

/// In the README of a crate, text shows how a program is called.
const CRATES_KINDS: [&str; 3] = ["rust", "rust,no_run", "text"];

/// The oldest Rust is the one of the manifest wherever a page names it.
fn rust_version(workspace: &Workspace, files: &[File]) -> Result<(), String> {
    let root = Manifest::read(&workspace.root, &workspace.root.join("Cargo.toml"))?;
    let version = root.value("workspace.package", "rust-version").unwrap_or_default().trim_matches('"');
    for page in ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"] {
        let text = files.iter().find(|file| file.path == page).map_or("", |file| &file.text);
        names_rust(text, version).map_err(|error| format!("{page}: {error}"))?;
    }
    Ok(())
}

fn names_rust(text: &str, version: &str) -> Result<(), String> {
    let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|number| number.trim_matches('.'));
    // Rust's versions have two digits after the first point; those of crates in a manifest have not.
    let of_rust = numbers.filter(|number| number.strip_prefix("1.").is_some_and(|minor| minor.len() >= 2));
    let mut named: Vec<&str> = of_rust.collect();
    named.sort_unstable();
    named.dedup();
    if named == [version] { Ok(()) } else { Err(format!("it names Rust {named:?}, and `rust-version` is {version}")) }
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

/// Checks the lines for `Cargo.toml`: our crates by their version and features, those of others by what the pages' code is compiled with.
fn manifest(workspace: &Workspace, code: &str) -> Result<(), String> {
    let block = Manifest::parse("a block", code)?;
    let root = Manifest::read(&workspace.root, &workspace.root.join("Cargo.toml"))?;
    let folder = workspace.root.join(consumers::FOLDER);
    let names = consumers::folders(workspace)?.into_iter();
    let consumers = names.map(|name| Manifest::read(&workspace.root, &folder.join(name).join("Cargo.toml")));
    let consumers = consumers.collect::<Result<Vec<_>, _>>()?;
    for dependency in block.dependencies() {
        let name = dependency.name;
        let value = ["dependencies", "dev-dependencies"].iter().find_map(|table| block.value(table, name));
        let value = value.ok_or_else(|| format!("`{name}` is not in one line"))?;
        let version = value.split('"').nth(1).unwrap_or_default();
        let asked = features(value);
        let (actual, known) = if name.starts_with("pan123") {
            (VERSION.to_owned(), workspace.package(name)?.features())
        } else {
            let ours = root.value("workspace.dependencies", name).and_then(|value| value.split('"').nth(1));
            let facade = workspace.package("pan123")?.value("dev-dependencies", name);
            let theirs = consumers.iter().filter_map(|consumer| consumer.value("dependencies", name));
            (ours.unwrap_or_default().to_owned(), facade.into_iter().chain(theirs).flat_map(features).collect())
        };
        if !actual.starts_with(version) || version.is_empty() {
            return Err(format!("{name} has the version {actual} and not {version}"));
        }
        if let Some(unknown) = asked.iter().find(|feature| !known.contains(feature)) {
            return Err(format!("{name} has no feature `{unknown}`, or nothing here is built with it"));
        }
        if name == "pan123" && !dependency.is_dev {
            is_consumed(&consumers, &asked)?;
        }
    }
    Ok(())
}

/// Reads which features a line of a manifest names.
fn features(value: &str) -> Vec<&str> {
    let list = value.split_once("features = [").map_or("", |(_, rest)| rest.split(']').next().unwrap_or_default());
    list.split(',').map(|feature| feature.trim().trim_matches('"')).filter(|name| !name.is_empty()).collect()
}

/// A set of features that a page tells people to take is one with which a program outside the workspace is built and run, transfers
/// aside.
fn is_consumed(consumers: &[Manifest], asked: &[&str]) -> Result<(), String> {
    let set =
        |features: &[&str]| features.iter().filter(|&&name| name != "transfer").map(|&name| name.to_owned()).collect();
    let asked_set: BTreeSet<String> = set(asked);
    let is_same =
        |consumer: &Manifest| set(&features(consumer.value("dependencies", "pan123").unwrap_or_default())) == asked_set;
    if consumers.iter().any(is_same) {
        return Ok(());
    }
    Err(format!("no crate in {} is built with {asked:?}", consumers::FOLDER))
}

pub(crate) const GUIDE: &str = "crates/pan123/guide";

/// All crates have the same version, this one among them.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_that_is_compiled_is_rust() {
        let check = |kind: &str| kinds(&Page::parse(&format!("a\n```{kind}\n```\n")), &USERS_KINDS);
        for kind in ["rust", "rust,no_run", "sh", "toml"] {
            check(kind).unwrap();
        }
        for kind in ["", "rust,ignore", "rust,compile_fail", "rusty", "text"] {
            assert!(check(kind).unwrap_err().starts_with("line 2:"), "{kind}");
        }
    }

    #[test]
    fn the_oldest_rust_is_named_as_it_is() {
        names_rust("Rust (1.89 or later), tokio = \"1\", 1.5 MB, 0.1.0.", "1.89").unwrap();
        assert!(names_rust("Rust 1.89, and 1.88.", "1.89").is_err());
        assert!(names_rust("Rust", "1.89").is_err());
    }

    #[test]
    fn a_manifest_names_what_there_is() {
        let workspace = Workspace::read().unwrap();
        let check = |lines: &str| manifest(&workspace, &format!("[dependencies]\n{lines}"));
        check("pan123 = { version = \"0.1\", default-features = false, features = [\"link\"] }  # why").unwrap();
        check("pan123-sim = \"0.1\"\ntokio = { version = \"1\", features = [\"macros\"] }").unwrap();
        check("pan123 = { version = \"0.1\", features = [\"open\", \"transfer\", \"rustls\"] }").unwrap();
        assert!(
            check("pan123 = { version = \"0.1\", features = [\"open\", \"web\"] }").unwrap_err().contains("consumers")
        );
        assert!(check("tokio = \"9\"").unwrap_err().contains("9"));
        assert!(check("tokio = { version = \"1\", features = [\"magic\"] }").unwrap_err().contains("magic"));
        assert!(check("pan123 = \"7.0\"").unwrap_err().contains("7.0"));
        assert!(check("pan123 = { version = \"0.1\", features = [\"magic\"] }").unwrap_err().contains("magic"));
        assert!(check("pan123-magic = \"0.1\"").is_err());
    }
}
