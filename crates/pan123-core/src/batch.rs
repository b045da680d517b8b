//! Many entries in one request: how many there may be, and many requests where there are more.

use crate::{Error, FileId, Result};

/// Refuses a request about nothing, and one about more than `most`.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with the limit in the text.
pub fn check_count(count: usize, most: usize) -> Result<()> {
    match count {
        0 => Err(Error::invalid("at least one entry must be given")),
        _ if count > most => {
            Err(Error::invalid(format!("at most {most} entries can be given in one request, these are {count}")))
        }
        _ => Ok(()),
    }
}

/// Refuses no ids, more than `most`, and the root among them.
///
/// # Errors
///
/// As [`check_count`] and [`FileId::check_entry`].
pub fn check_ids(ids: &[FileId], most: usize) -> Result<()> {
    check_count(ids.len(), most)?;
    ids.iter().try_for_each(|id| id.check_entry())
}

/// Sends one request for every `most` entries, goes on after a failure that concerns one request only, and tells at the
/// end which entries failed. `each` gets the answers.
///
/// An error that names [its own entries](Error::failed_items) counts for these, any other for all of its request.
///
/// # Errors
///
/// That of [`Error::of_batch`].
pub async fn run<T, A>(
    ids: &[FileId],
    most: usize,
    mut send: impl FnMut(Vec<FileId>) -> A,
    mut each: impl FnMut(T),
) -> Result<()>
where
    A: Future<Output = Result<T>>,
{
    let mut failed: Vec<(FileId, Error)> = Vec::new();
    let mut stopped: Option<Error> = None;
    for chunk in ids.chunks(most) {
        let sent = match &stopped {
            Some(error) => Err(error.clone()),
            None => send(chunk.to_vec()).await.map(&mut each),
        };
        if let Err(error) = sent {
            match error.failed_items() {
                [] => failed.extend(chunk.iter().map(|id| (*id, error.clone()))),
                items => failed.extend_from_slice(items),
            }
            // For the entries that are left it counts as a whole, not for the entries of this request.
            stopped = Some(error).filter(Error::concerns_everything).map(|error| error.with_failed_items(Vec::new()));
        }
    }
    Error::of_batch(failed, ids.len())
}

/// Returns the entries that failed in a batch, for a verb that goes on with the others.
pub fn failures(done: Result<()>) -> Vec<(FileId, Error)> {
    done.err().map(|error| error.failed_items().to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn ids_are_counted_and_must_be_entries() {
        let ids = |count| vec![FileId::new(1); count];
        for (ids, ok) in [
            (ids(0), false),
            (ids(1), true),
            (ids(100), true),
            (ids(101), false),
            (vec![FileId::new(1), FileId::ROOT], false),
            (vec![FileId::new(-1)], false),
        ] {
            assert_eq!(check_ids(&ids, 100).is_ok(), ok, "{ids:?}");
        }
        let error = check_ids(&ids(101), 100).unwrap_err();
        assert_eq!(error.to_string(), "at most 100 entries can be given in one request, these are 101");
    }
    #[tokio::test]
    async fn each_entry_that_failed_is_named_once_with_its_own_error() {
        let ids: Vec<FileId> = (1..=5).map(FileId::new).collect();
        let mut sent = 0;
        let send = |ids: Vec<FileId>| {
            sent += 1;
            async move {
                let error = |kind| Error::new(kind, "x");
                match ids[0].get() {
                    // Of the first request one entry failed; the second meets what every further one would.
                    1 => Err(error(ErrorKind::Api).with_failed_items(vec![(ids[1], error(ErrorKind::NotFound))])),
                    3 => Err(error(ErrorKind::Blocked).with_failed_items(vec![(ids[0], error(ErrorKind::Blocked))])),
                    _ => Ok(()),
                }
            }
        };
        let error = run(&ids, 2, send, drop).await.unwrap_err();
        let failed: Vec<_> = error.failed_items().iter().map(|(id, error)| (id.get(), error.kind())).collect();
        assert_eq!(failed, [(2, ErrorKind::NotFound), (3, ErrorKind::Blocked), (5, ErrorKind::Blocked)]);
        assert_eq!(sent, 2);
    }
}
