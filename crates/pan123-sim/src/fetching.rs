//! Offline downloads of the web API: what was found behind links, and tasks that run by the simulator's clock.

use std::collections::{BTreeMap, HashMap};

use crate::content::{Content, md5_hex};
use crate::drive::{Denied, OnClash};
use crate::ops::offline::made_up;
use crate::state::State;
use crate::torrent::Torrent;

#[derive(Clone, Debug, Default)]
pub(crate) struct Fetching {
    /// What links were resolved to.
    pub(crate) resources: HashMap<i64, Resource>,
    /// The torrent files that were uploaded, by their hash.
    pub(crate) torrents: HashMap<String, Torrent>,
    pub(crate) tasks: BTreeMap<i64, Task>,
}

/// What lies behind a link.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) files: Vec<Found>,
}

/// One file behind a link.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: i64,
    /// The path below the resource's own name; a resource of one file has its name here again.
    pub(crate) path: String,
    pub(crate) size: u64,
    /// What its bytes are made up from.
    pub(crate) source: String,
}

impl Resource {
    pub(crate) fn size(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}

/// A resource that is fetched into a folder.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// With the chosen files only.
    pub(crate) resource: Resource,
    /// Whether the resource has several files, which get a folder of their own, however many of them were chosen.
    pub(crate) in_folder: bool,
    pub(crate) target: i64,
    pub(crate) state: TaskState,
    /// How long it takes in all, in milliseconds.
    pub(crate) takes_ms: i64,
    /// Whether it is going to fail.
    pub(crate) fails: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    Running { until_ms: i64 },
    Stopped { left_ms: i64 },
    Done,
    Failed,
}

impl Task {
    /// How much of it is there.
    pub(crate) fn downloaded(&self, now_ms: i64) -> u64 {
        let left_ms = match self.state {
            TaskState::Running { until_ms } => until_ms.saturating_sub(now_ms).max(0),
            TaskState::Stopped { left_ms } => left_ms,
            TaskState::Done => 0,
            TaskState::Failed => self.takes_ms,
        };
        let size = self.resource.size();
        if self.state == TaskState::Done || self.takes_ms <= 0 {
            return if self.state == TaskState::Failed { 0 } else { size };
        }
        let past_ms = self.takes_ms.saturating_sub(left_ms).clamp(0, self.takes_ms);
        (u128::from(size) * past_ms.unsigned_abs() as u128 / self.takes_ms.unsigned_abs() as u128) as u64
    }

    /// Bytes a second, while it runs.
    pub(crate) fn speed(&self) -> u64 {
        match self.state {
            TaskState::Running { .. } if self.takes_ms > 0 => {
                self.resource.size().saturating_mul(1000) / self.takes_ms.unsigned_abs()
            }
            _ => 0,
        }
    }

    pub(crate) fn stop(&mut self, now_ms: i64) {
        if let TaskState::Running { until_ms } = self.state {
            self.state = TaskState::Stopped { left_ms: until_ms.saturating_sub(now_ms) };
        }
    }

    /// Goes on with a stopped task, and begins a failed one again.
    pub(crate) fn resume(&mut self, now_ms: i64) {
        let left_ms = match self.state {
            TaskState::Stopped { left_ms } => left_ms,
            TaskState::Failed => self.takes_ms,
            TaskState::Running { .. } | TaskState::Done => return,
        };
        self.fails = self.fails && self.state != TaskState::Failed;
        self.state = TaskState::Running { until_ms: now_ms.saturating_add(left_ms) };
    }
}

impl State {
    /// Ends the tasks whose time is over, so that whoever looks finds their files.
    pub(crate) fn settle_fetching(&mut self) {
        let now_ms = self.clock.now_ms();
        let due = |task: &Task| matches!(task.state, TaskState::Running { until_ms } if until_ms <= now_ms);
        let tasks = &self.services.fetching.tasks;
        let due: Vec<i64> = tasks.iter().filter(|(_, task)| due(task)).map(|(id, _)| *id).collect();
        for id in due {
            let Some(mut task) = self.services.fetching.tasks.get(&id).cloned() else { continue };
            let ended = if task.fails { Err(Denied::Gone) } else { self.store_fetched(&task) };
            task.state = if ended.is_ok() { TaskState::Done } else { TaskState::Failed };
            self.services.fetching.tasks.insert(id, task);
        }
    }

    fn store_fetched(&mut self, task: &Task) -> Result<(), Denied> {
        if !self.drive.is_live_folder(task.target) {
            return Err(Denied::Gone);
        }
        let folder = if task.in_folder {
            self.make_folder(task.target, &task.resource.name, OnClash::KeepBoth)?
        } else {
            task.target
        };
        // Hashing takes time: a longer torrent's files have MD5s that are not those of their bytes.
        let hashed = task.resource.size() <= MOST_HASHED;
        for file in &task.resource.files {
            let (above, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            let parent = self.make_folders(folder, above.split('/').filter(|name| !name.is_empty()))?;
            let md5 = if hashed {
                made_up(self, &file.source, file.size)
            } else {
                let md5 = md5_hex(file.source.as_bytes());
                self.store(&md5, Content::seeded(file.size, 0));
                md5
            };
            self.make_file(parent, name, &md5, file.size, OnClash::KeepBoth)?;
        }
        Ok(())
    }
}

const MOST_HASHED: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn task(state: TaskState) -> Task {
        let file = Found { id: 1, path: "a".into(), size: 1000, source: "a".into() };
        let resource = Resource { kind: "http", name: "a".into(), files: vec![file] };
        Task { resource, in_folder: false, target: 0, state, takes_ms: 4000, fails: true }
    }

    #[test]
    fn a_task_stands_still_while_it_is_stopped() {
        let mut task = task(TaskState::Running { until_ms: 14_000 });
        assert_eq!((task.downloaded(11_000), task.speed()), (250, 250));
        task.stop(11_000);
        assert_eq!((task.downloaded(99_000), task.speed()), (250, 0));
        task.resume(100_000);
        assert_eq!(task.state, TaskState::Running { until_ms: 103_000 });
        assert!(task.fails);
    }

    #[test]
    fn a_failed_task_that_is_resumed_begins_again_and_does_not_fail() {
        let mut task = task(TaskState::Failed);
        assert_eq!(task.downloaded(0), 0);
        task.resume(100);
        assert_eq!(task.state, TaskState::Running { until_ms: 4100 });
        assert!(!task.fails);
    }
}
