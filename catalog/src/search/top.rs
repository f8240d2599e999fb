//! The best few of many.

use std::collections::BinaryHeap;

/// Where a document stands in a scan: smaller first, by order key, then by id. Descending orders turn
/// both around (`!key`, `!id`).
pub(super) type Rank = (u64, u64);

/// Keeps the `limit` smallest ranks behind a bound.
pub(super) struct Top {
    limit: usize,
    after: Option<Rank>,
    // The largest on top: it is the one that goes.
    kept: BinaryHeap<Rank>,
    ceiling: u64,
}

impl Top {
    /// Keeps the `limit` smallest ranks that are larger than `after`.
    pub(super) fn new(limit: usize, after: Option<Rank>) -> Self {
        Self { limit, after, kept: BinaryHeap::with_capacity(limit.min(1024)), ceiling: u64::MAX }
    }

    /// The largest key that can still get in: what is larger need not be offered. A million are asked
    /// after it and a few hundred change it.
    pub(super) fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// The smallest key that can get in.
    pub(super) fn floor(&self) -> u64 {
        self.after.map_or(0, |(key, _)| key)
    }

    /// Whether there are `limit` ranks and a further one must be smaller than one of them.
    pub(super) fn is_full(&self) -> bool {
        self.kept.len() >= self.limit
    }

    /// Takes `rank` if it belongs to the smallest.
    pub(super) fn offer(&mut self, rank: Rank) {
        if self.after.is_some_and(|after| rank <= after) {
            return;
        }
        if !self.is_full() {
            self.kept.push(rank);
        } else if let Some(mut worst) = self.kept.peek_mut()
            && rank < *worst
        {
            *worst = rank;
        }
        if self.is_full() {
            self.ceiling = self.kept.peek().map_or(0, |(key, _)| *key);
        }
    }

    /// The ranks kept, the smallest first.
    pub(super) fn into_sorted(self) -> Vec<Rank> {
        self.kept.into_sorted_vec()
    }
}
