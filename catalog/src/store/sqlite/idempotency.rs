//! The table of keys.

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::SqliteStore;
use crate::Timestamp;
use crate::once::{Claim, KeptAnswer, KeyedRequest, Owner, Turn};
use crate::store::idempotency::{Found, PRUNE, Row, forgotten, headers, lease_until};
use crate::store::{Idempotency, StoreError};

#[async_trait]
impl Idempotency for SqliteStore {
    async fn begin(&self, request: KeyedRequest, owner: Owner, now: Timestamp) -> Result<Turn, StoreError> {
        self.write("INSERT idempotency_keys", async |db| begin(db, request, owner, now).await).await
    }

    async fn give_up(&self, claim: &Claim) -> Result<(), StoreError> {
        self.write("DELETE idempotency_keys", async |db| give_up(db, claim).await).await
    }

    async fn prune_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write("DELETE idempotency_keys", async |db| prune(db, now).await).await
    }
}

async fn begin(
    connection: &mut SqliteConnection,
    request: KeyedRequest,
    owner: Owner,
    now: Timestamp,
) -> Result<Turn, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO idempotency_keys (id, fingerprint, owner, lease_until, created_at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&request.id[..])
    .bind(&request.fingerprint[..])
    .bind(&owner.0[..])
    .bind(lease_until(now).micros())
    .bind(now.micros())
    .execute(&mut *connection)
    .await;
    match inserted {
        Ok(_) => Ok(Turn::Yours(Claim { request, owner })),
        Err(sqlx::Error::Database(said)) if said.is_unique_violation() => again(connection, request, owner, now).await,
        Err(error) => Err(error.into()),
    }
}

/// What is to be done with a request whose key is there.
async fn again(
    connection: &mut SqliteConnection,
    request: KeyedRequest,
    owner: Owner,
    now: Timestamp,
) -> Result<Turn, StoreError> {
    let select = "SELECT fingerprint, owner, lease_until, status, headers, body, created_at \
                  FROM idempotency_keys WHERE id = ?";
    let row = sqlx::query(select).bind(&request.id[..]).fetch_optional(&mut *connection).await?;
    // Given up or forgotten between the two statements: as good as under way, and soon free.
    let Some(row) = row else { return Ok(Turn::UnderWay) };
    let row = read(&row)?;
    let earlier = row.owner.clone();
    match row.read(&request, now) {
        Found::Turn(turn) => Ok(turn),
        Found::Overtake => overtake(connection, request, owner, &earlier, now).await,
    }
}

/// Takes the request from `earlier`, unless somebody else was faster.
async fn overtake(
    connection: &mut SqliteConnection,
    request: KeyedRequest,
    owner: Owner,
    earlier: &[u8],
    now: Timestamp,
) -> Result<Turn, StoreError> {
    // Not one that is done by now, unless it is so old that its answer counts no more.
    let done = sqlx::query(
        "UPDATE idempotency_keys SET fingerprint = ?, owner = ?, lease_until = ?, status = NULL, headers = NULL, \
         body = NULL, created_at = ? WHERE id = ? AND owner = ? AND (status IS NULL OR created_at <= ?)",
    )
    .bind(&request.fingerprint[..])
    .bind(&owner.0[..])
    .bind(lease_until(now).micros())
    .bind(now.micros())
    .bind(&request.id[..])
    .bind(earlier)
    .bind(forgotten(now).micros())
    .execute(connection)
    .await?;
    Ok(if done.rows_affected() == 1 { Turn::Yours(Claim { request, owner }) } else { Turn::UnderWay })
}

/// Keeps the answer, in the transaction of what it answers.
pub(super) async fn complete(
    connection: &mut SqliteConnection,
    claim: &Claim,
    answer: &KeptAnswer,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE idempotency_keys SET status = ?, headers = ?, body = ? WHERE id = ? AND owner = ? AND status IS NULL",
    )
    .bind(answer.status)
    .bind(headers(answer))
    .bind(&answer.body)
    .bind(&claim.request.id[..])
    .bind(&claim.owner.0[..])
    .execute(connection)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

async fn give_up(connection: &mut SqliteConnection, claim: &Claim) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM idempotency_keys WHERE id = ? AND owner = ? AND status IS NULL")
        .bind(&claim.request.id[..])
        .bind(&claim.owner.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

async fn prune(connection: &mut SqliteConnection, now: Timestamp) -> Result<u64, StoreError> {
    let sql = "DELETE FROM idempotency_keys WHERE id IN \
         (SELECT id FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)";
    Ok(sqlx::query(sql).bind(forgotten(now).micros()).bind(PRUNE).execute(connection).await?.rows_affected())
}

fn read(row: &SqliteRow) -> Result<Row, StoreError> {
    let moment = |column| -> Result<Timestamp, StoreError> {
        Timestamp::from_micros(row.try_get(column)?).ok_or(StoreError::Corrupt { id: 0, field: "time" })
    };
    Ok(Row {
        fingerprint: row.try_get(0)?,
        owner: row.try_get(1)?,
        lease_until: moment(2)?,
        status: row.try_get(3)?,
        headers: row.try_get(4)?,
        body: row.try_get(5)?,
        created_at: moment(6)?,
    })
}
