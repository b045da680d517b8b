//! What a build costs: crates, seconds of a cold build, and the size of the program, next to SDKs that people know.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{consumers, pages::keep, print, skip, workspace::Workspace};

/// A program that is measured.
struct Program {
    name: &'static str,
    folder: &'static str,
    is_ours: bool,
    what: &'static str,
}

/// Measures each program, and writes the table of this run; or those that the command line names, and writes nothing.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let names: Vec<String> = std::env::args().skip(2).collect();
    let _held = hold(&workspace.target())?;
    let yardstick = yardstick(workspace)?;
    let mut rows = Vec::new();
    for program in chosen(&names)? {
        let row = measure(workspace, program)?;
        print(&format!("{:<13} {}", program.name, row.line()));
        is_kept(program, &row, yardstick)?;
        rows.push((program, row));
        if names.is_empty() {
            // At once: a run takes long, and what is left of one that was stopped is still of one run.
            keep(workspace, "docs/sizes.md", &page(&rustc(workspace, "rustc ")?, yardstick, &rows))?;
        }
    }
    Ok(())
}

/// Checks what is promised of the smallest build, where the processor time can be read: on Linux.
pub(crate) fn promise(workspace: &Workspace) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        skip("what a build of `link` costs, as processor time is read on Linux only");
        return Ok(());
    }
    let _held = hold(&workspace.target())?;
    let link = &PROGRAMS[0];
    // A slow machine, or one with other work, is slow with the yardstick too, which is built only where that matters. Load comes and
    // goes, so that one build in four is enough.
    let (mut tries, mut seconds) = (0, YARDSTICK_SECONDS);
    loop {
        let row = measure(workspace, link)?;
        print(&format!("a cold build of `{}`: {}", link.name, row.line()));
        tries += 1;
        match is_kept(link, &row, seconds) {
            Err(_) if tries < 4 => seconds = yardstick(workspace)?,
            result => return result,
        }
    }
}

/// Returns the seconds of processor time that the yardstick takes now.
fn yardstick(workspace: &Workspace) -> Result<f64, String> {
    let row = measure(workspace, &YARDSTICK)?;
    print(&format!("{:<13} {}", YARDSTICK.name, row.line()));
    Ok(row.cpu)
}

/// Returns what the promise comes to where the yardstick takes so many seconds.
fn promised(yardstick: f64) -> f64 {
    MOST_SECONDS * (yardstick / YARDSTICK_SECONDS).max(1.0)
}

fn chosen(names: &[String]) -> Result<Vec<&'static Program>, String> {
    let is_known = |name: &&String| PROGRAMS.iter().any(|program| program.name == **name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        return Err(format!("`{unknown}` is none of {}", known.join(", ")));
    }
    let is_wanted = |program: &&Program| names.is_empty() || names.iter().any(|name| name == program.name);
    Ok(PROGRAMS.iter().filter(is_wanted).collect())
}

/// Keeps the folder of the builds for one run, as the next would remove what this one builds.
fn hold(target: &Path) -> Result<fs::File, String> {
    let path = target.join("sizes.lock");
    let error = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(target).map_err(error)?;
    let file = fs::File::create(&path).map_err(error)?;
    file.try_lock().map_err(|_| format!("{} is held: another run measures here, wait for its end", path.display()))?;
    Ok(file)
}

/// What was found.
struct Row {
    crates: usize,
    cpu: f64,
    wall: f64,
    bytes: u64,
    versions: String,
}

impl Row {
    fn line(&self) -> String {
        let Self { crates, cpu, wall, bytes, .. } = self;
        format!("{crates} crates, {cpu:.1} s of CPU, {wall:.1} s, {:.2} MB", *bytes as f64 / 1e6)
    }
}

fn measure(workspace: &Workspace, program: &Program) -> Result<Row, String> {
    let folder = workspace.root.join(program.folder);
    if program.is_ours {
        consumers::lock(workspace, &folder)?;
    }
    let manifest = folder.join("Cargo.toml").display().to_string();
    workspace.cargo_output(&["fetch", "--target", &rustc(workspace, "host: ")?, "--manifest-path", &manifest])?;
    let tree = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--manifest-path", &manifest];
    let packages = packages(&workspace.cargo_output(&tree)?);
    let target = workspace.target().join("sizes");
    remove(&target)?;
    let (cpu, start) = (cpu_of_children()?, Instant::now());
    let directory = target.display().to_string();
    workspace.cargo_output(&["build", "--release", "--manifest-path", &manifest, "--target-dir", &directory])?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_of_children()? - cpu);
    let built = executable(&target.join("release"))?;
    let bytes = fs::metadata(&built).map_err(|error| format!("{}: {error}", built.display()))?.len();
    remove(&target)?;
    let is_theirs = |line: &&String| THEIRS.iter().any(|name| line.starts_with(&format!("{name} v")));
    let versions = packages.iter().find(is_theirs).map(|line| line.replace(" v", " ")).unwrap_or_default();
    // The program itself is none of them.
    Ok(Row { crates: packages.len() - 1, cpu, wall, bytes, versions })
}

/// The promise of the smallest build, where the yardstick takes so many seconds. The others are measured and not promised.
fn is_kept(program: &Program, row: &Row, yardstick: f64) -> Result<(), String> {
    let most = promised(yardstick);
    if program.name == "link" && (row.crates > MOST_CRATES || row.cpu > most) {
        return Err(format!(
            "`link` alone was promised {MOST_CRATES} crates and, where the yardstick takes {yardstick:.1} s, {most:.1} s of CPU, and has {}",
            row.line()
        ));
    }
    Ok(())
}

/// Returns the names and versions in the output of `cargo tree`, each once.
fn packages(tree: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = tree.lines().map(words).filter(|line| !line.is_empty()).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// How much processor time the children of this process have used that have ended, and their children. Linux only.
fn cpu_of_children() -> Result<f64, String> {
    let stat =
        fs::read_to_string("/proc/self/stat").map_err(|_| "this needs Linux, for the processor time".to_owned())?;
    // The name in brackets, the second field, may hold spaces. Fields 16 and 17 count in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}

/// Finds the program that was built: the one file without an extension.
fn executable(folder: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    files
        .find(|path| path.is_file() && path.extension().is_none() && !path.ends_with(".cargo-lock"))
        .ok_or_else(|| format!("{}: nothing was built", folder.display()))
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}

/// Returns what the compiler says of itself after some words.
fn rustc(workspace: &Workspace, words: &str) -> Result<String, String> {
    let output =
        workspace.program("rustc").arg("-vV").output().map_err(|error| format!("rustc did not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let found = said.lines().find_map(|line| line.strip_prefix(words));
    found.map(str::to_owned).ok_or_else(|| format!("rustc does not say {words:?}"))
}

fn page(rustc: &str, yardstick: f64, rows: &[(&Program, Row)]) -> String {
    // Without the row that ratios are to, there are none.
    let full = rows.iter().find(|(program, _)| program.name == "full").map(|(_, row)| row);
    let ratio =
        |row: &Row, of: fn(&Row) -> f64| full.map_or(String::new(), |full| format!("{:.2}", of(row) / of(full)));
    let most = promised(yardstick);
    let mut page = format!(
        "{HEAD}\nOf one run, by rustc {rustc}, on a machine that took {yardstick:.1} s for the yardstick, so that the promise is {most:.1} s there.\n\n{TABLE_HEAD}"
    );
    for (program, row) in rows {
        let name = if row.versions.is_empty() { format!("`{}`", program.name) } else { row.versions.clone() };
        let (crates, cpu) = (ratio(row, |row| row.crates as f64), ratio(row, |row| row.cpu));
        let (size, megabytes) = (ratio(row, |row| row.bytes as f64), row.bytes as f64 / 1e6);
        let (what, count, seconds) = (program.what, row.crates, row.cpu);
        let _ =
            writeln!(page, "| {name} | {what} | {count} | {crates} | {seconds:.1} | {cpu} | {megabytes:.2} | {size} |");
    }
    page
}

const HEAD: &str = "# What a build costs

Written by `cargo xtask sizes`: a small program for each set of features ([`fixtures/consumers`](../fixtures/consumers)), and the
same for SDKs that people know ([`fixtures/sizes`](../fixtures/sizes)). Each is built once, in release mode and from nothing, after
its sources were fetched. Crates are those that are compiled, build scripts and procedural macros included. The seconds are processor time of cargo
and all that it starts; the program is stripped. \"Ratio\" is to `full`, which has everything but `native-tls`, `stream` and `tracing`.
Seconds depend on the machine and its other work: compare the ratios, or divide by the seconds of the
yardstick ([`fixtures/sizes/yardstick`](../fixtures/sizes/yardstick)), which is the same work everywhere. `link` alone is promised to have at
most 20 crates, and to take at most 10 s where the yardstick takes 4 s.
";

const TABLE_HEAD: &str = "| features, or SDK | program | crates | ratio | CPU s | ratio | MB | ratio |
|---|---|---|---|---|---|---|---|
";

/// Work that is the same everywhere, and that nobody changes.
static YARDSTICK: Program = theirs("yardstick", "fixtures/sizes/yardstick", "is built to see how slow the machine is");

/// What the yardstick takes on the machine of the promise: two free cores of 2026.
const YARDSTICK_SECONDS: f64 = 4.0;

/// What `link` alone has at most.
const MOST_CRATES: usize = 20;

/// The processor time of its build at most, on the machine of the promise.
const MOST_SECONDS: f64 = 10.0;

static PROGRAMS: [Program; 9] = [
    ours("link", "fixtures/consumers/link", "signs a direct link"),
    ours("share", "fixtures/consumers/share", "lists a share"),
    ours("open", "fixtures/consumers/open", "lists a folder of the Open Platform"),
    ours("web", "fixtures/consumers/web", "lists a folder of a personal account"),
    ours("full", "fixtures/sizes/full", "lists a folder, with all default features"),
    theirs("octocrab", "fixtures/sizes/octocrab", "reads a repository"),
    theirs("opendal", "fixtures/sizes/opendal", "lists a bucket, with the service `s3` alone"),
    theirs("object_store", "fixtures/sizes/object_store", "lists a bucket, with the feature `aws`"),
    theirs("aws-sdk-s3", "fixtures/sizes/aws-sdk-s3", "lists a bucket"),
];

const fn ours(name: &'static str, folder: &'static str, what: &'static str) -> Program {
    Program { name, folder, is_ours: true, what }
}

const fn theirs(name: &'static str, folder: &'static str, what: &'static str) -> Program {
    Program { name, folder, is_ours: false, what }
}

/// The crates of others whose versions the table tells.
const THEIRS: [&str; 4] = ["octocrab", "opendal", "object_store", "aws-sdk-s3"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_once() {
        assert_eq!(packages("a v1 (/x)\nb v2\nb v2 (*)\n\nb v3\n"), ["a v1", "b v2", "b v3"]);
    }

    #[test]
    fn the_smallest_build_is_promised() {
        let check = |index: usize, crates, cpu, yardstick| {
            let row = Row { crates, cpu, wall: 1.0, bytes: 1, versions: String::new() };
            is_kept(&PROGRAMS[index], &row, yardstick)
        };
        check(0, 20, 10.0, 4.0).unwrap();
        assert!(check(0, 21, 1.0, 4.0).is_err());
        assert!(check(0, 1, 10.1, 4.0).is_err());
        check(1, 200, 200.0, 4.0).unwrap();
        // A machine that is slow may take longer, for no more crates, and one that is fast may take as long.
        check(0, 20, 19.9, 8.0).unwrap();
        assert!(check(0, 20, 20.1, 8.0).is_err());
        assert!(check(0, 21, 1.0, 8.0).is_err());
        check(0, 20, 10.0, 2.0).unwrap();
        assert_eq!(PROGRAMS[0].name, "link");
    }

    #[test]
    fn programs_are_chosen_by_their_names() {
        assert_eq!(chosen(&[]).unwrap().len(), PROGRAMS.len());
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(chosen(&names(&["full", "link"])).unwrap().len(), 2);
        assert!(chosen(&names(&["magic"])).is_err());
    }

    #[test]
    fn two_runs_do_not_share_a_folder() {
        let folder = std::env::temp_dir().join(format!("pan123-sizes-{}", std::process::id()));
        let held = hold(&folder).unwrap();
        assert!(hold(&folder).unwrap_err().contains("another run"));
        drop(held);
        hold(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
