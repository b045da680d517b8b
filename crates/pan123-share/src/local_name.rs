//! Local names for remote ones: whatever a stranger calls a file, it stays in its folder and overwrites no sibling.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

/// The most bytes of a local name: what the common file systems take.
const MOST_BYTES: usize = 255;

/// Names that Windows keeps for devices, with or without an ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Hands out local paths, each once.
#[derive(Debug, Default)]
pub(crate) struct LocalNames {
    taken: HashMap<PathBuf, HashSet<String>>,
}

impl LocalNames {
    /// Returns the path in `folder` for a remote name. Of several that would have the same, later ones get a number.
    pub(crate) fn place(&mut self, folder: &Path, remote: &str) -> PathBuf {
        let taken = self.taken.entry(folder.to_owned()).or_default();
        let safe = safe_name(remote);
        // Some file systems take `A` and `a` for one name.
        let is_free = |name: &str| !taken.contains(&name.to_lowercase());
        let numbered = (2_u64..).map(|number| with_number(&safe, number));
        let name = std::iter::once(safe.clone()).chain(numbered).find(|name| is_free(name));
        let name = name.expect("there are more numbers than names");
        taken.insert(name.to_lowercase());
        folder.join(name)
    }
}

/// Returns a name that is one part of a path on every common system.
fn safe_name(remote: &str) -> String {
    let is_bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let mut name = remote.replace(is_bad, "_");
    // Windows drops these, and then finds another file.
    if name.ends_with(['.', ' ']) || name.is_empty() {
        name.pop();
        name.push('_');
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = |port: &str| {
        stem.strip_prefix(port)
            .is_some_and(|rest| rest.len() == 1 && rest != "0" && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    if DEVICES.contains(&stem.as_str()) || is_port("com") || is_port("lpt") {
        name.insert(0, '_');
    }
    shortened(&name, MOST_BYTES)
}

/// Puts a number before the ending.
fn with_number(name: &str, number: u64) -> String {
    let (stem, ending) = split_ending(name);
    let mark = format!(" ({number})");
    let stem = cut(stem, MOST_BYTES.saturating_sub(mark.len() + ending.len()));
    format!("{stem}{mark}{ending}")
}

/// Cuts a name that is too long, and keeps its ending.
fn shortened(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let (stem, ending) = split_ending(name);
    format!("{}{ending}", cut(stem, most - ending.len()))
}

/// Splits off an ending such as `.mp4`; a dot at the beginning or a long tail is none.
fn split_ending(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn a_name_stays_one_part_of_a_path() {
        for (remote, want) in [
            ("秋天.mp4", "秋天.mp4"),
            ("..", "._"),
            (".", "_"),
            ("", "_"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            (r"C:\windows", "C__windows"),
            ("a\0b\n", "a_b_"),
            ("trailing. ", "trailing._"),
            (".hidden", ".hidden"),
            ("NUL.txt", "_NUL.txt"),
            ("com1", "_com1"),
            ("com0", "com0"),
            ("console", "console"),
        ] {
            assert_eq!(safe_name(remote), want, "{remote:?}");
        }
        let long = safe_name(&format!("{}.mp4", "长".repeat(100)));
        assert!(long.len() <= MOST_BYTES && long.ends_with("长.mp4"), "{long}");
    }

    #[test]
    fn siblings_do_not_overwrite_each_other() {
        let mut names = LocalNames::default();
        let mut place = |name| names.place(Path::new("/t"), name).file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            ["a.txt", "A.txt", "a.txt", "a?", "a*"].map(&mut place),
            ["a.txt", "A (2).txt", "a (3).txt", "a_", "a_ (2)"]
        );
        let long = "x".repeat(300);
        assert_ne!(place(&long), place(&long));
        assert_eq!(names.place(Path::new("/other"), "a.txt"), Path::new("/other/a.txt"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(123), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_name_leaves_its_folder(name in any::<String>()) {
            let path = LocalNames::default().place(Path::new("/t"), &name);
            let parts: Vec<Component<'_>> = path.components().collect();
            prop_assert_eq!(parts.len(), 3);
            prop_assert!(matches!(parts[2], Component::Normal(_)));
            prop_assert!(path.file_name().is_some_and(|name| name.len() <= MOST_BYTES));
        }
    }
}
