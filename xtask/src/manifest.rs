//! Reads a `Cargo.toml` of this workspace, as far as the checks need it.

use std::{fs, path::Path};

/// The settings of a manifest, in order.
///
/// Only the TOML that such files are written in is understood: one `key = value` a line, arrays over
/// several lines, comments. Anything else is an error, not a guess.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) path: String,
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    section: String,
    key: String,
    value: String,
    line: usize,
}

/// A dependency as a manifest states it.
#[derive(Debug, PartialEq)]
pub(crate) struct Dependency<'a> {
    pub(crate) name: &'a str,
    /// Whether it is only for tests, benchmarks and examples.
    pub(crate) is_dev: bool,
    /// Whether its version comes from the workspace.
    pub(crate) is_inherited: bool,
    /// Whether it is the crate itself, with other features.
    pub(crate) is_self: bool,
    pub(crate) line: usize,
}

impl Manifest {
    /// Reads a manifest, and names it by its path below `root`.
    pub(crate) fn read(root: &Path, path: &Path) -> Result<Manifest, String> {
        let shown = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        Manifest::parse(&shown, &text)
    }

    pub(crate) fn parse(path: &str, text: &str) -> Result<Manifest, String> {
        let mut settings = Vec::new();
        let mut section = String::new();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let line = without_comment(line);
            if line.is_empty() {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.trim_matches(['[', ']']).to_owned();
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return Err(format!("{path}:{}: this line is not understood", index + 1));
            };
            let mut value = value.trim().to_owned();
            while open_brackets(&value) > 0 {
                let (_, more) = lines.next().ok_or_else(|| format!("{path}:{}: this array has no end", index + 1))?;
                value.push_str(without_comment(more));
            }
            let key = key.trim().trim_matches('"').to_owned();
            settings.push(Setting { section: section.clone(), key, value, line: index + 1 });
        }
        Ok(Manifest { path: path.to_owned(), settings })
    }

    /// Returns the name of the package.
    pub(crate) fn package(&self) -> &str {
        self.value("package", "name").unwrap_or_default().trim_matches('"')
    }

    /// Returns the names of the features, without `default`.
    pub(crate) fn features(&self) -> Vec<&str> {
        let in_features = self.settings.iter().filter(|setting| setting.section == "features");
        in_features.map(|setting| setting.key.as_str()).filter(|&name| name != "default").collect()
    }

    pub(crate) fn value(&self, section: &str, key: &str) -> Option<&str> {
        let found = self.settings.iter().find(|setting| setting.section == section && setting.key == key);
        found.map(|setting| setting.value.as_str())
    }

    /// Returns every dependency: normal ones, those of build scripts, those of one system, and those of tests.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = Dependency<'_>> {
        self.settings.iter().filter_map(|setting| {
            let tables = ["dependencies", "build-dependencies", "dev-dependencies"];
            let (path, rest) = match setting.section.rsplit_once('.') {
                // `[dependencies.name]`, where each setting of the dependency has a line of its own.
                Some((path, name)) if tables.iter().any(|table| ends_with_part(path, table)) => (path, Some(name)),
                _ => (setting.section.as_str(), None),
            };
            let table = tables.into_iter().find(|table| ends_with_part(path, table))?;
            let (name, value) = match (rest, setting.key.split_once('.')) {
                (Some(name), _) => (name, format!("{} = {}", setting.key, setting.value)),
                (None, Some((name, key))) => (name, format!("{key} = {}", setting.value)),
                (None, None) => (setting.key.as_str(), setting.value.clone()),
            };
            let value = value.replace(' ', "");
            Some(Dependency {
                name,
                is_dev: table == "dev-dependencies",
                is_inherited: value.contains("workspace=true"),
                is_self: name == self.package() && value.contains("path=\".\"") && !value.contains("version="),
                line: setting.line,
            })
        })
    }
}

/// Says whether a dotted path ends in the part `name`.
fn ends_with_part(path: &str, name: &str) -> bool {
    path.rsplit('.').next() == Some(name)
}

/// Returns a line without its comment and the white space around it.
fn without_comment(line: &str) -> &str {
    let mut is_quoted = false;
    let comment = line.find(|c| {
        is_quoted ^= c == '"';
        c == '#' && !is_quoted
    });
    line[..comment.unwrap_or(line.len())].trim()
}

/// Returns how many arrays a value leaves open.
fn open_brackets(value: &str) -> usize {
    let count = |bracket| value.matches(bracket).count();
    count('[').saturating_sub(count(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[package]
name = "pan123-open" # a comment
description = "with # in it"
version.workspace = true

[features]
default = ["link"]
# Sign.
link = [
    "dep:pan123-link", # more
]
stream = []

[dependencies]
bytes = { workspace = true, features = ["std"] }
http.workspace = true
old = "1.0"
[target.'cfg(unix)'.dependencies]
libc = { version = "0.2" }
[dependencies.pan123-core]
workspace = true
[dev-dependencies]
pan123-open = { path = ".", features = ["testing"] }
"#;

    #[test]
    fn what_our_manifests_say_is_read() {
        let manifest = Manifest::parse("Cargo.toml", TEXT).unwrap();
        assert_eq!(manifest.package(), "pan123-open");
        assert_eq!(manifest.features(), ["link", "stream"]);
        assert_eq!(manifest.value("package", "description"), Some("\"with # in it\""));
        let found: Vec<_> =
            manifest.dependencies().map(|d| (d.name, d.is_dev, d.is_inherited, d.is_self, d.line)).collect();
        assert_eq!(
            found,
            [
                ("bytes", false, true, false, 16),
                ("http", false, true, false, 17),
                ("old", false, false, false, 18),
                ("libc", false, false, false, 20),
                ("pan123-core", false, true, false, 22),
                ("pan123-open", true, false, true, 24),
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        assert!(Manifest::parse("Cargo.toml", "[package]\nname").unwrap_err().starts_with("Cargo.toml:2:"));
        assert!(Manifest::parse("Cargo.toml", "a = [\n1,").is_err());
    }
}
