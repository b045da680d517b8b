//! Putting the files of a link into a drive, each with an outcome of its own.

use std::collections::HashMap;

use super::{RapidFile, RapidLink};
use crate::{BoxFuture, Error, FileId, Md5, Result};

/// A drive that takes a file by its digest alone, when the service has the content already (秒传).
///
/// The clients of the Open Platform and of the web API are such drives.
pub trait InstantUpload: Send + Sync {
    /// Finds the folder `name` in `parent`, or makes it, and returns its id.
    fn make_folder<'a>(&'a self, parent: FileId, name: &'a str) -> BoxFuture<'a, Result<FileId>>;

    /// Asks for a file of this content, and returns its id; `None` when the service wants the bytes.
    ///
    /// A taken name is an error, [`AlreadyExists`](crate::ErrorKind::AlreadyExists).
    fn instant_upload<'a>(
        &'a self,
        folder: FileId,
        name: &'a str,
        md5: Md5,
        size: u64,
    ) -> BoxFuture<'a, Result<Option<FileId>>>;
}

/// What became of one file of a link.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Import {
    /// The file.
    pub file: RapidFile,
    /// What became of it.
    pub outcome: ImportOutcome,
}

/// How the import of a file ended.
#[derive(Clone, Debug)]
pub enum ImportOutcome {
    /// It is in the drive, under this id.
    Stored(FileId),
    /// The service has no content of this MD5 and size, or no longer: only somebody who has the bytes can upload it.
    Missing,
    /// It could not be asked for, or was refused.
    Failed(Error),
}

impl ImportOutcome {
    /// Returns the id of a file that was stored.
    pub fn stored(&self) -> Option<FileId> {
        match self {
            Self::Stored(id) => Some(*id),
            Self::Missing | Self::Failed(_) => None,
        }
    }
}

impl RapidLink {
    /// Puts the files into `folder` of a drive, with the folders on their way, and says of each what became of it.
    ///
    /// One request is made for each file and one or two for each folder, one after the other. An error that the next
    /// call is bound to meet as well, such as a refused token, ends the requests; the files behind it fail with it.
    ///
    /// The service goes by MD5 and size alone: it cannot be told whether the content is what a name promises.
    pub async fn import(&self, drive: &dyn InstantUpload, folder: FileId) -> Vec<Import> {
        let mut folders = Folders { drive, made: HashMap::from([(String::new(), Ok(folder))]), stopped: None };
        let mut imports = Vec::with_capacity(self.files().len());
        for file in self.files() {
            let outcome = match folders.import(file).await {
                Ok(Some(id)) => ImportOutcome::Stored(id),
                Ok(None) => ImportOutcome::Missing,
                Err(error) => ImportOutcome::Failed(error),
            };
            imports.push(Import { file: file.clone(), outcome });
        }
        imports
    }
}

/// The folders made so far, by their path.
struct Folders<'a> {
    drive: &'a dyn InstantUpload,
    made: HashMap<String, Result<FileId>>,
    stopped: Option<Error>,
}

impl Folders<'_> {
    async fn import(&mut self, file: &RapidFile) -> Result<Option<FileId>> {
        let folder = self.folder(file.folder()).await?;
        self.goes_on()?;
        let stored = self.drive.instant_upload(folder, file.name(), file.md5(), file.size()).await;
        self.note(&stored);
        stored
    }

    /// Returns the folder of a path; each folder on the way is asked for once, also when it cannot be made.
    async fn folder(&mut self, path: &str) -> Result<FileId> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        let mut folder = self.made[""].clone()?;
        let mut begin = 0;
        for end in ends.filter(|_| !path.is_empty()) {
            folder = match self.made.get(&path[..end]) {
                Some(made) => made.clone()?,
                None => {
                    self.goes_on()?;
                    let made = self.drive.make_folder(folder, &path[begin..end]).await;
                    self.note(&made);
                    self.made.insert(path[..end].to_owned(), made.clone());
                    made?
                }
            };
            begin = end + 1;
        }
        Ok(folder)
    }

    fn goes_on(&self) -> Result<()> {
        self.stopped.clone().map_or(Ok(()), Err)
    }

    fn note<T>(&mut self, result: &Result<T>) {
        if let Some(error) = result.as_ref().err().filter(|error| error.concerns_everything()) {
            self.stopped = Some(error.clone());
        }
    }
}
