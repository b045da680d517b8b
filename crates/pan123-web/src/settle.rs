//! What to do when an answer is lost: look first, then send again what was not done.

use std::ops::ControlFlow;

use pan123_core::{Error, FileId, Operation, Result, batch};

use crate::{
    Client, Entry,
    ops::{MOST_IDS, details::Infos},
};

impl Client {
    /// Sends what must not be sent twice blindly.
    ///
    /// After a lost answer `look` says that it was done, or what of it is left. Only what is left is sent again, as often as
    /// the retry policy allows. A refusal that follows a lost answer may be about what that one has done, so `look` has the
    /// last word there too.
    ///
    /// # Errors
    ///
    /// The last error, and what was left then.
    pub(crate) async fn settle<Q: Clone, T, S, L>(
        &self,
        mut left: Q,
        send: impl Fn(Q) -> S,
        look: impl Fn(Q) -> L,
    ) -> Result<T, (Error, Q)>
    where
        S: Future<Output = Result<T>>,
        L: Future<Output = Result<ControlFlow<T, Q>>>,
    {
        let (pipeline, runtime) = (self.pipeline(), self.pipeline().runtime());
        let begun = runtime.elapsed();
        let (mut attempts, mut was_lost) = (0, false);
        loop {
            let error = match send(left.clone()).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            attempts += 1;
            was_lost |= error.may_have_happened();
            if !was_lost {
                return Err((error, left));
            }
            let error = error.with_may_have_happened(true);
            match look(left.clone()).await {
                Ok(ControlFlow::Break(done)) => return Ok(done),
                Ok(ControlFlow::Continue(rest)) => left = rest,
                Err(_) => return Err((error, left)),
            }
            let elapsed = runtime.elapsed().saturating_sub(begun);
            match pipeline.retry().next(&error, attempts, elapsed, true, &**runtime) {
                Some(delay) => runtime.sleep(delay).await,
                None => return Err((error, left)),
            }
        }
    }

    /// Changes files and folders, [`MOST_IDS`] by each call. After a lost answer their rows are read, and those that `is_done`
    /// does not accept are changed again or named in the error.
    pub(crate) async fn change<O: Operation>(
        &self,
        ids: &[FileId],
        operation: impl Fn(Vec<FileId>) -> O,
        is_done: impl Fn(Option<&Entry>) -> bool,
    ) -> Result<()> {
        let (operation, is_done) = (&operation, &is_done);
        let send = |ids| async move { self.send(operation(ids)).await.map(drop) };
        let look = |ids: Vec<FileId>| async move {
            let rows = self.rows_or_trash(&ids).await?;
            let left = |id: &FileId| !is_done(rows.iter().find(|row| row.id == *id));
            let left: Vec<FileId> = ids.into_iter().filter(left).collect();
            Ok(if left.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(left) })
        };
        let some = |ids: Vec<FileId>| async move {
            self.settle(ids, send, look).await.map_err(|(error, left)| {
                let failed = left.into_iter().map(|id| (id, error.clone())).collect();
                error.with_failed_items(failed)
            })
        };
        batch::run(ids, MOST_IDS, some, drop).await
    }

    /// Reads the rows of entries, and looks through the recycle bin for those that have none: no source says whether the rows of
    /// trashed entries are told.
    async fn rows_or_trash(&self, ids: &[FileId]) -> Result<Vec<Entry>> {
        let mut rows = self.send(Infos::new(ids.to_vec())).await?;
        let mut missing: Vec<FileId> = ids.to_vec();
        missing.retain(|id| rows.iter().all(|row| row.id != *id));
        let mut trash = self.list_trash();
        while !missing.is_empty()
            && let Some(mut entry) = trash.next().await?
        {
            if let Some(place) = missing.iter().position(|id| *id == entry.id) {
                missing.swap_remove(place);
                entry.trashed = true;
                rows.push(entry);
            }
        }
        Ok(rows)
    }
}
