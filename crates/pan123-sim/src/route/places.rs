//! Where bytes are fetched: downloads, direct links, images, playlists.

use super::{Auth, Route, Run, call};
use crate::face::Face;

pub(super) const DOWNLOAD: &[Route] =
    &[call("open/file.download_content", "GET", "", &[], Run::Download).on(Face::Cdn).auth(Auth::Nothing)];

pub(super) const DIRECT_LINK: &[Route] =
    &[call("cdn/direct_link", "GET", "", &[], Run::DirectLink).on(Face::Cdn).auth(Auth::Nothing)];

pub(super) const IMAGE: &[Route] = &[call("cdn/image", "GET", "", &[], Run::Image).on(Face::Cdn).auth(Auth::Nothing)];

pub(super) const PLAYLIST: &[Route] =
    &[call("cdn/playlist", "GET", "", &[], Run::Playlist).on(Face::Cdn).auth(Auth::Nothing)];

pub(super) const RELAY: &[Route] = &[call("cdn/relay", "GET", "", &[], Run::Relay).on(Face::Cdn).auth(Auth::Nothing)];

pub(super) const THUMBNAIL: &[Route] =
    &[call("cdn/thumbnail", "GET", "", &[], Run::Thumbnail).on(Face::Cdn).auth(Auth::Nothing)];
