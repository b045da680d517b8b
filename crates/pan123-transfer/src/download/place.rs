//! The place of a downloaded file: a temporary name first, the final name when everything agrees.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use pan123_core::{Error, Result};
use tempfile::TempPath;

use crate::blocking::blocking;

/// How much of the final name is part of the temporary one, in bytes: a name may be as long as names can be.
const MOST_NAME: usize = 64;

/// A temporary file beside the final name. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    temporary: TempPath,
}

impl Place {
    /// Makes the temporary file.
    pub(super) async fn prepare(path: PathBuf) -> Result<(Self, File)> {
        blocking(|| {
            let Some(name) = path.file_name() else {
                return Err(Error::invalid("the path to download to has no file name"));
            };
            if path.is_dir() {
                return Err(Error::invalid(format!("a folder is in the file's place: {}", path.display())));
            }
            let prefix = format!(".{}.", shortened(&name.to_string_lossy()));
            let mut builder = tempfile::Builder::new();
            builder.prefix(&prefix).suffix(".pan123-part");
            // The file is the caller's in the end, and not a secret as temporary files are by default.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let made = builder.tempfile_in(folder_of(&path)).map_err(|cause| failed(&path, "made", cause))?;
            let (file, temporary) = made.into_parts();
            Ok((Self { path, temporary }, file))
        })
        .await?
    }

    /// Makes the bytes last and gives the file its final name.
    pub(super) async fn fill(self, file: File) -> Result<()> {
        let Self { path, temporary } = self;
        blocking(move || {
            file.sync_all().map_err(|cause| failed(&path, "written", cause))?;
            drop(file);
            temporary.persist(&path).map_err(|cause| failed(&path, "put in its place", cause.error))
        })
        .await?
    }

    /// Removes the temporary file.
    pub(super) async fn discard(self) {
        // Dropping removes it too; this keeps the work off the threads of the network.
        let _ = blocking(move || drop(self)).await;
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn shortened(name: &str) -> &str {
    let end = (0..=MOST_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    &name[..end.unwrap_or(0)]
}

fn failed(path: &Path, what: &str, cause: std::io::Error) -> Error {
    Error::io(format!("the downloaded file could not be {what}: {}", path.display()), cause)
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(shortened("秋天.mp4"), "秋天.mp4");
        assert_eq!(shortened(&"秋".repeat(85)), "秋".repeat(21));
        assert_eq!(shortened(&"a".repeat(255)).len(), 64);
    }
}
