//! The table of idempotency keys.

use async_trait::async_trait;

use super::SqlStore;
use super::engine::{Connection, Row as SqlRow, delete_first};
use super::row::Columns;
use crate::Timestamp;
use crate::idempotency::{Claim, KeptAnswer, KeyedRequest, Owner, Turn};
use crate::store::idempotency::{Found, PRUNE, Row, forgotten, headers, lease_until};
use crate::store::{Idempotency, StoreError};

#[async_trait]
impl Idempotency for SqlStore {
    async fn begin(&self, request: KeyedRequest, owner: Owner, now: Timestamp) -> Result<Turn, StoreError> {
        self.execute("INSERT idempotency_keys", async |db| begin(db, request, owner, now).await).await
    }

    async fn give_up(&self, claim: &Claim) -> Result<(), StoreError> {
        self.execute("DELETE idempotency_keys", async |db| give_up(db, claim).await).await
    }

    async fn prune_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute("DELETE idempotency_keys", async |db| prune(db, now).await).await
    }
}

async fn begin(db: &mut Connection, request: KeyedRequest, owner: Owner, now: Timestamp) -> Result<Turn, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO idempotency_keys (id, fingerprint, owner, lease_until, created_at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&request.id[..])
    .bind(&request.fingerprint[..])
    .bind(&owner.0[..])
    .bind(lease_until(now))
    .bind(now)
    .execute(&mut *db)
    .await;
    match inserted {
        Ok(_) => Ok(Turn::Yours(Claim { request, owner })),
        Err(sqlx::Error::Database(said)) if said.is_unique_violation() => again(db, request, owner, now).await,
        Err(error) => Err(error.into()),
    }
}

/// Decides about a request whose key is there.
async fn again(db: &mut Connection, request: KeyedRequest, owner: Owner, now: Timestamp) -> Result<Turn, StoreError> {
    let select = "SELECT fingerprint, owner, lease_until, status, headers, body, created_at \
                  FROM idempotency_keys WHERE id = ?";
    let row = sqlx::query(select).bind(&request.id[..]).fetch_optional(&mut *db).await?;
    // Deleted between the two statements: as good as under way, and soon free.
    let Some(row) = row else { return Ok(Turn::UnderWay) };
    let row = read(&row)?;
    let earlier = row.owner.clone();
    match row.read(&request, now) {
        Found::Turn(turn) => Ok(turn),
        Found::Overtake => overtake(db, request, owner, &earlier, now).await,
    }
}

/// Takes the request from `earlier`, unless another owner was faster.
async fn overtake(
    db: &mut Connection,
    request: KeyedRequest,
    owner: Owner,
    earlier: &[u8],
    now: Timestamp,
) -> Result<Turn, StoreError> {
    // Not one that is done meanwhile, unless it is so old that its answer no longer counts.
    let done = sqlx::query(
        "UPDATE idempotency_keys SET fingerprint = ?, owner = ?, lease_until = ?, status = NULL, headers = NULL, \
         body = NULL, created_at = ? WHERE id = ? AND owner = ? AND (status IS NULL OR created_at <= ?)",
    )
    .bind(&request.fingerprint[..])
    .bind(&owner.0[..])
    .bind(lease_until(now))
    .bind(now)
    .bind(&request.id[..])
    .bind(earlier)
    .bind(forgotten(now))
    .execute(db)
    .await?;
    Ok(if done.rows_affected() == 1 { Turn::Yours(Claim { request, owner }) } else { Turn::UnderWay })
}

/// Stores the answer, in the transaction of what it answers.
pub(super) async fn complete(db: &mut Connection, claim: &Claim, answer: &KeptAnswer) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE idempotency_keys SET status = ?, headers = ?, body = ? WHERE id = ? AND owner = ? AND status IS NULL",
    )
    .bind(answer.status)
    .bind(headers(answer))
    .bind(&answer.body)
    .bind(&claim.request.id[..])
    .bind(&claim.owner.0[..])
    .execute(db)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

async fn give_up(db: &mut Connection, claim: &Claim) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM idempotency_keys WHERE id = ? AND owner = ? AND status IS NULL")
        .bind(&claim.request.id[..])
        .bind(&claim.owner.0[..])
        .execute(db)
        .await?;
    Ok(())
}

async fn prune(db: &mut Connection, now: Timestamp) -> Result<u64, StoreError> {
    let sql = delete_first!("idempotency_keys", "id", "created_at < ?", "created_at");
    Ok(sqlx::query(sql).bind(forgotten(now)).bind(PRUNE).execute(db).await?.rows_affected())
}

fn read(row: &SqlRow) -> Result<Row, StoreError> {
    let row = Columns::of(row);
    Ok(Row {
        fingerprint: row.get(0)?,
        owner: row.get(1)?,
        lease_until: row.get(2)?,
        status: row.get(3)?,
        headers: row.get(4)?,
        body: row.get(5)?,
        created_at: row.get(6)?,
    })
}
