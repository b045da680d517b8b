//! Image hosting (图床): its folders and images. Bringing images in is in [`images_upload`](super::images_upload) and
//! [`images_import`](super::images_import).

use std::fmt;

use pan123_core::{Effect, Error, Link, Md5, Meta, Paged, Reply, Result, Timestamp, name, operation, wire};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{MOST_IDS, check_count};
use crate::{EntryKind, ReviewStatus};

/// The largest image that can be hosted: 100 MiB, the larger reading of the service's "100 MB".
///
/// Protocol: `open-services.yaml`, `oss.create`.
pub const LARGEST_IMAGE: u64 = 100 << 20;

/// The extensions that a hosted image can have, in lower case.
///
/// Protocol: `open-services.yaml`, `oss.create`.
pub const FORMATS: [&str; 9] = ["png", "gif", "jpeg", "tiff", "webp", "jpg", "tif", "svg", "bmp"];

/// Checks the name of an image: that of any file (see [`name::check`]), ending in one of [`FORMATS`], in any case.
///
/// # Errors
///
/// [`InvalidInput`](pan123_core::ErrorKind::InvalidInput) with the formats in the text.
///
/// # Example
///
/// ```
/// use pan123_open::ops::images;
///
/// assert!(images::check_name("标志.PNG").is_ok());
/// assert!(images::check_name("notes.txt").is_err());
/// ```
pub fn check_name(image: &str) -> Result<()> {
    name::check(image)?;
    let extension = image.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension {
        Some(extension) if FORMATS.contains(&extension.as_str()) => Ok(()),
        _ => Err(Error::invalid(format!("the name of an image must end in one of: {}", FORMATS.join(", ")))),
    }
}

/// The id of an image or of a folder in image hosting: a text that only the service can read.
///
/// These ids have nothing to do with those of the drive ([`FileId`](pan123_core::FileId)).
///
/// # Example
///
/// ```
/// use pan123_open::ops::images::ImageId;
///
/// assert!(ImageId::ROOT.is_root());
/// assert_eq!(ImageId::from("rk6baz03t0l0").as_str(), "rk6baz03t0l0");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ImageId(String);

impl ImageId {
    /// The root folder of image hosting: an empty text, and the default.
    ///
    /// The service has an id of its own for it too, which the images in it name as their [`parent_id`](Image::parent_id).
    pub const ROOT: Self = Self(String::new());

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether this is [`ROOT`](Self::ROOT).
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses what can be no id where a folder is meant: the mark that the service ends its lists with.
    pub(super) fn check_folder(&self) -> Result<()> {
        if self.0 == LAST { Err(Error::invalid("\"-1\" ends a list and is no id")) } else { Ok(()) }
    }

    /// Refuses the root too, where one particular image or folder is meant.
    pub(super) fn check_entry(&self) -> Result<()> {
        if self.is_root() {
            return Err(Error::invalid("the root folder of image hosting (an empty id) cannot be used here"));
        }
        self.check_folder()
    }
}

/// What stands in place of a cursor on the last page.
const LAST: &str = "-1";

impl From<String> for ImageId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for ImageId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&Self> for ImageId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl From<Image> for ImageId {
    fn from(image: Image) -> Self {
        image.id
    }
}

impl From<&Image> for ImageId {
    fn from(image: &Image) -> Self {
        image.id.clone()
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ImageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        opaque(deserializer).map(Self)
    }
}

/// Reads an opaque id: a text, or a number that is taken as text, as one client describes it.
pub(super) fn opaque<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an id as text")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    deserializer.deserialize_any(Visitor)
}

/// Reads the id of an image or folder, which cannot be the root's.
fn entry_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ImageId, D::Error> {
    let id = ImageId::deserialize(deserializer)?;
    id.check_entry().map(|()| id).map_err(|_| de::Error::custom("the id of an image is empty or the end of a list"))
}

/// Reads an id for which an empty text, 0, null and absence mean that there is none yet.
pub(super) fn id_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ImageId>, D::Error> {
    Ok(Option::<ImageId>::deserialize(deserializer)?.filter(|id| !matches!(id.as_str(), "" | "0")))
}

/// An image or a folder of image hosting, as [`List`] and [`Detail`] give it.
///
/// Id, name, kind, size and MD5 are read strictly; everything else may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Row")]
#[non_exhaustive]
pub struct Image {
    /// The id.
    pub id: ImageId,
    /// The folder it is in. For the root this is the service's own id of it and not [`ImageId::ROOT`].
    pub parent_id: ImageId,
    /// The name of that folder; `img_oss` for the root.
    pub parent_name: String,
    /// The name, without a path.
    pub name: String,
    /// Image or folder.
    pub kind: EntryKind,
    /// The size in bytes; 0 for a folder.
    pub size: u64,
    /// The MD5 of an image's content; folders have none.
    pub md5: Option<Md5>,
    /// The state of the service's content review.
    pub status: ReviewStatus,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// The public address, which anybody can fetch. Folders have none.
    pub url: Option<Link>,
    /// The public address on the owner's own domain, where one is set up.
    pub own_url: Option<Link>,
    /// How many bytes have been served of it.
    pub traffic: u64,
    /// The extension of the name, without the dot.
    pub extension: String,
}

impl Image {
    /// Says whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }

    /// Says whether the content review has withheld it.
    pub fn is_blocked(&self) -> bool {
        self.status.is_blocked()
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an image")]
struct Row {
    #[serde(rename = "fileId", alias = "fileID", deserialize_with = "entry_id")]
    id: ImageId,
    #[serde(default, rename = "parentFileId", alias = "parentFileID", deserialize_with = "wire::or_default")]
    parent_id: ImageId,
    #[serde(default, rename = "parentFilename", deserialize_with = "wire::or_default")]
    parent_name: String,
    filename: String,
    #[serde(rename = "type")]
    kind: EntryKind,
    #[serde(default, deserialize_with = "wire::optional_integer")]
    size: Option<u64>,
    #[serde(default, deserialize_with = "wire::md5")]
    etag: Option<Md5>,
    #[serde(default)]
    status: ReviewStatus,
    #[serde(default, rename = "createAt", deserialize_with = "wire::time")]
    created_at: Option<Timestamp>,
    #[serde(default, rename = "updateAt", deserialize_with = "wire::time")]
    updated_at: Option<Timestamp>,
    #[serde(default, rename = "downloadURL", alias = "downloadUrl", deserialize_with = "public_address")]
    url: Option<Link>,
    #[serde(default, rename = "userSelfURL", alias = "userSelfUrl", deserialize_with = "public_address")]
    own_url: Option<Link>,
    #[serde(default, rename = "totalTraffic", deserialize_with = "wire::integer_or_zero")]
    traffic: u64,
    #[serde(default, deserialize_with = "wire::or_default")]
    extension: String,
}

impl TryFrom<Row> for Image {
    type Error = String;

    fn try_from(row: Row) -> Result<Self, String> {
        if row.kind == EntryKind::File && row.size.is_none() {
            return Err(format!("image {} has no size", row.id));
        }
        Ok(Self {
            id: row.id,
            parent_id: row.parent_id,
            parent_name: row.parent_name,
            name: row.filename,
            kind: row.kind,
            size: row.size.unwrap_or_default(),
            md5: row.etag,
            status: row.status,
            created_at: row.created_at,
            updated_at: row.updated_at,
            url: row.url,
            own_url: row.own_url,
            traffic: row.traffic,
            extension: row.extension,
        })
    }
}

/// Reads an address; an empty one is none, and one that is no address spoils no listing.
fn public_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Link>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| Link::parse(&text).ok()))
}

operation! {
    /// Makes one folder in image hosting, and returns its id.
    ///
    /// It is not sent again after a lost answer: list the parent to see.
    ///
    /// Protocol: `open-services.yaml`, `oss.mkdir`.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](pan123_core::ErrorKind::AlreadyExists) when the parent has a folder of that name; its id is not
    /// told, list the parent to find it.
    pub struct Mkdir => ImageId = Meta::post("open/oss.mkdir", "/upload/v1/oss/file/mkdir");
    {
        /// The folder to make it in; the root is allowed.
        json "parentID": parent: ImageId,
        /// Its name; see [`name::check`].
        json "name": name: String,
    }
    fixed {
        json "type": 1,
    }

    fn validate(&self) -> Result<()> {
        self.parent.check_folder()?;
        name::check(&self.name)
    }

    fn decode(&self, reply: Reply) -> Result<ImageId> {
        reply.data::<NewFolders>().map(|folders| folders.list.0.id)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a list with a new folder")]
struct NewFolders {
    list: First,
}

/// The first of a list, which must have one.
#[derive(Deserialize)]
#[serde(try_from = "Vec<NewFolder>")]
struct First(NewFolder);

impl TryFrom<Vec<NewFolder>> for First {
    type Error = &'static str;

    fn try_from(folders: Vec<NewFolder>) -> Result<Self, Self::Error> {
        folders.into_iter().next().map(Self).ok_or("the list of new folders is empty")
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a new folder")]
struct NewFolder {
    #[serde(rename = "dirID", alias = "dirId", deserialize_with = "entry_id")]
    id: ImageId,
}

operation! {
    /// Moves up to [`MOST_IDS`] images and folders to another folder of image hosting.
    ///
    /// Of the root as the place to move to the pages say both that it is allowed and that it is not. Where it is refused,
    /// the root's own id may do: the [`Image::parent_id`] of anything in it.
    ///
    /// Protocol: `open-services.yaml`, `oss.move`.
    pub struct Move -> () = Meta::post("open/oss.move", "/api/v1/oss/file/move").effect(Effect::Same);
    {
        /// The images and folders; 1 to [`MOST_IDS`], none of them the root.
        json "fileIDs": ids: Vec<ImageId>,
        /// Where to.
        json "toParentFileID": folder: ImageId,
    }

    fn validate(&self) -> Result<()> {
        check_image_ids(&self.ids)?;
        self.folder.check_folder()
    }
}

operation! {
    /// Deletes up to [`MOST_IDS`] images for good; there is no trash in image hosting.
    ///
    /// Protocol: `open-services.yaml`, `oss.delete`.
    pub struct Delete -> () = Meta::post("open/oss.delete", "/api/v1/oss/file/delete").effect(Effect::Same);
    {
        /// The images; 1 to [`MOST_IDS`], none of them the root.
        json "fileIDs": ids: Vec<ImageId>,
    }

    fn validate(&self) -> Result<()> {
        check_image_ids(&self.ids)
    }
}

fn check_image_ids(ids: &[ImageId]) -> Result<()> {
    check_count(ids.len(), MOST_IDS)?;
    ids.iter().try_for_each(ImageId::check_entry)
}

operation! {
    /// Reads one image or folder of image hosting, with its public address.
    ///
    /// After an upload this is the only way to that address.
    ///
    /// Protocol: `open-services.yaml`, `oss.detail`.
    pub struct Detail -> Image = Meta::get("open/oss.detail", "/api/v1/oss/file/detail");
    {
        /// The image or folder; not the root.
        query "fileID": id: ImageId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

operation! {
    /// Lists one folder of image hosting, page by page.
    ///
    /// Cost: one request for every [`page_size`](Self::page_size) entries.
    ///
    /// Protocol: `open-services.yaml`, `oss.list`.
    pub struct List -> ListPage = Meta::post("open/oss.list", "/api/v1/oss/file/list").effect(Effect::None);
    {
        /// The folder; the root is allowed.
        json "parentFileId": folder: ImageId,
    }
    fixed {
        json "type": 1,
    }
    defaults {
        /// Sets how many entries a page has at most: 1 to [`MOST_IDS`], the default.
        json "limit": page_size: u32 = LARGEST_PAGE,
    }
    optional {
        /// Keeps to what was made at this moment or later.
        json "startTime": created_from: Timestamp,
        /// Keeps to what was made up to this moment.
        json "endTime": created_to: Timestamp,
        /// Begins behind this page: its [`ListPage::next`].
        json "lastFileId": after: ImageId,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_folder()?;
        check_page_size(self.page_size)?;
        match (self.created_from, self.created_to) {
            (Some(from), Some(to)) if from > to => Err(Error::invalid("the time to begin at is behind the time to end at")),
            _ => self.after.as_ref().map_or(Ok(()), ImageId::check_entry),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is 100")]
pub(super) const LARGEST_PAGE: u32 = MOST_IDS as u32;

pub(super) fn check_page_size(size: u32) -> Result<()> {
    if (1..=LARGEST_PAGE).contains(&size) {
        return Ok(());
    }
    Err(Error::invalid(format!("a page has 1 to {LARGEST_PAGE} entries, not {size}")))
}

impl Paged for List {
    type Item = Image;

    fn items(&self, page: ListPage) -> Vec<Image> {
        page.images
    }

    fn advance(&mut self, page: &ListPage) -> bool {
        self.after.clone_from(&page.next);
        page.next.is_some() && !page.images.is_empty()
    }
}

/// One page of a [`List`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ListPage {
    /// The images and folders.
    #[serde(default, rename = "fileList", deserialize_with = "wire::or_default")]
    pub images: Vec<Image>,
    /// Where the next page begins; `None` on the last (the text `-1` on the wire).
    #[serde(rename = "lastFileId", alias = "lastFileID", deserialize_with = "cursor")]
    pub next: Option<ImageId>,
}

fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ImageId>, D::Error> {
    Ok(Some(ImageId::deserialize(deserializer)?).filter(|id| id.check_entry().is_ok()))
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    fn ok(operation: impl Operation) -> bool {
        operation.validate().is_ok()
    }

    #[test]
    fn limits_are_kept_before_a_request() {
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            let images = vec![ImageId::from("i"); count];
            assert_eq!(ok(Move::new(images.clone(), "f")), fits, "move {count}");
            assert_eq!(ok(Delete::new(images)), fits, "delete {count}");
        }
        for (size, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(ok(List::new("").page_size(size)), fits, "{size}");
        }
        let (early, late) = (Timestamp::from_unix(1), Timestamp::from_unix(2));
        assert!(ok(List::new("f").created_from(early).created_to(late)));
        assert!(!ok(List::new("f").created_from(late).created_to(early)));
    }

    #[test]
    fn the_root_is_a_place_and_no_image() {
        assert!(ok(List::new(ImageId::ROOT)) && ok(Mkdir::new(ImageId::ROOT, "icons")));
        assert!(ok(Move::new([ImageId::from("i")], ImageId::ROOT)) && !ok(Move::new([ImageId::ROOT], "f")));
        assert!(!ok(Delete::new([ImageId::ROOT])) && !ok(Detail::new(ImageId::ROOT)));
        assert!(!ok(Detail::new("-1")) && !ok(List::new("-1")) && !ok(List::new("").after("-1")));
        assert!(!ok(Mkdir::new("f", "a/b")));
    }

    #[test]
    fn only_names_of_images_are_names_of_images() {
        for (name, fits) in
            [("a.png", true), ("标志.JPeG", true), (".svg", true), ("a.txt", false), ("png", false), ("a/b.png", false)]
        {
            assert_eq!(check_name(name).is_ok(), fits, "{name}");
        }
        let error = check_name("a.txt").unwrap_err().to_string();
        assert_eq!(error, "the name of an image must end in one of: png, gif, jpeg, tiff, webp, jpg, tif, svg, bmp");
    }

    #[test]
    fn only_making_a_folder_is_not_repeated() {
        assert!(!Mkdir::new("", "a").is_repeatable());
        assert!(List::new("").is_repeatable() && Delete::new([ImageId::from("i")]).is_repeatable());
    }
}
