//! The presigned addresses of one upload: asked for in batches, and renewed once for all who were refused.

use std::collections::BTreeMap;

use pan123_core::{Error, ErrorKind, Link, Operation, Pipeline, Result, RetryPolicy};
use tokio::sync::Mutex;

use crate::ops::{
    parts::{PartUrls, SingleUrl},
    uploads::Session,
};

/// How many addresses are asked for at a time, as clients that work do.
const BATCH: u32 = 10;

/// The addresses that are known of one upload.
#[derive(Debug, Default)]
pub(super) struct PartLinks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    links: BTreeMap<u32, Given>,
    /// How many times addresses were asked for.
    asked: u64,
}

/// An address, and which question it answered.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) link: Link,
    asked: u64,
    /// The parts that were asked for together.
    batch: (u32, u32),
}

impl PartLinks {
    /// Returns the address of part `number` of `count`, where `refused` is one that the storage has refused.
    ///
    /// Whoever finds it refused first asks for the same parts again; all others who wait get what came of it. Addresses of
    /// other parts stay as they are. `is_multipart` says by which call, which completing must agree with.
    pub(super) async fn get(
        &self,
        pipeline: &Pipeline,
        session: &Session,
        (number, count): (u32, u32),
        is_multipart: bool,
        refused: Option<&Given>,
    ) -> Result<Given> {
        // Held while asking: that is what makes it one question for all.
        let mut known = self.0.lock().await;
        let held = known.links.get(&number);
        let newest = |given: &&Given| refused.is_none_or(|refused| given.asked > refused.asked);
        if let Some(given) = held.filter(newest) {
            return Ok(given.clone());
        }
        let fresh = || {
            // Up to the next part whose address is known already.
            let next = known.links.range(number + 1..).next().map_or(count + 1, |(next, _)| *next);
            (number, next.min(number + BATCH).min(count + 1))
        };
        let batch = held.map_or_else(fresh, |given| given.batch);
        let once = RetryPolicy::none();
        let links = if is_multipart {
            pipeline.send_with(&PartUrls::of(session, batch.0..batch.1), &once).await?
        } else {
            BTreeMap::from([(1, pipeline.send_with(&SingleUrl::of(session), &once).await?)])
        };
        known.asked += 1;
        let asked = known.asked;
        let wanted = links.into_iter().filter(|(number, _)| (batch.0..batch.1).contains(number));
        known.links.extend(wanted.map(|(number, link)| (number, Given { link, asked, batch })));
        known.links.get(&number).filter(newest).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Decode, format!("the service gave no address for part {number}"))
                .with_endpoint(PartUrls::META.id)
        })
    }
}
