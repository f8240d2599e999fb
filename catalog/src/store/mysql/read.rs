//! Reading: pages, totals, single products, categories.

use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;

use super::listing::{self, Select};
use super::row::{product, products};
use crate::shape::{NARROW, Plan, Shape};
use crate::store::StoreError;
use crate::{Category, Direction, Filter, Limit, Order, Page, Position, Product, ProductId, Query, SortKey, Total};

pub(super) async fn ping(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT id FROM products LIMIT 1").fetch_optional(connection).await?;
    Ok(())
}

pub(super) async fn get(connection: &mut MySqlConnection, id: ProductId) -> Result<Product, StoreError> {
    let row = listing::by_id(id).build().fetch_optional(connection).await?;
    product(&row.ok_or(StoreError::NotFound)?)
}

/// The product `id`, locked against other writers until the transaction ends.
pub(super) async fn get_locked(connection: &mut MySqlConnection, id: ProductId) -> Result<Product, StoreError> {
    let row = listing::by_id(id).push(" FOR UPDATE").build().fetch_optional(connection).await?;
    product(&row.ok_or(StoreError::NotFound)?)
}

/// The products `ids` in their order.
pub(super) async fn get_all(connection: &mut MySqlConnection, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = fetch(connection, listing::by_ids(ids)).await?;
    Ok(in_order(ids, found))
}

pub(super) async fn categories(connection: &mut MySqlConnection) -> Result<Vec<(Category, u64)>, StoreError> {
    let rows = sqlx::query(listing::CATEGORIES).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let corrupt = |field| StoreError::Corrupt { id: 0, field };
            let name = row.try_get::<&str, _>(0)?.parse().map_err(|_| corrupt("category"))?;
            Ok((name, u64::try_from(row.try_get::<i64, _>(1)?).map_err(|_| corrupt("products"))?))
        })
        .collect()
}

/// The `products` in the order of `ids`.
fn in_order(ids: &[ProductId], mut products: Vec<Product>) -> Vec<Product> {
    products.sort_by_key(|product| ids.iter().position(|id| *id == product.id));
    products
}

pub(super) async fn total(connection: &mut MySqlConnection, filter: &Filter) -> Result<Total, StoreError> {
    Ok(Total::from_capped(count(connection, filter, Total::CAP).await?))
}

pub(super) async fn list(
    connection: &mut MySqlConnection,
    query: &Query,
    after: Option<&Position>,
    limit: Limit,
) -> Result<Page, StoreError> {
    sorted(connection, query.filter(), sort(query.order()), after, limit).await
}

/// The column order of a listing without a search ([`Query::new`] allows no other).
fn sort(order: Order) -> (SortKey, Direction) {
    match order {
        Order::By(key, direction) => (key, direction),
        Order::Relevance => (SortKey::Id, Direction::Ascending),
    }
}

async fn sorted(
    connection: &mut MySqlConnection,
    filter: &Filter,
    (key, direction): (SortKey, Direction),
    after: Option<&Position>,
    limit: Limit,
) -> Result<Page, StoreError> {
    let index = match Shape::of(filter, key, direction).plan() {
        Plan::Ordered(index) => index,
        Plan::Bounded { range, walk } => {
            let matches = count(connection, filter, NARROW).await?;
            if matches <= i64::from(NARROW) { range } else { walk }
        }
    };
    let rows = fetch(connection, listing::sorted(filter, (key, direction), after, limit, index)).await?;
    Ok(Page::from_rows(rows, limit, key))
}

async fn fetch(connection: &mut MySqlConnection, mut select: Select) -> Result<Vec<Product>, StoreError> {
    products(&select.build().fetch_all(connection).await?)
}

/// Counts up to `cap + 1`, so that the caller sees that there are more.
async fn count(connection: &mut MySqlConnection, filter: &Filter, cap: u32) -> Result<i64, StoreError> {
    let mut select = listing::count(filter, i64::from(cap) + 1);
    Ok(select.build_query_scalar().fetch_one(connection).await?)
}
