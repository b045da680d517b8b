//! What a drive is used for every day, as methods of the client, each built on operations.

use std::ops::ControlFlow;

use pan123_core::{Error, ErrorKind, FileId, Items, Operation, Result, RetryPolicy, name};

use crate::{
    Client, Entry,
    ops::{
        details::{Infos, PathHistory},
        files::{List, Search},
        lists::{ListByType, MediaType},
        manage::Mkdir,
        stars::ListStarred,
    },
    walk::Walk,
};

impl Client {
    /// Lists the entries of `folder`, without those in the recycle bin, what was made last first.
    ///
    /// One request for every 100 entries, made when its first entry is asked for; at most one in 700 milliseconds unless the
    /// [limits](crate::ClientBuilder::rate_limits) say otherwise. Each entry comes once. A folder that changes meanwhile may be listed
    /// with some entries missing: [`snapshot`](Self::snapshot) notices it. For another order send [`List`] to [`items`](Self::items).
    ///
    /// Protocol: `web.yaml`, `file.list`.
    ///
    /// # Errors
    ///
    /// Each step of the walk can fail; asking again goes on where it stopped.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn run(client: pan123_web::Client) -> pan123_web::Result<()> {
    /// let mut entries = client.list(client.root());
    /// while let Some(entry) = entries.next().await? {
    ///     println!("{:>12}  {}", entry.size, entry.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self, folder: impl Into<FileId>) -> Items<List> {
        self.items(List::new(folder))
    }

    /// Walks through all that is in `folder`, and in the folders in it.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn run(client: pan123_web::Client) -> pan123_web::Result<()> {
    /// let mut walk = client.walk(client.root());
    /// while let Some(found) = walk.next().await? {
    ///     println!("{}", found.path());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn walk(&self, folder: impl Into<FileId>) -> Walk {
        Walk::new(self.clone(), folder.into())
    }

    /// Lists the entries that have a star.
    ///
    /// Protocol: `web.yaml`, `file.star_list`.
    pub fn list_starred(&self) -> Items<ListStarred> {
        self.items(ListStarred::new())
    }

    /// Lists all files of one kind of content, wherever they are in the drive.
    ///
    /// Protocol: `web.yaml`, `file.list_by_type`.
    pub fn list_by_type(&self, media: MediaType) -> Items<ListByType> {
        self.items(ListByType::new(media))
    }

    /// Looks for names in the whole drive. The index lags behind: [`find`](Self::find) does not use it.
    ///
    /// Protocol: `web.yaml`, `file.search`.
    pub fn search(&self, words: impl Into<String>) -> Items<Search> {
        self.items(Search::new(words))
    }

    /// Returns what the service knows of one file or folder.
    ///
    /// Protocol: `web.yaml`, `file.info`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is gone, [`ErrorKind::InvalidInput`] for the root folder.
    pub async fn stat(&self, file: impl Into<FileId>) -> Result<Entry> {
        self.stat_with(file.into(), self.pipeline().retry()).await
    }

    pub(crate) async fn stat_with(&self, id: FileId, retry: &RetryPolicy) -> Result<Entry> {
        self.row(id, retry).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no entry {id}, or no longer"))
                .with_endpoint(Infos::META.id)
        })
    }

    /// Reads the row of one entry, if there is one.
    pub(crate) async fn row(&self, id: FileId, retry: &RetryPolicy) -> Result<Option<Entry>> {
        let rows = self.pipeline().send_with(&Infos::new([id]), retry).await?;
        Ok(rows.into_iter().find(|entry| entry.id == id))
    }

    /// Finds the entry called `name` in `folder`, by walking it; `None` when there is none outside the recycle bin.
    ///
    /// Names are compared exactly. The service allows two entries of one name: the one made last is found. Its
    /// search is not used, as it lags behind.
    ///
    /// Protocol: `web.yaml`, `file.list`.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn find(&self, folder: impl Into<FileId>, name: &str) -> Result<Option<Entry>> {
        self.find_where(folder.into(), |entry| entry.name == name).await
    }

    pub(crate) async fn find_where(&self, folder: FileId, is_it: impl Fn(&Entry) -> bool) -> Result<Option<Entry>> {
        let mut entries = self.list(folder);
        while let Some(entry) = entries.next().await? {
            if is_it(&entry) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Finds the entry at a path such as `/films/2026/a.mp4`, from the [root](Self::root) of this client; `None` when a part of
    /// it is missing.
    ///
    /// The service knows no paths: every folder on the way is listed until the next name is found.
    ///
    /// Protocol: `web.yaml`, `file.list`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a path without a name, and for `.` and `..`; otherwise as [`list`](Self::list).
    pub async fn find_path(&self, path: &str) -> Result<Option<Entry>> {
        let names = names(path)?;
        let Some((last, above)) = names.split_last() else {
            return Err(Error::invalid("the path has no name in it; the root is known by its id"));
        };
        let mut folder = self.root();
        for name in above {
            match self.find_where(folder, |entry| entry.is_folder() && entry.name == *name).await? {
                Some(entry) => folder = entry.id,
                None => return Ok(None),
            }
        }
        self.find(folder, last).await
    }

    /// Returns the path of one file or folder, from the drive's own root, such as `/films/2026/a.mp4`.
    ///
    /// Protocol: `web.yaml`, `file.get_path_history`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is gone, [`ErrorKind::InvalidInput`] for the root folder.
    pub async fn path_of(&self, file: impl Into<FileId>) -> Result<String> {
        let id = file.into();
        let path = self.send(PathHistory::new([id])).await?.remove(&id).unwrap_or_default();
        let names = path.iter().filter(|part| !part.id.is_root()).map(|part| format!("/{}", part.name));
        Some(names.collect::<String>()).filter(|path| !path.is_empty()).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the service names no path for entry {id}"))
                .with_endpoint(PathHistory::META.id)
        })
    }

    /// Makes the folder `name` in `parent` and returns its id.
    ///
    /// When the answer is lost, the folder is looked for before anything is sent again, so that none is made twice; one
    /// that was there before counts as made then, because nobody can tell. To keep both, send [`Mkdir`].
    ///
    /// Protocol: `web.yaml`, `file.mkdir`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when the name is taken (see [`mkdir_all`](Self::mkdir_all)), [`ErrorKind::InvalidInput`] for a name
    /// that the service would refuse. [`Error::may_have_happened`] says that a look into `parent` is needed.
    pub async fn mkdir(&self, parent: impl Into<FileId>, name: impl Into<String>) -> Result<FileId> {
        let (parent, name) = (parent.into(), name.into());
        let name = name.as_str();
        let send = |()| async move { Ok(self.send(Mkdir::new(parent, name)).await?.entry.id) };
        let look = |()| async move {
            let found = self.find_where(parent, |entry| entry.is_folder() && entry.name == name).await?;
            Ok(found.map_or(ControlFlow::Continue(()), |entry| ControlFlow::Break(entry.id)))
        };
        self.settle((), send, look).await.map_err(|(error, ())| error)
    }

    /// Makes every folder of `path` below `parent` that is missing, and returns the id of the last.
    ///
    /// One request for each folder of the path: the service hands back those that are there.
    ///
    /// Protocol: `web.yaml`, `file.mkdir`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when something else has one of the names, [`ErrorKind::InvalidInput`] for a name that the service would
    /// refuse.
    pub async fn mkdir_all(&self, parent: impl Into<FileId>, path: &str) -> Result<FileId> {
        let names = names(path)?;
        let mut folder = parent.into();
        for part in names {
            let entry = self.send(Mkdir::new(folder, part).must_be_new(false)).await?.entry;
            if !entry.is_folder() || entry.name != part {
                let text = "something else stands where the path needs a folder";
                return Err(Error::new(ErrorKind::AlreadyExists, text).with_endpoint(Mkdir::META.id));
            }
            folder = entry.id;
        }
        Ok(folder)
    }
}

/// Takes a path apart and checks each name.
fn names(path: &str) -> Result<Vec<&str>> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    names.iter().try_for_each(|part| name::check(part))?;
    Ok(names)
}
