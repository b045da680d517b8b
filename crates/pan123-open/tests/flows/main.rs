//! Flows of the Open Platform against the simulator: what a user would notice when all goes well, and when it does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to fail there")]

mod answers;
mod chaos;
mod direct_links;
mod download;
mod drive;
mod faults;
mod folders;
mod grants;
mod images;
mod link_logs;
mod offline;
mod organise;
mod rapid;
mod rates;
mod secrets;
mod shares;
mod tokens;
mod transcode;
mod upload;
mod upload_resume;
mod upload_v1;
mod world;
