//! How many of a database's connections a pod may have.

use crate::crd::{Budget, BudgetMode, Tuning};

/// A Deployment makes one pod more than it is to have while it replaces them.
const SURGE: i32 = 1;
/// One old pod may still be ending: Deployments and autoscalers take away one at a time, and wait longer between two
/// than a pod takes to end.
const ENDING: i32 = 1;
/// The connection by which each pod asks whether the database answers.
const READINESS: i32 = 1;

const CONNECTIONS: i32 = 100;
const RESERVED: i32 = 5;
const MIN_PER_POD: i32 = 2;

/// A database's connections, divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Those there are for pools, all pods together.
    pub available: i32,
    /// The most pods there can be at once.
    pub worst_case_pods: i32,
    /// The fewest that a pod gets.
    pub min_per_pod: i32,
    /// The most that a pod can get.
    pub per_pod_cap: i32,
    /// What a pod begins with, before it has read its tuning file.
    pub boot: i32,
    /// Whether the share of pods that are not there may be lent.
    pub elastic: bool,
}

/// There are not enough connections.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "database.budget.connections is {connections}; {worst_case_pods} pods (the most replicas and {} more while they are \
     replaced) with {min_per_pod} connections each, one more each for readiness, and {reserved} reserved need {needed}: \
     raise it, or lower replicas, maxReplicas or minPerPod",
    SURGE + ENDING
)]
pub struct TooSmall {
    connections: i32,
    reserved: i32,
    worst_case_pods: i32,
    min_per_pod: i32,
    needed: i64,
}

impl Connections {
    /// Divides a budget among the most pods there can be.
    ///
    /// # Errors
    ///
    /// When not each of them can have the fewest.
    pub fn divide(budget: &Budget, tuning: &Tuning, most_replicas: i32) -> Result<Self, TooSmall> {
        let connections = budget.connections.unwrap_or(CONNECTIONS);
        let reserved = budget.reserved.unwrap_or(RESERVED);
        let min_per_pod = tuning.min_pool_per_pod.or(budget.min_per_pod).unwrap_or(MIN_PER_POD);
        let worst_case_pods = most_replicas.saturating_add(SURGE + ENDING);
        let needed = i64::from(min_per_pod + READINESS) * i64::from(worst_case_pods) + i64::from(reserved);
        if needed > i64::from(connections) {
            return Err(TooSmall { connections, reserved, worst_case_pods, min_per_pod, needed });
        }
        let available = connections - reserved - READINESS * worst_case_pods;
        let elastic = tuning.budget_mode.unwrap_or_default() == BudgetMode::Elastic;
        let share = available / worst_case_pods;
        let ceiling = tuning.max_pool_per_pod.unwrap_or(i32::MAX);
        let boot = if elastic { (share / 2).max(min_per_pod) } else { share }.min(ceiling);
        let per_pod_cap = if elastic { available } else { share }.min(ceiling);
        Ok(Self { available, worst_case_pods, min_per_pod, per_pod_cap, boot, elastic })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(connections: i32) -> Budget {
        Budget { connections: Some(connections), ..Budget::default() }
    }

    #[test]
    fn everybody_at_the_worst_moment_is_within() {
        for (connections, replicas) in [(100, 2), (100, 10), (41, 10), (1000, 3)] {
            let got = Connections::divide(&budget(connections), &Tuning::default(), replicas).unwrap();
            assert!(got.per_pod_cap >= got.min_per_pod, "{got:?}");
            assert!((got.per_pod_cap + READINESS) * (replicas + 2) + RESERVED <= connections, "{got:?}");
        }
    }

    #[test]
    fn too_few_are_refused_with_what_would_do() {
        let refused = Connections::divide(&budget(40), &Tuning::default(), 10).unwrap_err().to_string();
        assert!(refused.contains("need 41"), "{refused}");
        assert!(refused.contains("lower replicas"), "{refused}");
        let huge = Connections::divide(&budget(100), &Tuning::default(), i32::MAX);
        assert!(huge.is_err());
    }

    #[test]
    fn lending_begins_with_half() {
        let tuning = Tuning { budget_mode: Some(BudgetMode::Elastic), ..Tuning::default() };
        let got = Connections::divide(&budget(100), &tuning, 2).unwrap();
        assert_eq!((got.available, got.boot, got.per_pod_cap), (91, 11, 91));
    }
}
