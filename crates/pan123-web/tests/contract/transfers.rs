//! Uploads and downloads.

use pan123_core::{Link, Md5};
use pan123_web::{
    FileId, OnConflict,
    ops::{
        downloads::{BatchItem, DownloadBatch, DownloadBatchV2, DownloadInfo, DownloadInfoV2, TrafficCheck},
        parts::{ListParts, PartUrls, PutPart, SingleUrl},
        uploads::{Abort, Complete, CompleteById, Create, MergeParts, MergedPart},
    },
};
use url::Url;

use crate::runner::{Case, Value};

const FILE: FileId = FileId::new(50_100_001);
const FOLDER: FileId = FileId::new(50_100_003);
const UPLOAD: FileId = FileId::new(1_900_000_001);
const PLACE: [&str; 4] =
    ["m70", "123-100", "0f343b09/1850000001-0/0f343b0931126a20f133d67c2b018a3b", "2~EXAMPLEuploadid01"];

fn md5() -> Md5 {
    "0f343b0931126a20f133d67c2b018a3b".parse().expect("the digest is a constant")
}

fn create() -> Create {
    Create::new(FileId::ROOT, "report.pdf", md5(), 204_800)
}

fn part_urls(start: u32, end: u32) -> PartUrls {
    let [node, bucket, key, upload] = PLACE;
    PartUrls::new(node, bucket, key, upload, start, end)
}

fn complete(is_multipart: bool) -> Complete {
    let [node, bucket, key, upload] = PLACE;
    Complete::new(node, bucket, key, upload, UPLOAD, 204_800, is_multipart)
}

fn merge() -> MergeParts {
    let [node, bucket, key, upload] = PLACE;
    MergeParts::new(node, bucket, key, upload)
}

fn put_part(server: &Url, bytes: &'static str) -> PutPart {
    let link = format!("{server}123-100/0f343b09/x?partNumber=1&X-Amz-Signature=example");
    PutPart::new(Link::parse(&link).expect("the address is a constant"), bytes)
}

/// What is sent to the operation's own address.
mod based {
    use super::{
        Abort, BatchItem, CompleteById, Create, DownloadBatch, DownloadBatchV2, DownloadInfo, DownloadInfoV2, FILE,
        FOLDER, FileId, ListParts, Md5, MergedPart, OnConflict, PLACE, SingleUrl, TrafficCheck, UPLOAD, complete,
        create, md5, merge, part_urls,
    };

    cases! {
        "download.traffic_check" { "request" => TrafficCheck::new([FILE, FileId::new(50_100_002)]) }
        "download.info" { "request" => DownloadInfo::new(FILE, "report.pdf", 204_800, md5(), "1850000001-0") }
        "download.info_v2" { "request" => DownloadInfoV2::new(FILE, "report.pdf", 204_800, md5(), "1850000001-0") }
        "download.batch_info" {
            "request" => DownloadBatch::new([BatchItem::from(FOLDER)]),
            "request-v2" => DownloadBatchV2::new([BatchItem::from(FOLDER)]),
            "request-several" => DownloadBatch::new([FOLDER, FileId::new(50_100_004)].map(BatchItem::from)),
        }
        "upload.request" {
            "request" => create(),
            "request-keep-both" => create().on_conflict(OnConflict::KeepBoth),
            "request-overwrite-empty" =>
                Create::new(FOLDER, "空 (1).txt", Md5::of(b""), 0).on_conflict(OnConflict::Overwrite),
        }
        "upload.auth_single" {
            "request" => SingleUrl::new(PLACE[0], PLACE[1], PLACE[2], PLACE[3]),
        }
        "upload.presign_parts" {
            "request" => part_urls(1, 3),
            "request-last" => part_urls(11, 12),
        }
        "upload.list_parts" { "request" => ListParts::new(PLACE[0], PLACE[1], PLACE[2], PLACE[3]) }
        "upload.complete_v2" {
            "request" => complete(false),
            "request-multipart" => complete(true),
        }
        "upload.complete" { "request" => CompleteById::new(UPLOAD) }
        "upload.s3_complete_multipart" {
            "request" => merge().parts([MergedPart::new(1, Md5::of(b"a"))]),
            "request-without-parts" => merge(),
        }
        "upload.s3_abort_multipart" { "request" => Abort::new(PLACE[0], PLACE[1], PLACE[2], PLACE[3]) }
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = based::cases();
    cases.push(Case {
        folder: "upload.put_part",
        values: vec![
            Value::new("request", |server| put_part(server, "a")),
            Value::new("request-empty", |server| put_part(server, "")),
        ],
    });
    cases
}
