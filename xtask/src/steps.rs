//! The checks that cargo makes: formatting, lints, documentation, features, dependency trees.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::manifest::Manifest;
use crate::sizes;
use crate::workspace::{Workspace, nightly};
use crate::{print, skip};

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

/// Builds the documentation of the workspace, and with a nightly toolchain each crate's as docs.rs does.
pub(crate) fn docs(workspace: &Workspace) -> Result<(), String> {
    let features = all_features(workspace);
    workspace.cargo_with(
        &["doc", "--quiet", "--workspace", "--no-deps", "--features", &features],
        &[("RUSTDOCFLAGS", "-D warnings -D rustdoc::missing_crate_level_docs")],
    )?;
    let Some(nightly) = nightly() else {
        skip("the documentation as docs.rs builds it, as there is no nightly toolchain");
        return Ok(());
    };
    for manifest in workspace.published() {
        let features = docs_rs_features(manifest)?;
        let mut command = workspace.program("rustup");
        command.args(["run", &nightly, "cargo", "doc", "--quiet", "--no-deps", "--package", manifest.package()]);
        command.args(["--features", &features, "--target-dir"]).arg(workspace.target().join("docs.rs"));
        command.env(
            "RUSTDOCFLAGS",
            "-D warnings -D rustdoc::missing_crate_level_docs -D rustdoc::unescaped_backticks --cfg docsrs",
        );
        let status = command.status().map_err(|error| format!("rustup did not start: {error}"))?;
        if !status.success() {
            return Err(format!("docs.rs would not build {} as it should be", manifest.package()));
        }
    }
    Ok(())
}

/// Reads which features docs.rs documents, and demands that these are all but the one that adds nothing to read.
pub(crate) fn docs_rs_features(manifest: &Manifest) -> Result<String, String> {
    let all: Vec<&str> = manifest.features().into_iter().filter(|&feature| feature != "native-tls").collect();
    let said = manifest.value("package.metadata.docs.rs", "features").unwrap_or_default();
    let said: Vec<&str> = said.split(['[', ']', '"', ',', ' ']).filter(|name| !name.is_empty()).collect();
    if said != all {
        let path = &manifest.path;
        return Err(format!("{path}: `features` of `[package.metadata.docs.rs]` must be {all:?}, in this order"));
    }
    Ok(said.join(","))
}

/// Builds the facade with each of its features alone, with every two, with none, with the default ones, with all; none of it warns.
pub(crate) fn features(workspace: &Workspace) -> Result<(), String> {
    let check = |arguments: &[&str]| {
        let start = ["check", "--quiet", "--package", FACADE];
        workspace.cargo_silent(&[&start, arguments].concat())
    };
    let (features, others): (Vec<&str>, Vec<&str>) =
        workspace.package(FACADE)?.features().into_iter().partition(|&feature| can_be_built(feature));
    for feature in others {
        skip(&format!("the feature `{feature}`, as there are no headers of OpenSSL, or no pkg-config to find them"));
    }
    for set in up_to_two(&features) {
        check(&["--no-default-features", "--features", &set])?;
    }
    check(&["--no-default-features"])?;
    check(&[])?;
    check(&["--features", &features.join(",")])
}

/// Returns each name alone and every two, as cargo takes them.
fn up_to_two(names: &[&str]) -> Vec<String> {
    let mut sets = Vec::new();
    for (index, name) in names.iter().enumerate() {
        sets.push((*name).to_owned());
        sets.extend(names[index + 1..].iter().map(|other| format!("{name},{other}")));
    }
    sets
}

/// Runs every example of the facade, built as its users build it: no other crate of the workspace adds a feature.
pub(crate) fn examples(workspace: &Workspace) -> Result<(), String> {
    example_names(workspace)?.iter().try_for_each(|name| {
        workspace.cargo_output(&["run", "--quiet", "--package", FACADE, "--example", name]).map(drop)
    })
}

/// Returns the names of the facade's examples, in their order.
pub(crate) fn example_names(workspace: &Workspace) -> Result<Vec<String>, String> {
    let folder = workspace.root.join("crates").join(FACADE).join("examples");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

/// Looks at what small builds pull in and cost, and that the simulator stays a witness of its own.
pub(crate) fn trees(workspace: &Workspace) -> Result<(), String> {
    let tree = |arguments: &[&str]| {
        let start = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package"];
        Ok::<_, String>(packages(&workspace.cargo_output(&[&start, arguments].concat())?))
    };
    for set in &SETS {
        let tree = tree(&[FACADE, "--no-default-features", "--features", set.features])?;
        let whose = format!("the facade with `{}`", set.features);
        for forbidden in set.forbidden {
            no_member(&tree, forbidden, &whose)?;
        }
        if tree.len() > set.most {
            return Err(format!("{whose} has {} crates, more than {}", tree.len(), set.most));
        }
        print(&format!("{whose}: {} crates", tree.len()));
    }

    let ours: Vec<&str> = workspace.crates.iter().map(|manifest| manifest.package()).collect();
    let others: Vec<&str> = ours.into_iter().filter(|&name| name != SIMULATOR).collect();
    no_member(&tree(&[SIMULATOR])?, &others, "the simulator")?;
    sizes::promise(workspace)
}

/// A set of features, and what it must not bring.
struct Set {
    features: &'static str,
    forbidden: &'static [&'static [&'static str]],
    most: usize,
}

static SETS: [Set; 4] = [
    // The promise of the smallest build, itself and the facade included.
    Set { features: "link", forbidden: &[HTTP, &["pan123-core", "serde", "tokio"]], most: 20 },
    Set { features: "share", forbidden: &[HTTP, UPLOADS, &["pan123-transfer"]], most: 80 },
    Set { features: "share,rustls", forbidden: &[UPLOADS, &["pan123-transfer"]], most: 130 },
    // Whoever brings a transport builds no other.
    Set { features: "link,oauth-listener,open,share,stream,tracing,transfer,web", forbidden: &[HTTP], most: 100 },
];

const HTTP: &[&str] = &["hyper", "hyper-util", "native-tls", "reqwest", "rustls"];

/// What nobody needs who uploads nothing.
const UPLOADS: &[&str] = &[
    "hmac",
    "mime",
    "mime_guess",
    "multer",
    "pan123-link",
    "pan123-open",
    "pan123-sim",
    "pan123-web",
    "serde_with",
    "sha1",
    "sha2",
    "zip",
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_two_are_every_two() {
        assert_eq!(up_to_two(&["a", "b", "c"]), ["a", "a,b", "a,c", "b", "b,c", "c"]);
    }

    #[test]
    fn a_forbidden_crate_is_found_in_a_tree() {
        let tree = packages("pan123 v0.1.0 (/here)\nserde v1.0.0\nserde_json v1.0.0\nserde v1.0.0 (*)\n\n");
        assert_eq!(tree.len(), 3);
        let error = no_member(&tree, &["serde", "tokio"], "it").unwrap_err();
        assert_eq!(error, "it must not depend on serde");
        assert!(no_member(&tree, &["tokio"], "it").is_ok());
    }
}
