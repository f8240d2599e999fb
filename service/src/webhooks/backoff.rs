//! When an event that was tried in vain is tried again.

use std::time::Duration;

use farmlokal_catalog::Timestamp;

/// Twice as long after each try, up to a bound; half of it by chance, so that events that failed together do not
/// come back together.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first try.
    pub first: Duration,
    /// At the most.
    pub longest: Duration,
    /// How often an event is tried.
    pub attempts: u32,
    /// What chance depends on, beside the event and the try.
    pub seed: u64,
}

impl Backoff {
    /// When the event `number`, tried `attempts` times in vain, is tried again; `None` for never.
    pub fn next(&self, number: u64, attempts: u32, now: Timestamp) -> Option<Timestamp> {
        if attempts >= self.attempts {
            return None;
        }
        let doubled = 2_u32.checked_pow(attempts.saturating_sub(1)).and_then(|factor| self.first.checked_mul(factor));
        let whole = doubled.unwrap_or(self.longest).min(self.longest);
        let half = whole / 2;
        let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let chance = Duration::from_micros(mix(self.seed ^ mix(number ^ mix(attempts.into()))) % micros);
        Some((now.to_utc() + half + chance).into())
    }
}

/// The finalizer of SplitMix64: each bit of the input changes half of the output's.
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff =
        Backoff { first: Duration::from_secs(4), longest: Duration::from_secs(60), attempts: 40, seed: 7 };

    fn delay(backoff: Backoff, number: u64, attempts: u32) -> Option<f64> {
        let now = Timestamp::from_micros(1_000_000).unwrap();
        let next = backoff.next(number, attempts, now)?;
        Some((next.micros() - now.micros()) as f64 / 1e6)
    }

    #[test]
    fn doubles_up_to_its_bound_and_ends() {
        for (attempts, whole) in [(1, 4.0), (2, 8.0), (3, 16.0), (4, 32.0), (5, 60.0), (6, 60.0), (39, 60.0)] {
            for number in 0..200 {
                let delay = delay(BACKOFF, number, attempts).unwrap();
                assert!((whole / 2.0..=whole).contains(&delay), "{attempts}: {delay}");
            }
        }
        assert_eq!(delay(BACKOFF, 1, 40), None);
        assert_eq!(delay(BACKOFF, 1, 41), None);
    }

    #[test]
    fn chance_spreads_and_can_be_repeated() {
        let delays = |seed| (0..200).map(|number| delay(Backoff { seed, ..BACKOFF }, number, 5)).collect::<Vec<_>>();
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
        let late = delays(7).into_iter().flatten().filter(|delay| *delay > 45.0).count();
        assert!((60..140).contains(&late), "{late} of 200 in the later half");
    }
}
