//! Files and folders.

use pan123_web::{
    Entry, FileId, OnConflict,
    ops::{
        archives::{ArchiveMember, ArchiveProgress, ArchiveTask, ArchiveWork, Extract, ReadArchive},
        details::{AbnormalCount, Detail, Details, Infos, PathHistory, PathIds, SyncLog},
        files::{Category, Direction, List, ListTrash, OrderBy, Search},
        lists::{ListByType, ListOld, MediaType, Period},
        manage::{
            Copy, CopyItem, CopyProgress, CopyTask, ExportTree, Mkdir, Move, Rename, TreeContent, TreeRoot, TreeStyle,
        },
        media::{PlayList, PlayerSettings},
        safebox::{LockSafeBox, UnlockSafeBox},
        stars::{ListStarred, Star, Starred},
        trash::{ClearTrash, Delete, Restore, RestoreTo, Trash},
    },
};

const ROOT: FileId = FileId::ROOT;
const FILE: FileId = FileId::new(50_100_001);
const FOLDER: FileId = FileId::new(50_100_002);
const MOVED: FileId = FileId::new(50_100_003);
const TARGET: FileId = FileId::new(50_100_005);
const ARCHIVE: FileId = FileId::new(50_100_010);
const READING: ArchiveTask = ArchiveTask::new(123);

/// What a copy says of an entry, from the entry's row.
fn item(row: &str) -> Vec<CopyItem> {
    vec![CopyItem::from(&serde_json::from_str::<Entry>(row).expect("the row is one"))]
}

fn file() -> Vec<CopyItem> {
    item(
        r#"{"FileId":50100001,"FileName":"report.pdf","Type":0,"Size":204800,
        "Etag":"0F343B0931126A20F133D67C2B018A3B","ParentFileId":0}"#,
    )
}

fn folder() -> Vec<CopyItem> {
    item(r#"{"FileId":50100002,"FileName":"docs","Type":1,"ParentFileId":50100009}"#)
}

fn members() -> Vec<ArchiveMember> {
    let json = r#"[{"fontId":"1","fileName":"a.txt","parentFile":"","filePath":"a.txt","fileSize":10,"fileType":0,
        "createTime":"","category":0,"childFiles":null}]"#;
    serde_json::from_str(json).expect("a list of members")
}

cases! {
    "file.list" {
        "request" => List::new(ROOT),
        "request-third-page" => List::new(FOLDER)
            .page_size(20)
            .page(3)
            .order_by(OrderBy::Name)
            .direction(Direction::Ascending)
            .category(Category::Video),
        "request-flagged" => List::new(ROOT).flagged_only(true),
        "request-folders" => List::new(ROOT).order_by(OrderBy::UpdateTime).folders_only(true),
    }
    "file.list_old" {
        "request" => ListOld::new(ROOT),
        "request-more" => ListOld::new(FOLDER).page_size(20).after("50100001").trashed(true),
    }
    "file.list_by_type" {
        "request" => ListByType::new(MediaType::Video),
        "request-pictures" => ListByType::new(MediaType::Picture)
            .page_size(50)
            .page(2)
            .order_by(OrderBy::Size)
            .direction(Direction::Ascending)
            .grouped_by(Period::Month),
        "request-named" => ListByType::new(MediaType::Video).keyword("秋天"),
    }
    "file.search" {
        "request" => Search::new("report"),
        "request-elsewhere" => Search::new("秋天 & a+b")
            .folder(FOLDER)
            .page_size(20)
            .page(2)
            .order_by(OrderBy::UpdatedAt)
            .direction(Direction::Ascending),
    }
    "file.list_trash" {
        "request" => ListTrash::new(),
        "request-soonest-gone" => ListTrash::new()
            .page_size(10)
            .page(2)
            .order_by(OrderBy::DaysLeft)
            .direction(Direction::Ascending),
    }
    "file.info" {
        "request" => Infos::new([FILE]),
        "request-two" => Infos::new([FILE, FOLDER]),
    }
    "file.detail" { "request" => Detail::new(FILE) }
    "file.details" { "request" => Details::new([FileId::new(50_100_006)]) }
    "file.get_path" { "request" => PathIds::new(FILE) }
    "file.get_path_history" { "request" => PathHistory::new([FILE]) }
    "file.abnormal_count" { "request" => AbnormalCount::new() }
    "file.sync_log" {
        "request" => SyncLog::new(),
        "request-search" => SyncLog::new().page(2).page_size(20).words("report"),
    }
    "file.mkdir" {
        "request" => Mkdir::new(ROOT, "docs"),
        "request-one-more" => Mkdir::new(ROOT, "docs").on_conflict(OnConflict::KeepBoth),
        "request-that-one" => Mkdir::new(ROOT, "docs").must_be_new(false),
    }
    "file.rename" {
        "request" => Rename::new(FILE, "report-v2.pdf"),
        "request-keep-both" => Rename::new(FILE, "report-v2.pdf").on_conflict(OnConflict::KeepBoth),
    }
    "file.move" {
        "request" => Move::new([MOVED], FileId::new(50_100_004)),
        "request-two" => Move::new([MOVED, FILE], ROOT),
    }
    "file.trash" {
        "request" => Trash::new([FILE]),
        "request-two" => Trash::new([FILE, FOLDER]),
    }
    "file.restore" { "request" => Restore::new([FILE]) }
    "file.restore_to" { "request" => RestoreTo::new([FILE], ROOT) }
    "file.delete" { "request" => Delete::new([FILE]) }
    "file.trash_clear" { "request" => ClearTrash::new() }
    "file.copy" {
        "request" => Copy::new(file(), TARGET),
        "request-folder" => Copy::new(folder(), ROOT),
    }
    "file.copy_task" { "request" => CopyProgress::new(CopyTask::new(9001)) }
    "file.star" {
        "request" => Star::new([FILE], Starred::Yes),
        "request-clear" => Star::new([FILE, FOLDER], Starred::No),
    }
    "file.star_list" {
        "request" => ListStarred::new(),
        "request-pictures" => ListStarred::new()
            .page_size(20)
            .page(2)
            .order_by(OrderBy::Name)
            .direction(Direction::Ascending)
            .category(Category::Picture),
    }
    "file.safe_box_unlock" {
        "request" => UnlockSafeBox::new("123456"),
        "request-folder" => UnlockSafeBox::new("123456").folder(FileId::new(50_100_020)),
    }
    "file.safe_box_lock" { "request" => LockSafeBox::new() }
    "file.archive_list" {
        "request" => ReadArchive::new(ARCHIVE),
        "request-password" => ReadArchive::new(ARCHIVE).password("p w&1"),
    }
    "file.archive_status" {
        "request" => ArchiveProgress::new(ARCHIVE, READING, ArchiveWork::Reading),
        "request-unpacking" => ArchiveProgress::new(ARCHIVE, READING, ArchiveWork::Unpacking),
    }
    "file.archive_uncompress" {
        "request" => Extract::new(ARCHIVE, READING, members(), ROOT),
        "request-password" => Extract::new(ARCHIVE, READING, members(), TARGET).password("planted-pass"),
    }
    "file.export_tree" {
        "request" => ExportTree::new([ROOT], "tree.txt", ROOT),
        "request-list" => ExportTree::new([FOLDER, FileId::new(50_100_004)], "tree.txt", TARGET)
            .levels(2)
            .style(TreeStyle::List)
            .content(TreeContent::Files)
            .root(TreeRoot::Drive),
    }
    "file.video_play_list" {
        "request" => PlayList::new(FOLDER),
        "request-second-page" => PlayList::new(ROOT).page(2).page_size(20),
    }
    "file.video_play_conf" { "request" => PlayerSettings::new() }
}
