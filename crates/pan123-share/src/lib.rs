//! Somebody else's share on 123Pan (123云盘): open it from any text, list it, download it, save it.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
#[cfg(feature = "transfer")]
mod download;
mod entry;
mod key;
mod link;
mod listing;
pub mod ops;
mod profile;
mod rates;
mod save;
#[cfg(feature = "transfer")]
mod tree;
mod verbs;
mod walk;

pub use crate::{
    client::{Client, ClientBuilder},
    entry::Entry,
    key::{ShareKey, SharePassword},
    link::ShareLink,
    listing::Entries,
    profile::ShareProfile,
    save::{SAVE_TIMEOUT, Saved},
    walk::{Found, Walk},
};
#[cfg(feature = "transfer")]
pub use pan123_transfer::{
    Bandwidth, Checkpoints, Download, Downloaded, Expected, FolderDownload, FolderItem, FolderOutcome, FolderProgress,
    FolderReport, Notice, Phase, Progress, Reader,
};

pub use pan123_core::{
    AccountId, EntryKind, Error, ErrorKind, FileId, Hosts, Link, Md5, RateLimiter, RateLimits, Result, RetryPolicy,
    ReviewStatus, Secret, Timeouts, Timestamp, Token, TokenSource, TokenStore, Tokens, rapid,
};
