//! A token in a file: readable by its owner only, replaced whole, locked between processes.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind as IoKind, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{BoxFuture, Error, ErrorKind, Result, Secret, Timestamp, Token, TokenLock, TokenStore};

/// Keeps a token in a file that several processes can share.
///
/// The file has mode 0600, is written under another name and renamed, and holds one JSON object. A second
/// file with `.lock` behind its name is locked while a token is renewed, so that processes which share
/// the file request one token between them. The folder must exist.
///
/// # Example
///
/// ```
/// use pan123_core::{FileTokenStore, Token, TokenStore};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// let store = FileTokenStore::new(folder.path().join("token.json"));
/// store.save(&Token::new("abc")).await?;
/// assert_eq!(store.load().await?, Some(Token::new("abc")));
/// # Ok::<(), pan123_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct FileTokenStore(PathBuf);

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// The version of the file's form.
const VERSION: u32 = 1;

impl FileTokenStore {
    /// Makes a store in the file `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl TokenStore for FileTokenStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<Token>>> {
        blocking(self.0.clone(), read)
    }

    fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>> {
        let token = token.clone();
        blocking(self.0.clone(), move |path| write(path, &token))
    }

    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        blocking(self.0.clone(), |path| match std::fs::remove_file(path) {
            Err(cause) if cause.kind() != IoKind::NotFound => Err(failed("the token file could not be removed", cause)),
            _ => Ok(()),
        })
    }

    fn try_lock(&self) -> BoxFuture<'_, Result<Option<TokenLock>>> {
        blocking(self.0.clone(), |path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".lock");
            let file = owner_only()
                .create(true)
                .truncate(false)
                .open(name)
                .map_err(|cause| failed("the token's lock file could not be opened", cause))?;
            match file.try_lock() {
                Ok(()) => Ok(Some(TokenLock::holding(file))),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(cause)) => Err(failed("the token's lock file could not be locked", cause)),
            }
        })
    }
}

fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> Result<T> + Send + 'static,
) -> BoxFuture<'static, Result<T>> {
    Box::pin(async move {
        tokio::task::spawn_blocking(move || work(&path)).await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::TokenStore, "the work on the token file was interrupted").with_source(cause))
        })
    })
}

fn read(path: &Path) -> Result<Option<Token>> {
    let mut text = zeroize::Zeroizing::new(String::new());
    match File::open(path).and_then(|mut file| file.read_to_string(&mut text)) {
        Ok(_) => {}
        Err(cause) if cause.kind() == IoKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed("the token file could not be read", cause)),
    }
    // The parser's own message could quote the file, so it is left out.
    let saved: Saved =
        serde_json::from_str(&text).ok().filter(|saved: &Saved| saved.version == VERSION).ok_or_else(|| {
            Error::new(ErrorKind::TokenStore, "the token file is not one of this SDK's; remove it to start anew")
        })?;
    let mut token = Token::new(saved.access_token);
    if let Some(expires_at) = saved.expires_at {
        token = token.with_expiry(expires_at);
    }
    if let Some(refresh) = saved.refresh_token {
        token = token.with_refresh(refresh);
    }
    Ok(Some(token))
}

fn write(path: &Path, token: &Token) -> Result<()> {
    let saved = Saved {
        version: VERSION,
        access_token: token.access().expose().to_owned(),
        expires_at: token.expires_at(),
        refresh_token: token.refresh().map(Secret::expose).map(str::to_owned),
    };
    let json = zeroize::Zeroizing::new(serde_json::to_vec(&saved).expect("text and numbers can be written"));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile makes its files readable by the owner only.
    let mut file =
        tempfile::NamedTempFile::new_in(folder).map_err(|cause| failed("the token file could not be made", cause))?;
    file.write_all(&json)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|cause| failed("the token file could not be written", cause))?;
    file.persist(path).map_err(|cause| failed("the token file could not be put in place", cause.error))?;
    // A refresh token works once, so its successor must outlive a power failure. Not every file system knows how: then it is
    // as safe as it was.
    #[cfg(unix)]
    drop(File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn failed(text: &'static str, cause: std::io::Error) -> Error {
    Error::new(ErrorKind::TokenStore, text).with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_survives_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.json");
        let store = FileTokenStore::new(&path);
        assert_eq!(store.load().await.unwrap(), None);
        let token = Token::new("access").with_expiry(Timestamp::from_unix(5)).with_refresh("refresh");
        let lock = store.try_lock().await.unwrap();
        assert!(lock.is_some() && store.clone().try_lock().await.unwrap().is_none(), "one at a time");
        store.save(&token).await.unwrap();
        drop(lock);
        assert!(store.try_lock().await.unwrap().is_some());
        assert_eq!(store.load().await.unwrap(), Some(token));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "the token and its lock, and no temporary file: {names:?}");
        for _ in 0..2 {
            store.remove().await.unwrap();
            assert_eq!(store.load().await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_broken_file_is_an_error_that_does_not_quote_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.json");
        for text in ["", "{", r#"{"version":2,"access_token":"s3cret"}"#, r#"{"version":"s3cret"}"#] {
            std::fs::write(&path, text).unwrap();
            let error = FileTokenStore::new(&path).load().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TokenStore);
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
        let nowhere = FileTokenStore::new(folder.path().join("missing/token.json"));
        assert_eq!(nowhere.save(&Token::new("a")).await.unwrap_err().kind(), ErrorKind::TokenStore);
    }
}
