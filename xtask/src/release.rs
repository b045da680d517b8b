//! What users of a released version rely on: the packages build alone, the public API is the one that is listed, and the
//! licences of others allow it.

use std::process::Stdio;

use crate::{
    pages::keep,
    print,
    steps::docs_rs_features,
    workspace::{Workspace, nightly},
};

/// Packs every crate for users, and builds each from its package.
pub(crate) fn package(workspace: &Workspace) -> Result<(), String> {
    let target = workspace.outside().display().to_string();
    let packages: Vec<&str> = workspace.published().flat_map(|manifest| ["--package", manifest.package()]).collect();
    let start = ["package", "--quiet", "--allow-dirty", "--target-dir", &target];
    workspace.cargo(&[&start[..], &packages].concat())
}

/// Lists the public API of each crate for users in `docs/api`, or where `CI` is set demands that it is listed.
pub(crate) fn api(workspace: &Workspace) -> Result<(), String> {
    let Some(nightly) = nightly() else {
        print("skipped: no nightly toolchain, which rustdoc's JSON needs");
        return Ok(());
    };
    if !has(workspace, &nightly, "public-api") {
        print("skipped: no cargo-public-api; `cargo install --locked cargo-public-api`");
        return Ok(());
    }
    for manifest in workspace.published() {
        let package = manifest.package();
        let mut command = workspace.program("rustup");
        command.args(["run", &nightly, "cargo", "public-api", "--package", package, "--color", "never"]);
        command.args(["--omit", "blanket-impls,auto-trait-impls", "--features", &docs_rs_features(manifest)?]);
        command.env("CARGO_TARGET_DIR", workspace.target().join("docs.rs"));
        let output = command.output().map_err(|error| format!("rustup did not start: {error}"))?;
        if !output.status.success() {
            return Err(format!("{package}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        keep(workspace, &format!("docs/api/{package}.txt"), &String::from_utf8_lossy(&output.stdout))?;
    }
    Ok(())
}

/// Checks licences, sources and bans by `deny.toml`. Advisories change without us, and are for the host's own alerts.
pub(crate) fn deny(workspace: &Workspace) -> Result<(), String> {
    let mut version = workspace.program("cargo");
    let version = version.args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        print("skipped: no cargo-deny; `cargo install --locked cargo-deny`");
        return Ok(());
    }
    let arguments = ["deny", "--all-features", "--log-level", "error", "check", "bans", "licenses", "sources"];
    workspace.cargo_output(&arguments).map(drop)
}

fn has(workspace: &Workspace, toolchain: &str, tool: &str) -> bool {
    let mut command = workspace.program("rustup");
    command.args(["run", toolchain, "cargo", tool, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
