//! A simulator of the 123Pan (123云盘) cloud drive on loopback.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod admin;
mod archive;
mod args;
mod body;
mod builder;
mod chance;
mod clock;
mod content;
mod controls;
mod credentials;
mod disk;
mod drive;
mod face;
mod fault;
mod fetching;
mod form;
mod gallery;
mod handle;
mod log;
mod logins;
mod ops;
mod rate;
mod reply;
mod route;
mod seed;
mod server;
mod shares;
mod sign;
mod sigv4;
mod simulator;
mod state;
mod storage;
mod token;
mod torrent;
mod traffic;
mod unpack;
mod upload;
mod video;
mod web_controls;
mod web_services;
mod wire;

pub use builder::{Builder, Urls};
pub use content::{seeded_bytes, seeded_md5};
pub use controls::StoredImage;
pub use face::Face;
pub use fault::Fault;
pub use log::RecordedRequest;
pub use logins::QrAction;
pub use ops::downloads::DownloadForm;
pub use route::operations;
pub use shares::{Guests, Paging, ShareOptions, StoredShare};
pub use simulator::{Simulator, StoredFile};
