//! A simulator of the 123Pan (123云盘) cloud drive on loopback.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod admin;
mod args;
mod body;
mod builder;
mod chance;
mod clock;
mod content;
mod disk;
mod drive;
mod face;
mod fault;
mod form;
mod handle;
mod log;
mod ops;
mod rate;
mod reply;
mod route;
mod seed;
mod server;
mod simulator;
mod state;
mod token;
mod upload;
mod wire;

pub use builder::{Builder, Urls};
pub use content::{seeded_bytes, seeded_md5};
pub use face::Face;
pub use fault::Fault;
pub use log::RecordedRequest;
pub use route::operations;
pub use simulator::{Simulator, StoredFile};
