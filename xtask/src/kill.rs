//! Whether a transfer survives its process: it is killed again and again, and must end whole, once, and without much waste.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{bench, print, service::Service, workspace::Workspace};

/// How often each kind of transfer is killed.
const KILLS: usize = 50;

/// The size of the file that travels.
const SIZE: u64 = 256 << 20;

/// How many parts may be in flight, and so be sent twice after a kill.
const PARTS: u64 = 4;

/// Kills uploads and downloads of each way in at random moments until it has done so often enough.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    workspace.cargo(&["build", "--quiet", "--release", "--package", "pan123-bench", "--package", "pan123-sim"])?;
    for api in ["open", "web"] {
        let trial = Trial::new(workspace, api)?;
        print(&trial.uploads()?);
        print(&trial.downloads()?);
    }
    Ok(())
}

/// One way in, a service of its own, and a folder.
struct Trial {
    service: Service,
    api: &'static str,
    program: PathBuf,
    folder: PathBuf,
}

impl Trial {
    fn new(workspace: &Workspace, api: &'static str) -> Result<Self, String> {
        let programs = workspace.target().join("release");
        let folder = workspace.target().join("kill").join(api);
        // What an interrupted run left behind would be taken for part of this one.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let service = Service::of(workspace.program(programs.join("pan123-sim")).arg("--json"))?;
        Ok(Self { service, api, program: programs.join("client"), folder })
    }

    /// Uploads files, each killed until it is through, or until there were enough kills.
    fn uploads(&self) -> Result<String, String> {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let path = self.folder.join("up.bin");
        bench::fill(&path, SIZE)?;
        let (mut kills, mut files, mut most_wasted) = (0, 0, 0);
        // The first is let through: it tells how long one takes, and of how many parts it is.
        let (mut usual, mut whole) = (Duration::ZERO, 0);
        while kills < KILLS {
            bench::mark(&path, files + 1)?;
            let name = format!("up-{files}.bin");
            let before = self.parts_sent()?;
            let words = ["upload".to_owned(), format!("file={}", path.display()), format!("name={name}")];
            let most = if files == 0 { 0 } else { KILLS - kills };
            let (killed, took) = self.until_done(&words, most, &mut chance, usual)?;
            usual = took.clamp(Duration::from_millis(200), Duration::from_secs(5));
            kills += killed;
            files += 1;
            let sent = self.parts_sent()? - before;
            whole = if whole == 0 { sent } else { whole };
            if sent < whole || whole < 2 {
                return Err(format!("{} up: {sent} parts were sent of {whole}", self.api));
            }
            let wasted = sent - whole;
            let allowed = killed as u64 * PARTS;
            if wasted > allowed {
                return Err(format!(
                    "{} up: {wasted} parts were sent again after {killed} kills, {allowed} at most were in flight",
                    self.api
                ));
            }
            most_wasted = most_wasted.max(wasted);
            self.client(&["check".to_owned(), format!("file={}", path.display()), format!("name={name}")])?;
        }
        Ok(format!(
            "{} up: {kills} kills of {files} uploads, each whole and there once; at most {most_wasted} parts of one sent again",
            self.api
        ))
    }

    /// Downloads a file again and again, each killed until it is through, or until there were enough kills.
    fn downloads(&self) -> Result<String, String> {
        let mut chance = Chance(0x2545_f491_4f6c_dd1d);
        let (mut kills, mut files) = (0, 0);
        let mut usual = Duration::from_secs(2);
        while kills < KILLS {
            files += 1;
            let remote = json!({"path": format!("/down-{files}.bin"), "size": SIZE, "seed": files});
            let made = self.service.post("/files", &remote)?;
            let path = self.folder.join("down.bin");
            let words = ["download".to_owned(), format!("id={}", made["id"]), format!("to={}", path.display())];
            let (killed, took) = self.until_done(&words, KILLS - kills, &mut chance, usual)?;
            usual = took.clamp(Duration::from_millis(200), Duration::from_secs(5));
            kills += killed;
            let md5 = made["md5"].as_str().ok_or("the simulator names no MD5")?;
            self.client(&["digest".to_owned(), format!("file={}", path.display()), format!("md5={md5}")])?;
            let left = names(&self.folder)?;
            if left.iter().any(|name| name.contains(".pan123")) {
                return Err(format!("{} down: something was left behind: {left:?}", self.api));
            }
            fs::remove_file(&path).map_err(|error| error.to_string())?;
        }
        Ok(format!("{} down: {kills} kills of {files} downloads, each whole and nothing left behind", self.api))
    }

    /// Runs the client until it ends by itself. Returns how often it was killed, and how long it was let run in all.
    fn until_done(
        &self,
        words: &[String],
        most: usize,
        chance: &mut Chance,
        usual: Duration,
    ) -> Result<(usize, Duration), String> {
        let mut killed = 0;
        let mut ran = Duration::ZERO;
        loop {
            let begun = Instant::now();
            let mut child = self.start(words)?;
            // Behind the last kill it may take as long as it likes.
            let moment = (killed < most).then(|| usual.mul_f64(chance.share()));
            let status = loop {
                if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                    break Some(status);
                }
                if moment.is_some_and(|moment| begun.elapsed() >= moment) {
                    child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
                    break None;
                }
                std::thread::sleep(Duration::from_millis(1));
            };
            ran += begun.elapsed();
            match status {
                Some(status) if status.success() => return Ok((killed, ran)),
                Some(status) => return Err(format!("{} {}: {status}", self.api, words.join(" "))),
                None => killed += 1,
            }
        }
    }

    fn start(&self, words: &[String]) -> Result<Child, String> {
        let mut command = Command::new(&self.program);
        command.args(words).args([format!("api={}", self.api), format!("parts={PARTS}"), "verify=yes".to_owned()]);
        command.arg(format!("checkpoints={}", self.folder.display())).envs(self.service.environment()?);
        let child = command.stdout(Stdio::null()).spawn();
        child.map_err(|error| format!("the client did not start: {error}"))
    }

    fn client(&self, words: &[String]) -> Result<(), String> {
        let status = self.start(words)?.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("{} {}: {status}", self.api, words.join(" "))) }
    }

    /// Counts the parts that were begun to be sent so far.
    fn parts_sent(&self) -> Result<u64, String> {
        let counts = self.service.get("/counts")?;
        let of = |operation: &str| counts.get(operation).and_then(Value::as_u64).unwrap_or_default();
        Ok(of("open/upload_v2.slice") + of("web/upload.put_part"))
    }
}

fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect())
}

/// Random numbers, the same in each run; the moments they stand for are not.
struct Chance(u64);

impl Chance {
    /// Returns a number from 0 up to 1.
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
