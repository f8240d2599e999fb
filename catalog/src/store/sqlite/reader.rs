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
