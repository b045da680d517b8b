//! The log: every request that arrived, and what it was answered.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::face::Face;

/// A request that the simulator received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The number of the request, from 1, in the order of arrival over all faces.
    pub sequence: u64,
    /// The simulator's clock when the request arrived.
    pub unix: i64,
    /// The face that received it.
    pub face: Face,
    /// The operation, such as `open/file.mkdir`; `None` when no operation answers that path.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The pairs of the query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body, at most 16 KiB of it.
    pub body: Bytes,
    /// How many bytes of the body arrived.
    pub body_len: u64,
    /// The HTTP status of the answer; `None` while there is none, and when the connection was dropped without one.
    pub status: Option<u16>,
    /// The code in the answer's envelope.
    pub code: Option<i64>,
    /// What the simulator noticed and let pass.
    pub note: Option<String>,
}

impl RecordedRequest {
    /// The first header of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first query parameter of exactly that name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `None` when it is none, or was too long to be kept whole.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// The last [`KEPT`] requests, and how many there were of each operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    requests: VecDeque<RecordedRequest>,
    counts: HashMap<String, usize>,
    last: u64,
}

impl Log {
    /// Takes a request in; it counts for its operation, and `also` for another one on the same path.
    pub(crate) fn begin(&mut self, mut request: RecordedRequest, also: Option<&str>) -> u64 {
        self.last += 1;
        request.sequence = self.last;
        for op in request.operation.as_deref().into_iter().chain(also) {
            *self.counts.entry(op.to_owned()).or_default() += 1;
        }
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        self.last
    }

    pub(crate) fn change(&mut self, sequence: u64, change: impl FnOnce(&mut RecordedRequest)) {
        if let Some(first) = self.requests.front().map(|request| request.sequence)
            && let Some(index) = sequence.checked_sub(first).and_then(|index| usize::try_from(index).ok())
            && let Some(request) = self.requests.get_mut(index)
        {
            change(request);
        }
    }

    pub(crate) fn count(&self, op: &str) -> usize {
        self.counts.get(op).copied().unwrap_or_default()
    }

    /// How many requests there were of each operation.
    pub(crate) fn counts(&self) -> &HashMap<String, usize> {
        &self.counts
    }

    pub(crate) fn since(&self, sequence: u64) -> impl Iterator<Item = &RecordedRequest> {
        self.requests.iter().filter(move |request| request.sequence > sequence)
    }

    /// Forgets the requests; the numbers go on.
    pub(crate) fn clear(&mut self) {
        self.requests.clear();
        self.counts.clear();
    }
}

/// How many requests are kept; older ones are forgotten.
const KEPT: usize = 50_000;

/// How much of a body is kept.
pub(crate) const BODY_KEPT: usize = 16 * 1024;
