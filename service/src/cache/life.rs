//! How long an entry lives, and how it stands on the way.

use std::sync::atomic::Ordering;
use std::time::Duration;

use farmlokal_catalog::Timestamp;

use super::entry::{Answer, Entry, lifetime};
use super::{Cache, Failure};

/// From which part of its life on an answer is computed anew in the background.
const SOFT: f64 = 0.8;
/// For how long the database is believed to be away, once it was.
const OUTAGE: Duration = Duration::from_secs(1);

/// How an entry stands at some time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    /// Fresh, and to be computed anew.
    Soft,
    /// Only to be given while the database is away.
    Stale,
    Gone,
}

impl<E: Failure> Cache<E> {
    pub(super) fn freshness(&self, entry: &Entry, now: Timestamp) -> Freshness {
        let age = entry.age(now);
        // What is not there is known for a short time, and is not worth being known for longer.
        let negative = entry.answer == Answer::Absent;
        if age >= entry.fresh {
            let bound = entry.fresh + self.settings.stale_if_error;
            if negative || age >= bound { Freshness::Gone } else { Freshness::Stale }
        } else if !negative && age >= entry.fresh.mul_f64(SOFT) {
            Freshness::Soft
        } else {
            Freshness::Fresh
        }
    }

    pub(super) fn is_fresh(&self, entry: &Entry) -> bool {
        matches!(self.freshness(entry, (self.clock)()), Freshness::Fresh | Freshness::Soft)
    }

    pub(super) fn note_outage(&self) {
        let until = (self.clock)().micros() + OUTAGE.as_micros() as i64;
        self.outage_until.store(until, Ordering::Relaxed);
    }

    pub(super) fn is_outage(&self) -> bool {
        (self.clock)().micros() < self.outage_until.load(Ordering::Relaxed)
    }

    pub(super) fn entry(&self, question: Box<[u8]>, answer: Answer, created: Timestamp) -> Entry {
        let base = if answer == Answer::Absent { self.settings.negative_ttl } else { self.settings.ttl };
        let fresh = lifetime(base, &question, created);
        Entry { question, created, fresh, answer }
    }
}
