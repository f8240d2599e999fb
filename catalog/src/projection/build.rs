//! An index from the whole table, beside the one that serves.

use std::time::Instant;

use tokio::time::sleep;

use super::{BuildProgress, Projection, ProjectionError, SEEDING_POLL, State};
use crate::search::{IndexWriter, SearchError, SearchIndex};
use crate::store::bulk::SeedRun;

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

    /// Reads all products into a new index and makes it the current one; also gives the last change that is in it even
    /// if it may concern any product. Other changes that happen meanwhile are behind the position it starts from, so
    /// following the log brings them.
    pub(super) async fn build(&self, identity: &str) -> Result<(SearchIndex, u64), ProjectionError> {
        let started = Instant::now();
        self.note(|status| (status.state, status.build) = (State::Building, BuildProgress::default()));
        // Before the first product is read. Settled: a transaction with a lower number that is still
        // under way would be in neither the scan nor the log behind it.
        let bounds = self.store.log_bounds().await?;
        let position = bounds.settled.max(bounds.first.saturating_sub(1));
        self.folder.sweep()?;
        let path = self.folder.next()?;
        let (index, writer) = self
            .blocking({
                let path = path.clone();
                move || {
                    let index = SearchIndex::create(&path)?;
                    let writer = index.writer(HEAP_BYTES, 1)?;
                    Ok::<_, SearchError>((index, writer))
                }
            })
            .await?;
        let (mut writer, seeding) = self.read_all(writer).await?;
        self.blocking(move || {
            writer.commit(position)?;
            writer.finish()
        })
        .await?;
        let covered = match seeding {
            Some(_) => self.end_of_seeding().await?,
            None => bounds.last,
        };
        self.folder.switch(&path, identity)?;
        let seconds = started.elapsed().as_secs_f64();
        self.note(|status| status.build_seconds = seconds);
        tracing::info!(
            documents = index.documents(),
            bytes = index.bytes_on_disk(),
            seconds,
            "the search index is built"
        );
        Ok((index, covered))
    }

    /// Puts every product into `writer`, and returns it with the seeding that made them, if one did. While the seeding
    /// is under way, the scan goes on behind the last product: they are committed in the order of their ids.
    async fn read_all(&self, mut writer: IndexWriter) -> Result<(IndexWriter, Option<SeedRun>), ProjectionError> {
        let present = self.store.categories().await?.iter().map(|(_, products)| products).sum();
        self.note(|status| status.build.wanted = Some(present));
        let mut last = None;
        loop {
            // Before the scan, which then has all that was loaded by now.
            let seeding = self.store.seeding().await?;
            let loading = seeding.filter(|run| run.loaded < run.wanted);
            let products = self.store.scan(last, PIECE).await?;
            match products.last() {
                Some(end) => last = Some(end.id),
                None if loading.is_some() => sleep(SEEDING_POLL).await,
                None => return Ok((writer, seeding)),
            }
            let read = products.len() as u64;
            writer = self.blocking(move || put_all(writer, &products)).await?;
            self.note(|status| {
                status.build.built += read;
                status.build.wanted = loading.map_or(status.build.wanted, |run| Some(run.wanted));
            });
        }
    }

    /// Waits until the seeding is finished, and returns the last change then. A seeding ends by a change of any product,
    /// and there is one seeding in a catalogue's life: what it loaded is in the index.
    async fn end_of_seeding(&self) -> Result<u64, ProjectionError> {
        while self.store.seeding().await?.is_some_and(|run| !run.finished) {
            sleep(SEEDING_POLL).await;
        }
        Ok(self.store.log_bounds().await?.last)
    }
}

pub(super) fn put_all(mut writer: IndexWriter, products: &[crate::Product]) -> Result<IndexWriter, SearchError> {
    for product in products {
        writer.put(product)?;
    }
    Ok(writer)
}
