//! The 123Pan (123云盘) Open Platform, typed: tokens, files, uploads, direct links.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod credentials;
#[cfg(feature = "link")]
mod direct;
#[cfg(feature = "transfer")]
mod download;
mod entry;
#[cfg(feature = "transfer")]
mod folders;
#[cfg(any(test, feature = "oauth-listener"))]
mod grant_listener;
mod grants;
mod hidden;
#[cfg(feature = "transfer")]
mod image_upload;
mod images;
mod link;
mod offline;
pub mod ops;
mod organise;
mod profile;
#[cfg(feature = "transfer")]
mod rapid_links;
mod rates;
mod share;
mod traffic;
#[cfg(feature = "transfer")]
mod transcode_download;
mod transcoding;
#[cfg(feature = "transfer")]
mod upload;
#[cfg(feature = "transfer")]
mod upload_v1;
mod verbs;
mod walk;
mod yuan;

#[cfg(any(test, feature = "oauth-listener"))]
pub use crate::grant_listener::{GRANT_PATH, GrantListener};
pub use crate::{
    client::{Client, ClientBuilder},
    entry::{Category, Entry},
    images::{FailedImages, Images},
    link::FileRef,
    offline::{OFFLINE_TIMEOUT, OfflineDownload},
    organise::COPY_TIMEOUT,
    profile::OpenProfile,
    rates::Tier,
    share::Shared,
    transcoding::{TRANSCODE_INTERVAL, Transcoding},
    walk::{Found, Walk},
    yuan::Yuan,
};
#[cfg(feature = "transfer")]
pub use crate::{
    image_upload::{ImageUpload, UploadedImage},
    upload::{Upload, Uploaded},
};
#[cfg(feature = "transfer")]
pub use pan123_transfer::{
    Bandwidth, Checkpoints, Download, Downloaded, Expected, Fingerprint, FolderDownload, FolderItem, FolderOutcome,
    FolderProgress, FolderReport, FolderUpload, How, Notice, Phase, Progress, Reader, Source,
};

pub use pan123_core::{
    AccountId, EntryKind, Error, ErrorKind, FileId, FileTokenStore, Hosts, Link, Md5, OnConflict, RateLimiter,
    RateLimits, Result, RetryPolicy, ReviewStatus, Secret, Sha1, Timeouts, Timestamp, Token, TokenStore, rapid,
};
