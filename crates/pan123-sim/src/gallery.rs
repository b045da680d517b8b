//! The image-hosting space: a tree of its own, whose ids are opaque texts.

use std::collections::HashMap;

use crate::drive::{Denied, Drive, Kind, Node, OnClash, ROOT};

/// The folders and images, and how much of each image was served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gallery {
    pub(crate) tree: Drive,
    pub(crate) served: HashMap<i64, u64>,
    /// Images that the service's review turned down.
    pub(crate) rejected: Vec<i64>,
}

impl Gallery {
    /// Puts an image into a folder. The same content in the same folder is the same image: it keeps its id and takes the
    /// new name. Another image of that name stays beside it.
    pub(crate) fn put(&mut self, node: Node) -> Result<i64, Denied> {
        let same = |held: &&Node| held.content().is_some() && held.content() == node.content();
        let Some(id) = self.tree.children_after(node.parent, i64::MIN).find(same).map(|held| held.id) else {
            return self.tree.add(node, OnClash::KeepBoth);
        };
        match self.tree.child(node.parent, &node.name) {
            Some(held) if held.id == id => {}
            Some(_) => {
                let free = self.tree.free_name(node.parent, &node.name);
                self.tree.rename(id, &free, node.updated)?;
            }
            None => self.tree.rename(id, &node.name, node.updated)?,
        }
        if let Some(held) = self.tree.node_mut(id) {
            held.updated = node.updated;
        }
        Ok(id)
    }

    pub(crate) fn count_served(&mut self, id: i64, bytes: u64) {
        *self.served.entry(id).or_default() += bytes;
    }
}

/// The extension of an image's name, in lower case, if images may have it.
pub(crate) fn extension(name: &str) -> Option<String> {
    let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?.1.to_lowercase();
    EXTENSIONS.contains(&extension.as_str()).then_some(extension)
}

/// A new entry of the gallery.
pub(crate) fn node(id: i64, parent: i64, name: &str, now: i64, kind: Kind) -> Node {
    Node { id, parent, name: name.to_owned(), created: now, updated: now, trashed: false, late: 0, kind }
}

/// An id as it is shown; the root has one, too.
pub(crate) fn id_text(id: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = id.unsigned_abs();
    while rest > 0 {
        digits.push(char::from_digit((rest % 36) as u32, 36).unwrap_or('0'));
        rest /= 36;
    }
    let digits: String = digits.into_iter().rev().collect();
    format!("{digits:0>9}{ID_TAIL}")
}

/// Reads an id; the empty text is the root.
pub(crate) fn parse_id(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(ROOT);
    }
    let digits = text.strip_suffix(ID_TAIL)?;
    i64::from_str_radix(digits, 36).ok().filter(|id| id_text(*id) == text)
}

/// The name that the root shows as a folder above.
pub(crate) const ROOT_NAME: &str = "img_oss";
/// The largest image.
pub(crate) const MOST_BYTES: u64 = 100 << 20;
const EXTENSIONS: [&str; 9] = ["png", "gif", "jpeg", "tiff", "webp", "jpg", "tif", "svg", "bmp"];
const ID_TAIL: &str = "t0l000d7w33simDIYPAIDOBIY0DcxvDwFO";

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: i64, name: &str, md5: &str) -> Node {
        node(id, ROOT, name, id, Kind::File { md5: md5.into(), size: 3 })
    }

    #[test]
    fn the_same_content_in_a_folder_is_the_same_image() {
        let mut gallery = Gallery::default();
        assert_eq!(gallery.put(image(1, "a.png", "x")), Ok(1));
        assert_eq!(gallery.put(image(2, "b.png", "x")), Ok(1));
        assert_eq!(gallery.put(image(3, "b.png", "y")), Ok(3));
        let names: Vec<&str> = gallery.tree.all().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["b.png", "b(1).png"]);
    }

    #[test]
    fn ids_are_texts_and_the_root_has_two() {
        assert_eq!(parse_id(""), Some(ROOT));
        for id in [ROOT, 1, 15_000_000_123] {
            assert_eq!(parse_id(&id_text(id)), Some(id));
        }
        for bad in ["0", "15000000123", "x", &id_text(5)[1..], "-1"] {
            assert_eq!(parse_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_images_have_an_image_extension() {
        assert_eq!(extension("a.PNG").as_deref(), Some("png"));
        for bad in ["a", ".png", "a.mp4", "png"] {
            assert_eq!(extension(bad), None, "{bad}");
        }
    }
}
