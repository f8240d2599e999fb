//! How often each part of the cache has been voided, as far as this process knows.

use std::sync::atomic::{AtomicU64, Ordering};

use super::namespace::Namespace;

/// A number for each namespace that only grows, and is part of every key: what was stored under an
/// earlier one is not found again. It is a time in microseconds where Redis or a write set it, so that it
/// grows across restarts and losses too; 0 at the start.
pub(super) struct Generations {
    cells: Box<[AtomicU64]>,
    step: u64,
}

impl Generations {
    /// All at 0. Each process counts in steps of another size: two that count on from the same number, while
    /// Redis is away, must not come to mean different states by one number.
    pub(super) fn new(step: u64) -> Self {
        Self { cells: (0..Namespace::COUNT).map(|_| AtomicU64::new(0)).collect(), step: step.max(1) }
    }

    /// That of `namespace`.
    pub(super) fn get(&self, namespace: Namespace) -> u64 {
        self.cells[namespace.index()].load(Ordering::Acquire)
    }

    /// Raises that of `namespace` to `to`, if it is lower.
    pub(super) fn raise(&self, namespace: Namespace, to: u64) {
        self.cells[namespace.index()].fetch_max(to, Ordering::AcqRel);
    }

    /// Voids `namespace` at the time `now`: the generation becomes `max(now, old + step)`, which is returned.
    pub(super) fn bump(&self, namespace: Namespace, now: u64) -> u64 {
        let cell = &self.cells[namespace.index()];
        let next = |old: u64| now.max(old.saturating_add(self.step));
        // The closure always gives a value, so there is always a former one.
        cell.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| Some(next(old))).map_or(now, next)
    }

    /// Those that are higher than `than` says, with their values.
    pub(super) fn above(&self, than: impl Fn(Namespace) -> u64) -> Vec<(Namespace, u64)> {
        (0..Namespace::COUNT)
            .filter_map(Namespace::at)
            .map(|namespace| (namespace, self.get(namespace)))
            .filter(|(namespace, generation)| *generation > than(*namespace))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_only_grow_whatever_the_clock_says() {
        let generations = Generations::new(1);
        assert_eq!(generations.bump(Namespace::All, 1_000), 1_000);
        assert_eq!(generations.bump(Namespace::All, 5), 1_001, "a clock set back");
        generations.raise(Namespace::All, 3);
        assert_eq!(generations.get(Namespace::All), 1_001);
        generations.raise(Namespace::All, 2_000);
        assert_eq!(generations.bump(Namespace::All, 2_000), 2_001, "two in one microsecond");
        assert_eq!(generations.get(Namespace::Products), 0);
        assert_eq!(generations.above(|_| 0), [(Namespace::All, 2_001)]);
    }
}
