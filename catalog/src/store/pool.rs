//! A pool of connections behind a gate, and the one way to ask the database anything.
//!
//! sqlx cannot change the size of a pool, so its own size is the ceiling, and the gate says how many connections are
//! used. A caller leaves the gate when its connection is back or closed, and not before: who comes next finds it, and
//! opens none. So as many are open as were ever inside at once; what is beyond the limit after a lowering is closed as
//! it comes back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::Database;
use sqlx::pool::PoolConnection;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::error::has_too_many;
use super::gate::{Arrival, Gate, Permit};
use super::observed::{self, observed};
use super::observer::{Observer, Pool, PoolStatus};
use super::{Options, StoreError};

/// How long closing a connection may take before it is given up.
const CLOSES_WITHIN: Duration = Duration::from_secs(5);

/// A pool whose size can be changed.
pub(super) struct Gated<DB: Database>(Arc<Inner<DB>>);

struct Inner<DB: Database> {
    pool: Pool,
    gate: Arc<Gate>,
    connections: sqlx::Pool<DB>,
    /// Connections that are being closed since they are too many.
    closing: AtomicU32,
    rules: Rules,
    acquire_timeout: Duration,
    ceiling: u32,
    observer: Arc<dyn Observer>,
}

/// What differs between the engines.
#[derive(Clone)]
pub(super) struct Rules {
    /// The engine's name in traces, once it is known.
    pub(super) system: Arc<OnceLock<&'static str>>,
    /// How long a call may take before the database counts as silent.
    pub(super) call_within: Duration,
    /// A connection that has not come back by then is given up, and its place is free.
    pub(super) returns_within: Duration,
    /// Whether a connection is fit for use after a call that came to no end.
    pub(super) survives: bool,
}

impl<DB: Database> Gated<DB> {
    /// Lets up to `limit` of the `connections` be used at once.
    pub(super) fn new(pool: Pool, connections: sqlx::Pool<DB>, limit: u32, rules: Rules, options: &Options) -> Self {
        Self(Arc::new(Inner {
            pool,
            gate: Gate::new(limit, options.max_waiting),
            ceiling: connections.options().get_max_connections(),
            connections,
            closing: AtomicU32::new(0),
            rules,
            acquire_timeout: options.acquire_timeout,
            observer: Arc::clone(&options.observer),
        }))
    }

    /// Runs `call`, which does what `summary` says (`SELECT products`), with a connection of its own.
    pub(super) async fn with<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut DB::Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let inner = &*self.0;
        observed(&*inner.observer, &inner.rules.system, summary, async {
            let mut loan = self.borrow().await?;
            let Some(connection) = &mut loan.connection else { return Err(StoreError::broke_off()) };
            let outcome = timeout(inner.rules.call_within, call(connection)).await;
            let outcome = outcome.map_err(|_| StoreError::TimeLimit)?;
            // Where the server itself refused, its answer has been read to the end.
            loan.ended = match &outcome {
                Err(StoreError::Unavailable(error) | StoreError::Database(error)) => {
                    error.as_database_error().is_some()
                }
                _ => true,
            };
            outcome
        })
        .await
    }

    /// Lets up to `limit` connections be used from now on, but not more than the ceiling; gives what it has become.
    pub(super) async fn set_limit(&self, limit: u32) -> u32 {
        let limit = limit.clamp(1, self.0.ceiling);
        self.0.gate.set_limit(limit);
        self.0.trim().await;
        limit
    }

    /// How it stands.
    pub(super) fn status(&self) -> PoolStatus {
        let standing = self.0.gate.standing();
        let open = self.0.connections.size();
        PoolStatus {
            pool: self.0.pool,
            limit: standing.limit,
            applied: standing.limit.max(open),
            open,
            in_use: standing.inside,
            waiting: standing.waiting,
            in_use_time: standing.inside_time,
        }
    }

    /// Closes all connections, after the calls that run.
    pub(super) async fn close(&self) {
        self.0.connections.close().await;
    }

    /// A connection, waited for no longer than `acquire_timeout` altogether.
    async fn borrow(&self) -> Result<Loan<DB>, StoreError> {
        let (inner, start) = (&self.0, Instant::now());
        let borrowed = timeout(inner.acquire_timeout, async {
            let permit = inner.enter().await?;
            let connection = inner.connections.acquire().await?;
            Ok(Loan { pool: Arc::clone(inner), connection: Some(connection), permit: Some(permit), ended: false })
        });
        match borrowed.await {
            Ok(Ok(loan)) => {
                inner.observer.acquired(inner.pool, start.elapsed());
                Ok(loan)
            }
            Ok(Err(error)) => {
                match &error {
                    sqlx::Error::PoolTimedOut => inner.observer.timed_out(inner.pool),
                    error if has_too_many(error) => inner.observer.refused(inner.pool),
                    _ => {}
                }
                Err(error.into())
            }
            Err(_) => {
                inner.observer.timed_out(inner.pool);
                Err(StoreError::Busy)
            }
        }
    }
}

impl<DB: Database> Inner<DB> {
    /// Passes the gate. A full queue is like one that takes too long.
    async fn enter(&self) -> Result<Permit, sqlx::Error> {
        match self.gate.arrive().map_err(|_| sqlx::Error::PoolTimedOut)? {
            Arrival::Inside(permit) => Ok(permit),
            Arrival::Waits(turn) => Ok(turn.come().instrument(observed::pool_wait(self.pool)).await),
        }
    }

    /// The connection of `permit` is back, or closed.
    async fn left(&self, permit: Permit) {
        self.observer.released(self.pool, permit.held());
        drop(permit);
        self.trim().await;
    }

    /// Closes connections that nobody uses, as long as more are open than the limit allows. sqlx takes one out for a
    /// moment to see whether it is too old, and a further one may be opened meanwhile: the next return sets that right.
    async fn trim(&self) {
        let too_many = |closing: u32| {
            let stays = self.connections.size().saturating_sub(closing);
            (stays > self.gate.limit()).then_some(closing + 1)
        };
        while self.closing.fetch_update(Ordering::AcqRel, Ordering::Acquire, too_many).is_ok() {
            let idle = self.connections.try_acquire();
            let found = idle.is_some();
            if let Some(idle) = idle {
                // Whether it ended well or not: it is closed.
                let _ = timeout(CLOSES_WITHIN, idle.close()).await;
            }
            self.closing.fetch_sub(1, Ordering::AcqRel);
            if !found {
                return;
            }
        }
    }
}

/// A connection on loan for one call. It goes back to its pool if the call came to an end, and is closed otherwise.
///
/// sqlx reads an answer of MySQL's in several steps. A caller that goes away between two of them (a client that hangs
/// up is enough) would leave the rest of its answer to the next caller, or to the pool itself, which asks a returned
/// connection whether it lives and would wait for ever.
struct Loan<DB: Database> {
    pool: Arc<Inner<DB>>,
    connection: Option<PoolConnection<DB>>,
    permit: Option<Permit>,
    ended: bool,
}

impl<DB: Database> Drop for Loan<DB> {
    fn drop(&mut self) {
        let (Some(mut connection), Some(permit)) = (self.connection.take(), self.permit.take()) else { return };
        let Ok(runtime) = Handle::try_current() else {
            // The process is ending.
            drop(connection.detach());
            return;
        };
        let pool = Arc::clone(&self.pool);
        if self.ended || pool.rules.survives {
            let returns = timeout(pool.rules.returns_within, connection.return_to_pool());
            runtime.spawn(async move {
                // If it does not answer the pool in time it is closed.
                let _ = returns.await;
                pool.left(permit).await;
            });
        } else {
            runtime.spawn(async move {
                let _ = timeout(CLOSES_WITHIN, connection.close()).await;
                pool.left(permit).await;
            });
        }
    }
}
