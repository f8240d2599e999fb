//! Elastic grants: giving pods that are there what pods that are not there do not need, and never more than there is.
//!
//! The tuning file names the pods that its `poolMax` is for; everybody else keeps to `boot`. So a pod that starts
//! while a file is on its way takes no more than was set aside for it. What a pod may hold meanwhile is not what was
//! published last: it may still follow any file published since it last confirmed one. A grant is therefore the
//! largest v with
//!
//! ```text
//! Σ named max(confirmed, every value published since, v) + boot · (worst case − named) <= budget
//! ```
//!
//! Leaving out either half, the names or the values in between, breaks the budget; the tests show both.

use std::collections::BTreeMap;

use farmlokal_telemetry::tuning::Tuning;
use serde::{Deserialize, Serialize};

/// What there is to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elastic {
    /// Connections of all pods together.
    pub budget: u32,
    /// The most pods there can be at once ([`Fleet::worst_case`](super::budget::Fleet::worst_case)).
    pub worst_case_pods: u32,
    /// Connections of a pod that is not named ([`boot`](super::budget::boot)).
    pub boot: u32,
}

/// What a pod said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The tuning file it had applied.
    pub generation: u64,
    /// Connections it held or could open, whichever was more.
    pub connections: u32,
}

/// What was promised to whom. It has to survive the operator: what it forgets, it gives away twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Files that some pod may still follow, the oldest first; the last one is the one that is published.
    published: Vec<Tuning>,
    /// The last confirmation of each pod.
    pods: BTreeMap<String, Confirmed>,
}

impl Ledger {
    /// Goes on from a file that was published by other rules.
    #[must_use]
    pub fn resumed(file: Tuning) -> Self {
        Self { published: vec![file], ..Self::default() }
    }

    /// Notes what the pod `uid` says. A pod that cannot be asked keeps what it said last.
    pub fn confirm(&mut self, uid: &str, said: Confirmed) {
        // A restarted container has applied nothing yet, but cannot get an older file than the one before it had.
        let generation = self.pods.get(uid).map_or(0, |it| it.generation).max(said.generation);
        self.pods.insert(uid.to_owned(), Confirmed { generation, ..said });
    }

    /// Forgets pods that are gone: not those that do not answer, those that do not exist any more.
    pub fn retain(&mut self, exists: impl Fn(&str) -> bool) {
        self.pods.retain(|uid, _| exists(uid));
    }

    /// The most that each pod that has confirmed something can be given now; `boot` at least.
    #[must_use]
    pub fn largest(&self, elastic: &Elastic) -> u32 {
        let held: Vec<u32> = self.pods.iter().map(|(uid, said)| self.may_hold(uid, said)).collect();
        let others = elastic.worst_case_pods.saturating_sub(u32::try_from(held.len()).unwrap_or(u32::MAX));
        let room = u64::from(elastic.budget).saturating_sub(u64::from(elastic.boot) * u64::from(others));
        let fits = |grant: &u32| held.iter().map(|&it| u64::from(it.max(*grant))).sum::<u64>() <= room;
        (elastic.boot..=elastic.budget).take_while(fits).last().unwrap_or(elastic.boot)
    }

    /// Publishes `wished` connections for each pod that has confirmed something, or the most that can be given, and
    /// returns the file; the one before if it says the same.
    pub fn grant(&mut self, wished: u32, elastic: &Elastic) -> Tuning {
        let last = self.published.last();
        let next = Tuning {
            generation: last.map_or(1, |it| it.generation + 1),
            // Nobody is named: it says what everybody has.
            pool_max: if self.pods.is_empty() {
                elastic.boot
            } else {
                wished.clamp(elastic.boot, self.largest(elastic))
            },
            boot: Some(elastic.boot),
            pods: Some(self.pods.keys().cloned().collect()),
        };
        if let Some(last) = last
            && (Tuning { generation: next.generation, ..last.clone() }) == next
        {
            return last.clone();
        }
        self.published.push(next.clone());
        self.settle();
        next
    }

    /// The most that a pod may hold before it confirms again.
    fn may_hold(&self, uid: &str, said: &Confirmed) -> u32 {
        let since = self.published.iter().filter(|it| it.generation > said.generation);
        since.map(|it| it.limit_of(Some(uid))).max().unwrap_or(0).max(said.connections)
    }

    /// Drops the files that nobody can follow any more.
    fn settle(&mut self) {
        let oldest = self.pods.values().map(|it| it.generation).min();
        let last = self.published.last().map_or(0, |it| it.generation);
        self.published.retain(|it| it.generation == last || oldest.is_some_and(|oldest| it.generation > oldest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELASTIC: Elastic = Elastic { budget: 100, worst_case_pods: 10, boot: 5 };

    fn ledger(pods: &[(&str, u64, u32)]) -> Ledger {
        let mut ledger = Ledger::default();
        for &(uid, generation, connections) in pods {
            ledger.confirm(uid, Confirmed { generation, connections });
        }
        ledger
    }

    #[test]
    fn pods_get_what_the_absent_leave() {
        let mut two = ledger(&[("a", 0, 5), ("b", 0, 5)]);
        let file = two.grant(1000, &ELASTIC);
        assert_eq!((file.generation, file.pool_max, file.boot), (1, 30, Some(5)));
        assert_eq!(file.pods, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(two.grant(1000, &ELASTIC), file, "nothing new to say");
        assert_eq!(two.grant(1, &ELASTIC).pool_max, 5);
    }

    #[test]
    fn what_was_promised_counts_until_it_is_taken_back_and_confirmed() {
        let mut ledger = ledger(&[("a", 0, 5), ("b", 0, 5)]);
        ledger.grant(30, &ELASTIC);
        ledger.confirm("c", Confirmed { generation: 1, connections: 5 });
        // a and b may hold 30 each, seven others 5: nothing is left for c.
        assert_eq!(ledger.grant(20, &ELASTIC).pool_max, 5);
        for pod in ["a", "b", "c"] {
            ledger.confirm(pod, Confirmed { generation: 2, connections: 5 });
        }
        assert_eq!(ledger.grant(20, &ELASTIC).pool_max, 20);
    }

    #[test]
    fn silence_is_no_absence() {
        let mut ledger = ledger(&[("a", 0, 5)]);
        ledger.grant(55, &ELASTIC);
        ledger.confirm("b", Confirmed { generation: 1, connections: 5 });
        assert_eq!(ledger.largest(&ELASTIC), 5);
        ledger.retain(|uid| uid != "a");
        assert_eq!(ledger.largest(&ELASTIC), 55);
    }

    #[test]
    fn only_files_that_somebody_may_follow_are_kept() {
        let mut ledger = ledger(&[("a", 0, 5)]);
        for wished in 6..50 {
            let file = ledger.grant(wished, &ELASTIC);
            ledger.confirm("a", Confirmed { generation: file.generation, connections: wished });
        }
        assert!(ledger.published.len() <= 2, "{ledger:?}");
        ledger.confirm("a", Confirmed { generation: 0, connections: 0 });
        assert_eq!(ledger.pods["a"].generation, 44);
        let kept = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&kept).unwrap(), ledger);
    }
}
