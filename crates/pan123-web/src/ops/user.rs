//! The account: what it has, its devices, its history.

use pan123_core::Meta;

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[];
