//! What every operation sends, and how it reads every answer: the recordings in `fixtures/web`.
//!
//! A folder is named like the operation in the protocol reference. It holds the exact requests (`request.http` and
//! variants), answers (`<case>.json`, `.html`, or `.http` with its head) and beside each answer what it must be read
//! as (`<case>.txt`). All of it is written by hand after the reference; only the texts can be written anew, with
//! `UPDATE_EXPECT=1`, and are then reviewed line by line.

#[path = "../../../pan123-open/tests/contract/http.rs"]
mod http;
#[path = "../../../pan123-open/tests/contract/runner.rs"]
mod runner;

/// Pairs each folder with the values that must make its requests. The first meets every answer; a variant `request-x`
/// meets `ok-x`, or `ok` where there is none.
macro_rules! cases {
    ($( $folder:literal { $( $request:literal => $value:expr ),+ $(,)? } )*) => {
        pub(crate) fn cases() -> Vec<crate::runner::Case> {
            vec![$(
                crate::runner::Case {
                    folder: $folder,
                    values: vec![$( crate::runner::Value::new($request, |_| $value) ),+],
                }
            ),*]
        }
    };
}

mod account;
mod files;
mod services;
mod transfers;

use std::{collections::BTreeSet, sync::Arc};

use pan123_core::{
    HttpClient, Meta, Pipeline, PipelineConfig, RateLimiter, RateLimits, RetryPolicy, Timeouts, Token, Tokens,
    testing::VirtualRuntime,
};
use pan123_web::{Hosts, WebProfile, ops};
use wiremock::MockServer;

use crate::runner::Case;

/// The API, and the folder of its recordings.
const API: &str = "web";

/// A pipeline that sends everything once, with a made-up token and without a signature, to `server`.
fn pipeline(server: &MockServer) -> Pipeline {
    let runtime = Arc::new(VirtualRuntime::new(1_777_600_800, 7));
    let hosts = Hosts::default().with_web(&format!("{}/b", server.uri())).expect("the server has an address");
    let hosts = hosts.with_login(&server.uri()).expect("the server has an address");
    Pipeline::new(PipelineConfig {
        profile: Arc::new(WebProfile::new().without_signature()),
        hosts,
        transport: Arc::new(HttpClient::direct(Timeouts::default()).expect("a client without TLS")),
        runtime: Arc::clone(&runtime) as _,
        limiter: RateLimiter::new(RateLimits::unlimited()),
        retry: RetryPolicy::none(),
        timeouts: Timeouts::default(),
        tokens: Some(Tokens::held(Token::new("eyJhbGciOi.example.token"), runtime)),
    })
}

fn cases() -> Vec<Case> {
    [account::cases(), files::cases(), transfers::cases(), services::cases()].into_iter().flatten().collect()
}

#[tokio::test]
async fn every_operation_sends_and_reads_what_is_recorded() {
    // What an earlier run wrote must not outlive a failure of this one.
    runner::report(&[]);
    let mut ran = Vec::new();
    for case in cases() {
        ran.extend(case.run().await);
    }
    runner::report(&ran);
}

#[test]
fn every_operation_has_its_folder_and_every_recording_is_used() {
    let listed: BTreeSet<String> = ops::ALL.iter().map(|Meta { id, .. }| id.replace("web/", "")).collect();
    let paired: BTreeSet<String> = cases().iter().map(|case| case.folder.to_owned()).collect();
    let folders = runner::files(&runner::recordings());
    let names = folders.iter().map(|path| path.file_name().and_then(|name| name.to_str()).expect("a plain name"));
    let recorded: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(listed, paired, "an operation has no line in cases!, or a line has no operation");
    assert_eq!(recorded, paired, "a folder has no line in cases!, or a line has no folder");
    for case in cases() {
        case.check_folder();
    }
}
