//! Every command of cargo that any page names: it is there, and something runs it or it is said why nothing does.

use crate::{CHECKS, commands, markdown::without_variables, workspace::Workspace};

/// Checks a command that a page names.
pub(crate) fn check(workspace: &Workspace, command: &str) -> Result<(), String> {
    let command = without_variables(command);
    let words: Vec<&str> = command.split_whitespace().collect();
    is_there(workspace, &words).map_err(|error| format!("`{command}`: {error}"))?;
    if is_run(&words) || NOT_RUN.iter().any(|(start, _)| begins(&words, start)) {
        return Ok(());
    }
    Err(format!("`{command}` is run by nothing: say in `NOT_RUN` of this check why, or run it"))
}

/// What the words name is there: the chore, the crate, the test, the benchmark, the example.
fn is_there(workspace: &Workspace, words: &[&str]) -> Result<(), String> {
    let rest = match words {
        // The word in angle brackets stands for any chore.
        ["cargo", "xtask", name, ..] if name.starts_with('<') => return Ok(()),
        ["cargo", "xtask", name, rest @ ..] => {
            let is_known = commands().any(|command| command.name == *name);
            // What the others take is theirs to refuse.
            let is_check = CHECKS.iter().any(|check| check.name == *name);
            return match (is_known, rest) {
                (false, _) => Err(format!("there is no chore `{name}`")),
                (true, [word, ..]) if is_check => Err(format!("{name} takes no `{word}`")),
                _ => Ok(()),
            };
        }
        ["cargo", "bench" | "test" | "run" | "build" | "check", rest @ ..] => rest,
        _ => return Ok(()),
    };
    let values = |names: [&'static str; 2]| {
        let pairs = rest.windows(2).take_while(|pair| pair[0] != "--");
        pairs.filter(move |pair| names.contains(&pair[0])).map(|pair| pair[1])
    };
    let mut packages = Vec::new();
    for name in values(["-p", "--package"]) {
        packages.push(workspace.package(name)?);
    }
    if packages.is_empty() {
        packages.extend(&workspace.crates);
    }
    for (option, folder) in [("--bench", "benches"), ("--test", "tests"), ("--example", "examples")] {
        for name in values([option, option]) {
            let has = packages.iter().any(|manifest| {
                let manifest = workspace.root.join(&manifest.path);
                let folder = manifest.with_file_name(folder);
                folder.join(format!("{name}.rs")).exists() || folder.join(name).join("main.rs").exists()
            });
            if !has {
                return Err(format!("there is no `{name}` in any `{folder}` that is meant"));
            }
        }
    }
    Ok(())
}

/// Says whether `.ci/run` runs it, as itself or as part of more.
fn is_run(words: &[&str]) -> bool {
    match words {
        ["cargo", "test", ..] | ["cargo", "xtask"] | ["cargo", "xtask", "ci" | "tools"] => true,
        ["cargo", "xtask", name] => name.starts_with('<') || CHECKS.iter().any(|check| check.name == *name),
        // `readme` and `examples` run them.
        ["cargo", "run", "--example", _] | ["cargo", "run", "-p", "pan123-sim", "--", "--json"] => true,
        _ => false,
    }
}

fn begins(words: &[&str], start: &str) -> bool {
    let start: Vec<&str> = start.split_whitespace().collect();
    words.starts_with(&start)
}

/// What no machine runs for every change, and why.
const NOT_RUN: [(&str, &str); 14] = [
    ("cargo xtask bench", "it takes minutes of a quiet machine"),
    ("cargo xtask fuzz", "it has no natural end"),
    ("cargo xtask kill", "it takes minutes"),
    ("cargo xtask sizes", "it takes a quarter of an hour; its promise is checked by `trees`"),
    ("cargo bench", "it measures; `clippy` builds it"),
    ("cargo +<rust-version> check", "the public host does, as the oldest Rust is not on every machine"),
    ("cargo build --timings", "a note weighs it as an alternative"),
    ("cargo check", "`clippy` and `features` do the same for more"),
    ("cargo deny check", "`deny` does, but for advisories, which change without us"),
    ("cargo doc", "`docs` does"),
    ("cargo package", "`package` does"),
    ("cargo publish", "it publishes"),
    ("cargo update", "it takes what is newest on the day"),
    ("cargo yank", "it takes a release back"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_there_and_run_or_said_not_to_be() {
        let workspace = Workspace::read().unwrap();
        for command in [
            "cargo test --workspace",
            "UPDATE_EXPECT=1 cargo test -p pan123-open --test contract",
            "cargo bench -p pan123-transfer --bench hash",
            "cargo bench -p pan123-bench --bench sign",
            "cargo run --example tour",
            "cargo run -p pan123-sim -- --json",
            "cargo xtask <step>",
            "cargo xtask fuzz 600",
            "cargo xtask coverage",
            "cargo +<rust-version> check --workspace --locked",
        ] {
            check(&workspace, command).unwrap();
        }
        for (command, wrong) in [
            ("cargo xtask magic", "no chore `magic`"),
            ("cargo xtask tidy quickly", "takes no `quickly`"),
            ("cargo test -p pan123-magic", "pan123-magic"),
            ("cargo test -p pan123-open --test magic", "no `magic`"),
            ("cargo bench -p pan123-open --bench hash", "no `hash`"),
            ("cargo run --example magic", "no `magic`"),
            ("cargo run -p pan123-sim", "run by nothing"),
            ("cargo fix", "run by nothing"),
        ] {
            let error = check(&workspace, command).unwrap_err();
            assert!(error.contains(wrong), "{command}: {error}");
        }
    }
}
