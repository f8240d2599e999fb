//! The catalogue as its users ask it: the search index where it serves best, SQL everywhere else and
//! whenever the index is not there.

use std::sync::Arc;

use tracing::Instrument as _;

use crate::projection::Projection;
use crate::search::{Facets, SearchError, SearchIndex, Stage};
use crate::shape::{Plan, Shape};
use crate::store::{Store, StoreError};
use crate::{Filter, Limit, Order, Page, Position, Product, Query, SearchText, Total};

/// Who found the products of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A B-tree of the database: the listing needs no search.
    Table,
    /// The search index.
    Index,
    /// The database's own full text, or a walk through it, while the search index is not ready.
    Fallback,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The scan goes through an index that is gone: another one ranks and matches differently.
    #[error("the scan goes through a search index that is gone")]
    Expired,
    /// Only the search index can answer, and it is not ready.
    #[error("the search index is not ready")]
    NotReady,
}

/// A page, who found it, and what its cursor must remember of that.
pub struct Listing {
    /// The products.
    pub page: Page,
    /// Who found them.
    pub source: Source,
    /// To be given back with the position to continue; `None` where it does not matter.
    pub epoch: Option<u32>,
}

/// The epochs of searches: who understands the words and ranks the hits. SQL and each version of the
/// index's ranking do it differently, and a scan must not change hands. The index ranks by a product's
/// own words alone, so its epochs outlive commits, rebuilds and the process, and hold on every replica.
mod epoch {
    use super::Stage;

    pub(super) const SQL: u32 = 0;
    /// Raised when the index matches or ranks in another way.
    const RANKING: u32 = 1;

    pub(super) fn of(stage: Stage) -> u32 {
        match stage {
            Stage::Exact => 2 * RANKING,
            Stage::Fuzzy => 2 * RANKING + 1,
        }
    }

    /// The stage of an epoch of the index; `None` for SQL and for rankings that are no more.
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
    projection: Option<Arc<Projection>>,
}

impl Catalogue {
    /// The catalogue in `store`, searched through `projection` if there is one.
    pub fn new(store: Arc<dyn Store>, projection: Option<Arc<Projection>>) -> Self {
        Self { store, projection }
    }

    /// Where products are read one at a time.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The index's projection, if there is one.
    pub fn projection(&self) -> Option<&Arc<Projection>> {
        self.projection.as_ref()
    }

    /// The page of `query` behind `after`. `epoch` is what an earlier page of the same scan gave: a
    /// search goes on where it began, or is [`CatalogueError::Expired`].
    pub async fn list(
        &self,
        query: &Query,
        after: Option<&Position>,
        epoch: Option<u32>,
        limit: Limit,
    ) -> Result<Listing, CatalogueError> {
        let searched = query.search().is_some();
        if !searched && !is_bounded(query) {
            let page = self.store.list(query, after, limit).await?;
            return Ok(Listing { page, source: Source::Table, epoch: None });
        }
        let stage = epoch.and_then(epoch::stage);
        if let Some(index) = self.index()
            && (epoch.is_none() || stage.is_some())
        {
            match self.indexed(index, query, after, stage, limit).await {
                Ok((page, stage)) => {
                    let epoch = searched.then(|| epoch::of(stage));
                    return Ok(Listing { page, source: Source::Index, epoch });
                }
                Err(Indexed::Store(error)) => return Err(error.into()),
                Err(Indexed::Search(error)) => self.report(&error),
            }
        }
        if epoch.is_some_and(|epoch| epoch != epoch::SQL) {
            return Err(CatalogueError::Expired);
        }
        if searched {
            return Err(CatalogueError::NotReady);
        }
        let page = self.store.list(query, after, limit).await?;
        Ok(Listing { page, source: Source::Fallback, epoch: None })
    }

    /// How many products `filter` and `search` leave: exact from the index, capped from SQL.
    pub async fn total(&self, filter: &Filter, search: Option<&SearchText>) -> Result<Total, CatalogueError> {
        let Some(search) = search.cloned() else { return Ok(self.store.total(filter).await?) };
        let index = self.index().ok_or(CatalogueError::NotReady)?;
        let filter = filter.clone();
        let count = self.only_indexed(blocking(move || index.count(&filter, Some(&search))).await)?;
        Ok(Total::Exact(u32::try_from(count).unwrap_or(u32::MAX)))
    }

    /// How many products each category and price band has under `filter` and `search`.
    pub async fn facets(&self, filter: &Filter, search: Option<&SearchText>) -> Result<Facets, CatalogueError> {
        let index = self.index().ok_or(CatalogueError::NotReady)?;
        let (filter, search) = (filter.clone(), search.cloned());
        self.only_indexed(blocking(move || index.facets(&filter, search.as_ref())).await)
    }

    /// Up to `limit` completions of `text`.
    pub async fn suggest(&self, text: &SearchText, limit: usize) -> Result<Vec<String>, CatalogueError> {
        let index = self.index().ok_or(CatalogueError::NotReady)?;
        let text = text.clone();
        self.only_indexed(blocking(move || index.suggest(text.as_str(), limit)).await)
    }

    /// Stands for what the search index knows, where an answer to `query` (with facets or without) comes
    /// from it: what was computed under another stamp may be older than the index is now.
    pub fn stamp(&self, query: &Query, facets: bool) -> Option<u64> {
        let indexed = facets || query.search().is_some() || is_bounded(query);
        if indexed { self.index_stamp() } else { None }
    }

    /// Stands for what the search index knows; `None` while there is none.
    pub fn index_stamp(&self) -> Option<u64> {
        self.projection.as_ref().and_then(|projection| projection.stamp())
    }

    fn only_indexed<T>(&self, answer: Result<T, SearchError>) -> Result<T, CatalogueError> {
        answer.map_err(|error| {
            self.report(&error);
            CatalogueError::NotReady
        })
    }

    fn index(&self) -> Option<SearchIndex> {
        self.projection.as_ref().and_then(|projection| projection.index())
    }

    fn report(&self, error: &SearchError) {
        if let Some(projection) = &self.projection {
            projection.report_damage(error);
        }
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
