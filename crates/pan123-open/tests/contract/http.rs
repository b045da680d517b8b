//! Requests and answers as they are recorded: text files that read like HTTP.

use std::{collections::BTreeMap, path::Path};

use wiremock::ResponseTemplate;

/// A request, in the form in which two are compared.
#[derive(Debug, PartialEq)]
pub(crate) struct Sent {
    line: String,
    headers: BTreeMap<String, String>,
    body: Content,
}

#[derive(Debug, PartialEq)]
enum Content {
    Nothing,
    Json(serde_json::Value),
    /// The parts in their order: the head of each, and its text.
    Parts(Vec<(Vec<String>, String)>),
    Text(String),
}

/// What every HTTP client writes on its own; `Content-Length` is compared with the body instead.
const OF_THE_CLIENT: [&str; 4] = ["host", "accept", "user-agent", "content-length"];

impl Sent {
    /// Reads a recorded request.
    pub(crate) fn recorded(text: &str) -> Self {
        let (head, body) = split(text);
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.map(header).collect();
        // Files have bare line ends; forms on the wire do not.
        Self::new(line, headers, &body.trim_end_matches('\n').replace('\n', "\r\n"))
    }

    /// Takes down a request that a server received.
    pub(crate) fn received(request: &wiremock::Request) -> Self {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let line = format!("{} {}{query}", request.method, request.url.path());
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &request.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            assert_eq!(headers.insert(name.to_string(), value), None, "{line}: {name} was sent twice");
        }
        let length = headers.get("content-length").map_or("0", String::as_str);
        assert_eq!(length, request.body.len().to_string(), "{line}: the length was not announced rightly");
        headers.retain(|name, _| !OF_THE_CLIENT.contains(&name.as_str()));
        let body = String::from_utf8(request.body.clone()).expect("recorded bodies are text");
        Self::new(line, headers, &body)
    }

    fn new(line: String, mut headers: BTreeMap<String, String>, body: &str) -> Self {
        let kind = headers.get("content-type").cloned().unwrap_or_default();
        let body = match kind.split_once("; boundary=") {
            _ if body.is_empty() => Content::Nothing,
            Some(("multipart/form-data", boundary)) => {
                headers.insert("content-type".to_owned(), "multipart/form-data".to_owned());
                Content::Parts(parts(body, boundary))
            }
            _ if kind == "application/json" => {
                Content::Json(serde_json::from_str(body).unwrap_or_else(|error| panic!("{line}: {error}: {body}")))
            }
            _ => Content::Text(body.to_owned()),
        };
        Self { line, headers, body }
    }
}

fn parts(body: &str, boundary: &str) -> Vec<(Vec<String>, String)> {
    let (form, end) = body.rsplit_once(&format!("--{boundary}--")).expect("the form has an end");
    assert_eq!(end.trim_end(), "", "something stands behind the form");
    let line = format!("--{boundary}\r\n");
    let mut parts = form.split(&line);
    assert_eq!(parts.next(), Some(""), "something stands before the form");
    parts
        .map(|part| {
            let (head, text) = part.split_once("\r\n\r\n").expect("a part has a head");
            let text = text.strip_suffix("\r\n").expect("a part ends with its line");
            (head.lines().map(str::to_owned).collect(), text.to_owned())
        })
        .collect()
}

/// Makes the answer that is recorded in a file: JSON or a page with status 200, or a whole answer with its head.
pub(crate) fn answer(path: &Path) -> ResponseTemplate {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let ok = ResponseTemplate::new(200);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => ok.set_body_raw(bytes, "application/json"),
        Some("html") => ok.set_body_raw(bytes, "text/html; charset=utf-8"),
        Some("http") => {
            let text = String::from_utf8(bytes).expect("recorded answers are text");
            let (head, body) = split(&text);
            let mut lines = head.lines();
            let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse::<u16>().ok());
            let mut answer = ResponseTemplate::new(status.expect("a recorded answer begins with a status line"));
            let mut kind = String::new();
            for (name, value) in lines.map(header) {
                match name.as_str() {
                    "content-type" => kind = value,
                    _ => answer = answer.insert_header(name.as_str(), value.as_str()),
                }
            }
            answer.set_body_raw(body.trim_end_matches('\n'), &kind)
        }
        _ => panic!("{}: an answer is .json, .html or .http", path.display()),
    }
}

fn split(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or((text.trim_end(), ""))
}

fn header(line: &str) -> (String, String) {
    let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}"));
    (name.to_ascii_lowercase(), value.to_owned())
}

#[test]
fn a_header_or_a_member_too_many_is_seen() {
    let request = "PUT /a?b=1\nPlatform: x\nContent-Type: application/json\n\n{\"c\": 1,\n \"d\": [2]}\n";
    let sent = Sent::recorded(request);
    assert_eq!(sent, Sent::recorded(&request.replace(",\n ", ",")), "white space does not count");
    for (from, to) in
        [("Platform: x\n", ""), ("\"d\"", "\"D\""), ("\"c\": 1,", ""), ("b=1", "b=1&e=2"), ("[2]", "[\"2\"]")]
    {
        assert_ne!(sent, Sent::recorded(&request.replace(from, to)), "{from} {to}");
    }
}

#[test]
fn the_order_of_a_form_counts_and_its_boundary_does_not() {
    let form = |boundary: &str, first: &str, second: &str| {
        let part = |name: &str| format!("--{boundary}\nContent-Disposition: form-data; name=\"{name}\"\n\n{name}\n");
        let head = format!("POST /a\nContent-Type: multipart/form-data; boundary={boundary}\n\n");
        Sent::recorded(&format!("{head}{}{}--{boundary}--\n", part(first), part(second)))
    };
    assert_eq!(form("B", "a", "b"), form("other", "a", "b"));
    assert_ne!(form("B", "a", "b"), form("B", "b", "a"));
}
