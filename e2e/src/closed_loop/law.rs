//! The laws that are compared, and one turn of each: from what the pods say to the file they follow.

use std::time::Duration;

use farmlokal_operator::controller::build::tuning::{Memory as Kept, Published, grant};
use farmlokal_operator::controller::tuner::{Fleet, Memory};
use farmlokal_operator::controller::validate::Tuning;
use farmlokal_operator::controller::validate::budget::Connections;
use farmlokal_operator::crd::TuningMode;
use farmlokal_operator::tune::{Observation, Reason, State};
use farmlokal_telemetry::tuning::Tuning as File;
use tokio::time::Instant;

/// The wait at the 95th percentile that is short enough; the operator's default.
const TARGET: Duration = Duration::from_millis(20);

/// How a size is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// The operator's.
    Ours,
    /// So many connections of all pods, whatever happens.
    Fixed(u32),
    /// One more a pod while callers wait, one fewer while most are idle.
    GrowOnWait,
}

/// A law at work.
#[derive(Debug)]
pub struct Controller {
    law: Law,
    pods: u32,
    connections: Connections,
    memory: Memory,
    published: Published,
}

/// What a window came to.
#[derive(Debug)]
pub struct Step {
    /// What was measured.
    pub seen: Observation,
    /// Why ours did what it did; of no meaning for others.
    pub reason: Reason,
    /// The file to follow.
    pub file: File,
    /// Whether it is another one than before.
    pub is_new: bool,
}

impl Controller {
    /// Begins with `pool_max` connections for each of `pods`, or with those of a fixed size, in a file younger than the
    /// `generation`.
    #[must_use]
    pub fn new(law: Law, pods: u32, pool_max: u32, connections: Connections, generation: u64) -> Self {
        let pool_max = match law {
            Law::Fixed(size) => size.div_ceil(pods.max(1)),
            Law::Ours | Law::GrowOnWait => pool_max,
        };
        let before = Published {
            file: File { generation, pool_max: 1, boot: None, pods: None },
            memory: Kept { state: State::new(pods, pool_max), ..Kept::default() },
        };
        let mut published = grant(Some(before), pool_max, &connections);
        // Even if it says the same: whoever has applied it follows this law, and not the one before.
        published.file.generation = generation + 1;
        Self { law, pods, connections, memory: Memory::default(), published }
    }

    /// The file to follow.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.published.file
    }

    /// Connections the pods may have at the most, by the budget.
    #[must_use]
    pub fn most(&self) -> u32 {
        let Connections { available, worst_case_pods, boot, per_pod_cap, is_elastic, .. } = self.connections;
        if is_elastic { available - boot * (worst_case_pods - self.pods) } else { per_pod_cap * self.pods }
    }

    /// One window, which ends `now`.
    pub fn turn(&mut self, fleet: &Fleet, now: Instant) -> Step {
        let mode = if self.law == Law::Ours { TuningMode::Auto } else { TuningMode::Observe };
        let tuning = Tuning { mode, interval: Duration::ZERO, wait_target: TARGET };
        let turned = self.memory.turn(fleet, &self.published, &self.connections, tuning, now);
        let before = self.published.file.clone();
        self.published = match self.law {
            Law::Ours | Law::Fixed(_) => turned.published,
            Law::GrowOnWait => {
                let to = grow_on_wait(before.pool_max, self.pods, &turned.seen).max(self.connections.min_per_pod);
                grant(Some(turned.published), to, &self.connections)
            }
        };
        let file = self.published.file.clone();
        Step { seen: turned.seen, reason: turned.decision.reason, is_new: file != before, file }
    }
}

/// What an autoscaler of pools does.
fn grow_on_wait(pool_max: u32, pods: u32, seen: &Observation) -> u32 {
    if seen.reporting == 0 {
        pool_max
    } else if seen.wait_p95 > TARGET.as_secs_f64() {
        pool_max + 1
    } else if seen.in_use < 0.4 * f64::from(pool_max * pods) {
        pool_max.saturating_sub(1)
    } else {
        pool_max
    }
}
