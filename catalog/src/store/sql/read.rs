//! Reading: pages, totals, single products, categories.

use super::engine::{Connection, for_update};
use super::listing::{self, Select};
use super::row::{Columns, product, products};
use crate::shape::{NARROW, Plan, Shape};
use crate::store::StoreError;
use crate::{Category, Direction, Filter, Limit, Order, Page, Position, Product, ProductId, Query, SortKey, Total};

pub(super) async fn ping(db: &mut Connection) -> Result<(), StoreError> {
    sqlx::query("SELECT id FROM products LIMIT 1").fetch_optional(db).await?;
    Ok(())
}

pub(super) async fn get(db: &mut Connection, id: ProductId) -> Result<Product, StoreError> {
    let row = listing::by_id(id).build().fetch_optional(db).await?;
    product(&row.ok_or(StoreError::NotFound)?)
}

/// The product `id`, locked against other writers until the transaction ends.
pub(super) async fn get_locked(db: &mut Connection, id: ProductId) -> Result<Product, StoreError> {
    let row = listing::by_id(id).push(for_update!()).build().fetch_optional(db).await?;
    product(&row.ok_or(StoreError::NotFound)?)
}

/// The products `ids`, in their order; those that are deleted are left out.
pub(super) async fn get_all(db: &mut Connection, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = fetch(db, listing::by_ids(ids)).await?;
    found.sort_by_key(|product| ids.iter().position(|id| *id == product.id));
    Ok(found)
}

pub(super) async fn categories(db: &mut Connection) -> Result<Vec<(Category, u64)>, StoreError> {
    let rows = sqlx::query(listing::CATEGORIES).fetch_all(db).await?;
    rows.iter().map(Columns::of).map(|row| Ok((row.get(0)?, row.number(1)?))).collect()
}

pub(super) async fn total(db: &mut Connection, filter: &Filter) -> Result<Total, StoreError> {
    Ok(Total::from_capped(count(db, filter, Total::CAP).await?))
}

pub(super) async fn list(
    db: &mut Connection,
    query: &Query,
    after: Option<&Position>,
    limit: Limit,
) -> Result<Page, StoreError> {
    // A search has other orders too, but the database does not search.
    let (key, direction) = match query.order() {
        Order::By(key, direction) => (key, direction),
        Order::Relevance => (SortKey::Id, Direction::Ascending),
    };
    let filter = query.filter();
    let index = match Shape::of(filter, key, direction).plan() {
        Plan::Ordered(index) => index,
        Plan::Bounded { range, walk } => {
            let matches = count(db, filter, NARROW).await?;
            if matches <= i64::from(NARROW) { range } else { walk }
        }
    };
    let rows = fetch(db, listing::sorted(filter, (key, direction), after, limit, index)).await?;
    Ok(Page::from_rows(rows, limit, key))
}

async fn fetch(db: &mut Connection, mut select: Select) -> Result<Vec<Product>, StoreError> {
    products(&select.build().fetch_all(db).await?)
}

/// The number of products of `filter`, counted up to `cap + 1`, so that the caller sees that there are more.
async fn count(db: &mut Connection, filter: &Filter, cap: u32) -> Result<i64, StoreError> {
    Ok(listing::count(filter, i64::from(cap) + 1).build_query_scalar().fetch_one(db).await?)
}
