//! Clients and keys of access tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{Connection as _, Row as _};

use super::MysqlStore;
use super::row::datetime;
use crate::Timestamp;
use crate::store::StoreError;
use crate::store::error::unless_taken;
use crate::store::oauth::{Hidden, OAuthClient, OAuthKey, OAuthStore};

#[async_trait]
impl OAuthStore for MysqlStore {
    async fn oauth_client(&self, id: &str) -> Result<Option<OAuthClient>, StoreError> {
        self.pools.primary("SELECT oauth_clients", async |db| find(db, id).await).await
    }

    async fn oauth_clients(&self) -> Result<Vec<OAuthClient>, StoreError> {
        self.pools.primary("SELECT oauth_clients", async |db| list(db).await).await
    }

    async fn add_oauth_client(&self, client: &OAuthClient) -> Result<bool, StoreError> {
        self.pools.primary("INSERT oauth_clients", async |db| add(db, client).await).await
    }

    async fn change_oauth_secret(
        &self,
        id: &str,
        hash: &Hidden<String>,
        previous_until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.pools.primary("UPDATE oauth_clients", async |db| change_secret(db, id, hash, previous_until).await).await
    }

    async fn disable_oauth_client(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.pools.primary("UPDATE oauth_clients", async |db| disable(db, id, now).await).await
    }

    async fn oauth_keys(&self, now: Timestamp) -> Result<Vec<OAuthKey>, StoreError> {
        self.pools.primary("SELECT oauth_keys", async |db| keys(db, now).await).await
    }

    async fn add_oauth_key(&self, key: &OAuthKey, others_retire_at: Timestamp) -> Result<bool, StoreError> {
        self.pools.primary("INSERT oauth_keys", async |db| add_key(db, key, others_retire_at).await).await
    }
}

async fn find(connection: &mut MySqlConnection, id: &str) -> Result<Option<OAuthClient>, StoreError> {
    let query = sqlx::query(
        "SELECT client_id, name, scope, secret_hash, previous_hash, previous_until, created_at, disabled_at \
         FROM oauth_clients WHERE client_id = ?",
    );
    query.bind(id).fetch_optional(connection).await?.as_ref().map(client).transpose()
}

async fn list(connection: &mut MySqlConnection) -> Result<Vec<OAuthClient>, StoreError> {
    let query = sqlx::query(
        "SELECT client_id, name, scope, secret_hash, previous_hash, previous_until, created_at, disabled_at \
         FROM oauth_clients ORDER BY client_id",
    );
    query.fetch_all(connection).await?.iter().map(client).collect()
}

async fn add(connection: &mut MySqlConnection, client: &OAuthClient) -> Result<bool, StoreError> {
    let (previous_hash, previous_until) = client.previous.clone().unzip();
    let done = sqlx::query(
        "INSERT INTO oauth_clients (client_id, name, scope, secret_hash, previous_hash, previous_until, created_at, \
         disabled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&client.id)
    .bind(&client.name)
    .bind(&client.scope)
    .bind(&client.secret_hash.0)
    .bind(previous_hash.map(|hash| hash.0))
    .bind(previous_until.map(datetime))
    .bind(datetime(client.created_at))
    .bind(client.disabled_at.map(datetime))
    .execute(connection)
    .await;
    unless_taken(done)
}

async fn change_secret(
    connection: &mut MySqlConnection,
    id: &str,
    hash: &Hidden<String>,
    previous_until: Timestamp,
) -> Result<bool, StoreError> {
    // MySQL assigns from left to right and reads what it has assigned: the present hash first.
    let done = sqlx::query(
        "UPDATE oauth_clients SET previous_hash = secret_hash, previous_until = ?, secret_hash = ? \
         WHERE client_id = ? AND disabled_at IS NULL",
    )
    .bind(datetime(previous_until))
    .bind(&hash.0)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn disable(connection: &mut MySqlConnection, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query("UPDATE oauth_clients SET disabled_at = ? WHERE client_id = ? AND disabled_at IS NULL");
    Ok(query.bind(datetime(now)).bind(id).execute(connection).await?.rows_affected() > 0)
}

async fn keys(connection: &mut MySqlConnection, now: Timestamp) -> Result<Vec<OAuthKey>, StoreError> {
    let query = sqlx::query(
        "SELECT number, kid, public_key, private_key, created_at, retired_at FROM oauth_keys \
         WHERE retired_at IS NULL OR retired_at > ? ORDER BY number",
    );
    query.bind(datetime(now)).fetch_all(connection).await?.iter().map(key).collect()
}

async fn add_key(
    connection: &mut MySqlConnection,
    key: &OAuthKey,
    others_retire_at: Timestamp,
) -> Result<bool, StoreError> {
    let mut transaction = connection.begin().await?;
    let done = sqlx::query(
        "INSERT INTO oauth_keys (number, kid, public_key, private_key, created_at, retired_at) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(key.number)
    .bind(&key.kid)
    .bind(&key.public)
    .bind(&key.private.0)
    .bind(datetime(key.created_at))
    .bind(key.retired_at.map(datetime))
    .execute(&mut *transaction)
    .await;
    if !unless_taken(done)? {
        transaction.rollback().await?;
        return Ok(false);
    }
    sqlx::query("UPDATE oauth_keys SET retired_at = ? WHERE number < ? AND (retired_at IS NULL OR retired_at > ?)")
        .bind(datetime(others_retire_at))
        .bind(key.number)
        .bind(datetime(others_retire_at))
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM oauth_keys WHERE retired_at < ?")
        .bind(datetime(key.created_at))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

fn client(row: &MySqlRow) -> Result<OAuthClient, StoreError> {
    let hash: Option<String> = row.try_get(4)?;
    let id = String::from_utf8(row.try_get(0)?).map_err(|_| StoreError::Corrupt { id: 0, field: "client_id" })?;
    Ok(OAuthClient {
        id,
        name: row.try_get(1)?,
        scope: row.try_get(2)?,
        secret_hash: Hidden(row.try_get(3)?),
        previous: hash.map(Hidden).zip(moment(row, 5)?),
        created_at: row.try_get::<DateTime<Utc>, _>(6)?.into(),
        disabled_at: moment(row, 7)?,
    })
}

fn key(row: &MySqlRow) -> Result<OAuthKey, StoreError> {
    Ok(OAuthKey {
        number: row.try_get(0)?,
        kid: row.try_get(1)?,
        public: row.try_get(2)?,
        private: Hidden(row.try_get(3)?),
        created_at: row.try_get::<DateTime<Utc>, _>(4)?.into(),
        retired_at: moment(row, 5)?,
    })
}

fn moment(row: &MySqlRow, column: usize) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<DateTime<Utc>>, _>(column)?.map(Timestamp::from))
}
