//! What waits to be done: each question is answered by the beginning of an index.

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::SqliteStore;
use crate::Timestamp;
use crate::store::StoreError;
use crate::store::backlog::{Backlog, Backlogs, COUNTED, Waiting};

#[async_trait]
impl Backlogs for SqliteStore {
    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.read("SELECT backlog", async |db| read(db).await).await
    }
}

async fn read(connection: &mut SqliteConnection) -> Result<Backlog, StoreError> {
    let due = "SELECT MIN(next_at) FROM webhook_events WHERE state = 'pending'";
    let pending = "FROM webhook_events WHERE state = 'pending'";
    let events = Waiting { count: count(connection, pending).await?, due_since: first(connection, due).await? };
    let parked = count(connection, "FROM webhook_events WHERE state = 'parked'").await?;
    // Whoever wants to be left alone is not late.
    let due = "SELECT MIN(MAX(s.not_before, (SELECT d.next_at FROM deliveries d INDEXED BY deliveries_by_next WHERE \
               d.subscription_id = s.id AND d.state = 'pending' ORDER BY d.next_at LIMIT 1))) FROM subscriptions s \
               WHERE s.state = 'active'";
    let pending = "FROM subscriptions s CROSS JOIN deliveries d INDEXED BY deliveries_by_next ON \
                   d.subscription_id = s.id AND d.state = 'pending' WHERE s.state = 'active'";
    let deliveries = Waiting { count: count(connection, pending).await?, due_since: first(connection, due).await? };
    let unpassed: i64 = sqlx::query_scalar(
        "SELECT COALESCE((SELECT MAX(number) FROM product_changes), 0) - position FROM change_fan_out WHERE one = 1",
    )
    .fetch_one(connection)
    .await?;
    Ok(Backlog { events, parked, deliveries, unpassed: u64::try_from(unpassed).unwrap_or(0) })
}

/// The number of rows `from` has, as far as it is counted.
async fn count(connection: &mut SqliteConnection, from: &str) -> Result<u32, StoreError> {
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 {from} LIMIT {COUNTED})");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?;
    Ok(u32::try_from(count).unwrap_or(COUNTED))
}

async fn first(connection: &mut SqliteConnection, select: &'static str) -> Result<Option<Timestamp>, StoreError> {
    let micros: Option<i64> = sqlx::query_scalar(select).fetch_one(connection).await?;
    Ok(micros.and_then(Timestamp::from_micros))
}
