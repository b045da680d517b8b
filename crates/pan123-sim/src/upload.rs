//! Uploads in progress: tickets and the slices that arrived for them.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::drive::OnClash;

#[derive(Clone, Debug, Default)]
pub(crate) struct Uploads {
    tickets: HashMap<String, Ticket>,
}

/// One announced file.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) parent: i64,
    pub(crate) name: String,
    pub(crate) md5: String,
    pub(crate) size: u64,
    pub(crate) on_clash: OnClash,
    /// Whether it goes to image hosting and not to the drive.
    pub(crate) image: bool,
    pub(crate) slice_size: u64,
    pub(crate) slices: BTreeMap<u64, Slice>,
    pub(crate) stage: Stage,
    /// How often completion was asked for.
    pub(crate) asked: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Slice {
    pub(crate) size: u64,
    /// The MD5 that was claimed, and checked unless nothing is verified.
    pub(crate) md5: String,
    /// Empty when bytes are only counted.
    pub(crate) bytes: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    /// Somebody is verifying the whole file.
    Verifying,
    Done(i64),
    Failed,
}

impl Ticket {
    /// How many slices make the file; an empty file is one empty slice.
    pub(crate) fn slice_count(&self) -> u64 {
        self.size.div_ceil(self.slice_size.max(1)).max(1)
    }

    /// The size that a slice must have, `None` when there is no such slice.
    pub(crate) fn slice_length(&self, number: u64) -> Option<u64> {
        let start = number.checked_sub(1)?.checked_mul(self.slice_size)?;
        (number <= self.slice_count()).then(|| (self.size - start.min(self.size)).min(self.slice_size))
    }

    /// The first slice that has not arrived.
    pub(crate) fn missing_slice(&self) -> Option<u64> {
        (1..=self.slice_count()).find(|number| !self.slices.contains_key(number))
    }
}

impl Uploads {
    pub(crate) fn open(&mut self, id: String, ticket: Ticket) {
        self.tickets.insert(id, ticket);
    }

    pub(crate) fn ticket_mut(&mut self, id: &str) -> Option<&mut Ticket> {
        self.tickets.get_mut(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(size: u64) -> Ticket {
        Ticket {
            parent: 0,
            name: "a".into(),
            md5: String::new(),
            size,
            on_clash: OnClash::Refuse,
            image: false,
            slice_size: 10,
            slices: BTreeMap::new(),
            stage: Stage::Open,
            asked: 0,
        }
    }

    #[test]
    fn all_slices_but_the_last_are_full() {
        assert_eq!([1, 2, 3, 4].map(|number| ticket(25).slice_length(number)), [Some(10), Some(10), Some(5), None]);
        assert_eq!([0, 1, 2].map(|number| ticket(10).slice_length(number)), [None, Some(10), None]);
        assert_eq!([1, 2].map(|number| ticket(0).slice_length(number)), [Some(0), None]);
    }
}
