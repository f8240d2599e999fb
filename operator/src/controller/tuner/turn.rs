//! What a window comes to: from what the pods say to what they are told, without a client and without a clock.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::controller::build::tuning::{Published, grant};
use crate::controller::validate::Tuning;
use crate::controller::validate::budget::Connections;
use crate::crd::TuningMode;
use crate::tune::grant::Confirmed;
use crate::tune::{Decision, Mode, Observation, Pod, Sample, Settings, State, decide};

/// The pods at a window's end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet {
    /// Whether pods are coming or going.
    pub scaling: bool,
    /// The UIDs of all pods there are, those that are ending included.
    pub existing: Vec<String>,
    /// Pods that are ready.
    pub ready: u32,
    /// What those of them that answered say, by UID.
    pub samples: Vec<(String, Sample)>,
}

/// What is known from the windows before.
#[derive(Debug, Default)]
pub struct Memory {
    samples: BTreeMap<String, (Sample, Instant)>,
    state: Option<State>,
}

/// What a window came to.
#[derive(Debug)]
pub struct Turned {
    /// What was measured.
    pub seen: Observation,
    /// What was decided.
    pub decision: Decision,
    /// What is to be published; the file that is there where nothing changes.
    pub published: Published,
}

impl Memory {
    /// Judges the window that ends `now`, while `there` is what is published.
    pub fn turn(
        &mut self,
        fleet: &Fleet,
        there: &Published,
        connections: &Connections,
        tuning: Tuning,
        now: Instant,
    ) -> Turned {
        let seen = self.observe(fleet, there, now);
        let state = remembered(self.state.take(), there, fleet);
        let (decision, next) = decide(&state, &seen, &settings(connections, tuning));
        let published = match tuning.mode {
            TuningMode::Auto => publish(there.clone(), fleet, &next, connections),
            TuningMode::Off | TuningMode::Observe => there.clone(),
        };
        self.state = Some(granted(next, published.file.pool_max, fleet));
        Turned { seen, decision, published }
    }

    /// Forgets what was decided last, since it could not be published: what is published counts.
    pub fn forget(&mut self) {
        self.state = None;
    }

    /// What happened since the window before.
    fn observe(&mut self, fleet: &Fleet, there: &Published, now: Instant) -> Observation {
        let pod = |(uid, sample): &(String, Sample)| Pod {
            uid: uid.clone(),
            now: sample.clone(),
            before: self.samples.get(uid).map(|(before, at)| (before.clone(), (now - *at).as_secs_f64())),
        };
        let pods: Vec<_> = fleet.samples.iter().map(pod).collect();
        self.samples = fleet.samples.iter().map(|(uid, sample)| (uid.clone(), (sample.clone(), now))).collect();
        Observation::of(fleet.ready, fleet.scaling, Some(&there.file), &pods)
    }
}

/// What was decided, if it is another size, or others may have it.
fn publish(mut there: Published, fleet: &Fleet, next: &State, connections: &Connections) -> Published {
    for (uid, sample) in &fleet.samples {
        let said = Confirmed { generation: sample.generation, connections: sample.applied };
        there.memory.ledger.confirm(uid, said);
    }
    there.memory.ledger.retain(|uid| fleet.existing.iter().any(|existing| existing == uid));
    let before = there.file.clone();
    let mut new = grant(Some(there), next.pool_max, connections);
    if new.file != before {
        new.memory.state = next.clone();
    }
    new
}

/// What is remembered, if it still is about the file that is there.
fn remembered(kept: Option<State>, there: &Published, fleet: &Fleet) -> State {
    let state = kept.unwrap_or_else(|| there.memory.state.clone());
    // A size of 0: nothing has been decided yet.
    if state.pool_max == 0 || state.pool_max == there.file.pool_max {
        return state;
    }
    State::new(fleet.ready, there.file.pool_max)
}

/// What is remembered when another size was published than was decided on.
fn granted(next: State, pool_max: u32, fleet: &Fleet) -> State {
    if pool_max == next.pool_max {
        return next;
    }
    State { pool_max, connections: pool_max.saturating_mul(fleet.ready), ..next }
}

fn settings(connections: &Connections, tuning: Tuning) -> Settings {
    Settings {
        mode: match tuning.mode {
            TuningMode::Off => Mode::Off,
            TuningMode::Observe => Mode::Observe,
            TuningMode::Auto => Mode::Auto,
        },
        wait_target: tuning.wait_target.as_secs_f64(),
        // Where shares are lent, a pod has at least what it begins with.
        min_per_pod: if connections.is_elastic { connections.boot } else { connections.min_per_pod },
        max_per_pod: connections.per_pod_cap,
    }
}
