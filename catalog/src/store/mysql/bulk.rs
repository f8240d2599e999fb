//! The bulk path into MySQL and MariaDB. A definition commits on its own here, so every step can be
//! taken again: what is to be built is recorded before it is dropped, and built if it is missing.

use async_trait::async_trait;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::sql::{note_any, seeding};
use crate::store::bulk::{BulkError, BulkLoad, BulkProduct, SeedRun};
use crate::store::{DatabaseUrl, StoreError};

pub(in crate::store) struct MysqlBulk {
    /// Holds the named lock; the server gives it back when the connection ends, however it ends.
    connection: MySqlConnection,
}

impl MysqlBulk {
    pub(in crate::store) async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let mut connection = super::connect(url).await?;
        // A seeding that was killed holds it until the server has ended the statement it was at.
        let lock = sqlx::query_scalar("SELECT GET_LOCK(LEFT(CONCAT('farmlokal-seed-', DATABASE()), 64), 86400)");
        let locked: Option<i64> = lock.fetch_one(&mut connection).await?;
        if locked != Some(1) {
            return Err(StoreError::Busy);
        }
        Ok(Self { connection })
    }
}

#[async_trait]
impl BulkLoad for MysqlBulk {
    async fn recorded(&mut self) -> Result<Option<SeedRun>, StoreError> {
        seeding::recorded(&mut self.connection).await
    }

    async fn begin(&mut self, seed: u64, wanted: u64) -> Result<SeedRun, BulkError> {
        let run = match self.recorded().await? {
            Some(run) => run.resume(seed, wanted)?,
            None if seeding::holds_products(&mut self.connection).await? => return Err(BulkError::NotEmpty),
            None => {
                let keys = keys(&mut self.connection).await?;
                seeding::record(&mut self.connection, seed, wanted, &keys).await?
            }
        };
        if run.loaded < wanted {
            self.put_aside().await?;
        }
        Ok(run)
    }

    async fn load(&mut self, products: &[BulkProduct]) -> Result<(), StoreError> {
        seeding::load(&mut self.connection, products).await
    }

    async fn finish(&mut self, step: &(dyn for<'a> Fn(&'a str, usize, usize) + Send + Sync)) -> Result<(), StoreError> {
        let present = keys(&mut self.connection).await?;
        let mut missing: Vec<String> = seeding::deferred(&mut self.connection).await?;
        missing.retain(|key| !holds(&present, key));
        let parts = usize::from(!missing.is_empty()) + 1;
        if !missing.is_empty() {
            step("indexes", 1, parts);
            // All in one pass over the rows.
            self.alter(missing.iter().map(|key| format!("ADD {key}"))).await?;
        }
        step("statistics", parts, parts);
        sqlx::query("ANALYZE TABLE products").fetch_all(&mut self.connection).await?;
        // What is derived from the products learns that any of them may be new.
        note_any(&mut self.connection).await?;
        sqlx::query("UPDATE seed_run SET finished = TRUE").execute(&mut self.connection).await?;
        Ok(())
    }
}

impl MysqlBulk {
    /// Drops those of the recorded keys that are still there.
    async fn put_aside(&mut self) -> Result<(), StoreError> {
        let present = keys(&mut self.connection).await?;
        let deferred: Vec<String> = seeding::deferred(&mut self.connection).await?;
        let there = deferred.iter().filter(|key| holds(&present, key));
        self.alter(there.filter_map(|key| name(key)).map(|name| format!("DROP KEY {name}"))).await
    }

    /// Changes `products`, by all `changes` or by none.
    async fn alter(&mut self, changes: impl Iterator<Item = String>) -> Result<(), StoreError> {
        let changes = changes.collect::<Vec<_>>().join(", ");
        if !changes.is_empty() {
            let alter = sqlx::query(AssertSqlSafe(format!("ALTER TABLE products {changes}")));
            alter.execute(&mut self.connection).await?;
        }
        Ok(())
    }
}

/// The secondary keys that `products` has now, in the server's own words: ``KEY `by_price` (`price`,`id`)``.
/// A unique one is not among them, since it is a promise about the rows and not only a way to find them.
async fn keys(connection: &mut MySqlConnection) -> Result<Vec<String>, StoreError> {
    let table: String = sqlx::query("SHOW CREATE TABLE products").fetch_one(connection).await?.try_get(1)?;
    let lines = table.lines().map(|line| line.trim().trim_end_matches(','));
    Ok(lines.filter(|line| name(line).is_some()).map(str::to_owned).collect())
}

/// The quoted name in a definition of a key, if it is one.
fn name(key: &str) -> Option<&str> {
    let (name, _) = key.strip_prefix("KEY ")?.split_once(" (")?;
    Some(name)
}

/// Whether a key of `key`'s name is among `keys`.
fn holds(keys: &[String], key: &str) -> bool {
    keys.iter().any(|there| name(there) == name(key))
}
