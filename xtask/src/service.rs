//! A simulated 123Pan in a process of its own, for what runs against a service.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::workspace::Workspace;

/// The simulator as a program, stopped when it is dropped.
pub(crate) struct Service {
    process: Child,
    line: Value,
}

impl Service {
    /// Builds and starts it, as the README says, and reads the line that it prints.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self, String> {
        Self::of(&mut workspace.command(&["run", "--quiet", "--package", "pan123-sim", "--", "--json"]))
    }

    /// Starts it by a command of the caller's own, which has it print its line as JSON.
    pub(crate) fn of(command: &mut Command) -> Result<Self, String> {
        let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let process = process.map_err(|error| format!("the simulator did not start: {error}"))?;
        // Owned before anything can fail, so that it is stopped then too.
        let mut service = Self { process, line: Value::Null };
        let mut line = String::new();
        let stdout = service.process.stdout.take().expect("it was asked for");
        BufReader::new(stdout).read_line(&mut line).map_err(|error| format!("the simulator: {error}"))?;
        service.line = serde_json::from_str(&line).map_err(|_| "the simulator printed no JSON".to_owned())?;
        Ok(service)
    }

    /// Returns a value of the line: an address or a credential.
    pub(crate) fn value(&self, key: &str) -> Result<&str, String> {
        self.line[key].as_str().ok_or_else(|| format!("the simulator's line has no `{key}`"))
    }

    /// Returns the environment of a program that is to meet this service.
    pub(crate) fn environment(&self) -> Result<Vec<(&'static str, &str)>, String> {
        VARIABLES.iter().map(|(name, key)| Ok((*name, self.value(key)?))).collect()
    }

    /// Puts a small file of text into the drive.
    pub(crate) fn put(&self, path: &str, text: &str) -> Result<(), String> {
        self.post("/files", &json!({"path": path, "text": text})).map(drop)
    }

    /// Shares a path of the drive, and returns the key of the share.
    pub(crate) fn share(&self, path: &str, password: &str) -> Result<String, String> {
        let reply = self.post("/shares", &json!({"paths": [path], "password": password}))?;
        reply["key"].as_str().map(str::to_owned).ok_or_else(|| "the simulator gave the share no key".to_owned())
    }

    /// Asks the admin face.
    pub(crate) fn get(&self, path: &str) -> Result<Value, String> {
        self.request("GET", path, "")
    }

    /// Has the admin face do something, and returns the data of its answer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.request("POST", path, &body.to_string())
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let address = self.value("admin")?.trim_start_matches("http://");
        let error = |error: std::io::Error| format!("the simulator's admin face: {error}");
        let mut stream = TcpStream::connect(address).map_err(error)?;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        let request = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).map_err(error)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(error)?;
        let (_, answer) = answer.split_once("\r\n\r\n").ok_or("the simulator's admin face gave no answer")?;
        let mut answer: Value =
            serde_json::from_str(answer).map_err(|_| format!("the simulator's admin face said {answer:?}"))?;
        match answer["code"].as_i64() {
            Some(0) => Ok(answer["data"].take()),
            _ => Err(format!("the simulator's admin face refused {path}: {answer}")),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the SDK and its examples read, and which value of the simulator's line it is.
const VARIABLES: [(&str, &str); 9] = [
    ("PAN123_OPEN_URL", "open"),
    ("PAN123_WEB_URL", "web"),
    ("PAN123_LOGIN_URL", "login"),
    ("PAN123_SHARE_URL", "share"),
    ("PAN123_CLIENT_ID", "client_id"),
    ("PAN123_CLIENT_SECRET", "client_secret"),
    ("PAN123_USERNAME", "username"),
    ("PAN123_PASSWORD", "password"),
    ("PAN123_LINK_KEY", "link_key"),
];
