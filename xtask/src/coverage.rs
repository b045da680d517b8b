//! How much of the protocol reference is implemented, contract-tested and simulated.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    time::SystemTime,
};

use crate::{pages::keep, print, workspace::Workspace};

/// One API of the reference, and who answers for it.
struct Api {
    name: &'static str,
    files: &'static [&'static str],
    /// The crate whose test `contract` sends its operations.
    package: &'static str,
    implemented: fn() -> Vec<&'static str>,
    /// The entries that are no call of a client's, and the builder or type that covers each.
    otherwise: &'static [(&'static str, &'static str)],
}

const APIS: [Api; 3] = [
    Api {
        name: "open",
        files: &["open-files.yaml", "open-services.yaml"],
        package: "pan123-open",
        implemented: || pan123_open::ops::ALL.iter().map(|meta| meta.id).collect(),
        otherwise: pan123_open::ops::COVERED_OTHERWISE,
    },
    Api {
        name: "web",
        files: &["web.yaml"],
        package: "pan123-web",
        implemented: || pan123_web::ops::ALL.iter().map(|meta| meta.id).collect(),
        otherwise: &[],
    },
    Api {
        name: "share",
        files: &["share.yaml"],
        package: "pan123-share",
        implemented: || pan123_share::ops::ALL.iter().map(|meta| meta.id).collect(),
        otherwise: &[],
    },
];

/// Entries of the reference that are no call of anybody's: its `README.md` says so.
const NOT_TO_BUILD: [&str; 1] = ["open/auth.access_token_query_url"];

/// Where the table is kept for readers.
const TABLE: &str = "docs/coverage.md";

/// Runs the contract tests, joins reference, crates and simulator, and writes the table.
///
/// What is not built yet is no failure. What is built and has no case that ran, or no route in the simulator, is. An
/// entry that is no call counts as built, tested and simulated by the builder or type that covers it: there is nothing
/// to record, and the tests beside that type run its forms.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let routes: BTreeSet<&str> = pan123_sim::operations().collect();
    let mut table = String::from(HEAD);
    let mut missing = Vec::new();
    for api in &APIS {
        let known = entries(workspace, api)?;
        let implemented: BTreeSet<&str> = (api.implemented)().into_iter().collect();
        let tested = tested(workspace, api)?;
        missing.extend(
            implemented.iter().filter(|id| !known.contains(**id)).map(|id| format!("{id} is not in the reference")),
        );
        let others: BTreeSet<&str> = api.otherwise.iter().map(|(id, _)| *id).collect();
        missing
            .extend(others.iter().filter(|id| !known.contains(**id)).map(|id| format!("{id} is not in the reference")));
        missing
            .extend(others.intersection(&implemented).map(|id| format!("{id} is an operation and covered otherwise")));
        let built = implemented.iter().filter(|id| known.contains(**id));
        for id in built {
            if !tested.contains_key(*id) {
                missing.push(format!("{id} has no contract case that ran"));
            }
            if !routes.contains(id) {
                missing.push(format!("{id} has no route in the simulator"));
            }
        }
        let count = |is: &dyn Fn(&str) -> bool| known.iter().filter(|id| is(id)).count();
        let line = format!(
            "{}: {} of {total} implemented, {} of {total} contract-tested, {} of {total} simulated",
            api.name,
            count(&|id| implemented.contains(id) || others.contains(id)),
            count(&|id| tested.contains_key(id) || others.contains(id)),
            count(&|id| routes.contains(id) || others.contains(id)),
            total = known.len(),
        );
        print(&line);
        write_api(&mut table, &line, &known, api.otherwise, &implemented, &tested, &routes);
    }
    if !missing.is_empty() {
        return Err(missing.join("\n"));
    }
    keep(workspace, TABLE, &table)
}

const HEAD: &str = "# How much of the protocol is covered

Written by `cargo xtask coverage`. An operation counts as contract-tested by the number of recorded answers that a test run read,
and as simulated when the simulator has a route for it.
";

fn write_api(
    table: &mut String,
    line: &str,
    known: &BTreeSet<String>,
    otherwise: &[(&str, &str)],
    implemented: &BTreeSet<&str>,
    tested: &BTreeMap<String, usize>,
    routes: &BTreeSet<&str>,
) {
    let mark = |is: bool| if is { "yes" } else { "" };
    let _ =
        write!(table, "\n## {line}\n\n| operation | implemented | recorded answers | simulated |\n|---|---|---|---|\n");
    for id in known {
        if let Some((_, by)) = otherwise.iter().find(|(other, _)| other == id) {
            let _ = writeln!(table, "| `{id}` | no call: `{by}` | | |");
            continue;
        }
        let cases = tested.get(id).map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            table,
            "| `{id}` | {} | {cases} | {} |",
            mark(implemented.contains(id.as_str())),
            mark(routes.contains(id.as_str()))
        );
    }
}

/// The entries of an API in the reference, as `<api>/<id>`.
fn entries(workspace: &Workspace, api: &Api) -> Result<BTreeSet<String>, String> {
    let mut all = BTreeSet::new();
    for file in api.files {
        let path = workspace.root.join("docs/protocol").join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("docs/protocol/{file}: {error}"))?;
        all.extend(operation_ids(&text).map(|id| format!("{}/{id}", api.name)));
    }
    all.retain(|id| !NOT_TO_BUILD.contains(&id.as_str()));
    Ok(all)
}

/// The ids under the top-level key `operations`, and under no other.
fn operation_ids(yaml: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    yaml.lines().filter_map(move |line| {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            inside = line.starts_with("operations:");
        }
        let id = line.trim_start().strip_prefix("- id: ")?;
        inside.then_some(id.trim())
    })
}

/// How many recorded answers of each operation a test run read, since the last change of anything that it reads.
fn tested(workspace: &Workspace, api: &Api) -> Result<BTreeMap<String, usize>, String> {
    let package = api.package;
    let list = workspace.target().join("contract").join(format!("{}.txt", api.name));
    let inputs = [format!("fixtures/{}", api.name), format!("crates/{package}"), "crates/pan123-core".to_owned()];
    let changed = inputs.iter().filter_map(|folder| newest(&workspace.root.join(folder))).max();
    let written = fs::metadata(&list).and_then(|list| list.modified()).ok();
    // The tests run before the checks of `ci`; an older list would count what no test reads any more.
    if written.is_none() || written < changed {
        workspace.cargo_output(&["test", "--quiet", "--package", package, "--test", "contract"])?;
    }
    let text = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let mut counts = BTreeMap::new();
    for id in text.lines().filter_map(|line| line.split_whitespace().next()) {
        *counts.entry(id.to_owned()).or_default() += 1;
    }
    Ok(counts)
}

/// When anything below a folder was last changed.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?;
    let times = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let metadata = entry.metadata().ok()?;
        if metadata.is_dir() { newest(&entry.path()) } else { metadata.modified().ok() }
    });
    times.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operations_count_and_not_flows() {
        let yaml =
            "hosts:\n  - id: no\noperations:\n# comment\n- id: a.b\n  summary: x\n- id: c\nflows:\n- id: flow.d\n";
        assert_eq!(operation_ids(yaml).collect::<Vec<_>>(), ["a.b", "c"]);
    }

    #[test]
    fn the_reference_has_the_entries_it_says_it_has() {
        let workspace = Workspace::read().unwrap();
        let count = |name| entries(&workspace, APIS.iter().find(|api| api.name == name).unwrap()).unwrap().len();
        assert_eq!((count("open"), count("web"), count("share")), (91, 97, 8));
    }
}
