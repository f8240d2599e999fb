//! A connection in a caller's hands.

use std::sync::Arc;

use sqlx::Database;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{CLOSES_WITHIN, Inner, Named};
use crate::store::gate::Permit;

/// A connection on loan for one call. It goes back to its pool if the call came to an end, and is closed otherwise.
///
/// sqlx reads an answer of MySQL's in several steps. A caller that goes away between two of them (a client that hangs
/// up is enough) would leave the rest of its answer to the next caller, or to the pool itself, which asks a returned
/// connection whether it lives and would wait for ever.
pub(super) struct Loan<DB: Database> {
    pub(super) pool: Arc<Inner<DB>>,
    pub(super) named: Option<Named<DB>>,
    pub(super) permit: Option<Permit>,
    pub(super) ended: bool,
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
