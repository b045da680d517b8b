//! What users of a released version rely on: the packages build alone, the public API is the one that is listed, and the
//! licences of others allow it.

use crate::{
    pages::keep,
    print, skip,
    steps::docs_rs_features,
    tidy, tools,
    workspace::{Workspace, nightly},
};

/// Packs every crate for users, and builds each from its package; cargo warns of nothing that is not meant.
pub(crate) fn package(workspace: &Workspace) -> Result<(), String> {
    let target = workspace.outside().display().to_string();
    let packages: Vec<&str> = workspace.published().flat_map(|manifest| ["--package", manifest.package()]).collect();
    let start = ["package", "--allow-dirty", "--color", "never", "--target-dir", &target];
    let output = workspace.command(&[&start[..], &packages].concat()).output();
    let output = output.map_err(|error| format!("cargo did not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("cargo package: {}\n{said}", output.status));
    }
    match warnings(&said).as_slice() {
        [] => Ok(()),
        warnings => Err(warnings.join("\n")),
    }
}

/// Returns what cargo warns of, but for what is meant: tests and benchmarks stay here, as they read recordings that lie outside of
/// the packages.
fn warnings(said: &str) -> Vec<&str> {
    let is_meant = |line: &str| {
        ["test", "benchmark"].iter().any(|kind| line.starts_with(&format!("warning: ignoring {kind} `")))
            && line.ends_with("is not included in the published package")
    };
    said.lines().map(str::trim).filter(|line| line.starts_with("warning") && !is_meant(line)).collect()
}

/// Lists the public API of each crate for users in `docs/api`, or where `CI` is set demands that it is listed; and looks for the types
/// in it that the map of all operations leads to.
pub(crate) fn api(workspace: &Workspace) -> Result<(), String> {
    let Some(nightly) = nightly() else {
        skip("the public API, as there is no nightly toolchain, which rustdoc's JSON needs");
        return Ok(());
    };
    let Some(tool) = tools::PUBLIC_API.find(workspace) else { return tools::PUBLIC_API.is_missing() };
    let rustc = workspace.program("rustup").args(["run", &nightly, "rustc", "--version"]).output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if !rustc.ends_with(tools::NIGHTLY_RUSTC) {
        print(&format!("the lists are made with {}, and this is {rustc}: they may differ by that", tools::NIGHTLY));
    }
    for manifest in workspace.published() {
        let package = manifest.package();
        let mut command = workspace.program("rustup");
        command.args(["run", &nightly]).arg(&tool).args(["--package", package, "--color", "never"]);
        command.args(["--omit", "blanket-impls,auto-trait-impls", "--features", &docs_rs_features(manifest)?]);
        command.env("CARGO_TARGET_DIR", workspace.target().join("docs.rs")).env_remove("CARGO");
        let output = command.output().map_err(|error| format!("rustup did not start: {error}"))?;
        if !output.status.success() {
            return Err(format!("{package}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        keep(workspace, &format!("docs/api/{package}.txt"), &String::from_utf8_lossy(&output.stdout))?;
    }
    tidy::map_of_operations(workspace)
}

/// Checks licences, sources and bans by `deny.toml`. Advisories change without us, and are for the host's own alerts.
pub(crate) fn deny(workspace: &Workspace) -> Result<(), String> {
    let Some(tool) = tools::DENY.find(workspace) else { return tools::DENY.is_missing() };
    let mut command = workspace.program(tool);
    command.args(["--all-features", "--log-level", "error", "check", "bans", "licenses", "sources"]);
    let output = command.output().map_err(|error| format!("cargo-deny did not start: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_that_is_not_meant_is_found() {
        let said = "   Packaging a v0.1.0\nwarning: ignoring test `it` as `tests/it.rs` is not included in the published package\n";
        assert!(warnings(said).is_empty());
        let more = "warning: manifest has no description\nwarning: ignoring test `it` for no reason\nwarning: unused\n";
        assert_eq!(warnings(&format!("{said}{more}")).len(), 3);
    }
}
