//! The inbox: events are stored once, and applied in the transaction that says so.

use async_trait::async_trait;

use super::engine::{Connection, Row, delete_first, for_update, inserted_id};
use super::listing::Select;
use super::row::Columns;
use super::transaction::Transaction;
use super::{SqlStore, apply};
use crate::inbox::{Due, Event, NewEvent, Receipt, SourceName, State};
use crate::store::inbox::{Claimed, Finish, PRUNE, Retry, failed};
use crate::store::{Inbox, StoreError};
use crate::{EventId, Limit, Timestamp};

#[async_trait]
impl Inbox for SqlStore {
    async fn receive(&self, event: &NewEvent, now: Timestamp) -> Result<Receipt, StoreError> {
        self.execute("INSERT webhook_events", async |db| receive(db, event, now).await).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        self.pools.read_latest("SELECT webhook_events", async |db| due(db, now, limit).await).await
    }

    async fn process(&self, number: u64, now: Timestamp, retry: Retry<'_>) -> Result<Option<State>, StoreError> {
        self.write_products("UPDATE webhook_events", async |to| process(to, number, now, retry).await).await
    }

    async fn broke_off(&self, number: u64, why: &str, now: Timestamp, retry: Retry<'_>) -> Result<(), StoreError> {
        self.write("UPDATE webhook_events", async |to| broke_off(to, number, why, now, retry).await).await
    }

    async fn events(
        &self,
        source: &SourceName,
        state: Option<State>,
        before: Option<u64>,
        limit: Limit,
    ) -> Result<(Vec<Event>, bool), StoreError> {
        let list = async |db: &mut Connection| list(db, source, state, before, limit).await;
        self.pools.read_latest("SELECT webhook_events", list).await
    }

    async fn event(&self, source: &SourceName, id: &EventId) -> Result<Option<(Event, Vec<u8>)>, StoreError> {
        self.pools.read_latest("SELECT webhook_events", async |db| get(db, source, id).await).await
    }

    async fn replay(&self, source: &SourceName, id: &EventId, now: Timestamp) -> Result<Option<Event>, StoreError> {
        self.execute("UPDATE webhook_events", async |db| replay(db, source, id, now).await).await
    }

    async fn prune_inbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute("DELETE webhook_events", async |db| prune(db, before).await).await
    }
}

/// SELECTs the columns that [`event`] reads, in its order, and then those of `$more`.
macro_rules! select_events {
    ($more:literal, $condition:expr) => {
        concat!(
            "SELECT number, source, event_id, type, occurred_at, traceparent, state, attempts, next_at, outcome, \
             received_at, processed_at",
            $more,
            " FROM webhook_events WHERE ",
            $condition
        )
    };
}

/// The place of the first column behind those of an event.
const MORE: usize = 12;

async fn receive(db: &mut Connection, event: &NewEvent, now: Timestamp) -> Result<Receipt, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO webhook_events (source, event_id, type, occurred_at, payload, fingerprint, traceparent, state, \
         next_at, received_at, processed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&event.source)
    .bind(&event.id)
    .bind(&event.kind)
    .bind(event.occurred_at)
    .bind(&event.payload)
    .bind(&event.fingerprint()[..])
    .bind(&event.traceparent)
    .bind(event.state)
    .bind(now)
    .bind(now)
    .bind(event.processed_at(now))
    .execute(&mut *db)
    .await;
    match inserted {
        Ok(done) => Ok(Receipt::Accepted(event.kept(inserted_id(&done).cast_unsigned(), now))),
        Err(sqlx::Error::Database(said)) if said.is_unique_violation() => earlier(db, event).await,
        Err(error) => Err(error.into()),
    }
}

/// The event that the inbox has under the id of `event`.
async fn earlier(db: &mut Connection, event: &NewEvent) -> Result<Receipt, StoreError> {
    let query = sqlx::query(select_events!(", fingerprint", "source = ? AND event_id = ?"));
    // Deleted between the two statements: the sender's next try is accepted.
    let row = query.bind(&event.source).bind(&event.id).fetch_optional(db).await?.ok_or(StoreError::Busy)?;
    let same = Columns::of(&row).get::<&[u8]>(MORE)? == event.fingerprint();
    Ok(if same { Receipt::Duplicate(self::event(&row)?) } else { Receipt::Conflict })
}

async fn due(db: &mut Connection, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    let due: Vec<(i64, Option<String>)> = sqlx::query_as(
        "SELECT number, traceparent FROM webhook_events WHERE state = 'pending' AND next_at <= ? \
         ORDER BY next_at, number LIMIT ?",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(db)
    .await?;
    let due = due.into_iter().map(|(number, traceparent)| Due { number: number.cast_unsigned(), traceparent });
    Ok(due.collect())
}

/// Claims, applies and completes in one transaction: of a crash anywhere in it nothing remains.
async fn process(
    to: &mut Transaction<'_>,
    number: u64,
    now: Timestamp,
    retry: Retry<'_>,
) -> Result<Option<State>, StoreError> {
    let Some(claimed) = claim(to.db, number, now).await? else { return Ok(None) };
    let finish = apply::apply(to, &claimed, now).await?.finish(number, claimed.attempts, now, retry);
    complete(to.db, number, &finish).await?;
    Ok(Some(finish.state))
}

async fn claim(db: &mut Connection, number: u64, now: Timestamp) -> Result<Option<Claimed>, StoreError> {
    let query = sqlx::query(select_events!(
        ", payload",
        concat!("number = ? AND state = 'pending' AND next_at <= ?", for_update!(skip locked))
    ));
    let Some(row) = query.bind(number.cast_signed()).bind(now).fetch_optional(db).await? else { return Ok(None) };
    let Event { source, kind, occurred_at, attempts, .. } = event(&row)?;
    Ok(Some(Claimed { number, source, kind, occurred_at, payload: Columns::of(&row).get(MORE)?, attempts }))
}

async fn complete(db: &mut Connection, number: u64, finish: &Finish) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_events SET state = ?, attempts = ?, next_at = ?, outcome = ?, processed_at = ? WHERE number = ?",
    )
    .bind(finish.state)
    .bind(finish.attempts)
    .bind(finish.next_at)
    .bind(&finish.outcome)
    .bind(finish.processed_at)
    .bind(number.cast_signed())
    .execute(db)
    .await?;
    Ok(())
}

async fn broke_off(
    to: &mut Transaction<'_>,
    number: u64,
    why: &str,
    now: Timestamp,
    retry: Retry<'_>,
) -> Result<(), StoreError> {
    let Some(claimed) = claim(to.db, number, now).await? else { return Ok(()) };
    complete(to.db, number, &failed(why, number, claimed.attempts, now, retry)).await
}

async fn list(
    db: &mut Connection,
    source: &SourceName,
    state: Option<State>,
    before: Option<u64>,
    limit: Limit,
) -> Result<(Vec<Event>, bool), StoreError> {
    let mut select = Select::new(select_events!("", "source = "));
    select.push_bind(source);
    if let Some(state) = state {
        select.push(" AND state = ").push_bind(state);
    }
    if let Some(before) = before {
        select.push(" AND number < ").push_bind(before.cast_signed());
    }
    select.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(limit.get()) + 1);
    let rows = select.build().fetch_all(db).await?;
    let page = usize::from(limit.get());
    let events: Result<Vec<Event>, StoreError> = rows.iter().take(page).map(event).collect();
    Ok((events?, rows.len() > page))
}

async fn get(db: &mut Connection, source: &SourceName, id: &EventId) -> Result<Option<(Event, Vec<u8>)>, StoreError> {
    let query = sqlx::query(select_events!(", payload", "source = ? AND event_id = ?"));
    let Some(row) = query.bind(source).bind(id).fetch_optional(db).await? else { return Ok(None) };
    Ok(Some((event(&row)?, Columns::of(&row).get(MORE)?)))
}

async fn replay(
    db: &mut Connection,
    source: &SourceName,
    id: &EventId,
    now: Timestamp,
) -> Result<Option<Event>, StoreError> {
    sqlx::query(
        "UPDATE webhook_events SET state = 'pending', attempts = 0, next_at = ?, processed_at = NULL \
         WHERE source = ? AND event_id = ? AND state IN ('parked', 'ignored')",
    )
    .bind(now)
    .bind(source)
    .bind(id)
    .execute(&mut *db)
    .await?;
    Ok(get(db, source, id).await?.map(|(event, _)| event))
}

async fn prune(db: &mut Connection, before: Timestamp) -> Result<u64, StoreError> {
    let mut pruned = 0;
    for state in [State::Processed, State::Ignored] {
        let sql = delete_first!("webhook_events", "number", "state = ? AND next_at < ?", "next_at");
        let delete = sqlx::query(sql).bind(state).bind(before).bind(PRUNE);
        pruned += delete.execute(&mut *db).await?.rows_affected();
    }
    Ok(pruned)
}

/// The event in `row`.
fn event(row: &Row) -> Result<Event, StoreError> {
    let row = Columns::of(row);
    Ok(Event {
        number: row.number(0)?,
        source: row.get(1)?,
        id: row.get(2)?,
        kind: row.get(3)?,
        occurred_at: row.get(4)?,
        traceparent: row.get(5)?,
        state: row.get(6)?,
        attempts: row.get(7)?,
        next_at: row.get(8)?,
        outcome: row.get(9)?,
        received_at: row.get(10)?,
        processed_at: row.get(11)?,
    })
}
