//! Which changes of a log have been read, when numbers become visible out of order.
//!
//! A transaction takes its number when it inserts and shows it when it commits, so a reader can see 8
//! before 7. A missing number is a gap: it is asked for again until it shows up, or until no transaction
//! can be that old, which means that it was rolled back.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Longer than any transaction that writes products may take (statements and lock waits are limited).
pub(super) const LONGEST_TRANSACTION: Duration = Duration::from_secs(60);

/// The end of the log as far as it was read.
#[derive(Debug)]
pub struct Tail {
    high: u64,
    gaps: BTreeMap<u64, Instant>,
}

impl Tail {
    /// Everything up to `position` has been read.
    pub fn at(position: u64) -> Self {
        Self { high: position, gaps: BTreeMap::new() }
    }

    /// The highest number that was seen: ask for what is behind it.
    pub fn high(&self) -> u64 {
        self.high
    }

    /// A number that stands for what has been read, the same for every reader of the same changes.
    pub fn stamp(&self) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
        hasher.update(&self.high.to_le_bytes());
        self.gaps.keys().for_each(|missing| hasher.update(&missing.to_le_bytes()));
        hasher.digest()
    }

    /// The numbers that are missing below it: ask for them too.
    pub fn gaps(&self) -> Vec<u64> {
        self.gaps.keys().copied().collect()
    }

    /// Notes that the changes `numbers` were read at `now`.
    pub fn saw(&mut self, numbers: impl IntoIterator<Item = u64>, now: Instant) {
        self.gaps.retain(|_, noticed| now.duration_since(*noticed) < LONGEST_TRANSACTION);
        for number in numbers {
            self.gaps.remove(&number);
            if number > self.high {
                self.gaps.extend((self.high + 1..number).map(|missing| (missing, now)));
                self.high = number;
            }
        }
    }

    /// Up to where nothing is missing: whoever starts again from here loses nothing.
    pub fn settled(&self) -> u64 {
        self.gaps.keys().next().map_or(self.high, |missing| missing - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_number_that_shows_up_late_is_asked_for_until_then() {
        let now = Instant::now();
        let mut tail = Tail::at(5);
        tail.saw([6, 9, 8], now);
        assert_eq!((tail.high(), tail.gaps(), tail.settled()), (9, vec![7], 6));
        tail.saw([], now + LONGEST_TRANSACTION - Duration::from_millis(1));
        assert_eq!(tail.gaps(), [7], "the transaction may still be under way");
        tail.saw([7], now);
        assert_eq!((tail.gaps(), tail.settled()), (vec![], 9));
    }

    #[tokio::test]
    async fn the_stamp_says_what_has_been_read_and_not_how() {
        let now = Instant::now();
        let (mut one, mut other) = (Tail::at(5), Tail::at(3));
        one.saw([6, 8], now);
        other.saw([4], now);
        assert_ne!(one.stamp(), other.stamp());
        other.saw([8, 6], now);
        other.saw([5], now);
        assert_eq!(one.stamp(), other.stamp());
        one.saw([7], now);
        assert_ne!(one.stamp(), other.stamp(), "what shows up late is something new");
    }

    #[tokio::test]
    async fn a_number_that_was_rolled_back_is_given_up() {
        let now = Instant::now();
        let mut tail = Tail::at(0);
        tail.saw([2], now);
        assert_eq!(tail.settled(), 0);
        tail.saw([3], now + LONGEST_TRANSACTION);
        assert_eq!((tail.gaps(), tail.settled()), (vec![], 3));
    }
}
