//! Shares, offline downloads, direct links, WebDAV.

use pan123_core::{FileId, SharedBody, Timestamp};
use pan123_web::ops::{
    links::{DirectLinkUrl, DisableDirectLink, EnableDirectLink, RefreshDirectLinkCache},
    offline::{
        AbortTasks, DeleteTasks, ListTasks, OfflineSource, OfflineState, OfflineTask, OverallStatus, Resolve,
        Selection, Submit, UploadSeed,
    },
    share_income::{SetCommission, SetReward},
    shares::{
        CancelShares, ClearExpiredShares, CreateShare, ListPaidShares, ListShares, SetShareTraffic, ShareExpiry,
        ShareId, ShareTraffic, TrafficSwitch, UpdateShare,
    },
    webdav::{CreateWebDavAccount, DeleteWebDavAccount, ListWebDavAccounts},
};

const FILE: FileId = FileId::new(50_100_001);
const FOLDER: FileId = FileId::new(50_100_002);
const SHARE: ShareId = ShareId::new(9_000_001);
const TASK: OfflineTask = OfflineTask::new(5_500_001);

cases! {
    "share.create" {
        "request" => CreateShare::new("report", [FILE]),
        "request-limited" => {
            CreateShare::new("report", [FILE, FOLDER])
                .password("ab12")
                .expiry(Timestamp::from_unix(1_777_600_800))
                .traffic(TrafficSwitch::GuestsAndOverQuota)
                .cap_traffic(1 << 30)
                .password_in_link(true)
                .display(2)
        },
        "request-paid" => CreateShare::new("report", [FILE]).price(990).reward(false).description("notes"),
    }
    "share.list" {
        "request" => ListShares::new(),
        "request-page" => ListShares::new().page_size(20).after("9000001").keyword("report"),
    }
    "share.cancel" {
        "request" => CancelShares::new([SHARE]),
        "request-paid" => CancelShares::new([SHARE, ShareId::new(9_000_002)]).are_paid(true),
    }
    "share.update" {
        "request" => UpdateShare::new(SHARE).name("report 2026"),
        "request-all" => {
            UpdateShare::new(SHARE).expiry(ShareExpiry::Never).traffic(TrafficSwitch::Off).cap_traffic(1024)
        },
    }
    "share.clear_expired" { "request" => ClearExpiredShares::new() }
    "share.traffic_info" { "request" => ShareTraffic::new() }
    "share.traffic_set" {
        "request" => SetShareTraffic::new(SHARE).traffic(TrafficSwitch::Guests),
        "request-cap" => SetShareTraffic::new(SHARE).cap_traffic(1024),
    }
    "share.payment_list" { "request" => ListPaidShares::new() }
    "share.commission_set" { "request" => SetCommission::new([SHARE, ShareId::new(9_000_002)], 0) }
    "share.reward_set" { "request" => SetReward::new([SHARE], true) }
    "offline.resolve" {
        "request" => Resolve::new("https://example.com/a.iso"),
        "request-torrent" => Resolve::new(OfflineSource::info_hash("0123456789abcdef0123456789ABCDEF01234567")),
    }
    "offline.submit" {
        "request" => Submit::new([Selection::new(7_700_001, [1])]).folder(FOLDER),
        "request-bare" => Submit::new([Selection::new(7_700_001, [1, 2])]),
    }
    "offline.list" {
        "request" => ListTasks::new(),
        "request-page" => ListTasks::new().page(2).page_size(20).states([OfflineState::Running]),
    }
    "offline.delete" { "request" => DeleteTasks::new([TASK]) }
    "offline.abort" {
        "request" => AbortTasks::new([TASK]),
        "request-resume" => AbortTasks::new([TASK]).stop(false),
    }
    "offline.status" { "request" => OverallStatus::new() }
    "offline.upload_seed" { "request" => UploadSeed::new(SharedBody::from("d4:infod4:name1:aee")) }
    "dlink.enable" { "request" => EnableDirectLink::new(FOLDER) }
    "dlink.disable" { "request" => DisableDirectLink::new(FOLDER) }
    "dlink.url" { "request" => DirectLinkUrl::new(FILE) }
    "dlink.cache_refresh" { "request" => RefreshDirectLinkCache::new() }
    "webdav.account_create" { "request" => CreateWebDavAccount::new("laptop") }
    "webdav.account_list" { "request" => ListWebDavAccounts::new() }
    "webdav.account_delete" { "request" => DeleteWebDavAccount::new(1) }
}
