//! Ends statements whose callers have gone: over the connection of readiness checks, which is always there and counted
//! apart.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, MySql};

use crate::store::StoreError;
use crate::store::pool::{Gated, Server};

/// Between two looks whether a connection is gone.
const BETWEEN: Duration = Duration::from_millis(5);
/// Which server it is: behind a balancer, another one than that of the connection may answer, and mean somebody else
/// by its number.
const SERVER: &str = "SELECT CONCAT(@@hostname, ':', @@port)";
const NAME: &str = "SELECT CONCAT(@@hostname, ':', @@port, ' ', CONNECTION_ID())";
const IS_THERE: &str =
    "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ? AND CONCAT(@@hostname, ':', @@port) = ?";
/// There is no such connection any more.
const UNKNOWN: u16 = 1094;

pub(super) struct Killer {
    pub(super) probe: Gated<MySql>,
}

#[async_trait]
impl Server<MySql> for Killer {
    async fn name(&self, connection: &mut MySqlConnection) -> Result<String, sqlx::Error> {
        sqlx::query_scalar(NAME).fetch_one(connection).await
    }

    async fn end(&self, name: &str) {
        let Some((server, number)) = name.rsplit_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        if let Err(error) = self.killed(server, number).await {
            tracing::debug!(%error, "a statement that nobody waits for could not be ended; it ends by its time limit");
        }
    }
}

impl Killer {
    /// Asks again and again, and each time anew: in between, readiness checks and other ends have the connection.
    async fn killed(&self, server: &str, number: u64) -> Result<(), StoreError> {
        let mut is_there = self.probe.with("KILL connection", async |db| kill(db, server, number).await).await?;
        while is_there {
            tokio::time::sleep(BETWEEN).await;
            is_there = self.probe.with("SELECT processlist", async |db| runs(db, server, number).await).await?;
        }
        Ok(())
    }
}

/// Whether there was such a connection. Everybody may end those of their own account.
async fn kill(db: &mut MySqlConnection, server: &str, number: u64) -> Result<bool, StoreError> {
    let here: String = sqlx::query_scalar(SERVER).fetch_one(&mut *db).await?;
    if here != server {
        return Ok(false);
    }
    match sqlx::raw_sql(AssertSqlSafe(format!("KILL {number}"))).execute(&mut *db).await {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if is_unknown(&*error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn runs(db: &mut MySqlConnection, server: &str, number: u64) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar::<_, i64>(IS_THERE).bind(number).bind(server).fetch_one(db).await? > 0)
}

fn is_unknown(error: &dyn sqlx::error::DatabaseError) -> bool {
    let error = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>();
    error.is_some_and(|error| error.number() == UNKNOWN)
}
