//! What a test can ask of the services beside the drive: shares, image hosting, transcoding.

use bytes::Bytes;

use crate::content::{Content, md5_hex};
use crate::drive::{Kind, OnClash, ROOT};
use crate::gallery::{id_text, node, parse_id};
use crate::ops::cdn;
use crate::ops::downloads::DownloadForm;
use crate::shares::{Sale, Share, ShareOptions, Standing, StoredShare};
use crate::simulator::{Simulator, StoredFile, made, stored};
use crate::video::{SPACE, is_in_space};

/// An entry of the simulated image hosting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredImage {
    /// The id on the wire, an opaque text.
    pub id: String,
    /// The name.
    pub name: String,
    /// The path below the root, beginning with a slash.
    pub path: String,
    /// The size in bytes, 0 for folders.
    pub size: u64,
    /// The MD5 in lower-case hex, empty for folders.
    pub md5: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Its public address, empty for folders.
    pub url: String,
}

impl Simulator {
    /// Gives a token of the web API, as a login does; of these, too, only the last three live.
    #[must_use]
    pub fn web_token(&self) -> String {
        self.shared.web_token()
    }

    /// Whether the account's traffic for downloads is used up: then a download out of a share answers code 5113.
    pub fn use_up_traffic(&self, used_up: bool) {
        self.shared.state().traffic_used_up = used_up;
    }

    /// The form in which the web API and the share face tell addresses of downloads.
    pub fn tell_downloads(&self, form: DownloadForm) {
        self.shared.state().download_form = form;
    }

    /// Shares files and folders of the drive by their paths, and gives the share's key; `/` shares all that lies in the
    /// root.
    ///
    /// # Panics
    ///
    /// When nothing is at a path.
    #[track_caller]
    pub fn share(&self, paths: &[&str], options: ShareOptions) -> String {
        match self.shared.state().share_paths(paths, options) {
            Ok(key) => key,
            Err(path) => panic!("nothing is at `{path}` to be shared"),
        }
    }

    /// All shares, oldest first.
    #[must_use]
    pub fn shares(&self) -> Vec<StoredShare> {
        self.shared.state().shares.all().map(Share::stored).collect()
    }

    /// Cancels a share, as its owner does on the website.
    ///
    /// # Panics
    ///
    /// When there is no share of that key; so do the other calls about one share.
    #[track_caller]
    pub fn cancel_share(&self, key: &str) {
        self.with_share(key, |share| share.standing = Standing::Cancelled);
    }

    /// Blocks a share, as the service's review does.
    ///
    /// # Panics
    ///
    /// As [`cancel_share`](Self::cancel_share).
    #[track_caller]
    pub fn block_share(&self, key: &str) {
        self.with_share(key, |share| share.standing = Standing::Blocked);
    }

    /// Sets the price of a share in yuan, which the service also shows with decimals; a free share becomes a paid one.
    ///
    /// # Panics
    ///
    /// As [`cancel_share`](Self::cancel_share).
    #[track_caller]
    pub fn set_share_price(&self, key: &str, yuan: f64) {
        self.with_share(key, |share| {
            let (orders, income) = share.sale.map_or((0, 0.0), |sale| (sale.orders, sale.income));
            share.sale = Some(Sale { price: yuan, orders, income });
        });
    }

    /// Sells a paid share once, at its price; its files can then be had by everybody who is logged in.
    ///
    /// # Panics
    ///
    /// As [`cancel_share`](Self::cancel_share).
    #[track_caller]
    pub fn sell_share(&self, key: &str) {
        self.with_share(key, |share| {
            if let Some(sale) = &mut share.sale {
                sale.orders += 1;
                sale.income += sale.price;
            }
        });
    }

    #[track_caller]
    fn with_share(&self, key: &str, change: impl FnOnce(&mut Share)) {
        match self.shared.state().shares.by_key_mut(key) {
            Some(share) => change(share),
            None => panic!("there is no share `{key}`"),
        }
    }

    /// Puts an image at a path of image hosting, making folders; gives its id. The names are not checked.
    ///
    /// # Panics
    ///
    /// When the path cannot be.
    #[track_caller]
    pub fn put_image(&self, path: &str, bytes: impl Into<Bytes>) -> String {
        let bytes = bytes.into();
        let (md5, size) = (md5_hex(&bytes), bytes.len() as u64);
        let mut state = self.shared.state();
        state.store(&md5, Content::whole(bytes));
        let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let name = names.pop().unwrap_or_default();
        let now = state.clock.now();
        let mut folder = ROOT;
        for name in names {
            folder = match state.gallery.tree.child(folder, name).map(|node| node.id) {
                Some(id) => id,
                None => {
                    let id = state.new_id();
                    let kind = Kind::Folder { direct_link: false };
                    made(path, state.gallery.tree.add(node(id, folder, name, now, kind), OnClash::Refuse))
                }
            };
        }
        match state.make_image(folder, name, &md5, size) {
            Ok(id) => id_text(id),
            Err(refusal) => panic!("`{path}` cannot be made: {refusal:?}"),
        }
    }

    /// All folders and images of image hosting, by age.
    #[must_use]
    pub fn images(&self) -> Vec<StoredImage> {
        let state = self.shared.state();
        let tree = &state.gallery.tree;
        let shown = |node: &crate::drive::Node| StoredImage {
            id: id_text(node.id),
            name: node.name.clone(),
            path: tree.path(node.id),
            size: node.size(),
            md5: node.md5().to_owned(),
            folder: node.is_folder(),
            url: if node.is_folder() { String::new() } else { cdn::image_url(&self.shared, &state.gallery, node.id) },
        };
        tree.all().map(shown).collect()
    }

    /// Turns an image down, as the service's review does: its state is above 100, and its address serves nothing.
    pub fn reject_image(&self, id: &str) {
        self.shared.state().gallery.rejected.extend(parse_id(id));
    }

    /// Makes image hosting refuse a file of the drive, so that a copy of it is in the list of failures.
    pub fn break_image(&self, file_id: i64) {
        self.shared.state().broken_images.insert(file_id);
    }

    /// Puts a video of made-up bytes into the transcoding space; gives its id there.
    ///
    /// # Panics
    ///
    /// When the name is forbidden.
    #[track_caller]
    pub fn put_video(&self, name: &str, size: u64, seed: u64) -> i64 {
        let md5 = crate::content::seeded_md5(size, seed);
        let mut state = self.shared.state();
        state.store(&md5, Content::seeded(size, seed));
        let folder = state.transcode_folder();
        made(name, state.make_file(folder, name, &md5, size, OnClash::KeepBoth))
    }

    /// The files of the transcoding space, by id.
    #[must_use]
    pub fn videos(&self) -> Vec<StoredFile> {
        let state = self.shared.state();
        let drive = &state.drive;
        let inside = drive.all().filter(|node| node.parent != SPACE && is_in_space(drive, node.id));
        inside.map(|node| stored(drive, node)).collect()
    }
}
