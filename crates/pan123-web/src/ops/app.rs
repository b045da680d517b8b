//! The service itself: hosts, clock, settings, notices, apps that were granted access.

use pan123_core::Meta;

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[];
