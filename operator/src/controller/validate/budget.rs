//! How many of a database's connections a pod may have.

use crate::crd::{Budget, BudgetMode, Tuning};
use crate::tune::budget::{Fleet, boot, per_pod_cap};
use crate::tune::grant::Elastic;

/// A Deployment makes one pod more than it is to have while it replaces them.
const SURGE: u32 = 1;
/// One old pod may still be ending: Deployments and autoscalers take away one at a time, and wait longer between two
/// than a pod takes to end.
const ENDING: u32 = 1;
/// The connection by which each pod asks whether the database answers.
const READINESS: u32 = 1;

const CONNECTIONS: u32 = 100;
const RESERVED: u32 = 5;
const MIN_PER_POD: u32 = 2;

/// A database's connections, divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Those the server has for this catalogue.
    pub total: u32,
    /// Those there are for pools, all pods together.
    pub available: u32,
    /// The most pods there can be at once.
    pub worst_case_pods: u32,
    /// The fewest that a pod gets.
    pub min_per_pod: u32,
    /// The most that a pod can get.
    pub per_pod_cap: u32,
    /// What a pod has while nobody has told it otherwise.
    pub boot: u32,
    /// Whether the share of pods that are not there may be lent.
    pub is_elastic: bool,
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
    connections: u32,
    reserved: u32,
    worst_case_pods: u32,
    min_per_pod: u32,
    needed: u64,
}

impl Connections {
    /// Divides a budget among the most pods there can be.
    ///
    /// # Errors
    ///
    /// When not each of them can have the fewest.
    pub fn divide(budget: &Budget, tuning: &Tuning, max_replicas: u32) -> Result<Self, TooSmall> {
        let given = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
        let connections = given(budget.connections).unwrap_or(CONNECTIONS);
        let reserved = given(budget.reserved).unwrap_or(RESERVED);
        let min_per_pod = given(tuning.min_pool_per_pod).or(given(budget.min_per_pod)).unwrap_or(MIN_PER_POD);
        let worst_case_pods = Fleet { max_replicas, surge: SURGE, terminating: ENDING }.worst_case();
        let needed = u64::from(min_per_pod + READINESS) * u64::from(worst_case_pods) + u64::from(reserved);
        if needed > u64::from(connections) {
            return Err(TooSmall { connections, reserved, worst_case_pods, min_per_pod, needed });
        }
        let available = connections - reserved - READINESS * worst_case_pods;
        let is_elastic = tuning.budget_mode.unwrap_or_default() == BudgetMode::Elastic;
        let share = per_pod_cap(available, worst_case_pods);
        let half = boot(available, worst_case_pods).unwrap_or(share);
        let ceiling = given(tuning.max_pool_per_pod).unwrap_or(u32::MAX);
        Ok(Self {
            total: connections,
            available,
            worst_case_pods,
            min_per_pod,
            per_pod_cap: if is_elastic { available } else { share }.min(ceiling),
            boot: if is_elastic { half } else { share }.min(ceiling),
            is_elastic,
        })
    }

    /// What there is to lend, if it may be lent.
    #[must_use]
    pub fn elastic(&self) -> Option<Elastic> {
        let Self { available: budget, worst_case_pods, boot, is_elastic, .. } = *self;
        is_elastic.then_some(Elastic { budget, worst_case_pods, boot })
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
            assert!(
                (got.per_pod_cap + READINESS) * (replicas + 2) + RESERVED <= u32::try_from(connections).unwrap(),
                "{got:?}"
            );
        }
    }

    #[test]
    fn too_few_are_refused_with_what_would_do() {
        let refused = Connections::divide(&budget(40), &Tuning::default(), 10).unwrap_err().to_string();
        assert!(refused.contains("need 41"), "{refused}");
        assert!(refused.contains("lower replicas"), "{refused}");
        let huge = Connections::divide(&budget(100), &Tuning::default(), u32::MAX);
        assert!(huge.is_err());
    }

    #[test]
    fn lending_begins_with_half() {
        let tuning = Tuning { budget_mode: Some(BudgetMode::Elastic), ..Tuning::default() };
        let got = Connections::divide(&budget(100), &tuning, 2).unwrap();
        assert_eq!((got.available, got.boot, got.per_pod_cap), (91, 11, 91));
    }
}
