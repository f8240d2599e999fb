//! The law, case by case.

use farmlokal_operator::tune::{Action, Decision, Mode, Observation, Point, Reason, Settings, State, decide};

const SETTINGS: Settings = Settings { mode: Mode::Auto, wait_target: 0.02, min_per_pod: 2, max_per_pod: 40 };

/// Four settled pods of eight connections.
fn state() -> State {
    State::new(4, 8)
}

/// A window of four pods in which nobody waited for long, and half were in use.
fn seen() -> Observation {
    Observation {
        pods: 4,
        reporting: 4,
        confirmed: true,
        applied: 32,
        acquires: 60_000,
        throughput: 1000.0,
        in_use: 20.0,
        wait_p95: 0.001,
        ..Observation::default()
    }
}

/// One in which the pools were full all the time.
fn full(connections: u32, throughput: f64) -> Observation {
    Observation { throughput, in_use: connections.into(), wait_p95: 0.4, turned_away: 900, ..seen() }
}

fn decided(state: &State, seen: &Observation) -> (Action, Reason, u32) {
    let (Decision { action, reason, pool_max, .. }, _) = decide(state, seen, &SETTINGS);
    (action, reason, pool_max)
}

#[test]
fn a_fleet_starts_with_a_size() {
    assert_eq!(decided(&State::default(), &seen()), (Action::Grow, Reason::Start, 8));
    let narrow = Settings { max_per_pod: 3, ..SETTINGS };
    assert_eq!(decide(&State::default(), &Observation::default(), &narrow).0.pool_max, 3);
}

#[test]
fn what_says_nothing_changes_nothing() {
    let hold = |reason| (Action::Hold, reason, 8);
    for (seen, reason) in [
        (seen(), Reason::Content),
        (Observation { pods: 0, reporting: 0, ..seen() }, Reason::NoPods),
        (Observation { pods: 5, reporting: 5, ..full(40, 900.0) }, Reason::Scaling),
        (Observation { scaling: true, ..full(32, 900.0) }, Reason::Scaling),
        (Observation { confirmed: false, ..full(32, 900.0) }, Reason::Unconfirmed),
        (Observation { reporting: 3, ..full(32, 900.0) }, Reason::StaleMetrics),
        (Observation { acquires: 39, ..full(32, 900.0) }, Reason::Quiet),
        (full(32, 0.0), Reason::Quiet),
        // They wait for something else: most connections are idle.
        (Observation { wait_p95: 0.4, ..seen() }, Reason::Content),
    ] {
        assert_eq!(decided(&state(), &seen), hold(reason), "{seen:?}");
    }
    let off = Settings { mode: Mode::Off, ..SETTINGS };
    assert_eq!(decide(&state(), &full(32, 900.0), &off).0.reason, Reason::Off);
}

#[test]
fn waiting_alone_grows_the_pools_and_is_not_judged_by_throughput() {
    let waits = Observation { in_use: 28.0, wait_p95: 0.05, ..seen() };
    let mut state = state();
    for expected in [9, 10, 12, 14] {
        let (decision, next) =
            decide(&state, &Observation { in_use: f64::from(state.pool_max * 4) * 0.9, ..waits.clone() }, &SETTINGS);
        assert_eq!((decision.action, decision.reason, decision.pool_max), (Action::Grow, Reason::Waiting, expected));
        assert_eq!(decision.to, expected * 4);
        state = next;
    }
    assert_eq!(state.points, []);
}

#[test]
fn replicas_freeze_the_tuner_and_the_connections_follow_them() {
    let more = Observation { pods: 8, reporting: 8, acquires: 10_000, ..seen() };
    let mut state = state();
    for _ in 0..3 {
        let (decision, next) = decide(&state, &more, &SETTINGS);
        assert_eq!((decision.action, decision.reason), (Action::Hold, Reason::Scaling));
        state = next;
    }
    let (decision, next) = decide(&state, &more, &SETTINGS);
    assert_eq!((decision.action, decision.reason, decision.pool_max), (Action::Spread, Reason::Pods, 4));
    assert_eq!((decision.from, decision.to, next.connections), (32, 32, 32));
    let (decision, _) = decide(&next, &more, &SETTINGS);
    assert_eq!(decision.reason, Reason::Content);
}

#[test]
fn refusals_take_a_third_at_once_and_forbid_growth_for_a_while() {
    let refused = Observation { refused: 1, ..full(32, 900.0) };
    let unconfirmed = Observation { confirmed: false, ..refused.clone() };
    assert_eq!(decided(&state(), &unconfirmed), (Action::Shrink, Reason::Refused, 5));
    let (_, state) = decide(&state(), &unconfirmed, &SETTINGS);
    assert_eq!(decided(&state, &unconfirmed), (Action::Hold, Reason::Unconfirmed, 5), "not again before it is done");
    assert_eq!(decided(&state, &refused), (Action::Shrink, Reason::Refused, 3));
    let waits = Observation { in_use: 18.0, wait_p95: 0.05, ..seen() };
    assert_eq!(decided(&state, &waits), (Action::Hold, Reason::CoolingDown, 5));
    let least = State::new(4, 2);
    assert_eq!(decided(&least, &refused), (Action::Hold, Reason::Refused, 2));
}

#[test]
fn new_bounds_come_first() {
    let (decision, _) =
        decide(&state(), &Observation { scaling: true, ..seen() }, &Settings { max_per_pod: 6, ..SETTINGS });
    assert_eq!((decision.action, decision.reason, decision.pool_max), (Action::Shrink, Reason::Bounds, 6));
    let (decision, _) = decide(&state(), &seen(), &Settings { min_per_pod: 10, ..SETTINGS });
    assert_eq!((decision.action, decision.reason, decision.pool_max), (Action::Grow, Reason::Bounds, 10));
}

/// Runs the law on a database of the given throughput.
fn climb(state: State, windows: u32, throughput: impl Fn(f64) -> f64) -> (Decision, State) {
    let one = |state: &State| {
        let size = state.pool_max * 4;
        decide(state, &full(size, throughput(size.into())), &SETTINGS)
    };
    (1..windows).fold(one(&state), |(_, state), _| one(&state))
}

#[test]
fn the_climb_ends_where_connections_no_longer_pay() {
    for knee in [20.0, 60.0, 110.0] {
        let share = |size: f64| size / knee * (1.0 - size / knee).exp();
        for start in [2, 8, 38] {
            let (_, mut state) = climb(State::new(4, start), 40, |size| 2000.0 * share(size));
            let mut served = 0.0;
            for _ in 0..100 {
                served += share((state.pool_max * 4).into());
                state = climb(state, 1, |size| 2000.0 * share(size)).1;
            }
            assert!(served > 96.0, "{served:.1} % of the peak at {knee}, from {start}: {state:?}");
        }
    }
}

/// Far from the peak the climb is that of TCP's start: a window doubles the connections.
#[test]
fn a_starved_fleet_is_near_the_best_within_a_few_windows() {
    let share = |size: f64| size / 110.0 * (1.0 - size / 110.0).exp();
    let mut state = State::new(4, 2);
    let mut sizes = vec![];
    for _ in 0..6 {
        state = climb(state, 1, |size| 2000.0 * share(size)).1;
        sizes.push(state.pool_max * 4);
    }
    assert_eq!(sizes[..2], [12, 24], "{sizes:?}");
    assert!(share(sizes[5].into()) > 0.95, "{sizes:?}");
}

#[test]
fn a_database_that_bears_all_gets_all() {
    let (decision, state) = climb(state(), 12, |size| 50.0 * size);
    assert_eq!((decision.reason, state.pool_max), (Reason::Exhausted, 40));
    assert!(!decision.reason.is_saturation());
    assert!((decision.elasticity.unwrap() - 1.0).abs() < 0.01);
}

#[test]
fn a_database_with_a_limit_of_its_own_is_recognised() {
    let (decision, state) = climb(state(), 30, |_| 1000.0);
    assert_eq!(state.pool_max, 2, "each connection fewer serves as much");
    assert!(decision.reason.is_saturation(), "{decision:?}");
}

#[test]
fn an_accident_is_not_remembered_and_what_comes_twice_voids_the_past() {
    let points = [1000.0, 1010.0, 990.0].map(|throughput| Point { connections: 32, throughput });
    let state = State { points: points.into(), ..state() };
    let (decision, once) = decide(&state, &full(32, 500.0), &SETTINGS);
    assert_eq!((decision.action, decision.reason), (Action::Hold, Reason::Surprised));
    assert_eq!(once.points, points);
    let (_, after) = decide(&once, &full(32, 1000.0), &SETTINGS);
    assert_eq!((after.surprises, after.points.len()), (0, 4));
    let (decision, twice) = decide(&once, &full(32, 500.0), &SETTINGS);
    assert_eq!((decision.action, decision.reason), (Action::Grow, Reason::Unknown));
    assert_eq!(twice.points, [Point { connections: 32, throughput: 500.0 }]);
}

#[test]
fn another_database_is_learnt_anew() {
    let (_, state) = climb(state(), 60, |size| 2000.0 * (size / 60.0) * (1.0 - size / 60.0).exp());
    let (_, state) = climb(state, 40, |size| 600.0 * (size / 16.0) * (1.0 - size / 16.0).exp());
    assert!(state.pool_max <= 5, "{state:?}");
}

#[test]
fn what_is_not_needed_is_given_back_slowly() {
    let idle = Observation { in_use: 4.0, wait_p95: 0.0, ..seen() };
    let mut state = State::new(4, 20);
    let mut sizes = vec![];
    for _ in 0..16 {
        state = decide(&state, &idle, &SETTINGS).1;
        sizes.push(state.pool_max);
    }
    assert_eq!(sizes[..6], [20, 20, 20, 20, 16, 13]);
    // One in use on average, and twice its square root, and one.
    assert_eq!(sizes[15], 4);
}

#[test]
fn who_is_hardly_asked_gives_back_too_however_long_the_few_waited() {
    let quiet = Observation { acquires: 12, in_use: 0.4, wait_p95: 0.4, ..seen() };
    let mut state = State::new(4, 20);
    for reason in [Reason::Quiet, Reason::Quiet, Reason::Quiet, Reason::Quiet, Reason::Unused] {
        let (decision, next) = decide(&state, &quiet, &SETTINGS);
        assert_eq!(decision.reason, reason);
        state = next;
    }
    assert_eq!(state.pool_max, 16);
    let slow = Observation { in_use: 40.0, ..quiet };
    assert_eq!(decided(&state, &slow), (Action::Hold, Reason::Quiet, 16), "few, but they need them");
}
