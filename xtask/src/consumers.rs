//! The crates in `fixtures/consumers`: each depends on the facade from outside the workspace, as a user's crate does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{service::Service, workspace::Workspace};

/// A consumer, what it is given, and what it must print.
struct Consumer {
    name: &'static str,
    argument: fn(&Setting) -> String,
    prints: &'static str,
}

/// What the simulated service holds.
struct Setting {
    share_key: String,
}

static CONSUMERS: [Consumer; 4] = [
    Consumer { name: "link", argument: |_| "https://vip.123pan.cn/1812/a.mp4".to_owned(), prints: "?auth_key=" },
    Consumer {
        name: "share",
        argument: |setting| format!("链接：https://www.123pan.com/s/{} 提取码：Wxyz", setting.share_key),
        prints: "films/a.mp4",
    },
    Consumer { name: "open", argument: |_| String::new(), prints: "films" },
    Consumer { name: "web", argument: |_| String::new(), prints: "films" },
];

/// Builds and runs each consumer against a simulator.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let folders = folders(workspace)?;
    let known: Vec<&str> = CONSUMERS.iter().map(|consumer| consumer.name).collect();
    if let Some(other) = folders.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("{FOLDER}/{other} is not run by this step"));
    }
    let service = Service::start(workspace)?;
    service.put("/films/a.mp4", "bytes of a film")?;
    let setting = Setting { share_key: service.share("/films", "Wxyz")? };
    for consumer in &CONSUMERS {
        let folder = workspace.root.join(FOLDER).join(consumer.name);
        is_short(consumer.name, &folder.join("src/main.rs"))?;
        lock(workspace, &folder)?;
        let manifest = folder.join("Cargo.toml").display().to_string();
        let target = workspace.outside().display().to_string();
        let argument = (consumer.argument)(&setting);
        let arguments = ["run", "--quiet", "--manifest-path", &manifest, "--target-dir", &target, "--", &argument];
        let printed = workspace.cargo_output_with(&arguments, &service.environment()?)?;
        if !printed.contains(consumer.prints) {
            return Err(format!("{FOLDER}/{} printed no {:?}:\n{printed}", consumer.name, consumer.prints));
        }
    }
    Ok(())
}

/// Returns the names of the consumers that are there.
pub(crate) fn folders(workspace: &Workspace) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(workspace.root.join(FOLDER)).map_err(|error| format!("{FOLDER}: {error}"))?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect())
}

/// The promise of the README: something useful in a few lines.
fn is_short(name: &str, main: &Path) -> Result<(), String> {
    let text = fs::read_to_string(main).map_err(|error| format!("{}: {error}", main.display()))?;
    let is_code = |line: &&str| !line.trim().is_empty() && !line.starts_with("//!");
    match text.lines().filter(is_code).count() {
        count if count < MOST_LINES => Ok(()),
        count => Err(format!("{FOLDER}/{name} has {count} lines of code; fewer than {MOST_LINES} are promised")),
    }
}

/// Gives a crate outside the workspace the workspace's versions, so that it needs no network and no lock file of its own.
pub(crate) fn lock(workspace: &Workspace, folder: &Path) -> Result<PathBuf, String> {
    let lock = folder.join("Cargo.lock");
    fs::copy(workspace.root.join("Cargo.lock"), &lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    Ok(lock)
}

pub(crate) const FOLDER: &str = "fixtures/consumers";

/// One more than the most lines of code that a consumer may have.
const MOST_LINES: usize = 15;
