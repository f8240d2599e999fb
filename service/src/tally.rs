//! Counts by kind: numbers that only grow, read whenever metrics are collected.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

/// Kinds of things that are counted.
pub trait Counted: Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// Its name in metrics.
    fn name(self) -> &'static str;

    /// Its place in [`ALL`](Self::ALL).
    fn index(self) -> usize;
}

/// An enum of kinds with their names in metrics.
macro_rules! counted {
    ($(#[$of_all:meta])* $visible:vis enum $kind:ident { $($(#[$of_one:meta])* $one:ident = $name:literal),+ $(,)? }) => {
        $(#[$of_all])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visible enum $kind { $($(#[$of_one])* $one),+ }

        impl $crate::tally::Counted for $kind {
            const ALL: &'static [Self] = &[$(Self::$one),+];

            fn name(self) -> &'static str {
                match self { $(Self::$one => $name),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use counted;

/// A count for each kind.
#[derive(Debug)]
pub struct Tally<K> {
    counts: Box<[AtomicU64]>,
    of: PhantomData<fn(K)>,
}

impl<K: Counted> Tally<K> {
    /// One more of `kind`.
    pub fn add(&self, kind: K) {
        self.counts[kind.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// How many of `kind` there were.
    pub fn get(&self, kind: K) -> u64 {
        self.counts[kind.index()].load(Ordering::Relaxed)
    }
}

impl<K: Counted> Default for Tally<K> {
    fn default() -> Self {
        Self { counts: K::ALL.iter().map(|_| AtomicU64::new(0)).collect(), of: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    counted! {
        /// Two kinds.
        enum Kind {
            Milk = "milk",
            Eggs = "eggs",
        }
    }

    #[test]
    fn kinds_are_counted_apart() {
        let tally = Tally::default();
        tally.add(Kind::Eggs);
        tally.add(Kind::Eggs);
        assert_eq!((tally.get(Kind::Milk), tally.get(Kind::Eggs)), (0, 2));
        assert!(Kind::ALL.iter().enumerate().all(|(place, kind)| kind.index() == place));
        assert_eq!(Kind::Milk.name(), "milk");
    }
}
