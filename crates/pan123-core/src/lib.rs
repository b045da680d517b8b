//! The core that every 123Pan API crate shares: operations, the pipeline that sends them, errors, tokens, limits.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base64;
pub mod batch;
mod body;
mod challenge;
mod digest;
mod entry;
mod envelope;
mod error;
mod fetch;
mod hosts;
#[cfg(feature = "http-client")]
mod http_client;
mod id;
mod limit;
mod link;
mod macros;
pub mod name;
mod operation;
mod page;
mod pipeline;
mod polling;
pub mod rapid;
mod raw_json;
pub mod redact;
mod reply;
mod resolve;
mod retry;
mod runtime;
mod secret;
mod setup;
pub mod shares;
mod sign;
mod status;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod token;
mod token_file;
mod tokens;
mod transport;
mod walk;
mod watch;
mod web_page;
pub mod wire;

#[cfg(feature = "http-client")]
pub use crate::http_client::HttpClient;
#[cfg(feature = "stream")]
pub use crate::page::ItemStream;
pub use crate::{
    body::{Body, BodySource, Chunks, SharedBody},
    challenge::is_login_challenge,
    digest::{Md5, Sha1},
    entry::{EntryKind, OnConflict, ReviewStatus, Row},
    error::{Error, ErrorKind, Result},
    fetch::{Fetch, Fetched},
    hosts::Hosts,
    id::{AccountId, FileId},
    limit::{RATE_MARGIN, Rate, RateLimiter, RateLimits},
    link::Link,
    operation::{Auth, Effect, Meta, Operation, Request, Role, Shape, Target, Verb},
    page::{Items, NextPage, Paged, Pages},
    pipeline::{Pipeline, PipelineConfig, Profile},
    polling::Wait,
    raw_json::RawJson,
    reply::Reply,
    resolve::DownloadAddress,
    retry::RetryPolicy,
    runtime::{BoxFuture, Runtime, TokioRuntime},
    secret::Secret,
    setup::{Parts, Setup},
    sign::{MOST_RANDOM, RequestSigner},
    time::Timestamp,
    token::{MemoryTokenStore, RENEWAL_MARGIN, Token, TokenLock, TokenSource, TokenStore},
    token_file::FileTokenStore,
    tokens::{LOCK_TIMEOUT, LOGIN_COOL_DOWN, Tokens},
    transport::{Timeouts, Transport, TransportError, default_transport},
    walk::{Found, Shelf, Walk},
    web_page::{WebPage, WebPageSetup},
};
