//! When a delivery that was in vain is tried again.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::Timestamp;

use crate::webhooks::mix;

/// The times between the tries, the first one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays(Arc<[Duration]>);

/// A text is no list of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotDelays;

impl fmt::Display for NotDelays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "must list one time or more such as 5s 5m 2h (ms, s, m or h; a week at the most), with spaces between",
        )
    }
}

impl FromStr for Delays {
    type Err = NotDelays;

    fn from_str(text: &str) -> Result<Self, NotDelays> {
        let delays: Option<Arc<[Duration]>> = text.split_whitespace().map(delay).collect();
        delays.filter(|delays| !delays.is_empty()).map(Self).ok_or(NotDelays)
    }
}

fn delay(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(millis)?;
    (1..=7 * 24 * 3_600_000).contains(&millis).then(|| Duration::from_millis(millis))
}

/// The delays, and what chance makes of them.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The times between the tries.
    pub delays: Delays,
    /// What chance depends on, beside the delivery and the try.
    pub seed: u64,
}

impl Schedule {
    /// When the delivery `number`, tried `attempts` times in vain, is tried again: up to a tenth later than the list
    /// says, so that what failed together does not come back together. `None` for never.
    pub fn next(&self, number: u64, attempts: u32, now: Timestamp) -> Option<Timestamp> {
        let delay = *self.delays.0.get(usize::try_from(attempts.checked_sub(1)?).ok()?)?;
        let tenth = u64::try_from(delay.as_micros() / 10).unwrap_or(u64::MAX).max(1);
        let chance = mix(self.seed ^ mix(number ^ mix(attempts.into()))) % tenth;
        Some((now.to_utc() + delay + Duration::from_micros(chance)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(seed: u64) -> Schedule {
        Schedule { delays: "5s 5m 30m 2h 5h 10h 14h 20h 24h".parse().unwrap(), seed }
    }

    fn seconds(schedule: &Schedule, number: u64, attempts: u32) -> Option<f64> {
        let now = Timestamp::from_micros(1_000_000).unwrap();
        Some((schedule.next(number, attempts, now)?.micros() - now.micros()) as f64 / 1e6)
    }

    #[test]
    fn follows_the_published_times_and_ends() {
        let published = [5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0];
        for (before, whole) in published.into_iter().enumerate() {
            for number in 0..100 {
                let delay = seconds(&schedule(7), number, before as u32 + 1).unwrap();
                assert!((whole..whole * 1.1).contains(&delay), "{before}: {delay}");
            }
        }
        assert_eq!((seconds(&schedule(7), 1, 10), seconds(&schedule(7), 1, 0)), (None, None));
    }

    #[test]
    fn chance_spreads_and_can_be_repeated() {
        let delays = |seed| (0..200).map(|number| seconds(&schedule(seed), number, 2)).collect::<Vec<_>>();
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
        let late = delays(7).into_iter().flatten().filter(|delay| *delay > 315.0).count();
        assert!((60..140).contains(&late), "{late} of 200 in the later half");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "5", "s", "5d", "5 s", "-5s", "0s", "200h", "5s,5m", "99999999999999999999s"] {
            assert_eq!(text.parse::<Delays>(), Err(NotDelays), "{text}");
        }
        assert_eq!(" 10ms\n1h ".parse::<Delays>().unwrap().0.len(), 2);
    }
}
