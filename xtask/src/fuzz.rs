//! Fuzzing: each target of `fuzz/` in turn, where a nightly toolchain and cargo-fuzz are; the first finding ends it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::print;
use crate::workspace::{Workspace, nightly};

/// Runs each target for as many seconds as the second word of the command line says.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let seconds = seconds(std::env::args().nth(2))?;
    let Some(nightly) = nightly() else {
        print("skipped: no nightly toolchain; `rustup toolchain install nightly` and `cargo install cargo-fuzz`");
        return Ok(());
    };
    if !has_cargo_fuzz(&nightly) {
        print("skipped: no cargo-fuzz; `cargo install cargo-fuzz`");
        return Ok(());
    }
    let folder = workspace.root.join("fuzz");
    for target in targets(&folder.join("fuzz_targets"))? {
        let corpus = folder.join("corpus").join(&target);
        seed(&workspace.root, &target, &corpus)?;
        print(&format!("{target}: {seconds} s"));
        let mut command = Command::new("rustup");
        command.args(["run", &nightly, "cargo", "fuzz", "run", &target, "--"]);
        command.args([format!("-max_total_time={seconds}"), "-max_len=4096".into()]);
        command.args(["-verbosity=0", "-print_funcs=0", "-print_final_stats=1"]);
        let status = command.current_dir(&workspace.root).status();
        if !status.map_err(|error| format!("rustup did not start: {error}"))?.success() {
            return Err(format!("`{target}` found something, or was not built"));
        }
    }
    Ok(())
}

fn seconds(word: Option<String>) -> Result<u32, String> {
    // Zero would mean no end.
    let positive = |word: String| word.parse().ok().filter(|&seconds| seconds > 0);
    word.map_or(Ok(SECONDS), |word| positive(word).ok_or_else(|| "how many seconds? a number from 1".to_owned()))
}

fn has_cargo_fuzz(nightly: &str) -> bool {
    let mut command = Command::new("rustup");
    command.args(["run", nightly, "cargo", "fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let files = files(folder)?.into_iter().filter(|path| path.extension() == Some(OsStr::new("rs")));
    Ok(files.filter_map(|path| path.file_stem()?.to_str().map(str::to_owned)).collect())
}

/// Puts the cases of the vectors, or the recorded answers, into the corpus of a target.
fn seed(root: &Path, target: &str, corpus: &Path) -> Result<(), String> {
    let fixtures = root.join("fixtures");
    let seeds = match VECTORS.iter().find(|(name, _)| *name == target) {
        Some((_, file)) => {
            let path = fixtures.join("vectors").join(file);
            let vectors = serde_json::from_str(&read(&path)?).map_err(|error| format!("{file}: {error}"))?;
            let mut seeds = Vec::new();
            collect(&vectors, &mut seeds);
            seeds
        }
        None => {
            let mut answers = Vec::new();
            for folder in files(&fixtures.join("open"))?.iter().chain(&files(&fixtures.join("share"))?) {
                let jsons = files(folder)?.into_iter().filter(|path| path.extension() == Some(OsStr::new("json")));
                for path in jsons {
                    answers.push(read(&path)?);
                }
            }
            answers
        }
    };
    fs::create_dir_all(corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    for (number, seed) in seeds.iter().enumerate() {
        let path = corpus.join(format!("seed-{number}"));
        fs::write(&path, seed).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Collects what each case gives to the parser, and what the writer makes of it.
fn collect(value: &Value, seeds: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, seeds)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if ["input", "output"].contains(&name.as_str()) => seeds.push(text.clone()),
                    value => collect(value, seeds),
                }
            }
        }
        _ => {}
    }
}

/// Returns what is in a folder, in the order of the names; nothing where it is a file.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if folder.is_file() {
        return Ok(Vec::new());
    }
    let error = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(error)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(error)?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// How long each target runs unless told otherwise.
const SECONDS: u32 = 60;

/// The vectors that each target begins with; one that is not here begins with the recorded answers.
const VECTORS: [(&str, &str); 4] = [
    ("rapid_link", "rapid-links.json"),
    ("share_link", "share-links.json"),
    ("url_tree", "url-tree.json"),
    ("verifier", "link.json"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_an_end() {
        assert_eq!(seconds(None), Ok(60));
        assert_eq!(seconds(Some("5".to_owned())), Ok(5));
        for word in ["0", "-1", "long"] {
            assert!(seconds(Some(word.to_owned())).is_err(), "{word}");
        }
    }

    #[test]
    fn every_case_of_the_vectors_is_a_seed() {
        let vectors = r#"{"links":[{"input":"a","error":null},{"input":"b","output":"c"}]}"#;
        let mut seeds = Vec::new();
        collect(&serde_json::from_str(vectors).unwrap(), &mut seeds);
        assert_eq!(seeds, ["a", "b", "c"]);
    }
}
