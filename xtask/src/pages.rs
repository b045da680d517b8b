//! The pages that are written and not typed: the map of all operations, and the table of the facade's features.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use crate::{verbs::VERBS, workspace::Workspace};

/// Writes the pages, or on a machine that checks (`CI` is set) demands that they are already what they should be.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    keep(workspace, OPERATIONS, &operations(workspace)?)?;
    let manifest = read(&workspace.root.join("crates/pan123/Cargo.toml"))?;
    let readme = read(&workspace.root.join(README))?;
    keep(workspace, README, &with_features(&readme, &features(&manifest)?)?)
}

/// Writes a page, or where `CI` is set demands that it is already what it should be.
pub(crate) fn keep(workspace: &Workspace, page: &str, text: &str) -> Result<(), String> {
    let path = workspace.root.join(page);
    if fs::read_to_string(&path).unwrap_or_default() == text {
        return Ok(());
    }
    if std::env::var_os("CI").is_some() {
        return Err(format!("{page} is out of date: run the step without `CI` set, and commit the page"));
    }
    let folder = path.parent().ok_or_else(|| format!("{page} is in no folder"))?;
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| format!("{page}: {error}"))
}

/// An API crate, and the facts of its operations.
struct Api {
    title: &'static str,
    package: &'static str,
    all: fn() -> Vec<Fact>,
}

/// The id, the method and the path of an operation.
type Fact = (&'static str, String, &'static str);

/// Takes the facts from a crate's list; xtask does not name the type of its elements.
macro_rules! facts {
    ($all:path) => {
        || $all.iter().map(|meta| (meta.id, format!("{:?}", meta.method).to_uppercase(), meta.path)).collect()
    };
}

static APIS: [Api; 3] = [
    Api { title: "Open Platform", package: "pan123-open", all: facts!(pan123_open::ops::ALL) },
    Api { title: "Web API", package: "pan123-web", all: facts!(pan123_web::ops::ALL) },
    Api { title: "Shares of others", package: "pan123-share", all: facts!(pan123_share::ops::ALL) },
];

fn operations(workspace: &Workspace) -> Result<String, String> {
    let mut page = String::from(HEAD);
    let mut used = 0;
    for api in &APIS {
        let mut types = types(&workspace.root.join("crates").join(api.package).join("src"))?;
        types.extend(types_of_core(workspace)?);
        let source = source(&workspace.root.join("crates").join(api.package).join("src"))?;
        let facts = (api.all)();
        let _ = write!(page, "\n## {}: {}, {} operations\n\n{ROW_HEAD}", api.title, api.package, facts.len());
        for (id, method, path) in facts {
            let found = types.get(id).ok_or_else(|| format!("no type in {} names {id}", api.package))?;
            let path = if path.is_empty() { "an address that the service gives" } else { path };
            let verbs: Vec<&str> = VERBS.iter().filter(|(of, _)| *of == id).map(|(_, verb)| *verb).collect();
            for verb in &verbs {
                used += 1;
                let method = verb.rsplit("::").next().unwrap_or(verb);
                if !source.contains(&format!("fn {method}(")) && !source.contains(&format!("fn {method}<")) {
                    return Err(format!("{} has no `{verb}`, which is said to send {id}", api.package));
                }
            }
            let verbs = verbs.iter().map(|verb| format!("`{verb}`")).collect::<Vec<_>>().join(", ");
            let _ = writeln!(page, "| `{id}` | `{method} {path}` | [`{}`]({}) | {verbs} |", found.name, found.page());
        }
    }
    if used == VERBS.len() {
        return Ok(page);
    }
    let ids: Vec<&str> = APIS.iter().flat_map(|api| (api.all)()).map(|(id, ..)| id).collect();
    let strangers = VERBS.iter().map(|(id, _)| *id).filter(|id| !ids.contains(id));
    Err(format!("verbs are given to what is no operation: {}", strangers.collect::<Vec<_>>().join(", ")))
}

/// Where the type of an operation is.
struct Type {
    package: String,
    module: String,
    name: String,
}

impl Type {
    fn page(&self) -> String {
        let package = &self.package;
        format!(
            "https://docs.rs/{package}/latest/{}/{}struct.{}.html",
            package.replace('-', "_"),
            self.module,
            self.name
        )
    }
}

/// The types of a crate's operations by their ids: an id stands once in the code, below the type that has it.
fn types(src: &Path) -> Result<BTreeMap<String, Type>, String> {
    let package = src.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let mut types = BTreeMap::new();
    for path in files(src)? {
        let text = read(&path)?;
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let module = path.strip_prefix(src).unwrap_or(&path).with_extension("");
        let module: String = module.iter().map(|part| format!("{}/", part.to_string_lossy())).collect();
        let mut name = "";
        for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            // Whichever stands nearer above the id: the type itself, or what is implemented for it.
            let begins = ["pub struct ", "impl Operation for "];
            if let Some(rest) = begins.iter().find_map(|begin| line.strip_prefix(begin)) {
                name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            }
            // A crate's own form, which begins with the type: `Videos, "open/video.list", …`.
            let first = line.split(", \"").next().unwrap_or_default();
            if line.contains(", \"")
                && first.starts_with(char::is_uppercase)
                && first.chars().all(char::is_alphanumeric)
            {
                name = first;
            }
            let ids = line.split('"').skip(1).step_by(2);
            for id in ids.filter(|id| id.contains('/') && !id.starts_with('/') && !name.is_empty()) {
                let found = Type {
                    package: package.clone().unwrap_or_default(),
                    // Operations of core are exported at its root.
                    module: if module.starts_with("ops/") { module.clone() } else { String::new() },
                    name: name.to_owned(),
                };
                types.entry(id.to_owned()).or_insert(found);
            }
        }
    }
    Ok(types)
}

fn types_of_core(workspace: &Workspace) -> Result<BTreeMap<String, Type>, String> {
    let mut types = types(&workspace.root.join("crates/pan123-core/src"))?;
    types.retain(|_, found| found.name == "Fetch");
    Ok(types)
}

fn source(src: &Path) -> Result<String, String> {
    files(src)?.iter().map(|path| read(path)).collect()
}

/// Every Rust file below a folder, in the order of the names.
fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let error = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.is_dir() {
            paths.extend(files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The table of features, from the comment above each in the manifest.
fn features(manifest: &str) -> Result<String, String> {
    let (_, section) = manifest.split_once("\n[features]\n").ok_or("the facade has no [features]")?;
    let (mut table, mut comment, mut default) = (String::from(FEATURES_HEAD), String::new(), String::new());
    for line in section.lines().take_while(|line| !line.starts_with('[')) {
        if let Some(text) = line.strip_prefix("# ") {
            comment = if comment.is_empty() { text.to_owned() } else { format!("{comment} {text}") };
        } else if let Some(list) = line.strip_prefix("default = ") {
            default = list.to_owned();
        } else if let Some((name, _)) = line.split_once(" = ") {
            if comment.is_empty() {
                return Err(format!("the feature `{name}` has no comment"));
            }
            let is_default = if default.contains(&format!("\"{name}\"")) { "yes" } else { "" };
            let _ = writeln!(table, "| `{name}` | {} | {is_default} |", comment.trim_end_matches('.'));
            comment.clear();
        }
    }
    Ok(table)
}

/// Puts the table into its place in the page.
fn with_features(page: &str, table: &str) -> Result<String, String> {
    let start = page.find("<!-- features").and_then(|at| Some(at + page[at..].find("-->\n")? + 4));
    let end = page.find("<!-- /features -->");
    match (start, end) {
        (Some(start), Some(end)) if start <= end => Ok(format!("{}{table}{}", &page[..start], &page[end..])),
        _ => Err(format!("{README} has no place for the features")),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

const OPERATIONS: &str = "crates/pan123/guide/operations.md";
const README: &str = "crates/pan123/README.md";

const HEAD: &str = "# All operations

Written by `cargo xtask pages`. Every call of the service that the SDK knows: its name in the protocol reference and in errors,
what goes over the wire, the value that a client's `send` takes, and the verbs that are built on it.
";

const ROW_HEAD: &str = "| operation | endpoint | value | verb |\n|---|---|---|---|\n";

const FEATURES_HEAD: &str = "| feature | what it brings | by default |\n|---|---|---|\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_described_by_its_comment() {
        let manifest =
            "[package]\n\n[features]\ndefault = [\"a\"]\n# Does a.\na = []\n# Does b,\n# and more.\nb = []\n[x]\n";
        let table = features(manifest).unwrap();
        assert_eq!(
            table.lines().skip(2).collect::<Vec<_>>(),
            ["| `a` | Does a | yes |", "| `b` | Does b, and more |  |"]
        );
        assert!(features("\n[features]\na = []\n").unwrap_err().contains("`a`"));
    }

    #[test]
    fn the_table_replaces_the_one_that_was_there() {
        let page = "x\n<!-- features: how -->\nold\n<!-- /features -->\ny\n";
        assert_eq!(with_features(page, "new\n").unwrap(), page.replace("old", "new"));
        assert!(with_features("x", "new").is_err());
    }
}
