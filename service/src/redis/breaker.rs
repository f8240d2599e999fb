//! A circuit breaker: after several failures in a row nobody is asked for a while, then one call finds
//! out whether it is worth asking again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a breaker does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Lets all through.
    Closed,
    /// Lets none through, for a while.
    Open,
    /// Lets one through, to find out.
    HalfOpen,
}

/// Counts failures in a row, and stops calls when there were too many.
///
/// The pause doubles from try to try up to its limit. A call from before the breaker opened says nothing
/// about the time since, so its end is ignored.
#[derive(Debug)]
pub struct Breaker {
    failures_allowed: u32,
    pauses: (Duration, Duration),
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    failures: u32,
    /// Set while open: until when, and how long that pause was.
    pause: Option<(Instant, Duration)>,
    probing: bool,
    /// Counts openings and closings.
    era: u64,
}

impl Default for Breaker {
    /// Opens at the fifth failure in a row, for one second at first and ten at most.
    fn default() -> Self {
        Self::new(5, Duration::from_secs(1), Duration::from_secs(10))
    }
}

impl Breaker {
    /// Opens at the `failures`th failure in a row, for `first` at first and for `longest` at most.
    pub fn new(failures: u32, first: Duration, longest: Duration) -> Self {
        Self { failures_allowed: failures, pauses: (first, longest), inner: Mutex::default() }
    }

    /// Leave to call at `now`; `None` while open, and while somebody else finds out.
    pub fn permit(&self, now: Instant) -> Option<Permit<'_>> {
        let mut inner = self.lock();
        if let Some((until, _)) = inner.pause {
            if now < until || inner.probing {
                return None;
            }
            inner.probing = true;
        }
        Some(Permit { breaker: self, era: inner.era, ended: false })
    }

    /// What it does with calls at `now`.
    pub fn state(&self, now: Instant) -> State {
        match self.lock().pause {
            None => State::Closed,
            Some((until, _)) if now < until => State::Open,
            Some(_) => State::HalfOpen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one call. Dropping it without a word counts as a call that was given up, which says
/// nothing, but lets the next one find out.
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    era: u64,
    ended: bool,
}

impl Permit<'_> {
    /// The call ended at `now`, and `worked` or did not.
    pub fn done(mut self, worked: bool, now: Instant) {
        self.ended = true;
        let mut inner = self.breaker.lock();
        if inner.era != self.era {
            return;
        }
        inner.probing = false;
        if worked {
            inner.era += u64::from(inner.pause.is_some());
            (inner.failures, inner.pause) = (0, None);
            return;
        }
        inner.failures = inner.failures.saturating_add(1);
        let (first, longest) = self.breaker.pauses;
        let pause = match inner.pause {
            Some((_, last)) => Some(last.saturating_mul(2).min(longest)),
            None => (inner.failures >= self.breaker.failures_allowed).then_some(first),
        };
        if let Some(pause) = pause {
            inner.pause = Some((now + pause, pause));
            inner.era += 1;
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let mut inner = self.breaker.lock();
            if inner.era == self.era {
                inner.probing = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(breaker: &Breaker, now: Instant) {
        breaker.permit(now).unwrap().done(false, now);
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let (breaker, now) = (Breaker::new(3, SECOND, 4 * SECOND), Instant::now());
        for _ in 0..10 {
            fail(&breaker, now);
            fail(&breaker, now);
            breaker.permit(now).unwrap().done(true, now);
        }
        assert_eq!(breaker.state(now), State::Closed);
        (0..3).for_each(|_| fail(&breaker, now));
        assert_eq!(breaker.state(now), State::Open);
        assert!(breaker.permit(now + SECOND - Duration::from_millis(1)).is_none());
    }

    #[test]
    fn one_call_finds_out_and_pauses_double_to_their_limit() {
        let (breaker, mut now) = (Breaker::new(1, SECOND, 4 * SECOND), Instant::now());
        fail(&breaker, now);
        for pause in [1, 2, 4, 4] {
            assert!(breaker.permit(now + pause * SECOND - Duration::from_millis(1)).is_none());
            now += pause * SECOND;
            let probe = breaker.permit(now).unwrap();
            assert!(breaker.permit(now).is_none(), "only one at a time");
            probe.done(false, now);
        }
        now += 4 * SECOND;
        breaker.permit(now).unwrap().done(true, now);
        assert_eq!(breaker.state(now), State::Closed);
        fail(&breaker, now);
        assert!(breaker.permit(now + SECOND).is_some(), "the first pause again");
    }

    #[test]
    fn a_straggler_neither_closes_nor_reopens() {
        let (breaker, now) = (Breaker::new(1, SECOND, 4 * SECOND), Instant::now());
        let (late_success, late_failure) = (breaker.permit(now).unwrap(), breaker.permit(now).unwrap());
        fail(&breaker, now);
        late_success.done(true, now);
        assert_eq!(breaker.state(now), State::Open);
        let probe = breaker.permit(now + SECOND).unwrap();
        late_failure.done(false, now + SECOND);
        probe.done(true, now + SECOND);
        assert_eq!(breaker.state(now + SECOND), State::Closed);
    }

    #[test]
    fn a_probe_that_is_given_up_lets_the_next_one_through() {
        let (breaker, now) = (Breaker::new(1, SECOND, 4 * SECOND), Instant::now());
        fail(&breaker, now);
        drop(breaker.permit(now + SECOND).unwrap());
        assert!(breaker.permit(now + SECOND).is_some());
    }
}
