//! What transfers and listings cost, against the least that any program could spend on the same work.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{print, service::Service, workspace::Workspace};

/// Where the figures are kept for readers, between two lines that say so.
const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- Written by `cargo xtask bench`. -->";
const END: &str = "<!-- Until here. -->";

/// How often each program runs; the least counts, as all else is the machine's doing.
const ROUNDS: usize = 5;

/// How many parts are in flight.
const PARTS: usize = 4;

/// How much work is done.
struct Size {
    file: u64,
    large: u64,
    small_files: u64,
    entries: u64,
}

const FULL: Size = Size { file: 1 << 30, large: 8 << 30, small_files: 1000, entries: 100_000 };

/// Enough to see whether everything runs.
const QUICK: Size = Size { file: 64 << 20, large: 128 << 20, small_files: 50, entries: 1_000 };

/// Measures and writes the table; with the word `quick` it does little, and writes none.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let quick = std::env::args().nth(2).is_some_and(|word| word == "quick");
    let size = if quick { QUICK } else { FULL };
    workspace.cargo(&["build", "--quiet", "--release", "--package", "pan123-bench", "--package", "pan123-sim"])?;
    let bench = Bench::new(workspace)?;
    let rounds = if quick { 1 } else { ROUNDS };
    let mut table = String::from(HEAD);
    for row in [
        bench.upload(&size, rounds)?,
        bench.download(&size, rounds, Verify::Yes)?,
        bench.download(&size, rounds, Verify::No)?,
        bench.download(&size, rounds, Verify::NoAndOver)?,
        bench.list(&size, rounds)?,
        bench.large(&size)?,
        bench.many(&size)?,
    ] {
        print(&row);
        writeln!(table, "{row}").expect("a text can be written");
    }
    if quick { Ok(()) } else { keep(&workspace.root.join(PAGE), &table) }
}

const HEAD: &str = "| work | processor seconds, in floors | wall time, in floors | peak memory | in figures |
|---|---|---|---|---|
";

/// What a program used, the least of several runs.
#[derive(Clone, Copy)]
struct Used {
    wall: f64,
    cpu: f64,
    peak_kib: u64,
}

impl Used {
    fn least(runs: &[Used]) -> Used {
        let least = |pick: fn(&Used) -> f64| runs.iter().map(pick).fold(f64::INFINITY, f64::min);
        Used {
            wall: least(|run| run.wall),
            cpu: least(|run| run.cpu),
            // Of memory it is the most that counts.
            peak_kib: runs.iter().map(|run| run.peak_kib).max().unwrap_or_default(),
        }
    }

    fn peak(self) -> String {
        format!("{:.1} MiB", self.peak_kib as f64 / 1024.0)
    }
}

struct Bench {
    service: Service,
    sink: Sink,
    programs: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn new(workspace: &Workspace) -> Result<Self, String> {
        let programs = workspace.target().join("release");
        let folder = workspace.target().join("bench");
        // What an interrupted run left behind would be taken for part of this one.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let sink = Sink::start(&programs)?;
        let service = Service::of(workspace.program(programs.join("pan123-sim")).args(["--json", "--no-verify"]))?;
        Ok(Self { service, sink, programs, folder })
    }

    fn upload(&self, size: &Size, rounds: usize) -> Result<String, String> {
        let path = self.folder.join("up.bin");
        fill(&path, size.file)?;
        let (file, parts) = (format!("file={}", path.display()), format!("parts={PARTS}"));
        let to = format!("to={}", self.sink.address);
        let [mut ours, mut hash, mut send] = [const { Vec::new() }; 3];
        for round in 0..rounds {
            // The service takes no bytes that it knows.
            mark(&path, round as u64 + 1)?;
            let name = format!("name=up-{round}.bin");
            ours.push(self.client(&["upload", &file, &name, &parts])?);
            hash.push(self.floor(&["md5", &file])?);
            send.push(self.floor(&["send", &file, &to, &parts])?);
        }
        fs::remove_file(&path).map_err(|error| error.to_string())?;
        let what = format!("{} up, {PARTS} parts in flight, against one MD5 pass and a bare send", gib(size.file));
        Ok(row(&what, Used::least(&ours), &[Used::least(&hash), Used::least(&send)]))
    }

    fn download(&self, size: &Size, rounds: usize, verify: Verify) -> Result<String, String> {
        let name = format!("/down-{verify:?}.bin");
        let file = self.service.post("/files", &json!({"path": name, "size": size.file, "seed": 7}))?;
        let id = format!("id={}", file["id"]);
        let path = self.folder.join("down.bin");
        let (to, verified) =
            (format!("to={}", path.display()), if verify == Verify::Yes { "verify=yes" } else { "verify=no" });
        let [mut ours, mut hash, mut receive] = [const { Vec::new() }; 3];
        for _ in 0..rounds {
            if verify == Verify::NoAndOver {
                fill(&path, size.file)?;
                ours.push(self.client(&["download", &id, &to, verified, "over=yes"])?);
            } else {
                let _ = fs::remove_file(&path);
                ours.push(self.client(&["download", &id, &to, verified])?);
            }
            if verify == Verify::Yes {
                hash.push(self.floor(&["md5", &format!("file={}", path.display())])?);
            }
            receive.push(self.floor(&["receive", &id, &to])?);
        }
        fs::remove_file(&path).map_err(|error| error.to_string())?;
        let mut floors = vec![Used::least(&receive)];
        let what = match verify {
            Verify::Yes => {
                floors.push(Used::least(&hash));
                format!("{} down and verified, against one MD5 pass and a bare receive", gib(size.file))
            }
            Verify::No => format!("{} down without verification, into a new file that is synced", gib(size.file)),
            Verify::NoAndOver => format!("{} down without verification, over a file that is there", gib(size.file)),
        };
        Ok(row(&what, Used::least(&ours), &floors))
    }

    fn list(&self, size: &Size, rounds: usize) -> Result<String, String> {
        let folder = self.service.post("/files", &json!({"path": "/many", "count": size.entries}))?;
        let (id, count) = (format!("id={}", folder["id"]), format!("count={}", size.entries));
        let [mut ours, mut floor] = [const { Vec::new() }; 2];
        for _ in 0..rounds {
            ours.push(self.client(&["list", &id, &count])?);
            floor.push(self.floor(&["list", &id, &count])?);
        }
        let what = format!("a list of {} entries, against bare requests and decoding", size.entries);
        Ok(row(&what, Used::least(&ours), &[Used::least(&floor)]))
    }

    fn large(&self, size: &Size) -> Result<String, String> {
        let path = self.folder.join("large.bin");
        fill(&path, size.large)?;
        let file = format!("file={}", path.display());
        let ours = self.client(&["upload", &file, "name=large.bin", &format!("parts={PARTS}")])?;
        fs::remove_file(&path).map_err(|error| error.to_string())?;
        Ok(row(&format!("{} up, for its memory", gib(size.large)), ours, &[]))
    }

    fn many(&self, size: &Size) -> Result<String, String> {
        let folder = self.folder.join("small");
        fs::create_dir(&folder).map_err(|error| error.to_string())?;
        for number in 0..size.small_files {
            let path = folder.join(format!("{number}.bin"));
            fill(&path, 64 << 10)?;
            mark(&path, number + 1)?;
        }
        let ours = self.client(&["upload-many", &format!("dir={}", folder.display()), "name=small", "at_once=4"])?;
        Ok(row(&format!("{} files of 64 KiB up, four at a time", size.small_files), ours, &[]))
    }

    fn client(&self, arguments: &[&str]) -> Result<Used, String> {
        self.measure("client", arguments)
    }

    fn floor(&self, arguments: &[&str]) -> Result<Used, String> {
        self.measure("floor", arguments)
    }

    /// Runs one of the programs and reads what it says of itself.
    fn measure(&self, program: &str, arguments: &[&str]) -> Result<Used, String> {
        let mut command = Command::new(self.programs.join(program));
        let output = command.args(arguments).envs(self.service.environment()?).output();
        let output = output.map_err(|error| format!("{program} did not start: {error}"))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{program} {}: {}", arguments.join(" "), errors.trim()));
        }
        let said: Value = serde_json::from_slice(&output.stdout).map_err(|_| format!("{program} printed no JSON"))?;
        let number = |key: &str| said[key].as_f64().ok_or_else(|| format!("{program} did not say its {key}"));
        Ok(Used {
            wall: number("wall")?,
            cpu: number("cpu")?,
            peak_kib: said["peak_kib"].as_u64().ok_or_else(|| format!("{program} did not say its peak"))?,
        })
    }
}

/// Whether a download is verified, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verify {
    Yes,
    No,
    /// Over the bytes of a file that is there, as the floor does.
    NoAndOver,
}

/// The server that throws away what it is sent.
struct Sink {
    process: Child,
    address: String,
}

impl Sink {
    fn start(programs: &Path) -> Result<Self, String> {
        let process = Command::new(programs.join("floor")).arg("sink").stdout(Stdio::piped()).spawn();
        let process = process.map_err(|error| format!("the sink did not start: {error}"))?;
        let mut sink = Self { process, address: String::new() };
        let stdout = sink.process.stdout.take().expect("it was asked for");
        BufReader::new(stdout).read_line(&mut sink.address).map_err(|error| format!("the sink: {error}"))?;
        sink.address = sink.address.trim().to_owned();
        Ok(sink)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One line of the table: ours against the sum of the floors.
fn row(what: &str, ours: Used, floors: &[Used]) -> String {
    let sum = |pick: fn(&Used) -> f64| floors.iter().map(pick).sum::<f64>();
    let ratio = |ours: f64, floor: f64| if floor > 0.0 { format!("{:.2}", ours / floor) } else { "–".to_owned() };
    let of_floors: Vec<String> = floors.iter().map(|floor| format!("{:.2}", floor.cpu)).collect();
    let floors_text = if floors.is_empty() { String::new() } else { format!("; floors {} s", of_floors.join(" + ")) };
    format!(
        "| {what} | {} | {} | {} | {:.2} s processor, {:.2} s wall{floors_text} |",
        ratio(ours.cpu, sum(|floor| floor.cpu)),
        ratio(ours.wall, sum(|floor| floor.wall)),
        ours.peak(),
        ours.cpu,
        ours.wall,
    )
}

fn gib(bytes: u64) -> String {
    if bytes >= 1 << 30 { format!("{} GiB", bytes >> 30) } else { format!("{} MiB", bytes >> 20) }
}

/// Writes a file of numbers that nothing can compress.
pub(crate) fn fill(path: &Path, size: u64) -> Result<(), String> {
    let error = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::create(path).map_err(error)?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut block = vec![0_u8; 1 << 20];
    let mut left = size;
    while left > 0 {
        for word in block.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        let count = left.min(block.len() as u64);
        let count_here = usize::try_from(count).expect("a block fits into memory");
        file.write_all(&block[..count_here]).map_err(error)?;
        left -= count;
    }
    Ok(())
}

/// Makes a file one that no service has seen.
pub(crate) fn mark(path: &Path, number: u64) -> Result<(), String> {
    let error = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::options().write(true).open(path).map_err(error)?;
    file.seek(SeekFrom::Start(0)).map_err(error)?;
    file.write_all(&number.to_le_bytes()).map_err(error)
}

/// Puts the table between its two lines.
fn keep(page: &Path, table: &str) -> Result<(), String> {
    let error = |error: std::io::Error| format!("{PAGE}: {error}");
    let text = fs::read_to_string(page).map_err(error)?;
    let missing = || format!("{PAGE} has no line `{BEGIN}` and `{END}`");
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    fs::write(page, format!("{before}{BEGIN}\n{table}{END}{after}")).map_err(error)
}
