//! Download addresses of a share's files, one by one or as an archive.

use pan123_core::{
    DownloadAddress, Effect, Error, ErrorKind, FileId, Md5, Result, Secret, operation, shares::check_password,
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{no_password, post, refine_password};
use crate::{Entry, ShareKey};

operation! {
    /// Asks for the address from which one file of a share can be downloaded.
    ///
    /// Everything that the list says of the file must be repeated: [`of`](Self::of) takes it from an [`Entry`]. The address must
    /// be [resolved](pan123_core::Pipeline::resolve). A token is sent where the client has one, and the traffic is then the
    /// caller's.
    ///
    /// Protocol: `share.yaml`, `share.download_info`.
    ///
    /// # Errors
    ///
    /// [`LoginRequired`](ErrorKind::LoginRequired) without a token, which is to be expected since November 2025,
    /// [`QuotaExceeded`](ErrorKind::QuotaExceeded) when the caller's traffic is used up, [`NotFound`](ErrorKind::NotFound) when the
    /// owner has removed the file, and those of [`List`](super::shares::List).
    pub struct DownloadInfo -> DownloadAddress =
        post("share/share.download_info", "/api/share/download/info").token_optional().effect(Effect::None);
    {
        /// The share.
        json "ShareKey": key: ShareKey,
        /// The file.
        json "FileID": id: FileId,
        /// The MD5 of its content.
        json "Etag": md5: Md5,
        /// Where the service keeps it.
        json "S3KeyFlag": s3_key_flag: String,
        /// Its size in bytes.
        json "Size": size: u64,
    }
    defaults {
        /// Sets the password of the share.
        json_secret "SharePwd": password: Secret = no_password(),
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()?;
        check_password(&self.password)
    }

    fn refine(&self, error: Error) -> Error {
        refine_password(error, &self.password)
    }
}

impl DownloadInfo {
    /// Asks for the address of a file of a list.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a folder, which has no address of its own, and
    /// [`ContentRejected`](ErrorKind::ContentRejected) for a file that the service's review has withheld.
    pub fn of(key: impl Into<ShareKey>, file: &Entry) -> Result<Self> {
        Ok(Self::new(key, file.id, content_of(file)?, &*file.s3_key_flag, file.size))
    }
}

/// Returns the MD5 of an entry that can be downloaded.
fn content_of(file: &Entry) -> Result<Md5> {
    if file.is_blocked() {
        return Err(Error::new(ErrorKind::ContentRejected, "the service's review has withheld this file"));
    }
    match file.md5 {
        Some(md5) if file.is_file() => Ok(md5),
        _ if file.is_folder() => Err(Error::invalid("a folder has no bytes: list it and download its files")),
        _ => Err(Error::invalid("the service has told no MD5 of this file, and gives no address without it")),
    }
}

operation! {
    /// Asks as [`DownloadInfo`] does, by the newer call, which is stricter about what it is sent.
    ///
    /// Protocol: `share.yaml`, `share.download_info`, quirks.
    ///
    /// # Errors
    ///
    /// As [`DownloadInfo`].
    pub struct DownloadInfoV2 -> DownloadAddress =
        post("share/share.download_info", "/api/v2/share/download/info").token_optional().effect(Effect::None);
    {
        /// The share.
        json "ShareKey": key: ShareKey,
        /// The file.
        json "fileId": id: FileId,
        /// Its name.
        json "FileName": name: String,
        /// The MD5 of its content.
        json "Etag": md5: Md5,
        /// Where the service keeps it.
        json "S3KeyFlag": s3_key_flag: String,
        /// Its size in bytes.
        json "Size": size: u64,
    }
    defaults {
        /// Sets the password of the share.
        json_secret "SharePwd": password: Secret = no_password(),
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()?;
        check_password(&self.password)
    }

    fn refine(&self, error: Error) -> Error {
        refine_password(error, &self.password)
    }
}

impl DownloadInfoV2 {
    /// Asks for the address of a file of a list.
    ///
    /// # Errors
    ///
    /// As [`DownloadInfo::of`].
    pub fn of(key: impl Into<ShareKey>, file: &Entry) -> Result<Self> {
        Ok(Self::new(key, file.id, &*file.name, content_of(file)?, &*file.s3_key_flag, file.size))
    }
}

operation! {
    /// Asks for one address for several files and folders of a share, from which a zip archive of them comes.
    ///
    /// It is a zip even of one file, and its name may lack the ending. Its size is not known before it has come.
    ///
    /// Protocol: `share.yaml`, `share.download_info_batch`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is nothing to download; otherwise as [`DownloadInfo`].
    pub struct DownloadBatch -> DownloadAddress =
        post("share/share.download_info_batch", "/api/file/batch_download_share_info")
            .token_optional()
            .effect(Effect::None);
    {
        /// The share.
        json "ShareKey": key: ShareKey,
        /// The files and folders; at least one.
        json "fileIdList": ids: Vec<BatchItem>,
    }
    defaults {
        /// Sets the password of the share.
        json_secret "SharePwd": password: Secret = no_password(),
    }

    fn validate(&self) -> Result<()> {
        check_batch(&self.ids, &self.password)
    }

    fn refine(&self, error: Error) -> Error {
        refine_password(error, &self.password)
    }
}

operation! {
    /// Asks as [`DownloadBatch`] does, by the newer call.
    ///
    /// Protocol: `share.yaml`, `share.download_info_batch`, quirks.
    ///
    /// # Errors
    ///
    /// As [`DownloadBatch`].
    pub struct DownloadBatchV2 -> DownloadAddress =
        post("share/share.download_info_batch", "/api/v2/file/batch_download_share_info")
            .token_optional()
            .effect(Effect::None);
    {
        /// The share.
        json "ShareKey": key: ShareKey,
        /// The files and folders; at least one.
        json "fileIdList": ids: Vec<BatchItem>,
    }
    defaults {
        /// Sets the password of the share.
        json_secret "SharePwd": password: Secret = no_password(),
    }

    fn validate(&self) -> Result<()> {
        check_batch(&self.ids, &self.password)
    }

    fn refine(&self, error: Error) -> Error {
        refine_password(error, &self.password)
    }
}

/// A file or folder of a [`DownloadBatch`], written as `{"FileId": 1}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchItem(FileId);

impl<I: Into<FileId>> From<I> for BatchItem {
    fn from(id: I) -> Self {
        Self(id.into())
    }
}

impl Serialize for BatchItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut item = serializer.serialize_struct("BatchItem", 1)?;
        item.serialize_field("FileId", &self.0)?;
        item.end()
    }
}

fn check_batch(ids: &[BatchItem], password: &Secret) -> Result<()> {
    if ids.is_empty() {
        return Err(Error::invalid("at least one entry must be given"));
    }
    ids.iter().try_for_each(|BatchItem(id)| id.check_entry())?;
    check_password(password)
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    fn entry(more: &str) -> Entry {
        let json = format!(r#"{{"FileId":7,"FileName":"a","S3KeyFlag":"1-0","Size":5{more}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn only_a_file_that_is_not_withheld_has_an_address() {
        const ETAG: &str = r#","Etag":"5d41402abc4b2a76b9719d911017c592""#;
        let key: ShareKey = "5LF8Vv-a1Bc".parse().unwrap();
        for (more, kind) in [
            (format!(r#","Type":0{ETAG}"#), None),
            (format!(r#","Type":0,"Status":100{ETAG}"#), None),
            (format!(r#","Type":0,"Status":101{ETAG}"#), Some(ErrorKind::ContentRejected)),
            (r#","Type":0"#.to_owned(), Some(ErrorKind::InvalidInput)),
            (r#","Type":1"#.to_owned(), Some(ErrorKind::InvalidInput)),
        ] {
            let entry = entry(&more);
            assert_eq!(DownloadInfo::of(&key, &entry).err().map(|error| error.kind()), kind, "{more}");
            assert_eq!(DownloadInfoV2::of(&key, &entry).err().map(|error| error.kind()), kind, "{more}");
        }
        let ids = |ids: &[i64]| ids.iter().map(|id| BatchItem::from(FileId::new(*id))).collect::<Vec<_>>();
        for (given, fits) in [(&[7, 8][..], true), (&[], false), (&[0], false)] {
            assert_eq!(DownloadBatch::new(&key, ids(given)).validate().is_ok(), fits, "{given:?}");
            assert_eq!(DownloadBatchV2::new(&key, ids(given)).validate().is_ok(), fits, "{given:?}");
        }
    }
}
