//! How many connections there are to give, and to how many pods at worst.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// How many pods may hold connections at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// The most replicas: the autoscaler's maximum, or the fixed number.
    pub max_replicas: u32,
    /// Pods that a rollout may start beyond them.
    pub surge: u32,
    /// Pods that were told to end and may not yet have: a Deployment does not wait for them before it starts others.
    pub terminating: u32,
}

impl Fleet {
    /// The pods to reckon with, whatever autoscaler and rollout do.
    #[must_use]
    pub fn worst_case(self) -> u32 {
        self.max_replicas.saturating_add(self.surge).saturating_add(self.terminating).max(1)
    }
}

/// A Deployment's `maxSurge` for so many replicas, percentages rounded up as Kubernetes does; its default is 25 %.
/// `None` when it is neither a number nor a percentage.
#[must_use]
pub fn surge(of: Option<&IntOrString>, replicas: u32) -> Option<u32> {
    let percent = |percent: u64| u32::try_from((u64::from(replicas) * percent).div_ceil(100)).ok();
    match of {
        None => percent(25),
        Some(IntOrString::Int(pods)) => u32::try_from(*pods).ok(),
        Some(IntOrString::String(text)) => percent(text.strip_suffix('%')?.parse().ok()?),
    }
}

/// The connections that each of so many pods may always have, with nobody watching. 0 when there are fewer
/// connections than pods.
#[must_use]
pub fn per_pod_cap(budget: u32, worst_case_pods: u32) -> u32 {
    budget / worst_case_pods.max(1)
}

/// The connections of a pod that nobody has granted more yet: half of its worst-case part, so that the other half can
/// be given to those that are there. `None` when there are fewer connections than pods.
#[must_use]
pub fn boot(budget: u32, worst_case_pods: u32) -> Option<u32> {
    match per_pod_cap(budget, worst_case_pods) {
        0 => None,
        part => Some((part / 2).max(1)),
    }
}

/// The replicas an autoscaler may be allowed, so that each pod, those beyond the replicas included, has the least
/// it needs. 0 when the budget is too small for one.
#[must_use]
pub fn replicas_cap(budget: u32, min_per_pod: u32, surge: u32, terminating: u32) -> u32 {
    (budget / min_per_pod.max(1)).saturating_sub(surge).saturating_sub(terminating)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_case_counts_everybody() {
        assert_eq!(Fleet { max_replicas: 6, surge: 2, terminating: 3 }.worst_case(), 11);
        assert_eq!(Fleet { max_replicas: 0, surge: 0, terminating: 0 }.worst_case(), 1);
    }

    #[test]
    fn a_surge_is_a_number_or_a_share_rounded_up() {
        let text = |it: &str| Some(IntOrString::String(it.to_owned()));
        for (of, replicas, expected) in [
            (None, 4, Some(1)),
            (None, 5, Some(2)),
            (Some(IntOrString::Int(3)), 5, Some(3)),
            (Some(IntOrString::Int(-3)), 5, None),
            (text("100%"), 5, Some(5)),
            (text("1%"), 1, Some(1)),
            (text("0%"), 9, Some(0)),
            (text("3"), 9, None),
        ] {
            assert_eq!(surge(of.as_ref(), replicas), expected, "{of:?} of {replicas}");
        }
    }

    #[test]
    fn nobody_is_promised_what_is_not_there() {
        for budget in 0..200 {
            for pods in 1..40 {
                assert!(per_pod_cap(budget, pods) * pods <= budget);
                assert_eq!(boot(budget, pods).is_none(), budget < pods);
                assert!(boot(budget, pods).unwrap_or_default() * pods <= budget);
            }
        }
        assert_eq!(boot(95, 10), Some(4));
    }

    #[test]
    fn the_autoscaler_leaves_every_pod_its_least() {
        let cap = replicas_cap(95, 2, 3, 1);
        assert_eq!(cap, 43);
        assert!(Fleet { max_replicas: cap, surge: 3, terminating: 1 }.worst_case() * 2 <= 95);
        assert_eq!(replicas_cap(5, 2, 3, 0), 0);
    }
}
