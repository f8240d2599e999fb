//! How a caller who has passed the gate comes by a connection.

use std::sync::Arc;

use sqlx::{Connection as _, Database};
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::loan::Loan;
use super::{ANSWERS_WITHIN, ASKED_AFTER, Idle, Inner, Named};
use crate::store::gate::Permit;

impl<DB: Database> Inner<DB> {
    /// For a caller who has waited since `start`: one that was used a moment ago, or one that is made ready.
    pub(super) async fn lend(self: &Arc<Self>, permit: Permit, start: Instant) -> Result<Loan<DB>, sqlx::Error> {
        match self.fresh() {
            Some(named) => Ok(Loan::new(self, named, permit, start)),
            None => self.prepare(permit, start).await,
        }
    }

    fn fresh(&self) -> Option<Named<DB>> {
        let mut resting = self.resting();
        let fresh = resting.pop_if(|idle| idle.since.elapsed() < ASKED_AFTER && self.is_young(idle));
        fresh.map(|idle| idle.named)
    }

    /// Whoever it is for may go away meanwhile: it is still open then, so it keeps its place until it rests.
    async fn prepare(self: &Arc<Self>, permit: Permit, start: Instant) -> Result<Loan<DB>, sqlx::Error> {
        let pool = Arc::clone(self);
        let prepared = async move { Ok(Loan::new(&pool, pool.connection().await?, permit, start)) };
        let prepared = tokio::spawn(prepared.in_current_span()).await;
        prepared.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed))
    }

    /// One that rests and still lives, or a new one.
    async fn connection(&self) -> Result<Named<DB>, sqlx::Error> {
        while let Some(mut idle) = self.pop() {
            let young = self.is_young(&idle);
            if young && matches!(timeout(ANSWERS_WITHIN, idle.named.connection.ping()).await, Ok(Ok(()))) {
                return Ok(idle.named);
            }
            self.dismiss(idle.named.connection).await;
        }
        let mut connection = self.connections.acquire().await?;
        let Some(server) = &self.rules.server else {
            return Ok(Named { connection, name: None, opened: Instant::now() });
        };
        let name = timeout(self.acquire_timeout, server.name(&mut connection)).await;
        match name.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(name) => Ok(Named { connection, name: Some(name), opened: Instant::now() }),
            Err(error) => {
                self.dismiss(connection).await;
                Err(error)
            }
        }
    }

    fn is_young(&self, idle: &Idle<DB>) -> bool {
        idle.since.elapsed() < self.rules.rests_at_most && idle.named.opened.elapsed() < self.rules.lives_at_most
    }
}
