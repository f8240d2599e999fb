//! A connection to read with, on loan from the pool for one call.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::store::StoreError;

/// A connection whose statements end when their time is up, and at once when the call has ended: a
/// caller that goes away leaves no statement behind that keeps the connection from the next one.
pub(super) struct Reader {
    connection: PoolConnection<Sqlite>,
    ended: Arc<AtomicBool>,
}

impl Reader {
    /// SQLite virtual machine instructions between two questions whether to go on: some 50 microseconds.
    const INSTRUCTIONS: i32 = 10_000;

    /// A free connection of `pool`, for `limit` from now on.
    pub(super) async fn take(pool: &SqlitePool, limit: Duration) -> Result<Self, StoreError> {
        let mut connection = pool.acquire().await?;
        let ended = Arc::new(AtomicBool::new(false));
        let (start, asked) = (Instant::now(), Arc::clone(&ended));
        // Takes the place of the last reader's, which says no by now.
        connection.lock_handle().await?.set_progress_handler(Self::INSTRUCTIONS, move || {
            !asked.load(Ordering::Relaxed) && start.elapsed() < limit
        });
        Ok(Self { connection, ended })
    }
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0";
    const HOUR: Duration = Duration::from_secs(3_600);

    /// A pool of one connection.
    async fn pool() -> SqlitePool {
        SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(20))
            .connect("sqlite::memory:")
            .await
            .unwrap()
    }

    async fn run(reader: &mut Reader, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql).fetch_all(&mut **reader).await?;
        Ok(())
    }

    #[tokio::test]
    async fn an_endless_statement_is_ended_and_the_next_one_is_not() {
        let pool = pool().await;
        for _ in 0..3 {
            let mut reader = Reader::take(&pool, Duration::from_millis(20)).await.unwrap();
            let ended = run(&mut reader, ENDLESS).await;
            assert!(matches!(ended, Err(StoreError::TimeLimit)), "{ended:?}");
            drop(reader);
            let mut reader = Reader::take(&pool, HOUR).await.unwrap();
            // Long enough for the question to be asked many times.
            run(
                &mut reader,
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT MAX(i) FROM n",
            )
            .await
            .unwrap();
        }
    }

    #[tokio::test]
    async fn a_statement_whose_caller_has_gone_is_ended() {
        let pool = pool().await;
        for _ in 0..3 {
            let mut reader = Reader::take(&pool, HOUR).await.unwrap();
            tokio::time::timeout(Duration::from_millis(20), run(&mut reader, ENDLESS)).await.unwrap_err();
            drop(reader);
            // Were it still running, there would be no connection for an hour.
            let mut reader = Reader::take(&pool, HOUR).await.unwrap();
            run(&mut reader, "SELECT 1").await.unwrap();
        }
    }
}
