//! The bulk path into SQLite. Definitions are transactional here, and so is everything below.

use std::fs::File;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::engine::BEGIN;
use super::sql::{note_any, seeding};
use crate::store::bulk::{BulkError, BulkLoad, BulkProduct, SeedRun};
use crate::store::{DatabaseUrl, StoreError};

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
        seeding::recorded(&mut self.connection).await
    }

    async fn begin(&mut self, seed: u64, wanted: u64) -> Result<SeedRun, BulkError> {
        let mut transaction = self.connection.begin_with(BEGIN).await.map_err(StoreError::from)?;
        if let Some(run) = seeding::recorded(&mut transaction).await? {
            return run.resume(seed, wanted);
        }
        if seeding::holds_products(&mut transaction).await? {
            return Err(BulkError::NotEmpty);
        }
        let indexes = indexes(&mut transaction).await?;
        let run = seeding::record(&mut transaction, seed, wanted, &indexes).await?;
        for Definition { kind, name, .. } in &indexes {
            let drop = sqlx::query(AssertSqlSafe(format!("DROP {kind} \"{name}\"")));
            drop.execute(&mut *transaction).await.map_err(StoreError::from)?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(run)
    }

    async fn load(&mut self, products: &[BulkProduct]) -> Result<(), StoreError> {
        seeding::load(&mut self.connection, products).await
    }

    async fn finish(&mut self, step: &(dyn for<'a> Fn(&'a str, usize, usize) + Send + Sync)) -> Result<(), StoreError> {
        let present = indexes(&mut self.connection).await?;
        let mut missing: Vec<Definition> = seeding::deferred(&mut self.connection).await?;
        missing.retain(|definition| present.iter().all(|there| there.name != definition.name));
        let parts = missing.len() + 1;
        for (built, index) in missing.iter().enumerate() {
            step(&format!("index {}", index.name), built + 1, parts);
            sqlx::query(AssertSqlSafe(index.sql.as_str())).execute(&mut self.connection).await?;
        }
        step("statistics", parts, parts);
        sqlx::query("ANALYZE").execute(&mut self.connection).await?;
        // What is derived from the products learns that any of them may be new.
        note_any(&mut self.connection).await?;
        sqlx::query("UPDATE seed_run SET finished = 1").execute(&mut self.connection).await?;
        // The log has grown to the size of the largest index; give the disk back.
        sqlx::query("PRAGMA wal_checkpoint (TRUNCATE)").execute(&mut self.connection).await?;
        Ok(())
    }
}

/// The definition of an index of `products`, as the database itself gives it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Definition {
    kind: String,
    name: String,
    sql: String,
}

/// The secondary indexes that `products` has now, in the order in which they were created.
async fn indexes(connection: &mut SqliteConnection) -> Result<Vec<Definition>, StoreError> {
    let rows = sqlx::query(
        "SELECT type, name, sql FROM sqlite_master \
         WHERE tbl_name = 'products' AND type = 'index' AND sql IS NOT NULL ORDER BY rowid",
    )
    .fetch_all(connection)
    .await?;
    let definition = |row: &sqlx::sqlite::SqliteRow| -> Result<Definition, StoreError> {
        Ok(Definition { kind: row.try_get(0)?, name: row.try_get(1)?, sql: row.try_get(2)? })
    };
    rows.iter().map(definition).collect()
}
