//! How often the web API may be asked, as clients that last have found out.

use std::time::Duration;

use pan123_core::{Operation, Rate, RateLimits};

use crate::ops::{
    files::List,
    lists::{ListByType, ListOld},
    stars::ListStarred,
};

/// How far apart two pages of lists are asked for: what the service's own staff put into another client.
const BETWEEN_LISTS: Rate = Rate::one_every(Duration::from_millis(700));

/// What all other calls share: about two a second are said to be safe.
const OTHERS: Rate = Rate::per_second(2);

/// Returns the limits of a client that is told nothing else.
///
/// Protocol: `web.yaml`, `retry`.
pub(crate) fn limits() -> RateLimits {
    let lists = [List::META, ListOld::META, ListByType::META, ListStarred::META].map(|meta| meta.path);
    lists.into_iter().fold(RateLimits::new(OTHERS), |limits, path| limits.with(path, BETWEEN_LISTS))
}
