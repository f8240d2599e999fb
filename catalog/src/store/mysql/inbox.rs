//! The inbox's table.

use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, MySql, QueryBuilder, Row as _};

use super::MysqlStore;
use super::applying::Transaction;
use super::row::datetime;
use crate::inbox::{Due, Event, NewEvent, Receipt, SourceName, State};
use crate::store::changes::Written;
use crate::store::inbox::{Claimed, Finish, PRUNE, Retry, apply, failed};
use crate::store::{Inbox, StoreError};
use crate::{EventId, Limit, Timestamp};

#[async_trait]
impl Inbox for MysqlStore {
    async fn receive(&self, event: &NewEvent, now: Timestamp) -> Result<Receipt, StoreError> {
        self.pools.primary("INSERT webhook_events", async |db| receive(db, event, now).await).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        self.pools.primary("SELECT webhook_events", async |db| due(db, now, limit).await).await
    }

    async fn process(&self, number: u64, now: Timestamp, retry: Retry<'_>) -> Result<Option<State>, StoreError> {
        self.written("UPDATE webhook_events", async |db| process(db, number, now, retry).await).await
    }

    async fn broke_off(&self, number: u64, why: &str, now: Timestamp, retry: Retry<'_>) -> Result<(), StoreError> {
        self.pools.primary("UPDATE webhook_events", async |db| broke_off(db, number, why, now, retry).await).await
    }

    async fn events(
        &self,
        source: &SourceName,
        state: Option<State>,
        before: Option<u64>,
        limit: Limit,
    ) -> Result<(Vec<Event>, bool), StoreError> {
        self.pools.primary("SELECT webhook_events", async |db| list(db, source, state, before, limit).await).await
    }

    async fn event(&self, source: &SourceName, id: &EventId) -> Result<Option<(Event, Vec<u8>)>, StoreError> {
        self.pools.primary("SELECT webhook_events", async |db| get(db, source, id).await).await
    }

    async fn replay(&self, source: &SourceName, id: &EventId, now: Timestamp) -> Result<Option<Event>, StoreError> {
        self.pools.primary("UPDATE webhook_events", async |db| replay(db, source, id, now).await).await
    }

    async fn prune_inbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.pools.primary("DELETE webhook_events", async |db| prune(db, before).await).await
    }
}

/// The columns that [`event`] reads, in its order.
const COLUMNS: &str = "number, source, event_id, type, occurred_at, traceparent, state, attempts, next_at, outcome, \
                       received_at, processed_at";

async fn receive(connection: &mut MySqlConnection, event: &NewEvent, now: Timestamp) -> Result<Receipt, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO webhook_events (source, event_id, type, occurred_at, payload, fingerprint, traceparent, state, \
         next_at, received_at, processed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(event.source.as_str())
    .bind(event.id.as_str())
    .bind(event.kind.as_str())
    .bind(datetime(event.occurred_at))
    .bind(&event.payload)
    .bind(&event.fingerprint()[..])
    .bind(&event.traceparent)
    .bind(event.state.as_str())
    .bind(datetime(now))
    .bind(datetime(now))
    .bind(event.processed_at(now).map(datetime))
    .execute(&mut *connection)
    .await;
    match inserted {
        Ok(done) => Ok(Receipt::Accepted(event.kept(done.last_insert_id(), now))),
        Err(sqlx::Error::Database(said)) if said.is_unique_violation() => earlier(connection, event).await,
        Err(error) => Err(error.into()),
    }
}

/// What the inbox has under the id of `event`.
async fn earlier(connection: &mut MySqlConnection, event: &NewEvent) -> Result<Receipt, StoreError> {
    let sql = format!("SELECT {COLUMNS}, fingerprint FROM webhook_events WHERE source = ? AND event_id = ?");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(event.source.as_str()).bind(event.id.as_str());
    // Forgotten between the two statements: the sender's next try is accepted.
    let row = query.fetch_optional(connection).await?.ok_or(StoreError::Busy)?;
    let same = row.try_get::<&[u8], _>(12)? == event.fingerprint();
    Ok(if same { Receipt::Duplicate(self::event(&row)?) } else { Receipt::Conflict })
}

async fn due(connection: &mut MySqlConnection, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    let due: Vec<(i64, Option<String>)> = sqlx::query_as(
        "SELECT number, traceparent FROM webhook_events WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, number LIMIT ?",
    )
    .bind(datetime(now))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let due = due.into_iter().map(|(number, traceparent)| Due { number: number.cast_unsigned(), traceparent });
    Ok(due.collect())
}

/// Claims, applies and completes in one transaction: of a crash anywhere in it nothing remains.
async fn process(
    connection: &mut MySqlConnection,
    number: u64,
    now: Timestamp,
    retry: Retry<'_>,
) -> Result<Written<Option<State>>, StoreError> {
    // Each statement sees what is committed by then, and no gaps between rows are locked.
    sqlx::query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    let Some(claimed) = claim(&mut transaction, number, now).await? else { return Ok((None, None)) };
    let (ending, change) = apply(&mut Transaction(&mut transaction), &claimed, now).await?;
    let finish = ending.finish(number, claimed.attempts, now, retry);
    write(&mut transaction, number, &finish).await?;
    transaction.commit().await?;
    Ok((Some(finish.state), change))
}

async fn claim(connection: &mut MySqlConnection, number: u64, now: Timestamp) -> Result<Option<Claimed>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, payload FROM webhook_events WHERE number = ? AND state = 'pending' AND next_at <= ? FOR UPDATE SKIP LOCKED"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(number.cast_signed()).bind(datetime(now));
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    let Event { source, kind, occurred_at, attempts, .. } = event(&row)?;
    Ok(Some(Claimed { number, source, kind, occurred_at, payload: row.try_get(12)?, attempts }))
}

async fn write(connection: &mut MySqlConnection, number: u64, finish: &Finish) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_events SET state = ?, attempts = ?, next_at = ?, outcome = ?, processed_at = ? WHERE number = ?",
    )
    .bind(finish.state.as_str())
    .bind(finish.attempts)
    .bind(datetime(finish.next_at))
    .bind(&finish.outcome)
    .bind(finish.processed_at.map(datetime))
    .bind(number.cast_signed())
    .execute(connection)
    .await?;
    Ok(())
}

async fn broke_off(
    connection: &mut MySqlConnection,
    number: u64,
    why: &str,
    now: Timestamp,
    retry: Retry<'_>,
) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    let Some(claimed) = claim(&mut transaction, number, now).await? else { return Ok(()) };
    write(&mut transaction, number, &failed(why, number, claimed.attempts, now, retry)).await?;
    transaction.commit().await?;
    Ok(())
}

async fn list(
    connection: &mut MySqlConnection,
    source: &SourceName,
    state: Option<State>,
    before: Option<u64>,
    limit: Limit,
) -> Result<(Vec<Event>, bool), StoreError> {
    let mut select = QueryBuilder::<MySql>::new(format!("SELECT {COLUMNS} FROM webhook_events WHERE source = "));
    select.push_bind(source.as_str());
    if let Some(state) = state {
        select.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(before) = before {
        select.push(" AND number < ").push_bind(before.cast_signed());
    }
    select.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(limit.get()) + 1);
    let rows = select.build().fetch_all(connection).await?;
    let page = usize::from(limit.get());
    let events: Result<Vec<Event>, StoreError> = rows.iter().take(page).map(event).collect();
    Ok((events?, rows.len() > page))
}

async fn get(
    connection: &mut MySqlConnection,
    source: &SourceName,
    id: &EventId,
) -> Result<Option<(Event, Vec<u8>)>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, payload FROM webhook_events WHERE source = ? AND event_id = ?");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(source.as_str()).bind(id.as_str());
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    Ok(Some((event(&row)?, row.try_get(12)?)))
}

async fn replay(
    connection: &mut MySqlConnection,
    source: &SourceName,
    id: &EventId,
    now: Timestamp,
) -> Result<Option<Event>, StoreError> {
    sqlx::query(
        "UPDATE webhook_events SET state = 'pending', attempts = 0, next_at = ?, processed_at = NULL \
         WHERE source = ? AND event_id = ? AND state IN ('parked', 'ignored')",
    )
    .bind(datetime(now))
    .bind(source.as_str())
    .bind(id.as_str())
    .execute(&mut *connection)
    .await?;
    Ok(get(connection, source, id).await?.map(|(event, _)| event))
}

async fn prune(connection: &mut MySqlConnection, before: Timestamp) -> Result<u64, StoreError> {
    let mut pruned = 0;
    for state in [State::Processed, State::Ignored] {
        let sql = "DELETE FROM webhook_events WHERE state = ? AND next_at < ? ORDER BY next_at LIMIT ?";
        let delete = sqlx::query(sql).bind(state.as_str()).bind(datetime(before)).bind(PRUNE);
        pruned += delete.execute(&mut *connection).await?.rows_affected();
    }
    Ok(pruned)
}

/// The event in `row`.
fn event(row: &MySqlRow) -> Result<Event, StoreError> {
    let number: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id: number, field };
    let text = |column: usize, field| row.try_get::<&str, _>(column).map_err(|_| corrupt(field));
    Ok(Event {
        number: number.cast_unsigned(),
        source: text(1, "source")?.parse().map_err(|_| corrupt("source"))?,
        id: text(2, "event_id")?.parse().map_err(|_| corrupt("event_id"))?,
        kind: text(3, "type")?.parse().map_err(|_| corrupt("type"))?,
        occurred_at: moment(row, 4)?,
        traceparent: row.try_get(5)?,
        state: text(6, "state")?.parse().map_err(|_| corrupt("state"))?,
        attempts: row.try_get(7)?,
        next_at: moment(row, 8)?,
        outcome: row.try_get(9)?,
        received_at: moment(row, 10)?,
        processed_at: row.try_get::<Option<chrono::DateTime<chrono::Utc>>, _>(11)?.map(Timestamp::from),
    })
}

/// The moment in `column`.
fn moment(row: &MySqlRow, column: usize) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<chrono::DateTime<chrono::Utc>, _>(column).map(Timestamp::from)
}
