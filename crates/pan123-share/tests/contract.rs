//! What every operation sends, and how it reads every answer: the recordings in `fixtures/share`.
//!
//! A folder is named like the operation in the protocol reference. It holds the exact requests (`request.http` and
//! variants), answers (`<case>.json`, `.html`, or `.http` with its head) and beside each answer what it must be read
//! as (`<case>.txt`). All of it is written by hand after the reference; only the texts can be written anew, with
//! `UPDATE_EXPECT=1`, and are then reviewed line by line.

#[path = "../../pan123-open/tests/contract/http.rs"]
mod http;
#[path = "../../pan123-open/tests/contract/runner.rs"]
mod runner;

use std::{collections::BTreeSet, sync::Arc};

use pan123_core::{
    HttpClient, Md5, Meta, Pipeline, PipelineConfig, RateLimiter, RateLimits, RequestSigner, RetryPolicy, Timeouts,
    Timestamp, Token, Tokens, testing::VirtualRuntime,
};
use pan123_share::{
    Entry, ErrorKind, FileId, Hosts, ShareKey, ShareProfile,
    ops::{
        self,
        downloads::{BatchItem, DownloadBatch, DownloadBatchV2, DownloadInfo, DownloadInfoV2},
        saves::{LegacyItem, Save, SaveItem, SaveLegacy, SaveProgress, SaveTask},
        shares::{Info, List, Traffic},
    },
};
use wiremock::{Mock, MockServer, matchers};

use crate::runner::{Case, Value};

/// The API, and the folder of its recordings.
const API: &str = "share";

/// A pipeline that sends everything once, with a made-up token and without a signature, to `server`.
fn pipeline(server: &MockServer) -> Pipeline {
    pipeline_with(server, ShareProfile::new(&key()).without_signature(), Some("eyJhbGciOi.example.token"))
}

fn pipeline_with(server: &MockServer, profile: ShareProfile, token: Option<&str>) -> Pipeline {
    let runtime = Arc::new(VirtualRuntime::new(1_777_600_800, 7));
    Pipeline::new(PipelineConfig {
        profile: Arc::new(profile),
        hosts: Hosts::default().with_share(&format!("{}/b", server.uri())).expect("the server has an address"),
        transport: Arc::new(HttpClient::direct(Timeouts::default()).expect("a client without TLS")),
        runtime: Arc::clone(&runtime) as _,
        limiter: RateLimiter::new(RateLimits::unlimited()),
        retry: RetryPolicy::none(),
        timeouts: Timeouts::default(),
        tokens: token.map(|token| Tokens::held(Token::new(token), runtime)),
    })
}

/// Pairs each folder with the values that must make its requests. The first meets every answer; a variant `request-x`
/// meets `ok-x`, or `ok` where there is none.
macro_rules! cases {
    ($( $folder:literal { $( $request:literal => $value:expr ),+ $(,)? } )+) => {
        fn cases() -> Vec<Case> {
            vec![$(
                Case { folder: $folder, values: vec![$( Value::new($request, |_| $value) ),+] }
            ),+]
        }
    };
}

const FILE: FileId = FileId::new(900_000_000_000_000_001);
const FOLDER: FileId = FileId::new(900_000_000_000_000_002);
const TARGET: FileId = FileId::new(456);

fn key() -> ShareKey {
    "5LF8Vv-a1Bc".parse().expect("a share key")
}

fn file() -> Entry {
    let row = r#"{"FileId":900000000000000001,"FileName":"a.txt","Type":0,"Size":5,"Etag":"5d41402abc4b2a76b9719d911017c592","S3KeyFlag":"1812345678-0","ParentFileId":0}"#;
    serde_json::from_str(row).expect("an entry")
}

fn folder() -> Entry {
    let row = r#"{"FileId":900000000000000002,"FileName":"资料","Type":1,"Size":0,"Etag":"","S3KeyFlag":"","ParentFileId":0}"#;
    serde_json::from_str(row).expect("an entry")
}

fn items() -> Vec<SaveItem> {
    [file(), folder()].iter().map(|entry| SaveItem::new(entry, TARGET)).collect()
}

fn both() -> Vec<BatchItem> {
    vec![FILE.into(), FOLDER.into()]
}

cases! {
    "share.info" { "request" => Info::new(key()) }
    "share.list" {
        "request" => List::new(key(), FileId::ROOT).password("aB12"),
        "request-bare" => List::new(key(), FileId::ROOT),
        "request-page" => {
            List::new(key(), FOLDER).page(3).after("900000000000000001").page_size(20).order_by("size").direction("asc")
        },
    }
    "share.download_info" {
        "request" => DownloadInfo::of(key(), &file()).expect("a file").password("aB12"),
        "request-bare" => DownloadInfo::new(key(), FILE, Md5::of(b"hello"), "1812345678-0", 5),
        "request-v2" => DownloadInfoV2::of(key(), &file()).expect("a file").password("aB12"),
    }
    "share.download_info_batch" {
        "request" => DownloadBatch::new(key(), both()).password("aB12"),
        "request-v2" => DownloadBatchV2::new(key(), vec![FOLDER.into()]),
    }
    "share.save" {
        "request" => Save::new(key(), items()).password("aB12"),
        "request-bare" => Save::new(key(), items()),
    }
    "share.save_task" { "request" => SaveProgress::new(SaveTask::new("43674055")) }
    "share.save_legacy" {
        "request" => {
            SaveLegacy::new(key(), items().into_iter().map(LegacyItem::from).collect::<Vec<_>>()).password("aB12")
        },
    }
    "share.traffic" { "request" => Traffic::new() }
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
    let listed: BTreeSet<String> = ops::ALL.iter().map(|Meta { id, .. }| id.replace("share/", "")).collect();
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

#[tokio::test]
async fn a_request_is_signed_for_its_path_and_its_moment() {
    let server = MockServer::start().await;
    let answer = http::answer(&runner::recordings().join("share.info/ok.json"));
    Mock::given(matchers::any()).respond_with(answer).mount(&server).await;
    let pipeline = pipeline_with(&server, ShareProfile::new(&key()), None);
    pipeline.send(&Info::new(key())).await.expect("the share is described");
    let requests = server.received_requests().await.expect("requests are recorded");
    let pairs: Vec<(String, String)> = requests[0].url.query_pairs().into_owned().collect();
    let [_, (name, value)] = pairs.as_slice() else { panic!("{pairs:?}") };
    let random = value.split('-').nth(1).and_then(|random| random.parse().ok()).expect("a random number");
    let now = Timestamp::from_unix(1_777_600_800);
    let signed = RequestSigner::new("web", "3").pair("/b/api/share/info", now, random);
    assert_eq!(signed, (name.clone(), value.clone()));
}

#[tokio::test]
async fn a_password_that_is_wrong_is_told_from_one_that_was_not_given() {
    let server = MockServer::start().await;
    let answer = http::answer(&runner::recordings().join("share.list/wrong-password.json"));
    Mock::given(matchers::any()).respond_with(answer).mount(&server).await;
    for (password, kind) in [("", ErrorKind::SharePasswordRequired), ("aB12", ErrorKind::WrongSharePassword)] {
        let sent = pipeline(&server);
        let list = sent.send(&List::new(key(), FileId::ROOT).password(password)).await;
        let address = sent.send(&DownloadInfo::of(key(), &file()).expect("a file").password(password)).await;
        let zip = sent.send(&DownloadBatch::new(key(), both()).password(password)).await;
        let save = sent.send(&Save::new(key(), items()).password(password)).await;
        let kinds = [list.err(), address.err(), zip.err(), save.err()].map(|error| error.map(|error| error.kind()));
        assert_eq!(kinds, [Some(kind); 4]);
    }
}

#[tokio::test]
async fn without_a_token_the_size_rule_of_the_service_is_handed_on() {
    let server = MockServer::start().await;
    let answer = http::answer(&runner::recordings().join("share.download_info/token-refused.json"));
    Mock::given(matchers::any()).respond_with(answer).mount(&server).await;
    let pipeline = pipeline_with(&server, ShareProfile::new(&key()), None);
    let error = pipeline.send(&DownloadInfo::of(key(), &file()).expect("a file")).await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::LoginRequired);
    assert_eq!(error.message(), Some("文件大小超过100M，请登录后下载"));
    let requests = server.received_requests().await.expect("requests are recorded");
    assert_eq!(requests.len(), 1, "nothing is repeated that cannot help");
    assert!(!requests[0].headers.contains_key("authorization"), "an empty token is not sent");
}
