//! Scripted faults: which call goes wrong, when, and how.

use std::time::Duration;

use bytes::Bytes;

/// A fault that a test plans: "the second slice answers status 500, and nothing is stored".
///
/// A fault names an operation (`open/upload_v2.slice`; `open/*` and `*` match several), the calls it meets (by default the
/// first one after it was planned), the moment, and what goes wrong. With nothing else said the call is answered with
/// status 500 before anything is applied.
///
/// ```
/// use pan123_sim::Fault;
///
/// let fault = Fault::on("open/upload_v2.slice").nth(2).status(500).before();
/// let lost = Fault::on("open/upload_v2.upload_complete").drop_answer();
/// let busy = Fault::on("open/*").times(3).code(429).message("操作频繁");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is given to `Simulator::fault`"]
pub struct Fault {
    pub(crate) op: String,
    pub(crate) nth: u64,
    pub(crate) times: Option<u64>,
    pub(crate) when: When,
    pub(crate) script: Script,
}

/// The moment of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
    During,
}

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<i64>,
    pub(crate) message: Option<String>,
    pub(crate) code_text: Option<String>,
    pub(crate) body: Option<(String, Bytes)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) delay: Option<Duration>,
    pub(crate) cut_after: Option<u64>,
    pub(crate) drop_answer: bool,
    pub(crate) stall_after: Option<Option<u64>>,
    pub(crate) content_length: Option<u64>,
    pub(crate) ignore_range: bool,
    pub(crate) corrupt: bool,
    pub(crate) duplicate: bool,
    pub(crate) challenge: bool,
    pub(crate) oddity: Option<Oddity>,
}

/// Answers that the real service gives now and then, and that only the operation itself can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    PartSize(i64),
    Incomplete,
    ReuseWithoutId { late: u32 },
    UploadFailed,
    TaskPending,
    TaskFails,
    TaskStatus(i64),
    NoTaskId,
    SpaceFull,
    ListsLate(u32),
    Rows(u32),
    TotalOff(i64),
    RepeatsRow,
    SameNext,
    PhantomReuse,
    StorageKeys,
    SomeStorageKeys,
}

impl Fault {
    /// Plans a fault for an operation, such as `open/file.mkdir`; a trailing `*` matches any ending.
    pub fn on(op: impl Into<String>) -> Self {
        Self { op: op.into(), nth: 1, times: Some(1), when: When::Before, script: Script::default() }
    }

    /// Meets the `n`-th matching call, counted from 1 and from the moment that the fault is planned.
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = n.max(1);
        self
    }

    /// Meets `count` calls in a row, from the `nth` on.
    pub fn times(mut self, count: u64) -> Self {
        self.times = Some(count);
        self
    }

    /// Meets every call from the `nth` on.
    pub fn every(mut self) -> Self {
        self.times = None;
        self
    }

    /// Happens before anything is applied (the default). The request's body is read and thrown away.
    pub fn before(mut self) -> Self {
        self.when = When::Before;
        self
    }

    /// Happens after the call was carried out: only the answer goes wrong.
    pub fn after(mut self) -> Self {
        self.when = When::After;
        self
    }

    /// Cuts in the middle.
    ///
    /// An upload is cut while its body arrives, half way or after the bytes given to [`cut_after`](Self::cut_after), and
    /// nothing is stored. Any other call is carried out and its answer is cut half way.
    pub fn during(mut self) -> Self {
        self.when = When::During;
        self
    }

    /// Answers with this HTTP status, and an HTML page like a gateway's unless a code or a body is given too.
    pub fn status(mut self, status: u16) -> Self {
        self.script.status = Some(status);
        self
    }

    /// Answers with an envelope of this code, `data` null.
    pub fn code(mut self, code: i64) -> Self {
        self.script.code = Some(code);
        self
    }

    /// The message of the envelope.
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.script.message = Some(text.into());
        self
    }

    /// Gives the envelope's code as a JSON string. [`after`](Self::after) the call, the rest of the answer stays as it is.
    pub fn code_text(mut self, text: impl Into<String>) -> Self {
        self.script.code_text = Some(text.into());
        self
    }

    /// Answers with this body: an HTML page with status 200, JSON that ends too early.
    pub fn body(mut self, content_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.script.body = Some((content_type.into(), bytes.into()));
        self
    }

    /// Adds a header to the answer, such as `Retry-After`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.script.headers.push((name.into(), value.into()));
        self
    }

    /// Waits before the call is looked at. Alone, it changes nothing else.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.script.delay = Some(delay);
        self
    }

    /// Closes the connection after this many bytes of the answer's body. The call is carried out.
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.script.cut_after = Some(bytes);
        self.applied()
    }

    /// Carries the call out, then closes the connection without an answer.
    pub fn drop_answer(mut self) -> Self {
        self.script.drop_answer = true;
        self.applied()
    }

    /// Sends nothing at all and keeps the connection open until the simulator stops.
    pub fn stall(mut self) -> Self {
        self.script.stall_after = Some(None);
        self
    }

    /// Carries the call out, sends the head and this many bytes of the body, then nothing more.
    pub fn stall_after(mut self, bytes: u64) -> Self {
        self.script.stall_after = Some(Some(bytes));
        self.applied()
    }

    /// Declares this length, whatever the body has. The call is carried out.
    pub fn content_length(mut self, length: u64) -> Self {
        self.script.content_length = Some(length);
        self.applied()
    }

    /// Answers a request for a range with status 200 and the whole file.
    pub fn ignore_range(mut self) -> Self {
        self.script.ignore_range = true;
        self.applied()
    }

    /// Flips one bit in the middle of the answer's body. The call is carried out.
    pub fn corrupt(mut self) -> Self {
        self.script.corrupt = true;
        self.applied()
    }

    /// Writes the whole answer twice. The call is carried out once.
    pub fn duplicate(mut self) -> Self {
        self.script.duplicate = true;
        self.applied()
    }

    /// On a create call: asks for parts of `bytes` (also 0 or less, as a broken server might).
    pub fn part_size(self, bytes: i64) -> Self {
        self.oddity(Oddity::PartSize(bytes))
    }

    /// On a completion call: answers `completed: false` and file id 0, and completes nothing. On those of the web API: answers
    /// without `file_info`; or, with code 1, that the storage is still merging.
    pub fn incomplete(self) -> Self {
        self.oddity(Oddity::Incomplete)
    }

    /// On a completion call: answers code 20103, the file is being verified.
    pub fn verifying(self) -> Self {
        self.code(20103).message("文件正在校验中,请间隔1秒后再试")
    }

    /// On a completion call: fails for good with code 1 and 文件上传失败; the ticket is dead.
    pub fn upload_failed(self) -> Self {
        self.oddity(Oddity::UploadFailed)
    }

    /// On a create call that meets known content: `reuse` is true with file id 0. The file is there, but the next `late`
    /// listings of its folder leave it out. The web API then leaves out `Info`, where the id is otherwise.
    pub fn reuse_without_id(self, late: u32) -> Self {
        self.oddity(Oddity::ReuseWithoutId { late })
    }

    /// On the query of a task (a copy, an import, an offline download, a transcode, a save): the task is still running.
    pub fn task_pending(self) -> Self {
        self.oddity(Oddity::TaskPending)
    }

    /// On the start of a task: the task is accepted, makes nothing, and fails.
    pub fn task_fails(self) -> Self {
        self.oddity(Oddity::TaskFails)
    }

    /// On the query of a task: the task is in the state of this number, whatever it means.
    pub fn task_status(self, status: i64) -> Self {
        self.oddity(Oddity::TaskStatus(status))
    }

    /// On the saving of a share's files: the task is started, but its id is not told. On a copy of the web API: it is done
    /// at once, so that there is no task.
    pub fn no_task_id(self) -> Self {
        self.oddity(Oddity::NoTaskId)
    }

    /// On a download of the transcoding space: the space is full, so that there is no address.
    pub fn space_full(self) -> Self {
        self.oddity(Oddity::SpaceFull)
    }

    /// On a list of the web API: the page holds so many rows, whatever was asked for.
    pub fn rows(self, rows: u32) -> Self {
        self.oddity(Oddity::Rows(rows))
    }

    /// On a list of the web API: `Total` is off by so many.
    pub fn total_off(self, by: i64) -> Self {
        self.oddity(Oddity::TotalOff(by))
    }

    /// On a list of the web API: the page begins with the row that the page before ended with.
    pub fn repeats_row(self) -> Self {
        self.oddity(Oddity::RepeatsRow)
    }

    /// On a list of the web API: `Next` is the cursor that was sent.
    pub fn same_next(self) -> Self {
        self.oddity(Oddity::SameNext)
    }

    /// On `web/upload.request`: says that the content was known, and stores nothing. On a create call of the Open Platform:
    /// says so with file id 0, beside a ticket that works; the file is stored when it is sent.
    pub fn phantom_reuse(self) -> Self {
        self.oddity(Oddity::PhantomReuse)
    }

    /// On `web/upload.request`: hands out keys to the storage, as older servers do, and not an upload session.
    pub fn storage_keys(self) -> Self {
        self.oddity(Oddity::StorageKeys)
    }

    /// On `web/upload.request`: hands out keys to the storage, but one of the three is empty.
    pub fn some_storage_keys(self) -> Self {
        self.oddity(Oddity::SomeStorageKeys)
    }

    /// On an import into the transcoding space: the next `late` listings of it leave the videos out. On an instant upload
    /// of the web API: the next `late` listings of the folder leave the file out.
    pub fn lists_late(self, late: u32) -> Self {
        self.oddity(Oddity::ListsLate(late))
    }

    /// On any call of the web API: code 7012 with a `hashCode`, because the login came from abroad. Only a login by SMS,
    /// QR code or WeChat helps.
    pub fn login_challenge(mut self) -> Self {
        self.script.challenge = true;
        self.code(7012).message("检测到境外登录风险，请使用短信验证码或微信登录")
    }

    /// Answers status 200 with an HTML page, as a host does that does not serve the API.
    pub fn page_shell(self) -> Self {
        self.body("text/html; charset=utf-8", crate::reply::PAGE_SHELL)
    }

    fn oddity(mut self, oddity: Oddity) -> Self {
        self.script.oddity = Some(oddity);
        self.applied()
    }

    fn applied(mut self) -> Self {
        if self.when == When::Before {
            self.when = When::After;
        }
        self
    }

    fn matches(&self, op: &str) -> bool {
        match self.op.strip_suffix('*') {
            Some(start) => op.starts_with(start),
            None => self.op == op,
        }
    }
}

impl Script {
    /// Whether the answer is another one, and not only sent badly.
    pub(crate) fn replaces_answer(&self) -> bool {
        self.status.is_some() || self.code.is_some() || self.message.is_some() || self.body.is_some()
    }

    /// Whether nothing but waiting was asked for.
    pub(crate) fn only_delays(&self) -> bool {
        self.delay.is_some()
            && !self.replaces_answer()
            && !self.spoils_wire()
            && self.headers.is_empty()
            && self.code_text.is_none()
    }

    pub(crate) fn spoils_wire(&self) -> bool {
        self.cut_after.is_some()
            || self.drop_answer
            || self.stall_after.is_some()
            || self.content_length.is_some()
            || self.ignore_range
            || self.corrupt
            || self.duplicate
            || self.oddity.is_some()
    }
}

/// The faults that were planned, and how often each was met.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultBook {
    planned: Vec<(Fault, u64)>,
}

impl FaultBook {
    pub(crate) fn plan(&mut self, fault: Fault) {
        self.planned.push((fault, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.planned.clear();
    }

    /// Counts a call and gives the first fault that it meets, by either of its names.
    pub(crate) fn meet(&mut self, op: &str, also: Option<&str>) -> Option<Fault> {
        let mut met = None;
        let called = |fault: &Fault| fault.matches(op) || also.is_some_and(|also| fault.matches(also));
        for (fault, calls) in self.planned.iter_mut().filter(|(fault, _)| called(fault)) {
            *calls += 1;
            let due = *calls >= fault.nth && fault.times.is_none_or(|times| *calls < fault.nth.saturating_add(times));
            if due && met.is_none() {
                met = Some(fault.clone());
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(fault: Fault, calls: usize) -> Vec<bool> {
        let mut book = FaultBook::default();
        book.plan(fault);
        (0..calls).map(|_| book.meet("open/file.mkdir", None).is_some()).collect()
    }

    #[test]
    fn a_fault_meets_the_calls_it_names() {
        assert_eq!(met(Fault::on("open/file.mkdir"), 3), [true, false, false]);
        assert_eq!(met(Fault::on("open/file.mkdir").nth(2), 3), [false, true, false]);
        assert_eq!(met(Fault::on("open/file.mkdir").nth(2).times(2), 4), [false, true, true, false]);
        assert_eq!(met(Fault::on("open/*").every(), 3), [true, true, true]);
        assert_eq!(met(Fault::on("*").nth(3).every(), 4), [false, false, true, true]);
        assert_eq!(met(Fault::on("open/file.trash").every(), 2), [false, false]);
    }

    #[test]
    fn what_spoils_only_the_answer_happens_after_the_call() {
        assert_eq!(Fault::on("x").drop_answer().when, When::After);
        assert_eq!(Fault::on("x").during().cut_after(1).when, When::During);
        assert_eq!(Fault::on("x").status(500).when, When::Before);
        assert_eq!(Fault::on("x").cut_after(1).before().when, When::Before);
    }
}
