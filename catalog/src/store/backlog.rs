//! What waits to be done, for people and metrics.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;

/// What waits to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that are to be applied.
    pub events: Waiting,
    /// Events that were given up, counted up to [`COUNTED`].
    pub parked: u32,
    /// Deliveries to active subscriptions.
    pub deliveries: Waiting,
    /// Changes that were not passed on to subscriptions yet.
    pub unpassed: u64,
}

/// Things that wait for their turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many, counted up to [`COUNTED`].
    pub count: u32,
    /// When the first of them was or will be due.
    pub due_since: Option<Timestamp>,
}

/// Counting further says nothing more, and costs.
pub const COUNTED: u32 = 10_000;

/// Says what waits.
#[async_trait]
pub trait Backlogs: Send + Sync {
    /// What waits to be done, over all processes.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
}
