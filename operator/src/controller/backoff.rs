//! How long to wait after a failure, object by object, so that one that always fails does not slow the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// Failures in a row, by object.
#[derive(Debug, Default)]
pub struct Backoff(Mutex<HashMap<String, u32>>);

impl Backoff {
    /// One more failure of `object`: how long to wait. `chance` is from 0 to 1; up to a fifth is left to it.
    pub fn failed(&self, object: &str, chance: f64) -> Duration {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(object.to_owned()).or_default();
        *count = count.saturating_add(1);
        let wait = FIRST.saturating_mul(2_u32.saturating_pow((*count - 1).min(16))).min(LONGEST);
        wait.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 5.0)
    }

    /// It went well, or it is gone.
    pub fn forget(&self, object: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
    }

    /// Objects whose last try failed.
    #[must_use]
    pub fn failing(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_by_object_up_to_five_minutes() {
        let backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.failed("a", 0.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(backoff.failed("b", 1.0), Duration::from_millis(800));
        assert_eq!(backoff.failing(), 2);
        backoff.forget("a");
        assert_eq!(backoff.failed("a", 0.0), FIRST);
    }
}
