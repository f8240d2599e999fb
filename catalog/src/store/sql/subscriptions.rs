//! The table of subscriptions.

use async_trait::async_trait;

use super::engine::{Connection, Row, inserted_id};
use super::listing::Select;
use super::row::Columns;
use super::transaction::Transaction;
use super::{SqlStore, idempotency};
use crate::idempotency::{Claim, KeptAnswer};
use crate::store::{StoreError, Subscriptions};
use crate::subscription::{Delivery, NewSubscription, Render, Standing, Subscription, SubscriptionId};
use crate::{Limit, Timestamp};

#[async_trait]
impl Subscriptions for SqlStore {
    async fn subscribe(&self, new: NewSubscription, now: Timestamp) -> Result<Subscription, StoreError> {
        self.execute("INSERT subscriptions", async |db| insert(db, &new, now).await).await
    }

    async fn subscribe_once(
        &self,
        claim: &Claim,
        new: NewSubscription,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError> {
        self.write("INSERT subscriptions", async |to| insert_once(to, claim, &new, now, render).await).await
    }

    async fn subscriptions(
        &self,
        before: Option<SubscriptionId>,
        limit: Limit,
    ) -> Result<(Vec<Subscription>, bool), StoreError> {
        self.pools.read_latest("SELECT subscriptions", async |db| list(db, before, limit).await).await
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
        self.pools.read_latest("SELECT subscriptions", async |db| get(db, id).await).await
    }

    async fn deliveries(&self, id: SubscriptionId, limit: Limit) -> Result<Vec<Delivery>, StoreError> {
        self.pools.read_latest("SELECT deliveries", async |db| deliveries(db, id, limit).await).await
    }

    async fn unsubscribe(&self, id: SubscriptionId) -> Result<bool, StoreError> {
        self.execute("DELETE subscriptions", async |db| delete(db, id).await).await
    }

    async fn enable(&self, id: SubscriptionId, now: Timestamp) -> Result<Option<Subscription>, StoreError> {
        self.write("UPDATE subscriptions", async |to| enable(to, id, now).await).await
    }
}

/// SELECTs the columns that [`subscription`] reads, in its order.
macro_rules! select_subscriptions {
    ($rest:literal) => {
        concat!("SELECT id, url, secret, kinds, owner, state, reason, created_at FROM subscriptions", $rest)
    };
}

pub(super) use select_subscriptions;

async fn insert(db: &mut Connection, new: &NewSubscription, now: Timestamp) -> Result<Subscription, StoreError> {
    let done = sqlx::query(
        "INSERT INTO subscriptions (url, secret, kinds, owner, state, not_before, created_at) \
         VALUES (?, ?, ?, ?, 'active', ?, ?)",
    )
    .bind(&new.url)
    .bind(&new.secret)
    .bind(&new.kinds)
    .bind(&new.owner)
    .bind(now)
    .bind(now)
    .execute(db)
    .await?;
    let id = inserted_id(&done);
    let id = SubscriptionId::new(id).map_err(|_| StoreError::corrupt(id, "id"))?;
    Ok(new.clone().kept(id, now))
}

async fn insert_once(
    to: &mut Transaction<'_>,
    claim: &Claim,
    new: &NewSubscription,
    now: Timestamp,
    render: &Render,
) -> Result<KeptAnswer, StoreError> {
    let answer = render(&insert(to.db, new, now).await?);
    idempotency::complete(to.db, claim, &answer).await?;
    Ok(answer)
}

async fn list(
    db: &mut Connection,
    before: Option<SubscriptionId>,
    limit: Limit,
) -> Result<(Vec<Subscription>, bool), StoreError> {
    let mut select = Select::new(select_subscriptions!(""));
    if let Some(before) = before {
        select.push(" WHERE id < ").push_bind(before);
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit.get()) + 1);
    let rows = select.build().fetch_all(db).await?;
    let page = usize::from(limit.get());
    let subscriptions: Result<Vec<Subscription>, StoreError> = rows.iter().take(page).map(subscription).collect();
    Ok((subscriptions?, rows.len() > page))
}

async fn get(db: &mut Connection, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
    let query = sqlx::query(select_subscriptions!(" WHERE id = ?"));
    query.bind(id).fetch_optional(db).await?.as_ref().map(subscription).transpose()
}

async fn deliveries(db: &mut Connection, id: SubscriptionId, limit: Limit) -> Result<Vec<Delivery>, StoreError> {
    let query = sqlx::query(
        "SELECT id, event_id, kind, product_id, state, attempts, next_at, last_status, outcome, created_at \
         FROM deliveries WHERE subscription_id = ? ORDER BY id DESC LIMIT ?",
    );
    query.bind(id).bind(limit.get()).fetch_all(db).await?.iter().map(delivery).collect()
}

async fn delete(db: &mut Connection, id: SubscriptionId) -> Result<bool, StoreError> {
    // Its deliveries are pruned with time; nothing is sent that no active subscription wants.
    let deleted = sqlx::query("DELETE FROM subscriptions WHERE id = ?").bind(id).execute(db).await?;
    Ok(deleted.rows_affected() == 1)
}

async fn enable(
    to: &mut Transaction<'_>,
    id: SubscriptionId,
    now: Timestamp,
) -> Result<Option<Subscription>, StoreError> {
    let enabled = sqlx::query(
        "UPDATE subscriptions SET state = 'active', reason = '', not_before = ? WHERE id = ? AND state = 'disabled'",
    );
    if enabled.bind(now).bind(id).execute(&mut *to.db).await?.rows_affected() == 1 {
        let retried = sqlx::query(
            "UPDATE deliveries SET state = 'pending', attempts = 0, next_at = ? \
             WHERE subscription_id = ? AND state = 'failed'",
        );
        retried.bind(now).bind(id).execute(&mut *to.db).await?;
    }
    get(to.db, id).await
}

/// The subscription in `row`.
pub(super) fn subscription(row: &Row) -> Result<Subscription, StoreError> {
    let row = Columns::of(row);
    let standing = Standing::read(row.get(5)?, row.get(6)?);
    Ok(Subscription {
        id: row.get(0)?,
        url: row.get(1)?,
        secret: row.get(2)?,
        kinds: row.get(3)?,
        owner: row.get(4)?,
        standing: standing.ok_or_else(|| row.corrupt("state"))?,
        created_at: row.get(7)?,
    })
}

/// The delivery in `row`.
fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    let row = Columns::of(row);
    Ok(Delivery {
        event: row.get(1)?,
        kind: row.get(2)?,
        product: row.get(3)?,
        state: row.get(4)?,
        attempts: row.get(5)?,
        next_at: row.get(6)?,
        last_status: row.get(7)?,
        outcome: row.get(8)?,
        created_at: row.get(9)?,
    })
}
