//! Flows of shares against the simulator: what a user would notice when all goes well, and when it does not.

mod downloads;
mod errors;
mod folders;
mod hosts;
mod listing;
mod rapid;
mod saving;
mod secrets;
mod world;
