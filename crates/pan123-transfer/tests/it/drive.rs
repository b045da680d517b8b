//! A service that stores uploads in memory, checks what it is sent, and fails as it is told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use pan123_core::{BodySource, BoxFuture, Error, ErrorKind, Md5, Result};
use pan123_transfer::{Begun, Completion, Fingerprint, Part, UploadLimits, UploadTarget};

/// What goes wrong with one call.
pub(crate) enum Fault {
    /// It fails and has no effect.
    Refused(Error),
    /// It takes effect and then fails.
    Applied(Error),
    /// So many bytes of the body are taken, then it fails.
    CutAfter(usize, Error),
    /// It never ends, and has no effect.
    Hang,
    /// It takes effect and never ends.
    AppliedHang,
    /// The completion is pending.
    Pending(Option<std::time::Duration>),
}

type Faults = Box<dyn Fn(&str, usize) -> Option<Fault> + Send + Sync>;

/// The service. Calls are named `begin`, `send_whole`, `send_part 1`, `complete`, `find`.
pub(crate) struct Drive {
    limits: UploadLimits,
    part_size: u64,
    faults: Mutex<Faults>,
    destination: String,
    is_blind: bool,
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Vec<Md5>,
    parts: BTreeMap<u32, Vec<u8>>,
    stored: Vec<Vec<u8>>,
    calls: Vec<String>,
    counts: HashMap<String, usize>,
    sending: usize,
    most_sending: usize,
    /// Counts the sessions; only the last one is known.
    session: usize,
    is_completed: bool,
}

impl Drive {
    /// Makes an empty drive that cuts files into parts of `part_size` and says so beforehand.
    pub(crate) fn new(part_size: u64) -> Self {
        let limits = UploadLimits::new(1 << 30, part_size).with_single_step(1 << 20);
        let (faults, destination, is_blind) = (Mutex::new(Box::new(|_: &str, _| None) as Faults), String::new(), false);
        Self { limits, part_size, faults, destination, is_blind, capacity: usize::MAX, state: Mutex::default() }
    }

    /// Is another place than others are.
    pub(crate) fn destination(mut self, destination: &str) -> Self {
        destination.clone_into(&mut self.destination);
        self
    }

    /// Takes whatever bytes come.
    pub(crate) fn blind(mut self) -> Self {
        self.is_blind = true;
        self
    }

    /// Refuses parts when more than so many are sent at a time.
    pub(crate) fn capacity(mut self, parts: usize) -> Self {
        self.capacity = parts;
        self
    }

    /// Says beforehand what is not true in the end.
    pub(crate) fn limits(mut self, limits: UploadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Knows the content already.
    pub(crate) fn knows(self, content: &[u8]) -> Self {
        self.state().known.push(Md5::of(content));
        self
    }

    /// Fails as `faults` says for the name and the count, from 0, of a call.
    pub(crate) fn fails(self, faults: impl Fn(&str, usize) -> Option<Fault> + Send + Sync + 'static) -> Arc<Self> {
        *self.faults.lock().unwrap() = Box::new(faults);
        Arc::new(self)
    }

    /// Fails no more, and counts calls anew.
    pub(crate) fn heal(&self) {
        *self.faults.lock().unwrap() = Box::new(|_, _| None);
        self.state().calls.clear();
    }

    /// Stores nothing, and waits in its first session for all but the first two parts.
    pub(crate) fn start_again(&self) {
        let mut state = self.state();
        state.stored.clear();
        state.calls.clear();
        (state.session, state.is_completed) = (1, false);
        state.parts.split_off(&3);
    }

    /// Forgets the session.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.session += 1;
        state.parts.clear();
    }

    /// Returns every file that was stored by its bytes, and an empty one for each instant upload.
    pub(crate) fn stored(&self) -> Vec<Vec<u8>> {
        self.state().stored.clone()
    }

    /// Returns the calls in their order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// Returns the sizes of the parts that came.
    pub(crate) fn part_sizes(&self) -> Vec<usize> {
        self.state().parts.values().map(Vec::len).collect()
    }

    /// Returns how many parts are being sent now, and how many were at the most.
    pub(crate) fn sending(&self) -> (usize, usize) {
        let state = self.state();
        (state.sending, state.most_sending)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn call(&self, name: &str) -> Option<Fault> {
        let nth = {
            let mut state = self.state();
            state.calls.push(name.to_owned());
            let count = state.counts.entry(name.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        self.faults.lock().unwrap()(name, nth)
    }

    fn store(&self, bytes: Vec<u8>) -> usize {
        let mut state = self.state();
        state.stored.push(bytes);
        state.stored.len()
    }

    /// Runs one call with what is to go wrong with it.
    async fn run<T>(&self, name: &str, apply: impl AsyncFnOnce(Option<usize>) -> Result<T>) -> Result<T> {
        match self.call(name) {
            None | Some(Fault::Pending(_)) => apply(None).await,
            Some(Fault::Refused(error)) => Err(error),
            Some(Fault::Applied(error)) => {
                apply(None).await?;
                Err(error)
            }
            Some(Fault::CutAfter(bytes, error)) => {
                apply(Some(bytes)).await.ok();
                Err(error)
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::AppliedHang) => {
                apply(None).await?;
                std::future::pending().await
            }
        }
    }

    /// Refuses every session but the last, which is there until it is completed.
    fn check(&self, session: &str) -> Result<()> {
        let state = self.state();
        if session == format!("session {}", state.session) && !state.is_completed {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Api, "there is no such session"))
        }
    }
}

/// Reads a body as an HTTP client does, at most `most` bytes of it.
async fn read(source: &dyn BodySource, most: Option<usize>) -> Result<Vec<u8>> {
    let mut body = source.open();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await {
        bytes.extend_from_slice(&chunk.map_err(|cause| Error::io("the body could not be read", cause))?);
        if most.is_some_and(|most| bytes.len() >= most) {
            return Err(Error::new(ErrorKind::Connection, "cut"));
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(bytes.len() as u64, source.length(), "a body is as long as it says");
    Ok(bytes)
}

/// Counts one part in flight for as long as it lives.
struct Sending<'a>(&'a Drive);

impl<'a> Sending<'a> {
    fn begin(drive: &'a Drive) -> Self {
        let mut state = drive.state();
        state.sending += 1;
        state.most_sending = state.most_sending.max(state.sending);
        Self(drive)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.state().sending -= 1;
    }
}

impl UploadTarget for Drive {
    type Session = String;
    type Stored = usize;

    fn limits(&self) -> UploadLimits {
        self.limits
    }

    fn destination(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok(self.destination.clone()) })
    }

    fn proves_parts(&self) -> bool {
        !self.is_blind
    }

    fn begin<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Begun<String, usize>>> {
        Box::pin(self.run("begin", async |_| {
            if self.state().known.contains(&file.md5) {
                return Ok(Begun::Stored(self.store(Vec::new())));
            }
            let mut state = self.state();
            state.session += 1;
            state.is_completed = false;
            state.parts.clear();
            Ok(Begun::Parts { session: format!("session {}", state.session), part_size: self.part_size })
        }))
    }

    fn send_whole<'a>(&'a self, file: &'a Fingerprint, body: Arc<dyn BodySource>) -> BoxFuture<'a, Result<usize>> {
        Box::pin(self.run("send_whole", async move |most| {
            let bytes = read(&*body, most).await?;
            if Md5::of(&bytes) != file.md5 && !self.is_blind {
                return Err(Error::new(ErrorKind::Api, "the file has another MD5"));
            }
            Ok(self.store(bytes))
        }))
    }

    fn send_part<'a>(
        &'a self,
        session: &'a String,
        part: &'a Part,
        body: Arc<dyn BodySource>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            assert_eq!(body.length(), part.length);
            let _sending = Sending::begin(self);
            self.run(&format!("send_part {}", part.number), async move |most| {
                self.check(session)?;
                let is_too_much = self.sending().0 > self.capacity;
                let bytes = read(&*body, most).await?;
                if is_too_much {
                    return Err(Error::new(ErrorKind::RateLimited, "too many parts").with_http_status(429));
                }
                if Md5::of(&bytes) != part.md5 && !self.is_blind {
                    return Err(Error::new(ErrorKind::Api, "the part has another MD5"));
                }
                self.state().parts.insert(part.number, bytes);
                Ok(())
            })
            .await
        })
    }

    fn complete<'a>(&'a self, session: &'a String, parts: &'a [Part]) -> BoxFuture<'a, Result<Completion<usize>>> {
        Box::pin(async move {
            let complete = || {
                self.check(session)?;
                let bytes = {
                    let mut state = self.state();
                    if parts.len() != state.parts.len() {
                        return Err(Error::new(ErrorKind::Api, "parts are missing"));
                    }
                    state.is_completed = true;
                    state.parts.values().flatten().copied().collect()
                };
                Ok(Completion::Stored(self.store(bytes)))
            };
            match self.call("complete") {
                Some(Fault::Pending(wait)) => Ok(Completion::Pending { wait }),
                Some(Fault::Refused(error)) => Err(error),
                Some(Fault::Applied(error)) => complete().and(Err(error)),
                Some(Fault::Hang) => std::future::pending().await,
                Some(Fault::AppliedHang) => {
                    complete()?;
                    std::future::pending().await
                }
                Some(Fault::CutAfter(..)) | None => complete(),
            }
        })
    }

    fn find<'a>(&'a self, file: &'a Fingerprint) -> BoxFuture<'a, Result<Option<usize>>> {
        Box::pin(self.run("find", async |_| {
            let state = self.state();
            let same = |bytes: &Vec<u8>| Md5::of(bytes) == file.md5 || state.known.contains(&file.md5);
            Ok(state.stored.iter().position(same).map(|index| index + 1))
        }))
    }
}
