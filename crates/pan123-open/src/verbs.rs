//! What a drive is used for every day, as methods of the client, each built on operations.

use pan123_core::{AccountId, Error, ErrorKind, FileId, Items, Operation, Result, batch, name};

use crate::{
    Client, Entry,
    ops::{self, files, user},
    walk::Walk,
};

/// How many entries one call of a batch verb takes; more are split over several calls.
const BATCH: usize = ops::MOST_IDS;

impl Client {
    /// Lists the entries of `folder`, without those in the trash.
    ///
    /// One request for every 100 entries, made when its first entry is asked for. The order is the service's.
    ///
    /// # Errors
    ///
    /// Each step of the walk can fail; asking again goes on where it stopped.
    pub fn list(&self, folder: impl Into<FileId>) -> Items<files::List> {
        self.items(files::List::new(folder))
    }

    /// Walks through all that is in `folder`, and in the folders in it, without what is in the trash.
    ///
    /// A folder is listed when its first entry is asked for.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn run(client: pan123_open::Client) -> pan123_open::Result<()> {
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

    /// Returns what the service knows of one file or folder. A folder's size is that of everything in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is gone, [`ErrorKind::InvalidInput`] for the root folder.
    pub async fn stat(&self, file: impl Into<FileId>) -> Result<Entry> {
        self.send(files::Detail::new(file)).await
    }

    /// Finds the entry called `name` in `folder`, by walking it; `None` when there is none outside the trash.
    ///
    /// The service's search is not used: it lags behind and ignores the folder.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn find(&self, folder: impl Into<FileId>, name: &str) -> Result<Option<Entry>> {
        let mut entries = self.list(folder);
        while let Some(entry) = entries.next().await? {
            if entry.name == name {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Makes the folder `name` in `parent` and returns its id.
    ///
    /// When the answer is lost, the folder is looked for, so that none is made twice; one that was there before counts
    /// as made then, because nobody can tell.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when the name is taken (see [`mkdir_all`](Self::mkdir_all)), [`ErrorKind::InvalidInput`] for a name
    /// that the service would refuse.
    pub async fn mkdir(&self, parent: impl Into<FileId>, name: impl Into<String>) -> Result<FileId> {
        let (parent, name) = (parent.into(), name.into());
        match self.send(files::Mkdir::new(parent, name.as_str())).await {
            Err(error) if error.may_have_happened() => match self.find(parent, &name).await {
                Ok(Some(entry)) if entry.is_folder() => Ok(entry.id),
                _ => Err(error),
            },
            made => made,
        }
    }

    /// Makes every folder of `path` below `parent` that is missing, and returns the id of the last.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when a file has one of the names, [`ErrorKind::InvalidInput`] for a name that the service would refuse.
    pub async fn mkdir_all(&self, parent: impl Into<FileId>, path: &str) -> Result<FileId> {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        names.iter().try_for_each(|part| name::check(part))?;
        let mut folder = parent.into();
        for part in names {
            folder = match self.find(folder, part).await? {
                Some(entry) if entry.is_folder() => entry.id,
                Some(_) => {
                    return Err(Error::new(ErrorKind::AlreadyExists, "a file stands where the path needs a folder")
                        .with_endpoint("open/file.mkdir"));
                }
                None => self.mkdir(folder, part).await?,
            };
        }
        Ok(folder)
    }

    /// Moves files and folders to the trash. More than 100 are moved by several calls.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn trash<I: Into<FileId>>(&self, files: impl IntoIterator<Item = I>) -> Result<()> {
        self.batch(files, files::Trash::new).await
    }

    /// Returns the account's profile, its space and its membership.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn user_info(&self) -> Result<user::Account> {
        self.send(user::UserInfo::new()).await
    }

    /// Returns the account's id: as given to the builder, or asked from the service once.
    ///
    /// # Errors
    ///
    /// Those of [`user_info`](Self::user_info).
    pub async fn account_id(&self) -> Result<AccountId> {
        self.inner().account.get_or_try_init(|| async { self.user_info().await.map(|info| info.id) }).await.copied()
    }

    pub(crate) async fn batch<I: Into<FileId>, O: Operation<Output = ()>>(
        &self,
        files: impl IntoIterator<Item = I>,
        operation: impl Fn(Vec<FileId>) -> O,
    ) -> Result<()> {
        self.batch_with(files, operation, |()| ()).await
    }

    pub(crate) async fn batch_with<I: Into<FileId>, O: Operation>(
        &self,
        files: impl IntoIterator<Item = I>,
        operation: impl Fn(Vec<FileId>) -> O,
        each: impl FnMut(O::Output),
    ) -> Result<()> {
        let ids: Vec<FileId> = files.into_iter().map(Into::into).collect();
        batch::run(&ids, BATCH, |ids| self.send(operation(ids)), each).await
    }
}
