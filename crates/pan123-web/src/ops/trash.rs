//! The recycle bin: into it, out of it, and what becomes of what stays in it.
//!
//! None of these is sent again after a lost answer but the emptying of the bin: the verbs of the [client](crate::Client) look first.

use pan123_core::{Effect, FileId, Result, batch::check_ids, operation};

use super::{IdList, MOST_IDS, post};

/// The path of the way in and of the way out.
const PATH: &str = "/api/file/trash";

operation! {
    /// Moves up to [`MOST_IDS`] files and folders to the recycle bin, folders with all that they hold.
    ///
    /// Protocol: `web.yaml`, `file.trash`.
    pub struct Trash -> () = post("web/file.trash", PATH);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileTrashInfoList": ids: IdList,
    }
    fixed {
        json "driveId": 0,
        json "operation": true,
        json "event": "intoRecycle",
    }

    fn validate(&self) -> Result<()> {
        check_ids(self.ids.as_slice(), MOST_IDS)
    }
}

operation! {
    /// Takes up to [`MOST_IDS`] files and folders out of the recycle bin, back to where they were.
    ///
    /// What the service does when that folder is gone is not documented; [`RestoreTo`] names another.
    ///
    /// Protocol: `web.yaml`, `file.restore`.
    pub struct Restore -> () = post("web/file.restore", PATH);
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileTrashInfoList": ids: IdList,
    }
    fixed {
        json "driveId": 0,
        json "operation": false,
        json "event": "recycleRestore",
    }

    fn validate(&self) -> Result<()> {
        check_ids(self.ids.as_slice(), MOST_IDS)
    }
}

operation! {
    /// Takes up to [`MOST_IDS`] files and folders out of the recycle bin, into a folder.
    ///
    /// Protocol: `web.yaml`, `file.restore_to`.
    pub struct RestoreTo -> () = post("web/file.restore_to", "/api/file/recover/by_path");
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIds": ids: Vec<FileId>,
        /// Where to; the root is allowed.
        json "parentFileId": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        check_ids(&self.ids, MOST_IDS)?;
        self.folder.check_folder()
    }
}

operation! {
    /// Deletes up to [`MOST_IDS`] files and folders for good.
    ///
    /// They must be in the recycle bin: send [`Trash`] first.
    ///
    /// Protocol: `web.yaml`, `file.delete`.
    ///
    /// # Errors
    ///
    /// [`Api`](pan123_core::ErrorKind::Api) with the service's text for what is not in the bin.
    pub struct Delete -> () = post("web/file.delete", "/api/file/delete");
    {
        /// The files and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIdList": ids: IdList,
    }
    fixed {
        json "event": "recycleDelete",
    }

    fn validate(&self) -> Result<()> {
        check_ids(self.ids.as_slice(), MOST_IDS)
    }
}

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

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    #[test]
    fn batches_keep_their_limits() {
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            let ids = vec![FileId::new(1); count];
            assert_eq!(ok(Trash::new(ids.clone())), fits, "trash {count}");
            assert_eq!(ok(Restore::new(ids.clone())), fits, "restore {count}");
            assert_eq!(ok(RestoreTo::new(ids.clone(), FileId::ROOT)), fits, "restore to {count}");
            assert_eq!(ok(Delete::new(ids)), fits, "delete {count}");
        }
        let root = FileId::ROOT;
        assert!(!ok(Trash::new([root])) && !ok(Restore::new([root])) && !ok(Delete::new([root])));
        assert!(!ok(RestoreTo::new([root], root)) && !ok(RestoreTo::new([FileId::new(1)], FileId::new(-1))));
    }

    #[test]
    fn only_the_emptying_is_repeated_blindly() {
        let file = FileId::new(1);
        assert!(!Trash::new([file]).is_repeatable() && !Restore::new([file]).is_repeatable());
        assert!(!RestoreTo::new([file], file).is_repeatable() && !Delete::new([file]).is_repeatable());
        assert!(ClearTrash::new().is_repeatable());
    }
}
