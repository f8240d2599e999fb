//! The table of subscriptions.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, QueryBuilder, Row as _, Sqlite};

use super::write::BEGIN;
use super::{SqliteStore, idempotency};
use crate::once::{Claim, KeptAnswer};
use crate::store::{StoreError, Subscriptions};
use crate::subscription::{Delivery, NewSubscription, Render, SharedSecret, Standing, Subscription, SubscriptionId};
use crate::{Limit, ProductId, Timestamp};

#[async_trait]
impl Subscriptions for SqliteStore {
    async fn subscribe(&self, new: NewSubscription, now: Timestamp) -> Result<Subscription, StoreError> {
        self.write("INSERT subscriptions", async |db| insert(db, new, now).await).await
    }

    async fn subscribe_once(
        &self,
        claim: &Claim,
        new: NewSubscription,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError> {
        self.write("INSERT subscriptions", async |db| insert_once(db, claim, new, now, render).await).await
    }

    async fn subscriptions(
        &self,
        before: Option<SubscriptionId>,
        limit: Limit,
    ) -> Result<(Vec<Subscription>, bool), StoreError> {
        self.read("SELECT subscriptions", async |db| list(db, before, limit).await).await
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
        self.read("SELECT subscriptions", async |db| get(db, id).await).await
    }

    async fn deliveries(&self, id: SubscriptionId, limit: Limit) -> Result<Vec<Delivery>, StoreError> {
        self.read("SELECT deliveries", async |db| deliveries(db, id, limit).await).await
    }

    async fn unsubscribe(&self, id: SubscriptionId) -> Result<bool, StoreError> {
        self.write("DELETE subscriptions", async |db| delete(db, id).await).await
    }

    async fn enable(&self, id: SubscriptionId, now: Timestamp) -> Result<Option<Subscription>, StoreError> {
        self.write("UPDATE subscriptions", async |db| enable(db, id, now).await).await
    }
}

/// The columns that [`subscription`] reads, in its order.
pub(super) const COLUMNS: &str = "id, url, secret, kinds, owner, state, reason, created_at";

async fn insert(
    connection: &mut SqliteConnection,
    new: NewSubscription,
    now: Timestamp,
) -> Result<Subscription, StoreError> {
    let id = sqlx::query(
        "INSERT INTO subscriptions (url, secret, kinds, owner, state, not_before, created_at) \
         VALUES (?, ?, ?, ?, 'active', ?, ?)",
    )
    .bind(new.url.to_string())
    .bind(new.secret.expose())
    .bind(new.kinds.to_string())
    .bind(&new.owner)
    .bind(now.micros())
    .bind(now.micros())
    .execute(connection)
    .await?
    .last_insert_rowid();
    let id = SubscriptionId::new(id).map_err(|_| StoreError::Corrupt { id: 0, field: "id" })?;
    Ok(new.kept(id, now))
}

async fn insert_once(
    connection: &mut SqliteConnection,
    claim: &Claim,
    new: NewSubscription,
    now: Timestamp,
    render: &Render,
) -> Result<KeptAnswer, StoreError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let answer = render(&insert(&mut transaction, new, now).await?);
    idempotency::complete(&mut transaction, claim, &answer).await?;
    transaction.commit().await?;
    Ok(answer)
}

async fn list(
    connection: &mut SqliteConnection,
    before: Option<SubscriptionId>,
    limit: Limit,
) -> Result<(Vec<Subscription>, bool), StoreError> {
    let mut select = QueryBuilder::<Sqlite>::new(format!("SELECT {COLUMNS} FROM subscriptions"));
    if let Some(before) = before {
        select.push(" WHERE id < ").push_bind(before.get());
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit.get()) + 1);
    let rows = select.build().fetch_all(connection).await?;
    let page = usize::from(limit.get());
    let subscriptions: Result<Vec<Subscription>, StoreError> = rows.iter().take(page).map(subscription).collect();
    Ok((subscriptions?, rows.len() > page))
}

pub(super) async fn get(
    connection: &mut SqliteConnection,
    id: SubscriptionId,
) -> Result<Option<Subscription>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE id = ?");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.get()).fetch_optional(connection).await?;
    row.as_ref().map(subscription).transpose()
}

async fn deliveries(
    connection: &mut SqliteConnection,
    id: SubscriptionId,
    limit: Limit,
) -> Result<Vec<Delivery>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, event_id, kind, product_id, state, attempts, next_at, last_status, outcome, created_at \
         FROM deliveries WHERE subscription_id = ? ORDER BY id DESC LIMIT ?",
    )
    .bind(id.get())
    .bind(limit.get())
    .fetch_all(connection)
    .await?;
    rows.iter().map(delivery).collect()
}

async fn delete(connection: &mut SqliteConnection, id: SubscriptionId) -> Result<bool, StoreError> {
    // Its deliveries are forgotten with time; nobody sends what no active subscription wants.
    let deleted = sqlx::query("DELETE FROM subscriptions WHERE id = ?").bind(id.get()).execute(connection).await?;
    Ok(deleted.rows_affected() == 1)
}

async fn enable(
    connection: &mut SqliteConnection,
    id: SubscriptionId,
    now: Timestamp,
) -> Result<Option<Subscription>, StoreError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let enabled = sqlx::query(
        "UPDATE subscriptions SET state = 'active', reason = '', not_before = ? WHERE id = ? AND state = 'disabled'",
    )
    .bind(now.micros())
    .bind(id.get())
    .execute(&mut *transaction)
    .await?;
    if enabled.rows_affected() == 1 {
        sqlx::query(
            "UPDATE deliveries SET state = 'pending', attempts = 0, next_at = ? \
             WHERE subscription_id = ? AND state = 'failed'",
        )
        .bind(now.micros())
        .bind(id.get())
        .execute(&mut *transaction)
        .await?;
    }
    let subscription = get(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(subscription)
}

/// The subscription in `row`.
pub(super) fn subscription(row: &SqliteRow) -> Result<Subscription, StoreError> {
    let id: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id, field };
    let text = |column: usize, field| row.try_get::<&str, _>(column).map_err(|_| corrupt(field));
    Ok(Subscription {
        id: SubscriptionId::new(id).map_err(|_| corrupt("id"))?,
        url: text(1, "url")?.parse().map_err(|_| corrupt("url"))?,
        secret: SharedSecret::new(text(2, "secret")?),
        kinds: text(3, "kinds")?.parse().map_err(|_| corrupt("kinds"))?,
        owner: text(4, "owner")?.to_owned(),
        standing: Standing::read(text(5, "state")?, text(6, "reason")?).ok_or_else(|| corrupt("state"))?,
        created_at: moment(row, 7, "created_at")?,
    })
}

/// The delivery in `row`.
fn delivery(row: &SqliteRow) -> Result<Delivery, StoreError> {
    let id: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id, field };
    let text = |column: usize, field| row.try_get::<&str, _>(column).map_err(|_| corrupt(field));
    Ok(Delivery {
        event: text(1, "event_id")?.parse().map_err(|_| corrupt("event_id"))?,
        kind: text(2, "kind")?.parse().map_err(|_| corrupt("kind"))?,
        product: ProductId::new(row.try_get(3)?).map_err(|_| corrupt("product_id"))?,
        state: text(4, "state")?.parse().map_err(|_| corrupt("state"))?,
        attempts: row.try_get(5)?,
        next_at: moment(row, 6, "next_at")?,
        last_status: row.try_get(7)?,
        outcome: row.try_get(8)?,
        created_at: moment(row, 9, "created_at")?,
    })
}

/// The moment in `column`, which is called `field`.
fn moment(row: &SqliteRow, column: usize, field: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_micros(row.try_get(column)?).ok_or(StoreError::Corrupt { id: row.try_get(0)?, field })
}
