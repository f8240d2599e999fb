//! The table of deliveries, and how far the log has become such.

use async_trait::async_trait;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Connection as _, MySql, QueryBuilder, Row as _};

use super::MysqlStore;
use super::row::datetime;
use super::subscriptions::{COLUMNS, subscription};
use crate::once::Owner;
use crate::store::outbox::{CHUNK, PRUNE, addressed, cut};
use crate::store::{Outbox, StoreError};
use crate::subscription::{Due, Kinds, Outgoing, ReceiverEffect, Settled, Subscription, SubscriptionId};
use crate::{ProductId, Timestamp};

#[async_trait]
impl Outbox for MysqlStore {
    async fn lend_fan_out(&self, owner: Owner, now: Timestamp, until: Timestamp) -> Result<Option<u64>, StoreError> {
        self.pools.primary("UPDATE change_fan_out", async |db| lend(db, owner, now, until).await).await
    }

    async fn fan_out(
        &self,
        owner: Owner,
        position: u64,
        events: &[Outgoing],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.pools.primary("INSERT deliveries", async |db| fan_out(db, owner, position, events, now).await).await
    }

    async fn waiting(&self, now: Timestamp) -> Result<Vec<SubscriptionId>, StoreError> {
        self.pools.primary("SELECT deliveries", async |db| waiting(db, now).await).await
    }

    async fn take_deliveries(
        &self,
        id: SubscriptionId,
        owner: Owner,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Option<(Subscription, Vec<Due>)>, StoreError> {
        self.pools.primary("UPDATE deliveries", async |db| take(db, id, owner, now, until, limit).await).await
    }

    async fn settle(&self, due: &Due, owner: Owner, settled: &Settled) -> Result<bool, StoreError> {
        self.pools.primary("UPDATE deliveries", async |db| settle(db, due, owner, settled).await).await
    }

    async fn prune_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.pools.primary("DELETE deliveries", async |db| prune(db, before).await).await
    }
}

async fn lend(
    connection: &mut MySqlConnection,
    owner: Owner,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<u64>, StoreError> {
    sqlx::query(
        "UPDATE change_fan_out SET owner = ?, lease_until = ? WHERE one = 1 AND (owner = ? OR lease_until <= ?)",
    )
    .bind(&owner.0[..])
    .bind(datetime(until))
    .bind(&owner.0[..])
    .bind(datetime(now))
    .execute(&mut *connection)
    .await?;
    let position: Option<i64> = sqlx::query_scalar("SELECT position FROM change_fan_out WHERE one = 1 AND owner = ?")
        .bind(&owner.0[..])
        .fetch_optional(connection)
        .await?;
    Ok(position.map(i64::cast_unsigned))
}

async fn fan_out(
    connection: &mut MySqlConnection,
    owner: Owner,
    position: u64,
    events: &[Outgoing],
    now: Timestamp,
) -> Result<(), StoreError> {
    // Each statement sees what is committed by then, and no gaps between rows are locked.
    sqlx::query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    let holder: Option<Vec<u8>> = sqlx::query_scalar("SELECT owner FROM change_fan_out WHERE one = 1 FOR UPDATE")
        .fetch_one(&mut *transaction)
        .await?;
    if holder.as_deref() != Some(&owner.0[..]) {
        return Err(StoreError::Overtaken);
    }
    if !events.is_empty() {
        let subscribers = subscribers(&mut transaction).await?;
        for chunk in addressed(&subscribers, events).chunks(CHUNK) {
            insert(&mut transaction, chunk, now).await?;
        }
    }
    sqlx::query("UPDATE change_fan_out SET position = ? WHERE one = 1")
        .bind(position.cast_signed())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

async fn subscribers(connection: &mut MySqlConnection) -> Result<Vec<(i64, Kinds)>, StoreError> {
    let select = "SELECT id, kinds FROM subscriptions WHERE state = 'active' ORDER BY id";
    let rows: Vec<(i64, String)> = sqlx::query_as(select).fetch_all(connection).await?;
    let read = |(id, kinds): (i64, String)| {
        kinds.parse().map(|kinds| (id, kinds)).map_err(|_| StoreError::Corrupt { id, field: "kinds" })
    };
    rows.into_iter().map(read).collect()
}

async fn insert(
    connection: &mut MySqlConnection,
    addressed: &[(i64, &Outgoing)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut insert = QueryBuilder::<MySql>::new(
        "INSERT INTO deliveries (subscription_id, event_id, kind, product_id, payload, state, next_at, created_at) ",
    );
    insert.push_values(addressed, |mut row, (subscription, event)| {
        row.push_bind(subscription).push_bind(event.id.as_str()).push_bind(event.kind.as_str());
        row.push_bind(event.product.get()).push_bind(&event.payload[..]).push("'pending'");
        row.push_bind(datetime(now)).push_bind(datetime(now));
    });
    // One that is there stays as it is; only that is forgiven, which INSERT IGNORE would not say.
    insert.push(" ON DUPLICATE KEY UPDATE id = id");
    insert.build().execute(connection).await?;
    Ok(())
}

async fn waiting(connection: &mut MySqlConnection, now: Timestamp) -> Result<Vec<SubscriptionId>, StoreError> {
    // The first in the index says it all, however many are waiting behind it.
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT s.id FROM subscriptions s WHERE s.state = 'active' AND s.not_before <= ? AND \
         (SELECT d.next_at FROM deliveries d FORCE INDEX (by_next) WHERE d.subscription_id = s.id \
         AND d.state = 'pending' ORDER BY d.next_at LIMIT 1) <= ? ORDER BY s.id",
    )
    .bind(datetime(now))
    .bind(datetime(now))
    .fetch_all(connection)
    .await?;
    ids.into_iter().map(|id| SubscriptionId::new(id).map_err(|_| StoreError::Corrupt { id, field: "id" })).collect()
}

async fn take(
    connection: &mut MySqlConnection,
    id: SubscriptionId,
    owner: Owner,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Option<(Subscription, Vec<Due>)>, StoreError> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE id = ? AND state = 'active' AND not_before <= ?");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.get()).bind(datetime(now)).fetch_optional(&mut *transaction);
    let Some(subscriber) = row.await?.as_ref().map(subscription).transpose()? else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let rows = sqlx::query(
        "SELECT id, event_id, product_id, payload, attempts FROM deliveries FORCE INDEX (by_next) \
         WHERE subscription_id = ? AND state = 'pending' AND next_at <= ? ORDER BY next_at, id LIMIT ? \
         FOR UPDATE SKIP LOCKED",
    )
    .bind(id.get())
    .bind(datetime(now))
    .bind(limit)
    .fetch_all(&mut *transaction)
    .await?;
    let taken = rows.iter().map(|row| due(id, row)).collect::<Result<Vec<Due>, _>>()?;
    if taken.is_empty() {
        // By hand: a transaction that is only dropped ends later, and its locks would hide the next row from others.
        transaction.rollback().await?;
        return Ok(None);
    }
    let mut update = QueryBuilder::<MySql>::new("UPDATE deliveries SET claim = ");
    update.push_bind(&owner.0[..]).push(", next_at = ").push_bind(datetime(until)).push(" WHERE id IN (");
    let mut numbers = update.separated(", ");
    taken.iter().for_each(|due| {
        numbers.push_bind(due.number.cast_signed());
    });
    update.push(")").build().execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Some((subscriber, taken)))
}

async fn settle(
    connection: &mut MySqlConnection,
    due: &Due,
    owner: Owner,
    settled: &Settled,
) -> Result<bool, StoreError> {
    let mut transaction = connection.begin().await?;
    let done = sqlx::query(
        "UPDATE deliveries SET state = ?, attempts = attempts + 1, next_at = ?, claim = NULL, last_status = ?, \
         outcome = ? WHERE id = ? AND claim = ? AND state = 'pending'",
    )
    .bind(settled.state.as_str())
    .bind(datetime(settled.next_at))
    .bind(settled.status)
    .bind(cut(&settled.outcome))
    .bind(due.number.cast_signed())
    .bind(&owner.0[..])
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(effect) = &settled.receiver {
        affect(&mut transaction, due.subscription, effect).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

async fn affect(
    connection: &mut MySqlConnection,
    id: SubscriptionId,
    effect: &ReceiverEffect,
) -> Result<(), StoreError> {
    let update = match effect {
        ReceiverEffect::LeaveAloneUntil(at) => {
            sqlx::query("UPDATE subscriptions SET not_before = GREATEST(not_before, ?) WHERE id = ?")
                .bind(datetime(*at))
        }
        ReceiverEffect::Disable(reason) => {
            sqlx::query("UPDATE subscriptions SET state = 'disabled', reason = ? WHERE id = ?").bind(cut(reason))
        }
    };
    update.bind(id.get()).execute(connection).await?;
    Ok(())
}

async fn prune(connection: &mut MySqlConnection, before: Timestamp) -> Result<u64, StoreError> {
    let sql = "DELETE FROM deliveries WHERE created_at < ? AND (state <> 'pending' OR subscription_id NOT IN \
               (SELECT id FROM subscriptions WHERE state = 'active')) ORDER BY created_at LIMIT ?";
    Ok(sqlx::query(sql).bind(datetime(before)).bind(PRUNE).execute(connection).await?.rows_affected())
}

/// The delivery to `subscription` in `row`.
fn due(subscription: SubscriptionId, row: &MySqlRow) -> Result<Due, StoreError> {
    let number: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id: number, field };
    Ok(Due {
        number: number.cast_unsigned(),
        subscription,
        event: row.try_get::<&str, _>(1)?.parse().map_err(|_| corrupt("event_id"))?,
        product: ProductId::new(row.try_get(2)?).map_err(|_| corrupt("product_id"))?,
        payload: row.try_get(3)?,
        attempts: row.try_get(4)?,
    })
}
