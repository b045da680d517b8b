//! The one entry for every chore: `cargo xtask` lists them.

mod bench;
mod consumers;
mod coverage;
mod fuzz;
mod kill;
mod manifest;
mod markdown;
mod mentions;
mod pages;
mod readme;
mod release;
mod service;
mod sizes;
mod steps;
mod tidy;
mod tools;
mod verbs;
mod workspace;

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use workspace::Workspace;

/// A chore, or a check that is one step of `ci`.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace) -> Result<(), String>,
}

static CI: Command =
    Command { name: "ci", about: "every check below, in this order, up to the first failure", run: ci };

static FUZZ: Command = Command {
    name: "fuzz",
    about: "each parser is fuzzed for 60 seconds, or for as many as the next word says; not in `ci`",
    run: fuzz::run,
};

static SIZES: Command = Command {
    name: "sizes",
    about: "what builds cost, next to SDKs that people know, into docs/sizes.md; with names those alone, and no page; not in `ci`",
    run: sizes::run,
};

static BENCH: Command = Command {
    name: "bench",
    about: "what transfers and lists cost, into docs/performance.md; with `quick` little work and no page; not in `ci`",
    run: bench::run,
};

static KILL: Command = Command {
    name: "kill",
    about: "uploads and downloads are killed at random moments, and end whole; takes minutes, not in `ci`",
    run: kill::run,
};

static TOOLS: Command = Command {
    name: "tools",
    about: "installs the programs of others that steps need, where they are missing; all, or those whose names follow",
    run: tools::run,
};

static CHECKS: [Command; 14] = [
    Command { name: "fmt", about: "the code is formatted", run: steps::fmt },
    Command { name: "clippy", about: "no lint fires, whatever the features", run: steps::clippy },
    Command { name: "docs", about: "the documentation builds without a warning", run: steps::docs },
    Command {
        name: "features",
        about: "the facade builds with each feature alone, every two, none, default, all",
        run: steps::features,
    },
    Command { name: "examples", about: "every example runs, against the simulator", run: steps::examples },
    Command {
        name: "consumers",
        about: "crates outside the workspace build with one way in, and run",
        run: consumers::run,
    },
    Command { name: "trees", about: "small builds stay small, the simulator stays independent", run: steps::trees },
    Command { name: "tidy", about: "the rules of this repository that no other tool knows", run: tidy::run },
    Command { name: "package", about: "every crate for users builds from its package", run: release::package },
    Command { name: "api", about: "the public API is the one that is listed", run: release::api },
    Command { name: "deny", about: "licences and sources of other people's crates are allowed", run: release::deny },
    Command { name: "readme", about: "every command of the READMEs and the guides runs", run: readme::run },
    Command {
        name: "pages",
        about: "the map of all operations and the table of features are up to date",
        run: pages::run,
    },
    Command {
        name: "coverage",
        about: "how much of the protocol is implemented, tested and simulated",
        run: coverage::run,
    },
];

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some(command) = commands().find(|command| command.name == name) else {
        print_commands();
        let is_question = ["", "help", "-h", "--help"].contains(&name.as_str());
        return ExitCode::from(if is_question { 0 } else { 2 });
    };
    match Workspace::read().and_then(|workspace| timed(command, &workspace)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print(&format!("xtask: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn commands() -> impl Iterator<Item = &'static Command> {
    std::iter::once(&CI).chain(&CHECKS).chain([&TOOLS, &FUZZ, &SIZES, &BENCH, &KILL])
}

fn ci(workspace: &Workspace) -> Result<(), String> {
    CHECKS.iter().try_for_each(|check| timed(check, workspace))?;
    SKIPPED.lock().map_err(|_| "a check panicked")?.iter().for_each(|what| print(&format!("NOT CHECKED: {what}")));
    Ok(())
}

/// Runs a command and prints a line with what came of it and how long it took.
fn timed(command: &Command, workspace: &Workspace) -> Result<(), String> {
    let start = Instant::now();
    let result = (command.run)(workspace);
    let outcome = if result.is_ok() { "ok" } else { "FAILED" };
    print(&format!("{:<9} {outcome:<6} {:>6.1} s", command.name, start.elapsed().as_secs_f64()));
    result.map_err(|error| format!("{}: {error}", command.name))
}

fn print_commands() {
    print("usage: cargo xtask <command>\n");
    for command in commands() {
        print(&format!("  {:<9} {}", command.name, command.about));
    }
}

/// Says that something is not checked on this machine; `ci` says it again at its end.
pub(crate) fn skip(what: &str) {
    print(&format!("skipped: {what}"));
    if let Ok(mut skipped) = SKIPPED.lock() {
        skipped.push(what.to_owned());
    }
}

static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Prints a line for the person or the log that started the chore.
#[expect(clippy::print_stdout, reason = "a command-line tool talks on stdout")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}
