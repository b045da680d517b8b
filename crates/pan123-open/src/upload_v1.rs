//! Version 1 of the Open Platform's upload: parts go to presigned addresses of the service's storage.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use pan123_core::{BodySource, ErrorKind, FileId, Operation, Result, SharedBody};
use pan123_transfer::{Begun, Completion, Fingerprint, Part};

use crate::{
    ops::uploads_v1::{AsyncResult, Create, Finished, PutSlice, UploadComplete, UploadUrl},
    upload::{Session, Target},
};

/// The pause between two questions whether the parts are put together; the service asks for at least this much.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a part is sent to a fresh address when the storage refuses the one that was just given.
const MOST_ADDRESSES: u32 = 2;

impl Target {
    /// Announces the file.
    pub(crate) async fn announce_v1(&self, file: &Fingerprint) -> Result<Begun<Session, FileId>> {
        let create = Create::new(self.folder, self.name.as_str(), file.md5, file.size).on_conflict(self.on_conflict);
        let created = self.client.once(&create).await?;
        Ok(match self.confirm(created, file, Create::META.id).await? {
            Ok(id) => Begun::Stored(id),
            Err(ticket) => Begun::Parts {
                session: Session { upload: ticket.id.as_str().to_owned(), server: None },
                part_size: ticket.slice_size,
            },
        })
    }

    /// Asks for the part's address and sends the part there.
    pub(crate) async fn send_part_v1(&self, session: &Session, part: &Part, body: Arc<dyn BodySource>) -> Result<()> {
        let body = SharedBody::from(body);
        let mut addresses = 1;
        loop {
            let link = self.client.once(&UploadUrl::new(session.upload.as_str(), part.number)).await?;
            match self.client.once(&PutSlice::new(link, &body)).await {
                // Addresses expire; this one may have been given out, or have waited, for too long.
                Err(error) if error.kind() == ErrorKind::LinkRejected && addresses < MOST_ADDRESSES => addresses += 1,
                result => return result,
            }
        }
    }

    /// Tells the service that all parts are sent, and then asks whether it has put them together.
    pub(crate) async fn complete_v1(&self, session: &Session) -> Result<Completion<FileId>> {
        let upload = session.upload.as_str();
        let pending = Completion::Pending { wait: Some(PAUSE) };
        if self.merging.load(Ordering::Acquire) {
            let done = self.client.once(&AsyncResult::new(upload)).await?;
            return Ok(done.stored().map_or(pending, Completion::Stored));
        }
        Ok(match self.client.once(&UploadComplete::new(upload)).await? {
            Finished::Stored(id) => Completion::Stored(id),
            Finished::Later => {
                self.merging.store(true, Ordering::Release);
                pending
            }
            Finished::Unfinished => pending,
        })
    }
}
