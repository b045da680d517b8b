//! Flows of the Open Platform against the simulator: what a user would notice when all goes well, and when it does not.

mod answers;
mod direct_links;
mod download;
mod drive;
mod faults;
mod organise;
mod rates;
mod secrets;
mod tokens;
mod upload;
mod world;
