//! The program: its options, its one line, its end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn program(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pan123-sim"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The program with `--json`, and its line.
struct Running {
    child: Child,
    line: Value,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program(&[&["--json"], arguments].concat());
        let mut text = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut text).unwrap();
        Self { line: serde_json::from_str(&text).unwrap(), child }
    }

    async fn token(&self) -> Value {
        let body = serde_json::json!({"clientId": self.line["client_id"], "clientSecret": self.line["client_secret"]});
        let url = format!("{}/api/v1/access_token", self.line["open"].as_str().unwrap());
        let request = crate::client::http().build().unwrap().post(url).header("platform", "open_platform").json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_json_line_has_all_keys_and_the_program_is_lenient() {
    let running = Running::start(&[]);
    let keys: Vec<&str> = running.line.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        "open web login share upload storage cdn admin client_id client_secret username password uid link_key";
    assert_eq!(keys, expected.split(' ').collect::<Vec<_>>());
    for face in &keys[..8] {
        let url = running.line[*face].as_str().unwrap();
        assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with('/'), "{url}");
        assert_eq!(url.ends_with("/b"), *face == "web");
    }
    assert!(running.line["uid"].is_i64());
    assert_eq!(running.token().await["code"], 0);
    let body = serde_json::json!({"passport": running.line["username"], "password": running.line["password"]});
    let url = format!("{}/api/user/sign_in", running.line["login"].as_str().unwrap());
    let login = crate::client::http().build().unwrap().post(url).json(&body).send().await.unwrap();
    let login: Value = login.json().await.unwrap();
    assert!(login["code"] == 200 && login["data"]["token"].is_string(), "{login}");
}

#[tokio::test]
async fn strict_is_an_option() {
    let running = Running::start(&["--strict", "--listen", "127.0.0.1:0", "--no-verify", "--quirks"]);
    assert_eq!(running.token().await["code"], 1);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_in_peace() {
    for signal in ["-INT", "-TERM"] {
        let mut running = Running::start(&[]);
        Command::new("kill").args([signal, &running.child.id().to_string()]).status().unwrap();
        assert!(running.child.wait().unwrap().success());
        let mut rest = String::new();
        running.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

#[test]
fn help_is_shown_and_unknown_options_are_errors() {
    let help = program(&["--help"]).wait_with_output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--rate-limits"));
    for wrong in [["--nonsense"].as_slice(), &["--listen"], &["--listen", "here"], &["--json=yes"], &["extra"]] {
        let output = program(wrong).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}
