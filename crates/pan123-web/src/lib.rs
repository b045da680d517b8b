//! The web API of 123Pan (123云盘), typed: log in as a person does, and do everything the web page does.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod archives;
mod claims;
mod client;
mod copy;
#[cfg(feature = "transfer")]
mod download;
mod entry;
#[cfg(feature = "transfer")]
mod folders;
mod hidden;
mod link;
mod listing;
mod login;
mod offline;
pub mod ops;
mod organise;
mod profile;
mod qr_login;
#[cfg(feature = "transfer")]
mod rapid_links;
mod rates;
mod settle;
mod share;
#[cfg(feature = "transfer")]
mod sigv4;
#[cfg(feature = "transfer")]
mod storage;
#[cfg(feature = "transfer")]
mod upload;
mod verbs;
mod walk;

pub use crate::{
    archives::{ARCHIVE_TIMEOUT, Archive},
    client::{Client, ClientBuilder},
    copy::COPY_TIMEOUT,
    entry::Entry,
    link::FileRef,
    listing::MOST_ROUNDS,
    offline::{OFFLINE_TIMEOUT, OfflineDownload},
    ops::qr::QrStatus,
    profile::WebProfile,
    qr_login::{MOST_QR_CODES, QR_LIFETIME, QR_PAUSE, QrLogin},
    share::Shared,
    walk::{Found, Walk},
};

#[cfg(feature = "transfer")]
pub use crate::upload::{Upload, Uploaded};
#[cfg(feature = "transfer")]
pub use pan123_transfer::{
    Bandwidth, Checkpoints, Download, Downloaded, Expected, Fingerprint, FolderDownload, FolderItem, FolderOutcome,
    FolderProgress, FolderReport, FolderUpload, How, Notice, Phase, Progress, Reader, Source,
};

pub use pan123_core::{
    AccountId, EntryKind, Error, ErrorKind, FileId, FileTokenStore, Hosts, Link, Md5, OnConflict, RateLimiter,
    RateLimits, RawJson, Result, RetryPolicy, ReviewStatus, Secret, Timeouts, Timestamp, Token, TokenSource,
    TokenStore, Tokens, rapid,
};
