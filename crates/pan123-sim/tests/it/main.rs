//! The simulator, asked with plain HTTP requests written from the protocol reference.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to stop there")]

mod admin;
mod client;
mod downloads;
mod faults;
mod files;
mod images;
mod lenient;
mod lenient_shares;
mod modes;
mod oauth;
mod offline;
mod organise;
mod page;
mod program;
mod public_shares;
mod saved_shares;
mod services;
mod shares;
mod storage;
mod strict;
mod tokens;
mod transcode;
mod uploads;
mod uploads_v1;
mod visitor;
mod web_archive;
mod web_downloads;
mod web_files;
mod web_login;
mod web_offline;
mod web_services;
mod web_shares;
mod web_uploads;
