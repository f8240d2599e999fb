//! The record of a seeding, and its batches of products.

use sqlx::{AssertSqlSafe, Connection as _};

use super::engine::{BEGIN, BULK_ROWS, Connection};
use super::row::Columns;
use super::transaction::add_to_categories;
use super::write::bind_details;
use crate::store::StoreError;
use crate::store::bulk::{BulkProduct, SeedRun, out_of_order, per_category, span};

pub(in super::super) async fn recorded(db: &mut Connection) -> Result<Option<SeedRun>, StoreError> {
    let row = sqlx::query("SELECT seed, wanted, loaded, finished FROM seed_run").fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    let row = Columns::of(&row);
    Ok(Some(SeedRun { seed: row.number(0)?, wanted: row.number(1)?, loaded: row.number(2)?, finished: row.get(3)? }))
}

pub(in super::super) async fn holds_products(db: &mut Connection) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM products)").fetch_one(db).await?)
}

/// Records a new seeding and the `definitions` that are to be built at its end.
pub(in super::super) async fn record(
    db: &mut Connection,
    seed: u64,
    wanted: u64,
    definitions: &impl serde::Serialize,
) -> Result<SeedRun, StoreError> {
    sqlx::query("INSERT INTO seed_run (one, seed, wanted, loaded, deferred) VALUES (1, ?, ?, 0, ?)")
        .bind(seed.cast_signed())
        .bind(wanted.cast_signed())
        .bind(serde_json::to_string(definitions).map_err(not_json)?)
        .execute(db)
        .await?;
    Ok(SeedRun { seed, wanted, loaded: 0, finished: false })
}

/// The definitions that were recorded.
pub(in super::super) async fn deferred<D: serde::de::DeserializeOwned>(db: &mut Connection) -> Result<D, StoreError> {
    let deferred: String = sqlx::query_scalar("SELECT deferred FROM seed_run").fetch_one(db).await?;
    serde_json::from_str(&deferred).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> StoreError {
    StoreError::Database(sqlx::Error::Decode(error.into()))
}

/// Stores a batch and how far the seeding has come, in one transaction.
pub(in super::super) async fn load(db: &mut Connection, products: &[BulkProduct]) -> Result<(), StoreError> {
    let (before, after) = span(products)?;
    let mut transaction = db.begin_with(BEGIN).await?;
    // The guard: no batch is stored twice, and none is left out.
    let advance = sqlx::query("UPDATE seed_run SET loaded = ? WHERE loaded = ? AND NOT finished");
    if advance.bind(after).bind(before).execute(&mut *transaction).await?.rows_affected() != 1 {
        return Err(out_of_order());
    }
    for chunk in products.chunks(BULK_ROWS) {
        insert(&mut transaction, chunk).await?;
    }
    add_to_categories(&mut transaction, &per_category(products)).await?;
    transaction.commit().await?;
    Ok(())
}

/// Inserts `products` by one statement.
pub(in super::super) async fn insert(db: &mut Connection, products: &[BulkProduct]) -> Result<(), StoreError> {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"; products.len()].join(", ");
    let mut insert = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO products (id, name, name_key, description, category, price, currency, unit, producer, stock, \
         created_at, updated_at, version) VALUES {rows}"
    )));
    for BulkProduct { id, details, created_at } in products {
        insert = bind_details(insert.bind(*id), details).bind(*created_at).bind(*created_at);
    }
    insert.execute(db).await?;
    Ok(())
}
