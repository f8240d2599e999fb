//! The statements of the store and what they mean, compiled once for each engine. `super::engine` has all that differs.

mod apply;
mod backlog;
mod changes;
mod external_ids;
mod idempotency;
mod inbox;
pub(super) mod listing;
mod oauth;
mod outbox;
mod products;
mod read;
mod row;
pub(super) mod seeding;
mod subscriptions;
mod sync_ledger;
mod syncs;
mod transaction;
mod write;

use super::engine;
use super::pools::Pools;
use crate::store::Listeners;

pub(super) use changes::note_any;

/// The store on one engine.
pub(in crate::store) struct SqlStore {
    pools: Pools,
    listeners: Listeners,
}

impl SqlStore {
    pub(super) fn new(pools: Pools, listeners: Listeners) -> Self {
        Self { pools, listeners }
    }
}
