//! The transcoder: which resolutions a video has, and the files that each of them leads to, all made up.

use std::collections::HashMap;
use std::fmt::Write;

use bytes::Bytes;

use crate::content::{Content, md5_hex};
use crate::drive::{Drive, Kind, Node};
use crate::state::State;

/// What was asked of the transcoder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcoder {
    /// By id in the transcoding space.
    pub(crate) videos: HashMap<i64, Vec<Transcode>>,
    /// Videos in direct-link space that were submitted by the older call.
    pub(crate) direct: Vec<i64>,
}

/// One resolution of one video.
#[derive(Clone, Debug)]
pub(crate) struct Transcode {
    pub(crate) id: i64,
    /// With an upper-case P.
    pub(crate) resolution: String,
    /// The content that was transcoded, which stays known when the original is deleted.
    pub(crate) source: String,
    pub(crate) created: i64,
    pub(crate) fails: bool,
}

/// A file that the transcoder made.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) content: Content,
}

/// The playlist and the segments of a video in one resolution, the same for the same video.
pub(crate) fn outputs(source_md5: &str, resolution: &str) -> Vec<Output> {
    let resolution = resolution.to_lowercase();
    let mut playlist = String::from("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n");
    let mut segments = Vec::new();
    for number in 0..SEGMENTS {
        let name = format!("{number:03}.ts");
        // Writing to a String cannot fail.
        let _ = write!(playlist, "#EXTINF:{}.000000,\n{name}\n", SECONDS / SEGMENTS);
        let digits = md5_hex(format!("{source_md5} {resolution} {number}").as_bytes());
        let seed = u64::from_str_radix(&digits[..16], 16).unwrap_or_default();
        segments.push(Output { name, content: Content::seeded(20_000 + seed % 40_000, seed) });
    }
    playlist.push_str("#EXT-X-ENDLIST\n");
    let playlist = Output { name: PLAYLIST.to_owned(), content: Content::whole(Bytes::from(playlist)) };
    std::iter::once(playlist).chain(segments).collect()
}

/// `480p,720p,1080p` as the service lists them.
pub(crate) fn offered() -> String {
    RESOLUTIONS.map(|height| format!("{height}p")).join(",")
}

/// Whether a resolution is one that the service offers, with the letter given.
pub(crate) fn is_offered(resolution: &str, letter: char) -> bool {
    RESOLUTIONS.iter().any(|height| format!("{height}{letter}") == resolution)
}

/// Whether an entry lies in the transcoding space.
pub(crate) fn is_in_space(drive: &Drive, id: i64) -> bool {
    drive.ancestry(id).last().is_some_and(|top| top.parent == SPACE)
}

impl State {
    /// The folder of the transcoding space, which is made when it is first asked for.
    pub(crate) fn transcode_folder(&mut self) -> i64 {
        if let Some(node) = self.drive.child(SPACE, SPACE_FOLDER) {
            return node.id;
        }
        let (id, now) = (self.new_id(), self.clock.now());
        let kind = Kind::Folder { direct_link: false };
        let name = SPACE_FOLDER.to_owned();
        self.drive.insert(Node { id, parent: SPACE, name, created: now, updated: now, trashed: false, late: 0, kind });
        id
    }
}

pub(crate) const PLAYLIST: &str = "stream.m3u8";
pub(crate) const CODEC: &str = "H.264";
/// How long every video is, in seconds.
pub(crate) const SECONDS: i64 = 30;
pub(crate) const RESOLUTIONS: [i64; 3] = [480, 720, 1080];
/// The parent of the transcoding space's one folder.
pub(crate) const SPACE: i64 = -2;
const SPACE_FOLDER: &str = "transcode";
const SEGMENTS: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_playlist_names_every_segment() {
        let made = outputs("m", "720P");
        let playlist = String::from_utf8(made[0].content.to_bytes().to_vec()).unwrap();
        assert_eq!(made.len(), 4);
        for segment in &made[1..] {
            assert!(playlist.contains(&format!("\n{}\n", segment.name)), "{playlist}");
        }
        assert_eq!(made[1].content.md5(), outputs("m", "720p")[1].content.md5());
        assert_ne!(made[1].content.md5(), outputs("m", "480P")[1].content.md5());
    }

    #[test]
    fn resolutions_have_the_letter_of_their_call() {
        assert_eq!(offered(), "480p,720p,1080p");
        assert!(is_offered("720P", 'P') && is_offered("720p", 'p'));
        assert!(!is_offered("720p", 'P') && !is_offered("2160P", 'P'));
    }
}
