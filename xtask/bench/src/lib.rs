//! What the measured programs share: their arguments, and what the system says they used.

use std::{
    collections::BTreeMap,
    error, fs,
    time::{Duration, Instant},
};

/// Anything that can go wrong in a measured program.
pub type Failure = Box<dyn error::Error + Send + Sync>;

/// The words behind the program's name: what to do, then `key=value` pairs.
#[derive(Debug)]
pub struct Arguments {
    verb: String,
    pairs: BTreeMap<String, String>,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// When there is no first word, or a later one is no pair.
    pub fn read() -> Result<Self, Failure> {
        let mut words = std::env::args().skip(1);
        let verb = words.next().ok_or("what is to be measured?")?;
        let pair = |word: String| {
            let (key, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is no pair"))?;
            Ok::<_, Failure>((key.to_owned(), value.to_owned()))
        };
        Ok(Self { verb, pairs: words.map(pair).collect::<Result<_, _>>()? })
    }

    /// Returns what to do.
    pub fn verb(&self) -> &str {
        &self.verb
    }

    /// Returns a value.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn get(&self, key: &str) -> Result<&str, Failure> {
        self.pairs.get(key).map(String::as_str).ok_or_else(|| format!("`{key}=` is missing").into())
    }

    /// Returns a number.
    ///
    /// # Errors
    ///
    /// When it is not there, or is none.
    pub fn number(&self, key: &str) -> Result<u64, Failure> {
        self.get(key)?.parse().map_err(|_| format!("`{key}=` is no number").into())
    }

    /// Returns a value of the environment.
    ///
    /// # Errors
    ///
    /// When it is not set.
    pub fn environment(name: &str) -> Result<String, Failure> {
        std::env::var(name).map_err(|_| format!("{name} is not set").into())
    }
}

/// Measures from its making on: wall time, and what the process has used in all.
#[derive(Debug)]
pub struct Meter(Instant);

impl Meter {
    /// Begins.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Says, as one line of JSON, seconds of wall and processor time and the most memory ever resident, in KiB.
    ///
    /// # Errors
    ///
    /// Where `/proc` is not as Linux has it.
    pub fn report(&self) -> Result<String, Failure> {
        let wall = self.0.elapsed().as_secs_f64();
        Ok(serde_json::json!({"wall": wall, "cpu": cpu()?, "peak_kib": peak()?}).to_string())
    }
}

/// Returns the processor seconds of this process, those of its ended threads among them.
fn cpu() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name in brackets may hold blanks.
    let (_, rest) = stat.rsplit_once(')').ok_or("no process statistics")?;
    let ticks: Vec<f64> = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    // Linux counts in hundredths on every machine that matters here.
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn peak() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak in the process status")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

/// One way of doing something: what it is called, and what it does.
pub type Way<'a> = (&'a str, &'a dyn Fn());

/// Runs each way in turn, again and again, and prints the least time of each as a ratio to the first.
///
/// Under `cargo test --benches`, which only asks whether it runs, each runs once.
#[expect(clippy::print_stdout, reason = "a benchmark says what it found")]
pub fn compare(title: &str, ways: &[Way<'_>]) {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let runs = if measured { 30 } else { 1 };
    // Long enough that the clock does not count.
    let repeats = if measured { repeats(ways[0].1) } else { 1 };
    let mut least = vec![Duration::MAX; ways.len()];
    for _ in 0..runs {
        for ((_, way), least) in ways.iter().zip(&mut least) {
            let begun = Instant::now();
            (0..repeats).for_each(|_| way());
            *least = begun.elapsed().min(*least);
        }
    }
    println!("{title}: least of {runs} runs, as a ratio to the first");
    for ((name, _), time) in ways.iter().zip(&least) {
        let [ratio, nanos] = [least[0], Duration::from_nanos(repeats)].map(|of| time.as_secs_f64() / of.as_secs_f64());
        println!("{ratio:6.2}  {name} ({nanos:.0} ns)");
    }
}

/// How often to do it so that it takes ten milliseconds.
fn repeats(way: &dyn Fn()) -> u64 {
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < Duration::from_millis(10) {
        way();
        count += 1;
    }
    count
}
