//! Files and folders: listing, searching, details, the recycle bin.

use pan123_core::{Effect, Meta, Operation, operation};

use super::post;

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[ClearTrash::META];

operation! {
    /// Deletes everything in the recycle bin for ever.
    ///
    /// Protocol: `web.yaml`, `file.trash_clear`.
    pub struct ClearTrash -> () = post("web/file.trash_clear", "/api/file/trash_delete_all").effect(Effect::Same);
    {}
    fixed {
        json "event": "recycleClear",
    }
}
