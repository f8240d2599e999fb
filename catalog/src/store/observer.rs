//! Who watches the store at work: the numbers are kept elsewhere, this crate knows no metrics.

use std::fmt::Debug;
use std::time::Duration;

/// Told of what the store does, as it happens. Every call must be quick and must not block: some are made under load
/// with a connection in hand.
pub trait Observer: Debug + Send + Sync {
    /// A caller got a connection of `pool` after `waited`.
    fn acquired(&self, _pool: Pool, _waited: Duration) {}

    /// A connection of `pool` was given back, or up, after it was `held`.
    fn released(&self, _pool: Pool, _held: Duration) {}

    /// A caller got none: it waited too long, or the queue was full.
    fn timed_out(&self, _pool: Pool) {}

    /// The database refused a connection since it has too many (MySQL's errors 1040 and 1203).
    fn refused(&self, _pool: Pool) {}

    /// An operation on the database, such as `SELECT products`, ended after `took`; `error` has the kind of what went
    /// wrong, one of few.
    fn operation(&self, _summary: &'static str, _took: Duration, _error: Option<&'static str>) {}
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// The pools of a store, by what their connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pool {
    /// To the primary (SQLite: the readers). The one whose size is tuned.
    Primary,
    /// To the read replica.
    Replica,
    /// SQLite's one writer.
    Writer,
    /// The single connection of readiness checks.
    Probe,
}

impl Pool {
    /// Its name in metrics and traces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
            Self::Writer => "writer",
            Self::Probe => "probe",
        }
    }
}

/// How a pool stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Which one.
    pub pool: Pool,
    /// Connections it may have, as last asked for.
    pub limit: u32,
    /// What it holds to by now: the larger of `limit` and `open`.
    pub applied: u32,
    /// Connections that are open.
    pub open: u32,
    /// Connections on loan.
    pub in_use: u32,
    /// Callers that wait.
    pub waiting: u32,
    /// The integral of `in_use` over time since the start, those still held included.
    pub in_use_time: Duration,
}
