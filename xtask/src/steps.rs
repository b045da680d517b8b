//! The checks that cargo makes: formatting, lints, documentation, features, dependency trees.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::workspace::Workspace;

pub(crate) fn fmt(workspace: &Workspace) -> Result<(), String> {
    workspace.cargo(&["fmt", "--all", "--check"])
}

pub(crate) fn clippy(workspace: &Workspace) -> Result<(), String> {
    let features = all_features(workspace);
    workspace.cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--features",
        &features,
        "--",
        "-D",
        "warnings",
    ])
}

pub(crate) fn docs(workspace: &Workspace) -> Result<(), String> {
    let features = all_features(workspace);
    workspace.cargo_with(
        &["doc", "--quiet", "--workspace", "--no-deps", "--features", &features],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}

/// Builds the facade with each of its features alone, with none, with the default ones, with all.
pub(crate) fn features(workspace: &Workspace) -> Result<(), String> {
    let check = |arguments: &[&str]| {
        let start = ["check", "--quiet", "--package", FACADE];
        workspace.cargo(&[&start, arguments].concat())
    };
    let features: Vec<&str> = workspace.package(FACADE)?.features().into_iter().filter(|&f| can_be_built(f)).collect();
    for feature in &features {
        check(&["--no-default-features", "--features", feature])?;
    }
    check(&["--no-default-features"])?;
    check(&[])?;
    check(&["--features", &features.join(",")])
}

/// Runs every example of the facade, built as its users build it: no other crate of the workspace adds a feature.
pub(crate) fn examples(workspace: &Workspace) -> Result<(), String> {
    let folder = workspace.root.join("crates").join(FACADE).join("examples");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned)).collect();
    names.sort();
    names.iter().try_for_each(|name| {
        workspace.cargo_output(&["run", "--quiet", "--package", FACADE, "--example", name]).map(drop)
    })
}

/// Looks at what small builds pull in, and that the simulator stays a witness of its own.
pub(crate) fn trees(workspace: &Workspace) -> Result<(), String> {
    let tree = |arguments: &[&str]| {
        let start = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package"];
        Ok::<_, String>(packages(&workspace.cargo_output(&[&start, arguments].concat())?))
    };

    let link = tree(&[FACADE, "--no-default-features", "--features", "link"])?;
    no_member(&link, &HEAVY, "the facade with `link` alone")?;
    if link.len() > MOST_CRATES_OF_LINK {
        return Err(format!("the facade with `link` alone has {} crates, more than {MOST_CRATES_OF_LINK}", link.len()));
    }

    let ours: Vec<&str> = workspace.crates.iter().map(|manifest| manifest.package()).collect();
    let others: Vec<&str> = ours.into_iter().filter(|&name| name != SIMULATOR).collect();
    no_member(&tree(&[SIMULATOR])?, &others, "the simulator")
}

/// Returns the features of all crates, as cargo takes them, but for those that cannot be built here.
fn all_features(workspace: &Workspace) -> String {
    let names = workspace.crates.iter().flat_map(|manifest| {
        let features = manifest.features().into_iter().filter(|&feature| can_be_built(feature));
        features.map(|feature| format!("{}/{feature}", manifest.package()))
    });
    names.collect::<Vec<_>>().join(",")
}

/// Says whether a feature builds with what this machine has: on Linux `native-tls` needs OpenSSL's headers.
fn can_be_built(feature: &str) -> bool {
    if feature != "native-tls" || !cfg!(target_os = "linux") {
        return true;
    }
    let mut pkg_config = Command::new("pkg-config");
    let status = pkg_config.args(["--exists", "openssl"]).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Reads the output of `cargo tree` as pairs of name and version.
fn packages(tree: &str) -> BTreeSet<(String, String)> {
    let lines = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    });
    lines.collect()
}

fn no_member(tree: &BTreeSet<(String, String)>, forbidden: &[&str], whose: &str) -> Result<(), String> {
    let found: Vec<&str> = tree.iter().map(|(name, _)| name.as_str()).filter(|name| forbidden.contains(name)).collect();
    if found.is_empty() { Ok(()) } else { Err(format!("{whose} must not depend on {}", found.join(", "))) }
}

const FACADE: &str = "pan123";
const SIMULATOR: &str = "pan123-sim";

/// What signing a link must never pull in.
const HEAVY: [&str; 5] = ["hyper", "reqwest", "rustls", "serde", "tokio"];

/// The promise of the smallest build, itself and the facade included.
const MOST_CRATES_OF_LINK: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_crate_is_found_in_a_tree() {
        let tree = packages("pan123 v0.1.0 (/here)\nserde v1.0.0\nserde_json v1.0.0\nserde v1.0.0 (*)\n\n");
        assert_eq!(tree.len(), 3);
        let error = no_member(&tree, &HEAVY, "it").unwrap_err();
        assert_eq!(error, "it must not depend on serde");
        assert!(no_member(&tree, &["tokio"], "it").is_ok());
    }
}
