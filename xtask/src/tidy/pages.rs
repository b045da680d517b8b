//! Rules for pages: links lead somewhere, and a page in two languages shows the same code in both.

use std::collections::BTreeSet;

use super::{File, Finding, numbered};
use crate::readme::{GUIDE, blocks};

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let known = places(files);
    let pages = files.iter().filter(|file| file.path.ends_with(".md"));
    let mut findings: Vec<Finding> = pages.flat_map(|page| links(page, &known)).collect();
    let find = |path: &str| files.iter().find(|file| file.path == path);
    findings.extend(find("ARCHITECTURE.md").map(|page| guards(page, files)).unwrap_or_default());
    for file in files {
        let Some(other) = translation(&file.path) else { continue };
        match find(&other) {
            Some(other) => findings.extend(same_code(file, other)),
            None => findings.push(Finding::new(&file.path, 1, format!("this page has no `{other}`"))),
        }
    }
    findings
}

/// What is said to guard an invariant is a function that is there: a test is renamed together with the page.
fn guards(page: &File, files: &[File]) -> Vec<Finding> {
    let is_there = |name: &str| {
        let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
        rust.into_iter().any(|file| file.text.contains(&format!("fn {name}(")))
    };
    let mut findings = Vec::new();
    for (number, line) in numbered(&page.text) {
        let is_sentence = |name: &&str| {
            let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            is_name && name.matches('_').count() >= 2
        };
        let names = line.split('`').skip(1).step_by(2).filter(is_sentence);
        let missing = names.filter(|name| !is_there(name));
        findings.extend(missing.map(|name| Finding::new(&page.path, number, format!("there is no test `{name}`"))));
    }
    findings
}

/// Returns where the page's translation is, if it is to have one.
fn translation(path: &str) -> Option<String> {
    match path {
        "README.md" => Some("README.zh-CN.md".to_owned()),
        "README.zh-CN.md" => Some("README.md".to_owned()),
        _ => {
            let (language, name) = path.strip_prefix(GUIDE)?.strip_prefix('/')?.split_once('/')?;
            let other = if language == "en" { "zh" } else { "en" };
            Some(format!("{GUIDE}/{other}/{name}"))
        }
    }
}

/// Code is the same whatever the language around it, so that it is compiled once.
fn same_code(page: &File, other: &File) -> Option<Finding> {
    let (ours, theirs) = (blocks(&page.text), blocks(&other.text));
    let number = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs).count();
    (ours != theirs)
        .then(|| Finding::new(&page.path, 1, format!("block {} of code is not that of `{}`", number + 1, other.path)))
}

/// Every file, and every folder above one.
fn places(files: &[File]) -> BTreeSet<&str> {
    let mut places = BTreeSet::new();
    for file in files {
        let mut path = file.path.as_str();
        while places.insert(path) {
            match path.rsplit_once('/') {
                Some((folder, _)) => path = folder,
                None => break,
            }
        }
    }
    // Another name for the folder with the guides, which `read_folder` does not follow.
    places.insert("docs/guide");
    places
}

/// Links to files lead to files that are there, and into a page to a heading that it has.
fn links(page: &File, known: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_code = false;
    for (number, line) in numbered(&page.text) {
        is_code ^= line.starts_with("```");
        if is_code {
            continue;
        }
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.contains("://") && !target.contains("::")) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = resolve(&page.path, path);
            if !known.contains(path.as_str()) {
                findings.push(Finding::new(&page.path, number, format!("this link leads nowhere: {target}")));
            } else if !heading.is_empty() && path == page.path && !has_heading(&page.text, heading) {
                findings.push(Finding::new(&page.path, number, format!("this page has no heading #{heading}")));
            }
        }
    }
    findings
}

/// Returns a path from the top of the repository, for a link on a page.
fn resolve(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    if !link.is_empty() {
        parts.pop();
    }
    for part in link.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

fn has_heading(text: &str, wanted: &str) -> bool {
    text.lines().filter(|line| line.starts_with('#')).any(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>() == wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[track_caller]
    fn found(files: &[File], expected: &[(&str, usize)]) {
        let findings = check(files);
        let found: Vec<_> = findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
        assert_eq!(found, expected, "{findings:?}");
    }

    #[test]
    fn a_link_leads_to_a_file_a_folder_or_a_heading() {
        let target = file("crates/a/src/lib.rs", "");
        let good =
            "# Two words\n[a](../crates/a) [b](../crates/a/src/lib.rs#L1)\n[c](#two-words) [d](https://no.where)\n";
        found(&[target, file("docs/x.md", good)], &[]);
        found(&[file("docs/x.md", "\n[a](y.md)\n```\n[a](z.md)\n```\n")], &[("docs/x.md", 2)]);
        found(&[file("docs/x.md", "[a](#no)\n")], &[("docs/x.md", 1)]);
    }

    #[test]
    fn what_guards_an_invariant_is_a_test_that_is_there() {
        let tests = file("crates/a/tests/it.rs", "fn a_token_is_kept() {}\n");
        let page = "1. **Kept.** `a_token_is_kept`, `rust_version`.\n2. `no_token_is_lost`\n";
        found(&[tests, file("ARCHITECTURE.md", page)], &[("ARCHITECTURE.md", 2)]);
    }

    #[test]
    fn a_guide_is_there_in_both_languages_with_the_same_code() {
        let page = |language: &str, text: &str| file(&format!("{GUIDE}/{language}/a.md"), text);
        found(&[page("en", "# A\n\n```sh\nls\n```\n"), page("zh", "# 甲\n\n```sh\nls\n```\n")], &[]);
        found(&[page("en", "")], &[("crates/pan123/guide/en/a.md", 1)]);
        let en = page("en", "# A\n\n```sh\nls\n```\n");
        found(
            &[en, page("zh", "# 甲\n\n```sh\nls -l\n```\n")],
            &[("crates/pan123/guide/en/a.md", 1), ("crates/pan123/guide/zh/a.md", 1)],
        );
    }
}
