//! A pool of connections behind a gate, and the one way to ask the database anything.
//!
//! sqlx cannot change the size of a pool, so its own size is the ceiling, and the gate says how many connections are
//! used. A caller leaves the gate when its connection is back or closed, and not before: who comes next finds it, and
//! opens none. So as many are open as were ever inside at once; what is beyond the limit after a lowering is closed as
//! it comes back.
//!
//! Closed is what the server has closed: a statement whose caller has gone away would run on there, on a connection that
//! counts, while its place here is somebody else's. So the server is told to end it, see [`Server`]. For that each
//! connection needs a name, which sqlx has no room for: connections that rest are kept here, and sqlx opens and counts
//! them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Database};
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::error::has_too_many;
use super::gate::{Arrival, Gate, Permit};
use super::observed::{self, observed};
use super::observer::{Observer, Pool, PoolStatus};
use super::{Options, StoreError};

mod loan;
mod opening;
mod rules;

use loan::Loan;
pub(super) use rules::{Rules, Server};

/// How long closing a connection may take before it is given up.
const CLOSES_WITHIN: Duration = Duration::from_secs(5);
/// A ping a request would double the round trips; only a connection that has rested for long is asked whether it still
/// lives, since servers and proxies drop such.
const ASKED_AFTER: Duration = Duration::from_secs(30);
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// A pool whose size can be changed. Clones are the same one.
pub(super) struct Gated<DB: Database>(Arc<Inner<DB>>);

struct Inner<DB: Database> {
    pool: Pool,
    gate: Arc<Gate>,
    connections: sqlx::Pool<DB>,
    /// Those that rest, the one that was used last at the end.
    idle: Mutex<Vec<Idle<DB>>>,
    /// Connections that are being closed since they are too many.
    closing: AtomicU32,
    rules: Rules<DB>,
    acquire_timeout: Duration,
    ceiling: u32,
    observer: Arc<dyn Observer>,
}

/// A connection, and what the server calls it.
struct Named<DB: Database> {
    connection: PoolConnection<DB>,
    name: Option<String>,
    opened: Instant,
}

struct Idle<DB: Database> {
    named: Named<DB>,
    since: Instant,
}

impl<DB: Database> Clone for Gated<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> Gated<DB> {
    /// Lets up to `limit` of the `connections` be used at once.
    pub(super) fn new(
        pool: Pool,
        connections: sqlx::Pool<DB>,
        limit: u32,
        rules: Rules<DB>,
        options: &Options,
    ) -> Self {
        Self(Arc::new(Inner {
            pool,
            gate: Gate::new(limit, options.max_waiting),
            ceiling: connections.options().get_max_connections(),
            connections,
            idle: Mutex::default(),
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
            let Some(named) = &mut loan.named else { return Err(StoreError::broke_off()) };
            loan.ended = false;
            let outcome = timeout(inner.rules.call_within, call(&mut named.connection)).await;
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
        let closed = self.0.connections.close_event();
        let closing = self.0.connections.close();
        let resting = async {
            closed.await;
            while let Some(idle) = self.0.pop() {
                self.0.dismiss(idle.named.connection).await;
            }
        };
        let _ = tokio::join!(closing, resting);
    }

    /// A connection, waited for no longer than `acquire_timeout` altogether.
    async fn borrow(&self) -> Result<Loan<DB>, StoreError> {
        let (inner, start) = (&self.0, Instant::now());
        let borrowed = timeout(inner.acquire_timeout, async {
            let permit = inner.enter().await?;
            inner.lend(permit, start).await
        });
        match borrowed.await {
            Ok(Ok(loan)) => Ok(loan),
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

    /// Whether one that was used is fit for the next caller, which its answer says, and then it rests.
    async fn rest(&self, mut named: Named<DB>) {
        let answers = timeout(self.rules.returns_within, named.connection.ping());
        if !matches!(answers.await, Ok(Ok(()))) || self.connections.is_closed() {
            return self.dismiss(named.connection).await;
        }
        self.resting().push(Idle { named, since: Instant::now() });
        // It may have been closed while that was said.
        if self.connections.is_closed()
            && let Some(idle) = self.pop()
        {
            self.dismiss(idle.named.connection).await;
        }
    }

    /// Closes it, whether that ends well or not.
    async fn dismiss(&self, connection: PoolConnection<DB>) {
        let _ = timeout(CLOSES_WITHIN, connection.close()).await;
    }

    fn pop(&self) -> Option<Idle<DB>> {
        self.resting().pop()
    }

    fn forgotten(&self) -> Option<Idle<DB>> {
        let mut resting = self.resting();
        let is_forgotten = resting.first().is_some_and(|idle| idle.since.elapsed() >= self.rules.rests_at_most);
        is_forgotten.then(|| resting.remove(0))
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Idle<DB>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection of `permit` is back, or closed.
    async fn left(&self, permit: Permit) {
        self.observer.released(self.pool, permit.held());
        drop(permit);
        self.trim().await;
    }

    /// Closes connections that nobody has used for long, and others as long as more are open than the limit allows.
    async fn trim(&self) {
        while let Some(idle) = self.forgotten() {
            self.dismiss(idle.named.connection).await;
        }
        let too_many = |closing: u32| {
            let stays = self.connections.size().saturating_sub(closing);
            (stays > self.gate.limit()).then_some(closing + 1)
        };
        while self.closing.fetch_update(Ordering::AcqRel, Ordering::Acquire, too_many).is_ok() {
            let idle = self.pop().map(|idle| idle.named.connection);
            let found = idle.is_some();
            if let Some(idle) = idle {
                self.dismiss(idle).await;
            }
            self.closing.fetch_sub(1, Ordering::AcqRel);
            if !found {
                return;
            }
        }
    }
}
