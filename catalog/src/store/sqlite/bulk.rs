//! The bulk path into SQLite. Definitions are transactional here, and so is everything below.

use std::fs::File;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::changes;
use crate::NameKey;
use crate::store::bulk::{BulkError, BulkLoad, BulkProduct, SeedRun, out_of_order, per_category, span};
use crate::store::{DatabaseUrl, StoreError};

const BEGIN: &str = "BEGIN IMMEDIATE";

/// Rows of one statement: from here on, more of them gain nothing.
const CHUNK: usize = 250;

pub(in crate::store) struct SqliteBulk {
    connection: SqliteConnection,
    /// Locked for as long as this lives.
    _lock: File,
}

impl SqliteBulk {
    pub(in crate::store) async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let lock = super::lock(url, "seed").await?;
        let mut connection = super::connect(url).await?;
        // 64 MiB: more gains nothing.
        sqlx::query("PRAGMA cache_size = -65536").execute(&mut connection).await?;
        Ok(Self { connection, _lock: lock })
    }
}

#[async_trait]
impl BulkLoad for SqliteBulk {
    async fn recorded(&mut self) -> Result<Option<SeedRun>, StoreError> {
        recorded(&mut self.connection).await
    }

    async fn begin(&mut self, seed: u64, wanted: u64) -> Result<SeedRun, BulkError> {
        let mut transaction = self.connection.begin_with(BEGIN).await.map_err(StoreError::from)?;
        if let Some(run) = recorded(&mut transaction).await? {
            return run.resume(seed, wanted);
        }
        if holds_products(&mut transaction).await? {
            return Err(BulkError::NotEmpty);
        }
        put_aside(&mut transaction, seed, wanted).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(SeedRun { seed, wanted, loaded: 0, finished: false })
    }

    async fn load(&mut self, products: &[BulkProduct]) -> Result<(), StoreError> {
        let (before, after) = span(products)?;
        let mut transaction = self.connection.begin_with(BEGIN).await?;
        // The guard: no batch is kept twice, and none is left out.
        let advanced = sqlx::query("UPDATE seed_run SET loaded = ? WHERE loaded = ? AND finished = 0")
            .bind(after)
            .bind(before)
            .execute(&mut *transaction)
            .await?;
        if advanced.rows_affected() != 1 {
            return Err(out_of_order());
        }
        for chunk in products.chunks(CHUNK) {
            insert(&mut transaction, chunk).await?;
        }
        for (category, more) in per_category(products) {
            sqlx::query(
                "INSERT INTO categories (name, products) VALUES (?, ?) \
                 ON CONFLICT (name) DO UPDATE SET products = products + excluded.products",
            )
            .bind(category.as_str())
            .bind(more)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn finish(&mut self, step: &(dyn for<'a> Fn(&'a str, usize, usize) + Send + Sync)) -> Result<(), StoreError> {
        let missing = missing(&mut self.connection).await?;
        let parts = missing.len() + 1;
        for (built, definition) in missing.iter().enumerate() {
            step(&format!("{} {}", definition.kind, definition.name), built + 1, parts);
            sqlx::query(AssertSqlSafe(definition.sql.as_str())).execute(&mut self.connection).await?;
        }
        step("statistics", parts, parts);
        sqlx::query("ANALYZE").execute(&mut self.connection).await?;
        // What is derived from the products learns that any of them may be new.
        changes::note_any(&mut self.connection).await?;
        sqlx::query("UPDATE seed_run SET finished = 1").execute(&mut self.connection).await?;
        // The log has grown to the size of the largest index; give the disk back.
        sqlx::query("PRAGMA wal_checkpoint (TRUNCATE)").execute(&mut self.connection).await?;
        Ok(())
    }
}

/// An index or a trigger of `products`, as the database itself gives it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Definition {
    kind: String,
    name: String,
    sql: String,
}

pub(super) async fn recorded(connection: &mut SqliteConnection) -> Result<Option<SeedRun>, StoreError> {
    let row = sqlx::query("SELECT seed, wanted, loaded, finished FROM seed_run").fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let number = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
    Ok(Some(SeedRun { seed: number(0)?, wanted: number(1)?, loaded: number(2)?, finished: number(3)? != 0 }))
}

async fn holds_products(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM products)").fetch_one(connection).await?)
}

/// The secondary indexes and triggers that `products` has now, in the order they were made.
async fn definitions(connection: &mut SqliteConnection) -> Result<Vec<Definition>, StoreError> {
    let rows = sqlx::query(
        "SELECT type, name, sql FROM sqlite_master \
         WHERE tbl_name = 'products' AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid",
    )
    .fetch_all(connection)
    .await?;
    let definition = |row: &sqlx::sqlite::SqliteRow| -> Result<Definition, StoreError> {
        Ok(Definition { kind: row.try_get(0)?, name: row.try_get(1)?, sql: row.try_get(2)? })
    };
    rows.iter().map(definition).collect()
}

/// Records the new seeding with the definitions it drops.
async fn put_aside(connection: &mut SqliteConnection, seed: u64, wanted: u64) -> Result<(), StoreError> {
    let definitions = definitions(connection).await?;
    sqlx::query("INSERT INTO seed_run (one, seed, wanted, loaded, deferred) VALUES (1, ?, ?, 0, ?)")
        .bind(seed.cast_signed())
        .bind(wanted.cast_signed())
        .bind(serde_json::to_string(&definitions).map_err(not_json)?)
        .execute(&mut *connection)
        .await?;
    for Definition { kind, name, .. } in &definitions {
        sqlx::query(AssertSqlSafe(format!("DROP {kind} \"{name}\""))).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What was put aside and is not there again.
async fn missing(connection: &mut SqliteConnection) -> Result<Vec<Definition>, StoreError> {
    let deferred: String = sqlx::query_scalar("SELECT deferred FROM seed_run").fetch_one(&mut *connection).await?;
    let mut deferred: Vec<Definition> = serde_json::from_str(&deferred).map_err(not_json)?;
    let present = definitions(connection).await?;
    deferred.retain(|definition| present.iter().all(|there| there.name != definition.name));
    Ok(deferred)
}

fn not_json(error: serde_json::Error) -> StoreError {
    StoreError::Database(sqlx::Error::Decode(error.into()))
}

async fn insert(connection: &mut SqliteConnection, products: &[BulkProduct]) -> Result<(), StoreError> {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"; products.len()].join(", ");
    let mut insert = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO products (id, name, name_key, description, category, price, currency, unit, producer, stock, \
         created_at, updated_at, version) VALUES {rows}"
    )));
    for BulkProduct { id, details, created_at } in products {
        insert = insert
            .bind(id.get())
            .bind(details.name.as_str())
            .bind(NameKey::from(&details.name).as_str())
            .bind(details.description.as_str())
            .bind(details.category.as_str())
            .bind(details.price.minor())
            .bind(details.currency.as_str())
            .bind(details.unit.as_str())
            .bind(details.producer.as_str())
            .bind(i64::from(details.stock))
            .bind(created_at.micros())
            .bind(created_at.micros());
    }
    insert.execute(connection).await?;
    Ok(())
}
