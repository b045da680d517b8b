//! Rules for pages: links lead somewhere, a page in two languages shows the same code in both, guides are found, and tables of features
//! are true.

use std::collections::BTreeSet;

use super::{File, Finding, numbered};
use crate::{manifest::Manifest, markdown::Page, readme::GUIDE};

pub(super) fn check(files: &[File], crates: &[Manifest]) -> Vec<Finding> {
    let known = places(files);
    let find = |path: &str| files.iter().find(|file| file.path == path);
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let page = Page::parse(&file.text);
        findings.extend(page.open.map(|line| Finding::new(&file.path, line, "this block has no end")));
        findings.extend(links(file, &page, &known, files));
        // The map is written from the code, which may be newer than the list: `api` looks at it.
        if file.path != MAP {
            findings.extend(docs_rs(file, files));
        }
        if let Some(manifest) = crates.iter().find(|manifest| manifest.path == beside(&file.path, "Cargo.toml")) {
            findings.extend(features(file, &page, manifest));
        }
        if let Some(other) = translation(&file.path) {
            match find(&other) {
                Some(other) => findings.extend(same_code(file, other)),
                None => findings.push(Finding::new(&file.path, 1, format!("this page has no `{other}`"))),
            }
        }
        findings.extend(in_lists(file, files));
    }
    findings.extend(find("ARCHITECTURE.md").map(|page| guards(page, files)).unwrap_or_default());
    findings
}

/// The map of all operations.
pub(super) const MAP: &str = "crates/pan123/guide/operations.md";

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
    let (ours, theirs) = (Page::parse(&page.text).blocks, Page::parse(&other.text).blocks);
    let mut pairs = ours.iter().zip(&theirs);
    let same = pairs.by_ref().take_while(|(ours, theirs)| ours.kind == theirs.kind && ours.code == theirs.code).count();
    (same < ours.len().max(theirs.len()))
        .then(|| Finding::new(&page.path, 1, format!("block {} of code is not that of `{}`", same + 1, other.path)))
}

/// A guide is in the documentation and in the list of guides.
fn in_lists(page: &File, files: &[File]) -> Vec<Finding> {
    let Some(name) = page.path.strip_prefix(GUIDE).and_then(|rest| rest.strip_prefix('/')) else { return Vec::new() };
    if !name.starts_with("en/") && !name.starts_with("zh/") {
        return Vec::new();
    }
    let lists = [
        ("crates/pan123/src/guide.rs", format!("include_str!(\"../guide/{name}\")")),
        ("crates/pan123/guide/README.md", format!("]({name})")),
    ];
    let is_in = |list: &str, text: &str| files.iter().any(|file| file.path == list && file.text.contains(text));
    let missing = lists.iter().filter(|(list, text)| !is_in(list, text));
    missing.map(|(list, _)| Finding::new(&page.path, 1, format!("this guide is not in {list}"))).collect()
}

/// A crate's table of features has all that its manifest has, in any order, and says which are on by default.
fn features(file: &File, page: &Page<'_>, manifest: &Manifest) -> Option<Finding> {
    let lines = page.prose.iter().skip_while(|(_, line)| !line.starts_with("| feature |"));
    let rows = lines.take_while(|(_, line)| line.starts_with('|')).skip(2);
    let mut said: Vec<(&str, bool)> = rows
        .map(|(_, line)| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let first = cells.next().unwrap_or_default();
            let is_default = first.ends_with("(default)") || cells.next_back() == Some("yes");
            (first.split('`').nth(1).unwrap_or_default(), is_default)
        })
        .collect();
    let default = manifest.value("features", "default").unwrap_or_default();
    let is_default = |name: &str| default.contains(&format!("\"{name}\""));
    let mut real: Vec<_> = manifest.features().into_iter().map(|name| (name, is_default(name))).collect();
    said.sort_unstable();
    real.sort_unstable();
    let line = page.prose.iter().find(|(_, line)| line.starts_with("| feature |"))?.0;
    (said != real)
        .then(|| Finding::new(&file.path, line, format!("the features, and whether they are on, are {real:?}")))
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
    places.insert("docs/guide");
    places
}

/// Links to files lead to files that are there, and into a page to a heading that it has; a link by a name has the name's line.
fn links(file: &File, page: &Page<'_>, known: &BTreeSet<&str>, files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let defined: Vec<(usize, &str, &str)> =
        page.prose.iter().filter_map(|(number, line)| definition(*number, line)).collect();
    let mut targets: Vec<(usize, &str)> = defined.iter().map(|(number, _, target)| (*number, *target)).collect();
    for (number, line) in &page.prose {
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.extend(inline.map(|(target, _)| (*number, target)));
        let line: String = line.split('`').step_by(2).collect();
        let named = line.split("][").skip(1).filter_map(|rest| rest.split_once(']')).map(|(name, _)| name);
        let undefined = named.filter(|name| !name.contains("::") && !defined.iter().any(|(_, known, _)| known == name));
        findings.extend(
            undefined.map(|name| Finding::new(&file.path, *number, format!("no line says where [{name}] leads"))),
        );
    }
    for (number, target) in targets.into_iter().filter(|(_, target)| !target.contains("://") && !target.contains("::"))
    {
        let (path, heading) = target.split_once('#').unwrap_or((target, ""));
        let path = resolve(&file.path, path);
        if !known.contains(path.as_str()) {
            findings.push(Finding::new(&file.path, number, format!("this link leads nowhere: {target}")));
        } else if !heading.is_empty() && path.ends_with(".md") {
            let text = files.iter().find(|file| file.path == path).map_or("", |file| &file.text);
            if !has_heading(text, heading) {
                findings.push(Finding::new(&file.path, number, format!("{path} has no heading #{heading}")));
            }
        }
    }
    findings
}

/// Reads a line that says where a name leads: `[name]: target`.
fn definition(number: usize, line: &str) -> Option<(usize, &str, &str)> {
    let (name, target) = line.trim().strip_prefix('[')?.split_once("]: ")?;
    Some((number, name, target.split_whitespace().next()?))
}

/// A page of docs.rs is one of a crate that is here, and of a module or an item that `docs/api` lists.
pub(super) fn docs_rs(page: &File, files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in numbered(&page.text) {
        for rest in line.split("https://docs.rs/").skip(1).filter(|rest| rest.starts_with("pan123")) {
            let end = rest.find(|c: char| c.is_whitespace() || ")>\"`#".contains(c)).unwrap_or(rest.len());
            let path = &rest[..end];
            if !is_on_docs_rs(path, files) {
                findings.push(Finding::new(&page.path, number, format!("docs.rs will have no page {path}")));
            }
        }
    }
    findings
}

fn is_on_docs_rs(path: &str, files: &[File]) -> bool {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let mut parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let package = parts.remove(0);
    if parts.is_empty() {
        return text(&format!("crates/{package}/Cargo.toml")).is_some();
    }
    let Some(list) = text(&format!("docs/api/{package}.txt")) else { return false };
    let (version, last) = (parts.remove(0), parts.pop().unwrap_or_default());
    let item = match last.strip_suffix(".html").unwrap_or(last).split_once('.') {
        Some((kind, name)) => format!("{kind} {}::{name}", parts.join("::")),
        None if last == "index.html" => format!("mod {}", parts.join("::")),
        None => format!("mod {}", [&parts[..], &[last]].concat().join("::")),
    };
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let is_it = |line: &str| line.split_once(&format!(" {item}")).is_some_and(|(_, rest)| ends(rest));
    version == "latest" && list.lines().filter(|line| line.starts_with("pub ") || line.starts_with("#[")).any(is_it)
}

/// Returns the path of another file in the same folder.
fn beside(path: &str, name: &str) -> String {
    path.rsplit_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}"))
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
    let path = parts.join("/");
    // Another name for the folder with the guides, which `read_folder` does not follow.
    match path.strip_prefix("docs/guide/") {
        Some(rest) => format!("{GUIDE}/{rest}"),
        None => path,
    }
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let page = Page::parse(text);
    page.prose.iter().filter(|(_, line)| line.starts_with('#')).any(|(_, line)| {
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
        let findings = check(files, &[]);
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
        let other = || file("docs/y.md", "# One\n```sh\n# two\n```\n");
        found(&[file("docs/x.md", "[a](y.md#one)\n[a](y.md#two)\n"), other()], &[("docs/x.md", 2)]);
        found(&[file("docs/x.md", "  ```\n  [a](z.md)\n  ```\n\n[a](z.md)\n")], &[("docs/x.md", 5)]);
    }

    #[test]
    fn a_link_by_a_name_has_a_line_that_says_where_it_leads() {
        let good = "[a][b] `[c][d]`\n\n[b]: y.md\n";
        found(&[file("docs/x.md", good), file("docs/y.md", "")], &[]);
        found(&[file("docs/x.md", "[a][b]\n")], &[("docs/x.md", 1)]);
        found(&[file("docs/x.md", "[a][b]\n\n[b]: z.md\n")], &[("docs/x.md", 3)]);
    }

    #[test]
    fn a_block_has_an_end() {
        found(&[file("docs/x.md", "a\n```sh\nls\n")], &[("docs/x.md", 2)]);
    }

    #[test]
    fn a_page_of_docs_rs_is_of_what_is_listed() {
        let list = "pub mod pan123_a\npub mod pan123_a::b\n#[non_exhaustive] pub struct pan123_a::b::Long<T>\npub fn pan123_a::b::c(u8)\n";
        let files = |path: &str| {
            let page = file("README.md", &format!("[a](https://docs.rs/{path})\n"));
            [
                page,
                file("README.zh-CN.md", ""),
                file("crates/pan123-a/Cargo.toml", ""),
                file("docs/api/pan123-a.txt", list),
            ]
        };
        for path in ["pan123-a", "pan123-a/latest/pan123_a/", "pan123-a/latest/pan123_a/b/index.html#x", "other/1/x"]
            .into_iter()
            .chain(["pan123-a/latest/pan123_a/b/struct.Long.html", "pan123-a/latest/pan123_a/b/fn.c.html"])
        {
            found(&files(path), &[]);
        }
        for path in [
            "pan123-b",
            "pan123-a/latest/pan123_a/c/",
            "pan123-a/1/pan123_a/",
            "pan123-a/latest/pan123_a/b/enum.Long.html",
        ]
        .into_iter()
        .chain(["pan123-a/latest/pan123_a/b/struct.Lo.html", "pan123-a/latest/pan123_a/struct.Long.html"])
        {
            found(&files(path), &[("README.md", 1)]);
        }
    }

    #[test]
    fn a_table_of_features_has_what_the_manifest_has() {
        let text = "[package]\nname = \"a\"\n[features]\ndefault = [\"b\"]\nb = []\nc = []\n";
        let manifest = Manifest::parse("crates/a/Cargo.toml", text).unwrap();
        let check = |rows: &str| {
            let text = format!("a\n| feature | |\n|---|---|\n{rows}\n");
            features(&file("crates/a/README.md", &text), &Page::parse(&text), &manifest).map(|finding| finding.line)
        };
        assert_eq!(check("| `c` | does |\n| `b` (default) | does |"), None);
        assert_eq!(check("| `b` | does | yes |\n| `c` | does | |"), None);
        for rows in ["| `b` (default) | |", "| `b` | |\n| `c` | |", "| `b` (default) | |\n| `c` | |\n| `d` | |"] {
            assert_eq!(check(rows), Some(2), "{rows}");
        }
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
        let (list, code) = lists(&["en", "zh"]);
        found(&[page("en", "# A\n\n```sh\nls\n```\n"), page("zh", "# 甲\n\n```sh\nls\n```\n"), list, code], &[]);
        let (list, code) = lists(&["en"]);
        found(&[page("en", ""), list, code], &[("crates/pan123/guide/en/a.md", 1)]);
        let (list, code) = lists(&["en", "zh"]);
        let en = page("en", "# A\n\n  ```sh\n  ls\n  ```\n");
        found(
            &[en, page("zh", "# 甲\n\n  ```sh\n  ls -l\n  ```\n"), list, code],
            &[("crates/pan123/guide/en/a.md", 1), ("crates/pan123/guide/zh/a.md", 1)],
        );
    }

    #[test]
    fn a_guide_is_in_the_documentation_and_in_the_list() {
        let pages = || ["en", "zh"].map(|language| file(&format!("{GUIDE}/{language}/a.md"), ""));
        let check = |listed: &[&str], documented: &[&str], expected: &[(&str, usize)]| {
            let [en, zh] = pages();
            found(&[en, zh, lists(listed).0, lists(documented).1], expected);
        };
        check(&["en", "zh"], &["en", "zh"], &[]);
        check(&["en"], &["en", "zh"], &[("crates/pan123/guide/zh/a.md", 1)]);
        check(&["en", "zh"], &["zh"], &[("crates/pan123/guide/en/a.md", 1)]);
    }

    /// The list of guides and the code that brings them into the documentation, with the guide `a` in some languages.
    fn lists(languages: &[&str]) -> (File, File) {
        let all = |each: fn(&str) -> String| languages.iter().map(|language| each(language)).collect::<String>();
        let list = all(|language| format!("[a]({language}/a.md)\n"));
        let code = all(|language| format!("#[doc = include_str!(\"../guide/{language}/a.md\")]\n"));
        (file(&format!("{GUIDE}/README.md"), &list), file("crates/pan123/src/guide.rs", &code))
    }
}
