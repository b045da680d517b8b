//! Flows of shares against the simulator: what a user would notice when all goes well, and when it does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to fail there")]

mod downloads;
mod errors;
mod folders;
mod hosts;
mod listing;
mod rapid;
mod saving;
mod secrets;
mod world;
