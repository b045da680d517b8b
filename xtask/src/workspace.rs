//! Where the workspace is, which crates it has, and how cargo is called in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::manifest::Manifest;
use crate::tools::NIGHTLY;

/// The workspace on disk: its folder and the manifests of its crates.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) crates: Vec<Manifest>,
}

impl Workspace {
    /// Reads the manifest of each crate, in the order of their names.
    pub(crate) fn read() -> Result<Workspace, String> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = own.parent().ok_or("xtask has no parent folder")?.to_owned();
        let mut folders = vec![own.to_owned(), own.join("bench")];
        for entry in fs::read_dir(root.join("crates")).map_err(|error| format!("crates: {error}"))? {
            folders.push(entry.map_err(|error| format!("crates: {error}"))?.path());
        }
        folders.sort();
        let manifests = folders.into_iter().map(|folder| folder.join("Cargo.toml")).filter(|path| path.exists());
        let crates = manifests.map(|path| Manifest::read(&root, &path)).collect::<Result<_, _>>()?;
        Ok(Workspace { root, crates })
    }

    /// Returns the crates that are for users, and not for this repository alone.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Manifest> {
        self.crates.iter().filter(|manifest| manifest.value("package", "publish") != Some("false"))
    }

    pub(crate) fn package(&self, name: &str) -> Result<&Manifest, String> {
        let found = self.crates.iter().find(|manifest| manifest.package() == name);
        found.ok_or_else(|| format!("there is no crate {name}"))
    }

    /// Runs cargo with its output on the terminal.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<(), String> {
        self.cargo_with(arguments, &[])
    }

    /// Runs cargo with its output on the terminal and more variables in its environment.
    pub(crate) fn cargo_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<(), String> {
        let mut command = self.command(arguments);
        let status = command.envs(variables.iter().copied()).status();
        let status = status.map_err(|error| format!("cargo did not start: {error}"))?;
        if status.success() { Ok(()) } else { Err(failure(arguments, status)) }
    }

    /// Runs cargo and returns what it printed.
    pub(crate) fn cargo_output(&self, arguments: &[&str]) -> Result<String, String> {
        self.cargo_output_with(arguments, &[])
    }

    /// Runs cargo with more variables in its environment, and returns what it printed.
    pub(crate) fn cargo_output_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
        let output = self.command(arguments).envs(variables.iter().copied()).output();
        let output = output.map_err(|error| format!("cargo did not start: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(format!("{}\n{errors}", failure(arguments, output.status)))
        }
    }

    /// Runs cargo, and demands that it has nothing to say on the way, also where it succeeds: no warning.
    pub(crate) fn cargo_silent(&self, arguments: &[&str]) -> Result<(), String> {
        let output = self.command(arguments).output().map_err(|error| format!("cargo did not start: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.success() && said.trim().is_empty() {
            true => Ok(()),
            false => Err(format!("{}\n{said}", failure(arguments, output.status))),
        }
    }

    /// Returns the folder that cargo builds into.
    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }

    /// Returns where crates outside the workspace are built, which share what they depend on.
    pub(crate) fn outside(&self) -> PathBuf {
        self.target().join("outside")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        // `cargo xtask` says which cargo it is; the built tool alone takes the one on the path.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = self.program(cargo);
        command.args(arguments);
        command
    }

    /// Prepares any program, to be run at the top of the repository.
    pub(crate) fn program(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(name);
        command.current_dir(&self.root);
        // No chore talks to the real service, whatever the person's environment holds.
        for name in
            ["PAN123_CLIENT_ID", "PAN123_CLIENT_SECRET", "PAN123_LINK_KEY", "PAN123_USERNAME", "PAN123_PASSWORD"]
        {
            command.env_remove(name);
        }
        command
    }
}

/// Finds a nightly toolchain, best the one that is pinned, by looking at the list: asking for one that is missing might install it.
pub(crate) fn nightly() -> Option<String> {
    let output = Command::new("rustup").args(["toolchain", "list"]).stderr(Stdio::null()).output().ok()?;
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = || list.lines().filter_map(|line| line.split_whitespace().next());
    let begins = |start: &str| names().find(|name| name.starts_with(start));
    begins(NIGHTLY).or_else(|| begins("nightly")).map(str::to_owned)
}

/// Says which command failed, without the lists in it that nobody reads.
fn failure(arguments: &[&str], status: ExitStatus) -> String {
    let shown = arguments.iter().map(|&argument| if argument.len() > 60 { "…" } else { argument });
    format!("`cargo {}`: {status}", shown.collect::<Vec<_>>().join(" "))
}
