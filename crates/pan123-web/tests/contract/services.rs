//! Shares, offline downloads, direct links, WebDAV.

cases! {}
