//! What one replica knows of one client in one class.

use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::gcra::Policy;

/// A decision, and what the client may know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request goes through.
    pub admitted: bool,
    /// Requests that may follow at once.
    pub remaining: u64,
    /// When there will be one more.
    pub more_in: Duration,
}

/// What came of asking Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// Requests that are this replica's to admit.
    pub(super) granted: u32,
    /// How far ahead of now the client's TAT is by now, in microseconds.
    pub(super) ahead: u64,
}

/// A client's account.
#[derive(Debug, Default)]
pub(super) struct Account {
    standing: Mutex<Standing>,
    /// Held by the one who asks Redis.
    pub(super) asking: tokio::sync::Mutex<()>,
    /// Requests that wait for what it says.
    pub(super) waiting: AtomicU32,
}

#[derive(Debug, Default)]
struct Standing {
    /// What all replicas together have counted, as last heard of: never ahead of the truth.
    tat: u64,
    /// Requests taken from the shared quota and not yet admitted.
    prepaid: u32,
}

impl Account {
    /// Decides by what is known here; `None` if that takes Redis. `alone`: there is no Redis.
    pub(super) fn decide(&self, policy: Policy, now: u64, alone: bool) -> Option<Verdict> {
        let mut standing = self.standing();
        let room = policy.room(standing.tat, now);
        let admitted = if standing.prepaid > 0 {
            standing.prepaid -= 1;
            true
        } else if room == 0 {
            // The others can only have counted more.
            false
        } else if alone {
            standing.tat = policy.after(standing.tat, now, 1);
            true
        } else {
            return None;
        };
        Some(standing.verdict(policy, now, admitted))
    }

    /// Takes in what Redis said at `now` or later, and decides by it.
    pub(super) fn settle(&self, policy: Policy, now: u64, grant: Grant) -> Verdict {
        let mut standing = self.standing();
        standing.tat = standing.tat.max(now + grant.ahead);
        standing.prepaid = standing.prepaid.saturating_add(grant.granted);
        let admitted = standing.prepaid > 0;
        standing.prepaid -= u32::from(admitted);
        standing.verdict(policy, now, admitted)
    }

    /// How far ahead of `now` the TAT is, as known here.
    pub(super) fn ahead(&self, now: u64) -> u64 {
        self.standing().tat.saturating_sub(now)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn verdict(&self, policy: Policy, now: u64, admitted: bool) -> Verdict {
        let remaining = policy.room(self.tat, now) + u64::from(self.prepaid);
        Verdict { admitted, remaining, more_in: policy.until_more(self.tat, now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000;
    const SECOND: u64 = 1_000_000;

    fn ten() -> Policy {
        Policy::new(10, Duration::from_secs(10))
    }

    #[test]
    fn alone_it_counts_by_itself() {
        let account = Account::default();
        for left in (0..10).rev() {
            let verdict = account.decide(ten(), NOW, true).unwrap();
            assert_eq!((verdict.admitted, verdict.remaining), (true, left));
        }
        let verdict = account.decide(ten(), NOW, true).unwrap();
        assert_eq!(verdict, Verdict { admitted: false, remaining: 0, more_in: Duration::from_secs(1) });
    }

    #[test]
    fn what_is_prepaid_is_spent_without_asking() {
        let account = Account::default();
        assert_eq!(account.decide(ten(), NOW, false), None);
        let verdict = account.settle(ten(), NOW, Grant { granted: 3, ahead: 5 * SECOND });
        assert_eq!((verdict.admitted, verdict.remaining), (true, 7), "five in the shared quota, two of ours");
        assert!(account.decide(ten(), NOW, false).unwrap().admitted);
        assert!(account.decide(ten(), NOW, false).unwrap().admitted);
        assert_eq!(account.decide(ten(), NOW, false), None, "nothing left: ask");
    }

    #[test]
    fn a_quota_that_others_used_up_is_refused_without_asking() {
        let account = Account::default();
        assert!(!account.settle(ten(), NOW, Grant { granted: 0, ahead: 10 * SECOND }).admitted);
        let refused = account.decide(ten(), NOW + SECOND / 2, false).unwrap();
        assert_eq!((refused.admitted, refused.more_in), (false, Duration::from_millis(500)));
        assert_eq!(account.decide(ten(), NOW + SECOND, false), None, "there may be room now");
    }

    #[test]
    fn without_redis_it_goes_on_from_what_was_shared() {
        let account = Account::default();
        assert!(account.settle(ten(), NOW, Grant { granted: 1, ahead: 8 * SECOND }).admitted);
        let admitted = (0..10).filter(|_| account.decide(ten(), NOW, true).unwrap().admitted).count();
        assert_eq!(admitted, 2, "not a fresh quota");
        assert_eq!(account.ahead(NOW), 10 * SECOND, "and Redis will hear of it");
    }

    #[test]
    fn an_older_answer_does_not_undo_a_newer_one() {
        let account = Account::default();
        account.settle(ten(), NOW, Grant { granted: 1, ahead: 9 * SECOND });
        account.settle(ten(), NOW, Grant { granted: 1, ahead: 4 * SECOND });
        assert_eq!(account.ahead(NOW), 9 * SECOND);
    }
}
