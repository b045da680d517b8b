//! What every operation sends, and how it reads every answer: the recordings in `fixtures/open`.
//!
//! A folder is named like the operation in the protocol reference. It holds the exact requests (`request.http` and
//! variants), answers (`<case>.json`, `.html`, or `.http` with its head) and beside each answer what it must be read
//! as (`<case>.txt`). All of it is written by hand after the reference; only the texts can be written anew, with
//! `UPDATE_EXPECT=1`, and are then reviewed line by line.

#[path = "contract/http.rs"]
mod http;
#[path = "contract/runner.rs"]
mod runner;

use std::collections::BTreeSet;

use bytes::Bytes;
use pan123_core::{Fetch, Items, Meta};
use pan123_open::{
    Category, FileId, Link, Md5, OnConflict, Sha1,
    ops::{
        self,
        auth::AccessToken,
        files::{Detail, DownloadInfo, Infos, List, Mkdir, SearchMode, Space, Trash},
        links::{DirectLinkUrl, DisableDirectLink, EnableDirectLink},
        manage::{
            Copy, CopyAsync, CopyProcess, CopyTask, Delete, Move, Recover, RecoverTo, Rename, RenameBatch, Renaming,
        },
        uploads::{Create, Domain, Sha1Reuse, SingleCreate, Slice, UploadComplete},
        user::UserInfo,
    },
};
use wiremock::{Mock, MockServer, matchers};

use crate::runner::{Case, Value};

/// Pairs each folder with the values that must make its requests. The first meets every answer; a variant `request-x`
/// meets `ok-x`, or `ok` where there is none.
macro_rules! cases {
    ($server:ident; $( $folder:literal { $( $request:literal => $value:expr ),+ $(,)? } )+) => {
        fn cases() -> Vec<Case> {
            vec![$(
                Case {
                    folder: $folder,
                    values: vec![$( Value::new($request, |$server| { let _ = $server; $value }) ),+],
                }
            ),+]
        }
    };
}

const FILE: FileId = FileId::new(15_000_001);
const FOLDER: FileId = FileId::new(15_000_002);

/// The MD5 of "a".
fn md5() -> Md5 {
    Md5::of(b"a")
}

fn single(server: &url::Url) -> SingleCreate {
    SingleCreate::new(server.clone(), FOLDER, "a.mp4", md5(), "a")
}

fn create() -> Create {
    Create::new(FOLDER, "a.mp4", md5(), 1_048_576)
}

cases! {
    server;
    "auth.access_token" { "request" => AccessToken::new("client-id", "client-secret") }
    "user.info" { "request" => UserInfo::new() }
    "file.list_v2" {
        "request" => List::new(FileId::ROOT),
        "request-page" => List::new(FOLDER).page_size(20).after(FILE).include_trashed(true),
        "request-search" => List::new(FOLDER).search("秋天 1&2.mp4", SearchMode::Exact),
        "request-transcoding" => List::new(FileId::ROOT).category(Category::Video).space(Space::Transcoding),
    }
    "file.detail" { "request" => Detail::new(FILE) }
    "file.infos" { "request" => Infos::new([FILE, FOLDER]) }
    "file.mkdir" { "request" => Mkdir::new(FileId::ROOT, "资料") }
    "file.rename" { "request" => Rename::new(FILE, "b.mp4") }
    "file.rename_batch" {
        "request" => RenameBatch::new([Renaming::new(FILE, "b.mp4"), Renaming::new(FOLDER, "资料")]),
    }
    "file.move" { "request" => Move::new([FILE, FileId::new(1_758_176_091_289)], FOLDER) }
    "file.copy" { "request" => Copy::new(FILE, FOLDER) }
    "file.copy_async" { "request" => CopyAsync::new([FILE, FOLDER], FileId::ROOT) }
    "file.copy_async_process" { "request" => CopyProcess::new(CopyTask::new(2020)) }
    "file.trash" { "request" => Trash::new([FILE, FOLDER]) }
    "file.recover" { "request" => Recover::new([FILE, FOLDER]) }
    "file.recover_by_path" { "request" => RecoverTo::new([FILE, FOLDER], FileId::ROOT) }
    "file.delete" { "request" => Delete::new([FILE, FOLDER]) }
    "file.download_info" { "request" => DownloadInfo::new(FILE) }
    "file.download_content" {
        "request" => Fetch::new(content(server)).range(1024..2048),
        "request-start" => Fetch::new(content(server)).range(0..1024),
        "request-whole" => Fetch::new(content(server)),
    }
    "upload_v2.create" {
        "request" => create(),
        "request-overwrite" => create().on_conflict(OnConflict::Overwrite),
        "request-keep-both" => create().on_conflict(OnConflict::KeepBoth).contain_dir(false),
        "request-fail" => create().on_conflict(OnConflict::Fail),
        "request-path" => Create::new(FileId::ROOT, "/a/资料/c.mp4", md5(), 0).contain_dir(true),
    }
    "upload_v2.slice" {
        "request" => Slice::new(server.clone(), "WvjyExamplePreuploadId", 12, md5(), Bytes::from_static(b"a")),
        "request-empty" => Slice::new(server.clone(), "WvjyExamplePreuploadId", 1, Md5::of(b""), ""),
    }
    "upload_v2.upload_complete" { "request" => UploadComplete::new("WvjyExamplePreuploadId") }
    "upload_v2.domain" { "request" => Domain::new() }
    "upload_v2.single_create" {
        "request" => single(server),
        "request-overwrite" => single(server).on_conflict(OnConflict::Overwrite),
        "request-keep-both-path" => {
            SingleCreate::new(server.clone(), FileId::ROOT, "/a/资料/c.mp4", md5(), Bytes::from_static(b"a"))
                .on_conflict(OnConflict::KeepBoth)
                .contain_dir(true)
        },
    }
    "upload_v2.sha1_reuse" {
        "request" => Sha1Reuse::new(FOLDER, "a.mp4", Sha1::of(b"a"), 1),
        "request-overwrite" => Sha1Reuse::new(FOLDER, "a.mp4", Sha1::of(b"a"), 1).on_conflict(OnConflict::Overwrite),
    }
    "dlink.enable" { "request" => EnableDirectLink::new(FOLDER) }
    "dlink.disable" { "request" => DisableDirectLink::new(FOLDER) }
    "dlink.url" { "request" => DirectLinkUrl::new(FILE) }
}

fn content(server: &url::Url) -> Link {
    Link::parse(&format!("{server}123-61/ab6dd0cf?v=5&s=example")).expect("the address is a constant")
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
    let listed: BTreeSet<String> = ops::ALL.iter().map(|Meta { id, .. }| id.replace("open/", "")).collect();
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
async fn the_token_is_the_one_that_was_given() {
    let server = MockServer::start().await;
    let answer = http::answer(&runner::recordings().join("auth.access_token/ok.json"));
    Mock::given(matchers::any()).respond_with(answer).mount(&server).await;
    let token = runner::pipeline(&server).send(&AccessToken::new("client-id", "client-secret")).await;
    assert_eq!(token.expect("a token").access().expose(), "eyJhbGciOi.example.token");
}

#[tokio::test]
async fn a_walk_goes_past_a_page_of_trash_and_leaves_it_out() {
    let server = MockServer::start().await;
    let folder = runner::recordings().join("file.list_v2");
    let first = Mock::given(matchers::query_param_is_missing("lastFileId"));
    first.respond_with(http::answer(&folder.join("only-trash.json"))).expect(1).mount(&server).await;
    let second = Mock::given(matchers::query_param("lastFileId", "15000009"));
    second.respond_with(http::answer(&folder.join("ok.json"))).expect(1).mount(&server).await;
    let entries = Items::new(runner::pipeline(&server), List::new(FileId::ROOT)).collect().await;
    let ids: Vec<FileId> = entries.expect("both pages").iter().map(FileId::from).collect();
    assert_eq!(ids, [FILE, FOLDER]);
}
