//! A connection on loan from a pool for one call.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::MySql;
use sqlx::mysql::{MySqlConnection, MySqlPool};
use sqlx::pool::PoolConnection;
use tokio::runtime::Handle;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::store::StoreError;

/// A connection that has not answered the pool by then is given up, and its place in the pool is free.
const RETURNS_WITHIN: Duration = Duration::from_secs(1);

/// A connection that goes back to its pool only when its call came to an end, and is closed otherwise.
///
/// sqlx reads an answer in several steps. A caller that goes away between two of them (a client that
/// hangs up is enough) would leave the rest of its answer to the next caller, or to the pool itself,
/// which asks a returned connection whether it lives and would wait for ever.
pub(super) struct Lease {
    connection: PoolConnection<MySql>,
    ended: bool,
}

impl Lease {
    /// A free connection of `pool`.
    pub(super) async fn take(pool: &MySqlPool) -> Result<Self, StoreError> {
        Ok(Self { connection: pool.acquire().await?, ended: false })
    }

    /// Gives the connection back with what came of the call, if anything did in time.
    pub(super) fn end<T>(mut self, outcome: Result<Result<T, StoreError>, Elapsed>) -> Result<T, StoreError> {
        let outcome = outcome.map_err(|_| StoreError::TimeLimit)?;
        // Where the server itself refused, its answer has been read to the end.
        self.ended = match &outcome {
            Err(StoreError::Unavailable(error) | StoreError::Database(error)) => error.as_database_error().is_some(),
            _ => true,
        };
        outcome
    }
}

impl Deref for Lease {
    type Target = MySqlConnection;

    fn deref(&self) -> &MySqlConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut MySqlConnection {
        &mut self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match Handle::try_current() {
            // The pool asks the connection whether it lives, and would wait for the answer for ever.
            Ok(runtime) if self.ended => {
                runtime.spawn(timeout(RETURNS_WITHIN, self.connection.return_to_pool()));
            }
            _ => self.connection.close_on_drop(),
        }
    }
}
