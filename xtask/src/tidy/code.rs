//! Rules for Rust files: first line, globs, length, what must not stay behind.

use super::{File, Finding, numbered};

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.path.ends_with(".rs") {
        findings.extend(first_line(file));
        findings.extend(globs(file));
        findings.extend(length(file));
    }
    let is_code = [".rs", ".toml", ".sh", ".yml"].iter().any(|end| file.path.ends_with(end));
    if is_code || file.path.starts_with(".ci/") {
        findings.extend(left_behind(file));
    }
    findings
}

/// Line 1 of every module says in a sentence what it is for.
fn first_line(file: &File) -> Vec<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    if first.strip_prefix("//! ").is_some_and(|sentence| !sentence.trim().is_empty()) {
        return Vec::new();
    }
    vec![Finding::new(&file.path, 1, "the first line must be `//!` and say what the file is for")]
}

/// Each name is imported and exported by itself; tests may say `use super::*`.
fn globs(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_test = false;
    let mut lines = numbered(&file.text);
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        is_test |= line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test,");
        if !(line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ")) {
            continue;
        }
        let mut import = line.to_owned();
        while !import.contains(';') {
            let Some((_, more)) = lines.next() else { break };
            import.push_str(more);
        }
        let import = import.replace(' ', "");
        let is_glob = ["::*", "{*", ",*"].iter().any(|glob| import.contains(glob));
        if is_glob && !(is_test && import == "usesuper::*;") {
            findings.push(Finding::new(&file.path, number, "no glob imports or exports: name what is used"));
        }
    }
    findings
}

/// A long file may hold two things.
fn length(file: &File) -> Vec<Finding> {
    let count = file.text.lines().count();
    if count <= LONGEST_FILE || LONG_FILES.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let message = format!("{count} lines: past {LONGEST_FILE}, ask whether two things live here");
    vec![Finding::warning(&file.path, count, message)]
}

/// Nothing is left for later: neither a note, nor a stub, nor a test that does not run.
fn left_behind(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in numbered(&file.text) {
        let is_note = |word: &&str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == *word);
        let found = NOTES.into_iter().find(|word| is_note(word));
        if let Some(found) = found.or_else(|| STUBS.into_iter().find(|stub| line.contains(stub))) {
            findings.push(Finding::new(&file.path, number, format!("`{found}`: finish it, or open an issue")));
        }
    }
    findings
}

const LONGEST_FILE: usize = 600;

/// The files that may be longer, each with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

// Put together from halves, so that this file does not break its own rule.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const STUBS: [&str; 2] = [concat!("todo", "!("), concat!("#[", "ignore")];

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn a_file_says_first_what_it_is_for() {
        found(first_line, "a.rs", "//! Does it.\nfn a() {}\n", &[]);
        found(first_line, "a.rs", "fn a() {}\n", &[1]);
        found(first_line, "a.rs", "//!\n//! Does it.\n", &[1]);
        found(first_line, "a.rs", "// Does it.\n", &[1]);
        found(first_line, "a.rs", "", &[1]);
    }

    #[test]
    fn a_glob_is_found_wherever_it_stands() {
        found(globs, "a.rs", "use a::b;\nuse a::*;\n", &[2]);
        found(globs, "a.rs", "pub use a::*;\npub(crate) use a::*;\n", &[1, 2]);
        found(globs, "a.rs", "    use a::{b, *};\n", &[1]);
        found(globs, "a.rs", "use a::{\n    b::*,\n    c,\n};\n", &[1]);
        found(globs, "a.rs", "use super::*;\n", &[1]);
        found(globs, "a.rs", "let a = b * c;\n/// use a::*;\n", &[]);
    }

    #[test]
    fn tests_may_import_their_module() {
        found(globs, "a.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n    use a::*;\n}\n", &[4]);
        found(globs, "a.rs", "#[cfg(all(test, feature = \"a\"))]\nmod tests {\n    use super::*;\n}\n", &[]);
        found(globs, "a.rs", "#[cfg(feature = \"test\")]\nmod a {\n    use super::*;\n}\n", &[3]);
    }

    #[test]
    fn a_long_file_is_said_but_fails_nothing() {
        let file = File { path: "a.rs".to_owned(), text: "\n".repeat(601) };
        let findings = length(&file);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].is_warning);
        found(length, "a.rs", &"\n".repeat(600), &[]);
    }

    #[test]
    fn nothing_is_left_behind() {
        for word in NOTES.into_iter().chain(STUBS) {
            found(left_behind, "a.rs", &format!("fn a() {{}}\n// {word} this\n"), &[2]);
        }
        found(left_behind, "a.rs", "METODO FIXMEUP 1812XXX to_do ignore\n", &[]);
    }

    #[test]
    fn the_rules_are_for_code() {
        let planted = format!("{}\n", NOTES[0]);
        found(check, "docs/a.md", &planted, &[]);
        found(check, "crates/a/Cargo.toml", &planted, &[1]);
        found(check, ".ci/run", &planted, &[1]);
        found(check, "crates/a/src/lib.rs", &planted, &[1, 1]);
    }
}
