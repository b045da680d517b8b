//! Image hosting (图床) as a part of the client: folders, images, imports.

use std::{error::Error as StdError, fmt, time::Duration};

use pan123_core::{Error, ErrorKind, FileId, Items, Operation, Result, Secret, Wait};

use crate::{
    Client,
    ops::{
        MOST_IDS,
        images::{self, Image, ImageId},
        images_import::{
            self, CopyFailure, CopyState, CopyTask, OfflineDownload, OfflineState, OfflineStatus, OfflineTask,
        },
    },
};

/// How often the service is asked how far an import is; it wants at least a second between two questions.
const PAUSE: Duration = Duration::from_secs(1);

impl Client {
    /// Returns image hosting: images with public addresses, in a space of their own.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pan123_open::{Client, ops::images::ImageId};
    /// # async fn run(client: Client) -> pan123_open::Result<()> {
    /// let images = client.images();
    /// let uploaded = images.upload("logo.png").into_folder(ImageId::ROOT).send().await?;
    /// let image = images.stat(&uploaded).await?;
    /// println!("{:?}", image.url.map(|link| link.url().to_string()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn images(&self) -> Images {
        Images { client: self.clone() }
    }
}

/// Image hosting, as [`Client::images`] gives it. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Images {
    pub(crate) client: Client,
}

impl Images {
    /// Lists the images and folders of `folder`.
    ///
    /// One request for every 100 of them, made when the first is asked for.
    ///
    /// # Errors
    ///
    /// Each step of the walk can fail; asking again goes on where it stopped.
    pub fn list(&self, folder: impl Into<ImageId>) -> Items<images::List> {
        self.client.items(images::List::new(folder))
    }

    /// Returns one image or folder, with its public address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is gone, [`ErrorKind::InvalidInput`] for the root.
    pub async fn stat(&self, image: impl Into<ImageId>) -> Result<Image> {
        self.client.send(images::Detail::new(image)).await
    }

    /// Finds the image or folder called `name` in `folder`, by walking it; `None` when there is none.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn find(&self, folder: impl Into<ImageId>, name: &str) -> Result<Option<Image>> {
        let mut images = self.list(folder);
        while let Some(image) = images.next().await? {
            if image.name == name {
                return Ok(Some(image));
            }
        }
        Ok(None)
    }

    /// Makes the folder `name` in `parent` and returns its id. When the answer is lost, the folder is looked for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when the name is taken, [`ErrorKind::InvalidInput`] for a name that the service would refuse.
    pub async fn mkdir(&self, parent: impl Into<ImageId>, name: impl Into<String>) -> Result<ImageId> {
        let (parent, name) = (parent.into(), name.into());
        match self.client.send(images::Mkdir::new(&parent, name.as_str())).await {
            Err(error) if error.may_have_happened() => match self.find(parent, &name).await {
                Ok(Some(image)) if image.is_folder() => Ok(image.id),
                _ => Err(error),
            },
            made => made,
        }
    }

    /// Moves images and folders into `folder`. More than 100 are moved by several calls.
    ///
    /// The service may refuse the root under the name of [`ImageId::ROOT`], see [`images::Move`]; so one more request asks for
    /// the id that the service itself has for it, unless the root is empty.
    ///
    /// # Errors
    ///
    /// When a call fails the others are still made, unless they would fail as well, as after a ban; a [`FailedImages`] in the
    /// error's source names what was not moved.
    pub async fn move_to<I: Into<ImageId>>(
        &self,
        images: impl IntoIterator<Item = I>,
        folder: impl Into<ImageId>,
    ) -> Result<()> {
        let mut folder = folder.into();
        if folder.is_root() {
            let first = self.client.items(images::List::new(&folder).page_size(1)).next().await?;
            folder = first.map(|image| image.parent_id).unwrap_or_default();
        }
        self.batch(images, |ids| images::Move::new(ids, &folder)).await
    }

    /// Deletes images for good. More than 100 are deleted by several calls.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn delete<I: Into<ImageId>>(&self, images: impl IntoIterator<Item = I>) -> Result<()> {
        self.batch(images, images::Delete::new).await
    }

    /// Copies images of the drive, and those in its folders, into `folder`, and waits for it, up to `timeout`.
    ///
    /// Returns the images that the service could not copy. Files that are no images, or too large, are passed over; see
    /// [`images_import::CopyFromDisk`] for the limits. Dropping the future stops the waiting and not the copy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for more than [`MOST_IDS`] entries; otherwise as [`wait_for_copy`](Self::wait_for_copy).
    pub async fn copy_from_drive<I: Into<FileId>>(
        &self,
        files: impl IntoIterator<Item = I>,
        folder: impl Into<ImageId>,
        timeout: Duration,
    ) -> Result<Vec<CopyFailure>> {
        let ids: Vec<FileId> = files.into_iter().map(Into::into).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let task = self.client.send(images_import::CopyFromDisk::new(ids, folder)).await?;
        self.wait_for_copy(&task, timeout).await
    }

    /// Waits for a copy that [`CopyFromDisk`](images_import::CopyFromDisk) began, up to `timeout`, and returns the images that
    /// were not copied.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] with the service's reason when the task fails; [`ErrorKind::CompletionTimeout`] when it is still running.
    pub async fn wait_for_copy(&self, task: &CopyTask, timeout: Duration) -> Result<Vec<CopyFailure>> {
        let endpoint = images_import::CopyProcess::META.id;
        let wait = Wait { pause: PAUSE, timeout, late: "the copy is still running; wait for its task again", endpoint };
        let ask = || self.client.send(images_import::CopyProcess::new(task));
        wait.until(&**self.client.pipeline().runtime(), ask, |status| match status.state {
            CopyState::Done => Ok(Some(())),
            CopyState::Failed => Err(Error::new(ErrorKind::Api, "the images could not be copied")
                .with_endpoint(endpoint)
                .with_answer(0, &status.reason)),
            _ => Ok(None),
        })
        .await?;
        self.client.items(images_import::CopyFailures::new(task)).collect().await
    }

    /// Has the service fetch the image at `url` as `name` into `folder`, and waits for it, up to `timeout`.
    ///
    /// `progress` is told each state that the service answers. The service does not tell the new image's id: it is looked for
    /// by its name. Dropping the future stops the waiting and not the task.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for an address that is not of the web, a name that is not that of an image, and the root
    /// folder; otherwise as [`wait_for_import`](Self::wait_for_import). [`ErrorKind::NotFound`] when the task is done and the
    /// image is not listed.
    pub async fn import(
        &self,
        url: impl Into<Secret>,
        name: &str,
        folder: impl Into<ImageId>,
        timeout: Duration,
        progress: impl FnMut(OfflineStatus) + Send,
    ) -> Result<Image> {
        let folder = folder.into();
        let task = self.client.send(OfflineDownload::new(url).name(name).folder(&folder)).await?;
        self.wait_for_import(task, timeout, progress).await?;
        self.find(folder, name).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the service has fetched the image and does not list it")
                .with_endpoint(images::List::META.id)
                .with_may_have_happened(true)
        })
    }

    /// Waits for an import that [`OfflineDownload`] began, up to `timeout`. `progress` is told each state that the service answers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] when the task fails, of which the service gives no reason here; [`ErrorKind::CompletionTimeout`] when
    /// it is still running.
    pub async fn wait_for_import(
        &self,
        task: OfflineTask,
        timeout: Duration,
        mut progress: impl FnMut(OfflineStatus) + Send,
    ) -> Result<()> {
        let endpoint = images_import::OfflineProcess::META.id;
        let wait =
            Wait { pause: PAUSE, timeout, late: "the import is still running; wait for its task again", endpoint };
        let ask = || self.client.send(images_import::OfflineProcess::new(task));
        wait.until(&**self.client.pipeline().runtime(), ask, |status| {
            progress(status);
            match status.state {
                OfflineState::Done => Ok(Some(())),
                OfflineState::Failed => Err(Error::new(
                    ErrorKind::Api,
                    "the image could not be fetched; the service gives the reason to the callback only",
                )
                .with_endpoint(endpoint)),
                _ => Ok(None),
            }
        })
        .await
    }

    /// Sends one operation for every [`MOST_IDS`] images, and tells at the end which failed.
    async fn batch<I: Into<ImageId>, O: Operation<Output = ()>>(
        &self,
        images: impl IntoIterator<Item = I>,
        operation: impl Fn(Vec<ImageId>) -> O,
    ) -> Result<()> {
        let ids: Vec<ImageId> = images.into_iter().map(Into::into).collect();
        let mut failed: Vec<(ImageId, Error)> = Vec::new();
        let mut stopped: Option<Error> = None;
        for chunk in ids.chunks(MOST_IDS) {
            let sent = match &stopped {
                Some(error) => Err(error.clone()),
                None => self.client.send(operation(chunk.to_vec())).await,
            };
            if let Err(error) = sent {
                failed.extend(chunk.iter().map(|id| (id.clone(), error.clone())));
                stopped = Some(error).filter(Error::concerns_everything);
            }
        }
        let Some((_, first)) = failed.first() else {
            return Ok(());
        };
        let text = format!("{} of {} images failed, the first because: {first}", failed.len(), ids.len());
        let maybe = failed.iter().any(|(_, error)| error.may_have_happened());
        Err(Error::new(first.kind(), text).with_may_have_happened(maybe).with_source(FailedImages(failed)))
    }
}

/// Which images of a batch failed, each with its own error; all others were done.
///
/// It is the source of the error that a verb over many images gives.
///
/// # Example
///
/// ```
/// use std::error::Error as _;
/// use pan123_open::{Error, FailedImages};
///
/// fn failed(error: &Error) -> usize {
///     error.source().and_then(|source| source.downcast_ref::<FailedImages>()).map_or(0, |failed| failed.items().len())
/// }
///
/// assert_eq!(failed(&Error::invalid("another error")), 0);
/// ```
#[derive(Clone, Debug)]
pub struct FailedImages(Vec<(ImageId, Error)>);

impl FailedImages {
    /// Returns the images and their errors.
    pub fn items(&self) -> &[(ImageId, Error)] {
        &self.0
    }
}

impl fmt::Display for FailedImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images failed", self.0.len())
    }
}

impl StdError for FailedImages {}
