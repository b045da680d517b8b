//! Every operation of the Open Platform, as a value that a client sends.
//!
//! An operation is found from its entry in the protocol reference: `file.mkdir` is [`files::Mkdir`], and
//! [`ALL`] lists the facts of each in the reference's order. It checks its limits when it is sent, before any request
//! is made.
//!
//! # Example
//!
//! ```
//! use pan123_core::{FileId, Operation};
//! use pan123_open::ops::{self, files::Mkdir};
//!
//! let mkdir = Mkdir::new(FileId::ROOT, "films");
//! assert!(mkdir.validate().is_ok());
//! assert!(Mkdir::new(FileId::ROOT, "a/b").validate().is_err());
//! assert!(ops::ALL.iter().any(|meta| meta.id == "open/file.mkdir"));
//! ```

pub mod auth;
pub mod broker;
pub mod developer;
pub mod files;
pub mod images;
pub mod images_import;
pub mod images_upload;
pub mod link_logs;
pub mod link_videos;
pub mod links;
pub mod list_v1;
pub mod manage;
pub mod oauth;
pub mod offline;
pub mod paid_shares;
pub mod safebox;
pub mod shares;
pub mod transcode;
pub mod transcode_files;
pub mod transcode_results;
pub mod uploads;
pub mod uploads_v1;
pub mod user;

use pan123_core::{
    Error, Fetch, Meta, Operation, Result,
    batch::{check_count, check_ids},
    name,
    wire::new_id,
};

/// The most ids that one request may hold, but where an operation says otherwise.
///
/// Protocol: `open-files.yaml`, LIMITS. For [`files::Infos`] no limit is documented; this one is kept there too.
pub const MOST_IDS: usize = 100;

/// The facts of every operation, in the order of the protocol reference.
pub const ALL: &[Meta] = &[
    auth::AccessToken::META,
    oauth::UserAuthorize::META,
    oauth::AppVerify::META,
    oauth::TokenByCode::META,
    oauth::RefreshToken::META,
    broker::GrantAddress::META,
    broker::Renew::META,
    user::UserInfo::META,
    files::List::META,
    list_v1::ListV1::META,
    files::Detail::META,
    files::Infos::META,
    files::Mkdir::META,
    manage::Rename::META,
    manage::RenameBatch::META,
    manage::Move::META,
    manage::Copy::META,
    manage::CopyAsync::META,
    manage::CopyProcess::META,
    files::Trash::META,
    manage::Recover::META,
    manage::RecoverTo::META,
    manage::Delete::META,
    files::DownloadInfo::META,
    Fetch::META,
    safebox::SafeBox::META,
    uploads_v1::Create::META,
    uploads_v1::UploadUrl::META,
    uploads_v1::PutSlice::META,
    uploads_v1::ListParts::META,
    uploads_v1::UploadComplete::META,
    uploads_v1::AsyncResult::META,
    uploads::Create::META,
    uploads::Slice::META,
    uploads::UploadComplete::META,
    uploads::Domain::META,
    uploads::SingleCreate::META,
    uploads::Sha1Reuse::META,
    offline::Download::META,
    offline::Process::META,
    shares::CreateShare::META,
    shares::ListShares::META,
    shares::UpdateShares::META,
    paid_shares::CreatePaidShare::META,
    paid_shares::ListPaidShares::META,
    paid_shares::UpdatePaidShares::META,
    links::EnableDirectLink::META,
    links::DisableDirectLink::META,
    links::DirectLinkUrl::META,
    link_logs::RefreshDirectLinkCache::META,
    link_logs::TrafficLog::META,
    link_logs::OfflineLogs::META,
    link_videos::DirectLinkPlaylists::META,
    link_videos::TranscodeDirectLinks::META,
    link_videos::DirectLinkTranscodes::META,
    developer::ReadIpBlacklist::META,
    developer::SwitchIpBlacklist::META,
    developer::ReplaceIpBlacklist::META,
    images::Mkdir::META,
    images_upload::Create::META,
    images_upload::UploadUrl::META,
    images_upload::PutSlice::META,
    images_upload::UploadParts::META,
    images_upload::UploadComplete::META,
    images_upload::UploadResult::META,
    images_import::CopyFromDisk::META,
    images_import::CopyProcess::META,
    images_import::CopyFailures::META,
    images::Move::META,
    images::Delete::META,
    images::Detail::META,
    images::List::META,
    images_import::OfflineDownload::META,
    images_import::OfflineProcess::META,
    transcode::FolderInfo::META,
    transcode::CloudVideoFiles::META,
    transcode::SpaceFiles::META,
    transcode::ImportVideos::META,
    transcode::AskResolutions::META,
    transcode::Start::META,
    transcode_results::Records::META,
    transcode_results::Results::META,
    transcode_results::ThirdPartyList::META,
    transcode::DeleteVideo::META,
    transcode_files::DownloadOriginal::META,
    transcode_files::DownloadPlaylist::META,
    transcode_files::DownloadPart::META,
    transcode_files::DownloadAll::META,
];

/// The entries of the protocol reference that are no call of a client's, and what covers each: the builder of an
/// address, or the type that reads what somebody else sends.
pub const COVERED_OTHERWISE: &[(&str, &str)] = &[
    ("open/oauth.authorize_page", "oauth::AuthorizePage"),
    ("open/oplist.callback", "broker::BrokerGrant"),
    ("open/offline.callback", "offline::Callback"),
];

/// Checks the name of a new file, or its path where folders are to be made on the way.
fn check_target(target: &str, is_path: bool) -> Result<()> {
    if !is_path {
        return name::check(target);
    }
    match target.strip_prefix('/') {
        Some(names) => names.split('/').try_for_each(name::check),
        None => Err(Error::invalid("with `contain_dir` the name is a path that begins with '/'")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The id, method and path of every entry of the protocol reference, in its order.
    fn reference() -> Vec<[String; 3]> {
        let mut entries: Vec<[String; 3]> = Vec::new();
        for file in ["open-files.yaml", "open-services.yaml"] {
            let path = format!("{}/../../docs/protocol/{file}", env!("CARGO_MANIFEST_DIR"));
            for line in fs::read_to_string(path).expect("the reference is there").lines() {
                if let Some(id) = line.strip_prefix("- id: ") {
                    entries.push([format!("open/{id}"), String::new(), String::new()]);
                } else if let (Some(entry), Some((key, value))) = (entries.last_mut(), line.split_once(": ")) {
                    match key {
                        "  method" => entry[1] = value.to_owned(),
                        "  path" => entry[2] = value.trim_matches(['"', '\'']).to_owned(),
                        _ => {}
                    }
                }
            }
        }
        entries
    }

    #[test]
    fn every_operation_is_listed_once_and_as_the_reference_has_it() {
        let reference = reference();
        let mut behind = 0;
        for meta in ALL {
            let place = reference.iter().position(|entry| entry[0] == meta.id);
            let place = place.unwrap_or_else(|| panic!("the reference has no {}", meta.id));
            assert!(place >= behind, "{} stands twice or too late", meta.id);
            behind = place + 1;
            let [_, method, path] = &reference[place];
            assert_eq!(http::Method::from(meta.method).as_str(), method, "{}", meta.id);
            // An address that the service gives is written in brackets there and has no path here.
            assert_eq!(meta.path, if path.starts_with(['<', '{']) { "" } else { path }, "{}", meta.id);
        }
    }

    #[test]
    fn a_target_is_a_name_or_an_absolute_path_of_names() {
        for (target, is_path, ok) in [
            ("a.bin", false, true),
            ("/a.bin", false, false),
            ("a/b.bin", false, false),
            ("/a.bin", true, true),
            ("/a/b/c.bin", true, true),
            ("a/b.bin", true, false),
            ("", true, false),
            ("/", true, false),
            ("/a//b", true, false),
            ("/a/../b", true, false),
            ("/a/b:c", true, false),
        ] {
            assert_eq!(check_target(target, is_path).is_ok(), ok, "{target} {is_path}");
        }
    }
}
