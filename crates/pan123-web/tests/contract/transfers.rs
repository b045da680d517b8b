//! Uploads and downloads.

cases! {}
