//! The SDK for the 123Pan (123云盘) cloud drive: every way in behind a feature, and no logic of its own.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "open", feature = "share", feature = "transfer", feature = "web"))]
pub use pan123_core as core;
#[cfg(feature = "link")]
pub use pan123_link as link;
#[cfg(feature = "open")]
pub use pan123_open as open;
#[cfg(feature = "share")]
pub use pan123_share as share;
#[cfg(feature = "transfer")]
pub use pan123_transfer as transfer;
#[cfg(feature = "web")]
pub use pan123_web as web;

#[cfg(all(
    any(doc, doctest),
    feature = "open",
    feature = "share",
    feature = "web",
    feature = "transfer",
    feature = "link",
    feature = "rustls"
))]
pub mod guide;

/// Compiles the code in the repository's own page.
#[cfg(all(doctest, feature = "open", feature = "share", feature = "web", feature = "transfer", feature = "link"))]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;
