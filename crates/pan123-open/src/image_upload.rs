//! The `upload` verb of image hosting, as a target of the transfer engine.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pan123_core::{BodySource, BoxFuture, Error, ErrorKind, Md5, Operation, Result};
use pan123_transfer::{Begun, Completion, Fingerprint, How, Part, Progress, Source, UploadLimits, UploadTarget};
use serde::{Deserialize, Serialize};

use crate::{
    images::Images,
    ops::{
        images::{ImageId, LARGEST_IMAGE, check_name},
        images_upload::{self, Created},
    },
    upload::{PATIENT, patiently},
};

impl Images {
    /// Uploads an image: instantly where the service has its content, else in slices, of which most images have one.
    ///
    /// `source` is a path, bytes, or anything else that makes a [`Source`]. The image goes into the root folder under the name
    /// of the path unless told otherwise; bytes need a [`name`](ImageUpload::name). An image of the same content in the folder
    /// is overwritten. Nothing happens before [`send`](ImageUpload::send).
    ///
    /// Protocol: `open-services.yaml`, `image_upload`.
    pub fn upload(&self, source: impl Into<Source>) -> ImageUpload {
        let source = source.into();
        let name = source.local_path().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let target = Target {
            images: self.clone(),
            folder: ImageId::ROOT,
            name: String::new(),
            is_sent: AtomicBool::new(false),
        };
        let pipeline = self.client.pipeline();
        let engine = Engine::new(target, source, Arc::clone(pipeline.runtime())).retry(*pipeline.retry());
        ImageUpload { engine, name }
    }
}

/// An upload to image hosting that was not begun yet; see [`Images::upload`].
#[must_use = "nothing is uploaded before send"]
pub struct ImageUpload {
    engine: Engine,
    name: Option<String>,
}

type Engine = pan123_transfer::Upload<Target>;

/// An image that has been stored. [`Images::stat`] tells its public address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadedImage {
    /// Its id.
    pub id: ImageId,
    /// The name that was asked for.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: Md5,
    /// Which way it went.
    pub how: How,
}

impl From<&UploadedImage> for ImageId {
    fn from(image: &UploadedImage) -> Self {
        image.id.clone()
    }
}

impl ImageUpload {
    /// Sets the folder it goes into; the root unless told otherwise.
    pub fn into_folder(mut self, folder: impl Into<ImageId>) -> Self {
        self.engine.target_mut().folder = folder.into();
        self
    }

    /// Sets the name it gets.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Calls `callback` as the upload goes on; see [`pan123_transfer::Upload::on_progress`].
    pub fn on_progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.engine = self.engine.on_progress(callback);
        self
    }

    /// Sets how long the service may verify; see [`pan123_transfer::Upload::completion_timeout`].
    pub fn completion_timeout(mut self, timeout: Duration) -> Self {
        self.engine = self.engine.completion_timeout(timeout);
        self
    }

    /// Uploads the image.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] before any request for bytes without a name, a name that is not that of an image (see
    /// [`check_name`]), a folder in place of a file, or more than [`LARGEST_IMAGE`] bytes; otherwise as
    /// [`pan123_transfer::Upload::send`].
    pub async fn send(mut self) -> Result<UploadedImage> {
        let name = self
            .name
            .ok_or_else(|| Error::invalid("bytes have no name of their own: give the image one with name()"))?;
        check_name(&name)?;
        self.engine.target_mut().name.clone_from(&name);
        let done = self.engine.send().await?;
        let file = done.fingerprint;
        Ok(UploadedImage { id: done.stored, name, size: file.size, md5: file.md5, how: done.how })
    }
}

impl std::fmt::Debug for ImageUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageUpload")
            .field("source", self.engine.source())
            .field("name", &self.name)
            .field("folder", &self.engine.target().folder)
            .finish_non_exhaustive()
    }
}

/// One image on its way into one folder.
#[derive(Debug)]
struct Target {
    images: Images,
    folder: ImageId,
    name: String,
    /// Whether the service has taken word that all slices are sent, so that only the result is to be asked for.
    is_sent: AtomicBool,
}

/// What goes on with an upload that was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    upload: String,
}

impl Target {
    async fn announce(&self, file: &Fingerprint) -> Result<Begun<Session, ImageId>> {
        let create = images_upload::Create::new(&self.folder, self.name.as_str(), file.md5, file.size);
        match self.images.client.once(&create).await? {
            Created::Stored(id) => Ok(Begun::Stored(id)),
            Created::Unconfirmed => self.reused(file).await.map(Begun::Stored),
            Created::Wanted(ticket) => Ok(Begun::Parts {
                session: Session { upload: ticket.id.as_str().to_owned() },
                part_size: ticket.slice_size,
            }),
        }
    }

    /// Finds the image that an answer of `reuse` without an id speaks of.
    async fn reused(&self, file: &Fingerprint) -> Result<ImageId> {
        let look = || self.look(file);
        let found = patiently(&**self.images.client.pipeline().runtime(), &PATIENT, look).await;
        found.map_err(|error| error.with_may_have_happened(true))?.ok_or_else(|| {
            Error::new(ErrorKind::OutcomeUnknown, "the service said that it had the image and does not list it")
                .with_endpoint(images_upload::Create::META.id)
                .with_may_have_happened(true)
        })
    }

    /// Looks for an image of this name and content in the folder. There is at most one of that content.
    async fn look(&self, file: &Fingerprint) -> Result<Option<ImageId>> {
        let mut images = self.images.list(&self.folder);
        while let Some(image) = images.next().await? {
            if image.name == self.name && image.size == file.size && image.md5 == Some(file.md5) {
                return Ok(Some(image.id));
            }
        }
        Ok(None)
    }

    /// Sends a slice to a fresh address.
    async fn put(&self, session: &Session, part: &Part, body: Arc<dyn BodySource>) -> Result<()> {
        let client = &self.images.client;
        let address = client.once(&images_upload::UploadUrl::new(session.upload.as_str(), part.number)).await?;
        client.once(&images_upload::PutSlice::new(address, body)).await
    }
}

impl UploadTarget for Target {
    type Session = Session;
    type Stored = ImageId;

    fn limits(&self) -> UploadLimits {
        // One slice holds the largest image, as far as is known.
        UploadLimits::new(LARGEST_IMAGE, LARGEST_IMAGE)
    }

    fn begin<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Begun<Session, ImageId>>> {
        Box::pin(self.announce(file))
    }

    fn send_part<'a>(
        &'a self,
        session: &'a Session,
        part: &'a Part,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match self.put(session, part, Arc::clone(&body)).await {
                // The address has expired on the way; another is asked for once.
                Err(error) if error.kind() == ErrorKind::LinkRejected => self.put(session, part, body).await,
                sent => sent,
            }
        })
    }

    fn complete<'a>(&'a self, session: &'a Session, _parts: &'a [Part]) -> BoxFuture<'a, Result<Completion<ImageId>>> {
        Box::pin(async move {
            let (client, upload) = (&self.images.client, session.upload.as_str());
            let asked = if self.is_sent.load(Ordering::Relaxed) {
                client.once(&images_upload::UploadResult::new(upload)).await
            } else {
                client.once(&images_upload::UploadComplete::new(upload)).await
            };
            match asked {
                Ok(completion) => {
                    self.is_sent.store(true, Ordering::Relaxed);
                    Ok(match completion.stored() {
                        Some(id) => Completion::Stored(id.clone()),
                        None => Completion::Pending { wait: None },
                    })
                }
                Err(error) if error.kind() == ErrorKind::Api => {
                    Err(error
                        .with_kind(ErrorKind::UploadFailed, "the service could not store the image; start it again"))
                }
                Err(error) => Err(error),
            }
        })
    }

    fn find<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Option<ImageId>>> {
        Box::pin(self.look(file))
    }
}
