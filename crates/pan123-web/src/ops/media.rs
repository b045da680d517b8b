//! What the page's video player asks for.

use pan123_core::{FileId, RawJson, Result, operation};

use super::{files::check_page, get};

operation! {
    /// Reads one page of the videos of a folder, as the player of the service's page does. Its answer is not documented.
    ///
    /// Protocol: `web.yaml`, `file.video_play_list`.
    pub struct PlayList -> RawJson = get("web/file.video_play_list", "/api/file/video/play/list");
    {
        /// The folder.
        query "parent_file_id": folder: FileId,
    }
    defaults {
        /// Sets the number of the page, from 1.
        query "page": page: u32 = 1,
        /// Sets how many videos a page has; 1 to 100, the default.
        query "page_size": page_size: u32 = 100,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_folder()?;
        check_page(self.page, self.page_size)
    }
}

operation! {
    /// Reads the settings of the player of the service's page. Its answer is not documented.
    ///
    /// Protocol: `web.yaml`, `file.video_play_conf`.
    pub struct PlayerSettings -> RawJson = get("web/file.video_play_conf", "/api/video/play/conf").anonymous();
    {}
}
