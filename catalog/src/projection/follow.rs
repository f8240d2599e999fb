//! From the log of changes into the index.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use chrono::Utc;
use tokio::time::{Instant, timeout};

use super::{POLL, Projection, ProjectionError};
use crate::search::{IndexWriter, SearchError, SearchIndex};
use crate::store::changes::Change;
use crate::store::{Tail, trace};
use crate::{Limit, ProductId};

/// Changes taken over at once.
const PIECE: u32 = 5_000;
/// Changes come in small pieces: no need for the heap of a build.
const HEAP_BYTES: usize = 20 * 1024 * 1024;
/// How many polls between two prunings of the log.
const PRUNE_EVERY: u32 = 240;

impl Projection {
    /// Brings the index up to the log's end and keeps it there, until it has to be built anew; says why.
    /// Bulk loads up to the change `covered` are in it already. Damage to its files is an error; the next
    /// cycle finds it too, and builds an index while this one answers from memory.
    pub(super) async fn follow(&self, index: SearchIndex, covered: u64) -> Result<&'static str, ProjectionError> {
        let mut tail = Tail::at(index.position());
        self.stamp.store(tail.stamp(), Ordering::Release);
        let mut writer = self
            .blocking({
                let index = index.clone();
                move || index.writer(HEAP_BYTES, 1)
            })
            .await?;
        let mut polls = 0_u32;
        loop {
            if self.rebuild.load(Ordering::Relaxed) {
                return Ok("it was asked for");
            }
            // Only an empty catalogue is seeded, and the products of a seeding are not in the log.
            if index.documents() == 0 && self.store.seeding().await?.is_some_and(|run| !run.finished) {
                return Ok("a seeding is under way");
            }
            let changes = self.store.changes(tail.high(), &tail.gaps(), PIECE).await?;
            let full = changes.len() >= PIECE as usize;
            if changes.iter().any(|change| change.product.is_none() && change.number > covered) {
                return Ok("products were loaded in bulk");
            }
            self.note_lag(&changes);
            tail.saw(changes.iter().map(|change| change.number), Instant::now());
            if !changes.is_empty() {
                let traceparents = changes.iter().filter_map(|change| change.traceparent.as_deref());
                let _traced = trace::resume(traceparents, "index changes");
                writer = self.take_over(writer, &changes, tail.settled()).await?;
                // After the commit: whoever reads the new stamp finds the new index.
                self.stamp.store(tail.stamp(), Ordering::Release);
                self.note_lag(&[]);
            }
            // Also what answers on from memory is lost at the next start if its files are.
            let served = index.clone();
            self.blocking(move || served.look()).await?;
            polls += 1;
            if polls.is_multiple_of(PRUNE_EVERY) {
                self.store.prune_log().await?;
            }
            if !full {
                // Until the next poll, or a call to build anew.
                let _ = timeout(POLL, self.wake.notified()).await;
            }
        }
    }

    /// Puts the products of `changes` into the index as they are now. Doing so again does no harm, so a
    /// crash before the commit costs nothing but the repetition.
    async fn take_over(
        &self,
        mut writer: IndexWriter,
        changes: &[Change],
        settled: u64,
    ) -> Result<IndexWriter, ProjectionError> {
        let touched: Vec<ProductId> =
            changes.iter().filter_map(|change| change.product).collect::<BTreeSet<_>>().into_iter().collect();
        for ids in touched.chunks(Limit::MAX.into()) {
            let present = self.store.current(ids).await?;
            let gone: Vec<ProductId> =
                ids.iter().filter(|id| !present.iter().any(|product| product.id == **id)).copied().collect();
            writer = self
                .blocking(move || {
                    gone.into_iter().try_for_each(|id| writer.remove(id))?;
                    super::build::put_all(writer, &present)
                })
                .await?;
        }
        self.blocking(move || {
            writer.commit(settled)?;
            Ok::<_, SearchError>(writer)
        })
        .await
    }

    fn note_lag(&self, waiting: &[Change]) {
        let oldest = waiting.iter().map(|change| change.at).min();
        let age = oldest.map_or(0.0, |at| (Utc::now() - at.to_utc()).as_seconds_f64().max(0.0));
        self.note(|status| (status.lag_rows, status.lag_seconds) = (waiting.len() as u64, age));
    }
}
