//! The log of changes, for those who keep something derived from the products.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use super::bulk::SeedRun;
use crate::{Category, Product, ProductId, Timestamp};

/// A change as the log has it. What changed is not said: read the product again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number in the log. Numbers grow, but may become visible out of order.
    pub number: u64,
    /// The product that was made, changed or removed; `None` when any may have been (a bulk load).
    pub product: Option<ProductId>,
    /// The categories it was in before and is in after, each once; none when any may be concerned (a bulk
    /// load, or a write by a version of this program that did not say).
    pub categories: Vec<Category>,
    /// When it was written, by the database's clock.
    pub at: Timestamp,
    /// The trace that wrote it, if it was recorded; see [`trace`](super::trace).
    pub traceparent: Option<String>,
}

/// The categories of a change, each once; `before` and `after` are those of the product.
pub(super) fn categories(before: Option<Category>, after: Option<Category>) -> Vec<Category> {
    let mut categories: Vec<_> = before.into_iter().chain(after).collect();
    categories.dedup();
    categories
}

/// What a write gives, and the change it left in the log, if it changed anything.
pub(super) type Written<T> = (T, Option<Change>);

/// Who is told of each write of this process once it is committed, before its caller hears of it.
#[async_trait]
pub trait Listener: Send + Sync {
    /// `change` is committed. Whatever becomes of this call, the log has it too.
    async fn committed(&self, change: &Change);
}

/// The listeners of a store.
#[derive(Clone, Default)]
pub struct Listeners(Vec<Arc<dyn Listener>>);

impl Listeners {
    /// The same with one more.
    #[must_use]
    pub fn with(mut self, listener: Arc<dyn Listener>) -> Self {
        self.0.push(listener);
        self
    }

    /// Tells them what was written, and gives on what the caller is to have.
    pub(super) async fn tell<T>(&self, (written, change): Written<T>) -> T {
        self.tell_all(change.as_slice()).await;
        written
    }

    /// Tells them of each of `changes`.
    pub(super) async fn tell_all(&self, changes: &[Change]) {
        for change in changes {
            for listener in &self.0 {
                listener.committed(change).await;
            }
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}

/// How far the log reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogBounds {
    /// The first change that is still there; 0 when there is none.
    pub first: u64,
    /// The last change there is; 0 when there is none.
    pub last: u64,
    /// The last change so old that no transaction with a lower number can still be under way.
    pub settled: u64,
}

/// The log of changes, always read from the primary: what it says must be there to be read.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// The catalogue's own name, made with its tables: what is derived from another one is worthless.
    async fn identity(&self) -> Result<String, StoreError>;

    /// How far the log reaches.
    async fn log_bounds(&self) -> Result<LogBounds, StoreError>;

    /// Up to `limit` changes behind `after`, and those of `missing` that have shown up; by number.
    async fn changes(&self, after: u64, missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError>;

    /// Up to `limit` products behind `after`, by id.
    async fn scan(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>, StoreError>;

    /// The products `ids` (at most 100) as they are now, in any order; what is gone is left out.
    async fn current(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError>;

    /// The seeding that is recorded, if any: until it is finished, products arrive that no change tells of.
    async fn seeding(&self) -> Result<Option<SeedRun>, StoreError>;

    /// Removes changes that are older than a day, a bounded number at a time; the last one stays.
    async fn prune_log(&self) -> Result<u64, StoreError>;
}

/// Changes older than this are pruned: whoever was away for longer starts anew.
pub(super) const KEEP_SECONDS: u32 = 24 * 60 * 60;
/// Older than any transaction that writes products may become (statements and lock waits are limited).
pub(super) const SETTLED_SECONDS: u32 = 60;
/// Changes looked at by one pruning.
pub(super) const PRUNE: u64 = 10_000;
