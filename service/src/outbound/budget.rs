//! How many retries there may be in all.

use std::sync::{Mutex, PoisonError};

/// Retries as a part of the calls: each call pays a fifth of a retry in, each retry takes a whole one out.
/// However many calls fail at once, the server gets a fifth more of them and not a multiple.
#[derive(Debug)]
pub struct Budget {
    /// In fifths of a retry.
    fifths: Mutex<u32>,
}

/// What one retry costs, in payments of a call.
const RETRY: u32 = 5;
/// Saved at the most, and what there is at the start: ten retries.
const FULL: u32 = 10 * RETRY;

impl Default for Budget {
    fn default() -> Self {
        Self { fifths: Mutex::new(FULL) }
    }
}

impl Budget {
    /// A call pays in.
    pub fn pay(&self) {
        let mut fifths = self.fifths.lock().unwrap_or_else(PoisonError::into_inner);
        *fifths = FULL.min(*fifths + 1);
    }

    /// Takes a retry, if there is one left.
    pub fn take(&self) -> bool {
        let mut fifths = self.fifths.lock().unwrap_or_else(PoisonError::into_inner);
        let left = fifths.checked_sub(RETRY);
        *fifths = left.unwrap_or(*fifths);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_fifth_of_the_calls_and_ten() {
        let budget = Budget::default();
        let retries = (0..1_000).filter(|_| {
            budget.pay();
            budget.take() || budget.take()
        });
        assert_eq!(retries.count(), 200 + 9);
        (0..1_000).for_each(|_| budget.pay());
        assert_eq!((0..1_000).filter(|_| budget.take()).count(), 10, "no more than ten are saved");
    }
}
