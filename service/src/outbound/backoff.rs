//! How long to wait before trying again.

use std::time::Duration;

/// Waits that double from retry to retry, each a random part of its ceiling ("full jitter"): those who
/// failed together do not come back together.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first retry's ceiling.
    pub first: Duration,
    /// The highest ceiling.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Up to 100 ms at first and 2 s at most.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(2) }
    }
}

impl Backoff {
    /// The wait before retry `retry`, counted from 0; `roll` is random from 0 to 1.
    pub fn wait(&self, retry: u32, roll: f64) -> Duration {
        let ceiling = self.first.saturating_mul(2_u32.saturating_pow(retry)).min(self.longest);
        ceiling.mul_f64(roll.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_to_their_limit_and_any_part_of_them_may_be_waited() {
        let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(1) };
        let ceilings: Vec<_> = (0..6).map(|retry| backoff.wait(retry, 1.0).as_millis()).collect();
        assert_eq!(ceilings, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(backoff.wait(u32::MAX, 0.5), Duration::from_millis(500));
        assert_eq!(backoff.wait(3, 0.0), Duration::ZERO);
    }
}
