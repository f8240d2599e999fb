//! Clients and signing keys of access tokens.

use async_trait::async_trait;

use super::SqlStore;
use super::engine::{Connection, Row};
use super::row::Columns;
use super::transaction::Transaction;
use crate::Timestamp;
use crate::store::StoreError;
use crate::store::error::unless_taken;
use crate::store::oauth::{Hidden, OAuthClient, OAuthKey, OAuthStore};

#[async_trait]
impl OAuthStore for SqlStore {
    async fn oauth_client(&self, id: &str) -> Result<Option<OAuthClient>, StoreError> {
        self.pools.read_latest("SELECT oauth_clients", async |db| find(db, id).await).await
    }

    async fn oauth_clients(&self) -> Result<Vec<OAuthClient>, StoreError> {
        self.pools.read_latest("SELECT oauth_clients", async |db| list(db).await).await
    }

    async fn add_oauth_client(&self, client: &OAuthClient) -> Result<bool, StoreError> {
        self.execute("INSERT oauth_clients", async |db| add(db, client).await).await
    }

    async fn change_oauth_secret(
        &self,
        id: &str,
        hash: &Hidden<String>,
        previous_until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.execute("UPDATE oauth_clients", async |db| change_secret(db, id, hash, previous_until).await).await
    }

    async fn disable_oauth_client(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.execute("UPDATE oauth_clients", async |db| disable(db, id, now).await).await
    }

    async fn oauth_keys(&self, now: Timestamp) -> Result<Vec<OAuthKey>, StoreError> {
        self.pools.read_latest("SELECT oauth_keys", async |db| keys(db, now).await).await
    }

    async fn add_oauth_key(&self, key: &OAuthKey, others_retire_at: Timestamp) -> Result<bool, StoreError> {
        self.write("INSERT oauth_keys", async |to| add_key(to, key, others_retire_at).await).await
    }
}

macro_rules! select_clients {
    ($rest:literal) => {
        concat!(
            "SELECT client_id, name, scope, secret_hash, previous_hash, previous_until, created_at, disabled_at \
             FROM oauth_clients ",
            $rest
        )
    };
}

async fn find(db: &mut Connection, id: &str) -> Result<Option<OAuthClient>, StoreError> {
    let query = sqlx::query(select_clients!("WHERE client_id = ?"));
    query.bind(id).fetch_optional(db).await?.as_ref().map(client).transpose()
}

async fn list(db: &mut Connection) -> Result<Vec<OAuthClient>, StoreError> {
    sqlx::query(select_clients!("ORDER BY client_id")).fetch_all(db).await?.iter().map(client).collect()
}

async fn add(db: &mut Connection, client: &OAuthClient) -> Result<bool, StoreError> {
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
    .bind(previous_until)
    .bind(client.created_at)
    .bind(client.disabled_at)
    .execute(db)
    .await;
    unless_taken(done)
}

async fn change_secret(
    db: &mut Connection,
    id: &str,
    hash: &Hidden<String>,
    previous_until: Timestamp,
) -> Result<bool, StoreError> {
    // MySQL assigns from left to right and reads what it has assigned: the present hash first.
    let done = sqlx::query(
        "UPDATE oauth_clients SET previous_hash = secret_hash, previous_until = ?, secret_hash = ? \
         WHERE client_id = ? AND disabled_at IS NULL",
    )
    .bind(previous_until)
    .bind(&hash.0)
    .bind(id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn disable(db: &mut Connection, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query("UPDATE oauth_clients SET disabled_at = ? WHERE client_id = ? AND disabled_at IS NULL");
    Ok(query.bind(now).bind(id).execute(db).await?.rows_affected() > 0)
}

async fn keys(db: &mut Connection, now: Timestamp) -> Result<Vec<OAuthKey>, StoreError> {
    let query = sqlx::query(
        "SELECT number, kid, public_key, private_key, created_at, retired_at FROM oauth_keys \
         WHERE retired_at IS NULL OR retired_at > ? ORDER BY number",
    );
    query.bind(now).fetch_all(db).await?.iter().map(key).collect()
}

async fn add_key(to: &mut Transaction<'_>, key: &OAuthKey, others_retire_at: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO oauth_keys (number, kid, public_key, private_key, created_at, retired_at) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(key.number)
    .bind(&key.kid)
    .bind(&key.public)
    .bind(&key.private.0)
    .bind(key.created_at)
    .bind(key.retired_at)
    .execute(&mut *to.db)
    .await;
    if !unless_taken(done)? {
        return Ok(false);
    }
    sqlx::query("UPDATE oauth_keys SET retired_at = ? WHERE number < ? AND (retired_at IS NULL OR retired_at > ?)")
        .bind(others_retire_at)
        .bind(key.number)
        .bind(others_retire_at)
        .execute(&mut *to.db)
        .await?;
    sqlx::query("DELETE FROM oauth_keys WHERE retired_at < ?").bind(key.created_at).execute(&mut *to.db).await?;
    Ok(true)
}

fn client(row: &Row) -> Result<OAuthClient, StoreError> {
    let row = Columns::of(row);
    let previous_hash: Option<String> = row.get(4)?;
    Ok(OAuthClient {
        // Bytes in MySQL: text would be equal to itself with a space behind.
        id: String::from_utf8(row.get(0)?).map_err(|_| StoreError::corrupt(0, "client_id"))?,
        name: row.get(1)?,
        scope: row.get(2)?,
        secret_hash: Hidden(row.get(3)?),
        previous: previous_hash.map(Hidden).zip(row.get(5)?),
        created_at: row.get(6)?,
        disabled_at: row.get(7)?,
    })
}

fn key(row: &Row) -> Result<OAuthKey, StoreError> {
    let row = Columns::of(row);
    Ok(OAuthKey {
        number: row.get(0)?,
        kid: row.get(1)?,
        public: row.get(2)?,
        private: Hidden(row.get(3)?),
        created_at: row.get(4)?,
        retired_at: row.get(5)?,
    })
}
