//! Work that waits: each figure is read from the beginning of an index.

use async_trait::async_trait;

use super::SqlStore;
use super::engine::{Connection, greatest, join_in_order, through};
use crate::Timestamp;
use crate::store::StoreError;
use crate::store::backlog::{Backlog, Backlogs, COUNTED, Waiting};

#[async_trait]
impl Backlogs for SqlStore {
    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.pools.read_latest("SELECT backlog", async |db| read(db).await).await
    }
}

/// Counts the rows of `$from`, up to [`COUNTED`].
macro_rules! count {
    ($from:expr) => {
        concat!("SELECT COUNT(*) FROM (SELECT 1 FROM ", $from, " LIMIT ?) counted")
    };
}

async fn read(db: &mut Connection) -> Result<Backlog, StoreError> {
    let events = Waiting {
        count: count(db, count!("webhook_events WHERE state = 'pending'")).await?,
        due_since: first(db, "SELECT MIN(next_at) FROM webhook_events WHERE state = 'pending'").await?,
    };
    let parked = count(db, count!("webhook_events WHERE state = 'parked'")).await?;
    let pending = count!(concat!(
        "subscriptions s ",
        join_in_order!(),
        " deliveries d ",
        through!("deliveries", "by_next"),
        " ON d.subscription_id = s.id AND d.state = 'pending' WHERE s.state = 'active'"
    ));
    // A receiver that asked to be left alone is not late.
    let due = concat!(
        "SELECT MIN(",
        greatest!(),
        "(s.not_before, (SELECT d.next_at FROM deliveries d ",
        through!("deliveries", "by_next"),
        " WHERE d.subscription_id = s.id AND d.state = 'pending' ORDER BY d.next_at LIMIT 1))) FROM subscriptions s \
         WHERE s.state = 'active'"
    );
    let deliveries = Waiting { count: count(db, pending).await?, due_since: first(db, due).await? };
    let unpassed: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE((SELECT MAX(number) FROM product_changes), 0) AS SIGNED) - position FROM change_fan_out \
         WHERE one = 1",
    )
    .fetch_one(db)
    .await?;
    Ok(Backlog { events, parked, deliveries, unpassed: u64::try_from(unpassed).unwrap_or(0) })
}

async fn count(db: &mut Connection, select: &'static str) -> Result<u32, StoreError> {
    let count: i64 = sqlx::query_scalar(select).bind(COUNTED).fetch_one(db).await?;
    Ok(u32::try_from(count).unwrap_or(COUNTED))
}

async fn first(db: &mut Connection, select: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(sqlx::query_scalar(select).fetch_one(db).await?)
}
