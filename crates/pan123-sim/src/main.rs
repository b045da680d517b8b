//! The simulator as a program: it prints where its faces listen, then serves until it is stopped.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

use pan123_sim::{Builder, Face, Simulator};
use serde_json::{Map, Value};

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            tell(&format!("pan123-sim: {problem}\n\n{HELP}"));
            return ExitCode::from(2);
        }
    };
    if options.help {
        return show(HELP);
    }
    match serve(options) {
        Ok(code) => code,
        Err(error) => {
            tell(&format!("pan123-sim: cannot start: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    builder: Builder,
    json: bool,
    help: bool,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments;
        let mut options = Self { builder: Simulator::builder().lenient(), json: false, help: false };
        while let Some(argument) = arguments.next() {
            let (name, joined) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let takes_value = matches!(name.as_str(), "--listen" | "--dir");
            if joined.is_some() && !takes_value {
                return Err(format!("option `{name}` takes no value"));
            }
            let mut value =
                || joined.clone().or_else(|| arguments.next()).ok_or(format!("option `{name}` needs a value"));
            let builder = options.builder;
            options.builder = match name.as_str() {
                "--listen" => builder.listen(address(&value()?)?),
                "--dir" => builder.dir(value()?),
                "--strict" => builder.strict(),
                "--quirks" => builder.quirks(true),
                "--no-verify" => builder.verify(false),
                "--rate-limits" => builder.rate_limits(true),
                "--json" => {
                    options.json = true;
                    builder
                }
                "--help" | "-h" => {
                    options.help = true;
                    builder
                }
                _ => return Err(format!("unknown option `{name}`")),
            };
        }
        Ok(options)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| format!("`{text}` is not an address such as 127.0.0.1:8080"))
}

fn serve(options: Options) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Asked for first, so that a signal that comes right after the line is printed is not lost.
        let stopped = stop_signal()?;
        let simulator = options.builder.start().await?;
        let printed = if options.json { format!("{}\n", as_json(&simulator)) } else { as_text(&simulator) };
        let mut stdout = io::stdout().lock();
        stdout.write_all(printed.as_bytes())?;
        stdout.flush()?;
        drop(stdout);
        tell("pan123-sim: serving, stop with Ctrl-C\n");
        stopped.await;
        tell("pan123-sim: stopped\n");
        drop(simulator);
        Ok(ExitCode::SUCCESS)
    })
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler the system's own way of stopping a program is left.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn as_json(simulator: &Simulator) -> Value {
    let mut line: Map<String, Value> =
        Face::ALL.iter().map(|face| (face.name().to_owned(), simulator.urls().of(*face).into())).collect();
    line.insert("client_id".into(), simulator.client_id().into());
    line.insert("client_secret".into(), simulator.client_secret().into());
    line.insert("username".into(), simulator.username().into());
    line.insert("password".into(), simulator.password().into());
    line.insert("uid".into(), simulator.uid().into());
    line.insert("link_key".into(), simulator.link_key().into());
    Value::Object(line)
}

fn as_text(simulator: &Simulator) -> String {
    let Value::Object(line) = as_json(simulator) else { return String::new() };
    line.iter()
        .map(|(name, value)| format!("{name:14}{}\n", value.as_str().map_or(value.to_string(), str::to_owned)))
        .collect()
}

fn show(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn tell(text: &str) {
    // With nobody left to read it, there is nothing to do about a message that cannot be written.
    let _ = io::stderr().write_all(text.as_bytes());
}

const HELP: &str = "\
Usage: pan123-sim [OPTIONS]

Runs a simulated 123Pan on this machine and prints the address of every face and the credentials it accepts.

Options:
  --listen ADDR   where the Open Platform face listens (default 127.0.0.1:0); the others take free ports
  --strict        refuse whatever the protocol reference does not name
  --quirks        show the oddities of the service that delay or deny
  --no-verify     count uploaded bytes without hashing or keeping them
  --rate-limits   answer code 429 to calls over the limits of a free account
  --dir DIR       keep the drive in a folder
  --json          print one line of JSON, the only thing on the standard output
  --help          print this text
";
