//! The web API: what is not everyday work on files. Stars, the safe box, archives, shares, offline downloads, links.

use super::Route;

pub(super) const FILES: &[Route] = &[];
