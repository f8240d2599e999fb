//! The law: what one window's observation makes of the pools.

use std::cmp::Ordering;

use super::climb::{climb, slope};
use super::decision::{Action, Decision, Reason};
use super::observation::Observation;
use super::state::{Mode, Settings, State};

/// A pod's connections before anything is known: with two pods what the formula of twice the cores and one for the
/// disk has for a database of eight cores.
const START: u32 = 8;
/// Windows without a decision after a pod came or went: its cache and its connections are still filling.
const FREEZE: u32 = 2;
/// The share of ready pods that must have been scraped: one of many may be late, a blind tuner may not act.
const LEAST_COVERAGE: f64 = 0.8;
/// What is left after the database refused connections: the multiplicative part of AIMD.
const BACK_OFF: f64 = 0.7;
/// Windows without growth after that: whoever took the connections keeps them for a while.
const COOLDOWN: u32 = 5;

/// Connections of all pods to go to, `None` to stay, and why.
pub(super) type Step = (Option<u32>, Reason);

/// Decides on one window. The state returned is to be kept; where its `pool_max` differs from the old one's, that is
/// to be published, and observations are `confirmed` again once every pod has applied it.
///
/// Whatever it is told: a pod's connections are within the settings, and no step is taken before the last one is
/// confirmed, but for those that a refusal or a new bound demands.
#[must_use]
pub fn decide(state: &State, seen: &Observation, settings: &Settings) -> (Decision, State) {
    let mut next = state.clone();
    if next.connections == 0 {
        next.connections = next.pool_max.saturating_mul(seen.pods);
    }
    let (to, reason) = weigh(&mut next, seen, settings);
    let pool_max = to.map_or(next.pool_max, |to| share(to, seen.pods, settings));
    let to = to.unwrap_or(next.connections);
    let action = match pool_max.cmp(&next.pool_max) {
        Ordering::Equal => Action::Hold,
        _ if reason == Reason::Pods => Action::Spread,
        Ordering::Greater => Action::Grow,
        Ordering::Less => Action::Shrink,
    };
    let elasticity = slope(&next, seen.pods).map(|it| it.elasticity);
    let decision = Decision { action, reason, from: next.connections, to, pool_max, elasticity };
    if settings.mode == Mode::Auto && action != Action::Hold {
        (next.connections, next.pool_max) = (to, pool_max);
    }
    (decision, next)
}

/// Why nothing can be judged, or what cannot wait for a judgement; else what the measurements say.
fn weigh(state: &mut State, seen: &Observation, settings: &Settings) -> Step {
    let size = state.pool_max.saturating_mul(seen.pods);
    state.cooldown = state.cooldown.saturating_sub(1);
    if settings.mode == Mode::Off {
        return (None, Reason::Off);
    }
    if state.pool_max == 0 {
        state.pods = seen.pods;
        return (Some(START.saturating_mul(seen.pods)), Reason::Start);
    }
    if state.pool_max != clamp(state.pool_max, settings) {
        return (Some(size), Reason::Bounds);
    }
    if seen.pods == 0 {
        return (None, Reason::NoPods);
    }
    if seen.refused > 0 && (seen.confirmed || state.cooldown == 0) {
        state.cooldown = COOLDOWN;
        return (Some((f64::from(size) * BACK_OFF) as u32), Reason::Refused);
    }
    if let Some(reason) = blind(state, seen) {
        return (None, reason);
    }
    if state.pool_max != share(state.connections, seen.pods, settings) {
        return (Some(state.connections), Reason::Pods);
    }
    climb(state, seen, settings)
}

/// Why this window says nothing of the size.
fn blind(state: &mut State, seen: &Observation) -> Option<Reason> {
    if seen.scaling || seen.pods != state.pods {
        (state.pods, state.frozen) = (seen.pods, FREEZE);
        return Some(Reason::Scaling);
    }
    if state.frozen > 0 {
        state.frozen -= 1;
        return Some(Reason::Scaling);
    }
    if !seen.confirmed {
        return Some(Reason::Unconfirmed);
    }
    let covered = f64::from(seen.reporting) >= LEAST_COVERAGE * f64::from(seen.pods);
    (!covered).then_some(Reason::StaleMetrics)
}

/// A pod's part of `connections`, as far as the settings allow.
pub(super) fn share(connections: u32, pods: u32, settings: &Settings) -> u32 {
    clamp(connections.checked_div(pods).unwrap_or(START), settings)
}

fn clamp(pool_max: u32, settings: &Settings) -> u32 {
    let least = settings.min_per_pod.max(1);
    pool_max.clamp(least, settings.max_per_pod.max(least))
}
