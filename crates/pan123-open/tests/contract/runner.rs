//! Sends values to a server that answers from recordings, and compares both sides with what was reviewed.

use std::{
    collections::BTreeSet,
    error::Error as _,
    fmt::{Debug, Write},
    fs,
    path::{Path, PathBuf},
};

use expect_test::expect_file;
use pan123_core::{BoxFuture, Operation, Pipeline, Result};
use url::Url;
use wiremock::{Mock, MockServer, matchers};

use super::{
    API,
    http::{Sent, answer},
    pipeline,
};

/// A folder of recordings, and the values that must produce its requests.
pub(crate) struct Case {
    pub(crate) folder: &'static str,
    pub(crate) values: Vec<Value>,
}

/// A value, and the name of the request that it must make.
pub(crate) struct Value {
    request: &'static str,
    id: &'static str,
    send: Send,
}

/// Makes the value for a server, sends it, and shows what came of it.
type Send = Box<dyn Fn(Pipeline, &Url) -> BoxFuture<'static, String>>;

impl Value {
    pub(crate) fn new<O>(request: &'static str, make: impl Fn(&Url) -> O + 'static) -> Self
    where
        O: Operation + 'static,
        O::Output: Debug,
    {
        let send = move |pipeline: Pipeline, server: &Url| -> BoxFuture<'static, String> {
            let operation = make(server);
            Box::pin(async move { shown(pipeline.send(&operation).await) })
        };
        Self { request, id: O::META.id, send: Box::new(send) }
    }
}

/// The folder of all recordings of this API.
pub(crate) fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(API)
}

impl Case {
    /// Sends every value once for each answer that it meets. Returns what ran.
    pub(crate) async fn run(&self) -> Vec<String> {
        let folder = recordings().join(self.folder);
        let server = MockServer::start().await;
        let address = Url::parse(&server.uri()).expect("the server has an address");
        let answers = answers(&folder);
        let mut ran = Vec::new();
        for (place, value) in self.values.iter().enumerate() {
            assert_eq!(value.id, format!("{API}/{}", self.folder), "the value belongs to another folder");
            let recorded = folder.join(value.request).with_extension("http");
            let expected = fs::read_to_string(&recorded).unwrap_or_else(|e| panic!("{}: {e}", recorded.display()));
            for path in answers.iter().filter(|path| self.meets(place, stem(path), &answers)) {
                server.reset().await;
                Mock::given(matchers::any()).respond_with(answer(path)).mount(&server).await;
                let shown = (value.send)(pipeline(&server), &address).await;
                let received = server.received_requests().await.expect("requests are recorded");
                let [request] = received.as_slice() else {
                    panic!("{}: {} requests were made: {shown}", path.display(), received.len());
                };
                assert_eq!(Sent::received(request), Sent::recorded(&expected), "{}", recorded.display());
                let shown = shown.replace(address.as_str(), "http://server/");
                expect_file![path.with_extension("txt")].assert_eq(&shown);
                ran.push(format!("{} {}", value.id, if place == 0 { stem(path) } else { value.request }));
            }
        }
        ran
    }

    /// A variant `request-x` meets the answer `ok-x`, or `ok` where there is none. The first value meets all others.
    fn meets(&self, place: usize, answer: &str, answers: &[PathBuf]) -> bool {
        let own = |value: &Value| value.request.replacen("request", "ok", 1);
        if place == 0 {
            return !self.values[1..].iter().any(|value| own(value) == answer);
        }
        let own = own(&self.values[place]);
        let has_own = answers.iter().any(|path| stem(path) == own);
        answer == if has_own { own.as_str() } else { "ok" }
    }

    /// Fails when the folder holds anything that no run would look at.
    pub(crate) fn check_folder(&self) {
        let folder = recordings().join(self.folder);
        let answers = answers(&folder);
        let stems: BTreeSet<&str> = answers.iter().map(|path| stem(path)).collect();
        assert_eq!(stems.len(), answers.len(), "{}: two answers have one name", self.folder);
        assert!(stems.contains("ok"), "{}: there is no answer named ok", self.folder);
        let requests: BTreeSet<&str> = self.values.iter().map(|value| value.request).collect();
        for path in files(&folder) {
            let used = match path.extension().and_then(|extension| extension.to_str()) {
                Some("txt") => stems.contains(stem(&path)),
                Some("http") if is_request(&path) => requests.contains(stem(&path)),
                _ => stems.contains(stem(&path)),
            };
            assert!(used, "{}: no case uses it", path.display());
        }
    }
}

/// What is reviewed: the decoded answer, or the error's kind, line and causes.
fn shown<T: Debug>(result: Result<T>) -> String {
    match result {
        Ok(output) => format!("{output:#?}\n"),
        Err(error) => {
            let mut text = format!("{:?}\n{error}\n", error.kind());
            let mut cause = error.source();
            while let Some(inner) = cause {
                writeln!(text, "because {inner}").expect("a string takes everything");
                cause = inner.source();
            }
            text
        }
    }
}

/// The recorded answers of a folder, `ok` among them.
fn answers(folder: &Path) -> Vec<PathBuf> {
    let is_answer = |path: &PathBuf| path.extension().is_none_or(|extension| extension != "txt") && !is_request(path);
    files(folder).into_iter().filter(is_answer).collect()
}

fn is_request(path: &Path) -> bool {
    let name = stem(path);
    name == "request" || name.starts_with("request-")
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.sort();
    files
}

pub(crate) fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("recordings have plain names")
}

/// Writes down which cases ran, for whoever counts them, behind the build's other results.
pub(crate) fn report(ran: &[String]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("contract");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    fs::write(folder.join(format!("{API}.txt")), ran.join("\n") + "\n").expect("the target folder can be written");
}
