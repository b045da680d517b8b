//! Overwriting: the new file is stored and verified under a temporary name before it takes the place of the old one.

use std::{fmt::Write, time::Duration};

use pan123_core::{Error, ErrorKind, FileId, OnConflict, Operation, Result};
use pan123_transfer::Fingerprint;

use super::target::{Stored, Target, checked, lock};
use crate::ops::{
    trash::{Delete, Trash},
    uploads::{Create, Created},
};

/// The pauses before a service that has just stored a content, and does not know it yet, is asked again.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 15];

impl Target {
    /// Returns the temporary name: one that no other upload has, and that tells people what it is.
    pub(super) fn staging_name(&self, file: &Fingerprint) -> String {
        let runtime = self.client.pipeline().runtime();
        let make = || {
            let mut chance = [0; 8];
            runtime.random(&mut chance);
            let chance = chance.iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a string takes everything");
                text
            });
            (format!(".pan123-{}-{chance}", file.md5), *file)
        };
        self.state.staging.get_or_init(make).0.clone()
    }

    /// Puts the content of the staged file in the place of the old file, in one request, and removes the staged one.
    ///
    /// The content is known to the service by now, so this is an instant upload that overwrites: the old file is whole until
    /// the service answers, and the new one from then on. Asking twice ends the same.
    pub(super) async fn replace(&self, staged: FileId, file: &Fingerprint) -> Result<Stored> {
        *lock(&self.state.staged) = Some(staged);
        let create =
            Create::new(self.folder, self.name.as_str(), file.md5, file.size).on_conflict(OnConflict::Overwrite);
        let mut pauses = PAUSES.iter();
        let entry = loop {
            match self.client.send(&create).await? {
                Created::Stored(entry) => break checked(*entry, file, Create::META.id)?,
                Created::Unconfirmed => break self.reused(&self.name, file).await?,
                Created::Wanted(_) => {
                    let pause = pauses.next().ok_or_else(|| {
                        Error::new(
                            ErrorKind::UploadFailed,
                            "the service stored the new file and would not put it in the place of the old one, which is as it was",
                        )
                        .with_endpoint(Create::META.id)
                    })?;
                    self.client.pipeline().runtime().sleep(Duration::from_secs(*pause)).await;
                }
            }
        };
        let left_behind = self.discard(staged).await;
        Ok(Stored { id: entry.id, name: entry.name, left_behind })
    }

    /// Returns the temporary file of an upload that failed, if there is or may be one.
    pub(super) async fn left_over(&self, error: &Error) -> Option<FileId> {
        match (self.state.staged(), self.state.staging.get()) {
            (Some(staged), _) => Some(staged),
            (None, Some((name, file))) if self.state.is_uncertain() && !error.concerns_everything() => {
                self.look(name, file).await.ok().flatten().map(|entry| entry.id)
            }
            _ => None,
        }
    }

    /// Deletes the staged file for ever; returns it when it can still be seen.
    pub(super) async fn discard(&self, staged: FileId) -> Option<FileId> {
        lock(&self.state.staged).take();
        // What is deleted for ever must be in the recycle bin first, where it is out of sight already.
        let trashed = self.client.send(Trash::new([staged])).await;
        let deleted = self.client.send(Delete::new([staged])).await;
        (trashed.is_err() && deleted.is_err()).then_some(staged)
    }
}
