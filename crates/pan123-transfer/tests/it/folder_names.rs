//! Names in folders: none leads out, none is lost, none overwrites another, and what went up comes down as it was.

use std::{collections::BTreeSet, fs};

use pan123_core::FileId;
use pan123_transfer::{FolderDownload, FolderUpload};

use crate::{
    clock,
    tree::{Folders, local},
};

#[tokio::test]
async fn no_name_leads_out_and_no_sibling_is_overwritten() {
    let names = [
        "../x",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a‛／b",
        "CON",
        "nul.txt",
        "x.",
        "x ",
        "a:b",
        "a‛：b",
        "equal",
        "equal",
        "EQUAL",
        "equal (2)",
        "a\0b",
        "line\nbreak",
        r"..\..\windows",
        "～/.ssh",
        "\u{202e}gpj.exe",
    ];
    let drive = Folders::new();
    for (number, name) in names.iter().enumerate() {
        drive.file(0, name, &number.to_string());
        let folder = drive.add(0, &format!("{name}-"), None);
        drive.file(folder, name, &format!("in {number}"));
    }
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("deep/target");
    let download = || FolderDownload::new(drive.clone(), FileId::ROOT, clock());
    let report = download().to_path(&target).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.files, 2 * names.len() as u64);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(place.path().join("deep")).unwrap().count(), 1);
    let all = local(&target);
    let texts: BTreeSet<_> = all.iter().filter_map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(texts.len(), 2 * names.len(), "every content is there once");
    let folded: BTreeSet<String> = all.iter().map(|(path, _)| path.to_lowercase()).collect();
    assert_eq!(folded.len(), all.len(), "also where capitals do not count");
    // The names are the same the next time, so nothing is fetched again.
    let report = download().to_path(&target).await.unwrap();
    assert_eq!((report.files, report.same), (0, 2 * names.len() as u64));
}

#[cfg(unix)]
#[tokio::test]
async fn what_went_up_comes_down_as_it_was() {
    let from = tempfile::tempdir().unwrap();
    let names =
        ["a:b", "what?", "a‛：b", "‛", "‛‛：", "x.", "CON", r"back\slash", "<>|\"*", "秋天：上", ".hidden", " "];
    for (number, name) in names.iter().enumerate() {
        fs::create_dir(from.path().join(format!("{name}+"))).unwrap();
        fs::write(from.path().join(format!("{name}+/{name}")), number.to_string()).unwrap();
    }
    let drive = Folders::new();
    let report = FolderUpload::new(drive.clone(), from.path(), FileId::ROOT).send().await.unwrap();
    // A name of blanks alone is none to the service.
    let failed: Vec<&str> = report.failed.iter().map(|item| item.remote.as_str()).collect();
    assert_eq!((failed, report.files), (vec![" +/ "], names.len() as u64 - 1));
    let forbidden = |path: &str| path.split('/').any(|name| name.contains([':', '?', '\\', '<', '>', '|', '"', '*']));
    assert!(drive.all().iter().all(|(path, _)| !forbidden(path)), "{:?}", drive.all());

    let to = tempfile::tempdir().unwrap();
    let report = FolderDownload::new(drive.clone(), FileId::ROOT, clock()).to_path(to.path()).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    fs::remove_file(from.path().join(" +/ ")).unwrap();
    // `a‛：b` and `a:b` mean the same in the drive, so one of the two has a number there; it keeps it.
    let plain = |folder| local(folder).into_iter().filter(|(path, _)| !path.contains('‛')).collect::<Vec<_>>();
    let both = |(path, _): &(String, _)| !path.contains("a:b");
    let (sent, back): (Vec<_>, Vec<_>) = (plain(from.path()), plain(to.path()));
    assert_eq!(
        sent.iter().filter(|path| both(path)).collect::<Vec<_>>(),
        back.iter().filter(|path| both(path)).collect::<Vec<_>>()
    );
    assert_eq!(local(to.path()).len(), local(from.path()).len());
    let report = FolderUpload::new(drive, from.path(), FileId::ROOT).send().await.unwrap();
    assert_eq!((report.files, report.same), (0, names.len() as u64 - 1));
}

#[cfg(unix)]
#[tokio::test]
async fn a_name_that_is_no_text_fails_alone() {
    use std::os::unix::ffi::OsStrExt;
    let from = tempfile::tempdir().unwrap();
    fs::write(from.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "x").unwrap();
    fs::write(from.path().join("good"), "x").unwrap();
    let drive = Folders::new();
    let report = FolderUpload::new(drive, from.path(), FileId::ROOT).send().await.unwrap();
    assert_eq!((report.files, report.failed.len()), (1, 1));
}
