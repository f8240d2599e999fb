//! The log of changes. On MySQL transactions commit in any order, and a number may become visible after higher ones;
//! SQLite has one writer at a time.

use async_trait::async_trait;

use super::engine::{Connection, Row, inserted_id, now, seconds_ago};
use super::listing::{Select, push_padded};
use super::row::{Columns, product_columns, products};
use super::{SqlStore, read, seeding};
use crate::store::bulk::SeedRun;
use crate::store::changes::{Change, ChangeLog, LogBounds, PRUNE, categories};
use crate::store::{StoreError, trace};
use crate::{Category, Product, ProductId};

#[async_trait]
impl ChangeLog for SqlStore {
    async fn identity(&self) -> Result<String, StoreError> {
        self.pools.read_latest("SELECT catalogue", async |db| identity(db).await).await
    }

    async fn log_bounds(&self) -> Result<LogBounds, StoreError> {
        self.pools.read_latest("SELECT product_changes", async |db| bounds(db).await).await
    }

    async fn changes(&self, after: u64, missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError> {
        self.pools.read_latest("SELECT product_changes", async |db| read(db, after, missing, limit).await).await
    }

    async fn scan(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>, StoreError> {
        self.pools.read_latest("SELECT products", async |db| scan(db, after, limit).await).await
    }

    async fn current(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.pools.read_latest("SELECT products", async |db| read::get_all(db, ids).await).await
    }

    async fn seeding(&self) -> Result<Option<SeedRun>, StoreError> {
        self.pools.read_latest("SELECT seed_run", async |db| seeding::recorded(db).await).await
    }

    async fn prune_log(&self) -> Result<u64, StoreError> {
        let LogBounds { first, last, .. } = self.log_bounds().await?;
        self.execute("DELETE product_changes", async |db| prune(db, first, last).await).await
    }
}

/// Logs in the writer's transaction that `product` changed, which was in the category `before` and is in `after`.
pub(super) async fn note(
    db: &mut Connection,
    product: ProductId,
    before: Option<&Category>,
    after: Option<&Category>,
) -> Result<Change, StoreError> {
    let traceparent = trace::current();
    let done = sqlx::query(concat!(
        "INSERT INTO product_changes (product_id, category_before, category_after, traceparent, at) \
         VALUES (?, ?, ?, ?, ",
        now!(),
        ")"
    ))
    .bind(product)
    .bind(before)
    .bind(after)
    .bind(traceparent.as_deref())
    .execute(db)
    .await?;
    Ok(Change {
        number: inserted_id(&done).cast_unsigned(),
        product: Some(product),
        categories: categories(before.cloned(), after.cloned()),
        at: chrono::Utc::now().into(),
        traceparent,
    })
}

/// Logs in the writer's transaction that any product may have changed.
pub(in super::super) async fn note_any(db: &mut Connection) -> Result<(), StoreError> {
    let insert = concat!("INSERT INTO product_changes (product_id, at) VALUES (NULL, ", now!(), ")");
    sqlx::query(insert).execute(db).await?;
    Ok(())
}

async fn identity(db: &mut Connection) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar("SELECT identity FROM catalogue").fetch_one(db).await?)
}

async fn bounds(db: &mut Connection) -> Result<LogBounds, StoreError> {
    // Settled after 60 seconds, see `LONGEST_TRANSACTION`.
    let row = sqlx::query(concat!(
        "SELECT COALESCE(MIN(number), 0), COALESCE(MAX(number), 0), COALESCE((SELECT number FROM product_changes \
         WHERE at < ",
        seconds_ago!("60"),
        " ORDER BY number DESC LIMIT 1), 0) FROM product_changes"
    ))
    .fetch_one(db)
    .await?;
    let row = Columns::of(&row);
    Ok(LogBounds { first: row.number(0)?, last: row.number(1)?, settled: row.number(2)? })
}

macro_rules! select_changes {
    ($condition:literal) => {
        concat!(
            "SELECT number, product_id, category_before, category_after, at, traceparent FROM product_changes WHERE ",
            $condition
        )
    };
}

/// Missing numbers that one statement reads.
const GAPS: usize = 64;

async fn read(db: &mut Connection, after: u64, missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError> {
    let select = sqlx::query(select_changes!("number > ? ORDER BY number LIMIT ?"));
    let mut rows = select.bind(after.cast_signed()).bind(limit).fetch_all(&mut *db).await?;
    for missing in missing.chunks(GAPS) {
        let mut select = Select::new(select_changes!("number IN ("));
        push_padded(&mut select, missing.iter().map(|number| number.cast_signed()), GAPS);
        rows.extend(select.build().fetch_all(&mut *db).await?);
    }
    rows.iter().map(change).collect()
}

/// The change in `row`.
fn change(row: &Row) -> Result<Change, StoreError> {
    let row = Columns::of(row);
    Ok(Change {
        number: row.number(0)?,
        product: row.get(1)?,
        categories: categories(row.get(2)?, row.get(3)?),
        at: row.get(4)?,
        traceparent: row.get(5)?,
    })
}

async fn scan(db: &mut Connection, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>, StoreError> {
    let sql = concat!("SELECT ", product_columns!(), " FROM products p WHERE p.id > ? ORDER BY p.id LIMIT ?");
    products(&sqlx::query(sql).bind(after.map_or(0, ProductId::get)).bind(limit).fetch_all(db).await?)
}

/// Deletes changes that are older than a day, of the first [`PRUNE`] that there are; the last one stays.
async fn prune(db: &mut Connection, first: u64, last: u64) -> Result<u64, StoreError> {
    let sql = concat!("DELETE FROM product_changes WHERE number < ? AND at < ", seconds_ago!("86400"));
    let behind = last.min(first + PRUNE);
    Ok(sqlx::query(sql).bind(behind.cast_signed()).execute(db).await?.rows_affected())
}
