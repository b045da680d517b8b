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

use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use pan123_core::{
    Fetch, HttpClient, Items, Meta, Pipeline, PipelineConfig, RateLimiter, RateLimits, RetryPolicy, Timeouts, Token,
    Tokens, testing::VirtualRuntime,
};
use pan123_open::{
    Category, FileId, Hosts, Link, Md5, OnConflict, OpenProfile, Sha1, Timestamp,
    ops::{
        self,
        auth::AccessToken,
        developer::{BlacklistState, ReadIpBlacklist, ReplaceIpBlacklist, SwitchIpBlacklist},
        files::{Detail, DownloadInfo, Infos, List, Mkdir, SearchMode, Space, Trash},
        images::{self, ImageId},
        images_import::{self, CopyFailures, CopyFromDisk, OfflineDownload, OfflineProcess, OfflineTask},
        images_upload::{self, PutSlice, UploadParts, UploadResult, UploadUrl},
        link_logs::{OfflineLogs, RefreshDirectLinkCache, TrafficLog},
        link_videos::{DirectLinkPlaylists, DirectLinkTranscodes, TranscodeDirectLinks},
        links::{DirectLinkUrl, DisableDirectLink, EnableDirectLink},
        list_v1::{Direction, ListV1, OrderBy},
        manage::{
            Copy, CopyAsync, CopyProcess, CopyTask, Delete, Move, Recover, RecoverTo, Rename, RenameBatch, Renaming,
        },
        offline,
        paid_shares::{CreatePaidShare, ListPaidShares, Tips, UpdatePaidShares},
        shares::{CreateShare, ListShares, ShareExpiry, ShareId, TrafficLimitSwitch, TrafficSwitch, UpdateShares},
        transcode::{
            AskResolutions, CloudVideoFiles, DeleteScope, DeleteVideo, FolderInfo, ImportVideos, Resolution,
            SpaceFiles, Start, VideoId,
        },
        transcode_files::{DownloadAll, DownloadOriginal, DownloadPart, DownloadPlaylist},
        transcode_results::{Records, Results, ThirdPartyList},
        uploads::{Create, Domain, Sha1Reuse, SingleCreate, Slice, UploadComplete},
        uploads_v1,
        user::UserInfo,
    },
};
use wiremock::{Mock, MockServer, matchers};

use crate::runner::{Case, Value};

/// The API, and the folder of its recordings.
const API: &str = "open";

/// A pipeline that sends everything once, with a made-up token, to `server`.
fn pipeline(server: &MockServer) -> Pipeline {
    let runtime = Arc::new(VirtualRuntime::new(1_777_600_800, 7));
    Pipeline::new(PipelineConfig {
        profile: Arc::new(OpenProfile),
        hosts: Hosts::default().with_open(&server.uri()).expect("the server has an address"),
        transport: Arc::new(HttpClient::direct(Timeouts::default()).expect("a client without TLS")),
        runtime: Arc::clone(&runtime) as _,
        limiter: RateLimiter::new(RateLimits::unlimited()),
        retry: RetryPolicy::none(),
        timeouts: Timeouts::default(),
        tokens: Some(Tokens::held(Token::new("eyJhbGciOi.example.token"), runtime)),
    })
}

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

const SHARE: ShareId = ShareId::new(87_190_021);
const PAID_SHARE: ShareId = ShareId::new(87_190_055);

/// A time as the service writes it, in UTC+8.
fn written(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("the time is a constant")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("the address is a constant")
}

const VIDEO: VideoId = VideoId::new(15_001_234);
const IMAGE: &str = "rk6baz03t0l000d7w33exampleidDIYPAIDOBIY0DcxvDwFO";
const OTHER_IMAGE: &str = "rk6baz03t0l000d7w34exampleidDIYPAIDOBIY0DcxvDwFO";
const IMAGE_FOLDER: &str = "ymjew503t0l000d7w32exampledirDIYPAIDOBIY0DcxvDwFO";
const IMAGE_UPLOAD: &str = "h1Kiaaaaaaac/ExamplePreuploadId+with/slashes==";
const IMAGE_COPY: &str = "1ketmmu1000d86isuyqexampletask01";

/// The SHA-1 of "a".
fn sha1() -> Sha1 {
    "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8".parse().expect("forty digits")
}

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

fn create_v1() -> uploads_v1::Create {
    uploads_v1::Create::new(FOLDER, "a.mp4", md5(), 1_048_576)
}

fn slice_address(server: &url::Url) -> Link {
    Link::parse(&format!("{server}123-295/4b5c549c/part?sig=example")).expect("the address is a constant")
}

const REDIRECT: &str = "https://app.example.org/cb";

fn user_authorize() -> ops::oauth::UserAuthorize {
    ops::oauth::UserAuthorize::new("eyJhbGciOi.session.token", "app-id", REDIRECT)
}

fn refresh_token() -> ops::oauth::RefreshToken {
    ops::oauth::RefreshToken::new("app-id", "app-secret", "ZMY5EXAMPLEUSED")
}

fn broker(server: &url::Url, path: &str) -> url::Url {
    server.join(path).expect("the path is a constant")
}

cases! {
    server;
    "auth.access_token" { "request" => AccessToken::new("client-id", "client-secret") }
    "oauth.user_authorize" {
        "request" => user_authorize(),
        "request-state" => user_authorize().state("xyz"),
    }
    "oauth.app_verify" { "request" => ops::oauth::AppVerify::new("app-id", REDIRECT) }
    "oauth.token_by_code" {
        "request" => ops::oauth::TokenByCode::new("app-id", "app-secret", "NGE0EXAMPLECODE", REDIRECT),
    }
    "oauth.refresh_token" {
        "request" => refresh_token(),
        "request-redirect" => refresh_token().redirect(REDIRECT),
    }
    "oplist.requests" { "request" => ops::broker::GrantAddress::new(broker(server, "123cloud/requests")) }
    "oplist.renewapi" {
        "request" => ops::broker::Renew::new(broker(server, "123cloud/renewapi"), "ZMY5EXAMPLEUSED"),
    }
    "user.info" { "request" => UserInfo::new() }
    "file.list_v2" {
        "request" => List::new(FileId::ROOT),
        "request-page" => List::new(FOLDER).page_size(20).after(FILE).include_trashed(true),
        "request-search" => List::new(FOLDER).search("秋天 1&2.mp4", SearchMode::Exact),
        "request-transcoding" => List::new(FileId::ROOT).category(Category::Video).space(Space::Transcoding),
    }
    "file.list_v1" {
        "request" => ListV1::new(FileId::ROOT),
        "request-sorted" => {
            ListV1::new(FOLDER)
                .page(3)
                .page_size(20)
                .order_by(OrderBy::Name)
                .direction(Direction::Descending)
                .keyword("秋天 1&2")
        },
        "request-trash" => ListV1::new(FileId::ROOT).trashed(true),
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
    "safebox.id" { "request" => ops::safebox::SafeBox::new("open sesame&") }
    "upload_v1.create" {
        "request" => create_v1(),
        "request-overwrite" => create_v1().on_conflict(OnConflict::Overwrite),
        "request-keep-both-path" => {
            uploads_v1::Create::new(FileId::ROOT, "/a/资料/c.mp4", md5(), 0)
                .on_conflict(OnConflict::KeepBoth)
                .contain_dir(true)
        },
    }
    "upload_v1.get_upload_url" { "request" => uploads_v1::UploadUrl::new("WvjyExamplePreuploadId", 2) }
    "upload_v1.put_slice" {
        "request" => uploads_v1::PutSlice::new(slice_address(server), "a"),
        "request-empty" => uploads_v1::PutSlice::new(slice_address(server), ""),
    }
    "upload_v1.list_upload_parts" { "request" => uploads_v1::ListParts::new("WvjyExamplePreuploadId") }
    "upload_v1.upload_complete" { "request" => uploads_v1::UploadComplete::new("WvjyExamplePreuploadId") }
    "upload_v1.upload_async_result" { "request" => uploads_v1::AsyncResult::new("WvjyExamplePreuploadId") }
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
        "request" => Sha1Reuse::new(FOLDER, "a.mp4", sha1(), 1),
        "request-overwrite" => Sha1Reuse::new(FOLDER, "a.mp4", sha1(), 1).on_conflict(OnConflict::Overwrite),
    }
    "offline.download" {
        "request" => offline::Download::new("https://example.org/resource.mp4?sig=example"),
        "request-all" => {
            offline::Download::new("https://example.org/resource.mp4")
                .name("秋天.mp4")
                .folder(FOLDER)
                .call_back("https://app.example.org/done")
        },
    }
    "offline.process" { "request" => offline::Process::new(offline::OfflineTask::new(394_756)) }
    "share.create" {
        "request" => CreateShare::new("holiday photos", [FILE, FOLDER]),
        "request-all" => {
            CreateShare::new("holiday photos", [FILE])
                .expiry(ShareExpiry::Never)
                .password("7kQp")
                .traffic(TrafficSwitch::Guests)
                .cap_traffic(10_737_418_240)
        },
        "request-off" => {
            CreateShare::new("资料", [FILE])
                .expiry(ShareExpiry::OneDay)
                .traffic(TrafficSwitch::Off)
                .traffic_limit_switch(TrafficLimitSwitch::Off)
        },
        "request-month" => {
            CreateShare::new("资料", [FILE]).expiry(ShareExpiry::ThirtyDays).traffic(TrafficSwitch::GuestsAndOverQuota)
        },
    }
    "share.list" {
        "request" => ListShares::new(),
        "request-page" => ListShares::new().page_size(20).after(SHARE),
    }
    "share.update" {
        "request" => UpdateShares::new([SHARE, ShareId::new(87_190_056)]).traffic(TrafficSwitch::GuestsAndOverQuota),
        "request-capped" => UpdateShares::new([SHARE]).traffic(TrafficSwitch::Guests).cap_traffic(1_073_741_824),
        "request-uncapped" => UpdateShares::new([SHARE]).traffic_limit_switch(TrafficLimitSwitch::Off),
    }
    "share.create_paid" {
        "request" => CreatePaidShare::new("course pack", [FILE, FOLDER], 10),
        "request-all" => {
            CreatePaidShare::new("course pack", [FILE], 1000)
                .tips(Tips::Yes)
                .description("十课")
                .traffic(TrafficSwitch::GuestsAndOverQuota)
                .cap_traffic(1_073_741_824)
        },
        "request-no-tips" => {
            CreatePaidShare::new("course pack", [FILE], 1)
                .tips(Tips::No)
                .traffic(TrafficSwitch::OverQuota)
                .traffic_limit_switch(TrafficLimitSwitch::Off)
        },
    }
    "share.list_paid" {
        "request" => ListPaidShares::new(),
        "request-page" => ListPaidShares::new().page_size(20).after(PAID_SHARE),
    }
    "share.update_paid" {
        "request" => {
            UpdatePaidShares::new([PAID_SHARE, ShareId::new(87_190_056)]).traffic(TrafficSwitch::GuestsAndOverQuota)
        },
        "request-capped" => {
            UpdatePaidShares::new([PAID_SHARE]).traffic(TrafficSwitch::Guests).cap_traffic(1_073_741_824)
        },
        "request-uncapped" => UpdatePaidShares::new([PAID_SHARE]).traffic_limit_switch(TrafficLimitSwitch::Off),
    }
    "dlink.enable" { "request" => EnableDirectLink::new(FOLDER) }
    "dlink.disable" { "request" => DisableDirectLink::new(FOLDER) }
    "dlink.url" { "request" => DirectLinkUrl::new(FILE) }
    "oss.mkdir" {
        "request" => images::Mkdir::new(ImageId::ROOT, "图标"),
        "request-below" => images::Mkdir::new(IMAGE_FOLDER, "icons"),
    }
    "oss.create" {
        "request" => images_upload::Create::new(IMAGE_FOLDER, "logo.jpg", md5(), 22_027),
        "request-root" => images_upload::Create::new(ImageId::ROOT, "标志.PNG", md5(), images::LARGEST_IMAGE),
    }
    "oss.get_upload_url" { "request" => UploadUrl::new(IMAGE_UPLOAD, 1) }
    "oss.put_slice" {
        "request" => PutSlice::new(presigned(server), "a"),
        "request-empty" => PutSlice::new(presigned(server), ""),
    }
    "oss.list_upload_parts" { "request" => UploadParts::new(IMAGE_UPLOAD) }
    "oss.upload_complete" { "request" => images_upload::UploadComplete::new(IMAGE_UPLOAD) }
    "oss.upload_async_result" { "request" => UploadResult::new(IMAGE_UPLOAD) }
    "oss.copy_from_disk" {
        "request" => CopyFromDisk::new([FILE, FOLDER], IMAGE_FOLDER),
        "request-root" => CopyFromDisk::new([FileId::new(1_758_176_091_289)], ImageId::ROOT),
    }
    "oss.copy_process" { "request" => images_import::CopyProcess::new(IMAGE_COPY) }
    "oss.copy_fail_list" {
        "request" => CopyFailures::new(IMAGE_COPY),
        "request-page" => CopyFailures::new(IMAGE_COPY).page_size(20).page(3),
    }
    "oss.move" {
        "request" => images::Move::new([IMAGE.into(), OTHER_IMAGE.into()], IMAGE_FOLDER),
        "request-root" => images::Move::new([IMAGE.into()], ImageId::ROOT),
    }
    "oss.delete" { "request" => images::Delete::new([IMAGE.into(), OTHER_IMAGE.into()]) }
    "oss.detail" { "request" => images::Detail::new(IMAGE) }
    "oss.list" {
        "request" => images::List::new(ImageId::ROOT),
        "request-page" => {
            images::List::new(IMAGE_FOLDER)
                .page_size(20)
                .created_from(Timestamp::from_unix(1_767_225_600))
                .created_to(Timestamp::from_unix(1_767_312_000))
                .after(IMAGE)
        },
    }
    "oss.offline_download" {
        "request" => OfflineDownload::new("https://example.com/a.png?v=1&k=2"),
        "request-all" => {
            OfflineDownload::new("https://example.com/a.png")
                .name("标志.png")
                .folder(IMAGE_FOLDER)
                .callback("https://example.org/done?id=7")
        },
    }
    "oss.offline_process" { "request" => OfflineProcess::new(OfflineTask::new(403_316)) }
    "transcode.folder_info" { "request" => FolderInfo::new() }
    "transcode.cloud_video_files" {
        "request" => CloudVideoFiles::new(FileId::ROOT),
        "request-page" => {
            CloudVideoFiles::new(FileId::ROOT)
                .page_size(20)
                .after(FileId::new(15_001_234))
                .keyword("秋天")
                .search_mode(SearchMode::Exact)
        },
    }
    "transcode.space_files" {
        "request" => SpaceFiles::new(FileId::new(13_210_718)),
        "request-page" => {
            SpaceFiles::new(FileId::ROOT)
                .page_size(20)
                .after(FileId::new(15_001_234))
                .keyword("秋天")
                .search_mode(SearchMode::Exact)
        },
    }
    "transcode.upload_from_cloud_disk" {
        "request" => ImportVideos::new([FILE, FOLDER]),
        "request-wrapped" => ImportVideos::new([FILE]).wrapped(true),
    }
    "transcode.resolutions" { "request" => AskResolutions::new(VIDEO) }
    "transcode.start" {
        "request" => {
            let resolutions = ["2160P", "1080p", "720P"].map(Resolution::from);
            Start::new(VIDEO, "H.264", Duration::from_secs(51), resolutions)
        },
    }
    "transcode.record" { "request" => Records::new(VIDEO) }
    "transcode.result" { "request" => Results::new(VIDEO) }
    "transcode.third_party_list" { "request" => ThirdPartyList::new(FileId::new(15_001_234)) }
    "transcode.delete" {
        "request" => DeleteVideo::new(VIDEO, DeleteScope::Everything),
        "request-original" => DeleteVideo::new(VIDEO, DeleteScope::Original),
    }
    "transcode.download_original" { "request" => DownloadOriginal::new(VIDEO) }
    "transcode.download_m3u8" { "request" => DownloadPlaylist::new(VIDEO, "1080p") }
    "transcode.download_ts" { "request" => DownloadPart::new(VIDEO, "1080P", "000.ts") }
    "transcode.download_all" { "request" => DownloadAll::new(VIDEO, "秋天.zip") }
    "dlink.cache_refresh" { "request" => RefreshDirectLinkCache }
    "dlink.traffic_log" {
        "request" => TrafficLog::new(written("2026-01-01 15:00:00"), written("2026-01-03 15:00:59")),
        "request-page" => {
            TrafficLog::new(written("2026-01-01 15:00:00"), written("2026-01-03 15:00:59")).page(2).page_size(20)
        },
    }
    "dlink.offline_logs" {
        "request" => OfflineLogs::new(written("2026-01-01 15:00:00"), written("2026-01-03 15:00:59")),
        "request-page" => {
            OfflineLogs::new(written("2026-01-01 15:30:00"), written("2026-01-03 15:59:59")).page(2).page_size(20)
        },
    }
    "dlink.m3u8" { "request" => DirectLinkPlaylists::new(FILE) }
    "dlink.transcode_start" { "request" => TranscodeDirectLinks::new([FILE, FOLDER]) }
    "dlink.transcode_query" { "request" => DirectLinkTranscodes::new([FILE, FOLDER]) }
    "developer.forbid_ip_list" { "request" => ReadIpBlacklist::new() }
    "developer.forbid_ip_switch" {
        "request" => SwitchIpBlacklist::new(BlacklistState::On),
        "request-off" => SwitchIpBlacklist::new(BlacklistState::Off),
    }
    "developer.forbid_ip_update" {
        "request" => ReplaceIpBlacklist::new([ip("203.0.113.7"), ip("203.0.113.8")]),
        "request-clear" => ReplaceIpBlacklist::new([]),
    }
}

fn presigned(server: &url::Url) -> Link {
    Link::parse(&format!("{server}bucket/key?X-Sign=abc&partNumber=1")).expect("the address is a constant")
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
    let token = pipeline(&server).send(&AccessToken::new("client-id", "client-secret")).await;
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
    let entries = Items::new(pipeline(&server), List::new(FileId::ROOT)).collect().await;
    let ids: Vec<FileId> = entries.expect("both pages").iter().map(FileId::from).collect();
    assert_eq!(ids, [FILE, FOLDER]);
}
