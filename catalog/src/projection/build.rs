//! An index from the whole table, beside the one that serves.

use std::time::Instant;

use super::{Projection, ProjectionError, State};
use crate::search::{IndexWriter, SearchError, SearchIndex};

/// Products read at once: small enough to hold nobody up, large enough that reading does not dominate.
const PIECE: u32 = 2_000;
/// What the writer may hold in memory before it writes a segment.
const HEAP_BYTES: usize = 64 * 1024 * 1024;

impl Projection {
    /// The current index, if it is whole, of this schema, of this catalogue, and not so far behind that
    /// changes it needs were pruned.
    pub(super) async fn reusable(&self, identity: &str) -> Result<Option<SearchIndex>, ProjectionError> {
        let Some(path) = self.folder.current(identity)? else { return Ok(None) };
        let index = match self.blocking(move || Ok::<_, SearchError>(SearchIndex::open(&path))).await? {
            Ok(index) => index,
            Err(error) => {
                tracing::warn!("the search index cannot be used and is built anew: {error}");
                return Ok(None);
            }
        };
        let bounds = self.store.log_bounds().await?;
        let within = (bounds.first.saturating_sub(1)..=bounds.last).contains(&index.position());
        if !within {
            tracing::warn!(position = index.position(), ?bounds, "the log does not reach back to the search index");
        }
        Ok(Some(index).filter(|_| within))
    }

    /// Reads all products into a new index and makes it the current one; also gives the last change that
    /// was there at the start. Changes that happen meanwhile are behind the position it starts from, so
    /// following the log brings them.
    pub(super) async fn build(&self, identity: &str) -> Result<(SearchIndex, u64), ProjectionError> {
        let started = Instant::now();
        self.note(|status| (status.state, status.built) = (State::Building, 0));
        // Before the first product is read. Settled: a transaction with a lower number that is still
        // under way would be in neither the scan nor the log behind it.
        let bounds = self.store.log_bounds().await?;
        let position = bounds.settled.max(bounds.first.saturating_sub(1));
        self.folder.sweep()?;
        let path = self.folder.next()?;
        let (index, mut writer) = self
            .blocking({
                let path = path.clone();
                move || {
                    let index = SearchIndex::create(&path)?;
                    let writer = index.writer(HEAP_BYTES, 1)?;
                    Ok::<_, SearchError>((index, writer))
                }
            })
            .await?;
        let mut last = None;
        loop {
            let products = self.store.scan(last, PIECE).await?;
            let Some(end) = products.last() else { break };
            last = Some(end.id);
            let read = products.len() as u64;
            writer = self.blocking(move || put_all(writer, &products)).await?;
            self.note(|status| status.built += read);
        }
        self.blocking(move || {
            writer.commit(position)?;
            writer.finish()
        })
        .await?;
        self.folder.switch(&path, identity)?;
        let seconds = started.elapsed().as_secs_f64();
        self.note(|status| status.build_seconds = seconds);
        tracing::info!(
            documents = index.documents(),
            bytes = index.bytes_on_disk(),
            seconds,
            "the search index is built"
        );
        Ok((index, bounds.last))
    }
}

pub(super) fn put_all(mut writer: IndexWriter, products: &[crate::Product]) -> Result<IndexWriter, SearchError> {
    for product in products {
        writer.put(product)?;
    }
    Ok(writer)
}
