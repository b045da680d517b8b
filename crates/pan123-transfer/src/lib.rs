//! Uploads and downloads as an engine that knows no endpoint: hashing, parts, ranges, progress.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bandwidth;
mod blocking;
mod checkpoint;
mod download;
mod folder;
mod hash;
mod md5_pair;
mod own;
mod progress;
mod read;
mod retries;
mod source;
mod spool;
mod traits;
mod upload;

#[cfg(feature = "stream")]
pub use crate::download::ReaderStream;
pub use crate::{
    bandwidth::Bandwidth,
    checkpoint::{Checkpoints, Notice},
    download::{
        DEFAULT_DOWNLOAD_CONNECTIONS, DEFAULT_PIECE_SIZE, Download, Downloaded, Expected, MOST_DOWNLOAD_CONNECTIONS,
        Reader,
    },
    folder::{
        DEFAULT_FILES, FolderDownload, FolderItem, FolderOutcome, FolderProgress, FolderReport, FolderUpload,
        MOST_FILES, Tree, TreeEntry, TreeTarget, TreeUpload,
    },
    progress::{PROGRESS_INTERVAL, Phase, Progress},
    source::{ReadAt, Source, Stamp},
    spool::MOST_IN_MEMORY,
    traits::{Begun, Completion, DownloadOrigin, Fingerprint, Part, UploadLimits, UploadTarget},
    upload::{DEFAULT_CONCURRENCY, DEFAULT_SINGLE_STEP, How, MOST_CONCURRENCY, Upload, Uploaded},
};
