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
pub mod ops;
mod organise;
mod profile;
mod rates;
#[cfg(feature = "transfer")]
mod upload;
mod verbs;

pub use crate::{
    client::{Client, ClientBuilder},
    entry::{Category, Entry, EntryKind, OnConflict, ReviewStatus},
    organise::COPY_TIMEOUT,
    profile::OpenProfile,
    rates::Tier,
};
#[cfg(feature = "transfer")]
pub use crate::{
    download::{Download, FileRef},
    upload::{Upload, Uploaded},
};
#[cfg(feature = "transfer")]
pub use pan123_transfer::{Fingerprint, How, Phase, Progress, Source};

pub use pan123_core::{
    AccountId, Error, ErrorKind, FileId, FileTokenStore, Hosts, Link, Md5, RateLimiter, RateLimits, Result,
    RetryPolicy, Secret, Sha1, Timeouts, Timestamp, Token, TokenStore,
};
