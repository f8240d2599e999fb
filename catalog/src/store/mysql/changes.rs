//! The log of changes. Transactions commit in any order: a number may show up after higher ones.

use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, MySql, QueryBuilder, Row as _};

use super::row::{COLUMNS, products};
use crate::store::changes::{Change, KEEP_SECONDS, LogBounds, PRUNE, SETTLED_SECONDS, categories};
use crate::store::{StoreError, trace};
use crate::{Category, Product, ProductId, Timestamp};

/// Notes in the writer's transaction that `product` changed, which was in `before` and is in `after`.
pub(super) async fn note(
    connection: &mut MySqlConnection,
    product: ProductId,
    before: Option<&Category>,
    after: Option<&Category>,
) -> Result<Change, StoreError> {
    let traceparent = trace::current();
    let done = sqlx::query(
        "INSERT INTO product_changes (product_id, category_before, category_after, traceparent, at) \
         VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6))",
    )
    .bind(product.get())
    .bind(before.map(Category::as_str))
    .bind(after.map(Category::as_str))
    .bind(traceparent.as_deref())
    .execute(connection)
    .await?;
    Ok(Change {
        number: done.last_insert_id(),
        product: Some(product),
        categories: categories(before.cloned(), after.cloned()),
        at: chrono::Utc::now().into(),
        traceparent,
    })
}

/// Notes in the writer's transaction that any product may have changed.
pub(super) async fn note_any(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO product_changes (product_id, at) VALUES (NULL, UTC_TIMESTAMP(6))")
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn identity(connection: &mut MySqlConnection) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar("SELECT identity FROM catalogue").fetch_one(connection).await?)
}

pub(super) async fn bounds(connection: &mut MySqlConnection) -> Result<LogBounds, StoreError> {
    let sql = format!(
        "SELECT COALESCE(MIN(number), 0), COALESCE(MAX(number), 0), COALESCE((SELECT number FROM product_changes \
         WHERE at < UTC_TIMESTAMP(6) - INTERVAL {SETTLED_SECONDS} SECOND ORDER BY number DESC LIMIT 1), 0) \
         FROM product_changes"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?;
    let number = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
    Ok(LogBounds { first: number(0)?, last: number(1)?, settled: number(2)? })
}

pub(super) async fn read(
    connection: &mut MySqlConnection,
    after: u64,
    missing: &[u64],
    limit: u32,
) -> Result<Vec<Change>, StoreError> {
    let mut select = QueryBuilder::<MySql>::new(format!("{SELECT} WHERE number > "));
    select.push_bind(after.cast_signed()).push(" ORDER BY number LIMIT ").push_bind(limit);
    let mut rows = select.build().fetch_all(&mut *connection).await?;
    // Asked for in pieces of one size, filled with their last number: one statement to prepare.
    for missing in missing.chunks(GAPS) {
        let mut select = QueryBuilder::<MySql>::new(format!("{SELECT} WHERE number IN ("));
        let mut list = select.separated(", ");
        for place in 0..GAPS {
            list.push_bind(missing.get(place).or(missing.last()).copied().unwrap_or(0).cast_signed());
        }
        select.push(")");
        rows.extend(select.build().fetch_all(&mut *connection).await?);
    }
    rows.iter().map(change).collect()
}

/// Missing numbers asked for by one statement.
const GAPS: usize = 64;

const SELECT: &str = "SELECT number, product_id, category_before, category_after, at, traceparent FROM product_changes";

fn change(row: &MySqlRow) -> Result<Change, StoreError> {
    let number: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id: number, field };
    let category = |column| -> Result<Option<Category>, StoreError> {
        let text: Option<String> = row.try_get(column)?;
        text.map(|text| text.parse()).transpose().map_err(|_| corrupt("category"))
    };
    let product = row.try_get::<Option<i64>, _>(1)?.map(ProductId::new).transpose();
    Ok(Change {
        number: number.cast_unsigned(),
        product: product.map_err(|_| corrupt("product_id"))?,
        categories: categories(category(2)?, category(3)?),
        at: Timestamp::from(row.try_get::<chrono::DateTime<chrono::Utc>, _>(4)?),
        traceparent: row.try_get(5)?,
    })
}

pub(super) async fn scan(
    connection: &mut MySqlConnection,
    after: Option<ProductId>,
    limit: u32,
) -> Result<Vec<Product>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM products p WHERE p.id > ? ORDER BY p.id LIMIT ?");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(after.map_or(0, ProductId::get)).bind(limit);
    products(&query.fetch_all(connection).await?)
}

pub(super) async fn prune(connection: &mut MySqlConnection, first: u64, last: u64) -> Result<u64, StoreError> {
    let sql = format!(
        "DELETE FROM product_changes WHERE number < ? AND at < UTC_TIMESTAMP(6) - INTERVAL {KEEP_SECONDS} SECOND"
    );
    let behind = last.min(first + PRUNE);
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(behind.cast_signed()).execute(connection).await?.rows_affected())
}
