//! Walking a paged operation, page by page or item by item.

use std::{collections::HashSet, fmt, vec};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Error, ErrorKind, FileId, Operation, Pipeline, Result};

/// An operation whose answer is one page of many.
pub trait Paged: Operation + Clone + PartialEq {
    /// What a page is made of.
    type Item: Send;

    /// Takes the items out of a page; those that the caller did not ask for are left out.
    fn items(&self, page: Self::Output) -> Vec<Self::Item>;

    /// Turns this operation into the one for the page behind `page`. Returns false when there is none.
    fn advance(&mut self, page: &Self::Output) -> bool;

    /// Returns what an item is known by, where the service may hand it out on two pages: a walk over items gives each once.
    fn known_by(item: &Self::Item) -> Option<FileId> {
        let _ = item;
        None
    }
}

/// Where the page behind another begins, as lists of the web API and of shares say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NextPage {
    /// There is none (-1 on the wire).
    End,
    /// The service does not say (0, empty or absent).
    #[default]
    Unsaid,
    /// Here.
    Cursor(String),
}

impl<'de> Deserialize<'de> for NextPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        Ok(match text.as_str() {
            "-1" => Self::End,
            "" | "0" => Self::Unsaid,
            _ => Self::Cursor(text),
        })
    }
}

/// The pages of a [`Paged`] operation, one request for each.
pub struct Pages<O> {
    pipeline: Pipeline,
    next: Next<O>,
    /// An operation seen before, moved on after 1, 2, 4, 8 … pages: a cursor that goes in circles meets it (Brent).
    anchor: O,
    since_anchor: u64,
    until_next_anchor: u64,
}

enum Next<O> {
    Page(O),
    End,
    /// The cursor came back to where it was.
    Circle,
}

impl<O: Paged> Pages<O> {
    /// Begins with the page that `first` asks for.
    pub fn new(pipeline: Pipeline, first: O) -> Self {
        Self { pipeline, anchor: first.clone(), next: Next::Page(first), since_anchor: 0, until_next_anchor: 1 }
    }

    /// Returns the next page, `None` behind the last. After an error the same page is asked for again.
    ///
    /// # Errors
    ///
    /// What sending gave, or [`ErrorKind::Decode`] when the service's cursor goes in circles.
    pub async fn next(&mut self) -> Result<Option<O::Output>> {
        let operation = match &self.next {
            Next::Page(operation) => operation,
            Next::End => return Ok(None),
            Next::Circle => {
                self.next = Next::End;
                return Err(in_circles::<O>());
            }
        };
        let page = self.pipeline.send(operation).await?;
        let mut next = operation.clone();
        self.next = if !next.advance(&page) {
            Next::End
        } else if next == self.anchor {
            Next::Circle
        } else {
            self.since_anchor += 1;
            if self.since_anchor == self.until_next_anchor {
                self.anchor = next.clone();
                self.since_anchor = 0;
                self.until_next_anchor *= 2;
            }
            Next::Page(next)
        };
        Ok(Some(page))
    }
}

fn in_circles<O: Operation>() -> Error {
    let text = "the service's cursor goes in circles; the listing would never end";
    Error::new(ErrorKind::Decode, text).with_endpoint(O::META.id)
}

/// The items of a [`Paged`] operation; a page is requested when its first item is asked for.
///
/// Items that are [known by an id](Paged::known_by) come once each, however often the service repeats them.
pub struct Items<O: Paged> {
    pages: Pages<O>,
    filter: O,
    ready: vec::IntoIter<O::Item>,
    seen: HashSet<FileId>,
    /// How many items have come again since the last one that was new.
    repeated: usize,
}

impl<O: Paged> Items<O> {
    /// Begins with the first item of the page that `first` asks for.
    pub fn new(pipeline: Pipeline, first: O) -> Self {
        let (filter, ready) = (first.clone(), Vec::new().into_iter());
        Self { filter, pages: Pages::new(pipeline, first), ready, seen: HashSet::new(), repeated: 0 }
    }

    /// Returns the next item, `None` behind the last.
    ///
    /// # Errors
    ///
    /// As [`Pages::next`]; the call can be repeated and goes on where it stopped.
    pub async fn next(&mut self) -> Result<Option<O::Item>> {
        loop {
            if let Some(item) = self.ready.next() {
                return Ok(Some(item));
            }
            // A page may hold nothing that is wanted, such as only trashed entries, and still not be the last.
            let Some(page) = self.pages.next().await? else {
                return Ok(None);
            };
            let mut items = self.filter.items(page);
            let count = items.len();
            items.retain(|item| O::known_by(item).is_none_or(|id| self.seen.insert(id)));
            self.repeated = if items.is_empty() { self.repeated + count } else { 0 };
            // A page may lie within what came before. Once everything has come a second time, nothing new will.
            if self.repeated > 0 && self.repeated >= self.seen.len() {
                self.pages.next = Next::End;
                return Err(in_circles::<O>());
            }
            self.ready = items.into_iter();
        }
    }

    /// Collects all that is left.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<O::Item>> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await? {
            all.push(item);
        }
        Ok(all)
    }

    /// Turns the walk into a `Stream`, which ends after the first error.
    #[cfg(feature = "stream")]
    pub fn into_stream(self) -> ItemStream<O>
    where
        O: Send + 'static,
        O::Item: 'static,
    {
        ItemStream { state: stream::State::Idle(Some(self)) }
    }
}

impl<O> fmt::Debug for Pages<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("done", &!matches!(self.next, Next::Page(_))).finish_non_exhaustive()
    }
}

impl<O: Paged> fmt::Debug for Items<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("ready", &self.ready.len()).field("pages", &self.pages).finish_non_exhaustive()
    }
}

#[cfg(feature = "stream")]
pub use stream::ItemStream;

#[cfg(feature = "stream")]
mod stream {
    //! [`Items`] as a `Stream`.

    use std::{
        pin::Pin,
        task::{Context, Poll, ready},
    };

    use super::{Items, Paged};
    use crate::{BoxFuture, Result};

    type Step<O> = BoxFuture<'static, (Items<O>, Result<Option<<O as Paged>::Item>>)>;

    /// The items of a [`Paged`] operation as a [`Stream`](futures_core::Stream).
    pub struct ItemStream<O: Paged> {
        pub(super) state: State<O>,
    }

    pub(super) enum State<O: Paged> {
        Idle(Option<Items<O>>),
        Asking(Step<O>),
    }

    impl<O: Paged> std::fmt::Debug for ItemStream<O> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("ItemStream").finish_non_exhaustive()
        }
    }

    impl<O: Paged + Send + Unpin + 'static> futures_core::Stream for ItemStream<O>
    where
        O::Item: Unpin + 'static,
    {
        type Item = Result<O::Item>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            loop {
                match &mut self.state {
                    State::Idle(items) => {
                        let Some(mut items) = items.take() else {
                            return Poll::Ready(None);
                        };
                        self.state = State::Asking(Box::pin(async move {
                            let next = items.next().await;
                            (items, next)
                        }));
                    }
                    State::Asking(step) => {
                        let (items, next) = ready!(step.as_mut().poll(cx));
                        let going_on = matches!(next, Ok(Some(_)));
                        self.state = State::Idle(going_on.then_some(items));
                        return Poll::Ready(next.transpose());
                    }
                }
            }
        }
    }
}
