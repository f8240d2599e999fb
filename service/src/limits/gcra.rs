//! The generic cell rate algorithm: a client's whole history in one number.
//!
//! The number is the *theoretical arrival time*, TAT: when the client would be done if it sent its requests
//! evenly. Each request moves it on by one interval, time lets it fall behind, and it may be ahead of now by
//! the quota's worth at the most. So a client that sends at most its quota in every window is never
//! refused, and no client gets more than its quota and what comes in meanwhile: in any time `t` at most
//! `quota * (1 + t / window)`. Times are microseconds since a moment of the caller's choice.

use std::time::Duration;

/// How much a client may ask: so many requests in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    quota: u32,
    window: Duration,
    /// Microseconds in which one request's worth comes in.
    interval: u64,
}

impl Policy {
    /// `quota` requests a `window`; at least one, and at most one a microsecond.
    pub fn new(quota: u32, window: Duration) -> Self {
        let quota = quota.max(1);
        // Rounded down, so that the promise to those who keep to their quota holds exactly.
        let interval = (micros(window) / u64::from(quota)).max(1);
        Self { quota, window, interval }
    }

    /// Requests a window.
    pub fn quota(&self) -> u32 {
        self.quota
    }

    /// The window.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// Microseconds between requests that are sent evenly.
    pub fn interval(&self) -> u64 {
        self.interval
    }

    /// How far ahead of now the TAT may be, in microseconds.
    pub fn span(&self) -> u64 {
        self.interval * u64::from(self.quota)
    }

    /// How many requests a client whose TAT is `tat` may send at `now`.
    pub fn room(&self, tat: u64, now: u64) -> u64 {
        (now + self.span()).saturating_sub(tat.max(now)) / self.interval
    }

    /// The TAT after `requests` more.
    pub fn after(&self, tat: u64, now: u64, requests: u64) -> u64 {
        tat.max(now) + requests * self.interval
    }

    /// How long until there is room for one more than now.
    pub fn until_more(&self, tat: u64, now: u64) -> Duration {
        let next = tat.max(now) + (self.room(tat, now) + 1) * self.interval;
        Duration::from_micros(next.saturating_sub(now + self.span()))
    }
}

/// Whole microseconds of `duration`.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// Ten requests in ten seconds: one a second, ten at once.
    fn ten() -> Policy {
        Policy::new(10, Duration::from_secs(10))
    }

    /// Sends one request, if there is room.
    fn send(policy: Policy, tat: &mut u64, now: u64) -> bool {
        let admitted = policy.room(*tat, now) > 0;
        if admitted {
            *tat = policy.after(*tat, now, 1);
        }
        admitted
    }

    #[test]
    fn the_quota_goes_at_once_and_comes_back_one_by_one() {
        let (policy, mut tat, now) = (ten(), 0, 1_000 * SECOND);
        assert_eq!(policy.room(tat, now), 10);
        assert!((0..10).all(|_| send(policy, &mut tat, now)));
        assert!(!send(policy, &mut tat, now));
        assert_eq!(policy.until_more(tat, now), Duration::from_secs(1));
        assert!(!send(policy, &mut tat, now + SECOND - 1), "a microsecond early");
        assert_eq!(policy.until_more(tat, now + SECOND - 1), Duration::from_micros(1));
        assert!(send(policy, &mut tat, now + SECOND));
        assert!(!send(policy, &mut tat, now + SECOND));
        assert_eq!(policy.room(tat, now + 6 * SECOND), 5);
        assert_eq!(policy.room(tat, now + 60 * SECOND), 10, "never more than the quota");
    }

    #[test]
    fn refusals_cost_nothing() {
        let (policy, mut tat, now) = (ten(), 0, SECOND);
        (0..10).for_each(|_| assert!(send(policy, &mut tat, now)));
        (0..1_000).for_each(|_| assert!(!send(policy, &mut tat, now)));
        assert!(send(policy, &mut tat, now + SECOND), "hammering does not lock out");
    }

    #[test]
    fn who_keeps_to_the_quota_is_never_refused() {
        for quota in [1, 3, 7, 10, 999] {
            let window = 10 * SECOND;
            let policy = Policy::new(quota, Duration::from_micros(window));
            let mut tat = 0;
            // The worst that keeps to it: all at once, once a window, for a thousand windows.
            for turn in 1..=1_000 {
                for n in 0..quota {
                    assert!(send(policy, &mut tat, turn * window), "request {n} of window {turn}, {quota} a window");
                }
            }
        }
    }

    #[test]
    fn nobody_gets_more_than_the_bound() {
        let (policy, mut tat, start) = (Policy::new(7, Duration::from_secs(10)), 0, SECOND);
        let mut admitted = 0;
        for step in 0..100_000 {
            let passed = step * SECOND / 1_000;
            admitted += u64::from(send(policy, &mut tat, start + passed));
            assert!(admitted <= 7 + passed / policy.interval(), "{admitted} after {passed} microseconds");
        }
        assert_eq!(admitted, 7 + 99_999 * 1_000 / policy.interval(), "and all of that");
    }

    #[test]
    fn absurd_policies_are_bounded() {
        let policy = Policy::new(0, Duration::ZERO);
        assert_eq!((policy.quota(), policy.interval()), (1, 1));
        assert_eq!(policy.room(u64::MAX / 2, 5), 0);
    }
}
