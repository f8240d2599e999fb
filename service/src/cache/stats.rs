//! How the cache is doing, in numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::tally::{Tally, counted};

/// What the answers of one kind of question are called in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `GET /v1/products`
    ListProducts,
    /// `GET /v1/products/{id}`
    GetProduct,
    /// `GET /v1/categories`
    ListCategories,
    /// `GET /v1/suggest`
    Suggest,
    /// `GET /products`
    ListProductsOriginal,
}

impl Operation {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::ListProducts, Self::GetProduct, Self::ListCategories, Self::Suggest, Self::ListProductsOriginal];

    /// The operation's id in the API's document.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListProducts => "listProducts",
            Self::GetProduct => "getProduct",
            Self::ListCategories => "listCategories",
            Self::Suggest => "suggest",
            Self::ListProductsOriginal => "listProductsOriginal",
        }
    }
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From this process' memory.
    Local,
    /// From Redis.
    Shared,
    /// Computed, for this request or one that asked the same.
    Computed,
    /// From the cache, though it is no longer fresh, since the database is away.
    Stale,
    /// Computed past the cache, which does not know yet what to trust.
    Bypass,
}

impl Origin {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Local, Self::Shared, Self::Computed, Self::Stale, Self::Bypass];

    /// Its name in answers and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Shared => "redis",
            Self::Computed => "computed",
            Self::Stale => "stale",
            Self::Bypass => "bypass",
        }
    }
}

/// Counters for each operation and origin.
#[derive(Debug, Default)]
pub struct Stats {
    answers: [[AtomicU64; Origin::ALL.len()]; Operation::ALL.len()],
    /// Answers computed: several requests may have waited for one.
    loads: AtomicU64,
    /// Answers computed ahead of their time.
    refreshes: AtomicU64,
    /// Changes that voided something.
    voided: AtomicU64,
    /// What became of keeping computed answers, in this process' memory and in Redis.
    pub(super) local_fills: Tally<Fill>,
    pub(super) shared_fills: Tally<Fill>,
}

counted! {
    /// What became of keeping an answer that was computed.
    pub enum Fill {
        /// It is kept.
        Stored = "stored",
        /// It was voided while it was computed, and lies where nobody looks.
        Outdated = "outdated",
        /// Another process was given leave to compute it meanwhile; it was not stored.
        Overtaken = "overtaken",
        /// Redis did not take it.
        Failed = "failed",
    }
}

impl Stats {
    pub(super) fn answered(&self, operation: Operation, origin: Origin) {
        self.answers[operation as usize][origin as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn loaded(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refreshed(&self) {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn voided(&self) {
        self.voided.fetch_add(1, Ordering::Relaxed);
    }

    /// Answers of `operation` from `origin`.
    pub fn answers(&self, operation: Operation, origin: Origin) -> u64 {
        self.answers[operation as usize][origin as usize].load(Ordering::Relaxed)
    }

    /// The part of the answers of `operation` that needed no computing; 0 before the first.
    pub fn hit_ratio(&self, operation: Operation) -> f64 {
        let sum = |origins: &[Origin]| origins.iter().map(|origin| self.answers(operation, *origin)).sum::<u64>();
        let all = sum(&Origin::ALL);
        if all == 0 { 0.0 } else { sum(&[Origin::Local, Origin::Shared, Origin::Stale]) as f64 / all as f64 }
    }

    /// Answers computed.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// Answers computed ahead of their time.
    pub fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Relaxed)
    }

    /// What became of keeping answers in this process' memory.
    pub fn local_fills(&self) -> &Tally<Fill> {
        &self.local_fills
    }

    /// What became of keeping answers in Redis.
    pub fn shared_fills(&self) -> &Tally<Fill> {
        &self.shared_fills
    }

    /// Changes that voided something.
    pub fn voids(&self) -> u64 {
        self.voided.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hit_ratio_counts_what_needed_no_computing() {
        let stats = Stats::default();
        assert_eq!(stats.hit_ratio(Operation::Suggest), 0.0);
        for origin in [Origin::Local, Origin::Shared, Origin::Computed, Origin::Bypass] {
            stats.answered(Operation::GetProduct, origin);
        }
        assert_eq!(stats.hit_ratio(Operation::GetProduct), 0.5);
        assert_eq!(stats.hit_ratio(Operation::Suggest), 0.0);
    }
}
