//! What the law promises, whatever it is told.

use farmlokal_operator::tune::{Action, Mode, Observation, Reason, Settings, State, decide};
use proptest::prelude::*;

/// Windows without growth after a refusal.
const COOLDOWN: usize = 5;

fn observation() -> impl Strategy<Value = Observation> {
    let fleet = (0_u32..9, prop::bool::weighted(0.1), prop::bool::weighted(0.7));
    let rates = (0_u64..5000, 0.0..10_000.0, 0.0..300.0, 0.0..2.0);
    let failures = (prop_oneof![4 => Just(0_u64), 1 => 1_u64..900], prop_oneof![9 => Just(0_u64), 1 => 1_u64..9]);
    (fleet, rates, failures).prop_map(|(fleet, rates, failures)| {
        let ((pods, scaling, confirmed), (acquires, throughput, in_use, wait_p95)) = (fleet, rates);
        Observation {
            pods,
            // Most have all their pods: else nothing would ever be judged.
            reporting: if acquires % 9 == 0 { pods / 2 } else { pods },
            scaling,
            confirmed,
            applied: 0,
            acquires,
            throughput,
            in_use,
            wait_p95,
            turned_away: failures.0,
            refused: failures.1,
        }
    })
}

/// Fleets that mostly stand still.
fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let one = || prop::collection::vec(observation(), 1..60);
    (one(), 1_u32..9, any::<bool>()).prop_map(|(mut all, pods, still)| {
        if still {
            all.iter_mut().for_each(|it| (it.pods, it.scaling, it.reporting) = (pods, false, pods));
        }
        all
    })
}

fn settings(mode: Mode) -> impl Strategy<Value = Settings> {
    (1_u32..5, 0_u32..60, 0.001..0.1).prop_map(move |(min_per_pod, more, wait_target)| Settings {
        mode,
        wait_target,
        min_per_pod,
        max_per_pod: min_per_pod + more,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sizes_are_within_bounds_and_steps_are_confirmed(seen in observations(), settings in settings(Mode::Auto)) {
        let mut state = State::default();
        let mut since_refusal = COOLDOWN;
        for seen in &seen {
            let (decision, next) = decide(&state, seen, &settings);
            prop_assert_eq!(decision.pool_max, next.pool_max);
            prop_assert!((settings.min_per_pod..=settings.max_per_pod).contains(&next.pool_max));
            prop_assert_eq!(decision.action == Action::Hold, decision.pool_max == state.pool_max);
            let size = state.pool_max * seen.pods;
            match decision.reason {
                Reason::Start | Reason::Bounds => {}
                Reason::Refused => {
                    let most = (f64::from(size) * 0.7) as u32 / seen.pods;
                    prop_assert!(next.pool_max <= most.max(settings.min_per_pod), "{decision:?}");
                    since_refusal = 0;
                }
                _ if decision.action != Action::Hold => {
                    prop_assert!(seen.confirmed && !seen.scaling && seen.pods == state.pods, "{decision:?}");
                    prop_assert!(state.frozen == 0, "{decision:?}");
                }
                _ => {}
            }
            if decision.action == Action::Grow && decision.reason != Reason::Start {
                prop_assert!(since_refusal >= COOLDOWN - 1, "{decision:?} {since_refusal} windows after a refusal");
            }
            since_refusal = if decision.reason == Reason::Refused { 0 } else { since_refusal + 1 };
            state = next;
        }
        let kept = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<State>(&kept).unwrap().pool_max, state.pool_max);
        prop_assert!(state.points.iter().all(|it| it.throughput > 0.0));
    }

    #[test]
    fn observing_changes_nothing(seen in observations(), settings in settings(Mode::Observe)) {
        let mut state = State::new(4, settings.min_per_pod);
        for seen in &seen {
            state = decide(&state, seen, &settings).1;
            prop_assert_eq!((state.connections, state.pool_max), (4 * settings.min_per_pod, settings.min_per_pod));
        }
    }

    #[test]
    fn a_change_of_bounds_is_followed_at_once(
        seen in observations(),
        before in settings(Mode::Auto),
        after in settings(Mode::Auto),
    ) {
        let mut state = State::default();
        for seen in &seen {
            state = decide(&state, seen, &before).1;
        }
        let unsettled = Observation { scaling: true, confirmed: false, ..seen[0].clone() };
        let (decision, next) = decide(&state, &unsettled, &after);
        prop_assert!((after.min_per_pod..=after.max_per_pod).contains(&next.pool_max), "{decision:?}");
    }
}
