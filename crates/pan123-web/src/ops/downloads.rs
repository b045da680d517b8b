//! Downloads: addresses of files one by one or as an archive, and the traffic that is left.

use pan123_core::{DownloadAddress, Effect, Error, FileId, Md5, Meta, Operation, Reply, Result, operation, wire};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::post;
use crate::Entry;

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[TrafficCheck::META, DownloadInfo::META, DownloadInfoV2::META, DownloadBatch::META];

operation! {
    /// Asks how much traffic is left for downloads today, and whether these files would go beyond it.
    ///
    /// It is advice: where the check itself fails, go on and let the download say.
    ///
    /// Protocol: `web.yaml`, `download.traffic_check`.
    pub struct TrafficCheck => Traffic =
        post("web/download.traffic_check", "/api/file/download/traffic/check").effect(Effect::None);
    {
        /// The files; at least one.
        json "fids": ids: Vec<FileId>,
    }

    fn validate(&self) -> Result<()> {
        if self.ids.is_empty() {
            return Err(Error::invalid("at least one file must be given"));
        }
        self.ids.iter().try_for_each(|id| id.check_entry())
    }

    fn decode(&self, reply: Reply) -> Result<Traffic> {
        reply.data_in_any_case()
    }
}

/// What a [`TrafficCheck`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "the traffic that is left")]
#[non_exhaustive]
pub struct Traffic {
    /// Whether a download of the files will be refused.
    #[serde(rename = "istrafficexceeded", deserialize_with = "wire::truth")]
    pub is_exceeded: bool,
    /// How many bytes are left today; 0 where the service says less. A fresh account without a membership has about 10 GiB.
    #[serde(rename = "originalremaintraffic", deserialize_with = "wire::integer_or_zero")]
    pub remaining: u64,
    /// The size of the files in bytes.
    #[serde(default, rename = "originalfilesize", deserialize_with = "wire::integer_or_zero")]
    pub size: u64,
    /// The size in bytes as it counts in the service's own programs.
    #[serde(default, rename = "clientfilesize", deserialize_with = "wire::integer_or_zero")]
    pub client_size: u64,
    /// Not known what it means: it has been true while downloads worked. Do not act on it.
    #[serde(default, rename = "isblocked", deserialize_with = "wire::truth")]
    pub is_blocked: bool,
}

operation! {
    /// Asks for the address from which one file can be downloaded.
    ///
    /// The service goes by MD5 and `S3KeyFlag` and wants the rest of the row too: [`of`](Self::of) takes it from an [`Entry`].
    /// The address must be [resolved](pan123_core::Pipeline::resolve), which [`Client::link`](crate::Client::link) does. It
    /// works for a day at most; ask again when it is refused. A file of size 0 may have none.
    ///
    /// Protocol: `web.yaml`, `download.info`.
    ///
    /// # Errors
    ///
    /// [`QuotaExceeded`](pan123_core::ErrorKind::QuotaExceeded) when the day's traffic is used up.
    pub struct DownloadInfo -> DownloadAddress =
        post("web/download.info", "/api/file/download_info").effect(Effect::None);
    {
        /// The file.
        json "fileId": id: FileId,
        /// Its name.
        json "fileName": name: String,
        /// Its size in bytes.
        json "size": size: u64,
        /// The MD5 of its content.
        json "etag": md5: Md5,
        /// Where the service keeps it.
        json "s3keyFlag": s3_key_flag: String,
    }
    fixed {
        json "driveId": 0,
        json "type": 0,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

operation! {
    /// Asks as [`DownloadInfo`] does, by the newer call, whose answer needs no further resolution.
    ///
    /// Protocol: `web.yaml`, `download.info_v2`.
    ///
    /// # Errors
    ///
    /// As [`DownloadInfo`].
    pub struct DownloadInfoV2 -> DownloadAddress =
        post("web/download.info_v2", "/api/v2/file/download_info").effect(Effect::None);
    {
        /// The file.
        json "fileId": id: FileId,
        /// Its name.
        json "fileName": name: String,
        /// Its size in bytes.
        json "size": size: u64,
        /// The MD5 of its content.
        json "etag": md5: Md5,
        /// Where the service keeps it.
        json "s3keyFlag": s3_key_flag: String,
    }
    fixed {
        json "driveId": 0,
        json "type": 0,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

/// Gives both calls the constructor that takes everything from an entry.
macro_rules! of_entry {
    ($($name:ident)*) => {$(
        impl $name {
            /// Asks for the address of a file of a list.
            ///
            /// # Errors
            ///
            /// [`InvalidInput`](pan123_core::ErrorKind::InvalidInput) for a folder, and for a file without an MD5.
            pub fn of(file: &Entry) -> Result<Self> {
                match file.md5 {
                    Some(md5) if file.is_file() => {
                        Ok(Self::new(file.id, &*file.name, file.size, md5, &*file.s3_key_flag))
                    }
                    _ if file.is_folder() => Err(Error::invalid("a folder has no bytes: list it and download its files")),
                    _ => Err(Error::invalid(
                        "the service has told no MD5 of this file, and gives no address without it",
                    )),
                }
            }
        }
    )*};
}

of_entry!(DownloadInfo DownloadInfoV2);

operation! {
    /// Asks for one address for several files and folders, from which a zip archive of them comes.
    ///
    /// Its traffic counts as that of all files; single downloads serve a limited account better. Its size is not known
    /// before it has come.
    ///
    /// Protocol: `web.yaml`, `download.batch_info`.
    ///
    /// # Errors
    ///
    /// As [`DownloadInfo`].
    pub struct DownloadBatch -> DownloadAddress =
        post("web/download.batch_info", "/api/file/batch_download_info").effect(Effect::None);
    {
        /// The files and folders; at least one.
        json "fileIdList": ids: Vec<BatchItem>,
    }

    fn validate(&self) -> Result<()> {
        check_batch(&self.ids)
    }
}

operation! {
    /// Asks as [`DownloadBatch`] does, by the newer call, whose answer needs no further resolution.
    ///
    /// Protocol: `web.yaml`, `download.batch_info`, quirks.
    ///
    /// # Errors
    ///
    /// As [`DownloadInfo`].
    pub struct DownloadBatchV2 -> DownloadAddress =
        post("web/download.batch_info", "/api/v2/file/batch_download_info").effect(Effect::None);
    {
        /// The files and folders; at least one.
        json "fileIdList": ids: Vec<BatchItem>,
    }

    fn validate(&self) -> Result<()> {
        check_batch(&self.ids)
    }
}

fn check_batch(ids: &[BatchItem]) -> Result<()> {
    if ids.is_empty() {
        return Err(Error::invalid("at least one entry must be given"));
    }
    ids.iter().try_for_each(|BatchItem(id)| id.check_entry())
}

/// A file or folder of a [`DownloadBatch`], written as `{"fileId": 1}`.
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
        item.serialize_field("fileId", &self.0)?;
        item.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_with_an_md5_has_an_address() {
        const ETAG: &str = r#","Etag":"5d41402abc4b2a76b9719d911017c592""#;
        for (more, ok) in [
            (format!(r#","Type":0{ETAG}"#), true),
            (r#","Type":0"#.to_owned(), false),
            (r#","Type":1"#.to_owned(), false),
        ] {
            let json = format!(r#"{{"FileId":7,"FileName":"a","S3KeyFlag":"1-0","Size":5{more}}}"#);
            let entry: Entry = serde_json::from_str(&json).unwrap();
            assert_eq!(DownloadInfo::of(&entry).is_ok(), ok, "{more}");
            assert_eq!(DownloadInfoV2::of(&entry).is_ok(), ok, "{more}");
        }
    }

    #[test]
    fn an_empty_selection_is_refused() {
        let ids = |ids: &[i64]| ids.iter().map(|id| FileId::new(*id)).collect::<Vec<_>>();
        for (given, fits) in [(&[7, 8][..], true), (&[], false), (&[0], false)] {
            let items: Vec<BatchItem> = ids(given).into_iter().map(BatchItem::from).collect();
            assert_eq!(DownloadBatch::new(items.clone()).validate().is_ok(), fits, "{given:?}");
            assert_eq!(DownloadBatchV2::new(items).validate().is_ok(), fits, "{given:?}");
            assert_eq!(TrafficCheck::new(ids(given)).validate().is_ok(), fits, "{given:?}");
        }
    }
}
