//! A connection in a caller's hands.

use std::sync::Arc;

use sqlx::Database;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::{CLOSES_WITHIN, Inner, Named};
use crate::store::gate::Permit;

/// A connection on loan for one call. It goes back to its pool if the call came to an end, and is closed otherwise.
///
/// sqlx reads an answer of MySQL's in several steps. A caller that goes away between two of them (a client that hangs
/// up is enough) would leave the rest of its answer to the next caller, or to the pool itself, which asks a returned
/// connection whether it lives and would wait for ever.
///
/// Each is told of as acquired when it is made and as released when it is back.
pub(super) struct Loan<DB: Database> {
    pool: Arc<Inner<DB>>,
    pub(super) named: Option<Named<DB>>,
    permit: Option<Permit>,
    /// Whether nothing that was asked still runs.
    pub(super) ended: bool,
}

impl<DB: Database> Loan<DB> {
    /// For a caller who has waited since `start`.
    pub(super) fn new(pool: &Arc<Inner<DB>>, named: Named<DB>, permit: Permit, start: Instant) -> Self {
        pool.observer.acquired(pool.pool, start.elapsed());
        Self { pool: Arc::clone(pool), named: Some(named), permit: Some(permit), ended: true }
    }
}

impl<DB: Database> Drop for Loan<DB> {
    fn drop(&mut self) {
        let (Some(named), Some(permit)) = (self.named.take(), self.permit.take()) else { return };
        let Ok(runtime) = Handle::try_current() else {
            // The process is ending.
            drop(named.connection.detach());
            return;
        };
        let (pool, fit) = (Arc::clone(&self.pool), self.ended || self.pool.rules.survives);
        runtime.spawn(async move {
            if fit {
                pool.rest(named).await;
            } else {
                if let (Some(server), Some(name)) = (&pool.rules.server, &named.name) {
                    let _ = timeout(CLOSES_WITHIN, server.end(name)).await;
                }
                pool.dismiss(named.connection).await;
            }
            pool.left(permit).await;
        });
    }
}
