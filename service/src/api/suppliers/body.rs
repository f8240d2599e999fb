//! Suppliers and syncs as JSON.

use chrono::{DateTime, Utc};
use farmlokal_catalog::supply::{Sync, SyncState};
use poem_openapi::{Enum, Object};
use serde::Serialize;

use crate::breaker::State;

/// All suppliers.
#[derive(Serialize, Object)]
#[oai(rename = "Suppliers")]
pub struct SuppliersBody {
    /// The suppliers, by name.
    pub data: Vec<SupplierBody>,
}

/// A supplier and how we get on with it.
#[derive(Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "Supplier", rename_all = "camelCase")]
pub struct SupplierBody {
    /// What it is called.
    pub name: String,
    /// Whether it is being asked, as this process sees it.
    pub breaker: BreakerBody,
    /// For how many seconds it is left alone yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub retry_after_seconds: Option<u64>,
    /// Its latest sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub last_sync: Option<SyncBody>,
}

/// What a breaker does with calls.
#[derive(Debug, Serialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "Breaker", rename_all = "snake_case")]
pub enum BreakerBody {
    /// It lets all through.
    Closed,
    /// It failed too often, and is left alone for a while.
    Open,
    /// The next call finds out whether it works again.
    HalfOpen,
}

impl From<State> for BreakerBody {
    fn from(state: State) -> Self {
        match state {
            State::Closed => Self::Closed,
            State::Open => Self::Open,
            State::HalfOpen => Self::HalfOpen,
        }
    }
}

/// One pull of all that a supplier offers.
#[derive(Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "Sync", rename_all = "camelCase")]
pub struct SyncBody {
    /// Its number.
    id: i64,
    /// Whose offers it pulls.
    supplier: String,
    /// How far it has come.
    state: SyncStateBody,
    /// Products that were made.
    made: u64,
    /// Products that were changed.
    changed: u64,
    /// Products that were as offered already.
    unchanged: u64,
    /// Offers that do not fit a product.
    failed: u64,
    /// Pages that are in.
    pages: u64,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// When it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    finished_at: Option<DateTime<Utc>>,
    /// Why it failed; what was done until then stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    error: Option<String>,
}

/// How far a sync has come.
#[derive(Debug, Serialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "SyncState", rename_all = "snake_case")]
pub enum SyncStateBody {
    /// Nobody works on it yet.
    Queued,
    /// Somebody does.
    Running,
    /// All pages are in.
    Done,
    /// It ended early.
    Failed,
}

impl From<Sync> for SyncBody {
    fn from(sync: Sync) -> Self {
        Self {
            id: sync.id.get(),
            supplier: sync.supplier.to_string(),
            state: match sync.state {
                SyncState::Queued => SyncStateBody::Queued,
                SyncState::Running => SyncStateBody::Running,
                SyncState::Done => SyncStateBody::Done,
                SyncState::Failed => SyncStateBody::Failed,
            },
            made: sync.counts.made,
            changed: sync.counts.changed,
            unchanged: sync.counts.unchanged,
            failed: sync.counts.failed,
            pages: sync.pages,
            requested_at: sync.requested_at.to_utc(),
            started_at: sync.started_at.map(|at| at.to_utc()),
            finished_at: sync.finished_at.map(|at| at.to_utc()),
            error: (!sync.error.is_empty()).then_some(sync.error),
        }
    }
}
