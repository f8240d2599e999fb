//! The bulk path into MySQL and MariaDB. A definition commits on its own here, so every step can be
//! taken again: what is to be built is recorded before it is dropped, and built if it is missing.

use async_trait::async_trait;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::changes;
use super::row::datetime;
use crate::NameKey;
use crate::store::bulk::{BulkError, BulkLoad, BulkProduct, SeedRun, out_of_order, per_category, span};
use crate::store::{DatabaseUrl, StoreError};

/// Rows of one statement. Large, since the end of each may wait 40 ms for a delayed acknowledgement:
/// sqlx 0.9.0 leaves Nagle's algorithm on (sqlx issue 4335). Over TLS 250 rows took 7 times as long.
const CHUNK: usize = 1_000;

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
        recorded(&mut self.connection).await
    }

    async fn begin(&mut self, seed: u64, wanted: u64) -> Result<SeedRun, BulkError> {
        let run = match self.recorded().await? {
            Some(run) => run.resume(seed, wanted)?,
            None if self.holds_products().await? => return Err(BulkError::NotEmpty),
            None => self.record(seed, wanted).await?,
        };
        if run.loaded < wanted {
            self.put_aside().await?;
        }
        Ok(run)
    }

    async fn load(&mut self, products: &[BulkProduct]) -> Result<(), StoreError> {
        let (before, after) = span(products)?;
        let mut transaction = self.connection.begin().await?;
        // The guard: no batch is kept twice, and none is left out.
        let advanced = sqlx::query("UPDATE seed_run SET loaded = ? WHERE loaded = ? AND NOT finished")
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
                 ON DUPLICATE KEY UPDATE products = products + VALUES (products)",
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
        let present = keys(&mut self.connection).await?;
        let mut missing = self.deferred().await?;
        missing.retain(|key| !holds(&present, key));
        let parts = usize::from(!missing.is_empty()) + 1;
        if !missing.is_empty() {
            // In one pass over the rows.
            step("indexes", 1, parts);
            self.alter(missing.iter().map(|key| format!("ADD {key}"))).await?;
        }
        step("statistics", parts, parts);
        sqlx::query("ANALYZE TABLE products").fetch_all(&mut self.connection).await?;
        // What is derived from the products learns that any of them may be new.
        changes::note_any(&mut self.connection).await?;
        sqlx::query("UPDATE seed_run SET finished = TRUE").execute(&mut self.connection).await?;
        Ok(())
    }
}

impl MysqlBulk {
    async fn holds_products(&mut self) -> Result<bool, StoreError> {
        let any = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM products)");
        Ok(any.fetch_one(&mut self.connection).await?)
    }

    /// Records the new seeding and the keys that are to be built at its end.
    async fn record(&mut self, seed: u64, wanted: u64) -> Result<SeedRun, StoreError> {
        let keys = keys(&mut self.connection).await?;
        sqlx::query("INSERT INTO seed_run (one, seed, wanted, loaded, deferred) VALUES (1, ?, ?, 0, ?)")
            .bind(seed.cast_signed())
            .bind(wanted.cast_signed())
            .bind(serde_json::to_string(&keys).map_err(not_json)?)
            .execute(&mut self.connection)
            .await?;
        Ok(SeedRun { seed, wanted, loaded: 0, finished: false })
    }

    async fn deferred(&mut self) -> Result<Vec<String>, StoreError> {
        let deferred = sqlx::query_scalar("SELECT deferred FROM seed_run");
        let deferred: String = deferred.fetch_one(&mut self.connection).await?;
        serde_json::from_str(&deferred).map_err(not_json)
    }

    /// Drops those of the recorded keys that are still there.
    async fn put_aside(&mut self) -> Result<(), StoreError> {
        let present = keys(&mut self.connection).await?;
        let deferred = self.deferred().await?;
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

pub(super) async fn recorded(connection: &mut MySqlConnection) -> Result<Option<SeedRun>, StoreError> {
    let row = sqlx::query("SELECT seed, wanted, loaded, finished FROM seed_run");
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
    let number = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
    Ok(Some(SeedRun { seed: number(0)?, wanted: number(1)?, loaded: number(2)?, finished: row.try_get(3)? }))
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

fn not_json(error: serde_json::Error) -> StoreError {
    StoreError::Database(sqlx::Error::Decode(error.into()))
}

async fn insert(connection: &mut MySqlConnection, products: &[BulkProduct]) -> Result<(), StoreError> {
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
            .bind(details.price.to_decimal())
            .bind(details.currency.as_str())
            .bind(details.unit.as_str())
            .bind(details.producer.as_str())
            .bind(details.stock)
            .bind(datetime(*created_at))
            .bind(datetime(*created_at));
    }
    insert.execute(connection).await?;
    Ok(())
}
