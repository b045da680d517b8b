//! Archives: looking into one, and unpacking it, both as tasks of the service's.

use pan123_core::{Error, FileId, Reply, Result, Secret, open_enum, operation, wire};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::{get, post};
use crate::EntryKind;

operation! {
    /// Begins to read what an archive holds; [`ArchiveProgress`] tells it when it is done.
    ///
    /// Protocol: `web.yaml`, `file.archive_list`.
    pub struct ReadArchive => ArchiveTask = get("web/file.archive_list", "/api/restful/goapi/v1/archive/file/list");
    {
        /// The archive.
        query "fileId": id: FileId,
    }
    optional {
        /// Sets the password that the archive was packed with.
        query_secret "password": password: Secret,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }

    fn decode(&self, reply: Reply) -> Result<ArchiveTask> {
        reply.data_in_any_case().map(|started: Started| started.task)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a task")]
struct Started {
    #[serde(rename = "taskid")]
    task: ArchiveTask,
}

/// A task about an archive that the service works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ArchiveTask(i64);

impl ArchiveTask {
    /// Makes a task from its number.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for ArchiveTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::integer(deserializer).map(Self)
    }
}

operation! {
    /// Asks how far a task about an archive is, and what the archive holds.
    ///
    /// Protocol: `web.yaml`, `file.archive_status`.
    pub struct ArchiveProgress -> ArchiveStatus =
        get("web/file.archive_status", "/api/restful/goapi/v1/archive/file/status");
    {
        /// The archive.
        query "fileId": id: FileId,
        /// The task.
        query "taskId": task: ArchiveTask,
        /// What the task does.
        query "taskType": work: ArchiveWork,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }
}

open_enum! {
    /// What a task does to an archive.
    pub enum ArchiveWork {
        /// It reads what the archive holds.
        Reading = 1,
        /// It unpacks some of it.
        Unpacking = 2,
    }
}

/// How far a task about an archive is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "the state of a task about an archive")]
#[non_exhaustive]
pub struct ArchiveStatus {
    /// How far it is.
    #[serde(alias = "State")]
    pub state: ArchiveState,
    /// What the archive holds, once it has been read.
    // Not read in any case of letters at once, as other answers are: members are sent back as they came.
    #[serde(default, rename = "list", alias = "List", deserialize_with = "wire::or_default")]
    pub members: Vec<ArchiveMember>,
}

open_enum! {
    /// The states of a task about an archive.
    pub enum ArchiveState {
        /// It does not run.
        Waiting = 0,
        /// It runs.
        Running = 1,
        /// It is done.
        Done = 2,
        /// It has failed.
        Failed = 3,
    }
}

/// A file or folder in an archive. It is sent back to the service as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveMember {
    /// The name, without a path. It comes from whoever made the archive.
    pub name: String,
    /// Where it is in the archive, as the archive says. It may lead anywhere: check it before it becomes a local path.
    pub path: String,
    /// File or folder.
    pub kind: EntryKind,
    /// The size in bytes, unpacked.
    pub size: u64,
    /// What a folder holds, where the service tells it.
    pub children: Vec<Self>,
    raw: Value,
}

#[derive(Deserialize)]
#[serde(expecting = "a member of an archive")]
struct MemberRow {
    #[serde(rename = "filename")]
    name: String,
    #[serde(default, rename = "filepath", deserialize_with = "wire::or_default")]
    path: String,
    #[serde(rename = "filetype")]
    kind: EntryKind,
    #[serde(default, rename = "filesize", deserialize_with = "wire::integer_or_zero")]
    size: u64,
}

impl<'de> Deserialize<'de> for ArchiveMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let wire::AnyCase(row) = wire::AnyCase::<MemberRow>::deserialize(&raw).map_err(de::Error::custom)?;
        // Each child keeps its own spelling too.
        let mut members = raw.as_object().into_iter().flatten();
        let children = members.find(|(name, _)| name.eq_ignore_ascii_case("childFiles")).map(|(_, list)| list);
        let children = children.map(Option::<Vec<Self>>::deserialize).transpose().map_err(de::Error::custom)?;
        Ok(Self {
            name: row.name,
            path: row.path,
            kind: row.kind,
            size: row.size,
            children: children.flatten().unwrap_or_default(),
            raw,
        })
    }
}

impl Serialize for ArchiveMember {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

operation! {
    /// Begins to unpack members of an archive into a folder of the drive; [`ArchiveProgress`] tells when it is done.
    ///
    /// It is not sent again after a lost answer: look into the folder first.
    ///
    /// Protocol: `web.yaml`, `file.archive_uncompress`.
    pub struct Extract -> () =
        post("web/file.archive_uncompress", "/api/restful/goapi/v1/archive/file/uncompress");
    {
        /// The archive.
        json "fileId": id: FileId,
        /// The task that has read it.
        json "taskId": task: ArchiveTask,
        /// What to unpack: members as [`ArchiveProgress`] gave them; at least one.
        json "list": members: Vec<ArchiveMember>,
        /// Where to; the root is allowed.
        json "targetFileId": folder: FileId,
    }
    defaults {
        /// Sets the password that the archive was packed with.
        json_secret "password": password: Secret = Secret::from(""),
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()?;
        self.folder.check_folder()?;
        if self.members.is_empty() {
            return Err(Error::invalid("there is nothing to unpack"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    const MEMBER: &str = r#"{"fontId":"1","FileName":"a","filePath":"a","fileType":"1","fileSize":"3","childFiles":[
        {"fontId":"2","fileName":"b","filePath":"a/b","fileType":0,"fileSize":3,"childFiles":null}]}"#;

    #[test]
    fn a_member_is_sent_back_as_it_came() {
        let member: ArchiveMember = serde_json::from_str(MEMBER).unwrap();
        assert_eq!((member.kind, member.size, member.children.len()), (EntryKind::Folder, 3, 1));
        let sent: Value = serde_json::from_str(MEMBER).unwrap();
        assert_eq!(serde_json::to_value(&member).unwrap(), sent);
        assert_eq!(serde_json::to_value(&member.children[0]).unwrap(), sent["childFiles"][0]);
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before_a_request() {
        let (file, root, task) = (FileId::new(1), FileId::ROOT, ArchiveTask::new(1));
        let member = || vec![serde_json::from_str::<ArchiveMember>(MEMBER).unwrap()];
        assert!(ReadArchive::new(root).validate().is_err() && ReadArchive::new(file).validate().is_ok());
        assert!(Extract::new(file, task, member(), root).validate().is_ok());
        assert!(Extract::new(file, task, vec![], root).validate().is_err());
        assert!(Extract::new(root, task, member(), root).validate().is_err());
        assert!(!Extract::new(file, task, member(), root).is_repeatable());
    }
}
