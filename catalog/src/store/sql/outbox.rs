//! The table of deliveries, and how much of the change log has been turned into deliveries.

use async_trait::async_trait;

use super::SqlStore;
use super::engine::{Connection, Row, delete_first, for_update, greatest, on_conflict, through};
use super::listing::Select;
use super::row::Columns;
use super::subscriptions::{select_subscriptions, subscription};
use super::transaction::Transaction;
use crate::Timestamp;
use crate::idempotency::Owner;
use crate::store::outbox::{CHUNK, PRUNE, addressed, cut};
use crate::store::{Outbox, StoreError};
use crate::subscription::{Due, Kinds, Outgoing, ReceiverEffect, Settled, Subscription, SubscriptionId};

#[async_trait]
impl Outbox for SqlStore {
    async fn lend_fan_out(&self, owner: Owner, now: Timestamp, until: Timestamp) -> Result<Option<u64>, StoreError> {
        self.execute("UPDATE change_fan_out", async |db| lend(db, owner, now, until).await).await
    }

    async fn fan_out(
        &self,
        owner: Owner,
        position: u64,
        events: &[Outgoing],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("INSERT deliveries", async |to| fan_out(to, owner, position, events, now).await).await
    }

    async fn waiting(&self, now: Timestamp) -> Result<Vec<SubscriptionId>, StoreError> {
        self.pools.read_latest("SELECT deliveries", async |db| waiting(db, now).await).await
    }

    async fn take_deliveries(
        &self,
        id: SubscriptionId,
        owner: Owner,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Option<(Subscription, Vec<Due>)>, StoreError> {
        self.write("UPDATE deliveries", async |to| take(to, id, owner, (now, until), limit).await).await
    }

    async fn settle(&self, due: &Due, owner: Owner, settled: &Settled) -> Result<bool, StoreError> {
        self.write("UPDATE deliveries", async |to| settle(to, due, owner, settled).await).await
    }

    async fn prune_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute("DELETE deliveries", async |db| prune(db, before).await).await
    }
}

async fn lend(db: &mut Connection, owner: Owner, now: Timestamp, until: Timestamp) -> Result<Option<u64>, StoreError> {
    sqlx::query(
        "UPDATE change_fan_out SET owner = ?, lease_until = ? WHERE one = 1 AND (owner = ? OR lease_until <= ?)",
    )
    .bind(&owner.0[..])
    .bind(until)
    .bind(&owner.0[..])
    .bind(now)
    .execute(&mut *db)
    .await?;
    let position: Option<i64> = sqlx::query_scalar("SELECT position FROM change_fan_out WHERE one = 1 AND owner = ?")
        .bind(&owner.0[..])
        .fetch_optional(db)
        .await?;
    Ok(position.map(i64::cast_unsigned))
}

async fn fan_out(
    to: &mut Transaction<'_>,
    owner: Owner,
    position: u64,
    events: &[Outgoing],
    now: Timestamp,
) -> Result<(), StoreError> {
    let holder = sqlx::query_scalar(concat!("SELECT owner FROM change_fan_out WHERE one = 1", for_update!()));
    let holder: Option<Vec<u8>> = holder.fetch_one(&mut *to.db).await?;
    if holder.as_deref() != Some(&owner.0[..]) {
        return Err(StoreError::Overtaken);
    }
    if !events.is_empty() {
        let subscribers = subscribers(to.db).await?;
        for chunk in addressed(&subscribers, events).chunks(CHUNK) {
            insert(to.db, chunk, now).await?;
        }
    }
    sqlx::query("UPDATE change_fan_out SET position = ? WHERE one = 1")
        .bind(position.cast_signed())
        .execute(&mut *to.db)
        .await?;
    Ok(())
}

async fn subscribers(db: &mut Connection) -> Result<Vec<(i64, Kinds)>, StoreError> {
    let select = "SELECT id, kinds FROM subscriptions WHERE state = 'active' ORDER BY id";
    let rows = sqlx::query(select).fetch_all(db).await?;
    rows.iter().map(Columns::of).map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

async fn insert(db: &mut Connection, addressed: &[(i64, &Outgoing)], now: Timestamp) -> Result<(), StoreError> {
    let mut insert = Select::new(
        "INSERT INTO deliveries (subscription_id, event_id, kind, product_id, payload, state, next_at, created_at) ",
    );
    insert.push_values(addressed, |mut row, (subscription, event)| {
        row.push_bind(subscription).push_bind(&event.id).push_bind(event.kind);
        row.push_bind(event.product).push_bind(&event.payload[..]).push("'pending'");
        row.push_bind(now).push_bind(now);
    });
    // One that is there stays as it is; only that is ignored, which INSERT IGNORE would not say.
    insert.push(concat!(on_conflict!("subscription_id, event_id"), "id = id"));
    insert.build().execute(db).await?;
    Ok(())
}

async fn waiting(db: &mut Connection, now: Timestamp) -> Result<Vec<SubscriptionId>, StoreError> {
    // The first in the index decides, however many are waiting behind it.
    let ids = sqlx::query_scalar(concat!(
        "SELECT s.id FROM subscriptions s WHERE s.state = 'active' AND s.not_before <= ? AND \
         (SELECT d.next_at FROM deliveries d ",
        through!("deliveries", "by_next"),
        " WHERE d.subscription_id = s.id AND d.state = 'pending' ORDER BY d.next_at LIMIT 1) <= ? ORDER BY s.id"
    ));
    Ok(ids.bind(now).bind(now).fetch_all(db).await?)
}

async fn take(
    to: &mut Transaction<'_>,
    id: SubscriptionId,
    owner: Owner,
    (now, until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Option<(Subscription, Vec<Due>)>, StoreError> {
    let query = sqlx::query(select_subscriptions!(" WHERE id = ? AND state = 'active' AND not_before <= ?"));
    let Some(row) = query.bind(id).bind(now).fetch_optional(&mut *to.db).await? else { return Ok(None) };
    let subscriber = subscription(&row)?;
    let query = sqlx::query(concat!(
        "SELECT id, event_id, product_id, payload, attempts FROM deliveries ",
        through!("deliveries", "by_next"),
        " WHERE subscription_id = ? AND state = 'pending' AND next_at <= ? ORDER BY next_at, id LIMIT ?",
        for_update!(skip locked)
    ));
    let rows = query.bind(id).bind(now).bind(limit).fetch_all(&mut *to.db).await?;
    let taken = rows.iter().map(|row| due(id, row)).collect::<Result<Vec<Due>, _>>()?;
    if taken.is_empty() {
        return Ok(None);
    }
    let mut update = Select::new("UPDATE deliveries SET claim = ");
    update.push_bind(&owner.0[..]).push(", next_at = ").push_bind(until).push(" WHERE id IN (");
    let mut numbers = update.separated(", ");
    taken.iter().for_each(|due| {
        numbers.push_bind(due.number.cast_signed());
    });
    update.push(")").build().execute(&mut *to.db).await?;
    Ok(Some((subscriber, taken)))
}

async fn settle(to: &mut Transaction<'_>, due: &Due, owner: Owner, settled: &Settled) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = ?, attempts = attempts + 1, next_at = ?, claim = NULL, last_status = ?, \
         outcome = ? WHERE id = ? AND claim = ? AND state = 'pending'",
    )
    .bind(settled.state)
    .bind(settled.next_at)
    .bind(settled.status)
    .bind(cut(&settled.outcome))
    .bind(due.number.cast_signed())
    .bind(&owner.0[..])
    .execute(&mut *to.db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(effect) = &settled.receiver {
        affect(to.db, due.subscription, effect).await?;
    }
    Ok(true)
}

async fn affect(db: &mut Connection, id: SubscriptionId, effect: &ReceiverEffect) -> Result<(), StoreError> {
    let update = match effect {
        ReceiverEffect::LeaveAloneUntil(at) => {
            let update = concat!("UPDATE subscriptions SET not_before = ", greatest!(), "(not_before, ?) WHERE id = ?");
            sqlx::query(update).bind(*at)
        }
        ReceiverEffect::Disable(reason) => {
            sqlx::query("UPDATE subscriptions SET state = 'disabled', reason = ? WHERE id = ?").bind(cut(reason))
        }
    };
    update.bind(id).execute(db).await?;
    Ok(())
}

async fn prune(db: &mut Connection, before: Timestamp) -> Result<u64, StoreError> {
    let sql = delete_first!(
        "deliveries",
        "id",
        "created_at < ? AND (state <> 'pending' OR subscription_id NOT IN \
         (SELECT id FROM subscriptions WHERE state = 'active'))",
        "created_at"
    );
    Ok(sqlx::query(sql).bind(before).bind(PRUNE).execute(db).await?.rows_affected())
}

/// The delivery to `subscription` in `row`.
fn due(subscription: SubscriptionId, row: &Row) -> Result<Due, StoreError> {
    let row = Columns::of(row);
    Ok(Due {
        number: row.number(0)?,
        subscription,
        event: row.get(1)?,
        product: row.get(2)?,
        payload: row.get(3)?,
        attempts: row.get(4)?,
    })
}
