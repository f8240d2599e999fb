//! The log of changes. One writer at a time: numbers become visible in their order.

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::row::{COLUMNS, products};
use crate::store::changes::{Change, KEEP_SECONDS, LogBounds, PRUNE, SETTLED_SECONDS, categories};
use crate::store::{StoreError, trace};
use crate::{Category, Product, ProductId, Timestamp};

/// Microseconds since 1970.
const NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// Notes in the writer's transaction that `product` changed, which was in `before` and is in `after`.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    product: ProductId,
    before: Option<&Category>,
    after: Option<&Category>,
) -> Result<Change, StoreError> {
    let traceparent = trace::current();
    let sql = format!(
        "INSERT INTO product_changes (product_id, category_before, category_after, traceparent, at) \
         VALUES (?, ?, ?, ?, {NOW})"
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(product.get())
        .bind(before.map(Category::as_str))
        .bind(after.map(Category::as_str))
        .bind(traceparent.as_deref())
        .execute(connection)
        .await?;
    Ok(Change {
        number: done.last_insert_rowid().cast_unsigned(),
        product: Some(product),
        categories: categories(before.cloned(), after.cloned()),
        at: chrono::Utc::now().into(),
        traceparent,
    })
}

/// Notes in the writer's transaction that any product may have changed.
pub(super) async fn note_any(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(sqlx::AssertSqlSafe(format!("INSERT INTO product_changes (product_id, at) VALUES (NULL, {NOW})")))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn identity(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar("SELECT identity FROM catalogue").fetch_one(connection).await?)
}

pub(super) async fn bounds(connection: &mut SqliteConnection) -> Result<LogBounds, StoreError> {
    let sql = format!(
        "SELECT coalesce(min(number), 0), coalesce(max(number), 0), coalesce((SELECT number FROM product_changes \
         WHERE at < {NOW} - {SETTLED_SECONDS} * 1000000 ORDER BY number DESC LIMIT 1), 0) FROM product_changes"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await?;
    let number = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
    Ok(LogBounds { first: number(0)?, last: number(1)?, settled: number(2)? })
}

pub(super) async fn read(connection: &mut SqliteConnection, after: u64, limit: u32) -> Result<Vec<Change>, StoreError> {
    let select = "SELECT number, product_id, category_before, category_after, at, traceparent FROM product_changes \
                  WHERE number > ? ORDER BY number LIMIT ?";
    let rows = sqlx::query(select).bind(after.cast_signed()).bind(limit).fetch_all(connection).await?;
    rows.iter().map(change).collect()
}

fn change(row: &SqliteRow) -> Result<Change, StoreError> {
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
        at: Timestamp::from_micros(row.try_get(4)?).ok_or_else(|| corrupt("at"))?,
        traceparent: row.try_get(5)?,
    })
}

pub(super) async fn scan(
    connection: &mut SqliteConnection,
    after: Option<ProductId>,
    limit: u32,
) -> Result<Vec<Product>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM products p WHERE p.id > ? ORDER BY p.id LIMIT ?");
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after.map_or(0, ProductId::get)).bind(limit);
    products(&query.fetch_all(connection).await?)
}

pub(super) async fn prune(connection: &mut SqliteConnection, first: u64, last: u64) -> Result<u64, StoreError> {
    let sql = format!("DELETE FROM product_changes WHERE number < ? AND at < {NOW} - {KEEP_SECONDS} * 1000000");
    let behind = last.min(first + PRUNE);
    Ok(sqlx::query(sqlx::AssertSqlSafe(sql)).bind(behind.cast_signed()).execute(connection).await?.rows_affected())
}
