//! Rules for manifests: which crate may depend on which, lints and versions from the workspace.

use super::Finding;
use crate::manifest::Manifest;

pub(super) fn check(crates: &[Manifest]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in crates {
        findings.extend(arrows(manifest));
        findings.extend(lints(manifest));
        findings.extend(versions(manifest));
    }
    findings
}

/// Arrows only point down, and to the simulator only from tests.
fn arrows(manifest: &Manifest) -> Vec<Finding> {
    let name = manifest.package();
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        let message = format!("`{name}` is new: say in `ARROWS` of this check what it may depend on");
        return vec![Finding::new(&manifest.path, 1, message)];
    };
    let ours = manifest.dependencies().filter(|d| d.name == "xtask" || d.name.starts_with("pan123"));
    let wrong = ours.filter(|dependency| {
        let in_tests = dependency.is_dev && (dependency.name == name || dependency.name == SIMULATOR);
        // The simulator is a witness of its own: not even its tests see another crate of ours.
        let is_allowed = allowed.contains(&dependency.name) || in_tests && name != SIMULATOR;
        !is_allowed
    });
    let message = |to: &str| format!("`{name}` must not depend on `{to}`");
    wrong.map(|dependency| Finding::new(&manifest.path, dependency.line, message(dependency.name))).collect()
}

/// Lints are set once, for all.
fn lints(manifest: &Manifest) -> Vec<Finding> {
    if manifest.value("lints", "workspace") == Some("true") {
        return Vec::new();
    }
    vec![Finding::new(&manifest.path, 1, "it must have `[lints] workspace = true`")]
}

/// Versions are set once, for all.
fn versions(manifest: &Manifest) -> Vec<Finding> {
    let own = manifest.dependencies().filter(|dependency| !dependency.is_inherited && !dependency.is_self);
    let mut names: Vec<(&str, usize)> = own.map(|dependency| (dependency.name, dependency.line)).collect();
    // In a `[dependencies.name]` each setting is a line; one that inherits speaks for all.
    names.retain(|(name, _)| !manifest.dependencies().any(|d| d.name == *name && d.is_inherited));
    names.dedup_by_key(|(name, _)| *name);
    let message = |name| format!("the version of `{name}` belongs in the workspace's `Cargo.toml`");
    names.into_iter().map(|(name, line)| Finding::new(&manifest.path, line, message(name))).collect()
}

const SIMULATOR: &str = "pan123-sim";

/// Which of our crates each crate may depend on.
const ARROWS: [(&str, &[&str]); 10] = [
    ("pan123", &["pan123-core", "pan123-link", "pan123-open", "pan123-share", "pan123-transfer", "pan123-web"]),
    ("pan123-bench", &["pan123-link", "pan123-open", "pan123-web"]),
    ("pan123-core", &[]),
    ("pan123-link", &[]),
    ("pan123-open", &["pan123-core", "pan123-link", "pan123-transfer"]),
    ("pan123-share", &["pan123-core", "pan123-transfer"]),
    (SIMULATOR, &[]),
    ("pan123-transfer", &["pan123-core"]),
    ("pan123-web", &["pan123-core", "pan123-transfer"]),
    ("xtask", &["pan123-open", "pan123-share", "pan123-sim", "pan123-web"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(check: fn(&Manifest) -> Vec<Finding>, name: &str, rest: &str, expected: &[&str]) {
        let text = format!("[package]\nname = \"{name}\"\n{rest}");
        let manifest = Manifest::parse("Cargo.toml", &text).unwrap();
        let findings = check(&manifest);
        assert_eq!(findings.len(), expected.len(), "{findings:?}");
        for (finding, expected) in findings.iter().zip(expected) {
            assert!(finding.message.contains(expected), "{}", finding.message);
        }
    }

    fn dependency(table: &str, name: &str) -> String {
        format!("[{table}]\n{name} = {{ workspace = true }}\n")
    }

    #[test]
    fn arrows_point_down() {
        found(arrows, "pan123-open", &dependency("dependencies", "pan123-core"), &[]);
        found(arrows, "pan123-core", &dependency("dependencies", "pan123-open"), &["pan123-open"]);
        found(arrows, "pan123-link", &dependency("dependencies", "pan123-core"), &["pan123-core"]);
        found(arrows, "pan123-transfer", &dependency("dependencies", "pan123-link"), &["pan123-link"]);
        found(arrows, "pan123-share", &dependency("build-dependencies", "pan123-web"), &["pan123-web"]);
        found(arrows, "pan123-web", &dependency("target.'cfg(unix)'.dependencies", "pan123-share"), &["pan123-share"]);
        found(arrows, "pan123-new", "", &["is new"]);
    }

    #[test]
    fn tests_may_use_the_simulator_but_nobody_else() {
        found(arrows, "pan123-open", &dependency("dev-dependencies", "pan123-sim"), &[]);
        found(arrows, "pan123-core", &dependency("dev-dependencies", "pan123-core"), &[]);
        found(arrows, "pan123-open", &dependency("dependencies", "pan123-sim"), &["pan123-sim"]);
        found(arrows, "pan123-core", &dependency("dev-dependencies", "pan123-open"), &["pan123-open"]);
    }

    #[test]
    fn the_simulator_knows_none_of_us() {
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            found(arrows, "pan123-sim", &dependency(table, "pan123-core"), &["pan123-core"]);
        }
    }

    #[test]
    fn lints_come_from_the_workspace() {
        found(lints, "pan123-link", "[lints]\nworkspace = true\n", &[]);
        found(lints, "pan123-link", "[lints.rust]\nmissing_docs = \"allow\"\n", &["lints"]);
    }

    #[test]
    fn versions_come_from_the_workspace() {
        found(
            versions,
            "pan123-link",
            "[dependencies]\na.workspace = true\n[dependencies.b]\nworkspace = true\noptional = true\n",
            &[],
        );
        found(versions, "pan123-core", "[dev-dependencies]\npan123-core = { path = \".\" }\n", &[]);
        found(versions, "pan123-link", "[dependencies]\na = \"1\"\nb = { version = \"1\" }\n", &["`a`", "`b`"]);
        found(versions, "pan123-link", "[dev-dependencies.a]\nversion = \"1\"\noptional = true\n", &["`a`"]);
        found(
            versions,
            "pan123-link",
            "[dependencies]\npan123-core = { path = \"../pan123-core\" }\n",
            &["`pan123-core`"],
        );
    }
}
