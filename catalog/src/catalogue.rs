//! The catalogue as its users query it: searches by the search index, everything else by SQL.

use std::sync::Arc;

use tracing::Instrument as _;

use crate::projection::{BuildProgress, Projection};
use crate::search::{Facets, SearchError, SearchIndex, Stage};
use crate::shape::{Plan, Shape};
use crate::store::{Store, StoreError};
use crate::{Filter, Limit, Order, Page, Position, Product, Query, SearchText, Total};

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The scan goes through an index that is gone: another one ranks and matches differently.
    #[error("the scan goes through a search index that is gone")]
    Expired,
    /// Only the search index can answer, and it is not built yet.
    #[error("the search index is not ready: {0}")]
    NotReady(BuildProgress),
}

/// A page, and what its cursor must remember of it.
pub struct Listing {
    /// The products.
    pub page: Page,
    /// Epoch to be passed with the position to continue; `None` for listings without a search.
    pub epoch: Option<u32>,
}

/// The epochs of searches: each version of the index's ranking matches and orders differently, and a scan must not
/// change hands. The index ranks by a product's own words alone, so its epochs outlive commits, rebuilds and the
/// process, and hold on every replica.
mod epoch {
    use super::Stage;

    /// Raised when the index matches or ranks in another way. Epoch 0 belonged to the full text of SQL.
    const RANKING: u32 = 1;

    pub(super) fn of(stage: Stage) -> u32 {
        match stage {
            Stage::Exact => 2 * RANKING,
            Stage::Fuzzy => 2 * RANKING + 1,
        }
    }

    /// The stage of an epoch; `None` for rankings that are no more.
    pub(super) fn stage(epoch: u32) -> Option<Stage> {
        [Stage::Exact, Stage::Fuzzy].into_iter().find(|stage| of(*stage) == epoch)
    }
}

/// How often a page is filled up when hits turn out to be gone or changed: the index lags by a second,
/// so this many rounds mean a mass deletion, and a short page is then right.
const FILL_ROUNDS: usize = 8;

/// The products and their search index.
#[derive(Clone)]
pub struct Catalogue {
    store: Arc<dyn Store>,
    projection: Arc<Projection>,
}

impl Catalogue {
    /// The catalogue in `store`, searched through the index of `projection`.
    pub fn new(store: Arc<dyn Store>, projection: Arc<Projection>) -> Self {
        Self { store, projection }
    }

    /// The store, for products that are read one at a time.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The projection that keeps the search index.
    pub fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// The page of `query` behind `after`. `epoch` is that of an earlier page of the same scan: a search goes on where
    /// it began, or is [`CatalogueError::Expired`].
    pub async fn list(
        &self,
        query: &Query,
        after: Option<&Position>,
        epoch: Option<u32>,
        limit: Limit,
    ) -> Result<Listing, CatalogueError> {
        if query.search().is_some() {
            let stage = match epoch.map(epoch::stage) {
                Some(None) => return Err(CatalogueError::Expired),
                stage => stage.flatten(),
            };
            let (page, stage) = match self.indexed(self.index()?, query, after, stage, limit).await {
                Ok(found) => found,
                Err(Indexed::Store(error)) => return Err(error.into()),
                Err(Indexed::Search(error)) => return Err(self.lost(&error)),
            };
            return Ok(Listing { page, epoch: Some(epoch::of(stage)) });
        }
        if is_bounded(query)
            && let Ok(index) = self.index()
        {
            match self.indexed(index, query, after, None, limit).await {
                Ok((page, _)) => return Ok(Listing { page, epoch: None }),
                Err(Indexed::Store(error)) => return Err(error.into()),
                // SQL has the same listing, only slower.
                Err(Indexed::Search(error)) => _ = self.lost(&error),
            }
        }
        let page = self.store.list(query, after, limit).await?;
        Ok(Listing { page, epoch: None })
    }

    /// How many products `filter` and `search` leave: exact for a search, capped without one.
    pub async fn total(&self, filter: &Filter, search: Option<&SearchText>) -> Result<Total, CatalogueError> {
        let Some(search) = search.cloned() else { return Ok(self.store.total(filter).await?) };
        let (index, filter) = (self.index()?, filter.clone());
        let count = blocking(move || index.count(&filter, Some(&search))).await.map_err(|error| self.lost(&error))?;
        Ok(Total::Exact(u32::try_from(count).unwrap_or(u32::MAX)))
    }

    /// How many products each category and price band has under `filter` and `search`.
    pub async fn facets(&self, filter: &Filter, search: Option<&SearchText>) -> Result<Facets, CatalogueError> {
        let (index, filter, search) = (self.index()?, filter.clone(), search.cloned());
        blocking(move || index.facets(&filter, search.as_ref())).await.map_err(|error| self.lost(&error))
    }

    /// Up to `limit` completions of `text`.
    pub async fn suggest(&self, text: &SearchText, limit: usize) -> Result<Vec<String>, CatalogueError> {
        let (index, text) = (self.index()?, text.clone());
        blocking(move || index.suggest(text.as_str(), limit)).await.map_err(|error| self.lost(&error))
    }

    /// Stands for what the search index knows, where an answer to `query` (with facets or without) comes
    /// from it: what was computed under another stamp may be older than the index is now.
    pub fn stamp(&self, query: &Query, facets: bool) -> Option<u64> {
        let indexed = facets || query.search().is_some() || is_bounded(query);
        if indexed { self.index_stamp() } else { None }
    }

    /// Stands for what the search index knows; `None` while there is none.
    pub fn index_stamp(&self) -> Option<u64> {
        self.projection.stamp()
    }

    fn index(&self) -> Result<SearchIndex, CatalogueError> {
        self.projection.index().ok_or_else(|| self.not_ready())
    }

    fn not_ready(&self) -> CatalogueError {
        CatalogueError::NotReady(self.projection.status().build)
    }

    /// Gives up the index, which failed with `error`, and says what to answer until there is another one.
    fn lost(&self, error: &SearchError) -> CatalogueError {
        self.projection.report_damage(error);
        self.not_ready()
    }

    /// A page of hits, read from the table: prices and stock are as they are now, what is gone or no
    /// longer matches is left out, and the page is full all the same.
    async fn indexed(
        &self,
        index: SearchIndex,
        query: &Query,
        after: Option<&Position>,
        mut stage: Option<Stage>,
        limit: Limit,
    ) -> Result<(Page, Stage), Indexed> {
        let wanted = usize::from(limit.get());
        let mut products: Vec<Product> = Vec::with_capacity(wanted);
        let mut after = after.cloned();
        let mut round = 0;
        loop {
            round += 1;
            let missing = wanted - products.len();
            let hits = blocking({
                let (index, query, after) = (index.clone(), query.clone(), after.clone());
                move || index.search(&query, after.as_ref(), stage, missing)
            });
            let hits = hits.await.map_err(Indexed::Search)?;
            stage = Some(hits.stage);
            let ids: Vec<_> = hits.ids.iter().map(|(id, _)| *id).collect();
            let found = self.store.get_all(&ids).await.map_err(Indexed::Store)?;
            products.extend(found.into_iter().filter(|product| matches(query.filter(), product)));
            after = hits.ids.into_iter().last().map(|(_, position)| position);
            if !hits.more || products.len() == wanted || round == FILL_ROUNDS {
                return Ok((Page { products, next: after.filter(|_| hits.more) }, hits.stage));
            }
        }
    }
}

/// What failed behind an index.
enum Indexed {
    Search(SearchError),
    Store(StoreError),
}

/// Whether no B-tree serves the listing.
fn is_bounded(query: &Query) -> bool {
    match query.order() {
        Order::By(key, direction) => {
            matches!(Shape::of(query.filter(), key, direction).plan(), Plan::Bounded { .. })
        }
        Order::Relevance => false,
    }
}

fn matches(filter: &Filter, product: &Product) -> bool {
    let category = filter.category.as_ref().is_none_or(|category| *category == product.details.category);
    category && filter.price.contains(product.details.price)
}

/// Runs `work`, which computes for up to some milliseconds, where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SearchError> + Send + 'static,
) -> Result<T, SearchError> {
    match tokio::task::spawn_blocking(work).instrument(tracing::debug_span!("search index")).await {
        Ok(result) => result,
        Err(panic) => Err(SearchError::Damaged(format!("reading it broke off: {panic}"))),
    }
}
