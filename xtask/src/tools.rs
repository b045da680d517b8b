//! The programs of others that steps use, each in the version that this repository was checked with.

use std::{env::consts::EXE_SUFFIX, path::PathBuf, process::Stdio};

use crate::{print, skip, workspace::Workspace};

/// A program from the registry.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Its lists depend on the nightly toolchain too, see [`NIGHTLY`].
pub(crate) static PUBLIC_API: Tool = Tool { name: "cargo-public-api", version: "0.52.0" };

pub(crate) static DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

/// The nightly toolchain that `docs/api` is made with, and that the public host installs.
pub(crate) const NIGHTLY: &str = "nightly-2026-05-20";

/// What its rustc says of itself.
pub(crate) const NIGHTLY_RUSTC: &str = "1.97.0-nightly (e50aa6fba 2026-05-19)";

/// Installs each tool that is missing or of another version, or of those that the command line names.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let names: Vec<String> = std::env::args().skip(2).collect();
    for tool in chosen(&names)? {
        if tool.find(workspace).is_none() {
            tool.install(workspace)?;
        }
        print(&format!("{} {} is there", tool.name, tool.version));
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Tool>, String> {
    let all = [&PUBLIC_API, &DENY];
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    let one = |name: &String| all.into_iter().find(|tool| tool.name == name);
    names.iter().map(|name| one(name).ok_or_else(|| format!("`{name}` is no tool of this repository"))).collect()
}

impl Tool {
    /// Returns how it is called: from the folder of `cargo xtask tools`, or from the path where it is of the same version.
    pub(crate) fn find(&self, workspace: &Workspace) -> Option<PathBuf> {
        let own = folder(workspace).join("bin").join(format!("{}{EXE_SUFFIX}", self.name));
        [own, PathBuf::from(self.name)].into_iter().find(|path| {
            let output = workspace.program(path).arg("--version").stdin(Stdio::null()).output();
            output.is_ok_and(|output| self.is_version(&String::from_utf8_lossy(&output.stdout)))
        })
    }

    /// Says that a step goes without it; a machine that checks (`CI` is set) must not.
    pub(crate) fn is_missing(&self) -> Result<(), String> {
        let missing = format!("no {} {}: `cargo xtask tools {}` installs it", self.name, self.version, self.name);
        if std::env::var_os("CI").is_some() {
            return Err(missing);
        }
        skip(&missing);
        Ok(())
    }

    fn install(&self, workspace: &Workspace) -> Result<(), String> {
        let root = folder(workspace).display().to_string();
        // Built quickly: it runs for seconds.
        workspace.cargo_with(
            &["install", "--quiet", "--locked", "--debug", "--version", self.version, "--root", &root, self.name],
            &[("CARGO_PROFILE_DEV_DEBUG", "false")],
        )?;
        let found = self.find(workspace).ok_or_else(|| format!("{} was installed and does not run", self.name));
        found.map(drop)
    }

    fn is_version(&self, printed: &str) -> bool {
        printed.split_whitespace().any(|word| word == self.version)
    }
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("tools")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_not_the_tool() {
        let tool = Tool { name: "cargo-a", version: "0.5.1" };
        assert!(tool.is_version("cargo-a 0.5.1\n"));
        assert!(!tool.is_version("cargo-a 0.5.10\n"));
        assert!(!tool.is_version("cargo-a 0.50.1\n"));
        assert!(!tool.is_version(""));
    }

    #[test]
    fn a_tool_is_chosen_by_its_name() {
        assert_eq!(chosen(&[]).unwrap().len(), 2);
        assert_eq!(chosen(&["cargo-deny".to_owned()]).unwrap()[0].name, "cargo-deny");
        assert!(chosen(&["deny".to_owned()]).is_err());
    }
}
