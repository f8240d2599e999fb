//! Clients and keys of access tokens.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection as _, Row as _};

use super::SqliteStore;
use super::write::BEGIN;
use crate::Timestamp;
use crate::store::StoreError;
use crate::store::error::unless_taken;
use crate::store::oauth::{Hidden, OAuthClient, OAuthKey, OAuthStore};

#[async_trait]
impl OAuthStore for SqliteStore {
    async fn oauth_client(&self, id: &str) -> Result<Option<OAuthClient>, StoreError> {
        self.read("SELECT oauth_clients", async |db| find(db, id).await).await
    }

    async fn oauth_clients(&self) -> Result<Vec<OAuthClient>, StoreError> {
        self.read("SELECT oauth_clients", async |db| list(db).await).await
    }

    async fn add_oauth_client(&self, client: &OAuthClient) -> Result<bool, StoreError> {
        self.write("INSERT oauth_clients", async |db| add(db, client).await).await
    }

    async fn change_oauth_secret(
        &self,
        id: &str,
        hash: &Hidden<String>,
        previous_until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("UPDATE oauth_clients", async |db| change_secret(db, id, hash, previous_until).await).await
    }

    async fn disable_oauth_client(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.write("UPDATE oauth_clients", async |db| disable(db, id, now).await).await
    }

    async fn oauth_keys(&self, now: Timestamp) -> Result<Vec<OAuthKey>, StoreError> {
        self.read("SELECT oauth_keys", async |db| keys(db, now).await).await
    }

    async fn add_oauth_key(&self, key: &OAuthKey, others_retire_at: Timestamp) -> Result<bool, StoreError> {
        self.write("INSERT oauth_keys", async |db| add_key(db, key, others_retire_at).await).await
    }
}

async fn find(connection: &mut SqliteConnection, id: &str) -> Result<Option<OAuthClient>, StoreError> {
    let query = sqlx::query(
        "SELECT client_id, name, scope, secret_hash, previous_hash, previous_until, created_at, disabled_at \
         FROM oauth_clients WHERE client_id = ?",
    );
    query.bind(id).fetch_optional(connection).await?.as_ref().map(client).transpose()
}

async fn list(connection: &mut SqliteConnection) -> Result<Vec<OAuthClient>, StoreError> {
    let query = sqlx::query(
        "SELECT client_id, name, scope, secret_hash, previous_hash, previous_until, created_at, disabled_at \
         FROM oauth_clients ORDER BY client_id",
    );
    query.fetch_all(connection).await?.iter().map(client).collect()
}

async fn add(connection: &mut SqliteConnection, client: &OAuthClient) -> Result<bool, StoreError> {
    let (previous_hash, previous_until) = client.previous.clone().unzip();
    let done = sqlx::query(
        "INSERT INTO oauth_clients (client_id, name, scope, secret_hash, previous_hash, previous_until, \
         created_at, disabled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&client.id)
    .bind(&client.name)
    .bind(&client.scope)
    .bind(&client.secret_hash.0)
    .bind(previous_hash.map(|hash| hash.0))
    .bind(previous_until.map(Timestamp::micros))
    .bind(client.created_at.micros())
    .bind(client.disabled_at.map(Timestamp::micros))
    .execute(connection)
    .await;
    unless_taken(done)
}

async fn change_secret(
    connection: &mut SqliteConnection,
    id: &str,
    hash: &Hidden<String>,
    previous_until: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE oauth_clients SET previous_hash = secret_hash, previous_until = ?, secret_hash = ? \
         WHERE client_id = ? AND disabled_at IS NULL",
    )
    .bind(previous_until.micros())
    .bind(&hash.0)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn disable(connection: &mut SqliteConnection, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query("UPDATE oauth_clients SET disabled_at = ? WHERE client_id = ? AND disabled_at IS NULL");
    Ok(query.bind(now.micros()).bind(id).execute(connection).await?.rows_affected() > 0)
}

async fn keys(connection: &mut SqliteConnection, now: Timestamp) -> Result<Vec<OAuthKey>, StoreError> {
    let query = sqlx::query(
        "SELECT number, kid, public_key, private_key, created_at, retired_at FROM oauth_keys \
         WHERE retired_at IS NULL OR retired_at > ? ORDER BY number",
    );
    query.bind(now.micros()).fetch_all(connection).await?.iter().map(key).collect()
}

async fn add_key(
    connection: &mut SqliteConnection,
    key: &OAuthKey,
    others_retire_at: Timestamp,
) -> Result<bool, StoreError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let done = sqlx::query(
        "INSERT INTO oauth_keys (number, kid, public_key, private_key, created_at, retired_at) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(key.number)
    .bind(&key.kid)
    .bind(&key.public)
    .bind(&key.private.0)
    .bind(key.created_at.micros())
    .bind(key.retired_at.map(Timestamp::micros))
    .execute(&mut *transaction)
    .await;
    if !unless_taken(done)? {
        return Ok(false);
    }
    sqlx::query("UPDATE oauth_keys SET retired_at = ?1 WHERE number < ?2 AND coalesce(retired_at > ?1, TRUE)")
        .bind(others_retire_at.micros())
        .bind(key.number)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM oauth_keys WHERE retired_at < ?")
        .bind(key.created_at.micros())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

fn client(row: &SqliteRow) -> Result<OAuthClient, StoreError> {
    let (hash, until) = (row.try_get::<Option<String>, _>(4)?, moment(row, 5, "previous_until")?);
    Ok(OAuthClient {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        scope: row.try_get(2)?,
        secret_hash: Hidden(row.try_get(3)?),
        previous: hash.map(Hidden).zip(until),
        created_at: moment(row, 6, "created_at")?.ok_or(StoreError::Corrupt { id: 0, field: "created_at" })?,
        disabled_at: moment(row, 7, "disabled_at")?,
    })
}

fn key(row: &SqliteRow) -> Result<OAuthKey, StoreError> {
    let number = row.try_get(0)?;
    Ok(OAuthKey {
        number,
        kid: row.try_get(1)?,
        public: row.try_get(2)?,
        private: Hidden(row.try_get(3)?),
        created_at: moment(row, 4, "created_at")?.ok_or(StoreError::Corrupt { id: number, field: "created_at" })?,
        retired_at: moment(row, 5, "retired_at")?,
    })
}

fn moment(row: &SqliteRow, column: usize, field: &'static str) -> Result<Option<Timestamp>, StoreError> {
    let micros: Option<i64> = row.try_get(column)?;
    micros.map(|micros| Timestamp::from_micros(micros).ok_or(StoreError::Corrupt { id: 0, field })).transpose()
}
